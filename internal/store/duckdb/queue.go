// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"fmt"

	"github.com/nephoscope/nephoscope/internal/store"
)

// writeRequest is the part of a Write call that belongs to one day file.
type writeRequest struct {
	rows    int
	bytes   int64
	payload any // []store.LogRecord, []metricRow or []store.Segment
	done    chan error

	// Guarded by Engine.mu.
	file  *dayFile
	taken bool // by the writer: too late to withdraw
}

func newWriteRequest(rows int, bytes int64, payload any) *writeRequest {
	return &writeRequest{rows: rows, bytes: bytes, payload: payload, done: make(chan error, 1)}
}

// enqueue gives the request to the writer of its day.
func (e *Engine) enqueue(s signal, d day, r *writeRequest) error {
	err := e.tryEnqueue(s, d, r)
	if err != nil {
		e.cfg.Observer.Refused(s.String(), r.rows)
	}
	return err
}

func (e *Engine) tryEnqueue(s signal, d day, r *writeRequest) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closing {
		return errClosed
	}
	// A call larger than the queue is let in when the queue is empty, or it never would be.
	if e.queuedRows > 0 && (e.queuedRows+int64(r.rows) > e.cfg.QueueRows || e.queuedBytes+r.bytes > e.cfg.QueueBytes) {
		return fmt.Errorf("%w: the write queue is full (%d rows, %d bytes)", store.ErrUnavailable, e.queuedRows, e.queuedBytes)
	}
	f := e.files[s][d]
	if f == nil {
		f = e.newFile(s, d)
		e.files[s][d] = f
	}
	if f.removed {
		return fmt.Errorf("%w: %s is being taken out of use", store.ErrUnavailable, f.path)
	}
	e.queuedRows += int64(r.rows)
	e.queuedBytes += r.bytes
	r.file = f
	if f.writer == nil {
		f.writer, f.bloomDone, f.settled = newFileWriter(e, f), false, false
		e.writers.Go(f.writer.run)
	}
	f.writer.queue = append(f.writer.queue, r)
	f.writer.wake()
	return nil
}

// await waits for the answer. When ctx ends first the request is withdrawn; if its commit is on the way already, await waits
// for that, so that the answer is always true.
func (e *Engine) await(ctx context.Context, r *writeRequest) error {
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
	}
	if e.withdraw(r) {
		return ctx.Err()
	}
	return <-r.done
}

func (e *Engine) withdraw(r *writeRequest) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.taken {
		return false
	}
	w := r.file.writer
	for i, q := range w.queue {
		if q == r {
			w.queue = append(w.queue[:i], w.queue[i+1:]...)
			e.dequeued(r)
			return true
		}
	}
	return false
}

// dequeued gives the request's share of the queue free. Engine.mu is held.
func (e *Engine) dequeued(r *writeRequest) {
	e.queuedRows -= int64(r.rows)
	e.queuedBytes -= r.bytes
}

// answer tells the callers what became of their requests.
func (e *Engine) answer(batch []*writeRequest, err error) {
	e.mu.Lock()
	for _, r := range batch {
		e.dequeued(r)
	}
	e.mu.Unlock()
	for _, r := range batch {
		r.done <- err
	}
}

// dayPart is the rows of a Write call that belong to one day.
type dayPart struct {
	day     day
	request *writeRequest
	index   []int // of the rows in the call; nil: all of them
}

// writeParts writes the parts of a call that has n rows, and says which were kept when not all were.
func (e *Engine) writeParts(ctx context.Context, s signal, n int, parts []dayPart) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := e.disk.check(); err != nil {
		e.cfg.Observer.Refused(s.String(), n)
		return err
	}
	errs := make([]error, len(parts))
	for i, p := range parts {
		errs[i] = e.enqueue(s, p.day, p.request)
	}
	var first error
	kept := 0
	for i, p := range parts {
		if errs[i] == nil {
			errs[i] = e.await(ctx, p.request)
		}
		switch {
		case errs[i] == nil:
			kept++
		case first == nil:
			first = errs[i]
		}
	}
	if first == nil || kept == 0 {
		return first
	}
	partial := &store.PartialWriteError{Kept: make([]bool, n), Err: first}
	for i, p := range parts {
		for _, row := range p.index {
			partial.Kept[row] = errs[i] == nil
		}
	}
	return partial
}
