// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awscloudwatchexporter

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

func benchmarkMetrics(series int) pmetric.Metrics {
	var points []point
	for i := range series {
		points = append(points, point{
			name: fmt.Sprint("metric", i%20), value: float64(i), at: testStart,
			dims: map[string]string{"host": fmt.Sprint("i-", i/20), "service": "checkout"},
		})
	}
	return metrics("Shop", points...)
}

// A call with one sample of each of 1,000 series.
func BenchmarkConsumeMetrics(b *testing.B) {
	for name, disk := range map[string]*memoryStorage{"memory": nil, "journal": {data: make(map[string][]byte)}} {
		b.Run(name, func(b *testing.B) {
			e := newTestExporter(b, testOptions{storage: disk, next: &refusing{room: 1 << 30}})
			md := benchmarkMetrics(1000)
			b.ReportAllocs()
			for b.Loop() {
				if err := e.ConsumeMetrics(b.Context(), md); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "points/s")
		})
	}
}

// What is sent of 10,000 series, as far as the client.
func BenchmarkPush(b *testing.B) {
	e := newTestExporter(b, testOptions{configure: direct})
	batches, err := e.own.Convert(benchmarkMetrics(10_000))
	require.NoError(b, err)
	md := toMetrics(nil, batches[0].Data)
	b.ReportAllocs()
	for b.Loop() {
		e.fake.calls = nil
		if err := e.push(b.Context(), md); err != nil {
			b.Fatal(err)
		}
		if len(e.fake.calls) != 10 {
			b.Fatal(len(e.fake.calls))
		}
	}
	b.ReportMetric(float64(b.N)*10_000/b.Elapsed().Seconds(), "data/s")
}
