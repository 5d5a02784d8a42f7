// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The differential test writes random expressions and, beside each part of the text, says what it is worth. It does so
// slot by slot over a fixed window, with no parser and none of the evaluator's code.

const diffSlots = 12

// slotted is a series with a place for each slot: NaN is a missing point.
type slotted [diffSlots]float64

func emptySlots() (s slotted) {
	for i := range s {
		s[i] = math.NaN()
	}
	return s
}

// clean makes everything that is not finite missing.
func clean(f float64) float64 {
	if f-f != 0 {
		return math.NaN()
	}
	return f
}

func perSlot(f func(i int) float64) (s slotted) {
	for i := range s {
		s[i] = clean(f(i))
	}
	return s
}

func missing(f float64) bool { return f != f }

func orZero(f float64) float64 {
	if missing(f) {
		return 0
	}
	return f
}

type writer struct {
	rand    *rand.Rand
	metrics []slotted
	// series are what the expressions before this one came to.
	series []slotted
}

func (w *writer) pick(n int) int { return w.rand.IntN(n) }

func operate(op string, a, b float64) float64 {
	is := func(c bool) float64 {
		if c {
			return 1
		}
		return 0
	}
	switch op {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "/":
		return a / b
	case "^":
		return math.Pow(a, b)
	case "==":
		return is(a == b)
	case "!=":
		return is(a != b)
	case "<":
		return is(a < b)
	case ">":
		return is(a > b)
	case "<=":
		return is(a <= b)
	case ">=":
		return is(a >= b)
	case "AND", "&&":
		return is(a != 0 && b != 0)
	}
	return is(a != 0 || b != 0)
}

var diffOperators = []string{"+", "-", "*", "/", "^", "==", "!=", "<", ">", "<=", ">=", "AND", "&&", "OR", "||"}

func (w *writer) operator() string {
	if w.pick(2) == 0 {
		return diffOperators[w.pick(4)]
	}
	return diffOperators[w.pick(len(diffOperators))]
}

func join(left, op, right string) string { return "(" + left + ") " + op + " (" + right + ")" }

func (w *writer) scalar(depth int) (string, float64) {
	if depth <= 0 || w.pick(3) == 0 {
		n := w.pick(7)
		return strconv.Itoa(n), float64(n)
	}
	switch w.pick(4) {
	case 0:
		op := w.operator()
		at, a := w.scalar(depth - 1)
		bt, b := w.scalar(depth - 1)
		if missing(a) || missing(b) {
			return join(at, op, bt), math.NaN()
		}
		return join(at, op, bt), clean(operate(op, a, b))
	case 1:
		text, a := w.scalar(depth - 1)
		return "-(" + text + ")", -a
	case 2:
		text, list := w.array(depth - 1)
		return "METRIC_COUNT(" + text + ")", float64(len(list))
	}
	name := diffAggregates[w.pick(len(diffAggregates))]
	text, s := w.ts(depth - 1)
	return name + "(" + text + ")", clean(fold(name, s[:], diffSlots))
}

var diffAggregates = []string{"SUM", "AVG", "MIN", "MAX", "STDDEV", "DATAPOINT_COUNT"}

// fold is what an aggregate makes of values, some of them missing, that stand for so many.
func fold(name string, values []float64, of int) float64 {
	total, count, low, high := 0.0, 0.0, math.NaN(), math.NaN()
	for _, v := range values {
		if missing(v) {
			continue
		}
		total += v
		count++
		if !(v >= low) {
			low = v
		}
		if !(v <= high) {
			high = v
		}
	}
	switch name {
	case "SUM":
		return total
	case "AVG":
		return total / float64(of)
	case "MIN":
		return low
	case "MAX":
		return high
	case "DATAPOINT_COUNT":
		return count
	}
	mean, squares := total/float64(of), 0.0
	for _, v := range values {
		if !missing(v) {
			squares += (v - mean) * (v - mean)
		}
	}
	squares += (float64(of) - count) * mean * mean
	return math.Sqrt(squares / float64(of))
}

func (w *writer) ts(depth int) (string, slotted) {
	if depth <= 0 || w.pick(5) == 0 {
		if n := len(w.series); n > 0 && w.pick(4) == 0 {
			i := w.pick(n)
			return "e" + strconv.Itoa(i), w.series[i]
		}
		i := w.pick(len(w.metrics))
		return "m" + strconv.Itoa(i), w.metrics[i]
	}
	switch w.pick(12) {
	case 0, 1:
		op := w.operator()
		at, a := w.ts(depth - 1)
		bt, b := w.ts(depth - 1)
		return join(at, op, bt), perSlot(func(i int) float64 {
			if missing(a[i]) && missing(b[i]) {
				return math.NaN()
			}
			return operate(op, orZero(a[i]), orZero(b[i]))
		})
	case 2:
		op := w.operator()
		at, a := w.ts(depth - 1)
		bt, b := w.scalar(depth - 1)
		forwards := w.pick(2) == 0
		text := join(at, op, bt)
		if !forwards {
			text = join(bt, op, at)
		}
		return text, perSlot(func(i int) float64 {
			switch {
			case missing(a[i]) || missing(b):
				return math.NaN()
			case forwards:
				return operate(op, a[i], b)
			}
			return operate(op, b, a[i])
		})
	case 3:
		text, a := w.ts(depth - 1)
		name, f := w.function()
		return name + "(" + text + ")", f(a)
	case 4:
		name := diffAggregates[w.pick(len(diffAggregates))]
		text, list := w.array(depth - 1)
		return name + "(" + text + ")", perSlot(func(i int) float64 {
			column, any := make([]float64, len(list)), false
			for j := range list {
				column[j] = list[j][i]
				any = any || !missing(column[j])
			}
			if !any {
				return math.NaN()
			}
			return fold(name, column, len(list))
		})
	case 5:
		return w.fill(depth)
	case 6, 7:
		return w.choice(depth)
	case 8:
		text, a := w.scalar(depth - 1)
		return "TIME_SERIES(" + text + ")", perSlot(func(int) float64 { return a })
	case 9:
		text, list := w.array(depth - 1)
		name, i := "FIRST", 0
		if w.pick(2) == 0 {
			name, i = "LAST", len(list)-1
		}
		if len(list) == 0 {
			return name + "(" + text + ")", emptySlots()
		}
		return name + "(" + text + ")", list[i]
	case 10:
		text, _ := w.ts(depth - 1)
		part := w.pick(2)
		return []string{"MINUTE", "HOUR"}[part] + "(" + text + ")", perSlot(func(i int) float64 {
			t := time.Unix(testStart, 0).UTC().Add(time.Duration(i) * time.Minute)
			return float64([]int{t.Minute(), t.Hour()}[part])
		})
	}
	text, a := w.ts(depth - 1)
	return "-(" + text + ")", perSlot(func(i int) float64 { return -a[i] })
}

// function is one that makes a series of a series.
func (w *writer) function() (string, func(slotted) slotted) {
	pointwise := func(f func(float64) float64) func(slotted) slotted {
		return func(s slotted) slotted { return perSlot(func(i int) float64 { return f(s[i]) }) }
	}
	// previous gives f the point, the one before it and the slots between them.
	previous := func(f func(v, before, slots float64) float64) func(slotted) slotted {
		return func(s slotted) slotted {
			return perSlot(func(i int) float64 {
				for j := i - 1; j >= 0 && !missing(s[i]); j-- {
					if !missing(s[j]) {
						return f(s[i], s[j], float64(i-j))
					}
				}
				return math.NaN()
			})
		}
	}
	switch w.pick(9) {
	case 0:
		return "ABS", pointwise(math.Abs)
	case 1:
		return "CEIL", pointwise(math.Ceil)
	case 2:
		return "FLOOR", pointwise(math.Floor)
	case 3:
		return "LOG", pointwise(math.Log)
	case 4:
		return "LOG10", pointwise(math.Log10)
	case 5:
		return "DIFF", previous(func(v, before, _ float64) float64 { return v - before })
	case 6:
		return "RATE", previous(func(v, before, slots float64) float64 { return (v - before) / (60 * slots) })
	case 7:
		return "DIFF_TIME", previous(func(_, _, slots float64) float64 { return 60 * slots })
	}
	return "RUNNING_SUM", func(s slotted) slotted {
		return perSlot(func(i int) float64 {
			if missing(s[i]) {
				return math.NaN()
			}
			total := 0.0
			for _, v := range s[:i+1] {
				total += orZero(v)
			}
			return total
		})
	}
}

func (w *writer) fill(depth int) (string, slotted) {
	text, a := w.ts(depth - 1)
	with, f := "", func(int) float64 { return 0 }
	switch w.pick(4) {
	case 0:
		t, v := w.scalar(depth - 1)
		with, f = t, func(int) float64 { return v }
	case 1:
		t, v := w.ts(depth - 1)
		with, f = t, func(i int) float64 { return v[i] }
	case 2:
		with, f = "REPEAT", func(i int) float64 {
			for ; i >= 0; i-- {
				if !missing(a[i]) {
					return a[i]
				}
			}
			return math.NaN()
		}
	default:
		with, f = "LINEAR", func(i int) float64 {
			l, r := i, i
			for l >= 0 && missing(a[l]) {
				l--
			}
			for r < diffSlots && missing(a[r]) {
				r++
			}
			if l < 0 || r == diffSlots {
				return math.NaN()
			}
			return a[l] + (a[r]-a[l])*float64(60*(i-l))/float64(60*(r-l))
		}
	}
	return "FILL(" + text + ", " + with + ")", perSlot(func(i int) float64 {
		if missing(a[i]) {
			return f(i)
		}
		return a[i]
	})
}

func (w *writer) choice(depth int) (string, slotted) {
	if w.pick(4) == 0 {
		ct, c := w.scalar(depth - 1)
		at, a := w.ts(depth - 1)
		if w.pick(2) == 0 {
			if missing(c) || c == 0 {
				a = emptySlots()
			}
			return "IF(" + ct + ", " + at + ")", a
		}
		bt, b := w.ts(depth - 1)
		switch {
		case missing(c):
			a = emptySlots()
		case c == 0:
			a = b
		}
		return "IF(" + ct + ", " + at + ", " + bt + ")", a
	}
	ct, c := w.ts(depth - 1)
	branch := func() (string, slotted, bool) {
		if w.pick(2) == 0 {
			text, v := w.scalar(depth - 1)
			var s slotted
			for i := range s {
				s[i] = v
			}
			return text, s, true
		}
		text, s := w.ts(depth - 1)
		return text, s, false
	}
	at, a, constant := branch()
	b, text := emptySlots(), "IF("+ct+", "+at
	if w.pick(3) > 0 {
		var bt string
		bt, b, _ = branch()
		text += ", " + bt
	}
	return text + ")", perSlot(func(i int) float64 {
		switch {
		case missing(c[i]):
			return math.NaN()
		case c[i] == 0:
			return b[i]
		case constant:
			return a[i]
		}
		return orZero(a[i])
	})
}

func (w *writer) array(depth int) (string, []slotted) {
	if depth <= 0 || w.pick(4) == 0 {
		if w.pick(4) == 0 {
			return "METRICS('1')", w.metrics[1:2]
		}
		return "METRICS()", w.metrics
	}
	switch w.pick(8) {
	case 0, 1:
		text, list := "[", []slotted(nil)
		for i := range 1 + w.pick(3) {
			if i > 0 {
				text += ", "
			}
			if w.pick(3) == 0 {
				t, l := w.array(depth - 1)
				text, list = text+t, append(slices.Clone(list), l...)
				continue
			}
			t, s := w.ts(depth - 1)
			text, list = text+t, append(slices.Clone(list), s)
		}
		return text + "]", list
	case 2:
		text, list := w.array(depth - 1)
		from := w.pick(3)
		return fmt.Sprintf("SLICE(%s, %d)", text, from), list[min(from, len(list)):]
	case 3:
		text, list := w.array(depth - 1)
		from, to := w.pick(3), 1+w.pick(3)
		return fmt.Sprintf("SLICE(%s, %d, %d)", text, from, to), list[min(from, len(list)):max(min(from, len(list)), min(to, len(list)))]
	case 4:
		text, list := w.array(depth - 1)
		list = slices.DeleteFunc(slices.Clone(list), func(s slotted) bool { return fold("DATAPOINT_COUNT", s[:], diffSlots) == 0 })
		return "REMOVE_EMPTY(" + text + ")", list
	case 5:
		return w.sorted(depth)
	case 6:
		text, list := w.array(depth - 1)
		name, f := w.function()
		out := make([]slotted, len(list))
		for i := range list {
			out[i] = f(list[i])
		}
		return name + "(" + text + ")", out
	}
	op := w.operator()
	at, list := w.array(depth - 1)
	bt, b := w.ts(depth - 1)
	forwards := w.pick(2) == 0
	out := make([]slotted, len(list))
	for j, a := range list {
		out[j] = perSlot(func(i int) float64 {
			switch {
			case missing(a[i]) && missing(b[i]):
				return math.NaN()
			case forwards:
				return operate(op, orZero(a[i]), orZero(b[i]))
			}
			return operate(op, orZero(b[i]), orZero(a[i]))
		})
	}
	if forwards {
		return join(at, op, bt), out
	}
	return join(bt, op, at), out
}

// sorted sorts by insertion.
func (w *writer) sorted(depth int) (string, []slotted) {
	text, list := w.array(depth - 1)
	name, order := diffAggregates[w.pick(4)], []string{"ASC", "DESC"}[w.pick(2)]
	out := slices.Clone(list)
	for i := 1; i < len(out); i++ {
		for j := i; j > 0; j-- {
			a, b := clean(fold(name, out[j-1][:], diffSlots)), clean(fold(name, out[j][:], diffSlots))
			swap := order == "ASC" && b < a || order == "DESC" && b > a || missing(a) && !missing(b)
			if !swap {
				break
			}
			out[j-1], out[j] = out[j], out[j-1]
		}
	}
	if w.pick(2) == 0 {
		n := w.pick(4)
		return fmt.Sprintf("SORT(%s, %s, %s, %d)", text, name, order, n), out[:min(n, len(out))]
	}
	return fmt.Sprintf("SORT(%s, %s, %s)", text, name, order), out
}

func (w *writer) metric() slotted {
	density := w.pick(4)
	return perSlot(func(int) float64 {
		if w.pick(4) < density {
			return math.NaN()
		}
		return float64(w.pick(9)-3) / 2
	})
}

// differ evaluates random expressions both ways.
func differ(t *testing.T, seed uint64) {
	t.Helper()
	w := &writer{rand: rand.New(rand.NewPCG(seed, 1))}
	r := &testRequest{env: Env{Window: Window{Start: testStart, End: testStart + 60*diffSlots}, Period: 60, Metrics: make(map[string]Series)}}
	for i := range 3 {
		s := w.metric()
		w.metrics = append(w.metrics, s)
		id, series := "m"+strconv.Itoa(i), Series{Period: 60}
		for j, v := range s {
			if !missing(v) {
				series.Timestamps, series.Values = append(series.Timestamps, testStart+60*int64(j)), append(series.Values, v)
			}
		}
		r.ids, r.env.Metrics[id] = append(r.ids, id), series
	}
	var wants [][]slotted
	add := func(text string, want ...slotted) {
		if x, err := Parse(text); err == nil {
			r.queries = append(r.queries, Query{ID: "e" + strconv.Itoa(len(wants)), Expr: x})
			wants = append(wants, want)
		} else if len(text) <= MaxLength {
			t.Fatalf("seed %d: %s: %v", seed, text, err)
		}
	}
	for range 4 {
		text, s := w.ts(5)
		if len(text) > MaxLength {
			continue
		}
		add(text, s)
		w.series = append(w.series, s)
	}
	text, list := w.array(5)
	add(text, list...)
	results, err := r.run(t)
	require.NoError(t, err, "seed %d: %v", seed, r.queries)
	for i, res := range results {
		require.Len(t, res.Series, len(wants[i]), "seed %d: %s", seed, r.queries[i].Expr)
		for j := range res.Series {
			s := &res.Series[j]
			require.NoError(t, s.check())
			got := emptySlots()
			for k, at := range s.Timestamps {
				got[(at-testStart)/60] = s.Values[k]
			}
			for k, want := range wants[i][j] {
				if missing(want) != missing(got[k]) || !missing(want) && math.Abs(want-got[k]) > 1e-9*math.Max(1, math.Abs(want)) {
					t.Fatalf("seed %d: %s\nmetrics %v\nseries %d slot %d: got %v, want %v", seed, r.queries[i].Expr, w.metrics, j, k, got, wants[i][j])
				}
			}
		}
	}
}

func TestDifference(t *testing.T) {
	for seed := range uint64(3000) {
		differ(t, seed)
	}
}

func FuzzDifference(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(differ)
}
