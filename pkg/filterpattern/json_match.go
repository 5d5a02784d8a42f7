// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package filterpattern

import (
	"strconv"

	"github.com/nephoscope/nephoscope/pkg/logsinsights/jsonscan"
)

func (p *jsonPattern) match(message string) bool {
	doc, ok := object(message)
	return ok && p.root.match(doc)
}

// object is the JSON object that the message is.
func object(message string) (string, bool) {
	begin := jsonscan.SkipSpace(message, 0)
	if begin >= len(message) || message[begin] != '{' {
		return "", false
	}
	begin, end, ok := jsonscan.Valid(message)
	if !ok {
		return "", false
	}
	return message[begin:end], true
}

func (n *jsonNode) match(doc string) bool {
	switch n.op {
	case "&&":
		for _, s := range n.subs {
			if !s.match(doc) {
				return false
			}
		}
		return true
	case "||":
		for _, s := range n.subs {
			if s.match(doc) {
				return true
			}
		}
		return false
	}
	return n.cond.match(doc)
}

// match is whether the condition holds for any value that the selector names.
func (c *jsonCond) match(doc string) bool {
	found, met := false, false
	c.sel.each(doc, func(lit string) bool {
		found = true
		met = c.holds(lit)
		return !met
	})
	if c.op == opNotExists {
		return !found
	}
	return met
}

// holds is whether the condition holds for a value. Objects and arrays meet none.
func (c *jsonCond) holds(lit string) bool {
	switch lit[0] {
	case '{', '[':
		return false
	case '"':
		return c.holdsText(jsonscan.Unquote(lit), true)
	case 't':
		return c.op == opIsTrue || c.op == opNotEqual
	case 'f':
		return c.op == opIsFalse || c.op == opNotEqual
	case 'n':
		if lit == "null" {
			return c.op == opIsNull || c.op == opNotEqual
		}
	}
	return c.holdsText(lit, false)
}

// holdsText compares a text, or the digits of a number.
func (c *jsonCond) holdsText(s string, isText bool) bool {
	switch c.op {
	case opEqual, opNotEqual:
		return c.equals(s, isText) == (c.op == opEqual)
	case opLess, opLessEqual, opGreater, opGreaterEqual:
		f, ok := spelledNumber(s)
		return ok && c.v.compareSize(c.op, f)
	}
	return false
}

// equals compares numbers with a number by their size, everything else by the text.
func (c *jsonCond) equals(s string, isText bool) bool {
	if c.v.number && !isText {
		f, err := strconv.ParseFloat(s, 64)
		return err == nil && f == c.v.num
	}
	return c.v.matchesText(s)
}

func (p *jsonPattern) extract(message string, into map[string]string) {
	doc, ok := object(message)
	if !ok {
		return
	}
	for _, sel := range p.selectors {
		name := sel.String()
		sel.each(doc, func(lit string) bool {
			switch lit[0] {
			case '{', '[':
				return true
			case '"':
				lit = jsonscan.Unquote(lit)
			}
			into[name] = lit
			return false
		})
	}
}
