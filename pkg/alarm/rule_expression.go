// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/nephoscope/nephoscope/pkg/metricmath"
)

// expression is the math of an alarm, with one series as its result.
type expression struct {
	program *metricmath.Program
	// metrics are the ids of the rule's inputs.
	metrics []string
	// insights is a query that the math reads, nil for none. To the math it is a search.
	insights *insightsQuery
}

// maxExpressionPoints bounds the memory of one evaluation. The longest alarm has some nine thousand periods.
const maxExpressionPoints = 10_000_000

// compile prepares what leads to one query.
func (p *queryPlan) compile(id string) (*expression, error) {
	x := &expression{metrics: make([]string, len(p.inputs)), insights: p.insights}
	for id, place := range p.places {
		x.metrics[place] = id
	}
	queries := slices.Clone(p.math)
	if p.insights != nil {
		text := "SEARCH('', 'Average', " + strconv.FormatInt(p.period, 10) + ")"
		if len(p.insights.query.GroupBy) == 0 {
			text = "FIRST(" + text + ")"
		}
		expr, err := metricmath.Parse(text)
		if err != nil {
			return nil, expressionError(p.insights.id, err)
		}
		queries = append(queries, metricmath.Query{ID: p.insights.id, Expr: expr})
	}
	for i := range queries {
		queries[i].Period, queries[i].Hidden = p.period, queries[i].ID != id
	}
	var err error
	if x.program, err = metricmath.Compile(x.metrics, queries); err != nil {
		return nil, expressionError(id, err)
	}
	// Whether it gives one series does not depend on data: without any, all is checked that remains.
	results, err := x.program.Evaluate(context.Background(), &metricmath.Env{
		Period: p.period, Searcher: noSeries{}, Limits: metricmath.Limits{Points: maxExpressionPoints},
	})
	switch {
	case err != nil:
		return nil, expressionError(id, err)
	case len(results) != 1 || results[0].Array:
		return nil, validationError("%s", manySeries)
	}
	return x, nil
}

type noSeries struct{}

func (noSeries) Search(context.Context, metricmath.SearchCall) ([]metricmath.Series, error) {
	return nil, nil
}

// errNoInsights is of an alarm on a Metrics Insights query where there are none.
var errNoInsights = &Error{Code: codeValidation, Message: "Metrics Insights queries are not supported here."}

// points evaluates the expression. partial is true when its queries left something out.
func (x *expression) points(ctx context.Context, now time.Time, w *Window, data [][]Point, env *Env) (
	points []Point, partial bool, err error,
) {
	g := newGrid(w)
	run := insightsRun{query: x.insights, now: now, window: w, env: env, grid: g}
	in := metricmath.Env{
		Window: metricmath.Window{Start: g.start, End: g.start + int64(len(w.Starts))*w.Period}, Period: w.Period,
		Metrics: make(map[string]metricmath.Series, len(x.metrics)), Searcher: &run,
		Limits: metricmath.Limits{Points: maxExpressionPoints},
	}
	for i, id := range x.metrics {
		if i < len(data) {
			in.Metrics[id] = g.series(data[i])
		}
	}
	results, err := x.program.Evaluate(ctx, &in)
	if err != nil {
		var bad *metricmath.QueryError
		if errors.As(err, &bad) {
			err = &Error{Code: codeValidation, Message: bad.Error()}
		}
		return nil, run.partial, err
	}
	if len(results) != 1 || len(results[0].Series) != 1 {
		return nil, run.partial, &Error{Code: codeValidation, Message: manySeries}
	}
	return g.points(&results[0].Series[0]), run.partial, nil
}

// grid gives the periods of a window times that are a period apart, as math counts them. They are the periods' own unless a
// change of clocks made one of them longer or shorter.
type grid struct {
	window *Window
	start  int64
	even   bool
}

func newGrid(w *Window) grid {
	g := grid{window: w, even: w.even()}
	if len(w.Starts) > 0 {
		g.start = w.Starts[0]
	}
	return g
}

// series are the points that are in the window.
func (g *grid) series(points []Point) metricmath.Series {
	s := metricmath.Series{
		Period: g.window.Period, Timestamps: make([]int64, 0, len(points)), Values: make([]float64, 0, len(points)),
	}
	slot := 0
	for i := range points {
		for slot < len(g.window.Starts) && g.window.Starts[slot] < points[i].Start {
			slot++
		}
		if slot == len(g.window.Starts) {
			break
		}
		if g.window.Starts[slot] == points[i].Start && finite(points[i].Value) {
			s.Timestamps = append(s.Timestamps, g.at(slot))
			s.Values = append(s.Values, points[i].Value)
			slot++
		}
	}
	return s
}

func (g *grid) at(slot int) int64 { return g.start + int64(slot)*g.window.Period }

func (g *grid) points(s *metricmath.Series) []Point {
	points := make([]Point, 0, len(s.Values))
	for i, at := range s.Timestamps {
		offset := at - g.start
		slot := offset / g.window.Period
		if offset < 0 || offset%g.window.Period != 0 || slot >= int64(len(g.window.Starts)) {
			continue
		}
		points = append(points, Point{Start: g.window.Starts[slot], Value: s.Values[i]})
	}
	return points
}

// insightsRun answers the one search of an expression: its Metrics Insights query.
type insightsRun struct {
	query   *insightsQuery
	now     time.Time
	window  *Window
	env     *Env
	grid    grid
	partial bool
}

func (r *insightsRun) Search(ctx context.Context, _ metricmath.SearchCall) ([]metricmath.Series, error) {
	result, err := r.query.run(ctx, r.now, r.window, r.env)
	if err != nil {
		return nil, err
	}
	r.partial = r.partial || result.Partial
	list := make([]metricmath.Series, len(result.Series))
	for i := range result.Series {
		list[i] = r.grid.series(pointsOf(&result.Series[i].Series))
		list[i].Label = result.Series[i].Label
	}
	return list, nil
}

func (q *insightsQuery) run(ctx context.Context, now time.Time, w *Window, env *Env) (InsightsResult, error) {
	if env == nil || env.Insights == nil {
		return InsightsResult{}, errNoInsights
	}
	return env.Insights.Insights(ctx, &InsightsQuery{Tenant: env.Tenant, Text: q.text, Query: q.query, Window: *w, Now: now})
}

func pointsOf(s *metricmath.Series) []Point {
	n := min(len(s.Timestamps), len(s.Values))
	points := make([]Point, n)
	for i := range n {
		points[i] = Point{Start: s.Timestamps[i], Value: s.Values[i]}
	}
	return points
}
