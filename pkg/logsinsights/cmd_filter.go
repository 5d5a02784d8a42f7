// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

// Filter is the filter command, also written where.
type Filter struct {
	Cond Expr
	span
}

func (f *Filter) pos() span      { return f.span }
func (f *Filter) String() string { return "filter " + f.Cond.String() }

func parseFilter(p *parser, at span) (Command, error) {
	cond, err := p.expr()
	return &Filter{Cond: cond, span: p.from(at)}, err
}

func (f *Filter) compile(c *compiler) (stageMaker, error) {
	cond, err := c.expr(f.Cond)
	if err != nil {
		return nil, err
	}
	return func(next stage) stage { return &filterStage{cond, next} }, nil
}

type filterStage struct {
	cond evalFn
	next stage
}

func (s *filterStage) push(r *row) (bool, error) {
	if !s.cond(r).truth() {
		return true, nil
	}
	return s.next.push(r)
}

func (s *filterStage) flush() error { return s.next.flush() }
