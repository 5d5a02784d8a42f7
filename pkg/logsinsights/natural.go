// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"strings"
	"unicode/utf8"
)

// naturalCompare is the order of the sort command, ascending: missing values, then texts, then numbers.
// Texts compare by chunks: runs of digits by their length and then their value, other characters by code
// point. Equal numbers put the one with more leading zeros first.
func naturalCompare(a, b value) int {
	ra, rb := rank(a), rank(b)
	if ra != rb {
		return ra - rb
	}
	switch ra {
	case rankNumber:
		x, _ := a.asNumber()
		y, _ := b.asNumber()
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		if a.kind == text || b.kind == text || a.str != "" || b.str != "" {
			s, _ := a.key()
			t, _ := b.key()
			if longWhole(s) && longWhole(t) {
				if len(s) != len(t) {
					return len(s) - len(t)
				}
				return strings.Compare(s, t)
			}
			return leadingZeros(t) - leadingZeros(s)
		}
		return 0
	case rankText:
		s, _ := a.asText()
		t, _ := b.asText()
		return compareChunks(s, t)
	}
	return 0
}

const (
	rankMissing = iota
	rankText
	rankNumber
)

func rank(v value) int {
	switch v.kind {
	case number, boolean, instant:
		return rankNumber
	case text:
		if _, ok := parseNumber(v.str); ok {
			return rankNumber
		}
		return rankText
	}
	return rankMissing // maps and lists cannot be sorted
}

func leadingZeros(s string) int {
	n := 0
	for n < len(s)-1 && s[n] == '0' {
		n++
	}
	return n
}

func compareChunks(s, t string) int {
	for s != "" && t != "" {
		ds, dt := digitRun(s), digitRun(t)
		if ds > 0 && dt > 0 {
			if ds != dt {
				return ds - dt
			}
			if c := strings.Compare(s[:ds], t[:dt]); c != 0 {
				return c
			}
			s, t = s[ds:], t[dt:]
			continue
		}
		rs, ns := utf8.DecodeRuneInString(s)
		rt, nt := utf8.DecodeRuneInString(t)
		if rs != rt {
			return int(rs) - int(rt)
		}
		s, t = s[ns:], t[nt:]
	}
	return len(s) - len(t)
}

func digitRun(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}
