// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"context"
	"slices"
	"sort"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/alarms/simulation"
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// grain is the length of the slots that data is read in, in seconds; alarms over less than a minute need shorter ones.
func grainOf(period int64) int64 {
	if period < 60 {
		return 10
	}
	return 60
}

// slots is the data of an input in short periods, oldest first.
type slots struct {
	grain   int64
	buckets []cloudwatch.Bucket
}

// readSlots reads what inputs need. The slots of an input are of one unit: its own, or the first by name that has data.
func readSlots(ctx context.Context, reader cloudwatch.MetricReader, t cloudwatch.Tenant, inputs []alarm.Input, start, end int64) ([]*slots, error) {
	queries := make([]cloudwatch.MetricQuery, 0, len(inputs))
	for i := range inputs {
		q := simulation.Query(&inputs[i], t, start, end)
		q.Period = grainOf(inputs[i].Period)
		queries = append(queries, q)
		if q.Period < 60 {
			q.Period = 60 // points of a lower resolution do not answer for short periods
			queries = append(queries, q)
		}
	}
	answers, err := reader.QueryMetrics(ctx, queries)
	if err != nil {
		return nil, err
	}
	out := make([]*slots, len(inputs))
	for i := range inputs {
		s := &slots{grain: grainOf(inputs[i].Period), buckets: ofOneUnit(answers[0])}
		answers = answers[1:]
		if s.grain < 60 {
			s.addCoarse(ofOneUnit(answers[0]))
			answers = answers[1:]
		}
		out[i] = s
	}
	return out, nil
}

func ofOneUnit(buckets []cloudwatch.Bucket) []cloudwatch.Bucket {
	unit, several := "", false
	for i := range buckets {
		switch {
		case i == 0:
			unit = buckets[0].Unit
		case buckets[i].Unit != unit:
			several = true
			unit = min(unit, buckets[i].Unit)
		}
	}
	if !several {
		return buckets
	}
	return slices.DeleteFunc(slices.Clone(buckets), func(b cloudwatch.Bucket) bool { return b.Unit != unit })
}

// addCoarse puts minutes without finer data where their points are: into their first slot.
func (s *slots) addCoarse(minutes []cloudwatch.Bucket) {
	fine := s.buckets
	s.buckets = slices.Clone(fine)
	for _, m := range minutes {
		i := sort.Search(len(fine), func(i int) bool { return fine[i].Start >= m.Start })
		if i == len(fine) || fine[i].Start >= m.Start+60 {
			s.buckets = append(s.buckets, m)
		}
	}
	slices.SortStableFunc(s.buckets, func(a, b cloudwatch.Bucket) int {
		if a.Start < b.Start {
			return -1
		}
		return int(min(1, a.Start-b.Start))
	})
}

// point is the statistic of the slots from start and before end.
func (s *slots) point(in *alarm.Input, start, end int64, merged *cloudwatch.Distribution) (alarm.Point, bool) {
	first := sort.Search(len(s.buckets), func(i int) bool { return s.buckets[i].Start >= start })
	last := first
	for last < len(s.buckets) && s.buckets[last].Start < end {
		last++
	}
	return s.merge(in, start, first, last, merged)
}

func (s *slots) merge(in *alarm.Input, start int64, first, end int, merged *cloudwatch.Distribution) (alarm.Point, bool) {
	if first == end {
		return alarm.Point{}, false
	}
	set, dist := s.buckets[first].StatisticSet, s.buckets[first].Distribution
	if end-first > 1 {
		for i := first + 1; i < end; i++ {
			set.Merge(s.buckets[i].StatisticSet)
		}
		if dist = nil; !in.Stat.Basic() {
			merged.Reset()
			for i := first; i < end; i++ {
				merged.Merge(s.buckets[i].Distribution)
			}
			dist = merged
		}
	}
	v, ok := in.Stat.Of(&set, dist)
	return alarm.Point{Start: start, Value: v, SampleCount: set.SampleCount}, ok
}

// phases are the points of an input in every place in which its periods may lie: those that begin at a multiple of the
// period, a step later, and so on.
type phases struct {
	period, step int64
	points       [][]alarm.Point
}

func newPhases(period, step int64) *phases {
	return &phases{period: period, step: step, points: make([][]alarm.Point, max(1, period/step))}
}

// roll makes the phases of an input.
func (s *slots) roll(in *alarm.Input, step int64) *phases {
	p := newPhases(in.Period, step)
	var merged cloudwatch.Distribution
	for k := range p.points {
		offset := int64(k) * step
		points := make([]alarm.Point, 0, len(s.buckets)/int(max(1, in.Period/s.grain))+1)
		for i := 0; i < len(s.buckets); {
			start := floor(s.buckets[i].Start-offset, in.Period) + offset
			j := i
			for j < len(s.buckets) && s.buckets[j].Start < start+in.Period {
				j++
			}
			if point, ok := s.merge(in, start, i, j, &merged); ok {
				points = append(points, point)
			}
			i = j
		}
		p.points[k] = points
	}
	return p
}

func mod(v, m int64) int64 {
	if v %= m; v < 0 {
		v += m
	}
	return v
}

func floor(v, step int64) int64 { return v - mod(v, step) }
