// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsfirehosereceiver

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/metricstream"
)

func start(t *testing.T, encoding string, next consumer.Metrics) *firehoseReceiver {
	t.Helper()
	f := NewFactory()
	cfg := f.CreateDefaultConfig().(*Config)
	cfg.HTTP.NetAddr.Endpoint = "127.0.0.1:0"
	cfg.AccessKey = "key"
	cfg.Encoding = encoding
	require.NoError(t, cfg.Validate())
	r, err := f.CreateMetrics(t.Context(), receivertest.NewNopSettings(f.Type()), cfg, next)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, r.Shutdown(context.WithoutCancel(t.Context()))) })
	return r.(*firehoseReceiver)
}

func deliver(t *testing.T, r *firehoseReceiver, change func(*http.Request), body any) (status int, out answer) {
	t.Helper()
	data, ok := body.([]byte)
	if !ok {
		var err error
		data, err = json.Marshal(body)
		require.NoError(t, err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.listener.Addr().String()+"/", bytes.NewReader(data))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(headerRequestID, "id-1")
	req.Header.Set(headerVersion, protocolVersion)
	req.Header.Set(headerAccessKey, "key")
	if change != nil {
		change(req)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.NoError(t, json.Unmarshal(text, &out), "%s", text)
	return resp.StatusCode, out
}

func point() metricstream.Point {
	return metricstream.Point{
		Tenant: cloudwatch.Tenant{Account: "123456789012", Region: "us-east-1"}, Stream: "s", StreamARN: "arn:aws:cloudwatch:us-east-1:123456789012:metric-stream/s",
		Metric: cloudwatch.Metric{Namespace: "AWS/EC2", Name: "CPUUtilization", Dimensions: []cloudwatch.Dimension{{Name: "InstanceId", Value: "i-1"}}},
		Unit:   "Percent", TimestampMs: 1_700_000_040_000, StatisticSet: cloudwatch.StatisticSet{SampleCount: 2, Sum: 30, Minimum: 10, Maximum: 20},
	}
}

func TestDeliveries(t *testing.T) {
	for encoding, format := range encodings {
		t.Run(encoding, func(t *testing.T) {
			sink := new(consumertest.MetricsSink)
			r := start(t, encoding, sink)
			data, err := metricstream.Append(nil, format, []metricstream.Point{point(), point()})
			require.NoError(t, err)
			body := delivery{RequestID: "id-1", Records: []record{{data}, {data}}}
			status, out := deliver(t, r, nil, body)
			assert.Equal(t, http.StatusOK, status)
			assert.Equal(t, "id-1", out.RequestID)
			assert.Positive(t, out.Timestamp)
			assert.Empty(t, out.ErrorMessage)

			text, err := json.Marshal(body)
			require.NoError(t, err)
			var zipped bytes.Buffer
			z := gzip.NewWriter(&zipped)
			_, err = z.Write(text)
			require.NoError(t, err)
			require.NoError(t, z.Close())
			status, _ = deliver(t, r, func(req *http.Request) { req.Header.Set("Content-Encoding", "gzip") }, zipped.Bytes())
			assert.Equal(t, http.StatusOK, status)

			require.Equal(t, 8, sink.DataPointCount())
			c, err := cloudwatch.NewConverter(cloudwatch.ConverterConfig{})
			require.NoError(t, err)
			batches, err := c.Convert(sink.AllMetrics()[0])
			require.NoError(t, err)
			require.Len(t, batches, 1)
			assert.Equal(t, point().Tenant.Account, batches[0].Account)
			assert.Equal(t, point().Tenant.Region, batches[0].Region)
			d := batches[0].Data[0]
			assert.Equal(t, point().Metric, d.Metric)
			assert.Equal(t, point().StatisticSet, *d.Statistics)
			assert.Equal(t, point().TimestampMs, d.TimestampMs)
		})
	}
}

func TestNothingToDeliver(t *testing.T) {
	r := start(t, "", consumertest.NewErr(errors.New("not called")))
	status, _ := deliver(t, r, nil, delivery{RequestID: "id-1"})
	assert.Equal(t, http.StatusOK, status)
}

func TestRefused(t *testing.T) {
	data, err := metricstream.Append(nil, metricstream.FormatJSON, []metricstream.Point{point()})
	require.NoError(t, err)
	good := delivery{RequestID: "id-1", Records: []record{{data}}}
	for name, tc := range map[string]struct {
		change  func(*http.Request)
		body    any
		next    error
		status  int
		message string
	}{
		"no key":         {func(r *http.Request) { r.Header.Del(headerAccessKey) }, good, nil, 401, "access key"},
		"another key":    {func(r *http.Request) { r.Header.Set(headerAccessKey, "KEY") }, good, nil, 401, "access key"},
		"no id":          {func(r *http.Request) { r.Header.Del(headerRequestID) }, good, nil, 400, headerRequestID},
		"another id":     {func(r *http.Request) { r.Header.Set(headerRequestID, "x") }, good, nil, 400, "requestId"},
		"version":        {func(r *http.Request) { r.Header.Set(headerVersion, "2.0") }, good, nil, 400, "2.0"},
		"method":         {func(r *http.Request) { r.Method = http.MethodPut }, good, nil, 405, "POST"},
		"not JSON":       {nil, []byte("{"), nil, 400, "delivery"},
		"more behind":    {nil, []byte(`{"requestId":"id-1","records":[]}{}`), nil, 400, "follows"},
		"not base64":     {nil, []byte(`{"requestId":"id-1","records":[{"data":"%"}]}`), nil, 400, "delivery"},
		"bad record":     {nil, delivery{RequestID: "id-1", Records: []record{{data}, {[]byte("{}")}}}, nil, 400, "records[1]"},
		"many records":   {nil, delivery{RequestID: "id-1", Records: make([]record, maxRecords+1)}, nil, 413, "10001"},
		"pipeline, now":  {nil, good, errors.New("full"), 503, "full"},
		"pipeline, ever": {nil, good, consumererror.NewPermanent(errors.New("bad")), 400, "bad"},
	} {
		t.Run(name, func(t *testing.T) {
			next := consumer.Metrics(new(consumertest.MetricsSink))
			if tc.next != nil {
				next = consumertest.NewErr(tc.next)
			}
			status, out := deliver(t, start(t, "cwmetrics", next), tc.change, tc.body)
			assert.Equal(t, tc.status, status)
			assert.Contains(t, out.ErrorMessage, tc.message)
		})
	}
}

func TestTooLarge(t *testing.T) {
	f := NewFactory()
	cfg := f.CreateDefaultConfig().(*Config)
	cfg.HTTP.NetAddr.Endpoint, cfg.HTTP.MaxRequestBodySize = "127.0.0.1:0", 100
	r, err := newReceiver(receivertest.NewNopSettings(f.Type()), cfg, new(consumertest.MetricsSink))
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	defer func() { require.NoError(t, r.Shutdown(t.Context())) }()
	status, out := deliver(t, r, nil, []byte(`{"requestId":"`+strings.Repeat("x", 200)+`"}`))
	assert.Equal(t, http.StatusRequestEntityTooLarge, status)
	assert.Contains(t, out.ErrorMessage, "100 bytes")
}

func TestConfig(t *testing.T) {
	for name, tc := range map[string]struct {
		config map[string]any
		want   string
	}{
		"all": {map[string]any{
			"endpoint": "0.0.0.0:4433", "access_key": "k", "encoding": "otlp_v1", "max_request_body_size": 1000,
			"tls": map[string]any{"cert_file": "c", "key_file": "k"},
		}, ""},
		"older name":     {map[string]any{"record_type": "cwmetrics"}, ""},
		"both names":     {map[string]any{"record_type": "cwmetrics", "encoding": "otlp_v1"}, "older name"},
		"encoding":       {map[string]any{"encoding": "cwlogs"}, "cwlogs"},
		"open to others": {map[string]any{"endpoint": "0.0.0.0:4433"}, "access_key"},
		"no port":        {map[string]any{"endpoint": "localhost"}, "host:port"},
		"no endpoint":    {map[string]any{"endpoint": ""}, "required"},
		"body size":      {map[string]any{"max_request_body_size": 1 << 30}, "max_request_body_size"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := NewFactory().CreateDefaultConfig().(*Config)
			require.NoError(t, confmap.NewFromStringMap(tc.config).Unmarshal(cfg))
			if name == "all" {
				assert.Equal(t, "otlp_v1", cfg.Encoding)
				assert.Equal(t, "0.0.0.0:4433", cfg.HTTP.NetAddr.Endpoint)
				assert.EqualValues(t, 1000, cfg.HTTP.MaxRequestBodySize)
			}
			if tc.want == "" {
				require.NoError(t, cfg.Validate())
				return
			}
			require.ErrorContains(t, cfg.Validate(), tc.want)
		})
	}
	require.Error(t, confmap.NewFromStringMap(map[string]any{"acess_key": "x"}).Unmarshal(NewFactory().CreateDefaultConfig()), "an unknown key")
}
