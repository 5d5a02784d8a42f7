// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"math"
	"slices"
)

// MaxExactValues is how many distinct values a [Distribution] keeps exactly. It is the limit of Values in one
// MetricDatum, so a published datum is kept as it was sent.
const MaxExactValues = 150

// Distribution is how the samples of a metric are spread. The zero value is empty and ready to use.
//
// It keeps the distinct values and their counts while there are at most [MaxExactValues] of them. Then it becomes
// the sketch that CloudWatch itself keeps: a sparse histogram whose bucket i holds the values in [1.1^i, 1.1^(i+1)).
// Merging any parts in any order gives the same sketch.
//
// [Distribution.Percentile] answers by the sketch in both states, because that is what CloudWatch returns: p50 of
// 1, 2, … 100 is 50.743, not 50. [Distribution.ByValue] and [Distribution.ByPercent] use the exact values as
// long as they are kept.
//
// A Distribution is not safe for concurrent use.
type Distribution struct {
	count    float64
	min, max float64

	// One distinct value needs no slices: it is min (= max). Otherwise counts goes with values (exact) or with
	// keys (sketch), both rising.
	values []float64
	keys   []int16
	counts []float64

	bounded    bool // min and max are set
	incomplete bool
}

// Add adds count samples of a value. A count of 0 moves the minimum and maximum only. Values that are not finite,
// and counts that are negative or not finite, are not samples: they are ignored, and Add reports false.
func (d *Distribution) Add(value, count float64) bool {
	if math.IsNaN(value) || math.IsInf(value, 0) || !(count >= 0) || math.IsInf(count, 1) {
		return false
	}
	if value == 0 {
		value = 0 // no negative zero
	}
	switch {
	case !d.bounded:
		d.min, d.max, d.bounded = value, value, true
		d.count += count
		return true
	case d.single():
		if value == d.min {
			d.count += count
			return true
		}
		d.values = append(d.values, d.min)
		d.counts = append(d.counts, d.count)
	}
	d.count += count
	d.min, d.max = min(d.min, value), max(d.max, value)
	if d.keys != nil {
		d.addKey(sketchKey(value), count)
		return true
	}
	i, found := len(d.values), false
	if value <= d.values[i-1] { // most publishers send their values sorted
		i, found = slices.BinarySearch(d.values, value)
	}
	if found {
		d.counts[i] += count
		return true
	}
	if len(d.values) == MaxExactValues {
		d.toSketch()
		d.addKey(sketchKey(value), count)
		return true
	}
	d.values = slices.Insert(d.values, i, value)
	d.counts = slices.Insert(d.counts, i, count)
	return true
}

// Merge adds the samples of other. A nil other stands for samples of which the distribution is not known (a
// statistic set): it makes d incomplete.
func (d *Distribution) Merge(other *Distribution) {
	if other == nil {
		d.incomplete = true
		return
	}
	d.incomplete = d.incomplete || other.incomplete
	switch {
	case !other.bounded:
		return
	case other.single():
		d.Add(other.min, other.count)
		return
	case other.keys == nil:
		for i, v := range other.values {
			d.Add(v, other.counts[i])
		}
		return
	}
	if d.bounded && d.keys == nil {
		d.toSketch()
	}
	if d.bounded {
		d.min, d.max = min(d.min, other.min), max(d.max, other.max)
	} else {
		d.min, d.max, d.bounded = other.min, other.max, true
	}
	d.count += other.count
	d.mergeKeys(other.keys, other.counts)
}

// Clone returns an independent copy.
func (d *Distribution) Clone() *Distribution {
	c := *d
	c.values, c.keys, c.counts = slices.Clone(d.values), slices.Clone(d.keys), slices.Clone(d.counts)
	return &c
}

// grow makes room for n distinct values in an empty distribution.
func (d *Distribution) grow(n int) {
	if d.bounded || n < 2 || n > MaxExactValues {
		return
	}
	d.values, d.counts = slices.Grow(d.values, n), slices.Grow(d.counts, n)
}

// Reset empties d and keeps its memory.
func (d *Distribution) Reset() {
	*d = Distribution{values: d.values[:0], counts: d.counts[:0]}
}

// Count is the number of samples in it; fractional counts are possible.
func (d *Distribution) Count() float64 { return d.count }

// Bounds returns the smallest and largest value, exactly; ok is false when there is none.
func (d *Distribution) Bounds() (minimum, maximum float64, ok bool) { return d.min, d.max, d.bounded }

// Exact reports whether the distinct values are still kept.
func (d *Distribution) Exact() bool { return d.keys == nil }

// Complete reports whether every sample that was merged is in the distribution, that is, whether no statistic set
// of unknown distribution was.
func (d *Distribution) Complete() bool { return !d.incomplete }

// Len is the number of pairs that [Distribution.Values] yields.
func (d *Distribution) Len() int {
	switch {
	case !d.bounded:
		return 0
	case d.single():
		return 1
	}
	return len(d.counts)
}

// Values yields the samples in rising order as values and counts, as PutMetricData takes them: the exact values
// while they are kept, after that one value per bucket, with the exact minimum and maximum in the outermost ones.
func (d *Distribution) Values(yield func(value, count float64) bool) {
	switch {
	case !d.bounded:
	case d.single():
		yield(d.min, d.count)
	case d.keys == nil:
		for i, v := range d.values {
			if !yield(v, d.counts[i]) {
				return
			}
		}
	default:
		for i, k := range d.keys {
			lo, hi := sketchEdges(k)
			v := geometricMean(max(lo, d.min), min(hi, d.max))
			switch i {
			case 0:
				v = d.min
			case len(d.keys) - 1:
				v = d.max
			}
			if !yield(v, d.counts[i]) {
				return
			}
		}
	}
}

// single reports whether d holds one distinct value, which is min.
func (d *Distribution) single() bool {
	return d.bounded && len(d.counts) == 0
}
