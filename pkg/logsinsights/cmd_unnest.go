// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import "github.com/nephoscope/nephoscope/pkg/logsinsights/jsonscan"

// Unnest is the unnest command: a row for each element of a list.
type Unnest struct {
	Expr Expr
	Name string
	name span
	span
}

func (u *Unnest) pos() span      { return u.span }
func (u *Unnest) String() string { return "unnest " + u.Expr.String() + " into " + quoteName(u.Name) }

func parseUnnest(p *parser, at span) (Command, error) {
	e, err := p.expr()
	if err != nil {
		return nil, err
	}
	u := &Unnest{Expr: e}
	if err := p.expect("into"); err != nil {
		return nil, err
	}
	u.Name, u.name, err = p.name("a name behind into")
	u.span = p.from(at)
	return u, err
}

func (u *Unnest) compile(c *compiler) (stageMaker, error) {
	eval, err := c.expr(u.Expr)
	if err != nil {
		return nil, err
	}
	slot, err := c.define(u.Name, u.name)
	if err != nil {
		return nil, err
	}
	c.output.parsed = append(c.output.parsed, outColumn{u.Name, slotValue(slot)})
	return func(next stage) stage { return &unnestStage{eval, slot, next} }, nil
}

type unnestStage struct {
	eval evalFn
	slot int
	next stage
}

// push takes a value that is no list for a list of one element; a missing one has none.
func (s *unnestStage) push(r *row) (more bool, err error) {
	v := s.eval(r)
	if v.kind == missing {
		return true, nil
	}
	if v.kind != document || v.str[0] != '[' {
		r.slots[s.slot] = v
		return s.next.push(r)
	}
	more = true
	jsonscan.EachElement(v.str, func(lit string) bool {
		r.slots[s.slot] = leaf(lit)
		more, err = s.next.push(r)
		return more && err == nil
	})
	return more, err
}

func (s *unnestStage) flush() error { return s.next.flush() }
