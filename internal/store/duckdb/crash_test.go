// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// crashDirEnv makes the test binary a writer that is to be killed, crashRunEnv one of metrics alone: it is the number of the run.
const (
	crashDirEnv = "NEPHOSCOPE_CRASH_DIR"
	crashRunEnv = "NEPHOSCOPE_CRASH_RUN"
)

// crashWriter writes all signals to two days from several goroutines, and prints a line for each acknowledged call.
func crashWriter() {
	e, err := Open(context.Background(), Config{Directory: os.Getenv(crashDirEnv), MinFreeDisk: -1, IdleClose: 50 * time.Millisecond})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	run := os.Getpid()
	for w := range 6 {
		go func() {
			for n := 0; ; n++ {
				name := fmt.Sprintf("%d-%d-%d", run, w, n)
				at := noonMs + int64(w%2)*msPerDay + int64(n)
				var err error
				switch w % 3 {
				case 0:
					batch := make([]store.LogRecord, 50)
					for i := range batch {
						batch[i] = record("g", name, at, strings.Repeat(fmt.Sprintf("event-%s-%d ", name, i), 20))
					}
					err = e.WriteLogs(context.Background(), batch)
				case 1:
					err = e.WriteMetrics(context.Background(), tenant, []cloudwatch.Datum{datum(metric("m", "name", name), at/1000, 1)})
				case 2:
					s := segment(traceID(0), 1, at*1e6, at*1e6+1)
					s.Name = name
					copy(s.ID[:], fmt.Appendf(nil, "%08x", rand.Uint32()))
					err = e.WriteSegments(context.Background(), []store.Segment{s})
				}
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				// One write call per line, so that lines are whole. A full pipe holds the writer up.
				_, _ = os.Stdout.WriteString("acked " + name + "\n")
			}
		}()
	}
	select {}
}

// TestKill kills writing processes at random moments and looks for everything that was acknowledged.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	dir := t.TempDir()
	var acked []string
	for range 4 {
		acked = append(acked, killWriter(t, dir)...)
	}
	require.NotEmpty(t, acked)
	cfg := testConfig(t)
	cfg.Directory = dir
	e := openEngine(t, cfg)

	sel := selection("g")
	sel.End = noonMs + 10*msPerDay
	have := map[string]int{}
	records, _ := scanAll(t, e, store.LogScan{LogSelection: sel})
	seqs := map[int64]bool{}
	for i := range records {
		have[records[i].Stream]++
		require.False(t, seqs[records[i].Seq])
		seqs[records[i].Seq] = true
	}
	metrics, err := e.ListMetrics(t.Context(), store.MetricFilter{Tenant: tenant}, nil, 1_000_000)
	require.NoError(t, err)
	for _, m := range metrics {
		have[m.Dimensions[0].Value]++
	}
	traces, err := e.Traces(t.Context(), tenant, [][16]byte{traceID(0)})
	require.NoError(t, err)
	for _, s := range traces[traceID(0)].Segments {
		have[s.Name]++
	}
	kinds := map[string]int{}
	for _, name := range acked {
		want := 1
		w := strings.Split(name, "-")[1]
		if w == "0" || w == "3" {
			want = 50 // all or nothing
		}
		require.Equal(t, want, have[name], name)
		kinds[w]++
	}
	assert.Len(t, kinds, 6, "every writer got to write: %v", kinds)
	for name, n := range have {
		if w := strings.Split(name, "-")[1]; w == "0" || w == "3" {
			require.Equal(t, 50, n, "%s is there in part", name)
		}
	}
	st, err := e.Stats(t.Context())
	require.NoError(t, err)
	assert.Empty(t, st.SetAside)
	t.Logf("%d acknowledged calls: %v", len(acked), kinds)
}

// killWriter runs a writer for a moment, kills it and returns what it acknowledged.
func killWriter(t *testing.T, dir string, env ...string) (acked []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(append(os.Environ(), crashDirEnv+"="+dir), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var wg sync.WaitGroup
	first := make(chan struct{})
	wg.Go(func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if name, ok := strings.CutPrefix(lines.Text(), "acked "); ok {
				if acked = append(acked, name); len(acked) == 20 {
					close(first)
				}
			}
		}
	})
	<-first
	time.Sleep(time.Duration(rand.IntN(1200)) * time.Millisecond) // the moment of the kill
	require.NoError(t, cmd.Process.Kill())
	wg.Wait()
	require.Error(t, cmd.Wait())
	return acked
}

// Of a crashAger's data.
const (
	crashWriters = 4
	crashDays    = 3
	crashHours   = 3
)

// crashAger writes metrics now and then, while time flies: blocks are made, put together and summed up all the time.
func crashAger(run string) {
	n, err := strconv.Atoi(run)
	if err != nil {
		panic(err)
	}
	begin := time.Now()
	e, err := Open(context.Background(), Config{
		Directory: os.Getenv(crashDirEnv), MinFreeDisk: -1, IdleClose: 5 * time.Millisecond, blockRows: 32,
		// A run is twelve days or so. The first ones see minutes, the last ones hours.
		Now: func() time.Time {
			return noon.Add(time.Duration(n) * 12 * 24 * time.Hour).Add(time.Since(begin) * 1_000_000)
		},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for w := range crashWriters {
		go func() {
			rng := rand.New(rand.NewPCG(uint64(n), uint64(w)))
			for {
				d, hour := rng.Int64N(crashDays), rng.Int64N(crashHours)
				at := dayOfMs(noonMs).start().Unix() + d*sPerDay + hour*3600 + rng.Int64N(3600)
				x := datum(metric("m", "w", strconv.Itoa(w)), at, float64(rng.IntN(5)))
				if err := e.WriteMetrics(context.Background(), tenant, []cloudwatch.Datum{x}); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				_, _ = fmt.Fprintf(os.Stdout, "acked %d %d %d\n", w, d, hour)
				if rng.IntN(20) == 0 {
					time.Sleep(time.Duration(rng.IntN(120)) * time.Millisecond) // or no day would ever be left alone
				}
			}
		}()
	}
	select {}
}

// TestKillWhileMetricsAge kills processes while they make blocks and sum days up. Nothing that was acknowledged may be lost, and
// nothing may count twice.
func TestKillWhileMetricsAge(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	dir := t.TempDir()
	const runs = 8
	acked := map[string]float64{}
	for run := range runs {
		for _, line := range killWriter(t, dir, crashRunEnv+"="+strconv.Itoa(run)) {
			acked[line]++
		}
	}
	cfg := testConfig(t)
	cfg.Directory, cfg.IdleClose, cfg.blockRows = dir, 5*time.Millisecond, 32
	cfg.Now = func() time.Time { return noon.Add(runs * 12 * 24 * time.Hour) }
	e := openEngine(t, cfg)
	midnight := dayOfMs(noonMs).start().Unix()
	check := func() {
		t.Helper()
		for w := range crashWriters {
			total, known := 0.0, 0.0
			for d := range int64(crashDays) {
				got, err := e.QueryMetrics(t.Context(), []store.MetricQuery{{
					Tenant: tenant, Metric: metric("m", "w", strconv.Itoa(w)), Period: 3600, Distribution: true,
					Start: midnight + d*sPerDay, End: midnight + (d+1)*sPerDay,
				}})
				require.NoError(t, err)
				have := map[int64]float64{}
				for i := range got[0] {
					b := &got[0][i]
					have[(b.Start-midnight-d*sPerDay)/3600] = b.SampleCount
					total += b.SampleCount
					require.InDelta(t, b.SampleCount, b.Distribution.Count(), 0)
				}
				for hour := range int64(crashHours) {
					n := acked[fmt.Sprintf("%d %d %d", w, d, hour)]
					require.GreaterOrEqual(t, have[hour], n, "writer %d, day %d, hour %d", w, d, hour)
					known += n
				}
			}
			// A writer may have died after a commit, before it said so; what it said it waited for.
			require.LessOrEqual(t, total, known+runs, "writer %d", w)
		}
	}
	check()
	for _, f := range e.filesIn(signalMetrics, minDay, maxDay) {
		require.NoError(t, e.read(t.Context(), []*dayFile{f}, func(ctx context.Context, s *snapshot) error {
			period, err := s.coarseness(ctx, f)
			t.Logf("%v: %d seconds", f.day, period)
			return err
		}))
	}
	waitUntil(t, func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, f := range e.files[signalMetrics] {
			if f.coarse < 3600 {
				return false
			}
		}
		return true
	})
	check()
	entries, err := os.ReadDir(filepath.Join(dir, "metrics"))
	require.NoError(t, err)
	for _, entry := range entries {
		require.NotContains(t, entry.Name(), ".new")
	}
}
