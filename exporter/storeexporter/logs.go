// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package storeexporter

import (
	"context"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

type logsExporter struct {
	*storeExporter
	options cloudwatchlogs.FromOptions
}

func newLogsExporter(e *storeExporter) (*logsExporter, error) {
	group, err := cloudwatchlogs.ParseTemplate(e.cfg.Logs.LogGroupName)
	if err != nil {
		return nil, err
	}
	stream, err := cloudwatchlogs.ParseTemplate(e.cfg.Logs.LogStreamName)
	if err != nil {
		return nil, err
	}
	return &logsExporter{storeExporter: e, options: cloudwatchlogs.FromOptions{
		BodyOnly:     e.cfg.Logs.RawLog,
		DefaultGroup: group, DefaultStream: stream,
		DefaultAccount: e.cfg.AccountID, DefaultRegion: e.cfg.Region,
	}}, nil
}

func (e *logsExporter) push(ctx context.Context, ld plog.Logs) error {
	opts := e.options
	opts.Now = e.now().UnixMilli()
	events, report := cloudwatchlogs.FromLogs(ld, opts)
	for reason, n := range report.Rejected {
		e.telemetry.ExporterStoreUnconvertedLogRecords.Add(ctx, int64(n),
			metric.WithAttributes(attribute.String("reason", string(reason))))
	}
	if err := report.Err(); err != nil {
		e.rejected.Warn("log records have no place in the store", zap.Error(err))
	}
	records := make([]store.LogRecord, 0, len(events))
	for i := range events {
		if keepsMs(events[i].Timestamp) {
			records = append(records, logRecord(&events[i]))
		}
	}
	strange := len(events) - len(records)
	if strange > 0 {
		e.telemetry.ExporterStoreUnconvertedLogRecords.Add(ctx, int64(strange),
			metric.WithAttributes(attribute.String("reason", reasonTime)))
		e.rejected.Warn("log records have times that the store does not keep", zap.Int("records", strange))
	}
	if len(records) == 0 {
		return nil
	}
	if err := e.store.WriteLogs(ctx, records); err != nil {
		return writeError(err, func(err error, kept []bool) error {
			return consumererror.NewLogs(err, unkeptLogs(ld, opts, kept, strange > 0 || len(report.Rejected) > 0))
		})
	}
	return nil
}

func logRecord(ev *cloudwatchlogs.Event) store.LogRecord {
	return store.LogRecord{
		Tenant: store.Tenant{Account: ev.Account, Region: ev.Region},
		Group:  ev.Group, Stream: ev.Stream,
		Timestamp: ev.Timestamp, Ingested: ev.Ingested,
		Message: ev.Message,
		Level:   ev.Level, Service: ev.Service,
		TraceID: ev.TraceID, SpanID: ev.SpanID,
		DurationMs: ev.DurationMs, Status: ev.Status,
	}
}

// unkeptLogs copies the records whose events were not kept. Events stand in the order of their records, but rejected
// records have none.
func unkeptLogs(ld plog.Logs, opts cloudwatchlogs.FromOptions, kept []bool, rejected bool) plog.Logs {
	out := plog.NewLogs()
	next := 0
	for _, rl := range ld.ResourceLogs().All() {
		var outResource plog.ResourceLogs
		newResource := true
		for _, sl := range rl.ScopeLogs().All() {
			var outScope plog.ScopeLogs
			newScope := true
			for _, lr := range sl.LogRecords().All() {
				if rejected && !hasEvent(rl, sl, lr, opts) {
					continue
				}
				was := next < len(kept) && kept[next]
				next++
				if was {
					continue
				}
				if newResource {
					newResource = false
					outResource = out.ResourceLogs().AppendEmpty()
					rl.Resource().CopyTo(outResource.Resource())
					outResource.SetSchemaUrl(rl.SchemaUrl())
				}
				if newScope {
					newScope = false
					outScope = outResource.ScopeLogs().AppendEmpty()
					sl.Scope().CopyTo(outScope.Scope())
					outScope.SetSchemaUrl(sl.SchemaUrl())
				}
				lr.CopyTo(outScope.LogRecords().AppendEmpty())
			}
		}
	}
	return out
}

// hasEvent is whether a record becomes an event that the store keeps. It is slow, and needed only when a write was partial.
func hasEvent(rl plog.ResourceLogs, sl plog.ScopeLogs, lr plog.LogRecord, opts cloudwatchlogs.FromOptions) bool {
	one := plog.NewLogs()
	r := one.ResourceLogs().AppendEmpty()
	rl.Resource().CopyTo(r.Resource())
	s := r.ScopeLogs().AppendEmpty()
	sl.Scope().CopyTo(s.Scope())
	lr.CopyTo(s.LogRecords().AppendEmpty())
	events, _ := cloudwatchlogs.FromLogs(one, opts)
	return len(events) > 0 && keepsMs(events[0].Timestamp)
}
