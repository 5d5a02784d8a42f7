// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfreceiver

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"
)

const format = "emf"

func (r *emfReceiver) deliverLogs(ctx context.Context, obs *receiverhelper.ObsReport, ld plog.Logs) {
	why, err := r.retry(ctx, func() error {
		n := ld.LogRecordCount()
		op := obs.StartLogsOp(ctx)
		err := r.logs.ConsumeLogs(op, ld)
		obs.EndLogsOp(op, format, n, err)
		var partial consumererror.Logs
		if errors.As(err, &partial) {
			ld = partial.Data()
		}
		return err
	})
	if err != nil {
		r.reject(context.WithoutCancel(ctx), why, ld.LogRecordCount())
		r.logger.Warn("documents lost", zap.Int("documents", ld.LogRecordCount()), zap.Error(err))
	}
}

// deliverMetrics does not count data points that were lost as documents: obsreport counts them as refused.
func (r *emfReceiver) deliverMetrics(ctx context.Context, obs *receiverhelper.ObsReport, md pmetric.Metrics) {
	_, err := r.retry(ctx, func() error {
		n := md.DataPointCount()
		op := obs.StartMetricsOp(ctx)
		err := r.metrics.ConsumeMetrics(op, md)
		obs.EndMetricsOp(op, format, n, err)
		var partial consumererror.Metrics
		if errors.As(err, &partial) {
			md = partial.Data()
		}
		return err
	})
	if err != nil {
		r.logger.Warn("data points lost", zap.Int("data_points", md.DataPointCount()), zap.Error(err))
	}
}

// retry calls deliver until it succeeds, or there is no use or time to go on. Meanwhile the queue fills, and then
// nothing is read any more: senders wait.
func (r *emfReceiver) retry(ctx context.Context, deliver func() error) (why string, err error) {
	cfg := &r.cfg.RetryConfig
	interval := cfg.InitialInterval
	var waited time.Duration
	for {
		err = deliver()
		switch {
		case err == nil:
			return "", nil
		case consumererror.IsPermanent(err) || !cfg.Enabled:
			return reasonRefused, err
		case ctx.Err() != nil:
			return reasonShutdown, err
		case cfg.MaxElapsedTime > 0 && waited >= cfg.MaxElapsedTime:
			return reasonRefused, err
		}
		r.logger.Debug("the pipeline refused, trying again", zap.Duration("in", interval), zap.Error(err))
		spread := cfg.RandomizationFactor * (2*rand.Float64() - 1) //nolint:gosec // no secret
		d := time.Duration(float64(interval) * (1 + spread))
		if !wait(ctx, d) {
			return reasonShutdown, err
		}
		waited += d
		interval = min(time.Duration(float64(interval)*cfg.Multiplier), cfg.MaxInterval)
	}
}
