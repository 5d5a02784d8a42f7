// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

import "fmt"

// Error is what is wrong in an expression. Its text is what CloudWatch says behind "Error in expression 'ID': ".
type Error struct {
	// Offset is the byte of the expression where it was noticed.
	Offset  int
	Message string
}

func (e *Error) Error() string { return e.Message }

// QueryError is an error in the expression of one query.
type QueryError struct {
	ID  string
	Err error
}

func (e *QueryError) Error() string { return fmt.Sprintf("Error in expression '%s': %v", e.ID, e.Err) }

func (e *QueryError) Unwrap() error { return e.Err }

// errorAt is an error in words of CloudWatch.
func errorAt(offset int, format string, args ...any) *Error {
	return &Error{Offset: offset, Message: fmt.Sprintf(format, args...)}
}

// syntaxError is an error that names its position.
func syntaxError(offset int, format string, args ...any) *Error {
	return errorAt(offset, "Invalid syntax at position %d: %s", offset, fmt.Sprintf(format, args...))
}

// typeError is an error of a function's or operator's arguments.
func typeError(offset int, format string, args ...any) *Error {
	return errorAt(offset, "%s (at position %d)", fmt.Sprintf(format, args...), offset)
}
