// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package metricmemory keeps metric data in memory and answers for it as the store does. Unit tests of alarms and backtests
// run over it.
package metricmemory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Memory holds metric data. It may be used by many goroutines at once.
type Memory struct {
	mu      sync.RWMutex
	tenants map[cloudwatch.Tenant]*tenant
	points  int
	limit   int
}

var _ cloudwatch.MetricReader = (*Memory)(nil)

// DefaultLimit is how many points a [Memory] takes when nothing else is said.
const DefaultLimit = 50_000_000

// ErrFull is returned when there are more points than the limit.
var ErrFull = errors.New("too many data points")

// New returns an empty memory of at most limit points; 0 stands for [DefaultLimit].
func New(limit int) *Memory {
	if limit <= 0 {
		limit = DefaultLimit
	}
	return &Memory{tenants: map[cloudwatch.Tenant]*tenant{}, limit: limit}
}

type tenant struct {
	metrics map[string]*metric
	// order is the metrics in the order in which they are listed, nil when it has to be made anew.
	order []*metric
}

// metric is what is kept of one identity.
type metric struct {
	identity cloudwatch.Metric
	key      string
	newest   int64
	series   []*series // by unit and resolution, in this order
}

type series struct {
	unit       string
	resolution int32
	points     []point // rising by time, no two at the same
}

// point is the statistics of one period of the resolution. dist is nil when the statistics say all of it, or when unknown.
type point struct {
	time int64 // Unix seconds
	cloudwatch.StatisticSet
	dist    *cloudwatch.Distribution
	unknown bool // the distribution is not known
}

// Add adds data. It is fastest when the data of a metric comes in order of time.
func (m *Memory) Add(t cloudwatch.Tenant, data []cloudwatch.Datum) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	of := m.tenants[t]
	if of == nil {
		of = &tenant{metrics: map[string]*metric{}}
		m.tenants[t] = of
	}
	var key []byte
	var last *metric
	for i := range data {
		d := &data[i]
		if d.StorageResolution != 1 && d.StorageResolution != 60 {
			return fmt.Errorf("a storage resolution of %d seconds is not 1 or 60", d.StorageResolution)
		}
		if last == nil || cloudwatch.CompareMetrics(&last.identity, &d.Metric) != 0 {
			key = d.AppendKey(key[:0])
			last = of.metrics[string(key)]
			if last == nil {
				last = &metric{identity: d.Metric, key: string(key)}
				last.identity.Dimensions = slices.Clone(d.Dimensions)
				of.metrics[last.key] = last
				of.order = nil
			}
		}
		made, err := last.add(d, m.points < m.limit)
		if err != nil {
			return err
		}
		if made {
			m.points++
		}
	}
	return nil
}

func (m *metric) add(d *cloudwatch.Datum, room bool) (made bool, err error) {
	at := cloudwatch.FloorTimestamp(d.TimestampMs, d.StorageResolution)
	s := m.of(d.Unit, d.StorageResolution)
	i := len(s.points)
	if i > 0 && s.points[i-1].time >= at {
		i = sort.Search(i, func(i int) bool { return s.points[i].time >= at })
	}
	if i == len(s.points) || s.points[i].time != at {
		if !room {
			return false, ErrFull
		}
		s.points = slices.Insert(s.points, i, point{time: at})
		made = true
	}
	s.points[i].add(d)
	m.newest = max(m.newest, at)
	return made, nil
}

func (m *metric) of(unit string, resolution int32) *series {
	for _, s := range m.series {
		if s.unit == unit && s.resolution == resolution {
			return s
		}
	}
	s := &series{unit: unit, resolution: resolution}
	m.series = append(m.series, s)
	slices.SortFunc(m.series, func(a, b *series) int { return strings.Compare(a.unit, b.unit) })
	return s
}

func (p *point) add(d *cloudwatch.Datum) {
	if p.SampleCount == 0 && p.dist == nil && !p.unknown && d.Values == nil && d.Statistics == nil {
		p.Add(d.Value, 1) // most points are one value, of which the statistics say all
		return
	}
	stats, dist := d.RollUp()
	var before cloudwatch.Distribution
	switch {
	case p.dist != nil:
		before = *p.dist
	case p.unknown:
		before.Merge(nil)
	case p.SampleCount != 0:
		if own := p.Distribution(); own != nil {
			before = *own
		}
	}
	before.Merge(dist)
	p.Merge(stats)
	p.unknown = !before.Complete() && before.Len() == 0
	p.dist = nil
	if _, uniform := p.Uniform(); !p.unknown && (!uniform || !before.Complete()) {
		p.dist = &before
	}
}

// Points is how many points there are.
func (m *Memory) Points() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.points
}

// QueryMetrics answers queries, as [cloudwatch.MetricReader] says. Periods below a minute see data of a storage resolution
// of one second only.
func (m *Memory) QueryMetrics(ctx context.Context, queries []cloudwatch.MetricQuery) ([][]cloudwatch.Bucket, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	out := make([][]cloudwatch.Bucket, len(queries))
	var key []byte
	for i := range queries {
		q := &queries[i]
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if q.Period <= 0 {
			return nil, fmt.Errorf("metric query %d: period %d must be positive", i, q.Period)
		}
		of := m.tenants[q.Tenant]
		if of == nil || q.Start >= q.End {
			continue
		}
		key = q.Metric.AppendKey(key[:0])
		if found := of.metrics[string(key)]; found != nil {
			out[i] = found.query(q)
		}
	}
	return out, nil
}

func (m *metric) query(q *cloudwatch.MetricQuery) []cloudwatch.Bucket {
	var out []cloudwatch.Bucket
	used := 0
	for _, s := range m.series {
		if q.Unit != "" && q.Unit != s.unit || q.Period < 60 && s.resolution != 1 {
			continue
		}
		if buckets := s.query(q); len(buckets) > 0 {
			used++
			out = append(out, buckets...)
		}
	}
	for i := range out {
		if d := out[i].Distribution; d != nil && d.Len() == 0 {
			out[i].Distribution = nil // nothing of it is known
		}
	}
	if used > 1 {
		slices.SortStableFunc(out, func(a, b cloudwatch.Bucket) int {
			if a.Start != b.Start {
				return int(min(1, max(-1, a.Start-b.Start)))
			}
			return strings.Compare(a.Unit, b.Unit)
		})
		out = mergeBuckets(out)
	}
	return out
}

func (s *series) query(q *cloudwatch.MetricQuery) []cloudwatch.Bucket {
	first := sort.Search(len(s.points), func(i int) bool { return s.points[i].time >= q.Start })
	end := first + sort.Search(len(s.points)-first, func(i int) bool { return s.points[first+i].time >= q.End })
	if first == end {
		return nil
	}
	spanned := (s.points[end-1].time-s.points[first].time)/q.Period + 1
	out := make([]cloudwatch.Bucket, 0, min(int64(end-first), spanned+1))
	for i := first; i < end; i++ {
		p := &s.points[i]
		start := q.Start + (p.time-q.Start)/q.Period*q.Period
		if len(out) == 0 || out[len(out)-1].Start != start {
			out = append(out, cloudwatch.Bucket{Start: start, Unit: s.unit})
		}
		p.addTo(&out[len(out)-1], q.Distribution)
	}
	return out
}

func (p *point) addTo(b *cloudwatch.Bucket, distribution bool) {
	b.Merge(p.StatisticSet)
	if !distribution {
		return
	}
	switch {
	case p.dist != nil:
		known(b).Merge(p.dist)
	case p.unknown:
		known(b).Merge(nil)
	default:
		if v, uniform := p.Uniform(); uniform && p.Minimum == p.Maximum {
			known(b).Add(v, p.SampleCount)
		} else {
			known(b).Merge(p.Distribution())
		}
	}
}

func known(b *cloudwatch.Bucket) *cloudwatch.Distribution {
	if b.Distribution == nil {
		b.Distribution = new(cloudwatch.Distribution)
	}
	return b.Distribution
}

// mergeBuckets merges those of the same start and unit: data of both resolutions.
func mergeBuckets(list []cloudwatch.Bucket) []cloudwatch.Bucket {
	out := list[:0]
	for _, b := range list {
		n := len(out)
		if n == 0 || out[n-1].Start != b.Start || out[n-1].Unit != b.Unit {
			out = append(out, b)
			continue
		}
		out[n-1].Merge(b.StatisticSet)
		switch into := &out[n-1]; {
		case into.Distribution == nil && b.Distribution == nil:
		case into.Distribution == nil:
			into.Distribution = b.Distribution
			into.Distribution.Merge(nil)
		default:
			into.Distribution.Merge(b.Distribution)
		}
	}
	return out
}
