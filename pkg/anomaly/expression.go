// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package anomaly

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/metricmath"
)

// Expression is an expression of metric math that a model is of.
type Expression struct {
	// Metrics are what it may read, by the ids in its text. Those that it reads have one period.
	Metrics []NamedMetric
	// Queries are expressions, and ID the one among them that the model is of. What it reads of them has no searches and no
	// bands.
	Queries []metricmath.Query
	ID      string
}

// NamedMetric is a metric with its id in a request.
type NamedMetric struct {
	ID string
	Metric
}

// used is the expression with only the metrics and queries that it reads, in order of appearance.
func (e *Expression) used() *Expression {
	out := &Expression{ID: e.ID}
	seen := make(map[string]bool)
	for list := []string{e.ID}; len(list) > 0; list = list[1:] {
		id := list[0]
		if seen[id] {
			continue
		}
		seen[id] = true
		if i := slices.IndexFunc(e.Queries, func(q metricmath.Query) bool { return q.ID == id }); i >= 0 {
			out.Queries = append(out.Queries, e.Queries[i])
			if x := e.Queries[i].Expr; x != nil {
				list = append(list, x.References()...)
			}
		} else if i := slices.IndexFunc(e.Metrics, func(m NamedMetric) bool { return m.ID == id }); i >= 0 {
			out.Metrics = append(out.Metrics, e.Metrics[i])
		}
	}
	return out
}

// String is what the expression reads, in a form that tells any two apart.
func (e *Expression) String() string {
	var b strings.Builder
	x := e.used()
	for i := range x.Queries {
		q := &x.Queries[i]
		if q.Expr != nil {
			fmt.Fprintf(&b, "%s=%s (%d);", q.ID, q.Expr, q.Period)
		}
	}
	for i := range x.Metrics {
		fmt.Fprintf(&b, "%s=%q;", x.Metrics[i].ID, x.Metrics[i].key(cloudwatch.Tenant{}))
	}
	return b.String()
}

func (e *Expression) period() int64 {
	if len(e.Metrics) == 0 {
		return 0
	}
	return e.Metrics[0].Period
}

// OfExpression is the model of an expression as it is at a time (Unix seconds).
func (m *Models) OfExpression(ctx context.Context, tenant cloudwatch.Tenant, x *Expression, now int64) (*Model, error) {
	var cfg Config
	if m.set.Configurations != nil {
		cfg = m.set.Configurations.ExpressionConfig(tenant, x)
	}
	x = x.used()
	key := fmt.Sprintf("%s|%s|%s|%s", tenant.Account, tenant.Region, x, cfg.key())
	return m.get(ctx, key, now, func(at int64) (*Model, error) {
		points, err := m.evaluate(ctx, tenant, x, at)
		if err != nil {
			return nil, fmt.Errorf("train a model of an expression: %w", err)
		}
		return Train(points, x.period(), cfg), nil
	})
}

// evaluate is the expression over the history.
func (m *Models) evaluate(ctx context.Context, tenant cloudwatch.Tenant, x *Expression, at int64) ([]Point, error) {
	period := x.period()
	if period <= 0 {
		return nil, fmt.Errorf("the expression %s reads no metric", x.ID)
	}
	env := &metricmath.Env{Period: period, Metrics: make(map[string]metricmath.Series, len(x.Metrics))}
	env.Start, env.End = historyWindow(at, period)
	ids := make([]string, len(x.Metrics))
	for i := range x.Metrics {
		metric := &x.Metrics[i]
		points, _, err := m.history(ctx, tenant, &metric.Metric, at)
		if err != nil {
			return nil, err
		}
		s := metricmath.Series{Period: metric.Period}
		for _, p := range points {
			s.Timestamps, s.Values = append(s.Timestamps, p.At), append(s.Values, p.Value)
		}
		ids[i] = metric.ID
		env.Metrics[metric.ID] = s
	}
	queries := slices.Clone(x.Queries)
	for i := range queries {
		queries[i].Hidden = queries[i].ID != x.ID
	}
	program, err := metricmath.Compile(ids, queries)
	if err != nil {
		return nil, err
	}
	results, err := program.Evaluate(ctx, env)
	if err != nil {
		return nil, err
	}
	if len(results) != 1 || len(results[0].Series) != 1 {
		return nil, fmt.Errorf("the expression %s is not one time series", x.ID)
	}
	s := &results[0].Series[0]
	points := make([]Point, len(s.Values))
	for i, v := range s.Values {
		points[i] = Point{At: s.Timestamps[i], Value: v}
	}
	return points, nil
}
