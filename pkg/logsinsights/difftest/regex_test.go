// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package difftest

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store/duckdb"
)

// pattern is a random regular expression.
func (g generator) pattern(depth int) string {
	if depth > 3 || g.IntN(3) == 0 {
		return g.pick("a", "b", ".", `\d`, `\w`, `\s`, `\S`, `[a-c]`, `[^ab]`, `\b`, `\B`, "é", `\pL`, `\PL`, `[[:upper:]]`, `\x41`, `\.`, "^", "$", `\z`, `\A`, "K", "s", `[^\s\S]`, `\Qa.b\E`, `[\d.]`, `\n`, `\x{1F600}`)
	}
	sub := func() string { return g.pattern(depth + 1) }
	switch g.IntN(8) {
	case 0:
		return "(" + sub() + ")"
	case 1:
		return "(?:" + sub() + "|" + sub() + ")"
	case 2:
		return "(?:" + sub() + ")" + g.pick("*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0,2}?")
	case 3:
		return g.pick("(?i)", "(?s)", "(?m)", "(?U)", "(?i:", "(?s-i:", "(?m:") + sub()
	case 4:
		return fmt.Sprintf("(?P<n%d>%s)", g.IntN(1e9), sub())
	}
	return sub() + sub()
}

// TestRegexAgrees holds Go's regular expressions against the engine's: in the form in which queries are compiled,
// both match the same texts and give the same groups.
func TestRegexAgrees(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(3, 3))}
	db, err := sql.Open("duckdb", "")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	texts := []string{"", "a", "b", "ab", "aab b", "A.b\nc", "K\u212a", "ſs", "É é", "😀a1", "a\n", "\na b_9", "user=bob, n=5", "   "}
	tried := 0
	for range 1500 {
		src := g.pattern(0)
		re, err := regexp.Compile(src)
		if err != nil {
			continue
		}
		tried++
		text := texts[g.IntN(len(texts))]
		d := duckdb.Dialect{}
		group := g.IntN(re.NumSubexp() + 1)
		var got bool
		var part sql.NullString
		tree, err := syntax.Parse(src, syntax.Perl)
		require.NoError(t, err)
		pattern := tree.String()
		err = db.QueryRowContext(t.Context(), "SELECT "+d.RegexMatch("x", pattern)+", "+d.RegexExtract("x", pattern, group)+" FROM (SELECT CAST(? AS VARCHAR) AS x)", text).Scan(&got, &part)
		require.NoError(t, err, "%s as %s", src, pattern)
		match := re.FindStringSubmatchIndex(text)
		require.Equal(t, match != nil, got, "%s as %s in %q", src, pattern, text)
		want := ""
		if match != nil && match[2*group] >= 0 {
			want = text[match[2*group]:match[2*group+1]]
		}
		require.Equal(t, want, part.String, "group %d of %s as %s in %q", group, src, pattern, text)
	}
	require.Greater(t, tried, 700)
}
