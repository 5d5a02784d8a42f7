// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"math"
	"slices"
	"strings"

	"github.com/nephoscope/nephoscope/internal/store"
)

// aggregator gathers the values of one aggregate function for one group.
type aggregator interface {
	add(v value, r *row) error
	result() value
}

// aggregate is an aggregate function.
type aggregate struct {
	spelling string
	min, max int
	make     func(m *memory, p float64) aggregator
}

// percentile is whether the function has a percentage as its second argument.
func (a aggregate) percentile() bool { return a.spelling == "pct" || a.spelling == "percentile" }

var aggregates = map[string]aggregate{
	"count":          {"count", 0, 1, func(*memory, float64) aggregator { return &countAgg{} }},
	"count_distinct": {"count_distinct", 1, 1, newDistinct},
	"countdistinct":  {"count_distinct", 1, 1, newDistinct},
	"sum":            {"sum", 1, 1, func(*memory, float64) aggregator { return &sumAgg{} }},
	"avg":            {"avg", 1, 1, func(*memory, float64) aggregator { return &sumAgg{mean: true} }},
	"min":            {"min", 1, 1, func(*memory, float64) aggregator { return &extremeAgg{sign: -1} }},
	"max":            {"max", 1, 1, func(*memory, float64) aggregator { return &extremeAgg{sign: 1} }},
	"pct":            {"pct", 2, 2, newPercentile},
	"percentile":     {"percentile", 2, 2, newPercentile},
	"stddev":         {"stddev", 1, 1, func(*memory, float64) aggregator { return &varianceAgg{root: true} }},
	"variance":       {"variance", 1, 1, func(*memory, float64) aggregator { return &varianceAgg{} }},
	"earliest":       {"earliest", 1, 1, func(*memory, float64) aggregator { return &edgeAgg{sign: -1} }},
	"latest":         {"latest", 1, 1, func(*memory, float64) aggregator { return &edgeAgg{sign: 1} }},
	"sortsfirst":     {"sortsFirst", 1, 1, func(*memory, float64) aggregator { return &naturalAgg{sign: -1} }},
	"sortslast":      {"sortsLast", 1, 1, func(*memory, float64) aggregator { return &naturalAgg{sign: 1} }},
	"values":         {"values", 1, 1, newValues},
	"collect_values": {"values", 1, 1, newValues},
}

func isAggregate(name string) bool { return aggregates[name].make != nil }

type countAgg struct{ n int64 }

func (a *countAgg) add(v value, _ *row) error {
	if v.kind != missing {
		a.n++
	}
	return nil
}

func (a *countAgg) result() value { return numberValue(float64(a.n)) }

// sumAgg adds with Kahan's compensation, so that the sum hardly depends on the order.
type sumAgg struct {
	sum, lost float64
	n         int64
	mean      bool
}

func (a *sumAgg) add(v value, _ *row) error {
	if f, ok := v.asNumber(); ok {
		y := f - a.lost
		t := a.sum + y
		a.lost = (t - a.sum) - y
		a.sum = t
		a.n++
	}
	return nil
}

func (a *sumAgg) result() value {
	switch {
	case a.n == 0:
		return value{}
	case a.mean:
		return numberValue(a.sum / float64(a.n))
	}
	return numberValue(a.sum)
}

type extremeAgg struct {
	sign float64
	best float64
	any  bool
}

func (a *extremeAgg) add(v value, _ *row) error {
	if f, ok := v.asNumber(); ok && (!a.any || (f-a.best)*a.sign > 0) {
		a.best, a.any = f, true
	}
	return nil
}

func (a *extremeAgg) result() value {
	if !a.any {
		return value{}
	}
	return numberValue(a.best)
}

// varianceAgg is Welford's algorithm for the variance of a population.
type varianceAgg struct {
	n        int64
	mean, m2 float64
	root     bool
}

func (a *varianceAgg) add(v value, _ *row) error {
	if f, ok := v.asNumber(); ok {
		a.n++
		d := f - a.mean
		a.mean += d / float64(a.n)
		a.m2 += d * (f - a.mean)
	}
	return nil
}

func (a *varianceAgg) result() value {
	if a.n == 0 {
		return value{}
	}
	v := a.m2 / float64(a.n)
	if a.root {
		v = math.Sqrt(v)
	}
	return numberValue(v)
}

// percentileAgg interpolates between the closest ranks.
type percentileAgg struct {
	mem    *memory
	q      float64
	values []float64
}

func newPercentile(m *memory, p float64) aggregator { return &percentileAgg{mem: m, q: p / 100} }

func (a *percentileAgg) add(v value, _ *row) error {
	f, ok := v.asNumber()
	if !ok {
		return nil
	}
	if len(a.values) == cap(a.values) {
		if err := a.mem.add(8 * max(16, len(a.values))); err != nil {
			return err
		}
	}
	a.values = append(a.values, f)
	return nil
}

func (a *percentileAgg) result() value {
	if len(a.values) == 0 {
		return value{}
	}
	slices.Sort(a.values)
	rank := float64(len(a.values)-1) * a.q
	low, high := int(math.Floor(rank)), int(math.Ceil(rank))
	x, y := a.values[low], a.values[high]
	if low == high || x == y {
		return numberValue(x)
	}
	return numberValue(x + (y-x)*(rank-float64(low)))
}

type distinctAgg struct {
	mem  *memory
	seen map[string]struct{}
}

func newDistinct(m *memory, _ float64) aggregator {
	return &distinctAgg{m, map[string]struct{}{}}
}

func (a *distinctAgg) add(v value, _ *row) error {
	s, ok := v.key()
	if !ok {
		return nil
	}
	if _, ok := a.seen[s]; ok {
		return nil
	}
	a.seen[strings.Clone(s)] = struct{}{}
	return a.mem.add(len(s) + 48)
}

func (a *distinctAgg) result() value { return numberValue(float64(len(a.seen))) }

// edgeAgg keeps the value of the first or last event that has one. A time is given in milliseconds.
type edgeAgg struct {
	sign int
	at   store.LogPosition
	val  value
}

func (a *edgeAgg) add(v value, r *row) error {
	if v.kind == missing || v.kind == document {
		return nil
	}
	at := r.position()
	if a.val.kind == missing || comparePositions(at, a.at)*a.sign > 0 {
		a.at, a.val = at, v
	}
	return nil
}

func (a *edgeAgg) result() value {
	if a.val.kind == instant {
		return numberValue(a.val.num)
	}
	return a.val
}

type naturalAgg struct {
	sign int
	best value
}

func (a *naturalAgg) add(v value, _ *row) error {
	if rank(v) != rankMissing && (a.best.kind == missing || naturalCompare(v, a.best)*a.sign > 0) {
		a.best = v
	}
	return nil
}

func (a *naturalAgg) result() value { return a.best }

// valuesAgg lists the distinct values in natural order.
type valuesAgg struct {
	mem  *memory
	seen map[string]value
}

func newValues(m *memory, _ float64) aggregator { return &valuesAgg{m, map[string]value{}} }

func (a *valuesAgg) add(v value, _ *row) error {
	s, ok := v.key()
	if !ok {
		return nil
	}
	if _, ok := a.seen[s]; ok {
		return nil
	}
	a.seen[strings.Clone(s)] = v
	return a.mem.add(len(s) + 96)
}

func (a *valuesAgg) result() value {
	if len(a.seen) == 0 {
		return value{}
	}
	list := make([]value, 0, len(a.seen))
	for _, v := range a.seen {
		list = append(list, v)
	}
	slices.SortFunc(list, func(x, y value) int {
		if n := naturalCompare(x, y); n != 0 {
			return n
		}
		s, _ := x.key()
		t, _ := y.key()
		return strings.Compare(s, t)
	})
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i], _ = v.asText()
	}
	return textValue(strings.Join(texts, ","))
}
