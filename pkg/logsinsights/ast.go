// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"regexp"
	"strconv"
	"strings"
)

// Query is a parsed query.
type Query struct {
	// Source is the SOURCE command that names log groups, or nil.
	Source   *Source
	Commands []Command
	src      string
}

// String prints the query so that it parses to the same query.
func (q *Query) String() string {
	var b strings.Builder
	if q.Source != nil {
		b.WriteString(q.Source.String())
	}
	for i, c := range q.Commands {
		if i > 0 || q.Source != nil {
			b.WriteString(" | ")
		}
		b.WriteString(c.String())
	}
	return b.String()
}

// Command is one stage of a query. The types are named for their command: [Fields], [Filter], [Stats] …
type Command interface {
	String() string
	pos() span
}

// Expr is an expression.
type Expr interface {
	String() string
	pos() span
}

// Ref is a name: of a field of the event, or of something the query defined before.
type Ref struct {
	Parts []Part
	span
}

// Part is a step of a name: a name, or an index in brackets.
type Part struct {
	Name   string
	Index  bool // Name is the number in brackets
	Quoted bool // it stood in backticks
}

func (f *Ref) pos() span { return f.span }

// Name is the flattened name, as discovery makes it: a.b.0.c.
func (f *Ref) Name() string { return joinParts(f.Parts) }

func joinParts(parts []Part) string {
	if len(parts) == 1 {
		return parts[0].Name
	}
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(p.Name)
	}
	return b.String()
}

func (f *Ref) String() string {
	var b strings.Builder
	for i, p := range f.Parts {
		switch {
		case p.Index:
			b.WriteString("[" + p.Name + "]")
			continue
		case i > 0:
			b.WriteByte('.')
		}
		if p.Quoted || i == 0 && !plainName(f.bareRun()) {
			b.WriteString("`" + p.Name + "`")
		} else {
			b.WriteString(p.Name)
		}
	}
	return b.String()
}

// bareRun is the text that would stand before the first backtick or bracket.
func (f *Ref) bareRun() string {
	n := 0
	for n < len(f.Parts) && !f.Parts[n].Index && !f.Parts[n].Quoted {
		n++
	}
	return joinParts(f.Parts[:n])
}

// plainName is whether a name may be written without backticks.
func plainName(s string) bool {
	if s == "" || isNumberToken(s) || isReserved(s) {
		return false
	}
	for i := range len(s) {
		if !isWordByte(s[i]) && s[i] != '.' {
			return false
		}
	}
	return s[0] != '.' && s[len(s)-1] != '.' && !strings.Contains(s, "..")
}

// quoteName writes a name for a place where one is defined.
func quoteName(s string) string {
	if plainName(s) {
		return s
	}
	return "`" + s + "`"
}

// isReserved is whether a bare word is part of the grammar of expressions.
func isReserved(s string) bool {
	switch strings.ToLower(s) {
	case "and", "or", "not", "in", "like", "as", "by", "asc", "desc", "true", "false":
		return true
	}
	return false
}

// Number is a number literal.
type Number struct {
	Text  string
	Value float64
	span
}

func (n *Number) pos() span      { return n.span }
func (n *Number) String() string { return n.Text }

// Text is a string literal.
type Text struct {
	Value string
	span
}

func (t *Text) pos() span      { return t.span }
func (t *Text) String() string { return quoteText(t.Value) }

func quoteText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\n':
			b.WriteString(`\n`)
		case '\t':
			b.WriteString(`\t`)
		case '\r':
			b.WriteString(`\r`)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// Bool is true or false.
type Bool struct {
	Value bool
	span
}

func (b *Bool) pos() span      { return b.span }
func (b *Bool) String() string { return strconv.FormatBool(b.Value) }

// PeriodLit is a length of time: 5m.
type PeriodLit struct {
	Period
	span
}

func (p *PeriodLit) pos() span { return p.span }

// Star is the "*" of count(*).
type Star struct{ span }

func (s *Star) pos() span      { return s.span }
func (s *Star) String() string { return "*" }

// Call is a function with its arguments. Name is in lower case, without regard to how it was written.
type Call struct {
	Name string
	Args []Expr
	span
	name     span   // of the name alone
	spelling string // the name as the documentation writes it
}

func (c *Call) pos() span { return c.span }
func (c *Call) String() string {
	return c.spelling + "(" + joinExprs(c.Args) + ")"
}

func joinExprs(list []Expr) string {
	texts := make([]string, len(list))
	for i, e := range list {
		texts[i] = e.String()
	}
	return strings.Join(texts, ", ")
}

// Unary is -x or not x.
type Unary struct {
	Op string // "-" or "not"
	X  Expr
	span
}

func (u *Unary) pos() span { return u.span }
func (u *Unary) String() string {
	if u.Op == "not" {
		return "not " + wrap(u.X, precNot)
	}
	return "-" + wrap(u.X, precUnary)
}

// Binary is an operator between two expressions: or and = != < <= > >= + - * / % ^.
type Binary struct {
	Op   string
	X, Y Expr
	span
}

func (b *Binary) pos() span { return b.span }
func (b *Binary) String() string {
	p := precedence(b)
	x, y := p, p+1 // left to right
	if b.Op == "^" {
		x, y = p+1, p // right to left
	} else if p == precCompare {
		x = p + 1 // a = b = c is no expression
	}
	return wrap(b.X, x) + " " + b.Op + " " + wrap(b.Y, y)
}

// Like is x like "text", x like /regex/ and their negations. x =~ /regex/ is the same as like.
type Like struct {
	X     Expr
	Not   bool
	Text  string
	Regex *regexp.Regexp // nil for a text
	src   string         // the regex as it was written
	span
}

func (l *Like) pos() span { return l.span }
func (l *Like) String() string {
	op := " like "
	if l.Not {
		op = " not like "
	}
	if l.Regex != nil {
		return wrap(l.X, precCompare+1) + op + "/" + l.src + "/"
	}
	return wrap(l.X, precCompare+1) + op + quoteText(l.Text)
}

// In is x in [a, b] and x not in [a, b].
type In struct {
	X    Expr
	Not  bool
	List []Expr
	span
}

func (i *In) pos() span { return i.span }
func (i *In) String() string {
	op := " in ["
	if i.Not {
		op = " not in ["
	}
	return wrap(i.X, precCompare+1) + op + joinExprs(i.List) + "]"
}

// Access is a step into the value of an expression that is not a name: jsonParse(x).k.
type Access struct {
	X    Expr
	Part Part
	span
}

func (a *Access) pos() span { return a.span }
func (a *Access) String() string {
	x := wrap(a.X, precPostfix)
	if a.Part.Index {
		return x + "[" + a.Part.Name + "]"
	}
	if a.Part.Quoted || !plainPart(a.Part.Name) {
		return x + ".`" + a.Part.Name + "`"
	}
	return x + "." + a.Part.Name
}

func plainPart(s string) bool {
	for i := range len(s) {
		if !isWordByte(s[i]) {
			return false
		}
	}
	return s != ""
}

// Precedences, low to high.
const (
	precOr = iota + 1
	precAnd
	precNot
	precCompare
	precAdd
	precMul
	precPow
	precUnary
	precPostfix
)

func precedence(e Expr) int {
	switch e := e.(type) {
	case *Binary:
		switch e.Op {
		case "or":
			return precOr
		case "and":
			return precAnd
		case "+", "-":
			return precAdd
		case "*", "/", "%":
			return precMul
		case "^":
			return precPow
		}
		return precCompare
	case *Like, *In:
		return precCompare
	case *Unary:
		if e.Op == "not" {
			return precNot
		}
		return precUnary
	}
	return precPostfix
}

func wrap(e Expr, least int) string {
	if precedence(e) < least {
		return "(" + e.String() + ")"
	}
	return e.String()
}
