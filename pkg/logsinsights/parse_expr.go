// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"slices"
	"strconv"
	"strings"
)

func (p *parser) expr() (Expr, error) { return p.or() }

// enter bounds nesting.
func (p *parser) enter() error {
	p.depth++
	if p.depth > maxNesting {
		return errAt(p.tok.span, "expression is nested deeper than %d levels", maxNesting)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

func (p *parser) or() (Expr, error)  { return p.leftAssoc("or", (*parser).and) }
func (p *parser) and() (Expr, error) { return p.leftAssoc("and", (*parser).not) }

func (p *parser) leftAssoc(word string, sub func(*parser) (Expr, error)) (Expr, error) {
	x, err := sub(p)
	if err != nil {
		return nil, err
	}
	for p.isWord(word) {
		if err := p.advance(); err != nil {
			return nil, err
		}
		y, err := sub(p)
		if err != nil {
			return nil, err
		}
		x = &Binary{Op: word, X: x, Y: y, span: x.pos().to(p.prev.span)}
	}
	return x, nil
}

func (p *parser) not() (Expr, error) {
	if !p.isWord("not") && !p.isPunct("!") {
		return p.compare()
	}
	at := p.tok.span
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	if err := p.advance(); err != nil {
		return nil, err
	}
	x, err := p.not()
	if err != nil {
		return nil, err
	}
	return &Unary{Op: "not", X: x, span: p.from(at)}, nil
}

func (p *parser) compare() (Expr, error) {
	at := p.tok.span
	x, err := p.add()
	if err != nil {
		return nil, err
	}
	if p.tok.kind == tokPunct {
		switch op := p.tok.text; op {
		case "=", "!=", "<", "<=", ">", ">=":
			if err := p.advance(); err != nil {
				return nil, err
			}
			y, err := p.add()
			if err != nil {
				return nil, err
			}
			return &Binary{Op: op, X: x, Y: y, span: p.from(at)}, nil
		case "=~":
			if err := p.advance(); err != nil {
				return nil, err
			}
			if !p.isPunct("/") {
				return nil, p.unexpected("a /regular expression/")
			}
			re, src, _, err := p.regex()
			return &Like{X: x, Regex: re, src: src, span: p.from(at)}, err
		}
		return x, nil
	}
	negated := false
	if p.isWord("not") {
		if t := p.peek(); t.kind == tokWord && (strings.EqualFold(t.text, "like") || strings.EqualFold(t.text, "in")) {
			negated = true
			if err := p.advance(); err != nil {
				return nil, err
			}
		}
	}
	switch {
	case p.isWord("like"):
		return p.like(x, negated, at)
	case p.isWord("in"):
		return p.in(x, negated, at)
	}
	return x, nil
}

func (p *parser) like(x Expr, negated bool, at span) (Expr, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	switch {
	case p.isPunct("/"):
		re, src, _, err := p.regex()
		return &Like{X: x, Not: negated, Regex: re, src: src, span: p.from(at)}, err
	case p.tok.kind == tokString:
		text := p.tok.text
		if err := p.advance(); err != nil {
			return nil, err
		}
		return &Like{X: x, Not: negated, Text: text, span: p.from(at)}, nil
	}
	return nil, p.unexpected("a text or a /regular expression/ behind like")
}

func (p *parser) in(x Expr, negated bool, at span) (Expr, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.isPunct("(") {
		return nil, errAt(p.tok.span, "a subquery behind in is not supported: write a list in brackets")
	}
	if err := p.expect("["); err != nil {
		return nil, err
	}
	var list []Expr
	for {
		e, err := p.add()
		if err != nil {
			return nil, err
		}
		list = append(list, e)
		if ok, err := p.take(","); err != nil {
			return nil, err
		} else if !ok {
			break
		}
	}
	if err := p.expect("]"); err != nil {
		return nil, err
	}
	return &In{X: x, Not: negated, List: list, span: p.from(at)}, nil
}

func (p *parser) add() (Expr, error) {
	return p.arith([]string{"+", "-"}, (*parser).mul)
}

func (p *parser) mul() (Expr, error) {
	return p.arith([]string{"*", "/", "%"}, (*parser).pow)
}

func (p *parser) arith(ops []string, sub func(*parser) (Expr, error)) (Expr, error) {
	x, err := sub(p)
	if err != nil {
		return nil, err
	}
next:
	for {
		for _, op := range ops {
			if !p.isPunct(op) {
				continue
			}
			if err := p.advance(); err != nil {
				return nil, err
			}
			y, err := sub(p)
			if err != nil {
				return nil, err
			}
			x = &Binary{Op: op, X: x, Y: y, span: x.pos().to(p.prev.span)}
			continue next
		}
		return x, nil
	}
}

func (p *parser) pow() (Expr, error) {
	x, err := p.unary()
	if err != nil || !p.isPunct("^") {
		return x, err
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	if err := p.advance(); err != nil {
		return nil, err
	}
	y, err := p.pow()
	if err != nil {
		return nil, err
	}
	return &Binary{Op: "^", X: x, Y: y, span: x.pos().to(p.prev.span)}, nil
}

func (p *parser) unary() (Expr, error) {
	if !p.isPunct("-") {
		return p.postfix()
	}
	at := p.tok.span
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	if err := p.advance(); err != nil {
		return nil, err
	}
	x, err := p.unary()
	if err != nil {
		return nil, err
	}
	return &Unary{Op: "-", X: x, span: p.from(at)}, nil
}

// postfix reads a primary expression and the steps behind it.
func (p *parser) postfix() (Expr, error) {
	at := p.tok.span
	x, err := p.primary()
	if err != nil {
		return nil, err
	}
	for {
		var part Part
		switch {
		case p.isPunct("."):
			if err := p.advance(); err != nil {
				return nil, err
			}
			if p.tok.kind != tokWord && p.tok.kind != tokQuoted {
				return nil, p.unexpected("a name behind the dot")
			}
			t := p.tok
			if err := p.advance(); err != nil {
				return nil, err
			}
			if t.kind == tokWord { // a word may hold several names: .a.b
				for name := range strings.SplitSeq(t.text, ".") {
					if name == "" {
						return nil, errAt(t.span, "unexpected symbol found %s: expected a name behind the dot", t.text)
					}
					x = step(x, Part{Name: name}, p.from(at))
				}
				continue
			}
			part = Part{Name: t.text, Quoted: true}
		case p.isPunct("["):
			if err := p.advance(); err != nil {
				return nil, err
			}
			if p.tok.kind != tokWord || !isIndex(p.tok.text) {
				return nil, p.unexpected("an index, a whole number")
			}
			part = Part{Name: p.tok.text, Index: true}
			if err := p.advance(); err != nil {
				return nil, err
			}
			if err := p.expect("]"); err != nil {
				return nil, err
			}
		default:
			return x, nil
		}
		x = step(x, part, p.from(at))
	}
}

// step adds a part to a name, or wraps another expression.
func step(x Expr, part Part, s span) Expr {
	if f, ok := x.(*Ref); ok {
		f.Parts = append(f.Parts, part)
		f.span = s
		return f
	}
	return &Access{X: x, Part: part, span: s}
}

func isIndex(s string) bool {
	if s == "" || len(s) > 9 || len(s) > 1 && s[0] == '0' {
		return false
	}
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

func (p *parser) primary() (Expr, error) {
	t := p.tok
	switch t.kind {
	case tokString:
		return &Text{Value: t.text, span: t.span}, p.advance()
	case tokQuoted:
		return &Ref{Parts: []Part{{Name: t.text, Quoted: true}}, span: t.span}, p.advance()
	case tokWord:
		return p.word()
	case tokPunct:
		if t.text == "(" {
			return p.parens()
		}
	}
	return nil, p.unexpected("an expression")
}

func (p *parser) parens() (Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	if err := p.advance(); err != nil {
		return nil, err
	}
	x, err := p.expr()
	if err != nil {
		return nil, err
	}
	return x, p.expect(")")
}

func (p *parser) word() (Expr, error) {
	t := p.tok
	if isNumberToken(t.text) {
		v, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			return nil, errAt(t.span, "number %s is out of range", t.text)
		}
		return &Number{Text: t.text, Value: v, span: t.span}, p.advance()
	}
	switch strings.ToLower(t.text) {
	case "true", "false":
		if p.peek().text != "(" {
			return &Bool{Value: strings.EqualFold(t.text, "true"), span: t.span}, p.advance()
		}
	}
	if isReserved(t.text) {
		return nil, p.unexpected("an expression")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.isPunct("(") && p.tok.start == t.end || p.isPunct("(") && isFunction(t.text) {
		return p.call(t)
	}
	f := &Ref{span: t.span}
	for name := range strings.SplitSeq(t.text, ".") {
		if name == "" {
			return nil, errAt(t.span, "unexpected symbol found %s: expected a field name", t.text)
		}
		f.Parts = append(f.Parts, Part{Name: name})
	}
	return f, nil
}

// call reads the arguments of the function named by t; the current token is its parenthesis.
func (p *parser) call(t token) (Expr, error) {
	name := strings.ToLower(t.text)
	if slices.Contains(unsupportedFunctions, name) {
		return nil, errAt(t.span, "the function %s is not supported", t.text)
	}
	if !isFunction(name) {
		return nil, errAt(t.span, "unknown function %s", t.text)
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	if err := p.advance(); err != nil {
		return nil, err
	}
	c := &Call{Name: name, name: t.span, spelling: functionSpelling(name)}
	if ok, err := p.take(")"); err != nil {
		return nil, err
	} else if ok {
		c.span = p.from(t.span)
		return c, nil
	}
	for {
		arg, err := p.arg(name)
		if err != nil {
			return nil, err
		}
		c.Args = append(c.Args, arg)
		if ok, err := p.take(","); err != nil {
			return nil, err
		} else if !ok {
			break
		}
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	c.span = p.from(t.span)
	return c, nil
}

// arg reads an argument: an expression, the star of count(*) or a period where the function takes one.
func (p *parser) arg(function string) (Expr, error) {
	t := p.tok
	if function == "count" && p.isPunct("*") {
		return &Star{span: t.span}, p.advance()
	}
	if t.kind == tokWord && takesPeriod(function) {
		if period, ok := parsePeriod(t.text); ok {
			return &PeriodLit{Period: period, span: t.span}, p.advance()
		}
	}
	return p.expr()
}

// isNumberToken is whether a word is a number: 12, 1.5, .5, 1e3, 1e-3.
func isNumberToken(s string) bool {
	i, digits := 0, 0
	for i < len(s) && isDigit(s[i]) {
		i++
		digits++
	}
	if i < len(s) && s[i] == '.' {
		i++
		for i < len(s) && isDigit(s[i]) {
			i++
			digits++
		}
	}
	if digits == 0 {
		return false
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		from := i
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		if i == from {
			return false
		}
	}
	return i == len(s)
}
