// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// histogram is an interval's samples by bucket, buckets rising and none empty.
type histogram struct {
	buckets        []histogramBucket
	count          uint64
	sum, min, max  float64
	hasSum         bool
	hasMin, hasMax bool
	pinned         bool // there are samples of the minimum and the maximum
}

type histogramBucket struct {
	lo, hi, count float64
	value         float64
}

// addSpread appends a datum for a histogram.
func (r *conversion) addSpread(h *histogram, ts pcommon.Timestamp, attrs pcommon.Map) {
	if len(h.buckets) == 0 {
		r.addUnspread(h, ts, attrs)
		return
	}
	values, counts, consistent := h.spread()
	for _, v := range []float64{values[0], values[len(values)-1]} {
		if !ValidValue(v) {
			r.drop(ReasonOutOfRange, 1)
			return
		}
	}
	d := r.datum(ts, attrs)
	if d == nil {
		return
	}
	if !consistent {
		r.adjust(ReasonInconsistentSum)
	}
	d.Values, d.Counts = values, counts
}

// addUnspread appends a datum for a histogram without buckets.
func (r *conversion) addUnspread(h *histogram, ts pcommon.Timestamp, attrs pcommon.Map) {
	if !h.hasSum {
		r.drop(ReasonNoSum, 1)
		return
	}
	d := r.datum(ts, attrs)
	if d == nil {
		return
	}
	s := &StatisticSet{SampleCount: float64(h.count), Sum: h.sum, Minimum: h.min, Maximum: h.max}
	if !h.hasMin || !h.hasMax || !h.pinned {
		r.adjust(ReasonEstimatedBounds)
		average := s.Average()
		if !h.hasMin || !h.pinned {
			s.Minimum = average
		}
		if !h.hasMax || !h.pinned {
			s.Maximum = average
		}
	}
	d.Statistics = s
}

// spread places the samples of each bucket at one value of it. It starts from the middles, puts a sample each at the
// minimum and the maximum, and moves the others towards their buckets' edges, each by the same part of its
// way, until the sum is right. consistent is false when no place within the buckets gives that sum.
func (h *histogram) spread() (values, counts []float64, consistent bool) {
	for i := range h.buckets {
		h.clip(&h.buckets[i])
	}
	fixed := h.pin()
	consistent = true
	if h.hasSum {
		consistent = h.fitSum(fixed)
	}
	raw := make([]float64, 0, 2*(len(h.buckets)+2))
	values, counts = raw[:0:len(h.buckets)+2], raw[len(h.buckets)+2:len(h.buckets)+2]
	add := func(v, c float64) {
		if c == 0 {
			return
		}
		if n := len(values); n > 0 && values[n-1] == v {
			counts[n-1] += c
			return
		}
		values, counts = append(values, v), append(counts, c)
	}
	add(fixed.min, fixed.minCount)
	for _, b := range h.buckets {
		add(b.value, b.count)
	}
	add(fixed.max, fixed.maxCount)
	return values, counts, consistent
}

// clip bounds a bucket by the minimum and the maximum, and finds its middle.
func (h *histogram) clip(b *histogramBucket) {
	if h.hasMin {
		b.lo, b.hi = max(b.lo, h.min), max(b.hi, h.min)
	}
	if h.hasMax {
		b.lo, b.hi = min(b.lo, h.max), min(b.hi, h.max)
	}
	if math.IsInf(b.lo, -1) {
		// The lowest bucket of measurements that are mostly not negative begins at zero.
		if b.lo = 0; b.hi < 0 {
			b.lo = b.hi
		}
	}
	b.lo = min(b.lo, b.hi)
	if math.IsInf(b.hi, 1) {
		b.value = b.lo
		return
	}
	b.value = b.lo + (b.hi-b.lo)/2
}

// pins are the samples at the minimum and maximum.
type pins struct {
	min, minCount, max, maxCount float64
}

// pin takes one sample out of the outer buckets each, for the minimum and the maximum.
func (h *histogram) pin() pins {
	var p pins
	if !h.pinned {
		return p
	}
	first, last := &h.buckets[0], &h.buckets[len(h.buckets)-1]
	if h.hasMin && h.hasMax && h.count == 1 {
		// The only sample is between both. The sum says where.
		first.lo, first.hi = h.min, h.max
		return p
	}
	if h.hasMin {
		p.min, p.minCount = h.min, 1
		first.count--
	}
	if h.hasMax && last.count > 0 {
		p.max, p.maxCount = h.max, 1
		last.count--
	}
	return p
}

// fitSum moves the buckets' values so that all samples add up to the sum.
func (h *histogram) fitSum(p pins) bool {
	missing := h.sum - p.min*p.minCount - p.max*p.maxCount
	var magnitude float64
	var up, down float64 // how much the sum can grow and shrink
	for _, b := range h.buckets {
		missing -= b.value * b.count
		magnitude += math.Abs(b.value) * b.count
		if b.count > 0 {
			up += (b.hi - b.value) * b.count
			down += (b.value - b.lo) * b.count
		}
	}
	last := &h.buckets[len(h.buckets)-1]
	switch {
	case missing == 0:
		return true
	case missing > 0 && math.IsInf(up, 1):
		// Samples in the open bucket make up what is missing.
		last.value += missing / last.count
		return true
	case missing > 0:
		part := 1.0
		if up > 0 {
			part = min(missing/up, 1)
		}
		for i := range h.buckets {
			b := &h.buckets[i]
			b.value = min(b.value+part*(b.hi-b.value), b.hi)
		}
		return missing <= up+1e-9*(magnitude+math.Abs(h.sum))
	}
	part := 1.0
	if down > 0 {
		part = min(-missing/down, 1)
	}
	for i := range h.buckets {
		b := &h.buckets[i]
		b.value = max(b.value-part*(b.value-b.lo), b.lo)
	}
	return -missing <= down+1e-9*(magnitude+math.Abs(h.sum))
}
