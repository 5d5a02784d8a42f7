// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package storeexporter

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/internal/cumulative"
	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// reasonNotStored counts increases of cumulative series that are given up because the store did not take them.
const reasonNotStored = "not_stored"

// metricsExporter writes metrics.
//
// What a cumulative point becomes depends on the points before it, and converting it changes what follows: a point
// whose increase the store did not take cannot be converted once more. Such increases wait here and go with the next
// write, while all other points are given back to whoever sent them, to be tried again.
type metricsExporter struct {
	*storeExporter
	converter *cloudwatch.Converter
	pending   pendingIncreases
}

func newMetricsExporter(e *storeExporter) (*metricsExporter, error) {
	c, err := cloudwatch.NewConverter(cloudwatch.ConverterConfig{
		Account: e.cfg.AccountID, Region: e.cfg.Region,
		NamespaceTemplate: e.cfg.Metrics.Namespace,
		Now:               func() time.Time { return e.now() },
	})
	if err != nil {
		return nil, err
	}
	return &metricsExporter{storeExporter: e, converter: c, pending: pendingIncreases{limit: maxPending}}, nil
}

func (e *metricsExporter) push(ctx context.Context, md pmetric.Metrics) error {
	plain, cumulativeOnes := cumulative.Split(md)
	batches := e.convert(ctx, plain)
	increases := e.convert(ctx, cumulativeOnes)
	writes := join(e.pending.take(), increases, batches)
	err := e.write(ctx, writes)
	if err == nil {
		return nil
	}
	if !passing(err) {
		e.giveUp(ctx, countUnkeptIncreases(writes))
		return consumererror.NewPermanent(err)
	}
	e.giveUp(ctx, e.pending.keep(writes))
	if cumulativeOnes.DataPointCount() == 0 && nothingKept(writes) {
		return err
	}
	return consumererror.NewMetrics(err, e.unkept(plain, writes))
}

// convert counts the points that have no place in the store.
func (e *metricsExporter) convert(ctx context.Context, md pmetric.Metrics) []cloudwatch.Batch {
	if md.ResourceMetrics().Len() == 0 {
		return nil
	}
	batches, err := e.converter.Convert(md)
	var dropped *cloudwatch.ConversionError
	if errors.As(err, &dropped) {
		level := zap.DebugLevel
		for reason, n := range dropped.Dropped {
			e.count(ctx, string(reason), n)
			if !expected(reason) {
				level = zap.WarnLevel
			}
		}
		e.rejected.Log(level, "data points have no place in the store", zap.Error(err))
	}
	batches, strange := dropTimes(batches)
	if strange > 0 {
		e.count(ctx, reasonTime, strange)
		e.rejected.Warn("data points have times that the store does not keep", zap.Int64("points", strange))
	}
	return batches
}

// expected is whether a reason is no fault: such points have nothing that could be kept.
func expected(reason cloudwatch.Reason) bool {
	switch reason {
	case cloudwatch.ReasonFirstPoint, cloudwatch.ReasonOutOfOrder, cloudwatch.ReasonNoRecordedValue:
		return true
	}
	return false
}

func (e *metricsExporter) count(ctx context.Context, reason string, n int64) {
	e.telemetry.ExporterStoreUnconvertedDataPoints.Add(ctx, n, metric.WithAttributes(attribute.String("reason", reason)))
}

func (e *metricsExporter) giveUp(ctx context.Context, increases int) {
	if increases > 0 {
		e.count(ctx, reasonNotStored, int64(increases))
	}
}

// metricsWrite is the data of one account and region, those of cumulative series first.
type metricsWrite struct {
	tenant    store.Tenant
	data      []cloudwatch.Datum
	increases int
	// kept says what became of each datum.
	kept []bool
}

// join puts what has to be written together by account and region.
func join(pending, increases, plain []cloudwatch.Batch) []metricsWrite {
	var writes []metricsWrite
	add := func(batches []cloudwatch.Batch, increase bool) {
		for _, b := range batches {
			t := store.Tenant{Account: b.Account, Region: b.Region}
			i := 0
			for i < len(writes) && writes[i].tenant != t {
				i++
			}
			if i == len(writes) {
				// The usual case is one batch, whose data need no copy.
				writes = append(writes, metricsWrite{tenant: t, data: b.Data[:len(b.Data):len(b.Data)]})
			} else {
				writes[i].data = append(writes[i].data, b.Data...)
			}
			if increase {
				writes[i].increases = len(writes[i].data)
			}
		}
	}
	add(pending, true)
	add(increases, true)
	add(plain, false)
	return writes
}

func (e *metricsExporter) write(ctx context.Context, writes []metricsWrite) error {
	var errs []error
	for i := range writes {
		w := &writes[i]
		err := e.store.WriteMetrics(ctx, w.tenant, w.data)
		errs = append(errs, err)
		w.kept = make([]bool, len(w.data))
		var some *store.PartialWriteError
		switch {
		case err == nil:
			for k := range w.kept {
				w.kept[k] = true
			}
		case errors.As(err, &some):
			copy(w.kept, some.Kept)
		}
	}
	return errors.Join(errs...)
}

func nothingKept(writes []metricsWrite) bool {
	for i := range writes {
		for _, k := range writes[i].kept {
			if k {
				return false
			}
		}
	}
	return true
}
