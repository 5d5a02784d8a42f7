//go:build bench

// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/duckdb/duckdb-go/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/nephoscope/nephoscope/internal/store"
	duckdbstore "github.com/nephoscope/nephoscope/internal/store/duckdb"
	"github.com/nephoscope/nephoscope/testbed/collector"
)

var queryEvents = flag.Int("query-events", 8_192_000, "events of the query data set (8,192,000 are 4.5 GB)")

// queryCase is one question asked twice: by Logs Insights through the API, and by SQL straight to the file.
type queryCase struct {
	name, insights, sql string
	groups              []string // nil: all
	window              time.Duration
}

// TestQueries asks the questions of the data set's day through the AWS API and then, with the collector stopped, asks
// the engine itself. Each figure is the median of five after one warm-up; the answers must have as many rows.
func TestQueries(t *testing.T) {
	dir := os.Getenv("NEPHOSCOPE_BENCH_DATA") // kept between runs when set
	if dir == "" {
		dir = t.TempDir()
	}
	day := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -1)
	fill(t, filepath.Join(dir, "store"), day)

	var all []string
	for _, s := range services {
		all = append(all, "/app/"+s)
	}
	noon := day.Add(12 * time.Hour)
	inWindow := fmt.Sprintf("ts >= TIMESTAMP '%s' AND ts < TIMESTAMP '%s'", noon.Format(time.DateTime), noon.Add(15*time.Minute).Format(time.DateTime))
	cases := []queryCase{
		{
			name:     "rare text, part of a token",
			insights: `fields @timestamp, @message | filter @message like "` + rareToken[3:29] + `"`,
			sql:      `SELECT ts, message FROM logs WHERE contains(message, '` + rareToken[3:29] + `')`,
		},
		{
			name:     "rare whole token",
			insights: `fields @timestamp, @message | filter @message like '"` + rareToken + `"'`,
			sql:      `SELECT ts, message FROM logs WHERE contains(message, '"` + rareToken + `"')`,
		},
		{
			name:     "text ERROR, latest 100",
			insights: `fields @timestamp, @message | filter @message like "ERROR" | sort @timestamp desc | limit 100`,
			sql:      `SELECT ts, message FROM logs WHERE contains(message, 'ERROR') ORDER BY ts DESC LIMIT 100`,
		},
		{
			name:     "latest 100",
			insights: `fields @timestamp, @message | sort @timestamp desc | limit 100`,
			sql:      `SELECT ts, message FROM logs ORDER BY ts DESC LIMIT 100`,
		},
		{
			name:     "one group, latest 100",
			insights: `fields @timestamp, @message | sort @timestamp desc | limit 100`,
			sql:      `SELECT ts, message FROM logs WHERE grp = '/app/payments' ORDER BY ts DESC LIMIT 100`,
			groups:   []string{"/app/payments"},
		},
		{
			name:     "errors by service",
			insights: `filter level = "ERROR" | stats count(*) as n by service`,
			sql:      `SELECT service, count(*) FROM logs WHERE level = 'ERROR' GROUP BY 1`,
		},
		{
			name:     "p50, p95, p99 and average by hour",
			insights: `stats pct(duration_ms, 50), pct(duration_ms, 95), pct(duration_ms, 99), avg(duration_ms) by bin(1h)`,
			sql:      `SELECT time_bucket(INTERVAL 1 HOUR, ts), quantile_cont(duration_ms, [0.5, 0.95, 0.99]), avg(duration_ms) FROM logs GROUP BY 1`,
		},
		{
			name:     "regular expression, count by what it finds",
			insights: `parse @message /took=(?<took>\d)\d*ms/ | stats count(*) by took`,
			sql:      `SELECT regexp_extract(message, 'took=(\d)\d*ms', 1), count(*) FROM logs GROUP BY 1`,
		},
		{
			name:     "one group, 15 minutes, top 100",
			insights: `fields @timestamp, @message, duration_ms | sort duration_ms desc | limit 100`,
			sql:      `SELECT ts, message, duration_ms FROM logs WHERE grp = '/app/payments' AND ` + inWindow + ` ORDER BY duration_ms DESC LIMIT 100`,
			groups:   []string{"/app/payments"}, window: 15 * time.Minute,
		},
		{
			name:     "count by 5 minutes",
			insights: `stats count(*) by bin(5m)`,
			sql:      `SELECT time_bucket(INTERVAL 5 MINUTE, ts), count(*) FROM logs GROUP BY 1`,
		},
		{
			name:     "trace id",
			insights: `fields @timestamp, @message | filter trace_id = "` + rareToken + `"`,
			sql:      `SELECT ts, message FROM logs WHERE trace_id = '` + rareToken + `'`,
		},
	}

	c := collector.Start(t, collector.Options{
		Config: filepath.Join(collector.Root(), "testbed", "bench", "testdata", "bench.yaml"), Data: dir,
	})
	logs := cloudwatchlogs.NewFromConfig(c.AWSConfig())
	ours := make(map[string]time.Duration)
	rows := make(map[string]int)
	for _, q := range cases {
		groups := q.groups
		if groups == nil {
			groups = all
		}
		from, to := day, day.Add(24*time.Hour-time.Second)
		if q.window > 0 {
			from, to = noon, noon.Add(q.window-time.Second)
		}
		ours[q.name] = median(func() { rows[q.name] = len(insights(t, logs, groups, q.insights, from, to)) })
	}
	total, _ := c.ResidentBytes(t)
	t.Logf("resident after the queries: %.0f MB", float64(total)/1e6)
	c.Stop(t)

	db := openDay(t, filepath.Join(dir, "store"), day)
	for _, q := range cases {
		var n int
		raw := median(func() { n = count(t, db, q.sql) })
		assert.Equal(t, n, rows[q.name], "rows of %q", q.name)
		report(t, q.name, "%.1f ms | engine %.1f ms | ratio %.2f", ms(ours[q.name]), ms(raw), ms(ours[q.name])/ms(raw))
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func median(f func()) time.Duration {
	f()
	var d []time.Duration
	for range 5 {
		begin := time.Now()
		f()
		d = append(d, time.Since(begin))
	}
	slices.Sort(d)
	return d[len(d)/2]
}

// fill writes the data set through the store, 24 hours of it in order of time, unless it is there.
func fill(t *testing.T, dir string, day time.Time) {
	t.Helper()
	if m, _ := filepath.Glob(filepath.Join(dir, "logs", day.Format("2006-01-02")+"*")); len(m) > 0 {
		return
	}
	engine, err := duckdbstore.Open(t.Context(), duckdbstore.Config{Directory: dir, Now: time.Now, Logger: zaptest.NewLogger(t)})
	require.NoError(t, err)
	g := newEventGenerator(1)
	n := *queryEvents
	step := float64(24*time.Hour/time.Millisecond) / float64(n)
	batch := make([]store.LogRecord, 0, 8192)
	begin := time.Now()
	size := 0
	for i := range n {
		ts := day.UnixMilli() + int64(float64(i)*step)
		msg, group, stream, level, service, duration, status := g.next(ts)
		size += len(msg)
		st := int32(status)
		text := string(msg)
		const key = `"trace_id":"`
		at := strings.Index(text, key) + len(key)
		batch = append(batch, store.LogRecord{
			Tenant: store.Tenant{Account: "000000000000", Region: "us-east-1"},
			Group:  "/app/" + services[group], Stream: fmt.Sprintf("s%d", stream),
			Timestamp: ts, Ingested: ts + 100, Message: text, Level: level, Service: service,
			TraceID: text[at : at+32], DurationMs: &duration, Status: &st,
		})
		if len(batch) == cap(batch) || i == n-1 {
			require.NoError(t, engine.WriteLogs(t.Context(), batch))
			batch = batch[:0]
		}
	}
	elapsed := time.Since(begin)
	require.NoError(t, engine.Close())
	t.Logf("wrote %d events, %.2f GB, in %s: %.0f events/s", n, float64(size)/1e9, elapsed.Round(time.Second), float64(n)/elapsed.Seconds())
}

// openDay opens the day's log file as any user may, read-only.
func openDay(t *testing.T, dir string, day time.Time) *sql.DB {
	t.Helper()
	var file string
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err == nil && strings.Contains(path, "logs") && strings.Contains(path, day.Format("2006-01-02")) &&
			(strings.HasSuffix(path, ".db") || strings.HasSuffix(path, ".duckdb")) {
			file = path
		}
		return err
	}))
	require.NotEmpty(t, file, "no file of the day below %s", dir)
	connector, err := duckdb.NewConnector("", nil)
	require.NoError(t, err)
	db := sql.OpenDB(connector)
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	for _, q := range []string{
		"SET memory_limit='512MB'", "SET threads=2",
		fmt.Sprintf("ATTACH '%s' AS d (READ_ONLY)", file), "USE d",
	} {
		_, err := db.ExecContext(t.Context(), q)
		require.NoError(t, err, q)
	}
	return db
}

// count runs a statement, reads every column of every row, and returns how many rows there were.
func count(t *testing.T, db *sql.DB, query string) int {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	cols, err := rows.Columns()
	require.NoError(t, err)
	values := make([]any, len(cols))
	for i := range values {
		values[i] = new(any)
	}
	n := 0
	for rows.Next() {
		require.NoError(t, rows.Scan(values...))
		n++
	}
	require.NoError(t, rows.Err())
	return n
}
