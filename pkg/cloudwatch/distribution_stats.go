// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import "math"

// Percentile returns the p-th percentile, 0 ≤ p ≤ 100, as CloudWatch computes it from its sketch: it finds the
// bucket that holds the p-th part of the samples and interpolates geometrically between the bucket's edges, clipped
// to the minimum and maximum. The relative error is below 10 %; p0, p100 and the percentiles of equal samples
// are exact.
//
// ok is false where CloudWatch returns no value: the distribution is empty or incomplete, there are fewer
// samples than one, or, but for p0 and p100, a sample is negative.
func (d *Distribution) Percentile(p float64) (value float64, ok bool) {
	if !d.bounded || d.incomplete || d.count < 1 || !(p >= 0 && p <= 100) {
		return 0, false
	}
	switch {
	case p == 0:
		return d.min, true
	case p == 100:
		return d.max, true
	case d.min < 0:
		return 0, false
	case d.min == d.max:
		return d.min, true
	}
	target := p * d.count / 100
	var buf [MaxExactValues]segment
	value = d.max
	var cum float64
	for _, s := range d.appendBuckets(buf[:0]) {
		if cum+s.count >= target {
			value = s.at((target - cum) / s.count)
			break
		}
		cum += s.count
	}
	return min(max(value, d.min), d.max), true
}

// Range is what two bounds cut out of the samples. The statistics of CloudWatch follow from it:
//
//	TC = Inside    TS = Sum    TM = Sum / Inside    PR = 100 · Inside / (Below + Inside + Above)
//	WM = (Sum + Below·Low + Above·High) / (Below + Inside + Above)
type Range struct {
	Below, Inside, Above float64 // counts of samples
	Sum                  float64 // of the samples inside
	Low, High            float64 // the values at the bounds; the minimum and maximum when a bound is open
}

// ByValue cuts at absolute values: a sample v is inside when low < v ≤ high. Infinities stand for open bounds.
// It covers the samples in the distribution, also when that is incomplete, as CloudWatch does; it is an empty range
// when there are none.
func (d *Distribution) ByValue(low, high float64) Range {
	r := Range{Low: max(low, d.min), High: min(high, d.max)}
	if !math.IsInf(low, 0) {
		r.Low = low
	}
	if !math.IsInf(high, 0) {
		r.High = high
	}
	var buf [MaxExactValues]segment
	for _, s := range d.appendSegments(buf[:0]) {
		f1, f2 := s.fractionUpTo(low), s.fractionUpTo(high)
		f2 = max(f1, f2)
		r.Below += f1 * s.count
		r.Inside += (f2 - f1) * s.count
		r.Above += (1 - f2) * s.count
		r.Sum += s.sum(f1, f2)
	}
	return r
}

// ByPercent cuts at percentiles, 0 ≤ low ≤ high ≤ 100: the samples, in rising order, from the low-th to the
// high-th percentile are inside. A sample on the cut counts with the part of it that is inside.
//
// ok is false where CloudWatch returns no value, see [Distribution.Percentile].
func (d *Distribution) ByPercent(low, high float64) (r Range, ok bool) {
	if !d.bounded || d.incomplete || d.count < 1 || d.min < 0 || !(low >= 0 && low <= high && high <= 100) {
		return Range{}, false
	}
	from, to := low*d.count/100, high*d.count/100
	r = Range{Low: d.min, High: d.max}
	var buf [MaxExactValues]segment
	var cum float64
	lowFound, highFound := low == 0, high == 100
	for _, s := range d.appendSegments(buf[:0]) {
		f1 := min(max((from-cum)/s.count, 0), 1)
		f2 := min(max((to-cum)/s.count, 0), 1)
		if !lowFound && cum+s.count >= from {
			r.Low, lowFound = s.at(f1), true
		}
		if !highFound && cum+s.count >= to {
			r.High, highFound = s.at(f2), true
		}
		r.Sum += s.sum(f1, f2)
		cum += s.count
	}
	r.Below, r.Inside, r.Above = from, to-from, d.count-to
	return r, true
}

// segment is count samples spread geometrically over [lo, hi].
type segment struct {
	lo, hi, count float64
}

// at is the value below which the part f of the segment's samples lies.
func (s segment) at(f float64) float64 {
	if s.lo == s.hi {
		return s.lo
	}
	return s.lo * math.Pow(s.hi/s.lo, f)
}

// fractionUpTo is the part of the samples that are ≤ x.
func (s segment) fractionUpTo(x float64) float64 {
	switch {
	case x >= s.hi:
		return 1
	case x < s.lo || s.lo == s.hi:
		return 0
	}
	return min(max(math.Log(x/s.lo)/math.Log(s.hi/s.lo), 0), 1)
}

// sum adds up the samples between the parts f1 and f2: the integral of at.
func (s segment) sum(f1, f2 float64) float64 {
	if f1 == f2 {
		return 0
	}
	if s.lo == s.hi {
		return s.lo * s.count * (f2 - f1)
	}
	ratio := s.hi / s.lo
	return s.count * s.lo * (math.Pow(ratio, f2) - math.Pow(ratio, f1)) / math.Log(ratio)
}

// appendSegments appends the exact values while they are kept, else the buckets.
func (d *Distribution) appendSegments(dst []segment) []segment {
	if d.keys != nil || !d.bounded {
		return d.appendBuckets(dst)
	}
	if d.single() {
		return append(dst, segment{d.min, d.min, d.count})
	}
	for i, v := range d.values {
		if d.counts[i] > 0 {
			dst = append(dst, segment{v, v, d.counts[i]})
		}
	}
	return dst
}

// appendBuckets appends the buckets of the sketch that hold samples, clipped to the minimum and maximum.
func (d *Distribution) appendBuckets(dst []segment) []segment {
	switch {
	case !d.bounded:
		return dst
	case d.single():
		return append(dst, segment{d.min, d.min, d.count})
	case d.keys != nil:
		for i, k := range d.keys {
			dst = d.appendBucket(dst, k, d.counts[i])
		}
		return dst
	}
	key, count := sketchKey(d.values[0]), d.counts[0]
	for i, v := range d.values[1:] {
		if k := sketchKey(v); k != key {
			dst = d.appendBucket(dst, key, count)
			key, count = k, 0
		}
		count += d.counts[i+1]
	}
	return d.appendBucket(dst, key, count)
}

func (d *Distribution) appendBucket(dst []segment, key int16, count float64) []segment {
	if count == 0 {
		return dst
	}
	lo, hi := sketchEdges(key)
	lo, hi = max(lo, d.min), min(hi, d.max)
	if lo > hi { // a value at an edge that rounds to the neighbour's side
		lo = hi
	}
	return append(dst, segment{lo, hi, count})
}
