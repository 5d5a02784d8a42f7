// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

func TestDeltaHistogram(t *testing.T) {
	bounds := []float64{0, 10, 20}
	for _, tt := range []struct {
		name           string
		counts         []uint64
		sum, min, max  float64 // NaN: not given
		values, wCount []float64
		adjusted       Reason
	}{
		{"middles", []uint64{0, 2, 1, 0}, math.NaN(), math.NaN(), math.NaN(), []float64{5, 15}, []float64{2, 1}, ""},
		{"minimum and maximum are samples", []uint64{0, 3, 3, 0}, math.NaN(), 1, 18, []float64{1, 5.5, 14, 18}, []float64{1, 2, 2, 1}, ""},
		{"sum", []uint64{0, 2, 0, 0}, 14, math.NaN(), math.NaN(), []float64{7}, []float64{2}, ""},
		{"one sample", []uint64{0, 1, 0, 0}, 7.25, 7.25, 7.25, []float64{7.25}, []float64{1}, ""},
		{"two samples", []uint64{0, 1, 1, 0}, 15, 2, 13, []float64{2, 13}, []float64{1, 1}, ""},
		{"open bucket, with the sum", []uint64{0, 1, 0, 2}, 105, math.NaN(), math.NaN(), []float64{5, 50}, []float64{1, 2}, ""},
		{"open bucket, without", []uint64{0, 0, 0, 2}, math.NaN(), math.NaN(), math.NaN(), []float64{20}, []float64{2}, ""},
		{"lowest bucket, not positive", []uint64{4, 0, 0, 0}, 0, math.NaN(), math.NaN(), []float64{0}, []float64{4}, ""},
		{"impossible sum", []uint64{0, 2, 0, 0}, 1000, math.NaN(), math.NaN(), []float64{10}, []float64{2}, ReasonInconsistentSum},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestConverter(t, ConverterConfig{Now: testClock})
			m := newTestMetrics(nil)
			dp := m.deltaHistogram("m", bounds, tt.counts)
			setIf(tt.sum, dp.SetSum)
			setIf(tt.min, dp.SetMin)
			setIf(tt.max, dp.SetMax)
			d := convertOne(t, c, m)
			assert.InDeltaSlice(t, tt.values, d.Values, 1e-12)
			assert.Equal(t, tt.wCount, d.Counts)
			if tt.adjusted != "" {
				assert.Equal(t, map[Reason]int64{tt.adjusted: 1}, c.Stats().Adjusted)
			} else {
				assert.Empty(t, c.Stats().Adjusted)
			}
		})
	}
}

func setIf(v float64, set func(float64)) {
	if !math.IsNaN(v) {
		set(v)
	}
}

func TestHistogramWithoutBuckets(t *testing.T) {
	c := newTestConverter(t, ConverterConfig{Now: testClock})
	m := newTestMetrics(nil)
	dp := m.deltaHistogram("m", nil, nil)
	dp.SetCount(4)
	dp.SetSum(20)
	dp.SetMin(1)
	dp.SetMax(9)
	assert.Equal(t, &StatisticSet{SampleCount: 4, Sum: 20, Minimum: 1, Maximum: 9}, convertOne(t, c, m).Statistics)
	dp.RemoveMin()
	dp.RemoveMax()
	assert.Equal(t, &StatisticSet{SampleCount: 4, Sum: 20, Minimum: 5, Maximum: 5}, convertOne(t, c, m).Statistics)
	assert.Equal(t, map[Reason]int64{ReasonEstimatedBounds: 1}, c.Stats().Adjusted)
	dp.SetCount(0)
	batches, err := c.Convert(m.md)
	require.NoError(t, err)
	assert.Empty(t, batches, "no samples, no datum")
}

// Count, sum, minimum and maximum of a histogram of real samples survive, and percentiles stay in their bucket.
func TestHistogramKeepsStatistics(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 22))
	bounds := []float64{0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000}
	for round := range 300 {
		c := newTestConverter(t, ConverterConfig{Now: testClock})
		var want StatisticSet
		counts := make([]uint64, len(bounds)+1)
		samples := 1 + rng.IntN(100)
		for range samples {
			v := math.Exp(rng.NormFloat64()*2 + 3)
			want.Add(v, 1)
			i := 0
			for i < len(bounds) && v > bounds[i] {
				i++
			}
			counts[i]++
		}
		m := newTestMetrics(nil)
		dp := m.deltaHistogram("m", bounds, counts)
		dp.SetSum(want.Sum)
		dp.SetMin(want.Minimum)
		dp.SetMax(want.Maximum)
		d := convertOne(t, c, m)
		got, _ := d.RollUp()
		require.InDelta(t, want.SampleCount, got.SampleCount, 0)
		require.InEpsilon(t, want.Sum, got.Sum, 1e-9, "round %d", round)
		if samples > 1 {
			require.InDelta(t, want.Minimum, got.Minimum, 0)
			require.InDelta(t, want.Maximum, got.Maximum, 0)
		}
		require.True(t, rising(d.Values), "%v", d.Values)
		require.Empty(t, c.Stats().Adjusted)
	}
}

func TestCumulativeHistogram(t *testing.T) {
	c := newTestConverter(t, ConverterConfig{InitialValue: InitialValueKeep, Now: testClock})
	send := func(ts int, bounds []float64, counts []uint64, sum float64) ([]Batch, error) {
		m := newTestMetrics(nil)
		dp := m.deltaHistogram("m", bounds, counts)
		m.sm.Metrics().At(0).Histogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		dp.SetSum(sum)
		dp.SetMin(1)
		dp.SetMax(90)
		dp.SetStartTimestamp(at(1))
		dp.SetTimestamp(at(ts))
		return c.Convert(m.md)
	}
	bounds := []float64{10, 100}
	batches, err := send(10, bounds, []uint64{2, 1, 0}, 30)
	require.NoError(t, err)
	assert.Equal(t, []float64{2, 1}, batches[0].Data[0].Counts)
	batches, err = send(20, bounds, []uint64{2, 3, 0}, 130)
	require.NoError(t, err)
	assert.InDeltaSlice(t, []float64{50}, batches[0].Data[0].Values, 1e-9, "two samples of together 100")
	assert.Equal(t, []float64{2}, batches[0].Data[0].Counts)
	batches, err = send(30, bounds, []uint64{2, 3, 0}, 130)
	require.NoError(t, err)
	assert.Empty(t, batches, "nothing happened")
	batches, err = send(40, bounds, []uint64{1, 0, 0}, 4)
	require.NoError(t, err, "a reset")
	assert.InDeltaSlice(t, []float64{4}, batches[0].Data[0].Values, 1e-9)
	_, err = send(50, []float64{10, 50}, []uint64{9, 0, 0}, 4)
	assert.Equal(t, map[Reason]int64{ReasonChangedHistogram: 1}, dropped(t, err))
}

func exponential(m testMetrics, temporality pmetric.AggregationTemporality, scale, offset int32, counts []uint64) pmetric.ExponentialHistogramDataPoint {
	h := m.add("m").SetEmptyExponentialHistogram()
	h.SetAggregationTemporality(temporality)
	dp := h.DataPoints().AppendEmpty()
	dp.SetTimestamp(at(10))
	dp.SetScale(scale)
	dp.Positive().SetOffset(offset)
	dp.Positive().BucketCounts().FromRaw(counts)
	var n uint64
	for _, c := range counts {
		n += c
	}
	dp.SetCount(n)
	return dp
}

func TestExponentialHistogram(t *testing.T) {
	c := newTestConverter(t, ConverterConfig{Now: testClock})
	m := newTestMetrics(nil)
	dp := exponential(m, pmetric.AggregationTemporalityDelta, 0, 1, []uint64{1, 0, 2}) // (2,4], (8,16]
	dp.Negative().BucketCounts().FromRaw([]uint64{1})                                  // [-2,-1)
	dp.SetZeroCount(3)
	dp.SetCount(7)
	d := convertOne(t, c, m)
	assert.Equal(t, []float64{-1.5, 0, 3, 12}, d.Values)
	assert.Equal(t, []float64{1, 3, 1, 2}, d.Counts)
	dp.SetSum(20)
	dp.SetMin(-1.25)
	dp.SetMax(9)
	got, _ := new(Datum).RollUp()
	assert.InDelta(t, 1, got.SampleCount, 0)
	d = convertOne(t, c, m)
	got, _ = d.RollUp()
	assert.InDelta(t, 7, got.SampleCount, 0)
	assert.InDelta(t, 20, got.Sum, 1e-9)
	assert.Equal(t, []float64{-1.25, 9}, []float64{got.Minimum, got.Maximum})
	dp.SetCount(8)
	_, err := c.Convert(m.md)
	assert.Equal(t, map[Reason]int64{ReasonInvalidHistogram: 1}, dropped(t, err))
	dp.SetCount(7)
	dp.SetScale(21)
	_, err = c.Convert(m.md)
	assert.Equal(t, map[Reason]int64{ReasonInvalidHistogram: 1}, dropped(t, err))
}

func TestExponentialHistogramExtremes(t *testing.T) {
	c := newTestConverter(t, ConverterConfig{Now: testClock})
	for _, scale := range []int32{-11, 0, 20} {
		for _, offset := range []int32{math.MinInt32, -1, math.MaxInt32 - 1} {
			m := newTestMetrics(nil)
			exponential(m, pmetric.AggregationTemporalityDelta, scale, offset, []uint64{1, 1, 1})
			d := convertOne(t, c, m)
			for _, v := range d.Values {
				assert.True(t, ValidValue(v), v)
			}
			assert.True(t, rising(d.Values), "%v", d.Values)
		}
	}
}

func TestCumulativeExponentialHistogram(t *testing.T) {
	c := newTestConverter(t, ConverterConfig{InitialValue: InitialValueKeep, Now: testClock})
	send := func(ts int, scale, offset int32, counts []uint64) ([]Batch, error) {
		m := newTestMetrics(nil)
		dp := exponential(m, pmetric.AggregationTemporalityCumulative, scale, offset, counts)
		dp.SetStartTimestamp(at(1))
		dp.SetTimestamp(at(ts))
		return c.Convert(m.md)
	}
	batches, err := send(10, 1, 2, []uint64{1, 1, 1}) // indices 2, 3, 4 of sqrt 2
	require.NoError(t, err)
	assert.Len(t, batches[0].Data[0].Values, 3)
	batches, err = send(20, 0, 1, []uint64{2, 2, 5}) // 2 and 3 became 1, 4 became 2
	require.NoError(t, err)
	assert.Equal(t, []float64{6, 12}, batches[0].Data[0].Values)
	assert.Equal(t, []float64{1, 5}, batches[0].Data[0].Counts)
	batches, err = send(30, 0, 1, []uint64{0, 2, 5})
	require.NoError(t, err, "a bucket fell: began anew")
	assert.Equal(t, []float64{2, 5}, batches[0].Data[0].Counts)
	batches, err = send(40, 2, 1, []uint64{0, 2, 8})
	require.NoError(t, err, "narrower buckets: began anew")
	assert.Equal(t, []float64{2, 8}, batches[0].Data[0].Counts)
}

func TestSummary(t *testing.T) {
	summary := func(m testMetrics, ts int, count uint64, sum float64, quantiles ...float64) {
		dp := m.add("m").SetEmptySummary().DataPoints().AppendEmpty()
		dp.SetStartTimestamp(at(1))
		dp.SetTimestamp(at(ts))
		dp.SetCount(count)
		dp.SetSum(sum)
		for i := 0; i < len(quantiles); i += 2 {
			q := dp.QuantileValues().AppendEmpty()
			q.SetQuantile(quantiles[i])
			q.SetValue(quantiles[i+1])
		}
	}
	c := newTestConverter(t, ConverterConfig{InitialValue: InitialValueKeep, Now: testClock})
	m := newTestMetrics(nil)
	summary(m, 10, 4, 20, 0.99, 8, 0.5, 3)
	assert.Equal(t, &StatisticSet{SampleCount: 4, Sum: 20, Minimum: 3, Maximum: 8}, convertOne(t, c, m).Statistics)
	assert.Equal(t, map[Reason]int64{ReasonEstimatedBounds: 1}, c.Stats().Adjusted)

	m = newTestMetrics(nil)
	summary(m, 20, 6, 30, 0, 1, 1, 9, 0.5, math.NaN())
	assert.Equal(t, &StatisticSet{SampleCount: 2, Sum: 10, Minimum: 1, Maximum: 9}, convertOne(t, c, m).Statistics)

	m = newTestMetrics(nil)
	summary(m, 30, 7, 32)
	assert.Equal(t, &StatisticSet{SampleCount: 1, Sum: 2, Minimum: 2, Maximum: 2}, convertOne(t, c, m).Statistics)

	m = newTestMetrics(nil)
	m.sm.Scope().Attributes().PutStr(AttributeNamespace, "n")
	for range 2 { // not cumulative
		m.sm.Metrics().RemoveIf(func(pmetric.Metric) bool { return true })
		summary(m, 10, 4, 20, 0, 3, 1, 8)
		assert.Equal(t, &StatisticSet{SampleCount: 4, Sum: 20, Minimum: 3, Maximum: 8}, convertOne(t, c, m).Statistics)
	}
}

func FuzzConvert(f *testing.F) {
	var marshaler pmetric.ProtoMarshaler
	rng := rand.New(rand.NewPCG(1, 2))
	seed, _ := marshaler.MarshalMetrics(ToMetrics("1", "r", []Datum{randomDatum(rng), randomDatum(rng), randomDatum(rng)}))
	f.Add(seed)
	m := newTestMetrics(map[string]string{"service.name": "s"})
	m.counter("c", 5, at(1), at(10))
	m.deltaHistogram("h", []float64{1, 2}, []uint64{1, 2, 3}).SetMax(9)
	exponential(m, pmetric.AggregationTemporalityCumulative, 3, -7, []uint64{1, 2})
	seed, _ = marshaler.MarshalMetrics(m.md)
	f.Add(seed)
	f.Fuzz(func(t *testing.T, wire []byte) {
		md, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(wire)
		if err != nil {
			return
		}
		c := newTestConverter(t, ConverterConfig{InitialValue: InitialValueKeep, Now: testClock})
		for range 2 {
			batches, _ := c.Convert(md)
			for _, b := range batches {
				for i := range b.Data {
					d := &b.Data[i]
					require.True(t, ValidMetricName(d.Name, CharsetUnicode))
					require.True(t, ValidUnit(d.Unit))
					require.LessOrEqual(t, len(d.Dimensions), MaxDimensions)
					require.Len(t, d.Counts, len(d.Values))
					require.True(t, rising(d.Values), "%v", d.Values)
					s, _ := d.RollUp()
					require.LessOrEqual(t, s.Minimum, s.Maximum, "%+v", d)
				}
			}
			if len(batches) > 0 {
				again, err := c.Convert(ToMetrics("1", "r", batches[0].Data))
				require.NoError(t, err)
				require.Equal(t, canonical(batches[0].Data), canonical(again[0].Data))
			}
		}
	})
}
