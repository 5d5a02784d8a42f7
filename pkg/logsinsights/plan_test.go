// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
)

// stubDialect writes expressions that are easy to read.
type stubDialect struct{}

func (stubDialect) Name() string { return "stub" }
func (stubDialect) Column(c store.LogColumn) string {
	return [...]string{"ts", "ingested", "seq", "grp", "stream", "message", "level", "service", "trace_id", "span_id", "duration_ms", "status"}[c]
}
func (stubDialect) String(s string) string  { return "'" + s + "'" }
func (stubDialect) Number(f float64) string { return fmt.Sprint(f) }
func (stubDialect) Placeholder() string     { return "?" }
func (stubDialect) JSONField(_ string, p []string) string {
	return "json(" + strings.Join(p, "/") + ")"
}
func (stubDialect) ToNumber(e string) string               { return "num(" + e + ")" }
func (stubDialect) Contains(text, needle string) string    { return text + " has '" + needle + "'" }
func (stubDialect) RegexMatch(text, pattern string) string { return text + " ~ '" + pattern + "'" }
func (stubDialect) RegexExtract(text, pattern string, group int) string {
	return fmt.Sprintf("extract(%s, '%s', %d)", text, pattern, group)
}
func (stubDialect) TimeFloor(ts string, ms int64) string { return fmt.Sprintf("floor(%s, %d)", ts, ms) }
func (stubDialect) EpochMs(ts string) string             { return "ms(" + ts + ")" }
func (stubDialect) Quantile(e string, q float64) string  { return fmt.Sprintf("quantile(%s, %g)", e, q) }
func (stubDialect) Finite(e string) string               { return "finite" + e }
func (stubDialect) AtEdge(e string, last bool) string    { return fmt.Sprintf("edge(%s, %v)", e, last) }

func TestExplain(t *testing.T) {
	f := func(query, want string, o Options) {
		t.Helper()
		q, err := Parse(query)
		require.NoError(t, err)
		p, err := Compile(q, o)
		require.NoError(t, err)
		require.Equal(t, strings.TrimSpace(strings.ReplaceAll(want, "\t", "")), strings.TrimSpace(p.Explain()), query)
	}
	promoted := Options{Dialect: stubDialect{}, Promoted: true, Groups: []string{"/app"}}
	f(`filter level = "ERROR" | stats count(*) as n by service | sort n desc`, `
		store  filter level = "ERROR"
		store  stats count(*) as n by service
		Go     sort n desc
		select: service, count(*)
		where: (level = 'ERROR')
		tail: GROUP BY 1`, promoted)
	f(`filter @message like "ERROR" and @message like /a.*bcd/ | sort @timestamp asc | limit 5`, `
		store             filter @message like "ERROR" and @message like /a.*bcd/
		order of reading  sort @timestamp asc
		store             limit 5
		messages contain: "ERROR", "bcd"
		where: (message ~ '(?-s:a.*bcd)')
		read: oldest first
		rows: at most 5`, promoted)
	f(`filter strlen(@message) > 5 and status >= 500 | limit 5`, `
		store narrows, Go decides  filter strlen(@message) > 5 and status >= 500
		Go                         limit 5
		where: (coalesce(CAST(status AS DOUBLE), num(json(status))) >= 500)
		read: newest first`, promoted)
	f(`filter strlen(@message) > 5 | stats count(*)`, `
		Go  filter strlen(@message) > 5
		Go  stats count(*)
		read: newest first`, promoted)
	f(`filter trace_id = "1-5759e988-bd862e3fe1be46a994272793"`, `
		store  filter trace_id = "1-5759e988-bd862e3fe1be46a994272793"
		trace id: 5759e988bd862e3fe1be46a994272793
		where: (((message has '1-5759e988-bd862e3fe1be46a994272793' OR message has '\') AND json(trace_id) = '1-5759e988-bd862e3fe1be46a994272793'))
		read: newest first
		rows: at most 10000`, promoted)
	f(`stats pct(duration_ms, 95), avg(duration_ms / 2), latest(level) by bin(1h), datefloor(@timestamp, 1mo)`, `
		Go  stats pct(duration_ms, 95), avg(duration_ms / 2), latest(level) by bin(1h), datefloor(@timestamp, 1mo)
		read: newest first`, promoted)
	f(`stats pct(duration_ms, 95), avg(duration_ms / 2), latest(level) by bin(1h)`, `
		store  stats pct(duration_ms, 95), avg(duration_ms / 2), latest(level) by bin(1h)
		select: ms(floor(ts, 3600000)), quantile(duration_ms, 0.95), avg(finite(duration_ms / 2)), edge(level, true)
		tail: GROUP BY 1`, promoted)
	f(`parse @message /user=(?<u>\w+)/ | stats count(*) by u`, `
		Go     parse @message /user=(?<u>\w+)/
		store  stats count(*) by u
		select: extract(message, 'user=(?P<u>[0-9A-Z_a-z]+)', 1), count(*)
		tail: GROUP BY 1`, promoted)
	lambda := promoted
	lambda.Groups = []string{"/app", "/aws/lambda/fn"}
	f(`filter @type = "REPORT" and level = "x" | stats max(@duration)`, `
		store narrows, Go decides  filter @type = "REPORT" and level = "x"
		Go                         stats max(@duration)
		messages contain: "REPORT "
		read: newest first`, lambda)
	f(`filter level = "x" | limit 1`, `
		Go  filter level = "x"
		Go  limit 1
		read: newest first`, Options{})
}

func TestSelectionIsNotChanged(t *testing.T) {
	q, err := Parse(`filter @message like "b"`)
	require.NoError(t, err)
	p, err := Compile(q, Options{Dialect: stubDialect{}})
	require.NoError(t, err)
	m := &memStore{records: []store.LogRecord{{Group: "g", Timestamp: 1, Message: "a b"}, {Group: "g", Timestamp: 2, Message: "b"}}}
	contains := make([]string, 1, 4)
	contains[0] = "a"
	sel := store.LogSelection{Groups: []store.LogGroupRange{{Group: "g"}}, Start: 0, End: 10, Contains: contains}
	res, err := p.Run(t.Context(), m, sel)
	require.NoError(t, err)
	require.Len(t, res.Rows, 1)
	require.Empty(t, contains[:2][1])
}
