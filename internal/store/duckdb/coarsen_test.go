// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func TestTierOf(t *testing.T) {
	d := dayOfMs(noonMs)
	end := (d + 1).start()
	const hour, days = time.Hour, 24 * time.Hour
	for after, want := range map[time.Duration]int64{
		-time.Second: 1, 3 * hour: 1, 3*hour + 1e9: 60, 15 * days: 60, 15*days + 1e9: 300, 63 * days: 300, 63*days + 1e9: 3600, 1000 * days: 3600,
	} {
		assert.Equal(t, want, tierOf(d, end.Add(after)), after)
	}
}

// TestCoarsenDamaged breaks a block after it was checked: what it has now must not become all that there is.
func TestCoarsenDamaged(t *testing.T) {
	cfg := testConfig(t)
	var clock atomic.Pointer[time.Time]
	clock.Store(&noon)
	cfg.Now = func() time.Time { return *clock.Load() }
	cfg.IdleClose = 10 * time.Millisecond
	e := openEngine(t, cfg)
	midnight := dayOfMs(noonMs).start().Unix()
	for i := range int64(100) {
		d := datum(metric("m"), midnight+i, float64(i))
		d.StorageResolution = 1
		require.NoError(t, e.WriteMetrics(t.Context(), tenant, []cloudwatch.Datum{d}))
	}
	f := e.filesIn(signalMetrics, minDay, maxDay)[0]
	require.NoError(t, e.buildBlocks(t.Context(), f, true))
	entries, err := os.ReadDir(f.blocks.dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	file, err := os.OpenFile(filepath.Join(f.blocks.dir, entries[0].Name()), os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = file.WriteAt([]byte{0x55}, blockHeaderSize+60)
	require.NoError(t, errors.Join(err, file.Close()))
	now := noon.Add(24 * time.Hour)
	clock.Store(&now)
	waitUntil(t, func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		f.coarsenAfter = time.Time{}
		return f.coarse == 60
	})
	got, err := e.QueryMetrics(t.Context(), []store.MetricQuery{{
		Tenant: tenant, Metric: metric("m"), Start: midnight, End: midnight + 120, Period: 60, Distribution: true,
	}})
	require.NoError(t, err)
	require.Len(t, got[0], 2)
	for i, want := range []cloudwatch.StatisticSet{
		{SampleCount: 60, Sum: 1770, Minimum: 0, Maximum: 59}, {SampleCount: 40, Sum: 3180, Minimum: 60, Maximum: 99},
	} {
		assert.Equal(t, want, got[0][i].StatisticSet)
		sum := 0.0
		for v, n := range got[0][i].Distribution.Values {
			sum += v * n
		}
		assert.InDelta(t, want.Sum, sum, 1e-9)
	}
}

// TestCoarsen ages a day through all tiers. In the periods that can be read, nothing may change.
func TestCoarsen(t *testing.T) {
	cfg := testConfig(t)
	var clock atomic.Pointer[time.Time]
	clock.Store(&noon)
	cfg.Now = func() time.Time { return *clock.Load() }
	cfg.IdleClose = 10 * time.Millisecond
	e, err := Open(t.Context(), cfg)
	require.NoError(t, err)
	midnight := dayOfMs(noonMs).start().Unix()
	rng := rand.New(rand.NewPCG(7, 8))
	var data []cloudwatch.Datum
	for i := range 3000 {
		d := datum(metric("m", "d", string(rune('a'+i%3))), midnight+rng.Int64N(sPerDay), float64(rng.IntN(100)))
		switch i % 4 {
		case 1:
			d.StorageResolution = 1
		case 2:
			d.Values, d.Counts = []float64{1, 5, 20}, []float64{1, 2, 0.5}
		case 3:
			if i%8 == 3 {
				d.Statistics = &cloudwatch.StatisticSet{SampleCount: 4, Sum: 10, Minimum: -1, Maximum: 6}
				d.Unit = "Seconds"
			}
		}
		data = append(data, d)
	}
	require.NoError(t, e.WriteMetrics(t.Context(), tenant, data))
	read := func(period int64) [][]store.Bucket {
		t.Helper()
		var queries []store.MetricQuery
		for _, v := range []string{"a", "b", "c"} {
			queries = append(queries, store.MetricQuery{
				Tenant: tenant, Metric: metric("m", "d", v), Start: midnight, End: midnight + sPerDay, Period: period, Distribution: true,
			})
		}
		out, err := e.QueryMetrics(t.Context(), queries)
		require.NoError(t, err)
		return out
	}
	rows := func() (n, period int64) {
		t.Helper()
		f := e.filesIn(signalMetrics, minDay, maxDay)[0]
		require.NoError(t, e.read(t.Context(), []*dayFile{f}, func(ctx context.Context, s *snapshot) (err error) {
			if period, err = s.coarseness(ctx, f); err != nil {
				return err
			}
			return s.queryRow(ctx, "SELECT count(*) FROM "+f.alias+".points", nil, &n)
		}))
		return n, period
	}
	age := func(to time.Duration) {
		t.Helper()
		now := dayOfMs(noonMs).start().Add(24 * time.Hour).Add(to)
		clock.Store(&now)
		f := e.filesIn(signalMetrics, minDay, maxDay)[0]
		want := tierOf(f.day, now)
		waitUntil(t, func() bool {
			e.mu.Lock()
			defer e.mu.Unlock()
			f.coarsenAfter = time.Time{}
			return f.coarse >= want
		})
	}
	same := func(want, got [][]store.Bucket) {
		t.Helper()
		for i := range want {
			require.Len(t, got[i], len(want[i]))
			for j, w := range want[i] {
				g := got[i][j]
				require.Equal(t, w.Start, g.Start)
				require.Equal(t, w.Unit, g.Unit)
				require.InDelta(t, w.Sum, g.Sum, 1e-9)
				require.InDelta(t, w.SampleCount, g.SampleCount, 1e-9)
				require.InDelta(t, w.Minimum, g.Minimum, 0)
				require.InDelta(t, w.Maximum, g.Maximum, 0)
				require.Equal(t, w.Distribution == nil, g.Distribution == nil)
				if w.Distribution != nil {
					require.Equal(t, w.Distribution.Complete(), g.Distribution.Complete())
					require.InDelta(t, w.Distribution.Count(), g.Distribution.Count(), 1e-9)
					p, ok := w.Distribution.Percentile(90)
					q, ok2 := g.Distribution.Percentile(90)
					require.Equal(t, ok, ok2)
					require.InDelta(t, p, q, 1e-9)
				}
			}
		}
	}
	minutes, fives, hours := read(60), read(300), read(3600)

	age(4 * time.Hour)
	n, period := rows()
	assert.EqualValues(t, 60, period)
	assert.Less(t, n, int64(len(data)))
	same(minutes, read(60))

	age(16 * 24 * time.Hour)
	_, period = rows()
	assert.EqualValues(t, 300, period)
	same(fives, read(300))

	// It survives, and takes late data.
	require.NoError(t, e.Close())
	require.NoError(t, os.WriteFile(e.files[signalMetrics][dayOfMs(noonMs)].path+".new", []byte("half"), 0o600))
	e, err = Open(t.Context(), cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, e.Close()) }()
	same(fives, read(300))
	late := datum(metric("m", "d", "a"), midnight+61, 1000)
	require.NoError(t, e.WriteMetrics(t.Context(), tenant, []cloudwatch.Datum{late}))
	got := read(300)
	assert.InDelta(t, 1000, got[0][0].Maximum, 0)
	assert.InDelta(t, fives[0][0].SampleCount+1, got[0][0].SampleCount, 1e-9)

	age(100 * 24 * time.Hour)
	n, period = rows()
	assert.EqualValues(t, 3600, period)
	assert.LessOrEqual(t, n, int64(24*3*3), "hours, series, units and resolutions")
	final := read(3600)
	assert.InDelta(t, hours[0][0].SampleCount+1, final[0][0].SampleCount, 1e-9)
	final[0], hours[0] = final[0][1:], hours[0][1:]
	same(hours, final)
}
