// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func TestConfigValidate(t *testing.T) {
	_, err := Open(t.Context(), Config{MemoryLimit: -1, QueueRows: -1, Retention: Retention{Traces: -1}})
	for _, want := range []string{"Directory is required", "MemoryLimit", "QueueRows", "Retention.Traces"} {
		require.ErrorContains(t, err, want)
	}
}

func TestDirectoryIsLocked(t *testing.T) {
	cfg := testConfig(t)
	e := openEngine(t, cfg)
	_, err := Open(t.Context(), cfg)
	require.ErrorContains(t, err, cfg.Directory+" is in use by another process")
	require.NoError(t, e.Close())
	require.NoError(t, e.Close(), "twice is harmless")
	openEngine(t, cfg)
}

func TestOtherFormat(t *testing.T) {
	cfg := testConfig(t)
	require.NoError(t, os.WriteFile(filepath.Join(cfg.Directory, "FORMAT"), []byte("nephoscope store 9\n"), 0o600))
	_, err := Open(t.Context(), cfg)
	require.ErrorContains(t, err, "nephoscope store 9")
}

func TestAfterClose(t *testing.T) {
	e := openEngine(t, testConfig(t))
	require.NoError(t, e.WriteLogs(t.Context(), []store.LogRecord{record("g", "s", noonMs, "m")}))
	require.NoError(t, e.Close())
	require.ErrorIs(t, e.WriteLogs(t.Context(), []store.LogRecord{record("g", "s", noonMs, "m")}), store.ErrClosed)
	_, err := e.ScanLogs(t.Context(), store.LogScan{LogSelection: selection("g")}, func(*store.LogRecord) bool { return true })
	require.ErrorIs(t, err, store.ErrClosed)
	_, err = e.Traces(t.Context(), tenant, [][16]byte{{}})
	require.NoError(t, err, "there is no file to look into")
}

func TestRefusedTimes(t *testing.T) {
	e := openEngine(t, testConfig(t))
	for _, ts := range []int64{-1, -1 << 62, 1 << 62, int64(maxDay+1) * msPerDay} {
		require.ErrorContains(t, e.WriteLogs(t.Context(), []store.LogRecord{record("g", "s", ts, "m")}), "record 0")
		require.ErrorContains(t, e.WriteMetrics(t.Context(), tenant, []cloudwatch.Datum{{TimestampMs: ts, StorageResolution: 1}}), "datum 0")
	}
	require.ErrorContains(t, e.WriteSegments(t.Context(), []store.Segment{{Start: -1}}), "segment 0")
	require.ErrorContains(t, e.WriteMetrics(t.Context(), tenant, []cloudwatch.Datum{{StorageResolution: 5}}), "storage resolution 5")
	for _, ts := range []int64{0, int64(maxDay+1)*msPerDay - 1} {
		require.NoError(t, e.WriteLogs(t.Context(), []store.LogRecord{record("g", "s", ts, "m")}))
	}
	got, _ := scanAll(t, e, store.LogScan{LogSelection: func() store.LogSelection { s := selection("g"); s.Start, s.End = -1<<63, 1<<63-1; return s }()})
	assert.Len(t, got, 2)
}

// TestRetention removes whole days by the clock that it is given.
func TestRetention(t *testing.T) {
	cfg := testConfig(t)
	cfg.Retention = Retention{Logs: 48 * time.Hour}
	e := openEngine(t, cfg)
	for d := range int64(5) {
		require.NoError(t, e.WriteLogs(t.Context(), []store.LogRecord{record("g", strconv.FormatInt(d, 10), noonMs-d*msPerDay, "m")}))
		require.NoError(t, e.WriteMetrics(t.Context(), tenant, []cloudwatch.Datum{datum(metric("m"), noon.Unix()-d*sPerDay, 1)}))
	}
	count := func() int {
		t.Helper()
		got, _ := scanAll(t, e, store.LogScan{LogSelection: selection("g")})
		return len(got)
	}
	require.Equal(t, 5, count())
	for _, step := range []struct {
		now     time.Time
		removed int
		left    int
	}{
		{noon.Add(-48 * time.Hour), 0, 5},
		{noon.Add(-12*time.Hour - time.Second), 1, 4},
		{noon.Add(-12 * time.Hour), 1, 3}, // the day ended 48 hours ago exactly
		{noon, 0, 3},
		{noon.Add(36 * time.Hour), 2, 1},
		{noon.Add(100 * 24 * time.Hour), 1, 0},
	} {
		removed, err := e.RunRetention(t.Context(), step.now)
		require.NoError(t, err)
		assert.Equal(t, step.removed, removed, step.now)
		assert.Equal(t, step.left, count(), step.now)
	}
	left, err := os.ReadDir(filepath.Join(cfg.Directory, "logs"))
	require.NoError(t, err)
	assert.Empty(t, left)
	metrics, err := e.ListMetrics(t.Context(), store.MetricFilter{Tenant: tenant}, nil, 10)
	require.NoError(t, err)
	assert.Len(t, metrics, 1, "metrics are kept forever")
	require.NoError(t, e.WriteLogs(t.Context(), []store.LogRecord{record("g", "late", noonMs, "m")}), "a day may come back")
	assert.Equal(t, 1, count())
}

// TestRetentionUnderLoad removes days while they are read and written.
func TestRetentionUnderLoad(t *testing.T) {
	cfg := testConfig(t)
	cfg.Retention = Retention{Logs: 24 * time.Hour}
	e := openEngine(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() {
			for n := int64(0); ctx.Err() == nil; n++ {
				err := e.WriteLogs(ctx, []store.LogRecord{record("g", strconv.Itoa(w), noonMs+n%3*msPerDay, "m")})
				if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrUnavailable) {
					t.Error(err)
				}
				_, err = e.ScanLogs(ctx, store.LogScan{LogSelection: selection("g")}, func(*store.LogRecord) bool { return true })
				if err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	removed := 0
	for range 20 {
		n, err := e.RunRetention(t.Context(), noon.Add(5*24*time.Hour))
		require.NoError(t, err)
		removed += n
		time.Sleep(20 * time.Millisecond) // lets the writers come back
	}
	cancel()
	wg.Wait()
	assert.Greater(t, removed, 3)
}

// holdFile keeps a day's file from being written until release is called.
func holdFile(t *testing.T, e *Engine, s signal) (release func()) {
	t.Helper()
	require.NoError(t, e.detachIdle(t.Context(), s))
	f := e.filesIn(s, minDay, maxDay)[0]
	inst, done, err := e.useInstance(t.Context())
	require.NoError(t, err)
	require.NoError(t, e.acquire(t.Context(), inst, f, readOnly))
	return func() {
		e.release(inst, f)
		done()
	}
}

// detachIdle waits until nobody writes and detaches the files of a signal.
func (e *Engine) detachIdle(ctx context.Context, s signal) error {
	for _, f := range e.filesIn(s, minDay, maxDay) {
		for busy := true; busy; time.Sleep(time.Millisecond) {
			e.mu.Lock()
			busy = f.writer != nil
			e.mu.Unlock()
		}
		inst, done, err := e.useInstance(ctx)
		if err != nil {
			return err
		}
		e.mu.Lock()
		finish := e.beginChange(f)
		e.mu.Unlock()
		err = e.detachChanging(ctx, inst, f)
		finish()
		done()
		if err != nil {
			return err
		}
	}
	return nil
}

func TestQueueIsBounded(t *testing.T) {
	for name, change := range map[string]func(cfg *Config){
		"rows":  func(cfg *Config) { cfg.QueueRows = 10 },
		"bytes": func(cfg *Config) { cfg.QueueBytes = 10 * (logRowBytes + 10) },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(t)
			cfg.IdleClose = 10 * time.Millisecond
			change(&cfg)
			refused := &countingObserver{}
			cfg.Observer = refused
			e := openEngine(t, cfg)
			one := []store.LogRecord{record("g", "s", noonMs, "0123456789")}
			require.NoError(t, e.WriteLogs(t.Context(), one))
			release := holdFile(t, e, signalLogs)
			errs := make(chan error, 100)
			for range 20 {
				go func() { errs <- e.WriteLogs(context.Background(), one) }()
			}
			for range 10 {
				require.ErrorIs(t, <-errs, store.ErrUnavailable)
			}
			rows, bytes := e.Queued()
			assert.EqualValues(t, 10, rows)
			assert.EqualValues(t, 10*(logRowBytes+10), bytes)
			assert.EqualValues(t, 10, refused.refused.Load())
			release()
			for range 10 {
				require.NoError(t, <-errs)
			}
			rows, bytes = e.Queued()
			assert.Zero(t, rows)
			assert.Zero(t, bytes)
			got, _ := scanAll(t, e, store.LogScan{LogSelection: selection("g")})
			assert.Len(t, got, 11)
			// A call larger than the queue is let in alone.
			big := make([]store.LogRecord, 50)
			for i := range big {
				big[i] = one[0]
			}
			require.NoError(t, e.WriteLogs(t.Context(), big))
		})
	}
}

type countingObserver struct{ committed, failed, refused atomic.Int64 }

func (o *countingObserver) Committed(_ string, rows int, _ time.Duration, err error) {
	if err != nil {
		o.failed.Add(int64(rows))
		return
	}
	o.committed.Add(int64(rows))
}

func (o *countingObserver) Refused(_ string, rows int) { o.refused.Add(int64(rows)) }

// TestCancelledWrite checks that a write whose context ends in the queue keeps nothing.
func TestCancelledWrite(t *testing.T) {
	cfg := testConfig(t)
	cfg.IdleClose = 10 * time.Millisecond
	e := openEngine(t, cfg)
	write := func(ctx context.Context, stream string) error {
		return e.WriteLogs(ctx, []store.LogRecord{record("g", stream, noonMs, "m")})
	}
	require.NoError(t, write(t.Context(), "first"))
	release := holdFile(t, e, signalLogs)
	ctx, cancel := context.WithCancel(t.Context())
	cancelled, kept := make(chan error), make(chan error)
	go func() { kept <- write(t.Context(), "kept") }()
	waitUntil(t, func() bool { rows, _ := e.Queued(); return rows == 1 })
	waitUntil(t, func() bool { return taken(e) })
	go func() { cancelled <- write(ctx, "cancelled") }()
	waitUntil(t, func() bool { rows, _ := e.Queued(); return rows == 2 })
	cancel()
	require.ErrorIs(t, <-cancelled, context.Canceled)
	release()
	require.NoError(t, <-kept)
	got, _ := scanAll(t, e, store.LogScan{LogSelection: selection("g")})
	assert.Len(t, got, 2)
	require.ErrorIs(t, write(ctx, "dead from the beginning"), context.Canceled)
}

// taken reports whether a writer holds all that was queued.
func taken(e *Engine) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range e.files[signalLogs] {
		if f.writer != nil && len(f.writer.queue) == 0 {
			return true
		}
	}
	return false
}

// TestPartialWrite makes one of two days fail.
func TestPartialWrite(t *testing.T) {
	cfg := testConfig(t)
	cfg.MaxSeriesPerDay = 1
	e := openEngine(t, cfg)
	at := noon.Unix()
	require.NoError(t, e.WriteMetrics(t.Context(), tenant, []cloudwatch.Datum{datum(metric("a"), at, 1)}))
	err := e.WriteMetrics(t.Context(), tenant, []cloudwatch.Datum{
		datum(metric("a"), at+sPerDay, 1), datum(metric("b"), at, 1), datum(metric("a"), at+sPerDay, 2), datum(metric("a"), at, 1),
	})
	var partial *store.PartialWriteError
	require.ErrorAs(t, err, &partial)
	assert.Equal(t, []bool{true, false, true, false}, partial.Kept)
}

// TestPoisonedCall checks that a call that cannot be kept does not fail those that were committed with it.
func TestPoisonedCall(t *testing.T) {
	cfg := testConfig(t)
	cfg.IdleClose = 10 * time.Millisecond
	cfg.MaxSeriesPerDay = 5
	e := openEngine(t, cfg)
	at := noon.Unix()
	require.NoError(t, e.WriteMetrics(t.Context(), tenant, []cloudwatch.Datum{datum(metric("a"), at, 1)}))
	release := holdFile(t, e, signalMetrics)
	errs := make(chan error, 10)
	write := func(names ...string) {
		var data []cloudwatch.Datum
		for _, n := range names {
			data = append(data, datum(metric(n), at, 1))
		}
		go func() { errs <- e.WriteMetrics(context.Background(), tenant, data) }()
	}
	for range 4 {
		write("a")
	}
	write("b", "c", "d", "e", "f", "g", "h")
	waitUntil(t, func() bool { rows, _ := e.Queued(); return rows == 11 })
	release()
	failed := 0
	for range 5 {
		if err := <-errs; err != nil {
			require.ErrorContains(t, err, "limit")
			failed++
		}
	}
	assert.Equal(t, 1, failed)
	got, err := e.QueryMetrics(t.Context(), []store.MetricQuery{{Tenant: tenant, Metric: metric("a"), Start: at, End: at + 60, Period: 60}})
	require.NoError(t, err)
	assert.InDelta(t, 5, got[0][0].SampleCount, 0)
}

// TestLateDataReopensClosedDay writes to a day that is attached read-only and being read.
func TestLateDataReopensClosedDay(t *testing.T) {
	cfg := testConfig(t)
	cfg.IdleClose = 20 * time.Millisecond
	e := openEngine(t, cfg)
	n := 0
	for range 10 {
		for range 3 {
			require.NoError(t, e.WriteLogs(t.Context(), []store.LogRecord{record("g", "s", noonMs, "m")}))
			n++
		}
		require.NoError(t, e.detachIdle(t.Context(), signalLogs))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				got, _ := scanAll(t, e, store.LogScan{LogSelection: selection("g")})
				assert.GreaterOrEqual(t, len(got), n)
			})
		}
		wg.Go(func() {
			assert.NoError(t, e.WriteLogs(context.Background(), []store.LogRecord{record("g", "s", noonMs, "late")}))
		})
		wg.Wait()
		n++
	}
	got, _ := scanAll(t, e, store.LogScan{LogSelection: selection("g")})
	assert.Len(t, got, n)
}

// TestAttachedIsBounded checks that files that are not used do not stay attached.
func TestAttachedIsBounded(t *testing.T) {
	cfg := testConfig(t)
	cfg.MaxAttached, cfg.MaxOpenDays = 3, 2
	now := atomic.Int64{}
	cfg.Now = func() time.Time { return noon.Add(time.Duration(now.Load())) }
	cfg.IdleClose = 50 * time.Millisecond
	e := openEngine(t, cfg)
	for d := range int64(12) {
		require.NoError(t, e.WriteLogs(t.Context(), []store.LogRecord{record("g", "s", noonMs-d*msPerDay, "m")}))
	}
	attached := func() int {
		e.mu.Lock()
		defer e.mu.Unlock()
		n := 0
		for _, f := range e.files[signalLogs] {
			if f.mode != detached {
				n++
			}
		}
		return n
	}
	got, _ := scanAll(t, e, store.LogScan{LogSelection: selection("g")})
	require.Len(t, got, 12)
	waitUntil(t, func() bool { return attached() <= 3 })
	now.Store(int64(time.Hour))
	waitUntil(t, func() bool { return attached() == 0 })
	for d := range 12 {
		path := filepath.Join(cfg.Directory, "logs", noon.AddDate(0, 0, -d).Format(time.DateOnly)+".db.wal")
		assert.NoFileExists(t, path, "the log is folded into the file")
	}
	got, _ = scanAll(t, e, store.LogScan{LogSelection: selection("g")})
	assert.Len(t, got, 12)
}

// TestSequenceSurvives checks that numbers are never given twice, even when the file that bounds them is lost.
func TestSequenceSurvives(t *testing.T) {
	cfg := testConfig(t)
	seen := map[int64]bool{}
	for round := range 4 {
		e, err := Open(t.Context(), cfg)
		require.NoError(t, err)
		require.NoError(t, e.WriteLogs(t.Context(), []store.LogRecord{record("g", "s", noonMs, "a"), record("g", "s", noonMs, "b")}))
		require.NoError(t, e.Close())
		if round%2 == 1 {
			require.NoError(t, os.Remove(filepath.Join(cfg.Directory, "SEQUENCE")))
		}
	}
	e := openEngine(t, cfg)
	got, _ := scanAll(t, e, store.LogScan{LogSelection: selection("g")})
	require.Len(t, got, 8)
	for i, r := range got {
		assert.False(t, seen[r.Seq])
		seen[r.Seq] = true
		assert.Equal(t, []string{"a", "b"}[i%2], r.Message)
	}
}

// TestCancelledRead checks that a read ends with its context, and that the instance goes on.
func TestCancelledRead(t *testing.T) {
	e := openEngine(t, testConfig(t))
	writeTokens(t, e, 0, 20_000)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, _, err := e.AggregateLogs(ctx, store.LogAggregate{
		LogSelection: selection("g"), Select: "count(*)", NoStats: true,
		Where: "(SELECT count(*) FROM range(10000000) a(x), range(100000) b(y) WHERE x + y = seq % 7) > 3",
	})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	rows, _, err := e.AggregateLogs(t.Context(), store.LogAggregate{LogSelection: selection("g"), Select: "count(*)"})
	require.NoError(t, err)
	assert.EqualValues(t, 20_000, rows[0][0])
}

// TestStatementsCannotReachFiles checks that SQL text, wherever it comes from, sees nothing but the store.
func TestStatementsCannotReachFiles(t *testing.T) {
	e := openEngine(t, testConfig(t))
	secret := filepath.Join(t.TempDir(), "secret.csv")
	require.NoError(t, os.WriteFile(secret, []byte("a\nb\n"), 0o600))
	for _, from := range []string{"read_csv(" + quote(secret) + ")", "read_text(" + quote(secret) + ")", quote(secret)} {
		_, _, err := e.AggregateLogs(t.Context(), store.LogAggregate{LogSelection: selection("g"), Select: "(SELECT count(*) FROM " + from + ")"})
		require.Error(t, err, from)
	}
}

// TestInstanceReplaced kills the instance under concurrent reads and writes.
func TestInstanceReplaced(t *testing.T) {
	e := openEngine(t, testConfig(t))
	writeTokens(t, e, 0, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var written atomic.Int64
	for range 2 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := e.WriteLogs(context.Background(), []store.LogRecord{record("g", "s", noonMs, "m")}); err == nil {
					written.Add(1)
				} else if !errors.Is(err, store.ErrUnavailable) {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for ctx.Err() == nil {
				if _, _, err := e.AggregateLogs(context.Background(), store.LogAggregate{LogSelection: selection("g"), Select: "count(*)"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 10 {
		inst, done, err := e.useInstance(t.Context())
		require.NoError(t, err)
		e.replaceInstance(inst, errors.New("for the test"))
		done()
		before := written.Load()
		waitUntil(t, func() bool { return written.Load() > before+5 })
	}
	cancel()
	wg.Wait()
	rows, _, err := e.AggregateLogs(t.Context(), store.LogAggregate{LogSelection: selection("g"), Select: "count(*)"})
	require.NoError(t, err)
	assert.EqualValues(t, 1000+written.Load(), rows[0][0])
}
