// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awscloudwatchexporter

import (
	"math"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// appendData appends the data that have the period's samples: values with their counts, and a statistic set for samples of
// which no distribution is known. CloudWatch merges them.
func (p *period) appendData(dst []cloudwatch.Datum, maxValues int) []cloudwatch.Datum {
	d := cloudwatch.Datum{
		Metric: p.Metric, TimestampMs: p.start * 1000, Unit: p.unit, StorageResolution: p.resolution,
	}
	if p.other.SampleCount > 0 {
		other := p.other // the period may go on
		d.Statistics = &other
		dst = append(dst, d)
		d.Statistics = nil
	}
	n := p.values.Len()
	switch {
	case n == 0 && p.known.SampleCount > 0:
		if known := p.known; known.SampleCount == 1 && known.Minimum == known.Maximum {
			d.Value = known.Minimum
		} else {
			d.Statistics = &known
		}
		return append(dst, d)
	case n == 0:
		return dst
	case n == 1 && p.known.SampleCount == 1:
		d.Value = p.known.Minimum
		return append(dst, d)
	}
	values, counts := p.spread(n)
	for i := 0; i < len(values); i += maxValues {
		end := min(i+maxValues, len(values))
		d.Values, d.Counts = values[i:end:end], counts[i:end:end]
		dst = append(dst, d)
	}
	return dst
}

// spread returns the distribution as values with counts. While the values are known they are the values; beyond, there is
// one for each of CloudWatch's own buckets, whose width is 10 %, placed so that minimum, maximum and sum are exact.
func (p *period) spread(n int) (values, counts []float64) {
	values, counts = make([]float64, 0, n+2), make([]float64, 0, n+2)
	if p.values.Exact() {
		for v, c := range p.values.Values {
			values, counts = append(values, v), append(counts, c)
		}
		return values, counts
	}
	lowest, highest, _ := p.values.Bounds()
	edges := make([][2]float64, 0, n+2)
	add := func(v, c, lo, hi float64) {
		if c > 0 || v == lowest || v == highest {
			values, counts, edges = append(values, v), append(counts, c), append(edges, [2]float64{lo, hi})
		}
	}
	i := 0
	for v, c := range p.values.Values {
		lo, hi := bucketEdges(v)
		lo, hi = max(lo, lowest), min(hi, highest)
		// The minimum and the maximum are samples: one each stays at its place.
		if i == 0 {
			pinned := min(c, 1)
			add(lowest, pinned, lowest, lowest)
			c -= pinned
		}
		pinned := 0.0
		if i == n-1 {
			pinned = min(c, 1)
			c -= pinned
		}
		if c > 0 {
			add(middle(lo, hi), c, lo, hi)
		}
		if i == n-1 {
			add(highest, pinned, highest, highest)
		}
		i++
	}
	fitSum(values, counts, edges, p.known.Sum)
	return values, counts
}

var lnBucket = math.Log(1.1)

// bucketEdges are those of CloudWatch's bucket that a value is in, a little narrower, so that everything between is in it
// in spite of rounding.
func bucketEdges(v float64) (lo, hi float64) {
	if v == 0 {
		return 0, 0
	}
	const margin = 1e-9
	index := math.Floor(math.Log(math.Abs(v)) / lnBucket)
	lo, hi = math.Exp(index*lnBucket)*(1+margin), math.Exp((index+1)*lnBucket)*(1-margin)
	lo, hi = min(lo, math.Abs(v)), max(hi, math.Abs(v))
	if v < 0 {
		return -hi, -lo
	}
	return lo, hi
}

func middle(lo, hi float64) float64 { return lo + (hi-lo)/2 }

// fitSum moves values within their edges, each by the same part of its way, until all samples add up to the sum.
func fitSum(values, counts []float64, edges [][2]float64, sum float64) {
	missing := sum
	var up, down float64 // how much the sum can grow and shrink
	for i, v := range values {
		missing -= v * counts[i]
		up += (edges[i][1] - v) * counts[i]
		down += (v - edges[i][0]) * counts[i]
	}
	part, edge := 0.0, 1
	switch {
	case missing > 0 && up > 0:
		part = min(missing/up, 1)
	case missing < 0 && down > 0:
		part, edge = min(-missing/down, 1), 0
	}
	for i, v := range values {
		values[i] = v + part*(edges[i][edge]-v)
	}
}
