// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package dashboard

import (
	"math"
	"slices"
	"strconv"
)

// maxRows bounds the metrics of a widget.
const maxRows = 500

// statisticExpression is CloudWatch's, which its message repeats.
const statisticExpression = `^((SampleCount|Average|Sum|Minimum|Maximum|IQM)|(p|tc|tm|ts|wm)(100(.0{0,10})?|\d{1,2})(\.\d{0,10})?|` +
	`[ou](\d+(\.\d{0,10})?)(_E|_L|_H)?|((TM|TC|TS|WM)\(((100(.0{0,10})?|\d{1,2})(\.\d{0,10})?%):` +
	`((100(.0{0,10})?|\d{1,2})(\.\d{0,10})?%)?\)|(TM|TC|TS|WM)\(((100(.0{0,10})?|\d{1,2})(\.\d{0,10})?%)?:` +
	`((100(.0{0,10})?|\d{1,2})(\.\d{0,10})?%)\))|` +
	`(((TM|TC|TS|WM)|(PR))\(((\d+(\.\d{0,10})?)|(\d+(\.\d{0,10})?[Ee][+-]?\d+)):((\d+(\.\d{0,10})?)|(\d+(\.\d{0,10})?[Ee][+-]?\d+))?\))|` +
	`(((TM|TC|TS|WM)|(PR))\(((\d+(\.\d{0,10})?)|(\d+(\.\d{0,10})?[Ee][+-]?\d+))?:((\d+(\.\d{0,10})?)|(\d+(\.\d{0,10})?[Ee][+-]?\d+))\)))$`

var checkStatistic = pattern(statisticExpression)

var (
	legendFields = fields{"position": oneOf("position", "right", "bottom", "hidden")}
	axisFields   = fields{"min": isNumber, "max": isNumber, "label": isString, "showUnits": isBoolean}

	checkColor = pattern("^#[0-9a-fA-F]{6}$")

	horizontalFields = fields{
		"value": isNumber, "label": isString, "color": checkColor, "visible": isBoolean,
		"fill":  oneOf("fill", "above", "below", "none"),
		"yAxis": oneOf("yAxis", "left", "right"),
	}
	verticalFields = fields{
		"value": pattern(dateTimeExpression), "label": isString, "color": checkColor, "visible": isBoolean,
		"fill": oneOf("fill", "before", "after", "none"),
	}
)

var metricFields = fields{
	"metrics":   list(0, maxRows, checkRow),
	"region":    isString,
	"accountId": isString,
	"title":     isString,
	"view":      oneOf("view", "singleValue", "timeSeries", "bar", "pie", "gauge", "table"),
	"stacked":   isBoolean,
	"period":    checkPeriod,
	"stat":      checkStatistic,
	"timezone":  softly(pattern(`^[+-]\d{4}$`)),
	"yAxis":     object(fields{"left": object(axisFields), "right": object(axisFields)}),
	"annotations": object(fields{
		"alarms":     list(0, 1, isString),
		"horizontal": list(0, noLimit, annotation(horizontalFields)),
		"vertical":   list(0, noLimit, annotation(verticalFields)),
	}),
	"legend":                   object(legendFields),
	"liveData":                 isBoolean,
	"sparkline":                isBoolean,
	"setPeriodToTimeRange":     isBoolean,
	"singleValueFullPrecision": isBoolean,
	"trend":                    isBoolean,
	"labels":                   isObject,
	"start":                    softly(pattern(timeExpression)),
	"end":                      softly(pattern(timeExpression)),
	"table": object(fields{
		"layout":             oneOf("layout", "horizontal", "vertical"),
		"showTimeSeriesData": isBoolean,
		"stickySummary":      isBoolean,
		"summaryColumns":     list(0, noLimit, isString),
	}),
}

// checkMetric demands metrics with a region, or an alarm.
func checkMetric(c *checker, path string, v *Value) {
	checkMetricSource(c, path, v, "metrics", "region")
	checkGauge(c, path, v)
	c.members(path, v, metricFields)
	c.unexpected(path, v, metricFields, inWidget)
}

// checkMetricSource reports the three ways in which a widget may be without data.
func checkMetricSource(c *checker, path string, v *Value, needed ...string) {
	annotations := v.Member("annotations")
	if annotations.Member("alarms") != nil {
		return
	}
	missing := slices.IndexFunc(needed, func(name string) bool { return v.Member(name) == nil })
	if missing < 0 {
		return
	}
	c.missing(path, needed[missing])
	c.fail(path, "The metric widget should have specified a region and a data source or an alarm annotation")
	switch {
	case annotations == nil:
		c.missing(path, "annotations")
	case annotations.Kind == KindObject:
		c.missing(child(path, "annotations"), "alarms")
	}
}

// checkGauge demands the ends of a gauge.
func checkGauge(c *checker, path string, v *Value) {
	if v.Member("view").string() != "gauge" {
		return
	}
	for _, name := range []string{"yAxis", "left"} {
		if !c.required(path, v, name) {
			return
		}
		path, v = child(path, name), v.Member(name)
		if v.Kind != KindObject {
			return
		}
	}
	c.required(path, v, "min", "max")
}

func checkPeriod(c *checker, path string, v *Value) {
	n, ok := v.number()
	switch {
	case !ok:
		c.fail(path, "Should be integer")
	case n == 1 || n == 5 || n == 10 || n == 30 || n >= 60 && math.Mod(n, 60) == 0:
		return
	default:
		if n < 60 {
			c.fail(path, "Should be >= 60")
		}
		if math.Mod(n, 60) != 0 {
			c.fail(path, "Should be multiple of 60")
		}
	}
	c.fail(path, "Should match exactly one schema in oneOf")
}

// annotation is the rule of an annotation, or of two that stand for what is between them.
func annotation(f fields) rule {
	one := object(f, "value")
	pair := list(2, 2, one)
	return func(c *checker, path string, v *Value) {
		if v.Kind == KindArray {
			pair(c, path, v)
			return
		}
		one(c, path, v)
	}
}

var rendererFields = fields{
	"id": pattern(`^[a-z][a-zA-Z0-9_]*$`), "expression": isString, "label": isString, "color": checkColor,
	"period": checkPeriod, "stat": checkStatistic, "region": isString, "accountId": isString, "visible": isBoolean,
	"yAxis": oneOf("yAxis", "left", "right"),
}

func checkRow(c *checker, path string, v *Value) {
	if v.Kind != KindArray {
		c.fail(path, "Should be array")
		c.fail(path, `Field "metrics" has to be an array of array of strings, with an optional metricRenderer object as last element`)
		return
	}
	last := len(v.Items) - 1
	for i := range v.Items {
		if k := v.Items[i].Kind; k != KindString && (i < last || k != KindObject) {
			c.fail(child(path, strconv.Itoa(i)), `Invalid metric field type, only "String" type is allowed`)
			return
		}
	}
	if last >= 0 && v.Items[last].Kind == KindObject {
		renderer, at := &v.Items[last], child(path, strconv.Itoa(last))
		if !checkRenderer(c, at, renderer) {
			// An object that is no renderer is one item too many.
			c.fail(path, "Should NOT have more than "+strconv.Itoa(last)+" items")
			return
		}
		if last == 0 {
			c.required(at, renderer, "expression")
			return
		}
	}
	if len(v.Items) < 2 {
		c.fail(path, "Should NOT have less than 2 items")
	}
}

// checkRenderer is whether the object can be the renderer of a row. Warnings are kept, faults are not reported one by one.
func checkRenderer(c *checker, path string, v *Value) bool {
	own := checker{}
	own.members(path, v, rendererFields)
	for i := range v.Members {
		if rendererFields[v.Members[i].Name] == nil {
			return false
		}
	}
	if slices.ContainsFunc(own.found, func(f found) bool { return f.fatal }) {
		return false
	}
	c.found = append(c.found, own.found...)
	return true
}
