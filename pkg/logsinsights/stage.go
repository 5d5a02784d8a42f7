// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import "fmt"

// stage takes rows from the one before and hands rows to the next.
type stage interface {
	// push takes a row, which the caller may reuse. It returns false when no more rows are wanted.
	push(*row) (more bool, err error)
	// flush ends the input.
	flush() error
}

// stageMaker makes a stage in front of next.
type stageMaker func(next stage) stage

// memory bounds what a query keeps.
type memory struct{ used, max int }

func (m *memory) add(n int) error {
	m.used += n
	if m.used > m.max {
		return fmt.Errorf("%w: more than %d MiB of memory: narrow the time range or add a filter", ErrLimit, m.max>>20)
	}
	return nil
}

// extendStage computes values into slots.
type extendStage struct {
	slots []int
	evals []evalFn
	next  stage
}

func (s *extendStage) push(r *row) (bool, error) {
	for i, n := range s.slots {
		r.slots[n] = s.evals[i](r)
	}
	return s.next.push(r)
}

func (s *extendStage) flush() error { return s.next.flush() }

// countStage counts the rows that met the conditions.
type countStage struct {
	n    *int64
	next stage
}

func (s *countStage) push(r *row) (bool, error) {
	*s.n++
	return s.next.push(r)
}

func (s *countStage) flush() error { return s.next.flush() }

// sink formats the rows of the result.
type sink struct {
	columns []outColumn
	pointer func(*row) string // nil behind stats
	limit   int
	mem     *memory
	rows    [][]Field
}

func (s *sink) push(r *row) (bool, error) {
	if len(s.rows) >= s.limit {
		return false, nil
	}
	cells := make([]Field, 0, len(s.columns)+1)
	size := 24
	for _, c := range s.columns {
		if text, ok := c.eval(r).print(); ok {
			cells = append(cells, Field{c.name, text})
			size += 32 + len(text)
		}
	}
	if s.pointer != nil && r.rec != nil {
		cells = append(cells, Field{"@ptr", s.pointer(r)})
		size += 96
	}
	if err := s.mem.add(size); err != nil {
		return false, err
	}
	s.rows = append(s.rows, cells)
	return len(s.rows) < s.limit, nil
}

func (s *sink) flush() error { return nil }
