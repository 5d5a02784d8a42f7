// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/nephoscope/nephoscope/internal/store"
)

func TestMain(m *testing.M) {
	if run := os.Getenv(crashRunEnv); run != "" {
		crashAger(run)
		return
	}
	if os.Getenv(crashDirEnv) != "" {
		crashWriter()
		return
	}
	goleak.VerifyTestMain(m)
}

var (
	tenant = store.Tenant{Account: "123456789012", Region: "eu-central-1"}
	// noon is the middle of the day that most tests write.
	noon   = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	noonMs = noon.UnixMilli()
)

func testConfig(tb testing.TB) Config {
	tb.Helper()
	return Config{
		Directory:   tb.TempDir(),
		MemoryLimit: 256 << 20,
		MinFreeDisk: -1,
		Now:         func() time.Time { return noon },
		Logger:      zaptest.NewLogger(tb),
	}
}

func openEngine(tb testing.TB, cfg Config) *Engine {
	tb.Helper()
	e, err := Open(tb.Context(), cfg)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, e.Close()) })
	return e
}

func record(group, stream string, ts int64, message string) store.LogRecord {
	return store.LogRecord{Tenant: tenant, Group: group, Stream: stream, Timestamp: ts, Ingested: noonMs, Message: message}
}

func selection(groups ...string) store.LogSelection {
	s := store.LogSelection{Tenant: tenant, Start: 0, End: noonMs * 2}
	for _, g := range groups {
		s.Groups = append(s.Groups, store.LogGroupRange{Group: g})
	}
	return s
}

func scanAll(tb testing.TB, e *Engine, scan store.LogScan) ([]store.LogRecord, store.ScanStats) {
	tb.Helper()
	var out []store.LogRecord
	stats, err := e.ScanLogs(tb.Context(), scan, func(r *store.LogRecord) bool {
		out = append(out, *r)
		return true
	})
	require.NoError(tb, err)
	return out, stats
}

func messages(records []store.LogRecord) []string {
	out := make([]string, len(records))
	for i := range records {
		out[i] = records[i].Message
	}
	return out
}
