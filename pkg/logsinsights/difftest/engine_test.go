// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package difftest compares what queries give when the store runs as much of them as it can with what they give
// when everything runs in Go, over the same events in the embedded engine.
package difftest

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/internal/store/duckdb"
	"github.com/nephoscope/nephoscope/pkg/logsinsights"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// day is when the events of the tests happened, 2024-05-01T12:00:00Z.
const day = 1714564800000

func openEngine(tb testing.TB) *duckdb.Engine {
	tb.Helper()
	e, err := duckdb.Open(tb.Context(), duckdb.Config{
		Directory: tb.TempDir(), MemoryLimit: 256 << 20, MinFreeDisk: -1,
		Now: func() time.Time { return time.UnixMilli(day) },
	})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, e.Close()) })
	return e
}

// promote fills the columns of a record from its message, as exporters do.
func promote(r *store.LogRecord) {
	p := logsinsights.Promote(r.Message)
	r.Level, r.Service, r.TraceID, r.DurationMs, r.Status = p.Level, p.Service, p.TraceID, p.DurationMs, p.Status
}

func selection(tenant store.Tenant, groups ...string) store.LogSelection {
	sel := store.LogSelection{Tenant: tenant, Start: day - 86_400_000, End: day + 86_400_000}
	for _, g := range groups {
		sel.Groups = append(sel.Groups, store.LogGroupRange{Group: g})
	}
	return sel
}

func run(ctx context.Context, logs store.LogStore, sel store.LogSelection, query string, o logsinsights.Options) (*logsinsights.Result, error) {
	q, err := logsinsights.Parse(query)
	if err != nil {
		return nil, err
	}
	p, err := logsinsights.Compile(q, o)
	if err != nil {
		return nil, err
	}
	return p.Run(ctx, logs, sel)
}

// text is a result as lines, without @ptr.
func text(res *logsinsights.Result) []string {
	lines := make([]string, len(res.Rows))
	for i, r := range res.Rows {
		var b strings.Builder
		for _, f := range r {
			if f.Name != "@ptr" {
				b.WriteString(f.Name + "=" + f.Value + "; ")
			}
		}
		lines[i] = b.String()
	}
	return lines
}

type conformanceCase struct {
	ID, Data string
	Query    string `json:"q"`
	Rows     []map[string]string
	Error    json.RawMessage
	Order    string
}

func load(tb testing.TB, file string, into any) {
	tb.Helper()
	b, err := os.ReadFile("../testdata/" + file)
	require.NoError(tb, err)
	require.NoError(tb, json.Unmarshal(b, into))
}

// TestConformance runs the conformance cases over the engine. The events of each dataset are in a region of its own.
func TestConformance(t *testing.T) {
	var cases []conformanceCase
	load(t, "conformance.json", &cases)
	var sets map[string][]struct {
		Timestamp            int64
		Message, Stream, Log string
	}
	load(t, "datasets.json", &sets)
	e := openEngine(t)
	for name, events := range sets {
		var records []store.LogRecord
		for _, ev := range events {
			r := store.LogRecord{
				Tenant: store.Tenant{Account: "123456789012", Region: name}, Group: "/app/api", Stream: "s1",
				Timestamp: ev.Timestamp, Ingested: ev.Timestamp + 1000, Message: ev.Message,
			}
			if ev.Stream != "" {
				r.Stream = ev.Stream
			}
			if _, group, ok := strings.Cut(ev.Log, ":"); ok {
				r.Group = group
			}
			promote(&r)
			records = append(records, r)
		}
		require.NoError(t, e.WriteLogs(t.Context(), records))
	}
	for _, c := range cases {
		if c.Error != nil {
			continue
		}
		group := "/app/api"
		if c.Data == "lambda" {
			group = "/aws/lambda/fn"
		}
		for _, promoted := range []bool{false, true} {
			sel := selection(store.Tenant{Account: "123456789012", Region: c.Data}, group)
			res, err := run(t.Context(), e, sel, c.Query, logsinsights.Options{Dialect: e.Dialect(), Promoted: promoted})
			require.NoError(t, err, c.Query)
			got := []map[string]string{}
			for _, r := range res.Rows {
				m := map[string]string{}
				for _, f := range r {
					if f.Name != "@ptr" {
						m[f.Name] = f.Value
					}
				}
				got = append(got, m)
			}
			if c.Order == "any" {
				require.ElementsMatch(t, c.Rows, got, c.Query)
			} else {
				require.Equal(t, c.Rows, got, "%s %s", c.ID, c.Query)
			}
		}
	}
}

// compare runs the query in Go alone and with the store's help, with promoted columns and without.
func compare(tb testing.TB, e store.LogStore, sel store.LogSelection, query string) {
	tb.Helper()
	for _, promoted := range []bool{false, true} {
		o := logsinsights.Options{Promoted: promoted}
		want, err := run(tb.Context(), e, sel, query, o)
		require.NoError(tb, err, query)
		o.Dialect = e.Dialect()
		for _, g := range sel.Groups {
			o.Groups = append(o.Groups, g.Group)
		}
		got, err := run(tb.Context(), e, sel, query, o)
		require.NoError(tb, err, "%s\n%s", query, explain(tb, query, o))
		a, b := text(want), text(got)
		if strings.Contains(query, "stats") && !strings.Contains(query, "sort") {
			sort.Strings(a)
			sort.Strings(b)
		}
		if !same(a, b) {
			require.Equal(tb, a, b, "promoted %v: %s\n%s", promoted, query, explain(tb, query, o))
		}
		if !strings.Contains(query, "limit") {
			require.Equal(tb, want.Stats.RecordsMatched, got.Stats.RecordsMatched, "matched, promoted %v: %s", promoted, query)
			require.Equal(tb, want.Stats.RecordsScanned, got.Stats.RecordsScanned, query)
		}
	}
}

// same compares results. Sums of the same numbers in another order may differ in the last digits, and so in the last
// of the four decimals that are printed.
func same(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] == b[i] {
			continue
		}
		x, y := strings.Split(a[i], "; "), strings.Split(b[i], "; ")
		if len(x) != len(y) {
			return false
		}
		for j := range x {
			if x[j] == y[j] {
				continue
			}
			name, v, _ := strings.Cut(x[j], "=")
			other, w, _ := strings.Cut(y[j], "=")
			f, err := strconv.ParseFloat(v, 64)
			g, err2 := strconv.ParseFloat(w, 64)
			if name != other || err != nil || err2 != nil || math.Abs(f-g) > max(1.1e-4, 1e-9*math.Abs(f)) {
				return false
			}
		}
	}
	return true
}

func explain(tb testing.TB, query string, o logsinsights.Options) string {
	tb.Helper()
	q, err := logsinsights.Parse(query)
	require.NoError(tb, err)
	p, err := logsinsights.Compile(q, o)
	require.NoError(tb, err)
	return p.Explain()
}
