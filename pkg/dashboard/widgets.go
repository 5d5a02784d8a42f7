// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package dashboard

import "slices"

// Bounds of a body.
const (
	maxWidgets   = 500
	maxVariables = 25
)

const (
	dateTimeExpression = `^(?:[1-9]\d{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|` +
		`(?:0[13578]|1[02])-31)|(?:[1-9]\d(?:0[48]|[2468][048]|[13579][26])|(?:[2468][048]|[13579][26])00)-02-29)T` +
		`(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-][01]\d:[0-5]\d)$`
	timeExpression = `(` + dateTimeExpression + `)|(^\-?P(T|\d))`
)

var bodyFields = fields{
	"widgets":        list(0, maxWidgets, checkWidget),
	"variables":      checkVariables,
	"start":          softly(pattern(timeExpression)),
	"end":            softly(pattern(timeExpression)),
	"periodOverride": softly(pattern("^(inherit|auto)$")),
}

func (c *checker) body(root *Value) {
	c.required("", root, "widgets")
	c.members("", root, bodyFields)
	c.unexpected("", root, bodyFields, inRoot)
}

// widgetTypes are the types in the order in which CloudWatch lists them.
const widgetTypes = "chart,custom,metric,service,text,log,alarm,explorer,timeline,serviceMap,serviceTable,trace"

// propertyRules check the properties of a widget by its type. Those of the type service are free.
var propertyRules = map[string]rule{
	"text":         checkText,
	"metric":       checkMetric,
	"log":          object(logFields),
	"alarm":        checkAlarm,
	"explorer":     object(explorerFields),
	"custom":       object(customFields, "endpoint"),
	"chart":        checkChart,
	"timeline":     object(timelineFields, "alarm"),
	"service":      isObject,
	"serviceMap":   object(traceFields),
	"serviceTable": object(traceFields),
	"trace":        object(traceFields),
}

var widgetFields = fields{
	"type":       isString,
	"x":          integer(0, 23),
	"y":          integer(0, noLimit),
	"width":      integer(1, 24),
	"height":     integer(1, 1000),
	"properties": anything, // checked by type
}

func checkWidget(c *checker, path string, v *Value) {
	if !isKind(c, path, v, KindObject) {
		return
	}
	c.required(path, v, "type", "properties")
	for _, pair := range [][2]string{{"x", "y"}, {"y", "x"}} {
		if v.Member(pair[0]) != nil && v.Member(pair[1]) == nil {
			c.fail(path, "Should have property "+pair[1]+" when property "+pair[0]+" is present")
		}
	}
	c.members(path, v, widgetFields)
	c.unexpected(path, v, widgetFields, inWidget)
	kind, properties := v.Member("type"), v.Member("properties")
	check := propertyRules[kind.string()]
	if kind != nil && kind.Kind == KindString && check == nil {
		c.warn(child(path, "type"), "The specified widget type is unknown. Use one of the allowed values: "+widgetTypes)
	}
	if properties == nil {
		return
	}
	at := child(path, "properties")
	if isKind(c, at, properties, KindObject) && check != nil {
		check(c, at, properties)
	}
}

var textFields = fields{
	"markdown":   isString,
	"background": oneOf("background", "solid", "transparent"),
}

func checkText(c *checker, path string, v *Value) {
	object(textFields, "markdown")(c, path, v)
}

var logFields = fields{
	"query":         isString,
	"region":        isString,
	"accountId":     isString,
	"title":         isString,
	"stacked":       isBoolean,
	"view":          oneOf("view", "table", "timeSeries", "bar", "pie"),
	"queryLanguage": isString,
	"logGroupNames": anything,
	"timezone":      isString,
	"start":         isString,
	"end":           isString,
}

var alarmFields = fields{
	"alarms": list(1, 100, isString),
	"sortBy": oneOf("sortBy", "default", "stateUpdatedTimestamp", "timestamp"),
	"states": list(0, noLimit, pattern("OK|ALARM|INSUFFICIENT_DATA")),
	"title":  isString,
}

// checkAlarm reports faults of the states alone when there are some.
func checkAlarm(c *checker, path string, v *Value) {
	if states := v.Member("states"); states != nil {
		from := len(c.found)
		alarmFields["states"](c, child(path, "states"), states)
		if slices.ContainsFunc(c.found[from:], func(f found) bool { return f.fatal }) {
			return
		}
	}
	object(alarmFields, "alarms")(c, path, v)
}

var explorerFields = fields{
	"metrics": list(1, 100, object(fields{
		"metricName": isString, "resourceType": isString, "stat": isString,
	}, "metricName", "resourceType")),
	"period":      integer(1, noLimit),
	"labels":      list(0, noLimit, object(fields{"key": isString, "value": isString}, "key")),
	"aggregateBy": object(fields{"key": isString, "func": oneOf("func", "AVG", "MIN", "MAX", "STDDEV", "SUM")}),
	"splitBy":     isString,
	"title":       isString,
	"region":      isString,
	"widgetOptions": object(fields{
		"legend":        object(legendFields),
		"view":          oneOf("view", "timeSeries", "bar", "pie"),
		"stacked":       isBoolean,
		"rowsPerPage":   integer(1, noLimit),
		"widgetsPerRow": integer(1, noLimit),
	}),
}

var timelineFields = fields{
	"alarm": pattern(`^arn:aws(-cn|-us-gov|-iso(-[bef])?|-eusc)?:cloudwatch:([a-z]{2}|[a-z]{4})(-[a-z]+)*-[0-9]{1,2}:` +
		`[0-9]{12}:alarm:.{1,255}$`),
	"title": isString,
}

const functionExpression = `^arn:aws(-cn|-us-gov|-iso(-[bef])?|-eusc)?:lambda:[a-z]{2,}(-[a-z]+)*-[0-9]{1,2}:[0-9]{12}:function:` +
	`[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?$`

var customFields = fields{
	// CloudWatch's message doubles the backslash.
	"endpoint": patternLike(`^arn:aws(-cn|-us-gov|-iso(-[bef])?|-eusc)?:lambda:[a-z]{2,}(-[a-z]+)*-[0-9]{1,2}:[0-9]{12}:function:`+
		`[a-zA-Z0-9-_]+(:(\\$LATEST|[a-zA-Z0-9-_]+))?$`, functionExpression),
	"title":    isString,
	"params":   anything,
	"updateOn": object(fields{"refresh": isBoolean, "resize": isBoolean, "timeRange": isBoolean}),
}

var traceFields = fields{
	"title": isString, "region": isString, "accountId": isString, "groupARN": isString, "filterExpression": isString,
	"traceId": isString,
}

var chartFields = fields{
	"data":  isObject,
	"view":  oneOf("view", "line", "bar", "pie", "number", "solidgauge", "column", "legend", "histogram", "heatmap", "scatter"),
	"title": isString, "description": isString, "region": isString, "plotOptions": isObject,
}

var chartQueryFields = fields{
	"id": isString, "type": isString, "language": isString, "query": isString, "label": isString, "region": isString,
	"accountId": isString, "step": anything, "visible": isBoolean,
}

// checkChart reports what is missing one at a time.
func checkChart(c *checker, path string, v *Value) {
	defer c.unexpected(path, v, chartFields, inWidget)
	if !c.required(path, v, "data") {
		return
	}
	data := v.Member("data")
	at := child(path, "data")
	if data.Kind == KindObject && !c.required(at, data, "queries") {
		return
	}
	if !c.firstMissing(path, v, "title", "view") {
		return
	}
	c.members(path, v, chartFields)
	if data.Kind != KindObject {
		return
	}
	list(0, maxRows, func(c *checker, path string, v *Value) {
		if isKind(c, path, v, KindObject) && c.firstMissing(path, v, "id", "type", "language", "query") {
			c.members(path, v, chartQueryFields)
			c.unexpected(path, v, chartQueryFields, inWidget)
		}
	})(c, child(at, "queries"), data.Member("queries"))
}
