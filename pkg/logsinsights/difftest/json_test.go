// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package difftest

import (
	"database/sql"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/logsinsights/jsonscan"
)

// TestJSONAgrees holds what the scanner takes for JSON against what the engine does.
func TestJSONAgrees(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(7, 7))}
	pieces := []string{
		"{", "}", "[", "]", ",", ":", `"`, `"a"`, `"a":`, "1", "0", "-", ".", "e", "E5", "+", "true", "fals", "null", "NaN", "nan", "Inf", "inf", "infinity", "-Infinity", " ", "\n", "\t", "\v",
		`\`, `\u`, `\u0041`, `\ud83d`, `\ude00`, `\n`, `\x`, "é", "/", "//", "'", "\x01", "\x7f", "\u2028", "\ufeff",
	}
	var docs []string
	for range 20_000 {
		var b strings.Builder
		if g.IntN(2) == 0 {
			// A valid text with one change.
			s := g.json(0)
			at := g.IntN(len(s) + 1)
			b.WriteString(strings.ToValidUTF8(s[:at], "") + g.pick(pieces...) + strings.ToValidUTF8(s[at:], ""))
		} else {
			for n := 1 + g.IntN(8); n > 0; n-- {
				b.WriteString(g.pick(pieces...))
			}
		}
		docs = append(docs, b.String())
	}
	db, err := sql.Open("duckdb", "")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	valid := 0
	for from := 0; from < len(docs); from += 500 {
		batch := docs[from : from+500]
		args := make([]any, len(batch))
		for i, d := range batch {
			args[i] = d
		}
		rows, err := db.QueryContext(t.Context(), "SELECT d, json_valid(d) FROM (VALUES "+strings.TrimSuffix(strings.Repeat("(?), ", len(batch)), ", ")+") v(d)", args...)
		require.NoError(t, err)
		for rows.Next() {
			var doc string
			var want bool
			require.NoError(t, rows.Scan(&doc, &want))
			_, _, got := jsonscan.Valid(doc)
			require.Equal(t, want, got, "%q", doc)
			if want {
				valid++
			}
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
	require.Greater(t, valid, 1000)
}
