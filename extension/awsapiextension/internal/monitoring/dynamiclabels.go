// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

const (
	// maxDynamicValues is how many a label may have.
	maxDynamicValues = 6
	// unknownProperty stands for a property that the series does not have.
	unknownProperty = "--"

	labelTimeLayout = "2006-01-02 15:04:05"
)

// labelTemplate is a label with dynamic values: text and ${…} in turns.
type labelTemplate struct {
	texts  []string // one more than values
	values []labelValue
}

// labelValue is what stands for one ${…}.
type labelValue func(in *labelInput) string

// labelInput is what dynamic values are taken from.
type labelInput struct {
	label   string // the default one
	account string
	region  string
	zone    *time.Location
	now     int64
	of      *seriesOf // nil when the series is of no single metric
	times   []int64   // rising
	values  []float64
}

// seriesOf says which metric a series is of.
type seriesOf struct {
	metric cloudwatch.Metric
	stat   string
	period int64
}

// parseLabel reads a label. It returns nil for one without dynamic values.
func parseLabel(label string) (*labelTemplate, error) {
	t := &labelTemplate{}
	rest, labels := label, 0
	for {
		text, value, found := strings.Cut(rest, "${")
		t.texts = append(t.texts, text)
		if !found {
			break
		}
		name, after, closed := strings.Cut(value, "}")
		if !closed {
			return nil, fmt.Errorf("${%s has no closing brace", value)
		}
		v := dynamicValue(name)
		if v == nil {
			return nil, fmt.Errorf("${%s} is not a dynamic value", name)
		}
		if name == "LABEL" {
			labels++
		}
		t.values = append(t.values, v)
		rest = after
	}
	switch {
	case len(t.values) == 0:
		return nil, nil
	case len(t.values) > maxDynamicValues:
		return nil, fmt.Errorf("a label has at most %d dynamic values, not %d", maxDynamicValues, len(t.values))
	case labels > 1:
		return nil, errors.New("${LABEL} may occur once")
	}
	return t, nil
}

func (t *labelTemplate) render(in *labelInput) string {
	var b strings.Builder
	for i, v := range t.values {
		b.WriteString(t.texts[i])
		b.WriteString(v(in))
	}
	b.WriteString(t.texts[len(t.texts)-1])
	return b.String()
}

func dynamicValue(name string) labelValue {
	if v, ok := dynamicValues[name]; ok {
		return v
	}
	for _, quote := range []string{"'", `"`} {
		property, isProperty := strings.CutPrefix(name, "PROP("+quote)
		property, closed := strings.CutSuffix(property, quote+")")
		if !isProperty || !closed {
			continue
		}
		if dimension, ok := strings.CutPrefix(property, "Dim."); ok && dimension != "" {
			return func(in *labelInput) string { return in.dimension(dimension) }
		}
		return properties[property]
	}
	return nil
}

// properties are those of PROP but for dimensions.
var properties = map[string]labelValue{
	"MetricName": ofMetric(func(o *seriesOf) string { return o.metric.Name }),
	"Namespace":  ofMetric(func(o *seriesOf) string { return o.metric.Namespace }),
	"Stat":       ofMetric(func(o *seriesOf) string { return o.stat }),
	"Period":     ofMetric(func(o *seriesOf) string { return strconv.FormatInt(o.period, 10) }),
	"Region":     func(in *labelInput) string { return in.region },
	"AccountId":  func(in *labelInput) string { return in.account },
	// Accounts are not linked here, and it is links that have labels.
	"AccountLabel": func(*labelInput) string { return unknownProperty },
}

func ofMetric(f func(*seriesOf) string) labelValue {
	return func(in *labelInput) string {
		if in.of == nil {
			return unknownProperty
		}
		return f(in.of)
	}
}

func (in *labelInput) dimension(name string) string {
	if in.of != nil {
		for i := range in.of.metric.Dimensions {
			if d := &in.of.metric.Dimensions[i]; d.Name == name {
				return d.Value
			}
		}
	}
	return unknownProperty
}

// dynamicValues are those that are not properties. What is of points is empty without any.
var dynamicValues = func() map[string]labelValue {
	values := map[string]labelValue{
		"LABEL":            func(in *labelInput) string { return in.label },
		"DATAPOINT_COUNT":  func(in *labelInput) string { return strconv.Itoa(len(in.values)) },
		"SUM":              ofPoints(func(in *labelInput) float64 { return in.sum() }),
		"AVG":              ofPoints(func(in *labelInput) float64 { return in.sum() / float64(len(in.values)) }),
		"FIRST_LAST_RANGE": ofPoints(func(in *labelInput) float64 { return in.values[in.last()] - in.values[0] }),
		"MIN_MAX_RANGE":    ofPoints(func(in *labelInput) float64 { return in.values[in.greatest()] - in.values[in.least()] }),
		"FIRST_LAST_TIME_RANGE": ofTimes(func(in *labelInput) string {
			return seconds(in.times[in.last()] - in.times[0])
		}),
		"MIN_MAX_TIME_RANGE": ofTimes(func(in *labelInput) string {
			return seconds(max(in.times[in.greatest()], in.times[in.least()]) - min(in.times[in.greatest()], in.times[in.least()]))
		}),
	}
	for name, place := range map[string]func(*labelInput) int{
		"FIRST": func(*labelInput) int { return 0 }, "LAST": (*labelInput).last, "MIN": (*labelInput).least, "MAX": (*labelInput).greatest,
	} {
		values[name] = ofPoints(func(in *labelInput) float64 { return in.values[place(in)] })
		values[name+"_TIME"] = ofTimes(func(in *labelInput) string {
			return time.Unix(in.times[place(in)], 0).In(in.zone).Format(labelTimeLayout)
		})
		values[name+"_TIME_RELATIVE"] = ofTimes(func(in *labelInput) string { return seconds(in.now - in.times[place(in)]) })
	}
	return values
}()

func ofPoints(f func(in *labelInput) float64) labelValue {
	return ofTimes(func(in *labelInput) string { return formatLabelNumber(f(in)) })
}

func ofTimes(f func(in *labelInput) string) labelValue {
	return func(in *labelInput) string {
		if len(in.values) == 0 {
			return ""
		}
		return f(in)
	}
}

func (in *labelInput) last() int { return len(in.values) - 1 }

func (in *labelInput) sum() (sum float64) {
	for _, v := range in.values {
		sum += v
	}
	return sum
}

// least is the place of the smallest value, the oldest of equals.
func (in *labelInput) least() (place int) {
	for i, v := range in.values {
		if v < in.values[place] {
			place = i
		}
	}
	return place
}

func (in *labelInput) greatest() (place int) {
	for i, v := range in.values {
		if v > in.values[place] {
			place = i
		}
	}
	return place
}

func seconds(n int64) string { return strconv.FormatInt(n, 10) + "s" }

// formatLabelNumber is the shortest spelling that is the number, without an exponent while that is readable.
func formatLabelNumber(v float64) string {
	if size := math.Abs(v); size != 0 && (size < 1e-6 || size >= 1e15) {
		return strconv.FormatFloat(v, 'E', -1, 64)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// labelZone is the zone of LabelOptions.Timezone, which has the form +HHMM.
func labelZone(timezone string) *time.Location {
	if timezone == "" {
		return time.UTC
	}
	hours, _ := strconv.Atoi(timezone[1:3])
	minutes, _ := strconv.Atoi(timezone[3:5])
	offset := hours*3600 + minutes*60
	if timezone[0] == '-' {
		offset = -offset
	}
	return time.FixedZone(timezone, offset)
}
