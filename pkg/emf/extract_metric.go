// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package emf

import (
	"math"
	"slices"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// definition is one element of Metrics.
type definition struct {
	name, unit string
	resolution int32
	reason     Reason // why it is unusable; "" when it is usable
}

// readDefinitions fills x.definitions. It reports false when the directive is unusable.
func (x *extractor) readDefinitions(list value) bool {
	clear(x.definitions)
	x.definitions = x.definitions[:0]
	for c := list.cursor(); ; {
		v, ok := c.element()
		if !ok {
			return true
		}
		if len(x.definitions) == MaxMetricsPerDirective {
			x.fail(ReasonTooManyMetrics, "")
			return false
		}
		x.definitions = append(x.definitions, readDefinition(v))
	}
}

func readDefinition(v value) definition {
	d := definition{unit: cloudwatch.UnitNone, resolution: 60}
	if v.kind != kindObject {
		d.reason = ReasonMetricDefinition
		return d
	}
	var name, unit, resolution value
	for c := v.cursor(); ; {
		m, ok := c.member()
		if !ok {
			break
		}
		switch m.name {
		case "Name":
			name = m.value
		case "Unit":
			unit = m.value
		case "StorageResolution":
			resolution = m.value
		}
	}
	if name.kind == kindString {
		d.name = name.str()
	}
	if !cloudwatch.ValidMetricName(d.name, cloudwatch.CharsetUnicode) {
		d.reason = ReasonMetricDefinition
		return d
	}
	if unit.kind != kindInvalid {
		if d.unit = stringOrEmpty(unit); !cloudwatch.ValidUnit(d.unit) {
			d.reason = ReasonUnit
			return d
		}
	}
	if resolution.kind != kindInvalid {
		n, _ := wholeNumber(resolution)
		if n != 1 && n != 60 {
			d.reason = ReasonStorageResolution
			return d
		}
		d.resolution = int32(n)
	}
	return d
}

// metric appends a datum for each dimension set.
func (x *extractor) metric(namespace string, i int, timestampMs int64) {
	def := x.definitions[i]
	if def.reason != "" {
		x.fail(def.reason, def.name)
		return
	}
	for _, later := range x.definitions[i+1:] {
		if later.name == def.name { // the last definition of a name counts
			return
		}
	}
	target, ok := x.lookup(def.name)
	if !ok {
		x.fail(ReasonMetricMissing, def.name)
		return
	}
	d := cloudwatch.Datum{
		Metric:            cloudwatch.Metric{Namespace: namespace, Name: def.name},
		TimestampMs:       timestampMs,
		Unit:              def.unit,
		StorageResolution: def.resolution,
	}
	empty, ok := x.readMetric(target, &d)
	switch {
	case !ok:
		x.fail(ReasonMetricValue, def.name)
		return
	case empty:
		return
	case len(x.res.Data)+len(x.sets) > x.limit:
		x.fail(ReasonTooMuchData, def.name)
		return
	}
	x.res.Data = slices.Grow(x.res.Data, len(x.sets))
	for _, set := range x.sets {
		d.Dimensions = set
		x.res.Data = append(x.res.Data, d)
	}
}

// readMetric reads a metric's target. empty says that it holds no sample.
func (x *extractor) readMetric(v value, d *cloudwatch.Datum) (empty, ok bool) {
	switch v.kind {
	case kindNumber:
		d.Value = v.number()
		return false, cloudwatch.ValidValue(d.Value)
	case kindArray:
		return x.readArray(v, d)
	case kindObject:
		return x.readStatistics(v, d)
	}
	return false, false
}

// readFloats reads an array of at most limit numbers into x.floats.
func (x *extractor) readFloats(v value, limit int) bool {
	x.floats = x.floats[:0]
	if v.kind != kindArray {
		return false
	}
	for c := v.cursor(); ; {
		e, ok := c.element()
		if !ok {
			return true
		}
		if e.kind != kindNumber || len(x.floats) == limit {
			return false
		}
		f := e.number()
		if !cloudwatch.ValidValue(f) {
			return false
		}
		if f == 0 {
			f = 0 // no negative zero
		}
		x.floats = append(x.floats, f)
	}
}

// readArray takes every element as a sample; equal ones become one value with its count.
func (x *extractor) readArray(v value, d *cloudwatch.Datum) (empty, ok bool) {
	if !x.readFloats(v, MaxValuesPerMetric) {
		return false, false
	}
	switch len(x.floats) {
	case 0:
		return true, true
	case 1:
		d.Value = x.floats[0]
		return false, true
	}
	slices.Sort(x.floats)
	n := 1
	for i := 1; i < len(x.floats); i++ {
		if x.floats[i] != x.floats[i-1] {
			n++
		}
	}
	raw := make([]float64, 2*n)
	d.Values, d.Counts = raw[:0:n], raw[n:n]
	for i, f := range x.floats {
		if i == 0 || f != x.floats[i-1] {
			d.Values, d.Counts = append(d.Values, f), append(d.Counts, 0)
		}
		d.Counts[len(d.Counts)-1]++
	}
	return false, true
}

// readStatistics takes an object of Min, Max, Sum and Count as a statistic set, or, when it has Values and Counts,
// these. AWS's own exporters write both, although the specification has neither.
func (x *extractor) readStatistics(v value, d *cloudwatch.Datum) (empty, ok bool) {
	var s cloudwatch.StatisticSet
	var values, counts value
	var have int
	for c := v.cursor(); ; {
		m, ok := c.member()
		if !ok {
			break
		}
		var field *float64
		var bit int
		switch m.name {
		case "Count":
			field, bit = &s.SampleCount, 1
		case "Sum":
			field, bit = &s.Sum, 2
		case "Min":
			field, bit = &s.Minimum, 4
		case "Max":
			field, bit = &s.Maximum, 8
		case "Values":
			values = m.value
			continue
		case "Counts":
			counts = m.value
			continue
		default:
			continue
		}
		if m.value.kind != kindNumber {
			return false, false
		}
		if *field = m.value.number(); math.IsInf(*field, 0) {
			return false, false
		}
		have |= bit
	}
	const all = 1 | 2 | 4 | 8
	if values.kind != kindInvalid {
		if have != all {
			return x.readWeighted(values, counts, nil, d)
		}
		return x.readWeighted(values, counts, &s, d)
	}
	if have != all || counts.kind != kindInvalid {
		return false, false
	}
	if s.SampleCount == 0 {
		return true, true
	}
	if s.SampleCount < 0 || s.Maximum < s.Minimum || !cloudwatch.ValidValue(s.Minimum) || !cloudwatch.ValidValue(s.Maximum) {
		return false, false
	}
	d.Statistics = &s
	return false, true
}

// readWeighted reads Values and Counts. When the statistics s come with them, the values are the middles of an
// exporter's buckets: the minimum and maximum are added without a count, and the values scaled to give the sum.
func (x *extractor) readWeighted(values, counts value, s *cloudwatch.StatisticSet, d *cloudwatch.Datum) (empty, ok bool) {
	if !x.readFloats(values, cloudwatch.MaxExactValues) {
		return false, false
	}
	n := len(x.floats)
	list := slices.Clone(x.floats)
	weights := make([]float64, n, n+2)
	for i := range weights {
		weights[i] = 1
	}
	if counts.kind != kindInvalid {
		if !x.readFloats(counts, n) || len(x.floats) != n {
			return false, false
		}
		copy(weights, x.floats)
	}
	var total, sum float64
	for i, w := range weights {
		if w < 0 {
			return false, false
		}
		total += w
		sum += w * list[i]
	}
	if total == 0 {
		return true, true
	}
	if s != nil && s.Minimum <= s.Maximum && cloudwatch.ValidValue(s.Minimum) && cloudwatch.ValidValue(s.Maximum) {
		list, weights = fitStatistics(list, weights, sum, s)
	}
	d.Values, d.Counts = mergeValues(list, weights)
	return false, true
}

// fitStatistics brings the middles of buckets in line with the exact statistics, where these are plausible.
func fitStatistics(values, counts []float64, sum float64, s *cloudwatch.StatisticSet) (v, c []float64) {
	const maxScale = 0.1 // the precision of a percentile
	scale := 1.0
	if ratio := s.Sum / sum; math.Abs(ratio-1) > 1e-9 && math.Abs(ratio-1) <= maxScale {
		scale = ratio
	}
	for i, f := range values {
		values[i] = min(max(f*scale, s.Minimum), s.Maximum)
	}
	return append(values, s.Minimum, s.Maximum), append(counts, 0, 0)
}

// mergeValues sorts values and merges equal ones.
func mergeValues(values, counts []float64) (v, c []float64) {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case values[a] < values[b]:
			return -1
		case values[a] > values[b]:
			return 1
		}
		return 0
	})
	v, c = make([]float64, 0, len(values)), make([]float64, 0, len(values))
	for _, i := range order {
		if n := len(v); n > 0 && v[n-1] == values[i] {
			c[n-1] += counts[i]
			continue
		}
		v, c = append(v, values[i]), append(c, counts[i])
	}
	return v, c
}
