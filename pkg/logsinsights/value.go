// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"math"
	"strconv"
	"strings"
	"time"
)

type kind uint8

const (
	missing  kind = iota // the event has no such field
	number               // num; str is the literal of a JSON number, "" for a computed one
	text                 // str
	boolean              // num is 1 or 0
	instant              // num is Unix milliseconds; prints as a date
	document             // str is the JSON text of a map or a list
)

// value is what an expression evaluates to.
type value struct {
	kind kind
	num  float64
	str  string
}

func textValue(s string) value { return value{kind: text, str: s} }

func timeValue(ms int64) value { return value{kind: instant, num: float64(ms)} }

func boolValue(b bool) value {
	if b {
		return value{kind: boolean, num: 1}
	}
	return value{kind: boolean}
}

// flag is what the predicates return that print as 1 and 0.
func flag(b bool) value {
	if b {
		return value{kind: number, num: 1}
	}
	return value{kind: number}
}

// numberValue is a computed number. What is not finite is missing: a division by zero, an overflow.
func numberValue(f float64) value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return value{}
	}
	return value{kind: number, num: f}
}

// asNumber is the value as a number. A text is one when it spells a number and nothing else.
func (v value) asNumber() (float64, bool) {
	switch v.kind {
	case number, boolean, instant:
		return v.num, true
	case text:
		return parseNumber(v.str)
	}
	return 0, false
}

// asText is the value as string functions, like and group keys see it. Maps and lists are no texts.
func (v value) asText() (string, bool) {
	switch v.kind {
	case text:
		return v.str, true
	case number:
		if v.str != "" {
			return v.literalText(), true
		}
		return formatNumber(v.num), true
	case boolean:
		if v.num != 0 {
			return "1", true
		}
		return "0", true
	case instant:
		return formatTime(int64(v.num)), true
	}
	return "", false
}

// key is the text by which values are told apart in groups, sets and dedup: the text of a computed number
// at full precision, otherwise what is printed.
func (v value) key() (string, bool) {
	if v.kind == number && v.str == "" {
		if v.num == 0 {
			return "0", true // not -0
		}
		return strconv.FormatFloat(v.num, 'f', -1, 64), true
	}
	return v.asText()
}

// print is the text of a result cell; false means that the cell is absent.
func (v value) print() (string, bool) {
	if v.kind == document {
		return v.str, true
	}
	return v.asText()
}

// truth is whether filter keeps a row for which its expression has this value.
func (v value) truth() bool {
	if v.kind == text && strings.EqualFold(v.str, "true") {
		return true
	}
	f, ok := v.asNumber()
	return ok && f != 0
}

// formatNumber writes a computed number: whole ones without exponent, fractions with four decimals at
// most and no zeros at the end.
func formatNumber(f float64) string {
	if f == math.Trunc(f) {
		if f == 0 {
			return "0" // not -0
		}
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	s := strings.TrimRight(strconv.FormatFloat(f, 'f', 4, 64), "0")
	s = strings.TrimSuffix(s, ".")
	if s == "-0" {
		return "0"
	}
	return s
}

// timeLayout is how results print times.
const timeLayout = "2006-01-02 15:04:05.000"

func formatTime(ms int64) string { return time.UnixMilli(ms).UTC().Format(timeLayout) }

// parseNumber reads a text that spells a decimal number: an optional sign, digits with an optional dot, an
// optional exponent. Blanks, digit separators, hexadecimal, infinities and numbers beyond float64 are none.
func parseNumber(s string) (float64, bool) {
	if s == "" || len(s) > 400 || s[0] > '9' {
		return 0, false
	}
	i := 0
	if s[0] == '-' || s[0] == '+' {
		i = 1
	}
	if !isNumberToken(s[i:]) {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// equal compares two present values. Numbers and texts that spell numbers compare as numbers, but whole
// numbers of more than 15 digits, which float64 cannot tell apart, compare by their digits.
func equal(a, b value) bool {
	if a.kind == boolean && b.kind == text || a.kind == text && b.kind == boolean {
		if eq, decided := equalBoolText(a, b); decided {
			return eq
		}
	}
	x, xok := a.asNumber()
	y, yok := b.asNumber()
	if xok && yok {
		if x != y {
			return false
		}
		if math.Abs(x) >= 1e15 {
			s, _ := a.key()
			t, _ := b.key()
			if longWhole(s) && longWhole(t) {
				return s == t
			}
		}
		return true
	}
	s, sok := a.asText()
	t, tok := b.asText()
	return sok && tok && s == t
}

// equalBoolText compares a JSON boolean with the texts true and false.
func equalBoolText(a, b value) (eq, decided bool) {
	if a.kind == text {
		a, b = b, a
	}
	switch b.str {
	case "true":
		return a.num == 1, true
	case "false":
		return a.num == 0, true
	}
	return false, false
}

// longWhole is whether s is a whole number in plain digits with more than 15 of them.
func longWhole(s string) bool {
	if s != "" && s[0] == '-' {
		s = s[1:]
	}
	if len(s) <= 15 || s[0] == '0' {
		return false
	}
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// compareValues orders two values for < and >: numbers with numbers, other texts with other texts.
// Anything else has no order.
func compareValues(a, b value) (int, bool) {
	x, xok := a.asNumber()
	y, yok := b.asNumber()
	if xok && yok {
		switch {
		case x < y:
			return -1, true
		case x > y:
			return 1, true
		}
		return 0, true
	}
	if xok != yok {
		return 0, false
	}
	s, sok := a.asText()
	t, tok := b.asText()
	if !sok || !tok {
		return 0, false
	}
	return strings.Compare(s, t), true
}
