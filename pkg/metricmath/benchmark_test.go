// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// benchmarkEnv has a week of minutes of each of n metrics. Without shared timestamps each has its own copy.
func benchmarkEnv(n int, shared bool) (ids []string, env *Env) {
	const slots = 7 * 1440
	env = &Env{
		Window: Window{Start: testStart, End: testStart + 60*slots}, Period: 60, Metrics: make(map[string]Series),
		Limits: Limits{Points: 1 << 40},
	}
	var times []int64
	for i := range n {
		if !shared || i == 0 {
			times = make([]int64, slots)
			for j := range times {
				times[j] = testStart + 60*int64(j)
			}
		}
		s := Series{Period: 60, Timestamps: times, Values: make([]float64, slots)}
		for j := range s.Values {
			s.Values[j] = float64(i*j%97 + 1)
		}
		id := "m" + strconv.Itoa(i)
		ids, env.Metrics[id] = append(ids, id), s
	}
	return ids, env
}

// BenchmarkEvaluate counts the points that the expressions read.
func BenchmarkEvaluate(b *testing.B) {
	const slots = 7 * 1440
	for _, c := range []struct {
		name, text string
		metrics    int
		reads      int
		shared     bool
	}{
		{"add/shared times", "m0+m1", 2, 2, true},
		{"add/own times", "m0+m1", 2, 2, false},
		{"error rate", "100*(m0/(m1+m2))", 3, 3, false},
		{"compare", "IF(m0>m1, m0, 0)", 2, 3, false},
		{"sum of 50", "SUM(METRICS())", 50, 50, false},
		{"stddev of 50", "STDDEV(METRICS())", 50, 50, false},
		{"fill 50", "FILL(METRICS(), 0)", 50, 50, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			ids, env := benchmarkEnv(c.metrics, c.shared)
			x, err := Parse(c.text)
			require.NoError(b, err)
			p, err := Compile(ids, []Query{{ID: "e1", Expr: x}})
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				results, err := p.Evaluate(b.Context(), env)
				if err != nil || len(results[0].Series[0].Values) != slots {
					b.Fatal(err, len(results))
				}
			}
			b.ReportMetric(float64(b.N)*float64(c.reads*slots)/b.Elapsed().Seconds()/1e6, "Mpoints/s")
		})
	}
	b.Run("gaps", func(b *testing.B) {
		ids, env := benchmarkEnv(2, false)
		s := env.Metrics["m1"]
		s.Timestamps, s.Values = s.Timestamps[1:], s.Values[1:]
		env.Metrics["m1"] = s
		x, err := Parse("m0+m1")
		require.NoError(b, err)
		p, err := Compile(ids, []Query{{ID: "e1", Expr: x}})
		require.NoError(b, err)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := p.Evaluate(b.Context(), env); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)*2*slots/b.Elapsed().Seconds()/1e6, "Mpoints/s")
	})
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(`IF(FILL(m1, 0) > 100 AND SUM(METRICS("errors"))/m2 >= 0.5, m1^2, SLICE([m3], 0))`); err != nil {
			b.Fatal(err)
		}
	}
}
