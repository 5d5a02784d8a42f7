// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// table keeps rows in a storage client that knows keys and values only: rows lie on numbered pages of JSON, the number
// of pages under a key of its own. A change writes the pages it touches, all in one batch.
//
// A table is not locked: its owner serializes changes, and reads rows only from its own maps.
type table[R any] struct {
	name    string
	perPage int
	key     func(*R) string
	pages   []page[R]
	where   map[string]int // page of a row
	// roomy are pages that lost rows and may take new ones.
	roomy []int
}

type page[R any] map[string]*R

// loadTable reads a table.
func loadTable[R any](
	ctx context.Context, client storage.Client, name string, perPage int, key func(*R) string,
) (*table[R], error) {
	t := &table[R]{name: name, perPage: perPage, key: key, where: map[string]int{}}
	text, err := client.Get(ctx, t.headKey())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", t.headKey(), err)
	}
	if text == nil {
		return t, nil
	}
	count, err := strconv.Atoi(string(text))
	if err != nil || count < 0 {
		return nil, fmt.Errorf("read %s: %q is no number of pages", t.headKey(), text)
	}
	for i := range count {
		text, err := client.Get(ctx, t.pageKey(i))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", t.pageKey(i), err)
		}
		var rows []*R
		if text != nil {
			if err := json.Unmarshal(text, &rows); err != nil {
				return nil, fmt.Errorf("read %s: %w", t.pageKey(i), err)
			}
		}
		p := make(page[R], len(rows))
		for _, r := range rows {
			k := key(r)
			p[k] = r
			t.where[k] = i
		}
		t.pages = append(t.pages, p)
		if len(p) < perPage {
			t.roomy = append(t.roomy, i)
		}
	}
	return t, nil
}

func (t *table[R]) headKey() string      { return t.name + "/pages" }
func (t *table[R]) pageKey(i int) string { return t.name + "/page/" + strconv.Itoa(i) }
func (t *table[R]) len() int             { return len(t.where) }
func (t *table[R]) has(key string) bool  { _, ok := t.where[key]; return ok }
func (t *table[R]) each(visit func(r *R)) { // in no order
	for _, p := range t.pages {
		for _, r := range p {
			visit(r)
		}
	}
}

// change is what a table is to become: operations for the storage, then apply.
type change struct {
	ops   []*storage.Operation
	apply func()
}

// plan prepares putting and deleting rows. Rows that are put must not be changed afterwards.
func (t *table[R]) plan(puts []*R, deletes []string) (change, error) {
	touched := map[int]page[R]{}
	edit := func(i int) page[R] {
		p, ok := touched[i]
		if !ok {
			p = page[R]{}
			if i < len(t.pages) {
				maps.Copy(p, t.pages[i])
			}
			touched[i] = p
		}
		return p
	}
	count := len(t.pages)
	roomy := slices.Clone(t.roomy)
	where := map[string]int{} // of new rows
	for _, k := range deletes {
		if i, ok := t.where[k]; ok {
			delete(edit(i), k)
			if !slices.Contains(roomy, i) {
				roomy = append(roomy, i)
			}
		}
	}
	for _, r := range puts {
		k := t.key(r)
		i, ok := t.where[k]
		if !ok || slices.Contains(deletes, k) {
			if i, ok = where[k]; !ok {
				if len(roomy) == 0 {
					roomy = append(roomy, count)
					count++
				}
				i = roomy[len(roomy)-1]
				if len(edit(i))+1 >= t.perPage {
					roomy = roomy[:len(roomy)-1]
				}
				where[k] = i
			}
		}
		edit(i)[k] = r
	}
	var ops []*storage.Operation
	for i, p := range touched {
		rows := make([]*R, 0, len(p))
		for _, r := range p {
			rows = append(rows, r)
		}
		text, err := json.Marshal(rows)
		if err != nil {
			return change{}, fmt.Errorf("write %s: %w", t.pageKey(i), err)
		}
		ops = append(ops, storage.SetOperation(t.pageKey(i), text))
	}
	if count != len(t.pages) {
		ops = append(ops, storage.SetOperation(t.headKey(), []byte(strconv.Itoa(count))))
	}
	return change{ops: ops, apply: func() {
		for len(t.pages) < count {
			t.pages = append(t.pages, page[R]{})
		}
		for i, p := range touched {
			t.pages[i] = p
		}
		for _, k := range deletes {
			delete(t.where, k)
		}
		maps.Copy(t.where, where)
		t.roomy = roomy
	}}, nil
}

// commit makes changes durable, all or none, then applies them.
func commit(ctx context.Context, client storage.Client, changes ...change) error {
	var ops []*storage.Operation
	for _, c := range changes {
		ops = append(ops, c.ops...)
	}
	if len(ops) == 0 {
		return nil
	}
	if err := client.Batch(ctx, ops...); err != nil {
		return err
	}
	for _, c := range changes {
		if c.apply != nil {
			c.apply()
		}
	}
	return nil
}
