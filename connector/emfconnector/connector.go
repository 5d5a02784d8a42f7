// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package emfconnector

import (
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/connector/emfconnector/internal/metadata"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
	"github.com/nephoscope/nephoscope/pkg/emf"
)

type emfConnector struct {
	component.StartFunc
	cfg       *Config
	next      consumer.Metrics
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder
	now       func() time.Time
}

func newConnector(set connector.Settings, cfg *Config, next consumer.Metrics) (*emfConnector, error) {
	tb, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &emfConnector{cfg: cfg, next: next, logger: set.Logger, telemetry: tb, now: time.Now}, nil
}

func (c *emfConnector) Shutdown(context.Context) error {
	c.telemetry.Shutdown()
	return nil
}

// Capabilities says that logs are only read.
func (*emfConnector) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs emits the metrics that are in the records. Faulty documents are counted: they are valid log events all
// the same.
func (c *emfConnector) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	e := extraction{cfg: c.cfg, nowMs: c.now().UnixMilli(), logger: c.logger}
	for _, rl := range ld.ResourceLogs().All() {
		e.startResource(rl.Resource())
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				e.add(record)
			}
		}
		e.endResource()
	}
	if e.documents > 0 {
		c.telemetry.ConnectorEmfDocuments.Add(ctx, e.documents)
	}
	for reason, n := range e.errors {
		c.telemetry.ConnectorEmfErrors.Add(ctx, n, metric.WithAttributes(attribute.String("reason", string(reason))))
	}
	md := e.metrics()
	if md.ResourceMetrics().Len() == 0 {
		return nil
	}
	return c.next.ConsumeMetrics(ctx, md)
}

// owner is whose data are.
type owner struct {
	account, region string
}

// extraction collects what is found in the records of one call.
type extraction struct {
	cfg    *Config
	nowMs  int64
	logger *zap.Logger

	// Of the current resource.
	owner   owner
	group   string
	opts    emf.Options
	data    []cloudwatch.Datum
	parsing int64
	invalid int64

	owners    []owner // in order of appearance
	byOwner   map[owner][]cloudwatch.Datum
	documents int64
	errors    map[emf.Reason]int64
}

func (e *extraction) startResource(resource pcommon.Resource) {
	attrs := resource.Attributes()
	e.owner = owner{
		account: stringOr(attrs, cloudwatchlogs.AttributeAccount, e.cfg.AccountID),
		region:  stringOr(attrs, cloudwatchlogs.AttributeRegion, e.cfg.Region),
	}
	e.group = ""
	if v, ok := attrs.Get(cloudwatchlogs.AttributeGroupNames); ok {
		switch {
		case v.Type() == pcommon.ValueTypeSlice && v.Slice().Len() > 0:
			e.group = v.Slice().At(0).AsString()
		case v.Type() == pcommon.ValueTypeStr:
			e.group = v.Str()
		}
	}
	e.opts = emf.Options{NowMs: e.nowMs}
	for _, prefix := range e.cfg.PrefixedLogGroups {
		e.opts.AllowPrefix = e.opts.AllowPrefix || strings.HasPrefix(e.group, prefix)
	}
	e.data, e.parsing, e.invalid = e.byOwner[e.owner], 0, 0
}

func stringOr(attrs pcommon.Map, name, other string) string {
	if v, ok := attrs.Get(name); ok {
		if s := v.AsString(); s != "" {
			return s
		}
	}
	return other
}

func (e *extraction) add(record plog.LogRecord) {
	doc, ok := document(record.Body())
	if !ok || !emf.Candidate(doc) {
		return
	}
	ts := record.Timestamp()
	if ts == 0 {
		ts = record.ObservedTimestamp()
	}
	logTime := e.nowMs
	if ts != 0 {
		logTime = ts.AsTime().UnixMilli()
	}
	res := emf.Extract(e.data, doc, logTime, e.opts)
	e.data = res.Data
	if !res.EMF {
		return
	}
	e.documents++
	if len(res.Report.Problems) == 0 {
		return
	}
	e.parsing += res.Report.ParsingErrors()
	e.invalid += res.Report.ValidationErrors()
	if e.errors == nil {
		e.errors = make(map[emf.Reason]int64)
	}
	for _, p := range res.Report.Problems {
		e.errors[p.Reason] += p.Count
	}
	if ce := e.logger.Check(zap.DebugLevel, "embedded metrics with errors"); ce != nil {
		ce.Write(zap.String("log_group", e.group), zap.Error(res.Report.Err()))
	}
}

// document returns the text of a body that can be a document. A map is a document that was parsed before.
func document(body pcommon.Value) (string, bool) {
	switch body.Type() {
	case pcommon.ValueTypeStr:
		return body.Str(), true
	case pcommon.ValueTypeBytes:
		return string(body.Bytes().AsRaw()), true
	case pcommon.ValueTypeMap:
		for _, name := range []string{"_aws", "CloudWatchMetrics"} {
			if _, ok := body.Map().Get(name); ok {
				return body.AsString(), true
			}
		}
	}
	return "", false
}

func (e *extraction) endResource() {
	if e.cfg.ErrorMetrics && e.group != "" {
		e.data = emf.AppendErrorCounters(e.data, e.group, e.parsing, e.invalid, e.nowMs)
	}
	if len(e.data) == 0 {
		return
	}
	if e.byOwner == nil {
		e.byOwner = make(map[owner][]cloudwatch.Datum, 1)
	}
	if _, ok := e.byOwner[e.owner]; !ok {
		e.owners = append(e.owners, e.owner)
	}
	e.byOwner[e.owner] = e.data
}

func (e *extraction) metrics() pmetric.Metrics {
	switch len(e.owners) {
	case 0:
		return pmetric.NewMetrics()
	case 1:
		return cloudwatch.ToMetrics(e.owners[0].account, e.owners[0].region, e.byOwner[e.owners[0]])
	}
	md := pmetric.NewMetrics()
	for _, o := range e.owners {
		one := cloudwatch.ToMetrics(o.account, o.region, e.byOwner[o])
		one.ResourceMetrics().MoveAndAppendTo(md.ResourceMetrics())
	}
	return md
}
