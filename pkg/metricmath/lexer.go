// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

import (
	"strings"
	"unicode/utf8"
)

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenNumber
	tokenString
	tokenID   // begins with a lower-case letter
	tokenWord // begins with an upper-case letter
	tokenOperator
	tokenPunctuation // ( ) [ ] ,
)

type token struct {
	kind tokenKind
	pos  int
	text string // as it is written; operators in their canonical spelling
}

func (t token) describe() string {
	if t.kind == tokenEnd {
		return "the end of the expression"
	}
	return "\"" + t.text + "\""
}

// operators are tried longest first.
var operators = []string{"&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "^"}

type lexer struct {
	text string
	pos  int
}

func (l *lexer) next() (token, error) {
	for l.pos < len(l.text) && strings.IndexByte(" \t\r\n", l.text[l.pos]) >= 0 {
		l.pos++
	}
	if l.pos == len(l.text) {
		return token{kind: tokenEnd, pos: l.pos}, nil
	}
	c := l.text[l.pos]
	switch {
	case isDigit(c), c == '.':
		return l.number()
	case c == '\'', c == '"':
		return l.quoted(c)
	case isLower(c):
		return l.take(tokenID, l.wordEnd()), nil
	case isUpper(c):
		t := l.take(tokenWord, l.wordEnd())
		switch t.text {
		case "AND":
			t.kind, t.text = tokenOperator, "&&"
		case "OR":
			t.kind, t.text = tokenOperator, "||"
		}
		return t, nil
	case strings.IndexByte("()[],", c) >= 0:
		return l.take(tokenPunctuation, l.pos+1), nil
	}
	for _, op := range operators {
		if strings.HasPrefix(l.text[l.pos:], op) {
			return l.take(tokenOperator, l.pos+len(op)), nil
		}
	}
	r, size := utf8.DecodeRuneInString(l.text[l.pos:])
	if r == utf8.RuneError && size == 1 {
		return token{}, syntaxError(l.pos, "the byte 0x%02x is not UTF-8", c)
	}
	return token{}, syntaxError(l.pos, "unexpected character %q", r)
}

func (l *lexer) take(kind tokenKind, end int) token {
	t := token{kind: kind, pos: l.pos, text: l.text[l.pos:end]}
	l.pos = end
	return t
}

func (l *lexer) wordEnd() int {
	end := l.pos
	for end < len(l.text) && isWordByte(l.text[end]) {
		end++
	}
	return end
}

// number takes digits, a fraction and an exponent.
func (l *lexer) number() (token, error) {
	end := l.digits(l.pos)
	digits := end - l.pos
	if end < len(l.text) && l.text[end] == '.' {
		fraction := l.digits(end + 1)
		digits += fraction - end - 1
		end = fraction
	}
	if digits == 0 {
		return token{}, syntaxError(l.pos, "unexpected character '.'")
	}
	if end < len(l.text) && (l.text[end] == 'e' || l.text[end] == 'E') {
		exponent := end + 1
		if exponent < len(l.text) && (l.text[exponent] == '+' || l.text[exponent] == '-') {
			exponent++
		}
		if after := l.digits(exponent); after > exponent {
			end = after
		}
	}
	if end < len(l.text) && (isWordByte(l.text[end]) || l.text[end] == '.') {
		return token{}, syntaxError(l.pos, "%q is not a number", l.text[l.pos:end+1])
	}
	return l.take(tokenNumber, end), nil
}

func (l *lexer) digits(from int) int {
	for from < len(l.text) && isDigit(l.text[from]) {
		from++
	}
	return from
}

func (l *lexer) quoted(quote byte) (token, error) {
	for i := l.pos + 1; i < len(l.text); i++ {
		switch l.text[i] {
		case '\\':
			i++
		case quote:
			t := l.take(tokenString, i+1)
			if !utf8.ValidString(t.text) {
				return token{}, syntaxError(t.pos, "the string is not UTF-8")
			}
			return t, nil
		}
	}
	return token{}, syntaxError(l.pos, "the string that begins here has no end")
}

// unquote is the content of a string token: a backslash before the quote or before a backslash goes, any other
// stays, for the text may be of a grammar (that of SEARCH) with escapes of its own.
func unquote(text string) string {
	quote, body := text[0], text[1:len(text)-1]
	if strings.IndexByte(body, '\\') < 0 {
		return body
	}
	out := make([]byte, 0, len(body))
	for i := 0; i < len(body); i++ {
		if body[i] == '\\' && i+1 < len(body) && (body[i+1] == quote || body[i+1] == '\\') {
			i++
		}
		out = append(out, body[i])
	}
	return string(out)
}

func isDigit(c byte) bool    { return c >= '0' && c <= '9' }
func isLower(c byte) bool    { return c >= 'a' && c <= 'z' }
func isUpper(c byte) bool    { return c >= 'A' && c <= 'Z' }
func isWordByte(c byte) bool { return isDigit(c) || isLower(c) || isUpper(c) || c == '_' }
