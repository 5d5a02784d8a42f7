// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricsinsights

import (
	"fmt"
	"unicode/utf8"
)

// Error is what is wrong in a query. Message is what CloudWatch says.
type Error struct {
	// Offset is the byte of the query where it was noticed.
	Offset int
	// Expected is what could have stood there, "" when that is not what is wrong.
	Expected string
	Message  string
}

func (e *Error) Error() string { return e.Message }

func errorAt(offset int, format string, args ...any) *Error {
	return &Error{Offset: offset, Message: fmt.Sprintf(format, args...)}
}

// maxExcerpt is how many characters of a query a message repeats.
const maxExcerpt = 30

// syntaxError repeats what stands at the offset; at the end of the text, what stands before it.
func syntaxError(text string, offset int, expected string) *Error {
	e := errorAt(offset, "Invalid syntax near '%s'", excerpt(text, offset))
	e.Expected = expected
	return e
}

func excerpt(text string, offset int) string {
	if offset < len(text) {
		end := offset
		for range maxExcerpt {
			if end == len(text) {
				break
			}
			_, size := utf8.DecodeRuneInString(text[end:])
			end += size
		}
		return text[offset:end]
	}
	start := len(text)
	for range maxExcerpt {
		if start == 0 {
			break
		}
		_, size := utf8.DecodeLastRuneInString(text[:start])
		start -= size
	}
	return text[start:]
}
