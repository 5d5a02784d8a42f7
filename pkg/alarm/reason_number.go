// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"bytes"
	"math"
	"strconv"
)

// appendDouble spells a number as Java's Double.toString does, in which CloudWatch writes all of its texts: 1.0, 0.05,
// 1.0E10.
func appendDouble(dst []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(dst, "NaN"...)
	case math.IsInf(v, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(v, -1):
		return append(dst, "-Infinity"...)
	}
	const lowest, highest = 1e-3, 1e7 // what is written without an exponent
	if a := math.Abs(v); a == 0 || a >= lowest && a < highest {
		start := len(dst)
		dst = strconv.AppendFloat(dst, v, 'f', -1, 64)
		return withFraction(dst, start)
	}
	var buf [32]byte
	text := strconv.AppendFloat(buf[:0], v, 'e', -1, 64)
	if text[1] == 'e' || text[0] == '-' && text[2] == 'e' {
		text = strconv.AppendFloat(buf[:0], v, 'e', 1, 64) // Java has two digits at least, and takes the nearest two
	}
	e := 0
	for text[e] != 'e' {
		e++
	}
	start := len(dst)
	dst = withFraction(append(dst, text[:e]...), start)
	dst = append(dst, 'E')
	exponent := text[e+1:]
	if exponent[0] == '-' {
		dst = append(dst, '-')
	}
	exponent = exponent[1:]
	for len(exponent) > 1 && exponent[0] == '0' {
		exponent = exponent[1:]
	}
	return append(dst, exponent...)
}

// withFraction makes sure that a number has a fraction.
func withFraction(dst []byte, start int) []byte {
	if bytes.IndexByte(dst[start:], '.') >= 0 {
		return dst
	}
	return append(dst, ".0"...)
}
