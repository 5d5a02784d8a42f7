// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package plot

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// Sizes of a drawing.
const (
	svgWidth  = 960
	svgHeight = 240 // of a panel
	svgLeft   = 70
	svgRight  = 20
	svgTop    = 34
	svgBottom = 54
	svgBand   = 12
)

var stateColors = map[alarm.State]string{
	alarm.StateOK: "#2e9e4f", alarm.StateAlarm: "#d13212", alarm.StateInsufficientData: "#b0b7bd",
}

// maxSVGPoints is how many points of a line are drawn: more cannot be seen. The extremes of what is left out are kept.
const maxSVGPoints = 4 * svgWidth

// SVG draws the panels below each other.
func SVG(panels []*Panel) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11" fill="#414d5c">`+"\n",
		svgWidth, svgHeight*len(panels), svgWidth, svgHeight*len(panels))
	b.WriteString(`<rect width="100%" height="100%" fill="#ffffff"/>` + "\n")
	for i, p := range panels {
		fmt.Fprintf(&b, `<g transform="translate(0 %d)">`+"\n", i*svgHeight)
		p.svg(&b)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (p *Panel) svg(b *bytes.Buffer) {
	s := p.scale()
	width, height := float64(svgWidth-svgLeft-svgRight), float64(svgHeight-svgTop-svgBottom)
	span := max(p.End.Sub(p.Start), 1)
	xOf := func(t time.Time) float64 {
		return svgLeft + width*min(1, max(0, float64(t.Sub(p.Start))/float64(span)))
	}
	yOf := func(v float64) float64 { return svgTop + height*(1-s.part(v)) }
	fmt.Fprintf(b, `<text x="%d" y="20" font-size="13" font-weight="bold">%s</text>`+"\n", svgLeft, escape(p.Title))
	for _, v := range s.ticks() {
		y := yOf(v)
		fmt.Fprintf(b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#e9ebed"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			svgLeft, y, svgWidth-svgRight, y, svgLeft-6, y+4, number(v))
	}
	step, layout := timeStep(p.End.Sub(p.Start), 9)
	for at := p.Start.Truncate(step); !at.After(p.End); at = at.Add(step) {
		if at.Before(p.Start) {
			continue
		}
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`+"\n", xOf(at), svgTop+height+svgBand+20, at.UTC().Format(layout))
	}
	p.svgBand(b, xOf, svgTop+height+4)
	if len(p.Upper) > 0 {
		p.svgBounds(b, xOf, yOf)
	}
	if p.Threshold != nil {
		fmt.Fprintf(b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#d13212" stroke-dasharray="6 4"/>`+"\n",
			svgLeft, yOf(*p.Threshold), svgWidth-svgRight, yOf(*p.Threshold))
	}
	fmt.Fprintf(b, `<path d="%s" fill="none" stroke="#0972d3" stroke-width="1.2"/>`+"\n", p.path(xOf, yOf))
}

func (p *Panel) svgBand(b *bytes.Buffer, xOf func(time.Time) float64, top float64) {
	for _, s := range p.States {
		if s.To.Before(p.Start) || s.From.After(p.End) {
			continue
		}
		x := xOf(s.From)
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%d" fill="%s"><title>%s %s – %s</title></rect>`+"\n",
			x, top, max(1, xOf(s.To)-x), svgBand, stateColors[s.State], s.State,
			s.From.UTC().Format(time.DateTime), s.To.UTC().Format(time.DateTime))
	}
}

// svgBounds fills the band between the bounds.
func (p *Panel) svgBounds(b *bytes.Buffer, xOf func(time.Time) float64, yOf func(float64) float64) {
	b.WriteString(`<path d="`)
	n := 0
	for i := range p.Upper {
		if v := p.Upper[i].Value; !math.IsNaN(v) {
			fmt.Fprintf(b, "%s%.1f %.1f", letter(n == 0), xOf(p.Upper[i].Time), yOf(v))
			n++
		}
	}
	for _, q := range slices.Backward(p.Lower) {
		if !math.IsNaN(q.Value) && n > 0 {
			fmt.Fprintf(b, "L%.1f %.1f", xOf(q.Time), yOf(q.Value))
		}
	}
	if n > 0 {
		b.WriteByte('Z')
	}
	b.WriteString(`" fill="#b5d6f4" fill-opacity="0.5"/>` + "\n")
}

func letter(first bool) string {
	if first {
		return "M"
	}
	return "L"
}

// path is the line of the values, broken at gaps.
func (p *Panel) path(xOf func(time.Time) float64, yOf func(float64) float64) string {
	var b bytes.Buffer
	points := thin(p.Points, maxSVGPoints)
	period := p.Period
	if len(points) < len(p.Points) {
		period *= time.Duration(2*len(p.Points)/len(points) + 1)
	}
	for i := range points {
		broken := i == 0 || period > 0 && points[i].Time.Sub(points[i-1].Time) > period*3/2
		x, y := xOf(points[i].Time), yOf(points[i].Value)
		fmt.Fprintf(&b, "%s%.1f %.1f", letter(broken), x, y)
		if broken {
			fmt.Fprintf(&b, "h0.1") // a point without neighbours is seen, too
		}
	}
	return b.String()
}

// thin keeps the smallest and greatest value of every part.
func thin(points []Point, n int) []Point {
	if len(points) <= n {
		return points
	}
	parts := n / 2
	out := make([]Point, 0, n)
	for i := range parts {
		part := points[i*len(points)/parts : (i+1)*len(points)/parts]
		low, high := 0, 0
		for j := range part {
			if part[j].Value < part[low].Value {
				low = j
			}
			if part[j].Value > part[high].Value {
				high = j
			}
		}
		out = append(out, part[min(low, high)])
		if low != high {
			out = append(out, part[max(low, high)])
		}
	}
	return out
}

func escape(s string) string {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return ""
	}
	return b.String()
}
