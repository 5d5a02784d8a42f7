// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmextension

import (
	"context"
	"errors"
	"maps"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// testHost has extensions of the given names.
type testHost map[component.ID]component.Component

func (h testHost) GetExtensions() map[component.ID]component.Component { return h }

var testStorageID = component.MustNewID("test_storage")

func newTestHost() component.Host { return testHost{testStorageID: newTestStorage()} }

// testStorage keeps its keys over restarts of who uses it.
type testStorage struct {
	component.StartFunc
	component.ShutdownFunc

	mu     sync.Mutex
	values map[string][]byte
	// fails refuses changes.
	fails bool
}

var _ storage.Extension = (*testStorage)(nil)

func newTestStorage() *testStorage { return &testStorage{values: map[string][]byte{}} }

// copyOf is what a process finds that starts after this one was killed.
func (s *testStorage) copyOf() *testStorage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &testStorage{values: maps.Clone(s.values)}
}

func (s *testStorage) refuse(fails bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = fails
}

var errFull = errors.New("disk full")

func (s *testStorage) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return testClient{s}, nil
}

type testClient struct{ s *testStorage }

func (c testClient) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := c.Batch(ctx, op)
	return op.Value, err
}

func (c testClient) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

func (c testClient) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

func (c testClient) Batch(_ context.Context, ops ...*storage.Operation) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = c.s.values[op.Key]
		case storage.Set:
			if c.s.fails {
				return errFull
			}
			c.s.values[op.Key] = op.Value
		case storage.Delete:
			if c.s.fails {
				return errFull
			}
			delete(c.s.values, op.Key)
		}
	}
	return nil
}

func (testClient) Close(context.Context) error { return nil }
