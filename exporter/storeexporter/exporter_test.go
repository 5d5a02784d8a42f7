// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package storeexporter

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/nephoscope/nephoscope/exporter/storeexporter/internal/metadata"
	"github.com/nephoscope/nephoscope/exporter/storeexporter/internal/metadatatest"
	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
	"github.com/nephoscope/nephoscope/pkg/xray"
)

var (
	errFull  = fmt.Errorf("disk full: %w", store.ErrUnavailable)
	errOther = errors.New("no such thing")
)

func testConfig() *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.Store = component.MustNewID("store")
	return cfg
}

// start starts an exporter and shuts it down with the test.
func start[E component.Component](
	tb testing.TB, set exporter.Settings, s store.Store,
	create func(context.Context, exporter.Settings, component.Config) (E, error),
) E {
	tb.Helper()
	e, err := create(tb.Context(), set, testConfig())
	require.NoError(tb, err)
	require.NoError(tb, e.Start(tb.Context(), &testHost{store: s}))
	tb.Cleanup(func() { require.NoError(tb, e.Shutdown(context.Background())) })
	return e
}

func nopSettings() exporter.Settings { return exportertest.NewNopSettings(metadata.Type) }

func testLogs(t0 time.Time, messages ...string) plog.Logs {
	events := make([]cloudwatchlogs.InputEvent, len(messages))
	for i, m := range messages {
		events[i] = cloudwatchlogs.InputEvent{Timestamp: t0.UnixMilli() + int64(i), Message: m}
	}
	return cloudwatchlogs.ToLogs("123456789012", "eu-west-1", "/shop", "orders", events, t0.UnixMilli())
}

func TestLogs(t *testing.T) {
	t0 := time.Now()
	s := &failingStore{}
	e := start(t, nopSettings(), s, NewFactory().CreateLogs)
	require.NoError(t, e.ConsumeLogs(t.Context(), testLogs(t0, "plain", `{"level":"ERROR","message":"x"}`)))
	require.Len(t, s.logs, 2)
	assert.Equal(t, store.LogRecord{
		Tenant: store.Tenant{Account: "123456789012", Region: "eu-west-1"}, Group: "/shop", Stream: "orders",
		Timestamp: t0.UnixMilli(), Ingested: t0.UnixMilli(), Message: "plain",
	}, s.logs[0])
	assert.Equal(t, "ERROR", s.logs[1].Level)
}

func TestLogsOfOTLP(t *testing.T) {
	s := &failingStore{}
	e := start(t, nopSettings(), s, NewFactory().CreateLogs)
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "orders")
	rl.Resource().Attributes().PutStr("host.name", "h1")
	lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.Body().SetStr("hello")
	require.NoError(t, e.ConsumeLogs(t.Context(), ld))
	require.Len(t, s.logs, 1)

	// With more than a body, the message is a document of all of it, or the body alone.
	lr.Attributes().PutStr("a", "b")
	require.NoError(t, e.ConsumeLogs(t.Context(), ld))
	require.Contains(t, s.logs[1].Message, `"a":"b"`)
	raw := start(t, nopSettings(), s, func(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
		cfg.(*Config).Logs.RawLog = true
		return NewFactory().CreateLogs(ctx, set, cfg)
	})
	require.NoError(t, raw.ConsumeLogs(t.Context(), ld))
	require.Equal(t, "hello", s.logs[2].Message)
	assert.Equal(t, store.Tenant{Account: "000000000000", Region: "us-east-1"}, s.logs[0].Tenant)
	assert.Equal(t, "/otel/orders", s.logs[0].Group)
	assert.Equal(t, "h1", s.logs[0].Stream)
}

func TestLogsRejected(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	set := nopSettings()
	set.TelemetrySettings = tel.NewTelemetrySettings()
	s := &failingStore{}
	e := start(t, set, s, NewFactory().CreateLogs)
	now := time.Now()

	require.NoError(t, e.ConsumeLogs(t.Context(), testLogs(now, "good", "")), "the good ones are kept")
	assert.Len(t, s.logs, 1)
	require.NoError(t, e.ConsumeLogs(t.Context(), testLogs(now, "")))
	metadatatest.AssertEqualExporterStoreUnconvertedLogRecords(t, tel, []metricdata.DataPoint[int64]{{
		Value: 2, Attributes: attribute.NewSet(attribute.String("reason", string(cloudwatchlogs.ReasonEmpty))),
	}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

func TestLogsErrors(t *testing.T) {
	now := time.Now()
	s := &failingStore{}
	e := start(t, nopSettings(), s, NewFactory().CreateLogs)

	s.fail(errFull)
	err := e.ConsumeLogs(t.Context(), testLogs(now, "a"))
	require.ErrorIs(t, err, store.ErrUnavailable)
	assert.False(t, consumererror.IsPermanent(err))

	s.fail(errOther)
	assert.True(t, consumererror.IsPermanent(e.ConsumeLogs(t.Context(), testLogs(now, "a"))))
	assert.Empty(t, s.logs)

	// Of "a", "", "b", "c" the second has no event. Its neighbours are kept.
	s.fail(&store.PartialWriteError{Kept: []bool{true, false, true}, Err: errFull})
	err = e.ConsumeLogs(t.Context(), testLogs(now, "a", "", "b", "c"))
	require.ErrorIs(t, err, store.ErrUnavailable)
	var again consumererror.Logs
	require.ErrorAs(t, err, &again)
	require.NoError(t, e.ConsumeLogs(t.Context(), again.Data()))
	var messages []string
	for i := range s.logs {
		messages = append(messages, s.logs[i].Message)
	}
	assert.Equal(t, []string{"a", "c", "b"}, messages)

	s.fail(&store.PartialWriteError{Kept: []bool{false}, Err: errOther})
	assert.True(t, consumererror.IsPermanent(e.ConsumeLogs(t.Context(), testLogs(now, "a"))))
}

func testTraces(tb testing.TB, docs ...string) ptrace.Traces {
	tb.Helper()
	td, refused := xray.ToTraces("123456789012", "eu-west-1", docs)
	require.Empty(tb, refused)
	return td
}

func document(trace, id string) string {
	return fmt.Sprintf(`{"name":"orders","trace_id":"1-5759e988-bd862e3fe1be46a99427279%s","id":"53995c3f42cd8ad%s",`+
		`"start_time":1465510280.5,"end_time":1465510281.5,"http":{"response":{"status":503}},"fault":true,"annotations":{"a":1}}`,
		trace, id)
}

func TestTraces(t *testing.T) {
	s := &failingStore{}
	e := start(t, nopSettings(), s, NewFactory().CreateTraces)
	doc := document("1", "1")
	require.NoError(t, e.ConsumeTraces(t.Context(), testTraces(t, doc)))
	require.Len(t, s.segments, 1)
	got := s.segments[0]
	assert.Equal(t, store.Tenant{Account: "123456789012", Region: "eu-west-1"}, got.Tenant)
	assert.JSONEq(t, doc, got.Document)
	assert.JSONEq(t, `{"a":1}`, got.Annotations)
	assert.Equal(t, int64(1465510280500000000), got.Start)
	assert.Equal(t, int64(1465510281500000000), got.End)
	assert.Equal(t, "orders", got.Name)
	assert.True(t, got.Fault)
	assert.Equal(t, int32(503), got.HTTPStatus)
	assert.NotZero(t, got.Ingested)
}

func TestTracesErrors(t *testing.T) {
	s := &failingStore{}
	e := start(t, nopSettings(), s, NewFactory().CreateTraces)
	s.fail(errFull)
	err := e.ConsumeTraces(t.Context(), testTraces(t, document("1", "1")))
	require.ErrorIs(t, err, store.ErrUnavailable)
	assert.False(t, consumererror.IsPermanent(err))
	s.fail(errOther)
	assert.True(t, consumererror.IsPermanent(e.ConsumeTraces(t.Context(), testTraces(t, document("1", "1")))))

	s.fail(&store.PartialWriteError{Kept: []bool{true, false, true}, Err: errFull})
	err = e.ConsumeTraces(t.Context(), testTraces(t, document("1", "1"), document("2", "2"), document("3", "3")))
	var again consumererror.Traces
	require.ErrorAs(t, err, &again)
	require.Equal(t, 1, again.Data().SpanCount(), "the spans of the trace that was not kept")
	require.NoError(t, e.ConsumeTraces(t.Context(), again.Data()))
	assert.Len(t, s.segments, 3)
}

func TestTracesRejected(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	set := nopSettings()
	set.TelemetrySettings = tel.NewTelemetrySettings()
	s := &failingStore{}
	e := start(t, set, s, NewFactory().CreateTraces)

	td := testTraces(t, document("1", "1"))
	td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName("without ids")
	require.NoError(t, e.ConsumeTraces(t.Context(), td))
	assert.Len(t, s.segments, 1)
	m, err := tel.GetMetric("otelcol_exporter_store_unconverted_spans")
	require.NoError(t, err)
	points := m.Data.(metricdata.Sum[int64]).DataPoints
	require.Len(t, points, 1)
	assert.Equal(t, int64(1), points[0].Value)
}

// dataOf is what was written, value by timestamp in seconds.
func dataOf(s *failingStore) map[int64]float64 {
	out := make(map[int64]float64)
	for _, d := range s.metrics {
		out[d.TimestampMs/1000] += d.Value
	}
	return out
}

func testGauges(at time.Time, values ...float64) pmetric.Metrics {
	data := make([]cloudwatch.Datum, len(values))
	for i, v := range values {
		data[i] = cloudwatch.Datum{
			Metric:      cloudwatch.Metric{Namespace: "shop", Name: "latency"},
			TimestampMs: at.Add(time.Duration(i) * time.Second).UnixMilli(), Unit: "Seconds", StorageResolution: 60, Value: v,
		}
	}
	return cloudwatch.ToMetrics("123456789012", "eu-west-1", data)
}

// testCounter is a cumulative counter that began at start.
func testCounter(start, at time.Time, value int64) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.namespace", "shop")
	rm.Resource().Attributes().PutStr("service.name", "orders")
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("requests")
	sum := m.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	dp := sum.DataPoints().AppendEmpty()
	dp.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
	dp.SetTimestamp(pcommon.NewTimestampFromTime(at))
	dp.SetIntValue(value)
	return md
}

func TestMetrics(t *testing.T) {
	s := &failingStore{}
	e := start(t, nopSettings(), s, NewFactory().CreateMetrics)
	at := time.Now().Truncate(time.Second)
	require.NoError(t, e.ConsumeMetrics(t.Context(), testGauges(at, 1, 2)))
	assert.Equal(t, map[int64]float64{at.Unix(): 1, at.Unix() + 1: 2}, dataOf(s))
	assert.Equal(t, store.Tenant{Account: "123456789012", Region: "eu-west-1"}, s.tenants[0])
	assert.Equal(t, "shop", s.metrics[0].Namespace)

	require.NoError(t, e.ConsumeMetrics(t.Context(), testCounter(at.Add(time.Hour), at.Add(2*time.Hour), 5)))
	assert.Equal(t, "shop/orders", s.metrics[2].Namespace)
	assert.Equal(t, store.Tenant{Account: "000000000000", Region: "us-east-1"}, s.tenants[2])
}

// TestMetricsIncreasesSurvive checks that what a cumulative counter gained is neither lost nor counted twice when the
// store does not take it at once.
func TestMetricsIncreasesSurvive(t *testing.T) {
	s := &failingStore{}
	e := start(t, nopSettings(), s, NewFactory().CreateMetrics)
	began := time.Now().Truncate(time.Second).Add(time.Minute)
	at := func(n int) time.Time { return began.Add(time.Duration(n) * time.Minute) }

	require.NoError(t, e.ConsumeMetrics(t.Context(), testCounter(began, at(1), 5)))

	s.fail(errFull, errFull) // one for each account
	mixed := testCounter(began, at(2), 8)
	testGauges(at(2), 100).ResourceMetrics().MoveAndAppendTo(mixed.ResourceMetrics())
	err := e.ConsumeMetrics(t.Context(), mixed)
	require.ErrorIs(t, err, store.ErrUnavailable)
	assert.False(t, consumererror.IsPermanent(err))
	var again consumererror.Metrics
	require.ErrorAs(t, err, &again)
	assert.Equal(t, 1, again.Data().DataPointCount(), "only the gauge is to be tried again")

	s.fail(errFull, errFull)
	require.Error(t, e.ConsumeMetrics(t.Context(), again.Data()))
	assert.Len(t, s.metrics, 1)
	require.NoError(t, e.ConsumeMetrics(t.Context(), again.Data()))
	require.NoError(t, e.ConsumeMetrics(t.Context(), testCounter(began, at(2), 8)), "a client that sends it all again")
	require.NoError(t, e.ConsumeMetrics(t.Context(), testCounter(began, at(3), 9)))
	got := make(map[string]float64)
	for _, d := range s.metrics {
		got[d.Name] += d.Value
	}
	assert.Equal(t, map[string]float64{"requests": 9, "latency": 100}, got)
}

func TestMetricsPendingIsBounded(t *testing.T) {
	p := pendingIncreases{limit: 3}
	w := []metricsWrite{{data: make([]cloudwatch.Datum, 6), increases: 5, kept: []bool{true, false, false, false, false, false}}}
	assert.Equal(t, 1, p.keep(w))
	batches := p.take()
	require.Len(t, batches, 1)
	assert.Len(t, batches[0].Data, 3)
	assert.Empty(t, p.take())
}

func TestMetricsErrors(t *testing.T) {
	s := &failingStore{}
	e := start(t, nopSettings(), s, NewFactory().CreateMetrics)
	at := time.Now().Truncate(time.Second)
	s.fail(errFull)
	err := e.ConsumeMetrics(t.Context(), testGauges(at, 1))
	require.ErrorIs(t, err, store.ErrUnavailable)
	assert.False(t, consumererror.IsPermanent(err))
	s.fail(errOther)
	assert.True(t, consumererror.IsPermanent(e.ConsumeMetrics(t.Context(), testGauges(at, 1))))
	assert.Empty(t, s.metrics)

	s.fail(&store.PartialWriteError{Kept: []bool{true, false, true}, Err: errFull})
	err = e.ConsumeMetrics(t.Context(), testGauges(at, 1, 2, 3))
	var again consumererror.Metrics
	require.ErrorAs(t, err, &again)
	require.NoError(t, e.ConsumeMetrics(t.Context(), again.Data()))
	assert.Equal(t, map[int64]float64{at.Unix(): 1, at.Unix() + 1: 2, at.Unix() + 2: 3}, dataOf(s))
}

// TestMetricsPartialOfEveryType has one point of each type that is converted without memory, of which every other
// one is kept.
func TestMetricsPartialOfEveryType(t *testing.T) {
	md := pmetric.NewMetrics()
	sm := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty()
	sm.Scope().Attributes().PutStr(cloudwatch.AttributeNamespace, "shop")
	add := func(name string) pmetric.Metric {
		m := sm.Metrics().AppendEmpty()
		m.SetName(name)
		return m
	}
	at := pcommon.NewTimestampFromTime(time.Now())
	for i := range 2 {
		suffix := strconv.Itoa(i)
		g := add("gauge" + suffix).SetEmptyGauge().DataPoints().AppendEmpty()
		g.SetTimestamp(at)
		g.SetDoubleValue(1)
		sum := add("sum" + suffix).SetEmptySum()
		sum.SetIsMonotonic(true)
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
		n := sum.DataPoints().AppendEmpty()
		n.SetTimestamp(at)
		n.SetIntValue(1)
		h := add("histogram" + suffix).SetEmptyHistogram()
		h.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
		hp := h.DataPoints().AppendEmpty()
		hp.SetTimestamp(at)
		hp.ExplicitBounds().FromRaw([]float64{10})
		hp.BucketCounts().FromRaw([]uint64{2, 0})
		hp.SetCount(2)
		hp.SetSum(10)
		x := add("exponential" + suffix).SetEmptyExponentialHistogram()
		x.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
		xp := x.DataPoints().AppendEmpty()
		xp.SetTimestamp(at)
		xp.SetScale(0)
		xp.Positive().BucketCounts().FromRaw([]uint64{3})
		xp.SetCount(3)
		xp.SetSum(4)
		y := add("summary" + suffix).SetEmptySummary().DataPoints().AppendEmpty()
		y.SetTimestamp(at)
		y.SetCount(2)
		y.SetSum(3)
		for q, v := range []float64{1, 2} {
			qv := y.QuantileValues().AppendEmpty()
			qv.SetQuantile(float64(q))
			qv.SetValue(v)
		}
	}
	s := &failingStore{}
	e := start(t, nopSettings(), s, NewFactory().CreateMetrics)
	s.fail(&store.PartialWriteError{
		Kept: []bool{true, true, true, true, true, false, false, false, false, false}, Err: errFull,
	})
	err := e.ConsumeMetrics(t.Context(), md)
	var again consumererror.Metrics
	require.ErrorAs(t, err, &again)
	require.Equal(t, 5, again.Data().DataPointCount())
	require.NoError(t, e.ConsumeMetrics(t.Context(), again.Data()))
	names := make(map[string]int)
	for _, d := range s.metrics {
		names[d.Name]++
	}
	assert.Len(t, names, 10)
	for name, n := range names {
		assert.Equal(t, 1, n, name)
	}
}

func TestMetricsRejected(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	set := nopSettings()
	set.TelemetrySettings = tel.NewTelemetrySettings()
	s := &failingStore{}
	e := start(t, set, s, NewFactory().CreateMetrics)
	md := testGauges(time.Now(), 1)
	md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).SetName("\x00")
	require.NoError(t, e.ConsumeMetrics(t.Context(), md))
	assert.Empty(t, s.metrics)
	metadatatest.AssertEqualExporterStoreUnconvertedDataPoints(t, tel, []metricdata.DataPoint[int64]{{
		Value: 1, Attributes: attribute.NewSet(attribute.String("reason", string(cloudwatch.ReasonInvalidName))),
	}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

func TestStartWithoutStore(t *testing.T) {
	e, err := NewFactory().CreateLogs(t.Context(), nopSettings(), testConfig())
	require.NoError(t, err)
	require.ErrorContains(t, e.Start(t.Context(), componenttest.NewNopHost()), `extension "store" not found`)
	require.NoError(t, e.Shutdown(t.Context()))
}
