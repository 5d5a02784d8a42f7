// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Span is one piece of work in a waterfall.
type Span struct {
	Name string
	// Kind says what it is, in a word or two: a service, a call to one, the AWS service called.
	Kind       string
	Start, End time.Time
	Status     Status
	// Note is shown behind the duration: an HTTP status, an exception.
	Note     string
	Children []Span
}

// Status of a span, as X-Ray tells them apart.
type Status int

// Statuses.
const (
	StatusOK Status = iota
	StatusError
	StatusThrottle
	StatusFault
)

// Waterfall draws spans against time, each under the one that caused it.
type Waterfall struct {
	Roots []Span
	Width int
}

// Columns besides the name and the bar.
const (
	durationColumn = 9
	minBarColumns  = 12
)

// Render draws the waterfall, each line ended.
func (w Waterfall) Render(st Style) string {
	lines := w.lines()
	if len(lines) == 0 {
		return ""
	}
	start, end := lines[0].Start, lines[0].End
	nameWidth, noteWidth := 0, 0
	for _, l := range lines {
		if l.Start.Before(start) {
			start = l.Start
		}
		if l.End.After(end) {
			end = l.End
		}
		nameWidth = max(nameWidth, min(w.Width*2/5, Columns(l.prefix)+Columns(l.label())))
		noteWidth = max(noteWidth, min(w.Width/3, Columns(l.note())))
	}
	total := max(end.Sub(start), 1)
	bar := max(minBarColumns, w.Width-nameWidth-durationColumn-noteWidth-4)

	var b strings.Builder
	b.WriteString(strings.Repeat(" ", nameWidth+2) + st.Dim(ruler(total, bar)) + "\n")
	for _, l := range lines {
		room := nameWidth - Columns(l.prefix)
		name := Truncate(l.label(), room)
		fill := strings.Repeat(" ", max(0, room-Columns(name)))
		if head, kind, ok := strings.Cut(name, kindGap); ok {
			name = head + kindGap + st.Dim(kind)
		}
		text := st.Dim(l.prefix) + name + fill + "  " +
			l.bar(start, total, bar, st) +
			padLeft(FormatDuration(l.End.Sub(l.Start)), durationColumn)
		if note := Truncate(l.note(), noteWidth); note != "" {
			text += "  " + st.Color(l.color(), note)
		}
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	return b.String()
}

// kindGap stands between a span's name and its kind.
const kindGap = "  "

type waterfallLine struct {
	Span
	prefix string
}

func (w Waterfall) lines() []waterfallLine {
	var out []waterfallLine
	var walk func(spans []Span, indent string, root bool)
	walk = func(spans []Span, indent string, root bool) {
		spans = slices.SortedStableFunc(slices.Values(spans), func(a, b Span) int {
			return cmp.Or(a.Start.Compare(b.Start), strings.Compare(a.Name, b.Name))
		})
		for i, s := range spans {
			branch, below := "├─ ", "│  "
			if i == len(spans)-1 {
				branch, below = "└─ ", "   "
			}
			if root {
				branch, below = "", ""
			}
			if s.End.Before(s.Start) { // in progress
				s.End = s.Start
			}
			out = append(out, waterfallLine{Span: s, prefix: indent + branch})
			walk(s.Children, indent+below, false)
		}
	}
	walk(w.Roots, "", true)
	return out
}

func (l waterfallLine) label() string {
	if l.Kind == "" {
		return Printable(l.Name)
	}
	return Printable(l.Name) + kindGap + Printable(l.Kind)
}

func (l waterfallLine) note() string {
	mark := map[Status]string{StatusError: "✗ error", StatusThrottle: "✗ throttle", StatusFault: "✗ fault"}[l.Status]
	return strings.TrimSpace(mark + " " + Printable(l.Note))
}

func (l waterfallLine) color() Color {
	switch l.Status {
	case StatusError, StatusThrottle:
		return ColorYellow
	case StatusFault:
		return ColorRed
	}
	return ColorNone
}

// bar is width columns with the span's part of the whole in it. Ends are drawn to an eighth of a column, as far as
// block elements can.
func (l waterfallLine) bar(start time.Time, total time.Duration, width int, st Style) string {
	from := float64(l.Start.Sub(start)) / float64(total) * float64(width)
	length := float64(l.End.Sub(l.Start)) / float64(total) * float64(width)
	left := min(int(math.Round(from)), width-1)
	eighths := max(1, int(math.Round(length*8)))
	full, rest := eighths/8, eighths%8
	full = min(full, width-left)
	text := strings.Repeat("█", full)
	if rest > 0 && left+full < width {
		text += "▏▎▍▌▋▊▉"[(rest-1)*3 : rest*3] // each takes three bytes
	}
	color := l.color()
	if color == ColorNone {
		color = ColorCyan
	}
	return strings.Repeat(" ", left) + st.Color(color, text) + strings.Repeat(" ", max(0, width-left-Columns(text)))
}

// ruler is the time axis: 0 at the left, the whole at the right, and quarters where there is room.
func ruler(total time.Duration, width int) string {
	parts := 1
	switch {
	case width >= 48:
		parts = 4
	case width >= 24:
		parts = 2
	}
	line := []rune(strings.Repeat("·", width))
	for i := range parts + 1 {
		text := []rune(FormatDuration(total * time.Duration(i) / time.Duration(parts)))
		at := i * width / parts
		switch i {
		case 0:
			text = []rune("0")
		case parts:
			at = max(0, width-len(text))
		}
		copy(line[at:], text)
	}
	return string(line)
}

// FormatDuration writes a duration in three digits.
func FormatDuration(d time.Duration) string {
	switch ms := float64(d) / float64(time.Millisecond); {
	case ms < 0.9995:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case ms < 9.995:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 99.95:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 999.5:
		return fmt.Sprintf("%.0f ms", ms)
	case ms < 9995:
		return fmt.Sprintf("%.2f s", ms/1000)
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
