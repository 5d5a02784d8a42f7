// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmprocessor

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/nephoscope/nephoscope/internal/clock/clocktest"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/processor/alarmprocessor/internal/metadata"
	"github.com/nephoscope/nephoscope/processor/alarmprocessor/internal/metadatatest"
)

func TestConfig(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, confmap.New().Unmarshal(cfg))
	require.NoError(t, cfg.Validate())
	require.NoError(t, cfg.Metrics.Validate())
	assert.Equal(t, component.MustNewID("alarm"), cfg.Alarm)

	require.NoError(t, confmap.NewFromStringMap(map[string]any{
		"alarm": "alarm/two", "account_id": "111111111111", "region": "eu-west-1", "metrics": map[string]any{"namespace": "app"},
	}).Unmarshal(cfg))
	assert.Equal(t, &Config{
		Alarm: component.MustNewIDWithName("alarm", "two"), AccountID: "111111111111", Region: "eu-west-1", Metrics: MetricsConfig{"app"},
	}, cfg)

	err := (&Config{}).Validate()
	require.ErrorContains(t, err, `"alarm" is required`)
	require.ErrorContains(t, err, `"account_id" must be 12 digits`)
	require.ErrorContains(t, err, `"region" must be the name of a region`)
	require.ErrorContains(t, (&MetricsConfig{}).Validate(), `"namespace" must not be empty`)
	require.ErrorContains(t, (&MetricsConfig{"{"}).Validate(), `"namespace": `)
	p, err := newProcessor(componentSettings(), &Config{Metrics: MetricsConfig{"{"}}, consumertest.NewNop())
	require.NoError(t, err)
	require.Error(t, p.Start(t.Context(), newTestHost()))
}

func componentSettings() processor.Settings {
	return processor.Settings{ID: component.NewID(metadata.Type), TelemetrySettings: componenttest.NewNopTelemetrySettings()}
}

func TestStartFails(t *testing.T) {
	p, err := NewFactory().CreateMetrics(t.Context(), componentSettings(), createDefaultConfig(), consumertest.NewNop())
	require.NoError(t, err)
	require.ErrorContains(t, p.Start(t.Context(), testHost{}), `extension "alarm" not found: list it under service::extensions`)
	other := testHost{component.MustNewID("alarm"): &struct {
		component.StartFunc
		component.ShutdownFunc
	}{}}
	require.ErrorContains(t, p.Start(t.Context(), other), "not an extension of type alarm")
	require.NoError(t, p.Shutdown(t.Context()))
}

var start = time.Date(2026, 9, 14, 5, 0, 0, 0, time.UTC)

func startProcessor(tb testing.TB, set processor.Settings, a *testAlarms, next consumer.Metrics) *alarmProcessor {
	tb.Helper()
	p, err := newProcessor(set, createDefaultConfig().(*Config), next)
	require.NoError(tb, err)
	time, err := clocktest.New(start).NewFactory().Create(tb.Context(), extensiontest.NewNopSettings(component.MustNewType(clocktest.Type)), nil)
	require.NoError(tb, err)
	require.NoError(tb, p.Start(tb.Context(), testHost{
		component.MustNewID("alarm"): a, component.MustNewID(clocktest.Type): time,
	}))
	tb.Cleanup(func() { require.NoError(tb, p.Shutdown(context.Background())) })
	return p
}

// numbers has a gauge and a cumulative counter of the same value, in two namespaces.
func numbers(value float64, when time.Time) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for _, service := range []string{"shop", "other"} {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("service.name", service)
		rm.Resource().Attributes().PutStr("cloud.account.id", "111111111111")
		sm := rm.ScopeMetrics().AppendEmpty()
		m := sm.Metrics().AppendEmpty()
		m.SetName("level")
		fill(m.SetEmptyGauge().DataPoints().AppendEmpty(), value, when)
		m = sm.Metrics().AppendEmpty()
		m.SetName("requests")
		m.SetEmptySum().SetIsMonotonic(true)
		m.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		fill(m.Sum().DataPoints().AppendEmpty(), value, when)
	}
	return md
}

func fill(dp pmetric.NumberDataPoint, value float64, when time.Time) {
	dp.SetDoubleValue(value)
	dp.SetStartTimestamp(pcommon.NewTimestampFromTime(start.Add(-time.Hour)))
	dp.SetTimestamp(pcommon.NewTimestampFromTime(when))
	dp.Attributes().PutStr("host", "a")
}

// seen are the values that alarms saw, by metric.
func (a *testAlarms) values() map[string][]float64 {
	values := map[string][]float64{}
	for _, b := range a.seen {
		for _, d := range b.Data {
			name := b.Account + "/" + b.Region + "/" + d.Namespace + "/" + d.Name
			values[name] = append(values[name], d.Value)
		}
	}
	return values
}

func TestObserve(t *testing.T) {
	reader := componenttest.NewTelemetry()
	a := &testAlarms{watched: map[[2]string]bool{{"shop", "level"}: true, {"shop", "requests"}: true}}
	refused := errors.New("refused")
	var refuse error
	var passed []pmetric.Metrics
	next, err := consumer.NewMetrics(func(_ context.Context, md pmetric.Metrics) error {
		if refuse != nil {
			return refuse
		}
		copied := pmetric.NewMetrics()
		md.CopyTo(copied)
		passed = append(passed, copied)
		// What comes next may take it all.
		md.ResourceMetrics().RemoveIf(func(pmetric.ResourceMetrics) bool { return true })
		return nil
	})
	require.NoError(t, err)
	set := componentSettings()
	set.TelemetrySettings = reader.NewTelemetrySettings()
	p := startProcessor(t, set, a, next)

	const account = "111111111111/us-east-1/shop/"
	require.NoError(t, p.ConsumeMetrics(t.Context(), numbers(10, start)))
	assert.Equal(t, map[string][]float64{account + "level": {10}}, a.values(), "of a counter nothing is known after one point")
	require.Len(t, passed, 1)
	assert.Equal(t, numbers(10, start), passed[0], "unchanged")

	refuse = refused
	second := numbers(13, start.Add(time.Minute))
	require.ErrorIs(t, p.ConsumeMetrics(t.Context(), second), refused)
	assert.Equal(t, map[string][]float64{account + "level": {10}, account + "requests": {3}}, a.values(), "increases are made once")
	refuse = nil
	require.NoError(t, p.ConsumeMetrics(t.Context(), second))
	assert.Equal(t, map[string][]float64{account + "level": {10, 13}, account + "requests": {3}}, a.values(), "nothing counts twice")

	metadatatest.AssertEqualProcessorAlarmObservedPoints(t, reader, []metricdata.DataPoint[int64]{{Value: 3}}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualProcessorAlarmDroppedPoints(t, reader, []metricdata.DataPoint[int64]{
		{Value: 1, Attributes: attribute.NewSet(attribute.String("reason", string(cloudwatch.ReasonFirstPoint)))},
		{Value: 1, Attributes: attribute.NewSet(attribute.String("reason", string(cloudwatch.ReasonOutOfOrder)))},
	}, metricdatatest.IgnoreTimestamp())
	require.NoError(t, reader.Shutdown(t.Context()))
}

func TestNothingWatched(t *testing.T) {
	a := &testAlarms{}
	var sink consumertest.MetricsSink
	p := startProcessor(t, componentSettings(), a, &sink)
	require.NoError(t, p.ConsumeMetrics(t.Context(), numbers(1, start)))
	assert.Empty(t, a.seen)
	assert.Equal(t, 4, sink.DataPointCount())
	assert.False(t, p.Capabilities().MutatesData)
}
