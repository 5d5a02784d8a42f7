// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// appendJavaDouble writes a finite number as AWS's services do, which is how Java does: 41.0, 1.0E10, 1.5E-4.
func appendJavaDouble(dst []byte, f float64, size int) []byte {
	if abs := math.Abs(f); abs != 0 && (abs < 1e-3 || abs >= 1e7) {
		n := len(dst)
		dst = strconv.AppendFloat(dst, f, 'E', -1, size)
		// Go writes 1E+10 and 1.5E-04.
		e := n + slices.Index(dst[n:], 'E')
		mantissa, exponent := string(dst[n:e]), string(dst[e+1:])
		dst = append(dst[:n], mantissa...)
		if !strings.Contains(mantissa, ".") {
			dst = append(dst, ".0"...)
		}
		dst = append(dst, 'E')
		if exponent[0] == '-' {
			dst = append(dst, '-')
		}
		return append(dst, strings.TrimLeft(exponent[1:], "0")...)
	}
	n := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, size)
	if !slices.Contains(dst[n:], '.') {
		dst = append(dst, ".0"...)
	}
	return dst
}

func sortedKeys(m reflect.Value) []reflect.Value {
	keys := m.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	return keys
}
