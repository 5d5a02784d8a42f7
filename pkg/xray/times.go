// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"fmt"
	"strconv"
)

// parseSeconds reads a JSON number of seconds as nanoseconds, rounded half up. It works on the decimal digits:
// a float64 of today's time in seconds is exact to about 200 ns only.
func parseSeconds(lit string) (int64, error) {
	if lit == "" || lit[0] == '-' {
		return 0, fmt.Errorf("time %s is negative", clip(lit, 40))
	}
	var digits [20]byte // significant digits; more than 19 before the point are out of range anyway
	n, point, sawPoint, leading := 0, 0, false, true
	i := 0
loop:
	for ; i < len(lit); i++ {
		c := lit[i]
		switch {
		case c == '.':
			sawPoint = true
		case c == 'e' || c == 'E':
			break loop
		case leading && c == '0':
			if sawPoint {
				point--
			}
		default:
			leading = false
			if n < len(digits) {
				digits[n] = c
				n++
			}
			if !sawPoint {
				point++
			}
		}
	}
	exp := 0
	if i < len(lit) {
		e, err := strconv.Atoi(lit[i+1:])
		if n > 0 && lit[i+1] != '-' && (err != nil || e > 1000) {
			return 0, fmt.Errorf("time %s is out of range", clip(lit, 40))
		}
		if err != nil || e < -1<<20 {
			return 0, nil // nothing times a power, or less than can be told from zero
		}
		exp = e
	}
	if n == 0 {
		return 0, nil
	}
	// The value is 0.d1d2d3… x 10^(point+exp) s; whole is how many digits stand before the nanoseconds' point.
	whole := point + exp + 9
	if whole < 0 {
		return 0, nil
	}
	if whole > 19 {
		return 0, fmt.Errorf("time %s is out of range", clip(lit, 40))
	}
	var v uint64
	for k := range whole {
		v *= 10
		if k < n {
			v += uint64(digits[k] - '0') //nolint:gosec // n is at most len(digits)
		}
	}
	if whole < n && digits[whole] >= '5' {
		v++
	}
	if v > 1<<63-1 {
		return 0, fmt.Errorf("time %s is out of range", clip(lit, 40))
	}
	return int64(v), nil
}

// appendSeconds writes nanoseconds as a JSON number of seconds, exactly and without trailing zeros.
func appendSeconds(dst []byte, ns int64) []byte {
	if ns < 0 {
		ns = 0
	}
	dst = strconv.AppendInt(dst, ns/1e9, 10)
	frac := ns % 1e9
	if frac == 0 {
		return dst
	}
	var b [10]byte
	b[0] = '.'
	for i := 9; i > 0; i-- {
		b[i] = byte('0' + frac%10)
		frac /= 10
	}
	end := len(b)
	for b[end-1] == '0' {
		end--
	}
	return append(dst, b[:end]...)
}

// canonicalSeconds is true when lit is what appendSeconds writes for ns.
func canonicalSeconds(lit string, ns int64) bool {
	var b [32]byte
	return string(appendSeconds(b[:0], ns)) == lit
}
