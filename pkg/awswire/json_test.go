// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	xraytypes "github.com/aws/aws-sdk-go-v2/service/xray/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func decodeJSONString[T any](t *testing.T, s string) (*T, error) {
	t.Helper()
	pl, err := planOf[T]()
	require.NoError(t, err)
	v := new(T)
	return v, decodeJSON([]byte(s), pl, unsafe.Pointer(v), false)
}

// TestMillisecondTimestamps has what the samplers for Java send.
func TestMillisecondTimestamps(t *testing.T) {
	pl, err := planOf[shapes]()
	require.NoError(t, err)
	instant := time.Date(2025, 1, 1, 0, 0, 0, 123e6, time.UTC)
	for _, tc := range []struct {
		number string
		want   time.Time // zero: an error
	}{
		{"1735689600123", instant},
		{"1735689600123.0", instant},
		{"1.735689600123E12", instant},
		{"1735689600.123", instant},
		{"1735689600", instant.Truncate(time.Second)},
		{"253402300799", time.Unix(maxEpoch, 0).UTC()},
		{"253402300800", time.UnixMilli(maxEpoch + 1).UTC()},
		{"253402300799000", time.Unix(maxEpoch, 0).UTC()},
		{"253402300799001", time.Time{}},
		{"9223372036854775807", time.Time{}},
		{"1e300", time.Time{}},
		{"-1735689600123", time.Time{}},
	} {
		var v shapes
		err := decodeJSON([]byte(`{"T":`+tc.number+`}`), pl, unsafe.Pointer(&v), true)
		if tc.want.IsZero() {
			require.Error(t, err, tc.number)
			continue
		}
		require.NoError(t, err, tc.number)
		assert.Equal(t, tc.want, *v.T, tc.number)
	}
	_, err = decodeJSONString[shapes](t, `{"T":1735689600123}`)
	require.Error(t, err, "of other services")
	assert.True(t, NewService("xray").MillisecondTimestamps)
	assert.False(t, NewService("monitoring").MillisecondTimestamps)
}

func TestDecodeJSON(t *testing.T) {
	instant := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name, json string
		want       shapes
	}{
		{"no body", "", shapes{}},
		{"blanks", " \r\n\t", shapes{}},
		{"empty", " { } ", shapes{}},
		{"scalars", `{"S":"a\"b","B":true,"I":-5,"L":9223372036854775807,"F":7.625,"D":1e300,"X":"AQID"}`, shapes{
			S: aws.String(`a"b`), B: aws.Bool(true), I: aws.Int32(-5), L: aws.Int64(math.MaxInt64), F: aws.Float32(7.625), D: aws.Float64(1e300), X: []byte{1, 2, 3},
		}},
		{"nulls", `{"S":null,"B":null,"I":null,"T":null,"X":null,"SS":null,"M":null,"N":null,"U":null}`, shapes{}},
		{"unknown members", `{"x":{"y":[1,-2.5e-3,"z\u00e9",true,false,null,{}],"S":"inner"},"S":"a"}`, shapes{S: aws.String("a")}},
		{"names are case-sensitive", `{"s":"a"}`, shapes{}},
		{"escapes", `{"S":"\"\\\/\b\f\n\r\tA\u00e9\u20ac\ud83d\ude00"}`, shapes{S: aws.String("\"\\/\b\f\n\r\tAé€😀")}},
		{"half a surrogate pair", `{"S":"\ud83dx\ude00\ud83d\u0041"}`, shapes{S: aws.String("\ufffdx\ufffd\ufffdA")}},
		{"escaped names", `{"\u0053":"a"}`, shapes{S: aws.String("a")}},
		{"whole numbers", `{"I":5.0,"L":1e3}`, shapes{I: aws.Int32(5), L: aws.Int64(1000)}},
		{"not quite numbers", `{"FF":["NaN","Infinity","-Infinity"]}`, shapes{FF: []float64{math.NaN(), math.Inf(1), math.Inf(-1)}}},
		{"time, whole", `{"T":1735689600}`, shapes{T: aws.Time(instant)}},
		{"time, fraction", `{"T":1735689600.123}`, shapes{T: aws.Time(instant.Add(123 * time.Millisecond))}},
		{"time, exponent", `{"T":1.7356896E9}`, shapes{T: aws.Time(instant)}},
		{"time, text", `{"T":"2025-01-01T00:00:00Z"}`, shapes{T: aws.Time(instant)}},
		{"blob without padding", `{"X":"AQ"}`, shapes{X: []byte{1}}},
		{"empty blob", `{"X":""}`, shapes{X: []byte{}}},
		{"lists", `{"SS":[],"FF":[1,2.5]}`, shapes{SS: []string{}, FF: []float64{1, 2.5}}},
		{"nulls in lists", `{"SS":["a",null,"b"],"Q":["a",null]}`, shapes{SS: []string{"a", "b"}, Q: []*string{aws.String("a"), nil}}},
		{"maps", `{"M":{"a":"b","c":null},"P":{"a":null},"R":{"k":{"S":"v"}}}`, shapes{
			M: map[string]string{"a": "b"}, P: map[string]*string{"a": nil}, R: map[string]shapes{"k": {S: aws.String("v")}},
		}},
		{"recursion", `{"N":{"NN":[{"S":"a"},{}]}}`, shapes{N: &shapes{NN: []shapes{{S: aws.String("a")}, {}}}}},
		{"enum", `{"E":"OK"}`, shapes{E: "OK"}},
		{"union", `{"U":{"__type":"x","NumberValue":null,"BooleanValue":true}}`, shapes{U: &xraytypes.AnnotationValueMemberBooleanValue{Value: true}}},
		{"the last of two wins", `{"S":"a","SS":["x"],"S":"b","SS":["y"]}`, shapes{S: aws.String("b"), SS: []string{"y"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := decodeJSONString[shapes](t, tc.json)
			require.NoError(t, err)
			if tc.name == "not quite numbers" {
				assert.True(t, math.IsNaN(got.FF[0]))
				got.FF, tc.want.FF = got.FF[1:], tc.want.FF[1:]
			}
			assert.Equal(t, tc.want, *got)
		})
	}
}

func TestDecodeJSONFailures(t *testing.T) {
	for _, tc := range []struct{ name, json, want string }{
		{"list at the top", `[]`, "Start of list found where not expected"},
		{"text at the top", `"a"`, "STRING_VALUE can not be converted to Structure"},
		{"number for text", `{"S":1}`, "NUMBER_VALUE can not be converted to String at 's'"},
		{"true for text", `{"S":true}`, "TRUE_VALUE can not be converted to String at 's'"},
		{"text for number", `{"I":"1"}`, "STRING_VALUE can not be converted to Integer at 'i'"},
		{"text for double", `{"D":"1"}`, "STRING_VALUE can not be converted to Double at 'd'"},
		{"false for double", `{"D":false}`, "FALSE_VALUE can not be converted to Double at 'd'"},
		{"text for boolean", `{"B":"true"}`, "STRING_VALUE can not be converted to Boolean at 'b'"},
		{"map for text", `{"S":{}}`, "Start of structure or map found where not expected at 's'"},
		{"list for structure", `{"N":[]}`, "Start of list found where not expected at 'n'"},
		{"text for list", `{"SS":"a"}`, "STRING_VALUE can not be converted to List at 'sS'"},
		{"text for map", `{"M":"a"}`, "STRING_VALUE can not be converted to Map at 'm'"},
		{"text for union", `{"U":"a"}`, "STRING_VALUE can not be converted to Union at 'u'"},
		{"number for blob", `{"X":1}`, "NUMBER_VALUE can not be converted to Blob at 'x'"},
		{"bad base64", `{"X":"*"}`, "Invalid base64 at 'x'"},
		{"too much padding", `{"X":"AQ==="}`, "Invalid base64 at 'x'"},
		{"integer too large", `{"I":2147483648}`, "Number 2147483648 is not a valid Integer at 'i'"},
		{"long too large", `{"L":9223372036854775808}`, "Number 9223372036854775808 is not a valid Long at 'l'"},
		{"fraction for integer", `{"I":1.5}`, "Number 1.5 is not a valid Integer at 'i'"},
		{"double too large", `{"D":1e999}`, "Number 1e999 is not a valid Double at 'd'"},
		{"time too large", `{"T":1e99}`, "Number 1e99 is not a valid Timestamp at 't'"},
		{"long time", `{"T":99999999999999999999999}`, "Number 99999999999999999999999 is not a valid Timestamp at 't'"},
		{"text that is no time", `{"T":"soon"}`, "STRING_VALUE can not be converted to Timestamp at 't'"},
		{"path", `{"NN":[{},{"N":{"R":{"k":{"I":"x"}}}}]}`, "STRING_VALUE can not be converted to Integer at 'nN.2.member.n.r.k.i'"},
		{"two alternatives", `{"U":{"NumberValue":1,"StringValue":"a"}}`, "Union has more than one member set at 'u'"},
		{"unknown alternative", `{"U":{"Colour":1}}`, "Unknown union member 'Colour' at 'u'"},
		{"no alternative", `{"U":{}}`, "Union has no member set at 'u'"},
		{"invalid utf-8", "{\"S\":\"\xff\"}", "Request body is not valid UTF-8"},
		{"no json", `nonsense`, "NULL_VALUE can not be converted to Structure"},
		{"end", `{"S"`, "Unexpected end of JSON at offset 4"},
		{"end in text", `{"S":"a`, "Unexpected end of JSON at offset 7 at 's'"},
		{"end in an escape", `{"S":"a\`, "Unexpected end of JSON at offset 8 at 's'"},
		{"unknown escape", `{"S":"\x"}`, `Unexpected character 'x' in JSON at offset 7 at 's'`},
		{"short escape", `{"S":"\u12"}`, `Unexpected character '\\' in JSON at offset 6 at 's'`},
		{"control character", "{\"S\":\"a\nb\"}", `Unexpected character '\n' in JSON at offset 7 at 's'`},
		{"trailing comma", `{"S":"a",}`, `Unexpected character '}' in JSON at offset 9`},
		{"trailing comma in a list", `{"SS":["a",]}`, `Unexpected character ']' in JSON at offset 11 at 'sS'`},
		{"no comma", `{"S":"a" "B":true}`, `Unexpected character '"' in JSON at offset 9`},
		{"no colon", `{"S" "a"}`, `Unexpected character '"' in JSON at offset 5`},
		{"no value", `{"S":}`, `Unexpected character '}' in JSON at offset 5 at 's'`},
		{"no name", `{1:2}`, `Unexpected character '1' in JSON at offset 1`},
		{"leading zero", `{"I":01}`, `Unexpected character '1' in JSON at offset 6`},
		{"plus", `{"I":+1}`, `Unexpected character '+' in JSON at offset 5 at 'i'`},
		{"minus alone", `{"I":-}`, `Unexpected character '}' in JSON at offset 6 at 'i'`},
		{"no fraction", `{"D":1.}`, `Unexpected character '}' in JSON at offset 7 at 'd'`},
		{"no exponent", `{"D":1e}`, `Unexpected character '}' in JSON at offset 7 at 'd'`},
		{"half a word", `{"B":tru}`, `Unexpected character 't' in JSON at offset 5 at 'b'`},
		{"half a null", `{"B":nul}`, `Unexpected character 'n' in JSON at offset 5 at 'b'`},
		{"after the end", `{} {}`, `Unexpected character '{' in JSON at offset 3`},
		{"bad unknown member", `{"x":[1,{"y":tru}]}`, `Unexpected character 't' in JSON at offset 13`},
		{"deep unknown", `{"x":` + strings.Repeat("[", 100), "JSON is nested deeper than 64"},
		{"deep known", strings.Repeat(`{"N":`, 100), "JSON is nested deeper than 64 at '" + strings.Repeat("n.", 63) + "n'"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := decodeJSONString[shapes](t, tc.json)
			require.EqualError(t, err, tc.want)
		})
	}
}

// TestStringsAreNotTheBody: a handler may keep strings while the body is used for another request.
func TestStringsAreNotTheBody(t *testing.T) {
	body := []byte(`{"S":"a string that is longer than the ones that are looked up in the table of known ones","SS":["short"]}`)
	pl, err := planOf[shapes]()
	require.NoError(t, err)
	var v shapes
	require.NoError(t, decodeJSON(body, pl, unsafe.Pointer(&v), false))
	for i := range body {
		body[i] = '!'
	}
	assert.Equal(t, "a string that is longer than the ones that are looked up in the table of known ones", *v.S)
	assert.Equal(t, []string{"short"}, v.SS)
}

func TestPutLogEventsDecodes(t *testing.T) {
	body := putLogEventsBody(t, 100)
	got, err := decodeJSONString[cloudwatchlogs.PutLogEventsInput](t, string(body))
	require.NoError(t, err)
	var want struct {
		LogEvents []struct {
			Message   string
			Timestamp int64
		}
	}
	require.NoError(t, json.Unmarshal(body, &want))
	require.Len(t, got.LogEvents, 100)
	for i, e := range got.LogEvents {
		assert.Equal(t, want.LogEvents[i].Message, *e.Message)
		assert.Equal(t, want.LogEvents[i].Timestamp, *e.Timestamp)
	}
}

func TestEncodeJSON(t *testing.T) {
	in := shapes{
		S: aws.String("a\"\\\n\r\t\x01é😀</script>"), B: aws.Bool(false), I: aws.Int32(-5), L: aws.Int64(1 << 60), F: aws.Float32(0.1), D: aws.Float64(41),
		T: aws.Time(time.Date(2025, 12, 17, 13, 23, 0, 0, time.UTC)), X: []byte{1}, SS: []string{}, FF: []float64{1.5, 1e10, math.Inf(-1), 1e-7},
		M: map[string]string{"b": "2", "a": "1"}, N: &shapes{Mand: 1}, NN: []shapes{{Mand: 2}, {T: aws.Time(time.UnixMilli(1765977780123))}}, Q: []*string{nil, aws.String("")},
		P: map[string]*string{"x": nil}, R: map[string]shapes{"k": {Mand: 3}}, E: "OK", U: &xraytypes.AnnotationValueMemberNumberValue{Value: 2},
	}
	got, err := encodeJSON(&in)
	require.NoError(t, err)
	want := `{"S":"a\"\\\n\r\t\u0001é😀</script>","B":false,"I":-5,"L":1152921504606846976,"F":0.1,"D":41.0,"T":1765977780.0,"X":"AQ==",` +
		`"SS":[],"FF":[1.5,1.0E10,"-Infinity",1.0E-7],"M":{"a":"1","b":"2"},"N":{"Mand":1},"NN":[{"Mand":2},{"T":1765977780.123,"Mand":0}],"Q":[null,""],` +
		`"P":{"x":null},"R":{"k":{"Mand":3}},"E":"OK","U":{"NumberValue":2.0},"Mand":0}`
	assert.Equal(t, []byte(want), got)
	require.True(t, json.Valid(got))
	back, err := decodeJSONString[shapes](t, string(got))
	require.NoError(t, err)
	back.NN[1].T = in.NN[1].T // another location
	assert.Equal(t, in, *back)

	got, err = encodeJSON(&shapes{S: aws.String("a\xffb")})
	require.NoError(t, err)
	assert.JSONEq(t, `{"S":"a`+"\ufffd"+`b","Mand":0}`, string(got))
	_, err = encodeJSON(&shapes{U: &xraytypes.UnknownUnionMember{Tag: "x"}})
	require.Error(t, err)
}

func FuzzDecodeJSON(f *testing.F) {
	for _, s := range []string{
		`{"S":"a\"b\u00e9\ud83d\ude00","B":true,"I":-5,"L":1e3,"F":7.625,"D":1e300,"X":"AQID","T":1735689600.5}`,
		`{"x":{"y":[1,-2.5e-3,"z",true,false,null,{}]},"SS":["a",null],"M":{"a":"b"},"N":{"NN":[{}]},"U":{"NumberValue":1}}`,
		`{"MetricData":[{"MetricName":"m","Values":[1,2,"NaN"],"Dimensions":[]}],"EvaluationWindow":{"SlidingWindow":{}}}`, `{`, "",
	} {
		f.Add([]byte(s))
	}
	fuzzRoundTrip(f, func(pl *plan, b []byte, p unsafe.Pointer) error {
		err := decodeJSON(b, pl, p, len(b)%2 == 0)
		if err == nil && len(strings.TrimSpace(string(b))) > 0 && !json.Valid(b) {
			f.Fatalf("%q is not JSON", b)
		}
		return err
	}, appendJSON)
}

func FuzzJSONString(f *testing.F) {
	f.Add("plain")
	f.Add("a\"\\\n\x00\x1f\x7f\u2028é")
	f.Fuzz(func(t *testing.T, s string) {
		var want, got string
		std, err := json.Marshal(s)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(std, &want))
		require.NoError(t, json.Unmarshal(appendJSONString(nil, s), &got))
		require.Equal(t, want, got)
		sc := jsonScanner{b: std}
		ours, err := sc.string()
		require.NoError(t, err)
		require.Equal(t, want, string(ours))
	})
}
