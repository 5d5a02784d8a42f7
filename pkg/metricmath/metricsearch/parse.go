// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricsearch

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Parse reads a query. The error is an [Error].
func Parse(text string) (*Query, error) {
	if n := utf8.RuneCountInString(text); n > MaxLength {
		return nil, &Error{Message: fmt.Sprintf("it has %d characters, more than %d", n, MaxLength)}
	}
	if !utf8.ValidString(text) {
		return nil, &Error{Message: "it is not UTF-8"}
	}
	p := parser{text: text}
	q := &Query{}
	var err error
	if p.skipSpace(); p.peek() == '{' {
		if q.schema, err = p.schema(); err != nil {
			return nil, err
		}
		if p.skipSpace(); p.peek() == ',' { // documented examples have it
			p.pos++
		}
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	switch {
	case p.token.kind != tokenEnd:
		if q.terms, err = p.anyOf(""); err != nil {
			return nil, err
		}
		if p.token.kind != tokenEnd {
			return nil, p.unexpected()
		}
	case q.schema == nil:
		return nil, p.fail(p.token.pos, "it has neither a metric schema nor a search term")
	}
	return q, nil
}

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenText
	tokenQuoted
	tokenOpen
	tokenClose
	tokenEquals
	tokenAnd
	tokenOr
	tokenNot
)

type token struct {
	kind tokenKind
	pos  int
	text string // without escapes
}

type parser struct {
	text  string
	pos   int
	token token
	depth int
}

func (p *parser) fail(pos int, format string, args ...any) error {
	return &Error{Offset: pos, Message: fmt.Sprintf(format, args...)}
}

func (p *parser) unexpected() error {
	if p.token.kind == tokenEnd {
		return p.fail(p.token.pos, "it ends where a search term is expected")
	}
	return p.fail(p.token.pos, "unexpected %q", p.text[p.token.pos:p.pos])
}

func (p *parser) peek() byte {
	if p.pos == len(p.text) {
		return 0
	}
	return p.text[p.pos]
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func (p *parser) skipSpace() {
	for p.pos < len(p.text) && isSpace(p.text[p.pos]) {
		p.pos++
	}
}

func (p *parser) advance() error {
	p.skipSpace()
	p.token = token{pos: p.pos}
	if p.pos == len(p.text) {
		return nil
	}
	switch c := p.peek(); c {
	case '(', ')', '=':
		p.pos++
		p.token.kind = map[byte]tokenKind{'(': tokenOpen, ')': tokenClose, '=': tokenEquals}[c]
		return nil
	case '"':
		text, err := p.quoted()
		p.token.kind, p.token.text = tokenQuoted, text
		return err
	case '{', '}':
		p.pos++
		return p.fail(p.token.pos, "a metric schema comes first, and once")
	}
	p.token.kind = tokenText
	p.token.text = p.unescape(func(c byte) bool { return isSpace(c) || strings.IndexByte(`(){}="`, c) >= 0 })
	switch p.text[p.token.pos:p.pos] {
	case "AND":
		p.token.kind = tokenAnd
	case "OR":
		p.token.kind = tokenOr
	case "NOT":
		p.token.kind = tokenNot
	}
	return nil
}

// quoted reads from a quote to the next one.
func (p *parser) quoted() (string, error) {
	begin := p.pos
	p.pos++
	text := p.unescape(func(c byte) bool { return c == '"' })
	if p.peek() != '"' {
		return "", p.fail(begin, "the quotes that begin here have no end")
	}
	p.pos++
	return text, nil
}

// unescape reads up to a byte that ends the text. A backslash takes the next byte as it is.
func (p *parser) unescape(ends func(byte) bool) string {
	var b []byte
	for p.pos < len(p.text) && !ends(p.text[p.pos]) {
		if p.text[p.pos] == '\\' && p.pos+1 < len(p.text) {
			p.pos++
		}
		b = append(b, p.text[p.pos])
		p.pos++
	}
	return string(b)
}

func (p *parser) schema() (*schema, error) {
	s := &schema{}
	for first := true; ; first = false {
		p.pos++ // the brace or comma
		p.skipSpace()
		begin := p.pos
		name, err := p.schemaName()
		if err != nil {
			return nil, err
		}
		switch {
		case name == "":
			return nil, p.fail(begin, "a name is missing in the metric schema")
		case first:
			s.namespace = name
		case slices.Contains(s.dimensions, name):
			return nil, p.fail(begin, "the metric schema has the dimension %q twice", name)
		default:
			s.dimensions = append(s.dimensions, name)
		}
		p.skipSpace()
		switch p.peek() {
		case ',':
		case '}':
			p.pos++
			slices.Sort(s.dimensions)
			return s, nil
		case 0:
			return nil, p.fail(p.pos, "the metric schema has no end")
		default:
			return nil, p.fail(p.pos, "expected \",\" or \"}\" in the metric schema (names with spaces need quotes)")
		}
	}
}

func (p *parser) schemaName() (string, error) {
	if p.peek() == '"' {
		return p.quoted()
	}
	begin := p.pos
	for p.pos < len(p.text) && !isSpace(p.text[p.pos]) && strings.IndexByte(`,{}"`, p.text[p.pos]) < 0 {
		p.pos++
	}
	return p.text[begin:p.pos], nil
}

// anyOf reads terms with OR between them, of the property when it is not "".
func (p *parser) anyOf(property string) (node, error) {
	if p.depth++; p.depth > MaxNesting {
		return nil, p.fail(p.token.pos, "it nests deeper than %d", MaxNesting)
	}
	defer func() { p.depth-- }()
	var list anyOf
	for {
		n, err := p.allOf(property)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
		if p.token.kind != tokenOr {
			break
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	if len(list) == 1 {
		return list[0], nil
	}
	return list, nil
}

// allOf reads terms with AND or nothing between them.
func (p *parser) allOf(property string) (node, error) {
	var list allOf
	for {
		n, err := p.not(property)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
		switch p.token.kind {
		case tokenAnd:
			if err := p.advance(); err != nil {
				return nil, err
			}
			continue
		case tokenText, tokenQuoted, tokenOpen, tokenNot:
			continue
		}
		if len(list) == 1 {
			return n, nil
		}
		return list, nil
	}
}

func (p *parser) not(property string) (node, error) {
	if p.token.kind != tokenNot {
		return p.term(property)
	}
	if p.depth++; p.depth > MaxNesting {
		return nil, p.fail(p.token.pos, "it nests deeper than %d", MaxNesting)
	}
	defer func() { p.depth-- }()
	if err := p.advance(); err != nil {
		return nil, err
	}
	x, err := p.not(property)
	return none{x}, err
}

// term reads one term, property=term, or either with a group in parentheses for the term.
func (p *parser) term(property string) (node, error) {
	t := p.token
	switch t.kind {
	case tokenOpen:
		if err := p.advance(); err != nil {
			return nil, err
		}
		n, err := p.anyOf(property)
		if err != nil {
			return nil, err
		}
		if p.token.kind != tokenClose {
			return nil, p.fail(p.token.pos, "expected \")\" for the one at position %d", t.pos)
		}
		return n, p.advance()
	case tokenText, tokenQuoted:
	default:
		return nil, p.unexpected()
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.token.kind != tokenEquals {
		return newTerm(property, t)
	}
	switch {
	case property != "":
		return nil, p.fail(p.token.pos, "unexpected \"=\" in the values of %s", property)
	case t.text == "":
		return nil, p.fail(t.pos, "a property has no name")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.token.kind == tokenOpen {
		return p.term(t.text)
	}
	value := p.token
	if value.kind != tokenText && value.kind != tokenQuoted {
		return nil, p.unexpected()
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	return newTerm(t.text, value)
}

func newTerm(property string, t token) (node, error) {
	n := &term{property: property, text: t.text, exact: t.kind == tokenQuoted}
	if property == propertyAccount {
		n.text, n.exact = strings.Trim(t.text, "'"), true
		return n, nil
	}
	if n.exact {
		return n, nil
	}
	if n.pattern = newPattern(t.text); len(n.pattern.tokens) == 0 {
		return nil, &Error{Offset: t.pos, Message: fmt.Sprintf("the search term %q has no letter or digit", t.text)}
	}
	return n, nil
}

// String is the query in canonical form. It parses to the same.
func (q *Query) String() string {
	var b []byte
	if q.schema != nil {
		b = append(b, '{')
		b = appendQuoted(b, q.schema.namespace)
		for _, d := range q.schema.dimensions {
			b = appendQuoted(append(b, ','), d)
		}
		b = append(b, '}')
	}
	if q.terms != nil {
		b = q.terms.write(b)
	}
	return string(b)
}

func (n allOf) write(b []byte) []byte { return writeList(b, n, " ") }
func (n anyOf) write(b []byte) []byte { return writeList(b, n, " OR ") }
func (n none) write(b []byte) []byte  { return n.x.write(append(b, "NOT "...)) }

func writeList(b []byte, list []node, between string) []byte {
	b = append(b, '(')
	for i, n := range list {
		if i > 0 {
			b = append(b, between...)
		}
		b = n.write(b)
	}
	return append(b, ')')
}

func (t *term) write(b []byte) []byte {
	if t.property != "" {
		b = append(appendQuoted(b, t.property), '=')
	}
	if t.exact {
		return appendQuoted(b, t.text)
	}
	if t.text == "AND" || t.text == "OR" || t.text == "NOT" {
		b = append(b, '\\')
	}
	return appendEscaped(b, t.text, " \t\r\n(){}=,\"\\")
}

func appendQuoted(b []byte, s string) []byte {
	return append(appendEscaped(append(b, '"'), s, `"\`), '"')
}

func appendEscaped(b []byte, s, special string) []byte {
	for _, c := range []byte(s) {
		if strings.IndexByte(special, c) >= 0 {
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return b
}
