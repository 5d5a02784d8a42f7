// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricsinsights

import (
	"strings"
	"unicode/utf8"
)

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenWord
	tokenNumber
	tokenIdentifier // in double quotes
	tokenString     // in single quotes
	tokenMark       // ( ) , = !=
)

type token struct {
	kind tokenKind
	pos  int
	text string // as it stands there; without its quotes for an identifier and a string
}

// wordByte is whether c may be in a bare identifier.
func wordByte(c byte, first bool) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
		return true
	case c >= '0' && c <= '9', c == '.':
		return !first
	}
	return false
}

type lexer struct {
	text string
	at   int
}

func (l *lexer) next() (token, error) {
	for l.at < len(l.text) && strings.IndexByte(" \t\r\n", l.text[l.at]) >= 0 {
		l.at++
	}
	t := token{pos: l.at}
	if l.at == len(l.text) {
		return t, nil
	}
	switch c := l.text[l.at]; {
	case wordByte(c, true):
		t.kind, t.text = tokenWord, l.run(func(c byte) bool { return wordByte(c, false) })
	case c >= '0' && c <= '9':
		t.kind, t.text = tokenNumber, l.run(func(c byte) bool { return c >= '0' && c <= '9' })
		if l.at < len(l.text) && wordByte(l.text[l.at], false) {
			return t, syntaxError(l.text, t.pos, "a number")
		}
	case c == '\'' || c == '"':
		return l.quoted(c)
	case c == '(' || c == ')' || c == ',' || c == '=':
		l.at++
		t.kind, t.text = tokenMark, string(c)
	case strings.HasPrefix(l.text[l.at:], "!="):
		l.at += 2
		t.kind, t.text = tokenMark, "!="
	case strings.HasPrefix(l.text[l.at:], string(AccountID)):
		l.at += len(AccountID)
		t.kind, t.text = tokenIdentifier, string(AccountID)
	default:
		return t, syntaxError(l.text, t.pos, "")
	}
	return t, nil
}

func (l *lexer) run(of func(byte) bool) string {
	start := l.at
	for l.at < len(l.text) && of(l.text[l.at]) {
		l.at++
	}
	return l.text[start:l.at]
}

// quoted reads up to the delimiter, which is the only character that a backslash escapes.
func (l *lexer) quoted(delimiter byte) (token, error) {
	t := token{kind: tokenString, pos: l.at}
	if delimiter == '"' {
		t.kind = tokenIdentifier
	}
	var b strings.Builder
	for i := l.at + 1; i < len(l.text); i++ {
		switch c := l.text[i]; {
		case c == delimiter:
			l.at = i + 1
			if t.text = b.String(); !utf8.ValidString(t.text) || t.text == "" && t.kind == tokenIdentifier {
				return t, syntaxError(l.text, t.pos, "")
			}
			return t, nil
		case c == '\\' && i+1 < len(l.text) && l.text[i+1] == delimiter:
		default:
			b.WriteByte(c)
			continue
		}
		i++
		b.WriteByte(delimiter)
	}
	return t, syntaxError(l.text, t.pos, "a closing "+string(delimiter))
}
