// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package storeexporter

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/nephoscope/nephoscope/exporter/storeexporter/internal/metadatatest"
	"github.com/nephoscope/nephoscope/internal/store"
)

// strangeTimes are times that the store refuses. All that could stand in OTLP are tried.
var strangeTimes = map[string]pcommon.Timestamp{
	"after 2260":             pcommon.NewTimestampFromTime(time.Date(2261, 1, 1, 0, 0, 0, 0, time.UTC)),
	"more than 63 bits":      1<<63 + 5,
	"the greatest":           1<<64 - 1,
	"the last of 63 bits":    1<<63 - 1,
	"the first that is late": pcommon.NewTimestampFromTime(time.Date(2260, 1, 1, 0, 0, 0, 0, time.UTC)),
}

func telemetrySettings(t *testing.T) (*componenttest.Telemetry, exporter.Settings) {
	t.Helper()
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	set := nopSettings()
	set.TelemetrySettings = tel.NewTelemetrySettings()
	return tel, set
}

func strangePoints(n int) []metricdata.DataPoint[int64] {
	return []metricdata.DataPoint[int64]{{
		Value: int64(n), Attributes: attribute.NewSet(attribute.String("reason", "timestamp_out_of_range")),
	}}
}

// TestStrangeTimes writes items of impossible times among good ones to a real store: the good ones are kept.
func TestStrangeTimes(t *testing.T) {
	now := time.Now()
	engine := openEngine(t)
	t.Run("logs", func(t *testing.T) {
		tel, set := telemetrySettings(t)
		s := &failingStore{Store: engine}
		e := start(t, set, s, NewFactory().CreateLogs)
		for name, at := range strangeTimes {
			ld := testLogs(now, "a", "b")
			ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetTimestamp(at)
			require.NoError(t, e.ConsumeLogs(t.Context(), ld), name)
		}
		require.Len(t, s.logs, len(strangeTimes))
		for i := range s.logs {
			assert.Equal(t, "b", s.logs[i].Message)
		}
		metadatatest.AssertEqualExporterStoreUnconvertedLogRecords(t, tel, strangePoints(len(strangeTimes)),
			metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	})
	t.Run("metrics", func(t *testing.T) {
		tel, set := telemetrySettings(t)
		s := &failingStore{Store: engine}
		e := start(t, set, s, NewFactory().CreateMetrics)
		for name, at := range strangeTimes {
			require.NoError(t, e.ConsumeMetrics(t.Context(), gaugesAt(at, pcommon.NewTimestampFromTime(now))), name)
		}
		require.Len(t, s.metrics, len(strangeTimes))
		for i := range s.metrics {
			assert.InDelta(t, 1, s.metrics[i].Value, 0)
		}
		metadatatest.AssertEqualExporterStoreUnconvertedDataPoints(t, tel, strangePoints(len(strangeTimes)),
			metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	})
	t.Run("traces", func(t *testing.T) {
		s := &failingStore{Store: engine}
		e := start(t, nopSettings(), s, NewFactory().CreateTraces)
		for name, at := range strangeTimes {
			td := spansAt(at, pcommon.NewTimestampFromTime(now))
			require.NoError(t, e.ConsumeTraces(t.Context(), td), name)
		}
		require.NotEmpty(t, s.segments)
		kept := 0
		for i := range s.segments {
			if s.segments[i].Name == "span-1" {
				kept++
			}
		}
		assert.Equal(t, len(strangeTimes), kept)
	})
}

// TestStrangeTimesOfPartialWrites checks that items that were left out do not shift what is tried again.
func TestStrangeTimesOfPartialWrites(t *testing.T) {
	now := time.Now()
	partial := &store.PartialWriteError{Kept: []bool{true, false}, Err: errFull}
	t.Run("logs", func(t *testing.T) {
		s := &failingStore{}
		e := start(t, nopSettings(), s, NewFactory().CreateLogs)
		ld := testLogs(now, "strange", "a", "b")
		ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetTimestamp(1 << 63)
		s.fail(partial)
		var again consumererror.Logs
		require.ErrorAs(t, e.ConsumeLogs(t.Context(), ld), &again)
		require.Equal(t, 1, again.Data().LogRecordCount())
		assert.Equal(t, "b", again.Data().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Str())
	})
	t.Run("metrics", func(t *testing.T) {
		s := &failingStore{}
		e := start(t, nopSettings(), s, NewFactory().CreateMetrics)
		at := pcommon.NewTimestampFromTime(now)
		s.fail(partial)
		var again consumererror.Metrics
		require.ErrorAs(t, e.ConsumeMetrics(t.Context(), gaugesAt(1<<63, at, at)), &again)
		require.Equal(t, 1, again.Data().DataPointCount())
		points := again.Data().ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints()
		assert.InDelta(t, 2, points.At(0).DoubleValue(), 0)
	})
}

// gaugesAt has a point of the value i at each time.
func gaugesAt(times ...pcommon.Timestamp) pmetric.Metrics {
	md := pmetric.NewMetrics()
	m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("g")
	points := m.SetEmptyGauge().DataPoints()
	for i, at := range times {
		p := points.AppendEmpty()
		p.SetTimestamp(at)
		p.SetDoubleValue(float64(i))
	}
	return md
}

// spansAt has a span, span-i, at each time.
func spansAt(times ...pcommon.Timestamp) ptrace.Traces {
	td := ptrace.NewTraces()
	spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for i, at := range times {
		s := spans.AppendEmpty()
		s.SetName("span-" + string(rune('0'+i)))
		s.SetKind(ptrace.SpanKindServer)
		s.SetTraceID(pcommon.TraceID{1, 2, 3, byte(i)})
		s.SetSpanID(pcommon.SpanID{1, byte(i)})
		s.SetStartTimestamp(at)
		s.SetEndTimestamp(at)
	}
	return td
}
