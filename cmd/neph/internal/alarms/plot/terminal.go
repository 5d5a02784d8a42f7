// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package plot

import (
	"math"
	"strings"
	"time"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/terminal"
	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// stateMarks are how the states look in the band below the values; they differ without colour, too.
var stateMarks = map[alarm.State]struct {
	mark  rune
	color terminal.Color
}{
	alarm.StateOK:               {'─', terminal.ColorGreen},
	alarm.StateAlarm:            {'█', terminal.ColorRed},
	alarm.StateInsufficientData: {'·', terminal.ColorYellow},
}

// Terminal draws the panel, each line ended. Width and height are in columns and lines; the band of states and the axis come
// on top of the height.
func (p *Panel) Terminal(st terminal.Style, width, height int) string {
	s := p.scale()
	rows := max(3, height)
	labels := map[int]string{}
	labelWidth := 0
	for _, v := range s.ticks() {
		row := rows - 1 - int(math.Round(s.part(v)*float64(rows-1)))
		labels[row] = number(v)
		labelWidth = max(labelWidth, terminal.Columns(labels[row]))
	}
	cols := max(10, width-labelWidth-3)
	cells := p.cells(s, cols, rows)
	var b strings.Builder
	if p.Title != "" {
		b.WriteString(st.Bold(terminal.Printable(p.Title)) + "\n")
	}
	if len(p.Points) == 0 && p.Threshold == nil {
		rows = 0 // a composite alarm has states only
	}
	for y := range rows {
		axis := "│"
		if labels[y] != "" {
			axis = "┤"
		}
		b.WriteString(st.Dim(strings.Repeat(" ", labelWidth-terminal.Columns(labels[y]))+labels[y]+" "+axis) + line(cells[y], st) + "\n")
	}
	p.axis(&b, st, labelWidth, cols)
	b.WriteString(strings.Repeat(" ", labelWidth+2) + p.band(st, cols) + "\n")
	b.WriteString(strings.Repeat(" ", labelWidth+2) + st.Dim("█ ALARM  ─ OK  · INSUFFICIENT_DATA") + "\n")
	return b.String()
}

// cell is a braille character of 2 × 4 dots, or a piece of a threshold.
type cell struct {
	dots byte
	mark rune
}

var dotBits = [4][2]byte{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}

func (p *Panel) cells(s scale, cols, rows int) [][]cell {
	grid := make([][]cell, rows)
	for y := range grid {
		grid[y] = make([]cell, cols)
	}
	rowOf := func(v float64) int {
		return min(rows-1, max(0, rows-1-int(math.Round(s.part(v)*float64(rows-1)))))
	}
	if p.Threshold != nil {
		y := rowOf(*p.Threshold)
		for x := range cols {
			grid[y][x].mark = '┄'
		}
	}
	for _, bound := range [][]Point{p.Lower, p.Upper} {
		for i := range bound {
			if x, ok := p.column(bound[i].Time, cols); ok && !math.IsNaN(bound[i].Value) {
				grid[rowOf(bound[i].Value)][x].mark = '┄'
			}
		}
	}
	p.drawLine(s, grid, cols, rows)
	return grid
}

func (p *Panel) column(t time.Time, cols int) (int, bool) {
	span := p.End.Sub(p.Start)
	if span <= 0 || t.Before(p.Start) || t.After(p.End) {
		return 0, false
	}
	return min(cols-1, int(float64(t.Sub(p.Start))/float64(span)*float64(cols))), true
}

// drawLine draws the values, with the line between neighbours interpolated.
func (p *Panel) drawLine(s scale, grid [][]cell, cols, rows int) {
	span := p.End.Sub(p.Start)
	if span <= 0 {
		return
	}
	width, height := cols*2, rows*4
	set := func(x, y int) {
		if x >= 0 && x < width && y >= 0 && y < height {
			grid[(height-1-y)/4][x/2].dots |= dotBits[(height-1-y)%4][x%2]
		}
	}
	at := func(q Point) (int, int) {
		x := int(math.Round(float64(q.Time.Sub(p.Start)) / float64(span) * float64(width-1)))
		return x, int(math.Round(s.part(q.Value) * float64(height-1)))
	}
	for i, q := range p.Points {
		x1, y1 := at(q)
		if i == 0 || p.Period > 0 && q.Time.Sub(p.Points[i-1].Time) > p.Period*3/2 {
			set(x1, y1)
			continue
		}
		x0, y0 := at(p.Points[i-1])
		n := max(1, max(x1-x0, max(y1-y0, y0-y1)))
		for j := 1; j <= n; j++ {
			set(x0+(x1-x0)*j/n, y0+(y1-y0)*j/n)
		}
	}
}

func line(cells []cell, st terminal.Style) string {
	var b, run strings.Builder
	color := terminal.ColorNone
	flush := func() {
		b.WriteString(st.Color(color, run.String()))
		run.Reset()
	}
	for _, c := range cells {
		next, r := terminal.ColorNone, ' '
		switch {
		case c.dots != 0:
			next, r = terminal.ColorCyan, '\u2800'+rune(c.dots)
		case c.mark != 0:
			next, r = terminal.ColorRed, c.mark
		}
		if next != color {
			flush()
			color = next
		}
		run.WriteRune(r)
	}
	flush()
	return strings.TrimRight(b.String(), " ")
}

func (p *Panel) axis(b *strings.Builder, st terminal.Style, labelWidth, cols int) {
	span := p.End.Sub(p.Start)
	step, layout := timeStep(span, cols/11)
	axis := []rune(strings.Repeat("─", cols))
	labels := []rune(strings.Repeat(" ", cols+labelWidth+14))
	for at := p.Start.Truncate(step); !at.After(p.End); at = at.Add(step) {
		x, ok := p.column(at, cols)
		if !ok {
			continue
		}
		axis[x] = '┬'
		text := at.UTC().Format(layout)
		from := max(0, labelWidth+2+x-len(text)/2)
		copy(labels[min(from, len(labels)-len(text)):], []rune(text))
	}
	b.WriteString(st.Dim(strings.Repeat(" ", labelWidth)+" └"+string(axis)) + "\n")
	b.WriteString(st.Dim(strings.TrimRight(string(labels), " ")) + "\n")
}

// band shows the states. Of several in one column the worst is shown: a short ALARM must not be lost.
func (p *Panel) band(st terminal.Style, cols int) string {
	states := make([]alarm.State, cols)
	rank := map[alarm.State]int{alarm.StateInsufficientData: 1, alarm.StateOK: 2, alarm.StateAlarm: 3}
	for _, s := range p.States {
		if s.To.Before(p.Start) || s.From.After(p.End) {
			continue
		}
		first, _ := p.column(latest(s.From, p.Start), cols)
		last, _ := p.column(s.To.Add(-1), cols)
		if !s.To.Before(p.End) {
			last = cols - 1
		}
		for x := first; x <= last; x++ {
			if rank[s.State] > rank[states[x]] {
				states[x] = s.State
			}
		}
	}
	var b, run strings.Builder
	color := terminal.ColorNone
	for _, s := range states {
		m, ok := stateMarks[s]
		if !ok {
			m.mark = ' '
		}
		if m.color != color {
			b.WriteString(st.Color(color, run.String()))
			run.Reset()
			color = m.color
		}
		run.WriteRune(m.mark)
	}
	b.WriteString(st.Color(color, run.String()))
	return strings.TrimRight(b.String(), " ")
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
