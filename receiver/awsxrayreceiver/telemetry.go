// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsxrayreceiver

import (
	"context"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
)

// reportInterval is how often losses are logged, when there are any.
const reportInterval = 10 * time.Second

// counts are what was lost since the last report.
type counts struct {
	rejected atomic.Int64
	spilled  atomic.Int64
	refused  atomic.Int64
	dropped  uint64 // by the kernel, at the last report
}

func (r *xrayReceiver) reject(ctx context.Context, reason string, n int64) {
	r.counts.rejected.Add(n)
	r.metrics.ReceiverAwsxraySegmentsRejected.Add(ctx, n, metric.WithAttributes(attribute.String("reason", reason)))
}

// observe registers the metrics that are read, not counted.
func (r *xrayReceiver) observe() error {
	if err := r.metrics.RegisterReceiverAwsxrayQueueLengthCallback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(int64(len(r.queue.docs)))
		return nil
	}); err != nil {
		return err
	}
	return r.metrics.RegisterReceiverAwsxrayKernelDropsCallback(func(_ context.Context, o metric.Int64Observer) error {
		if r.drops == nil {
			return nil
		}
		n, err := r.drops.Read()
		if err == nil {
			o.Observe(int64(n))
		}
		return err
	})
}

// monitor logs losses from time to time.
func (r *xrayReceiver) monitor(ctx context.Context) {
	t := time.NewTicker(reportInterval)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			r.counts.report(r)
		case <-ctx.Done():
			return
		}
	}
}

// report logs what was lost since the last time.
func (c *counts) report(r *xrayReceiver) {
	if r.drops != nil {
		if n, err := r.drops.Read(); err == nil && n > c.dropped {
			r.logger.Warn("the kernel dropped datagrams because the UDP socket's buffer was full: raise socket_buffer_size and net.core.rmem_max",
				zap.Uint64("dropped", n-c.dropped), zap.Uint64("dropped_total", n))
			c.dropped = n
		}
	}
	if n := c.spilled.Swap(0); n > 0 {
		r.logger.Warn("segments were dropped because the pipeline is slower than they come: raise queue_size, queue_bytes or consumers, or sample less",
			zap.Int64("segments", n))
	}
	if n := c.refused.Swap(0); n > 0 {
		r.logger.Warn("the pipeline refused segments, which are lost", zap.Int64("segments", n))
	}
	if n := c.rejected.Swap(0); n > 0 {
		r.logger.Warn("documents that are no segments were rejected: receiver_awsxray_segments_rejected says why", zap.Int64("documents", n))
	}
}
