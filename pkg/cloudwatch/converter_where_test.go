// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

func TestConvertWhere(t *testing.T) {
	t.Parallel()
	c, err := NewConverter(ConverterConfig{Account: "1", Region: "r", Now: func() time.Time { return time.Unix(1000, 0) }})
	require.NoError(t, err)
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "shop")
	gauges := func(sm pmetric.ScopeMetrics, names ...string) {
		for _, name := range names {
			m := sm.Metrics().AppendEmpty()
			m.SetName(name)
			points := m.SetEmptyGauge().DataPoints()
			points.AppendEmpty().SetDoubleValue(1)
			points.AppendEmpty().SetDoubleValue(2)
		}
	}
	gauges(rm.ScopeMetrics().AppendEmpty(), "a", "b", "c")
	bad := rm.ScopeMetrics().AppendEmpty()
	bad.Scope().Attributes().PutInt(AttributeStorageResolution, 7)
	gauges(bad, "a", "b")

	seen := map[string]int{}
	for _, points := range []int{0, 2, 100} {
		batches, err := c.ConvertWhere(md, points, func(namespace string, scope pcommon.InstrumentationScope, m pmetric.Metric) bool {
			seen[namespace]++
			return m.Name() == "b" && scope.Name() == ""
		})
		var dropped *ConversionError
		require.ErrorAs(t, err, &dropped, "the scope with a resolution that there is not")
		assert.Equal(t, int64(2), dropped.DroppedPoints(), "those of the other metric are not counted")
		require.Len(t, batches, 1)
		require.Len(t, batches[0].Data, 2)
		assert.Equal(t, Metric{Namespace: "shop", Name: "b"}, batches[0].Data[1].Metric)
	}
	assert.Equal(t, map[string]int{"shop": 15}, seen)

	batches, err := c.ConvertWhere(md, 0, func(string, pcommon.InstrumentationScope, pmetric.Metric) bool { return false })
	require.NoError(t, err)
	assert.Empty(t, batches)
}
