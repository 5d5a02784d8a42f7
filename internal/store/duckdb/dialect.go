// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/nephoscope/nephoscope/internal/store"
)

// Dialect is the SQL of DuckDB 1.5 over the columns of log rows.
//
// Each argument expression stands once in what a method returns, because DuckDB evaluates an expression that
// stands twice in a CASE twice: where a result depends on a value in several ways, the value is bound by a lambda.
type Dialect struct{}

var _ store.Dialect = Dialect{}

// Name of the dialect.
func (Dialect) Name() string { return "duckdb" }

var columnNames = map[store.LogColumn]string{
	store.ColumnTimestamp:  "ts",
	store.ColumnIngested:   "ingested",
	store.ColumnSeq:        "seq",
	store.ColumnGroup:      "grp",
	store.ColumnStream:     "stream",
	store.ColumnMessage:    "message",
	store.ColumnLevel:      "level",
	store.ColumnService:    "service",
	store.ColumnTraceID:    "trace_id",
	store.ColumnSpanID:     "span_id",
	store.ColumnDurationMs: "duration_ms",
	store.ColumnStatus:     "status",
}

// Column is the column of a field.
func (Dialect) Column(field store.LogColumn) string { return columnNames[field] }

// String is a string literal. A zero byte would end the statement, so it is spliced in.
func (Dialect) String(s string) string {
	if strings.IndexByte(s, 0) < 0 {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	parts := strings.Split(s, "\x00")
	for i, p := range parts {
		parts[i] = Dialect{}.String(p)
	}
	return "(" + strings.Join(parts, " || chr(0) || ") + ")"
}

// Number is a literal of DOUBLE: a bare one would be a DECIMAL.
func (Dialect) Number(f float64) string {
	return "'" + strconv.FormatFloat(f, 'g', -1, 64) + "'::DOUBLE"
}

// Placeholder is the marker of a bound argument.
func (Dialect) Placeholder() string { return "?" }

// bind evaluates value once and gives it to body under the name x. NULL stays NULL.
func bind(value, body string) string { return bindAs("x", value, body) }

func bindAs(name, value, body string) string {
	return "list_transform([" + value + "], lambda " + name + ": " + body + ")[1]"
}

// rawJSON is the JSON text at path, NULL when doc is no JSON or has nothing there.
func (d Dialect) rawJSON(doc string, path []string) string {
	return "CASE WHEN json_valid(" + doc + ") THEN CAST(json_extract(" + doc + ", " + d.jsonPath(path) + ") AS VARCHAR) END"
}

// JSONField is the text of a leaf. JSON functions raise an error for what is no JSON, so validity is asked first;
// TRY would be evaluated row by row as soon as one row of a chunk is no JSON, 15 times slower.
//
// json_extract returns JSON: a string is told by its quote (34). A number begins with a digit or a minus, of which the
// fraction .0 is taken away. What is left are true (116), false (102), null, NaN, infinities, objects and arrays.
func (d Dialect) JSONField(doc string, path []string) string {
	return bind(d.rawJSON(doc, path), "CASE WHEN ascii(x) = 34 THEN json_extract_string(x, '$')"+
		" WHEN ascii(x) BETWEEN 48 AND 57 OR ascii(x) = 45 AND ascii(x[2]) BETWEEN 48 AND 57"+
		" THEN CASE WHEN suffix(x, '.0') THEN left(x, -2) ELSE x END"+
		" WHEN ascii(x) = 116 THEN '1' WHEN ascii(x) = 102 THEN '0' END")
}

// JSONNumber is ToNumber of JSONField at the cost of a cast, for what is a number in the JSON text.
func (d Dialect) JSONNumber(doc string, path []string) string {
	return bind(d.rawJSON(doc, path), "CASE WHEN ascii(x) BETWEEN 48 AND 57 OR ascii(x) = 45"+
		" THEN CASE WHEN isfinite(TRY_CAST(x AS DOUBLE)) THEN TRY_CAST(x AS DOUBLE) END"+
		" WHEN ascii(x) = 34 THEN "+toNumber("json_extract_string(x, '$')", "y")+
		" WHEN ascii(x) = 116 THEN 1 WHEN ascii(x) = 102 THEN 0 END")
}

// jsonPath is a path as a JSON pointer, in which no character but ~ and / means anything.
func (d Dialect) jsonPath(path []string) string {
	if len(path) == 0 {
		return "'$'"
	}
	var b strings.Builder
	for _, key := range path {
		b.WriteByte('/')
		b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(key))
	}
	return d.String(b.String())
}

// ToNumber is the number that a text spells. A cast alone would also take blanks around the number, digit separators,
// nan and inf: these are told by the first and last characters (from + to 9, and from . to 9) and the underscore; it
// would also take a minus behind a plus. What is beyond DOUBLE is no number.
func (Dialect) ToNumber(expr string) string { return toNumber("CAST("+expr+" AS VARCHAR)", "x") }

// toNumber binds the text and the number to the name v.
func toNumber(text, v string) string {
	cast := strings.ReplaceAll("CASE WHEN ascii($) BETWEEN 43 AND 57 AND ascii($[-1]) BETWEEN 46 AND 57"+
		" AND strlen($) <= 400 AND NOT contains($, '_') AND NOT starts_with($, '+-') THEN TRY_CAST($ AS DOUBLE) END", "$", v)
	return bindAs(v, bindAs(v, text, cast), "CASE WHEN isfinite("+v+") THEN "+v+" END")
}

// Contains is whether text contains needle.
func (d Dialect) Contains(text, needle string) string {
	return "contains(" + text + ", " + d.String(needle) + ")"
}

// RegexMatch is whether the pattern matches anywhere in text. DuckDB turns simple patterns into LIKE, but takes "$a"
// for "contains a" on the way; a group around the pattern keeps it from doing so.
func (d Dialect) RegexMatch(text, pattern string) string {
	if re, err := syntax.Parse(pattern, syntax.Perl); err != nil || hasAnchor(re) {
		pattern = "(" + pattern + ")"
	}
	return "regexp_matches(" + text + ", " + d.String(pattern) + ")"
}

// hasAnchor is whether the pattern asks for the begin or end of a line or of the text.
func hasAnchor(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText:
		return true
	}
	return slices.ContainsFunc(re.Sub, hasAnchor)
}

// RegexExtract is the text of a group of the first match. DuckDB answers with an empty text when there is no match, or
// when the group took no part in it: for a group that cannot be empty this is as good as NULL, for others the match
// is asked for first.
func (d Dialect) RegexExtract(text, pattern string, group int) string {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err == nil && minLength(findGroup(re, group)) > 0 {
		return "nullif(" + d.extract(text, pattern, re, group) + ", '')"
	}
	return bind(text, fmt.Sprintf("CASE WHEN regexp_matches(x, %s) THEN regexp_extract(x, %s, %d) END",
		d.String(pattern), d.String(pattern), group))
}

// RegexExtractAfter is the text of a group that is never empty, less its first characters. Every match of the group
// has so many.
func (d Dialect) RegexExtractAfter(text, pattern string, group, skip int) string {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "substr(" + d.RegexExtract(text, pattern, group) + ", " + strconv.Itoa(skip+1) + ")"
	}
	return "substr(nullif(" + d.extract(text, pattern, re, group) + ", ''), " + strconv.Itoa(skip+1) + ")"
}

// extract takes a group out of the struct of all groups: when a statement wants several of them, they are the same
// expression, which DuckDB evaluates once. Even for one group this is faster than asking for it by its number.
func (d Dialect) extract(text, pattern string, re *syntax.Regexp, group int) string {
	if group == 0 {
		return fmt.Sprintf("regexp_extract(%s, %s)", text, d.String(pattern))
	}
	names := make([]string, re.MaxCap())
	for i := range names {
		names[i] = "'" + strconv.Itoa(i+1) + "'"
	}
	return fmt.Sprintf("regexp_extract(%s, %s, [%s])['%d']", text, d.String(pattern), strings.Join(names, ", "), group)
}

// findGroup is the numbered group of a pattern, nil when there is none.
func findGroup(re *syntax.Regexp, group int) *syntax.Regexp {
	if group == 0 || re.Op == syntax.OpCapture && re.Cap == group {
		return re
	}
	for _, sub := range re.Sub {
		if g := findGroup(sub, group); g != nil {
			return g
		}
	}
	return nil
}

// minLength is the number of characters that every match has, or a lower bound of it.
func minLength(re *syntax.Regexp) int {
	if re == nil {
		return 0
	}
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpCapture, syntax.OpPlus:
		return minLength(re.Sub[0])
	case syntax.OpRepeat:
		return min(re.Min, 1) * minLength(re.Sub[0])
	case syntax.OpConcat:
		n := 0
		for _, sub := range re.Sub {
			n += minLength(sub)
		}
		return n
	case syntax.OpAlternate:
		n := minLength(re.Sub[0])
		for _, sub := range re.Sub[1:] {
			n = min(n, minLength(sub))
		}
		return n
	}
	return 0
}

// Finite is the number expr, or NULL when it is not finite.
func (Dialect) Finite(expr string) string { return bind(expr, "CASE WHEN isfinite(x) THEN x END") }

// AtEdge aggregates: it is expr of the first event of the group, or of the last one, of those where it is not NULL.
func (Dialect) AtEdge(expr string, last bool) string {
	function := "arg_min"
	if last {
		function = "arg_max"
	}
	return function + "(" + expr + ", {'ts': ts, 'ingested': ingested, 'seq': seq})"
}

// TimeFloor floors a timestamp, those before 1970 too. Whole numbers are twice as fast as time_bucket.
func (d Dialect) TimeFloor(ts string, periodMs int64) string {
	ms := d.EpochMs(ts)
	return fmt.Sprintf("make_timestamp_ms(%s - (%s %% %d + %d) %% %d)", ms, ms, periodMs, periodMs, periodMs)
}

// EpochMs is a timestamp as Unix milliseconds.
func (Dialect) EpochMs(ts string) string { return "epoch_ms(" + ts + ")" }

// Quantile interpolates between the closest ranks.
func (d Dialect) Quantile(expr string, q float64) string {
	return "quantile_cont(" + expr + ", " + strconv.FormatFloat(q, 'f', -1, 64) + ")"
}
