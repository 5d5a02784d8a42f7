// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/metadata"
	"github.com/nephoscope/nephoscope/internal/store"
	model "github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func TestCallerIdentity(t *testing.T) {
	c := startCollector(t, options{})
	cfg := c.aws()
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	require.NoError(t, err)
	assert.Equal(t, "123456789012", *out.Account, "a key of 12 digits is an account")
	assert.Equal(t, "arn:aws:iam::123456789012:root", *out.Arn)
	assert.Equal(t, "123456789012", *out.UserId)

	cfg.Credentials = credentials.NewStaticCredentialsProvider("test", "test", "")
	out, err = sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	require.NoError(t, err)
	assert.Equal(t, "000000000000", *out.Account)

	status, answer := c.post("application/x-www-form-urlencoded", "Action=GetCallerIdentity&Version=2011-06-15")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, answer, "<Account>000000000000</Account>")
}

func TestSignatures(t *testing.T) {
	c := startCollector(t, options{configure: func(cfg *Config) {
		cfg.Auth = AuthConfig{Mode: AuthModeStrict, Credentials: []CredentialConfig{
			{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "right", AccountID: "210987654321"},
			{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "right", SessionToken: "token"},
		}}
	}})
	identity := func(key, secret, token string) (*sts.GetCallerIdentityOutput, error) {
		cfg := c.aws()
		cfg.Credentials = credentials.NewStaticCredentialsProvider(key, secret, token)
		return sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	}
	out, err := identity("AKIDEXAMPLE", "right", "")
	require.NoError(t, err)
	assert.Equal(t, "210987654321", *out.Account)
	out, err = identity("ASIAEXAMPLE", "right", "token")
	require.NoError(t, err)
	assert.Equal(t, "000000000000", *out.Account)

	_, err = identity("AKIDEXAMPLE", "wrong", "")
	requireAPIError(t, err, "SignatureDoesNotMatch", 403)
	_, err = identity("AKIDUNKNOWN", "right", "")
	requireAPIError(t, err, "InvalidClientTokenId", 403)
	_, err = identity("ASIAEXAMPLE", "right", "other")
	require.Error(t, err)
	status, answer := c.post("application/x-www-form-urlencoded", "Action=GetCallerIdentity&Version=2011-06-15")
	assert.Equal(t, http.StatusForbidden, status)
	assert.Contains(t, answer, "MissingAuthenticationToken")
}

func putOne(t *testing.T, c *collector) error {
	t.Helper()
	_, err := cloudwatch.NewFromConfig(c.aws()).PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{
		Namespace: aws.String("n"), MetricData: []types.MetricDatum{{MetricName: aws.String("m"), Value: aws.Float64(1)}},
	})
	return err
}

func TestWritesWithoutPipeline(t *testing.T) {
	c := startCollector(t, options{noPipelines: true})
	message := requireAPIError(t, putOne(t, c), "ServiceUnavailable", http.StatusServiceUnavailable)
	assert.Equal(t, "nothing takes metrics: add the receiver aws_api to a metrics pipeline of the collector", message)

	at := minuteAgo()
	_, err := xray.NewFromConfig(c.aws()).PutTraceSegments(t.Context(), &xray.PutTraceSegmentsInput{
		TraceSegmentDocuments: []string{segment(traceID(at, 1), "1111111111111111", "", at, time.Second)},
	})
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	assert.Contains(t, api.ErrorMessage(), "nothing takes traces")
}

func TestReadsWithoutStore(t *testing.T) {
	c := startCollector(t, options{configure: func(cfg *Config) { cfg.Store, cfg.Storage = nil, nil }})
	require.NoError(t, putOne(t, c), "writes need no store")
	client := cloudwatch.NewFromConfig(c.aws())
	_, err := client.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
	message := requireAPIError(t, err, "NotImplemented", http.StatusNotImplemented)
	assert.Contains(t, message, `name one in the option "store" of the extension aws_api`)
	now := time.Now()
	_, err = client.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(now.Add(-time.Hour)), EndTime: &now, MetricDataQueries: []types.MetricDataQuery{query("q", "m", "Sum")},
	})
	requireAPIError(t, err, "NotImplemented", http.StatusNotImplemented)
	_, err = xray.NewFromConfig(c.aws()).BatchGetTraces(t.Context(), &xray.BatchGetTracesInput{TraceIds: []string{traceID(now, 1)}})
	requireAPIError(t, err, "NotImplemented", http.StatusNotImplemented)
	_, err = cloudwatchlogs.NewFromConfig(c.aws()).DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{})
	message = requireAPIError(t, err, "NotImplemented", http.StatusNotImplemented)
	assert.Contains(t, message, "logs:DescribeLogGroups")
}

// faultyStore fails writes of metrics.
type faultyStore struct {
	store.Store
	err error
}

func (s *faultyStore) WriteMetrics(context.Context, store.Tenant, []model.Datum) error { return s.err }

func TestPipelineErrors(t *testing.T) {
	s := &faultyStore{}
	c := startCollector(t, options{wrap: func(real store.Store) store.Store {
		s.Store = real
		return s
	}})
	s.err = store.ErrUnavailable
	requireAPIError(t, putOne(t, c), "ServiceUnavailable", http.StatusServiceUnavailable)
	s.err = errors.New("broken")
	requireAPIError(t, putOne(t, c), "InternalFailure", http.StatusInternalServerError)
	s.err = store.ErrClosed // passes, but is no shortage
	requireAPIError(t, putOne(t, c), "Throttling", http.StatusBadRequest)
	s.err = nil
	require.NoError(t, putOne(t, c))
}

// TestThrottling fills the only slot with a request that does not end, and sends others.
func TestThrottling(t *testing.T) {
	entered, leave := make(chan struct{}, 1), make(chan struct{})
	c := startCollector(t, options{
		configure: func(cfg *Config) { cfg.MaxConcurrentRequests = 1 },
		wrap: func(real store.Store) store.Store {
			return &waitingStore{Store: real, entered: entered, leave: leave}
		},
	})
	first := make(chan error)
	go func() { first <- putOne(t, c) }()
	<-entered

	requireAPIError(t, putOne(t, c), "Throttling", http.StatusBadRequest)
	_, err := cloudwatchlogs.NewFromConfig(c.aws()).DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{})
	requireAPIError(t, err, "ThrottlingException", http.StatusBadRequest)
	_, err = xray.NewFromConfig(c.aws()).GetSamplingRules(t.Context(), &xray.GetSamplingRulesInput{})
	requireAPIError(t, err, "ThrottledException", http.StatusTooManyRequests)
	_, err = sts.NewFromConfig(c.aws()).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	requireAPIError(t, err, "Throttling", http.StatusBadRequest)
	status, _ := c.post("application/x-www-form-urlencoded", "Action=GetCallerIdentity&Version=2011-06-15")
	assert.Equal(t, http.StatusServiceUnavailable, status, "unsigned: the service stands in the body, which is not read")

	close(leave)
	require.NoError(t, <-first)
	require.NoError(t, putOne(t, c), "the slot is free again")
}

type waitingStore struct {
	store.Store
	entered, leave chan struct{}
}

func (s *waitingStore) WriteMetrics(ctx context.Context, t store.Tenant, data []model.Datum) error {
	select {
	case s.entered <- struct{}{}:
	default:
	}
	<-s.leave
	return s.Store.WriteMetrics(ctx, t, data)
}

func TestTooLargeBody(t *testing.T) {
	c := startCollector(t, options{configure: func(cfg *Config) { cfg.MaxRequestBodySize = 10 }})
	status, _ := c.post("application/x-www-form-urlencoded", "Action=GetCallerIdentity&Version=2011-06-15")
	assert.Equal(t, http.StatusRequestEntityTooLarge, status)
}

func TestEndpointIsTaken(t *testing.T) {
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoint = taken.Listener.Addr().String()
	e, err := newExtension(extensiontest.NewNopSettings(metadata.Type), cfg, time.Now)
	require.NoError(t, err)
	require.ErrorContains(t, e.Start(t.Context(), componenttest.NewNopHost()), "listen on "+cfg.Endpoint)
	require.NoError(t, e.Shutdown(t.Context()))
	assert.Empty(t, e.Endpoint())
}

func TestStartFails(t *testing.T) {
	for name, c := range map[string]struct {
		configure func(*Config)
		want      string
	}{
		"no store":           {func(cfg *Config) { cfg.Store = &storeID }, `extension "store" not found`},
		"no storage":         {func(cfg *Config) { cfg.Storage = &storageID }, `extension "file_storage" not found`},
		"storage is a store": {func(cfg *Config) { cfg.Storage = &apiID }, "not a storage extension"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			cfg.Endpoint = "127.0.0.1:0"
			c.configure(cfg)
			e, err := newExtension(extensiontest.NewNopSettings(metadata.Type), cfg, time.Now)
			require.NoError(t, err)
			require.ErrorContains(t, e.Start(t.Context(), host{apiID: &storeExtension{}}), c.want)
			require.NoError(t, e.Shutdown(t.Context()))
		})
	}
}

// reportingHost keeps what components say of themselves.
type reportingHost struct {
	host
	events chan *componentstatus.Event
}

func (h *reportingHost) Report(e *componentstatus.Event) { h.events <- e }

func TestServerDies(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoint = "127.0.0.1:0"
	e, err := newExtension(extensiontest.NewNopSettings(metadata.Type), cfg, time.Now)
	require.NoError(t, err)
	h := &reportingHost{events: make(chan *componentstatus.Event, 1)}
	require.NoError(t, e.Start(t.Context(), h))
	require.NoError(t, e.Ready())
	require.NoError(t, e.server.listener.Close())
	event := <-h.events
	assert.Equal(t, componentstatus.StatusFatalError, event.Status())
	require.ErrorIs(t, event.Err(), net.ErrClosed)
	require.NoError(t, e.Shutdown(t.Context()))
}

func TestSelfMetrics(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoint = "127.0.0.1:0"
	set := extensiontest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	e, err := newExtension(set, cfg, time.Now)
	require.NoError(t, err)
	c := &collector{t: t, host: host{}, api: e}
	c.start(e)
	require.Error(t, putOne(t, c))
	_, err = cloudwatch.NewFromConfig(c.aws()).DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
	requireAPIError(t, err, "NotImplemented", http.StatusNotImplemented)

	sum := func(name string) map[string]int64 {
		t.Helper()
		m, err := tel.GetMetric(name)
		require.NoError(t, err)
		out := make(map[string]int64)
		for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
			out[p.Attributes.Encoded(attribute.DefaultEncoder())] += p.Value
		}
		return out
	}
	assert.Equal(t, map[string]int64{
		"code=ServiceUnavailable,operation=PutMetricData,service=monitoring": 1,
		"code=NotImplemented,operation=DescribeAlarms,service=monitoring":    1,
	}, sum("otelcol_extension_aws_api_requests"))
	assert.Equal(t, map[string]int64{"operation=DescribeAlarms,service=monitoring": 1}, sum("otelcol_extension_aws_api_unimplemented"))
	assert.Equal(t, map[string]int64{"outcome=no_pipeline,signal=metrics": 1}, sum("otelcol_extension_aws_api_writes"))
	_, err = tel.GetMetric("otelcol_extension_aws_api_request_duration")
	require.NoError(t, err)
}

var _ component.Host = (*reportingHost)(nil)

// TestTLS speaks https with a certificate of its own.
func TestTLS(t *testing.T) {
	maker := httptest.NewUnstartedServer(nil) // knows how to make a certificate
	maker.StartTLS()
	defer maker.Close()
	certificate := maker.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoint = "127.0.0.1:0"
	cfg.TLS = configoptional.Some(configtls.ServerConfig{Config: configtls.Config{
		CertPem: configopaque.String(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})),
		KeyPem:  configopaque.String(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})),
	}})
	e, err := newExtension(extensiontest.NewNopSettings(metadata.Type), cfg, time.Now)
	require.NoError(t, err)
	c := &collector{t: t, host: host{}, api: e}
	c.start(e)

	client := c.aws()
	client.HTTPClient = maker.Client()
	client.BaseEndpoint = aws.String("https://" + e.Endpoint())
	_, err = sts.NewFromConfig(client).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	require.NoError(t, err)
	maker.Client().CloseIdleConnections()

	cfg.TLS = configoptional.Some(configtls.ServerConfig{Config: configtls.Config{CertPem: "x", KeyPem: "y"}})
	e, err = newExtension(extensiontest.NewNopSettings(metadata.Type), cfg, time.Now)
	require.NoError(t, err)
	require.ErrorContains(t, e.Start(t.Context(), host{}), "tls:")
	require.NoError(t, e.Shutdown(t.Context()))
}

// TestShutdownIsBounded checks that a request that does not end holds up the shutdown no longer than its context.
func TestShutdownIsBounded(t *testing.T) {
	entered, leave := make(chan struct{}, 1), make(chan struct{})
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoint = "127.0.0.1:0"
	e, err := newExtension(extensiontest.NewNopSettings(metadata.Type), cfg, time.Now)
	require.NoError(t, err)
	c := &collector{t: t, host: host{}, api: e}
	require.NoError(t, e.Start(t.Context(), c.host))
	require.NoError(t, e.Ready())
	waiting, err := consumer.NewMetrics(func(context.Context, pmetric.Metrics) error {
		entered <- struct{}{}
		<-leave
		return nil
	})
	require.NoError(t, err)
	_, err = e.RegisterMetrics(waiting)
	require.NoError(t, err)
	put := make(chan error)
	go func() { put <- putOne(t, c) }()
	<-entered
	server := e.server
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, e.Shutdown(ctx), context.Canceled)
	require.Error(t, <-put)
	close(leave)
	require.NoError(t, server.handler.wait(t.Context()))
}

// TestWebPages checks that pages of other sites cannot use an endpoint that asks for no signatures.
func TestWebPages(t *testing.T) {
	const body = "/?Action=GetCallerIdentity&Version=2011-06-15"
	for name, c := range map[string]struct {
		headers map[string]string
		open    int
	}{
		"an SDK":                 {nil, http.StatusOK},
		"the same origin":        {map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:4566"}, http.StatusOK},
		"typed by the user":      {map[string]string{"Sec-Fetch-Site": "none"}, http.StatusOK},
		"another site":           {map[string]string{"Sec-Fetch-Site": "cross-site"}, http.StatusForbidden},
		"another origin":         {map[string]string{"Origin": "http://evil.example"}, http.StatusForbidden},
		"an origin without name": {map[string]string{"Origin": "null"}, http.StatusForbidden},
		"the old same origin":    {map[string]string{"Origin": "http://localhost:4566"}, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				cfg := createDefaultConfig().(*Config)
				e, err := newExtension(extensiontest.NewNopSettings(metadata.Type), cfg, time.Now)
				require.NoError(t, err)
				e.services, err = e.openServices(t.Context(), host{})
				require.NoError(t, err)
				h, err := e.newHandler(e.services.wire)
				require.NoError(t, err)
				r := httptest.NewRequestWithContext(t.Context(), method, "http://localhost:4566"+body, nil)
				for k, v := range c.headers {
					r.Header.Set(k, v)
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				assert.Equal(t, c.open, w.Code, method)
				require.NoError(t, e.Shutdown(t.Context()))
			}
		})
	}
}

// TestHosts checks that a web site whose name was made to mean this machine cannot use an endpoint that asks for no
// signatures.
func TestHosts(t *testing.T) {
	for _, mode := range []AuthMode{AuthModeOff, AuthModeStrict} {
		cfg := createDefaultConfig().(*Config)
		cfg.Auth.Mode = mode
		e, err := newExtension(extensiontest.NewNopSettings(metadata.Type), cfg, time.Now)
		require.NoError(t, err)
		e.services, err = e.openServices(t.Context(), host{})
		require.NoError(t, err)
		h, err := e.newHandler(e.services.wire)
		require.NoError(t, err)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://evil.example/?Action=GetCallerIdentity&Version=2011-06-15", nil))
		assert.Equal(t, http.StatusForbidden, w.Code)
		assert.Equal(t, mode == AuthModeOff, strings.Contains(w.Body.String(), "local names only"), w.Body.String())
		require.NoError(t, e.Shutdown(t.Context()))
	}
}
