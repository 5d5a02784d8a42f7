// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// unusable counts a point that holds no usable value and reports true, or reports false. A sum of many values may
// be beyond the range of one.
func (r *conversion) unusable(flags pmetric.DataPointFlags, sum float64, values ...float64) bool {
	switch {
	case flags.NoRecordedValue():
		r.drop(ReasonNoRecordedValue, 1)
		return true
	case math.IsNaN(sum) || math.IsInf(sum, 0):
		r.drop(ReasonNotFinite, 1)
		return true
	}
	for _, v := range values {
		switch {
		case math.IsNaN(v) || math.IsInf(v, 0):
			r.drop(ReasonNotFinite, 1)
			return true
		case !ValidValue(v):
			r.drop(ReasonOutOfRange, 1)
			return true
		}
	}
	return false
}

// number returns a point's value, or counts why it has none.
func (r *conversion) number(dp pmetric.NumberDataPoint) (v float64, ok bool) {
	switch dp.ValueType() {
	case pmetric.NumberDataPointValueTypeInt:
		v = float64(dp.IntValue())
	case pmetric.NumberDataPointValueTypeDouble:
		v = dp.DoubleValue()
	default:
		r.drop(ReasonNoRecordedValue, 1)
		return 0, false
	}
	return v, !r.unusable(dp.Flags(), 0, v)
}

func (r *conversion) addNumber(dp pmetric.NumberDataPoint) {
	v, ok := r.number(dp)
	if !ok {
		return
	}
	if d := r.datum(dp.Timestamp(), dp.Attributes()); d != nil {
		d.Value = v
	}
}

func (r *conversion) addSum(sum pmetric.Sum) {
	switch {
	case !sum.IsMonotonic() || sum.AggregationTemporality() == pmetric.AggregationTemporalityDelta:
		// A sum that also falls is a level, such as requests in flight: its value is what is of interest.
		for _, dp := range sum.DataPoints().All() {
			r.addNumber(dp)
		}
	case sum.AggregationTemporality() == pmetric.AggregationTemporalityCumulative:
		for _, dp := range sum.DataPoints().All() {
			r.addCumulativeNumber(dp)
		}
	default:
		r.drop(ReasonNoTemporality, sum.DataPoints().Len())
	}
}

func (r *conversion) addCumulativeNumber(dp pmetric.NumberDataPoint) {
	v, ok := r.number(dp)
	if !ok {
		return
	}
	p := seriesPoint{start: dp.StartTimestamp(), time: dp.Timestamp(), sum: v, hasSum: true}
	if dp.ValueType() == pmetric.NumberDataPointValueTypeInt {
		p.integer, p.isInteger = dp.IntValue(), true
	}
	delta, ok := r.delta(&p, dp.Attributes())
	if !ok {
		return
	}
	if d := r.datum(dp.Timestamp(), dp.Attributes()); d != nil {
		d.Value = delta.sum
	}
}

// delta replaces a cumulative point by the increase since the series' last one.
func (r *conversion) delta(p *seriesPoint, attrs pcommon.Map) (*seriesPoint, bool) {
	if p.time == 0 {
		p.time = pcommon.NewTimestampFromTime(r.now)
	}
	delta, why := r.c.series.delta(r.seriesKey(attrs), p, r.now)
	if why != "" {
		r.drop(why, 1)
		return nil, false
	}
	return delta, true
}

func (r *conversion) addSummary(dp pmetric.SummaryDataPoint) {
	count, sum := float64(dp.Count()), dp.Sum()
	if r.own {
		if counts := metadataCounts(r.metric); len(counts) == 1 && r.metric.Summary().DataPoints().Len() == 1 {
			count = counts[0]
		}
	}
	if r.unusable(dp.Flags(), sum) {
		return
	}
	if !r.own {
		delta, ok := r.delta(&seriesPoint{
			start: dp.StartTimestamp(), time: dp.Timestamp(),
			count: dp.Count(), sum: sum, hasSum: true,
		}, dp.Attributes())
		if !ok {
			return
		}
		count, sum = float64(delta.count), delta.sum
	}
	if !(count > 0) {
		return
	}
	s := StatisticSet{SampleCount: count, Sum: sum, Minimum: math.Inf(1), Maximum: math.Inf(-1)}
	var hasMin, hasMax bool
	lowest, highest := math.Inf(1), math.Inf(-1)
	for _, q := range dp.QuantileValues().All() {
		v := q.Value()
		if math.IsNaN(v) { // nothing was observed lately
			continue
		}
		if !ValidValue(v) {
			r.drop(ReasonOutOfRange, 1)
			return
		}
		if q.Quantile() <= lowest {
			lowest, s.Minimum = q.Quantile(), v
		}
		if q.Quantile() >= highest {
			highest, s.Maximum = q.Quantile(), v
		}
		hasMin, hasMax = hasMin || q.Quantile() == 0, hasMax || q.Quantile() == 1
	}
	if !hasMin || !hasMax {
		average := s.Average()
		s.Minimum, s.Maximum = min(s.Minimum, average), max(s.Maximum, average)
	}
	if s.Minimum > s.Maximum {
		r.drop(ReasonInvalidSummary, 1)
		return
	}
	d := r.datum(dp.Timestamp(), dp.Attributes())
	if d == nil {
		return
	}
	if !hasMin || !hasMax {
		r.adjust(ReasonEstimatedBounds)
	}
	d.Statistics = &s
}

// metadataCounts returns the counts that ToMetrics put into a metric's metadata.
func metadataCounts(m pmetric.Metric) []float64 {
	v, ok := m.Metadata().Get(MetadataCounts)
	if !ok || v.Type() != pcommon.ValueTypeSlice {
		return nil
	}
	list := v.Slice()
	counts := make([]float64, 0, list.Len())
	for _, c := range list.All() {
		n := c.Double()
		if c.Type() != pcommon.ValueTypeDouble || !(n >= 0) || math.IsInf(n, 1) {
			return nil
		}
		counts = append(counts, n)
	}
	return counts
}
