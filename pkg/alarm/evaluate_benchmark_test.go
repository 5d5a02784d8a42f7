// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkEvaluate is an evaluation with its window, as an engine makes it every minute for every alarm.
func BenchmarkEvaluate(b *testing.B) {
	threeOfFive := func(m *MetricAlarm) { m.EvaluationPeriods, m.DatapointsToAlarm = 5, 3 }
	queries := func() *MetricAlarm {
		m := mathAlarm(metricQuery("m1"), metricQuery("m2"), Query{ID: "e1", Expression: "100 * m1 / m2"})
		threeOfFive(m)
		return m
	}
	for _, c := range []struct {
		name string
		m    *MetricAlarm
		last State
	}{
		{"unchanged", scalar(threeOfFive), StateOK},
		{"unchanged of a day", scalar(func(m *MetricAlarm) { m.EvaluationPeriods, m.DatapointsToAlarm = 1440, 10 }), StateOK},
		{"changed", scalar(threeOfFive), StateAlarm},
		{"math unchanged", queries(), StateOK},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := mustRule(b, c.m)
			now := time.Unix(1_800_000_000, 0)
			w := r.Window(now)
			points := make([]Point, len(w.Starts))
			for i, start := range w.Starts {
				points[i] = Point{Start: start, Value: float64(i % 3), SampleCount: 1}
			}
			data := make([][]Point, max(len(r.Inputs()), 1))
			for i := range data {
				data[i] = points
			}
			last := Status{State: c.last}
			if c.name == "math unchanged" {
				last.State = StateAlarm
			}
			env := &Env{}
			ctx := b.Context()
			b.ReportAllocs()
			for b.Loop() {
				r.WindowInto(now, &w)
				got := r.Evaluate(ctx, now, w, data, last, env)
				if !got.Decided || (got.Reason != "") != (c.name == "changed") {
					b.Fatal(got)
				}
			}
		})
	}
}

func TestEvaluateUnchangedDoesNotAllocate(t *testing.T) {
	r := mustRule(t, scalar(func(m *MetricAlarm) { m.EvaluationPeriods, m.DatapointsToAlarm = 5, 3 }))
	now := time.Unix(1_800_000_000, 0)
	w := r.Window(now)
	data := [][]Point{drawn(w, "0000000")}
	last, env, ctx := Status{State: StateOK}, &Env{}, t.Context()
	require.Zero(t, testing.AllocsPerRun(100, func() {
		r.WindowInto(now, &w)
		if got := r.Evaluate(ctx, now, w, data, last, env); got.State != StateOK {
			t.Fatal(got)
		}
	}))
}

// BenchmarkCompositeRule is a verdict over ten children.
func BenchmarkCompositeRule(b *testing.B) {
	rule, err := ParseCompositeRule("AT_LEAST(50%, ALARM, (a, b, c, d, e)) AND (OK(f) OR OK(g)) AND NOT (ALARM(h) OR ALARM(i) OR ALARM(j))",
		ruleTenant)
	require.NoError(b, err)
	states := make(map[string]State)
	for i, child := range rule.Children() {
		states[child.ARN] = []State{StateAlarm, StateOK}[i/5]
	}
	of := func(arn string) State { return states[arn] }
	b.ReportAllocs()
	for b.Loop() {
		if !rule.Evaluate(of) {
			b.Fatal("it does not hold")
		}
	}
}
