// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package difftest

import (
	"fmt"
	"hash/fnv"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/internal/store/duckdb"
	"github.com/nephoscope/nephoscope/pkg/logsinsights"
)

// benchEvents is how many events the benchmark's day has; NEPHOSCOPE_BENCH_EVENTS sets another number.
func benchEvents(b *testing.B) int {
	b.Helper()
	n := 200_000
	if s := os.Getenv("NEPHOSCOPE_BENCH_EVENTS"); s != "" {
		var err error
		n, err = strconv.Atoi(s)
		require.NoError(b, err)
	}
	return n
}

var benchTenant = store.Tenant{Account: "123456789012", Region: "eu-west-1"}

// benchRecord is event i of n, spread over 24 hours: about 550 bytes of JSON.
func benchRecord(i, n int) store.LogRecord {
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, i)
	r := h.Sum64()
	level := "INFO"
	switch {
	case r%50 == 0:
		level = "ERROR"
	case r%7 == 0:
		level = "WARN"
	}
	method := [2]string{"GET", "PUT"}[r/3%2]
	trace := fmt.Sprintf("%016x%016x", r*2654435761, r)
	msg := fmt.Sprintf(`{"timestamp":"2024-05-01T00:00:00Z","level":"%s","service":"svc%d","trace_id":"%s","duration_ms":%d.%d,"status":%d,`+
		`"message":"user=u%d, method:%s, did something with text","ctx":{"region":"us-east-1","az":"%d","tags":["a","b"],"deep":{"k":%d}},`+
		`"pad":"%016x%016x%016x lorem ipsum dolor sit amet consetetur sadipscing elitr sed diam nonumy eirmod tempor invidunt ut labore et dolore magna"}`,
		level, r/11%12, trace, r/13%1000, r/17%10, 200+r/19%5, r/23%300, method, r/29%3, r/31%7, r*3, r*5, r*7)
	at := int64(day) - 43_200_000 + int64(i)*86_400_000/int64(n)
	rec := store.LogRecord{
		Tenant: benchTenant, Group: fmt.Sprintf("/app/g%d", i%20), Stream: fmt.Sprintf("s%d", i%50), Timestamp: at, Ingested: at + 20, Message: msg,
	}
	promote(&rec)
	return rec
}

func fillBench(b *testing.B, e *duckdb.Engine, n int) {
	b.Helper()
	batch := make([]store.LogRecord, 0, 8192)
	for i := range n {
		batch = append(batch, benchRecord(i, n))
		if len(batch) == cap(batch) || i == n-1 {
			require.NoError(b, e.WriteLogs(b.Context(), batch))
			batch = batch[:0]
		}
	}
}

// BenchmarkQueries runs the queries by which engines were compared, with as much in the store as can be.
func BenchmarkQueries(b *testing.B) {
	n := benchEvents(b)
	e := openEngine(b)
	fillBench(b, e, n)
	var groups []string
	for i := range 20 {
		groups = append(groups, fmt.Sprintf("/app/g%d", i))
	}
	all := selection(benchTenant, groups...)
	quarter := selection(benchTenant, groups[3])
	quarter.Start, quarter.End = day, day+15*60_000
	needle := benchRecord(n/3, n)
	for _, q := range []struct {
		name, query string
		sel         store.LogSelection
	}{
		{"rare-substring", `filter @message like "` + needle.TraceID[3:20] + `"`, all},
		{"like-error-latest-100", `filter @message like /ERROR/ | sort @timestamp desc | limit 100`, all},
		{"error-by-service", `filter level = "ERROR" | stats count(*) as n by service | sort n desc`, all},
		{"percentiles-by-1h", `stats pct(duration_ms, 50), pct(duration_ms, 95), pct(duration_ms, 99), avg(duration_ms) by bin(1h)`, all},
		{"regex-parse-count", `parse @message /user=(?<u>\w+), method/ | stats count(*) by u`, all},
		{"glob-parse-count", `parse @message "user=*, method:*, " as u, m | stats count(*) by u, m`, all},
		{"group-15min-top-100", `fields @timestamp, @message | sort @timestamp desc | limit 100`, quarter},
		{"count-by-5m", `stats count(*) by bin(5m)`, all},
		{"trace-id", `filter trace_id = "` + needle.TraceID + `"`, all},
		{"json-field-by-group", `filter ctx.az = "1" | stats count(*) by ctx.deep.k`, all},
		{"json-number-filter", `filter ctx.deep.k > 5 | stats count(*)`, all},
		{"go-only-function", `filter strlen(ctx.region) = 9 and level = "ERROR" | stats count(*) by service`, all},
	} {
		b.Run(q.name, func(b *testing.B) {
			var rows int
			for b.Loop() {
				res, err := run(b.Context(), e, q.sel, q.query, logsinsights.Options{Dialect: e.Dialect(), Promoted: true})
				require.NoError(b, err)
				rows = len(res.Rows)
			}
			require.NotZero(b, rows)
			b.ReportMetric(float64(rows), "rows")
		})
	}
}

// BenchmarkGo runs queries in Go alone over events in memory.
func BenchmarkGo(b *testing.B) {
	const n = 20_000
	m := &memory{}
	size := 0
	for i := range n {
		r := benchRecord(i, n)
		size += len(r.Message)
		m.records = append(m.records, r)
	}
	for name, query := range map[string]string{
		"fields":     `filter ctx.az = "1" | stats count(*) by ctx.deep.k`,
		"regex":      `parse @message /user=(?<u>\w+), method/ | stats count(*) by u`,
		"glob":       `parse @message "user=*, method:*, " as u, m | stats count(*) by u, m`,
		"percentile": `stats pct(duration_ms, 95) by bin(1h)`,
		"sort":       `fields ctx.deep.k as k | sort k desc, @timestamp asc | limit 100`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				_, err := run(b.Context(), m, selection(benchTenant), query, logsinsights.Options{})
				require.NoError(b, err)
			}
		})
	}
}
