// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatchlogs

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPromote(t *testing.T) {
	const trace = "5759e988bd862e3fe1be46a994272793"
	for _, c := range []struct {
		name, message string
		want          Promoted
	}{
		{name: "empty", message: ""},
		{name: "text", message: "level ERROR"},
		{name: "no object", message: `["level"]`},
		{name: "empty object", message: " { } \n"},
		{
			name: "all", message: `{"level":"ERROR","service":"api","trace_id":"` + trace + `","span_id":"53995c3f42cd8ad8","duration_ms":12.5,"status":503}`,
			want: Promoted{"ERROR", "api", trace, "53995c3f42cd8ad8", new(12.5), new(int32(503))},
		},
		{name: "white space", message: "\n{ \"a\" : [ 1 , { \"level\" : \"x\" } ] ,\t\"level\" : \"INFO\" }\r\n", want: Promoted{Level: "INFO"}},
		{name: "x-ray id", message: `{"trace_id":"1-5759e988-bd862e3fe1be46a994272793"}`, want: Promoted{TraceID: trace}},
		{name: "upper case id", message: `{"trace_id":"` + strings.ToUpper(trace) + `"}`, want: Promoted{TraceID: trace}},
		{name: "not an id", message: `{"trace_id":"abc","span_id":"zzzzzzzzzzzzzzzz"}`},
		{name: "other case", message: `{"Level":"ERROR","SERVICE":"x","Status":1}`},
		{name: "other keys", message: `{"severity":"ERROR","service.name":"x","traceId":"` + trace + `"}`},
		{name: "nested", message: `{"log":{"level":"ERROR"},"a":[{"status":1}]}`},
		{name: "first of equal keys", message: `{"level":"A","level":"B"}`, want: Promoted{Level: "A"}},
		{name: "first is null", message: `{"level":null,"level":"B"}`},
		{name: "number as level", message: `{"level":30}`, want: Promoted{Level: "30"}},
		{name: "boolean as level", message: `{"level":true,"service":false}`, want: Promoted{Level: "1", Service: "0"}},
		{name: "object as level", message: `{"level":{"a":1},"service":[1]}`},
		{name: "escaped key", message: `{"l\u0065vel":"INFO"}`, want: Promoted{Level: "INFO"}},
		{name: "escaped value", message: `{"level":"a\"b\u00e9\n"}`, want: Promoted{Level: "a\"bé\n"}},
		{name: "numbers as text", message: `{"duration_ms":"+1.2e1","status":"200"}`, want: Promoted{DurationMs: new(12.0), Status: new(int32(200))}},
		{name: "no numbers", message: `{"duration_ms":"12ms","status":true}`},
		{name: "number without digits", message: `{"duration_ms":".e1","status":"1e"}`},
		{name: "exponent", message: `{"duration_ms":1.5e3,"status":2e2}`, want: Promoted{DurationMs: new(1500.0), Status: new(int32(200))}},
		{name: "fraction", message: `{"duration_ms":-0,"status":200.5}`, want: Promoted{DurationMs: new(negativeZero())}},
		{name: "number texts", message: `{"level":1.50,"service":-0}`, want: Promoted{Level: "1.5", Service: "0"}},
		{name: "small and large", message: `{"level":1.5E-7,"service":1e21}`, want: Promoted{Level: "1.5e-7", Service: "1e21"}},
		{name: "out of range", message: `{"duration_ms":1e999,"status":2147483648}`},
		{name: "smallest", message: `{"status":-2147483647}`, want: Promoted{Status: new(int32(-2147483647))}},
		{name: "cut off", message: `{"level":"ERROR","msg":"abc`},
		{name: "trailing comma", message: `{"level":"ERROR","a":[1,],"b":{"c":1,},}`, want: Promoted{Level: "ERROR"}},
		{name: "only a comma", message: `{"level":"ERROR","a":[,]}`},
		{name: "no numbers of Python", message: `{"level":NaN,"service":-Infinity,"status":[inf,nan]}`},
		{name: "half a surrogate pair", message: `{"level":"ERROR","a":"\ud83d"}`},
		{name: "surrogate pair", message: `{"level":"\ud83d\ude00"}`, want: Promoted{Level: "😀"}},
		{name: "wrong bracket", message: `{"level":"ERROR","a":[{]}]}`},
		{name: "text behind", message: `{"level":"ERROR"} done }`},
		{name: "two objects", message: `{"level":"ERROR"}{"a":1}`},
		{name: "bad number", message: `{"level":"ERROR","n":01}`},
		{name: "bad literal", message: `{"level":"ERROR","n":nul}`},
		{name: "bad escape", message: `{"level":"ERROR","n":"\x"}`},
		{name: "control character", message: "{\"level\":\"ERROR\",\"n\":\"a\nb\"}"},
		{name: "embedded", message: `2024-05-01 {"level":"ERROR"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, Promote(c.message))
		})
	}
}

func negativeZero() float64 {
	f, _ := strconv.ParseFloat("-0", 64)
	return f
}

func TestScanDepth(t *testing.T) {
	for _, n := range []int{1, 63, 64, 65, 300, 100_000} {
		assert.Equal(t, "ERROR", Promote(`{"level":"ERROR","a":`+strings.Repeat(`[{"b":`, n)+"1"+strings.Repeat("}]", n)+`}`).Level)
		assert.Empty(t, Promote(`{"level":"ERROR","a":`+strings.Repeat("[", n)+strings.Repeat("]", n-1)+`}`).Level)
	}
}

// FuzzScan compares the scanner with encoding/json: what that takes for JSON is JSON here.
func FuzzScan(f *testing.F) {
	f.Add(`{"a":[1,{"b":"\u00e9"},-1.5e+3,true,false,null],"c":{}}`)
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Contains(s, `\u`) {
			return // halves of surrogate pairs
		}
		var m map[string]json.RawMessage
		if json.Unmarshal([]byte(s), &m) == nil && m != nil {
			var found members
			require.True(t, scanObject(s, &found, 0), "%q", s)
		}
	})
}

// benchMessage is a JSON log line of 550 bytes.
var benchMessage = func() string {
	s := `{"timestamp":"2026-11-21T10:15:30.123Z","level":"INFO","service":"checkout","trace_id":"5759e988bd862e3fe1be46a994272793",` +
		`"span_id":"53995c3f42cd8ad8","message":"order placed","order_id":"ord-7f3a9b","customer":{"id":"c-10293","tier":"gold","country":"NO"},` +
		`"items":[{"sku":"A-1","qty":2,"price":19.95},{"sku":"B-77","qty":1,"price":249.00}],"duration_ms":183.4,"status":200,"method":"POST",` +
		`"path":"/api/v1/orders","user_agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","cold_start":false,"pad":"`
	return s + strings.Repeat("x", 550-len(s)-2) + `"}`
}()

func BenchmarkPromote(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(benchMessage)))
	for b.Loop() {
		if Promote(benchMessage).Level != "INFO" {
			b.Fatal()
		}
	}
}

func BenchmarkPromoteText(b *testing.B) {
	s := "2026-11-21T10:15:30.123Z INFO order placed " + strings.Repeat("x", 500)
	b.ReportAllocs()
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		if Promote(s).Level != "" {
			b.Fatal()
		}
	}
}
