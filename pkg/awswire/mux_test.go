// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/nephoscope/nephoscope/pkg/sigv4"
)

// toy is a mux with one operation of some services, which answer with what they saw.
type toy struct {
	*Mux
	request       *Request
	metrics       *cloudwatch.PutMetricDataInput
	seen          []Observation
	unimplemented []string
	logs          *observer.ObservedLogs
}

func newToy(t *testing.T, change func(*MuxSettings)) *toy {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	y := &toy{logs: logs}
	monitoring, lg, traces, trail, identity := NewService("monitoring"), NewService("logs"), NewService("xray"), NewService("cloudtrail"), NewService("sts")
	Handle(monitoring, "ListMetrics", func(ctx context.Context, in *cloudwatch.ListMetricsInput) (*cloudwatch.ListMetricsOutput, error) {
		y.request = RequestFrom(ctx)
		return &cloudwatch.ListMetricsOutput{
			Metrics: []cwtypes.Metric{{Namespace: in.Namespace, MetricName: aws.String("m"), Dimensions: []cwtypes.Dimension{}}},
		}, nil
	})
	Handle(monitoring, "PutMetricData", func(ctx context.Context, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
		y.request, y.metrics = RequestFrom(ctx), in
		return nil, nil
	}).MaxBody = 1 << 20
	Handle(lg, "DescribeLogGroups", func(ctx context.Context, _ *cloudwatchlogs.DescribeLogGroupsInput) (*cloudwatchlogs.DescribeLogGroupsOutput, error) {
		y.request = RequestFrom(ctx)
		y.request.ResponseHeader.Set("X-Extra", "yes")
		return nil, nil
	})
	HandleNoOutput(lg, "CreateLogGroup", func(context.Context, *cloudwatchlogs.CreateLogGroupInput) error { return nil })
	Handle(lg, "GetLogEvents", func(context.Context, *cloudwatchlogs.GetLogEventsInput) (*cloudwatchlogs.GetLogEventsOutput, error) {
		panic("boom")
	})
	Handle(lg, "FilterLogEvents", func(context.Context, *cloudwatchlogs.FilterLogEventsInput) (*cloudwatchlogs.FilterLogEventsOutput, error) {
		return nil, errors.New("password is hunter2")
	})
	Handle(lg, "StopQuery", func(context.Context, *cloudwatchlogs.StopQueryInput) (*cloudwatchlogs.StopQueryOutput, error) {
		panic(http.ErrAbortHandler)
	})
	Handle(traces, "GetGroups", func(context.Context, *xray.GetGroupsInput) (*xray.GetGroupsOutput, error) {
		return &xray.GetGroupsOutput{}, nil
	})
	Handle(trail, "DescribeTrails", func(_ context.Context, _ *cloudtrail.DescribeTrailsInput) (*cloudtrail.DescribeTrailsOutput, error) {
		return &cloudtrail.DescribeTrailsOutput{}, nil
	})
	Handle(identity, "GetCallerIdentity", func(ctx context.Context, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
		r := RequestFrom(ctx)
		return &sts.GetCallerIdentityOutput{Account: aws.String(r.Account), Arn: aws.String(r.Region), UserId: aws.String(r.AccessKey)}, nil
	})
	Handle(identity, "AssumeRoleWithWebIdentity", func(context.Context, *sts.AssumeRoleWithWebIdentityInput) (*sts.AssumeRoleWithWebIdentityOutput, error) {
		return &sts.AssumeRoleWithWebIdentityOutput{Audience: aws.String("a")}, nil
	})
	settings := MuxSettings{
		Services: []*Service{monitoring, lg, traces, trail, identity},
		Fallback: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }),
		Logger:   zap.New(core),
		Now:      func() time.Time { return time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC) },
		Observe:  func(_ context.Context, o Observation) { y.seen = append(y.seen, o) },
		OnUnimplemented: func(service, operation string) {
			y.unimplemented = append(y.unimplemented, service+":"+operation)
		},
	}
	if change != nil {
		change(&settings)
	}
	var err error
	y.Mux, err = NewMux(settings)
	require.NoError(t, err)
	return y
}

func scopeOf(service string) string {
	return "AWS4-HMAC-SHA256 Credential=123456789012/20250101/eu-west-1/" + service + "/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"
}

const (
	jsonTarget = "GraniteServiceVersion20100801.ListMetrics"
	rpcPath    = "/service/GraniteServiceVersion20100801/operation/ListMetrics"
	formType   = "application/x-www-form-urlencoded; charset=utf-8"
)

func TestDetection(t *testing.T) {
	for _, tc := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
		operation                string // as observed, "" when the request is left to the fallback
		contains                 string
	}{
		{name: "console", method: "GET", path: "/", status: 418},
		{name: "some page", method: "GET", path: "/console/x", status: 418},
		{name: "another form", method: "POST", path: "/login", body: "a=b", header: []string{"Content-Type", formType}, status: 418},
		{name: "otlp", method: "POST", path: "/v1/metrics", header: []string{"Authorization", scopeOf("monitoring")}, status: 418},
		{name: "promql", method: "POST", path: "/api/v1/query", header: []string{"Content-Type", formType, "Authorization", scopeOf("monitoring")}, status: 418},
		{name: "json post to the root", method: "POST", path: "/", body: "{}", header: []string{"Content-Type", "application/json"}, status: 418},

		{name: "json", method: "POST", path: "/", body: "{}", header: []string{"X-Amz-Target", jsonTarget}, status: 200, operation: "ListMetrics"},
		{name: "json 1.1 accepted", method: "POST", path: "/", body: "{}", header: []string{"X-Amz-Target", jsonTarget, "Content-Type", "application/x-amz-json-1.1; charset=utf-8"}, status: 200, operation: "ListMetrics"},
		{name: "json by get", method: "GET", path: "/", header: []string{"X-Amz-Target", jsonTarget}, status: 400, operation: "-", contains: "Method GET is not allowed."},
		{name: "json by put", method: "PUT", path: "/", body: "{}", header: []string{"X-Amz-Target", jsonTarget}, status: 400, operation: "-", contains: "Method PUT is not allowed."},
		{name: "empty body", method: "POST", path: "/", header: []string{"X-Amz-Target", jsonTarget}, status: 200, operation: "ListMetrics"},
		{name: "unknown target", method: "POST", path: "/", body: "{}", header: []string{"X-Amz-Target", "DynamoDB_20120810.ListTables"}, status: 400, operation: "-", contains: "No service has the operation DynamoDB_20120810.ListTables."},
		{name: "target without dot", method: "POST", path: "/", body: "{}", header: []string{"X-Amz-Target", "ListTables"}, status: 400, operation: "-", contains: "UnknownOperationException"},
		{name: "unknown json operation", method: "POST", path: "/", body: "{}", header: []string{"X-Amz-Target", "Logs_20140328.Frobnicate"}, status: 400, operation: "-", contains: `{"__type":"com.amazon.coral.service#UnknownOperationException","message":"Operation Frobnicate of logs does not exist."}`},
		{name: "cloudtrail's dots", method: "POST", path: "/", body: "{}", header: []string{"X-Amz-Target", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.DescribeTrails"}, status: 200, operation: "DescribeTrails"},
		{name: "cloudtrail, short", method: "POST", path: "/", body: "{}", header: []string{"X-Amz-Target", "CloudTrail_20131101.DescribeTrails"}, status: 200, operation: "DescribeTrails"},
		{name: "scope of another service", method: "POST", path: "/", body: "{}", header: []string{"X-Amz-Target", jsonTarget, "X-Amz-Date", "20250101T000000Z", "Authorization", scopeOf("logs")}, status: 400, operation: "-", contains: "Credential should be scoped to correct service: 'monitoring'. "},

		{name: "cbor", method: "POST", path: rpcPath, header: []string{"Smithy-Protocol", "rpc-v2-cbor"}, status: 200, operation: "ListMetrics"},
		{name: "cbor below a prefix", method: "POST", path: "/x/y" + rpcPath, header: []string{"Smithy-Protocol", "rpc-v2-cbor"}, status: 200, operation: "ListMetrics"},
		{name: "cbor with namespace", method: "POST", path: "/service/com.amazonaws.cloudwatch.GraniteServiceVersion20100801/operation/ListMetrics", header: []string{"Smithy-Protocol", "rpc-v2-cbor"}, status: 200, operation: "ListMetrics"},
		{name: "cbor by get", method: "GET", path: rpcPath, header: []string{"Smithy-Protocol", "rpc-v2-cbor"}, status: 400, operation: "-", contains: "Method GET is not allowed."},
		{name: "cbor with target", method: "POST", path: rpcPath, header: []string{"Smithy-Protocol", "rpc-v2-cbor", "X-Amz-Target", jsonTarget}, status: 400, operation: "-", contains: "X-Amz-Target must not be sent"},
		{name: "cbor without its header", method: "POST", path: rpcPath, status: 400, operation: "-", contains: "Smithy-Protocol must be rpc-v2-cbor"},
		{name: "cbor of another service", method: "POST", path: "/service/Logs_20140328/operation/DescribeLogGroups", header: []string{"Smithy-Protocol", "rpc-v2-cbor"}, status: 400, operation: "-", contains: "No service Logs_20140328"},
		{name: "cbor elsewhere", method: "POST", path: "/", header: []string{"Smithy-Protocol", "rpc-v2-cbor"}, status: 400, operation: "-", contains: "UnknownOperationException"},

		{name: "rest", method: "POST", path: "/Groups", body: "{}", status: 200, operation: "GetGroups"},
		{name: "rest with slash", method: "POST", path: "/Groups/", body: "{}", status: 200, operation: "GetGroups"},
		{name: "rest is case-sensitive", method: "POST", path: "/groups", body: "{}", status: 418},
		{name: "rest, unknown path", method: "POST", path: "/Nothing", body: "{}", header: []string{"X-Amz-Date", "20250101T000000Z", "Authorization", scopeOf("xray")}, status: 404, operation: "-", contains: `{"Message":"No operation has the path /Nothing."}`},
		{name: "rest by get", method: "GET", path: "/Groups", status: 418},
		{name: "rest by signed get", method: "GET", path: "/Groups", header: []string{"X-Amz-Date", "20250101T000000Z", "Authorization", scopeOf("xray")}, status: 400, operation: "-"},
		{name: "rest, not implemented", method: "POST", path: "/TraceGraph", body: "{}", status: 501, operation: "GetTraceGraph", contains: "Operation xray:GetTraceGraph is not implemented."},

		{name: "query", method: "POST", path: "/", body: "Action=ListMetrics&Version=2010-08-01", header: []string{"Content-Type", formType}, status: 200, operation: "ListMetrics"},
		{name: "query by get", method: "GET", path: "/?Action=ListMetrics&Version=2010-08-01", status: 200, operation: "ListMetrics"},
		{name: "query by get, action last", method: "GET", path: "/?Version=2010-08-01&Action=ListMetrics", status: 200, operation: "ListMetrics"},
		{name: "query without version", method: "GET", path: "/?Action=GetCallerIdentity", status: 200, operation: "GetCallerIdentity"},
		{name: "query, version by scope", method: "POST", path: "/", body: "Action=GetCallerIdentity", header: []string{"Content-Type", formType, "X-Amz-Date", "20250101T000000Z", "Authorization", scopeOf("sts")}, status: 200, operation: "GetCallerIdentity", contains: "<Account>123456789012</Account><Arn>eu-west-1</Arn><UserId>123456789012</UserId>"},
		{name: "query, another version", method: "GET", path: "/?Action=ListMetrics&Version=2016-11-15", status: 400, operation: "-", contains: "<Code>InvalidAction</Code><Message>Could not find operation ListMetrics for version 2016-11-15</Message>"},
		{name: "query, unknown action", method: "GET", path: "/?Action=Frob&Version=2010-08-01", status: 400, operation: "-", contains: "<Code>InvalidAction</Code><Message>Could not find operation Frob for version 2010-08-01</Message>"},
		{name: "query, not implemented", method: "GET", path: "/?Action=PutDashboard&Version=2010-08-01", status: 501, operation: "PutDashboard", contains: "<Code>NotImplemented</Code><Message>Operation monitoring:PutDashboard is not implemented.</Message>"},
		{name: "form without action", method: "POST", path: "/", body: "a=b", header: []string{"Content-Type", formType}, status: 400, operation: "-", contains: "<Code>MissingAction</Code>"},
		{name: "form that is none", method: "POST", path: "/", body: "Action=%zz", header: []string{"Content-Type", formType}, status: 400, operation: "-", contains: "<Code>MalformedInput</Code>"},
		{name: "query for a json service", method: "POST", path: "/", body: "Action=X", header: []string{"Content-Type", formType, "X-Amz-Date", "20250101T000000Z", "Authorization", scopeOf("logs")}, status: 400, operation: "-", contains: "UnknownOperationException"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			y := newToy(t, nil)
			r := httptest.NewRequest(tc.method, tc.path, strings.NewReader(tc.body))
			for i := 0; i < len(tc.header); i += 2 {
				r.Header.Set(tc.header[i], tc.header[i+1])
			}
			w := httptest.NewRecorder()
			y.ServeHTTP(w, r)
			assert.Equal(t, tc.status, w.Code, w.Body.String())
			assert.Contains(t, w.Body.String(), tc.contains)
			if tc.operation == "" {
				assert.Empty(t, y.seen)
				assert.Empty(t, w.Header().Get("X-Amzn-Requestid"))
				return
			}
			require.Len(t, y.seen, 1)
			assert.Equal(t, strings.TrimPrefix(tc.operation, "-"), y.seen[0].Operation)
			assert.Equal(t, tc.status, y.seen[0].Status)
			assert.Equal(t, "Wed, 01 Jan 2025 00:00:00 GMT", w.Header().Get("Date"))
			assert.Len(t, w.Header().Get("X-Amzn-Requestid"), 36)
			if tc.status == 501 {
				assert.Equal(t, []string{y.seen[0].Service + ":" + tc.operation}, y.unimplemented)
			}
		})
	}
}

// TestNotServed has clients of services that are not here meet a mux without a fallback.
func TestNotServed(t *testing.T) {
	for _, tc := range []struct {
		name, method, path  string
		header              []string
		contentType, answer string
	}{
		{"query", "POST", "/", []string{"Content-Type", formType, "Authorization", scopeOf("sns")}, "text/xml", "<Type>Sender</Type><Code>InvalidAction</Code><Message>Service sns is not served here.</Message>"},
		{"query by get", "GET", "/?Action=ListUsers", []string{"Authorization", scopeOf("iam")}, "text/xml", "<Message>Service iam is not served here.</Message>"},
		{"rest", "GET", "/2015-03-31/functions", []string{"Authorization", scopeOf("lambda")}, "application/json", `{"message":"Service lambda is not served here."}`},
		{"unsigned", "GET", "/console/x", nil, "text/plain; charset=utf-8", "404 page not found"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			y := newToy(t, func(s *MuxSettings) { s.Fallback = nil })
			r := httptest.NewRequest(tc.method, tc.path, nil)
			for i := 0; i < len(tc.header); i += 2 {
				r.Header.Set(tc.header[i], tc.header[i+1])
			}
			w := httptest.NewRecorder()
			y.ServeHTTP(w, r)
			assert.Equal(t, http.StatusNotFound, w.Code)
			assert.Equal(t, tc.contentType, w.Header().Get("Content-Type"))
			assert.Contains(t, w.Body.String(), tc.answer)
			assert.Equal(t, tc.header != nil, w.Header().Get("X-Amzn-Requestid") != "")
		})
	}
}

func TestAnswers(t *testing.T) {
	y := newToy(t, func(s *MuxSettings) { s.NewRequestID = func() string { return "ID" } })

	w := rawPost(t, y, "/", "Action=ListMetrics&Version=2010-08-01&Namespace=n", "Content-Type", formType)
	assert.Equal(t, "text/xml", w.Header().Get("Content-Type"))
	assert.Equal(t, `<ListMetricsResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><ListMetricsResult>`+
		`<Metrics><member><Dimensions/><MetricName>m</MetricName><Namespace>n</Namespace></member></Metrics>`+
		`</ListMetricsResult><ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></ListMetricsResponse>`+"\n", w.Body.String())

	w = rawPost(t, y, "/", `{"Namespace":"n"}`, "X-Amz-Target", jsonTarget, "Content-Type", "application/x-amz-json-1.0")
	assert.Equal(t, "application/x-amz-json-1.0", w.Header().Get("Content-Type"))
	assert.JSONEq(t, `{"Metrics":[{"Namespace":"n","MetricName":"m","Dimensions":[]}]}`, w.Body.String())
	assert.Equal(t, strconv.Itoa(w.Body.Len()), w.Header().Get("Content-Length"))

	w = rawPost(t, y, rpcPath, "\xbfiNamespacean\xff", "Smithy-Protocol", "rpc-v2-cbor", "Content-Type", "application/cbor")
	assert.Equal(t, "application/cbor", w.Header().Get("Content-Type"))
	assert.Equal(t, "rpc-v2-cbor", w.Header().Get("Smithy-Protocol"))
	assert.Equal(t, "\xbfgMetrics\x9f\xbfjDimensions\x9f\xffjMetricNameamiNamespacean\xff\xff\xff", w.Body.String())

	// Operations without output have no body, over CBOR not even a content type.
	w = rawPost(t, y, "/", "Action=PutMetricData&Version=2010-08-01&Namespace=n", "Content-Type", formType)
	assert.Equal(t, `<PutMetricDataResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/">`+
		`<ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></PutMetricDataResponse>`+"\n", w.Body.String())
	w = rawPost(t, y, strings.Replace(rpcPath, "ListMetrics", "PutMetricData", 1), "", "Smithy-Protocol", "rpc-v2-cbor")
	assert.Equal(t, 200, w.Code)
	assert.Empty(t, w.Body.String())
	assert.Empty(t, w.Header().Values("Content-Type"))
	w = rawPost(t, y, "/", "", "X-Amz-Target", "Logs_20140328.CreateLogGroup")
	assert.Empty(t, w.Body.String())
	assert.Equal(t, "application/x-amz-json-1.1", w.Header().Get("Content-Type"))

	// An output that the handler left out is an empty one; headers are the handler's to add.
	w = rawPost(t, y, "/", "{}", "X-Amz-Target", "Logs_20140328.DescribeLogGroups")
	assert.Equal(t, "{}", w.Body.String())
	assert.Equal(t, "yes", w.Header().Get("X-Extra"))
	assert.Equal(t, "logs", y.request.Service.SigningName)
	assert.Equal(t, "DescribeLogGroups", y.request.Operation)
	assert.Equal(t, ProtocolJSON11, y.request.Protocol)
	assert.Equal(t, 2, y.request.BodyBytes)
	assert.Equal(t, "000000000000", y.request.Account)
	assert.Equal(t, "us-east-1", y.request.Region)
	assert.Equal(t, "ID", y.request.ID)

	w = rawPost(t, y, "/Groups", "{}")
	assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
}

func zip(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := io.WriteString(z, s)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.String()
}

func TestCompression(t *testing.T) {
	y := newToy(t, nil)
	body := "Action=PutMetricData&Version=2010-08-01&Namespace=zipped"
	w := rawPost(t, y, "/", zip(t, body), "Content-Type", formType, "Content-Encoding", "gzip")
	require.Equal(t, 200, w.Code, w.Body.String())
	assert.Equal(t, "zipped", *y.metrics.Namespace)
	assert.Equal(t, len(body), y.request.BodyBytes)

	w = rawPost(t, y, "/", zip(t, `{"Namespace":"z"}`), "X-Amz-Target", strings.Replace(jsonTarget, "ListMetrics", "PutMetricData", 1), "Content-Encoding", "GZIP")
	require.Equal(t, 200, w.Code, w.Body.String())
	assert.Equal(t, "z", *y.metrics.Namespace)

	w = rawPost(t, y, "/", "{}", "X-Amz-Target", jsonTarget, "Content-Encoding", "br")
	assert.Equal(t, 415, w.Code)
	w = rawPost(t, y, "/", "{}", "X-Amz-Target", jsonTarget, "Content-Encoding", "gzip")
	assert.Equal(t, 400, w.Code)
	assert.Contains(t, w.Body.String(), "com.amazon.coral.service#SerializationException")
	w = rawPost(t, y, "/", zip(t, body)[:20], "Content-Type", formType, "Content-Encoding", "gzip")
	assert.Equal(t, 400, w.Code)
	assert.Contains(t, w.Body.String(), "MalformedInput")

	// A bomb of a few kilobytes stops at the limit.
	bomb := zip(t, strings.Repeat(" ", 64<<20))
	require.Less(t, len(bomb), 100<<10)
	w = rawPost(t, y, "/", bomb, "X-Amz-Target", jsonTarget, "Content-Encoding", "gzip")
	assert.Equal(t, 413, w.Code)
	w = rawPost(t, y, "/", bomb, "Content-Type", formType, "Content-Encoding", "gzip")
	assert.Equal(t, 413, w.Code)
	assert.Contains(t, w.Body.String(), "<Code>RequestEntityTooLarge</Code>")
}

// TestCompressedPutMetricData lets the SDK compress a large request and checks the signature over it.
func TestCompressedPutMetricData(t *testing.T) {
	y := newToy(t, func(s *MuxSettings) {
		s.Now = nil
		s.Authenticator = NewAuthenticator(AuthenticatorSettings{
			Verifier: sigv4.NewVerifier(sigv4.Settings{Mode: sigv4.ModeStrict, Provider: testCredentials{}}),
		})
	})
	encoding := ""
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		encoding = r.Header.Get("Content-Encoding")
		y.ServeHTTP(w, r)
	}))
	defer srv.Close()
	client := cloudwatch.NewFromConfig(sdkConfig(srv.URL, srv.Client()))
	in := putMetricData()
	_, err := client.PutMetricData(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, "gzip", encoding)
	utc(reflect.ValueOf(in))
	assert.True(t, reflect.DeepEqual(in, y.metrics), "another input arrived") // too long to be printed
	assert.Equal(t, "123456789012", y.request.Account)
}

func TestBodyLimits(t *testing.T) {
	y := newToy(t, nil)
	for name, tc := range map[string]struct {
		path, body, want string
		header           []string
	}{
		"json":             {"/", strings.Repeat(" ", 11<<20), `"__type":"RequestEntityTooLargeException"`, []string{"X-Amz-Target", "Logs_20140328.CreateLogGroup"}},
		"cbor":             {rpcPath, strings.Repeat(" ", 5<<20), "RequestEntityTooLarge", []string{"Smithy-Protocol", "rpc-v2-cbor"}},
		"query":            {"/", strings.Repeat(" ", 5<<20), "<Code>RequestEntityTooLarge</Code>", []string{"Content-Type", formType, "X-Amz-Date", "20250101T000000Z", "Authorization", scopeOf("monitoring")}},
		"unsigned query":   {"/", "Action=ListMetrics&Version=2010-08-01&x=" + strings.Repeat("x", 5<<20), "<Code>RequestEntityTooLarge</Code>", []string{"Content-Type", formType}},
		"larger than most": {"/", strings.Repeat(" ", 11<<20), "<Code>RequestEntityTooLarge</Code>", []string{"Content-Type", formType}},
		"operation": {"/", `{"Namespace":"` + strings.Repeat("x", 1<<20) + `"}`, "RequestEntityTooLarge", []string{
			"X-Amz-Target", strings.Replace(jsonTarget, "ListMetrics", "PutMetricData", 1),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := rawPost(t, y, tc.path, tc.body, tc.header...)
			assert.Equal(t, 413, w.Code)
			assert.Contains(t, w.Body.String(), tc.want)

			// The same without a length.
			r := httptest.NewRequest(http.MethodPost, tc.path, io.MultiReader(strings.NewReader(tc.body)))
			for i := 0; i < len(tc.header); i += 2 {
				r.Header.Set(tc.header[i], tc.header[i+1])
			}
			w = httptest.NewRecorder()
			y.ServeHTTP(w, r)
			assert.Equal(t, 413, w.Code)
		})
	}
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestFailuresInside(t *testing.T) {
	y := newToy(t, nil)
	w := rawPost(t, y, "/", "{}", "X-Amz-Target", "Logs_20140328.GetLogEvents")
	assert.Equal(t, 500, w.Code)
	assert.JSONEq(t, `{"__type":"InternalFailure","message":"An internal error occurred."}`, w.Body.String())
	entries := y.logs.FilterMessage("operation panicked").TakeAll()
	require.Len(t, entries, 1)
	assert.Equal(t, "boom", entries[0].ContextMap()["panic"])
	assert.Equal(t, "InternalFailure", y.seen[0].Code)

	w = rawPost(t, y, "/", "{}", "X-Amz-Target", "Logs_20140328.FilterLogEvents")
	assert.Equal(t, 500, w.Code)
	assert.NotContains(t, w.Body.String(), "hunter2")
	entries = y.logs.FilterMessage("operation failed").TakeAll()
	require.Len(t, entries, 1)
	assert.Equal(t, "password is hunter2", entries[0].ContextMap()["error"])

	assert.PanicsWithValue(t, http.ErrAbortHandler, func() {
		rawPost(t, y, "/", "{}", "X-Amz-Target", "Logs_20140328.StopQuery")
	})

	r := httptest.NewRequest(http.MethodPost, "/", brokenBody{})
	r.Header.Set("X-Amz-Target", jsonTarget)
	rec := httptest.NewRecorder()
	y.ServeHTTP(rec, r)
	assert.Equal(t, 400, rec.Code)
	assert.Contains(t, rec.Body.String(), "IncompleteBody")
}

func TestAuthentication(t *testing.T) {
	y := newToy(t, func(s *MuxSettings) {
		s.Authenticator = NewAuthenticator(AuthenticatorSettings{Verifier: sigv4.NewVerifier(sigv4.Settings{
			Mode: sigv4.ModeStrict, Provider: testCredentials{}, Now: s.Now,
		})})
	})
	for _, tc := range []struct {
		name, path, body string
		header           []string
		status           int
		contains         []string
	}{
		{
			name: "unsigned query", path: "/", body: "Action=ListMetrics&Version=2010-08-01", header: []string{"Content-Type", formType}, status: 403,
			contains: []string{"<Code>MissingAuthenticationToken</Code><Message>Request is missing Authentication Token</Message>"},
		},
		{
			name: "unsigned json", path: "/", body: "{}", header: []string{"X-Amz-Target", "Logs_20140328.CreateLogGroup"}, status: 400,
			contains: []string{`{"__type":"MissingAuthenticationTokenException","message":"Request is missing Authentication Token"}`},
		},
		{
			name: "unsigned rest", path: "/Groups", body: "{}", status: 403,
			contains: []string{`{"Message":"Request is missing Authentication Token"}`},
		},
		{
			name: "unknown key, query mode", path: "/", body: "{}", status: 403,
			header:   []string{"X-Amz-Target", jsonTarget, "X-Amzn-Query-Mode", "true", "X-Amz-Date", "20250101T000000Z", "Authorization", strings.Replace(scopeOf("monitoring"), "host;x-amz-date", "host;x-amz-date;x-amz-target", 1)},
			contains: []string{`"__type":"com.amazon.coral.service#UnrecognizedClientException"`},
		},
		{
			name: "wrong signature shows what should have been signed", path: "/", body: "{}", status: 400,
			header: []string{
				"X-Amz-Target", "Logs_20140328.CreateLogGroup", "X-Amz-Date", "20250101T000000Z", "Authorization",
				strings.NewReplacer("host;x-amz-date", "host;x-amz-date;x-amz-target", "123456789012", testKey).Replace(scopeOf("logs")),
			},
			contains: []string{`"__type":"InvalidSignatureException"`, `The Canonical String for this request should have been\n'POST\n/\n\n`},
		},
		{
			name: "wrong signature, query", path: "/", body: "Action=ListMetrics", status: 403,
			header:   []string{"Content-Type", formType, "X-Amz-Date", "20250101T000000Z", "Authorization", strings.Replace(scopeOf("monitoring"), "123456789012", testKey, 1)},
			contains: []string{"<Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.</Message>"},
		},
		{
			name: "malformed", path: "/", body: "Action=ListMetrics&Version=2010-08-01", status: 400,
			header:   []string{"Content-Type", formType, "Authorization", "AWS4-HMAC-SHA256 x"},
			contains: []string{"<Code>IncompleteSignature</Code><Message>Authorization header requires &apos;Credential&apos; parameter."},
		},
		{
			name: "legally unsigned", path: "/", body: "Action=AssumeRoleWithWebIdentity&Version=2011-06-15", header: []string{"Content-Type", formType}, status: 200,
			contains: []string{"<Audience>a</Audience>"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := rawPost(t, y, tc.path, tc.body, tc.header...)
			assert.Equal(t, tc.status, w.Code)
			for _, c := range tc.contains {
				assert.Contains(t, strings.ReplaceAll(w.Body.String(), "'Credential'", "&apos;Credential&apos;"), c)
			}
		})
	}
	r := httptest.NewRequest(http.MethodGet, "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&"+
		"X-Amz-Credential=AKIDEXAMPLE%2F20250101%2Fus-east-1%2Fsts%2Faws4_request&X-Amz-Date=20250101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&"+
		"X-Amz-Signature=b2a182ea978f5ef7d2e040ce320efc1f0b89617cbc3749ba03b56ddc34423029", nil)
	w := httptest.NewRecorder()
	y.ServeHTTP(w, r)
	assert.Equal(t, 200, w.Code, w.Body.String())
	assert.Contains(t, w.Body.String(), "<Account>123456789012</Account>")
}

type failingAuthenticator struct{}

func (failingAuthenticator) Authenticate(*http.Request, []byte, *Service, string) (Identity, error) {
	return Identity{}, &Error{Code: "AccessDeniedException", Message: "User: x is not authorized to perform: logs:CreateLogGroup"}
}

func TestCustomAuthenticator(t *testing.T) {
	y := newToy(t, func(s *MuxSettings) { s.Authenticator = failingAuthenticator{} })
	w := rawPost(t, y, "/", "{}", "X-Amz-Target", "Logs_20140328.CreateLogGroup")
	assert.Equal(t, 400, w.Code)
	assert.Contains(t, w.Body.String(), "AccessDeniedException")
}

func TestGoldenPutMetricData(t *testing.T) {
	y := newToy(t, nil)
	golden, err := hex.DecodeString("a2694e616d657370616365616e6a4d65747269634461746181a56a4d65747269634e616d65616d6954696d657374616d70c11a67748580" +
		"6556616c7565fb3ff800000000000064556e697465436f756e746a44696d656e73696f6e7381a2644e616d6561616556616c75656162")
	require.NoError(t, err)
	require.Len(t, golden, 109)
	want := &cloudwatch.PutMetricDataInput{
		Namespace: aws.String("n"),
		MetricData: []cwtypes.MetricDatum{{
			MetricName: aws.String("m"), Timestamp: aws.Time(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)),
			Value: aws.Float64(1.5), Unit: cwtypes.StandardUnitCount,
			Dimensions: []cwtypes.Dimension{{Name: aws.String("a"), Value: aws.String("b")}},
		}},
	}
	path := strings.Replace(rpcPath, "ListMetrics", "PutMetricData", 1)
	w := rawPost(t, y, path, string(golden), "Smithy-Protocol", "rpc-v2-cbor")
	require.Equal(t, 200, w.Code, w.Body.String())
	assert.Equal(t, want, y.metrics)

	// The same as JSON and as a form.
	y.metrics = nil
	w = rawPost(t, y, "/", `{"Namespace":"n","MetricData":[{"MetricName":"m","Timestamp":1735689600,"Value":1.5,"Unit":"Count","Dimensions":[{"Name":"a","Value":"b"}]}]}`,
		"X-Amz-Target", strings.Replace(jsonTarget, "ListMetrics", "PutMetricData", 1))
	require.Equal(t, 200, w.Code, w.Body.String())
	assert.Equal(t, want, y.metrics)
	y.metrics = nil
	values := url.Values{}
	for k, v := range map[string]string{
		"Action": "PutMetricData", "Version": "2010-08-01", "Namespace": "n", "MetricData.member.1.MetricName": "m",
		"MetricData.member.1.Timestamp": "2025-01-01T00:00:00Z", "MetricData.member.1.Value": "1.5", "MetricData.member.1.Unit": "Count",
		"MetricData.member.1.Dimensions.member.1.Name": "a", "MetricData.member.1.Dimensions.member.1.Value": "b",
	} {
		values.Set(k, v)
	}
	w = rawPost(t, y, "/", values.Encode(), "Content-Type", formType)
	require.Equal(t, 200, w.Code, w.Body.String())
	assert.Equal(t, want, y.metrics)
}

func TestNewMuxRefusesTypesWithoutForm(t *testing.T) {
	s := &Service{SigningName: "x"}
	Handle(s, "Op", func(context.Context, *struct{ C chan int }) (*struct{}, error) { return nil, nil })
	_, err := NewMux(MuxSettings{Services: []*Service{s}})
	require.EqualError(t, err, "x Op: .C: type chan int has no form on the wire")
}

func TestUnknownNamesPanic(t *testing.T) {
	assert.Panics(t, func() { NewService("ec2") })
	assert.Panics(t, func() {
		HandleNoOutput(NewService("logs"), "CreateLogGruop", func(context.Context, *cloudwatchlogs.CreateLogGroupInput) error { return nil })
	})
}

func TestRequestIDsAreUUIDs(t *testing.T) {
	assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, newUUID())
	first, second := newUUID(), newUUID()
	assert.NotEqual(t, first, second)
	assert.Nil(t, RequestFrom(t.Context()))
}

// TestNotImplementedIsNotRetried uses the SDK's own idea of what to try again.
func TestNotImplementedIsNotRetried(t *testing.T) {
	requests := 0
	s := NewService("monitoring")
	_, cfg := serveMux(t, MuxSettings{Services: []*Service{s}, OnUnimplemented: func(string, string) { requests++ }})
	cfg.RetryMaxAttempts = 0 // the default
	_, err := cloudwatch.NewFromConfig(cfg).ListDashboards(t.Context(), &cloudwatch.ListDashboardsInput{})
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	assert.Equal(t, "NotImplemented", api.ErrorCode())
	assert.Equal(t, "Operation monitoring:ListDashboards is not implemented.", api.ErrorMessage())
	assert.Equal(t, smithy.FaultServer, api.ErrorFault())
	assert.Equal(t, 1, requests)
}
