// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package clock is how components of a collector agree on the time: they ask the host, and get the machine's clock unless
// an extension there provides another. Tests of whole pipelines use that to let hours pass.
package clock

import (
	"time"

	"go.opentelemetry.io/collector/component"
)

// Clock tells the time, and when some of it has passed.
type Clock interface {
	Now() time.Time
	// After sends when d has passed. stop ends that early.
	After(d time.Duration) (c <-chan time.Time, stop func())
}

// Provider is an extension that has the time.
type Provider interface {
	Clock() Clock
}

// Find returns the clock that an extension of the host provides. It is false when none does.
func Find(host component.Host) (Clock, bool) {
	for _, ext := range host.GetExtensions() {
		if p, ok := ext.(Provider); ok {
			return p.Clock(), true
		}
	}
	return nil, false
}

// Of returns what tells the time on the host: [time.Now], unless an extension provides a clock.
func Of(host component.Host) func() time.Time {
	if c, ok := Find(host); ok {
		return c.Now
	}
	return time.Now
}
