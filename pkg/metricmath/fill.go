// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

import "math"

func checkFill(c *checker, n *callNode) (kind, error) {
	k, err := c.arg(n, 0, kindSeries, kindArray)
	if err != nil {
		return "", err
	}
	if _, ok := n.args[1].(*wordNode); ok {
		return k, c.word(n, 1, "REPEAT", "LINEAR")
	}
	_, err = c.arg(n, 1, kindScalar, kindSeries)
	return k, err
}

// fill gives points to the slots that have none.
func fill(e *evaluator, n *callNode) (value, error) {
	v, err := e.eval(n.args[0])
	if err != nil {
		return value{}, err
	}
	var with func(s *Series, times []int64, out []float64)
	if w, ok := n.args[1].(*wordNode); ok {
		with = fillRepeat
		if w.name == "LINEAR" {
			with = fillLinear
		}
	} else {
		filler, err := e.eval(n.args[1])
		if err != nil {
			return value{}, err
		}
		with = fillFrom(filler)
	}
	return e.each(v, func(s Series) (Series, error) {
		grid, err := e.grid(e.periodOf(&s))
		if err != nil {
			return Series{}, err
		}
		times := union(grid, s.Timestamps)
		if err := e.charge(len(times)); err != nil {
			return Series{}, err
		}
		out := make([]float64, len(times))
		for i := range out {
			out[i] = math.NaN()
		}
		eachPoint(&s, times, func(place int, f float64) { out[place] = f })
		with(&s, times, out)
		s.Timestamps, s.Values = times, out
		return finite(s, math.NaN()), nil
	})
}

// fillFrom fills with a number, or with the point that another series has at the time.
func fillFrom(filler value) func(*Series, []int64, []float64) {
	if filler.kind == kindScalar {
		return func(_ *Series, _ []int64, out []float64) {
			for i := range out {
				if math.IsNaN(out[i]) {
					out[i] = filler.number
				}
			}
		}
	}
	other := &filler.series[0]
	return func(_ *Series, times []int64, out []float64) {
		j := 0
		for i := range out {
			for j < len(other.Timestamps) && other.Timestamps[j] < times[i] {
				j++
			}
			if math.IsNaN(out[i]) && j < len(other.Timestamps) && other.Timestamps[j] == times[i] {
				out[i] = other.Values[j]
			}
		}
	}
}

// fillRepeat carries points forward; there is nothing to carry before the first.
func fillRepeat(_ *Series, _ []int64, out []float64) {
	for i := 1; i < len(out); i++ {
		if math.IsNaN(out[i]) {
			out[i] = out[i-1]
		}
	}
}

// fillLinear draws lines between neighbours; nothing comes before the first point or behind the last one.
func fillLinear(s *Series, times []int64, out []float64) {
	right := 0 // the first point at or behind the slot
	for i, at := range times {
		for right < len(s.Timestamps) && s.Timestamps[right] < at {
			right++
		}
		if right == 0 || right == len(s.Timestamps) || s.Timestamps[right] == at {
			continue
		}
		t0, t1 := s.Timestamps[right-1], s.Timestamps[right]
		v0, v1 := s.Values[right-1], s.Values[right]
		out[i] = v0 + (v1-v0)*float64(at-t0)/float64(t1-t0)
	}
}
