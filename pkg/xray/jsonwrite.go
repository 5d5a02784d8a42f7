// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// appendComma separates what follows from a value before it.
func appendComma(dst []byte) []byte {
	if len(dst) == 0 {
		return dst
	}
	switch dst[len(dst)-1] {
	case '{', '[', ':', ',':
		return dst
	}
	return append(dst, ',')
}

const hexDigits = "0123456789abcdef"

// appendString writes s as a JSON string. What is not UTF-8 becomes U+FFFD.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, s[from:i]...), "\uFFFD"...)
				from = i + 1
			}
			i += size
			continue
		}
		if c >= 0x20 && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[from:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		from = i
	}
	return append(append(dst, s[from:]...), '"')
}

// appendFloat writes a finite number the way encoding/json does.
func appendFloat(dst []byte, f float64) []byte {
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, 64)
}

// canonicalFloat is true when lit is what appendFloat writes for f.
func canonicalFloat(lit string, f float64) bool {
	var b [64]byte
	return string(appendFloat(b[:0], f)) == lit
}
