// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"cmp"
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Backoff says when what failed is tried again.
type Backoff struct {
	Initial, Max time.Duration
	Multiplier   float64
	// MaxAge is the age from which on it is not tried again.
	MaxAge time.Duration
}

// jitter is by which part delays differ, so that what failed together is not tried together.
const jitter = 0.2

// Delay is how long to wait after that many attempts.
func (b Backoff) Delay(attempts int) time.Duration {
	d := float64(b.Initial) * math.Pow(b.Multiplier, float64(max(attempts-1, 0)))
	d = min(d, float64(b.Max))
	return time.Duration(d * (1 - jitter/2 + jitter*rand.Float64())) //nolint:gosec // nobody gains by guessing it
}

// target is one target's items that can be tried now.
type target struct {
	items   int // all of them, also those that wait for something
	active  int
	failing bool
	waiting []*entry
	listed  bool // in ready
}

// limit is how many attempts a target gets at the same time: one as long as it fails.
func (t *target) limit(perTarget int) int {
	if t.failing {
		return 1
	}
	return perTarget
}

// plan has an item tried, at once or later.
func (q *Queue) plan(e *entry) {
	if e.Next.After(q.set.Now()) {
		heap.Push(&q.later, e)
		return
	}
	q.offer(e)
}

// offer lists an item with its target.
func (q *Queue) offer(e *entry) {
	t := q.targets[e.Target]
	t.waiting = append(t.waiting, e)
	q.list(t)
}

// list puts a target into the turn when it may be tried.
func (q *Queue) list(t *target) {
	if t.listed || len(t.waiting) == 0 || t.active >= t.limit(q.set.MaxConcurrentPerTarget) {
		return
	}
	t.listed = true
	q.ready = append(q.ready, t)
}

// pump starts as many attempts as may run.
func (q *Queue) pump() {
	if !q.started || q.stopped {
		return
	}
	now := q.set.Now()
	for len(q.later) > 0 && !q.later[0].Next.After(now) {
		q.offer(heap.Pop(&q.later).(*entry))
	}
	for q.active < q.set.MaxConcurrent && len(q.ready) > 0 {
		t := q.ready[0]
		q.ready = q.ready[1:]
		t.listed = false
		e := t.waiting[0]
		t.waiting = t.waiting[1:]
		t.active++
		q.active++
		q.list(t)
		q.running.Go(func() { q.attempt(e) })
	}
	q.setTimer(now)
}

func (q *Queue) setTimer(now time.Time) {
	if len(q.later) == 0 {
		return
	}
	d := max(q.later[0].Next.Sub(now), time.Millisecond)
	if q.timer == nil {
		q.timer = time.AfterFunc(d, q.tick)
		return
	}
	q.timer.Reset(d)
}

func (q *Queue) tick() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pump()
}

// release gives back what an attempt has taken.
func (q *Queue) release(e *entry, failing bool) {
	q.active--
	t := q.targets[e.Target]
	t.active--
	t.failing = failing
	q.list(t)
}

// timeHeap is items by when they are tried again.
type timeHeap []*entry

func (h timeHeap) Len() int           { return len(h) }
func (h timeHeap) Less(i, j int) bool { return h[i].Next.Before(h[j].Next) }
func (h timeHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is heap.Interface's.
func (h *timeHeap) Push(x any) {
	*h = append(*h, x.(*entry))
}

// Pop is heap.Interface's.
func (h *timeHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return e
}

func sortByAge(items []*Item) {
	slices.SortStableFunc(items, func(a, b *Item) int {
		return cmp.Or(a.Enqueued.Compare(b.Enqueued), cmp.Compare(a.ID, b.ID))
	})
}
