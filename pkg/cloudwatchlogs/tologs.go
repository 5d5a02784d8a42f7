// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatchlogs

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Attributes of CloudWatch Logs in pdata, after OpenTelemetry's semantic conventions.
const (
	AttributeProvider    = "cloud.provider"
	AttributeAccount     = "cloud.account.id"
	AttributeRegion      = "cloud.region"
	AttributeGroupNames  = "aws.log.group.names"  // array of strings
	AttributeGroupARNs   = "aws.log.group.arns"   // array of strings
	AttributeStreamNames = "aws.log.stream.names" // array of strings
	AttributeStreamARNs  = "aws.log.stream.arns"  // array of strings
	ProviderAWS          = "aws"

	// AttributeFormat is set on the scope of records that are events; its value is FormatEvent or begins with it.
	AttributeFormat = "encoding.format"
	FormatEvent     = "aws.cloudwatch"
)

// InputEvent is an event as a client puts it.
type InputEvent struct {
	Timestamp int64 // Unix ms
	Message   string
}

// ToLogs makes log records of events of one stream, in their order. Their observed timestamp is the time of ingestion
// (Unix ms), their body the exact message; severity, trace id and span id are taken from messages that are JSON
// objects.
func ToLogs(account, region, group, stream string, events []InputEvent, ingested int64) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	attrs := rl.Resource().Attributes()
	attrs.EnsureCapacity(5)
	attrs.PutStr(AttributeProvider, ProviderAWS)
	attrs.PutStr(AttributeAccount, account)
	attrs.PutStr(AttributeRegion, region)
	attrs.PutEmptySlice(AttributeGroupNames).AppendEmpty().SetStr(group)
	attrs.PutEmptySlice(AttributeStreamNames).AppendEmpty().SetStr(stream)

	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().Attributes().PutStr(AttributeFormat, FormatEvent)
	records := sl.LogRecords()
	records.EnsureCapacity(len(events))
	observed := nanos(ingested)
	for i := range events {
		e := &events[i]
		r := records.AppendEmpty()
		r.SetTimestamp(nanos(e.Timestamp))
		r.SetObservedTimestamp(observed)
		r.Body().SetStr(e.Message)
		c := contextOf(e.Message)
		if c.level != "" {
			r.SetSeverityText(c.level)
			r.SetSeverityNumber(Severity(c.level))
		}
		if c.hasTrace {
			r.SetTraceID(c.trace)
		}
		if c.hasSpan {
			r.SetSpanID(c.span)
		}
	}
	return ld
}

func nanos(ms int64) pcommon.Timestamp { return pcommon.Timestamp(ms * 1_000_000) }
