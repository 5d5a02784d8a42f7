// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package metricmemory holds metric data in memory and answers for them as a store does: the series of a unit test, or of
// a file that was read.
package metricmemory

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Reader is a [cloudwatch.MetricReader] over what was added to it. The zero value is empty. It is safe for concurrent
// use, and bounded by what is added only.
type Reader struct {
	mu     sync.Mutex
	series map[string]*series
	// order are the series in order of their keys; nil when it has to be made again.
	order []*series
}

var _ cloudwatch.MetricReader = (*Reader)(nil)

type series struct {
	key    string
	tenant cloudwatch.Tenant
	metric cloudwatch.Metric
	points []point
	sorted bool
}

// point is the data of one unit and storage resolution in one second or minute, or a part of them.
type point struct {
	at         int64
	unit       string
	resolution int32
	cloudwatch.StatisticSet
	dist *cloudwatch.Distribution // nil when it is not known
}

// Add adds data of a tenant.
func (r *Reader) Add(tenant cloudwatch.Tenant, data ...cloudwatch.Datum) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range data {
		d := &data[i]
		resolution := max(d.StorageResolution, 1)
		p := point{at: cloudwatch.FloorTimestamp(d.TimestampMs, resolution), unit: d.Unit, resolution: resolution}
		if p.unit == "" {
			p.unit = cloudwatch.UnitNone
		}
		p.StatisticSet, p.dist = d.RollUp()
		s := r.of(tenant, &d.Metric)
		s.sorted = s.sorted && (len(s.points) == 0 || s.points[len(s.points)-1].compare(&p) <= 0)
		s.points = append(s.points, p)
	}
}

func (p *point) compare(o *point) int { return cmp.Compare(p.at, o.at) }

func appendKey(key []byte, tenant cloudwatch.Tenant, m *cloudwatch.Metric) []byte {
	key = append(append(key, tenant.Account...), 0)
	key = append(append(key, tenant.Region...), 0)
	return m.AppendKey(key)
}

func (r *Reader) of(tenant cloudwatch.Tenant, m *cloudwatch.Metric) *series {
	key := string(appendKey(nil, tenant, m))
	s := r.series[key]
	if s == nil {
		if r.series == nil {
			r.series = make(map[string]*series)
		}
		s = &series{key: key, tenant: tenant, metric: *m, sorted: true}
		r.series[key], r.order = s, nil
	}
	return s
}

// QueryMetrics implements [cloudwatch.MetricReader].
func (r *Reader) QueryMetrics(ctx context.Context, queries []cloudwatch.MetricQuery) ([][]cloudwatch.Bucket, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([][]cloudwatch.Bucket, len(queries))
	var key []byte
	for i := range queries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		q := &queries[i]
		key = appendKey(key[:0], q.Tenant, &q.Metric)
		if s := r.series[string(key)]; s != nil {
			out[i] = s.buckets(q)
		}
	}
	return out, nil
}

func (s *series) sort() {
	if !s.sorted {
		slices.SortStableFunc(s.points, func(a, b point) int { return a.compare(&b) })
		s.sorted = true
	}
}

func (s *series) buckets(q *cloudwatch.MetricQuery) []cloudwatch.Bucket {
	s.sort()
	from, _ := slices.BinarySearchFunc(s.points, q.Start, func(p point, at int64) int { return cmp.Compare(p.at, at) })
	to, _ := slices.BinarySearchFunc(s.points, q.End, func(p point, at int64) int { return cmp.Compare(p.at, at) })
	if from >= to || q.Period <= 0 {
		return nil
	}
	out := make([]cloudwatch.Bucket, 0, min(int64(to-from), (q.End-q.Start)/q.Period+1))
	for i := from; i < to; i++ {
		p := &s.points[i]
		if q.Unit != "" && p.unit != q.Unit || q.Period < 60 && p.resolution != 1 {
			continue
		}
		start := q.Start + (p.at-q.Start)/q.Period*q.Period
		b := find(out, start, p.unit)
		if b == nil {
			out = append(out, cloudwatch.Bucket{Start: start, Unit: p.unit})
			b = &out[len(out)-1]
			if q.Distribution {
				b.Distribution = new(cloudwatch.Distribution)
			}
		}
		b.Merge(p.StatisticSet)
		if q.Distribution {
			b.Distribution.Merge(p.dist)
		}
	}
	for i := range out {
		if d := out[i].Distribution; d != nil && !d.Complete() && d.Count() == 0 {
			out[i].Distribution = nil
		}
	}
	slices.SortFunc(out, func(a, b cloudwatch.Bucket) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Unit, b.Unit))
	})
	return out
}

// find looks among the last buckets, which are those of the same time.
func find(list []cloudwatch.Bucket, start int64, unit string) *cloudwatch.Bucket {
	for i := len(list) - 1; i >= 0 && list[i].Start == start; i-- {
		if list[i].Unit == unit {
			return &list[i]
		}
	}
	return nil
}

// ListMetrics implements [cloudwatch.MetricReader].
func (r *Reader) ListMetrics(
	ctx context.Context, f cloudwatch.MetricFilter, after *cloudwatch.Metric, limit int,
) ([]cloudwatch.Metric, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.order == nil {
		r.order = make([]*series, 0, len(r.series))
		for _, s := range r.series {
			r.order = append(r.order, s)
		}
		slices.SortFunc(r.order, func(a, b *series) int { return cmp.Compare(a.key, b.key) })
	}
	var list []cloudwatch.Metric
	first := 0
	if after != nil {
		key := string(appendKey(nil, f.Tenant, after))
		first, _ = slices.BinarySearchFunc(r.order, key, func(s *series, key string) int { return cmp.Compare(s.key, key) })
		if first < len(r.order) && r.order[first].key == key {
			first++
		}
	}
	for _, s := range r.order[first:] {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if len(list) == limit {
			break
		}
		if s.matches(&f) {
			list = append(list, s.metric)
		}
	}
	return list, nil
}

func (s *series) matches(f *cloudwatch.MetricFilter) bool {
	if s.tenant != f.Tenant || f.Namespace != "" && s.metric.Namespace != f.Namespace || f.Name != "" && s.metric.Name != f.Name {
		return false
	}
	for _, want := range f.Dimensions {
		has := slices.ContainsFunc(s.metric.Dimensions, func(d cloudwatch.Dimension) bool {
			return d.Name == want.Name && (!want.HasValue || d.Value == want.Value)
		})
		if !has {
			return false
		}
	}
	s.sort()
	return len(s.points) > 0 && s.points[len(s.points)-1].at >= f.Since
}
