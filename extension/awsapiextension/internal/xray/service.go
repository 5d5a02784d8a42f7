// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package xray serves the API of X-Ray.
package xray

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/xray"
)

// Settings are what the service needs from its extension.
type Settings struct {
	// Store answers reads; nil when there is none.
	Store store.TraceStore
	// Consume takes the segments that clients put, and returns when the pipeline has them.
	Consume func(context.Context, ptrace.Traces) error
	// Now is the clock.
	Now    func() time.Time
	Logger *zap.Logger
}

type service struct {
	store   store.TraceStore
	consume func(context.Context, ptrace.Traces) error
	logger  *zap.Logger
	// sampling hands out the default rule. All accounts and regions share its state.
	sampling *xray.DefaultSampling
}

// New returns the service's operations.
func New(set Settings) *awswire.Service {
	s := &service{
		store: set.Store, consume: set.Consume, logger: set.Logger, sampling: xray.NewDefaultSampling(set.Now),
	}
	w := awswire.NewService("xray")
	awswire.Handle(w, "PutTraceSegments", s.putTraceSegments)
	awswire.Handle(w, "PutTelemetryRecords", s.putTelemetryRecords)
	awswire.Handle(w, "BatchGetTraces", s.batchGetTraces)
	awswire.Handle(w, "GetTraceSummaries", s.getTraceSummaries)
	awswire.Handle(w, "GetSamplingRules", s.getSamplingRules)
	awswire.Handle(w, "GetSamplingTargets", s.getSamplingTargets)
	awswire.Handle(w, "GetSamplingStatisticSummaries", s.getSamplingStatisticSummaries)
	return w
}

// reads returns the store, or the error of a collector that has none.
func (s *service) reads() (store.TraceStore, error) {
	if s.store == nil {
		return nil, awswire.NotImplemented("Reading traces from a collector without a store " +
			"(name one in the option \"store\" of the extension aws_api)")
	}
	return s.store, nil
}

func tenant(ctx context.Context) store.Tenant {
	req := awswire.RequestFrom(ctx)
	return store.Tenant{Account: req.Account, Region: req.Region}
}

func invalidRequest(format string, args ...any) error {
	return &awswire.Error{Code: "InvalidRequestException", Message: fmt.Sprintf(format, args...)}
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
