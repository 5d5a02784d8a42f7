// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a storage client that can be told to fail.
type memory struct {
	mu     sync.Mutex
	values map[string][]byte
	fail   error
	closed int
}

func (m *memory) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := m.Batch(ctx, op)
	return op.Value, err
}

func (m *memory) Set(ctx context.Context, key string, value []byte) error {
	return m.Batch(ctx, storage.SetOperation(key, value))
}

func (m *memory) Delete(ctx context.Context, key string) error {
	return m.Batch(ctx, storage.DeleteOperation(key))
}

func (m *memory) Batch(_ context.Context, ops ...*storage.Operation) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = m.values[op.Key]
		case storage.Set:
			m.values[op.Key] = op.Value
		case storage.Delete:
			delete(m.values, op.Key)
		}
	}
	return nil
}

func (m *memory) Close(context.Context) error {
	m.closed++
	return nil
}

func (m *memory) failWith(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

// contents are the records of a table as a start finds them.
func contents(t *testing.T, s *Store, name string) (*Table, map[string]bool) {
	t.Helper()
	got := map[string]bool{}
	table, err := Load(t.Context(), s, name, func(value []byte) (string, error) {
		got[string(value)] = true
		return string(value), nil
	})
	require.NoError(t, err)
	return table, got
}

func open(t *testing.T, m *memory) *Store {
	t.Helper()
	s := New(m)
	t.Cleanup(func() { require.NoError(t, s.Close(context.Background())) })
	return s
}

func TestTable(t *testing.T) {
	m := &memory{values: map[string][]byte{}}
	s := open(t, m)
	table, got := contents(t, s, "t")
	assert.Empty(t, got)
	put := func(key string) { require.NoError(t, s.Commit(func(c *Change) { table.Put(c, key, []byte(key)) })) }
	put("a")
	put("b")
	put("a")
	require.NoError(t, s.Commit(func(c *Change) { table.Delete(c, "a"); table.Delete(c, "nobody") }))
	put("c") // in the slot of a
	assert.Len(t, m.values, 3, "the number of slots, b and c")
	_, got = contents(t, s, "t")
	assert.Equal(t, map[string]bool{"b": true, "c": true}, got)

	// What the owner does not want any more is deleted.
	table, err := Load(t.Context(), s, "t", func(value []byte) (string, error) {
		if string(value) == "b" {
			return "", nil
		}
		return string(value), nil
	})
	require.NoError(t, err)
	require.NoError(t, s.Commit(func(c *Change) { table.Put(c, "d", []byte("d")) }))
	_, got = contents(t, s, "t")
	assert.Equal(t, map[string]bool{"c": true, "d": true}, got)
}

func TestManyAtOnce(t *testing.T) {
	m := &memory{values: map[string][]byte{}}
	s := open(t, m)
	table, _ := contents(t, s, "t")
	var wg sync.WaitGroup
	want := map[string]bool{}
	for w := range 8 {
		for i := range 200 {
			if i%3 == 0 {
				want[fmt.Sprintf("%d/%d", w, i)] = true
			}
		}
		wg.Go(func() {
			for i := range 200 {
				key := fmt.Sprintf("%d/%d", w, i)
				err := s.Commit(func(c *Change) { table.Put(c, key, []byte(key)) })
				if i%3 != 0 {
					err = errors.Join(err, s.Commit(func(c *Change) { table.Delete(c, key) }))
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	_, got := contents(t, s, "t")
	assert.Equal(t, want, got)
}

func TestFailedWrites(t *testing.T) {
	m := &memory{values: map[string][]byte{}}
	s := open(t, m)
	table, _ := contents(t, s, "t")
	full := errors.New("disk full")
	m.failWith(full)
	require.ErrorIs(t, s.Commit(func(c *Change) { table.Put(c, "a", []byte("a")) }), full)
	m.failWith(nil)
	// The slot that was taken is found again although the number of slots was not written at first.
	require.NoError(t, s.Commit(func(c *Change) { table.Put(c, "a", []byte("a")) }))
	_, got := contents(t, s, "t")
	assert.Equal(t, map[string]bool{"a": true}, got)
}

func TestClose(t *testing.T) {
	m := &memory{values: map[string][]byte{}}
	s := New(m)
	waits := make([]func() error, 100)
	for i := range waits {
		waits[i] = s.Begin(func(c *Change) { c.Set(strconv.Itoa(i), []byte("x")) })
	}
	require.NoError(t, s.Close(t.Context()))
	require.NoError(t, s.Close(t.Context()))
	for _, wait := range waits {
		require.NoError(t, wait())
	}
	assert.Len(t, m.values, 100)
	assert.Equal(t, 1, m.closed)
	require.ErrorIs(t, s.Commit(func(c *Change) { c.Set("a", nil) }), errClosed)
}

func TestBrokenTables(t *testing.T) {
	for name, values := range map[string]map[string][]byte{
		"number of slots": {"t/slots": []byte("x")},
		"negative":        {"t/slots": []byte("-1")},
		"record":          {"t/slots": []byte("1"), "t/0": []byte("bad")},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, &memory{values: values})
			_, err := Load(t.Context(), s, "t", func([]byte) (string, error) { return "", errors.New("cannot read it") })
			require.ErrorContains(t, err, "read t/")
		})
	}
}

func BenchmarkCommit(b *testing.B) {
	s := New(&memory{values: map[string][]byte{}})
	defer func() { _ = s.Close(context.Background()) }()
	table, err := Load(b.Context(), s, "t", func([]byte) (string, error) { return "", nil })
	require.NoError(b, err)
	value := make([]byte, 2048)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		key := strconv.Itoa(i % 1000)
		i++
		if err := s.Commit(func(c *Change) { table.Put(c, key, value) }); err != nil {
			b.Fatal(err)
		}
	}
}
