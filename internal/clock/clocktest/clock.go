// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package clocktest is a clock that a test moves, and an extension that gives it to a collector.
package clocktest

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/nephoscope/nephoscope/internal/clock"
)

// Clock stands still until it is moved. It is safe for concurrent use.
type Clock struct {
	mu      sync.Mutex
	now     time.Time
	waiting []*waiter
	// more is closed when somebody begins to wait.
	more chan struct{}
}

type waiter struct {
	at time.Time
	c  chan time.Time
}

var _ clock.Clock = (*Clock)(nil)

// New returns a clock that shows now.
func New(now time.Time) *Clock { return &Clock{now: now, more: make(chan struct{})} }

// Now implements [clock.Clock].
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// After implements [clock.Clock].
func (c *Clock) After(d time.Duration) (ch <-chan time.Time, stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := &waiter{at: c.now.Add(d), c: make(chan time.Time, 1)}
	if d <= 0 {
		w.c <- c.now
		return w.c, func() {}
	}
	c.waiting = append(c.waiting, w)
	close(c.more)
	c.more = make(chan struct{})
	return w.c, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.waiting = slices.DeleteFunc(c.waiting, func(o *waiter) bool { return o == w })
	}
}

// Add lets d pass.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set(c.now.Add(d))
}

func (c *Clock) set(now time.Time) {
	c.now = now
	c.waiting = slices.DeleteFunc(c.waiting, func(w *waiter) bool {
		if w.at.After(c.now) {
			return false
		}
		w.c <- c.now // it has room: nobody else sends
		return true
	})
}

// Until lets time pass until it is then, and stops on the way whenever somebody wakes until somebody waits again: for one
// who always waits for what is due next, nothing is late.
func (c *Clock) Until(ctx context.Context, then time.Time) error {
	for {
		due, more := c.next(then)
		if due {
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// next moves to when the first of those wakes who wait, or to then. Nothing moves while nobody waits.
func (c *Clock) next(then time.Time) (done bool, more <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		return false, c.more
	}
	first := slices.MinFunc(c.waiting, func(a, b *waiter) int { return a.at.Compare(b.at) }).at
	if first.After(then) {
		c.set(then)
		return true, nil
	}
	more = c.more
	c.set(first)
	return false, more
}

// Type is that of the extension: a configuration lists "test_clock" under service::extensions.
const Type = "test_clock"

// NewFactory returns a factory of an extension that gives this clock to the collector it is in.
func (c *Clock) NewFactory() extension.Factory {
	return extension.NewFactory(component.MustNewType(Type),
		func() component.Config { return &struct{}{} },
		func(context.Context, extension.Settings, component.Config) (extension.Extension, error) {
			return &provider{clock: c}, nil
		}, component.StabilityLevelDevelopment)
}

type provider struct {
	component.StartFunc
	component.ShutdownFunc
	clock *Clock
}

var _ clock.Provider = (*provider)(nil)

// Clock implements [clock.Provider].
func (p *provider) Clock() clock.Clock { return p.clock }
