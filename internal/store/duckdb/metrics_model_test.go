// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// metricModel is what a store of metrics must answer, made from all data that it took.
type metricModel struct {
	tenants []store.Tenant
	data    [][]cloudwatch.Datum // by tenant
}

func (m *metricModel) answer(q *store.MetricQuery) []store.Bucket {
	type key struct {
		start int64
		unit  string
	}
	buckets := map[key]*store.Bucket{}
	i := slices.Index(m.tenants, q.Tenant)
	wanted := string(q.Metric.AppendKey(nil))
	for j := range m.data[i] {
		d := &m.data[i][j]
		at := d.TimestampMs / 1000 / int64(d.StorageResolution) * int64(d.StorageResolution)
		if string(d.AppendKey(nil)) != wanted || q.Unit != "" && q.Unit != d.Unit || q.Period < 60 && d.StorageResolution != 1 || at < q.Start || at >= q.End {
			continue
		}
		k := key{q.Start + (at-q.Start)/q.Period*q.Period, d.Unit}
		b := buckets[k]
		if b == nil {
			b = &store.Bucket{Start: k.start, Unit: k.unit, Distribution: new(cloudwatch.Distribution)}
			buckets[k] = b
		}
		d.AddTo(&b.StatisticSet, b.Distribution)
	}
	list := make([]store.Bucket, 0, len(buckets))
	for _, b := range buckets {
		list = append(list, *b)
	}
	slices.SortFunc(list, func(a, b store.Bucket) int {
		if a.Start != b.Start {
			return int(a.Start - b.Start)
		}
		return strings.Compare(a.Unit, b.Unit)
	})
	return list
}

// metricRun is a store under random use.
type metricRun struct {
	*metricModel
	rng   *rand.Rand
	cfg   Config
	clock atomic.Int64
	days  []day
	e     *Engine
}

// TestMetricsAgainstModel writes, late and in order, restarts, lets days grow old, damages blocks and replaces the database
// instance, while blocks are made and files summed up in the background. The answers must always be the model's.
func TestMetricsAgainstModel(t *testing.T) {
	seeds := uint64(4)
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			first := dayOfMs(noonMs)
			r := &metricRun{
				metricModel: &metricModel{tenants: []store.Tenant{tenant, {Account: "210987654321", Region: "us-east-1"}}, data: make([][]cloudwatch.Datum, 2)},
				rng:         rand.New(rand.NewPCG(seed, 99)), cfg: testConfig(t), days: []day{first, first + 1, first + 2},
			}
			r.clock.Store(noon.Unix())
			r.cfg.Logger = zap.NewNop()
			r.cfg.Now = func() time.Time { return time.Unix(r.clock.Load(), 0).UTC() }
			r.cfg.blockRows, r.cfg.IdleClose = 16, 5*time.Millisecond
			r.open(t)
			for range 120 {
				switch r.rng.IntN(14) {
				case 0:
					require.NoError(t, r.e.Close())
					if r.rng.IntN(2) == 0 {
						r.damage(t, true)
					}
					r.open(t)
				case 1:
					r.clock.Add(r.rng.Int64N(12 * 3600))
				case 2:
					r.clock.Add(r.rng.Int64N(6 * sPerDay))
				case 3:
					r.damage(t, false)
				case 4:
					r.e.mu.Lock()
					inst := r.e.inst
					r.e.mu.Unlock()
					r.e.replaceInstance(inst, errors.New("the test says so"))
				case 5, 6:
					r.letSettle(t)
					r.check(t)
				case 7, 8:
					r.check(t)
				default:
					r.write(t)
				}
			}
			r.clock.Store((first + 70).start().Unix())
			r.letSettle(t)
			r.check(t)
			for _, f := range r.e.filesIn(signalMetrics, minDay, maxDay) {
				require.EqualValues(t, 3600, f.coarse)
			}
		})
	}
}

func (r *metricRun) open(t *testing.T) {
	t.Helper()
	var err error
	r.e, err = Open(t.Context(), r.cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.e.Close()) }) // of the last one; it may be closed twice
}

func (r *metricRun) metric() cloudwatch.Metric {
	return metric("m", "d", string(rune('a'+r.rng.IntN(3))))
}

// write writes to days that have begun.
func (r *metricRun) write(t *testing.T) {
	t.Helper()
	i := r.rng.IntN(len(r.tenants))
	batch := make([]cloudwatch.Datum, 1+r.rng.IntN(40))
	for j := range batch {
		d := r.days[r.rng.IntN(len(r.days))]
		x := datum(r.metric(), d.start().Unix()+r.rng.Int64N(3*3600), math.Round(r.rng.NormFloat64()*50)+100)
		if r.rng.IntN(3) == 0 {
			x.StorageResolution = 1
		}
		if r.rng.IntN(4) == 0 {
			x.Unit = "Seconds"
		}
		switch r.rng.IntN(6) {
		case 0:
			x.Values, x.Counts = []float64{1, 3, float64(5 + r.rng.IntN(300))}, []float64{0.5, 0.5, 2}
		case 1:
			x.Statistics = &cloudwatch.StatisticSet{SampleCount: 4, Sum: 10, Minimum: -1, Maximum: 6}
		case 2:
			x.Values, x.Counts = []float64{1, 3}, []float64{0.5, 0.5}
		}
		batch[j] = x
	}
	// The context of the caller outlives the instance: the write is refused at most, and then nothing of it was kept.
	for {
		err := r.e.WriteMetrics(t.Context(), r.tenants[i], batch)
		var part *store.PartialWriteError
		if errors.As(err, &part) {
			var rest []cloudwatch.Datum
			for j, kept := range part.Kept {
				if kept {
					r.data[i] = append(r.data[i], batch[j])
				} else {
					rest = append(rest, batch[j])
				}
			}
			batch = rest
			continue
		}
		if errors.Is(err, store.ErrUnavailable) {
			continue
		}
		require.NoError(t, err)
		r.data[i] = append(r.data[i], batch...)
		return
	}
}

// damage removes a file of points, or all of a day. Of a store that is closed it may break or cut one off instead: what was checked
// once is not checked at each use.
func (r *metricRun) damage(t *testing.T, closed bool) {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(r.cfg.Directory, "metrics", "*"+blockSuffix))
	require.NoError(t, err)
	if len(dirs) == 0 {
		return
	}
	dir := dirs[r.rng.IntN(len(dirs))]
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 || r.rng.IntN(4) == 0 {
		require.NoError(t, os.RemoveAll(dir))
		return
	}
	path := filepath.Join(dir, entries[r.rng.IntN(len(entries))].Name())
	if !closed {
		_ = os.Remove(path) // it may be gone
		return
	}
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	if r.rng.IntN(2) == 0 && len(data) > 0 {
		data[r.rng.IntN(blockHeaderSize-20)] ^= 8 // what follows in the header is not used
	} else {
		data = data[:r.rng.IntN(len(data)+1)]
	}
	require.NoError(t, os.WriteFile(path, data, 0o600))
}

// letSettle waits until the days that are over are whole and summed up.
func (r *metricRun) letSettle(t *testing.T) {
	t.Helper()
	waitUntil(t, func() bool {
		now := r.cfg.Now()
		r.e.mu.Lock()
		defer r.e.mu.Unlock()
		for d, f := range r.e.files[signalMetrics] {
			if d >= dayOfMs(now.UnixMilli()) || !f.exists {
				continue
			}
			f.coarsenAfter = time.Time{}
			if f.writer != nil || !f.settled || f.coarse < tierOf(d, now) {
				return false
			}
		}
		return true
	})
}

func (r *metricRun) check(t *testing.T) {
	t.Helper()
	var queries []store.MetricQuery
	for range 6 {
		from := r.rng.IntN(len(r.days))
		tier := tierOf(r.days[from], r.cfg.Now())
		period := tier * int64(1+r.rng.IntN(5))
		if tier == 1 && r.rng.IntN(2) == 0 {
			period *= 60
			tier = 60
		}
		start := r.days[from].start().Unix() + r.rng.Int64N(10)*tier
		if from == 0 && r.rng.IntN(4) == 0 {
			start = -7 * tier
			period *= 1000
		}
		queries = append(queries, store.MetricQuery{
			Tenant: r.tenants[r.rng.IntN(2)], Metric: r.metric(), Start: start, End: start + r.rng.Int64N(4*sPerDay)/period*period + period,
			Period: period, Distribution: r.rng.IntN(2) == 0, Unit: []string{"", "", "Seconds"}[r.rng.IntN(3)],
		})
		if start < 0 {
			queries[len(queries)-1].End = (r.days[0] + 3).start().Unix()
		}
	}
	got, err := r.e.QueryMetrics(t.Context(), queries)
	require.NoError(t, err)
	for i := range queries {
		q := &queries[i]
		want := r.answer(q)
		require.Len(t, got[i], len(want), "%+v", q)
		for j, w := range want {
			g := got[i][j]
			require.Equal(t, w.Start, g.Start)
			require.Equal(t, w.Unit, g.Unit)
			require.InEpsilon(t, w.SampleCount, g.SampleCount, 1e-9)
			require.InDelta(t, w.Sum, g.Sum, 1e-6)
			require.InDelta(t, w.Minimum, g.Minimum, 0)
			require.InDelta(t, w.Maximum, g.Maximum, 0)
			if !q.Distribution {
				require.Nil(t, g.Distribution)
				continue
			}
			if w.Distribution.Len() == 0 {
				require.Nil(t, g.Distribution)
				continue
			}
			require.NotNil(t, g.Distribution)
			require.Equal(t, w.Distribution.Complete(), g.Distribution.Complete())
			require.InDelta(t, w.Distribution.Count(), g.Distribution.Count(), 1e-6)
			for _, p := range []float64{10, 50, 99} {
				x, ok1 := w.Distribution.Percentile(p)
				y, ok2 := g.Distribution.Percentile(p)
				require.Equal(t, ok1, ok2)
				require.InDelta(t, x, y, 1e-6)
			}
		}
	}
}
