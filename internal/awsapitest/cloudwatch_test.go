// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapitest

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/nephoscope/nephoscope/exporter/awscloudwatchexporter"
)

// startMetricsExporter makes an exporter of a configuration. It ends with the test, unless end is called before.
func (s *Server) startMetricsExporter(f exporter.Factory, conf map[string]any) (e exporter.Metrics, end func()) {
	s.tb.Helper()
	cfg := f.CreateDefaultConfig()
	maps.Copy(conf, map[string]any{
		"region": Region, "endpoint": s.URL, "access_key_id": Account, "secret_access_key": "secret", "local_mode": true,
	})
	require.NoError(s.tb, confmap.NewFromStringMap(conf).Unmarshal(cfg))
	require.NoError(s.tb, confmap.Validate(cfg))
	set := exportertest.NewNopSettings(f.Type())
	set.ID = component.NewID(f.Type())
	e, err := f.CreateMetrics(s.tb.Context(), set, cfg)
	require.NoError(s.tb, err)
	require.NoError(s.tb, e.Start(s.tb.Context(), componenttest.NewNopHost()))
	done := false
	end = func() {
		if !done {
			done = true
			require.NoError(s.tb, e.Shutdown(context.Background()))
		}
	}
	s.tb.Cleanup(end)
	return e, end
}

// application is metrics of every type, with many samples in each of two minutes.
func application(rng *rand.Rand, service string, start time.Time, parts int) []pmetric.Metrics {
	var list []pmetric.Metrics
	var total float64
	for i := range parts {
		md := pmetric.NewMetrics()
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("service.namespace", "shop")
		rm.Resource().Attributes().PutStr("service.name", service)
		rm.Resource().Attributes().PutStr("cloud.account.id", Account)
		rm.Resource().Attributes().PutStr("cloud.region", Region)
		metrics := rm.ScopeMetrics().AppendEmpty().Metrics()
		at := pcommon.NewTimestampFromTime(start.Add(time.Duration(i) * 2 * time.Minute / time.Duration(parts)))
		add := func(name, unit string) pmetric.Metric {
			m := metrics.AppendEmpty()
			m.SetName(name)
			m.SetUnit(unit)
			return m
		}
		gauge := add("latency", "ms").SetEmptyGauge()
		for range 20 {
			dp := gauge.DataPoints().AppendEmpty()
			dp.SetTimestamp(at)
			dp.SetDoubleValue(rng.ExpFloat64() * 100)
			dp.Attributes().PutStr("route", "/cart")
		}
		sum := add("requests", "{request}").SetEmptySum()
		sum.SetIsMonotonic(true)
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		total += float64(rng.IntN(10))
		dp := sum.DataPoints().AppendEmpty()
		dp.SetTimestamp(at)
		dp.SetStartTimestamp(pcommon.NewTimestampFromTime(start.Add(-time.Hour))) // its first point tells nothing
		dp.SetDoubleValue(total)

		histogram := add("duration", "s").SetEmptyHistogram()
		histogram.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
		hp := histogram.DataPoints().AppendEmpty()
		hp.SetTimestamp(at)
		hp.ExplicitBounds().FromRaw([]float64{0.1, 0.2, 0.5, 1})
		counts := []uint64{uint64(rng.IntN(5)), 1, uint64(rng.IntN(5)), 2, 0}
		hp.BucketCounts().FromRaw(counts)
		hp.SetCount(counts[0] + counts[1] + counts[2] + counts[3])
		hp.SetSum(0.05*float64(counts[0]) + 0.15 + 0.3*float64(counts[2]) + 1.6)

		exponential := add("size", "By").SetEmptyExponentialHistogram()
		exponential.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
		ep := exponential.DataPoints().AppendEmpty()
		ep.SetTimestamp(at)
		ep.SetScale(2)
		ep.Positive().SetOffset(10)
		for range 30 {
			n := uint64(rng.IntN(4))
			ep.Positive().BucketCounts().Append(n)
			ep.SetCount(ep.Count() + n)
		}
		ep.Positive().BucketCounts().Append(1)
		ep.SetCount(ep.Count() + 1)
		list = append(list, md)
	}
	return list
}

var statistics = []types.Statistic{"SampleCount", "Sum", "Average", "Minimum", "Maximum"}

// read returns the statistics of a metric's minutes.
func (s *Server) read(namespace, name string, dims []types.Dimension, start time.Time) []types.Datapoint {
	s.tb.Helper()
	client := cloudwatch.NewFromConfig(s.Config())
	in := &cloudwatch.GetMetricStatisticsInput{
		Namespace: &namespace, MetricName: &name, Dimensions: dims, StartTime: aws.Time(start), EndTime: aws.Time(start.Add(5 * time.Minute)),
		Period: aws.Int32(60), Statistics: statistics, ExtendedStatistics: []string{"p50", "p90", "p99"},
	}
	out, err := client.GetMetricStatistics(s.tb.Context(), in)
	require.NoError(s.tb, err)
	return out.Datapoints
}

// What an application measured is in CloudWatch as it would be without aggregation: the exporter's data arrive through the
// AWS SDK, HTTP and our own endpoint; the others are written straight into the store.
func TestCloudWatchExporterKeepsStatistics(t *testing.T) {
	start := time.Now().UTC().Truncate(time.Minute).Add(-10 * time.Minute)
	for name, conf := range map[string]map[string]any{
		"by minute": {"in_memory": true},
		"by call":   {"aggregation_interval": "0s"},
		"few values a datum": {
			"in_memory": true, "max_values_per_datum": 7, "max_datums_per_call": 3,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := Start(t, Options{})
			e, end := s.startMetricsExporter(awscloudwatchexporter.NewFactory(), conf)
			for i, service := range []string{"exported", "direct"} {
				for _, md := range application(rand.New(rand.NewPCG(7, 8)), service, start, 24) {
					if i == 0 {
						require.NoError(t, e.ConsumeMetrics(t.Context(), md))
					} else {
						require.NoError(t, s.Metrics.ConsumeMetrics(t.Context(), md))
					}
				}
			}
			end()
			for _, m := range []struct {
				name string
				dims []types.Dimension
			}{
				{"latency", []types.Dimension{{Name: aws.String("route"), Value: aws.String("/cart")}}},
				{"requests", nil},
				{"duration", nil},
				{"size", nil},
			} {
				want, got := s.read("shop/direct", m.name, m.dims, start), s.read("shop/exported", m.name, m.dims, start)
				require.Len(t, want, 2, m.name)
				requireSameDatapoints(t, m.name, want, got)
			}
		})
	}
}

func requireSameDatapoints(t *testing.T, name string, want, got []types.Datapoint) {
	t.Helper()
	byTime := make(map[string]types.Datapoint)
	for _, p := range got {
		byTime[fmt.Sprint(p.Timestamp, p.Unit)] = p
	}
	require.Len(t, byTime, len(want), name)
	for _, w := range want {
		g, ok := byTime[fmt.Sprint(w.Timestamp, w.Unit)]
		require.True(t, ok, "%s at %s", name, w.Timestamp)
		near(t, name+" SampleCount", *w.SampleCount, *g.SampleCount)
		near(t, name+" Sum", *w.Sum, *g.Sum)
		near(t, name+" Average", *w.Average, *g.Average)
		assert.Equal(t, *w.Minimum, *g.Minimum, name) //nolint:testifylint // exactly
		assert.Equal(t, *w.Maximum, *g.Maximum, name) //nolint:testifylint // exactly
		require.Len(t, g.ExtendedStatistics, len(w.ExtendedStatistics), name)
		for k, v := range w.ExtendedStatistics {
			near(t, name+" "+k, v, g.ExtendedStatistics[k])
		}
	}
}

func near(t *testing.T, what string, want, got float64) {
	t.Helper()
	assert.LessOrEqual(t, math.Abs(want-got), 1e-6*math.Abs(want), "%s: want %v, got %v", what, want, got)
}
