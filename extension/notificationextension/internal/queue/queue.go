// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/records"
)

// ErrFull is the answer to what exceeds the queue's bounds.
var ErrFull = errors.New("the queue is full")

// errStopped is the answer to what comes after Stop.
var errStopped = errors.New("the queue has stopped")

// Settings is what a queue is made of.
type Settings struct {
	Store *records.Store
	// Deliver tries one item. Its context ends when the queue stops.
	Deliver func(ctx context.Context, it *Item) Outcome
	// DeadLetter keeps an item that has failed for good. It returns nil when that is durable.
	DeadLetter func(it *Item, now time.Time) error
	// Observe is told of every attempt.
	Observe func(kind, outcome string, took time.Duration)
	// DeadLetterFailed is told of dead letters that could not be kept.
	DeadLetterFailed func()

	Logger *zap.Logger
	Now    func() time.Time

	MaxItems               int
	MaxSize                int64
	MaxConcurrent          int
	MaxConcurrentPerTarget int
	Remember               int
	Backoff                Backoff
}

// Queue is the deliveries that wait and are under way.
type Queue struct {
	set     Settings
	table   *records.Table
	results *results
	seen    *seen
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex
	started bool
	stopped bool
	items   map[string]*entry
	size    int64
	// reserved are items that are being made durable.
	reserved int
	lanes    map[string][]*entry
	targets  map[string]*target
	ready    []*target // those with something to try now, in turn
	later    timeHeap
	timer    *time.Timer
	active   int
	actions  map[string]*action
}

// entry is an item with where it stands.
type entry struct {
	*Item
	size int64
}

// action is the parts of an action that are still there, and what the others came to.
type action struct {
	parts   map[string]*entry
	failed  []string
	message string
	// sent is set when something was sent, withheld when something was not.
	sent     bool
	withheld string
}

// Open reads the queue. Nothing is delivered before Start.
func Open(ctx context.Context, set Settings) (*Queue, error) {
	q := &Queue{
		set: set, items: map[string]*entry{}, lanes: map[string][]*entry{},
		targets: map[string]*target{}, actions: map[string]*action{},
	}
	q.ctx, q.cancel = context.WithCancel(context.Background())
	var loaded []*Item
	var err error
	q.table, err = records.Load(ctx, set.Store, "queue", func(value []byte) (string, error) {
		it := &Item{}
		if err := json.Unmarshal(value, it); err != nil {
			return "", err
		}
		loaded = append(loaded, it)
		return it.ID, nil
	})
	if err != nil {
		return nil, err
	}
	if q.results, err = openResults(ctx, set.Store, set.Logger); err != nil {
		return nil, err
	}
	if q.seen, err = openSeen(ctx, set.Store, set.Remember); err != nil {
		return nil, err
	}
	sortByAge(loaded)
	for _, it := range loaded {
		q.insert(it)
	}
	return q, nil
}

// Start begins to deliver.
func (q *Queue) Start() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.started || q.stopped {
		return
	}
	q.started = true
	q.pump()
}

// Stop ends the attempts under way; what has not ended is tried again after the next start.
func (q *Queue) Stop() {
	q.mu.Lock()
	q.stopped = true
	if q.timer != nil {
		q.timer.Stop()
	}
	q.mu.Unlock()
	q.cancel()
	q.running.Wait()
	q.results.stop()
}

// OnResult has f called with how actions ended, from one goroutine, and again with the same ones after an error.
func (q *Queue) OnResult(f func(context.Context, []*Result) error) { q.results.start(f) }

// Depth is how many deliveries wait or are under way, and their size.
func (q *Queue) Depth() (items int, size int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items), q.size
}

// Enqueue accepts items, all or none. When it returns nil they are durable, with what also describes. remember are the IDs
// of actions that are known from then on; see [Queue.Known].
func (q *Queue) Enqueue(items []*Item, remember []string, also func(*records.Change)) error {
	texts, size, err := encode(items)
	if err != nil {
		return err
	}
	q.mu.Lock()
	if q.stopped {
		q.mu.Unlock()
		return errStopped
	}
	if !q.fits(len(items), size, 1) {
		q.mu.Unlock()
		return ErrFull
	}
	q.reserved += len(items)
	q.size += size
	wait := q.set.Store.Begin(func(c *records.Change) {
		for i, it := range items {
			q.table.Put(c, it.ID, texts[i])
		}
		for _, id := range remember {
			q.seen.add(c, id)
		}
		if also != nil {
			also(c)
		}
	})
	q.mu.Unlock()
	err = wait()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.reserved -= len(items)
	q.size -= size
	if err != nil {
		for _, id := range remember {
			q.seen.forget(id)
		}
		// Their places are free again, and nothing of them is to be found there later.
		q.set.Store.Begin(func(c *records.Change) {
			for _, it := range items {
				q.table.Delete(c, it.ID)
			}
		})
		return err
	}
	for _, it := range items {
		q.insert(it)
	}
	q.pump()
	return nil
}

// fits is whether there is room. What the queue makes of its own items has more of it, so that a full queue can drain.
func (q *Queue) fits(items int, size int64, factor int) bool {
	return len(q.items)+q.reserved+q.results.len()+items <= q.set.MaxItems*factor && q.size+size <= q.set.MaxSize*int64(factor)
}

func encode(items []*Item) (texts [][]byte, size int64, err error) {
	texts = make([][]byte, len(items))
	for i, it := range items {
		if texts[i], err = json.Marshal(it); err != nil {
			return nil, 0, fmt.Errorf("encode delivery %s: %w", it.ID, err)
		}
		size += it.Size()
	}
	return texts, size, nil
}

// Known is whether an action of that ID was accepted, as far back as is remembered. What was accepted a moment ago may
// not be durable yet: see [Queue.Settle].
func (q *Queue) Known(id string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.seen.has(id)
}

// Settle returns when everything that was begun is durable.
func (q *Queue) Settle() error {
	return q.set.Store.Commit(func(c *records.Change) { c.Set("queue/settled", nil) })
}

// insert takes an item that is durable.
func (q *Queue) insert(it *Item) {
	e := &entry{Item: it, size: it.Size()}
	q.items[it.ID] = e
	q.size += e.size
	if q.targets[it.Target] == nil {
		q.targets[it.Target] = &target{}
	}
	q.targets[it.Target].items++
	if it.Action != "" {
		a := q.actions[it.Action]
		if a == nil {
			a = &action{parts: map[string]*entry{}}
			q.actions[it.Action] = a
		}
		a.parts[it.ID] = e
		a.failed = append(a.failed, it.Failed...)
		a.sent = a.sent || it.Sent
		if it.Message != "" {
			a.message = it.Message
		}
	}
	if it.Lane != "" {
		q.lanes[it.Lane] = append(q.lanes[it.Lane], e)
		if q.lanes[it.Lane][0] != e {
			return // it waits for those ahead
		}
	}
	q.plan(e)
}

// remove forgets an item that has ended, and lets the next of its lane go.
func (q *Queue) remove(e *entry) {
	delete(q.items, e.ID)
	q.size -= e.size
	t := q.targets[e.Target]
	if t.items--; t.items == 0 {
		delete(q.targets, e.Target)
	}
	if e.Lane == "" {
		return
	}
	lane := q.lanes[e.Lane][1:]
	if len(lane) == 0 {
		delete(q.lanes, e.Lane)
		return
	}
	q.lanes[e.Lane] = lane
	q.plan(lane[0])
}
