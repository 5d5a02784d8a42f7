// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package filterpattern

import (
	"strings"
)

// jsonPattern is a pattern in braces.
type jsonPattern struct {
	root      *jsonNode
	selectors []*selector // of all conditions, in their order
	count     int         // of regular expressions
}

// jsonNode is an expression: conditions joined by && or ||, or one condition.
type jsonNode struct {
	op   string // "&&", "||" or "" for a condition
	subs []*jsonNode
	cond *jsonCond
}

// jsonCond is one condition on the value of a selector.
type jsonCond struct {
	sel *selector
	op  string // = != < <= > >= IS NULL, IS TRUE, IS FALSE, NOT EXISTS
	v   *operand
}

const (
	opIsNull    = "IS NULL"
	opIsTrue    = "IS TRUE"
	opIsFalse   = "IS FALSE"
	opNotExists = "NOT EXISTS"
)

// jsonParser reads a pattern.
type jsonParser struct {
	text      string
	i         int
	depth     int
	wildcards int
	p         *jsonPattern
}

func compileJSON(text string) (matcher, error) {
	p := &jsonParser{text: text, i: 1, p: &jsonPattern{}}
	root, err := p.or()
	if err != nil {
		return nil, err
	}
	p.blank()
	if p.i != len(text)-1 || text[p.i] != '}' {
		if p.i >= len(text) {
			return nil, errorf("the filter pattern has no closing }")
		}
		return nil, errChars(badRun(text, p.i))
	}
	switch {
	case p.p.count > maxRegexes:
		return nil, errorf("the filter pattern has %d regular expressions, the limit is %d", p.p.count, maxRegexes)
	case p.wildcards > maxWildcards:
		return nil, errorf("the filter pattern has %d selectors with a wildcard, the limit is %d", p.wildcards, maxWildcards)
	}
	p.p.root = root
	return p.p, nil
}

func (p *jsonParser) blank() { p.i = skipBlank(p.text, p.i) }

func (p *jsonParser) or() (*jsonNode, error)  { return p.list("||", p.and) }
func (p *jsonParser) and() (*jsonNode, error) { return p.list("&&", p.unit) }

func (p *jsonParser) list(op string, sub func() (*jsonNode, error)) (*jsonNode, error) {
	n, err := sub()
	if err != nil {
		return nil, err
	}
	list := &jsonNode{op: op, subs: []*jsonNode{n}}
	for {
		p.blank()
		if !strings.HasPrefix(p.text[p.i:], op) {
			break
		}
		p.i += len(op)
		if n, err = sub(); err != nil {
			return nil, err
		}
		list.subs = append(list.subs, n)
	}
	if len(list.subs) == 1 {
		return list.subs[0], nil
	}
	return list, nil
}

func (p *jsonParser) unit() (*jsonNode, error) {
	p.blank()
	if p.i >= len(p.text) {
		return nil, errorf("the filter pattern ends where a condition is expected")
	}
	switch p.text[p.i] {
	case '(':
		p.depth++
		if p.depth > maxNesting {
			return nil, errorf("the filter pattern is nested deeper than %d levels", maxNesting)
		}
		p.i++
		n, err := p.or()
		if err != nil {
			return nil, err
		}
		p.blank()
		if p.i >= len(p.text) || p.text[p.i] != ')' {
			return nil, errorf("the filter pattern has no closing )")
		}
		p.i++
		p.depth--
		return n, nil
	case '$':
		c, err := p.cond()
		return &jsonNode{cond: c}, err
	}
	return nil, errChars(badRun(p.text, p.i))
}

func (p *jsonParser) cond() (*jsonCond, error) {
	sel, err := p.selector()
	if err != nil {
		return nil, err
	}
	c := &jsonCond{sel: sel}
	p.p.selectors = append(p.p.selectors, sel)
	p.blank()
	op, end := readOperator(p.text, p.i)
	if op != "" {
		c.op = op
		p.i = skipBlank(p.text, end)
		if c.v, p.i, err = readOperand(p.text, p.i, op, ""); err != nil {
			return nil, err
		}
		if c.v.re != nil {
			p.p.count++
		}
		return c, nil
	}
	word := p.word()
	switch strings.ToUpper(word) {
	case "IS":
		what := p.word()
		switch strings.ToUpper(what) {
		case "NULL":
			c.op = opIsNull
		case "TRUE":
			c.op = opIsTrue
		case "FALSE":
			c.op = opIsFalse
		default:
			return nil, errorf("IS takes NULL, TRUE or FALSE, not %q", what)
		}
		return c, nil
	case "NOT":
		if what := p.word(); !strings.EqualFold(what, "EXISTS") {
			return nil, errorf("NOT takes EXISTS, not %q", what)
		}
		c.op = opNotExists
		return c, nil
	case "":
		if p.i < len(p.text) {
			return nil, errChars(badRun(p.text, p.i))
		}
		return nil, errorf("an operator is missing behind %s", sel)
	}
	return nil, errorf("the operator %s is not supported", word)
}

func (p *jsonParser) word() string {
	p.blank()
	from := p.i
	for p.i < len(p.text) && isWord(p.text[p.i]) {
		p.i++
	}
	return p.text[from:p.i]
}

func (p *jsonPattern) regexes() int { return p.count }

// required is nothing: JSON may write every character as an escape.
func (p *jsonPattern) required() []string { return nil }

func (p *jsonPattern) String() string { return "{ " + p.root.String() + " }" }

func (n *jsonNode) String() string {
	if n.op == "" {
		return n.cond.String()
	}
	parts := make([]string, len(n.subs))
	for i, s := range n.subs {
		parts[i] = s.String()
		if s.op != "" {
			parts[i] = "(" + parts[i] + ")"
		}
	}
	return strings.Join(parts, " "+n.op+" ")
}

func (c *jsonCond) String() string {
	if c.v == nil {
		return c.sel.String() + " " + c.op
	}
	return c.sel.String() + " " + c.op + " " + c.v.String()
}
