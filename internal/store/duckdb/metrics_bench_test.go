// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// BenchmarkQueryDay asks for days of one-minute data of a file with 10,000 series (NEPHOSCOPE_BENCH_SERIES), each point of
// ten samples. With NEPHOSCOPE_BENCH_DATA the file is kept there for the next run.
func BenchmarkQueryDay(b *testing.B) {
	series := 10_000
	if s := os.Getenv("NEPHOSCOPE_BENCH_SERIES"); s != "" {
		var err error
		series, err = strconv.Atoi(s)
		require.NoError(b, err)
	}
	cfg := benchConfig(b)
	midnight := dayOfMs(noonMs).startMs() / 1000
	fresh := true
	if dir := os.Getenv("NEPHOSCOPE_BENCH_DATA"); dir != "" {
		cfg.Directory = filepath.Join(dir, fmt.Sprintf("metrics-%d", series))
		_, err := os.Stat(cfg.Directory)
		fresh = err != nil
	}
	e := openEngine(b, cfg)
	named := func(i int) cloudwatch.Metric {
		return metric("Latency", "Instance", fmt.Sprintf("i-%08x", i), "Service", fmt.Sprint("s", i%50))
	}
	if fresh {
		rng := rand.New(rand.NewPCG(1, 2))
		data := make([]cloudwatch.Datum, series)
		for i := range data {
			data[i] = datum(named(i), 0, 0)
			data[i].Counts = []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}
			data[i].Values = make([]float64, 10)
		}
		for minute := range int64(24 * 60) {
			for i := range data {
				data[i].TimestampMs = (midnight + minute*60) * 1000
				for j := range data[i].Values {
					data[i].Values[j] = float64(rng.IntN(100_000))/16 + float64(j)/1024
				}
			}
			require.NoError(b, e.WriteMetrics(b.Context(), tenant, data))
		}
	}
	f := e.filesIn(signalMetrics, minDay, maxDay)[0]
	require.NoError(b, e.buildBlocks(b.Context(), f, false))
	for _, n := range []int{1, 50, 500} {
		for _, dist := range []bool{false, true} {
			if dist && n == 500 {
				continue
			}
			b.Run(fmt.Sprintf("metrics=%d/distribution=%t", n, dist), func(b *testing.B) {
				var queries []store.MetricQuery
				for i := range n {
					queries = append(queries, store.MetricQuery{
						Tenant: tenant, Metric: named((i*2 + 1) * series / n / 2), Start: midnight, End: midnight + sPerDay,
						Period: 60, Distribution: dist,
					})
				}
				b.ReportAllocs()
				defer measureCPU(b)()
				for b.Loop() {
					got, err := e.QueryMetrics(b.Context(), queries)
					require.NoError(b, err)
					require.Len(b, got[n-1], 1440)
				}
			})
		}
	}
}
