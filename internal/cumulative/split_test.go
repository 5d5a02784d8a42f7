// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cumulative

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/goleak"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func names(md pmetric.Metrics) (list []string) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				list = append(list, m.Name())
			}
		}
	}
	return list
}

func TestSplit(t *testing.T) {
	t.Parallel()
	const delta, cumulative = pmetric.AggregationTemporalityDelta, pmetric.AggregationTemporalityCumulative
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("r", "1")
	sm := rm.ScopeMetrics().AppendEmpty()
	add := func(name string, fill func(pmetric.Metric)) {
		m := sm.Metrics().AppendEmpty()
		m.SetName(name)
		fill(m)
	}
	sum := func(t pmetric.AggregationTemporality, monotonic bool) func(pmetric.Metric) {
		return func(m pmetric.Metric) {
			m.SetEmptySum().SetAggregationTemporality(t)
			m.Sum().SetIsMonotonic(monotonic)
		}
	}
	add("gauge", func(m pmetric.Metric) { m.SetEmptyGauge() })
	add("level", sum(cumulative, false))
	add("delta", sum(delta, true))
	add("counter", sum(cumulative, true))
	add("delta histogram", func(m pmetric.Metric) { m.SetEmptyHistogram().SetAggregationTemporality(delta) })
	add("histogram", func(m pmetric.Metric) { m.SetEmptyHistogram().SetAggregationTemporality(cumulative) })
	add("exponential", func(m pmetric.Metric) { m.SetEmptyExponentialHistogram().SetAggregationTemporality(cumulative) })
	add("summary", func(m pmetric.Metric) { m.SetEmptySummary() })
	sm = rm.ScopeMetrics().AppendEmpty()
	sm.Scope().Attributes().PutStr(cloudwatch.AttributeNamespace, "n")
	add("statistics", func(m pmetric.Metric) { m.SetEmptySummary() })

	plain, increases := Split(md)
	assert.Equal(t, []string{"gauge", "level", "delta", "delta histogram", "statistics"}, names(plain))
	assert.Equal(t, []string{"counter", "histogram", "exponential", "summary"}, names(increases))
	assert.Equal(t, map[string]any{"r": "1"}, increases.ResourceMetrics().At(0).Resource().Attributes().AsRaw())

	again, none := Split(plain)
	assert.Equal(t, plain, again)
	assert.Zero(t, none.ResourceMetrics().Len())
	none, again = Split(increases)
	require.Zero(t, none.ResourceMetrics().Len())
	assert.Equal(t, increases, again)
}
