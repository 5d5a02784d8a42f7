// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"

	"github.com/nephoscope/nephoscope/exporter/storeexporter"
	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/metadata"
	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/internal/store/duckdb"
	"github.com/nephoscope/nephoscope/receiver/awsapireceiver"
)

var (
	apiID     = component.NewID(metadata.Type)
	storeID   = component.MustNewID("store")
	storageID = component.MustNewID("file_storage")
)

// host is a collector's host with the given extensions.
type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

// storeExtension holds an open store, as the store extension does.
type storeExtension struct {
	component.StartFunc
	component.ShutdownFunc
	store store.Store
}

func (e *storeExtension) Store() store.Store { return e.store }

// collector is what a configuration with the endpoint, a store and pipelines from one to the other comes to.
type collector struct {
	t      testing.TB
	host   host
	api    *awsAPI
	engine *duckdb.Engine
}

type options struct {
	configure func(*Config)
	// noPipelines leaves the receivers out.
	noPipelines bool
	// wrap changes the store that the pipelines write to.
	wrap func(store.Store) store.Store
}

func startCollector(tb testing.TB, opt options) *collector {
	tb.Helper()
	engine, err := duckdb.Open(tb.Context(), duckdb.Config{Directory: tb.TempDir(), MinFreeDisk: -1})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, engine.Close()) })
	c := &collector{t: tb, engine: engine, host: host{storeID: &storeExtension{store: engine}}}

	files := filestorage.NewFactory()
	filesConfig := files.CreateDefaultConfig().(*filestorage.Config)
	filesConfig.Directory = tb.TempDir()
	storage, err := files.Create(tb.Context(), extensiontest.NewNopSettings(files.Type()), filesConfig)
	require.NoError(tb, err)
	c.start(storage)
	c.host[storageID] = storage

	f := NewFactory()
	cfg := f.CreateDefaultConfig().(*Config)
	cfg.Endpoint, cfg.Store, cfg.Storage = "127.0.0.1:0", &storeID, &storageID
	if opt.configure != nil {
		opt.configure(cfg)
	}
	set := extensiontest.NewNopSettings(metadata.Type)
	set.ID = apiID
	api, err := f.Create(tb.Context(), set, cfg)
	require.NoError(tb, err)
	c.start(api)
	c.host[apiID], c.api = api, api.(*awsAPI)
	if !opt.noPipelines {
		c.startPipelines(opt)
	}
	return c
}

func (c *collector) start(x component.Component) {
	require.NoError(c.t, x.Start(c.t.Context(), c.host))
	if w, ok := x.(extensioncapabilities.PipelineWatcher); ok {
		require.NoError(c.t, w.Ready())
	}
	c.t.Cleanup(func() { require.NoError(c.t, x.Shutdown(context.Background())) })
}

func (c *collector) startPipelines(opt options) {
	t, ctx := c.t, c.t.Context()
	exporters := storeexporter.NewFactory()
	exporterConfig := exporters.CreateDefaultConfig().(*storeexporter.Config)
	exporterConfig.Store = storeID
	if opt.wrap != nil {
		exporterConfig.Store = component.MustNewIDWithName("store", "wrapped")
		c.host[exporterConfig.Store] = &storeExtension{store: opt.wrap(c.engine)}
	}
	exporterSettings := exportertest.NewNopSettings(exporters.Type())
	logs, err := exporters.CreateLogs(ctx, exporterSettings, exporterConfig)
	require.NoError(t, err)
	metrics, err := exporters.CreateMetrics(ctx, exporterSettings, exporterConfig)
	require.NoError(t, err)
	traces, err := exporters.CreateTraces(ctx, exporterSettings, exporterConfig)
	require.NoError(t, err)

	receivers := awsapireceiver.NewFactory()
	receiverConfig := receivers.CreateDefaultConfig()
	receiverSettings := receivertest.NewNopSettings(receivers.Type())
	logsReceiver, err := receivers.CreateLogs(ctx, receiverSettings, receiverConfig, logs)
	require.NoError(t, err)
	metricsReceiver, err := receivers.CreateMetrics(ctx, receiverSettings, receiverConfig, metrics)
	require.NoError(t, err)
	tracesReceiver, err := receivers.CreateTraces(ctx, receiverSettings, receiverConfig, traces)
	require.NoError(t, err)
	for _, x := range []component.Component{logs, metrics, traces, logsReceiver, metricsReceiver, tracesReceiver} {
		c.start(x)
	}
}

func (c *collector) url() string { return "http://" + c.api.Endpoint() }

// aws is the configuration of an SDK's client, which tries once.
func (c *collector) aws() aws.Config {
	client := &http.Client{Transport: wholeBodies{&http.Transport{}}}
	c.t.Cleanup(client.CloseIdleConnections)
	return aws.Config{
		Region:       "eu-west-1",
		BaseEndpoint: aws.String(c.url()),
		Credentials:  credentials.NewStaticCredentialsProvider("123456789012", "secret", ""),
		HTTPClient:   client,
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
	}
}

// wholeBodies sends a copy of each request's body. The SDK may close the body that it made as soon as the answer begins,
// and a transport that still looks for its end then drops the connection.
type wholeBodies struct{ *http.Transport }

func (w wholeBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return w.Transport.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return w.Transport.RoundTrip(r)
}

// minuteAgo is a whole minute that has passed.
func minuteAgo() time.Time { return time.Now().UTC().Truncate(time.Minute).Add(-time.Minute) }

// post sends an unsigned request.
func (c *collector) post(contentType, body string) (status int, answer string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.url()+"/", strings.NewReader(body))
	require.NoError(c.t, err)
	req.Header.Set("Content-Type", contentType)
	resp, err := c.aws().HTTPClient.Do(req)
	require.NoError(c.t, err)
	defer func() { require.NoError(c.t, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	return resp.StatusCode, string(text)
}
