// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package widgetimage

import "math"

// cells divides an area among n things, so that each is about as wide as is wanted.
func cells(area rect, n int, wanted float64) []rect {
	columns := max(min(int(area.width()/wanted), n), 1)
	rows := (n + columns - 1) / columns
	list := make([]rect, n)
	w, h := area.width()/float64(columns), area.height()/float64(rows)
	for i := range list {
		x, y := area.x0+w*float64(i%columns), area.y0+h*float64(i/columns)
		list[i] = rect{x, y, x + w, y + h}
	}
	return list
}

// drawSingleValues writes the last value of each series.
func (p *painter) drawSingleValues(area rect) {
	if len(p.series) == 0 || area.empty() {
		return
	}
	for i, cell := range cells(area, len(p.series), 150) {
		p.drawSingleValue(cell.inset(2), &p.series[i])
	}
}

func (p *painter) drawSingleValue(cell rect, s *series) {
	if cell.height() < 2*legendLine {
		return
	}
	if p.Sparkline {
		p.drawSparkline(rect{cell.x0, cell.y0 + cell.height()*0.6, cell.x1, cell.y1}, s)
	}
	text, unit := "--", ""
	if v, ok := s.last(); ok {
		text, unit = formatValue(v, p.FullPrecision), unitSymbol(s.Unit)
	}
	kind, size := p.largest(text+" "+unit, cell.width(), cell.height()-legendLine)
	width := p.textWidth(text, kind)
	if unit != "" {
		width += 4 + p.textWidth(unit, fontLegend)
	}
	middle := (cell.x0 + cell.x1) / 2
	baseline := cell.y0 + (cell.height()-legendLine)/2 + size*0.35
	x := middle - width/2
	p.text(x, baseline, text, kind, p.theme.text)
	if unit != "" {
		p.text(x+p.textWidth(text, kind)+4, baseline, unit, fontLegend, p.theme.faint)
	}
	p.drawCaption(cell, baseline+size*0.25, s)
}

// largest is the largest font in which a value fits.
func (p *painter) largest(text string, width, height float64) (fontKind, float64) {
	for _, k := range []fontKind{fontValueLarge, fontValue, fontValueSmall} {
		if size := fontSizes[k].size; size <= height*0.8 && p.textWidth(text, k) <= width {
			return k, size
		}
	}
	return fontLegend, fontSizes[fontLegend].size
}

// drawCaption writes a series' label below a value, in the middle of its cell.
func (p *painter) drawCaption(cell rect, y float64, s *series) {
	e := legendEntry{color: s.color, incomplete: s.Incomplete}
	e.label = p.ellipsis(s.Label, fontLegend, cell.width()-legendSquare-legendGap-warningWidth)
	p.drawEntry((cell.x0+cell.x1-p.entryWidth(e))/2, min(y, cell.y1-legendLine), e)
}

func (p *painter) drawSparkline(r rect, s *series) {
	e := newExtent()
	e.addPoints(s.Points)
	if e.empty() || r.empty() {
		return
	}
	axis := &scale{low: e.low, high: e.high, y0: r.y0 + 2, y1: r.y1 - 2, step: 1}
	if axis.high == axis.low {
		axis.low, axis.high = axis.low-1, axis.high+1
	}
	g := &graph{painter: p, plot: r, left: axis}
	for run := range runs(s.Points, s.Period) {
		line := g.place(axis, run)
		if len(line) < 2 {
			continue
		}
		area := append([]point{{line[0].x, r.y1}}, line...)
		area = append(area, point{line[len(line)-1].x, r.y1})
		p.fill(r, withAlpha(s.color, alphaSparkline), area)
		p.stroke(r, withAlpha(s.color, 2*alphaBand), 1, line)
	}
}

// drawGauges draws a gauge for the last value of each series.
func (p *painter) drawGauges(area rect) {
	if len(p.series) == 0 || area.empty() || p.Left.Min == nil || p.Left.Max == nil {
		return
	}
	for i, cell := range cells(area, len(p.series), 200) {
		p.drawGauge(cell.inset(4), &p.series[i])
	}
}

// A gauge is a ring that is open below.
const (
	gaugeFrom = math.Pi * 5 / 6
	gaugeTo   = math.Pi * 13 / 6
)

func (p *painter) drawGauge(cell rect, s *series) {
	low, high := *p.Left.Min, *p.Left.Max
	room := cell
	room.y1 -= legendLine
	// The ring reaches half its radius below its center.
	radius := min(room.width()/2, room.height()/1.55)
	if radius < 8 {
		return
	}
	center := point{(cell.x0 + cell.x1) / 2, room.y0 + (room.height()-radius*1.55)/2 + radius}
	angle := func(v float64) float64 {
		return gaugeFrom + (min(max(v, low), high)-low)/(high-low)*(gaugeTo-gaugeFrom)
	}
	outer, inner := radius-7, radius*0.72
	p.ring(p.theme.grid, center, inner, outer, gaugeFrom, gaugeTo)
	// Annotations color the rim.
	for i := range p.Horizontal {
		h := &p.Horizontal[i]
		from, to := low, high
		switch {
		case h.Hidden:
			continue
		case h.To != nil:
			from, to = min(h.Value, h.To.Value), max(h.Value, h.To.Value)
		case h.Fill == "above":
			from = h.Value
		case h.Fill == "below":
			to = h.Value
		default:
			from, to = h.Value-(high-low)/200, h.Value+(high-low)/200
		}
		g := graph{painter: p}
		if from < high && to > low {
			p.ring(g.annotationColor(h.Color, i), center, radius-5, radius, angle(from), angle(to))
		}
	}
	text, unit := "--", ""
	if v, ok := s.last(); ok {
		text, unit = formatValue(v, p.FullPrecision), unitSymbol(s.Unit)
		if a := angle(v); a > gaugeFrom {
			p.ring(s.color, center, inner, outer, gaugeFrom, a)
		}
	}
	kind, size := p.largest(text+unit, inner*1.5, inner)
	width := p.textWidth(text, kind)
	if unit != "" {
		width += 3 + p.textWidth(unit, fontLegend)
	}
	p.text(center.x-width/2, center.y+size*0.35, text, kind, p.theme.text)
	if unit != "" {
		p.text(center.x-width/2+p.textWidth(text, kind)+3, center.y+size*0.35, unit, fontLegend, p.theme.faint)
	}
	// The ends stand below the open ends of the ring.
	for _, end := range []struct{ value, angle float64 }{{low, gaugeFrom}, {high, gaugeTo}} {
		sin, cos := math.Sincos(end.angle)
		middle := (inner + outer) / 2
		p.textAligned(center.x+cos*middle, center.y+sin*middle+14, formatTick(end.value, high-low), fontAxis, p.theme.faint, alignCenter)
	}
	p.drawCaption(cell, cell.y1-legendLine, s)
}
