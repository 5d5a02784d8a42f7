// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
)

func numbered(n int) *memStore {
	m := &memStore{}
	for i := range n {
		m.records = append(m.records, store.LogRecord{
			Tenant: testTenant, Group: "g", Stream: "s", Timestamp: int64(1000 + i), Ingested: int64(2000 + i), Seq: int64(i), Message: fmt.Sprintf(`{"i":%d,"m":%d}`, i, i%7),
		})
	}
	return m
}

func values(res *Result, name string) []string {
	var list []string
	for _, r := range res.Rows {
		for _, f := range r {
			if f.Name == name {
				list = append(list, f.Value)
			}
		}
	}
	return list
}

func TestRunOrder(t *testing.T) {
	m := numbered(20)
	f := func(query string, want ...string) {
		t.Helper()
		res, err := runQuery(t.Context(), m, []string{"g"}, query, Options{})
		require.NoError(t, err, query)
		require.Equal(t, want, values(res, "i"), query)
	}
	f(`fields i | limit 3`, "19", "18", "17")
	f(`fields i | sort @timestamp asc | limit 3`, "0", "1", "2")
	f(`fields i | sort i desc | limit 2`, "19", "18")
	f(`fields i | sort m desc, i asc | limit 4`, "6", "13", "5", "12")
	f(`fields i | sort m asc | limit 3`, "14", "7", "0") // ties keep the order of reading, newest first
	f(`fields i | sort @timestamp asc | sort m desc | limit 2`, "6", "13")
	f(`fields i | limit 5 | sort i asc | limit 2`, "15", "16")
	f(`fields i | limit 5 | filter i < 17`, "16", "15")
	f(`fields i | sort i asc | filter i > 3 | limit 2`, "4", "5")
	f(`fields i | limit 4 | sort @timestamp asc`, "16", "17", "18", "19")
	f(`fields i | dedup m | limit 3`, "19", "18", "17")
	f(`fields i | sort @timestamp asc | dedup m | limit 3`, "0", "1", "2")
	f(`fields m * 10 as i | sort i desc, @timestamp desc | limit 2`, "60", "60")
	f(`fields i | display i, m | sort @timestamp desc | limit 1`, "19")
	f(`unnest jsonParse("[1,2]") into i | limit 3`, "1", "2", "1")
	f(`unnest nothing into i`)
}

func TestRunColumns(t *testing.T) {
	m := numbered(3)
	f := func(query string, want ...string) {
		t.Helper()
		res, err := runQuery(t.Context(), m, []string{"g"}, query, Options{})
		require.NoError(t, err, query)
		var names []string
		for _, c := range res.Rows[0] {
			names = append(names, c.Name)
		}
		require.Equal(t, want, names, query)
	}
	f(`limit 1`, "@timestamp", "@message", "@ptr")
	f(`fields i, m + 1, i`, "i", "m + 1", "@ptr")
	f(`parse @message "i*" as x`, "@timestamp", "@message", "x", "@ptr")
	f(`fields i | parse @message "i*" as x | fields m`, "i", "m", "x", "@ptr")
	f(`fields i | parse @message "i*" as x | display x as y, i`, "y", "i", "@ptr")
	f(`stats count(*), max( i ) as m by  m + 1, bin(1h)`, "m + 1", "bin(1h)", "count(*)", "m")
	f(`stats count(*) as n by m | fields n * 2 as d`, "d")
	f(`stats count(*) as n by m | display n, m`, "n", "m")
	f(`stats count(*) by m | sort count(*) desc | filter count(*) > 0`, "m", "count(*)")
	f(`stats count(*) by bin(1h) | sort bin(1h)`, "bin(1h)", "count(*)")
	f("fields i + 1 | sort i + 1 | display `i + 1`", "@ptr")
}

func TestRunStats(t *testing.T) {
	m := numbered(10)
	f := func(query string, want ...string) {
		t.Helper()
		res, err := runQuery(t.Context(), m, []string{"g"}, query, Options{})
		require.NoError(t, err, query)
		require.Equal(t, want, values(res, "x"), query)
		for _, r := range res.Rows {
			for _, c := range r {
				require.NotEqual(t, "@ptr", c.Name)
			}
		}
	}
	f(`stats values(m) as x`, "0,1,2,3,4,5,6")
	f(`stats values(nothing) as x`)
	f(`filter i > 100 | stats count(*) as x`, "0")
	f(`filter i > 100 | stats count(*) as x by m`)
	f(`filter i > 100 | stats sum(i) as x, avg(i), min(i), max(i), pct(i, 50), stddev(i)`)
	f(`stats stddev(m) as x`, "1.9596")
	f(`stats pct(i, 25) as x`, "2.25")
	f(`stats count(i = 3) as x`, "10")
	f(`stats count(*) as x by bin(3ms) as b | sort b asc`, "2", "3", "3", "2")
	f(`stats count(*) as x by bin(3ms)`, "2", "3", "3", "2") // newest first
	f(`stats sum(i) as s by m | stats max(s) as x`, "11")
	f(`stats sum(i) as s, count(*) as c, s / c as x`, "4.5")
	f(`stats latest(i) as x, earliest(i) as y`, "9")
	f(`stats count(*) as x by i = 3 as odd | sort odd asc`, "9", "1")
	f(`stats count(*) as x by nothing`, "10")
}

func TestRunLimits(t *testing.T) {
	m := numbered(20_000)
	run := func(query string, o Options) (*Result, error) {
		return runQuery(t.Context(), m, []string{"g"}, query, o)
	}
	res, err := run(`fields i`, Options{})
	require.NoError(t, err)
	require.Len(t, res.Rows, 10_000)
	res, err = run(`fields i | limit 15000`, Options{})
	require.NoError(t, err)
	require.Len(t, res.Rows, 15_000)
	res, err = run(`fields i | limit 15000`, Options{Limit: 7})
	require.NoError(t, err)
	require.Len(t, res.Rows, 7)
	res, err = run(`fields i | sort i desc`, Options{Limit: 7})
	require.NoError(t, err)
	require.Len(t, res.Rows, 7)

	for query, o := range map[string]Options{
		`stats count(*) by i`:                       {MaxGroups: 100},
		`fields i | sort i | filter i > 1`:          {MaxBytes: 1 << 20},
		`stats pct(i, 50)`:                          {MaxBytes: 1 << 16},
		`stats count_distinct(i)`:                   {MaxBytes: 1 << 16},
		`stats values(i)`:                           {MaxBytes: 1 << 16},
		`dedup i | limit 100000`:                    {MaxBytes: 1 << 16},
		`fields @message | limit 20000`:             {MaxBytes: 1 << 20},
		`stats count(*) by i, @message, @timestamp`: {MaxBytes: 1 << 20},
	} {
		_, err := run(query, o)
		require.ErrorIs(t, err, ErrLimit, query)
	}
}

func TestRunMatched(t *testing.T) {
	m := numbered(70)
	for query, want := range map[string]int64{
		`filter m = 1`:                                      10,
		`filter m = 1 | stats count(*) by i`:                10,
		`filter m = 1 | stats count(*) as n by i | limit 1`: 10,
		`filter m = 1 | sort i asc | limit 3`:               10,
		`filter m = 1 | limit 3`:                            3,
		`filter m = 1 | dedup m`:                            10,
		`fields i`:                                          70,
	} {
		res, err := runQuery(t.Context(), m, []string{"g"}, query, Options{})
		require.NoError(t, err)
		require.Equal(t, want, res.Stats.RecordsMatched, query)
	}
}

func TestRunCanceled(t *testing.T) {
	m := numbered(3 * progressEvery)
	ctx, cancel := context.WithCancel(t.Context())
	var seen []Progress
	_, err := runQuery(ctx, m, []string{"g"}, `filter m = 1 | limit 100000`, Options{Progress: func(p Progress) {
		seen = append(seen, p)
		cancel()
	}})
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, seen, 1)
	require.EqualValues(t, progressEvery, seen[0].RecordsRead)
	require.Len(t, seen[0].Rows, int(seen[0].RecordsMatched))
}

func TestRunStoreErrors(t *testing.T) {
	q, err := Parse(`filter level = "x" | stats count(*)`)
	require.NoError(t, err)
	p, err := Compile(q, Options{Dialect: stubDialect{}})
	require.NoError(t, err)
	for _, c := range []struct {
		store stubStore
		want  string
	}{
		{stubStore{err: errors.New("disk on fire")}, "disk on fire"},
		{stubStore{err: fmt.Errorf("x: %w", store.ErrTooManyRows)}, "more than 100000 groups"},
		{stubStore{rows: [][]any{{int64(1), "extra"}}}, "answered 2 columns instead of 1"},
		{stubStore{rows: [][]any{{[]byte("x")}}}, "answered a []uint8"},
	} {
		_, err := p.Run(t.Context(), c.store, store.LogSelection{})
		require.ErrorContains(t, err, c.want)
	}
	res, err := p.Run(t.Context(), stubStore{rows: [][]any{{int64(5)}}}, store.LogSelection{})
	require.NoError(t, err)
	require.Equal(t, [][]Field{{{"count(*)", "5"}}}, res.Rows)
}

// stubStore answers every statement with the same rows.
type stubStore struct {
	store.LogStore
	rows [][]any
	err  error
}

func (s stubStore) AggregateLogs(context.Context, store.LogAggregate) ([][]any, store.ScanStats, error) {
	return s.rows, store.ScanStats{}, s.err
}
