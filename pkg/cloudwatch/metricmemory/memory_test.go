// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmemory

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

var owner = cloudwatch.Tenant{Account: "123456789012", Region: "us-east-1"}

func named(name string, dims ...string) cloudwatch.Metric {
	m := cloudwatch.Metric{Namespace: "Shop", Name: name}
	for i := 0; i < len(dims); i += 2 {
		m.Dimensions = append(m.Dimensions, cloudwatch.Dimension{Name: dims[i], Value: dims[i+1]})
	}
	return m
}

func value(m cloudwatch.Metric, second int64, v float64) cloudwatch.Datum {
	return cloudwatch.Datum{Metric: m, TimestampMs: second * 1000, Unit: "None", StorageResolution: 60, Value: v}
}

func TestQueryMetrics(t *testing.T) {
	t.Parallel()
	const at = 1_800_000_000 / 3600 * 3600
	latency := named("Latency", "Service", "cart")
	fine := value(latency, at+61, 7)
	fine.StorageResolution = 1
	fine2 := value(latency, at+62, 9)
	fine2.StorageResolution = 1
	seconds := value(latency, at, 0.5)
	seconds.Unit = "Seconds"
	several := value(latency, at+120, 0)
	several.Values, several.Counts = []float64{1, 10}, []float64{2, 4}
	set := value(latency, at+180, 0)
	set.Statistics = &cloudwatch.StatisticSet{SampleCount: 3, Sum: 10, Minimum: 1, Maximum: 6}
	m := New(0)
	for _, data := range [][]cloudwatch.Datum{
		{value(latency, at, 1), value(latency, at+59, 3), seconds},
		{value(latency, at+30, 2), fine, fine2},
		{several, set, value(latency, at+180, 4)},
		{value(named("Latency"), at, 100)},
	} {
		require.NoError(t, m.Add(owner, data))
	}
	require.Equal(t, 7, m.Points())
	query := func(m cloudwatch.Metric, start, end, period int64) cloudwatch.MetricQuery {
		return cloudwatch.MetricQuery{Tenant: owner, Metric: m, Unit: "None", Start: start, End: end, Period: period, Distribution: true}
	}
	anyUnit := query(latency, at, at+60, 60)
	anyUnit.Unit = ""
	other := query(latency, at, at+60, 60)
	other.Tenant.Account = "000000000000"
	got, err := m.QueryMetrics(t.Context(), []cloudwatch.MetricQuery{
		query(latency, at, at+240, 60),
		query(latency, at, at+240, 1),
		query(latency, at-30, at+210, 120),
		anyUnit,
		query(named("nosuch"), at, at+60, 60),
		other,
		query(latency, at+60, at, 60),
	})
	require.NoError(t, err)
	stats := func(buckets []cloudwatch.Bucket) (out [][]any) {
		for _, b := range buckets {
			known, complete := -1.0, false
			if b.Distribution != nil {
				known, complete = b.Distribution.Count(), b.Distribution.Complete()
			}
			out = append(out, []any{b.Start - at, b.Unit, b.SampleCount, b.Sum, b.Minimum, b.Maximum, known, complete})
		}
		return out
	}
	require.Equal(t, [][]any{
		{int64(0), "None", 3.0, 6.0, 1.0, 3.0, 3.0, true},
		{int64(60), "None", 2.0, 16.0, 7.0, 9.0, 2.0, true},
		{int64(120), "None", 6.0, 42.0, 1.0, 10.0, 6.0, true},
		{int64(180), "None", 4.0, 14.0, 1.0, 6.0, 1.0, false},
	}, stats(got[0]))
	require.Equal(t, [][]any{
		{int64(61), "None", 1.0, 7.0, 7.0, 7.0, 1.0, true}, {int64(62), "None", 1.0, 9.0, 9.0, 9.0, 1.0, true},
	}, stats(got[1]), "below a minute only high resolution answers")
	require.Equal(t, [][]any{
		{int64(-30), "None", 5.0, 22.0, 1.0, 9.0, 5.0, true}, {int64(90), "None", 10.0, 56.0, 1.0, 10.0, 7.0, false},
	}, stats(got[2]))
	require.Equal(t, [][]any{
		{int64(0), "None", 3.0, 6.0, 1.0, 3.0, 3.0, true}, {int64(0), "Seconds", 1.0, 0.5, 0.5, 0.5, 1.0, true},
	}, stats(got[3]))
	for _, none := range got[4:] {
		require.Empty(t, none)
	}
	_, err = m.QueryMetrics(t.Context(), []cloudwatch.MetricQuery{query(latency, 0, 1, 0)})
	require.ErrorContains(t, err, "period 0 must be positive")
}

// TestOrderDoesNotMatter adds the same data in another order.
func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	data := make([]cloudwatch.Datum, 500)
	for i := range data {
		data[i] = value(named("m", "d", strconv.Itoa(rng.IntN(3))), 6000+rng.Int64N(6000), float64(rng.IntN(9)))
	}
	a, b := New(0), New(0)
	require.NoError(t, a.Add(owner, data))
	rng.Shuffle(len(data), func(i, j int) { data[i], data[j] = data[j], data[i] })
	require.NoError(t, b.Add(owner, data))
	q := []cloudwatch.MetricQuery{{Tenant: owner, Metric: named("m", "d", "1"), Start: 6000, End: 12000, Period: 300, Distribution: true}}
	x, err := a.QueryMetrics(t.Context(), q)
	require.NoError(t, err)
	y, err := b.QueryMetrics(t.Context(), q)
	require.NoError(t, err)
	require.Len(t, x[0], 20)
	for i := range x[0] {
		require.Equal(t, x[0][i].StatisticSet, y[0][i].StatisticSet)
		px, _ := x[0][i].Distribution.Percentile(90)
		py, _ := y[0][i].Distribution.Percentile(90)
		require.InDelta(t, px, py, 1e-9)
	}
}

func TestListMetrics(t *testing.T) {
	t.Parallel()
	m := New(0)
	require.NoError(t, m.Add(owner, []cloudwatch.Datum{
		value(named("b", "k", "2"), 6000, 1), value(named("a"), 60, 1), value(named("b", "k", "1", "z", "x"), 120, 1),
	}))
	list := func(f cloudwatch.MetricFilter, after *cloudwatch.Metric, limit int) []cloudwatch.Metric {
		f.Tenant = owner
		got, err := m.ListMetrics(t.Context(), f, after, limit)
		require.NoError(t, err)
		return got
	}
	all := []cloudwatch.Metric{named("a"), named("b", "k", "1", "z", "x"), named("b", "k", "2")}
	require.Equal(t, all, list(cloudwatch.MetricFilter{}, nil, 10))
	require.Equal(t, all[:2], list(cloudwatch.MetricFilter{}, nil, 2))
	require.Equal(t, all[2:], list(cloudwatch.MetricFilter{}, &all[1], 10))
	require.Equal(t, all[2:], list(cloudwatch.MetricFilter{Since: 6010}, nil, 10))
	require.Equal(t, all[1:2], list(cloudwatch.MetricFilter{Name: "b", Dimensions: []cloudwatch.DimensionFilter{{Name: "z"}}}, nil, 10))
	require.Empty(t, list(cloudwatch.MetricFilter{Dimensions: []cloudwatch.DimensionFilter{{Name: "k", Value: "3", HasValue: true}}}, nil, 10))
	_, err := m.ListMetrics(t.Context(), cloudwatch.MetricFilter{}, nil, 0)
	require.Error(t, err)
}

func TestLimit(t *testing.T) {
	t.Parallel()
	m := New(2)
	require.NoError(t, m.Add(owner, []cloudwatch.Datum{value(named("a"), 60, 1), value(named("a"), 120, 1), value(named("a"), 121, 1)}))
	require.ErrorIs(t, m.Add(owner, []cloudwatch.Datum{value(named("a"), 180, 1)}), ErrFull)
	bad := value(named("a"), 60, 1)
	bad.StorageResolution = 5
	require.Error(t, m.Add(owner, []cloudwatch.Datum{bad}))
}

func BenchmarkAdd(b *testing.B) {
	data := make([]cloudwatch.Datum, 43_200)
	for i := range data {
		data[i] = value(named("m", "d", "1"), int64(i)*60, float64(i))
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := New(0).Add(owner, data); err != nil {
			b.Fatal(err)
		}
	}
}
