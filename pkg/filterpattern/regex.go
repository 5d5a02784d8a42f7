// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package filterpattern

import (
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/nephoscope/nephoscope/pkg/logsinsights/regexlit"
)

// regex is a regular expression between percent signs.
type regex struct {
	src string // as it was written
	re  *regexp.Regexp
	lit []string
}

// readRegex reads the %regex% at i.
func readRegex(text string, i int) (r *regex, end int, err error) {
	n := strings.IndexByte(text[i+1:], '%')
	if n < 0 {
		return nil, 0, errorf("the regular expression %s has no closing %%", text[i:])
	}
	src := text[i+1 : i+1+n]
	r, err = compileRegex(src)
	return r, i + n + 2, err
}

func compileRegex(src string) (*regex, error) {
	if src == "" {
		return nil, errorf("the regular expression between %% and %% is empty")
	}
	expr, err := translateRegex(src)
	if err != nil {
		return nil, err
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, errorf("invalid regular expression %%%s%%: %s", src, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	r := &regex{src: src, re: re}
	if tree, err := syntax.Parse(expr, syntax.Perl); err == nil {
		r.lit = regexlit.Required(tree)
	}
	return r, nil
}

// regexSymbols may stand in a regular expression beside letters and digits. Parentheses and everything else must be
// written as \xHH.
const regexSymbols = `:_#=@/;,-` + " " + `^$?[]{}|\*+.`

// translateRegex checks that the expression uses nothing but what filter patterns have, and writes {,n} as RE2 does.
func translateRegex(src string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(src); i++ {
		c := src[i]
		switch {
		case c == '\\':
			if i+1 == len(src) {
				return "", errorf(`the regular expression %%%s%% ends in \`, src)
			}
			i++
			n, err := checkEscape(src, i)
			if err != nil {
				return "", err
			}
			b.WriteByte('\\')
			b.WriteString(src[i : i+n])
			i += n - 1
		case !isWord(c) && strings.IndexByte(regexSymbols, c) < 0:
			return "", errChars(badRun(src, i))
		case strings.HasPrefix(src[i:], "{,"):
			b.WriteString("{0,")
			i++
		case c == '[' && strings.HasPrefix(src[i:], "[[:"):
			return "", errChars("[:")
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

// checkEscape is the length of the escape behind the backslash before i.
func checkEscape(src string, i int) (int, error) {
	switch c := src[i]; {
	case strings.IndexByte("dDsSwW", c) >= 0:
		return 1, nil
	case c == 'x':
		if i+2 < len(src) && isHex(src[i+1]) && isHex(src[i+2]) {
			return 3, nil
		}
		return 0, errorf(`\x in the regular expression %%%s%% takes two hexadecimal digits`, src)
	case !isWord(c) && c < 0x80:
		return 1, nil
	}
	return 0, errChars(`\` + badRun(src, i))
}

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

func (r *regex) String() string { return "%" + r.src + "%" }

// regexPattern is a regular expression as the whole pattern.
type regexPattern struct{ *regex }

func compileRegexPattern(text string) (matcher, error) {
	r, end, err := readRegex(text, 0)
	if err != nil {
		return nil, err
	}
	if end != len(text) {
		return nil, errChars(badRun(text, end))
	}
	return regexPattern{r}, nil
}

func (p regexPattern) match(message string) bool         { return p.re.MatchString(message) }
func (p regexPattern) extract(string, map[string]string) {}
func (p regexPattern) required() []string                { return p.lit }
func (p regexPattern) regexes() int                      { return 1 }
