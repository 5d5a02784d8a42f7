// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"context"
	"fmt"
	"strconv"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Table is records by key. Each lies in a numbered slot, and a slot that was given up is used again, so that a client which
// cannot list its keys can be read. What the records are in memory is their owner's business.
//
// A table changes in the functions that [Store.Begin] calls, one at a time.
type Table struct {
	name  string
	slots map[string]int
	free  []int
	next  int // slots from here on were never used
	saved int // what the storage knows of next
}

// loadChunk is how many slots are read at a time.
const loadChunk = 512

// Load reads a table and calls f with the value of each record, in no order; f returns the record's key. A record of which f
// returns "" is deleted.
func Load(ctx context.Context, s *Store, name string, f func(value []byte) (key string, err error)) (*Table, error) {
	t := &Table{name: name, slots: map[string]int{}}
	text, err := s.client.Get(ctx, t.headKey())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", t.headKey(), err)
	}
	if text == nil {
		return t, nil
	}
	if t.next, err = strconv.Atoi(string(text)); err != nil || t.next < 0 {
		return nil, fmt.Errorf("read %s: %q is no number of slots", t.headKey(), text)
	}
	t.saved = t.next
	var gone []int
	for from := 0; from < t.next; from += loadChunk {
		ops := make([]*storage.Operation, 0, loadChunk)
		for i := from; i < min(from+loadChunk, t.next); i++ {
			ops = append(ops, storage.GetOperation(t.slotKey(i)))
		}
		if err := s.client.Batch(ctx, ops...); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		for i, op := range ops {
			slot := from + i
			if op.Value == nil {
				t.free = append(t.free, slot)
				continue
			}
			key, err := f(op.Value)
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", t.slotKey(slot), err)
			}
			if _, twice := t.slots[key]; key == "" || twice {
				gone = append(gone, slot)
				t.free = append(t.free, slot)
				continue
			}
			t.slots[key] = slot
		}
	}
	return t, s.Commit(func(c *Change) {
		for _, slot := range gone {
			c.ops = append(c.ops, storage.DeleteOperation(t.slotKey(slot)))
		}
	})
}

func (t *Table) headKey() string         { return t.name + "/slots" }
func (t *Table) slotKey(slot int) string { return t.name + "/" + strconv.Itoa(slot) }

// Put adds or replaces a record.
func (t *Table) Put(c *Change, key string, value []byte) {
	slot, ok := t.slots[key]
	switch {
	case ok:
	case len(t.free) > 0:
		slot = t.free[len(t.free)-1]
		t.free = t.free[:len(t.free)-1]
	default:
		slot = t.next
		t.next++
	}
	t.slots[key] = slot
	if slot >= t.saved {
		if c.heads == nil {
			c.heads = map[*Table]int{}
		}
		c.heads[t] = t.next
		c.ops = append(c.ops, storage.SetOperation(t.headKey(), []byte(strconv.Itoa(t.next))))
	}
	c.ops = append(c.ops, storage.SetOperation(t.slotKey(slot), value))
}

// Delete removes a record, if it is there.
func (t *Table) Delete(c *Change, key string) {
	slot, ok := t.slots[key]
	if !ok {
		return
	}
	delete(t.slots, key)
	t.free = append(t.free, slot)
	c.ops = append(c.ops, storage.DeleteOperation(t.slotKey(slot)))
}
