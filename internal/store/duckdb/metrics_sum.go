// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// metricSums are the buckets of many queries while they are put together. Points come in runs of one series in order of
// time; a run is merged with what is there.
type metricSums struct {
	queries []store.MetricQuery
	// total are the buckets of the days before, fresh those of the day that is being read: reading a day may have to begin
	// again.
	total, fresh map[unitOfQuery][]store.Bucket

	run     []store.Bucket // of use
	use     unitOfQuery
	decoded points
	scratch cloudwatch.Distribution
}

type unitOfQuery struct {
	query int
	unit  string
}

// unknown stands for a distribution of which nothing is known, while buckets are put together.
var unknown = new(cloudwatch.Distribution)

func newMetricSums(queries []store.MetricQuery) *metricSums {
	return &metricSums{queries: queries, total: map[unitOfQuery][]store.Bucket{}, fresh: map[unitOfQuery][]store.Bucket{}}
}

// begin forgets what was read of a day.
func (m *metricSums) begin() {
	clear(m.fresh)
	m.run = m.run[:0]
}

// commit takes what was read of a day.
func (m *metricSums) commit() {
	for k, b := range m.fresh {
		if m.total[k] == nil {
			m.total[k] = b
			continue
		}
		m.total[k] = mergeBuckets(m.total[k], b)
	}
	clear(m.fresh)
}

// results gives each query its buckets in order.
func (m *metricSums) results(out [][]store.Bucket) {
	several := map[int]bool{}
	for k, buckets := range m.total {
		for i := range buckets {
			if buckets[i].Distribution == unknown {
				buckets[i].Distribution = nil
			}
		}
		if out[k.query] == nil {
			out[k.query] = buckets
			continue
		}
		out[k.query] = append(out[k.query], buckets...)
		several[k.query] = true
	}
	for i := range several {
		slices.SortFunc(out[i], func(a, b store.Bucket) int {
			return cmp.Or(cmp.Compare(a.Start, b.Start), strings.Compare(a.Unit, b.Unit))
		})
	}
}

// firstBucket is where the first bucket of a query begins that may have points: there are none before 1970.
func firstBucket(q *store.MetricQuery) int64 {
	if q.Start >= 0 {
		return clampSeconds(q.Start)
	}
	return q.Start + -q.Start/q.Period*q.Period
}

// bucket is where the bucket of that number begins, counted from the first.
func (m *metricSums) bucket(query int, index int64) int64 {
	q := &m.queries[query]
	return firstBucket(q) + index*q.Period
}

// add adds statistics to the bucket of the run that begins at start.
func (m *metricSums) add(u *seriesUse, start int64, s cloudwatch.StatisticSet) *store.Bucket {
	n := len(m.run)
	// Two series, of different resolution, may answer one query.
	if key := (unitOfQuery{u.query, u.unit}); m.use != key || n > 0 && m.run[n-1].Start > start {
		m.flush()
		m.use, n = key, 0
	}
	if n > 0 && m.run[n-1].Start == start {
		b := &m.run[n-1]
		addStatistics(&b.StatisticSet, s)
		return b
	}
	m.run = append(m.run, store.Bucket{Start: start, Unit: u.unit, StatisticSet: s})
	return &m.run[n]
}

// addWith adds statistics and the distribution that is encoded in blob, or implied when there is none.
func (m *metricSums) addWith(u *seriesUse, start int64, s cloudwatch.StatisticSet, blob []byte) error {
	b := m.add(u, start, s)
	if blob != nil {
		if err := m.scratch.UnmarshalBinary(blob); err != nil {
			return fmt.Errorf("distribution: %w", err)
		}
		b.Distribution = mergeDistributions(b.Distribution, &m.scratch, false)
		return nil
	}
	if s.Minimum == s.Maximum {
		// The most frequent case, without an allocation of its own.
		if v, uniform := s.Uniform(); uniform {
			if b.Distribution == nil || b.Distribution == unknown {
				was := b.Distribution
				b.Distribution = new(cloudwatch.Distribution)
				if was == unknown {
					b.Distribution.Merge(nil)
				}
			}
			b.Distribution.Add(v, s.SampleCount)
			return nil
		}
		b.Distribution = mergeDistributions(b.Distribution, unknown, false)
		return nil
	}
	d := s.Distribution()
	if d == nil {
		d = unknown
	}
	b.Distribution = mergeDistributions(b.Distribution, d, true)
	return nil
}

// flush merges the run with what is there.
func (m *metricSums) flush() {
	if len(m.run) > 0 {
		m.fresh[m.use] = mergeBuckets(m.fresh[m.use], m.run)
		m.run = m.run[:0]
	}
}

// addBlocks adds what the blocks have of the uses.
func (m *metricSums) addBlocks(ctx context.Context, v *blockView, midnight int64, uses []seriesUse) error {
	for i := range uses {
		u := &uses[i]
		q := &m.queries[u.query]
		p := &m.decoded
		for _, s := range v.blocks {
			columns := s.find(u.id)
			if columns == nil {
				continue
			}
			p.reset()
			if err := p.appendPoints(columns, midnight, q.Distribution); err != nil {
				return fmt.Errorf("series %d in %v: %w", u.id, s, err)
			}
			from, _ := slices.BinarySearch(p.ts, q.Start)
			to, _ := slices.BinarySearch(p.ts, q.End)
			if key := (unitOfQuery{u.query, u.unit}); m.fresh[key] == nil && to > from {
				m.fresh[key] = make([]store.Bucket, 0, min(m.expected(q, midnight), int64(to-from)))
			}
			start := int64(0)
			for j := from; j < to; j++ {
				if j == from || p.ts[j] >= start+q.Period {
					start = p.ts[j] - (p.ts[j]-q.Start)%q.Period
				}
				set := cloudwatch.StatisticSet{SampleCount: p.count[j], Sum: p.sum[j], Minimum: p.min[j], Maximum: p.max[j]}
				if !q.Distribution {
					m.add(u, start, set)
				} else if err := m.addWith(u, start, set, p.dist[j]); err != nil {
					return err
				}
			}
			m.flush()
		}
		if i%64 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// expected is how many buckets a query may have of a day, at most so many as are worth to allocate ahead.
func (m *metricSums) expected(q *store.MetricQuery, midnight int64) int64 {
	return min((min(q.End, midnight+sPerDay)-max(q.Start, midnight))/q.Period+1, 1500)
}

func addStatistics(to *cloudwatch.StatisticSet, s cloudwatch.StatisticSet) {
	to.SampleCount += s.SampleCount
	to.Sum += s.Sum
	to.Minimum = min(to.Minimum, s.Minimum)
	to.Maximum = max(to.Maximum, s.Maximum)
}

// mergeDistributions adds d to what is there. mine says that d may be kept.
func mergeDistributions(to, d *cloudwatch.Distribution, mine bool) *cloudwatch.Distribution {
	switch {
	case d == nil:
		return to
	case to == nil && (mine || d == unknown):
		return d
	case to == nil:
		return d.Clone()
	case d == unknown && to == unknown:
		return to
	case d == unknown:
		to.Merge(nil) // marks it incomplete
		return to
	case to == unknown:
		c := d.Clone()
		c.Merge(nil)
		return c
	}
	to.Merge(d)
	return to
}

// mergeBuckets merges two lists in order into the first; the second is left alone, but its distributions may be kept.
func mergeBuckets(to, from []store.Bucket) []store.Bucket {
	if len(from) == 0 {
		return to
	}
	if n := len(to); n == 0 || to[n-1].Start < from[0].Start {
		return append(to, from...)
	} else if to[n-1].Start == from[0].Start {
		mergeBucket(&to[n-1], &from[0])
		return append(to, from[1:]...)
	}
	out := make([]store.Bucket, 0, len(to)+len(from))
	for len(to) > 0 && len(from) > 0 {
		switch {
		case to[0].Start < from[0].Start:
			out, to = append(out, to[0]), to[1:]
		case to[0].Start > from[0].Start:
			out, from = append(out, from[0]), from[1:]
		default:
			mergeBucket(&to[0], &from[0])
			out, to, from = append(out, to[0]), to[1:], from[1:]
		}
	}
	return append(append(out, to...), from...)
}

func mergeBucket(to, from *store.Bucket) {
	addStatistics(&to.StatisticSet, from.StatisticSet)
	to.Distribution = mergeDistributions(to.Distribution, from.Distribution, true)
}
