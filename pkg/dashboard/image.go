// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package dashboard

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// View is how a metric widget shows its metrics.
type View string

// The views.
const (
	ViewTimeSeries  View = "timeSeries"
	ViewSingleValue View = "singleValue"
	ViewGauge       View = "gauge"
	ViewBar         View = "bar"
	ViewPie         View = "pie"
)

// Defaults and bounds of a widget that is drawn.
const (
	defaultWidth, defaultHeight = 600, 400
	maxPixels                   = 2000
	maxImageRows                = 100
	maxAnnotations              = 100

	defaultPeriod = 300
	defaultStat   = "Average"
)

// MetricWidget is the definition of a widget that GetMetricWidgetImage draws, its defaults filled in.
type MetricWidget struct {
	Width, Height int // pixels
	Title         string
	View          View
	Stacked       bool
	// LiveData shows the last period, which is not over.
	LiveData  bool
	Sparkline bool
	// SetPeriodToTimeRange makes one value of the whole time range.
	SetPeriodToTimeRange bool
	FullPrecision        bool
	// ValueLabels writes values into a pie or bars.
	ValueLabels bool
	Dark        bool
	Legend      LegendPosition
	Left, Right Axis
	Start, End  Instant
	Location    *time.Location

	// Region and AccountID are of the metrics that say nothing of their own; "" is where the request comes from.
	Region, AccountID string
	Stat              string
	Period            int32
	Rows              []Row
	// Alarm is the ARN of an alarm that is drawn, "" for none.
	Alarm      string
	Horizontal []HorizontalAnnotation
	Vertical   []VerticalAnnotation
}

// LegendPosition is where the legend is.
type LegendPosition string

// The positions.
const (
	LegendBottom LegendPosition = "bottom"
	LegendRight  LegendPosition = "right"
	LegendHidden LegendPosition = "hidden"
)

// Axis is one of the two vertical axes.
type Axis struct {
	Min, Max  *float64
	Label     string
	HideUnits bool
}

// Row is a metric or an expression.
type Row struct {
	Metric     cloudwatch.Metric // its dimensions in the order given
	Expression string            // "" for a metric
	ID         string            // "" when it has none
	Label      *string
	Color      string // #rrggbb, "" for the next of the palette
	Period     int32
	Stat       string
	Region     string
	AccountID  string
	Hidden     bool // known to expressions only
	Right      bool // of the right axis
}

// HorizontalAnnotation is a line, or two that have the band between them filled.
type HorizontalAnnotation struct {
	Value  float64
	Label  string
	Color  string
	Fill   string // above, below or none
	Hidden bool
	Right  bool
	// To is the other line of a band, nil when there is none.
	To *HorizontalAnnotation
}

// VerticalAnnotation is a time, or two that have the range between them filled.
type VerticalAnnotation struct {
	Time   time.Time
	Label  string
	Color  string
	Fill   string // before, after or none
	Hidden bool
	// To is the other end of a range, nil when there is none.
	To *VerticalAnnotation
}

// ErrWidgetNotObject is the error of a widget that is no JSON object.
var ErrWidgetNotObject = errors.New("The parameter MetricWidget must be a valid JSON object") //nolint:staticcheck // as the API's other messages

const widgetSubject = "The parameter MetricWidget"

var imageFields = func() fields {
	f := maps.Clone(metricFields)
	// What is not drawn is refused.
	delete(f, "table")
	delete(f, "trend")
	f["metrics"] = list(1, maxImageRows, checkRow)
	f["view"] = oneOf("view", string(ViewTimeSeries), string(ViewSingleValue), string(ViewBar), string(ViewPie), string(ViewGauge))
	f["width"], f["height"] = integer(1, maxPixels), integer(1, maxPixels)
	f["theme"] = oneOf("theme", "light", "dark")
	f["labels"] = object(fields{"visible": isBoolean})
	f["annotations"] = object(fields{
		"alarms":     list(0, 1, isString),
		"horizontal": list(0, maxAnnotations, annotation(horizontalFields)),
		"vertical":   list(0, maxAnnotations, annotation(verticalFields)),
	})
	f["copilot"] = anything // the console's, of no effect
	return f
}()

// ParseMetricWidget reads the definition of an image. The error is [ErrWidgetNotObject] or an [InvalidError]; members that
// have no effect are faults, too.
func ParseMetricWidget(text string) (*MetricWidget, error) {
	root, err := parseJSON(text)
	switch {
	case errors.Is(err, errTooDeep):
		return nil, &InvalidError{Subject: widgetSubject, Issues: []Issue{{Message: "Should NOT be " + errTooDeep.Error()}}}
	case err != nil || root.Kind != KindObject:
		return nil, ErrWidgetNotObject
	}
	c := checker{}
	checkMetricSource(&c, "", root, "metrics")
	checkGauge(&c, "", root)
	c.members("", root, imageFields)
	for i := range root.Members {
		if name := root.Members[i].Name; imageFields[name] == nil {
			c.fail("", `The "`+name+`" property is not expected to be part of a metric widget image`)
		}
	}
	w := &MetricWidget{}
	if len(c.found) == 0 {
		w.read(&c, root)
	}
	if fatal, warnings := c.sorted(); len(c.found) > 0 {
		return nil, &InvalidError{Subject: widgetSubject, Issues: append(fatal, warnings...)}
	}
	return w, nil
}

// read takes over a definition in which all members are of the right type.
func (w *MetricWidget) read(c *checker, root *Value) {
	*w = MetricWidget{
		Width: root.Member("width").intOr(defaultWidth), Height: root.Member("height").intOr(defaultHeight),
		Title: root.Member("title").string(), View: View(root.Member("view").stringOr(string(ViewTimeSeries))),
		Stacked: root.Member("stacked").bool(), LiveData: root.Member("liveData").bool(),
		Sparkline: root.Member("sparkline").bool(), SetPeriodToTimeRange: root.Member("setPeriodToTimeRange").bool(),
		FullPrecision: root.Member("singleValueFullPrecision").bool(),
		ValueLabels:   root.Member("labels").Member("visible").bool(),
		Dark:          root.Member("theme").string() == "dark",
		Legend:        LegendPosition(root.Member("legend").Member("position").stringOr(string(LegendBottom))),
		Left:          readAxis(root.Member("yAxis").Member("left")), Right: readAxis(root.Member("yAxis").Member("right")),
		Region: root.Member("region").string(), AccountID: root.Member("accountId").string(),
		Stat:     root.Member("stat").stringOr(defaultStat),
		Period:   int32(root.Member("period").intOr(defaultPeriod)),
		Location: location(root.Member("timezone").stringOr("+0000")),
	}
	var err error
	if w.Start, err = ParseInstant(root.Member("start").stringOr("-PT3H")); err != nil {
		c.fail("/start", err.Error())
	}
	if w.End, err = ParseInstant(root.Member("end").stringOr("PT0H")); err != nil {
		c.fail("/end", err.Error())
	}
	for i, axis := range []Axis{w.Left, w.Right} {
		if axis.Min != nil && axis.Max != nil && *axis.Min >= *axis.Max {
			c.fail([]string{"/yAxis/left", "/yAxis/right"}[i], "The max should be greater than the min")
		}
	}
	if metrics := root.Member("metrics"); metrics != nil {
		w.Rows = w.readRows(c, metrics)
	}
	annotations := root.Member("annotations")
	if alarms := annotations.Member("alarms"); alarms != nil && len(alarms.Items) > 0 {
		w.Alarm = alarms.Items[0].Text
	}
	if w.Alarm == "" && root.Member("metrics") == nil {
		c.missing("", "metrics")
	}
	for _, v := range annotations.Member("horizontal").items() {
		w.Horizontal = append(w.Horizontal, *readPair(v, readHorizontal, func(a, b *HorizontalAnnotation) { a.To = b }))
	}
	for _, v := range annotations.Member("vertical").items() {
		w.Vertical = append(w.Vertical, *readPair(v, readVertical, func(a, b *VerticalAnnotation) { a.To = b }))
	}
}

func readAxis(v *Value) Axis {
	a := Axis{Label: v.Member("label").string()}
	if low, ok := v.Member("min").number(); ok {
		a.Min = &low
	}
	if high, ok := v.Member("max").number(); ok {
		a.Max = &high
	}
	show := v.Member("showUnits")
	a.HideUnits = show != nil && !show.Bool
	return a
}

// readPair reads an annotation, and with it the one that it is paired with.
func readPair[T any](v Value, read func(*Value) *T, join func(a, b *T)) *T {
	if v.Kind != KindArray {
		return read(&v)
	}
	first := read(&v.Items[0])
	join(first, read(&v.Items[1]))
	return first
}

func readHorizontal(v *Value) *HorizontalAnnotation {
	value, _ := v.Member("value").number()
	return &HorizontalAnnotation{
		Value: value, Label: v.Member("label").string(), Color: v.Member("color").string(),
		Fill: v.Member("fill").stringOr("none"), Hidden: v.Member("visible").isFalse(),
		Right: v.Member("yAxis").string() == "right",
	}
}

func readVertical(v *Value) *VerticalAnnotation {
	at, _ := time.Parse(time.RFC3339Nano, v.Member("value").string()) // it has the form
	return &VerticalAnnotation{
		Time: at, Label: v.Member("label").string(), Color: v.Member("color").string(),
		Fill: v.Member("fill").stringOr("none"), Hidden: v.Member("visible").isFalse(),
	}
}

func (v *Value) items() []Value {
	if v == nil {
		return nil
	}
	return v.Items
}

func (v *Value) bool() bool    { return v != nil && v.Bool }
func (v *Value) isFalse() bool { return v != nil && !v.Bool }

func (v *Value) stringOr(otherwise string) string {
	if v == nil {
		return otherwise
	}
	return v.Text
}

// intOr is a whole number below 2^31, which a greater one is made of.
func (v *Value) intOr(otherwise int) int {
	n, ok := v.number()
	if !ok {
		return otherwise
	}
	return int(min(n, 1<<31-1))
}

// location is the time zone of a difference from UTC, +0130.
func location(difference string) *time.Location {
	hours, _ := strconv.Atoi(difference[1:3]) // it has the form
	minutes, _ := strconv.Atoi(difference[3:5])
	seconds := (hours*60 + minutes) * 60
	if difference[0] == '-' {
		seconds = -seconds
	}
	if seconds == 0 {
		return time.UTC
	}
	return time.FixedZone(fmt.Sprintf("%s:%s", difference[:3], difference[3:]), seconds)
}
