// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awscloudwatchexporter

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Reasons for which CloudWatch does not get data.
const (
	reasonRefused  = "refused"
	reasonTooOld   = "too_old" // it became so while it waited
	reasonTooLarge = "too_large"
)

// outgoing is a datum to be sent.
type outgoing struct {
	cloudwatch.Datum
	increase bool
}

// push sends aggregated data. Those that may be tried again are in the error.
func (e *cloudWatchExporter) push(ctx context.Context, md pmetric.Metrics) error {
	list, err := e.outgoing(ctx, md)
	if err != nil {
		return consumererror.NewPermanent(err) // not written by this exporter
	}
	requests := e.requests(list)
	failed := make([][]outgoing, len(requests))
	errs := make([]error, len(requests))
	work := make(chan int)
	var working sync.WaitGroup
	var stopped atomic.Bool // CloudWatch cannot take more for now
	for range min(e.cfg.AWS.NumWorkers, len(requests)) {
		working.Go(func() {
			for i := range work {
				if stopped.Load() {
					failed[i] = requests[i]
					continue
				}
				if failed[i], errs[i] = e.send(ctx, requests[i]); errs[i] != nil {
					stopped.Store(true)
				}
			}
		})
	}
	for i := range requests {
		work <- i
	}
	close(work)
	working.Wait()
	var increases, data []cloudwatch.Datum
	for _, part := range failed {
		for i := range part {
			if part[i].increase {
				increases = append(increases, part[i].Datum)
			} else {
				data = append(data, part[i].Datum)
			}
		}
	}
	if len(increases)+len(data) == 0 {
		return nil
	}
	return consumererror.NewMetrics(errors.Join(errs...), toMetrics(increases, data))
}

// outgoing reads data back from the form of the queue, less those that have become too old.
func (e *cloudWatchExporter) outgoing(ctx context.Context, md pmetric.Metrics) (list []outgoing, err error) {
	nowMs := e.now().UnixMilli()
	var old int64
	err = e.fromMetrics(md, attributeIncrease, func(data []cloudwatch.Datum, marked bool) {
		for i := range data {
			if cloudwatch.WithinIngestWindow(data[i].TimestampMs, nowMs) {
				list = append(list, outgoing{data[i], marked})
			} else {
				old++
			}
		}
	})
	e.countRejected(ctx, reasonTooOld, old)
	return list, err
}

func (e *cloudWatchExporter) countRejected(ctx context.Context, reason string, n int64) {
	if n > 0 {
		e.telemetry.ExporterAwscloudwatchRejectedData.Add(ctx, n, metric.WithAttributes(attribute.String("reason", reason)))
	}
}

// giveUp counts and logs data that CloudWatch will never take.
func (e *cloudWatchExporter) giveUp(ctx context.Context, reason string, data []outgoing, err error) {
	if len(data) == 0 {
		return
	}
	e.countRejected(ctx, reason, int64(len(data)))
	e.rejected.Warn("CloudWatch refused data for good", zap.String("reason", reason), zap.Int("data", len(data)),
		zap.String("namespace", data[0].Namespace), zap.String("metric", data[0].Name), zap.Error(err))
}
