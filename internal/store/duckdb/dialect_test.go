// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"database/sql"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
)

// evaluator evaluates expressions in DuckDB, over one row with the column m.
func evaluator(tb testing.TB) func(expr, message string) any {
	tb.Helper()
	db, err := sql.Open("duckdb", "")
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	return func(expr, message string) any {
		tb.Helper()
		var v any
		// A second row with text that is no JSON: an error for it would be one for the whole statement.
		err := db.QueryRowContext(tb.Context(), "SELECT "+expr+" FROM (SELECT CAST(? AS VARCHAR) AS m UNION ALL SELECT 'no { JSON') WHERE m = ?",
			message, message).Scan(&v)
		require.NoError(tb, err, expr)
		return v
	}
}

func TestDialectJSONField(t *testing.T) {
	eval := evaluator(t)
	f := func(doc string, path []string, want any) {
		t.Helper()
		require.Equal(t, want, eval(Dialect{}.JSONField("m", path), doc), "%s %q", doc, path)
	}
	a := []string{"a"}
	for lit, want := range map[string]any{
		`"x"`: "x", `""`: "", `"q\"\\\/\n\u00e9\ud83d\ude00"`: "q\"\\/\né😀", `"n\u0000b"`: "n\x00b", `"true"`: "true", `"1.0"`: "1.0", `"{}"`: "{}",
		`"5"`: "5", `"1_0"`: "1_0", `"+-5"`: "+-5", `" 5"`: " 5", `"1e999"`: "1e999", `"5\u0030"`: "50", `"é"`: "é", `"null"`: "null", `"-Inf.0"`: "-Inf.0",
		`5`: "5", `-5`: "-5", `0`: "0", `-0`: "0", `1.0`: "1", `1.50`: "1.5", `-0.5`: "-0.5", `1e3`: "1000", `1e25`: "1e25", `1e-7`: "1e-7", `0.000001`: "0.000001",
		`12345678901234567890`: "12345678901234567890", `123456789012345678901234567890`: "123456789012345678901234567890", `1e400`: "1e400",
		`1e21`: "1e21", `1e20`: "100000000000000000000",
		`true`: "1", `false`: "0", `null`: nil, `NaN`: nil, `Infinity`: nil, `-Infinity`: nil, `{"b":1}`: nil, `[1]`: nil,
	} {
		f(`{"a":`+lit+`}`, a, want)
		// The number is that of the text.
		require.Equal(t, eval(Dialect{}.ToNumber(Dialect{}.JSONField("m", a)), `{"a":`+lit+`}`), eval(Dialect{}.JSONNumber("m", a), `{"a":`+lit+`}`), lit)
	}
	f(`{"a":1,"a":2}`, a, "1")
	f(`{"a":1,}`, a, "1")
	f(`{"a":{"b":{"c":7}}}`, []string{"a", "b", "c"}, "7")
	f(`{"a":[{"b":1},{"b":2}]}`, []string{"a", "1", "b"}, "2")
	f(`{"a":[1]}`, []string{"a", "01"}, nil)
	f(`{"a":[1]}`, []string{"a", "-"}, nil)
	f(`{"a":[1]}`, []string{"a", "1"}, nil)
	f(`{"a":{"0":"key"}}`, []string{"a", "0"}, "key")
	f(`{"a.b":1}`, []string{"a.b"}, "1")
	f(`{"a.b":1}`, []string{"a", "b"}, nil)
	f(`{"a/b":1,"c~d":2,"e'f":3,"g\"h":4,"*":5,"$":6,"":7,"é ✓":8}`, []string{"a/b"}, "1")
	for key, want := range map[string]string{"a/b": "1", "c~d": "2", "e'f": "3", `g"h`: "4", "*": "5", "$": "6", "": "7", "é ✓": "8"} {
		f(`{"a/b":1,"c~d":2,"e'f":3,"g\"h":4,"*":5,"$":6,"":7,"é ✓":8}`, []string{key}, want)
	}
	for _, doc := range []string{"", "plain", `{"a":1`, `{"a":1} x`, `{a:1}`, `{"a":01}`, `{"a":"\ud800"}`, "{\"a\":\"\t\"}", `7`, `"a"`, `null`, `[]`, `{}`} {
		f(doc, a, nil)
	}
	f(`"top"`, nil, "top")
	// A field of a JSON text inside the message.
	inner := Dialect{}.JSONField(Dialect{}.JSONField("m", []string{"payload"}), []string{"k"})
	require.Equal(t, "7", eval(inner, `{"payload":"{\"k\":7}"}`))
	require.Nil(t, eval(inner, `{"payload":"not JSON"}`))
}

func TestDialectToNumber(t *testing.T) {
	eval := evaluator(t)
	for text, want := range map[string]any{
		"5": 5.0, "-5": -5.0, "+5": 5.0, "1.5": 1.5, ".5": 0.5, "5.": 5.0, "1e3": 1000.0, "1E-3": 0.001, "007": 7.0, "0.1": 0.1,
		"9007199254740993": 9007199254740992.0, "1.7976931348623157e308": math.MaxFloat64, "5e-324": math.SmallestNonzeroFloat64, "1e-999": 0.0,
		"": nil, " 5": nil, "5 ": nil, "1_000": nil, "0x10": nil, "inf": nil, "-Infinity": nil, "nan": nil, "1e999": nil, "-1e999": nil, "1,5": nil, "true": nil,
		"1e": nil, "e5": nil, "--5": nil, ".": nil, "+": nil, "٣": nil, strings.Repeat("1", 401): nil, "5\n": nil, "+-5": nil, "-+5": nil, "++5": nil, "/5": nil, "5/": nil, ",5": nil, "5e+3": 5000.0, "0x1p5": nil, "1d5": nil, "1__0": nil, "1.e5": 100000.0,
	} {
		require.Equal(t, want, eval(Dialect{}.ToNumber("m"), text), "%q", text)
	}
	require.InDelta(t, 12.5, eval(Dialect{}.ToNumber("CAST(12.5 AS DOUBLE)"), "x"), 0)
	require.Nil(t, eval(Dialect{}.ToNumber("NULL"), "x"))
}

func TestDialectLiterals(t *testing.T) {
	eval := evaluator(t)
	for _, s := range []string{"", "x", "it's", "''", `back\slash`, "new\nline", "nul\x00byte\x00", "\x00", "é😀", "?", "$1", "--", "/*"} {
		require.Equal(t, s, eval(Dialect{}.String(s), "x"), "%q", s)
	}
	for _, n := range []float64{0, 1, -1.5, 0.1, 1e300, -1e-300, 12345678901234567, math.MaxFloat64, math.SmallestNonzeroFloat64} {
		require.InDelta(t, n, eval(Dialect{}.Number(n), "x"), 0)
	}
	require.Equal(t, "duckdb", Dialect{}.Name())
	require.Equal(t, "?", Dialect{}.Placeholder())
	for c := store.ColumnTimestamp; c <= store.ColumnStatus; c++ {
		require.Contains(t, aggregateColumns+",", Dialect{}.Column(c)+",")
	}
}

func TestDialectText(t *testing.T) {
	eval := evaluator(t)
	require.Equal(t, true, eval(Dialect{}.Contains("m", "it's"), "say it's me"))
	require.Equal(t, false, eval(Dialect{}.Contains("m", "IT"), "say it's me"))
	require.Equal(t, true, eval(Dialect{}.Contains("m", ""), "x"))
	require.Equal(t, true, eval(Dialect{}.Contains("m", "%"), "100%"))
	require.Nil(t, eval(Dialect{}.Contains("NULL::VARCHAR", "x"), "x"))

	match := func(pattern, text string, want bool) {
		t.Helper()
		require.Equal(t, want, eval(Dialect{}.RegexMatch("m", pattern), text), "%s %q", pattern, text)
	}
	match(`b+`, "abc", true)
	match(`^b`, "abc", false)
	match(`a.c`, "a\nc", false)
	match(`(?s:a.c)`, "a\nc", true)
	match(`(?m:^c$)`, "a\nc", true)
	match(`(?i:É)`, "é", true)
	match(`it's`, "it's", true)
	match(`(?-m:$a)`, "ab", false)
	match(`b\Aa`, "ba", false)
	match(`c\z`, "c\n", false)
	match(`(?-m:c$)`, "c\n", false)

	extract := func(pattern string, group int, text string, want any) {
		t.Helper()
		require.Equal(t, want, eval(Dialect{}.RegexExtract("m", pattern, group), text), "%s %d %q", pattern, group, text)
	}
	extract(`user=(\w+)`, 1, "user=bob", "bob")
	extract(`user=(\w+)`, 0, "a user=bob", "user=bob")
	extract(`user=(\w+)`, 1, "none", nil)
	extract(`user=(\w*)`, 1, "user=", "")
	extract(`user=(\w*)`, 1, "none", nil)
	extract(`(?P<a>x)|(?P<b>y)`, 2, "y", "y")
	extract(`(?P<a>x)|(?P<b>y)`, 1, "y", nil)
	extract(`(a*)(b+)`, 2, "aab", "b")
	require.Nil(t, eval(Dialect{}.RegexExtract("NULL::VARCHAR", "(x*)", 1), "x"))

	after := Dialect{}.RegexExtractAfter("m", `(é=.*?)(, b=.*?);`, 2, 4)
	require.Equal(t, "2", eval(after, "é=1, b=2;"))
	require.Empty(t, eval(after, "é=, b=;"))
	require.Nil(t, eval(after, "é=1, b=2"))
	require.Equal(t, "1", eval(Dialect{}.RegexExtractAfter("m", `(é=.*?)(, b=.*?);`, 1, 2), "é=1, b=2;"))
}

func TestDialectTime(t *testing.T) {
	eval := evaluator(t)
	at := func(ms int64) string { return fmt.Sprintf("make_timestamp_ms(%d)", ms) }
	for _, c := range []struct{ ms, period, want int64 }{
		{1714565099999, 300_000, 1714564800000},
		{1714564800000, 300_000, 1714564800000},
		{1714564800001, 1, 1714564800001},
		{1714564800001, 86_400_000, 1714521600000},
		{-1, 60_000, -60_000},
		{-60_000, 60_000, -60_000},
		{0, 7_000, 0},
	} {
		floor := Dialect{}.TimeFloor(at(c.ms), c.period)
		require.Equal(t, time.UnixMilli(c.want).UTC(), eval(floor, "x"))
		require.Equal(t, c.want, eval(Dialect{}.EpochMs(floor), "x"))
	}
}

func TestDialectAggregates(t *testing.T) {
	db, err := sql.Open("duckdb", "")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	const rows = ` FROM (VALUES (1.0::DOUBLE, 'a', 10, 1, 1), (NULL, NULL, 5, 1, 1), (2.0, 'b', 20, 1, 1), (4.0, 'c', 20, 1, 2)) v(n, s, t, i, seq),
		LATERAL (SELECT make_timestamp_ms(t) AS ts, make_timestamp_ms(i) AS ingested)`
	f := func(expr string, want any) {
		t.Helper()
		var v any
		require.NoError(t, db.QueryRowContext(t.Context(), "SELECT "+expr+rows).Scan(&v), expr)
		require.Equal(t, want, v, expr)
	}
	d := Dialect{}
	f(d.Quantile("n", 0), 1.0)
	f(d.Quantile("n", 0.5), 2.0)
	f(d.Quantile("n", 0.75), 3.0)
	f(d.Quantile("n", 1), 4.0)
	f(d.Quantile("CAST(NULL AS DOUBLE)", 0.5), nil)
	f(d.AtEdge("s", false), "a")
	f(d.AtEdge("s", true), "c")
	f(d.AtEdge("n", true), 4.0)
	f("count("+d.Finite("n / 0")+")", int64(0))
	f("sum("+d.Finite("n * 2")+")", 14.0)
}
