// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// TestRingsKeepWhatAlarmsSee compares with all data that ever came.
func TestRingsKeepWhatAlarmsSee(t *testing.T) {
	t.Parallel()
	for seed := range uint64(24) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		d := over("a", int32(1+rnd.IntN(6)))
		d.Metric.Period = []int32{10, 20, 30, 60, 300, 3600, 5400, 86400}[rnd.IntN(8)]
		d.Metric.EvaluationPeriods = min(d.Metric.EvaluationPeriods, 604800/d.Metric.Period)
		d.Metric.Statistic, d.Metric.ExtendedStatistic = "Sum", ""
		if rnd.IntN(3) == 0 {
			d.Metric.Statistic, d.Metric.ExtendedStatistic = "", "tm100"
		}
		if rnd.IntN(4) == 0 && d.Metric.Period >= 60 && d.Metric.Period != 5400 {
			d.Metric.WallClock = &WallClockWindow{Timezone: "America/New_York"}
		}
		if rnd.IntN(3) == 0 {
			d.Metric.Unit = "Count"
		}
		e := NewEngine(EngineSettings{})
		_, err := e.Put(t.Context(), tester, d, noon)
		require.NoError(t, err)
		// Beside it, alarms that make the tracks longer and shorter.
		_, err = e.Put(t.Context(), tester, over("b", 1), noon)
		require.NoError(t, err)
		a := e.find(tester, "a")
		period := int(d.Metric.Period)
		var all []cloudwatch.Datum
		units := []string{"None", "Count", "Bytes"}[:1+rnd.IntN(3)]
		now := noon
		for range 300 {
			now = now.Add(time.Duration(1+rnd.IntN(period*400)) * time.Millisecond)
			for range rnd.IntN(6) {
				back := rnd.ExpFloat64() * float64(period)
				one := datum(now.Add(-time.Duration(back*float64(time.Second))), float64(1+rnd.IntN(50)))
				if rnd.IntN(20) == 0 {
					one.TimestampMs = now.Add(time.Duration(rnd.IntN(7200)) * time.Second).UnixMilli()
				}
				one.StorageResolution, one.Unit = []int32{1, 60}[rnd.IntN(2)], units[rnd.IntN(len(units))]
				if seed%2 == 0 && rnd.IntN(4) == 0 {
					one.Values, one.Counts = []float64{1, 2}, []float64{3, 4}
				}
				all = append(all, one)
				e.Observe(tester, []cloudwatch.Datum{one}, now)
			}
			e.Advance(t.Context(), now)
			at := now.Add(time.Duration(rnd.IntN(60)) * time.Second)
			w := a.rule.Window(at)
			var merged cloudwatch.Distribution
			got := a.track.read(nil, &a.rule.Inputs()[0], &w, &merged)
			want := naive(all, d.Metric, &w)
			require.Len(t, got, len(want), "seed %d: %v, not %v", seed, got, want)
			for i := range want {
				require.Equal(t, want[i].Start, got[i].Start, seed)
				require.InDelta(t, want[i].Value, got[i].Value, 1e-6, seed)
				require.InDelta(t, want[i].SampleCount, got[i].SampleCount, 1e-9, seed)
			}
		}
		kept := 0
		for r := range a.track.rings {
			kept = max(kept, cap(r.samples))
			if r.full != nil {
				kept = max(kept, cap(r.full.slots))
			}
		}
		assert.LessOrEqual(t, int64(kept), 2*a.track.length()+maxFuture/int64(a.track.grain)+20, seed)
	}
}

func naive(all []cloudwatch.Datum, m *MetricAlarm, w *Window) []Point {
	unit := m.Unit
	var points []Point
	for i, start := range w.Starts {
		end := w.End
		if i+1 < len(w.Starts) {
			end = w.Starts[i+1]
		}
		if m.Unit == "" && unit == "" {
			var with []string
			for j := range all {
				if at := floored(&all[j]); at >= w.Starts[0] && at < w.End {
					with = append(with, all[j].Unit)
				}
			}
			if len(with) > 0 {
				unit = slices.Min(with)
			}
		}
		var set cloudwatch.StatisticSet
		for j := range all {
			if at := floored(&all[j]); at >= start && at < end && all[j].Unit == unit {
				all[j].AddTo(&set, nil)
			}
		}
		if set.SampleCount > 0 {
			points = append(points, Point{Start: start, Value: set.Sum, SampleCount: set.SampleCount})
			if m.ExtendedStatistic != "" {
				points[len(points)-1].Value = set.Sum / set.SampleCount
			}
		}
	}
	return points
}

func floored(d *cloudwatch.Datum) int64 {
	return cloudwatch.FloorTimestamp(d.TimestampMs, d.StorageResolution)
}

// Alarms on one metric share its data as far as they look at it in the same way.
func TestTracksAreShared(t *testing.T) {
	t.Parallel()
	e := NewEngine(EngineSettings{})
	put := func(name string, change func(*MetricAlarm)) *alarmState {
		d := over(name, 1)
		change(d.Metric)
		_, err := e.Put(t.Context(), tester, d, noon)
		require.NoError(t, err)
		return e.find(tester, name)
	}
	a := put("a", func(*MetricAlarm) {})
	b := put("b", func(m *MetricAlarm) { m.EvaluationPeriods, m.Statistic = 20, "Maximum" })
	high := put("high", func(m *MetricAlarm) { m.Period = 10 })
	percentile := put("percentile", func(m *MetricAlarm) { m.Statistic, m.ExtendedStatistic = "", "p99" })
	long := put("long", func(m *MetricAlarm) { m.Period, m.EvaluationPeriods = 86400, 3 })
	put("other", func(m *MetricAlarm) { m.MetricName = "Other" })
	assert.Same(t, a.track, b.track)
	assert.Same(t, a.rule, e.find(tester, "other").rule)
	assert.NotSame(t, a.rule, b.rule)
	assert.GreaterOrEqual(t, a.track.span, int32(22*60))
	seen := map[*track]bool{a.track: true, high.track: true, percentile.track: true, long.track: true}
	assert.Len(t, seen, 4)
	assert.Equal(t, int32(10), high.track.grain)
	assert.Equal(t, int32(3600), long.track.grain)
	assert.Len(t, e.tracks, 2)
	e.Observe(tester, []cloudwatch.Datum{datum(noon, 1)}, noon)
	for tr := range seen {
		assert.True(t, tr.ring.any(0, 1<<40))
	}
	for _, name := range []string{"b", "high", "long", "percentile", "other", "a"} {
		assert.True(t, e.Watches("App", "Load"))
		_, err := e.Delete(tester, []string{name}, noon)
		require.NoError(t, err)
	}
	assert.False(t, e.Watches("App", "Load"))
	assert.Empty(t, e.tracks)
	assert.Empty(t, e.nameUsers)
}

// An alarm on expressions reads several metrics, the same one twice, and one of another account.
func TestExpressionInputs(t *testing.T) {
	t.Parallel()
	e := NewEngine(EngineSettings{})
	d := over("errors", 1)
	query := func(id, metric, account string) Query {
		return Query{ID: id, AccountID: account, ReturnData: new(false), Metric: &MetricStat{Namespace: "App", MetricName: metric, Period: 60, Stat: "Sum"}}
	}
	d.Metric.Namespace, d.Metric.MetricName, d.Metric.Statistic, d.Metric.Period = "", "", "", 0
	d.Metric.Metrics = []Query{
		{ID: "e", Expression: "100 * a / b + 0 * (c + d)", ReturnData: new(true)},
		query("a", "Errors", ""), query("b", "Requests", ""), query("c", "Requests", ""), query("d", "Requests", "999999999999"),
	}
	_, err := e.Put(t.Context(), tester, d, noon)
	require.NoError(t, err)
	for name, v := range map[string]float64{"Errors": 30, "Requests": 100} {
		one := datum(noon, v)
		one.Name = name
		e.Observe(tester, []cloudwatch.Datum{one}, noon)
		e.Observe(cloudwatch.Tenant{Account: "999999999999", Region: tester.Region}, []cloudwatch.Datum{one}, noon)
	}
	events := e.Advance(t.Context(), noon.Add(2*time.Minute))
	require.Len(t, events, 1)
	assert.Equal(t, StateAlarm, events[0].New.State)
	assert.Contains(t, events[0].New.Reason, "30.0")
	assert.Len(t, e.tracks, 3)
	d = over("errors", 1)
	_, err = e.Put(t.Context(), tester, d, noon.Add(2*time.Minute))
	require.NoError(t, err)
	assert.Len(t, e.tracks, 1)
	v, _ := e.Alarm(tester, "errors")
	assert.Equal(t, StateAlarm, v.Status.State, "the state is kept")
}

func TestWatchSet(t *testing.T) {
	t.Parallel()
	var s watchSet
	held := map[uint64]bool{}
	all := func(yield func(uint64) bool) {
		for h := range held {
			if !yield(h) {
				return
			}
		}
	}
	assert.False(t, s.has(1))
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		h := uint64(1 + rnd.IntN(3000))
		if held[h] {
			delete(held, h)
			s.remove(len(held), all)
		} else {
			held[h] = true
			s.put(h, all)
		}
	}
	for h := range held {
		assert.True(t, s.has(h))
	}
	assert.LessOrEqual(t, len(s.table.Load().slots), 1<<14)
	assert.False(t, s.has(1<<40))
	names := map[uint64]bool{}
	for i := range 1000 {
		names[hashName(fmt.Sprint("a", i%10), fmt.Sprint("b", i/10))] = true
	}
	assert.Len(t, names, 1000)
}

// The order in which an alarm names dimensions does not matter.
func TestDimensionsInAnyOrder(t *testing.T) {
	t.Parallel()
	s := newScenario(t, EngineSettings{})
	d := over("a", 1)
	d.Metric.Dimensions = []cloudwatch.Dimension{{Name: "b", Value: "2"}, {Name: "a", Value: "1"}}
	s.put(d)
	one := datum(noon, 20)
	one.Dimensions = []cloudwatch.Dimension{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}
	other := datum(noon, 1)
	s.e.Observe(tester, []cloudwatch.Datum{other, one}, noon)
	s.at(80 * time.Second)
	assert.Equal(t, []string{" a created", "1m20s a state NONE>ALARM topic"}, s.since())
	v, _ := s.e.Alarm(tester, "a")
	assert.Equal(t, d.Metric.Dimensions, v.Definition.Metric.Dimensions)
}

// The history of many alarms is read in parts, and each once.
func TestHistoryOfManyAlarms(t *testing.T) {
	t.Parallel()
	store := &reader{data: []cloudwatch.Datum{datum(noon.Add(-time.Minute), 20)}}
	e := NewEngine(EngineSettings{Reader: store})
	for i := range 600 {
		d := over(strconv.Itoa(i), 1)
		d.Metric.Dimensions = []cloudwatch.Dimension{{Name: "i", Value: strconv.Itoa(i % 300)}}
		_, err := e.Put(t.Context(), tester, d, noon.Add(30*time.Second))
		require.NoError(t, err)
	}
	events := e.Advance(t.Context(), noon.Add(90*time.Second))
	assert.Len(t, events, 600)
	assert.Less(t, len(store.queries), 500, "most are read at once, for all alarms on a metric")
	e.Advance(t.Context(), noon.Add(4*time.Minute))
	assert.Empty(t, e.cold)
	assert.LessOrEqual(t, len(store.queries), 900)
	for _, tr := range e.tracks {
		assert.Nil(t, tr.history)
		assert.Nil(t, tr.ring.full, "one sample needs no statistics")
	}
}
