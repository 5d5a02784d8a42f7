// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package widgetimage

import (
	"math"
	"strconv"
)

// drawPie draws the share of each series' last value. Values that are not positive have none.
func (p *painter) drawPie(area rect) {
	area = p.drawLegend(area, p.legendEntries())
	total := 0.0
	for i := range p.series {
		if v, ok := p.series[i].last(); ok && v > 0 {
			total += v
		}
	}
	radius := min(area.width(), area.height())/2 - 4
	center := point{(area.x0 + area.x1) / 2, (area.y0 + area.y1) / 2}
	if radius < 2 {
		return
	}
	if total == 0 || math.IsInf(total, 0) {
		p.textAligned(center.x, center.y, "No data available", fontLegend, p.theme.faint, alignCenter)
		return
	}
	from := -math.Pi / 2
	for i := range p.series {
		v, ok := p.series[i].last()
		if !ok || v <= 0 {
			continue
		}
		share := v / total
		to := from + share*2*math.Pi
		p.ring(p.series[i].color, center, 0, radius, from, to)
		from = to
	}
	if total > 0 {
		p.drawShares(center, radius, total)
	}
}

// drawShares draws the borders between shares, and their labels.
func (p *painter) drawShares(center point, radius, total float64) {
	from := -math.Pi / 2
	for i := range p.series {
		v, ok := p.series[i].last()
		if !ok || v <= 0 {
			continue
		}
		share := v / total
		if share < 1 {
			sin, cos := math.Sincos(from)
			p.stroke(p.bounds(), p.theme.background, 1, []point{center, {center.x + radius*cos, center.y + radius*sin}})
		}
		if p.ValueLabels && share >= 0.04 {
			sin, cos := math.Sincos(from + share*math.Pi)
			label := strconv.FormatFloat(share*100, 'f', 1, 64) + "%"
			p.textAligned(center.x+cos*radius*0.68, center.y+sin*radius*0.68+4, label, fontLegend, opaque(0xffffff), alignCenter)
		}
		from += share * 2 * math.Pi
	}
}
