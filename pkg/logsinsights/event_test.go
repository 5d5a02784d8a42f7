// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
)

func TestDiscoverFields(t *testing.T) {
	rec := &store.LogRecord{
		Tenant: testTenant, Group: "/aws/lambda/x", Stream: "st", Timestamp: 1677913132235, Ingested: 1677913137087,
		Message: "REPORT RequestId: f612fbaf-65ce-4fd2-8d1b-6718fcb0b269\tDuration: 1394.60 ms\tBilled Duration: 1395 ms\tMemory Size: 128 MB\t" +
			"Max Memory Used: 79 MB\tInit Duration: 428.60 ms\t\nXRAY TraceId: 1-5759e988-bd862e3fe1be46a994272793\tSegmentId: 0123456789abcdef\tSampled: true\t\n",
	}
	want := []Field{
		{"@ingestionTime", "1677913137087"},
		{"@log", "123456789012:/aws/lambda/x"},
		{"@logStream", "st"},
		{"@message", rec.Message},
		{"@timestamp", "1677913132235"},
		{"@requestId", "f612fbaf-65ce-4fd2-8d1b-6718fcb0b269"},
		{"@type", "REPORT"},
		{"@duration", "1394.6"},
		{"@billedDuration", "1395.0"},
		{"@initDuration", "428.6"},
		{"@memorySize", "1.28E8"},
		{"@maxMemoryUsed", "7.9E7"},
		{"@xrayTraceId", "1-5759e988-bd862e3fe1be46a994272793"},
		{"@xraySegmentId", "0123456789abcdef"},
	}
	require.Equal(t, want, DiscoverFields(rec))

	discovered := func(group, message string) []Field {
		return DiscoverFields(&store.LogRecord{Group: group, Message: message})[5:]
	}
	require.Equal(t, []Field{{"a.b", "1"}, {"a.c.0", "x"}, {"a.c.1.d", "1"}, {"@@k", "1.5"}, {"s", `{"x":1}`}},
		discovered("/app", `{"a":{"b":1,"c":["x",{"d":true}],"n":null},"@k":1.50,"a":{"z":1},"s":"{\"x\":1}","e":{}}`))
	require.Equal(t, []Field{{"x", "1"}}, discovered("/aws/lambda/f", `2024 {broken INFO {"x":1} {"y":2}`)[0:])
	require.Empty(t, discovered("/app", `text {"x":1}`))
	require.Empty(t, discovered("/app", `5`))
	require.Contains(t, discovered("/app", "2 123456789010 eni-1235b8ca 10.0.0.5 172.31.16.21 5000 3389 6 1 40 1418530010 1418530070 REJECT OK"), Field{"action", "REJECT"})
	require.NotContains(t, discovered("/app", "2 123456789010 eni-1235b8ca - - - - - - - 1418530010 1418530070 - NODATA"), Field{"action", "-"})
	require.Contains(t, discovered("/app", "1.0 2017-12-13T08:16:02.130Z Z123412341234 example.com A NOERROR UDP FRA6 192.168.1.1 -"), Field{"responseCode", "NOERROR"})
	require.Len(t, discovered("/app", "["+strings.Repeat("1,", 500)+"1]"), 200)
	require.Empty(t, discovered("/app", strings.Repeat(`{"a":`, 40)+"1"+strings.Repeat("}", 40)))
}

func TestJavaDouble(t *testing.T) {
	for f, want := range map[float64]string{0: "0.0", 1: "1.0", -2.5: "-2.5", 1e7: "1.0E7", 9999999: "9999999.0", 0.001: "0.001", 0.0001: "1.0E-4", 1.28e8: "1.28E8", 1e300: "1.0E300"} {
		require.Equal(t, want, javaDouble(f))
	}
}

func TestLambdaFields(t *testing.T) {
	f := func(line, field, want string) {
		t.Helper()
		got, ok := lambdaField(field)(line).asText()
		if !ok {
			got = "missing"
		}
		require.Equal(t, want, got, "%s of %q", field, line)
	}
	id := "f612fbaf-65ce-4fd2-8d1b-6718fcb0b269"
	f("START RequestId: "+id+" Version: $LATEST\n", "@type", "START")
	f("START the engine", "@type", "missing")
	f("INIT_START Runtime Version: x", "@type", "INIT_START")
	f("INIT_START Runtime Version: x", "@requestId", "missing")
	f("END RequestId: "+id+"\n", "@requestId", id)
	f("2024-05-01T12:00:00.005Z\t"+id+"\tINFO\thello\n", "@requestId", id)
	f("[INFO]\t2024-05-01T12:00:00.005Z\t"+id+"\thello\n", "@requestId", id)
	f("2024-05-01T12:00:00.005Z\tundefined\tINFO\thello "+id, "@requestId", "missing")
	f("2024-05-01T12:00:00.005Z\t"+id+"\tINFO\thello\n", "@type", "missing")
	f("plain Duration: 5 ms", "@duration", "missing")
	f("REPORT RequestId: "+id+"\tDuration: x ms", "@duration", "missing")
	f("REPORT RequestId: "+id+"\tDuration: 5 s", "@duration", "missing")
	f("REPORT RequestId: "+id, "@memorySize", "missing")
	f("REPORT", "@type", "missing")
	require.Nil(t, lambdaField("@other"))
}

func TestPromote(t *testing.T) {
	num := func(f float64) *float64 { return &f }
	whole := func(n int32) *int32 { return &n }
	for message, want := range map[string]Promoted{
		`{"level":"ERROR","service":"api","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","duration_ms":1.5,"status":500}`: {
			Object: true, Level: "ERROR", Service: "api", TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", DurationMs: num(1.5), Status: whole(500),
		},
		`{"level":30.0,"service":true,"trace_id":"1-5759E988-bd862e3fe1be46a994272793","duration_ms":"12","status":"0200"}`: {
			Object: true, Level: "30", Service: "1", TraceID: "5759e988bd862e3fe1be46a994272793", DurationMs: num(12), Status: whole(200),
		},
		`{"level":null,"service":{"name":"x"},"trace_id":"5","duration_ms":true,"status":404.5}`: {Object: true},
		`{"level":"a","level":"b","nested":{"service":"x"}} `:                                    {Object: true, Level: "a"},
		`{"status":5000000000,"duration_ms":"1e999","level":[1]}`:                                {Object: true},
		`{"status":-2147483648}`: {Object: true},
		`{"level":"x"} y`:        {},
		`[{"level":"x"}]`:        {},
		`level=x`:                {},
		``:                       {},
	} {
		require.Equal(t, want, Promote(message), message)
	}
}

func TestPromotedFields(t *testing.T) {
	records := []store.LogRecord{
		{Group: "g", Timestamp: 1, Message: "plain", Level: "WARN", Service: "from resource"},
		{Group: "g", Timestamp: 2, Message: `{"level":"","duration_ms":true,"status":5}`},
		{Group: "/aws/lambda/f", Timestamp: 3, Message: `INFO {"level":"deep","service":""}`},
	}
	res, err := runQuery(t.Context(), &memStore{records: records}, []string{"g", "/aws/lambda/f"}, `fields level, service, duration_ms, status | sort @timestamp asc`, Options{Promoted: true})
	require.NoError(t, err)
	require.Equal(t, [][]Field{{{"level", "WARN"}, {"service", "from resource"}}, {{"status", "5"}}, {{"level", "deep"}}}, withoutPtr(res.Rows))
}

func TestPointer(t *testing.T) {
	p := Pointer{LogPosition: store.LogPosition{Timestamp: 1714564800000, Ingested: -5, Seq: math.MaxInt64}, Account: "123456789012", Group: "/aws/lambda/é"}
	got, err := ParsePtr(p.String())
	require.NoError(t, err)
	require.Equal(t, p, got)
	for _, s := range []string{"", "x", "AAAA", p.String()[1:], strings.Repeat("A", 5000), p.String()[:20]} {
		_, err := ParsePtr(s)
		require.Error(t, err, s)
	}
}

func FuzzParsePtr(f *testing.F) {
	f.Add(Pointer{Account: "1", Group: "g"}.String())
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := ParsePtr(s); err == nil && p.String() != s {
			t.Fatal(s)
		}
	})
}

func TestNaturalOrder(t *testing.T) {
	num := numberValue
	texts := func(list ...string) (values []value) {
		for _, s := range list {
			values = append(values, textValue(s))
		}
		return values
	}
	order := append([]value{{}}, texts("!:", "#", "*%04", "0#", "5A", "111A", "2345_", "@", "@_", "A", "A9876fghj", "a12345hfh", "ab2", "ab10", "é")...)
	order = append(order, num(-1))
	order = append(order, texts("00", "0", "01", "1")...)
	order = append(order, num(1.5), textValue("2"), num(3))
	order = append(order, texts("12345678901234567", "12345678901234568")...)
	for i, a := range order {
		for j, b := range order {
			n := naturalCompare(a, b)
			switch {
			case i < j:
				require.Negative(t, n, "%v %v", a, b)
			case i > j:
				require.Positive(t, n, "%v %v", a, b)
			default:
				require.Zero(t, n)
			}
		}
	}
}

func TestPeriod(t *testing.T) {
	for s, want := range map[string]Period{
		"5m": {N: 5, Unit: "m"}, "300s": {N: 60, Unit: "s"}, "90mins": {N: 60, Unit: "m"}, "5000ms": {N: 1000, Unit: "ms"}, "48hr": {N: 24, Unit: "h"}, "3days": {N: 3, Unit: "d"},
		"2weeks": {N: 2, Unit: "w"}, "1mo": {N: 1, Unit: "mo"}, "4qtrs": {N: 4, Unit: "q"}, "1Y": {N: 1, Unit: "y"}, "7Seconds": {N: 7, Unit: "s"},
	} {
		got, ok := parsePeriod(s)
		require.True(t, ok, s)
		require.Equal(t, want.N, got.N)
		require.Equal(t, want.Unit, got.Unit)
		require.Equal(t, s, got.String())
	}
	for _, s := range []string{"", "5", "m", "0m", "5x", "-5m", "99999999999m", "5ss"} {
		_, ok := parsePeriod(s)
		require.False(t, ok, s)
	}
	require.Equal(t, "5m", Period{N: 5, Unit: "m"}.String())
}

func TestPathTree(t *testing.T) {
	f := func(doc, name, want string) {
		t.Helper()
		tree := &pathTree{}
		tree.add(name, 0)
		var found found
		found.reset(1)
		tree.scan(doc, &found)
		got, ok := found.values[0].asText()
		if !ok {
			got = "missing"
		}
		require.Equal(t, want, got, "%s in %s", name, doc)
	}
	f(`{"a":{"b":1}}`, "a.b", "1")
	f(`{"a.b":2}`, "a.b", "2")
	f(`{"a.b":2,"a":{"b":1}}`, "a.b", "1")
	f(`{"a.b":2,"a":{"b":{}}}`, "a.b", "2")
	f(`{"a.b":2,"a":{"b":null}}`, "a.b", "2")
	f(`{"a":{"b.c":1},"a.b":{"c":2}}`, "a.b.c", "1")
	f(`{"a":[{"b":1},{"b":2}]}`, "a.1.b", "2")
	f(`{"a":[1,2]}`, "a.01", "missing")
	f(`{"a":[1,2]}`, "a", "missing")
	f(`{"a":1,"a":{"b":2}}`, "a.b", "missing")
	f(`{"\u0061":1}`, "a", "1")
	f(`{"a":1`, "a", "missing")
	f(`{"a":1}}`, "a", "missing")
	f(`[{"a":1}]`, "0.a", "1")

	wide := &pathTree{}
	var b strings.Builder
	b.WriteString("{")
	for i := range 200 {
		wide.add(itoa(i)+"k", i)
		b.WriteString(`"` + itoa(i) + `k":` + itoa(i) + `,"` + itoa(i) + `k":-1,`)
	}
	var found found
	found.reset(200)
	require.True(t, wide.scan(b.String()+"}", &found))
	for i := range 200 {
		require.InDelta(t, i, found.values[i].num, 0)
	}
}
