// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmemory

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// ListMetrics lists identities, as [cloudwatch.MetricReader] says.
func (m *Memory) ListMetrics(ctx context.Context, f cloudwatch.MetricFilter, after *cloudwatch.Metric, limit int) ([]cloudwatch.Metric, error) {
	if limit <= 0 {
		return nil, fmt.Errorf("list metrics: limit %d must be positive", limit)
	}
	var out []cloudwatch.Metric
	candidates := m.ordered(f.Tenant, after)
	m.mu.RLock()
	defer m.mu.RUnlock()
	for i, found := range candidates {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if matches(found, &f) {
			if out = append(out, found.identity); len(out) == limit {
				break
			}
		}
	}
	return out, nil
}

// ordered is the metrics of a tenant behind after, in order.
func (m *Memory) ordered(t cloudwatch.Tenant, after *cloudwatch.Metric) []*metric {
	m.mu.Lock()
	defer m.mu.Unlock()
	of := m.tenants[t]
	if of == nil {
		return nil
	}
	if of.order == nil {
		of.order = make([]*metric, 0, len(of.metrics))
		for _, found := range of.metrics {
			of.order = append(of.order, found)
		}
		slices.SortFunc(of.order, func(a, b *metric) int { return strings.Compare(a.key, b.key) })
	}
	first := 0
	if after != nil {
		key := string(after.AppendKey(nil))
		first = sort.Search(len(of.order), func(i int) bool { return of.order[i].key > key })
	}
	// What is added later makes a new slice.
	return of.order[first:]
}

func matches(m *metric, f *cloudwatch.MetricFilter) bool {
	if f.Namespace != "" && m.identity.Namespace != f.Namespace || f.Name != "" && m.identity.Name != f.Name {
		return false
	}
	for _, want := range f.Dimensions {
		if !slices.ContainsFunc(m.identity.Dimensions, func(d cloudwatch.Dimension) bool {
			return d.Name == want.Name && (!want.HasValue || d.Value == want.Value)
		}) {
			return false
		}
	}
	return m.newest >= f.Since/60*60
}
