// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// generator makes JSON events of about 550 bytes.
type generator struct{ rng *rand.Rand }

func (g *generator) event(ts int64) store.LogRecord {
	level := "INFO"
	if g.rng.IntN(50) == 0 {
		level = "ERROR"
	}
	d, status := g.rng.ExpFloat64()*80, int32(200)
	service := []string{"cart", "checkout", "payments", "inventory", "shipping"}[g.rng.IntN(5)]
	trace := fmt.Sprintf("%08x%08x%016x", uint32(ts/1000), g.rng.Uint32(), g.rng.Uint64())
	group := g.rng.IntN(20)
	r := store.LogRecord{
		Tenant: tenant, Group: fmt.Sprintf("/shop/%s/%d", service, group), Stream: fmt.Sprintf("pod-%d", g.rng.IntN(50)), Timestamp: ts,
		Ingested: ts + 5, Level: level, Service: service, TraceID: trace, DurationMs: &d, Status: &status,
	}
	r.Message = fmt.Sprintf(`{"timestamp":"%s","level":"%s","service":"%s","trace_id":"%s","span_id":"%016x","duration_ms":%.3f,"status":%d,`+
		`"http":{"method":"GET","path":"/api/v1/%s/%d","user_agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","bytes":%d},`+
		`"order_id":"ord-%d","customer":"c%06d","region":"eu-central-1","host":"ip-10-0-%d-%d","message":"request handled by %s after %d retries, queue depth %d",`+
		`"tags":["prod","blue","v1.%d.%d"],"session":"%016x"}`,
		time.UnixMilli(ts).UTC().Format(time.RFC3339Nano), level, service, trace, g.rng.Uint64(), d, status, service, g.rng.IntN(1e6),
		g.rng.IntN(1e5), g.rng.IntN(1e7), g.rng.IntN(1e5), g.rng.IntN(256), g.rng.IntN(256), service, g.rng.IntN(4), g.rng.IntN(100),
		g.rng.IntN(30), g.rng.IntN(10), g.rng.Uint64())
	return r
}

func newGenerator(seed uint64) *generator { return &generator{rand.New(rand.NewPCG(seed, seed))} }

func benchConfig(b *testing.B) Config {
	b.Helper()
	return Config{Directory: b.TempDir(), Now: func() time.Time { return noon }}
}

// measureCPU reports the processor time per operation, of all threads, since it was called. On a machine that is shared it says more
// than the time that passed.
func measureCPU(b *testing.B) (stop func()) {
	b.Helper()
	begin := cpuTime()
	return func() { b.ReportMetric(float64((cpuTime()-begin).Microseconds())/1000/float64(b.N), "cpu-ms/op") }
}

// BenchmarkWriteLogs has 32 callers that wait for their acknowledgement, and counts what is there at the end.
func BenchmarkWriteLogs(b *testing.B) {
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("events=%d", size), func(b *testing.B) {
			e := openEngine(b, benchConfig(b))
			// The same events again and again, so that making them is not measured.
			g := newGenerator(1)
			pool := make([]store.LogRecord, 64_000)
			bytes := 0
			for i := range pool {
				pool[i] = g.event(noonMs + int64(i))
				bytes += len(pool[i].Message)
			}
			b.ReportAllocs()
			b.SetBytes(int64(bytes / len(pool) * size))
			b.ResetTimer()
			defer measureCPU(b)()
			var wg sync.WaitGroup
			next := make(chan int)
			for range 32 {
				wg.Go(func() {
					for i := range next {
						at := i * size % (len(pool) - size)
						if err := e.WriteLogs(b.Context(), pool[at:at+size]); err != nil {
							b.Error(err)
						}
					}
				})
			}
			n := 0
			for b.Loop() {
				next <- n
				n++
			}
			close(next)
			wg.Wait()
			b.ReportMetric(float64(n*size)/b.Elapsed().Seconds(), "events/s")
			b.StopTimer()
			st, err := e.Stats(b.Context())
			require.NoError(b, err)
			require.EqualValues(b, n*size, st.Days[0].Rows, "every acknowledged event is stored")
		})
	}
}

// BenchmarkReadLogs reads a day of events that is closed. NEPHOSCOPE_BENCH_EVENTS sets how many.
func BenchmarkReadLogs(b *testing.B) {
	n := 500_000
	if s := os.Getenv("NEPHOSCOPE_BENCH_EVENTS"); s != "" {
		var err error
		n, err = strconv.Atoi(s)
		require.NoError(b, err)
	}
	cfg := benchConfig(b)
	cfg.Now = func() time.Time { return noon.Add(48 * time.Hour) }
	if dir := os.Getenv("NEPHOSCOPE_BENCH_DIR"); dir != "" {
		cfg.Directory = dir
	}
	e := openEngine(b, cfg)
	g := newGenerator(7)
	const rare = "ord-rare77ab"
	midnight := dayOfMs(noonMs).startMs()
	group := ""
	st, err := e.Stats(b.Context())
	require.NoError(b, err)
	if len(st.Days) == 0 {
		var batch []store.LogRecord
		for i := range n {
			r := g.event(midnight + int64(i)*msPerDay/int64(n))
			if i == n/3 || i == n/2 {
				r.Message = `{"order":"` + rare + `-x"}`
			}
			if batch = append(batch, r); len(batch) == 8192 || i == n-1 {
				require.NoError(b, e.WriteLogs(b.Context(), batch))
				batch = batch[:0]
			}
		}
	}
	f := e.filesIn(signalLogs, minDay, maxDay)[0]
	waitUntil(b, func() bool { return e.completeBloom(b.Context(), f) == nil && f.bloom.complete(int64(n)) })
	streams, err := e.LogStreams(b.Context(), tenant, store.LogGroupRange{})
	require.NoError(b, err)
	groups := map[string]bool{}
	sel := store.LogSelection{Tenant: tenant, Start: midnight, End: midnight + msPerDay}
	for _, s := range streams {
		if !groups[s.Group] {
			groups[s.Group] = true
			group = s.Group
			sel.Groups = append(sel.Groups, store.LogGroupRange{Group: s.Group})
		}
	}
	one := sel
	one.Groups = []store.LogGroupRange{{Group: group}}
	contains := func(sel store.LogSelection, needles ...string) store.LogSelection { sel.Contains = needles; return sel }
	for _, bc := range []struct {
		name string
		scan store.LogScan
		want int
	}{
		{"latest100", store.LogScan{LogSelection: sel, Descending: true, Limit: 100}, 100},
		{"latest100/group", store.LogScan{LogSelection: one, Descending: true, Limit: 100}, 100},
		{"latest100/error", store.LogScan{LogSelection: sel, Where: "level = 'ERROR'", Descending: true, Limit: 100}, 100},
		{"rare/token", store.LogScan{LogSelection: contains(sel, "-rare77ab-"), Descending: true, Limit: 100}, 2},
		{"rare/substring", store.LogScan{LogSelection: contains(sel, "rare77ab"), Descending: true, Limit: 100}, 2},
		{"absent/token", store.LogScan{LogSelection: contains(sel, "-nosuch77ab-"), Descending: true, Limit: 100}, 0},
	} {
		for _, noStats := range []bool{false, true} {
			name := bc.name
			if noStats {
				name += "/nostats"
			}
			b.Run(name, func(b *testing.B) {
				bc.scan.NoStats = noStats
				b.ReportAllocs()
				defer measureCPU(b)()
				for b.Loop() {
					got, _ := scanAll(b, e, bc.scan)
					require.Len(b, got, bc.want)
				}
			})
		}
	}
	for name, agg := range map[string]store.LogAggregate{
		"countErrorByService": {LogSelection: sel, Select: "service, count(*)", Where: "level = 'ERROR'", Tail: "GROUP BY service"},
		"percentilesByHour": {
			LogSelection: sel, Select: "time_bucket(INTERVAL 1 HOUR, ts) AS h, quantile_cont(duration_ms, 0.99), avg(duration_ms)",
			Tail: "GROUP BY h",
		},
	} {
		b.Run(name, func(b *testing.B) {
			defer measureCPU(b)()
			for b.Loop() {
				_, _, err := e.AggregateLogs(b.Context(), agg)
				require.NoError(b, err)
			}
		})
	}
}

// complete reports whether the index covers so many rows.
func (x *bloomIndex) complete(rows int64) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return covered(x.chunks) == rows
}

func waitUntil(tb testing.TB, done func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		require.True(tb, time.Now().Before(deadline), "waited too long")
	}
}

// BenchmarkWriteMetrics has 8 callers that put 1,000 data of 10,000 series at once.
func BenchmarkWriteMetrics(b *testing.B) {
	const size = 1000
	e := openEngine(b, benchConfig(b))
	pool := make([]cloudwatch.Datum, 10_000)
	for i := range pool {
		pool[i] = datum(metric("Latency", "Instance", fmt.Sprintf("i-%08x", i), "Service", fmt.Sprint("s", i%50)), noon.Unix(), float64(i%997))
	}
	b.ReportAllocs()
	defer measureCPU(b)()
	var wg sync.WaitGroup
	next := make(chan int)
	for range 8 {
		wg.Go(func() {
			data := make([]cloudwatch.Datum, size)
			for i := range next {
				copy(data, pool[i*size%len(pool):])
				for j := range data {
					data[j].TimestampMs = noonMs + int64(i/10%600)*60_000
				}
				if err := e.WriteMetrics(b.Context(), tenant, data); err != nil {
					b.Error(err)
				}
			}
		})
	}
	n := 0
	for b.Loop() {
		next <- n
		n++
	}
	close(next)
	wg.Wait()
	b.ReportMetric(float64(n*size)/b.Elapsed().Seconds(), "data/s")
}

// BenchmarkQueryMetrics asks for 500 metrics over a day in buckets of five minutes.
func BenchmarkQueryMetrics(b *testing.B) {
	e := openEngine(b, benchConfig(b))
	midnight := dayOfMs(noonMs).startMs() / 1000
	const series = 2000
	for minute := range int64(24 * 60) {
		data := make([]cloudwatch.Datum, series)
		for i := range data {
			data[i] = datum(metric("Latency", "Instance", fmt.Sprint("i-", i)), midnight+minute*60, float64(i))
		}
		require.NoError(b, e.WriteMetrics(b.Context(), tenant, data))
	}
	for _, n := range []int{1, 50, 500} {
		for _, dist := range []bool{false, true} {
			b.Run(fmt.Sprintf("metrics=%d/distribution=%t", n, dist), func(b *testing.B) {
				var queries []store.MetricQuery
				for i := range n {
					queries = append(queries, store.MetricQuery{
						Tenant: tenant, Metric: metric("Latency", "Instance", fmt.Sprint("i-", i*series/n)), Start: midnight, End: midnight + sPerDay,
						Period: 300, Distribution: dist,
					})
				}
				b.ReportAllocs()
				defer measureCPU(b)()
				for b.Loop() {
					got, err := e.QueryMetrics(b.Context(), queries)
					require.NoError(b, err)
					require.Len(b, got[n-1], 288)
				}
			})
		}
	}
}

// BenchmarkWriteSegments has 8 callers that write 100 documents at once.
func BenchmarkWriteSegments(b *testing.B) {
	const size = 100
	e := openEngine(b, benchConfig(b))
	document := newGenerator(3).event(noonMs).Message
	defer measureCPU(b)()
	var wg sync.WaitGroup
	next := make(chan int)
	for range 8 {
		wg.Go(func() {
			for i := range next {
				batch := make([]store.Segment, size)
				for j := range batch {
					batch[j] = segment(traceID(i*size+j), byte(j), noon.UnixNano()+int64(i), noon.UnixNano()+int64(i)+1)
					batch[j].Document = document
				}
				if err := e.WriteSegments(b.Context(), batch); err != nil {
					b.Error(err)
				}
			}
		})
	}
	n := 0
	for b.Loop() {
		next <- n
		n++
	}
	close(next)
	wg.Wait()
	b.ReportMetric(float64(n*size)/b.Elapsed().Seconds(), "segments/s")
}
