// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package cumulative tells apart the metrics that are converted with the help of the points before them.
//
// What a cumulative point becomes depends on its predecessor, and converting it changes what follows: the increase can be
// computed once only. An exporter that cannot hand an increase on has to keep it, whereas it can give all other points
// back to whoever sent them.
package cumulative

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Split parts the metrics whose conversion has no memory from those of cumulative series. What is all of one kind is
// returned as it is; otherwise both parts are copies.
func Split(md pmetric.Metrics) (plain, increases pmetric.Metrics) {
	var plainCount, cumulativeCount int
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if Is(sm.Scope(), m) {
					cumulativeCount++
				} else {
					plainCount++
				}
			}
		}
	}
	switch {
	case cumulativeCount == 0:
		return md, pmetric.NewMetrics()
	case plainCount == 0:
		return pmetric.NewMetrics(), md
	}
	return filter(md, false), filter(md, true)
}

// Is reports whether the points of a metric are converted with the help of those before them. Summaries are, unless they
// are CloudWatch's statistic sets.
func Is(scope pcommon.InstrumentationScope, m pmetric.Metric) bool {
	switch m.Type() {
	case pmetric.MetricTypeSum:
		return m.Sum().IsMonotonic() && m.Sum().AggregationTemporality() == pmetric.AggregationTemporalityCumulative
	case pmetric.MetricTypeHistogram:
		return m.Histogram().AggregationTemporality() == pmetric.AggregationTemporalityCumulative
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().AggregationTemporality() == pmetric.AggregationTemporalityCumulative
	case pmetric.MetricTypeSummary:
		_, own := scope.Attributes().Get(cloudwatch.AttributeNamespace)
		return !own
	}
	return false
}

func filter(md pmetric.Metrics, cumulative bool) pmetric.Metrics {
	out := pmetric.NewMetrics()
	for _, rm := range md.ResourceMetrics().All() {
		outRM := out.ResourceMetrics().AppendEmpty()
		rm.Resource().CopyTo(outRM.Resource())
		outRM.SetSchemaUrl(rm.SchemaUrl())
		for _, sm := range rm.ScopeMetrics().All() {
			outSM := outRM.ScopeMetrics().AppendEmpty()
			sm.Scope().CopyTo(outSM.Scope())
			outSM.SetSchemaUrl(sm.SchemaUrl())
			for _, m := range sm.Metrics().All() {
				if Is(sm.Scope(), m) == cumulative {
					m.CopyTo(outSM.Metrics().AppendEmpty())
				}
			}
		}
	}
	return out
}
