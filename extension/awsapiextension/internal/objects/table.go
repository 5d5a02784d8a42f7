// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package objects keeps the small named things of an API (dashboards, metric streams) in a storage client: all in memory,
// and durable before a change is seen.
package objects

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"maps"
	"net/http"
	"strconv"
	"sync"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/nephoscope/nephoscope/pkg/awswire"
)

// buckets is how many keys the rows of a table are spread over. A change writes the buckets that it touches.
const buckets = 64

// Table is a set of rows by key. Rows are never changed, only replaced.
type Table[R any] struct {
	client storage.Client
	name   string
	key    func(*R) string

	// change is held by whoever makes a change, from its decision until it is visible.
	change sync.Mutex
	mu     sync.RWMutex
	rows   [buckets]map[string]*R
	count  int
}

// Open loads a table.
func Open[R any](ctx context.Context, client storage.Client, name string, key func(*R) string) (*Table[R], error) {
	t := &Table[R]{client: client, name: name, key: key}
	for i := range t.rows {
		t.rows[i] = map[string]*R{}
		text, err := client.Get(ctx, t.bucketKey(i))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", t.bucketKey(i), err)
		}
		if text == nil {
			continue
		}
		var rows []*R
		if err := json.Unmarshal(text, &rows); err != nil {
			return nil, fmt.Errorf("read %s: %w", t.bucketKey(i), err)
		}
		for _, r := range rows {
			t.rows[i][key(r)] = r
		}
		t.count += len(t.rows[i])
	}
	return t, nil
}

func (t *Table[R]) bucketKey(i int) string { return t.name + "/bucket/" + strconv.Itoa(i) }

func bucketOf(key string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key)) // never fails
	return int(h.Sum32() % buckets)
}

// Get returns a row, or nil.
func (t *Table[R]) Get(key string) *R {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.rows[bucketOf(key)][key]
}

// Len is how many rows there are.
func (t *Table[R]) Len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.count
}

// Select returns the rows that are wanted, in no order.
func (t *Table[R]) Select(want func(*R) bool) []*R {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var list []*R
	for _, bucket := range t.rows {
		for _, r := range bucket {
			if want(r) {
				list = append(list, r)
			}
		}
	}
	return list
}

// Change is what a change does to the table.
type Change[R any] struct {
	table *Table[R]
	puts  map[string]*R // nil deletes
	also  []*storage.Operation
	done  []func()
}

// Put adds or replaces a row.
func (c *Change[R]) Put(r *R) { c.puts[c.table.key(r)] = r }

// Delete removes a row that is there.
func (c *Change[R]) Delete(key string) { c.puts[key] = nil }

// Also adds an operation on the storage, which takes effect with the rows or not at all.
func (c *Change[R]) Also(op *storage.Operation) { c.also = append(c.also, op) }

// Done has f called when the change is made, before others may make another.
func (c *Change[R]) Done(f func()) { c.done = append(c.done, f) }

// Rows yields what the change replaces, and by what; nil stands for nothing.
func (c *Change[R]) Rows() iter.Seq2[*R, *R] {
	return func(yield func(old, next *R) bool) {
		for key, next := range c.puts {
			if !yield(c.table.Get(key), next) {
				return
			}
		}
	}
}

// Change makes a change that decide decides on. Others wait meanwhile. An error of decide's ends the change.
func (t *Table[R]) Change(ctx context.Context, decide func(c *Change[R]) error) error {
	t.change.Lock()
	defer t.change.Unlock()
	c := &Change[R]{table: t, puts: map[string]*R{}}
	if err := decide(c); err != nil {
		return err
	}
	touched := map[int]map[string]*R{}
	count := t.count
	for key, r := range c.puts {
		i := bucketOf(key)
		rows := touched[i]
		if rows == nil {
			rows = maps.Clone(t.rows[i])
			touched[i] = rows
		}
		if rows[key] != nil {
			count--
		}
		if r == nil {
			delete(rows, key)
			continue
		}
		rows[key] = r
		count++
	}
	ops := c.also
	for i, rows := range touched {
		op, err := t.write(i, rows)
		if err != nil {
			return err
		}
		ops = append(ops, op)
	}
	if len(ops) == 0 {
		return nil
	}
	// A client that goes away does not leave it open whether the change was made.
	if err := t.client.Batch(context.WithoutCancel(ctx), ops...); err != nil {
		return storageError(t.name, err)
	}
	t.mu.Lock()
	for i, rows := range touched {
		t.rows[i] = rows
	}
	t.count = count
	t.mu.Unlock()
	for _, f := range c.done {
		f()
	}
	return nil
}

func (t *Table[R]) write(i int, rows map[string]*R) (*storage.Operation, error) {
	if len(rows) == 0 {
		return storage.DeleteOperation(t.bucketKey(i)), nil
	}
	list := make([]*R, 0, len(rows))
	for _, r := range rows {
		list = append(list, r)
	}
	text, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", t.bucketKey(i), err)
	}
	return storage.SetOperation(t.bucketKey(i), text), nil
}

func storageError(name string, err error) error {
	if errors.Is(err, storage.ErrStorageFull) {
		return &awswire.Error{
			Code: "InternalServiceFault", Message: "The storage of settings is full.",
			Status: http.StatusInternalServerError, Fault: awswire.FaultReceiver,
		}
	}
	return fmt.Errorf("write %s: %w", name, err)
}
