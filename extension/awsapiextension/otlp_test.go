// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// postOTLP signs and posts a body, as a collector with the sigv4auth extension does.
func (c *collector) postOTLP(service, path, contentType string, body []byte, header ...string) (status int, answer string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.url()+path, bytes.NewReader(body))
	require.NoError(c.t, err)
	r.Header.Set("Content-Type", contentType)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if service != "" {
		cfg := c.aws()
		creds, err := cfg.Credentials.Retrieve(c.t.Context())
		require.NoError(c.t, err)
		sum := sha256.Sum256(body)
		require.NoError(c.t, v4.NewSigner().SignHTTP(c.t.Context(), creds, r, hex.EncodeToString(sum[:]), service, cfg.Region, time.Now()))
	}
	resp, err := http.DefaultClient.Do(r)
	require.NoError(c.t, err)
	out, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	require.NoError(c.t, resp.Body.Close())
	return resp.StatusCode, string(out)
}

func gaugeRequest(points int, at time.Time) pmetricotlp.ExportRequest {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("cloud.account.id", "999999999999")
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().Attributes().PutStr("aws.cloudwatch.namespace", "Shop")
	m := sm.Metrics().AppendEmpty()
	m.SetName("Depth")
	g := m.SetEmptyGauge()
	for i := range points {
		p := g.DataPoints().AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(at))
		p.SetDoubleValue(float64(i))
	}
	return pmetricotlp.NewExportRequestFromMetrics(md)
}

func TestOTLPMetrics(t *testing.T) {
	c := startCollector(t, options{})
	at := time.Now().Add(-time.Minute).Truncate(time.Minute)
	req := gaugeRequest(3, at)
	body, err := req.MarshalProto()
	require.NoError(t, err)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, err = z.Write(body)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	asJSON, err := req.MarshalJSON()
	require.NoError(t, err)

	status, answer := c.postOTLP("monitoring", "/v1/metrics", "application/x-protobuf", body)
	assert.Equal(t, 200, status)
	assert.Empty(t, answer)
	status, _ = c.postOTLP("monitoring", "/v1/metrics", "application/x-protobuf", zipped.Bytes(), "Content-Encoding", "gzip")
	assert.Equal(t, 200, status)
	status, answer = c.postOTLP("monitoring", "/v1/metrics", "application/json; charset=utf-8", asJSON)
	assert.Equal(t, 200, status)
	assert.JSONEq(t, `{}`, answer)

	out, err := cloudwatch.NewFromConfig(c.aws()).GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("Shop"), MetricName: aws.String("Depth"), Period: aws.Int32(60), Statistics: []cwtypes.Statistic{"Sum", "SampleCount"},
		StartTime: aws.Time(at), EndTime: aws.Time(at.Add(time.Minute)),
	})
	require.NoError(t, err)
	require.Len(t, out.Datapoints, 1)
	assert.InDelta(t, 9, *out.Datapoints[0].Sum, 0, "what was sent belongs to who sent it, whatever its resource says")
	assert.InDelta(t, 9, *out.Datapoints[0].SampleCount, 0)
}

func TestOTLPTraces(t *testing.T) {
	c := startCollector(t, options{})
	td := ptrace.NewTraces()
	s := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	s.SetTraceID([16]byte{0x67, 0x41, 0, 1, 5: 7})
	s.SetSpanID([8]byte{1})
	s.SetName("GET /")
	s.SetKind(ptrace.SpanKindServer)
	s.SetStartTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-time.Second)))
	s.SetEndTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	require.NoError(t, err)
	status, _ := c.postOTLP("xray", "/v1/traces", "application/x-protobuf", body)
	require.Equal(t, 200, status)
	out, err := xray.NewFromConfig(c.aws()).BatchGetTraces(t.Context(), &xray.BatchGetTracesInput{TraceIds: []string{"1-67410001-000700000000000000000000"}})
	require.NoError(t, err)
	require.Len(t, out.Traces, 1)
}

func TestOTLPRefused(t *testing.T) {
	c := startCollector(t, options{})
	strict := startCollector(t, options{configure: func(cfg *Config) {
		cfg.Auth.Mode = AuthModeStrict
		cfg.Auth.Credentials = []CredentialConfig{{AccessKeyID: "AKIDOTHER", SecretAccessKey: "secret"}}
	}})
	none := startCollector(t, options{noPipelines: true})
	many, err := gaugeRequest(maxOTLPDataPoints+1, time.Now()).MarshalProto()
	require.NoError(t, err)
	one, err := gaugeRequest(1, time.Now()).MarshalProto()
	require.NoError(t, err)
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, err = z.Write(make([]byte, maxOTLPMetricsBody+1))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	for name, tc := range map[string]struct {
		c           *collector
		service     string
		contentType string
		body        []byte
		header      []string
		status      int
		contains    string
	}{
		"not protobuf":     {c, "monitoring", "application/x-protobuf", []byte("hello"), nil, 400, "ExportMetricsServiceRequest"},
		"not JSON":         {c, "monitoring", "application/json", []byte("{"), nil, 400, "ExportMetricsServiceRequest"},
		"content type":     {c, "monitoring", "text/plain", one, nil, 415, "application/x-protobuf"},
		"encoding":         {c, "monitoring", "application/x-protobuf", one, []string{"Content-Encoding", "br"}, 415, "gzip"},
		"not gzip":         {c, "monitoring", "application/x-protobuf", one, []string{"Content-Encoding", "gzip"}, 400, "gzip"},
		"too many points":  {c, "monitoring", "application/x-protobuf", many, nil, 400, "1001 data points"},
		"too large":        {c, "monitoring", "application/x-protobuf", make([]byte, maxOTLPMetricsBody+1), nil, 413, "1048576"},
		"too large inside": {c, "monitoring", "application/x-protobuf", bomb.Bytes(), []string{"Content-Encoding", "gzip"}, 413, "1048576"},
		"unsigned":         {strict, "", "application/x-protobuf", one, nil, 403, ""},
		"unknown key":      {strict, "monitoring", "application/json", one, nil, 403, `"code":16`},
		"no pipeline":      {none, "monitoring", "application/x-protobuf", one, nil, 503, "pipeline"},
	} {
		t.Run(name, func(t *testing.T) {
			status, answer := tc.c.postOTLP(tc.service, "/v1/metrics", tc.contentType, tc.body, tc.header...)
			assert.Equal(t, tc.status, status)
			assert.Contains(t, strings.ReplaceAll(answer, ": ", ":"), strings.ReplaceAll(tc.contains, ": ", ":"))
		})
	}
}
