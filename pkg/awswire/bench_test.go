// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/sigv4"
)

// putLogEventsBody is PutLogEvents of n messages, each some 550 bytes of JSON in a JSON string.
func putLogEventsBody(tb testing.TB, n int) []byte {
	tb.Helper()
	in := &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String("/app/checkout"), LogStreamName: aws.String("host-1")}
	for i := range n {
		msg, err := json.Marshal(map[string]any{
			"time": time.UnixMilli(1735689600000 + int64(i)).UTC().Format(time.RFC3339Nano), "level": "INFO",
			"service": "checkout", "trace_id": fmt.Sprintf("1-67891233-%024x", i), "duration_ms": i % 977, "status": 200,
			"http":    map[string]any{"method": "POST", "path": "/api/v2/orders/" + strconv.Itoa(i), "user_agent": "Mozilla/5.0 (X11; Linux x86_64)"},
			"message": "order accepted\tand queued: " + strings.Repeat("lorem ipsum dolor sit amet ", 7),
			"tags":    []string{"blue", "canary", "eu-west-1a"},
		})
		require.NoError(tb, err)
		in.LogEvents = append(in.LogEvents, logstypes.InputLogEvent{Message: aws.String(string(msg)), Timestamp: aws.Int64(1735689600000 + int64(i))})
	}
	body, err := encodeJSON(in)
	require.NoError(tb, err)
	return body
}

func encodeJSON[T any](v *T) ([]byte, error) {
	pl, err := planOf[T]()
	if err != nil {
		return nil, err
	}
	return appendJSON(nil, pl, unsafe.Pointer(v))
}

func encodeCBOR[T any](v *T) ([]byte, error) {
	pl, err := planOf[T]()
	if err != nil {
		return nil, err
	}
	return appendCBOR(nil, pl, unsafe.Pointer(v))
}

func BenchmarkDecodePutLogEvents(b *testing.B) {
	body := putLogEventsBody(b, 1000)
	pl, err := planOf[cloudwatchlogs.PutLogEventsInput]()
	require.NoError(b, err)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		var in cloudwatchlogs.PutLogEventsInput
		if err := decodeJSON(body, pl, unsafe.Pointer(&in), false); err != nil {
			b.Fatal(err)
		}
		n += len(in.LogEvents)
	}
	require.Equal(b, b.N*1000, n)
}

// putMetricData is a thousand data points with two dimensions.
func putMetricData() *cloudwatch.PutMetricDataInput {
	in := &cloudwatch.PutMetricDataInput{Namespace: aws.String("Shop/Checkout")}
	for i := range 1000 {
		in.MetricData = append(in.MetricData, cwtypes.MetricDatum{
			MetricName: aws.String([]string{"Latency", "Requests", "Errors", "QueueDepth"}[i%4]),
			Timestamp:  aws.Time(time.UnixMilli(1735689600000 + int64(i)*250)),
			Value:      aws.Float64(float64(i) * 1.25),
			Unit:       cwtypes.StandardUnitMilliseconds,
			Dimensions: []cwtypes.Dimension{
				{Name: aws.String("InstanceId"), Value: aws.String(fmt.Sprintf("i-%017x", i%50))},
				{Name: aws.String("Service"), Value: aws.String("checkout")},
			},
		})
	}
	return in
}

// sent is the body that the SDK's client sends, inflated.
func sent(tb testing.TB, call func(*cloudwatch.Client)) []byte {
	tb.Helper()
	var body []byte
	cfg := sdkConfig("http://127.0.0.1", captureClient(func(r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		require.NoError(tb, err)
		var buf bytes.Buffer
		plain, err := inflate(r.Header.Get("Content-Encoding"), raw, 1<<30, &buf)
		require.NoError(tb, err)
		body = bytes.Clone(plain)
	}))
	call(cloudwatch.NewFromConfig(cfg))
	require.NotEmpty(tb, body)
	return body
}

type captureClient func(*http.Request)

func (c captureClient) Do(r *http.Request) (*http.Response, error) {
	c(r)
	return nil, http.ErrServerClosed
}

func BenchmarkDecodePutMetricDataCBOR(b *testing.B) {
	body := sent(b, func(c *cloudwatch.Client) { _, _ = c.PutMetricData(b.Context(), putMetricData()) })
	pl, err := planOf[cloudwatch.PutMetricDataInput]()
	require.NoError(b, err)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		var in cloudwatch.PutMetricDataInput
		if err := decodeCBOR(body, pl, unsafe.Pointer(&in)); err != nil {
			b.Fatal(err)
		}
		n += len(in.MetricData)
	}
	require.Equal(b, b.N*1000, n)
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "datums/s")
}

func BenchmarkDecodePutMetricDataQuery(b *testing.B) {
	var form strings.Builder
	form.WriteString("Action=PutMetricData&Version=2010-08-01&Namespace=Shop%2FCheckout")
	for i, d := range putMetricData().MetricData {
		p := fmt.Sprintf("&MetricData.member.%d.", i+1)
		fmt.Fprintf(&form, "%sMetricName=%s%sTimestamp=%s%sValue=%v%sUnit=%s", p, *d.MetricName, p,
			url.QueryEscape(d.Timestamp.UTC().Format(time.RFC3339)), p, *d.Value, p, d.Unit)
		for j, dim := range d.Dimensions {
			fmt.Fprintf(&form, "%sDimensions.member.%d.Name=%s%sDimensions.member.%d.Value=%s", p, j+1, *dim.Name, p, j+1, *dim.Value)
		}
	}
	body := form.String()
	pl, err := planOf[cloudwatch.PutMetricDataInput]()
	require.NoError(b, err)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		var in cloudwatch.PutMetricDataInput
		params, err := parseForm(nil, body)
		if err != nil {
			b.Fatal(err)
		}
		if err := decodeQuery(params, len(body), pl, unsafe.Pointer(&in)); err != nil {
			b.Fatal(err)
		}
		n += len(in.MetricData)
	}
	require.Equal(b, b.N*1000, n)
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "datums/s")
}

// filterLogEvents is an answer of a thousand events.
func filterLogEvents(tb testing.TB) *cloudwatchlogs.FilterLogEventsOutput {
	tb.Helper()
	var in cloudwatchlogs.PutLogEventsInput
	pl, err := planOf[cloudwatchlogs.PutLogEventsInput]()
	require.NoError(tb, err)
	require.NoError(tb, decodeJSON(putLogEventsBody(tb, 1000), pl, unsafe.Pointer(&in), false))
	out := &cloudwatchlogs.FilterLogEventsOutput{}
	for _, e := range in.LogEvents {
		out.Events = append(out.Events, logstypes.FilteredLogEvent{
			Message: e.Message, Timestamp: e.Timestamp, IngestionTime: e.Timestamp,
			LogStreamName: in.LogStreamName, EventId: aws.String("37294872394872398472398472398472398472398472398"),
		})
	}
	return out
}

func BenchmarkEncodeFilterLogEvents(b *testing.B) {
	out := filterLogEvents(b)
	pl, err := planOf[cloudwatchlogs.FilterLogEventsOutput]()
	require.NoError(b, err)
	b.ReportAllocs()
	var dst []byte
	for b.Loop() {
		if dst, err = appendJSON(dst[:0], pl, unsafe.Pointer(out)); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(dst)))
}

func BenchmarkEncodeGetMetricDataCBOR(b *testing.B) {
	out := &cloudwatch.GetMetricDataOutput{}
	for i := range 10 {
		r := cwtypes.MetricDataResult{Id: aws.String(fmt.Sprintf("m%d", i)), StatusCode: cwtypes.StatusCodeComplete}
		for j := range 1440 {
			r.Timestamps = append(r.Timestamps, time.Unix(1735689600+int64(j)*60, 0))
			r.Values = append(r.Values, float64(j)*1.5)
		}
		out.MetricDataResults = append(out.MetricDataResults, r)
	}
	pl, err := planOf[cloudwatch.GetMetricDataOutput]()
	require.NoError(b, err)
	b.ReportAllocs()
	var dst []byte
	for b.Loop() {
		if dst, err = appendCBOR(dst[:0], pl, unsafe.Pointer(out)); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(dst)))
}

// BenchmarkMux measures whole requests, signature and all, without the network.
func BenchmarkMux(b *testing.B) {
	logs, monitoring := NewService("logs"), NewService("monitoring")
	n := 0
	Handle(logs, "PutLogEvents", func(_ context.Context, in *cloudwatchlogs.PutLogEventsInput) (*cloudwatchlogs.PutLogEventsOutput, error) {
		n += len(in.LogEvents)
		return &cloudwatchlogs.PutLogEventsOutput{}, nil
	})
	Handle(monitoring, "PutMetricData", func(_ context.Context, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
		n += len(in.MetricData)
		return nil, nil
	})
	m, err := NewMux(MuxSettings{
		Services: []*Service{logs, monitoring},
		Authenticator: NewAuthenticator(AuthenticatorSettings{
			Verifier: sigv4.NewVerifier(sigv4.Settings{Mode: sigv4.ModeStrict, Provider: testCredentials{}}),
		}),
	})
	require.NoError(b, err)
	var in cloudwatchlogs.PutLogEventsInput
	pl, err := planOf[cloudwatchlogs.PutLogEventsInput]()
	require.NoError(b, err)
	require.NoError(b, decodeJSON(putLogEventsBody(b, 1000), pl, unsafe.Pointer(&in), false))
	capture := func(r **http.Request, body *[]byte) aws.Config {
		return sdkConfig("http://127.0.0.1", captureClient(func(sent *http.Request) {
			*r = sent.Clone(context.Background())
			var err error
			*body, err = io.ReadAll(sent.Body)
			require.NoError(b, err)
		}))
	}
	for _, bc := range []struct {
		name string
		call func(aws.Config)
	}{
		{"PutLogEvents", func(c aws.Config) { _, _ = cloudwatchlogs.NewFromConfig(c).PutLogEvents(b.Context(), &in) }},
		{"PutMetricData", func(c aws.Config) { _, _ = cloudwatch.NewFromConfig(c).PutMetricData(b.Context(), putMetricData()) }},
	} {
		b.Run(bc.name, func(b *testing.B) {
			var r *http.Request
			var body []byte
			bc.call(capture(&r, &body))
			require.NotNil(b, r)
			r.Host = r.URL.Host
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			n = 0
			for b.Loop() {
				r.Body = io.NopCloser(bytes.NewReader(body))
				w := httptest.NewRecorder()
				m.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatal(w.Body.String())
				}
			}
			require.Equal(b, b.N*1000, n)
		})
	}
}
