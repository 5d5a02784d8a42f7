// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/journal"
)

const (
	outboxBatch = 100

	minRetry = time.Second
	maxRetry = 30 * time.Second
)

// errNotNow says that a sink takes nothing for now; it signals when it does.
var errNotNow = errors.New("not now")

// outbox hands what was committed to one sink, in order. What the sink does not take is tried again, for as long as the
// journal keeps it. Evaluation never waits for it.
type outbox struct {
	s       *Service
	sink    journal.Sink
	deliver func(ctx context.Context, entries []*journal.Entry) error
	more    chan struct{}
}

func newOutbox(s *Service, sink journal.Sink, deliver func(context.Context, []*journal.Entry) error) *outbox {
	return &outbox{s: s, sink: sink, deliver: deliver, more: make(chan struct{}, 1)}
}

// signal says that there is something, or that the sink takes it now.
func (o *outbox) signal() {
	select {
	case o.more <- struct{}{}:
	default:
	}
}

func (o *outbox) run(ctx context.Context) {
	retry := minRetry
	for {
		done, err := o.next(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && !done:
			retry = minRetry
			continue
		case err == nil || errors.Is(err, errNotNow):
			select {
			case <-ctx.Done():
				return
			case <-o.more:
			}
		default:
			o.s.logger.Warn("what happened to alarms was not taken; it is tried again",
				zap.Stringer("sink", o.sink), zap.Duration("after", retry), zap.Error(err))
			if !o.s.pause(ctx, retry) {
				return
			}
			retry = min(2*retry, maxRetry)
		}
	}
}

// next delivers some entries. done is true when there are none.
func (o *outbox) next(ctx context.Context) (done bool, err error) {
	seqs, _ := o.s.journal.Pending(o.sink, outboxBatch)
	if len(seqs) == 0 {
		return true, nil
	}
	entries, err := o.s.journal.Read(ctx, seqs)
	if err != nil {
		return false, err
	}
	if len(entries) > 0 {
		if err := o.deliver(ctx, entries); err != nil {
			return false, err
		}
	}
	return false, o.s.journal.Acknowledge(context.WithoutCancel(ctx), o.sink, seqs[len(seqs)-1])
}

// Deliver hands over what waits, until nothing does or something is refused. It is for those that do not Start.
func (s *Service) Deliver(ctx context.Context) error {
	for _, o := range []*outbox{s.actions, s.events} {
		for {
			done, err := o.next(ctx)
			if errors.Is(err, errNotNow) || done {
				break
			}
			if err != nil {
				return err
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flush(ctx)
}
