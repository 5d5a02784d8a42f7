// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricsinsights

import (
	"context"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// leastGroups is how many groups are asked for at once at least, when there are so many.
const leastGroups = 100

// slot is what all metrics of a group have in one bucket.
type slot struct {
	cloudwatch.StatisticSet
	has bool
}

// read aggregates the groups in order. What is asked for at once may end within a group and may hold many; of a query
// that does not rank, groups behind the last wanted one are not read.
func (r *run) read(ctx context.Context) error {
	perCall := int(max(1, bucketsAtOnce/r.slots))
	sums := make([]slot, r.slots)
	batch := make([]cloudwatch.MetricQuery, 0, min(perCall, r.found))
	first := 0 // group of the first query of the batch
	done := 0  // metrics of that group that were asked for before
	waiting := 0
	flush := func() error {
		answers, err := r.reader.QueryMetrics(ctx, batch)
		if err != nil {
			return err
		}
		for len(answers) > 0 {
			g := r.groups[first]
			n := min(len(g.metrics)-done, len(answers))
			for _, buckets := range answers[:n] {
				r.add(sums, buckets)
			}
			answers, done = answers[n:], done+n
			if done < len(g.metrics) {
				continue
			}
			if err := r.keep(g, sums); err != nil {
				return err
			}
			clear(sums)
			first, done = first+1, 0
		}
		batch = batch[:0]
		return nil
	}
	for _, g := range r.groups {
		if r.full() {
			return nil
		}
		for j := range g.metrics {
			batch = append(batch, cloudwatch.MetricQuery{
				Tenant: r.req.Tenant, Metric: g.metrics[j], Start: r.result.Start, End: r.result.End, Period: r.result.Period,
			})
			if len(batch) == perCall {
				if err := flush(); err != nil {
					return err
				}
			}
		}
		if waiting++; r.query.Order == nil && waiting >= max(r.limit-len(r.best.list), leastGroups) && len(batch) > 0 {
			// These groups may be all that are wanted.
			waiting = 0
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if len(batch) > 0 {
		return flush()
	}
	return nil
}

// full is whether no further group can be in the answer. Without a LIMIT, one more is looked for: it tells that there are
// too many.
func (r *run) full() bool {
	return r.query.Order == nil && len(r.best.list) == r.limit && (r.query.Limit > 0 || r.result.SeriesExceeded)
}

// add merges a metric's buckets, of whatever units.
func (r *run) add(sums []slot, buckets []cloudwatch.Bucket) {
	for i := range buckets {
		b := &buckets[i]
		at := (b.Start - r.result.Start) / r.result.Period
		if b.Start < r.result.Start || at >= int64(len(sums)) {
			continue
		}
		s := &sums[at]
		s.has = true
		s.Merge(b.StatisticSet)
	}
}

func (f Function) of(s *cloudwatch.StatisticSet) (value float64, ok bool) {
	switch f {
	case Average:
		value = s.Sum / s.SampleCount
	case Count:
		value = s.SampleCount
	case Maximum:
		value = s.Maximum
	case Minimum:
		value = s.Minimum
	case Sum:
		value = s.Sum
	}
	return value, value-value == 0 // finite
}

// keep makes the group's series.
func (r *run) keep(g *members, sums []slot) error {
	out := Group{Attributes: g.attributes, Label: g.label}
	n := 0
	for i := range sums {
		if sums[i].has {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	out.Timestamps, out.Values = make([]int64, 0, n), make([]float64, 0, n)
	for i := range sums {
		if !sums[i].has {
			continue
		}
		if v, ok := r.query.Function.of(&sums[i].StatisticSet); ok {
			out.Timestamps = append(out.Timestamps, r.result.Start+int64(i)*r.result.Period)
			out.Values = append(out.Values, v)
		}
	}
	if len(out.Values) == 0 {
		return nil
	}
	if !r.best.add(out) && r.query.Limit == 0 {
		r.result.SeriesExceeded = true
	}
	if r.best.points > r.req.Limits.Points {
		return ErrTooManyPoints
	}
	return nil
}
