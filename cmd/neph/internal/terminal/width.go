// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// Printable returns s with everything that could move the cursor, recolour the screen or end the line replaced:
// log messages are written by others. Tabs become a space.
func Printable(s string) string {
	if strings.IndexFunc(s, unprintable) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unprintable(r):
			return '\uFFFD'
		}
		return r
	}, s)
}

// unprintable runes are control characters and those that reorder text.
func unprintable(r rune) bool {
	return unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// Columns is the number of terminal columns that s takes.
func Columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	if r < 0x300 { // everything before the first combining mark is one column
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// Truncate shortens s to at most columns, ending it in … when something was cut.
func Truncate(s string, columns int) string {
	if Columns(s) <= columns {
		return s
	}
	if columns <= 0 {
		return ""
	}
	n := 0
	for i, r := range s {
		w := runeColumns(r)
		if n+w > columns-1 {
			return s[:i] + "…"
		}
		n += w
	}
	return s
}

func padRight(s string, columns int) string {
	return s + strings.Repeat(" ", max(0, columns-Columns(s)))
}

func padLeft(s string, columns int) string {
	return strings.Repeat(" ", max(0, columns-Columns(s))) + s
}
