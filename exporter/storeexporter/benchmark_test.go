// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package storeexporter

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store/duckdb"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

func openEngine(tb testing.TB) *duckdb.Engine {
	tb.Helper()
	e, err := duckdb.Open(tb.Context(), duckdb.Config{Directory: tb.TempDir(), MinFreeDisk: -1})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, e.Close()) })
	return e
}

// inParallel runs push from as many clients as a busy endpoint has, so that commits are shared.
func inParallel(b *testing.B, items int, unit string, push func(i int64) error) {
	b.Helper()
	b.SetParallelism(8)
	b.ReportAllocs()
	b.ResetTimer()
	var n atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := push(n.Add(1)); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)*float64(items)/b.Elapsed().Seconds(), unit+"/s")
}

// BenchmarkLogs writes requests of 1,000 JSON events of 550 bytes.
func BenchmarkLogs(b *testing.B) {
	e := start(b, nopSettings(), openEngine(b), NewFactory().CreateLogs)
	now := time.Now().UnixMilli()
	events := make([]cloudwatchlogs.InputEvent, 1000)
	size := 0
	for i := range events {
		m := fmt.Sprintf(`{"timestamp":"2026-11-22T12:00:00.000Z","level":"INFO","service":"orders","trace_id":"%032x",`+
			`"order_id":"%08d","duration_ms":%d.5,"status":200,"message":"order placed","items":[{"sku":"a-%d","count":2}],`, i, i, i%300, i%50)
		m += `"padding":"` + strings.Repeat("lorem ipsum ", (550-len(m))/12) + `"}`
		events[i] = cloudwatchlogs.InputEvent{Timestamp: now + int64(i), Message: m}
		size += len(m)
	}
	b.SetBytes(int64(size))
	inParallel(b, len(events), "events", func(i int64) error {
		return e.ConsumeLogs(b.Context(), cloudwatchlogs.ToLogs(
			"123456789012", "eu-west-1", "/shop", fmt.Sprintf("orders-%d", i%16), events, now))
	})
}

// BenchmarkMetrics writes requests of 1,000 data of 100 metrics.
func BenchmarkMetrics(b *testing.B) {
	e := start(b, nopSettings(), openEngine(b), NewFactory().CreateMetrics)
	data := make([]cloudwatch.Datum, 1000)
	for i := range data {
		data[i] = cloudwatch.Datum{
			Metric: cloudwatch.Metric{Namespace: "shop", Name: "latency", Dimensions: []cloudwatch.Dimension{
				{Name: "host", Value: fmt.Sprintf("host-%d", i%100)}, {Name: "service", Value: "orders"},
			}},
			TimestampMs: time.Now().UnixMilli(), Unit: "Milliseconds", StorageResolution: 60, Value: float64(i) / 7,
		}
	}
	inParallel(b, len(data), "data", func(int64) error {
		return e.ConsumeMetrics(b.Context(), cloudwatch.ToMetrics("123456789012", "eu-west-1", data))
	})
}

// BenchmarkTraces writes requests of 50 segments, each with a subsegment, as the X-Ray daemon sends them.
func BenchmarkTraces(b *testing.B) {
	e := start(b, nopSettings(), openEngine(b), NewFactory().CreateTraces)
	const n = 50
	now := time.Now().Unix()
	inParallel(b, n, "segments", func(i int64) error {
		docs := make([]string, n)
		for k := range docs {
			docs[k] = fmt.Sprintf(`{"name":"orders","trace_id":"1-%08x-%016x%08x","id":"%016x","start_time":%d.1,"end_time":%d.2,`+
				`"http":{"request":{"method":"POST","url":"https://shop.example.com/orders"},"response":{"status":200}},`+
				`"annotations":{"customer":"%d"},"metadata":{"default":{"cart":[1,2,3]}},"subsegments":[{"name":"dynamodb",`+
				`"id":"%016x","start_time":%d.12,"end_time":%d.18,"namespace":"aws","aws":{"operation":"PutItem","table_name":"orders"}}]}`,
				now, i, k, k+1, now, now, k, k+1000, now, now)
		}
		return e.ConsumeTraces(b.Context(), testTraces(b, docs...))
	})
}
