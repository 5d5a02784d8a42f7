// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package emf

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

const (
	testTs  = 1735689600123
	testNow = testTs + 1000
)

// document builds an EMF document with one directive.
type document struct {
	timestamp  string // JSON; default testTs
	namespace  string // JSON; default "n"
	dimensions string // JSON; default [["d"]]
	metrics    string // JSON; default [{"Name":"m","Unit":"Count"}]
	root       string // members; default "d":"x","m":1
	aws        string // further members of _aws, each with a comma before it
}

func (d document) String() string {
	or := func(s, def string) string {
		if s == "" {
			return def
		}
		return s
	}
	return fmt.Sprintf(`{"_aws":{"Timestamp":%s,"CloudWatchMetrics":[{"Namespace":%s,"Dimensions":%s,"Metrics":%s}]%s},%s}`,
		or(d.timestamp, strconv.Itoa(testTs)), or(d.namespace, `"n"`), or(d.dimensions, `[["d"]]`),
		or(d.metrics, `[{"Name":"m","Unit":"Count"}]`), d.aws, or(d.root, `"d":"x","m":1`))
}

// describe prints data as "ns/name{dim=value} unit resolution value".
func describe(data []cloudwatch.Datum) []string {
	var lines []string
	for _, d := range data {
		var dims []string
		for _, dim := range d.Dimensions {
			dims = append(dims, dim.Name+"="+dim.Value)
		}
		v := fmt.Sprint(d.Value)
		switch {
		case d.Statistics != nil:
			v = fmt.Sprintf("n=%v sum=%v min=%v max=%v", d.Statistics.SampleCount, d.Statistics.Sum, d.Statistics.Minimum, d.Statistics.Maximum)
		case d.Values != nil:
			v = fmt.Sprintf("%v x%v", d.Values, d.Counts)
		}
		lines = append(lines, fmt.Sprintf("%s/%s{%s} %s %d %s", d.Namespace, d.Name, strings.Join(dims, ","), d.Unit, d.StorageResolution, v))
	}
	return lines
}

func problems(r Report) map[Reason]int64 {
	var m map[Reason]int64
	for _, p := range r.Problems {
		if m == nil {
			m = map[Reason]int64{}
		}
		m[p.Reason] = p.Count
	}
	return m
}

func quotedList(n int, format string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = strings.ReplaceAll(format, "%d", strconv.Itoa(i))
	}
	return strings.Join(parts, ",")
}

func TestExtract(t *testing.T) {
	one := []string{"n/m{d=x} Count 60 1"}
	for _, tt := range []struct {
		name string
		doc  string
		want []string
		errs map[Reason]int64
	}{
		// Test vectors.
		{"number", document{}.String(), one, nil},
		{"array", document{root: `"d":"x","m":[1,2,2]`}.String(), []string{"n/m{d=x} Count 60 [1 2] x[1 2]"}, nil},
		{"string", document{root: `"d":"x","m":"1"`}.String(), nil, map[Reason]int64{ReasonMetricValue: 1}},
		{"missing dimension", document{dimensions: `[["d","e"],["d"]]`}.String(), one, map[Reason]int64{ReasonDimensionMissing: 1}},
		{"no dimensions", document{dimensions: `[[]]`}.String(), []string{"n/m{} Count 60 1"}, nil},
		{"dotted name, nested", document{metrics: `[{"Name":"a.b"}]`, root: `"d":"x","a":{"b":1}`}.String(), nil, map[Reason]int64{ReasonMetricMissing: 1}},
		{"dotted name, literal", document{metrics: `[{"Name":"a.b"}]`, root: `"d":"x","a.b":1`}.String(), []string{"n/a.b{d=x} None 60 1"}, nil},
		{"high resolution", document{metrics: `[{"Name":"m","StorageResolution":1}]`}.String(), []string{"n/m{d=x} None 1 1"}, nil},
		{
			"two directives",
			`{"_aws":{"Timestamp":1735689600123,"CloudWatchMetrics":[{"Namespace":"p","Dimensions":[[]],"Metrics":[{"Name":"m"}]},` +
				`{"Namespace":"q","Dimensions":[["d"]],"Metrics":[{"Name":"m"}]}]},"d":"x","m":2}`,
			[]string{"p/m{} None 60 2", "q/m{d=x} None 60 2"},
			nil,
		},
		{"101 values", document{root: `"d":"x","m":[` + quotedList(101, "%d") + `]`}.String(), nil, map[Reason]int64{ReasonMetricValue: 1}},
		{"text before", "INFO " + document{}.String(), nil, map[Reason]int64{ReasonJSON: 1}},
		{
			"layout without _aws",
			`{"Version":"0","Timestamp":"1735689600123","CloudWatchMetrics":[{"Namespace":"n","Dimensions":[["d"]],"Metrics":[{"Name":"m","Unit":"Count"}]}],"d":"x","m":1}`,
			one, nil,
		},

		// The matrix of valid and invalid documents, by its row.
		{"1: no _aws", `{"d":"x","m":1}`, nil, nil},
		{"2: invalid elsewhere", strings.TrimSuffix(document{}.String(), "}") + `,"z":}`, nil, map[Reason]int64{ReasonJSON: 1}},
		{"3: directives missing", `{"_aws":{"Timestamp":1735689600123}}`, nil, map[Reason]int64{ReasonDirectives: 1}},
		{"3: directives not an array", `{"_aws":{"Timestamp":1735689600123,"CloudWatchMetrics":{}}}`, nil, map[Reason]int64{ReasonDirectives: 1}},
		{"4: timestamp missing", `{"_aws":{"CloudWatchMetrics":[]}}`, nil, map[Reason]int64{ReasonTimestamp: 1}},
		{"4: timestamp a string", document{timestamp: `"1735689600123"`}.String(), nil, map[Reason]int64{ReasonTimestamp: 1}},
		{"4: timestamp fractional", document{timestamp: `1735689600123.5`}.String(), nil, map[Reason]int64{ReasonTimestamp: 1}},
		{"4: timestamp in seconds", document{timestamp: `1735689600`}.String(), nil, map[Reason]int64{ReasonTimestampOutOfRange: 1}},
		{"4: timestamp in the future", document{timestamp: `1735700000000`}.String(), nil, map[Reason]int64{ReasonTimestampOutOfRange: 1}},
		{"timestamp in exponent notation", document{timestamp: `1735689600123e0`}.String(), one, nil},
		{
			"5: members missing",
			`{"_aws":{"Timestamp":1735689600123,"CloudWatchMetrics":[{"Dimensions":[[]],"Metrics":[]},{"Namespace":"n","Metrics":[]},` +
				`{"Namespace":"n","Dimensions":[[]]},{"Namespace":"n","Dimensions":[[]],"Metrics":[{"Name":"m"}]},7]},"m":1}`,
			[]string{"n/m{} None 60 1"},
			map[Reason]int64{ReasonDirective: 4},
		},
		{"6: dimension missing", document{dimensions: `[["e"]]`}.String(), nil, map[Reason]int64{ReasonDimensionMissing: 1}},
		{"7: metric missing", document{metrics: `[{"Name":"m"},{"Name":"o"}]`}.String(), []string{"n/m{d=x} None 60 1"}, map[Reason]int64{ReasonMetricMissing: 1}},
		{
			"8: metric values",
			document{
				metrics: `[{"Name":"a"},{"Name":"b"},{"Name":"c"},{"Name":"e"},{"Name":"f"},{"Name":"m"}]`,
				root:    `"d":"x","a":"1","b":true,"c":null,"e":[[1]],"f":[1,"2"],"m":1`,
			}.String(),
			[]string{"n/m{d=x} None 60 1"},
			map[Reason]int64{ReasonMetricValue: 5},
		},
		{"9: dimension a number", document{root: `"d":5,"m":1`}.String(), nil, map[Reason]int64{ReasonDimensionValue: 1}},
		{"9: dimension empty", document{root: `"d":"","m":1`}.String(), nil, map[Reason]int64{ReasonDimensionValue: 1}},
		{"9: dimension too long", document{root: `"d":"` + strings.Repeat("x", 1025) + `","m":1`}.String(), nil, map[Reason]int64{ReasonDimensionValue: 1}},
		{"10: unit", document{metrics: `[{"Name":"m","Unit":"count"}]`}.String(), nil, map[Reason]int64{ReasonUnit: 1}},
		{"10: unit not a string", document{metrics: `[{"Name":"m","Unit":null}]`}.String(), nil, map[Reason]int64{ReasonUnit: 1}},
		{"11: resolution", document{metrics: `[{"Name":"m","StorageResolution":5}]`}.String(), nil, map[Reason]int64{ReasonStorageResolution: 1}},
		{"12: 101 metrics", document{metrics: `[` + quotedList(101, `{"Name":"m"}`) + `]`}.String(), nil, map[Reason]int64{ReasonTooManyMetrics: 1}},
		{
			"12: 31 dimensions",
			document{dimensions: `[[` + quotedList(31, `"d%d"`) + `],["d"]]`, root: quotedList(31, `"d%d":"x"`) + `,"d":"x","m":1`}.String(),
			one,
			map[Reason]int64{ReasonDimensionSet: 1},
		},
		{"13: no set", document{dimensions: `[]`}.String(), nil, map[Reason]int64{ReasonNoDimensionSet: 1}},
		{
			"15: unknown members",
			`{"_aws":{"x":1,"Timestamp":1735689600123,"CloudWatchMetrics":[{"y":{},"Namespace":"n","Dimensions":[["d"]],"Metrics":[{"Name":"m","Unit":"Count","z":[]}]}]},"d":"x","m":1,"@q":null}`,
			one, nil,
		},
		{"16: duplicate keys", document{root: `"d":"old","m":7,"d":"x","m":1`}.String(), one, nil},
		{"17: _aws not an object", `{"_aws":"x"}`, nil, map[Reason]int64{ReasonMetadata: 1}},
		{
			"18: without a time",
			`{"Version":"1","CloudWatchMetrics":[{"Namespace":"n","Dimensions":[["d"]],"Metrics":[{"Name":"m","Unit":"Count"}]}],"d":"x","m":1}`,
			one, nil,
		},
		{"18: other version", `{"Version":"2","CloudWatchMetrics":[]}`, nil, nil},
		{"18: no version", `{"CloudWatchMetrics":[]}`, nil, nil},
		{"18: bad time", `{"Version":"0","Timestamp":"x","CloudWatchMetrics":[]}`, nil, map[Reason]int64{ReasonTimestamp: 1}},

		// Further rules.
		{"no directives", `{"_aws":{"Timestamp":1735689600123,"CloudWatchMetrics":[]},"a":1}`, nil, nil},
		{"no metrics", document{metrics: `[]`}.String(), nil, nil},
		{"empty array", document{root: `"d":"x","m":[]`}.String(), nil, nil},
		{"array of one", document{root: `"d":"x","m":[1.0]`}.String(), one, nil},
		{"equal sets count once", document{dimensions: `[["d","e"],["e","d"]]`, root: `"d":"x","e":"y","m":1`}.String(), []string{"n/m{d=x,e=y} Count 60 1"}, nil},
		{"name twice in a set", document{dimensions: `[["d","d"]]`}.String(), nil, map[Reason]int64{ReasonDimensionSet: 1}},
		{"set not an array", document{dimensions: `["d"]`}.String(), nil, map[Reason]int64{ReasonDimensionSet: 1}},
		{"dimension name not a string", document{dimensions: `[[1]]`}.String(), nil, map[Reason]int64{ReasonDimensionSet: 1}},
		{"last definition wins", document{metrics: `[{"Name":"m","Unit":"Seconds"},{"Name":"m","Unit":"Count"}]`}.String(), one, nil},
		{"definition not an object", document{metrics: `["m"]`}.String(), nil, map[Reason]int64{ReasonMetricDefinition: 1}},
		{"definition without a name", document{metrics: `[{"Unit":"Count"}]`}.String(), nil, map[Reason]int64{ReasonMetricDefinition: 1}},
		{"reserved namespace", document{namespace: `"AWS/EC2"`}.String(), nil, map[Reason]int64{ReasonNamespace: 1}},
		{"namespace with a colon", document{namespace: `":n"`}.String(), nil, map[Reason]int64{ReasonNamespace: 1}},
		{"namespace too long", document{namespace: `"` + strings.Repeat("n", 256) + `"`}.String(), nil, map[Reason]int64{ReasonNamespace: 1}},
		{"number too large", document{root: `"d":"x","m":1e300`}.String(), nil, map[Reason]int64{ReasonMetricValue: 1}},
		{"number beyond doubles", document{root: `"d":"x","m":1e999`}.String(), nil, map[Reason]int64{ReasonMetricValue: 1}},
		{"escapes", document{root: `"\u0064":"\u00e4\"","m":1`}.String(), []string{`n/m{d=ä"} Count 60 1`}, nil},
		{"many members", document{root: quotedList(100, `"p%d":"v"`) + `,"d":"x","m":1`}.String(), one, nil},
		{"101 sets", document{dimensions: `[` + quotedList(101, `["d"]`) + `]`}.String(), nil, map[Reason]int64{ReasonTooManySets: 1}},
		{"_aws within a string", `{"a":"\"_aws\"", "b":"_aws"}`, nil, nil},
		{"_aws nested", `{"a":{"_aws":{}}}`, nil, nil},
		{"an array", `[{"_aws":{}}]`, nil, map[Reason]int64{ReasonJSON: 1}},

		// Statistics.
		{"statistics", document{root: `"d":"x","m":{"Min":1,"Max":9,"Sum":20,"Count":4}`}.String(), []string{"n/m{d=x} Count 60 n=4 sum=20 min=1 max=9"}, nil},
		{"statistics of nothing", document{root: `"d":"x","m":{"Min":0,"Max":0,"Sum":0,"Count":0}`}.String(), nil, nil},
		{"statistics incomplete", document{root: `"d":"x","m":{"Min":1,"Max":9,"Sum":20}`}.String(), nil, map[Reason]int64{ReasonMetricValue: 1}},
		{"statistics contradictory", document{root: `"d":"x","m":{"Min":9,"Max":1,"Sum":20,"Count":4}`}.String(), nil, map[Reason]int64{ReasonMetricValue: 1}},
		{"statistics not numbers", document{root: `"d":"x","m":{"Min":"1","Max":9,"Sum":20,"Count":4}`}.String(), nil, map[Reason]int64{ReasonMetricValue: 1}},
		{"weighted values", document{root: `"d":"x","m":{"Values":[5,1,5],"Counts":[1,2,3]}`}.String(), []string{"n/m{d=x} Count 60 [1 5] x[2 4]"}, nil},
		{
			"weighted values with statistics",
			document{root: `"d":"x","m":{"Values":[2,8],"Counts":[3,1],"Min":1,"Max":9,"Sum":14.7,"Count":4}`}.String(),
			[]string{"n/m{d=x} Count 60 [1 2.1 8.4 9] x[0 3 1 0]"},
			nil,
		},
		{"weights of another number", document{root: `"d":"x","m":{"Values":[5,1],"Counts":[1]}`}.String(), nil, map[Reason]int64{ReasonMetricValue: 1}},
		{"weights too many", document{root: `"d":"x","m":{"Values":[5],"Counts":[1,2]}`}.String(), nil, map[Reason]int64{ReasonMetricValue: 1}},
		{"negative weight", document{root: `"d":"x","m":{"Values":[5],"Counts":[-1]}`}.String(), nil, map[Reason]int64{ReasonMetricValue: 1}},
		{"weights alone", document{root: `"d":"x","m":{"Counts":[1],"Min":1,"Max":9,"Sum":20,"Count":4}`}.String(), nil, map[Reason]int64{ReasonMetricValue: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := Extract(nil, tt.doc, testTs, Options{NowMs: testNow})
			assert.Equal(t, tt.want, describe(res.Data))
			assert.Equal(t, tt.errs, problems(res.Report))
			assert.Equal(t, tt.errs == nil, res.Report.Err() == nil)
			for _, d := range res.Data {
				assert.Equal(t, int64(testTs), d.TimestampMs)
			}
		})
	}
}

func TestExtractOptions(t *testing.T) {
	prefixed := "2025-01-01T00:00:00.123Z\tb2c6\tINFO\t" + document{}.String()
	res := Extract(nil, prefixed, testTs, Options{AllowPrefix: true})
	assert.Len(t, res.Data, 1)

	res = Extract(nil, "hello", testTs, Options{Declared: true})
	assert.True(t, res.EMF)
	assert.Equal(t, int64(1), res.Report.ParsingErrors())
	assert.Equal(t, int64(0), res.Report.ValidationErrors())
	assert.Empty(t, Extract(nil, "hello", testTs, Options{}).Report.Problems)
	assert.False(t, Extract(nil, `{"a":1}`, testTs, Options{Declared: true}).EMF)

	res = Extract(nil, document{namespace: `"AWS/Logs"`}.String(), testTs, Options{AllowReservedNamespace: true})
	assert.Len(t, res.Data, 1)

	old := document{timestamp: "1000"}.String()
	assert.Len(t, Extract(nil, old, testTs, Options{}).Data, 1, "no window without a clock")
}

func TestExtractAppends(t *testing.T) {
	dst := Extract(nil, document{}.String(), testTs, Options{}).Data
	dst = Extract(dst, "no EMF", testTs, Options{}).Data
	dst = Extract(dst, document{root: `"d":"y","m":2`}.String(), testTs, Options{}).Data
	assert.Equal(t, []string{"n/m{d=x} Count 60 1", "n/m{d=y} Count 60 2"}, describe(dst))
}

// A small document must not multiply without bound.
func TestExtractBoundsWhatADocumentMakes(t *testing.T) {
	directive := fmt.Sprintf(`{"Namespace":"n","Dimensions":[%s],"Metrics":[%s]}`, quotedList(100, `["d%d"]`), quotedList(100, `{"Name":"m%d"}`))
	doc := fmt.Sprintf(`{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[%s]},%s,%s}`, testTs,
		quotedList(20, directive), quotedList(100, `"d%d":"x"`), quotedList(100, `"m%d":1`))
	res := Extract(nil, doc, testTs, Options{})
	assert.Len(t, res.Data, MaxDataPerDocument)
	assert.Positive(t, problems(res.Report)[ReasonTooMuchData])
}

func TestInspect(t *testing.T) {
	meta, ok := Inspect(document{aws: `,"LogGroupName":"g","LogStreamName":"s"`}.String())
	require.True(t, ok)
	assert.Equal(t, Meta{LogGroupName: "g", LogStreamName: "s", TimestampMs: testTs, HasTimestamp: true}, meta)
	meta, ok = Inspect(`{"Version":"0","Timestamp":"1735689600123","CloudWatchMetrics":[]}`)
	require.True(t, ok)
	assert.Equal(t, Meta{TimestampMs: testTs, HasTimestamp: true}, meta)
	meta, ok = Inspect(`{"level":"info","_aws":{"LogGroupName":7}}`)
	require.True(t, ok)
	assert.Equal(t, Meta{}, meta)
	_, ok = Inspect(`plain text`)
	assert.False(t, ok)
	assert.Equal(t, meta, Extract(nil, `{"_aws":{}}`, 0, Options{}).Meta)
}

func TestReport(t *testing.T) {
	var r Report
	require.NoError(t, r.Err())
	r.add(ReasonUnit, strings.Repeat("x", 300))
	r.add(ReasonUnit, "second")
	require.ErrorContains(t, r.Err(), "unit: ")
	assert.Len(t, r.Problems[0].Detail, 100)
	r.add(ReasonJSON, "")
	require.ErrorContains(t, r.Err(), "1 other kind")
	assert.Equal(t, int64(2), r.ValidationErrors())
	assert.Equal(t, int64(1), r.ParsingErrors())
}

func FuzzExtract(f *testing.F) {
	f.Add(document{}.String())
	f.Add(document{root: `"d":"x","m":{"Values":[2,8],"Counts":[3,1],"Min":1,"Max":9,"Sum":14.7,"Count":4}`}.String())
	f.Add(document{dimensions: `[["d","e"],[],["d"]]`, metrics: `[{"Name":"m","Unit":"None","StorageResolution":1},{"Name":"m"}]`}.String())
	f.Add(`{"Version":"0","Timestamp":"1735689600123","CloudWatchMetrics":[{"Namespace":"n","Dimensions":[["d"]],"Metrics":[{"Name":"m"}]}],"d":"x","m":[1,2]}`)
	f.Fuzz(func(t *testing.T, doc string) {
		res := Extract(nil, doc, 1, Options{})
		again := Extract(nil, doc, 1, Options{})
		require.Equal(t, describe(res.Data), describe(again.Data))
		for i := range res.Data {
			d := &res.Data[i]
			require.True(t, cloudwatch.ValidNamespace(d.Namespace, cloudwatch.CharsetUnicode))
			require.True(t, cloudwatch.ValidMetricName(d.Name, cloudwatch.CharsetUnicode))
			require.True(t, cloudwatch.ValidUnit(d.Unit))
			require.False(t, cloudwatch.HasDuplicateDimension(d.Dimensions))
			require.Len(t, d.Counts, len(d.Values))
			s, _ := d.RollUp()
			require.LessOrEqual(t, s.Minimum, s.Maximum)
		}
		Inspect(doc)
	})
}
