// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"golang.org/x/term"
)

// Color is one of the terminal's own sixteen colours, so that what is drawn follows the user's theme.
type Color int

// Colours.
const (
	ColorNone Color = iota
	ColorRed
	ColorGreen
	ColorYellow
	ColorBlue
	ColorMagenta
	ColorCyan
)

var colorCodes = [...]string{"", "31", "32", "33", "34", "35", "36"}

// Style says how text may be dressed. The zero Style writes plain text.
type Style struct {
	Colors bool
}

// Color dresses s in c.
func (st Style) Color(c Color, s string) string {
	if c == ColorNone {
		return s
	}
	return st.dress(colorCodes[c], s)
}

// Bold dresses s in bold.
func (st Style) Bold(s string) string { return st.dress("1", s) }

// Dim dresses s in the terminal's faint text.
func (st Style) Dim(s string) string { return st.dress("2", s) }

func (st Style) dress(code, s string) string {
	if !st.Colors || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// Output is where text is shown, and what is known of it.
type Output struct {
	io.Writer
	Style
	// Interactive is true when a person looks at it: lines may be rewritten.
	Interactive bool
	// Width is in columns.
	Width int
}

// Printf writes to the output. That nobody reads any more is no error of what is shown.
func (o Output) Printf(format string, args ...any) {
	_, _ = fmt.Fprintf(o.Writer, format, args...)
}

// Println writes a line to the output, as Printf does.
func (o Output) Println(args ...any) {
	_, _ = fmt.Fprintln(o.Writer, args...)
}

// Widths when nothing else is known, and what text is drawn for at most: a waterfall as wide as a large screen
// is hard to read.
const (
	defaultWidth = 100
	minWidth     = 60
	maxWidth     = 140
)

// NewOutput looks at w: colours and rewriting are for terminals, and NO_COLOR (https://no-color.org) forbids the
// former.
func NewOutput(w io.Writer, getenv func(string) string) Output {
	out := Output{Writer: w, Width: defaultWidth}
	f, ok := w.(*os.File)
	if ok && term.IsTerminal(int(f.Fd())) {
		out.Interactive = getenv("TERM") != "dumb"
		out.Colors = out.Interactive && getenv("NO_COLOR") == ""
		if cols, _, err := term.GetSize(int(f.Fd())); err == nil && cols > 0 {
			out.Width = cols
		}
	}
	if cols, err := strconv.Atoi(getenv("COLUMNS")); err == nil && cols > 0 {
		out.Width = cols
	}
	out.Width = max(minWidth, min(out.Width, maxWidth))
	return out
}
