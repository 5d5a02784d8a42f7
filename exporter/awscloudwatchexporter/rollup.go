// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awscloudwatchexporter

import (
	"slices"
	"strings"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// rollups are sets of dimensions by which periods are merged.
type rollups struct {
	sets [][]string // sorted
	drop map[string]bool
}

func newRollups(sets [][]string, drop map[string]bool) rollups {
	r := rollups{drop: drop}
	for _, set := range sets {
		sorted := slices.Sorted(slices.Values(set))
		if !slices.ContainsFunc(r.sets, func(s []string) bool { return slices.Equal(s, sorted) }) {
			r.sets = append(r.sets, sorted)
		}
	}
	return r
}

// apply returns the periods, less those that are dropped, and their roll-ups.
func (r *rollups) apply(periods []*period) []*period {
	if len(r.sets) == 0 {
		return periods
	}
	out := make([]*period, 0, 2*len(periods))
	rolled := make(map[string]*period)
	var key []byte
	for _, p := range periods {
		if !r.drop[p.Name] {
			out = append(out, p)
		}
		for _, set := range r.sets {
			dims, ok := pick(p.Dimensions, set)
			// A set of all dimensions is the metric itself, which is not published twice.
			if !ok || (len(dims) == len(p.Dimensions) && !r.drop[p.Name]) {
				continue
			}
			m := cloudwatch.Metric{Namespace: p.Namespace, Name: p.Name, Dimensions: dims}
			key = appendPeriodKey(key[:0], &m, p.unit, p.resolution, p.start)
			q, ok := rolled[string(key)]
			if !ok {
				q = &period{key: string(key), Metric: m, unit: p.unit, resolution: p.resolution, start: p.start, length: p.length}
				rolled[q.key] = q
				out = append(out, q)
			}
			q.merge(p)
		}
	}
	// A roll-up may be a series that there is as well: what is sent of both adds up.
	slices.SortStableFunc(out, func(p, q *period) int { return strings.Compare(p.key, q.key) })
	return out
}

// pick returns the dimensions of these names; ok is false when one is missing. Both are sorted.
func pick(dims []cloudwatch.Dimension, names []string) (picked []cloudwatch.Dimension, ok bool) {
	if len(names) > len(dims) {
		return nil, false
	}
	picked = make([]cloudwatch.Dimension, 0, len(names))
	i := 0
	for _, name := range names {
		for i < len(dims) && dims[i].Name < name {
			i++
		}
		if i == len(dims) || dims[i].Name != name {
			return nil, false
		}
		picked = append(picked, dims[i])
	}
	return picked, true
}
