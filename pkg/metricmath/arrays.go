// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

import (
	"math"
	"slices"
	"strings"
)

func checkMetrics(_ *checker, n *callNode) (kind, error) {
	if len(n.args) == 0 {
		return kindArray, nil
	}
	if _, ok := n.args[0].(*stringNode); !ok {
		return "", typeError(n.args[0].pos(), "Function 'METRICS' takes a string as argument 1")
	}
	return kindArray, nil
}

// metricsNamed are the ids that METRICS means: all, or those that contain its argument.
func metricsNamed(metrics []string, n *callNode) []string {
	if len(n.args) == 0 {
		return metrics
	}
	part := n.args[0].(*stringNode).value
	return slices.DeleteFunc(slices.Clone(metrics), func(id string) bool { return !strings.Contains(id, part) })
}

func evalMetrics(e *evaluator, n *callNode) (value, error) {
	out := value{kind: kindArray}
	for _, id := range metricsNamed(e.program.metrics, n) {
		out.series = append(out.series, e.values[id].series...)
	}
	if len(out.series) > e.series {
		return value{}, typeError(n.pos(), "An array has more than %d time series", e.series)
	}
	return out, nil
}

func checkMetricCount(c *checker, n *callNode) (kind, error) {
	_, err := c.arg(n, 0, kindArray)
	return kindScalar, err
}

func metricCount(e *evaluator, n *callNode) (value, error) {
	v, err := e.eval(n.args[0])
	return scalar(float64(len(v.series))), err
}

func checkMember(c *checker, n *callNode) (kind, error) {
	_, err := c.arg(n, 0, kindArray)
	return kindSeries, err
}

func first(e *evaluator, n *callNode) (value, error) {
	return e.member(n, func(list []Series) Series { return list[0] })
}

func last(e *evaluator, n *callNode) (value, error) {
	return e.member(n, func(list []Series) Series { return list[len(list)-1] })
}

// member is an empty series when the array has none.
func (e *evaluator) member(n *callNode, of func([]Series) Series) (value, error) {
	v, err := e.eval(n.args[0])
	if err != nil {
		return value{}, err
	}
	if len(v.series) == 0 {
		return single(Series{Period: e.period()}), nil
	}
	return single(of(v.series)), nil
}

func checkRemoveEmpty(c *checker, n *callNode) (kind, error) { return c.arg(n, 0, kindArray) }

func removeEmpty(e *evaluator, n *callNode) (value, error) {
	v, err := e.eval(n.args[0])
	if err != nil {
		return value{}, err
	}
	v.series = slices.DeleteFunc(slices.Clone(v.series), func(s Series) bool { return len(s.Values) == 0 })
	return v, nil
}

func checkSlice(c *checker, n *callNode) (kind, error) {
	if _, err := c.arg(n, 0, kindArray); err != nil {
		return "", err
	}
	for i := 1; i < len(n.args); i++ {
		if _, err := c.arg(n, i, kindScalar); err != nil {
			return "", err
		}
	}
	return kindArray, nil
}

// slice takes the members from the first place to, without it, the second one.
func slice(e *evaluator, n *callNode) (value, error) {
	v, err := e.eval(n.args[0])
	if err != nil {
		return value{}, err
	}
	from, err := e.place(n, 1, len(v.series))
	if err != nil {
		return value{}, err
	}
	to := len(v.series)
	if len(n.args) == 3 {
		if to, err = e.place(n, 2, len(v.series)); err != nil {
			return value{}, err
		}
	}
	v.series = v.series[from:max(from, to)]
	return v, nil
}

// place evaluates an argument that counts members; what is beyond the array is its end.
func (e *evaluator) place(n *callNode, i, length int) (int, error) {
	v, err := e.eval(n.args[i])
	if err != nil {
		return 0, err
	}
	if math.IsNaN(v.number) || v.number < 0 || v.number != math.Trunc(v.number) {
		return 0, typeError(n.args[i].pos(), "Function '%s' takes a whole number that is not negative as argument %d", n.fn.name, i+1)
	}
	return int(min(v.number, float64(length))), nil
}

func checkSort(c *checker, n *callNode) (kind, error) {
	if _, err := c.arg(n, 0, kindArray); err != nil {
		return "", err
	}
	if err := c.word(n, 1, "AVG", "MIN", "MAX", "SUM"); err != nil {
		return "", err
	}
	if err := c.word(n, 2, "ASC", "DESC"); err != nil {
		return "", err
	}
	if len(n.args) == 4 {
		if _, err := c.arg(n, 3, kindScalar); err != nil {
			return "", err
		}
	}
	return kindArray, nil
}

// sortArray keeps the order of equals. Series for which the function is not defined, having no points, come last.
func sortArray(e *evaluator, n *callNode) (value, error) {
	v, err := e.eval(n.args[0])
	if err != nil {
		return value{}, err
	}
	limit := len(v.series)
	if len(n.args) == 4 {
		if limit, err = e.place(n, 3, limit); err != nil {
			return value{}, err
		}
	}
	key := aggregates[n.args[1].(*wordNode).name].ofSeries
	sign := 1
	if n.args[2].(*wordNode).name == "DESC" {
		sign = -1
	}
	type keyed struct {
		key    float64
		series Series
	}
	list := make([]keyed, len(v.series))
	for i := range v.series {
		s := &v.series[i]
		if err := e.charge(len(s.Values)); err != nil {
			return value{}, err
		}
		list[i] = keyed{key(s.Values, e.slotCount(s)), *s}
	}
	slices.SortStableFunc(list, func(a, b keyed) int {
		switch undefined := math.IsNaN(a.key); {
		case undefined != math.IsNaN(b.key):
			if undefined {
				return 1
			}
			return -1
		case a.key < b.key:
			return -sign
		case a.key > b.key:
			return sign
		}
		return 0
	})
	v.series = make([]Series, limit)
	for i := range v.series {
		v.series[i] = list[i].series
	}
	return v, nil
}
