// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricsinsights

import (
	"context"
	"slices"
	"strings"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// other is the value of a dimension that a metric does not have.
const other = "Other"

// Match is whether the query reads the metric of this account.
func (q *Query) Match(account string, m *cloudwatch.Metric) bool {
	if m.Namespace != q.Namespace || m.Name != q.Metric {
		return false
	}
	if q.Schema {
		if len(m.Dimensions) != len(q.Dimensions) {
			return false
		}
		for i := range m.Dimensions {
			if !slices.Contains(q.Dimensions, m.Dimensions[i].Name) {
				return false
			}
		}
	}
	for i := range q.Where {
		if !q.Where[i].match(account, m) {
			return false
		}
	}
	return true
}

func (c *Condition) match(account string, m *cloudwatch.Metric) bool {
	value, has := c.Key.of(account, m)
	if c.CurrentAccount {
		return (value == account) != c.Not
	}
	return (has && value == c.Value) != c.Not
}

func (k Key) of(account string, m *cloudwatch.Metric) (value string, has bool) {
	if k == AccountID {
		return account, true
	}
	for i := range m.Dimensions {
		if m.Dimensions[i].Name == string(k) {
			return m.Dimensions[i].Value, true
		}
	}
	return "", false
}

// Attributes are the keys of GROUP BY with the values that the metric has for them.
func (q *Query) Attributes(account string, m *cloudwatch.Metric) []cloudwatch.Dimension {
	list := make([]cloudwatch.Dimension, len(q.GroupBy))
	for i, k := range q.GroupBy {
		value, has := k.of(account, m)
		if !has {
			value = other
		}
		list[i] = cloudwatch.Dimension{Name: string(k), Value: value}
	}
	return list
}

// filter lists at least the metrics that match.
func (q *Query) filter(tenant cloudwatch.Tenant, since int64) cloudwatch.MetricFilter {
	f := cloudwatch.MetricFilter{Tenant: tenant, Namespace: q.Namespace, Name: q.Metric, Since: since}
	for _, d := range q.Dimensions {
		f.Dimensions = append(f.Dimensions, cloudwatch.DimensionFilter{Name: d})
	}
	for i := range q.Where {
		if c := &q.Where[i]; !c.Not && c.Key != AccountID {
			f.Dimensions = append(f.Dimensions, cloudwatch.DimensionFilter{Name: string(c.Key), Value: c.Value, HasValue: true})
		}
	}
	return f
}

// members are the metrics of one group.
type members struct {
	attributes []cloudwatch.Dimension
	label      string
	metrics    []cloudwatch.Metric
}

// list finds the metrics and puts them into groups, in order of the groups' labels.
func (r *run) list(ctx context.Context) error {
	q, account := r.query, r.req.Tenant.Account
	filter := q.filter(r.req.Tenant, r.result.Start)
	byKey := make(map[string]*members)
	var key []byte
	looked := 0
	var after *cloudwatch.Metric
	for {
		page, err := r.reader.ListMetrics(ctx, filter, after, listPage)
		if err != nil {
			return err
		}
		for i := range page {
			m := &page[i]
			if !q.Match(account, m) {
				continue
			}
			if r.found == r.req.Limits.Metrics {
				r.result.MetricsExceeded = true
				break
			}
			r.found++
			key = q.appendGroup(key[:0], account, m)
			g := byKey[string(key)]
			if g == nil {
				g = &members{attributes: q.Attributes(account, m)}
				g.label = labelOf(g.attributes)
				byKey[string(key)] = g
				r.groups = append(r.groups, g)
			}
			g.metrics = append(g.metrics, *m)
		}
		looked += len(page)
		if len(page) < listPage || r.result.MetricsExceeded {
			break
		}
		if looked >= r.req.Limits.Listed {
			r.result.MetricsExceeded = true
			break
		}
		after = &page[len(page)-1]
	}
	slices.SortFunc(r.groups, func(a, b *members) int { return compareGroups(a.label, a.attributes, b.label, b.attributes) })
	return nil
}

func (q *Query) appendGroup(key []byte, account string, m *cloudwatch.Metric) []byte {
	for _, k := range q.GroupBy {
		value, has := k.of(account, m)
		if !has {
			value = other
		}
		key = append(append(key, value...), 0)
	}
	return key
}

func labelOf(attributes []cloudwatch.Dimension) string {
	values := make([]string, len(attributes))
	for i := range attributes {
		values[i] = attributes[i].Value
	}
	return strings.Join(values, " ")
}

func compareGroups(aLabel string, a []cloudwatch.Dimension, bLabel string, b []cloudwatch.Dimension) int {
	if c := strings.Compare(aLabel, bLabel); c != 0 {
		return c
	}
	return slices.CompareFunc(a, b, func(a, b cloudwatch.Dimension) int { return strings.Compare(a.Value, b.Value) })
}
