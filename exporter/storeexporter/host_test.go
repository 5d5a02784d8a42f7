// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package storeexporter

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// testHost has one store extension.
type testHost struct {
	component.StartFunc
	component.ShutdownFunc
	store store.Store
}

func (h *testHost) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("store"): h}
}

func (h *testHost) Store() store.Store { return h.store }

func newTestHost() component.Host { return &testHost{store: &failingStore{}} }

// failingStore writes to the store it embeds, if any, and keeps what it was given. Errors that are queued are returned
// first, without writing, but for what a partial error says was kept.
type failingStore struct {
	store.Store

	mu       sync.Mutex
	errs     []error
	logs     []store.LogRecord
	metrics  []cloudwatch.Datum
	tenants  []store.Tenant // of metrics
	segments []store.Segment
}

func (s *failingStore) fail(errs ...error) { s.errs = append(s.errs, errs...) }

func (s *failingStore) next() (err error) {
	if len(s.errs) > 0 {
		err, s.errs = s.errs[0], s.errs[1:]
	}
	return err
}

// kept are the rows that a write with this error keeps.
func kept[T any](rows []T, err error) []T {
	if err == nil {
		return rows
	}
	var out []T
	if some, ok := err.(*store.PartialWriteError); ok { //nolint:errorlint // the tests queue it as it is
		for i := range rows {
			if some.Kept[i] {
				out = append(out, rows[i])
			}
		}
	}
	return out
}

func (s *failingStore) WriteLogs(ctx context.Context, records []store.LogRecord) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.next()
	s.logs = append(s.logs, kept(records, err)...)
	if err == nil && s.Store != nil {
		return s.Store.WriteLogs(ctx, records)
	}
	return err
}

func (s *failingStore) WriteMetrics(ctx context.Context, tenant store.Tenant, data []cloudwatch.Datum) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.next()
	for _, d := range kept(data, err) {
		s.metrics = append(s.metrics, d)
		s.tenants = append(s.tenants, tenant)
	}
	if err == nil && s.Store != nil {
		return s.Store.WriteMetrics(ctx, tenant, data)
	}
	return err
}

func (s *failingStore) WriteSegments(ctx context.Context, segments []store.Segment) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.next()
	s.segments = append(s.segments, kept(segments, err)...)
	if err == nil && s.Store != nil {
		return s.Store.WriteSegments(ctx, segments)
	}
	return err
}
