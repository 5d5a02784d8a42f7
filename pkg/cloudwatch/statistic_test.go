// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseStatistic(t *testing.T) {
	for _, name := range []string{
		"SampleCount", "Average", "Sum", "Minimum", "Maximum", "IQM",
		"p0", "p50", "p99.9", "p99.0123456789", "p100", "p100.0", "tm99", "tc90", "ts90", "wm98",
		"TM(10%:90%)", "TM(10%:)", "TC(:0.5)", "TS(1:2)", "WM(:95%)", "PR(:300)", "PR(100:2000)", "TM(-5:5)", "TC(1e3:1E6)",
	} {
		s, ok := ParseStatistic(name)
		assert.True(t, ok, name)
		assert.Equal(t, name, s.String())
	}
	for _, name := range []string{
		"", "average", "Median", "p", "p101", "p100.1", "p-1", "p99.01234567890", "P99", "pp99", "p99 ",
		"tm0", "TM(:)", "TM()", "TM(1:2:3)", "TM(10%:90)", "TM(10:90%)", "TM(90%:10%)", "TM(5:5)", "TM(0%:101%)",
		"PR(10%:90%)", "tm(10%:90%)", "TM99", "pr99", "IQM(1:2)", "TM(a:b)", "TM(NaN:1)", "TM(Inf:)", "o99",
	} {
		_, ok := ParseStatistic(name)
		assert.False(t, ok, name)
	}
}

type period struct {
	StatisticSet
	Distribution *Distribution
}

func bucketOf(values ...float64) *period {
	b := &period{Distribution: &Distribution{}}
	for i, v := range values {
		if i == 0 {
			b.Minimum, b.Maximum = v, v
		}
		b.Distribution.Add(v, 1)
		b.SampleCount++
		b.Sum += v
		b.Minimum, b.Maximum = min(b.Minimum, v), max(b.Maximum, v)
	}
	return b
}

func TestStatisticOfSamples(t *testing.T) {
	var hundred []float64
	for i := range 100 {
		hundred = append(hundred, float64(i+1))
	}
	b := bucketOf(hundred...)
	for _, c := range []struct {
		name   string
		want   float64
		within float64
	}{
		{"SampleCount", 100, 0},
		{"Sum", 5050, 0},
		{"Average", 50.5, 0},
		{"Minimum", 1, 0},
		{"Maximum", 100, 0},
		{"p0", 1, 0},
		{"p100", 100, 0},
		{"p50", 50.743, 0.001}, // these three are what CloudWatch's sketch gives
		{"p90", 90.085, 0.001},
		{"p99", 98.996, 0.001},
		{"TC(10:20)", 10, 0},
		{"TS(10:20)", 155, 0},
		{"TM(10:20)", 15.5, 0},
		{"PR(10:20)", 10, 0},
		{"PR(:20)", 20, 0},
		{"TC(10%:90%)", 80, 0},
		{"TM(10%:90%)", 50.5, 0},
		{"IQM", 50.5, 0},
		{"tc90", 90, 0},
		{"tm100", 50.5, 0},
		{"WM(10:90)", (10*10 + 90*10 + 4040.0) / 100, 0.001},
	} {
		s, ok := ParseStatistic(c.name)
		require.True(t, ok, c.name)
		got, ok := s.Of(&b.StatisticSet, b.Distribution)
		require.True(t, ok, c.name)
		assert.InDelta(t, c.want, got, c.within+1e-9, c.name)
	}
}

// TestStatisticUnknown holds the cases in which CloudWatch has no value.
func TestStatisticUnknown(t *testing.T) {
	set := &period{StatisticSet: StatisticSet{SampleCount: 4, Sum: 10, Minimum: 1, Maximum: 4}}
	part := &period{StatisticSet: StatisticSet{SampleCount: 0.5, Sum: 1, Minimum: 2, Maximum: 2}}
	empty := &period{}
	for _, c := range []struct {
		what   string
		bucket *period
		stat   string
		want   float64 // NaN: none
	}{
		{"a statistic set has no percentiles", set, "p50", math.NaN()},
		{"but its ends", set, "p0", 1},
		{"but its ends", set, "p100", 4},
		{"a statistic set has no trimmed mean", set, "tm90", math.NaN()},
		{"a statistic set has an average", set, "Average", 2.5},
		{"negative samples", bucketOf(-1, 2), "p50", math.NaN()},
		{"negative samples have ends", bucketOf(-1, 2), "p0", -1},
		{"less than one sample", part, "p50", math.NaN()},
		{"less than one sample", part, "p100", math.NaN()},
		{"less than one sample has an average", part, "Average", 2},
		{"nothing to divide by", empty, "Average", math.NaN()},
		{"nothing inside", bucketOf(1, 2), "TM(10:20)", math.NaN()},
		{"nothing inside is a count", bucketOf(1, 2), "TC(10:20)", 0},
	} {
		s, ok := ParseStatistic(c.stat)
		require.True(t, ok, c.stat)
		got, ok := s.Of(&c.bucket.StatisticSet, c.bucket.Distribution)
		assert.Equal(t, !math.IsNaN(c.want), ok, "%s: %s", c.what, c.stat)
		if ok {
			assert.InDelta(t, c.want, got, 1e-9, "%s: %s", c.what, c.stat)
		}
	}
}

func FuzzParseStatistic(f *testing.F) {
	for _, name := range []string{"p99.9", "TM(10%:90%)", "PR(:300)", "IQM", "TM(1e3:)"} {
		f.Add(name)
	}
	b := bucketOf(1, 2, 3)
	f.Fuzz(func(t *testing.T, name string) {
		if s, ok := ParseStatistic(name); ok {
			if v, ok := s.Of(&b.StatisticSet, b.Distribution); ok && math.IsNaN(v) {
				t.Fatalf("%s of 1, 2, 3 is NaN", name)
			}
		}
	})
}
