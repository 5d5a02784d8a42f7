// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import "strings"

// Dedup is the dedup command: the first row of each combination of values.
type Dedup struct {
	Fields []*Ref
	span
}

func (d *Dedup) pos() span { return d.span }
func (d *Dedup) String() string {
	names := make([]string, len(d.Fields))
	for i, f := range d.Fields {
		names[i] = f.String()
	}
	return "dedup " + strings.Join(names, ", ")
}

func parseDedup(p *parser, at span) (Command, error) {
	d := &Dedup{}
	for {
		f, err := p.field()
		if err != nil {
			return nil, err
		}
		d.Fields = append(d.Fields, f)
		if ok, err := p.take(","); err != nil {
			return nil, err
		} else if !ok {
			d.span = p.from(at)
			return d, nil
		}
	}
}

func (d *Dedup) compile(c *compiler) (stageMaker, error) {
	s := &dedupStage{mem: c.mem, seen: map[string]struct{}{}}
	for _, f := range d.Fields {
		eval, err := c.field(f)
		if err != nil {
			return nil, err
		}
		s.fields = append(s.fields, eval)
	}
	return func(next stage) stage { s.next = next; return s }, nil
}

type dedupStage struct {
	fields []evalFn
	seen   map[string]struct{}
	mem    *memory
	key    []byte
	next   stage
}

// push keeps every row in which one of the fields is missing.
func (s *dedupStage) push(r *row) (bool, error) {
	s.key = s.key[:0]
	for _, f := range s.fields {
		text, ok := f(r).key()
		if !ok {
			return s.next.push(r)
		}
		s.key = appendKey(s.key, text)
	}
	if _, ok := s.seen[string(s.key)]; ok {
		return true, nil
	}
	if err := s.mem.add(len(s.key) + 48); err != nil {
		return false, err
	}
	s.seen[string(s.key)] = struct{}{}
	return s.next.push(r)
}

func (s *dedupStage) flush() error { return s.next.flush() }
