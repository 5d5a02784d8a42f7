// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

var stringFunctions = map[string]function{
	"isempty": {spelling: "isempty", min: 1, max: 1, eval: func(_ *env, a []value) value {
		return flag(a[0].kind == missing || a[0].kind == text && a[0].str == "")
	}},
	"isblank": {spelling: "isblank", min: 1, max: 1, eval: func(_ *env, a []value) value {
		return flag(a[0].kind == missing || a[0].kind == text && strings.TrimSpace(a[0].str) == "")
	}},
	"concat":       {spelling: "concat", min: 1, max: -1, eval: concat},
	"ltrim":        {spelling: "ltrim", min: 1, max: 2, eval: trimmer(strings.TrimLeft)},
	"rtrim":        {spelling: "rtrim", min: 1, max: 2, eval: trimmer(strings.TrimRight)},
	"trim":         {spelling: "trim", min: 1, max: 2, eval: trimmer(strings.Trim)},
	"strlen":       {spelling: "strlen", min: 1, max: 1, eval: text1(func(s string) value { return numberValue(float64(utf8.RuneCountInString(s))) })},
	"toupper":      {spelling: "toupper", min: 1, max: 1, eval: text1(func(s string) value { return textValue(strings.ToUpper(s)) })},
	"tolower":      {spelling: "tolower", min: 1, max: 1, eval: text1(func(s string) value { return textValue(strings.ToLower(s)) })},
	"substr":       {spelling: "substr", min: 2, max: 3, eval: substr},
	"replace":      {spelling: "replace", min: 3, max: 3, eval: replace},
	"regexreplace": {spelling: "regexReplace", min: 3, max: 3, prepare: regexReplace},
	// The third argument, for ignoring case, has no effect in CloudWatch Logs; it is refused here.
	"strcontains": {spelling: "strcontains", min: 2, max: 2, eval: predicate(strings.Contains)},
	"startswith":  {spelling: "startsWith", min: 2, max: 2, eval: predicate(strings.HasPrefix)},
	"endswith":    {spelling: "endsWith", min: 2, max: 2, eval: predicate(strings.HasSuffix)},
	"urlencode":   {spelling: "urlencode", min: 1, max: 1, eval: text1(func(s string) value { return textValue(strings.ReplaceAll(url.QueryEscape(s), "+", "%20")) })},
	"urldecode": {spelling: "urldecode", min: 1, max: 1, eval: text1(func(s string) value {
		t, err := url.QueryUnescape(s)
		if err != nil || !utf8.ValidString(t) {
			return value{}
		}
		return textValue(t)
	})},
}

// maxTextBytes bounds the texts that functions make.
const maxTextBytes = 4 << 20

func concat(e *env, a []value) value {
	var b strings.Builder
	for _, v := range a {
		s, ok := v.asText()
		if !ok {
			return value{}
		}
		if b.Len()+len(s) > maxTextBytes {
			return e.tooLong("concat")
		}
		b.WriteString(s)
	}
	return textValue(b.String())
}

// replace replaces every occurrence of a text; the empty text occurs nowhere.
func replace(e *env, a []value) value {
	s, ok1 := a[0].asText()
	find, ok2 := a[1].asText()
	by, ok3 := a[2].asText()
	switch {
	case !ok1 || !ok2 || !ok3:
		return value{}
	case find == "":
		return textValue(s)
	case len(s)+strings.Count(s, find)*len(by) > maxTextBytes:
		return e.tooLong("replace")
	}
	return textValue(strings.ReplaceAll(s, find, by))
}

func predicate(test func(s, t string) bool) func(*env, []value) value {
	return func(_ *env, a []value) value {
		s, ok := a[0].asText()
		if !ok {
			return flag(false)
		}
		t, ok := a[1].asText()
		return flag(ok && test(s, t))
	}
}

// trimmer cuts blanks, or the characters of the second argument.
func trimmer(trim func(s, cutset string) string) func(*env, []value) value {
	return func(_ *env, a []value) value {
		s, ok := a[0].asText()
		if !ok {
			return value{}
		}
		cutset := " \t\n\r\v\f"
		if len(a) == 2 {
			if cutset, ok = a[1].asText(); !ok {
				return value{}
			}
		}
		return textValue(trim(s, cutset))
	}
}

// substr counts characters from 0.
func substr(_ *env, a []value) value {
	s, ok := a[0].asText()
	if !ok {
		return value{}
	}
	start, ok := a[1].asWhole()
	if !ok || start < 0 {
		return value{}
	}
	n := int64(len(s))
	if len(a) == 3 {
		if n, ok = a[2].asWhole(); !ok || n < 0 {
			return value{}
		}
	}
	from, to := len(s), len(s)
	char := int64(0)
	for i := range s {
		if char == start {
			from = i
		}
		if char == start+n && start+n >= start {
			to = i
			break
		}
		char++
	}
	return textValue(s[min(from, to):to])
}

func regexReplace(c *Call) (func(*env, []value) value, error) {
	lit, ok := c.Args[1].(*Text)
	if !ok {
		return nil, errAt(c.Args[1].pos(), "the second argument of regexReplace must be a text, the regular expression")
	}
	re, err := compileRegex(lit.Value, lit.span)
	if err != nil {
		return nil, err
	}
	return func(e *env, a []value) value {
		s, ok := a[0].asText()
		if !ok {
			return value{}
		}
		by, ok := a[2].asText()
		if !ok {
			return value{}
		}
		// A reference such as $1 stands for s at most.
		if (len(s)+1)*(len(by)+strings.Count(by, "$")*len(s)+1) > maxTextBytes {
			return e.tooLong("regexReplace")
		}
		return textValue(re.ReplaceAllString(s, by))
	}, nil
}
