// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

import "time"

// datePartsByName are what the functions of time read of a slot's time, in UTC. Monday is day 1, Sunday is 7.
var datePartsByName = map[string]func(time.Time) float64{
	"MINUTE": func(t time.Time) float64 { return float64(t.Minute()) },
	"HOUR":   func(t time.Time) float64 { return float64(t.Hour()) },
	"DAY":    func(t time.Time) float64 { return float64((int(t.Weekday())+6)%7 + 1) },
	"DATE":   func(t time.Time) float64 { return float64(t.Day()) },
	"MONTH":  func(t time.Time) float64 { return float64(t.Month()) },
	"YEAR":   func(t time.Time) float64 { return float64(t.Year()) },
	"EPOCH":  func(t time.Time) float64 { return float64(t.Unix()) },
}

func checkDate(c *checker, n *callNode) (kind, error) { return c.arg(n, 0, kindSeries) }

// dateFunction gives every slot of the series' period a point, whether the series has one there or not.
func dateFunction(part func(time.Time) float64) func(*evaluator, *callNode) (value, error) {
	return func(e *evaluator, n *callNode) (value, error) {
		v, err := e.eval(n.args[0])
		if err != nil {
			return value{}, err
		}
		return e.dense(v.series[0].Label, e.periodOf(&v.series[0]), func(at int64) float64 { return part(time.Unix(at, 0).UTC()) })
	}
}

func checkTimeSeries(c *checker, n *callNode) (kind, error) {
	_, err := c.arg(n, 0, kindScalar)
	return kindSeries, err
}

func timeSeries(e *evaluator, n *callNode) (value, error) {
	v, err := e.eval(n.args[0])
	if err != nil {
		return value{}, err
	}
	return e.dense("", e.period(), func(int64) float64 { return v.number })
}

// dense is a series with a point in every slot.
func (e *evaluator) dense(label string, period int64, f func(at int64) float64) (value, error) {
	grid, err := e.grid(period)
	if err != nil {
		return value{}, err
	}
	if err := e.charge(len(grid)); err != nil {
		return value{}, err
	}
	out, check := make([]float64, len(grid)), 0.0
	for i, at := range grid {
		out[i] = f(at)
		check += out[i] - out[i]
	}
	v := single(finite(Series{Label: label, Period: period, Timestamps: grid, Values: out}, check))
	v.owned = true
	return v, nil
}

func checkPeriod(c *checker, n *callNode) (kind, error) {
	if id, ok := n.args[0].(*idNode); !ok || !c.metrics[id.name] {
		return "", typeError(n.args[0].pos(), "Function 'PERIOD' takes a metric, not the result of an expression")
	}
	return kindScalar, nil
}

func evalPeriod(e *evaluator, n *callNode) (value, error) {
	v, err := e.eval(n.args[0])
	if err != nil {
		return value{}, err
	}
	return scalar(float64(v.series[0].Period)), nil
}
