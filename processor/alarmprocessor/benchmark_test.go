// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmprocessor

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// batch is what a batch processor or an SDK's exporter sends: resources with some metrics of some points each.
func batch(resources, metrics, points int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for r := range resources {
		rm := md.ResourceMetrics().AppendEmpty()
		for i, name := range []string{"service.name", "service.namespace", "service.instance.id", "host.name", "os.type"} {
			rm.Resource().Attributes().PutStr(name, fmt.Sprintf("value-%d-%d", r, i))
		}
		sm := rm.ScopeMetrics().AppendEmpty()
		sm.Scope().SetName("scope")
		for m := range metrics {
			metric := sm.Metrics().AppendEmpty()
			metric.SetName(fmt.Sprintf("http.server.metric.%d", m))
			list := metric.SetEmptyGauge().DataPoints()
			for i := range points {
				fill(list.AppendEmpty(), float64(i), start)
				list.At(i).Attributes().PutStr("route", fmt.Sprintf("/route/%d", i))
			}
		}
	}
	return md
}

func BenchmarkConsume(b *testing.B) {
	const watchedMetrics = 1000
	watched := map[[2]string]bool{}
	for i := range watchedMetrics {
		watched[[2]string{"AWS/EC2", fmt.Sprintf("Metric%d", i)}] = true
	}
	for _, size := range []struct{ resources, metrics, points int }{
		{10, 20, 50},  // a batch of 10,000 points
		{1, 30, 4},    // what one SDK sends
		{1000, 1, 1},  // the worst case: a resource for each point
		{100, 100, 1}, // host metrics
	} {
		points := size.resources * size.metrics * size.points
		for _, share := range []string{"none", "one metric"} {
			b.Run(fmt.Sprintf("%dx%dx%d/watched=%s", size.resources, size.metrics, size.points, share), func(b *testing.B) {
				a := &discard{testAlarms{watched: watched}}
				if share == "one metric" {
					a.watched = map[[2]string]bool{{"value-0-1/value-0-0", "http.server.metric.0"}: true}
				}
				p := startProcessor(b, componentSettings(), &a.testAlarms, consumertest.NewNop())
				p.alarms = a
				md := batch(size.resources, size.metrics, size.points)
				b.ReportAllocs()
				for b.Loop() {
					require.NoError(b, p.ConsumeMetrics(b.Context(), md))
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*points), "ns/point")
			})
		}
	}
}
