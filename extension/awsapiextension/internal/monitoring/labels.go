// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"slices"
	"strconv"
	"strings"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// labels sets the label of each query that has none: what tells the visible ones among them apart.
func labels(queries []dataQuery) {
	var visible []*dataQuery
	for i := range queries {
		if q := &queries[i]; !q.hasLabel && q.returnData {
			visible = append(visible, q)
		}
	}
	for i := range queries {
		if q := &queries[i]; !q.hasLabel {
			q.label = defaultLabel(q, visible)
		}
	}
}

func defaultLabel(q *dataQuery, all []*dataQuery) string {
	var parts []string
	add := func(part string, when bool) {
		if when {
			parts = append(parts, part)
		}
	}
	differs := func(f func(*dataQuery) bool) bool { return slices.ContainsFunc(all, f) }
	m := &q.metric

	add(m.Namespace, differs(func(o *dataQuery) bool { return o.metric.Namespace != m.Namespace }))
	for _, d := range m.Dimensions {
		add(d.Value, differs(func(o *dataQuery) bool { return !slices.Contains(o.metric.Dimensions, d) }))
	}
	add(m.Name, len(parts) == 0 || differs(func(o *dataQuery) bool { return o.metric.Name != m.Name }))
	same := func(o *dataQuery) bool { return cloudwatch.CompareMetrics(&o.metric, m) == 0 }
	add(q.stat.String(), differs(func(o *dataQuery) bool { return same(o) && o.stat.String() != q.stat.String() }))
	add(strconv.FormatInt(q.period, 10), differs(func(o *dataQuery) bool { return same(o) && o.period != q.period }))
	return strings.Join(parts, " ")
}
