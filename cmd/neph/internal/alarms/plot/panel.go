// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package plot draws what an alarm compares over time, with its threshold or band and the states that it was in: as text
// for terminals, and as SVG.
package plot

import (
	"math"
	"strconv"
	"time"

	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// Panel is one alarm over time.
type Panel struct {
	Title      string
	Start, End time.Time
	// Period is the distance of neighbouring points: where more is between two of them, the line is broken.
	Period time.Duration
	Points []Point
	// Threshold is nil for an alarm with a band.
	Threshold    *float64
	Lower, Upper []Point
	States       []Span
}

// Point is one value.
type Point struct {
	Time  time.Time
	Value float64
}

// Span is a time in a state.
type Span struct {
	From, To time.Time
	State    alarm.State
}

// scale is the y axis.
type scale struct {
	low, high, step float64
}

// steps is about how many steps the y axis has.
const steps = 4

func (p *Panel) scale() scale {
	low, high := math.Inf(1), math.Inf(-1)
	see := func(v float64) {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			low, high = min(low, v), max(high, v)
		}
	}
	for _, list := range [][]Point{p.Points, p.Lower, p.Upper} {
		for i := range list {
			see(list[i].Value)
		}
	}
	if p.Threshold != nil {
		see(*p.Threshold)
	}
	switch {
	case low > high:
		return scale{0, 1, 1}
	case low > 0 && low < high*0.7:
		low = 0
	case high < 0 && high > low*0.7:
		high = 0
	}
	span := high - low
	if span <= 0 || math.IsInf(span, 0) {
		span = max(math.Abs(high), 1)
		low, high = low-span/2, high+span/2
	}
	magnitude := math.Pow(10, math.Floor(math.Log10(span/steps)))
	step := magnitude
	for _, m := range []float64{1, 2, 5, 10} {
		if step = m * magnitude; span/step <= steps {
			break
		}
	}
	s := scale{math.Floor(low/step) * step, math.Ceil(high/step) * step, step}
	if s.high <= s.low {
		return scale{low, low + 1, 1}
	}
	return s
}

// part is how far up the axis a value is, from 0 to 1.
func (s scale) part(v float64) float64 { return (v - s.low) / (s.high - s.low) }

// ticks are the values with a label.
func (s scale) ticks() []float64 {
	var out []float64
	for i := range 2*steps + 2 {
		if v := s.low + float64(i)*s.step; v <= s.high+s.step/2 {
			out = append(out, math.Round(v/s.step)*s.step)
		}
	}
	return out
}

// number writes a value shortly: 1.5k, 20M, 0.001.
func number(v float64) string {
	for _, u := range []struct {
		size float64
		unit string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e4, "k"}} {
		if math.Abs(v) >= u.size {
			if u.unit == "k" {
				return strconv.FormatFloat(v/1e3, 'g', 4, 64) + "k"
			}
			return strconv.FormatFloat(v/u.size, 'g', 4, 64) + u.unit
		}
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// timeStep is a distance of labels of which at most n fit, and their layout.
func timeStep(span time.Duration, n int) (time.Duration, string) {
	for _, s := range []time.Duration{
		time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute,
		15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
		24 * time.Hour, 2 * 24 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour,
	} {
		if int(span/s) > n {
			continue
		}
		switch {
		case s < time.Minute:
			return s, "15:04:05"
		case s < 24*time.Hour && span <= 24*time.Hour:
			return s, "15:04"
		case s < 24*time.Hour:
			return s, "2 Jan 15h"
		}
		return s, "2 Jan"
	}
	return max(span, time.Second), "2 Jan 2006"
}
