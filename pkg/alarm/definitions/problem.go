// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxProblems bounds what is reported: behind so many, the rest follows from them or is more of the same.
const maxProblems = 50

// Problem is one thing that is wrong in a file.
type Problem struct {
	File string
	Line int // 0 when it is not of one line
	// Name is what the file calls the alarm, "" when it is not of one.
	Name string
	// Property is the path of the property as the file writes it: Metrics[1].MetricStat.Period, metric_query[0].id.
	Property string
	Message  string
	// Err is the error that it comes from, nil when there is none.
	Err error
}

func (p Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File + ":")
		if p.Line > 0 {
			fmt.Fprintf(&b, "%d:", p.Line)
		}
		b.WriteByte(' ')
	}
	for _, s := range []string{p.Name, p.Property} {
		if s != "" {
			b.WriteString(s + ": ")
		}
	}
	b.WriteString(p.Message)
	return b.String()
}

// Unwrap is the error that the problem comes from.
func (p Problem) Unwrap() error { return p.Err }

// Error is everything that is wrong with the files.
type Error struct {
	// Problems are in order of file and line.
	Problems []Problem
	// More is how many others there were.
	More int
}

func (e *Error) Error() string {
	lines := make([]string, len(e.Problems), len(e.Problems)+1)
	for i, p := range e.Problems {
		lines[i] = p.Error()
	}
	if e.More > 0 {
		lines = append(lines, fmt.Sprintf("and %d more problems", e.More))
	}
	return strings.Join(lines, "\n")
}

// Unwrap are the problems.
func (e *Error) Unwrap() []error {
	errs := make([]error, len(e.Problems))
	for i, p := range e.Problems {
		errs[i] = p
	}
	return errs
}

// problems collects what is wrong.
type problems struct {
	list []Problem
	more int
}

func (ps *problems) add(p Problem) {
	if len(ps.list) >= maxProblems {
		ps.more++
		return
	}
	ps.list = append(ps.list, p)
}

func (ps *problems) any() bool { return len(ps.list) > 0 }

func (ps *problems) err() error {
	if !ps.any() {
		return nil
	}
	slices.SortStableFunc(ps.list, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return &Error{Problems: ps.list, More: ps.more}
}
