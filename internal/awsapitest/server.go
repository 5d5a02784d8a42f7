// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package awsapitest runs the product's own AWS endpoint over a store, for tests of what speaks to AWS.
package awsapitest

import (
	"context"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"

	"github.com/nephoscope/nephoscope/exporter/storeexporter"
	"github.com/nephoscope/nephoscope/extension/awsapiextension"
	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/internal/store/duckdb"
	"github.com/nephoscope/nephoscope/receiver/awsapireceiver"
)

// Account and Region are those that Server's clients sign with.
const (
	Account = "123456789012"
	Region  = "eu-west-1"
)

// Server is an endpoint with pipelines into a store.
type Server struct {
	// URL is the endpoint's address.
	URL string
	// Client is the HTTP client of Config; its connections are closed at the end.
	Client *http.Client

	tb   testing.TB
	host host
	// Metrics is the exporter that the store's metrics go to.
	Metrics consumer.Metrics
}

type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

type storeExtension struct {
	component.StartFunc
	component.ShutdownFunc
	store store.Store
}

func (e *storeExtension) Store() store.Store { return e.store }

// Options change a server.
type Options struct {
	// LogsTo makes a consumer that gets the logs, too, such as a connector whose metrics go to the store.
	LogsTo func(metrics consumer.Metrics) consumer.Logs
	// Configure changes the endpoint.
	Configure func(*awsapiextension.Config)
}

// Start starts a server, which ends with the test.
func Start(tb testing.TB, opts Options) *Server {
	tb.Helper()
	engine, err := duckdb.Open(tb.Context(), duckdb.Config{Directory: tb.TempDir(), MinFreeDisk: -1})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, engine.Close()) })
	storeID, storageID := component.MustNewID("store"), component.MustNewID("file_storage")
	s := &Server{tb: tb, host: host{storeID: &storeExtension{store: engine}}, Client: &http.Client{Transport: &http.Transport{}}}
	tb.Cleanup(s.Client.CloseIdleConnections)

	files := filestorage.NewFactory()
	filesConfig := files.CreateDefaultConfig().(*filestorage.Config)
	filesConfig.Directory = tb.TempDir()
	storage, err := files.Create(tb.Context(), extensiontest.NewNopSettings(files.Type()), filesConfig)
	require.NoError(tb, err)
	s.start(storage)
	s.host[storageID] = storage

	f := awsapiextension.NewFactory()
	cfg := f.CreateDefaultConfig().(*awsapiextension.Config)
	cfg.Endpoint, cfg.Store, cfg.Storage = "127.0.0.1:0", &storeID, &storageID
	if opts.Configure != nil {
		opts.Configure(cfg)
	}
	set := extensiontest.NewNopSettings(f.Type())
	set.ID = component.NewID(f.Type())
	api, err := f.Create(tb.Context(), set, cfg)
	require.NoError(tb, err)
	s.start(api)
	s.host[set.ID] = api
	s.URL = "http://" + api.(interface{ Endpoint() string }).Endpoint()
	s.startPipelines(storeID, opts)
	return s
}

func (s *Server) start(x component.Component) {
	require.NoError(s.tb, x.Start(s.tb.Context(), s.host))
	if w, ok := x.(extensioncapabilities.PipelineWatcher); ok {
		require.NoError(s.tb, w.Ready())
	}
	s.tb.Cleanup(func() { require.NoError(s.tb, x.Shutdown(context.Background())) })
}

func (s *Server) startPipelines(storeID component.ID, opts Options) {
	ctx := s.tb.Context()
	exporters := storeexporter.NewFactory()
	cfg := exporters.CreateDefaultConfig().(*storeexporter.Config)
	cfg.Store = storeID
	set := exportertest.NewNopSettings(exporters.Type())
	logs, err := exporters.CreateLogs(ctx, set, cfg)
	require.NoError(s.tb, err)
	metrics, err := exporters.CreateMetrics(ctx, set, cfg)
	require.NoError(s.tb, err)
	s.Metrics = metrics
	var logsTo consumer.Logs = logs
	if opts.LogsTo != nil {
		logsTo = fanout{logs, opts.LogsTo(metrics)}
	}

	receivers := awsapireceiver.NewFactory()
	receiverSet := receivertest.NewNopSettings(receivers.Type())
	logsReceiver, err := receivers.CreateLogs(ctx, receiverSet, receivers.CreateDefaultConfig(), logsTo)
	require.NoError(s.tb, err)
	metricsReceiver, err := receivers.CreateMetrics(ctx, receiverSet, receivers.CreateDefaultConfig(), metrics)
	require.NoError(s.tb, err)
	for _, x := range []component.Component{logs, metrics, logsReceiver, metricsReceiver} {
		s.start(x)
	}
}

// Config is the configuration of an SDK's client, which tries once.
func (s *Server) Config() aws.Config {
	return aws.Config{
		Region: Region, BaseEndpoint: aws.String(s.URL), HTTPClient: s.Client,
		Credentials: credentials.NewStaticCredentialsProvider(Account, "secret", ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
}
