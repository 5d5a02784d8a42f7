// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package regexlit

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func parse(tb testing.TB, src string) *syntax.Regexp {
	tb.Helper()
	re, err := syntax.Parse(src, syntax.Perl)
	require.NoError(tb, err)
	return re
}

func TestRequired(t *testing.T) {
	for src, want := range map[string][]string{
		`abc`: {"abc"}, `^abc$`: {"abc"}, `a.*bc`: {"a", "bc"}, `a|b`: nil, `x(a|b)y`: {"x", "y"}, `(ab)+c`: {"ab", "c"}, `a{2,3}b`: {"aa", "b"}, `a?b`: {"b"}, `a*`: nil,
		`(?i)abc`: nil, `(?i)123`: {"123"}, `x(?i)1y`: {"x"}, `[a]b`: {"ab"}, `[ab]c`: {"c"}, `\bfoo\b bar`: {"foo bar"}, `user=(?P<u>\w+), m`: {"user=", ", m"}, ``: nil, `é✓`: {"é✓"}, `(a)(b)`: {"ab"},
	} {
		require.Equal(t, want, Required(parse(t, src)), src)
	}
}

func TestGroup(t *testing.T) {
	for _, c := range []struct {
		src              string
		group            int
		always, notEmpty bool
	}{
		{`(a+)`, 1, true, true},
		{`(a*)`, 1, true, false},
		{`(a)?`, 1, false, true},
		{`(a)|(b)`, 2, false, true},
		{`((a)|b)c`, 1, true, true},
		{`((a)|b)c`, 2, false, true},
		{`(a?b|cd){2}`, 1, true, true},
		{`(a){0,2}`, 1, false, true},
		{`(?:(a))+`, 1, true, true},
		{`(\b)x`, 1, true, false},
		{`(.)`, 1, true, true},
		{`x`, 1, false, false},
	} {
		always, notEmpty := Group(parse(t, c.src), c.group)
		require.Equal(t, [2]bool{c.always, c.notEmpty}, [2]bool{always, notEmpty}, c.src)
	}
}

func FuzzRequired(f *testing.F) {
	f.Add(`user=(\w+)?, (a|b)+c{2}`, "user=x, abcc")
	f.Add(`(?i)Error\d`, "error5")
	f.Fuzz(func(t *testing.T, src, text string) {
		re, err := regexp.Compile(src)
		if err != nil {
			return
		}
		tree, err := syntax.Parse(src, syntax.Perl)
		if err != nil {
			return
		}
		match := re.FindStringSubmatchIndex(text)
		if match == nil {
			return
		}
		for _, s := range Required(tree) {
			if !strings.Contains(text, s) {
				t.Fatalf("%q matches %q without %q", src, text, s)
			}
		}
		for n := 1; n <= re.NumSubexp(); n++ {
			always, notEmpty := Group(tree, n)
			if always && match[2*n] < 0 || notEmpty && match[2*n] >= 0 && match[2*n] == match[2*n+1] {
				t.Fatalf("group %d of %q in %q", n, src, text)
			}
		}
	})
}
