// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/logsinsights/jsonscan"
)

// conformanceCase is one case of testdata/conformance.json: a query over a dataset of
// testdata/datasets.json, and its rows or its error. The basis is D where documentation states the rule, A
// where AWS was seen to do so, I where it is inferred.
type conformanceCase struct {
	ID    string          `json:"id"`
	Data  string          `json:"data"`
	Query string          `json:"q"`
	Rows  json.RawMessage `json:"rows"`
	Error *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
	Order string `json:"order"`
	Basis string `json:"basis"`
	Note  string `json:"note"`
}

func loadJSON(tb testing.TB, file string, into any) {
	tb.Helper()
	b, err := os.ReadFile("testdata/" + file)
	require.NoError(tb, err)
	require.NoError(tb, json.Unmarshal(b, into))
}

func loadConformance(tb testing.TB) (cases []conformanceCase, data map[string][]store.LogRecord) {
	tb.Helper()
	loadJSON(tb, "conformance.json", &cases)
	var sets map[string][]struct {
		Timestamp int64  `json:"timestamp"`
		Message   string `json:"message"`
		Stream    string `json:"stream"`
		Log       string `json:"log"`
	}
	loadJSON(tb, "datasets.json", &sets)
	data = map[string][]store.LogRecord{}
	for name, events := range sets {
		for i, e := range events {
			r := store.LogRecord{
				Tenant: testTenant, Group: "/app/api", Stream: "s1", Timestamp: e.Timestamp, Ingested: e.Timestamp + 1000,
				Seq: int64(i + 1), Message: e.Message,
			}
			if e.Stream != "" {
				r.Stream = e.Stream
			}
			if _, group, ok := strings.Cut(e.Log, ":"); ok {
				r.Group = group
			}
			data[name] = append(data[name], r)
		}
	}
	return cases, data
}

var testTenant = store.Tenant{Account: "123456789012", Region: "eu-west-1"}

// orderedRow reads a JSON object with string values in the order of its members.
func orderedRow(tb testing.TB, raw json.RawMessage) []Field {
	tb.Helper()
	row := []Field{}
	jsonscan.EachMember(strings.TrimSpace(string(raw)), func(key, lit string) bool {
		row = append(row, Field{key, jsonscan.Unquote(lit)})
		return true
	})
	return row
}

func (c *conformanceCase) wantRows(tb testing.TB) [][]Field {
	tb.Helper()
	var raws []json.RawMessage
	require.NoError(tb, json.Unmarshal(c.Rows, &raws))
	rows := make([][]Field, 0, len(raws))
	for _, raw := range raws {
		rows = append(rows, orderedRow(tb, raw))
	}
	return rows
}

// withoutPtr checks that @ptr is the last cell of rows of events, and takes it away.
func withoutPtr(rows [][]Field) [][]Field {
	out := make([][]Field, 0, len(rows))
	for _, r := range rows {
		r = slices.Clone(r)
		if n := len(r); n > 0 && r[n-1].Name == "@ptr" {
			r = r[:n-1]
		}
		out = append(out, r)
	}
	return out
}

func sortRows(rows [][]Field) {
	text := func(r []Field) string {
		var b strings.Builder
		for _, f := range r {
			b.WriteString(f.Name + "\x00" + f.Value + "\x01")
		}
		return b.String()
	}
	sort.SliceStable(rows, func(i, j int) bool { return text(rows[i]) < text(rows[j]) })
}

func runQuery(ctx context.Context, logs store.LogStore, groups []string, query string, o Options) (*Result, error) {
	q, err := Parse(query)
	if err != nil {
		return nil, err
	}
	p, err := Compile(q, o)
	if err != nil {
		return nil, err
	}
	sel := store.LogSelection{Tenant: testTenant, Start: 0, End: 1 << 42}
	for _, g := range groups {
		sel.Groups = append(sel.Groups, store.LogGroupRange{Group: g})
	}
	return p.Run(ctx, logs, sel)
}

func TestConformance(t *testing.T) {
	cases, data := loadConformance(t)
	require.Len(t, cases, 192)
	for _, c := range cases {
		t.Run(c.ID, func(t *testing.T) {
			m := &memStore{records: data[c.Data]}
			res, err := runQuery(t.Context(), m, []string{"/app/api", "/aws/lambda/fn"}, c.Query, Options{})
			if c.Error != nil {
				var syntax *SyntaxError
				require.ErrorAs(t, err, &syntax, c.Query)
				require.ErrorContains(t, err, c.Error.Message)
				require.LessOrEqual(t, syntax.Start, syntax.End)
				return
			}
			require.NoError(t, err, c.Query)
			got, want := withoutPtr(res.Rows), c.wantRows(t)
			if c.Order == "any" {
				sortRows(got)
				sortRows(want)
			}
			require.Equal(t, want, got, "%s (%s)", c.Query, c.Note)
		})
	}
}
