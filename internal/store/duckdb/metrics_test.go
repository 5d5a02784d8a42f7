// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func metric(name string, dims ...string) cloudwatch.Metric {
	m := cloudwatch.Metric{Namespace: "Shop", Name: name}
	for i := 0; i < len(dims); i += 2 {
		m.Dimensions = append(m.Dimensions, cloudwatch.Dimension{Name: dims[i], Value: dims[i+1]})
	}
	return m
}

func datum(m cloudwatch.Metric, second int64, value float64) cloudwatch.Datum {
	return cloudwatch.Datum{Metric: m, TimestampMs: second * 1000, Unit: "None", StorageResolution: 60, Value: value}
}

func TestQueryMetrics(t *testing.T) {
	e := openEngine(t, testConfig(t))
	at := noon.Unix()
	latency := metric("Latency", "Service", "cart")
	highRes := datum(latency, at+61, 7)
	highRes.StorageResolution = 1
	highRes2 := datum(latency, at+62, 9)
	highRes2.StorageResolution = 1
	seconds := datum(latency, at, 0.5)
	seconds.Unit = "Seconds"
	values := datum(latency, at+120, 0)
	values.Values, values.Counts = []float64{1, 10}, []float64{2, 4}
	set := datum(latency, at+180, 0)
	set.Statistics = &cloudwatch.StatisticSet{SampleCount: 3, Sum: 10, Minimum: 1, Maximum: 6}
	for _, data := range [][]cloudwatch.Datum{
		{datum(latency, at, 1), datum(latency, at+59, 3), seconds},
		{datum(latency, at+30, 2), highRes, highRes2}, // merged on reading
		{values, set, datum(latency, at+180, 4)},
		{datum(metric("Latency"), at, 100), datum(metric("Latency", "Service", "cart", "Zone", "a"), at, 200)},
	} {
		require.NoError(t, e.WriteMetrics(t.Context(), tenant, data))
	}

	query := func(m cloudwatch.Metric, start, end, period int64) store.MetricQuery {
		return store.MetricQuery{Tenant: tenant, Metric: m, Unit: "None", Start: start, End: end, Period: period, Distribution: true}
	}
	anyUnit := query(latency, at, at+60, 60)
	anyUnit.Unit = ""
	other := query(latency, at, at+60, 60)
	other.Tenant.Account = "000000000000"
	got, err := e.QueryMetrics(t.Context(), []store.MetricQuery{
		0: query(latency, at, at+240, 60),
		1: query(latency, at, at+240, 1),
		2: query(latency, at-30, at+210, 120), // anchored at its start
		3: anyUnit,
		4: query(metric("Latency"), at, at+60, 60),
		5: query(metric("nosuch"), at, at+60, 60),
		6: other,
		7: query(latency, at+60, at, 60),
		8: query(latency, at, at+240, 60),
	})
	require.NoError(t, err)
	type flat struct {
		start      int64
		unit       string
		n, s, a, b float64
		dist       float64 // samples of the distribution, -1 without one
		complete   bool
	}
	flatten := func(buckets []store.Bucket) (out []flat) {
		for _, b := range buckets {
			f := flat{b.Start - at, b.Unit, b.SampleCount, b.Sum, b.Minimum, b.Maximum, -1, false}
			if b.Distribution != nil {
				f.dist, f.complete = b.Distribution.Count(), b.Distribution.Complete()
			}
			out = append(out, f)
		}
		return out
	}
	whole := []flat{
		{0, "None", 3, 6, 1, 3, 3, true},
		{60, "None", 2, 16, 7, 9, 2, true},
		{120, "None", 6, 42, 1, 10, 6, true},
		{180, "None", 4, 14, 1, 6, 1, false},
	}
	assert.Equal(t, whole, flatten(got[0]))
	assert.Equal(t, []flat{{61, "None", 1, 7, 7, 7, 1, true}, {62, "None", 1, 9, 9, 9, 1, true}}, flatten(got[1]))
	assert.Equal(t, []flat{{-30, "None", 5, 22, 1, 9, 5, true}, {90, "None", 10, 56, 1, 10, 7, false}}, flatten(got[2]))
	assert.Equal(t, []flat{{0, "None", 3, 6, 1, 3, 3, true}, {0, "Seconds", 1, 0.5, 0.5, 0.5, 1, true}}, flatten(got[3]))
	assert.Equal(t, []flat{{0, "None", 1, 100, 100, 100, 1, true}}, flatten(got[4]))
	for i := 5; i < 8; i++ {
		assert.Empty(t, got[i], i)
	}
	assert.Equal(t, whole, flatten(got[8]))

	_, err = e.QueryMetrics(t.Context(), []store.MetricQuery{query(latency, at, at+60, 0)})
	require.ErrorContains(t, err, "period 0")
}

// TestQueryMetricsAgainstModel compares buckets over several days, by several commits, with sums in Go.
func TestQueryMetricsAgainstModel(t *testing.T) {
	for _, blockRows := range []int64{1, 30, 1 << 20} {
		t.Run(strconv.FormatInt(blockRows, 10), func(t *testing.T) { testQueryMetricsAgainstModel(t, blockRows) })
	}
}

func testQueryMetricsAgainstModel(t *testing.T, blockRows int64) {
	t.Helper()
	cfg := testConfig(t)
	cfg.blockRows = blockRows
	e := openEngine(t, cfg)
	rng := rand.New(rand.NewPCG(3, 4))
	var all []cloudwatch.Datum
	for range 20 {
		var data []cloudwatch.Datum
		for range 100 {
			d := datum(metric("m", "d", strconv.Itoa(rng.IntN(5))), noon.Unix()+rng.Int64N(3*sPerDay)-sPerDay, float64(rng.IntN(1000)))
			if rng.IntN(2) == 0 {
				d.StorageResolution = 1
			}
			data = append(data, d)
		}
		require.NoError(t, e.WriteMetrics(t.Context(), tenant, data))
		all = append(all, data...)
		for _, f := range e.filesIn(signalMetrics, minDay, maxDay) {
			require.NoError(t, e.buildBlocks(t.Context(), f, false))
		}
	}
	var queries []store.MetricQuery
	for i := range 40 {
		queries = append(queries, store.MetricQuery{
			Tenant: tenant, Metric: metric("m", "d", strconv.Itoa(i%5)), Start: noon.Unix() - sPerDay + rng.Int64N(sPerDay)/60*60,
			End: noon.Unix() + sPerDay, Period: []int64{10, 60, 300, sPerDay}[i%4], Distribution: i%3 == 0,
		})
	}
	got, err := e.QueryMetrics(t.Context(), queries)
	require.NoError(t, err)
	for i, q := range queries {
		want := map[int64]*cloudwatch.StatisticSet{}
		for j := range all {
			d := &all[j]
			at := d.TimestampMs / 1000 / int64(d.StorageResolution) * int64(d.StorageResolution)
			if d.Dimensions[0] != q.Metric.Dimensions[0] || at < q.Start || at >= q.End || q.Period < 60 && d.StorageResolution != 1 {
				continue
			}
			start := q.Start + (at-q.Start)/q.Period*q.Period
			if want[start] == nil {
				want[start] = new(cloudwatch.StatisticSet)
			}
			want[start].Add(d.Value, 1)
		}
		require.Len(t, got[i], len(want))
		for j, b := range got[i] {
			require.Equal(t, *want[b.Start], b.StatisticSet)
			require.Equal(t, q.Distribution, b.Distribution != nil)
			if q.Distribution {
				require.InDelta(t, b.SampleCount, b.Distribution.Count(), 1e-9)
			}
			if j > 0 {
				require.Less(t, got[i][j-1].Start, b.Start)
			}
		}
	}
}

func TestListMetrics(t *testing.T) {
	cfg := testConfig(t)
	e := openEngine(t, cfg)
	at := noon.Unix()
	write := func(at int64, metrics ...cloudwatch.Metric) {
		t.Helper()
		var data []cloudwatch.Datum
		for _, m := range metrics {
			data = append(data, datum(m, at, 1))
		}
		require.NoError(t, e.WriteMetrics(t.Context(), tenant, data))
	}
	a, ab, a1, b := metric("a"), metric("a", "x", "1", "y", "2"), metric("a", "x", "1"), metric("b", "q", `say "x":"1"`)
	write(at-2*sPerDay, a)
	write(at, a1, ab)
	write(at+3600, b)
	write(at+sPerDay, a1)
	other := metric("a", "x", "1")
	other.Namespace = "Alpha"
	write(at, other)

	filter := func(f store.MetricFilter) store.MetricFilter { f.Tenant = tenant; return f }
	dim := func(name, value string, has bool) []cloudwatch.DimensionFilter {
		return []cloudwatch.DimensionFilter{{Name: name, Value: value, HasValue: has}}
	}
	for name, tc := range map[string]struct {
		filter store.MetricFilter
		want   []cloudwatch.Metric
	}{
		"all":             {filter(store.MetricFilter{}), []cloudwatch.Metric{other, a, a1, ab, b}},
		"namespace":       {filter(store.MetricFilter{Namespace: "Alpha"}), []cloudwatch.Metric{other}},
		"name":            {filter(store.MetricFilter{Name: "b"}), []cloudwatch.Metric{b}},
		"dimension":       {filter(store.MetricFilter{Dimensions: dim("x", "", false)}), []cloudwatch.Metric{other, a1, ab}},
		"dimension value": {filter(store.MetricFilter{Dimensions: dim("y", "2", true)}), []cloudwatch.Metric{ab}},
		"prefix of value": {filter(store.MetricFilter{Dimensions: dim("q", "say", true)}), nil},
		"since":           {filter(store.MetricFilter{Since: at + 1800}), []cloudwatch.Metric{a1, b}},
		"since early":     {filter(store.MetricFilter{Since: at - sPerDay}), []cloudwatch.Metric{other, a1, ab, b}},
		"other tenant":    {store.MetricFilter{Tenant: store.Tenant{Account: "x"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := e.ListMetrics(t.Context(), tc.filter, nil, 100)
			require.NoError(t, err)
			assert.Equal(t, tc.want, got)
			var paged []cloudwatch.Metric
			var after *cloudwatch.Metric
			for {
				page, err := e.ListMetrics(t.Context(), tc.filter, after, 1)
				require.NoError(t, err)
				if len(page) == 0 {
					break
				}
				paged = append(paged, page...)
				after = &page[0]
			}
			assert.Equal(t, tc.want, paged)
		})
	}
}

// TestSeriesSurviveReopening checks that a series keeps its id when its file is opened again.
func TestSeriesSurviveReopening(t *testing.T) {
	cfg := testConfig(t)
	at := noon.Unix()
	for range 3 {
		e, err := Open(t.Context(), cfg)
		require.NoError(t, err)
		require.NoError(t, e.WriteMetrics(t.Context(), tenant, []cloudwatch.Datum{datum(metric("a"), at, 1), datum(metric("b", "x", "y"), at, 2)}))
		require.NoError(t, e.Close())
	}
	e := openEngine(t, cfg)
	got, err := e.QueryMetrics(t.Context(), []store.MetricQuery{{Tenant: tenant, Metric: metric("b", "x", "y"), Start: at, End: at + 60, Period: 60}})
	require.NoError(t, err)
	require.Len(t, got[0], 1)
	assert.Equal(t, cloudwatch.StatisticSet{SampleCount: 3, Sum: 6, Minimum: 2, Maximum: 2}, got[0][0].StatisticSet)
	var n int
	err = e.read(t.Context(), e.filesIn(signalMetrics, minDay, maxDay), func(ctx context.Context, s *snapshot) error {
		return s.queryRow(ctx, "SELECT count(*) FROM "+s.files[0].alias+".series", nil, &n)
	})
	require.NoError(t, err)
	assert.Equal(t, 2, n)
}

func TestSeriesLimit(t *testing.T) {
	cfg := testConfig(t)
	cfg.MaxSeriesPerDay = 2
	e := openEngine(t, cfg)
	at := noon.Unix()
	require.NoError(t, e.WriteMetrics(t.Context(), tenant, []cloudwatch.Datum{datum(metric("a"), at, 1), datum(metric("b"), at, 1)}))
	require.ErrorContains(t, e.WriteMetrics(t.Context(), tenant, []cloudwatch.Datum{datum(metric("a"), at, 1), datum(metric("c"), at, 1)}), "limit")
	require.NoError(t, e.WriteMetrics(t.Context(), tenant, []cloudwatch.Datum{datum(metric("a"), at, 1)}))
	got, err := e.QueryMetrics(t.Context(), []store.MetricQuery{{Tenant: tenant, Metric: metric("a"), Start: at, End: at + 60, Period: 60}})
	require.NoError(t, err)
	assert.InDelta(t, 2, got[0][0].SampleCount, 0, "the refused call left nothing")
}

// TestNewFilesWhileDatabasesAreListed makes day files while something holds on to all databases, which puts off what DETACH does.
func TestNewFilesWhileDatabasesAreListed(t *testing.T) {
	e := openEngine(t, testConfig(t))
	ctx, cancel := context.WithCancel(t.Context())
	var listing sync.WaitGroup
	defer func() {
		cancel()
		listing.Wait()
	}()
	listing.Go(func() {
		for ctx.Err() == nil {
			var n int
			_ = e.inst.db.QueryRowContext(ctx, "SELECT count(*) FROM duckdb_tables()").Scan(&n) // of what is detached meanwhile it may fail
		}
	})
	const days = 12
	at := noon.Unix()
	for d := range int64(days) {
		require.NoError(t, e.WriteMetrics(t.Context(), tenant, []cloudwatch.Datum{datum(metric("m"), at-d*sPerDay, 1)}))
	}
	cancel()
	got, err := e.QueryMetrics(t.Context(), []store.MetricQuery{{
		Tenant: tenant, Metric: metric("m"), Start: at - days*sPerDay, End: at + sPerDay, Period: sPerDay,
	}})
	require.NoError(t, err)
	require.Len(t, got[0], days)
}
