// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func distributionOf(values ...float64) *Distribution {
	d := new(Distribution)
	for _, v := range values {
		d.Add(v, 1)
	}
	return d
}

func oneTo(n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = float64(i + 1)
	}
	return values
}

func repeated(value float64, n int, more ...float64) []float64 {
	return append(slices.Repeat([]float64{value}, n), more...)
}

// The expected numbers are those of CloudWatch's sketch, to three decimals.
func TestPercentileOfSketch(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []float64
		want   map[float64]float64
	}{
		{"1..100", oneTo(100), map[float64]float64{0: 1, 50: 50.743, 90: 90.085, 99: 98.996, 100: 100}},
		{"10 x99, 100", repeated(10, 99, 100), map[float64]float64{0: 10, 50: 10.413, 99: 10.835, 100: 100}},
		{"10,20,30,40", []float64{10, 20, 30, 40}, map[float64]float64{50: 21.114, 90: 38.941}},
		{"one value", []float64{7.3}, map[float64]float64{0: 7.3, 50: 7.3, 99.9: 7.3, 100: 7.3}},
		{"equal values", repeated(123.456, 9), map[float64]float64{1: 123.456, 50: 123.456}},
		{"zeros", repeated(0, 9), map[float64]float64{50: 0}},
		{"zeros and a one", repeated(0, 9, 1), map[float64]float64{50: 0, 90: 0, 100: 1}},
		{"below the smallest bucket", []float64{1e-305, 2e-305}, map[float64]float64{0: 1e-305, 100: 2e-305}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			exact := distributionOf(tt.values...)
			sketch := distributionOf(tt.values...)
			sketch.toSketch()
			require.False(t, sketch.Exact())
			for p, want := range tt.want {
				for _, d := range []*Distribution{exact, sketch} {
					got, ok := d.Percentile(p)
					require.True(t, ok)
					assert.InDelta(t, want, got, 0.0005, "p%v exact=%v", p, d.Exact())
				}
			}
		})
	}
}

func TestPercentileAvailability(t *testing.T) {
	for _, tt := range []struct {
		name      string
		d         *Distribution
		p         float64
		available bool
	}{
		{"empty", new(Distribution), 50, false},
		{"negative sample, inside", distributionOf(-1, 5), 50, false},
		{"negative sample, p0", distributionOf(-1, 5), 0, true},
		{"negative sample, p100", distributionOf(-1, 5), 100, true},
		{"less than one sample", func() *Distribution { d := new(Distribution); d.Add(5, 0.5); return d }(), 50, false},
		{"no sample but a minimum", func() *Distribution { d := new(Distribution); d.Add(5, 0); return d }(), 50, false},
		{"incomplete", func() *Distribution { d := distributionOf(1, 2); d.Merge(nil); return d }(), 50, false},
		{"p below 0", distributionOf(1), -1, false},
		{"p above 100", distributionOf(1), 100.1, false},
		{"p not a number", distributionOf(1), math.NaN(), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, ok := tt.d.Percentile(tt.p)
			assert.Equal(t, tt.available, ok)
		})
	}
}

func TestAddRefusesWhatIsNoSample(t *testing.T) {
	d := new(Distribution)
	assert.False(t, d.Add(math.NaN(), 1))
	assert.False(t, d.Add(math.Inf(1), 1))
	assert.False(t, d.Add(1, -1))
	assert.False(t, d.Add(1, math.NaN()))
	assert.False(t, d.Add(1, math.Inf(1)))
	assert.Zero(t, d.Len())
	_, _, ok := d.Bounds()
	assert.False(t, ok)
}

func TestZeroCountMovesBounds(t *testing.T) {
	d := distributionOf(5)
	d.Add(1, 0)
	d.Add(9, 0)
	lo, hi, ok := d.Bounds()
	require.True(t, ok)
	assert.Equal(t, []float64{1, 9, 1}, []float64{lo, hi, d.Count()})
}

func TestBecomesSketch(t *testing.T) {
	d := distributionOf(oneTo(MaxExactValues)...)
	assert.True(t, d.Exact())
	assert.Equal(t, MaxExactValues, d.Len())
	d.Add(3, 2) // known already
	assert.True(t, d.Exact())
	d.Add(1000, 1)
	assert.False(t, d.Exact())
	assert.InDelta(t, MaxExactValues+3, d.Count(), 0)
	lo, hi, _ := d.Bounds()
	assert.Equal(t, []float64{1, 1000}, []float64{lo, hi})
	var n, previous float64
	for v, c := range d.Values {
		assert.Greater(t, v, previous)
		previous = v
		n += c
	}
	assert.InDelta(t, d.Count(), n, 0)
	assert.InDelta(t, 1000, previous, 0)
}

func TestByValue(t *testing.T) {
	inf := math.Inf(1)
	d := distributionOf(10, 20, 20, 30, 40)
	for _, tt := range []struct {
		low, high float64
		want      Range
	}{
		{10, 30, Range{Below: 1, Inside: 3, Above: 1, Sum: 70, Low: 10, High: 30}}, // lower exclusive, upper inclusive
		{-inf, 20, Range{Inside: 3, Above: 2, Sum: 50, Low: 10, High: 20}},
		{20, inf, Range{Below: 3, Inside: 2, Sum: 70, Low: 20, High: 40}},
		{0, 100, Range{Inside: 5, Sum: 120, Low: 0, High: 100}},
		{50, 60, Range{Below: 5, Low: 50, High: 60}},
		{30, 10, Range{Below: 4, Above: 1, Low: 30, High: 10}},
	} {
		assert.Equal(t, tt.want, d.ByValue(tt.low, tt.high), "(%v, %v]", tt.low, tt.high)
	}
	incomplete := d.Clone()
	incomplete.Merge(nil)
	assert.InDelta(t, 3, incomplete.ByValue(10, 30).Inside, 0)
	assert.InDelta(t, 2, distributionOf(-5, -1, 3).ByValue(-2, 3).Inside, 0)
	assert.Equal(t, Range{}, new(Distribution).ByValue(0, 0))
}

func TestByPercent(t *testing.T) {
	d := distributionOf(oneTo(100)...)
	iqm, ok := d.ByPercent(25, 75)
	require.True(t, ok)
	assert.Equal(t, Range{Below: 25, Inside: 50, Above: 25, Sum: 50 * 50.5, Low: 25, High: 75}, iqm)
	all, ok := d.ByPercent(0, 100)
	require.True(t, ok)
	assert.Equal(t, Range{Inside: 100, Sum: 5050, Low: 1, High: 100}, all)
	_, ok = distributionOf(-1, 1).ByPercent(0, 100)
	assert.False(t, ok)
	_, ok = d.ByPercent(60, 50)
	assert.False(t, ok)
}

// A sketch's trimmed statistics stay within its error of the exact ones.
func TestSketchRangesNearExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	exact, sketch := new(Distribution), new(Distribution)
	for range MaxExactValues {
		v := math.Round(math.Exp(rng.NormFloat64()*2+3)*1000) / 1000
		exact.Add(v, 1)
		sketch.Add(v, 1)
	}
	sketch.toSketch()
	require.True(t, exact.Exact())
	for _, b := range [][2]float64{{0, 100}, {10, 90}, {25, 75}, {0, 99}, {50, 100}} {
		want, ok := exact.ByPercent(b[0], b[1])
		require.True(t, ok)
		got, ok := sketch.ByPercent(b[0], b[1])
		require.True(t, ok)
		assert.InDelta(t, want.Inside, got.Inside, 1e-9)
		assert.InEpsilon(t, want.Sum, got.Sum, 0.1)
	}
	for _, b := range [][2]float64{{1, 10}, {0, 50}, {20, 1000}} {
		want, got := exact.ByValue(b[0], b[1]), sketch.ByValue(b[0], b[1])
		assert.InDelta(t, want.Inside, got.Inside, 3)
		assert.InDelta(t, exact.Count(), got.Below+got.Inside+got.Above, 1e-9)
	}
}

// Samples may be merged in any parts and order.
func TestMergeAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for round := range 200 {
		n := 1 + rng.IntN(600)
		distinct := 1 + rng.IntN(300)
		whole := new(Distribution)
		parts := make([]*Distribution, 1+rng.IntN(5))
		for i := range parts {
			parts[i] = new(Distribution)
		}
		for range n {
			v := float64(rng.IntN(distinct)-rng.IntN(2)*distinct/2) * 1.7
			c := float64(rng.IntN(4))
			whole.Add(v, c)
			parts[rng.IntN(len(parts))].Add(v, c)
		}
		rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		merged := new(Distribution)
		for _, p := range parts {
			merged.Merge(p)
		}
		require.Equal(t, snapshot(whole), snapshot(merged), "round %d", round)
		require.True(t, slices.IsSorted(merged.keys))
	}
}

type distributionSnapshot struct {
	n, min, max    float64
	exact, unknown bool
	values, counts []float64
	p50            float64
}

func snapshot(d *Distribution) distributionSnapshot {
	s := distributionSnapshot{n: d.count, min: d.min, max: d.max, exact: d.Exact(), unknown: d.incomplete}
	for v, c := range d.Values {
		s.values, s.counts = append(s.values, v), append(s.counts, c)
	}
	s.p50, _ = d.Percentile(50)
	return s
}

func TestBinaryRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	incomplete := distributionOf(1, 2, 3)
	incomplete.Merge(nil)
	negative := distributionOf(oneTo(200)...)
	negative.Add(-3, 2.5)
	cases := []*Distribution{{}, distributionOf(0), distributionOf(7), distributionOf(oneTo(150)...), incomplete, negative}
	for range 300 {
		d := new(Distribution)
		for range rng.IntN(400) {
			d.Add(math.Exp(rng.NormFloat64()*20)*float64(1-2*rng.IntN(2)), rng.Float64()*10)
		}
		cases = append(cases, d)
	}
	for _, d := range cases {
		encoded, err := d.AppendBinary([]byte("prefix"))
		require.NoError(t, err)
		var got Distribution
		require.NoError(t, got.UnmarshalBinary(encoded[len("prefix"):]))
		want := snapshot(d)
		gotSnapshot := snapshot(&got)
		assert.InDelta(t, want.n, gotSnapshot.n, 1e-9*want.n) // the order of adding up differs
		gotSnapshot.n, gotSnapshot.p50 = want.n, want.p50
		require.Equal(t, want, gotSnapshot)
	}
}

func TestBinaryIsSmall(t *testing.T) {
	one, _ := distributionOf(42).AppendBinary(nil)
	assert.LessOrEqual(t, len(one), 6)
	latencies := new(Distribution)
	rng := rand.New(rand.NewPCG(7, 8))
	for range 10000 {
		latencies.Add(math.Exp(rng.NormFloat64()+3), 1)
	}
	encoded, _ := latencies.AppendBinary(nil)
	assert.LessOrEqual(t, len(encoded), 260, "%d buckets", latencies.Len())
}

func TestUnmarshalRefuses(t *testing.T) {
	valid, _ := distributionOf(1, 2, 3).AppendBinary(nil)
	for name, data := range map[string][]byte{
		"empty":           {},
		"version":         {0x02, 0},
		"flag":            {0x81, 0},
		"truncated":       valid[:len(valid)-1],
		"trailing":        append(slices.Clone(valid), 0),
		"count too large": {0x01, 0xff, 0xff, 0xff, 0xff, 0x0f},
		"empty sketch":    {0x11, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := distributionOf(9)
			require.ErrorIs(t, d.UnmarshalBinary(data), errBadDistribution)
			assert.InDelta(t, 1, d.Count(), 0, "must be left alone")
		})
	}
}

func FuzzDistributionUnmarshal(f *testing.F) {
	for _, d := range []*Distribution{{}, distributionOf(1), distributionOf(oneTo(100)...), distributionOf(oneTo(300)...), distributionOf(-4, 0, 1e-300)} {
		encoded, _ := d.AppendBinary(nil)
		f.Add(encoded)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var d Distribution
		if d.UnmarshalBinary(data) != nil {
			return
		}
		encoded, err := d.AppendBinary(nil)
		require.NoError(t, err)
		var again Distribution
		require.NoError(t, again.UnmarshalBinary(encoded))
		twice, _ := again.AppendBinary(nil)
		require.Equal(t, encoded, twice)
		_, _ = d.Percentile(50)
		_, _ = d.ByPercent(10, 90)
		d.ByValue(0, 5)
		d.Merge(&again)
	})
}

func BenchmarkDistributionAdd(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	values := make([]float64, 4096)
	for i := range values {
		values[i] = math.Exp(rng.NormFloat64() + 3)
	}
	b.Run("sketch", func(b *testing.B) {
		b.ReportAllocs()
		var d Distribution
		i := 0
		for b.Loop() {
			d.Add(values[i&4095], 1)
			i++
		}
		require.False(b, d.Exact())
	})
	b.Run("exact", func(b *testing.B) {
		b.ReportAllocs()
		var d Distribution
		i := 0
		for b.Loop() {
			d.Add(values[i%100], 1)
			i++
		}
		require.True(b, d.Exact())
	})
}

func BenchmarkDistributionMerge(b *testing.B) {
	a, other := distributionOf(oneTo(500)...), distributionOf(oneTo(800)...)
	b.ReportAllocs()
	for b.Loop() {
		a.Merge(other)
	}
}

func BenchmarkDistributionPercentile(b *testing.B) {
	d := distributionOf(oneTo(1000)...)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := d.Percentile(99); !ok {
			b.Fatal("no percentile")
		}
	}
}
