// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"time"

	"github.com/nephoscope/nephoscope/internal/clock"
)

// WallClock is the clock of the machine.
type WallClock struct{}

var _ clock.Clock = WallClock{}

// Now implements [clock.Clock].
func (WallClock) Now() time.Time { return time.Now() }

// After implements [clock.Clock].
func (WallClock) After(d time.Duration) (c <-chan time.Time, stop func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}
