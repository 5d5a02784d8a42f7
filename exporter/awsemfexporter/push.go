// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfexporter

import (
	"context"
	"errors"
	"io"
	"strings"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/internal/logswriter"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

// push writes documents. Those that may be tried again are in the error.
func (e *emfExporter) push(ctx context.Context, ld plog.Logs) error {
	batches, records := batchesOf(ld)
	if e.writer == nil {
		return e.print(batches)
	}
	outcomes := e.writer.Write(ctx, batches)
	var errs []error
	failed := make(map[plog.LogRecord]bool)
	for i := range outcomes {
		o := &outcomes[i]
		for reason, n := range o.Rejected {
			e.telemetry.ExporterAwsemfRejectedDocuments.Add(ctx, int64(n),
				metric.WithAttributes(attribute.String("reason", string(reason))))
		}
		if len(o.Rejected) > 0 {
			e.rejected.Warn("documents were refused", zap.String("log_group", batches[i].Group),
				zap.String("log_stream", batches[i].Stream), zap.Any("reasons", o.Rejected), zap.Error(o.Refusal))
		}
		if o.Err != nil {
			errs = append(errs, o.Err)
		}
		for _, n := range o.Failed {
			failed[records[i][n]] = true
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return consumererror.NewLogs(errors.Join(errs...), failedLogs(ld, failed))
}

// batchesOf sorts documents by stream. records has the record of each event.
func batchesOf(ld plog.Logs) (batches []logswriter.Batch, records [][]plog.LogRecord) {
	index := make(map[[2]string]int)
	for _, rl := range ld.ResourceLogs().All() {
		key := [2]string{
			firstOf(rl, cloudwatchlogs.AttributeGroupNames), firstOf(rl, cloudwatchlogs.AttributeStreamNames),
		}
		n, ok := index[key]
		if !ok {
			n = len(batches)
			index[key] = n
			batches = append(batches, logswriter.Batch{Group: key[0], Stream: key[1]})
			records = append(records, nil)
		}
		for _, sl := range rl.ScopeLogs().All() {
			for _, r := range sl.LogRecords().All() {
				batches[n].Events = append(batches[n].Events, cloudwatchlogs.InputEvent{
					Timestamp: r.Timestamp().AsTime().UnixMilli(), Message: r.Body().Str(),
				})
				records[n] = append(records[n], r)
			}
		}
	}
	return batches, records
}

func firstOf(rl plog.ResourceLogs, name string) string {
	if v, ok := rl.Resource().Attributes().Get(name); ok && v.Slice().Len() > 0 {
		return v.Slice().At(0).Str()
	}
	return ""
}

// failedLogs copies the records that failed.
func failedLogs(ld plog.Logs, failed map[plog.LogRecord]bool) plog.Logs {
	out := plog.NewLogs()
	for _, rl := range ld.ResourceLogs().All() {
		to := out.ResourceLogs().AppendEmpty()
		rl.Resource().CopyTo(to.Resource())
		records := to.ScopeLogs().AppendEmpty().LogRecords()
		for _, sl := range rl.ScopeLogs().All() {
			for _, r := range sl.LogRecords().All() {
				if failed[r] {
					r.CopyTo(records.AppendEmpty())
				}
			}
		}
	}
	out.ResourceLogs().RemoveIf(func(rl plog.ResourceLogs) bool { return rl.ScopeLogs().At(0).LogRecords().Len() == 0 })
	return out
}

// print writes documents a line each.
func (e *emfExporter) print(batches []logswriter.Batch) error {
	var b strings.Builder
	for i := range batches {
		for _, event := range batches[i].Events {
			b.WriteString(event.Message)
			b.WriteByte('\n')
		}
	}
	e.stdoutMu.Lock()
	defer e.stdoutMu.Unlock()
	if _, err := io.WriteString(e.stdout, b.String()); err != nil {
		return consumererror.NewPermanent(err) // a part may have been written
	}
	return nil
}
