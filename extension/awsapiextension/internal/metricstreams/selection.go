// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricstreams

import (
	"slices"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// namespaces are those whose metrics are listed for the stream, in order; "" lists all.
func (r *row) namespaces() []string {
	if len(r.Include) == 0 {
		return []string{""}
	}
	list := make([]string, len(r.Include))
	for i := range r.Include {
		list[i] = r.Include[i].Namespace
	}
	slices.Sort(list)
	return list
}

// selects is whether the stream delivers a metric.
func (r *row) selects(m *cloudwatch.Metric) bool {
	if len(r.Include) > 0 {
		return matches(r.Include, m)
	}
	return !matches(r.Exclude, m)
}

func matches(filters []filter, m *cloudwatch.Metric) bool {
	return slices.ContainsFunc(filters, func(f filter) bool {
		return f.Namespace == m.Namespace && (len(f.Metrics) == 0 || slices.Contains(f.Metrics, m.Name))
	})
}

// additional are the further statistics of a metric, in the order in which the stream names them.
func (r *row) additional(m *cloudwatch.Metric) []string {
	var list []string
	for _, c := range r.Statistics {
		if !slices.Contains(c.Metrics, metricName{m.Namespace, m.Name}) {
			continue
		}
		for _, s := range c.Statistics {
			if !slices.Contains(list, s) {
				list = append(list, s)
			}
		}
	}
	return list
}
