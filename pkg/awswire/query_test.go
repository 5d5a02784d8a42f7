// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"math"
	"net/url"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	xraytypes "github.com/aws/aws-sdk-go-v2/service/xray/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func decodeForm[T any](t *testing.T, form string) (*T, error) {
	t.Helper()
	pl, err := planOf[T]()
	require.NoError(t, err)
	v := new(T)
	params, err := parseForm(nil, form)
	if err != nil {
		return v, err
	}
	return v, decodeQuery(params, len(form), pl, unsafe.Pointer(v))
}

func TestDecodeQuery(t *testing.T) {
	instant := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name, form string
		want       shapes
	}{
		{"nothing", "", shapes{}},
		{"what is not a member", "Action=Op&Version=2010-08-01&&x.y.1=z&=", shapes{}},
		{"scalars", "S=a%20b%2bc+d%C3%A9&B=true&I=-5&L=9223372036854775807&F=7.625&D=1e%2B20&X=AQID&E=OK&Mand=7", shapes{
			S: aws.String("a b+c dé"), B: aws.Bool(true), I: aws.Int32(-5), L: aws.Int64(math.MaxInt64), F: aws.Float32(7.625), D: aws.Float64(1e20),
			X: []byte{1, 2, 3}, E: "OK", Mand: 7,
		}},
		{"empty text", "S=&X=", shapes{S: aws.String(""), X: []byte{}}},
		{"text without =", "S", shapes{S: aws.String("")}},
		{"other booleans", "B=False", shapes{B: aws.Bool(false)}},
		{"infinity", "D=-Infinity", shapes{D: aws.Float64(math.Inf(-1))}},
		{"time", "T=2025-01-01T00%3A00%3A00Z", shapes{T: aws.Time(instant)}},
		{"time, fraction", "T=2025-01-01T00:00:00.123456Z", shapes{T: aws.Time(instant.Add(123456 * time.Microsecond))}},
		{"time, offset", "T=2025-01-01T02:00:00%2B02:00", shapes{T: aws.Time(instant)}},
		{"time, basic", "T=20250101T000000Z", shapes{T: aws.Time(instant)}},
		{"time, no zone", "T=2025-01-01T00:00:00", shapes{T: aws.Time(instant)}},
		{"time, minutes", "T=2025-01-01T00:00Z", shapes{T: aws.Time(instant)}},
		{"date", "T=2025-01-01", shapes{T: aws.Time(instant)}},
		{"list", "SS.member.1=a&SS.member.2=b", shapes{SS: []string{"a", "b"}}},
		{"list in any order, with gaps", "SS.member.10=c&SS.member.2=b&SS.member.1=a", shapes{SS: []string{"a", "b", "c"}}},
		{"empty list", "SS=", shapes{SS: []string{}}},
		{"structures", "NN.member.2.S=b&NN.member.1.S=a&NN.member.1.I=1&N.N.S=deep", shapes{
			NN: []shapes{{S: aws.String("a"), I: aws.Int32(1)}, {S: aws.String("b")}}, N: &shapes{N: &shapes{S: aws.String("deep")}},
		}},
		{"a name that sorts between", "NN-x=1&NN.member.1.S=a&NN!=2", shapes{NN: []shapes{{S: aws.String("a")}}}},
		{"map", "M.entry.1.key=a&M.entry.1.value=b&M.entry.2.value=d&M.entry.2.key=c", shapes{M: map[string]string{"a": "b", "c": "d"}}},
		{"empty map", "M=", shapes{M: map[string]string{}}},
		{"map of structures", "R.entry.1.key=k&R.entry.1.value.S=v", shapes{R: map[string]shapes{"k": {S: aws.String("v")}}}},
		{"union", "U.NumberValue=5", shapes{U: &xraytypes.AnnotationValueMemberNumberValue{Value: 5}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := decodeForm[shapes](t, tc.form)
			require.NoError(t, err)
			assert.Equal(t, tc.want, *got)
		})
	}
	in, err := decodeForm[sns.PublishInput](t, "TopicArn=t&MessageAttributes.entry.1.Name=k&MessageAttributes.entry.1.Value.DataType=String&MessageAttributes.entry.1.Value.StringValue=v")
	require.NoError(t, err)
	assert.Equal(t, map[string]snstypes.MessageAttributeValue{"k": {DataType: aws.String("String"), StringValue: aws.String("v")}}, in.MessageAttributes)
}

func TestDecodeQueryFailures(t *testing.T) {
	for _, tc := range []struct{ name, form, want string }{
		{"number", "I=x", `Value "x" is not a valid Integer at 'i'`},
		{"large number", "I=2147483648", `Value "2147483648" is not a valid Integer at 'i'`},
		{"long", "L=1.5", `Value "1.5" is not a valid Long at 'l'`},
		{"boolean", "B=1", `Value "1" is not a valid Boolean at 'b'`},
		{"double", "D=0x10", `Value "0x10" is not a valid Double at 'd'`},
		{"float", "F=", `Value "" is not a valid Float at 'f'`},
		{"blob", "X=*", `Invalid base64 at 'x'`},
		{"time", "T=soon", `Value "soon" is not a valid Timestamp: timestamp must follow ISO8601 at 't'`},
		{"long time", "T=" + strings.Repeat("9", 100), `Value "` + strings.Repeat("9", 64) + `…" is not a valid Timestamp: timestamp must follow ISO8601 at 't'`},
		{"structure for text", "S.x=1", "Start of structure or map found where not expected at 's'"},
		{"text and structure", "S=1&S.x=1", "Start of structure or map found where not expected at 's'"},
		{"text for list", "SS=x", `Value "x" found where a List is expected at 'sS'`},
		{"text for structure", "N=x", `Value "x" found where a Structure is expected at 'n'`},
		{"list without member", "SS.1=x", `Found "1" where "member" is expected at 'sS'`},
		{"list without number", "SS.member.x=x", `Found "x" where the number of an element is expected at 'sS'`},
		{"element zero", "SS.member.0=x", `Found "0" where the number of an element is expected at 'sS'`},
		{"element plus", "SS.member.%2B1=x", `Found "+1" where the number of an element is expected at 'sS'`},
		{"no element", "SS.member=x", `Found "" where the number of an element is expected at 'sS'`},
		{"element twice", "SS.member.1=x&SS.member.01=y", `Element 1 is given twice at 'sS'`},
		{"twice", "S=a&S=b", `Parameter "S" is given twice`},
		{"entry without key", "M.entry.1.value=x", "Map entry without a key at 'm.1.member'"},
		{"path", "NN.member.1.N.I=x", `Value "x" is not a valid Integer at 'nN.1.member.n.i'`},
		{"union", "U.NumberValue=1&U.StringValue=x", "Union has more than one member set at 'u'"},
		{"unknown alternative", "U.Colour=1", "Unknown union member 'Colour' at 'u'"},
		{"empty union", "U=", "Union has no member set at 'u'"},
		{"percent", "S=%4", "Invalid percent-encoding"},
		{"percent in a key", "%zz=1", "Invalid percent-encoding"},
		{"utf-8", "S=%ff", "Request is not valid UTF-8"},
		{"raw utf-8", "S=\xff", "Request is not valid UTF-8"},
		{"deep", strings.Repeat("N.", 100) + "S=x", "Parameters are nested deeper than 64 at '" + strings.Repeat("n.", 63) + "n'"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := decodeForm[shapes](t, tc.form)
			require.EqualError(t, err, tc.want)
		})
	}
	_, err := parseForm(nil, strings.Repeat("a=b&", maxParams+1))
	require.ErrorIs(t, err, errTooBig)
}

func TestEncodeXML(t *testing.T) {
	in := shapes{
		S: aws.String("<a&\"'\r\n\x01\xff>"), B: aws.Bool(true), I: aws.Int32(-5), L: aws.Int64(5), F: aws.Float32(0.1), D: aws.Float64(math.NaN()),
		T: aws.Time(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)), X: []byte{1}, SS: []string{}, FF: []float64{41, 1e10, 1.5e-4, math.Inf(1), math.Inf(-1)},
		M: map[string]string{"b": "", "a": "1"}, NN: []shapes{{T: aws.Time(time.UnixMilli(1735689600123))}, {T: aws.Time(time.Unix(1735689600, 123456000))}},
		Q: []*string{nil}, P: map[string]*string{"x": nil}, U: &xraytypes.AnnotationValueMemberStringValue{Value: ""}, E: "OK",
	}
	pl, err := planOf[shapes]()
	require.NoError(t, err)
	got, err := appendXML(nil, pl, unsafe.Pointer(&in))
	require.NoError(t, err)
	assert.Equal(t, "<S>&lt;a&amp;&quot;'&#xD;\n\ufffd\ufffd&gt;</S><B>true</B><I>-5</I><L>5</L><F>0.1</F><D>NaN</D><T>2025-01-01T00:00:00Z</T><X>AQ==</X><SS/>"+
		"<FF><member>41.0</member><member>1.0E10</member><member>1.5E-4</member><member>Infinity</member><member>-Infinity</member></FF>"+
		"<M><entry><key>a</key><value>1</value></entry><entry><key>b</key><value/></entry></M>"+
		"<NN><member><T>2025-01-01T00:00:00.123Z</T><Mand>0</Mand></member><member><T>2025-01-01T00:00:00.123456Z</T><Mand>0</Mand></member></NN>"+
		"<Q><member/></Q><P><entry><key>x</key></entry></P><E>OK</E><U><StringValue/></U><Mand>0</Mand>", string(got))
	_, err = appendXML(nil, pl, unsafe.Pointer(&shapes{NN: []shapes{{U: &xraytypes.UnknownUnionMember{Tag: "x"}}}}))
	require.Error(t, err)
}

func TestJavaDoubles(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0.0", 1: "1.0", -1.5: "-1.5", 100: "100.0", 9999999: "9999999.0", 1e7: "1.0E7", 12345678.9: "1.23456789E7", 1e-3: "0.001", 9.99e-4: "9.99E-4",
		1e100: "1.0E100", 1e-100: "1.0E-100", 123456: "123456.0", 0.1: "0.1",
	} {
		assert.Equal(t, want, string(appendJavaDouble(nil, f, 64)))
	}
}

func FuzzDecodeQuery(f *testing.F) {
	f.Add("Action=PutMetricData&Version=2010-08-01&Namespace=n&MetricData.member.1.MetricName=m&MetricData.member.1.Timestamp=2025-01-01T00%3A00%3A00Z&MetricData.member.1.Value=1.5&MetricData.member.1.Dimensions.member.1.Name=a")
	f.Add("M.entry.1.key=a&M.entry.1.value=b&U.NumberValue=5&SS=&NN.member.3.S=x&Q.member.1=z")
	f.Add("a.b.c.1=2&=&%41=+%zz")
	f.Fuzz(func(t *testing.T, form string) {
		pl, err := planOf[shapes]()
		require.NoError(t, err)
		params, err := parseForm(nil, form)
		want, errStd := url.ParseQuery(form)
		if err == nil && errStd == nil && !strings.Contains(form, ";") {
			for _, p := range params {
				require.Contains(t, want[p.key], p.value)
			}
		}
		if err != nil {
			return
		}
		var v shapes
		_ = decodeQuery(params, len(form), pl, unsafe.Pointer(&v))
	})
}
