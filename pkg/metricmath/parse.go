// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrMetricsInsights is returned for a Metrics Insights query: that is another language.
var ErrMetricsInsights = errors.New("a Metrics Insights query (SELECT) is not a metric math expression")

// IsMetricsInsights reports whether the text is a Metrics Insights query: it begins with SELECT, in any case. An id of
// a metric may be select too, but then no other word follows.
func IsMetricsInsights(text string) bool {
	l := lexer{text: text}
	first, err := l.next()
	if err != nil || first.kind != tokenWord && first.kind != tokenID || !strings.EqualFold(first.text, "SELECT") {
		return false
	}
	second, err := l.next()
	if err != nil {
		return first.kind == tokenWord
	}
	return second.kind == tokenID || second.kind == tokenWord || first.text == "SELECT" && second.text != "("
}

// Parse reads an expression. The error is an [Error], or [ErrMetricsInsights].
func Parse(text string) (*Expr, error) {
	if n := utf8.RuneCountInString(text); n > MaxLength {
		return nil, errorAt(0, "The expression has %d characters, more than %d.", n, MaxLength)
	}
	if IsMetricsInsights(text) {
		return nil, ErrMetricsInsights
	}
	p := parser{lexer: lexer{text: text}}
	if err := p.advance(); err != nil {
		return nil, err
	}
	root, err := p.binary(precedenceOr)
	if err != nil {
		return nil, err
	}
	if p.token.kind != tokenEnd {
		return nil, p.unexpected("an operator or the end of the expression")
	}
	return &Expr{root: root}, nil
}

type parser struct {
	lexer lexer
	token token
	depth int
}

func (p *parser) advance() (err error) {
	p.token, err = p.lexer.next()
	return err
}

func (p *parser) unexpected(wanted string) error {
	return syntaxError(p.token.pos, "expected %s, found %s", wanted, p.token.describe())
}

func (p *parser) is(punctuation string) bool {
	return p.token.kind == tokenPunctuation && p.token.text == punctuation
}

func (p *parser) enter() error {
	if p.depth++; p.depth > MaxNesting {
		return syntaxError(p.token.pos, "the expression nests deeper than %d", MaxNesting)
	}
	return nil
}

// binary reads operators of the precedence and tighter ones, which group to the left.
func (p *parser) binary(precedence int) (node, error) {
	if precedence == precedenceSign {
		return p.sign()
	}
	left, err := p.binary(precedence + 1)
	if err != nil {
		return nil, err
	}
	for p.token.kind == tokenOperator && operatorsByName[p.token.text].precedence == precedence {
		n := &binaryNode{at: at(p.token.pos), op: operatorsByName[p.token.text], left: left}
		if err := p.advance(); err != nil {
			return nil, err
		}
		if n.right, err = p.binary(precedence + 1); err != nil {
			return nil, err
		}
		left = n
	}
	return left, nil
}

func (p *parser) sign() (node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if p.token.kind != tokenOperator || p.token.text != "-" && p.token.text != "+" {
		return p.power()
	}
	n := &unaryNode{at: at(p.token.pos), op: p.token.text}
	err := p.advance()
	if err == nil {
		n.x, err = p.sign()
	}
	return n, err
}

// power reads a^b^c as a^(b^c); -a^b is -(a^b).
func (p *parser) power() (node, error) {
	base, err := p.primary()
	if err != nil || p.token.kind != tokenOperator || p.token.text != "^" {
		return base, err
	}
	n := &binaryNode{at: at(p.token.pos), op: operatorsByName["^"], left: base}
	if err := p.advance(); err != nil {
		return nil, err
	}
	n.right, err = p.sign()
	return n, err
}

func (p *parser) primary() (node, error) {
	t := p.token
	switch t.kind {
	case tokenNumber:
		v, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			return nil, syntaxError(t.pos, "the number %s is out of range", t.text)
		}
		return &numberNode{at: at(t.pos), text: t.text, value: v}, p.advance()
	case tokenString:
		return &stringNode{at: at(t.pos), text: t.text, value: unquote(t.text)}, p.advance()
	case tokenID, tokenWord:
		if err := p.advance(); err != nil {
			return nil, err
		}
		switch {
		case p.is("("):
			return p.call(t)
		case t.kind == tokenWord:
			return &wordNode{at: at(t.pos), name: t.text}, nil
		}
		return &idNode{at: at(t.pos), name: t.text}, nil
	case tokenPunctuation:
		switch t.text {
		case "(":
			return p.parenthesis()
		case "[":
			items, err := p.list("]")
			if err == nil && len(items) == 0 {
				err = syntaxError(t.pos, "an array needs a time series")
			}
			return &arrayNode{at: at(t.pos), items: items}, err
		}
	}
	return nil, p.unexpected("a value")
}

func (p *parser) parenthesis() (node, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	n, err := p.binary(precedenceOr)
	if err != nil {
		return nil, err
	}
	if !p.is(")") {
		return nil, p.unexpected(`an operator or ")"`)
	}
	return n, p.advance()
}

func (p *parser) call(name token) (node, error) {
	fn := functions[name.text]
	if fn == nil {
		return nil, errorAt(name.pos, "Function '%s' not found", name.text)
	}
	args, err := p.list(")")
	return &callNode{at: at(name.pos), fn: fn, args: args}, err
}

// list reads what is between the opening token, which is the current one, and the closing one.
func (p *parser) list(closing string) (items []node, err error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	for !p.is(closing) {
		if len(items) > 0 {
			if !p.is(",") {
				return nil, p.unexpected(`"," or "` + closing + `"`)
			}
			if err := p.advance(); err != nil {
				return nil, err
			}
		}
		item, err := p.binary(precedenceOr)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, p.advance()
}
