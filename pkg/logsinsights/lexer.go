// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"strings"
)

type tokenKind int

const (
	tokEOF    tokenKind = iota
	tokWord             // letters, digits, _ @ and dots between them
	tokQuoted           // `a name in backticks`
	tokString           // "text" or 'text'
	tokRegex            // /regex/, only where the grammar wants one
	tokPunct
)

// token is one word of a query. text is its meaning: a string without quotes and escapes.
type token struct {
	kind tokenKind
	text string
	span
}

// lexer cuts a query into tokens on demand, because "/" begins a regular expression in some places only.
type lexer struct {
	src string
	pos int
}

func isWordByte(c byte) bool {
	return c == '_' || c == '@' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// skipBlank skips blanks and comments.
func (l *lexer) skipBlank() {
	for l.pos < len(l.src) {
		switch l.src[l.pos] {
		case ' ', '\t', '\n', '\r', '\v', '\f':
			l.pos++
		case '#':
			for l.pos < len(l.src) && l.src[l.pos] != '\n' {
				l.pos++
			}
		default:
			if strings.HasPrefix(l.src[l.pos:], "\u00a0") { // pasted from web pages
				l.pos += len("\u00a0")
				continue
			}
			return
		}
	}
}

// next returns the next token, never a regex.
func (l *lexer) next() (token, error) {
	l.skipBlank()
	start := l.pos
	if start >= len(l.src) {
		return token{kind: tokEOF, span: span{start, start}}, nil
	}
	c := l.src[start]
	switch {
	case isWordByte(c), c == '.' && start+1 < len(l.src) && isDigit(l.src[start+1]):
		return l.word(), nil
	case c == '`':
		return l.backtick(start, "")
	case c == '"' || c == '\'':
		return l.str(c)
	}
	n := 1
	if two := l.src[start:min(start+2, len(l.src))]; two == "!=" || two == "<=" || two == ">=" || two == "=~" {
		n = 2
	} else if c >= 0x80 {
		for start+n < len(l.src) && l.src[start+n]&0xc0 == 0x80 {
			n++
		}
	} else if !strings.ContainsRune("|,()[].=<>+-*/%^!:", rune(c)) {
		return token{}, errAt(span{start, start + 1}, "unexpected symbol found %c at %s", c, lineAndPosition(l.src, start))
	}
	l.pos += n
	t := token{kind: tokPunct, text: l.src[start:l.pos], span: span{start, l.pos}}
	if c >= 0x80 {
		return token{}, errAt(t.span, "unexpected symbol found %s at %s: put backticks around a name with other characters than letters, digits, _, @ and dots",
			t.text, lineAndPosition(l.src, start))
	}
	return t, nil
}

func (l *lexer) word() token {
	start := l.pos
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		if isWordByte(c) {
			l.pos++
			continue
		}
		// A dot belongs to the word when more of the word follows.
		if c == '.' && l.pos+1 < len(l.src) && isWordByte(l.src[l.pos+1]) {
			l.pos++
			continue
		}
		// The sign of an exponent: 1e-3.
		if (c == '-' || c == '+') && l.pos+1 < len(l.src) && isDigit(l.src[l.pos+1]) && isExponentPrefix(l.src[start:l.pos]) {
			l.pos++
			continue
		}
		break
	}
	text := l.src[start:l.pos]
	if strings.HasSuffix(text, "@") && l.pos < len(l.src) && l.src[l.pos] == '`' { // @`aws.tag.key:with-odd:characters`
		if t, err := l.backtick(start, text); err == nil {
			return t
		}
		l.pos = start + len(text)
	}
	return token{kind: tokWord, text: text, span: span{start, l.pos}}
}

// isExponentPrefix is whether s is a number up to and with its e: 1.5e.
func isExponentPrefix(s string) bool {
	if len(s) < 2 || s[len(s)-1]|0x20 != 'e' {
		return false
	}
	dots := 0
	for i := range len(s) - 1 {
		if s[i] == '.' {
			dots++
		} else if !isDigit(s[i]) {
			return false
		}
	}
	return dots <= 1 && s != ".e"
}

func (l *lexer) backtick(start int, prefix string) (token, error) {
	open := l.pos
	end := strings.IndexByte(l.src[open+1:], '`')
	if end < 0 {
		return token{}, errAt(span{start, len(l.src)}, "backtick is not closed")
	}
	if end == 0 {
		return token{}, errAt(span{start, open + 2}, "empty name in backticks")
	}
	l.pos = open + 1 + end + 1
	return token{kind: tokQuoted, text: prefix + l.src[open+1:open+1+end], span: span{start, l.pos}}, nil
}

func (l *lexer) str(quote byte) (token, error) {
	start := l.pos
	var b strings.Builder
	for i := start + 1; i < len(l.src); i++ {
		c := l.src[i]
		switch {
		case c == quote:
			l.pos = i + 1
			return token{kind: tokString, text: b.String(), span: span{start, l.pos}}, nil
		case c == '\\' && i+1 < len(l.src):
			i++
			switch e := l.src[i]; e {
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case 'r':
				b.WriteByte('\r')
			case '\\', '"', '\'', '`', '/':
				b.WriteByte(e)
			default: // \d of a regular expression in quotes stays as it is
				b.WriteByte('\\')
				b.WriteByte(e)
			}
		default:
			b.WriteByte(c)
		}
	}
	return token{}, errAt(span{start, len(l.src)}, "string is not closed")
}

// regex reads /…/ from start, where a "/" was found. The text keeps its escapes, but for \/.
func (l *lexer) regex(start int) (token, error) {
	class := false
	for i := start + 1; i < len(l.src); i++ {
		switch c := l.src[i]; {
		case c == '\\':
			i++
		case c == '[':
			class = true
		case c == ']':
			class = false
		case c == '/' && !class:
			l.pos = i + 1
			return token{kind: tokRegex, text: l.src[start+1 : i], span: span{start, l.pos}}, nil
		}
	}
	// A "[" that is never closed must not swallow the end: take the first bare slash.
	for i := start + 1; i < len(l.src); i++ {
		switch l.src[i] {
		case '\\':
			i++
		case '/':
			l.pos = i + 1
			return token{kind: tokRegex, text: l.src[start+1 : i], span: span{start, l.pos}}, nil
		}
	}
	return token{}, errAt(span{start, len(l.src)}, "regular expression is not closed with /")
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
