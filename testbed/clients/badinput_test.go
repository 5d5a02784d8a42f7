// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/testbed/collector"
)

// request is one that no SDK would send.
type request struct {
	method, path string
	header       map[string]string
	body         []byte
}

func jsonCall(version, target, body string) request {
	return request{
		method: http.MethodPost, path: "/", body: []byte(body),
		header: map[string]string{"Content-Type": "application/x-amz-json-" + version, "X-Amz-Target": target},
	}
}

func logsCall(operation, body string) request {
	return jsonCall("1.1", "Logs_20140328."+operation, body)
}

func cborCall(operation string, body []byte) request {
	return request{
		method: http.MethodPost, path: "/service/GraniteServiceVersion20100801/operation/" + operation, body: body,
		header: map[string]string{
			"Content-Type": "application/cbor", "Accept": "application/cbor", "Smithy-Protocol": "rpc-v2-cbor", "X-Amzn-Query-Mode": "true",
		},
	}
}

func queryCall(body string) request {
	return request{
		method: http.MethodPost, path: "/", body: []byte(body),
		header: map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
	}
}

func xrayCall(path, body string) request {
	return request{method: http.MethodPost, path: path, body: []byte(body), header: map[string]string{"Content-Type": "application/json"}}
}

func (r request) with(name, value string) request {
	header := map[string]string{name: value}
	for k, v := range r.header {
		if k != name {
			header[k] = v
		}
	}
	r.header = header
	return r
}

// failure is an error as a client of any protocol understands it.
type failure struct {
	status        int
	code, message string
	header        http.Header
}

var transport = &http.Transport{ExpectContinueTimeout: 10 * time.Second, DisableCompression: true}

func (r request) send(t *testing.T, address string) failure {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), r.method, "http://"+address+r.path, bytes.NewReader(r.body))
	require.NoError(t, err)
	for k, v := range r.header {
		req.Header.Set(k, v)
	}
	return sendRequest(t, req)
}

func sendRequest(t *testing.T, req *http.Request) failure {
	t.Helper()
	resp, err := (&http.Client{Transport: transport, Timeout: time.Minute}).Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	require.NoError(t, err)
	f := failure{status: resp.StatusCode, header: resp.Header}
	if f.status == http.StatusOK {
		return f
	}
	assert.Regexp(t, "^[0-9a-f-]{36}$", resp.Header.Get("X-Amzn-Requestid"), "every answer has a request id")
	switch contentType := resp.Header.Get("Content-Type"); {
	case strings.HasPrefix(contentType, "application/cbor"):
		assert.Equal(t, "rpc-v2-cbor", resp.Header.Get("Smithy-Protocol"))
		v, err := cbor.Decode(body)
		require.NoError(t, err, "%x", body)
		m := v.(cbor.Map)
		f.code = shapeName(string(m["__type"].(cbor.String)))
		if text, ok := m["message"].(cbor.String); ok {
			f.message = string(text)
		}
	case strings.HasPrefix(contentType, "text/xml"):
		var doc struct {
			XMLName xml.Name `xml:"ErrorResponse"`
			Error   struct{ Type, Code, Message string }
			ID      string `xml:"RequestId"`
		}
		require.NoError(t, xml.Unmarshal(body, &doc), "%s", body)
		assert.Equal(t, resp.Header.Get("X-Amzn-Requestid"), doc.ID)
		assert.Equal(t, map[bool]string{true: "Sender", false: "Receiver"}[f.status < 500], doc.Error.Type)
		f.code, f.message = doc.Error.Code, doc.Error.Message
	default:
		var doc map[string]any
		require.NoError(t, json.Unmarshal(body, &doc), "%s %s", contentType, body)
		f.code, _ = doc["__type"].(string)
		if h := resp.Header.Get("X-Amzn-Errortype"); h != "" {
			f.code = h
		}
		f.code = shapeName(f.code)
		for _, member := range []string{"message", "Message"} {
			if text, ok := doc[member].(string); ok {
				f.message = text
			}
		}
	}
	return f
}

// shapeName is what a client makes of an error's type.
func shapeName(s string) string {
	s, _, _ = strings.Cut(s, ":")
	return s[strings.LastIndexByte(s, '#')+1:]
}

// testBadInput sends what no client should, and expects AWS's errors.
func testBadInput(t *testing.T, c *collector.Collector) {
	t.Helper()
	deep := strings.Repeat("[", 200_000)
	deepObject := strings.Repeat(`{"a":`, 100_000)
	many := func(n int, item string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + "]"
	}
	now := time.Now()
	cborDatum := func(name string, value []byte) []byte {
		// {"Namespace":"n","MetricData":[{"MetricName":name,"Value":value}]}
		b := []byte("\xa2\x69Namespace\x61n\x6aMetricData\x81\xa2\x6aMetricName")
		b = append(append(b, byte(0x60+len(name))), name...)
		return append(append(b, "\x65Value"...), value...)
	}

	for _, tc := range []struct {
		name    string
		request request
		status  int
		code    string
		message string // contained
	}{
		// Documents that are none.
		{"JSON that ends early", logsCall("PutLogEvents", `{"logGroupName":"x"`), 400, "SerializationException", ""},
		{"JSON that is none", logsCall("DescribeLogGroups", "\x00\xff<xml/>"), 400, "SerializationException", ""},
		{"JSON behind JSON", logsCall("DescribeLogGroups", "{}{}"), 400, "SerializationException", ""},
		{"an array for an object", logsCall("DescribeLogGroups", "[]"), 400, "SerializationException", ""},
		{"a metric's JSON that ends early", jsonCall("1.0", "GraniteServiceVersion20100801.ListMetrics", `{"Namespace`), 400, "SerializationException", ""},
		{"CBOR that ends early", cborCall("ListMetrics", []byte("\xa1\x69Names")), 400, "SerializationException", ""},
		{"CBOR that is none", cborCall("ListMetrics", []byte("hello")), 400, "SerializationException", ""},
		{"CBOR of an impossible length", cborCall("ListMetrics", []byte{0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), 400, "SerializationException", ""},
		{"X-Ray JSON that ends early", xrayCall("/TraceSegments", `{"TraceSegmentDocuments":["`), 400, "InvalidRequestException", ""},
		{"a query that is no form", queryCall("%zz=%"), 400, "", ""},

		// Wrong types.
		{"a text for a number", logsCall("DescribeLogGroups", `{"limit":"five"}`), 400, "SerializationException", ""},
		{"a number for a text", logsCall("CreateLogGroup", `{"logGroupName":5}`), 400, "SerializationException", ""},
		{"a fraction for an integer", logsCall("DescribeLogGroups", `{"limit":1.5}`), 400, "SerializationException", ""},
		{"a text for a CBOR number", cborCall("PutMetricData", cborDatum("m", []byte("\x63one"))), 400, "SerializationException", ""},
		{"a text for a query's number", queryCall("Action=PutMetricData&Version=2010-08-01&Namespace=n&MetricData.member.1.MetricName=m&MetricData.member.1.Value=one"), 400, "MalformedInput", ""},

		// Deep documents.
		{"deep JSON", logsCall("DescribeLogGroups", `{"logGroupNamePrefix":`+deep), 400, "SerializationException", ""},
		{"deep JSON in an unknown member", logsCall("DescribeLogGroups", `{"unknown":`+deepObject), 400, "SerializationException", ""},
		{"deep CBOR", cborCall("ListMetrics", bytes.Repeat([]byte{0x81}, 200_000)), 400, "SerializationException", ""},
		{"deep CBOR tags", cborCall("ListMetrics", bytes.Repeat([]byte{0xc1}, 200_000)), 400, "SerializationException", ""},

		// Numbers that are none.
		{"a datum that is NaN", cborCall("PutMetricData", cborDatum("m", []byte{0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0})), 400, "InvalidParameterValueException", "NaN"},
		{"a datum that is infinite", cborCall("PutMetricData", cborDatum("m", []byte{0xfb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0})), 400, "InvalidParameterValueException", ""},

		// Too much of a good thing.
		{"10,001 log events", logsCall("PutLogEvents", fmt.Sprintf(`{"logGroupName":"g","logStreamName":"s","logEvents":%s}`, many(10_001, fmt.Sprintf(`{"timestamp":%d,"message":"m"}`, now.UnixMilli())))), 400, "InvalidParameterException", "less than or equal to 10000"},
		{"1,001 datums", jsonCall("1.0", "GraniteServiceVersion20100801.PutMetricData", `{"Namespace":"n","MetricData":`+many(1001, `{"MetricName":"m","Value":1}`)+"}"), 400, "", ""},
		{"a message of 1 MB", logsCall("PutLogEvents", fmt.Sprintf(`{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":%d,"message":"%s"}]}`, now.UnixMilli(), strings.Repeat("x", 1<<20))), 400, "", ""},
		{"31 dimensions", jsonCall("1.0", "GraniteServiceVersion20100801.PutMetricData", `{"Namespace":"n","MetricData":[{"MetricName":"m","Value":1,"Dimensions":`+numbered(31, `{"Name":"d%d","Value":"v"}`)+"}]}"), 400, "", "30"},

		// Operations.
		{"an operation that AWS has not", logsCall("MakeCoffee", "{}"), 400, "UnknownOperationException", ""},
		{"… in CBOR", cborCall("MakeCoffee", nil), 400, "UnknownOperationException", ""},
		{"… as a query", queryCall("Action=MakeCoffee&Version=2010-08-01"), 400, "InvalidAction", "MakeCoffee"},
		{"… of X-Ray", xrayCall("/MakeCoffee", "{}").with("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/xray/aws4_request, SignedHeaders=host, Signature=00"), 404, "UnknownOperationException", "/MakeCoffee"},
		{"a service that AWS has not", jsonCall("1.1", "Coffee_20260101.Make", "{}"), 400, "UnknownOperationException", ""},
		{"a CBOR call with a target", cborCall("ListMetrics", nil).with("X-Amz-Target", "GraniteServiceVersion20100801.ListMetrics"), 400, "", ""},
		{"an encoding that nobody knows", logsCall("DescribeLogGroups", "{}").with("Content-Encoding", "br"), 415, "", ""},
		{"gzip that is none", logsCall("DescribeLogGroups", "{}").with("Content-Encoding", "gzip"), 400, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := tc.request.send(t, c.AWS)
			assert.Equal(t, tc.status, f.status, "%+v", f)
			if tc.code != "" {
				assert.Equal(t, tc.code, f.code, "%+v", f)
			}
			assert.NotEmpty(t, f.code, "%+v", f)
			assert.Contains(t, f.message, tc.message)
		})
	}

	t.Run("an operation that is not here is named", func(t *testing.T) {
		for operation, r := range map[string]request{
			"DescribeInsightRules": queryCall("Action=DescribeInsightRules&Version=2010-08-01"),
			"PutInsightRule":       cborCall("PutInsightRule", []byte{0xa0}),
			"CreateExportTask":     logsCall("CreateExportTask", "{}"),
			"GetInsight":           xrayCall("/Insight", "{}"),
		} {
			f := r.send(t, c.AWS)
			assert.GreaterOrEqual(t, f.status, 400)
			assert.Contains(t, f.message, operation)
		}
	})

	t.Run("the error's code is in the header for clients of the query protocol", func(t *testing.T) {
		f := cborCall("PutMetricData", cborDatum("m", []byte{0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0})).send(t, c.AWS)
		assert.Equal(t, "InvalidParameterValue;Sender", f.header.Get("X-Amzn-Query-Error"))
	})

	t.Run("bodies without end", func(t *testing.T) { testLargeBodies(t, c) })
	t.Run("EMF", func(t *testing.T) { testBadEMF(t, c) })
	t.Run("signatures", testSignatures)
	t.Run("still answers", func(t *testing.T) { testStillAnswers(t, c) })
}

func numbered(n int, format string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf(format, i)
	}
	return "[" + strings.Join(items, ",") + "]"
}

func testStillAnswers(t *testing.T, c *collector.Collector) {
	t.Helper()
	_, err := sts.NewFromConfig(c.AWSConfig()).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	require.NoError(t, err, "%s", c.Log())
}

// zeros is a body of so many zeros.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.left)
	clear(p[:n])
	z.left -= n
	return int(n), nil
}

// memoryRoom is by how much the collector may grow while it refuses bodies that are many times that.
const memoryRoom = 256 << 20

func testLargeBodies(t *testing.T, c *collector.Collector) {
	t.Helper()
	_, before := c.ResidentBytes(t)

	for name, r := range map[string]request{
		"PutLogEvents": logsCall("PutLogEvents", ""), "PutMetricData": cborCall("PutMetricData", nil), "PutTraceSegments": xrayCall("/TraceSegments", ""),
	} {
		t.Run("100 MB of "+name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), r.method, "http://"+c.AWS+r.path, &zeros{100 << 20})
			require.NoError(t, err)
			req.ContentLength = 100 << 20
			for k, v := range r.header {
				req.Header.Set(k, v)
			}
			req.Header.Set("Expect", "100-continue") // so that the answer comes before the body
			f := sendRequest(t, req)
			assert.Equal(t, http.StatusRequestEntityTooLarge, f.status)
		})
	}

	var bomb bytes.Buffer
	zw, err := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	require.NoError(t, err)
	_, err = io.Copy(zw, &zeros{1 << 30})
	require.NoError(t, err)
	require.NoError(t, zw.Close())
	for name, r := range map[string]request{
		"JSON": jsonCall("1.0", "GraniteServiceVersion20100801.PutMetricData", ""), "CBOR": cborCall("PutMetricData", nil),
		"query": queryCall(""), "logs": logsCall("PutLogEvents", ""),
	} {
		t.Run("gzip bomb, "+name, func(t *testing.T) {
			r.body = bomb.Bytes()
			f := r.with("Content-Encoding", "gzip").send(t, c.AWS)
			assert.Equal(t, http.StatusRequestEntityTooLarge, f.status, "%+v", f)
		})
	}

	t.Run("a CBOR text that claims 4 GB", func(t *testing.T) {
		claim := binary.BigEndian.AppendUint32([]byte("\xa1\x69Namespace\x7a"), 0xffff_ffff)
		assert.Equal(t, 400, cborCall("ListMetrics", claim).send(t, c.AWS).status)
	})

	_, after := c.ResidentBytes(t)
	assert.Less(t, after-before, int64(memoryRoom), "the collector grew by %d MB", (after-before)>>20)
}
