// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfexporter

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/resourcetotelemetry"

	"github.com/nephoscope/nephoscope/exporter/awsemfexporter/internal/metadata"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

var errTest = errors.New("test")

func pmetricTime(seconds int64) pcommon.Timestamp { return pcommon.Timestamp(seconds * 1e9) }

// logsSink takes documents as the queue does.
type logsSink struct {
	component.StartFunc
	component.ShutdownFunc
	consumertest.LogsSink
	err error
}

func (s *logsSink) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	if s.err != nil {
		return s.err
	}
	return s.LogsSink.ConsumeLogs(ctx, ld)
}

func (s *logsSink) documents() (docs []document) {
	for _, ld := range s.AllLogs() {
		for _, rl := range ld.ResourceLogs().All() {
			for _, r := range rl.ScopeLogs().At(0).LogRecords().All() {
				docs = append(docs, document{
					firstOf(rl, cloudwatchlogs.AttributeGroupNames), firstOf(rl, cloudwatchlogs.AttributeStreamNames),
					r.Timestamp().AsTime().UnixMilli(), r.Body().Str(),
				})
			}
		}
	}
	return docs
}

// testExporter is an exporter whose documents go to a sink.
type testExporter struct {
	exporter.Metrics
	*emfExporter
	telemetry *componenttest.Telemetry
}

func (e *testExporter) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	return e.Metrics.ConsumeMetrics(ctx, md)
}

func newTestExporter(tb testing.TB, cfg *Config, sink exporter.Logs) *testExporter {
	tb.Helper()
	tel := componenttest.NewTelemetry()
	set := exportertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	e, err := newExporter(set, cfg)
	require.NoError(tb, err)
	e.now = testNow
	e.translator = newTestTranslator(tb, cfg)
	e.Logs = sink
	tb.Cleanup(func() {
		assert.NoError(tb, e.shutdown(context.Background()))
		assert.NoError(tb, tel.Shutdown(context.Background()))
	})
	return &testExporter{resourcetotelemetry.WrapMetricsExporter(cfg.ResourceToTelemetrySettings, e), e, tel}
}

func (e *testExporter) droppedPoints(tb testing.TB) map[string]int64 {
	tb.Helper()
	return e.counted(tb, "otelcol_exporter_awsemf_dropped_data_points")
}

// counted returns a counter's values by reason.
func (e *testExporter) counted(tb testing.TB, name string) map[string]int64 {
	tb.Helper()
	m, err := e.telemetry.GetMetric(name)
	if err != nil {
		return nil
	}
	out := make(map[string]int64)
	for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
		v, _ := p.Attributes.Value("reason")
		out[v.AsString()] = p.Value
	}
	return out
}

func partOf(tb testing.TB, err error) pmetric.Metrics {
	tb.Helper()
	var partial consumererror.Metrics
	require.ErrorAs(tb, err, &partial)
	return partial.Data()
}
