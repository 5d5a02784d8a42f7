// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

import (
	"fmt"
	"math"
)

// function is one of the functions, with how its arguments are checked and what it comes to.
type function struct {
	name        string
	least, most int // arguments
	check       func(*checker, *callNode) (kind, error)
	eval        func(*evaluator, *callNode) (value, error)
	// unsupported, when not "", says what a function that CloudWatch has would need here.
	unsupported string
}

func (f *function) arity() string {
	switch {
	case f.least != f.most:
		return fmt.Sprintf("%d to %d arguments", f.least, f.most)
	case f.least == 0:
		return "no arguments"
	case f.least == 1:
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", f.least)
}

// functions are all that CloudWatch documents.
var functions = func() map[string]*function {
	byName := make(map[string]*function)
	add := func(f *function) { byName[f.name] = f }
	for name, f := range map[string]func(float64) float64{
		"ABS": math.Abs, "CEIL": math.Ceil, "FLOOR": math.Floor, "LOG": math.Log, "LOG10": math.Log10,
	} {
		add(&function{name: name, least: 1, most: 1, check: checkSame, eval: pointwise(f)})
	}
	for name, f := range map[string]func(Series) Series{
		"DIFF": diff, "RATE": rate, "DIFF_TIME": diffTime, "RUNNING_SUM": runningSum,
	} {
		add(&function{name: name, least: 1, most: 1, check: checkSame, eval: seriesWise(f)})
	}
	for name, a := range aggregates {
		add(&function{name: name, least: 1, most: 1, check: checkAggregate, eval: a.eval})
	}
	for name, f := range datePartsByName {
		add(&function{name: name, least: 1, most: 1, check: checkDate, eval: dateFunction(f)})
	}
	add(&function{name: "FILL", least: 2, most: 2, check: checkFill, eval: fill})
	add(&function{name: "IF", least: 2, most: 3, check: checkIf, eval: evalIf})
	add(&function{name: "TIME_SERIES", least: 1, most: 1, check: checkTimeSeries, eval: timeSeries})
	add(&function{name: "PERIOD", least: 1, most: 1, check: checkPeriod, eval: evalPeriod})
	add(&function{name: "METRICS", least: 0, most: 1, check: checkMetrics, eval: evalMetrics})
	add(&function{name: "METRIC_COUNT", least: 1, most: 1, check: checkMetricCount, eval: metricCount})
	add(&function{name: "FIRST", least: 1, most: 1, check: checkMember, eval: first})
	add(&function{name: "LAST", least: 1, most: 1, check: checkMember, eval: last})
	add(&function{name: "REMOVE_EMPTY", least: 1, most: 1, check: checkRemoveEmpty, eval: removeEmpty})
	add(&function{name: "SLICE", least: 2, most: 3, check: checkSlice, eval: slice})
	add(&function{name: "SORT", least: 3, most: 4, check: checkSort, eval: sortArray})
	add(&function{name: "ANOMALY_DETECTION_BAND", least: 1, most: 2, check: checkBand, eval: evalBand})
	add(&function{name: "SEARCH", least: 2, most: 3, check: checkSearch, eval: evalSearch})
	for name, why := range map[string]string{
		"INSIGHT_RULE_METRIC": "there are no Contributor Insights rules here",
		"SERVICE_QUOTA":       "there are no service quotas here",
		"DB_PERF_INSIGHTS":    "there are no Performance Insights counters here",
		"LAMBDA":              "there are no data source connectors here",
	} {
		add(&function{name: name, unsupported: why})
	}
	return byName
}()

// checkSame is of functions that take a series or an array and give the same.
func checkSame(c *checker, n *callNode) (kind, error) { return c.arg(n, 0, kindSeries, kindArray) }

func pointwise(f func(float64) float64) func(*evaluator, *callNode) (value, error) {
	return seriesWise(func(s Series) Series { return mapValues(s, f) })
}

// seriesWise makes a function of one that gives a new series for each.
func seriesWise(f func(Series) Series) func(*evaluator, *callNode) (value, error) {
	return func(e *evaluator, n *callNode) (value, error) {
		v, err := e.eval(n.args[0])
		if err != nil {
			return value{}, err
		}
		return e.each(v, func(s Series) (Series, error) { return f(s), nil })
	}
}

// fromPrevious gives each point but the first f of it and of the point before.
func fromPrevious(s Series, f func(change, seconds float64) float64) Series {
	if len(s.Values) == 0 {
		return s
	}
	out, check := make([]float64, len(s.Values)-1), 0.0
	for i := range out {
		v := f(s.Values[i+1]-s.Values[i], float64(s.Timestamps[i+1]-s.Timestamps[i]))
		out[i] = v
		check += v - v
	}
	s.Timestamps, s.Values = s.Timestamps[1:], out
	return finite(s, check)
}

func diff(s Series) Series {
	return fromPrevious(s, func(change, _ float64) float64 { return change })
}

func rate(s Series) Series {
	return fromPrevious(s, func(change, seconds float64) float64 { return change / seconds })
}

func diffTime(s Series) Series {
	return fromPrevious(s, func(_, seconds float64) float64 { return seconds })
}

func runningSum(s Series) Series {
	sum := 0.0
	return mapValues(s, func(f float64) float64 {
		sum += f
		return sum
	})
}
