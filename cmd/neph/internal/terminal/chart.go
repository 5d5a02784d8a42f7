// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Point is one value of a series.
type Point struct {
	Time  time.Time
	Value float64
}

// Series is one line, or one filled area, of a chart.
type Series struct {
	Name   string
	Color  Color
	Points []Point // in order of time
	// Fill draws the area under the line, so that two series can be told apart without colour.
	Fill bool
}

// Chart draws values over time.
type Chart struct {
	Title string
	// Format writes a value of the y axis.
	Format func(float64) string
	// Start and End are the x axis.
	Start, End time.Time
	// Period is the distance of neighbouring points: where more is between two of them, the line is broken.
	Period time.Duration
	Series []Series
	// Width and Height are in columns and lines, axes included.
	Width, Height int
}

// A cell of the chart is a braille character: 2 dots wide, 4 high.
const (
	dotsX = 2
	dotsY = 4
)

// Render draws the chart, each line ended.
func (c Chart) Render(st Style) string {
	top, step := niceScale(c.max())
	labels := map[int]string{} // by line
	rows := max(2, c.Height-3) // title, x axis, its labels
	labelWidth := 0
	for v := 0.0; v <= top+step/2; v += step {
		line := rows - 1 - int(math.Round(v/top*float64(rows-1)))
		labels[line] = c.Format(v)
		labelWidth = max(labelWidth, Columns(labels[line]))
	}
	cols := max(10, c.Width-labelWidth-3)
	canvas := newCanvas(cols, rows)
	for i, s := range c.Series {
		c.draw(canvas, i, s, top)
	}

	var b strings.Builder
	b.WriteString(strings.TrimRight(st.Bold(c.Title)+"  "+c.legend(st), " ") + "\n")
	for y := range rows {
		axis := "│"
		if labels[y] != "" {
			axis = "┤"
		}
		b.WriteString(st.Dim(padLeft(labels[y], labelWidth)+" "+axis) + c.line(canvas, y, st) + "\n")
	}
	c.timeAxis(&b, st, labelWidth, cols)
	return b.String()
}

func (c Chart) max() float64 {
	top := 0.0
	for _, s := range c.Series {
		for _, p := range s.Points {
			top = max(top, p.Value)
		}
	}
	return top
}

func (c Chart) legend(st Style) string {
	names := make([]string, len(c.Series))
	for i, s := range c.Series {
		mark := "⠒⠒"
		if s.Fill {
			mark = "⣿⣿"
		}
		names[i] = st.Color(s.Color, mark) + " " + s.Name
	}
	return strings.Join(names, "   ")
}

// draw puts the series' dots on the canvas, with the line between neighbouring points interpolated.
func (c Chart) draw(canvas *canvas, owner int, s Series, top float64) {
	span := c.End.Sub(c.Start)
	if span <= 0 {
		return
	}
	width, height := canvas.cols*dotsX, canvas.rows*dotsY
	at := func(p Point) (x, y float64) {
		return float64(p.Time.Sub(c.Start)) / float64(span) * float64(width-1), p.Value / top * float64(height-1)
	}
	plot := func(x int, y, before float64) {
		from, to := int(math.Round(before)), int(math.Round(y))
		if s.Fill {
			from = 0
		}
		if from > to {
			from, to = to, from
		}
		for dot := from; dot <= to; dot++ {
			canvas.set(x, height-1-dot, owner)
		}
	}
	for i, p := range s.Points {
		x1, y1 := at(p)
		if i == 0 || c.Period > 0 && p.Time.Sub(s.Points[i-1].Time) > c.Period*3/2 {
			plot(int(math.Round(x1)), y1, y1)
			continue
		}
		x0, y0 := at(s.Points[i-1])
		before := y0
		for x := int(math.Round(x0)); x <= int(math.Round(x1)); x++ {
			y := y1
			if x1 > x0 {
				y = y0 + (y1-y0)*min(1, max(0, (float64(x)-x0)/(x1-x0)))
			}
			plot(x, y, before)
			before = y
		}
	}
}

// line writes one line of cells, each in the colour of the series that is drawn last in it: a line lies over an
// area.
func (c Chart) line(canvas *canvas, y int, st Style) string {
	var b, run strings.Builder
	color := ColorNone
	flush := func() {
		b.WriteString(st.Color(color, run.String()))
		run.Reset()
	}
	for x := range canvas.cols {
		cell := canvas.cells[y*canvas.cols+x]
		next, r := ColorNone, ' '
		if cell.dots != 0 {
			next, r = c.Series[cell.owner].Color, '\u2800'+rune(cell.dots)
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

// tickColumns is the least distance of time labels.
const tickColumns = 9

// tickSteps are distances of time labels that people count in.
var tickSteps = []time.Duration{
	time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute,
	30 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

func (c Chart) timeAxis(b *strings.Builder, st Style, labelWidth, cols int) {
	span := c.End.Sub(c.Start)
	axis := []rune(strings.Repeat("─", cols))
	labels := []rune(strings.Repeat(" ", cols+labelWidth+tickColumns))
	step := max(span, 1)
	for _, s := range tickSteps {
		if int(span/s) <= cols/tickColumns {
			step = max(s, 1)
			break
		}
	}
	layout := "15:04"
	if step < time.Minute {
		layout = "15:04:05"
	}
	first := c.Start.Truncate(step)
	if first.Before(c.Start) {
		first = first.Add(step)
	}
	for at := first; !at.After(c.End); at = at.Add(step) {
		x := 0
		if span > 0 {
			x = int(math.Round(float64(at.Sub(c.Start)) / float64(span) * float64(cols-1)))
		}
		axis[x] = '┬'
		text := at.Format(layout)
		copy(labels[max(0, labelWidth+2+x-len(text)/2):], []rune(text))
	}
	b.WriteString(st.Dim(strings.Repeat(" ", labelWidth)+" └"+string(axis)) + "\n")
	b.WriteString(st.Dim(strings.TrimRight(string(labels), " ")) + "\n")
}

// niceScale is the y axis for values up to highest: its end, and a step of 1, 2 or 5 times a power of ten.
func niceScale(highest float64) (top, step float64) {
	if highest <= 0 || math.IsInf(highest, 0) || math.IsNaN(highest) {
		return 1, 1
	}
	const steps = 4
	magnitude := math.Pow(10, math.Floor(math.Log10(highest/steps)))
	for _, m := range []float64{1, 2, 5, 10} {
		if step = m * magnitude; highest/step <= steps {
			break
		}
	}
	return math.Ceil(highest/step) * step, step
}

// FormatMilliseconds writes a number of milliseconds as people say it.
func FormatMilliseconds(ms float64) string {
	switch {
	case ms == 0:
		return "0"
	case ms < 1:
		return fmt.Sprintf("%.0f µs", ms*1000)
	case ms < 1000:
		return fmt.Sprintf("%.0f ms", ms)
	case ms < 10_000:
		return fmt.Sprintf("%.1f s", ms/1000)
	}
	return fmt.Sprintf("%.0f s", ms/1000)
}

type cell struct {
	dots  byte
	owner int
}

type canvas struct {
	cols, rows int
	cells      []cell
}

func newCanvas(cols, rows int) *canvas {
	return &canvas{cols: cols, rows: rows, cells: make([]cell, cols*rows)}
}

// dotBits are the bits of a braille pattern by the dot's row and column.
var dotBits = [dotsY][dotsX]byte{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}

func (cv *canvas) set(x, y, owner int) {
	if x < 0 || y < 0 || x >= cv.cols*dotsX || y >= cv.rows*dotsY {
		return
	}
	cl := &cv.cells[y/dotsY*cv.cols+x/dotsX]
	if cl.owner < owner {
		*cl = cell{owner: owner} // what is drawn later lies on top
	}
	cl.dots |= dotBits[y%dotsY][x%dotsX]
}
