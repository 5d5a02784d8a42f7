// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package monitoring serves the API of CloudWatch metrics.
package monitoring

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/anomaly"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

// Settings are what the service needs from its extension.
type Settings struct {
	// Store answers reads; nil when there is none.
	Store store.MetricStore
	// Consume takes the data that clients put, and returns when the pipeline has them.
	Consume func(context.Context, pmetric.Metrics) error
	// Now is the clock.
	Now func() time.Time
	// Detectors are the anomaly detectors; nil when nothing keeps them.
	Detectors *Detectors
}

type service struct {
	store   store.MetricStore
	consume func(context.Context, pmetric.Metrics) error
	now     func() time.Time
	// models are trained from the store, as the detectors say.
	models    *anomaly.Models
	detectors *Detectors
}

// New returns the service's operations.
func New(set Settings) *awswire.Service {
	s := &service{store: set.Store, consume: set.Consume, now: set.Now, detectors: set.Detectors}
	models := anomaly.Settings{Reader: set.Store}
	if set.Detectors != nil {
		models.Configurations = set.Detectors
	}
	s.models = anomaly.NewModels(models)
	w := awswire.NewService("monitoring")
	awswire.HandleNoOutput(w, "PutMetricData", s.putMetricData)
	awswire.Handle(w, "ListMetrics", s.listMetrics)
	awswire.Handle(w, "GetMetricStatistics", s.getMetricStatistics)
	awswire.Handle(w, "GetMetricData", s.getMetricData)
	awswire.Handle(w, "PutAnomalyDetector", s.putAnomalyDetector)
	awswire.Handle(w, "DescribeAnomalyDetectors", s.describeAnomalyDetectors)
	awswire.Handle(w, "DeleteAnomalyDetector", s.deleteAnomalyDetector)
	return w
}

// reads returns the store, or the error of a collector that has none.
func (s *service) reads() (store.MetricStore, error) {
	if s.store == nil {
		return nil, awswire.NotImplemented("Reading metrics from a collector without a store " +
			"(name one in the option \"store\" of the extension aws_api)")
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
