// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

// Accum is the accum command: a running sum in the order of the rows.
type Accum struct {
	Field *Ref
	Name  string
	name  span
	span
}

func (a *Accum) pos() span      { return a.span }
func (a *Accum) String() string { return "accum " + a.Field.String() + " as " + quoteName(a.Name) }

func parseAccum(p *parser, at span) (Command, error) {
	f, err := p.field()
	if err != nil {
		return nil, err
	}
	a := &Accum{Field: f}
	if !p.isWord("as") {
		return nil, p.unexpected(`"as" and a name for the running sum`)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	a.Name, a.name, err = p.name("a name behind as")
	a.span = p.from(at)
	return a, err
}

func (a *Accum) compile(c *compiler) (stageMaker, error) {
	eval, err := c.field(a.Field)
	if err != nil {
		return nil, err
	}
	slot, err := c.define(a.Name, a.name)
	if err != nil {
		return nil, err
	}
	col := outColumn{a.Name, slotValue(slot)}
	if c.output.fields != nil {
		c.output.fields = append(c.output.fields, col)
	} else {
		c.output.parsed = append(c.output.parsed, col)
	}
	return func(next stage) stage { return &accumStage{eval: eval, slot: slot, next: next} }, nil
}

type accumStage struct {
	eval evalFn
	slot int
	sum  float64
	next stage
}

func (s *accumStage) push(r *row) (bool, error) {
	if f, ok := s.eval(r).asNumber(); ok {
		s.sum += f
	}
	r.slots[s.slot] = numberValue(s.sum)
	return s.next.push(r)
}

func (s *accumStage) flush() error { return s.next.flush() }
