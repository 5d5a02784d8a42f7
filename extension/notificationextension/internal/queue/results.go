// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/records"
)

const (
	// resultsAtOnce bounds the results that are handed over together.
	resultsAtOnce = 256
	// What was not taken is handed over again after these.
	minResultRetry = 100 * time.Millisecond
	maxResultRetry = 30 * time.Second
)

// results hands over how actions ended. A result is durable until it was taken.
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

func (r *results) start(f func(context.Context, []*Result) error) {
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

func (r *results) run(f func(context.Context, []*Result) error) {
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-r.wake:
		}
		for retry := minResultRetry; ; {
			list := r.first()
			if len(list) == 0 {
				break
			}
			if err := f(r.ctx, list); err != nil {
				r.logger.Warn("how actions ended was not taken; it is handed over again", zap.Duration("after", retry), zap.Error(err))
				if !r.pause(retry) {
					return
				}
				retry = min(2*retry, maxResultRetry)
				continue
			}
			retry = minResultRetry
			r.taken(list)
		}
	}
}

// first are the results that have waited for longest.
func (r *results) first() []*Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.waiting[:min(len(r.waiting), resultsAtOnce)])
}

// taken forgets the first results.
func (r *results) taken(list []*Result) {
	r.mu.Lock()
	if r.waiting = r.waiting[len(list):]; len(r.waiting) == 0 {
		r.waiting = nil
	}
	r.mu.Unlock()
	// They may be handed over a second time when this does not get written.
	r.store.Begin(func(c *records.Change) {
		for _, res := range list {
			r.table.Delete(c, res.Action)
		}
	})
}

// pause waits. It is false when the queue has stopped.
func (r *results) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-r.ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (r *results) stop() {
	r.cancel()
	r.wg.Wait()
}
