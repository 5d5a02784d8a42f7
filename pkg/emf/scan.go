// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package emf

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// The scanner checks a whole document once, strictly (RFC 8259), and notes where the root's members are. Nothing
// is copied and no tree is built: most of a document is never looked at again. What was checked is walked with
// cursors afterwards, which therefore need no error handling.
//
// One thing is not checked: that strings are valid UTF-8.

// maxDepth bounds how deep objects and arrays nest.
const maxDepth = 200

type kind byte

const (
	kindInvalid kind = iota
	kindObject
	kindArray
	kindString
	kindNumber
	kindLiteral // true, false, null
)

// value is the place of a JSON value in the document.
type value struct {
	kind kind
	text string // raw, quotes and brackets included
}

// member is one member of an object.
type member struct {
	name  string // unescaped
	value value
}

// scanRoot checks that doc is one JSON object and appends its members.
func scanRoot(members []member, doc string) (_ []member, ok bool) {
	i := skipSpace(doc, 0)
	if i == len(doc) || doc[i] != '{' {
		return members, false
	}
	if i = skipSpace(doc, i+1); i < len(doc) && doc[i] == '}' {
		return members, skipSpace(doc, i+1) == len(doc)
	}
	for {
		if i == len(doc) || doc[i] != '"' {
			return members, false
		}
		end, escaped := skipString(doc, i)
		if end < 0 {
			return members, false
		}
		name := doc[i+1 : end-1]
		if escaped {
			name = unescape(name)
		}
		if i = skipSpace(doc, end); i == len(doc) || doc[i] != ':' {
			return members, false
		}
		i = skipSpace(doc, i+1)
		end, k := skipValue(doc, i, 1)
		if end < 0 {
			return members, false
		}
		members = append(members, member{name, value{k, doc[i:end]}})
		if i = skipSpace(doc, end); i == len(doc) {
			return members, false
		}
		switch doc[i] {
		case ',':
			i = skipSpace(doc, i+1)
		case '}':
			return members, skipSpace(doc, i+1) == len(doc)
		default:
			return members, false
		}
	}
}

// skipValue returns where the value that begins at i ends, or -1 when it is not valid.
func skipValue(s string, i, depth int) (int, kind) {
	if i >= len(s) {
		return -1, kindInvalid
	}
	switch c := s[i]; {
	case c == '"':
		end, _ := skipString(s, i)
		return end, kindString
	case c == '-' || (c >= '0' && c <= '9'):
		return skipNumber(s, i), kindNumber
	case c == '{':
		return skipObject(s, i, depth), kindObject
	case c == '[':
		return skipArray(s, i, depth), kindArray
	}
	for _, literal := range [...]string{"true", "false", "null"} {
		if strings.HasPrefix(s[i:], literal) {
			return i + len(literal), kindLiteral
		}
	}
	return -1, kindInvalid
}

func skipObject(s string, i, depth int) int {
	if depth >= maxDepth {
		return -1
	}
	if i = skipSpace(s, i+1); i < len(s) && s[i] == '}' {
		return i + 1
	}
	for {
		if i == len(s) || s[i] != '"' {
			return -1
		}
		end, _ := skipString(s, i)
		if end < 0 {
			return -1
		}
		if i = skipSpace(s, end); i == len(s) || s[i] != ':' {
			return -1
		}
		if end, _ = skipValue(s, skipSpace(s, i+1), depth+1); end < 0 {
			return -1
		}
		if i = skipSpace(s, end); i == len(s) {
			return -1
		}
		switch s[i] {
		case ',':
			i = skipSpace(s, i+1)
		case '}':
			return i + 1
		default:
			return -1
		}
	}
}

func skipArray(s string, i, depth int) int {
	if depth >= maxDepth {
		return -1
	}
	if i = skipSpace(s, i+1); i < len(s) && s[i] == ']' {
		return i + 1
	}
	for {
		end, _ := skipValue(s, i, depth+1)
		if end < 0 {
			return -1
		}
		if i = skipSpace(s, end); i == len(s) {
			return -1
		}
		switch s[i] {
		case ',':
			i = skipSpace(s, i+1)
		case ']':
			return i + 1
		default:
			return -1
		}
	}
}

// plain are the bytes that stand for themselves in a string.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return t
}()

// skipString returns where the string that begins at the quote at i ends, or -1.
func skipString(s string, i int) (end int, escaped bool) {
	for i++; i < len(s); i++ {
		if plain[s[i]] {
			continue
		}
		switch s[i] {
		case '"':
			return i + 1, escaped
		case '\\':
			escaped = true
			if i++; i == len(s) {
				return -1, false
			}
			switch s[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				if len(s)-i < 5 || hex4(s[i+1:]) < 0 {
					return -1, false
				}
				i += 4
			default:
				return -1, false
			}
		default:
			return -1, false // a control character
		}
	}
	return -1, false
}

func skipNumber(s string, i int) int {
	if s[i] == '-' {
		i++
	}
	switch {
	case i == len(s):
		return -1
	case s[i] == '0':
		i++
	default:
		start := i
		if i = skipDigits(s, i); i == start {
			return -1
		}
	}
	if i < len(s) && s[i] == '.' {
		start := i + 1
		if i = skipDigits(s, start); i == start {
			return -1
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		start := i
		if i = skipDigits(s, i); i == start {
			return -1
		}
	}
	return i
}

func skipDigits(s string, i int) int {
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return i
}

func skipSpace(s string, i int) int {
	for i < len(s) {
		switch s[i] {
		case ' ', '\t', '\n', '\r':
			i++
		default:
			return i
		}
	}
	return i
}

// hex4 is the number that four hexadecimal digits spell, or -1.
func hex4(s string) rune {
	var r rune
	for i := range 4 {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// unescape resolves the escapes of a checked string without its quotes. Half of a surrogate pair becomes U+FFFD.
func unescape(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b = append(b, s[i])
			continue
		}
		i++
		switch s[i] {
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'u':
			r := hex4(s[i+1:])
			i += 4
			if utf16.IsSurrogate(r) {
				r2 := rune(-1)
				if len(s)-i > 6 && s[i+1] == '\\' && s[i+2] == 'u' {
					r2 = hex4(s[i+3:])
				}
				if r = utf16.DecodeRune(r, r2); r != utf8.RuneError {
					i += 6
				}
			}
			b = utf8.AppendRune(b, r)
		default:
			b = append(b, s[i])
		}
	}
	return string(b)
}

// str is the text of a checked string value.
func (v value) str() string {
	s := v.text[1 : len(v.text)-1]
	if strings.IndexByte(s, '\\') >= 0 {
		return unescape(s)
	}
	return s
}

// number is a checked number value; beyond a float64 it is an infinity.
func (v value) number() float64 {
	s := v.text
	// Most numbers are short integers.
	if len(s) <= 15 {
		n, i := int64(0), 0
		for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
			n = n*10 + int64(s[i]-'0')
		}
		if i == len(s) {
			return float64(n)
		}
	}
	f, _ := strconv.ParseFloat(s, 64) // a range error comes with the infinity
	return f
}

// cursor walks the elements of a checked array or the members of a checked object.
type cursor struct {
	s string
	i int
}

func (v value) cursor() cursor { return cursor{v.text, skipSpace(v.text, 1)} }

// element returns the next element of an array.
func (c *cursor) element() (v value, ok bool) {
	if c.s[c.i] == ']' {
		return value{}, false
	}
	return c.next(), true
}

// member returns the next member of an object.
func (c *cursor) member() (m member, ok bool) {
	if c.s[c.i] == '}' {
		return member{}, false
	}
	end, escaped := skipString(c.s, c.i)
	m.name = c.s[c.i+1 : end-1]
	if escaped {
		m.name = unescape(m.name)
	}
	c.i = skipSpace(c.s, skipSpace(c.s, end)+1) // over the colon
	m.value = c.next()
	return m, true
}

// next takes the value at the cursor and moves behind the comma after it, if there is one.
func (c *cursor) next() value {
	end, k := skipValue(c.s, c.i, 0)
	v := value{k, c.s[c.i:end]}
	if c.i = skipSpace(c.s, end); c.s[c.i] == ',' {
		c.i = skipSpace(c.s, c.i+1)
	}
	return v
}
