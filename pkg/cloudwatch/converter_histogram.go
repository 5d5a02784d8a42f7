// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"math"
	"slices"

	"go.opentelemetry.io/collector/pdata/pmetric"
)

func (r *conversion) addHistogram(h pmetric.Histogram) {
	switch h.AggregationTemporality() {
	case pmetric.AggregationTemporalityDelta, pmetric.AggregationTemporalityCumulative:
	default:
		r.drop(ReasonNoTemporality, h.DataPoints().Len())
		return
	}
	cumulative := h.AggregationTemporality() == pmetric.AggregationTemporalityCumulative
	for _, dp := range h.DataPoints().All() {
		r.addHistogramPoint(dp, cumulative)
	}
}

func (r *conversion) addHistogramPoint(dp pmetric.HistogramDataPoint, cumulative bool) {
	if r.unusable(dp.Flags(), dp.Sum(), dp.Min(), dp.Max()) {
		return
	}
	bounds, bucketCounts := dp.ExplicitBounds(), dp.BucketCounts()
	if !validBuckets(dp) || (dp.HasMin() && dp.HasMax() && dp.Min() > dp.Max()) {
		r.drop(ReasonInvalidHistogram, 1)
		return
	}
	if r.own && !cumulative && r.addOwnHistogram(dp) {
		return
	}
	p := seriesPoint{
		start: dp.StartTimestamp(), time: dp.Timestamp(),
		count: dp.Count(), sum: dp.Sum(), hasSum: dp.HasSum(),
	}
	if cumulative {
		p.bounds, p.positive = bounds.AsRaw(), bucketCounts.AsRaw()
		delta, ok := r.delta(&p, dp.Attributes())
		if !ok {
			return
		}
		p = *delta
	}
	if p.count == 0 {
		return
	}
	h := histogram{
		count: p.count, sum: p.sum, hasSum: p.hasSum,
		min: dp.Min(), max: dp.Max(), hasMin: dp.HasMin(), hasMax: dp.HasMax(),
		// The minimum and maximum of a cumulative point are of all its time: they bound this interval's
		// samples, but need not be among them.
		pinned: !cumulative,
	}
	if bounds.Len() > 0 {
		h.buckets = make([]histogramBucket, 0, bucketCounts.Len())
		for i := range bucketCounts.Len() {
			n := bucketCounts.At(i)
			if cumulative {
				n = p.positive[i]
			}
			if n == 0 {
				continue
			}
			b := histogramBucket{lo: math.Inf(-1), hi: math.Inf(1), count: float64(n)}
			if i > 0 {
				b.lo = bounds.At(i - 1)
			}
			if i < bounds.Len() {
				b.hi = bounds.At(i)
			}
			h.buckets = append(h.buckets, b)
		}
	}
	r.addSpread(&h, dp.Timestamp(), dp.Attributes())
}

// validBuckets checks that bounds rise and that the buckets go with them and with the count.
func validBuckets(dp pmetric.HistogramDataPoint) bool {
	bounds, counts := dp.ExplicitBounds(), dp.BucketCounts()
	if counts.Len() == 0 {
		return bounds.Len() == 0
	}
	if counts.Len() != bounds.Len()+1 {
		return false
	}
	for i := range bounds.Len() {
		if b := bounds.At(i); !ValidValue(b) || (i > 0 && !(b > bounds.At(i-1))) {
			return false
		}
	}
	var total uint64
	for i := range counts.Len() {
		n := counts.At(i)
		if total+n < total {
			return false
		}
		total += n
	}
	return total == dp.Count()
}

// addOwnHistogram takes a histogram whose samples are all at the upper bounds of their buckets, which is how
// ToMetrics writes Values and Counts. No sample is above its bucket's bound, so the samples are at the bounds if,
// and only if, the sum is that of the bounds.
func (r *conversion) addOwnHistogram(dp pmetric.HistogramDataPoint) bool {
	bounds, bucketCounts := dp.ExplicitBounds(), dp.BucketCounts()
	n := bounds.Len()
	if n == 0 || !dp.HasSum() || !dp.HasMin() || !dp.HasMax() || bucketCounts.At(n) != 0 ||
		dp.Min() != bounds.At(0) || dp.Max() != bounds.At(n-1) {
		return false
	}
	raw := make([]float64, 2*n)
	values, counts := raw[:n:n], raw[n:]
	exact := metadataCounts(r.metric)
	if len(exact) != n || r.metric.Histogram().DataPoints().Len() != 1 {
		exact = nil
	}
	for i := range n {
		values[i], counts[i] = bounds.At(i), float64(bucketCounts.At(i))
		if exact != nil {
			counts[i] = exact[i]
		}
	}
	var sum, magnitude float64
	for i, v := range values {
		sum += v * counts[i]
		magnitude += math.Abs(v) * counts[i]
	}
	if math.Abs(sum-dp.Sum()) > 1e-12*magnitude {
		return false
	}
	if d := r.datum(dp.Timestamp(), dp.Attributes()); d != nil {
		d.Values, d.Counts = values, counts
	}
	return true
}

func (r *conversion) addExponentialHistogram(h pmetric.ExponentialHistogram) {
	switch h.AggregationTemporality() {
	case pmetric.AggregationTemporalityDelta, pmetric.AggregationTemporalityCumulative:
	default:
		r.drop(ReasonNoTemporality, h.DataPoints().Len())
		return
	}
	cumulative := h.AggregationTemporality() == pmetric.AggregationTemporalityCumulative
	for _, dp := range h.DataPoints().All() {
		r.addExponentialPoint(dp, cumulative)
	}
}

func (r *conversion) addExponentialPoint(dp pmetric.ExponentialHistogramDataPoint, cumulative bool) {
	if r.unusable(dp.Flags(), dp.Sum(), dp.Min(), dp.Max(), dp.ZeroThreshold()) {
		return
	}
	// A scale outside of these has no use: buckets narrower than a float64's precision, or one for everything.
	if dp.Scale() < -11 || dp.Scale() > 20 || dp.ZeroThreshold() < 0 || !validExponential(dp) ||
		(dp.HasMin() && dp.HasMax() && dp.Min() > dp.Max()) {
		r.drop(ReasonInvalidHistogram, 1)
		return
	}
	p := seriesPoint{
		start: dp.StartTimestamp(), time: dp.Timestamp(),
		count: dp.Count(), sum: dp.Sum(), hasSum: dp.HasSum(),
		exponential: true, scale: dp.Scale(), zeroThreshold: dp.ZeroThreshold(), zeroCount: dp.ZeroCount(),
		positiveOffset: dp.Positive().Offset(), negativeOffset: dp.Negative().Offset(),
	}
	if cumulative || dp.Count() > 0 {
		p.positive, p.negative = dp.Positive().BucketCounts().AsRaw(), dp.Negative().BucketCounts().AsRaw()
	}
	if cumulative {
		delta, ok := r.delta(&p, dp.Attributes())
		if !ok {
			return
		}
		p = *delta
	}
	if p.count == 0 {
		return
	}
	h := histogram{
		count: p.count, sum: p.sum, hasSum: p.hasSum,
		min: dp.Min(), max: dp.Max(), hasMin: dp.HasMin(), hasMax: dp.HasMax(), pinned: !cumulative,
	}
	for i, n := range slices.Backward(p.negative) {
		if n > 0 {
			lo, hi := exponentialEdges(p.scale, int(p.negativeOffset)+i)
			h.buckets = append(h.buckets, histogramBucket{lo: -hi, hi: -lo, count: float64(n)})
		}
	}
	if p.zeroCount > 0 {
		h.buckets = append(h.buckets, histogramBucket{lo: -p.zeroThreshold, hi: p.zeroThreshold, count: float64(p.zeroCount)})
	}
	for i, n := range p.positive {
		if n > 0 {
			lo, hi := exponentialEdges(p.scale, int(p.positiveOffset)+i)
			h.buckets = append(h.buckets, histogramBucket{lo: lo, hi: hi, count: float64(n)})
		}
	}
	r.addSpread(&h, dp.Timestamp(), dp.Attributes())
}

func validExponential(dp pmetric.ExponentialHistogramDataPoint) bool {
	total := dp.ZeroCount()
	for _, buckets := range []pmetric.ExponentialHistogramDataPointBuckets{dp.Positive(), dp.Negative()} {
		for _, n := range buckets.BucketCounts().All() {
			if total+n < total {
				return false
			}
			total += n
		}
	}
	return total == dp.Count()
}

// exponentialEdges are those of bucket index at a scale, inside of what CloudWatch accepts.
func exponentialEdges(scale int32, index int) (lo, hi float64) {
	step := math.Ldexp(1, -int(scale)) // of the exponent of 2
	lo, hi = math.Exp2(float64(index)*step), math.Exp2(float64(index+1)*step)
	return min(lo, MaxValue), min(hi, MaxValue)
}
