// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

// Settings are what the service needs from its extension.
type Settings struct {
	// Store answers reads; nil when there is none, then everything that reads events is an error.
	Store store.LogStore
	// State keeps groups, streams and saved queries. The service does not close it.
	State storage.Client
	// Consume takes the events that clients put, and returns when the pipeline has them.
	Consume func(context.Context, plog.Logs) error
	// Now is the clock.
	Now    func() time.Time
	Logger *zap.Logger
}

// Service is the API of CloudWatch Logs.
type Service struct {
	store   store.LogStore
	consume func(context.Context, plog.Logs) error
	now     func() time.Time
	logger  *zap.Logger
	reg     *registry
	queries *queries
	tails   *tails
	misses  misses

	sequence atomic.Uint64

	// ctx ends with the service; background work runs under it.
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// New returns the service with its state loaded.
func New(set Settings) (*Service, error) {
	switch {
	case set.State == nil:
		return nil, errors.New("logs: a storage client is required")
	case set.Consume == nil || set.Now == nil:
		return nil, errors.New("logs: a consumer and a clock are required")
	}
	if set.Logger == nil {
		set.Logger = zap.NewNop()
	}
	s := &Service{store: set.Store, consume: set.Consume, now: set.Now, logger: set.Logger}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	var err error
	if s.reg, err = openRegistry(s.ctx, set.State); err != nil {
		s.cancel()
		return nil, err
	}
	s.queries, s.tails = newQueries(s), newTails()
	return s, nil
}

// Shutdown cancels what runs in the background and waits for it.
func (s *Service) Shutdown(ctx context.Context) error {
	s.cancel()
	done := make(chan struct{})
	go func() {
		s.work.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// nowMs is the clock in Unix milliseconds.
func (s *Service) nowMs() int64 { return s.now().UnixMilli() }

// tenantOf is who asks.
func tenantOf(ctx context.Context) (store.Tenant, error) {
	r := awswire.RequestFrom(ctx)
	if r == nil {
		return store.Tenant{}, errors.New("logs: no request in the context")
	}
	return store.Tenant{Account: r.Account, Region: r.Region}, nil
}

// reads returns the store, or the error of a collector that has none.
func (s *Service) reads() (store.LogStore, error) {
	if s.store == nil {
		return nil, &awswire.Error{
			Code: "NotImplemented",
			Message: "This collector keeps no logs: name a store in the option \"store\" of the extension aws_api " +
				"to have them read back.",
			Status: http.StatusNotImplemented, Fault: awswire.FaultReceiver,
		}
	}
	return s.store, nil
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
