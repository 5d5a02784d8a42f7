// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"math"
	"strconv"
	"strings"
)

// function is a scalar function.
type function struct {
	spelling string // as the documentation writes it
	min, max int    // arguments; max -1 is any number
	eval     func(*env, []value) value
	// prepare, when not nil, makes eval from the call, to check and compile constant arguments once.
	prepare func(*Call) (func(*env, []value) value, error)
}

// scalarFamilies holds the functions by family.
var scalarFamilies = []map[string]function{
	numericFunctions, generalFunctions, stringFunctions, dateFunctions, ipFunctions, jsonFunctions, codeFunctions,
}

func scalarFunction(name string) function {
	for _, family := range scalarFamilies {
		if f, ok := family[name]; ok {
			return f
		}
	}
	return function{}
}

// isFunction is whether there is such a function, in any case.
func isFunction(name string) bool {
	name = strings.ToLower(name)
	return scalarFunction(name).spelling != "" || isAggregate(name) || takesPeriod(name)
}

// unsupportedFunctions exist in CloudWatch Logs and not here.
var unsupportedFunctions = []string{"topk", "rate", "countovertime", "sumovertime", "histogram"}

// takesPeriod is whether an argument of the function may be a period.
func takesPeriod(name string) bool {
	switch name {
	case "bin", "datefloor", "dateceil":
		return true
	}
	return false
}

func functionSpelling(name string) string {
	if f := scalarFunction(name); f.spelling != "" {
		return f.spelling
	}
	if a, ok := aggregates[name]; ok {
		return a.spelling
	}
	return name
}

func itoa(n int) string { return strconv.Itoa(n) }

func arithmetic(op string) func(a, b float64) float64 {
	switch op {
	case "+":
		return func(a, b float64) float64 { return a + b }
	case "-":
		return func(a, b float64) float64 { return a - b }
	case "*":
		return func(a, b float64) float64 { return a * b }
	case "/":
		return func(a, b float64) float64 {
			if b == 0 {
				return math.NaN()
			}
			return a / b
		}
	case "%":
		return math.Mod
	}
	return math.Pow
}

// asMillis is the value as a time.
func (v value) asMillis() (int64, bool) {
	f, ok := v.asNumber()
	if !ok || v.kind == boolean || math.Abs(f) > 8.64e15 {
		return 0, false
	}
	return int64(math.Floor(f)), true
}

// asWhole is the value as a whole number, fractions cut off.
func (v value) asWhole() (int64, bool) {
	f, ok := v.asNumber()
	if !ok || math.Abs(f) >= 1<<63 {
		return 0, false
	}
	return int64(f), true
}

// numeric1 is a function of one number.
func numeric1(f func(float64) float64) func(*env, []value) value {
	return func(_ *env, a []value) value {
		x, ok := a[0].asNumber()
		if !ok {
			return value{}
		}
		return numberValue(f(x))
	}
}

// text1 is a function of one text.
func text1(f func(string) value) func(*env, []value) value {
	return func(_ *env, a []value) value {
		s, ok := a[0].asText()
		if !ok {
			return value{}
		}
		return f(s)
	}
}
