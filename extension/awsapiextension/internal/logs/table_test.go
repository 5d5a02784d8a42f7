// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// memoryState is a storage client in memory, which fails when told to.
type memoryState struct {
	data map[string][]byte
	err  error
}

func newMemoryState() *memoryState { return &memoryState{data: map[string][]byte{}} }

func (m *memoryState) Get(_ context.Context, key string) ([]byte, error) { return m.data[key], m.err }
func (m *memoryState) Set(ctx context.Context, key string, value []byte) error {
	return m.Batch(ctx, storage.SetOperation(key, value))
}

func (m *memoryState) Delete(ctx context.Context, key string) error {
	return m.Batch(ctx, storage.DeleteOperation(key))
}
func (m *memoryState) Close(context.Context) error { return nil }
func (m *memoryState) Batch(_ context.Context, ops ...*storage.Operation) error {
	if m.err != nil {
		return m.err
	}
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = m.data[op.Key]
		case storage.Set:
			m.data[op.Key] = op.Value
		case storage.Delete:
			delete(m.data, op.Key)
		}
	}
	return nil
}

type testRow struct{ K, V string }

func testRowKey(r *testRow) string { return r.K }

// A table is after each change what a map would be, also when it is loaded anew.
func TestTable(t *testing.T) {
	state := newMemoryState()
	ctx := t.Context()
	table, err := loadTable(ctx, state, "t", 4, testRowKey)
	require.NoError(t, err)
	model := map[string]string{}
	rnd := rand.New(rand.NewPCG(1, 2))
	for step := range 500 {
		var puts []*testRow
		var deletes []string
		for range rnd.IntN(4) {
			puts = append(puts, &testRow{fmt.Sprint("k", rnd.IntN(40)), strconv.Itoa(step)})
		}
		for range rnd.IntN(4) {
			k := fmt.Sprint("k", rnd.IntN(40))
			deletes = append(deletes, k)
		}
		c, err := table.plan(puts, deletes)
		require.NoError(t, err)
		if step%10 == 3 {
			state.err = errors.New("disk full")
			err := commit(ctx, state, c)
			state.err = nil
			if len(c.ops) > 0 {
				require.Error(t, err)
			}
		} else {
			require.NoError(t, commit(ctx, state, c))
			for _, k := range deletes {
				delete(model, k)
			}
			for _, r := range puts {
				model[r.K] = r.V
			}
		}
		if step%20 == 0 {
			table, err = loadTable(ctx, state, "t", 4, testRowKey)
			require.NoError(t, err)
		}
		got := map[string]string{}
		table.each(func(r *testRow) { got[r.K] = r.V })
		require.Equal(t, model, got)
		require.Equal(t, len(model), table.len())
		for _, p := range table.pages {
			require.LessOrEqual(t, len(p), 4)
		}
	}
	assert.LessOrEqual(t, len(table.pages), 20, "pages are used again")
}

func TestLoadTableErrors(t *testing.T) {
	for name, data := range map[string]map[string][]byte{
		"read t/pages: \"x\" is no number of pages": {"t/pages": []byte("x")},
		"read t/page/0: invalid character":          {"t/pages": []byte("1"), "t/page/0": []byte("{x")},
	} {
		_, err := loadTable(t.Context(), &memoryState{data: data}, "t", 4, testRowKey)
		require.ErrorContains(t, err, name)
	}
	_, err := loadTable(t.Context(), &memoryState{err: errors.New("broken")}, "t", 4, testRowKey)
	require.ErrorContains(t, err, "broken")
}
