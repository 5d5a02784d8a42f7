// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricstream

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// ToMetrics translates points to summaries, with the conventions of [cloudwatch.ToMetrics]: a point's time is when its minute
// begins. Percentiles are quantiles of the summary; left says how many other additional statistics have no place there.
func ToMetrics(points []Point) (md pmetric.Metrics, left int) {
	md = pmetric.NewMetrics()
	byTenant := map[cloudwatch.Tenant][]int{}
	var order []cloudwatch.Tenant
	for i := range points {
		t := points[i].Tenant
		if byTenant[t] == nil {
			order = append(order, t)
		}
		byTenant[t] = append(byTenant[t], i)
	}
	for _, t := range order {
		left += appendTenant(md, t, points, byTenant[t])
	}
	return md, left
}

func appendTenant(md pmetric.Metrics, t cloudwatch.Tenant, points []Point, places []int) (left int) {
	type group struct{ namespace, name, unit string }
	data := make([]cloudwatch.Datum, len(places))
	byGroup := map[group][]int{}
	fractional := false
	for i, place := range places {
		p := &points[place]
		data[i] = cloudwatch.Datum{
			Metric: p.Metric, TimestampMs: p.TimestampMs, Unit: p.Unit, StorageResolution: 60, Statistics: &p.StatisticSet,
		}
		unit, _ := cloudwatch.UCUM(p.Unit)
		g := group{p.Metric.Namespace, p.Metric.Name, unit}
		byGroup[g] = append(byGroup[g], place)
		left += len(p.Additional) - len(p.quantiles()) + 2
		fractional = fractional || p.SampleCount != math.Trunc(p.SampleCount)
	}
	out := cloudwatch.ToMetrics(t.Account, t.Region, data)
	if fractional {
		// Such counts take a metric of their own, out of the order that the percentiles are put back by.
		left = 0
		for _, place := range places {
			left += len(points[place].Additional)
		}
		out.ResourceMetrics().MoveAndAppendTo(md.ResourceMetrics())
		return left
	}
	for _, rm := range out.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			namespace, _ := sm.Scope().Attributes().Get(cloudwatch.AttributeNamespace)
			for _, m := range sm.Metrics().All() {
				// The points of a metric are in the order of the data.
				of := byGroup[group{namespace.Str(), m.Name(), m.Unit()}]
				for i, dp := range m.Summary().DataPoints().All() {
					if p := &points[of[i]]; len(p.Additional) > 0 {
						dp.QuantileValues().RemoveIf(func(pmetric.SummaryDataPointValueAtQuantile) bool { return true })
						for _, q := range p.quantiles() {
							v := dp.QuantileValues().AppendEmpty()
							v.SetQuantile(q.q)
							v.SetValue(q.value)
						}
					}
				}
			}
		}
	}
	out.ResourceMetrics().MoveAndAppendTo(md.ResourceMetrics())
	return left
}
