// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package storeexporter

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/nephoscope/nephoscope/internal/store"
)

// unkept copies the points of plain whose data were not written. Data stand in the order of their points, but a point
// may have none; which do shows when each is converted by itself. That is slow, and needed only when a part of a
// write failed.
func (e *metricsExporter) unkept(plain pmetric.Metrics, writes []metricsWrite) pmetric.Metrics {
	if nothingKept(writes) {
		return plain
	}
	next := make(map[store.Tenant]int, len(writes)) // index of the tenant's next datum
	kept := make(map[store.Tenant][]bool, len(writes))
	for i := range writes {
		next[writes[i].tenant] = writes[i].increases
		kept[writes[i].tenant] = writes[i].kept
	}
	wasKept := func(one pmetric.Metrics) bool {
		batches, _ := e.converter.Convert(one)
		batches, _ = dropTimes(batches)
		if len(batches) == 0 {
			return true // there is nothing to try again
		}
		t := store.Tenant{Account: batches[0].Account, Region: batches[0].Region}
		i := next[t]
		next[t]++
		return i < len(kept[t]) && kept[t][i]
	}
	out := pmetric.NewMetrics()
	plain.CopyTo(out)
	out.ResourceMetrics().RemoveIf(func(rm pmetric.ResourceMetrics) bool {
		rm.ScopeMetrics().RemoveIf(func(sm pmetric.ScopeMetrics) bool {
			sm.Metrics().RemoveIf(func(m pmetric.Metric) bool {
				one := onePoint{resource: rm.Resource(), scope: sm.Scope(), metric: m}
				return one.removePoints(wasKept)
			})
			return sm.Metrics().Len() == 0
		})
		return rm.ScopeMetrics().Len() == 0
	})
	return out
}

// onePoint makes metrics of single points.
type onePoint struct {
	resource pcommon.Resource
	scope    pcommon.InstrumentationScope
	metric   pmetric.Metric
}

// removePoints removes the points for which done is true, and reports whether none is left.
func (o *onePoint) removePoints(done func(pmetric.Metrics) bool) bool {
	switch o.metric.Type() {
	case pmetric.MetricTypeGauge:
		points := o.metric.Gauge().DataPoints()
		points.RemoveIf(func(p pmetric.NumberDataPoint) bool {
			return done(o.make(func(m pmetric.Metric) { p.CopyTo(m.SetEmptyGauge().DataPoints().AppendEmpty()) }))
		})
		return points.Len() == 0
	case pmetric.MetricTypeSum:
		sum := o.metric.Sum()
		sum.DataPoints().RemoveIf(func(p pmetric.NumberDataPoint) bool {
			return done(o.make(func(m pmetric.Metric) {
				to := m.SetEmptySum()
				to.SetIsMonotonic(sum.IsMonotonic())
				to.SetAggregationTemporality(sum.AggregationTemporality())
				p.CopyTo(to.DataPoints().AppendEmpty())
			}))
		})
		return sum.DataPoints().Len() == 0
	case pmetric.MetricTypeHistogram:
		histogram := o.metric.Histogram()
		histogram.DataPoints().RemoveIf(func(p pmetric.HistogramDataPoint) bool {
			return done(o.make(func(m pmetric.Metric) {
				to := m.SetEmptyHistogram()
				to.SetAggregationTemporality(histogram.AggregationTemporality())
				p.CopyTo(to.DataPoints().AppendEmpty())
			}))
		})
		return histogram.DataPoints().Len() == 0
	case pmetric.MetricTypeExponentialHistogram:
		histogram := o.metric.ExponentialHistogram()
		histogram.DataPoints().RemoveIf(func(p pmetric.ExponentialHistogramDataPoint) bool {
			return done(o.make(func(m pmetric.Metric) {
				to := m.SetEmptyExponentialHistogram()
				to.SetAggregationTemporality(histogram.AggregationTemporality())
				p.CopyTo(to.DataPoints().AppendEmpty())
			}))
		})
		return histogram.DataPoints().Len() == 0
	case pmetric.MetricTypeSummary:
		points := o.metric.Summary().DataPoints()
		points.RemoveIf(func(p pmetric.SummaryDataPoint) bool {
			return done(o.make(func(m pmetric.Metric) { p.CopyTo(m.SetEmptySummary().DataPoints().AppendEmpty()) }))
		})
		return points.Len() == 0
	}
	return true
}

func (o *onePoint) make(fill func(pmetric.Metric)) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	o.resource.CopyTo(rm.Resource())
	sm := rm.ScopeMetrics().AppendEmpty()
	o.scope.CopyTo(sm.Scope())
	m := sm.Metrics().AppendEmpty()
	m.SetName(o.metric.Name())
	m.SetUnit(o.metric.Unit())
	o.metric.Metadata().CopyTo(m.Metadata())
	fill(m)
	return md
}
