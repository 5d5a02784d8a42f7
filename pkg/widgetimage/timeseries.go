// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package widgetimage

import (
	"slices"

	"github.com/nephoscope/nephoscope/pkg/dashboard"
)

const (
	lineWidth   = 1.8
	axisRow     = 16 // the line of text above and below the plot
	ribbonSize  = 6
	dotRadius   = 2.5
	tickSpacing = 70 // pixels between ticks of the time axis
)

// drawTimeSeries draws lines or stacked areas over time.
func (p *painter) drawTimeSeries(area rect) {
	area = p.drawLegend(area, p.legendEntries())
	g := &graph{painter: p}
	g.layout(area)
	if g.plot.empty() {
		return
	}
	g.drawGrid()
	g.drawFills()
	if p.Stacked {
		g.drawStacks()
	} else {
		g.drawLines()
	}
	g.drawAnnotations()
	g.drawRibbon()
}

// graph is the coordinates of a widget with a time axis.
type graph struct {
	*painter
	plot        rect
	left, right *scale // right is nil when nothing is of the right axis
	stacks      []stack
}

// axisOf is the scale of an axis.
func (g *graph) axisOf(right bool) *scale {
	if right && g.right != nil {
		return g.right
	}
	return g.left
}

func (g *graph) x(t int64) float64 {
	return g.plot.x0 + float64(t-g.start)/float64(g.end-g.start)*g.plot.width()
}

// layout finds the scales and how much room their texts take.
func (g *graph) layout(area rect) {
	titles := [2]string{g.axisTitle(false), g.axisTitle(true)}
	g.plot = area
	if titles[0] != "" || titles[1] != "" {
		g.plot.y0 += axisRow + 6
	} else {
		g.plot.y0 += 6
	}
	g.plot.y1 -= axisRow
	if g.alarm != nil && len(g.alarm.States) > 0 {
		g.plot.y1 -= ribbonSize + 2
	}
	if g.plot.empty() {
		return
	}
	if g.Stacked {
		g.stacks = g.stackSeries()
	}
	g.left = g.scaleOf(false, g.Left)
	g.plot.x0 += g.labelWidth(g.left)
	if g.hasRight() {
		g.right = g.scaleOf(true, g.Right)
		g.plot.x1 -= g.labelWidth(g.right)
	}
	if g.plot.empty() {
		return
	}
	row := area.y0 + 10
	half := (area.x1 - area.x0) / 2
	g.text(area.x0, row, g.ellipsis(titles[0], fontAxis, half), fontAxis, g.theme.faint)
	g.textAligned(area.x1, row, g.ellipsis(titles[1], fontAxis, half), fontAxis, g.theme.faint, alignRight)
}

func (g *graph) hasRight() bool {
	if g.Right.Min != nil && g.Right.Max != nil {
		return true
	}
	return slices.ContainsFunc(g.series, func(s series) bool { return s.Right })
}

func (g *graph) labelWidth(s *scale) float64 {
	widest := 0.0
	for _, v := range s.ticks() {
		widest = max(widest, g.textWidth(formatTick(v, s.step), fontAxis))
	}
	return widest + 8
}

// axisTitle is what stands above an axis: its label, or the unit of its series.
func (g *graph) axisTitle(right bool) string {
	axis := g.Left
	if right {
		axis = g.Right
	}
	if axis.Label != "" || axis.HideUnits {
		return axis.Label
	}
	return unitTitle(g.series, func(s *series) bool { return s.Right == right })
}

// unitTitle is the unit that the series have in common, "" when units are not known.
func unitTitle(list []series, of func(*series) bool) string {
	title := ""
	for i := range list {
		s := &list[i]
		switch {
		case !of(s) || s.Unit == "":
		case title == "":
			title = s.Unit
		case title != s.Unit:
			return "Various units"
		}
	}
	if title == "None" {
		return "No unit"
	}
	return title
}

// scaleOf makes the scale of all that belongs to an axis.
func (g *graph) scaleOf(right bool, axis dashboard.Axis) *scale {
	e := newExtent()
	if g.Stacked {
		for i := range g.stacks {
			if s := &g.stacks[i]; s.right == right {
				e.add(0)
				for _, v := range s.upper {
					e.add(v)
				}
			}
		}
	} else {
		for i := range g.series {
			if s := &g.series[i]; s.Right == right {
				e.addPoints(s.Points)
				e.addPoints(s.Lower)
			}
		}
	}
	for i := range g.Horizontal {
		for h := &g.Horizontal[i]; h != nil; h = h.To {
			if h.Right == right && !h.Hidden {
				e.add(h.Value)
			}
		}
	}
	if a := g.alarm; a != nil && a.Threshold != nil && a.Right == right {
		e.add(*a.Threshold)
	}
	return newScale(e, axis.Min, axis.Max, g.plot.y0, g.plot.y1)
}

func (g *graph) drawGrid() {
	for _, v := range g.left.ticks() {
		y := g.left.y(v)
		g.horizontal(g.plot.x0, g.plot.x1, y, g.theme.grid)
		g.textAligned(g.plot.x0-5, y+4, formatTick(v, g.left.step), fontAxis, g.theme.faint, alignRight)
	}
	if g.right != nil {
		for _, v := range g.right.ticks() {
			g.text(g.plot.x1+5, g.right.y(v)+4, formatTick(v, g.right.step), fontAxis, g.theme.faint)
		}
	}
	g.horizontal(g.plot.x0, g.plot.x1, g.plot.y1, g.theme.axis)
	below := g.plot.y1 + 13
	if g.alarm != nil && len(g.alarm.States) > 0 {
		below += ribbonSize + 2
	}
	n := max(int(g.plot.width()/tickSpacing), 1)
	ticks, layout := timeTicks(g.start, g.end, n, g.Location)
	for _, t := range ticks {
		x := g.x(t)
		g.vertical(min(x, g.plot.x1-1), g.plot.y1, g.plot.y1+4, g.theme.axis)
		label := formatTime(t, layout, g.Location)
		half := g.textWidth(label, fontAxis) / 2
		x = min(max(x, half+2), g.bounds().x1-half-2)
		g.textAligned(x, below, label, fontAxis, g.theme.faint, alignCenter)
	}
}

// drawLines draws each series as a line that breaks where points are missing.
func (g *graph) drawLines() {
	for i := range g.series {
		s := &g.series[i]
		if s.Lower != nil {
			g.drawBand(s)
		}
	}
	for i := range g.series {
		if s := &g.series[i]; s.Lower == nil {
			g.drawLine(g.axisOf(s.Right), s)
		}
	}
}

func (g *graph) drawLine(axis *scale, s *series) {
	clip := rect{g.plot.x0, g.plot.y0 - lineWidth, g.plot.x1, g.plot.y1 + lineWidth}
	for run := range runs(s.Points, s.Period) {
		line := g.place(axis, run)
		if len(line) == 1 {
			g.dot(clip, s.color, line[0], dotRadius)
			continue
		}
		g.stroke(clip, s.color, lineWidth, line)
	}
}

// drawBand fills what lies between two lines.
func (g *graph) drawBand(s *series) {
	axis := g.axisOf(s.Right)
	outline := g.place(axis, s.Points)
	lower := g.place(axis, s.Lower)
	slices.Reverse(lower)
	g.fill(g.plot, withAlpha(s.color, alphaBand), append(outline, lower...))
}

// runs are the parts of a series without missing points.
func runs(points []Point, period int64) func(func([]Point) bool) {
	return func(yield func([]Point) bool) {
		from := 0
		for i := 1; i <= len(points); i++ {
			if i < len(points) && points[i].Time-points[i-1].Time <= period {
				continue
			}
			if from < i && !yield(points[from:i]) {
				return
			}
			from = i
		}
	}
}

// place turns points into places. Of many in one column of pixels, the first, last, least and greatest are kept, which
// draw the same line.
func (g *graph) place(axis *scale, points []Point) []point {
	if float64(len(points)) <= 4*g.plot.width() {
		out := make([]point, len(points))
		for i, q := range points {
			out[i] = point{g.x(q.Time), g.y(axis, q.Value)}
		}
		return out
	}
	var out []point
	for i := 0; i < len(points); {
		column := int(g.x(points[i].Time))
		first := i
		least, greatest := i, i
		for ; i < len(points) && int(g.x(points[i].Time)) == column; i++ {
			if points[i].Value < points[least].Value {
				least = i
			}
			if points[i].Value > points[greatest].Value {
				greatest = i
			}
		}
		keep := []int{first, least, greatest, i - 1}
		slices.Sort(keep)
		for _, k := range slices.Compact(keep) {
			out = append(out, point{g.x(points[k].Time), g.y(axis, points[k].Value)})
		}
	}
	return out
}

// y keeps places far outside of the image within what can be drawn.
func (g *graph) y(axis *scale, v float64) float64 {
	const far = 1e5
	return min(max(axis.y(v), -far), far)
}
