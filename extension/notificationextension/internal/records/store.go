// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package records keeps records in a storage client that knows keys and values only. Changes of many callers are committed
// together, and a change of several tables is one batch: all of it is there after a crash, or nothing.
package records

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// errClosed is the answer to changes after Close.
var errClosed = errors.New("the storage is closed")

// maxBatch bounds the operations that are committed together.
const maxBatch = 4096

// Store commits changes.
type Store struct {
	client storage.Client
	wake   chan struct{}
	done   chan struct{}

	mu      sync.Mutex
	waiting []*Change
	closed  bool
}

// Change is what becomes durable together.
type Change struct {
	ops   []*storage.Operation
	heads map[*Table]int
	err   error
	done  chan struct{}
}

// Set sets a key outside of all tables.
func (c *Change) Set(key string, value []byte) {
	c.ops = append(c.ops, storage.SetOperation(key, value))
}

// New returns a store over client. It is closed with Close, which closes the client.
func New(client storage.Client) *Store {
	s := &Store{client: client, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go s.run()
	return s
}

// Get reads a key outside of all tables; nil is a key that is not there.
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	return s.client.Get(ctx, key)
}

// Begin has f describe a change, and returns what waits for it to be durable. Changes are durable in the order in which they
// begin. f must not call the store.
func (s *Store) Begin(f func(*Change)) (wait func() error) {
	c := &Change{done: make(chan struct{})}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return func() error { return errClosed }
	}
	f(c)
	if len(c.ops) == 0 {
		s.mu.Unlock()
		return func() error { return nil }
	}
	s.waiting = append(s.waiting, c)
	select {
	case s.wake <- struct{}{}:
	default:
	}
	s.mu.Unlock()
	return func() error {
		<-c.done
		return c.err
	}
}

// Commit has f describe a change, and makes it durable.
func (s *Store) Commit(f func(*Change)) error { return s.Begin(f)() }

func (s *Store) run() {
	defer close(s.done)
	for range s.wake {
		s.commitAll()
	}
}

func (s *Store) commitAll() {
	for more := true; more; {
		more = s.commitSome()
	}
}

// commitSome commits what waits, up to a bound, and says whether there was anything.
func (s *Store) commitSome() bool {
	s.mu.Lock()
	var ops []*storage.Operation
	n := 0
	for n < len(s.waiting) && (n == 0 || len(ops)+len(s.waiting[n].ops) <= maxBatch) {
		ops = append(ops, s.waiting[n].ops...)
		n++
	}
	batch := s.waiting[:n]
	s.waiting = s.waiting[n:]
	if len(s.waiting) == 0 {
		s.waiting = nil
	}
	s.mu.Unlock()
	if n == 0 {
		return false
	}
	// What has begun ends, whoever may have gone away.
	err := s.client.Batch(context.Background(), ops...)
	if err != nil {
		err = fmt.Errorf("write to the storage: %w", err)
	}
	s.mu.Lock()
	for _, c := range batch {
		for t, head := range c.heads {
			if err == nil {
				t.saved = max(t.saved, head)
			}
		}
	}
	s.mu.Unlock()
	for _, c := range batch {
		c.err = err
		close(c.done)
	}
	return true
}

// Close commits what has begun and closes the client.
func (s *Store) Close(ctx context.Context) error {
	s.mu.Lock()
	closed := s.closed
	if !closed {
		s.closed = true
		close(s.wake)
	}
	s.mu.Unlock()
	if closed {
		return nil
	}
	<-s.done
	s.commitAll() //nolint:contextcheck // what has begun ends
	return s.client.Close(ctx)
}
