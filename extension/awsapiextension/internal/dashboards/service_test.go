// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/smithy-go"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/nephoscope/nephoscope/internal/awsservice"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

const testAccount = "123456789012"

// testNow is 2025-11-21T10:00:00.5Z.
var testNow = time.Date(2025, 11, 21, 10, 0, 0, 5e8, time.UTC)

// clock is a clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// fixture is the service with the client of the AWS SDK before it.
type fixture struct {
	*testing.T
	*cw.Client
	clock   *clock
	state   storage.Client
	set     Settings
	service *Service
	url     string
	http    *http.Client
	server  *httptest.Server
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{T: t, clock: &clock{now: testNow}, state: newState(t, t.TempDir())}
	f.set = Settings{State: f.state, Now: f.clock.Now}
	f.open()
	return f
}

// open starts the service, and again after a restart.
func (f *fixture) open() {
	f.Helper()
	service, err := New(f.Context(), f.set)
	require.NoError(f, err)
	f.service = service
	w := awswire.NewService("monitoring")
	service.AddTo(w)
	awsservice.HandleMonitoringTags(w, service)
	mux, err := awswire.NewMux(awswire.MuxSettings{Services: []*awswire.Service{w}})
	require.NoError(f, err)
	if f.server != nil {
		f.server.Close()
	}
	f.server = httptest.NewServer(mux)
	f.Cleanup(f.server.Close)
	f.url, f.http = f.server.URL, &http.Client{Transport: &http.Transport{}}
	f.Cleanup(f.http.CloseIdleConnections)
	f.Client = f.client("us-east-1")
}

// client is a client of a region.
func (f *fixture) client(region string) *cw.Client {
	return cw.NewFromConfig(aws.Config{
		Region: region, BaseEndpoint: &f.url, HTTPClient: f.http,
		Credentials: credentials.NewStaticCredentialsProvider(testAccount, "secret", ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	})
}

func newState(t *testing.T, dir string) storage.Client {
	t.Helper()
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = dir
	require.NoError(t, cfg.Validate())
	ext, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, ext.Start(t.Context(), componenttest.NewNopHost()))
	client, err := ext.(storage.Extension).GetClient(t.Context(), component.KindExtension, component.MustNewID("aws_api"), "dashboards")
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		assert.NoError(t, client.Close(ctx))
		assert.NoError(t, ext.Shutdown(ctx))
	})
	return client
}

// put puts a dashboard and returns its warnings.
func (f *fixture) put(name, body string) []string {
	f.Helper()
	out, err := f.PutDashboard(f.Context(), &cw.PutDashboardInput{DashboardName: &name, DashboardBody: &body})
	require.NoError(f, err)
	list := []string{}
	for _, m := range out.DashboardValidationMessages {
		list = append(list, *m.DataPath+" "+*m.Message)
	}
	return list
}

func (f *fixture) names(prefix string) []string {
	f.Helper()
	in := &cw.ListDashboardsInput{}
	if prefix != "" {
		in.DashboardNamePrefix = &prefix
	}
	list := []string{}
	p := cw.NewListDashboardsPaginator(f.Client, in)
	for p.HasMorePages() {
		out, err := p.NextPage(f.Context())
		require.NoError(f, err)
		for _, e := range out.DashboardEntries {
			list = append(list, *e.DashboardName)
		}
	}
	return list
}

// wantError checks an error's code and message.
func wantError(tb testing.TB, err error, code, message string) {
	tb.Helper()
	var e smithy.APIError
	if assert.ErrorAs(tb, err, &e) {
		assert.Equal(tb, code, e.ErrorCode())
		assert.Equal(tb, message, e.ErrorMessage())
	}
}
