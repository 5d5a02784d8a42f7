// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"context"
	"encoding/json"
	"sync"

	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/records"
)

// results hands over how actions ended. A result is durable until then.
type results struct {
	store  *records.Store
	table  *records.Table
	logger *zap.Logger
	ctx    context.Context
	cancel context.CancelFunc
	wake   chan struct{}
	wg     sync.WaitGroup

	mu      sync.Mutex
	waiting []*Result
	started bool
}

func openResults(ctx context.Context, store *records.Store, logger *zap.Logger) (*results, error) {
	r := &results{store: store, logger: logger, wake: make(chan struct{}, 1)}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	var err error
	r.table, err = records.Load(ctx, store, "results", func(value []byte) (string, error) {
		res := &Result{}
		if err := json.Unmarshal(value, res); err != nil {
			return "", err
		}
		r.waiting = append(r.waiting, res)
		return res.Action, nil
	})
	return r, err
}

// put makes a result part of a change.
func (r *results) put(c *records.Change, res *Result) {
	text, err := json.Marshal(res)
	if err != nil {
		r.logger.Error("result not encoded", zap.Error(err)) // texts alone always encode
		return
	}
	r.table.Put(c, res.Action, text)
}

// push has a result handed over.
func (r *results) push(res *Result) {
	r.mu.Lock()
	r.waiting = append(r.waiting, res)
	r.mu.Unlock()
	r.signal()
}

func (r *results) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *results) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.waiting)
}

func (r *results) start(f func(context.Context, Result)) {
	r.mu.Lock()
	started := r.started
	r.started = true
	r.mu.Unlock()
	if started || r.ctx.Err() != nil {
		return
	}
	r.wg.Go(func() { r.run(f) })
	r.signal()
}

func (r *results) run(f func(context.Context, Result)) {
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-r.wake:
		}
		for r.ctx.Err() == nil {
			r.mu.Lock()
			if len(r.waiting) == 0 {
				r.waiting = nil
				r.mu.Unlock()
				break
			}
			res := r.waiting[0]
			r.waiting = r.waiting[1:]
			r.mu.Unlock()
			f(r.ctx, *res)
			if r.ctx.Err() != nil {
				return // it may not have been taken, and is handed over after the next start
			}
			// It may be handed over a second time when this does not get written.
			r.store.Begin(func(c *records.Change) { r.table.Delete(c, res.Action) })
		}
	}
}

func (r *results) stop() {
	r.cancel()
	r.wg.Wait()
}
