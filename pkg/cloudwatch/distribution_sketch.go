// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"math"
	"slices"
)

// The sketch's buckets are numbered floor(ln v / ln 1.1), not below minSketchIndex; zero has its own bucket.
// A key is the number in the order of values: 0 for zero, index-minSketchIndex+1 for positive values, and the same
// negated for the mirrored buckets of negative ones. (CloudWatch answers no percentile when there are negative
// values, but counts them in absolute ranges.)
const (
	minSketchIndex = -7000
	maxSketchKey   = 7447 - minSketchIndex + 1 // ln(math.MaxFloat64) / ln 1.1 = 7447.2
)

var lnSketchBase = math.Log(1.1)

func sketchKey(v float64) int16 {
	if v == 0 {
		return 0
	}
	index := max(int(math.Floor(math.Log(math.Abs(v))/lnSketchBase)), minSketchIndex)
	key := int16(min(index-minSketchIndex+1, maxSketchKey))
	if v < 0 {
		return -key
	}
	return key
}

// sketchEdges returns the interval of a bucket, lo < hi, or 0, 0 for zero's.
func sketchEdges(key int16) (lo, hi float64) {
	if key == 0 {
		return 0, 0
	}
	index := float64(max(key, -key)) + minSketchIndex - 1
	lo, hi = math.Exp(index*lnSketchBase), math.Exp((index+1)*lnSketchBase)
	if key < 0 {
		return -hi, -lo
	}
	return lo, hi
}

// toSketch replaces the values by buckets.
func (d *Distribution) toSketch() {
	if d.single() {
		d.keys, d.counts = append(d.keys[:0], sketchKey(d.min)), append(d.counts[:0], d.count)
		return
	}
	keys := make([]int16, 0, len(d.values))
	counts := d.counts[:0] // writes never overtake reads: there are at most as many buckets as values
	for i, v := range d.values {
		c := d.counts[i]
		if k := sketchKey(v); len(keys) > 0 && keys[len(keys)-1] == k {
			counts[len(counts)-1] += c
		} else {
			keys, counts = append(keys, k), append(counts, c)
		}
	}
	d.keys, d.counts, d.values = keys, counts, nil
}

func (d *Distribution) addKey(key int16, count float64) {
	i, found := slices.BinarySearch(d.keys, key)
	if found {
		d.counts[i] += count
		return
	}
	d.keys = slices.Insert(d.keys, i, key)
	d.counts = slices.Insert(d.counts, i, count)
}

// mergeKeys merges sorted buckets into d's.
func (d *Distribution) mergeKeys(keys []int16, counts []float64) {
	if len(d.keys) == 0 {
		d.keys, d.counts, d.values = slices.Clone(keys), slices.Clone(counts), nil
		return
	}
	missing, i := 0, 0
	for _, k := range keys {
		for i < len(d.keys) && d.keys[i] < k {
			i++
		}
		if i == len(d.keys) || d.keys[i] != k {
			missing++
		}
	}
	// Merge from the back into the room at the end, so that nothing is overwritten before it was read.
	i, j := len(d.keys)-1, len(keys)-1
	n := len(d.keys) + missing
	d.keys = slices.Grow(d.keys, missing)[:n]
	d.counts = slices.Grow(d.counts, missing)[:n]
	for n--; j >= 0; n-- {
		switch {
		case i >= 0 && d.keys[i] == keys[j]:
			d.keys[n], d.counts[n] = d.keys[i], d.counts[i]+counts[j]
			i, j = i-1, j-1
		case i >= 0 && d.keys[i] > keys[j]:
			d.keys[n], d.counts[n] = d.keys[i], d.counts[i]
			i--
		default:
			d.keys[n], d.counts[n] = keys[j], counts[j]
			j--
		}
	}
}

// geometricMean of two numbers of the same sign, or of zeros.
func geometricMean(a, b float64) float64 {
	switch {
	case a == b:
		return a
	case a < 0:
		return -math.Sqrt(-a) * math.Sqrt(-b)
	}
	return math.Sqrt(a) * math.Sqrt(b)
}
