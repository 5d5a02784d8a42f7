// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// value is what a part of an expression comes to.
type value struct {
	kind   kind
	number float64 // NaN when it is not defined; never infinite
	// series are the members of an array, or the one series.
	series []Series
	// owned is true when nothing else holds the values of the series, so that the next step may write over them.
	owned bool
}

// scalar is a number; what is not finite is not defined.
func scalar(f float64) value {
	if math.IsInf(f, 0) {
		f = math.NaN()
	}
	return value{kind: kindScalar, number: f}
}

func single(s Series) value { return value{kind: kindSeries, series: []Series{s}} }

type evaluator struct {
	ctx     context.Context
	program *Program
	env     *Env
	current *Query
	values  map[string]value
	// grids are the timestamps of all slots of a period.
	grids  map[int64][]int64
	left   int64 // points that may still be made
	series int   // most series of an array
}

func newEvaluator(ctx context.Context, p *Program, env *Env) (*evaluator, error) {
	e := &evaluator{
		ctx: ctx, program: p, env: env,
		values: make(map[string]value, len(p.metrics)+len(p.queries)), grids: make(map[int64][]int64),
		left: env.Limits.Points, series: env.Limits.Series,
	}
	if e.left == 0 {
		e.left = defaultMaxPoints
	}
	if e.series == 0 {
		e.series = defaultMaxSeries
	}
	for _, id := range p.metrics {
		s := env.Metrics[id]
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("series %s: %w", id, err)
		}
		e.values[id] = single(s)
	}
	return e, nil
}

func (e *evaluator) query(q *Query) error {
	e.current = q
	v, err := e.start(q)
	if err != nil {
		var own *Error
		if errors.As(err, &own) {
			err = &QueryError{ID: q.ID, Err: err}
		}
		return err
	}
	v.owned = false
	if v.kind == kindSeries || v.kind == kindArray {
		v.series = append([]Series(nil), v.series...)
		for i := range v.series {
			s := &v.series[i]
			if !q.Hidden {
				// Results may share points; whoever writes them out makes them again.
				if err := e.charge(len(s.Values)); err != nil {
					return &QueryError{ID: q.ID, Err: err}
				}
			}
			switch {
			case v.kind == kindSeries && q.Label != "":
				s.Label = q.Label
			case v.kind == kindSeries || s.Label == "":
				s.Label = q.ID
			case q.Label != "":
				s.Label = q.Label + " " + s.Label
			}
		}
	}
	e.values[q.ID] = v
	return nil
}

// start is what a query comes to, without its label.
func (e *evaluator) start(q *Query) (value, error) {
	if q.Given == NotGiven {
		return e.eval(q.Expr.root)
	}
	list := e.env.Given[q.ID]
	switch {
	case q.Given == GivenSeries && len(list) == 0:
		return single(Series{Period: e.period()}), nil
	case q.Given == GivenSeries && len(list) > 1, len(list) > e.series:
		return value{}, fmt.Errorf("given query %s: %d series are too many", q.ID, len(list))
	}
	for i := range list {
		if err := list[i].check(); err != nil {
			return value{}, fmt.Errorf("series %d of the given query %s: %w", i, q.ID, err)
		}
	}
	return value{kind: q.Given.kind(), series: list}, nil
}

// charge takes n points off what the evaluation may make. It is asked before they are made.
func (e *evaluator) charge(n int) error {
	// An empty series costs something too.
	if e.left -= int64(n) + 8; e.left < 0 {
		limit := e.env.Limits.Points
		if limit == 0 {
			limit = defaultMaxPoints
		}
		return errorAt(0, "The expressions make more than %d data points.", limit)
	}
	return nil
}

func (e *evaluator) eval(n node) (value, error) {
	switch n := n.(type) {
	case *numberNode:
		return scalar(n.value), nil
	case *stringNode:
		return value{kind: kindString}, nil
	case *idNode:
		return e.values[n.name], nil
	case *arrayNode:
		return e.array(n)
	case *unaryNode:
		return e.unary(n)
	case *binaryNode:
		return e.binary(n)
	case *callNode:
		if err := e.ctx.Err(); err != nil {
			return value{}, fmt.Errorf("evaluate %s: %w", e.current.ID, err)
		}
		return n.fn.eval(e, n)
	}
	return value{}, errorAt(n.pos(), "Unknown expression")
}

// array flattens the arrays in it.
func (e *evaluator) array(n *arrayNode) (value, error) {
	out := value{kind: kindArray}
	for _, item := range n.items {
		v, err := e.eval(item)
		if err != nil {
			return value{}, err
		}
		if len(out.series)+len(v.series) > e.series {
			return value{}, typeError(n.pos(), "An array has more than %d time series", e.series)
		}
		if err := e.charge(8 * len(v.series)); err != nil {
			return value{}, err
		}
		out.series = append(out.series, v.series...)
	}
	return out, nil
}

// each applies f to every series of a value, which keeps its kind.
func (e *evaluator) each(v value, f func(Series) (Series, error)) (value, error) {
	out := value{kind: v.kind, series: make([]Series, len(v.series)), owned: true}
	for i, s := range v.series {
		if err := e.charge(len(s.Values)); err != nil {
			return value{}, err
		}
		var err error
		if out.series[i], err = f(s); err != nil {
			return value{}, err
		}
	}
	return out, nil
}

// period is the seconds between slots of a query without series to take them from.
func (e *evaluator) period() int64 {
	if e.current.Period > 0 {
		return e.current.Period
	}
	return e.env.Period
}

// slotCount is the number of slots of a series, with points or without.
func (e *evaluator) slotCount(s *Series) int {
	_, n := e.env.slots(e.periodOf(s))
	return max(int(n), len(s.Values))
}

func (e *evaluator) periodOf(s *Series) int64 {
	if s.Period > 0 {
		return s.Period
	}
	return e.period()
}

// grid is the timestamps of all slots of a period.
func (e *evaluator) grid(period int64) ([]int64, error) {
	if g, ok := e.grids[period]; ok {
		return g, nil
	}
	start, n := e.env.slots(period)
	n = min(max(n, 0), math.MaxInt32)
	if err := e.charge(int(n)); err != nil {
		return nil, err
	}
	g := make([]int64, n)
	for i := range g {
		g[i] = start + int64(i)*period
	}
	e.grids[period] = g
	return g, nil
}
