// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmemory

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReader(t *testing.T) {
	var r Reader
	tenant := cloudwatch.Tenant{Account: "1", Region: "r"}
	metric := func(name string, dims ...string) cloudwatch.Metric {
		m := cloudwatch.Metric{Namespace: "n", Name: name}
		for i := 0; i < len(dims); i += 2 {
			m.Dimensions = append(m.Dimensions, cloudwatch.Dimension{Name: dims[i], Value: dims[i+1]})
		}
		return m
	}
	r.Add(tenant,
		cloudwatch.Datum{Metric: metric("a"), TimestampMs: 125_000, StorageResolution: 60, Value: 4},
		cloudwatch.Datum{Metric: metric("a"), TimestampMs: 61_000, StorageResolution: 1, Value: 2},
		cloudwatch.Datum{Metric: metric("a"), TimestampMs: 70_000, StorageResolution: 60, Value: 1},
		cloudwatch.Datum{Metric: metric("a"), TimestampMs: 70_000, StorageResolution: 60, Value: 9, Unit: "Count"},
		cloudwatch.Datum{Metric: metric("b", "host", "x"), TimestampMs: 60_000, StorageResolution: 60, Statistics: &cloudwatch.StatisticSet{SampleCount: 4, Sum: 10, Minimum: 1, Maximum: 4}},
		cloudwatch.Datum{Metric: metric("b", "host", "y"), TimestampMs: 240_000, StorageResolution: 60, Value: 1},
	)
	r.Add(cloudwatch.Tenant{Account: "2", Region: "r"}, cloudwatch.Datum{Metric: metric("a"), TimestampMs: 60_000, StorageResolution: 60, Value: 100})

	q := cloudwatch.MetricQuery{Tenant: tenant, Metric: metric("a"), Start: 60, End: 180, Period: 60, Distribution: true}
	high, counted := q, q
	high.Period, counted.Unit = 1, "Count"
	out, err := r.QueryMetrics(t.Context(), []cloudwatch.MetricQuery{
		q, high, counted,
		{Tenant: tenant, Metric: metric("b", "host", "x"), Start: 0, End: 300, Period: 300, Distribution: true},
		{Tenant: tenant, Metric: metric("nosuch"), End: 300, Period: 300},
	})
	require.NoError(t, err)
	require.Len(t, out[0], 3)
	assert.Equal(t, cloudwatch.StatisticSet{SampleCount: 1, Sum: 9, Minimum: 9, Maximum: 9}, out[0][0].StatisticSet)
	assert.Equal(t, cloudwatch.StatisticSet{SampleCount: 2, Sum: 3, Minimum: 1, Maximum: 2}, out[0][1].StatisticSet)
	assert.InDelta(t, 2, out[0][1].Distribution.Count(), 0)
	assert.Equal(t, int64(120), out[0][2].Start)
	require.Len(t, out[1], 1)
	assert.Equal(t, int64(61), out[1][0].Start)
	require.Len(t, out[2], 1)
	require.Len(t, out[3], 1)
	assert.Nil(t, out[3][0].Distribution)
	assert.Empty(t, out[4])

	list := func(f cloudwatch.MetricFilter, after *cloudwatch.Metric, limit int) []cloudwatch.Metric {
		f.Tenant = tenant
		list, err := r.ListMetrics(t.Context(), f, after, limit)
		require.NoError(t, err)
		return list
	}
	all := []cloudwatch.Metric{metric("a"), metric("b", "host", "x"), metric("b", "host", "y")}
	assert.Equal(t, all, list(cloudwatch.MetricFilter{}, nil, 10))
	assert.Equal(t, all[1:2], list(cloudwatch.MetricFilter{}, &all[0], 1))
	assert.Equal(t, all[2:], list(cloudwatch.MetricFilter{Since: 240}, nil, 10))
	assert.Equal(t, all[2:], list(cloudwatch.MetricFilter{Name: "b", Namespace: "n", Dimensions: []cloudwatch.DimensionFilter{{Name: "host", Value: "y", HasValue: true}}}, nil, 10))
	assert.Empty(t, list(cloudwatch.MetricFilter{Namespace: "o"}, nil, 10))

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = r.QueryMetrics(ended, []cloudwatch.MetricQuery{q})
	require.ErrorIs(t, err, context.Canceled)
	_, err = r.ListMetrics(ended, cloudwatch.MetricFilter{Tenant: tenant}, nil, 1)
	require.ErrorIs(t, err, context.Canceled)
}
