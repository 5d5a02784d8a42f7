// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsxrayreceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/pkg/xray"
)

// A batch that the pipeline refuses for the moment is tried again, since its sender does not know. Meanwhile the
// queue fills, and spills when it is full.
const (
	maxAttempts  = 6
	firstBackoff = 100 * time.Millisecond
)

// formatXRay is what receivers' own metrics call the format.
const formatXRay = "xray"

// consume takes documents from the queue, by batches, until it is closed and empty.
func (r *xrayReceiver) consume(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	batch := make([]string, 0, r.cfg.BatchSize)
	for doc := range r.queue.docs {
		batch = append(batch[:0], doc)
		timer.Reset(r.cfg.FlushInterval)
		for open := true; open && len(batch) < r.cfg.BatchSize; {
			select {
			case doc, open = <-r.queue.docs:
				if open {
					batch = append(batch, doc)
				}
			case <-timer.C:
				open = false
			}
		}
		r.flush(ctx, batch)
		r.queue.release(batch)
		clear(batch)
	}
}

// flush hands a batch to the pipeline.
func (r *xrayReceiver) flush(ctx context.Context, docs []string) {
	td, refused := xray.ToTraces(r.cfg.AccountID, r.cfg.Region, docs)
	r.rejectDocuments(ctx, refused)
	spans := td.SpanCount()
	if spans == 0 {
		return
	}
	op := r.udpReport.StartTracesOp(ctx)
	err := r.next.ConsumeTraces(op, td)
	backoff := firstBackoff
	for attempt := 1; err != nil && attempt < maxAttempts && !consumererror.IsPermanent(err); attempt++ {
		if !r.wait(ctx, backoff) {
			break
		}
		backoff *= 2
		// The pipeline may have changed the spans before it refused them.
		td, _ = xray.ToTraces(r.cfg.AccountID, r.cfg.Region, docs)
		err = r.next.ConsumeTraces(op, td)
	}
	r.udpReport.EndTracesOp(op, formatXRay, spans, err)
	if err != nil {
		r.counts.refused.Add(int64(len(docs)))
		r.logger.Debug("the pipeline refused segments", zap.Int("documents", len(docs)), zap.Error(err))
	}
}

// wait is false when the receiver stops before.
func (r *xrayReceiver) wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.stopping:
		return false
	case <-ctx.Done():
		return false
	}
}

// rejectDocuments counts documents that are no segments.
func (r *xrayReceiver) rejectDocuments(ctx context.Context, refused []xray.Unprocessed) {
	for i := range refused {
		u := &refused[i]
		r.reject(ctx, string(u.Code), 1)
		r.logger.Debug("segment refused", zap.String("code", string(u.Code)), zap.String("id", u.ID), zap.String("detail", u.Detail))
	}
}
