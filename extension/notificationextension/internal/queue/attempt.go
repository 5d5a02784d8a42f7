// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/records"
)

// deadLetterRetry is how long what could not even be kept as a dead letter waits.
const deadLetterRetry = time.Minute

// attempt tries one item and settles what becomes of it.
func (q *Queue) attempt(e *entry) {
	start := time.Now()
	out := q.deliver(e.Item)
	took := time.Since(start)
	if out.Err != nil && q.ctx.Err() != nil {
		// The attempt was cut off; it does not count.
		q.mu.Lock()
		q.active--
		q.mu.Unlock()
		return
	}
	switch {
	case out.Err == nil && out.Withheld != "":
		q.set.Observe(e.Kind, OutcomeWithheld, took)
		q.end(e, out, false)
	case out.Err == nil:
		if len(out.Add) > 0 && !q.room(out.Add) {
			out = Outcome{Err: fmt.Errorf("%w: %d deliveries do not fit", ErrFull, len(out.Add))}
			q.set.Observe(e.Kind, OutcomeRetried, took)
			q.retry(e, out, q.set.Backoff.Delay(e.Attempts+1))
			return
		}
		q.set.Observe(e.Kind, OutcomeDelivered, took)
		q.end(e, out, false)
	default:
		q.failed(e, out, took)
	}
}

// deliver calls the deliverer. A panic of a notifier is an error of this item, and no reason for the others to stop.
func (q *Queue) deliver(it *Item) (out Outcome) {
	defer func() {
		if r := recover(); r != nil {
			q.set.Logger.Error("delivery panicked", zap.String("kind", it.Kind), zap.Any("panic", r), zap.Stack("stack"))
			out = Outcome{Err: fmt.Errorf("internal error: %v", r), Permanent: true}
		}
	}()
	return q.set.Deliver(q.ctx, it)
}

func (q *Queue) room(items []*Item) bool {
	size := int64(0)
	for _, it := range items {
		size += it.Size()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.fits(len(items), size, 2)
}

func (q *Queue) failed(e *entry, out Outcome, took time.Duration) {
	now := q.set.Now()
	var delay time.Duration
	again := !out.Permanent
	switch {
	case !again:
	case out.Retry != nil:
		delay, again = out.Retry(e.Attempts + 1)
	default:
		delay = q.set.Backoff.Delay(e.Attempts + 1)
		again = now.Add(delay).Sub(e.Enqueued) <= q.set.Backoff.MaxAge
	}
	if again {
		q.set.Observe(e.Kind, OutcomeRetried, took)
		q.retry(e, out, delay)
		return
	}
	q.mu.Lock()
	dead := *e.Item
	q.mu.Unlock()
	dead.Attempts++
	dead.LastError = errorText(out.Err)
	if err := q.set.DeadLetter(&dead, now); err != nil {
		q.set.DeadLetterFailed()
		q.set.Logger.Error("dead letter not written, the delivery stays in the queue",
			zap.String("target", e.Target), zap.Duration("next attempt in", deadLetterRetry), zap.Error(err))
		q.retry(e, out, deadLetterRetry)
		return
	}
	q.set.Observe(e.Kind, OutcomeDead, took)
	q.end(e, out, true)
}

// retry has an item tried again.
func (q *Queue) retry(e *entry, out Outcome, delay time.Duration) {
	q.mu.Lock()
	e.Attempts++
	e.Next = q.set.Now().Add(delay)
	e.LastError = errorText(out.Err)
	text, err := json.Marshal(e.Item)
	wait := q.set.Store.Begin(func(c *records.Change) {
		if err == nil {
			q.table.Put(c, e.ID, text)
		}
	})
	q.mu.Unlock()
	if err := errors.Join(err, wait()); err != nil {
		// The item itself is durable, only the count of its attempts is not.
		q.set.Logger.Warn("the state of a delivery was not written", zap.String("target", e.Target), zap.Error(err))
	}
	q.set.Logger.Debug("delivery is tried again", zap.String("target", e.Target), zap.Int("attempts", e.Attempts),
		zap.Duration("in", delay), zap.Error(out.Err))
	q.mu.Lock()
	defer q.mu.Unlock()
	q.release(e, true)
	q.plan(e)
	q.pump()
}

// end takes an item out of the queue: it was delivered, or is a dead letter.
func (q *Queue) end(e *entry, out Outcome, dead bool) {
	texts, size, err := encode(out.Add)
	if err != nil {
		q.set.Logger.Error("deliveries not encoded", zap.Error(err))
		out.Add, texts, size = nil, nil, 0
	}
	q.mu.Lock()
	result := q.endPart(e, out)
	q.reserved += len(out.Add)
	q.size += size
	wait := q.set.Store.Begin(func(c *records.Change) {
		q.table.Delete(c, e.ID)
		for i, it := range out.Add {
			q.table.Put(c, it.ID, texts[i])
		}
		if out.Also != nil {
			out.Also(c)
		}
		if result != nil {
			q.results.put(c, result)
		} else {
			q.passOn(c, e)
		}
	})
	q.mu.Unlock()
	if err := wait(); err != nil {
		// It has ended all the same. After a restart it may be delivered a second time.
		q.set.Logger.Error("the end of a delivery was not written", zap.String("target", e.Target), zap.Error(err))
	}
	if result != nil {
		q.results.push(result)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.reserved -= len(out.Add)
	q.size -= size
	for _, it := range out.Add {
		q.insert(it)
	}
	q.release(e, dead && !out.Permanent)
	q.remove(e)
	q.pump()
}

// endPart notes what a part of an action came to. The result is there when it was the last.
func (q *Queue) endPart(e *entry, out Outcome) *Result {
	a := q.actions[e.Action]
	if e.Action == "" || a == nil {
		return nil
	}
	delete(a.parts, e.ID)
	switch {
	case out.Err != nil:
		a.failed = append(a.failed, errorText(out.Err))
	case out.Withheld != "":
		a.withheld = out.Withheld
	default:
		a.sent = true
	}
	if out.Message != "" {
		a.message = out.Message
	}
	if len(a.parts) > 0 {
		return nil
	}
	delete(q.actions, e.Action)
	if a.sent {
		a.withheld = "" // not from everybody
	}
	return &Result{
		Action: e.Action, AlarmARN: e.AlarmARN, ARN: e.ARN, Time: q.set.Now(),
		Message: a.message, Withheld: a.withheld, Failed: a.failed,
	}
}

// passOn keeps what a part of an action came to with one of the other parts.
func (q *Queue) passOn(c *records.Change, e *entry) {
	a := q.actions[e.Action]
	if e.Action == "" || a == nil || len(a.failed) == 0 && a.message == "" && !a.sent {
		return
	}
	for _, other := range a.parts {
		other.Failed, other.Message, other.Sent = a.failed, a.message, a.sent
		text, err := json.Marshal(other.Item)
		if err != nil {
			return // it was encoded before
		}
		q.table.Put(c, other.ID, text)
		return
	}
}

// maxErrorText bounds what is kept of an error: receivers' answers are a part of it.
const maxErrorText = 2048

func errorText(err error) string {
	text := strings.ToValidUTF8(err.Error(), "\uFFFD")
	if len(text) > maxErrorText {
		text = strings.ToValidUTF8(text[:maxErrorText], "") + "…"
	}
	return text
}
