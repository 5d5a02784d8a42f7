// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// SyntaxError is a query that cannot be compiled. Start and End are character positions in the query
// string, counted from 0, End behind the last character: what CloudWatch Logs gives as
// queryCompileError.location in a MalformedQueryException.
type SyntaxError struct {
	Message    string
	Start, End int

	located bool // the message ends in the position
}

func (e *SyntaxError) Error() string { return e.Message }

// span is a range of bytes of the query.
type span struct{ start, end int }

func (s span) to(o span) span { return span{s.start, o.end} }

// errAt makes a SyntaxError whose offsets are bytes; [inCharacters] turns them into characters at the
// border of the package.
func errAt(s span, format string, args ...any) *SyntaxError {
	return &SyntaxError{Message: fmt.Sprintf(format, args...), Start: s.start, End: s.end}
}

// inCharacters changes the byte offsets of a SyntaxError into character offsets.
func inCharacters(src string, err error) error {
	var e *SyntaxError
	if !errors.As(err, &e) {
		return err
	}
	count := func(n int) int { return utf8.RuneCountInString(src[:min(max(n, 0), len(src))]) }
	out := &SyntaxError{Message: e.Message, Start: count(e.Start), End: count(e.End)}
	if e.located {
		out.Message += fmt.Sprintf(" ([%d,%d])", out.Start, out.End)
	}
	return out
}

// ErrLimit is wrapped by the error of a query that would need more memory than it is allowed.
var ErrLimit = errors.New("query exceeds a limit")
