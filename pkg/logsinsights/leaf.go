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

// jsonNumber is a number that keeps its literal.
func jsonNumber(lit string) value {
	f, err := strconv.ParseFloat(lit, 64)
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0) && err == nil: // -Infinity
		return value{}
	case err != nil: // beyond float64: a text of digits, no number to reckon with
		return textValue(lit)
	}
	return value{kind: number, num: f, str: lit}
}

// literalText is the text of a JSON number: the digits of whole numbers as they are, fractions and exponents in their
// shortest form. 1.50 is 1.5 and 1e3 is 1000.
func (v value) literalText() string {
	if v.str == "-0" {
		return "0"
	}
	for i := range len(v.str) {
		if !isDigit(v.str[i]) && v.str[i] != '-' {
			return jsonscan.ShortestNumber(v.num)
		}
	}
	return v.str
}
