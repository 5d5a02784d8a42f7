// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package storeexporter

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/xray"
)

type tracesExporter struct {
	*storeExporter
}

func (e *tracesExporter) push(ctx context.Context, td ptrace.Traces) error {
	docs, failed := xray.FromTraces(td)
	if failed != nil {
		e.rejected.Warn("spans have no place in the store", zap.Error(failed))
		e.countFailed(ctx, td)
	}
	segments := make([]store.Segment, 0, len(docs))
	now := e.now().UnixMilli()
	for i := range docs {
		if keepsNs(docs[i].Start) && keepsNs(docs[i].End) {
			segments = append(segments, e.segment(&docs[i], now))
		}
	}
	if strange := len(docs) - len(segments); strange > 0 {
		e.telemetry.ExporterStoreUnconvertedSpans.Add(ctx, int64(strange),
			metric.WithAttributes(attribute.String("reason", reasonTime)))
		e.rejected.Warn("spans have times that the store does not keep", zap.Int("spans", strange))
	}
	if len(segments) == 0 {
		return nil
	}
	if err := e.store.WriteSegments(ctx, segments); err != nil {
		return writeError(err, func(err error, kept []bool) error {
			return consumererror.NewTraces(err, unkeptTraces(td, segments, kept))
		})
	}
	return nil
}

// countFailed counts the spans that no document can be made of. Which they are shows when each is tried by itself;
// that is slow, and rarely needed.
func (e *tracesExporter) countFailed(ctx context.Context, td ptrace.Traces) {
	reasons := make(map[xray.ErrorCode]int64)
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				one := ptrace.NewTraces()
				r := one.ResourceSpans().AppendEmpty()
				rs.Resource().CopyTo(r.Resource())
				s.CopyTo(r.ScopeSpans().AppendEmpty().Spans().AppendEmpty())
				_, err := xray.FromTraces(one)
				if err == nil {
					continue
				}
				reason := xray.ErrorParse
				var invalid *xray.SegmentError
				if errors.As(err, &invalid) {
					reason = invalid.Code
				}
				reasons[reason]++
			}
		}
	}
	for reason, n := range reasons {
		e.telemetry.ExporterStoreUnconvertedSpans.Add(ctx, n, metric.WithAttributes(attribute.String("reason", string(reason))))
	}
}

func (e *tracesExporter) segment(d *xray.Document, now int64) store.Segment {
	s := store.Segment{
		Tenant:  store.Tenant{Account: d.Account, Region: d.Region},
		TraceID: d.TraceID, ID: d.ID, ParentID: d.ParentID,
		Start: d.Start, End: d.End,
		Name: d.Name, Origin: d.Origin,
		Subsegment: d.Subsegment, InProgress: d.InProgress, Fault: d.Fault, Error: d.Error, Throttle: d.Throttle,
		HTTPStatus:  d.HTTPStatus,
		Annotations: d.Annotations,
		Document:    d.JSON,
		Ingested:    now,
	}
	if !accountPattern.MatchString(s.Account) {
		s.Account = e.cfg.AccountID
	}
	if s.Region == "" {
		s.Region = e.cfg.Region
	}
	return s
}

// unkeptTraces copies the spans of the traces of which a document was not kept. Documents that were are written once
// more with them: of equal ones the last counts.
func unkeptTraces(td ptrace.Traces, segments []store.Segment, kept []bool) ptrace.Traces {
	again := make(map[pcommon.TraceID]struct{})
	for i := range segments {
		if i >= len(kept) || !kept[i] {
			again[segments[i].TraceID] = struct{}{}
		}
	}
	out := ptrace.NewTraces()
	td.CopyTo(out)
	out.ResourceSpans().RemoveIf(func(rs ptrace.ResourceSpans) bool {
		rs.ScopeSpans().RemoveIf(func(ss ptrace.ScopeSpans) bool {
			ss.Spans().RemoveIf(func(s ptrace.Span) bool {
				_, ok := again[s.TraceID()]
				return !ok
			})
			return ss.Spans().Len() == 0
		})
		return rs.ScopeSpans().Len() == 0
	})
	return out
}
