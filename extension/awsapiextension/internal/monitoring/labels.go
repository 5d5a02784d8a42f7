// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"strconv"
	"strings"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// labels sets the default label of each query that has no fixed one: what tells the participants apart. They are the
// visible queries without a label of their own, and what was found by searches. The time does not grow with the square of
// their number: a search finds hundreds.
func labels(queries []dataQuery) {
	f := newLabelFacts(queries)
	for i := range queries {
		if q := &queries[i]; !q.hasLabel || q.template != nil {
			q.label = f.label(q)
		}
	}
}

// labelFacts count what the participants have.
type labelFacts struct {
	participants      int
	namespaces, names map[string]int
	dimensions        map[cloudwatch.Dimension]int
	// byMetric are the statistics and periods of each metric.
	byMetric map[string]*metricFacts
	key      []byte // scratch
}

type metricFacts struct {
	queries int
	stats   map[string]int
	periods map[int64]int
}

func newLabelFacts(queries []dataQuery) *labelFacts {
	f := &labelFacts{
		namespaces: make(map[string]int), names: make(map[string]int),
		dimensions: make(map[cloudwatch.Dimension]int), byMetric: make(map[string]*metricFacts),
	}
	for i := range queries {
		q := &queries[i]
		if q.hasLabel || !q.returnData {
			continue
		}
		f.participants++
		f.namespaces[q.metric.Namespace]++
		f.names[q.metric.Name]++
		for _, d := range q.metric.Dimensions {
			f.dimensions[d]++
		}
		of := f.of(&q.metric)
		if of == nil {
			of = &metricFacts{stats: make(map[string]int, 1), periods: make(map[int64]int, 1)}
			f.byMetric[string(f.key)] = of
		}
		of.queries++
		of.stats[q.stat.String()]++
		of.periods[q.period]++
	}
	return f
}

func (f *labelFacts) of(m *cloudwatch.Metric) *metricFacts {
	f.key = m.AppendKey(f.key[:0])
	return f.byMetric[string(f.key)]
}

func (f *labelFacts) label(q *dataQuery) string {
	parts := make([]string, 0, 8)
	m := &q.metric
	if f.namespaces[m.Namespace] < f.participants {
		parts = append(parts, m.Namespace)
	}
	for _, d := range m.Dimensions {
		if f.dimensions[d] < f.participants {
			parts = append(parts, d.Value)
		}
	}
	if len(parts) == 0 || f.names[m.Name] < f.participants {
		parts = append(parts, m.Name)
	}
	if of := f.of(m); of != nil {
		if of.stats[q.stat.String()] < of.queries {
			parts = append(parts, q.stat.String())
		}
		if of.periods[q.period] < of.queries {
			parts = append(parts, strconv.FormatInt(q.period, 10))
		}
	}
	return strings.Join(parts, " ")
}
