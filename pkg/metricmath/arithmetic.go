// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

import (
	"math"
	"slices"
)

// operator is a binary operator.
type operator struct {
	name       string
	precedence int
	apply      func(a, b float64) float64
	// columns does it for whole columns, where speed counts; nil means by apply. The result is NaN when some result is
	// not finite.
	columns func(out, a, b []float64) float64
}

var operatorsByName = func() map[string]*operator {
	byName := make(map[string]*operator)
	for _, op := range []*operator{
		{name: "||", precedence: precedenceOr, apply: func(a, b float64) float64 { return truth(a != 0 || b != 0) }},
		{name: "&&", precedence: precedenceAnd, apply: func(a, b float64) float64 { return truth(a != 0 && b != 0) }},
		{name: "==", precedence: precedenceCompare, apply: func(a, b float64) float64 { return truth(a == b) }},
		{name: "!=", precedence: precedenceCompare, apply: func(a, b float64) float64 { return truth(a != b) }},
		{name: "<", precedence: precedenceCompare, apply: func(a, b float64) float64 { return truth(a < b) }},
		{name: ">", precedence: precedenceCompare, apply: func(a, b float64) float64 { return truth(a > b) }},
		{name: "<=", precedence: precedenceCompare, apply: func(a, b float64) float64 { return truth(a <= b) }},
		{name: ">=", precedence: precedenceCompare, apply: func(a, b float64) float64 { return truth(a >= b) }},
		{name: "+", precedence: precedenceAdd, apply: func(a, b float64) float64 { return a + b }, columns: addColumns},
		{name: "-", precedence: precedenceAdd, apply: func(a, b float64) float64 { return a - b }, columns: subtractColumns},
		{name: "*", precedence: precedenceMultiply, apply: func(a, b float64) float64 { return a * b }, columns: multiplyColumns},
		{name: "/", precedence: precedenceMultiply, apply: func(a, b float64) float64 { return a / b }, columns: divideColumns},
		{name: "^", precedence: precedencePower, apply: math.Pow},
	} {
		byName[op.name] = op
	}
	return byName
}()

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// In the loops below v-v is 0 for a finite v and NaN for any other, so one sum tells whether there is a point to drop.

func addColumns(out, a, b []float64) (check float64) {
	b, out = b[:len(a)], out[:len(a)]
	for i, x := range a {
		v := x + b[i]
		out[i] = v
		check += v - v
	}
	return check
}

func subtractColumns(out, a, b []float64) (check float64) {
	b, out = b[:len(a)], out[:len(a)]
	for i, x := range a {
		v := x - b[i]
		out[i] = v
		check += v - v
	}
	return check
}

func multiplyColumns(out, a, b []float64) (check float64) {
	b, out = b[:len(a)], out[:len(a)]
	for i, x := range a {
		v := x * b[i]
		out[i] = v
		check += v - v
	}
	return check
}

func divideColumns(out, a, b []float64) (check float64) {
	b, out = b[:len(a)], out[:len(a)]
	for i, x := range a {
		v := x / b[i]
		out[i] = v
		check += v - v
	}
	return check
}

func (op *operator) applyColumns(out, a, b []float64) (check float64) {
	if op.columns != nil {
		return op.columns(out, a, b)
	}
	for i, x := range a {
		v := op.apply(x, b[i])
		out[i] = v
		check += v - v
	}
	return check
}

func (e *evaluator) binary(n *binaryNode) (value, error) {
	left, err := e.eval(n.left)
	if err != nil {
		return value{}, err
	}
	right, err := e.eval(n.right)
	if err != nil {
		return value{}, err
	}
	op := n.op
	switch {
	case left.kind == kindScalar && right.kind == kindScalar:
		if math.IsNaN(left.number) || math.IsNaN(right.number) {
			return scalar(math.NaN()), nil
		}
		return scalar(op.apply(left.number, right.number)), nil
	case right.kind == kindScalar:
		y := right.number
		return e.withScalar(left, y, func(x float64) float64 { return op.apply(x, y) })
	case left.kind == kindScalar:
		x := left.number
		return e.withScalar(right, x, func(y float64) float64 { return op.apply(x, y) })
	}
	out := value{kind: kindSeries, series: make([]Series, max(len(left.series), len(right.series))), owned: true}
	if left.kind == kindArray || right.kind == kindArray {
		out.kind = kindArray
		if left.kind == kindArray {
			out.series = out.series[:len(left.series)]
		} else {
			out.series = out.series[:len(right.series)]
		}
	}
	for i := range out.series {
		a, b := &left.series[0], &right.series[0]
		into := [2]bool{left.owned && len(left.series) == len(out.series), right.owned && len(right.series) == len(out.series)}
		if left.kind == kindArray {
			a = &left.series[i]
		}
		if right.kind == kindArray {
			b = &right.series[i]
		}
		if err := e.charge(len(a.Values) + len(b.Values)); err != nil {
			return value{}, err
		}
		s := pair(op, a, b, into)
		if right.kind == kindArray {
			s.Label, s.Of = b.Label, b.Of
		}
		out.series[i] = s
	}
	return out, nil
}

// withScalar applies an operator whose other side is the scalar; one that is not defined leaves no points.
func (e *evaluator) withScalar(v value, other float64, f func(float64) float64) (value, error) {
	return e.each(v, func(s Series) (Series, error) {
		if math.IsNaN(other) {
			s.Timestamps, s.Values = nil, nil
			return s, nil
		}
		out := s.Values
		if !v.owned {
			out = make([]float64, len(s.Values))
		}
		check := 0.0
		for i, x := range s.Values {
			y := f(x)
			out[i] = y
			check += y - y
		}
		s.Values = out
		return finite(s, check), nil
	})
}

// pair applies an operator to two series: at the union of their timestamps, the absent side counting as 0. into says
// whether the result may be written over the values of a or of b.
func pair(op *operator, a, b *Series, into [2]bool) Series {
	out := Series{Label: a.Label, Of: a.Of, Period: smaller(a.Period, b.Period)}
	if sameTimestamps(a.Timestamps, b.Timestamps) {
		out.Timestamps = a.Timestamps
		switch {
		case into[0]:
			out.Values = a.Values
		case into[1]:
			out.Values = b.Values
		default:
			out.Values = make([]float64, len(a.Values))
		}
		return finite(out, op.applyColumns(out.Values, a.Values, b.Values))
	}
	n := len(a.Values) + len(b.Values)
	out.Timestamps, out.Values = make([]int64, 0, n), make([]float64, 0, n)
	check := 0.0
	i, j := 0, 0
	for i < len(a.Timestamps) || j < len(b.Timestamps) {
		x, y, at := 0.0, 0.0, int64(0)
		takeA := j == len(b.Timestamps) || i < len(a.Timestamps) && a.Timestamps[i] <= b.Timestamps[j]
		takeB := i == len(a.Timestamps) || j < len(b.Timestamps) && b.Timestamps[j] <= a.Timestamps[i]
		if takeA {
			at, x = a.Timestamps[i], a.Values[i]
			i++
		}
		if takeB {
			at, y = b.Timestamps[j], b.Values[j]
			j++
		}
		v := op.apply(x, y)
		check += v - v
		out.Timestamps, out.Values = append(out.Timestamps, at), append(out.Values, v)
	}
	return finite(out, check)
}

// finite drops the points that are not finite, when check says that there are some. The values must be the caller's.
func finite(s Series, check float64) Series {
	if check == 0 {
		return s
	}
	times, values := make([]int64, 0, len(s.Values)), s.Values[:0]
	for i, v := range s.Values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			times, values = append(times, s.Timestamps[i]), append(values, v)
		}
	}
	s.Timestamps, s.Values = times, values
	return s
}

// sameTimestamps is quick for slices that are the same memory, as those of metrics read together are.
func sameTimestamps(a, b []int64) bool {
	if len(a) != len(b) {
		return false
	}
	return len(a) == 0 || &a[0] == &b[0] || slices.Equal(a, b)
}

func smaller(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

func (e *evaluator) unary(n *unaryNode) (value, error) {
	v, err := e.eval(n.x)
	if err != nil || n.op == "+" {
		return v, err
	}
	if v.kind == kindScalar {
		return scalar(-v.number), nil
	}
	return e.each(v, func(s Series) (Series, error) { return mapValues(s, func(f float64) float64 { return -f }), nil })
}

// mapValues applies f to each point.
func mapValues(s Series, f func(float64) float64) Series {
	out, check := make([]float64, len(s.Values)), 0.0
	for i, x := range s.Values {
		v := f(x)
		out[i] = v
		check += v - v
	}
	s.Values = out
	return finite(s, check)
}
