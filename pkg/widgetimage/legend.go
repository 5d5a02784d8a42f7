// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package widgetimage

import (
	"strconv"

	"github.com/nephoscope/nephoscope/pkg/dashboard"
)

const (
	legendLine    = 18
	legendSquare  = 10
	legendGap     = 6  // between square and text
	legendSpacing = 16 // between entries
)

// legendEntry is one line of the legend.
type legendEntry struct {
	label      string
	color      rgba
	incomplete bool
}

func (p *painter) legendEntries() []legendEntry {
	var list []legendEntry
	for i := range p.series {
		s := &p.series[i]
		list = append(list, legendEntry{s.Label, s.color, s.Incomplete})
	}
	if p.alarm != nil && p.alarm.Label != "" {
		list = append(list, legendEntry{p.alarm.Label, colorThreshold, false})
	}
	return list
}

// drawLegend draws the legend where it belongs and returns what is left of the area.
func (p *painter) drawLegend(area rect, entries []legendEntry) rect {
	if len(entries) == 0 || p.Legend == dashboard.LegendHidden {
		return area
	}
	if p.Legend == dashboard.LegendRight {
		return p.drawLegendRight(area, entries)
	}
	return p.drawLegendBelow(area, entries)
}

func (p *painter) entryWidth(e legendEntry) float64 {
	w := legendSquare + legendGap + p.textWidth(e.label, fontLegend)
	if e.incomplete {
		w += warningWidth
	}
	return w
}

func (p *painter) drawLegendBelow(area rect, entries []legendEntry) rect {
	lines := int(area.height() * 0.4 / legendLine)
	if lines < 1 {
		return area
	}
	// Entries flow from left to right; what does not fit any more is counted.
	type placed struct {
		legendEntry
		x    float64
		line int
	}
	var list []placed
	x, line := 0.0, 0
	for i, e := range entries {
		e.label = p.ellipsis(e.label, fontLegend, area.width()-legendSquare-legendGap-warningWidth)
		w := p.entryWidth(e)
		if x > 0 && x+w > area.width() {
			x, line = 0, line+1
		}
		if line >= lines {
			last := &list[len(list)-1]
			last.label = "and " + strconv.Itoa(len(entries)-i+1) + " more"
			last.color, last.incomplete = p.theme.background, false
			line = lines - 1
			break
		}
		list = append(list, placed{e, x, line})
		x += w + legendSpacing
	}
	top := area.y1 - float64(line+1)*legendLine
	for _, e := range list {
		p.drawEntry(area.x0+e.x, top+float64(e.line)*legendLine, e.legendEntry)
	}
	area.y1 = top - 6
	return area
}

func (p *painter) drawLegendRight(area rect, entries []legendEntry) rect {
	widest := 0.0
	for _, e := range entries {
		widest = max(widest, p.entryWidth(e))
	}
	width := min(widest, area.width()*0.35)
	lines := int(area.height() / legendLine)
	if lines < 1 || width < 2*legendLine {
		return area
	}
	x := area.x1 - width
	for i, e := range entries {
		if i == lines-1 && len(entries) > lines {
			p.drawEntry(x, area.y0+float64(i)*legendLine, legendEntry{
				"and " + strconv.Itoa(len(entries)-i) + " more", p.theme.background, false,
			})
			break
		}
		room := width - legendSquare - legendGap
		if e.incomplete {
			room -= warningWidth
		}
		e.label = p.ellipsis(e.label, fontLegend, room)
		p.drawEntry(x, area.y0+float64(i)*legendLine, e)
	}
	area.x1 = x - legendSpacing
	return area
}

// drawEntry draws an entry whose line begins at the point.
func (p *painter) drawEntry(x, y float64, e legendEntry) {
	p.fillRect(rect{x, y + 4, x + legendSquare, y + 4 + legendSquare}, e.color)
	x += legendSquare + legendGap
	if e.incomplete {
		p.drawWarning(x, y+3)
		x += warningWidth
	}
	p.text(x, y+13, e.label, fontLegend, p.theme.text)
}

const warningWidth = 16

// drawWarning draws the triangle of a series of which data is missing.
func (p *painter) drawWarning(x, y float64) {
	p.fill(p.bounds(), colorWarning, []point{{x + 6, y}, {x + 12.5, y + 12}, {x - 0.5, y + 12}})
	p.fillRect(rect{x + 5, y + 4, x + 7, y + 8}, opaque(0xffffff))
	p.fillRect(rect{x + 5, y + 9, x + 7, y + 11}, opaque(0xffffff))
}
