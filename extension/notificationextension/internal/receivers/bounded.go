// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package receivers

import (
	"context"
	"fmt"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/notify"
)

// maxUnfinished bounds the attempts of one integration that go on after their time is up.
const maxUnfinished = 16

// bounded is an integration whose attempts end when their context does. Those of email do not look at it: a mail server
// that stops answering would hold them for ever.
type bounded struct {
	notify.Notifier
	name    string
	slots   chan struct{}
	observe func(integration string, delivered, again bool)
}

func newBounded(n *notify.Integration, observe func(integration string, delivered, again bool)) *bounded {
	return &bounded{Notifier: n, name: n.Name(), slots: make(chan struct{}, maxUnfinished), observe: observe}
}

// Notify is notify.Notifier's.
func (b *bounded) Notify(ctx context.Context, alerts ...*alert.Alert) (again bool, err error) {
	defer func() { b.observe(b.name, err == nil, again) }()
	return b.within(ctx, func() (bool, error) { return b.Notifier.Notify(ctx, alerts...) })
}

// within runs f until the context ends. f goes on after that, and keeps its slot.
func (b *bounded) within(ctx context.Context, f func() (bool, error)) (again bool, err error) {
	select {
	case b.slots <- struct{}{}:
	case <-ctx.Done():
		return true, fmt.Errorf("attempts before this one have not ended: %w", ctx.Err())
	}
	type outcome struct {
		again bool
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				done <- outcome{err: fmt.Errorf("internal error: %v", r)}
			}
			<-b.slots
		}()
		again, err := f()
		done <- outcome{again, err}
	}()
	select {
	case o := <-done:
		return o.again, o.err
	case <-ctx.Done():
		select {
		case o := <-done: // both at once
			return o.again, o.err
		default:
		}
		return true, fmt.Errorf("no answer in time: %w", ctx.Err())
	}
}
