// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package widgetimage

import (
	"github.com/nephoscope/nephoscope/pkg/dashboard"
)

// annotationColor is that of the i-th annotation when it names none: the palette goes on behind the series.
func (g *graph) annotationColor(named string, i int) rgba {
	if c, ok := parseColor(named); ok {
		return c
	}
	return palette[(len(g.series)+i)%len(palette)]
}

// drawFills draws what annotations shade, beneath the data.
func (g *graph) drawFills() {
	for i := range g.Horizontal {
		h := &g.Horizontal[i]
		if h.Hidden {
			continue
		}
		axis, col := g.axisOf(h.Right), withAlpha(g.annotationColor(h.Color, i), alphaAnnotation)
		y := g.y(axis, h.Value)
		switch {
		case h.To != nil:
			other := g.y(axis, h.To.Value)
			g.shade(rect{g.plot.x0, min(y, other), g.plot.x1, max(y, other)}, col)
		case h.Fill == "above":
			g.shade(rect{g.plot.x0, g.plot.y0, g.plot.x1, y}, col)
		case h.Fill == "below":
			g.shade(rect{g.plot.x0, y, g.plot.x1, g.plot.y1}, col)
		}
	}
	for i := range g.Vertical {
		v := &g.Vertical[i]
		if v.Hidden {
			continue
		}
		col := withAlpha(g.annotationColor(v.Color, len(g.Horizontal)+i), alphaAnnotation)
		x := g.x(v.Time.Unix())
		switch {
		case v.To != nil:
			other := g.x(v.To.Time.Unix())
			g.shade(rect{min(x, other), g.plot.y0, max(x, other), g.plot.y1}, col)
		case v.Fill == "before":
			g.shade(rect{g.plot.x0, g.plot.y0, x, g.plot.y1}, col)
		case v.Fill == "after":
			g.shade(rect{x, g.plot.y0, g.plot.x1, g.plot.y1}, col)
		}
	}
	if a := g.alarm; a != nil && a.Threshold != nil {
		y := g.y(g.axisOf(a.Right), *a.Threshold)
		if a.Above {
			g.shade(rect{g.plot.x0, g.plot.y0, g.plot.x1, y}, withAlpha(colorThreshold, alphaAnnotation))
		} else {
			g.shade(rect{g.plot.x0, y, g.plot.x1, g.plot.y1}, withAlpha(colorThreshold, alphaAnnotation))
		}
	}
}

func (g *graph) shade(r rect, col rgba) {
	if r = r.intersect(g.plot); !r.empty() {
		g.fillRect(r, col)
	}
}

// drawAnnotations draws the lines of annotations and their labels, over the data.
func (g *graph) drawAnnotations() {
	for i := range g.Horizontal {
		col := g.annotationColor(g.Horizontal[i].Color, i)
		for h := &g.Horizontal[i]; h != nil; h = h.To {
			g.drawHorizontal(h, col)
		}
	}
	for i := range g.Vertical {
		col := g.annotationColor(g.Vertical[i].Color, len(g.Horizontal)+i)
		for v := &g.Vertical[i]; v != nil; v = v.To {
			g.drawVertical(v, col)
		}
	}
	if a := g.alarm; a != nil && a.Threshold != nil {
		g.level(g.axisOf(a.Right), *a.Threshold, "", colorThreshold, a.Right)
	}
}

func (g *graph) drawHorizontal(h *dashboard.HorizontalAnnotation, col rgba) {
	if h.Hidden {
		return
	}
	if c, ok := parseColor(h.Color); ok {
		col = c
	}
	g.level(g.axisOf(h.Right), h.Value, h.Label, col, h.Right)
}

// level draws a horizontal line with its label at the end of its axis.
func (g *graph) level(axis *scale, value float64, label string, col rgba, right bool) {
	y := g.y(axis, value)
	if y < g.plot.y0-1 || y > g.plot.y1+1 {
		return
	}
	g.stroke(g.bounds(), col, 1.5, []point{{g.plot.x0, y}, {g.plot.x1, y}})
	if label == "" {
		return
	}
	label = g.ellipsis(label, fontAxis, g.plot.width()-8)
	at := y - 4
	if at-11 < g.plot.y0 {
		at = y + 12
	}
	if right {
		g.textAligned(g.plot.x1-4, at, label, fontAxis, col, alignRight)
	} else {
		g.text(g.plot.x0+4, at, label, fontAxis, col)
	}
}

func (g *graph) drawVertical(v *dashboard.VerticalAnnotation, col rgba) {
	t := v.Time.Unix()
	if v.Hidden || t < g.start || t > g.end {
		return
	}
	if c, ok := parseColor(v.Color); ok {
		col = c
	}
	x := g.x(t)
	g.stroke(g.bounds(), col, 1.5, []point{{x, g.plot.y0}, {x, g.plot.y1}})
	if v.Label == "" {
		return
	}
	label := g.ellipsis(v.Label, fontAxis, g.plot.width()/2)
	if w := g.textWidth(label, fontAxis); x+4+w > g.plot.x1 {
		x -= w + 8
	}
	g.text(x+4, g.plot.y0+11, label, fontAxis, col)
}

// drawRibbon draws the states of the alarm below the plot.
func (g *graph) drawRibbon() {
	if g.alarm == nil {
		return
	}
	y := g.plot.y1 + 2
	for _, s := range g.alarm.States {
		col, ok := stateColors[s.State]
		from, to := max(s.From, g.start), min(s.To, g.end)
		if ok && from < to {
			g.fillRect(rect{g.x(from), y, g.x(to), y + ribbonSize}, col)
		}
	}
}
