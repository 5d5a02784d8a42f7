// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package widgetimage

// drawBars draws a bar for the last value of each series.
func (p *painter) drawBars(area rect) {
	area = p.drawLegend(area, p.legendEntries())
	plot := area
	title := p.Left.Label
	if title == "" && !p.Left.HideUnits {
		title = unitTitle(p.series, func(*series) bool { return true })
	}
	if title != "" {
		p.text(area.x0, area.y0+10, p.ellipsis(title, fontAxis, area.width()), fontAxis, p.theme.faint)
		plot.y0 += axisRow
	}
	plot.y0 += 6
	plot.y1 -= 8
	if plot.empty() {
		return
	}
	e := newExtent()
	e.add(0)
	for i := range p.series {
		if v, ok := p.series[i].last(); ok {
			e.add(v)
			if p.ValueLabels {
				e.add(v * 1.08) // room for the label
			}
		}
	}
	for i := range p.Horizontal {
		if h := &p.Horizontal[i]; !h.Hidden {
			e.add(h.Value)
		}
	}
	s := newScale(e, p.Left.Min, p.Left.Max, plot.y0, plot.y1)
	g := &graph{painter: p, plot: plot, left: s}
	g.plot.x0 += g.labelWidth(s)
	if g.plot.empty() {
		return
	}
	for _, v := range s.ticks() {
		y := s.y(v)
		p.horizontal(g.plot.x0, g.plot.x1, y, p.theme.grid)
		p.textAligned(g.plot.x0-5, y+4, formatTick(v, s.step), fontAxis, p.theme.faint, alignRight)
	}
	zero := min(max(g.y(s, 0), plot.y0), plot.y1)
	slot := g.plot.width() / float64(max(len(p.series), 1))
	for i := range p.series {
		v, ok := p.series[i].last()
		if !ok {
			continue
		}
		y := min(max(g.y(s, v), plot.y0), plot.y1)
		width := max(min(slot*0.7, 120), 1)
		x := g.plot.x0 + slot*(float64(i)+0.5) - width/2
		p.fillRect(rect{x, min(y, zero), x + width, max(y, zero, min(y, zero)+1)}, p.series[i].color)
		if p.ValueLabels {
			label := p.ellipsis(formatValue(v, p.FullPrecision)+unitSymbol(p.series[i].Unit), fontAxis, slot)
			p.textAligned(x+width/2, max(min(y, zero)-4, plot.y0+9), label, fontAxis, p.theme.text, alignCenter)
		}
	}
	p.horizontal(g.plot.x0, g.plot.x1, zero, p.theme.axis)
	// The time range means nothing here; levels do.
	for i := range p.Horizontal {
		g.drawHorizontal(&p.Horizontal[i], g.annotationColor(p.Horizontal[i].Color, i))
	}
}
