// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package dashboard

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	required = "Should have required property "
	noSource = "The metric widget should have specified a region and a data source or an alarm annotation"
)

// ofWidget is a body with one widget.
func ofWidget(kind, properties string) string {
	return fmt.Sprintf(`{"widgets":[{"type":%q,"properties":%s}]}`, kind, properties)
}

// TestValidation holds CloudWatch's recorded answers: the errors of bodies that it refuses (want begins with F) and the
// warnings of those that it takes (W).
func TestValidation(t *testing.T) {
	metric := func(members string) string {
		return ofWidget("metric", `{"region":"us-east-1","metrics":[["n","m"]],`+members+`}`)
	}
	variable := func(members string) string { return `{"widgets":[],"variables":[` + members + `]}` }
	const at = "/widgets/0/properties"
	for _, tc := range []struct {
		name, body string
		fatal      bool
		want       []Issue
	}{
		{name: "smallest", body: `{"widgets":[]}`},
		{"no widgets", `{}`, true, []Issue{{"", required + "'widgets'"}}},
		{"widgets null", `{"widgets":null}`, true, []Issue{{"/widgets", "Should be array"}}},
		{"widgets object", `{"widgets":{}}`, true, []Issue{{"/widgets", "Should be array"}}},
		{"widgets false", `{"widgets":false}`, true, []Issue{{"/widgets", "Should be array"}}},
		{"variables", `{"widgets":[],"variables":{}}`, true, []Issue{{"/variables", "Should be array"}}},
		{"too many widgets", `{"widgets":[` + strings.Repeat("1,", 500) + `1]}`, true, []Issue{{"/widgets", "Should NOT have more than 500 items"}}},
		{"no object", `{"widgets":[1]}`, true, []Issue{{"/widgets/0", "Should be object"}}},
		{"empty widget", `{"widgets":[{}]}`, true, []Issue{{"/widgets/0", required + "'type'"}, {"/widgets/0", required + "'properties'"}}},
		{
			"unknown type", ofWidget("future-widget", `{"markdown":"p"}`), false,
			[]Issue{{"/widgets/0/type", "The specified widget type is unknown. Use one of the allowed values: chart,custom,metric,service,text,log,alarm,explorer,timeline,serviceMap,serviceTable,trace"}},
		},
		{"unknown in the root", `{"widgets":[],"futureRoot":1}`, false, []Issue{{"", `The "futureRoot" property is not expected, will be ignored`}}},
		{
			"unknown in a widget", `{"widgets":[{"type":"text","properties":{"markdown":"m","b":1},"a":1}]}`, false,
			[]Issue{
				{"/widgets/0", `The "a" property is not expected to be part of a widget definition, will be ignored`},
				{at, `The "b" property is not expected to be part of a widget definition, will be ignored`},
			},
		},
		{"override", `{"widgets":[],"periodOverride":"bogus"}`, false, []Issue{{"/periodOverride", `Should match pattern "^(inherit|auto)$"`}}},
		{"override number", `{"widgets":[],"periodOverride":1}`, false, []Issue{{"/periodOverride", "Should be string"}}},
		{"start", `{"widgets":[],"start":"yesterday"}`, false, []Issue{{"/start", `Should match pattern "` + timeExpression + `"`}}},
		{name: "end without start", body: `{"widgets":[],"end":"2025-01-01T00:00:00Z"}`},
		{name: "relative start", body: `{"widgets":[],"start":"-PT3H"}`},
		{
			"x without y", `{"widgets":[{"type":"text","x":1,"properties":{"markdown":"m"}}]}`, true,
			[]Issue{{"/widgets/0", "Should have property y when property x is present"}},
		},
		{
			"y without x", `{"widgets":[{"type":"text","y":1,"properties":{"markdown":"m"}}]}`, true,
			[]Issue{{"/widgets/0", "Should have property x when property y is present"}},
		},
		{"x too great", `{"widgets":[{"type":"text","x":24,"y":0,"properties":{"markdown":"m"}}]}`, true, []Issue{{"/widgets/0/x", "Should be <= 23"}}},
		{
			"x and y below 0", `{"widgets":[{"type":"text","x":-1,"y":-1,"properties":{"markdown":"m"}}]}`, true,
			[]Issue{{"/widgets/0/x", "Should be >= 0"}, {"/widgets/0/y", "Should be >= 0"}},
		},
		{"x broken", `{"widgets":[{"type":"text","x":1.5,"y":0,"properties":{"markdown":"m"}}]}`, true, []Issue{{"/widgets/0/x", "Should be integer"}}},
		{
			"no size", `{"widgets":[{"type":"text","width":0,"height":0,"properties":{"markdown":"m"}}]}`, true,
			[]Issue{{"/widgets/0/height", "Should be >= 1"}, {"/widgets/0/width", "Should be >= 1"}},
		},
		{
			"too large", `{"widgets":[{"type":"text","width":25,"height":1001,"properties":{"markdown":"m"}}]}`, true,
			[]Issue{{"/widgets/0/height", "Should be <= 1000"}, {"/widgets/0/width", "Should be <= 24"}},
		},
		{"properties", `{"widgets":[{"type":"text","properties":[]}]}`, true, []Issue{{at, "Should be object"}}},
		{
			"the nearest to the root first", `{"widgets":[{"type":"text","properties":{"markdown":1}},{"type":"text"}]}`, true,
			[]Issue{{"/widgets/1", required + "'properties'"}, {at + "/markdown", "Should be string"}},
		},
		{"text", ofWidget("text", `{}`), true, []Issue{{at, required + "'markdown'"}}},
		{"markdown", ofWidget("text", `{"markdown":1}`), true, []Issue{{at + "/markdown", "Should be string"}}},
		{
			"background", ofWidget("text", `{"markdown":"m","background":"red"}`), false,
			[]Issue{{at + "/background", `The value of "background" property is not valid. Should be equal to one of the allowed values: solid,transparent`}},
		},

		{
			"metric without region", ofWidget("metric", `{"metrics":[["n","m"]]}`), true,
			[]Issue{{at, required + "'region'"}, {at, noSource}, {at, required + "'annotations'"}},
		},
		{"metric without all", ofWidget("metric", `{}`), true, []Issue{{at, required + "'metrics'"}, {at, noSource}, {at, required + "'annotations'"}}},
		{name: "metric of an alarm", body: ofWidget("metric", `{"annotations":{"alarms":["arn:aws:cloudwatch:us-east-1:123456789012:alarm:a"]}}`)},
		{name: "metric without metrics", body: ofWidget("metric", `{"region":"us-east-1","metrics":[]}`)},
		{
			"view", metric(`"view":"radar"`), false,
			[]Issue{{at + "/view", `The value of "view" property is not valid. Should be equal to one of the allowed values: singleValue,timeSeries,bar,pie,gauge,table`}},
		},
		{"view number", metric(`"view":1`), true, []Issue{{at + "/view", "Should be string"}}},
		{
			"types", metric(`"title":1,"stacked":"yes","liveData":"no"`), true,
			[]Issue{{at + "/liveData", "Should be boolean"}, {at + "/stacked", "Should be boolean"}, {at + "/title", "Should be string"}},
		},
		{
			"period and stat", metric(`"period":7,"stat":"Bogus"`), true,
			[]Issue{
				{at + "/period", "Should be >= 60"},
				{at + "/period", "Should be multiple of 60"},
				{at + "/period", "Should match exactly one schema in oneOf"},
				{at + "/stat", `Should match pattern "` + statisticExpression + `"`},
			},
		},
		{
			"period 90", metric(`"period":90`), true,
			[]Issue{{at + "/period", "Should be multiple of 60"}, {at + "/period", "Should match exactly one schema in oneOf"}},
		},
		{
			"period 20", metric(`"period":20`), true,
			[]Issue{{at + "/period", "Should be >= 60"}, {at + "/period", "Should be multiple of 60"}, {at + "/period", "Should match exactly one schema in oneOf"}},
		},
		{name: "periods", body: metric(`"period":10,"stat":"TM(2%:98%)"`)},
		{
			"flat metrics", ofWidget("metric", `{"region":"r","metrics":["n","m"]}`), true,
			[]Issue{
				{at + "/metrics/0", "Should be array"},
				{at + "/metrics/0", `Field "metrics" has to be an array of array of strings, with an optional metricRenderer object as last element`},
				{at + "/metrics/1", "Should be array"},
				{at + "/metrics/1", `Field "metrics" has to be an array of array of strings, with an optional metricRenderer object as last element`},
			},
		},
		{
			"object in the row", ofWidget("metric", `{"region":"r","metrics":[["n","m",{},"x"]]}`), true,
			[]Issue{{at + "/metrics/0/2", `Invalid metric field type, only "String" type is allowed`}},
		},
		{
			"no renderer", ofWidget("metric", `{"region":"r","metrics":[["n","m",{"dimensions":{}}]]}`), true,
			[]Issue{{at + "/metrics/0", "Should NOT have more than 2 items"}},
		},
		{"color name", ofWidget("metric", `{"region":"r","metrics":[["n","m",{"color":"red"}]]}`), true, []Issue{{at + "/metrics/0", "Should NOT have more than 2 items"}}},
		{"one string", ofWidget("metric", `{"region":"r","metrics":[["n"]]}`), true, []Issue{{at + "/metrics/0", "Should NOT have less than 2 items"}}},
		{name: "expression", body: ofWidget("metric", `{"region":"r","metrics":[[{"expression":"m1*2","id":"e1"}],[".","m","...",{"id":"m1","visible":false}]]}`)},
		{
			"axis of a row", ofWidget("metric", `{"region":"r","metrics":[["n","m",{"yAxis":"middle"}]]}`), false,
			[]Issue{{at + "/metrics/0/2/yAxis", `The value of "yAxis" property is not valid. Should be equal to one of the allowed values: left,right`}},
		},
		{"gauge", metric(`"view":"gauge"`), true, []Issue{{at, required + "'yAxis'"}}},
		{name: "gauge with ends", body: metric(`"view":"gauge","yAxis":{"left":{"min":0,"max":1}}`)},
		{
			name: "annotations", body: metric(`"annotations":{"horizontal":[{"value":1},[{"value":1},{"value":2}]],"vertical":[{"value":"2025-01-01T00:00:00Z"}]}`),
		},
		{"annotation", metric(`"annotations":{"horizontal":[{}]}`), true, []Issue{{at + "/annotations/horizontal/0", required + "'value'"}}},

		{"alarm", ofWidget("alarm", `{}`), true, []Issue{{at, required + "'alarms'"}}},
		{"no alarms", ofWidget("alarm", `{"alarms":[]}`), true, []Issue{{at + "/alarms", "Should NOT have less than 1 items"}}},
		{
			"states", ofWidget("alarm", `{"alarms":[],"states":["BAD"]}`), true,
			[]Issue{{at + "/states/0", `Should match pattern "OK|ALARM|INSUFFICIENT_DATA"`}},
		},
		{name: "log", body: ofWidget("log", `{}`)},
		{name: "explorer", body: ofWidget("explorer", `{}`)},
		{name: "service", body: ofWidget("service", `{"region":1,"any":2}`)},
		{name: "serviceMap", body: ofWidget("serviceMap", `{}`)},
		{name: "serviceTable", body: ofWidget("serviceTable", `{}`)},
		{name: "trace", body: ofWidget("trace", `{}`)},
		{
			"trace's strings", ofWidget("trace", `{"region":1,"title":2}`), true,
			[]Issue{{at + "/region", "Should be string"}, {at + "/title", "Should be string"}},
		},
		{"timeline", ofWidget("timeline", `{}`), true, []Issue{{at, required + "'alarm'"}}},
		{
			"timeline's alarm", ofWidget("timeline", `{"alarm":"a"}`), true,
			[]Issue{{at + "/alarm", `Should match pattern "^arn:aws(-cn|-us-gov|-iso(-[bef])?|-eusc)?:cloudwatch:([a-z]{2}|[a-z]{4})(-[a-z]+)*-[0-9]{1,2}:[0-9]{12}:alarm:.{1,255}$"`}},
		},
		{name: "good timeline", body: ofWidget("timeline", `{"alarm":"arn:aws:cloudwatch:us-east-1:123456789012:alarm:a"}`)},
		{"chart", ofWidget("chart", `{}`), true, []Issue{{at, required + "'data'"}}},
		{"chart's data", ofWidget("chart", `{"data":{}}`), true, []Issue{{at + "/data", required + "'queries'"}}},
		{"chart's title", ofWidget("chart", `{"data":{"queries":[]}}`), true, []Issue{{at, required + "'title'"}}},
		{"chart's view", ofWidget("chart", `{"data":{"queries":[]},"title":"t"}`), true, []Issue{{at, required + "'view'"}}},
		{name: "good chart", body: ofWidget("chart", `{"data":{"queries":[{"id":"a","type":"metrics","language":"promql","query":"up"}]},"title":"t","view":"line"}`)},
		{"custom", ofWidget("custom", `{}`), true, []Issue{{at, required + "'endpoint'"}}},
		{"endpoint", ofWidget("custom", `{"endpoint":1}`), true, []Issue{{at + "/endpoint", "Should be string"}}},
		{
			"endpoint's form", ofWidget("custom", `{"endpoint":"x"}`), true,
			[]Issue{{at + "/endpoint", `Should match pattern "^arn:aws(-cn|-us-gov|-iso(-[bef])?|-eusc)?:lambda:[a-z]{2,}(-[a-z]+)*-[0-9]{1,2}:[0-9]{12}:function:[a-zA-Z0-9-_]+(:(\\$LATEST|[a-zA-Z0-9-_]+))?$"`}},
		},
		{name: "good custom", body: ofWidget("custom", `{"endpoint":"arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST"}`)},

		{
			"empty variable", variable(`{}`), true,
			[]Issue{
				{"/variables/0", required + "'type'"},
				{"/variables/0", required + "'inputType'"},
				{"/variables/0", required + "'id'"},
				{"/variables/0", required + "'property'"},
			},
		},
		{
			"variable's type", variable(`{"type":"x","inputType":"input","id":"i","property":"p"}`), true,
			[]Issue{{"/variables/0/type", "The specified variable type is unknown. Use one of the allowed values: property,pattern"}},
		},
		{
			"variable's input", variable(`{"type":"property","inputType":"x","id":"i","property":"p"}`), true,
			[]Issue{{"/variables/0/inputType", "The specified variable inputType is unknown. Use one of the allowed values: input,select,radio"}},
		},
		{
			"no source", variable(`{"type":"property","inputType":"select","id":"i","property":"p"}`), true,
			[]Issue{
				{"/variables/0", required + "'values'"},
				{"/variables/0", required + "'tag'"},
				{"/variables/0", required + "'search'"},
				{"/variables/0", required + "'populateFrom'"},
				{"/variables/0", required + "'searchLabelValues'"},
				{"/variables/0", "Should match exactly one schema in oneOf"},
			},
		},
		{
			"same property", variable(`{"type":"property","inputType":"input","id":"i","property":"region"},{"type":"property","inputType":"input","id":"j","property":"region"}`), true,
			[]Issue{{"/variables/1/property", `Duplicated property in variable: "region"`}},
		},
		{"too many variables", variable(strings.Repeat("1,", 25) + "1"), true, []Issue{{"/variables", "Should NOT have more than 25 items"}}},
		{name: "pattern variable", body: variable(`{"type":"pattern","inputType":"radio","id":"i","pattern":"us-east-1","values":[{"value":"a"},{"value":1,"label":"one"}]}`)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, err := Parse(tc.body)
			if !tc.fatal {
				require.NoError(t, err)
				assert.Equal(t, tc.want, d.Warnings)
				assert.Equal(t, tc.body, d.Text())
				return
			}
			var invalid *InvalidError
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, tc.want, invalid.Issues)
		})
	}
}

func TestNoObject(t *testing.T) {
	for _, body := range []string{`{`, `[]`, `null`, `"x"`, `1`, ``, `{"widgets":[],}`, "{\"widgets\":[]}x"} {
		_, err := Parse(body)
		require.ErrorIs(t, err, ErrNotObject, body)
		require.EqualError(t, err, "The field DashboardBody must be a valid JSON object")
	}
	_, err := Parse(`{"widgets":[],"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`)
	require.ErrorContains(t, err, "nested deeper than 64 levels")
}

func TestMessage(t *testing.T) {
	_, err := Parse(`{"widgets":[{"type":"text","x":-1,"y":-1,"properties":{"markdown":"m"}}]}`)
	require.EqualError(t, err, `The dashboard body is invalid, there are 2 validation errors:
[
  {
    "dataPath": "/widgets/0/x",
    "message": "Should be >= 0"
  },
  {
    "dataPath": "/widgets/0/y",
    "message": "Should be >= 0"
  }
]`)
	_, err = Parse(ofWidget("alarm", `{"alarms":["a"],"states":["x"]}`))
	require.ErrorContains(t, err, `there are 1 validation errors:`)
	require.ErrorContains(t, err, `"message": "Should match pattern \"OK|ALARM|INSUFFICIENT_DATA\""`)
}

func TestTextAndSize(t *testing.T) {
	d, err := Parse(" {\n \"widgets\" : [ {\"type\":\"text\",\"properties\":{\"markdown\":\"caf\\u00e9 \\u003cb\\u003e\\n\\u0001\\/\"}, \"z\":1.50e3, \"a\":null, \"b\":true } ]\n}\n")
	require.NoError(t, err)
	want := `{"widgets":[{"type":"text","properties":{"markdown":"café <b>\n\u0001/"},"z":1.50e3,"a":null,"b":true}]}`
	assert.Equal(t, want, d.Text())

	const smallest = `{"widgets":[]}`
	assert.Equal(t, int64(51), Size(smallest, false, nil))
	assert.Equal(t, int64(200), Size(smallest, true, nil))
	assert.Equal(t, int64(227), Size(smallest, true, map[string]string{"owned": "created"}))
	assert.Equal(t, int64(len(`<>&='`)*6+37), Size(`<>&='`, false, nil))
	assert.Equal(t, int64(len("é")+37), Size("é", false, nil))

	d, err = Parse(`{"widgets":1,"b":2,"widgets":[]}`)
	require.NoError(t, err)
	assert.Equal(t, int64(len(`{"widgets":[],"b":2}`)+37), Size(d.Text(), false, nil), "the last of two members counts")
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"widgets":[]}`, ofWidget("metric", `{"region":"r","metrics":[["n","m",{"id":"a"}],["...","x"]],"view":"gauge","period":7}`),
		ofWidget("chart", `{"data":{"queries":[{}]},"title":"t","view":"line"}`), `{"variables":[{"inputType":"select"}],"widgets":[{}]}`,
		ofWidget("alarm", `{"states":["x"]}`), "{\"widgets\":[\"\\ud800\xff\"]}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		d, err := Parse(body)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		again, err := Parse(d.Text())
		require.NoError(t, err)
		require.Equal(t, d.Text(), again.Text())
		require.Equal(t, d.Warnings, again.Warnings)
	})
}

func BenchmarkParse(b *testing.B) {
	widget := `{"type":"metric","x":0,"y":0,"width":6,"height":6,"properties":{"region":"us-east-1","title":"CPU","view":"timeSeries",` +
		`"metrics":[["AWS/EC2","CPUUtilization","InstanceId","i-1",{"stat":"p99","label":"one"}],["...","i-2"],["...","i-3"]],"period":60,` +
		`"annotations":{"horizontal":[{"value":80,"label":"high"}]}}}`
	body := `{"widgets":[` + strings.TrimSuffix(strings.Repeat(widget+",", 100), ",") + `]}`
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		d, err := Parse(body)
		if err != nil || len(d.Warnings) != 0 {
			b.Fatal(err, d.Warnings)
		}
	}
}
