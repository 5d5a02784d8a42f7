// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/nephoscope/nephoscope/internal/store"
)

// TestCorruptFile damages the file of one day of three in several ways. The engine must name it, move it aside and serve the
// others, and take new events of that day.
func TestCorruptFile(t *testing.T) {
	overwrite := func(from, n int64) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			t.Helper()
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			require.NoError(t, err)
			noise := make([]byte, n)
			_, _ = rand.Read(noise)
			_, err = f.WriteAt(noise, from)
			require.NoError(t, err)
			require.NoError(t, f.Close())
		}
	}
	cutOff := func(size int64) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			t.Helper()
			require.NoError(t, os.Truncate(path, size))
		}
	}
	for name, damage := range map[string]func(t *testing.T, path string){
		"empty":             cutOff(0),
		"magic":             overwrite(0, 100),
		"database headers":  overwrite(4096, 8192),
		"first data blocks": overwrite(3*4096, 1<<19),
		"later data blocks": overwrite(1<<20, 1<<20),
		"cut off":           cutOff(1 << 20),
		"no tables": func(t *testing.T, path string) {
			t.Helper()
			require.NoError(t, os.Remove(path))
			require.NoError(t, os.WriteFile(path, []byte("this is not a database, but a text of some length"), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(t)
			e, err := Open(t.Context(), cfg)
			require.NoError(t, err)
			for d := range int64(3) {
				batch := make([]store.LogRecord, 20_000)
				for i := range batch {
					batch[i] = record("g", fmt.Sprint("day", d), noonMs+d*msPerDay+int64(i), rand.Text()+rand.Text()+rand.Text()+rand.Text())
				}
				require.NoError(t, e.WriteLogs(t.Context(), batch))
			}
			require.NoError(t, e.Close())
			path := filepath.Join(cfg.Directory, "logs", "2026-11-22.db")
			damage(t, path)

			core, logs := observer.New(zap.ErrorLevel)
			cfg.Logger = zap.New(core)
			e = openEngine(t, cfg)
			count := func() map[string]any {
				t.Helper()
				sel := selection("g")
				sel.End = noonMs + 10*msPerDay
				rows, _, err := e.AggregateLogs(t.Context(), store.LogAggregate{
					LogSelection: sel, Select: "stream, count(*), max(message)", Tail: "GROUP BY stream",
				})
				require.NoError(t, err)
				have := map[string]any{}
				for _, row := range rows {
					have[row[0].(string)] = row[1]
				}
				return have
			}
			assert.Equal(t, map[string]any{"day0": int64(20_000), "day2": int64(20_000)}, count())
			require.NotZero(t, logs.FilterField(zap.String("file", path)).Len(), "the file is named in the log")
			var st store.Stats
			require.Eventually(t, func() bool {
				st, err = e.Stats(t.Context())
				return err == nil && len(st.SetAside) == 1
			}, 10*time.Second, 10*time.Millisecond)
			assert.Equal(t, []string{"logs-2026-11-22.db"}, st.SetAside)
			assert.FileExists(t, filepath.Join(cfg.Directory, "corrupt", "logs-2026-11-22.db"))
			assert.NoFileExists(t, path)

			require.Eventually(t, func() bool {
				return e.WriteLogs(t.Context(), []store.LogRecord{record("g", "new", noonMs+msPerDay, "m")}) == nil
			}, 10*time.Second, 10*time.Millisecond)
			assert.Equal(t, map[string]any{"day0": int64(20_000), "day2": int64(20_000), "new": int64(1)}, count())
		})
	}
}

// TestCorruptTwice checks that a second file of the same day does not replace the first in corrupt/.
func TestCorruptTwice(t *testing.T) {
	cfg := testConfig(t)
	path := filepath.Join(cfg.Directory, "traces", "2026-11-21.db")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
	for n := range 2 {
		require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, "not a database %d", n), 0o600))
		e, err := Open(t.Context(), cfg)
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			st, err := e.Stats(t.Context())
			return err == nil && len(st.SetAside) == n+1
		}, 10*time.Second, 10*time.Millisecond)
		require.NoError(t, e.Close())
	}
	for name, want := range map[string]string{"traces-2026-11-21.db": "not a database 0", "traces-2026-11-21.2.db": "not a database 1"} {
		got, err := os.ReadFile(filepath.Join(cfg.Directory, "corrupt", name))
		require.NoError(t, err)
		assert.Equal(t, want, string(got))
	}
}

// TestDamagedLog damages the end of a write-ahead log as a power failure may. What lies before must be served.
func TestDamagedLog(t *testing.T) {
	cfg := testConfig(t)
	e := openEngine(t, cfg)
	for i := range 20 {
		require.NoError(t, e.WriteLogs(t.Context(), []store.LogRecord{record("g", "s", noonMs+int64(i), "message")}))
	}
	log, err := os.ReadFile(filepath.Join(cfg.Directory, "logs", "2026-11-21.db.wal"))
	require.NoError(t, err)

	for name, tc := range map[string]struct {
		damage func(log []byte) []byte
		want   int
		aside  bool
	}{
		"sound":          {func(log []byte) []byte { return log }, 20, false},
		"cut off":        {func(log []byte) []byte { return log[:len(log)-10] }, 19, false},
		"zeros behind":   {func(log []byte) []byte { return append(log, make([]byte, 4096)...) }, 20, true},
		"zeros at end":   {func(log []byte) []byte { clear(log[len(log)-200:]); return log }, 19, true},
		"bit at end":     {func(log []byte) []byte { log[len(log)-60] ^= 1; return log }, 19, true},
		"garbage behind": {func(log []byte) []byte { return append(log, "a text that stands for anything at all"...) }, 20, false},
	} {
		t.Run(name, func(t *testing.T) {
			damaged := testConfig(t)
			require.NoError(t, os.CopyFS(damaged.Directory, os.DirFS(cfg.Directory)))
			wal := filepath.Join(damaged.Directory, "logs", "2026-11-21.db.wal")
			data := tc.damage(append([]byte(nil), log...))
			require.NoError(t, os.WriteFile(wal, data, 0o600))
			for range 2 { // the second time it is repaired
				e, err := Open(t.Context(), damaged)
				require.NoError(t, err)
				got, _ := scanAll(t, e, store.LogScan{LogSelection: selection("g")})
				assert.Len(t, got, tc.want)
				st, err := e.Stats(t.Context())
				require.NoError(t, err)
				if tc.aside {
					assert.Equal(t, []string{"logs-2026-11-21.db.wal"}, st.SetAside)
					aside, err := os.ReadFile(filepath.Join(damaged.Directory, "corrupt", "logs-2026-11-21.db.wal"))
					require.NoError(t, err)
					assert.Equal(t, data, aside)
				} else {
					assert.Empty(t, st.SetAside)
				}
				require.NoError(t, e.Close())
			}
		})
	}
}
