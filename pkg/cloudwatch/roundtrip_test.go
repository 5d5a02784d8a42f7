// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

func newTestConverter(tb testing.TB, cfg ConverterConfig) *Converter {
	tb.Helper()
	c, err := NewConverter(cfg)
	require.NoError(tb, err)
	return c
}

func randomDatum(rng *rand.Rand) Datum {
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	var dims []Dimension
	for _, n := range []string{"Service", "Größe", "a b", "z"} {
		if rng.IntN(2) == 0 {
			dims = append(dims, Dimension{n, pick("x", "y", "z/1")})
		}
	}
	m, err := NewMetric(pick("p", "q/r", "AWS/Logs"), pick("m", "n", "o"), dims)
	if err != nil {
		panic(err)
	}
	d := Datum{
		Metric: m, TimestampMs: 1735689600000 + rng.Int64N(1e9), StorageResolution: 60,
		Unit: Units()[rng.IntN(27)],
	}
	if rng.IntN(3) == 0 {
		d.StorageResolution = 1
	}
	number := func() float64 {
		switch rng.IntN(4) {
		case 0:
			return float64(rng.IntN(10) - 5)
		case 1:
			return rng.NormFloat64() * 1e-9
		case 2:
			return math.Ldexp(rng.Float64(), rng.IntN(720)-360)
		}
		return rng.ExpFloat64()
	}
	count := func() float64 {
		switch rng.IntN(6) {
		case 0:
			return 0
		case 1:
			return rng.Float64() * 10
		}
		return float64(rng.IntN(1000))
	}
	switch rng.IntN(3) {
	case 0:
		d.Value = number()
	case 1:
		seen := map[float64]bool{}
		for range 1 + rng.IntN(20) {
			if v := number(); !seen[v] {
				seen[v] = true
				d.Values, d.Counts = append(d.Values, v), append(d.Counts, count())
			}
		}
	case 2:
		lo, hi := number(), number()
		d.Statistics = &StatisticSet{SampleCount: count() + 0.5*float64(1+rng.IntN(2)), Sum: number(), Minimum: min(lo, hi), Maximum: max(lo, hi)}
	}
	return d
}

// canonical sorts what a translation does not keep in order.
func canonical(data []Datum) []string {
	lines := make([]string, len(data))
	for i, d := range data {
		if d.Values != nil {
			d.Values, d.Counts = sortValues(d.Values, d.Counts)
		}
		lines[i] = fmt.Sprintf("%q %d %s %d %v %v %v %v", d.AppendKey(nil), d.TimestampMs, d.Unit, d.StorageResolution,
			d.Value, d.Values, d.Counts, d.Statistics)
	}
	slices.SortFunc(lines, cmp.Compare[string])
	return lines
}

// What ToMetrics writes, Convert reads back as it was, through the wire format too.
func TestRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	c := newTestConverter(t, ConverterConfig{Account: "none", Region: "none"})
	for range 300 {
		data := make([]Datum, 1+rng.IntN(60))
		for i := range data {
			data[i] = randomDatum(rng)
		}
		md := ToMetrics("123456789012", "eu-central-1", data)
		require.Equal(t, len(data), md.DataPointCount())
		wire, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(md)
		require.NoError(t, err)
		md, err = (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(wire)
		require.NoError(t, err)
		batches, err := c.Convert(md)
		require.NoError(t, err)
		require.Len(t, batches, 1)
		require.Equal(t, "123456789012", batches[0].Account)
		require.Equal(t, "eu-central-1", batches[0].Region)
		require.Equal(t, canonical(data), canonical(batches[0].Data))
	}
	assert.Empty(t, c.Stats().Adjusted)
}

func TestToMetricsGroups(t *testing.T) {
	metric := func(ns, name, dim string) Metric {
		m, err := NewMetric(ns, name, []Dimension{{"d", dim}})
		require.NoError(t, err)
		return m
	}
	md := ToMetrics("1", "r", []Datum{
		{Metric: metric("p", "m", "1"), Unit: "Count", StorageResolution: 60, Value: 1},
		{Metric: metric("p", "m", "2"), Unit: "Count", StorageResolution: 60, Value: 2},
		{Metric: metric("p", "m", "1"), Unit: "Count", StorageResolution: 1, Value: 3},
		{Metric: metric("q", "m", "1"), Unit: "Count", StorageResolution: 60, Value: 4},
		{Metric: metric("p", "m", "1"), Unit: "Seconds", StorageResolution: 60, Value: 5},
		{Metric: metric("p", "m", "3"), Unit: "Count", StorageResolution: 60, Values: []float64{2, 1, 2}, Counts: []float64{1, 1, 1}},
	})
	scopes := md.ResourceMetrics().At(0).ScopeMetrics()
	require.Equal(t, 3, scopes.Len())
	require.Equal(t, 3, scopes.At(0).Metrics().Len())
	assert.Equal(t, 2, scopes.At(0).Metrics().At(0).Gauge().DataPoints().Len())
	assert.Equal(t, "{Count}", scopes.At(0).Metrics().At(0).Unit())
	h := scopes.At(0).Metrics().At(2).Histogram().DataPoints().At(0)
	assert.Equal(t, []float64{1, 2}, h.ExplicitBounds().AsRaw())
	assert.Equal(t, []uint64{1, 2, 0}, h.BucketCounts().AsRaw())
	assert.InDelta(t, 5, h.Sum(), 0)
}

func benchmarkData(n int) []Datum {
	rng := rand.New(rand.NewPCG(1, 2))
	data := make([]Datum, n)
	for i := range data {
		data[i] = Datum{
			Metric: Metric{Namespace: "Shop", Name: fmt.Sprintf("Metric%d", i%20), Dimensions: []Dimension{
				{"Instance", fmt.Sprintf("i-%04d", i)}, {"Service", "checkout"}, {"Stage", "prod"},
			}},
			TimestampMs: 1735689600000, Unit: "Milliseconds", StorageResolution: 60, Value: rng.Float64(),
		}
	}
	return data
}

func BenchmarkToMetrics(b *testing.B) {
	data := benchmarkData(1000)
	b.ReportAllocs()
	for b.Loop() {
		if ToMetrics("123456789012", "eu-central-1", data).DataPointCount() != len(data) {
			b.Fatal("lost data")
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "points/s")
}

func BenchmarkConvert(b *testing.B) {
	md := ToMetrics("123456789012", "eu-central-1", benchmarkData(1000))
	c := newTestConverter(b, ConverterConfig{})
	b.ReportAllocs()
	for b.Loop() {
		batches, err := c.Convert(md)
		if err != nil || len(batches[0].Data) != 1000 {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "points/s")
}
