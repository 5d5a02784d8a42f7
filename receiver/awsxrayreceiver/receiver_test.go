// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsxrayreceiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/aws/aws-sdk-go-v2/service/xray/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/nephoscope/nephoscope/receiver/awsxrayreceiver/internal/metadatatest"
)

const header = "{\"format\":\"json\",\"version\":1}\n"

func segment(i int) string {
	return fmt.Sprintf(`{"name":"shop","id":"%016x","trace_id":"1-65535c00-0123456789abcdef%08x","start_time":1700000000.5,"end_time":1700000001.5}`, i+1, i+1)
}

func testConfig() *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoint, cfg.ProxyServer.Endpoint = "127.0.0.1:0", "127.0.0.1:0"
	cfg.FlushInterval = 10 * time.Millisecond
	return cfg
}

type harness struct {
	*xrayReceiver
	tel *componenttest.Telemetry
}

func start(tb testing.TB, cfg *Config, next consumer.Traces) *harness {
	tb.Helper()
	tel := componenttest.NewTelemetry()
	r, err := newReceiver(metadatatest.NewSettings(tel), cfg, next)
	require.NoError(tb, err)
	require.NoError(tb, r.Start(tb.Context(), componenttest.NewNopHost()))
	tb.Cleanup(func() {
		ctx := context.WithoutCancel(tb.Context())
		assert.NoError(tb, r.Shutdown(ctx))
		assert.NoError(tb, tel.Shutdown(ctx))
	})
	return &harness{xrayReceiver: r, tel: tel}
}

func (h *harness) dial(tb testing.TB) net.Conn {
	tb.Helper()
	conn, err := new(net.Dialer).DialContext(tb.Context(), "udp", h.conn.LocalAddr().String())
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (h *harness) rejected(tb testing.TB) map[string]int64 {
	tb.Helper()
	m, err := h.tel.GetMetric("otelcol_receiver_awsxray_segments_rejected")
	if err != nil {
		return nil
	}
	out := map[string]int64{}
	for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
		v, _ := p.Attributes.Value("reason")
		out[v.AsString()] = p.Value
	}
	return out
}

func TestUDP(t *testing.T) {
	t.Parallel()
	sink := new(consumertest.TracesSink)
	cfg := testConfig()
	cfg.AccountID, cfg.Region = "123456789012", "eu-west-1"
	h := start(t, cfg, sink)
	conn := h.dial(t)
	big := strings.Replace(segment(2), `{`, `{"metadata":{"x":"`+strings.Repeat("x", 60_000)+`"},`, 1)
	for _, datagram := range []string{
		header + segment(0), "nonsense", header, "{\"format\":\"json\",\"version\":2}\n" + segment(9), header + `{`, header + `[]`, header + segment(1)[:40],
		header + segment(1), "{\"format\": \"json\", \"version\": 1}\n" + big,
	} {
		_, err := conn.Write([]byte(datagram))
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return sink.SpanCount() == 3 }, 10*time.Second, time.Millisecond)
	names := map[string]bool{}
	for _, td := range sink.AllTraces() {
		for _, rs := range td.ResourceSpans().All() {
			require.Equal(t, map[string]any{"cloud.provider": "aws", "cloud.account.id": "123456789012", "cloud.region": "eu-west-1", "service.name": "shop"}, rs.Resource().Attributes().AsRaw())
			for _, s := range rs.ScopeSpans().At(0).Spans().All() {
				names[s.SpanID().String()] = true
			}
		}
	}
	require.Len(t, names, 3)
	require.Eventually(t, func() bool {
		r := h.rejected(t)
		return r["header"] == 2 && r["empty"] == 1 && r["ParseError"] == 2 && r["MissingId"] == 1 && len(r) == 4
	}, 10*time.Second, time.Millisecond)
	metadatatest.AssertEqualReceiverAwsxrayDatagrams(t, h.tel, []metricdata.DataPoint[int64]{{Value: 9}}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualReceiverAwsxrayQueueLength(t, h.tel, []metricdata.DataPoint[int64]{{Value: 0}}, metricdatatest.IgnoreTimestamp())
	accepted, err := h.tel.GetMetric("otelcol_receiver_accepted_spans")
	require.NoError(t, err)
	total := int64(0)
	for _, p := range accepted.Data.(metricdata.Sum[int64]).DataPoints {
		transport, _ := p.Attributes.Value(attribute.Key("transport"))
		require.Equal(t, "udp", transport.AsString())
		total += p.Value
	}
	require.Equal(t, int64(3), total)
}

// blocking is a pipeline that waits until it is let go.
type blocking struct {
	consumertest.TracesSink
	entered chan struct{}
	release chan struct{}
}

func (b *blocking) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	select {
	case b.entered <- struct{}{}:
	default:
	}
	select {
	case <-b.release:
	case <-ctx.Done():
		return ctx.Err()
	}
	return b.TracesSink.ConsumeTraces(ctx, td)
}

func TestSpilloverAndDrain(t *testing.T) {
	t.Parallel()
	next := &blocking{entered: make(chan struct{}, 1), release: make(chan struct{})}
	cfg := testConfig()
	cfg.QueueSize, cfg.BatchSize, cfg.Consumers = 5, 1, 1
	h := start(t, cfg, next)
	conn := h.dial(t)
	send := func(i int) {
		_, err := conn.Write([]byte(header + segment(i)))
		require.NoError(t, err)
	}
	send(0)
	<-next.entered
	for i := 1; i <= 8; i++ {
		send(i)
	}
	require.Eventually(t, func() bool { return h.counts.spilled.Load() == 3 }, 10*time.Second, time.Millisecond, "one in the pipeline, five in the queue")
	metadatatest.AssertEqualReceiverAwsxraySpillover(t, h.tel, []metricdata.DataPoint[int64]{{Value: 3}}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualReceiverAwsxrayQueueLength(t, h.tel, []metricdata.DataPoint[int64]{{Value: 5}}, metricdatatest.IgnoreTimestamp())
	close(next.release)
	require.NoError(t, h.Shutdown(t.Context()))
	require.Equal(t, 6, next.SpanCount(), "Shutdown hands on what is in the queue")
	require.Zero(t, h.queue.bytes.Load())
}

func TestShutdownHonoursItsContext(t *testing.T) {
	t.Parallel()
	next := &blocking{entered: make(chan struct{}, 1), release: make(chan struct{})}
	tel := componenttest.NewTelemetry()
	r, err := newReceiver(metadatatest.NewSettings(tel), testConfig(), next)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	h := &harness{xrayReceiver: r, tel: tel}
	_, err = h.dial(t).Write([]byte(header + segment(0)))
	require.NoError(t, err)
	<-next.entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, r.Shutdown(ctx), context.Canceled)
	require.NoError(t, tel.Shutdown(t.Context()))
}

// flaky refuses some batches first.
type flaky struct {
	consumertest.TracesSink
	mu     sync.Mutex
	errs   []error
	called atomic.Int64
}

func (f *flaky) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	f.called.Add(1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.errs) > 0 {
		err := f.errs[0]
		f.errs = f.errs[1:]
		td.ResourceSpans().RemoveIf(func(ptrace.ResourceSpans) bool { return true }) // as a processor may
		return err
	}
	return f.TracesSink.ConsumeTraces(ctx, td)
}

func TestRefused(t *testing.T) {
	t.Parallel()
	next := &flaky{errs: []error{errors.New("busy"), errors.New("busy")}}
	h := start(t, testConfig(), next)
	conn := h.dial(t)
	_, err := conn.Write([]byte(header + segment(0)))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return next.SpanCount() == 1 }, 10*time.Second, time.Millisecond)
	require.Equal(t, int64(3), next.called.Load())

	next.mu.Lock()
	next.errs = []error{consumererror.NewPermanent(errors.New("never"))}
	next.mu.Unlock()
	_, err = conn.Write([]byte(header + segment(1)))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return h.counts.refused.Load() == 1 }, 10*time.Second, time.Millisecond)
	require.Equal(t, int64(4), next.called.Load(), "what is refused for good is not tried again")
}

func (h *harness) client() *sdk.Client {
	return sdk.New(sdk.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String("http://" + h.tcpAddr.String()), Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1,
	})
}

func TestTCP(t *testing.T) {
	t.Parallel()
	sink := new(consumertest.TracesSink)
	h := start(t, testConfig(), sink)
	client := h.client()
	ctx := t.Context()

	rules, err := client.GetSamplingRules(ctx, &sdk.GetSamplingRulesInput{})
	require.NoError(t, err)
	require.Len(t, rules.SamplingRuleRecords, 1)
	rule := rules.SamplingRuleRecords[0].SamplingRule
	require.Equal(t, "Default", *rule.RuleName)
	require.InDelta(t, 0.05, rule.FixedRate, 0)
	require.Equal(t, int32(10000), *rule.Priority)

	targets, err := client.GetSamplingTargets(ctx, &sdk.GetSamplingTargetsInput{SamplingStatisticsDocuments: []types.SamplingStatisticsDocument{
		{RuleName: aws.String("Default"), ClientID: aws.String("0123456789abcdef01234567"), Timestamp: aws.Time(time.Now()), RequestCount: 10, SampledCount: 1},
		{RuleName: aws.String("other"), ClientID: aws.String("0123456789abcdef01234567"), Timestamp: aws.Time(time.Now()), RequestCount: 10, SampledCount: 1},
	}})
	require.NoError(t, err)
	require.Equal(t, int32(1), *targets.SamplingTargetDocuments[0].ReservoirQuota)
	require.Equal(t, "400", *targets.UnprocessedStatistics[0].ErrorCode)

	put, err := client.PutTraceSegments(ctx, &sdk.PutTraceSegmentsInput{TraceSegmentDocuments: []string{segment(0), `[]`, segment(1)}})
	require.NoError(t, err)
	require.Equal(t, []types.UnprocessedTraceSegment{{ErrorCode: aws.String("MissingId"), Message: aws.String("Invalid segment. ErrorCode: MissingId")}}, put.UnprocessedTraceSegments)
	require.Equal(t, 2, sink.SpanCount())
	require.Equal(t, map[string]int64{"MissingId": 1}, h.rejected(t))

	_, err = client.PutTelemetryRecords(ctx, &sdk.PutTelemetryRecordsInput{TelemetryRecords: []types.TelemetryRecord{{Timestamp: aws.Time(time.Now())}}})
	require.NoError(t, err)

	_, err = client.GetSamplingTargets(ctx, &sdk.GetSamplingTargetsInput{SamplingStatisticsDocuments: make([]types.SamplingStatisticsDocument, 0)})
	require.NoError(t, err)
	_, err = client.GetSamplingRules(ctx, &sdk.GetSamplingRulesInput{NextToken: aws.String("x")})
	require.ErrorAs(t, err, new(*types.InvalidRequestException))
	_, err = client.BatchGetTraces(ctx, &sdk.BatchGetTracesInput{TraceIds: []string{"1-65535c00-0123456789abcdef00000001"}})
	require.ErrorContains(t, err, "BatchGetTraces")
}

func (h *harness) post(tb testing.TB, path, body string) (int, http.Header, string) {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, "http://"+h.tcpAddr.String()+path, strings.NewReader(body))
	require.NoError(tb, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultTransport.(*http.Transport).Clone().RoundTrip(req)
	require.NoError(tb, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(tb, err)
	return resp.StatusCode, resp.Header, string(b)
}

func TestTCPRaw(t *testing.T) {
	t.Parallel()
	cfg := testConfig()
	cfg.ProxyServer.MaxRequestBodySize = 10_000
	h := start(t, cfg, consumertest.NewNop())
	const statistics = `{"SamplingStatisticsDocuments":[{"RuleName":"Default","ClientID":"0123456789abcdef01234567","Timestamp":%s,"RequestCount":1,"SampledCount":1}]}`
	for _, c := range []struct {
		name, path, body string
		status           int
		errorType        string
	}{
		{"no body", "/GetSamplingRules", "", 200, ""},
		{"null token", "/GetSamplingRules", `{"NextToken":null}`, 200, ""},
		{"targets", "/SamplingTargets", fmt.Sprintf(statistics, "1700000000"), 200, ""},
		{"targets of Java, in milliseconds", "/SamplingTargets", fmt.Sprintf(statistics, "1700000000123"), 200, ""},
		{"no statistics", "/SamplingTargets", `{}`, 400, "InvalidRequestException"},
		{"no segments", "/TraceSegments", `{}`, 400, "InvalidRequestException"},
		{"no records", "/TelemetryRecords", `{}`, 400, "InvalidRequestException"},
		{"segments", "/TraceSegments", `{"TraceSegmentDocuments":["{}"]}`, 200, ""},
		{"too many segments", "/TraceSegments", `{"TraceSegmentDocuments":[` + strings.Repeat(`"",`, 1000) + `""]}`, 400, "InvalidRequestException"},
		{"not JSON", "/TraceSegments", `{"TraceSegmentDocuments":[`, 400, "InvalidRequestException"},
		{"too large", "/TraceSegments", `{"TraceSegmentDocuments":["` + strings.Repeat("x", 20_000) + `"]}`, 413, "RequestEntityTooLargeException"},
		{"not here", "/TraceSummaries", `{}`, 501, "NotImplemented"},
		{"nowhere", "/nothing", `{}`, 404, "UnknownOperationException"},
	} {
		status, head, body := h.post(t, c.path, c.body)
		require.Equal(t, c.status, status, "%s: %s", c.name, body)
		require.Equal(t, c.errorType, head.Get("X-Amzn-Errortype"), c.name)
		require.Equal(t, "application/json", head.Get("Content-Type"), c.name)
	}
}

func TestTCPRefused(t *testing.T) {
	t.Parallel()
	next := &flaky{errs: []error{errors.New("busy"), consumererror.NewPermanent(errors.New("never"))}}
	h := start(t, testConfig(), next)
	put := func() error {
		_, err := h.client().PutTraceSegments(t.Context(), &sdk.PutTraceSegmentsInput{TraceSegmentDocuments: []string{segment(0)}})
		return err
	}
	require.ErrorAs(t, put(), new(*types.ThrottledException))
	require.ErrorContains(t, put(), "InternalFailure")
	require.NoError(t, put())
	require.Equal(t, 1, next.SpanCount())
}

func TestStartFails(t *testing.T) {
	t.Parallel()
	taken := start(t, testConfig(), consumertest.NewNop())
	for name, change := range map[string]func(*Config){
		"UDP endpoint": func(c *Config) { c.Endpoint = taken.conn.LocalAddr().String() },
		"proxy_server": func(c *Config) { c.ProxyServer.Endpoint = taken.tcpAddr.String() },
	} {
		cfg := testConfig()
		change(cfg)
		r, err := newReceiver(metadatatest.NewSettings(componenttest.NewTelemetry()), cfg, consumertest.NewNop())
		require.NoError(t, err)
		require.ErrorContains(t, r.Start(t.Context(), componenttest.NewNopHost()), name)
		require.NoError(t, r.Shutdown(t.Context()))
	}
	cfg := testConfig()
	cfg.ProxyServer.Endpoint = ""
	require.Nil(t, start(t, cfg, consumertest.NewNop()).tcpAddr)
}

func TestReport(t *testing.T) {
	t.Parallel()
	h := start(t, testConfig(), consumertest.NewNop())
	h.counts.spilled.Store(1)
	h.counts.refused.Store(1)
	h.counts.rejected.Store(1)
	h.counts.report(h.xrayReceiver)
	require.Zero(t, h.counts.spilled.Load()+h.counts.refused.Load()+h.counts.rejected.Load())
}
