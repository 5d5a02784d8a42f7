// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsonscan walks JSON texts without building them, for the languages that look for a few values in many
// log events.
//
// What it accepts is what the embedded engine's JSON functions accept, so that a field is there in both or in none:
// RFC 8259, and besides it a comma behind the last member, NaN and Infinity (Python's json writes them).
package jsonscan

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// SkipSpace returns the position of the next byte that is not a blank.
func SkipSpace(s string, i int) int {
	for i < len(s) {
		switch s[i] {
		case ' ', '\t', '\n', '\r':
			i++
		default:
			return i
		}
	}
	return i
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// SkipString returns the position behind the string whose opening quote is at i, or -1.
func SkipString(s string, i int) int {
	i++
	for {
		// Eight bytes at a time, up to one that is a quote, a backslash or a control character. The lowest byte that
		// is marked is one of them: a borrow marks only bytes above it.
		for i+8 <= len(s) {
			b := s[i : i+8]
			w := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
				uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
			quote, slash := w^(ones*'"'), w^(ones*'\\')
			hit := ((quote-ones)&^quote | (slash-ones)&^slash | (w-ones*0x20)&^w) & highs
			if hit != 0 {
				i += bits.TrailingZeros64(hit) / 8
				break
			}
			i += 8
		}
		for i < len(s) && s[i] != '"' && s[i] != '\\' && s[i] >= 0x20 {
			i++
		}
		if i >= len(s) || s[i] < 0x20 {
			return -1
		}
		if s[i] == '"' {
			return i + 1
		}
		n := escapeLen(s, i)
		if n < 0 {
			return -1
		}
		i += n
	}
}

// escapeLen is the length of the escape at i, both halves of a surrogate pair, or -1 when it is none.
func escapeLen(s string, i int) int {
	if i+1 >= len(s) {
		return -1
	}
	switch s[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		r := hex4(s, i+2)
		switch {
		case r < 0 || r >= 0xdc00 && r <= 0xdfff:
			return -1
		case r < 0xd800 || r > 0xdbff:
			return 6
		}
		if i+7 >= len(s) || s[i+6] != '\\' || s[i+7] != 'u' {
			return -1
		}
		if low := hex4(s, i+8); low < 0xdc00 || low > 0xdfff {
			return -1
		}
		return 12
	}
	return -1
}

// hex4 reads four hexadecimal digits, or returns -1.
func hex4(s string, i int) rune {
	if i+4 > len(s) {
		return -1
	}
	var r rune
	for _, c := range []byte(s[i : i+4]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// skipNumber returns the position behind the number at i, or -1.
func skipNumber(s string, i int) int {
	if i < len(s) && s[i] == '-' {
		i++
	}
	if i >= len(s) {
		return -1
	}
	switch c := s[i]; {
	case c == '0':
		i++
		if i < len(s) && isDigit(s[i]) {
			return -1
		}
	case c >= '1' && c <= '9':
		for i < len(s) && isDigit(s[i]) {
			i++
		}
	default:
		return skipWord(s, i, "nan", "inf")
	}
	if i < len(s) && s[i] == '.' {
		i++
		from := i
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		if i == from {
			return -1
		}
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		from := i
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		if i == from {
			return -1
		}
	}
	return i
}

// skipWord reads NaN, Inf and Infinity in any case.
func skipWord(s string, i int, words ...string) int {
	for _, w := range words {
		if len(s)-i < len(w) || !strings.EqualFold(s[i:i+len(w)], w) {
			continue
		}
		if w == "inf" && len(s)-i >= 8 && strings.EqualFold(s[i:i+8], "infinity") {
			return i + 8
		}
		return i + len(w)
	}
	return -1
}

// skipScalar returns the position behind the string, number or word at i, or -1.
func skipScalar(s string, i int) int {
	switch s[i] {
	case '"':
		return SkipString(s, i)
	case 't':
		return skipExact(s, i, "true")
	case 'f':
		return skipExact(s, i, "false")
	case 'n':
		if end := skipExact(s, i, "null"); end >= 0 {
			return end
		}
		return skipWord(s, i, "nan")
	}
	return skipNumber(s, i)
}

func skipExact(s string, i int, word string) int {
	if strings.HasPrefix(s[i:], word) {
		return i + len(word)
	}
	return -1
}

// SkipValue returns the position behind the value at i, or -1 when there is none. It does not recurse: the
// containers that are open are bits, set for an object.
func SkipValue(s string, i int) int {
	var room [4]uint64
	open := room[:]
	depth := 0
	for {
		// A value begins here.
		i = SkipSpace(s, i)
		if i >= len(s) {
			return -1
		}
		switch s[i] {
		case '{', '[':
			object := s[i] == '{'
			if depth == len(open)*64 {
				open = append(open, 0)
			}
			if object {
				open[depth/64] |= 1 << (depth % 64)
			} else {
				open[depth/64] &^= 1 << (depth % 64)
			}
			depth++
			i = SkipSpace(s, i+1)
			if i >= len(s) {
				return -1
			}
			switch {
			case object && s[i] == '}' || !object && s[i] == ']':
				i++
				depth--
			case object:
				if i = skipKey(s, i); i < 0 {
					return -1
				}
				continue
			default:
				continue
			}
		default:
			if i = skipScalar(s, i); i < 0 {
				return -1
			}
		}
		// A value ended here.
		for {
			if depth == 0 {
				return i
			}
			i = SkipSpace(s, i)
			if i >= len(s) {
				return -1
			}
			object := open[(depth-1)/64]&(1<<((depth-1)%64)) != 0
			last := byte(']')
			if object {
				last = '}'
			}
			if s[i] == ',' {
				i = SkipSpace(s, i+1)
				if i >= len(s) {
					return -1
				}
				if s[i] != last {
					if object {
						if i = skipKey(s, i); i < 0 {
							return -1
						}
					}
					break
				}
			}
			if s[i] != last {
				return -1
			}
			i++
			depth--
		}
	}
}

// skipKey returns the position behind the key at i and its colon, or -1.
func skipKey(s string, i int) int {
	if s[i] != '"' {
		return -1
	}
	if i = SkipString(s, i); i < 0 {
		return -1
	}
	i = SkipSpace(s, i)
	if i >= len(s) || s[i] != ':' {
		return -1
	}
	return i + 1
}

// Unquote is the text of the JSON string literal lit, quotes included.
func Unquote(lit string) string {
	body := lit[1 : len(lit)-1]
	at := strings.IndexByte(body, '\\')
	if at < 0 {
		return body
	}
	b := make([]byte, 0, len(body))
	for at >= 0 {
		b = append(b, body[:at]...)
		n := escapeLen(body, at)
		switch c := body[at+1]; c {
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'u':
			r := hex4(body, at+2)
			if n == 12 {
				r = utf16.DecodeRune(r, hex4(body, at+8))
			}
			b = utf8.AppendRune(b, r)
		default:
			b = append(b, c)
		}
		body = body[at+n:]
		at = strings.IndexByte(body, '\\')
	}
	return string(append(b, body...))
}

// EachMember calls yield for the members of the object s, which is valid JSON.
func EachMember(s string, yield func(key, lit string) bool) {
	i := SkipSpace(s, 1)
	for i >= 0 && i < len(s) && s[i] == '"' {
		end := SkipString(s, i)
		if end < 0 {
			return
		}
		key := Unquote(s[i:end])
		i = SkipSpace(s, SkipSpace(s, end)+1)
		end = SkipValue(s, i)
		if end < 0 || !yield(key, s[i:end]) {
			return
		}
		i = SkipSpace(s, end)
		if i < len(s) && s[i] == ',' {
			i = SkipSpace(s, i+1)
		}
	}
}

// EachElement calls yield for the elements of the array s, which is valid JSON.
func EachElement(s string, yield func(lit string) bool) {
	i := SkipSpace(s, 1)
	for i < len(s) && s[i] != ']' {
		end := SkipValue(s, i)
		if end < 0 || !yield(s[i:end]) {
			return
		}
		i = SkipSpace(s, end)
		if i < len(s) && s[i] == ',' {
			i = SkipSpace(s, i+1)
		}
	}
}

// ShortestNumber writes f with the fewest digits that read back as f, with an exponent below 1e-6 and from 1e21.
func ShortestNumber(f float64) string {
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		s := strconv.FormatFloat(f, 'e', -1, 64)
		s = strings.Replace(s, "e+", "e", 1)
		if n := len(s); s[n-2] == '0' && (s[n-3] == '-' || s[n-3] == 'e') { // e-07
			s = s[:n-2] + s[n-1:]
		}
		return s
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// Valid is whether s is one JSON value, with blanks around it or not. It returns the value's place.
func Valid(s string) (begin, end int, ok bool) {
	begin = SkipSpace(s, 0)
	end = SkipValue(s, begin)
	return begin, end, end >= 0 && SkipSpace(s, end) == len(s)
}
