// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package objects

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/goleak"

	"github.com/nephoscope/nephoscope/internal/awsservice"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type thing struct {
	Name  string
	Value int
}

// memory is a storage of a map.
type memory struct {
	storage.Client
	kept map[string][]byte
	err  error
}

func (m *memory) Get(_ context.Context, key string) ([]byte, error) { return m.kept[key], m.err }

func (m *memory) Batch(_ context.Context, ops ...*storage.Operation) error {
	if m.err != nil {
		return m.err
	}
	for _, op := range ops {
		switch op.Type {
		case storage.Set:
			m.kept[op.Key] = op.Value
		case storage.Delete:
			delete(m.kept, op.Key)
		}
	}
	return nil
}

func open(t *testing.T, m *memory) *Table[thing] {
	t.Helper()
	table, err := Open(t.Context(), m, "things", func(r *thing) string { return r.Name })
	require.NoError(t, err)
	return table
}

func TestTable(t *testing.T) {
	m := &memory{kept: map[string][]byte{}}
	table := open(t, m)
	done := 0
	require.NoError(t, table.Change(t.Context(), func(c *Change[thing]) error {
		for i := range 200 {
			c.Put(&thing{fmt.Sprintf("t%d", i), i})
		}
		c.Also(storage.SetOperation("beside", []byte("x")))
		c.Done(func() { done++ })
		return nil
	}))
	assert.Equal(t, 1, done)
	assert.Equal(t, []byte("x"), m.kept["beside"])
	for range 2 {
		assert.Equal(t, 200, table.Len())
		assert.Equal(t, &thing{"t7", 7}, table.Get("t7"))
		assert.Nil(t, table.Get("none"))
		assert.Len(t, table.Select(func(r *thing) bool { return r.Value < 10 }), 10)
		table = open(t, m)
	}
	require.NoError(t, table.Change(t.Context(), func(c *Change[thing]) error {
		c.Put(&thing{"t7", 8})
		c.Delete("t8")
		for old, next := range c.Rows() {
			assert.Equal(t, next == nil, old.Value == 8)
		}
		return nil
	}))
	assert.Equal(t, 199, table.Len())
	assert.Equal(t, 8, table.Get("t7").Value)
	require.NoError(t, table.Change(t.Context(), func(*Change[thing]) error { return nil }))
	require.ErrorIs(t, table.Change(t.Context(), func(*Change[thing]) error { return context.Canceled }), context.Canceled)
	require.NoError(t, table.Change(t.Context(), func(c *Change[thing]) error {
		for _, r := range table.Select(func(*thing) bool { return true }) {
			c.Delete(r.Name)
		}
		return nil
	}))
	assert.Len(t, m.kept, 1, "empty buckets are removed")
}

func TestErrors(t *testing.T) {
	m := &memory{kept: map[string][]byte{}}
	table := open(t, m)
	put := func() error {
		return table.Change(t.Context(), func(c *Change[thing]) error { c.Put(&thing{Name: "a"}); return nil })
	}
	m.err = errors.New("broken")
	require.EqualError(t, put(), "write things: broken")
	m.err = storage.ErrStorageFull
	var e *awswire.Error
	require.ErrorAs(t, put(), &e)
	assert.Equal(t, "InternalServiceFault", e.Code)
	assert.Zero(t, table.Len())
	_, err := Open(t.Context(), m, "things", func(r *thing) string { return r.Name })
	require.ErrorIs(t, err, storage.ErrStorageFull)
	m.err = nil
	m.kept["things/bucket/3"] = []byte("{")
	_, err = Open(t.Context(), m, "things", func(r *thing) string { return r.Name })
	require.ErrorContains(t, err, "read things/bucket/3")
}

func TestTags(t *testing.T) {
	now := []awsservice.Tag{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}}
	more, err := WithTags(now, []awsservice.Tag{{Key: "b", Value: "3"}, {Key: "c", Value: "4"}})
	require.NoError(t, err)
	assert.Equal(t, []awsservice.Tag{{Key: "a", Value: "1"}, {Key: "b", Value: "3"}, {Key: "c", Value: "4"}}, more)
	assert.Equal(t, "2", now[1].Value)
	assert.Equal(t, []awsservice.Tag{{Key: "b", Value: "2"}}, WithoutTags(now, []string{"a", "z"}))
	assert.Len(t, now, 2)
	many := make([]awsservice.Tag, awsservice.MaxTags)
	for i := range many {
		many[i].Key = fmt.Sprintf("k%d", i)
	}
	_, err = WithTags(now, many)
	require.ErrorContains(t, err, "The collection Tags must not have a size greater than 50.")
}
