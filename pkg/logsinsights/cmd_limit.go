// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import "strconv"

const (
	// defaultLimit is how many rows a query without limit returns.
	defaultLimit = 10_000
	// maxLimit is the highest limit.
	maxLimit = 100_000
)

// Limit is the limit command.
type Limit struct {
	N int
	span
}

func (l *Limit) pos() span      { return l.span }
func (l *Limit) String() string { return "limit " + strconv.Itoa(l.N) }

func parseLimit(p *parser, at span) (Command, error) {
	if p.isWord("any") {
		return nil, errAt(p.tok.span, "limit any is not supported")
	}
	t := p.tok
	n, err := strconv.Atoi(t.text)
	if t.kind != tokWord || err != nil {
		return nil, p.unexpected("a number of rows")
	}
	if n < 1 || n > maxLimit {
		return nil, errAt(t.span, "the limit must be from 1 to %d, not %d", maxLimit, n)
	}
	err = p.advance()
	return &Limit{N: n, span: p.from(at)}, err
}

func (l *Limit) compile() stageMaker {
	return func(next stage) stage { return &limitStage{left: l.N, next: next} }
}

type limitStage struct {
	left int
	next stage
}

func (s *limitStage) push(r *row) (bool, error) {
	if s.left <= 0 {
		return false, nil
	}
	s.left--
	more, err := s.next.push(r)
	return more && s.left > 0, err
}

func (s *limitStage) flush() error { return s.next.flush() }
