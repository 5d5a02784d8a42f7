// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatchlogs

import (
	"encoding/json"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// leafKind is the JSON type of a member's value.
type leafKind uint8

const (
	leafNone leafKind = iota
	leafString
	leafEscaped // a string with escapes
	leafNumber
	leafTrue
	leafFalse
	leafNull   // or NaN, or an infinity
	leafNested // an object or array
)

// leaf is the value of a member: its place in the text, quotes of strings excluded.
type leaf struct {
	kind       leafKind
	start, end int
}

// members are the values of the top-level members that somebody wants, by key.
type members [keyCount]leaf

// scanObject reads a message that is one JSON object, checks all of it, and finds the wanted members at its top level.
// Of members with equal keys the first counts. It reports false when the message is anything else, and allocates
// nothing unless a key has escapes. When until is not 0 it stops, and reports true, as soon as a member of each of
// these classes was found.
//
// JSON is what queries take for it: RFC 8259, and besides it a comma behind the last member or element, NaN, Inf and
// Infinity in any case; half a surrogate pair is none.
func scanObject(s string, found *members, until class) bool {
	var seen class
	i := skipSpace(s, 0)
	if i == len(s) || s[i] != '{' {
		return false
	}
	// Text that merely begins like an object is told by its end, before the whole is read.
	end := len(s)
	for isSpace(s[end-1]) { // ends at the brace found above
		end--
	}
	if s[end-1] != '}' {
		return false
	}
	i = skipSpace(s, i+1)
	for {
		if i >= len(s) {
			return false
		}
		if s[i] != '"' {
			return s[i] == '}' && skipSpace(s, i+1) == len(s)
		}
		keyEnd, escaped, ok := scanString(s, i+1)
		if !ok {
			return false
		}
		var k key
		if escaped {
			k = keyOf(unescape(s[i : keyEnd+1]))
		} else {
			k = keyOf(s[i+1 : keyEnd])
		}
		i = keyEnd + 1
		if i >= len(s) || s[i] != ':' {
			if i = skipSpace(s, i); i >= len(s) || s[i] != ':' {
				return false
			}
		}
		if i++; i < len(s) && s[i] <= ' ' {
			i = skipSpace(s, i)
		}
		v, next := scanValue(s, i)
		if v.kind == leafNone {
			return false
		}
		if k != keyOther && found[k].kind == leafNone {
			found[k] = v
			if seen |= classes[k]; until != 0 && seen == until {
				return true
			}
		}
		if i = next; i < len(s) && s[i] <= ' ' {
			i = skipSpace(s, i)
		}
		if i >= len(s) {
			return false
		}
		switch s[i] {
		case '}':
			return skipSpace(s, i+1) == len(s)
		case ',':
			if i++; i < len(s) && s[i] <= ' ' {
				i = skipSpace(s, i)
			}
		default:
			return false
		}
	}
}

// scanValue reads the value at i. The kind is leafNone when there is none.
func scanValue(s string, i int) (v leaf, next int) {
	if i >= len(s) {
		return leaf{}, i
	}
	if s[i] != '{' && s[i] != '[' {
		return scanScalar(s, i)
	}
	end, ok := skipNested(s, i)
	if !ok {
		return leaf{}, i
	}
	return leaf{leafNested, i, end}, end
}

// scanScalar is scanValue for values that hold no others.
func scanScalar(s string, i int) (v leaf, next int) {
	switch s[i] {
	case '"':
		end, escaped, ok := scanString(s, i+1)
		switch {
		case !ok:
			return leaf{}, i
		case escaped:
			return leaf{leafEscaped, i + 1, end}, end + 1
		}
		return leaf{leafString, i + 1, end}, end + 1
	case 't':
		if len(s)-i >= 4 && s[i:i+4] == "true" {
			return leaf{leafTrue, i, i + 4}, i + 4
		}
	case 'f':
		if len(s)-i >= 5 && s[i:i+5] == "false" {
			return leaf{leafFalse, i, i + 5}, i + 5
		}
	case 'n':
		if len(s)-i >= 4 && s[i:i+4] == "null" {
			return leaf{leafNull, i, i + 4}, i + 4
		}
	default:
		if end, ok := scanNumber(s, i); ok {
			return leaf{leafNumber, i, end}, end
		}
	}
	if end, ok := scanNoNumber(s, i); ok {
		return leaf{leafNull, i, end}, end
	}
	return leaf{}, i
}

// scanNoNumber reads NaN, Inf or Infinity, in any case and with a sign or not.
func scanNoNumber(s string, i int) (int, bool) {
	if s[i] == '-' {
		i++
	}
	for _, word := range [...]string{"nan", "infinity", "inf"} {
		if len(s)-i >= len(word) && strings.EqualFold(s[i:i+len(word)], word) {
			return i + len(word), true
		}
	}
	return i, false
}

// skipNested reads the object or array that begins at i and returns the place behind it. It does not recurse: what is
// open is a stack of bits, 1 for an object.
func skipNested(s string, i int) (int, bool) {
	var few [4]uint64
	open, depth := few[:], 0
	for {
		// An object or array begins at i.
		if depth == 64*len(open) {
			open = append(open, 0)
		}
		closing := s[i] + 2 // '{' and '}' are two apart, and so are '[' and ']'
		if closing == '}' {
			open[depth/64] |= 1 << (depth % 64)
		} else {
			open[depth/64] &^= 1 << (depth % 64)
		}
		depth++
		i++
		for {
			// A member or element begins at i, or the end.
			if i = skipSpace(s, i); i >= len(s) {
				return i, false
			}
			if s[i] == closing {
				i++
				if depth--; depth == 0 {
					return i, true
				}
				closing = ']'
				if open[(depth-1)/64]&(1<<((depth-1)%64)) != 0 {
					closing = '}'
				}
			} else {
				if closing == '}' {
					var ok bool
					if i, ok = skipKey(s, i); !ok {
						return i, false
					}
				}
				if s[i] == '{' || s[i] == '[' {
					break
				}
				v, next := scanScalar(s, i)
				if v.kind == leafNone {
					return i, false
				}
				i = next
			}
			// A value ended before i.
			if i = skipSpace(s, i); i >= len(s) {
				return i, false
			}
			if s[i] == ',' {
				i++
			} else if s[i] != closing {
				return i, false
			}
		}
	}
}

// skipKey reads a key and its colon, and returns where the value begins.
func skipKey(s string, i int) (int, bool) {
	if s[i] != '"' {
		return i, false
	}
	i, _, ok := scanString(s, i+1)
	if !ok {
		return i, false
	}
	if i = skipSpace(s, i+1); i >= len(s) || s[i] != ':' {
		return i, false
	}
	i = skipSpace(s, i+1)
	return i, i < len(s)
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// scanString reads a string from behind its opening quote to its closing one, eight bytes at a time.
func scanString(s string, i int) (end int, escaped, ok bool) {
	for {
		for i+8 <= len(s) {
			b := s[i : i+8]
			w := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
				uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
			quote, slash := w^(ones*'"'), w^(ones*'\\')
			// The lowest marked byte is exact: a borrow can only mark bytes above a true hit.
			hit := ((quote - ones) &^ quote) | ((slash - ones) &^ slash) | ((w - ones*0x20) &^ w)
			if hit &= highs; hit != 0 {
				i += bits.TrailingZeros64(hit) / 8
				break
			}
			i += 8
		}
		for i < len(s) && s[i] != '"' && s[i] != '\\' && s[i] >= 0x20 {
			i++
		}
		if i >= len(s) || s[i] < 0x20 {
			return i, escaped, false
		}
		if s[i] == '"' {
			return i, escaped, true
		}
		escaped = true
		if i+1 >= len(s) {
			return i, escaped, false
		}
		switch s[i+1] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			i += 2
		case 'u':
			n := unicodeEscape(s, i)
			if n == 0 {
				return i, escaped, false
			}
			i += n
		default:
			return i, escaped, false
		}
	}
}

// unicodeEscape is the length of the \u escape at i, with its second half if it is the first of a surrogate pair, or 0.
func unicodeEscape(s string, i int) int {
	switch r := hex4(s, i+2); {
	case r < 0 || r >= 0xdc00 && r <= 0xdfff:
		return 0
	case r < 0xd800 || r > 0xdbff:
		return 6
	}
	if i+8 > len(s) || s[i+6] != '\\' || s[i+7] != 'u' {
		return 0
	}
	if low := hex4(s, i+8); low < 0xdc00 || low > 0xdfff {
		return 0
	}
	return 12
}

// hex4 reads four hex digits, or returns -1.
func hex4(s string, i int) int {
	if i+4 > len(s) {
		return -1
	}
	a, b, c, d := hexDigit[s[i]], hexDigit[s[i+1]], hexDigit[s[i+2]], hexDigit[s[i+3]]
	if a|b|c|d > 15 {
		return -1
	}
	return int(a)<<12 | int(b)<<8 | int(c)<<4 | int(d)
}

// scanNumber reads a number and returns the place behind it.
func scanNumber(s string, i int) (int, bool) {
	if i < len(s) && s[i] == '-' {
		i++
	}
	switch {
	case i >= len(s) || s[i] < '0' || s[i] > '9':
		return i, false
	case s[i] == '0':
		i++
	default:
		i = skipDigits(s, i)
	}
	if i < len(s) && s[i] == '.' {
		j := skipDigits(s, i+1)
		if j == i+1 {
			return i, false
		}
		i = j
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		j := skipDigits(s, i)
		if j == i {
			return i, false
		}
		i = j
	}
	return i, true
}

func skipDigits(s string, i int) int {
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return i
}

func skipSpace(s string, i int) int {
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// unescape decodes a JSON string, quotes included, that scanString accepted.
func unescape(quoted string) string {
	var s string
	if err := json.Unmarshal([]byte(quoted), &s); err != nil {
		return ""
	}
	return s
}

// text is the text of a leaf as Logs Insights gives it: strings decoded, the digits of numbers (fractions and exponents
// in their shortest form), booleans 1 and 0. Null, objects and arrays have none.
func (v leaf) text(s string) string {
	switch v.kind {
	case leafString:
		return s[v.start:v.end]
	case leafEscaped:
		return unescape(s[v.start-1 : v.end+1])
	case leafNumber:
		return numberText(s[v.start:v.end])
	case leafTrue:
		return "1"
	case leafFalse:
		return "0"
	}
	return ""
}

// str is the text of a leaf that is a string.
func (v leaf) str(s string) string {
	if v.kind == leafString || v.kind == leafEscaped {
		return v.text(s)
	}
	return ""
}

// number is the number that a leaf is, or that it spells as a string.
func (v leaf) number(s string) (float64, bool) {
	switch v.kind {
	case leafNumber:
		f, err := strconv.ParseFloat(s[v.start:v.end], 64)
		return f, err == nil
	case leafString, leafEscaped:
		return spelledNumber(v.text(s))
	}
	return 0, false
}

// spelledNumber reads a text that is a decimal number and nothing else: an optional sign, digits with an optional dot
// among or around them, an optional exponent.
func spelledNumber(s string) (float64, bool) {
	const most = 400 // what is longer is no number that anybody wrote
	i := 0
	if s != "" && (s[0] == '-' || s[0] == '+') {
		i = 1
	}
	whole := skipDigits(s, i)
	digits := whole - i
	if i = whole; i < len(s) && s[i] == '.' {
		end := skipDigits(s, i+1)
		digits += end - i - 1
		i = end
	}
	if digits == 0 || len(s) > most {
		return 0, false
	}
	if i < len(s) {
		if s[i]|0x20 != 'e' {
			return 0, false
		}
		if i++; i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if end := skipDigits(s, i); end == i || end != len(s) {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// numberText is a JSON number as results print it.
func numberText(lit string) string {
	if lit == "-0" {
		return "0"
	}
	whole := skipDigits(lit, 0)
	if whole == 0 { // the sign
		whole = skipDigits(lit, 1)
	}
	if whole == len(lit) {
		return lit
	}
	f, err := strconv.ParseFloat(lit, 64)
	if err != nil { // beyond float64
		return lit
	}
	if a := math.Abs(f); a == 0 || a >= 1e-6 && a < 1e21 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	s := strings.Replace(strconv.FormatFloat(f, 'e', -1, 64), "e+", "e", 1)
	return strings.Replace(s, "e-0", "e-", 1)
}
