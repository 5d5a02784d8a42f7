// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

import "math"

// aggregate is a function that makes a number of a series, and a series of an array.
//
// AVG and STDDEV count what is missing as 0: they divide by the slots of the window, or by the members of the array.
// The others look at the points that are there.
type aggregate struct {
	// ofSeries is nil-safe for a series without points. slots are those of the window, with points or without.
	ofSeries func(values []float64, slots int) float64
	// ofArray fills out, which has a place for each timestamp.
	ofArray func(out []float64, times []int64, members []Series)
}

var aggregates = map[string]aggregate{
	"SUM":             {func(v []float64, _ int) float64 { return sum(v) }, sumMembers},
	"AVG":             {average, averageMembers},
	"MIN":             {func(v []float64, _ int) float64 { return extreme(v, less) }, extremeMembers(less)},
	"MAX":             {func(v []float64, _ int) float64 { return extreme(v, more) }, extremeMembers(more)},
	"STDDEV":          {deviation, deviateMembers},
	"DATAPOINT_COUNT": {func(v []float64, _ int) float64 { return float64(len(v)) }, countMembers},
}

func checkAggregate(c *checker, n *callNode) (kind, error) {
	k, err := c.arg(n, 0, kindSeries, kindArray)
	if k == kindArray {
		return kindSeries, err
	}
	return kindScalar, err
}

func (a aggregate) eval(e *evaluator, n *callNode) (value, error) {
	v, err := e.eval(n.args[0])
	if err != nil {
		return value{}, err
	}
	if v.kind == kindSeries {
		return scalar(a.ofSeries(v.series[0].Values, e.slotCount(&v.series[0]))), nil
	}
	return e.aggregate(a, v.series)
}

func (e *evaluator) aggregate(a aggregate, members []Series) (value, error) {
	out := Series{}
	points := 0
	for i := range members {
		out.Period = smaller(out.Period, members[i].Period)
		points += len(members[i].Values)
	}
	// The members' own points are looked at once or twice, and merging may copy them.
	if err := e.charge(points); err != nil {
		return value{}, err
	}
	out.Timestamps = unionOfMembers(members)
	if err := e.charge(len(out.Timestamps)); err != nil {
		return value{}, err
	}
	out.Values = make([]float64, len(out.Timestamps))
	a.ofArray(out.Values, out.Timestamps, members)
	check := 0.0
	for _, v := range out.Values {
		check += v - v
	}
	v := single(finite(out, check))
	v.owned = true
	return v, nil
}

// unionOfMembers is the timestamps of all members, merged by halves.
func unionOfMembers(members []Series) []int64 {
	switch len(members) {
	case 0:
		return nil
	case 1:
		return members[0].Timestamps
	}
	half := len(members) / 2
	return union(unionOfMembers(members[:half]), unionOfMembers(members[half:]))
}

// union is the timestamps of both, or one of the slices itself when the other has nothing more.
func union(a, b []int64) []int64 {
	switch {
	case sameTimestamps(a, b), len(b) == 0:
		return a
	case len(a) == 0:
		return b
	}
	out := make([]int64, 0, len(a)+len(b))
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] < b[j]:
			out = append(out, a[i])
			i++
		case b[j] < a[i]:
			out = append(out, b[j])
			j++
		default:
			out = append(out, a[i])
			i, j = i+1, j+1
		}
	}
	return append(append(out, a[i:]...), b[j:]...)
}

// eachPoint calls f with the place among times of every point of the series.
func eachPoint(s *Series, times []int64, f func(place int, v float64)) {
	if sameTimestamps(s.Timestamps, times) {
		for i, v := range s.Values {
			f(i, v)
		}
		return
	}
	place := 0
	for i, v := range s.Values {
		for times[place] != s.Timestamps[i] {
			place++
		}
		f(place, v)
	}
}

func less(a, b float64) bool { return a < b }
func more(a, b float64) bool { return a > b }

func sum(values []float64) float64 {
	total := 0.0
	for _, v := range values {
		total += v
	}
	return total
}

func average(values []float64, slots int) float64 { return sum(values) / float64(slots) }

// deviation is that of the population of all slots.
func deviation(values []float64, slots int) float64 {
	mean, squares := average(values, slots), 0.0
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	squares += float64(slots-len(values)) * mean * mean
	return math.Sqrt(squares / float64(slots))
}

// extreme is not defined without points.
func extreme(values []float64, better func(a, b float64) bool) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	best := values[0]
	for _, v := range values {
		if better(v, best) {
			best = v
		}
	}
	return best
}

func sumMembers(out []float64, times []int64, members []Series) {
	for i := range members {
		s := &members[i]
		if sameTimestamps(s.Timestamps, times) {
			addColumns(out, out, s.Values)
			continue
		}
		eachPoint(s, times, func(place int, v float64) { out[place] += v })
	}
}

func averageMembers(out []float64, times []int64, members []Series) {
	sumMembers(out, times, members)
	for i := range out {
		out[i] /= float64(len(members))
	}
}

func extremeMembers(better func(a, b float64) bool) func(out []float64, times []int64, members []Series) {
	return func(out []float64, times []int64, members []Series) {
		for i := range out {
			out[i] = math.NaN()
		}
		for i := range members {
			eachPoint(&members[i], times, func(place int, v float64) {
				if math.IsNaN(out[place]) || better(v, out[place]) {
					out[place] = v
				}
			})
		}
	}
}

func countMembers(out []float64, times []int64, members []Series) {
	for i := range members {
		eachPoint(&members[i], times, func(place int, _ float64) { out[place]++ })
	}
}

func deviateMembers(out []float64, times []int64, members []Series) {
	means, present := make([]float64, len(times)), make([]float64, len(times))
	averageMembers(means, times, members)
	countMembers(present, times, members)
	for i := range members {
		eachPoint(&members[i], times, func(place int, v float64) { out[place] += (v - means[place]) * (v - means[place]) })
	}
	n := float64(len(members))
	for i := range out {
		out[i] = math.Sqrt((out[i] + (n-present[i])*means[i]*means[i]) / n)
	}
}
