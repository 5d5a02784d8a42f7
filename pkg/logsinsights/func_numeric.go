// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"math"
	"strconv"
	"strings"
)

var numericFunctions = map[string]function{
	"abs":       {spelling: "abs", min: 1, max: 1, eval: numeric1(math.Abs)},
	"ceil":      {spelling: "ceil", min: 1, max: 1, eval: numeric1(math.Ceil)},
	"floor":     {spelling: "floor", min: 1, max: 1, eval: numeric1(math.Floor)},
	"log":       {spelling: "log", min: 1, max: 1, eval: numeric1(math.Log)},
	"sqrt":      {spelling: "sqrt", min: 1, max: 1, eval: numeric1(math.Sqrt)},
	"greatest":  {spelling: "greatest", min: 1, max: -1, eval: extreme(func(a, b float64) bool { return a > b })},
	"least":     {spelling: "least", min: 1, max: -1, eval: extreme(func(a, b float64) bool { return a < b })},
	"round":     {spelling: "round", min: 1, max: 2, eval: round},
	"tonumber":  {spelling: "toNumber", min: 1, max: 1, eval: numeric1(func(f float64) float64 { return f })},
	"todouble":  {spelling: "toDouble", min: 1, max: 1, eval: numeric1(func(f float64) float64 { return f })},
	"toint":     {spelling: "toInt", min: 1, max: 1, eval: truncated(math.MinInt32, math.MaxInt32)},
	"tolong":    {spelling: "toLong", min: 1, max: 1, eval: toLong},
	"haversine": {spelling: "haversine", min: 4, max: 4, eval: haversine},
}

// extreme picks a number; one that is missing makes the result missing.
func extreme(better func(a, b float64) bool) func(*env, []value) value {
	return func(_ *env, args []value) value {
		var best float64
		for i, a := range args {
			f, ok := a.asNumber()
			if !ok {
				return value{}
			}
			if i == 0 || better(f, best) {
				best = f
			}
		}
		return numberValue(best)
	}
}

// round rounds halves away from zero, to d decimals.
func round(_ *env, a []value) value {
	x, ok := a[0].asNumber()
	if !ok {
		return value{}
	}
	if len(a) == 1 {
		return numberValue(math.Round(x))
	}
	d, ok := a[1].asWhole()
	if !ok || d < -300 || d > 300 {
		return value{}
	}
	// By decimal digits: 1.005 times 100 is below 100.5 in binary.
	if d >= 0 {
		s := strconv.FormatFloat(math.Abs(x), 'f', -1, 64)
		if dot := strings.IndexByte(s, '.'); dot < 0 || len(s)-dot-1 <= int(d) {
			return numberValue(x)
		}
	}
	scale := math.Pow(10, float64(d))
	r := math.Round(x*scale) / scale
	if math.IsNaN(r) || math.IsInf(r, 0) {
		return numberValue(x)
	}
	return numberValue(r)
}

// truncated cuts fractions off; a number beyond the range is missing.
func truncated(low, high float64) func(*env, []value) value {
	return numeric1(func(f float64) float64 {
		if f = math.Trunc(f); f < low || f > high {
			return math.NaN()
		}
		return f
	})
}

// toLong keeps all digits of a whole number.
func toLong(_ *env, a []value) value {
	if s, ok := a[0].asText(); ok && longWhole(s) {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return value{}
		}
		return value{kind: number, num: float64(n), str: s}
	}
	n, ok := a[0].asWhole()
	if !ok {
		return value{}
	}
	return numberValue(float64(n))
}

// haversine is the distance of two places on a sphere of the Earth's mean radius, in kilometres.
func haversine(_ *env, a []value) value {
	var r [4]float64
	for i := range r {
		f, ok := a[i].asNumber()
		if !ok {
			return value{}
		}
		r[i] = f * math.Pi / 180
	}
	lat, lon := math.Sin((r[2]-r[0])/2), math.Sin((r[3]-r[1])/2)
	h := lat*lat + math.Cos(r[0])*math.Cos(r[2])*lon*lon
	return numberValue(2 * 6371 * math.Asin(math.Sqrt(min(1, h))))
}
