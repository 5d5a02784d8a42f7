// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"math"
	"unicode"
	"unicode/utf8"
)

// What PutMetricData accepts.
const (
	MaxDimensions           = 30
	MaxNamespaceLength      = 255
	MaxMetricNameLength     = 255
	MaxDimensionNameLength  = 255
	MaxDimensionValueLength = 1024
)

// MaxValue is the greatest magnitude of a value: 2^360.
var MaxValue = math.Ldexp(1, 360)

// ValidValue reports whether a number may be published: it is finite and its magnitude is at most [MaxValue].
func ValidValue(v float64) bool { return v >= -MaxValue && v <= MaxValue }

// Charset is which characters a name may have.
type Charset int

const (
	// CharsetUnicode allows all but control characters, in valid UTF-8. Telemetry that did not come from AWS has them.
	CharsetUnicode Charset = iota
	// CharsetASCII is what CloudWatch itself accepts: printable ASCII.
	CharsetASCII
)

// ValidNamespace reports whether s may be a namespace. Names beginning with AWS/ are valid here; PutMetricData
// reserves them.
func ValidNamespace(s string, c Charset) bool {
	return validName(s, MaxNamespaceLength, c) && s[0] != ':'
}

// ValidMetricName reports whether s may be a metric's name.
func ValidMetricName(s string, c Charset) bool { return validName(s, MaxMetricNameLength, c) }

// ValidDimensionName reports whether s may be a dimension's name.
func ValidDimensionName(s string, c Charset) bool {
	return validName(s, MaxDimensionNameLength, c) && s[0] != ':'
}

// ValidDimensionValue reports whether s may be a dimension's value.
func ValidDimensionValue(s string, c Charset) bool { return validName(s, MaxDimensionValueLength, c) }

// validName reports whether s has 1 to limit characters of the charset, one of them not blank.
func validName(s string, limit int, c Charset) bool {
	blank := true
	for i := range len(s) {
		b := s[i]
		switch {
		case b >= utf8.RuneSelf:
			return c == CharsetUnicode && validUnicodeName(s, limit)
		case b < ' ' || b == 0x7f:
			return false
		case b != ' ':
			blank = false
		}
	}
	return !blank && len(s) <= limit
}

func validUnicodeName(s string, limit int) bool {
	blank, n := true, 0
	for i, r := range s {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return false
			}
		}
		if unicode.IsControl(r) {
			return false
		}
		blank = blank && unicode.IsSpace(r)
		n++
	}
	return !blank && n <= limit
}
