// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package filterpattern

import (
	"strings"
	"unicode/utf8"
)

// terms is an unstructured pattern.
type terms struct {
	all  []string // every one of them must be there
	any  []string // or, when not empty, one of these
	none []string // and none of these
}

func compileTerms(text string) (matcher, error) {
	t := &terms{}
	for i := 0; i < len(text); {
		if isBlank(text[i]) {
			i++
			continue
		}
		prefix := byte(0)
		if text[i] == '?' || text[i] == '-' {
			prefix = text[i]
			i++
		}
		term, end, err := readTerm(text, i)
		if err != nil {
			return nil, err
		}
		i = end
		switch prefix {
		case '?':
			t.any = append(t.any, term)
		case '-':
			t.none = append(t.none, term)
		default:
			t.all = append(t.all, term)
		}
	}
	if len(t.all) > 0 || len(t.none) > 0 {
		t.any = nil // optional terms count when there are no others
	}
	return t, nil
}

// readTerm reads the word or quoted text at i.
func readTerm(text string, i int) (term string, end int, err error) {
	if i < len(text) && text[i] == '"' {
		term, end, err = readQuoted(text, i)
	} else {
		end = i
		for end < len(text) && isWord(text[end]) {
			end++
		}
		term = text[i:end]
	}
	switch {
	case err != nil:
		return "", 0, err
	case end < len(text) && !isBlank(text[end]):
		return "", 0, errChars(badRun(text, end))
	case end == i:
		return "", 0, errChars(text[i-1 : i]) // a lone ? or -
	}
	return term, end, nil
}

// readQuoted reads the text in quotes at i, where \" and \\ are escapes.
func readQuoted(text string, i int) (s string, end int, err error) {
	var b strings.Builder
	for j := i + 1; j < len(text); j++ {
		switch c := text[j]; {
		case c == '"':
			return b.String(), j + 1, nil
		case c == '\\' && j+1 < len(text) && (text[j+1] == '"' || text[j+1] == '\\'):
			j++
			b.WriteByte(text[j])
		default:
			b.WriteByte(c)
		}
	}
	return "", 0, errChars(`"`)
}

// badRun is the character at i.
func badRun(text string, i int) string {
	_, n := utf8.DecodeRuneInString(text[i:])
	return text[i : i+n]
}

func (t *terms) match(message string) bool {
	for _, s := range t.all {
		if !strings.Contains(message, s) {
			return false
		}
	}
	for _, s := range t.none {
		if strings.Contains(message, s) {
			return false
		}
	}
	if len(t.any) == 0 {
		return true
	}
	for _, s := range t.any {
		if strings.Contains(message, s) {
			return true
		}
	}
	return false
}

func (t *terms) extract(string, map[string]string) {}

func (t *terms) required() []string {
	if len(t.any) == 1 {
		return t.any
	}
	return t.all
}

func (t *terms) regexes() int { return 0 }

func (t *terms) String() string {
	var parts []string
	for _, s := range t.all {
		parts = append(parts, quoteTerm(s))
	}
	for _, s := range t.any {
		parts = append(parts, "?"+quoteTerm(s))
	}
	for _, s := range t.none {
		parts = append(parts, "-"+quoteTerm(s))
	}
	return strings.Join(parts, " ")
}

// quoteTerm writes a term as a word when it is one.
func quoteTerm(s string) string {
	for i := range len(s) {
		if !isWord(s[i]) {
			return quote(s)
		}
	}
	if s == "" {
		return quote(s)
	}
	return s
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
