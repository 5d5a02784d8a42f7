// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"math"
	"strconv"

	"github.com/nephoscope/nephoscope/pkg/logsinsights/jsonscan"
)

// leaf is the value of the JSON value whose text is lit. Null is missing, a map or list a document.
func leaf(lit string) value {
	switch lit[0] {
	case '"':
		return textValue(jsonscan.Unquote(lit))
	case 't':
		return boolValue(true)
	case 'f':
		return boolValue(false)
	case '{', '[':
		return value{kind: document, str: lit}
	}
	if lit[0] == '-' || isDigit(lit[0]) {
		return jsonNumber(lit)
	}
	return value{} // null, NaN, Infinity
}

// jsonNumber keeps the digits of whole numbers and brings fractions and exponents to their shortest form:
// 1.50 is 1.5 and 1e3 is 1000.
func jsonNumber(lit string) value {
	f, err := strconv.ParseFloat(lit, 64)
	if math.IsNaN(f) || math.IsInf(f, 0) && err == nil {
		return value{} // -Infinity
	}
	whole := true
	for i := range len(lit) {
		if !isDigit(lit[i]) && lit[i] != '-' {
			whole = false
			break
		}
	}
	switch {
	case lit == "-0":
		lit = "0"
	case err != nil: // beyond float64: a text of digits, no number to reckon with
		return textValue(lit)
	case !whole:
		lit = jsonscan.ShortestNumber(f)
	}
	return value{kind: number, num: f, str: lit}
}

