// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfexporter

import (
	"math"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

const labelQuantile = "quantile"

// prepare changes metrics as the configuration says, before they are converted. Doing it again changes nothing.
func (t *translator) prepare(md pmetric.Metrics) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			_, own := sm.Scope().Attributes().Get(cloudwatch.AttributeNamespace)
			if t.cfg.DetailedMetrics {
				expandSummaries(sm.Metrics(), own)
			}
			for _, m := range sm.Metrics().All() {
				t.prepareUnit(m)
			}
		}
	}
}

// prepareUnit gives the metric its configured unit, and takes units that are spelled as CloudWatch's.
func (t *translator) prepareUnit(m pmetric.Metric) {
	unit := m.Unit()
	if d, ok := t.descriptors[m.Name()]; ok && (unit == "" || d.Overwrite) {
		unit = d.Unit
	}
	switch {
	case unit == "Bi":
		m.SetUnit("bit")
	case unit != "" && cloudwatch.ValidUnit(unit):
		code, _ := cloudwatch.UCUM(unit)
		m.SetUnit(code)
	}
}

// expandSummaries replaces summaries by their sum, their count and a gauge of their quantiles.
func expandSummaries(metrics pmetric.MetricSlice, own bool) {
	n := metrics.Len()
	for i := range n {
		if m := metrics.At(i); m.Type() == pmetric.MetricTypeSummary {
			expandSummary(metrics, m, own)
		}
	}
	metrics.RemoveIf(func(m pmetric.Metric) bool { return m.Type() == pmetric.MetricTypeSummary })
}

func expandSummary(metrics pmetric.MetricSlice, m pmetric.Metric, own bool) {
	points := m.Summary().DataPoints()
	sum := metrics.AppendEmpty()
	sum.SetName(m.Name() + "_sum")
	sum.SetUnit(m.Unit())
	sums := numbers(sum, own)
	count := metrics.AppendEmpty()
	count.SetName(m.Name() + "_count")
	count.SetUnit("{Count}")
	counts := numbers(count, own)
	quantile := metrics.AppendEmpty()
	quantile.SetName(m.Name())
	quantile.SetUnit(m.Unit())
	quantiles := quantile.SetEmptyGauge().DataPoints()
	for _, p := range points.All() {
		to := func(list pmetric.NumberDataPointSlice) pmetric.NumberDataPoint {
			dp := list.AppendEmpty()
			dp.SetStartTimestamp(p.StartTimestamp())
			dp.SetTimestamp(p.Timestamp())
			dp.SetFlags(p.Flags())
			p.Attributes().CopyTo(dp.Attributes())
			return dp
		}
		to(sums).SetDoubleValue(p.Sum())
		to(counts).SetIntValue(int64(min(p.Count(), math.MaxInt64)))
		for _, q := range p.QuantileValues().All() {
			if math.IsNaN(q.Value()) { // nothing was observed lately
				continue
			}
			dp := to(quantiles)
			dp.SetDoubleValue(q.Value())
			dp.Attributes().PutStr(labelQuantile, strconv.FormatFloat(q.Quantile(), 'g', -1, 64))
		}
	}
}

// numbers makes the metric one of increases, or, when its points are increases already, of values.
func numbers(m pmetric.Metric, increases bool) pmetric.NumberDataPointSlice {
	if increases {
		return m.SetEmptyGauge().DataPoints()
	}
	s := m.SetEmptySum()
	s.SetIsMonotonic(true)
	s.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	return s.DataPoints()
}

// attributeMaps calls f with the attributes of every data point of a metric.
func attributeMaps(m pmetric.Metric, f func(pcommon.Map)) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		for _, p := range m.Gauge().DataPoints().All() {
			f(p.Attributes())
		}
	case pmetric.MetricTypeSum:
		for _, p := range m.Sum().DataPoints().All() {
			f(p.Attributes())
		}
	case pmetric.MetricTypeHistogram:
		for _, p := range m.Histogram().DataPoints().All() {
			f(p.Attributes())
		}
	case pmetric.MetricTypeExponentialHistogram:
		for _, p := range m.ExponentialHistogram().DataPoints().All() {
			f(p.Attributes())
		}
	case pmetric.MetricTypeSummary:
		for _, p := range m.Summary().DataPoints().All() {
			f(p.Attributes())
		}
	}
}
