// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

import "math"

// checkIf takes a series as condition, with a series or a number for each branch, or a number as condition, with a
// series for each branch.
func checkIf(c *checker, n *callNode) (kind, error) {
	condition, err := c.arg(n, 0, kindSeries, kindScalar)
	if err != nil {
		return "", err
	}
	branches := []kind{kindSeries, kindScalar}
	if condition == kindScalar {
		branches = branches[:1]
	}
	for i := 1; i < len(n.args); i++ {
		if _, err := c.arg(n, i, branches...); err != nil {
			return "", err
		}
	}
	return kindSeries, nil
}

func evalIf(e *evaluator, n *callNode) (value, error) {
	args := [3]value{2: single(Series{})}
	for i := range n.args {
		var err error
		if args[i], err = e.eval(n.args[i]); err != nil {
			return value{}, err
		}
	}
	condition, then, otherwise := args[0], args[1], args[2]
	if len(n.args) == 2 {
		otherwise.series[0].Period = then.periodOr(0)
	}
	if condition.kind == kindScalar {
		switch {
		case math.IsNaN(condition.number):
			return single(Series{Period: then.periodOr(0)}), nil
		case condition.number != 0:
			return then, nil
		}
		return otherwise, nil
	}
	cond := &condition.series[0]
	if err := e.charge(len(cond.Values)); err != nil {
		return value{}, err
	}
	out := Series{Label: cond.Label, Of: cond.Of, Period: cond.Period, Timestamps: cond.Timestamps, Values: make([]float64, len(cond.Values))}
	for _, v := range args[1:] {
		out.Period = smaller(out.Period, v.periodOr(0))
	}
	thenAt, otherwiseAt := reader(then, 0), reader(otherwise, math.NaN())
	check := 0.0
	for i, at := range cond.Timestamps {
		v := 0.0
		if cond.Values[i] != 0 {
			v = thenAt(at)
		} else {
			v = otherwiseAt(at)
		}
		out.Values[i] = v
		check += v - v
	}
	v := single(finite(out, check))
	v.owned = true
	return v, nil
}

func (v *value) periodOr(other int64) int64 {
	if len(v.series) > 0 {
		return v.series[0].Period
	}
	return other
}

// reader gives the value at rising times: that of the point there, or missing.
func reader(v value, missing float64) func(at int64) float64 {
	if v.kind == kindScalar {
		return func(int64) float64 { return v.number }
	}
	s, i := &v.series[0], 0
	return func(at int64) float64 {
		for i < len(s.Timestamps) && s.Timestamps[i] < at {
			i++
		}
		if i < len(s.Timestamps) && s.Timestamps[i] == at {
			return s.Values[i]
		}
		return missing
	}
}
