// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	xraytypes "github.com/aws/aws-sdk-go-v2/service/xray/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shapes has a member of each kind.
type shapes struct {
	S    *string
	B    *bool
	I    *int32
	L    *int64
	F    *float32
	D    *float64
	T    *time.Time
	X    []byte
	SS   []string
	FF   []float64
	M    map[string]string
	N    *shapes
	NN   []shapes
	Q    []*string          // sparse
	P    map[string]*string // sparse
	R    map[string]shapes  // of structures
	E    cwtypes.StateValue // enum
	U    xraytypes.AnnotationValue
	Mand int32
}

func decodeCBORHex[T any](t *testing.T, s string) (*T, error) {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	pl, err := planOf[T]()
	require.NoError(t, err)
	v := new(T)
	return v, decodeCBOR(b, pl, unsafe.Pointer(v))
}

// TestDecodeCBOR has the cases of Smithy's protocol tests for rpc-v2-cbor, and more.
func TestDecodeCBOR(t *testing.T) {
	instant := time.Date(2000, 1, 2, 20, 34, 56, 0, time.UTC)
	for _, tc := range []struct {
		name, hex string
		want      shapes
	}{
		{"no body", "", shapes{}},
		{"empty, definite", "a0", shapes{}},
		{"empty, indefinite", "bfff", shapes{}},
		{"scalars", "a7 6153 65 7661c3a475 6142 f5 6149 190100 614c 192691 6146 fa40f40000 6144 fb3ffe395810624dd3 6158 43010203", shapes{
			S: aws.String("vaäu"), B: aws.Bool(true), I: aws.Int32(256), L: aws.Int64(9873), F: aws.Float32(7.625), D: aws.Float64(1.889), X: []byte{1, 2, 3},
		}},
		{"scalars, indefinite map", "bf 6142 f4 6149 3863 614c 3b7fffffffffffffff ff", shapes{B: aws.Bool(false), I: aws.Int32(-100), L: aws.Int64(math.MinInt64)}},
		{"nulls are absent", "a8 6153 f6 6142 f6 6149 f7 614c f6 6154 f6 6158 f6 614e f6 6155 f6", shapes{}},
		{"unknown members are skipped", "a3 64786c6e6b bf 9f 01 20 f93c00 ff 5f4101ff 60 a0 c06178 f8ff ff 6153 6161 6179 d9d9f7 820102", shapes{S: aws.String("a")}},
		{"half, single and integer for double", "a1 624646 87 f93e00 fa40f40000 01 20 f97c00 f9fc00 f90001", shapes{
			FF: []float64{1.5, 7.625, 1, -1, math.Inf(1), math.Inf(-1), math.Ldexp(1, -24)},
		}},
		{"integer for float", "a1 6146 18ff", shapes{F: aws.Float32(255)}},
		{"whole float for integer", "a2 6149 fb4008000000000000 614c f94200", shapes{I: aws.Int32(3), L: aws.Int64(3)}},
		{"integers wider than need be", "a2 6149 1b0000000000000001 614c 1800", shapes{I: aws.Int32(1), L: aws.Int64(0)}},
		{"timestamp, integer", "a1 6154 c11a386fb670", shapes{T: aws.Time(instant)}},
		{"timestamp, double", "a1 6154 c1fb41cc37db38000000", shapes{T: aws.Time(instant)}},
		{"timestamp, fraction", "a1 6154 c1fb41cc37db380fbe77", shapes{T: aws.Time(instant.Add(123 * time.Millisecond))}},
		{"timestamp, negative", "a1 6154 c120", shapes{T: aws.Time(time.Unix(-1, 0).UTC())}},
		{"string in chunks", "a1 6153 7f 65416e206578 60 64616d706c ff", shapes{S: aws.String("An exampl")}},
		{"blob in chunks", "a1 6158 5f 4101 420203 ff", shapes{X: []byte{1, 2, 3}}},
		{"empty chunks", "a2 6153 7fff 6158 5fff", shapes{S: aws.String(""), X: []byte{}}},
		{"key in chunks", "a1 7f 6153 ff 6161", shapes{S: aws.String("a")}},
		{"lists", "a2 625353 82 6161 6162 624646 9f ff", shapes{SS: []string{"a", "b"}, FF: []float64{}}},
		{"list, indefinite", "a1 625353 9f 6161 6162 ff", shapes{SS: []string{"a", "b"}}},
		{"nulls in a dense list are dropped", "a1 625353 83 6161 f6 6162", shapes{SS: []string{"a", "b"}}},
		{"nulls in a sparse list stay", "a1 6151 83 6161 f6 6162", shapes{Q: []*string{aws.String("a"), nil, aws.String("b")}}},
		{"maps", "a1 614d bf 6161 6162 6163 60 ff", shapes{M: map[string]string{"a": "b", "c": ""}}},
		{"nulls in a dense map are dropped", "a1 614d a2 6161 f6 6163 6164", shapes{M: map[string]string{"c": "d"}}},
		{"nulls in a sparse map stay", "a1 6150 a2 6161 f6 6163 6164", shapes{P: map[string]*string{"a": nil, "c": aws.String("d")}}},
		{"map of structures", "a1 6152 a1 616b a1 6153 6176", shapes{R: map[string]shapes{"k": {S: aws.String("v")}}}},
		{"recursion", "a1 614e a1 624e4e 81 a1 6153 6161", shapes{N: &shapes{NN: []shapes{{S: aws.String("a")}}}}},
		{"enum", "a1 6145 624f4b", shapes{E: "OK"}},
		{"union", "a1 6155 bf 6b4e756d62657256616c7565 05 ff", shapes{U: &xraytypes.AnnotationValueMemberNumberValue{Value: 5}}},
		{"union with null", "a1 6155 a3 6b4e756d62657256616c7565 f6 665f5f74797065 6161 6b537472696e6756616c7565 6161", shapes{U: &xraytypes.AnnotationValueMemberStringValue{Value: "a"}}},
		{"the last of two wins", "a2 6153 6161 6153 6162", shapes{S: aws.String("b")}},
		{"member without pointer", "a1 644d616e64 07", shapes{Mand: 7}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := decodeCBORHex[shapes](t, tc.hex)
			require.NoError(t, err)
			assert.Equal(t, tc.want, *got)
		})
	}
	got, err := decodeCBORHex[shapes](t, "a2 6144 f97e00 6146 fa7fc00000")
	require.NoError(t, err)
	assert.True(t, math.IsNaN(*got.D))
	assert.True(t, math.IsNaN(float64(*got.F)))
}

func TestDecodeCBORFailures(t *testing.T) {
	for _, tc := range []struct{ name, hex, want string }{
		{"not a map", "80", "Start of list found where not expected"},
		{"text at the top", "6161", "STRING_VALUE can not be converted to Structure"},
		{"number for text", "a1 6153 01", "NUMBER_VALUE can not be converted to String at 's'"},
		{"text for number", "a1 6149 6161", "STRING_VALUE can not be converted to Integer at 'i'"},
		{"text for double", "a1 6144 6161", "STRING_VALUE can not be converted to Double at 'd'"},
		{"number for boolean", "a1 6142 01", "NUMBER_VALUE can not be converted to Boolean at 'b'"},
		{"map for text", "a1 6153 a0", "Start of structure or map found where not expected at 's'"},
		{"text for list", "a1 625353 6161", "STRING_VALUE can not be converted to List at 'sS'"},
		{"text for map", "a1 614d 6161", "STRING_VALUE can not be converted to Map at 'm'"},
		{"bytes for text", "a1 6153 4161", "BYTES_VALUE can not be converted to String at 's'"},
		{"text for bytes", "a1 6158 6161", "STRING_VALUE can not be converted to Blob at 'x'"},
		{"boolean for double", "a1 6144 f4", "FALSE_VALUE can not be converted to Double at 'd'"},
		{"boolean for long", "a1 614c f5", "TRUE_VALUE can not be converted to Long at 'l'"},
		{"null for an element of the wrong place", "a1 6144 c100", "TAGGED_VALUE can not be converted to Double at 'd'"},
		{"timestamp without tag", "a1 6154 00", "NUMBER_VALUE can not be converted to Timestamp at 't'"},
		{"timestamp with another tag", "a1 6154 c060", "TAGGED_VALUE can not be converted to Timestamp at 't'"},
		{"timestamp that is none", "a1 6154 c1f97e00", "Number is not a valid Timestamp at 't'"},
		{"timestamp of no year", "a1 6154 c11bffffffffffffffff", "Number is not a valid Timestamp at 't'"},
		{"integer too large", "a1 6149 1a80000000", "Number is not a valid Integer at 'i'"},
		{"long too large", "a1 614c 1b8000000000000000", "Number is not a valid Long at 'l'"},
		{"fraction for integer", "a1 6149 f93e00", "Number is not a valid Integer at 'i'"},
		{"path", "a1 624e4e 82 a0 a1 614e a1 6149 60", "STRING_VALUE can not be converted to Integer at 'nN.2.member.n.i'"},
		{"path in a map", "a1 6152 a1 616b a1 6149 60", "STRING_VALUE can not be converted to Integer at 'r.k.i'"},
		{"invalid utf-8", "a1 6153 61ff", "String is not valid UTF-8 at 's'"},
		{"invalid utf-8 in a key", "a1 614d a1 61ff 6161", "String is not valid UTF-8 at 'm'"},
		{"end in a map", "a1", "Unexpected end of CBOR at offset 1"},
		{"end in a head", "a1 6149 19", "Unexpected end of CBOR at offset 4 at 'i'"},
		{"end in text", "a1 6153 6461", "Unexpected end of CBOR at offset 5 at 's'"},
		{"huge list", "a1 625353 9bffffffffffffff00", "Unexpected end of CBOR at offset 13 at 'sS'"},
		{"huge map", "bbffffffffffffff00", "Unexpected end of CBOR at offset 9"},
		{"huge text", "a1 6153 7bffffffffffffffff", "Unexpected end of CBOR at offset 12 at 's'"},
		{"no break", "bf 6153 6161", "Unexpected end of CBOR at offset 5"},
		{"break for a value", "a1 6153 ff", "Invalid CBOR, unassigned item, at offset 3 at 's'"},
		{"chunk of another type", "a1 6153 7f 41 61 ff", "Invalid CBOR, chunk of another type, at offset 5 at 's'"},
		{"chunk in a chunk", "a1 6153 7f 7f ff ff", "Invalid CBOR, chunk of another type, at offset 5 at 's'"},
		{"key that is a number", "a1 01 02", "Invalid CBOR, a key that is not text, at offset 1"},
		{"reserved length", "a1 6178 1c", "Invalid CBOR, unassigned item, at offset 3"},
		{"reserved simple value", "a1 6178 f800", "Invalid CBOR, unassigned simple value, at offset 5"},
		{"data after the end", "a0 00", "Invalid CBOR, data after the end, at offset 1"},
		{"two alternatives", "a1 6155 a2 6b4e756d62657256616c7565 05 6b537472696e6756616c7565 6161", "Union has more than one member set at 'u'"},
		{"no alternative", "a1 6155 a0", "Union has no member set at 'u'"},
		{"unknown alternative", "a1 6155 a1 6178 00", "Unknown union member 'x' at 'u'"},
		{"deep unknown", "a1 6178" + strings.Repeat("81", 100) + "00", "CBOR is nested deeper than 64"},
		{"deep known", strings.Repeat("a1614e", 100) + "a0", "CBOR is nested deeper than 64 at '" + strings.Repeat("n.", 63) + "n'"},
		{"deep tags", "a1 6178" + strings.Repeat("c1", 100) + "00", "CBOR is nested deeper than 64"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := decodeCBORHex[shapes](t, tc.hex)
			require.EqualError(t, err, tc.want)
		})
	}
}

// TestExpansionIsBounded sends short elements that stand for large structures.
func TestExpansionIsBounded(t *testing.T) {
	pl, err := planOf[cloudwatch.PutMetricDataInput]()
	require.NoError(t, err)
	elements := strings.Repeat("\xa0", 2<<20)
	body := "\xa1jMetricData\x9f" + elements + "\xff"
	var in cloudwatch.PutMetricDataInput
	require.ErrorIs(t, decodeCBOR([]byte(body), pl, unsafe.Pointer(&in)), errTooBig)
	body = `{"MetricData":[` + strings.Repeat("{},", 1<<20) + "{}]}"
	require.ErrorIs(t, decodeJSON([]byte(body), pl, unsafe.Pointer(&in), false), errTooBig)
	assert.Equal(t, 413, serializationError(errTooBig).Status)
}

func TestEncodeCBOR(t *testing.T) {
	in := shapes{
		S: aws.String("a"), B: aws.Bool(false), I: aws.Int32(-500), L: aws.Int64(1 << 40), F: aws.Float32(7.625), D: aws.Float64(1),
		T: aws.Time(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)), X: []byte{1}, SS: []string{}, FF: []float64{1.5},
		M: map[string]string{"b": "2", "a": "1"}, N: &shapes{Mand: 1}, NN: []shapes{{Mand: 2}}, Q: []*string{nil},
		P: map[string]*string{"x": nil}, R: map[string]shapes{"k": {Mand: 3}}, E: "OK", U: &xraytypes.AnnotationValueMemberBooleanValue{Value: true}, Mand: 7,
	}
	got, err := encodeCBOR(&in)
	require.NoError(t, err)
	assert.Equal(t, strings.ReplaceAll("bf 6153 6161 6142 f4 6149 3901f3 614c 1b0000010000000000 6146 fa40f40000 6144 fb3ff0000000000000"+
		"6154 c1fb41d9dd2160000000 6158 4101 625353 9fff 624646 9f fb3ff8000000000000 ff 614d bf 6161 6131 6162 6132 ff"+
		"614e bf 644d616e64 01 ff 624e4e 9f bf 644d616e64 02 ff ff 6151 9f f6 ff 6150 bf 6178 f6 ff"+
		"6152 bf 616b bf 644d616e64 03 ff ff 6145 624f4b 6155 bf 6c426f6f6c65616e56616c7565 f5 ff 644d616e64 07 ff", " ", ""), hex.EncodeToString(got))
	var back shapes
	pl, err := planOf[shapes]()
	require.NoError(t, err)
	require.NoError(t, decodeCBOR(got, pl, unsafe.Pointer(&back)))
	assert.Equal(t, in, back)

	_, err = encodeCBOR(&shapes{U: &xraytypes.UnknownUnionMember{Tag: "x"}})
	require.ErrorContains(t, err, "which has no form on the wire")
}

// TestSmithyErrorVector is an error of Smithy's protocol tests.
func TestSmithyErrorVector(t *testing.T) {
	want, err := base64.StdEncoding.DecodeString("v2ZfX3R5cGV4LnNtaXRoeS5wcm90b2NvbHRlc3RzLnJwY3YyQ2JvciNJbnZhbGlkR3JlZXRpbmdnTWVzc2FnZWJIaf8=")
	require.NoError(t, err)
	s := &Service{ErrorNamespace: map[string]string{"": "smithy.protocoltests.rpcv2Cbor"}, MessageMember: map[string]string{"": "Message"}}
	got, err := appendCBORFailure(nil, s, &failure{shape: "InvalidGreeting", message: "Hi"})
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestHalfFloats(t *testing.T) {
	for h, want := range map[uint16]float64{
		0x0000: 0, 0x0001: math.Ldexp(1, -24), 0x03ff: math.Ldexp(1023, -24), 0x0400: math.Ldexp(1, -14), 0x3c00: 1, 0x3555: 0.333251953125,
		0x7bff: 65504, 0xc000: -2, 0x7c00: math.Inf(1), 0xfc00: math.Inf(-1),
	} {
		assert.Equal(t, want, halfFloat(h)) //nolint:testifylint // exact
	}
	assert.True(t, math.IsNaN(halfFloat(0x7e01)))
	assert.True(t, math.Signbit(halfFloat(0x8000)))
}

func FuzzDecodeCBOR(f *testing.F) {
	for _, s := range []string{
		"a7615365766164696142f5614919010061 4c1926916146fa40f400006144fb3ffe395810624dd3615843010203", "bfff", "a1624646 87f93e00fa40f40000",
		"a1 6153 7f 65416e206578 60 64616d706c ff", "a1614ea1624e4e81a161536161", "a16155bf6b4e756d62657256616c756505ff", "a16152a1616ba161536176",
	} {
		b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
		require.NoError(f, err)
		f.Add(b)
	}
	golden, err := encodeCBOR(putMetricData())
	require.NoError(f, err)
	f.Add(golden[:300])
	fuzzRoundTrip(f, func(pl *plan, b []byte, p unsafe.Pointer) error { return decodeCBOR(b, pl, p) }, appendCBOR)
}

// fuzzRoundTrip decodes, and encodes and decodes again what could be decoded.
func fuzzRoundTrip(f *testing.F, decode func(*plan, []byte, unsafe.Pointer) error, encode func([]byte, *plan, unsafe.Pointer) ([]byte, error)) {
	f.Helper()
	var plans []*plan
	for _, t := range []reflect.Type{reflect.TypeFor[shapes](), reflect.TypeFor[cloudwatch.PutMetricDataInput](), reflect.TypeFor[cloudwatch.PutMetricAlarmInput]()} {
		pl, err := planFor(t)
		require.NoError(f, err)
		plans = append(plans, pl)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, pl := range plans {
			v := reflect.New(pl.typ)
			if decode(pl, b, v.UnsafePointer()) != nil {
				continue
			}
			first, err := encode(nil, pl, v.UnsafePointer())
			require.NoError(t, err)
			again := reflect.New(pl.typ)
			require.NoError(t, decode(pl, first, again.UnsafePointer()), "%x", first)
			second, err := encode(nil, pl, again.UnsafePointer())
			require.NoError(t, err)
			require.Equal(t, first, second)
		}
	})
}
