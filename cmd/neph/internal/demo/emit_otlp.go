// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sort"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

const viaOTLP = "OTLP/HTTP"

// otlpNamespace is where OpenTelemetry metrics without a CloudWatch namespace go: {service.namespace}/{service.name}.
const otlpNamespace = "shop/" + inventory

// otlpClient sends protobuf over HTTP, as an OpenTelemetry SDK's exporter does.
type otlpClient struct {
	endpoint string
	http     *http.Client
}

const maxOTLPResponse = 1 << 20

// post sends a request and gives the answer's body to partial, which says what was rejected.
func (c otlpClient) post(ctx context.Context, path string, body []byte, partial func([]byte) (int64, string, error)) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxOTLPResponse))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s: %.200s", path, resp.Status, answer)
	}
	rejected, message, err := partial(answer)
	if err != nil {
		return fmt.Errorf("decode answer of %s: %w", path, err)
	}
	if rejected > 0 {
		return fmt.Errorf("%s rejected %d: %s", path, rejected, message)
	}
	return nil
}

func (*emitter) describe(r pcommon.Resource) {
	r.Attributes().PutStr("service.name", inventory)
	r.Attributes().PutStr("service.namespace", "shop")
}

const scopeName = "nephoscope.demo"

// putSpans sends a server span and the query below it for each reservation.
func (e *emitter) putSpans(ctx context.Context, m *Minute) error {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	e.describe(rs.Resource())
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName(scopeName)
	for i := range m.Orders {
		o := &m.Orders[i]
		server := newSpan(ss, o, o.InventorySpan, o.ReserveCall.ID, "POST /reserve", ptrace.SpanKindServer)
		server.Attributes().PutStr("http.request.method", "POST")
		server.Attributes().PutStr("url.full", "http://inventory.shop.example/reserve")
		server.Attributes().PutInt("http.response.status_code", 200)
		if o.Outcome == OrderOutOfStock {
			server.Attributes().PutInt("http.response.status_code", 409)
			server.Status().SetCode(ptrace.StatusCodeError)
			server.Status().SetMessage("no stock left")
		}
		query := newSpan(ss, o, o.StockQuery, o.InventorySpan.ID, "SELECT stock", ptrace.SpanKindClient)
		query.Attributes().PutStr("db.system.name", "postgresql")
		query.Attributes().PutStr("db.namespace", "stock")
	}
	if ss.Spans().Len() == 0 {
		return nil
	}
	body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	if err != nil {
		return err
	}
	if err := e.otlp.post(ctx, "/v1/traces", body, func(b []byte) (int64, string, error) {
		r := ptraceotlp.NewExportResponse()
		err := r.UnmarshalProto(b)
		return r.PartialSuccess().RejectedSpans(), r.PartialSuccess().ErrorMessage(), err
	}); err != nil {
		return err
	}
	for i := range m.Orders {
		o := &m.Orders[i]
		e.ledger.segment(o.Trace, o.InventorySpan.ID, o.StockQuery.ID)
		e.ledger.spans += 2
	}
	return nil
}

func newSpan(ss ptrace.ScopeSpans, o *Order, s Span, parent SpanID, name string, kind ptrace.SpanKind) ptrace.Span {
	span := ss.Spans().AppendEmpty()
	span.SetTraceID(pcommon.TraceID(o.Trace))
	span.SetSpanID(pcommon.SpanID(s.ID))
	span.SetParentSpanID(pcommon.SpanID(parent))
	span.SetName(name)
	span.SetKind(kind)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(s.At))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(s.End()))
	return span
}

// reserveBounds are the histogram's bucket bounds in milliseconds.
var reserveBounds = []float64{2, 5, 10, 20, 50, 100, 200, 500}

// putOTLPMetrics sends a histogram and a counter, both delta.
func (e *emitter) putOTLPMetrics(ctx context.Context, m *Minute) error {
	if len(m.Orders) == 0 {
		return nil
	}
	start := pcommon.NewTimestampFromTime(m.At)
	end := pcommon.NewTimestampFromTime(m.At.Add(59 * time.Second))
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	e.describe(rm.Resource())
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName(scopeName)

	metric := sm.Metrics().AppendEmpty()
	metric.SetName("inventory.reserve.duration")
	metric.SetUnit("ms")
	metric.SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	histogram := metric.Histogram().DataPoints().AppendEmpty()
	histogram.Attributes().PutStr("run", e.shop.Run)
	histogram.SetStartTimestamp(start)
	histogram.SetTimestamp(end)
	histogram.ExplicitBounds().FromRaw(reserveBounds)
	counts := make([]uint64, len(reserveBounds)+1)
	var durations statistics
	var reserved float64
	for i := range m.Orders {
		v := float64(m.Orders[i].InventorySpan.Duration.Milliseconds())
		counts[sort.SearchFloat64s(reserveBounds, v)]++
		if i == 0 {
			durations = single(v)
		} else {
			durations = statistics{durations.Count + 1, durations.Sum + v, min(durations.Min, v), max(durations.Max, v)}
		}
		if m.Orders[i].Outcome != OrderOutOfStock {
			reserved++
		}
	}
	histogram.BucketCounts().FromRaw(counts)
	histogram.SetCount(uint64(durations.Count))
	histogram.SetSum(durations.Sum)
	histogram.SetMin(durations.Min)
	histogram.SetMax(durations.Max)

	metric = sm.Metrics().AppendEmpty()
	metric.SetName("inventory.reserved")
	metric.SetUnit("{item}")
	sum := metric.SetEmptySum()
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	sum.SetIsMonotonic(true)
	point := sum.DataPoints().AppendEmpty()
	point.Attributes().PutStr("run", e.shop.Run)
	point.SetStartTimestamp(start)
	point.SetTimestamp(end)
	point.SetDoubleValue(reserved)

	body, err := pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
	if err != nil {
		return err
	}
	if err := e.otlp.post(ctx, "/v1/metrics", body, func(b []byte) (int64, string, error) {
		r := pmetricotlp.NewExportResponse()
		err := r.UnmarshalProto(b)
		return r.PartialSuccess().RejectedDataPoints(), r.PartialSuccess().ErrorMessage(), err
	}); err != nil {
		return err
	}
	key := func(name string) metricKey {
		return metricKey{otlpNamespace, name, dimensions("run", e.shop.Run), viaOTLP, 60}
	}
	e.ledger.metric(key("inventory.reserve.duration"), durations)
	e.ledger.metric(key("inventory.reserved"), single(reserved))
	return nil
}

// otlpRecord is what is compared of a log record: what its application said.
type otlpRecord struct {
	Body       string         `json:"body"`
	Attributes otlpAttributes `json:"attributes"`
}

type otlpAttributes struct {
	Run        string `json:"run"`
	OrderID    string `json:"order_id"`
	DurationMs int64  `json:"duration_ms"`
	Status     int64  `json:"status"`
	Error      string `json:"error,omitempty"`
}

// putOTLPLogs sends log records as OpenTelemetry's bridges make them: a text, attributes, severity and trace context. The
// group and stream are named by the attributes that the semantic conventions have for them.
func (e *emitter) putOTLPLogs(ctx context.Context, m *Minute) error {
	if len(m.Orders) == 0 {
		return nil
	}
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	e.describe(rl.Resource())
	stream := logStream{Group: groupPrefix + inventory, Stream: streamOf(e.shop.Run), How: viaOTLP, OTLP: true}
	rl.Resource().Attributes().PutEmptySlice("aws.log.group.names").AppendEmpty().SetStr(stream.Group)
	rl.Resource().Attributes().PutEmptySlice("aws.log.stream.names").AppendEmpty().SetStr(stream.Stream)
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(scopeName)
	var messages []string
	for i := range m.Orders {
		o := &m.Orders[i]
		ev := e.inventoryLine(o)
		sent := otlpRecord{Body: ev.line.Message, Attributes: otlpAttributes{
			Run: e.shop.Run, OrderID: o.ID, DurationMs: ev.line.DurationMs, Status: int64(ev.line.Status), Error: ev.line.Error,
		}}
		text, err := json.Marshal(sent)
		if err != nil {
			return err
		}
		messages = append(messages, string(text))

		record := sl.LogRecords().AppendEmpty()
		record.SetTimestamp(pcommon.NewTimestampFromTime(ev.at))
		record.SetObservedTimestamp(pcommon.NewTimestampFromTime(ev.at))
		record.SetTraceID(pcommon.TraceID(o.Trace))
		record.SetSpanID(pcommon.SpanID(o.InventorySpan.ID))
		record.SetSeverityText(ev.line.Level)
		record.SetSeverityNumber(map[string]plog.SeverityNumber{
			"INFO": plog.SeverityNumberInfo, "ERROR": plog.SeverityNumberError,
		}[ev.line.Level])
		record.Body().SetStr(sent.Body)
		attributes := record.Attributes()
		attributes.PutStr("run", sent.Attributes.Run)
		attributes.PutStr("order_id", sent.Attributes.OrderID)
		attributes.PutInt("duration_ms", sent.Attributes.DurationMs)
		attributes.PutInt("status", sent.Attributes.Status)
		if sent.Attributes.Error != "" {
			attributes.PutStr("error", sent.Attributes.Error)
		}
	}
	body, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	if err != nil {
		return err
	}
	if err := e.otlp.post(ctx, "/v1/logs", body, func(b []byte) (int64, string, error) {
		r := plogotlp.NewExportResponse()
		err := r.UnmarshalProto(b)
		return r.PartialSuccess().RejectedLogRecords(), r.PartialSuccess().ErrorMessage(), err
	}); err != nil {
		return err
	}
	e.ledger.log(stream, messages...)
	return nil
}
