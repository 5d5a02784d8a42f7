// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package service

import "time"

// Clock tells the time, and when some of it has passed.
type Clock interface {
	Now() time.Time
	// After sends when d has passed. stop ends that early.
	After(d time.Duration) (c <-chan time.Time, stop func())
}

// WallClock is the clock of the machine.
type WallClock struct{}

// Now implements [Clock].
func (WallClock) Now() time.Time { return time.Now() }

// After implements [Clock].
func (WallClock) After(d time.Duration) (c <-chan time.Time, stop func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}
