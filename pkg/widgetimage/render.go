// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package widgetimage draws CloudWatch metric widgets: time series as lines and stacked areas, bars, pies, gauges and
// single values, with annotations and alarms, as the console shows them. The same definition and data give the same image.
package widgetimage

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math"
	"slices"
	"time"

	"github.com/nephoscope/nephoscope/pkg/dashboard"
)

// Bounds of what is drawn in one image.
const (
	MaxSeries = 500
	MaxPoints = 1_000_000
)

// Point is a value at a time.
type Point struct {
	Time  int64 // Unix seconds
	Value float64
}

// Series is what was read of a metric or expression.
type Series struct {
	Label string
	Color string // #rrggbb, "" for the next of the palette
	Right bool   // of the right axis
	Unit  string // CloudWatch's, "" when it is not known
	// Period is the seconds between points; points further apart are not joined.
	Period int64
	Points []Point // in order of time
	// Lower makes the series a band, whose upper edge is Points.
	Lower []Point
	// Incomplete says that not all data could be read.
	Incomplete bool
}

// AlarmState is the state of an alarm during a time.
type AlarmState struct {
	From, To int64 // Unix seconds
	State    string
}

// Alarm is an alarm that is drawn over its metric.
type Alarm struct {
	Label     string
	Threshold *float64 // nil for one that has no single threshold
	Above     bool     // values above the threshold breach it, else those below
	Right     bool
	States    []AlarmState
}

// Data is what a widget shows.
type Data struct {
	Start, End time.Time
	Series     []Series
	Alarm      *Alarm // nil when there is none
}

// Render draws a widget and returns it as PNG.
func Render(w *dashboard.MetricWidget, d *Data) ([]byte, error) {
	img, err := Draw(w, d)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := enc.Encode(&out, img); err != nil {
		return nil, fmt.Errorf("encode PNG: %w", err)
	}
	return out.Bytes(), nil
}

var errTooMuch = fmt.Errorf("an image has at most %d series and %d points", MaxSeries, MaxPoints)

// Draw draws a widget.
func Draw(w *dashboard.MetricWidget, d *Data) (*image.RGBA, error) {
	if w.Width < 1 || w.Height < 1 || w.Width > 2000 || w.Height > 2000 {
		return nil, fmt.Errorf("an image of %d by %d pixels cannot be drawn", w.Width, w.Height)
	}
	if !d.End.After(d.Start) {
		return nil, errors.New("an image needs a time range")
	}
	points := 0
	for i := range d.Series {
		points += len(d.Series[i].Points) + len(d.Series[i].Lower)
	}
	if len(d.Series) > MaxSeries || points > MaxPoints {
		return nil, errTooMuch
	}
	p := &painter{MetricWidget: w, theme: lightTheme, canvas: newCanvas(w.Width, w.Height)}
	if w.Dark {
		p.theme = darkTheme
	}
	p.start, p.end = d.Start.Unix(), d.End.Unix()
	if p.end <= p.start {
		p.end = p.start + 1
	}
	p.alarm = d.Alarm
	p.setSeries(d.Series)
	p.fillRect(p.bounds(), p.theme.background)
	area := p.bounds().inset(padding)
	if area.empty() {
		return p.img, nil
	}
	area = p.drawTitle(area)
	switch w.View {
	case dashboard.ViewTimeSeries:
		p.drawTimeSeries(area)
	case dashboard.ViewBar:
		p.drawBars(area)
	case dashboard.ViewPie:
		p.drawPie(area)
	case dashboard.ViewSingleValue:
		p.drawSingleValues(area)
	case dashboard.ViewGauge:
		p.drawGauges(area)
	default:
		return nil, fmt.Errorf("a widget with the view %q cannot be drawn", w.View)
	}
	return p.img, nil
}

// Distances in pixels.
const (
	padding     = 10
	titleHeight = 24
)

// painter draws one widget.
type painter struct {
	*dashboard.MetricWidget
	*canvas
	theme      *theme
	start, end int64
	series     []series
	alarm      *Alarm
}

// series is a Series with the color that it gets.
type series struct {
	Series
	color rgba
}

// setSeries gives out colors and drops what cannot be drawn.
func (p *painter) setSeries(list []Series) {
	p.series = make([]series, len(list))
	for i := range list {
		s := &p.series[i]
		s.Series = list[i]
		s.Points, s.Lower = finite(s.Points), finite(s.Lower)
		if s.Period <= 0 {
			s.Period = closest(s.Points)
		}
		switch c, ok := parseColor(s.Color); {
		case ok:
			s.color = c
		case s.Lower != nil:
			s.color = p.theme.band
		default:
			s.color = palette[i%len(palette)]
		}
	}
}

// finite drops values that are no numbers.
func finite(points []Point) []Point {
	bad := func(q Point) bool { return math.IsNaN(q.Value) || math.IsInf(q.Value, 0) }
	if !slices.ContainsFunc(points, bad) {
		return points
	}
	return slices.DeleteFunc(slices.Clone(points), bad)
}

// closest is the shortest time between two points, or a minute.
func closest(points []Point) int64 {
	shortest := int64(0)
	for i := 1; i < len(points); i++ {
		if d := points[i].Time - points[i-1].Time; d > 0 && (shortest == 0 || d < shortest) {
			shortest = d
		}
	}
	if shortest == 0 {
		return 60
	}
	return shortest
}

// last is the latest value of a series.
func (s *series) last() (float64, bool) {
	if len(s.Points) == 0 {
		return 0, false
	}
	return s.Points[len(s.Points)-1].Value, true
}

func (p *painter) drawTitle(area rect) rect {
	if p.Title == "" || area.height() < titleHeight {
		return area
	}
	p.text(area.x0, area.y0+14, p.ellipsis(p.Title, fontTitle, area.width()), fontTitle, p.theme.text)
	area.y0 += titleHeight
	return area
}
