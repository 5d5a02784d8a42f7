// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"cmp"
	"slices"
	"strings"

	"github.com/nephoscope/nephoscope/internal/store"
)

// Sort is the sort command, also written order.
type Sort struct {
	Keys []SortKey
	span
}

// SortKey is one expression to sort by.
type SortKey struct {
	Expr Expr
	Desc bool
}

func (s *Sort) pos() span { return s.span }
func (s *Sort) String() string {
	keys := make([]string, len(s.Keys))
	for i, k := range s.Keys {
		keys[i] = k.Expr.String() + " asc"
		if k.Desc {
			keys[i] = k.Expr.String() + " desc"
		}
	}
	return "sort " + strings.Join(keys, ", ")
}

func parseSort(p *parser, at span) (Command, error) {
	if _, err := p.take("by"); err != nil { // order by
		return nil, err
	}
	s := &Sort{}
	for {
		e, err := p.expr()
		if err != nil {
			return nil, err
		}
		k := SortKey{Expr: e}
		if p.isWord("asc") || p.isWord("desc") {
			k.Desc = p.isWord("desc")
			if err := p.advance(); err != nil {
				return nil, err
			}
		}
		s.Keys = append(s.Keys, k)
		if ok, err := p.take(","); err != nil {
			return nil, err
		} else if !ok {
			s.span = p.from(at)
			return s, nil
		}
	}
}

// byTime is whether the command sorts events by @timestamp alone, and in which direction.
func (s *Sort) byTime() (desc, ok bool) {
	if len(s.Keys) != 1 || !isTimestamp(s.Keys[0].Expr) {
		return false, false
	}
	return s.Keys[0].Desc, true
}

func isTimestamp(e Expr) bool {
	f, ok := e.(*Ref)
	return ok && len(f.Parts) == 1 && f.Parts[0].Name == "@timestamp"
}

// sortKey is a compiled key.
type sortKey struct {
	eval evalFn
	desc bool
}

func (s *Sort) compile(c *compiler) (stageMaker, error) {
	keys := make([]sortKey, len(s.Keys))
	for i, k := range s.Keys {
		eval, err := c.expr(k.Expr)
		if err != nil {
			return nil, err
		}
		keys[i] = sortKey{eval, k.Desc}
	}
	st := &sortStage{keys: keys, mem: c.mem}
	if _, ok := c.names["@timestamp"]; !ok && !c.closed {
		// Sorted by time alone, events of the same millisecond follow the order of arrival.
		_, st.total = s.byTime()
	}
	return func(next stage) stage { st.next = next; return st }, nil
}

// sortStage keeps rows and hands them on in order; of those with equal keys the first one comes first. With a
// bound, it keeps the first rows only.
type sortStage struct {
	keys  []sortKey
	total bool
	bound int // 0: none
	mem   *memory
	rows  []sortedRow
	seq   int
	next  stage
}

type sortedRow struct {
	*row
	keys []value
	seq  int
}

func (s *sortStage) push(r *row) (bool, error) {
	sr := sortedRow{row: r, keys: make([]value, len(s.keys)), seq: s.seq}
	s.seq++
	for i, k := range s.keys {
		sr.keys[i] = k.eval(r)
	}
	if s.bound > 0 && len(s.rows) == s.bound {
		// The heap's root is the last row that is kept.
		if s.compare(&sr, &s.rows[0]) >= 0 {
			return true, nil
		}
		s.mem.used -= s.rows[0].bytes()
		sr.row = r.clone()
		s.rows[0] = sr
		s.down(0)
		return true, s.mem.add(sr.bytes())
	}
	sr.row = r.clone()
	s.rows = append(s.rows, sr)
	if s.bound > 0 {
		s.up(len(s.rows) - 1)
	}
	return true, s.mem.add(sr.bytes())
}

func (s *sortStage) compare(a, b *sortedRow) int {
	for i, k := range s.keys {
		n := naturalCompare(a.keys[i], b.keys[i])
		if n == 0 && s.total {
			n = comparePositions(a.position(), b.position())
		}
		if k.desc {
			n = -n
		}
		if n != 0 {
			return n
		}
	}
	return cmp.Compare(a.seq, b.seq)
}

func comparePositions(a, b store.LogPosition) int {
	return cmp.Or(cmp.Compare(a.Timestamp, b.Timestamp), cmp.Compare(a.Ingested, b.Ingested), cmp.Compare(a.Seq, b.Seq))
}

func (s *sortStage) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if s.compare(&s.rows[i], &s.rows[parent]) <= 0 {
			return
		}
		s.rows[i], s.rows[parent] = s.rows[parent], s.rows[i]
		i = parent
	}
}

func (s *sortStage) down(i int) {
	for {
		last := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(s.rows); c++ {
			if s.compare(&s.rows[c], &s.rows[last]) > 0 {
				last = c
			}
		}
		if last == i {
			return
		}
		s.rows[i], s.rows[last] = s.rows[last], s.rows[i]
		i = last
	}
}

func (s *sortStage) flush() error {
	slices.SortFunc(s.rows, func(a, b sortedRow) int { return s.compare(&a, &b) })
	for i := range s.rows {
		more, err := s.next.push(s.rows[i].row)
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	s.rows = nil
	return s.next.flush()
}
