// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/smithy-go"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap/zaptest"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/internal/store/duckdb"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

const (
	testAccount = "123456789012"
	testRegion  = "eu-west-1"
)

var testTenant = store.Tenant{Account: testAccount, Region: testRegion}

// testTenantOf is the tenant of hang.
func testTenantOf(n int) store.Tenant {
	return store.Tenant{Account: fmt.Sprintf("%012d", n), Region: testRegion}
}

// testClock is 2025-11-21T10:00:00Z until it is moved.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func newTestClock() *testClock {
	return &testClock{now: time.Date(2025, 11, 21, 10, 0, 0, 123e6, time.UTC)}
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) ms() int64 { return c.Now().UnixMilli() }

func (c *testClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// fixture is the service over a real store and storage, with the client of the AWS SDK before it.
type fixture struct {
	*testing.T
	*api.Client
	clock   *testClock
	db      *duckdb.Engine
	state   storage.Client
	service *Service
	url     string
	// consume, when set, stands for the pipeline in place of the store.
	consume func(context.Context, plog.Logs) error
	close   func()
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{T: t, clock: newTestClock()}
	db, err := duckdb.Open(t.Context(), duckdb.Config{
		Directory: t.TempDir(), MemoryLimit: 128 << 20, MinFreeDisk: -1, Now: f.clock.Now, Logger: zaptest.NewLogger(t),
	})
	require.NoError(t, err)
	f.db = db
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	f.state = newState(t, t.TempDir())
	f.open()
	return f
}

// newState returns a client of the collector's file storage.
func newState(t *testing.T, dir string) storage.Client {
	t.Helper()
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = dir
	require.NoError(t, cfg.Validate())
	ext, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, ext.Start(t.Context(), componenttest.NewNopHost()))
	client, err := ext.(storage.Extension).GetClient(t.Context(), component.KindExtension, component.MustNewID("aws_api"), "logs")
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		assert.NoError(t, client.Close(ctx))
		assert.NoError(t, ext.Shutdown(ctx))
	})
	return client
}

// open starts the service, and again after a restart.
func (f *fixture) open() {
	f.Helper()
	if f.close != nil {
		f.close()
	}
	service, err := New(Settings{
		Store: f.db, State: f.state, Now: f.clock.Now, Logger: zaptest.NewLogger(f.T),
		Consume: func(ctx context.Context, ld plog.Logs) error {
			if f.consume != nil {
				return f.consume(ctx, ld)
			}
			return f.write(ctx, ld)
		},
	})
	require.NoError(f, err)
	f.service = service
	mux, err := awswire.NewMux(awswire.MuxSettings{
		Services: []*awswire.Service{service.Wire()}, Logger: zaptest.NewLogger(f.T), Now: f.clock.Now,
		Authenticator: awswire.NewAuthenticator(awswire.AuthenticatorSettings{Account: testAccount, Region: testRegion}),
	})
	require.NoError(f, err)
	server := httptest.NewServer(mux)
	f.url = server.URL
	// The SDK puts stream- before the host of a live tail, so every name leads to the server.
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}}
	f.Client = api.New(api.Options{
		Region: testRegion, BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", ""),
		HTTPClient: &bodyKeeper{transport}, Retryer: aws.NopRetryer{},
	})
	var once sync.Once
	f.close = func() {
		once.Do(func() {
			transport.CloseIdleConnections()
			server.Close()
			assert.NoError(f, service.Shutdown(context.WithoutCancel(f.Context())))
		})
	}
	f.Cleanup(f.close)
}

// bodyKeeper sends a copy of a request's body. The SDK closes the body as soon as it has the response's header; when
// the connection has not yet seen the body's end by then, it breaks, and with it an event stream.
type bodyKeeper struct {
	transport http.RoundTripper
}

func (k *bodyKeeper) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return k.transport.RoundTrip(r)
}

// write is what the store exporter does.
func (f *fixture) write(ctx context.Context, ld plog.Logs) error {
	events, report := cloudwatchlogs.FromLogs(ld, cloudwatchlogs.FromOptions{
		DefaultAccount: testAccount, DefaultRegion: testRegion, Now: f.clock.ms(),
	})
	if err := report.Err(); err != nil {
		return err
	}
	records := make([]store.LogRecord, len(events))
	for i, e := range events {
		records[i] = store.LogRecord{
			Tenant: store.Tenant{Account: e.Account, Region: e.Region}, Group: e.Group, Stream: e.Stream,
			Timestamp: e.Timestamp, Ingested: e.Ingested, Message: e.Message,
			Level: e.Level, Service: e.Service, TraceID: e.TraceID, SpanID: e.SpanID, DurationMs: e.DurationMs, Status: e.Status,
		}
	}
	return f.db.WriteLogs(ctx, records)
}

// otlp writes a record into a group as a pipeline of another receiver would.
func (f *fixture) otlp(group, stream, body string, at int64) {
	f.Helper()
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutEmptySlice("aws.log.group.names").AppendEmpty().SetStr(group)
	rl.Resource().Attributes().PutEmptySlice("aws.log.stream.names").AppendEmpty().SetStr(stream)
	r := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	r.Body().SetStr(body)
	r.SetTimestamp(plogTime(at))
	require.NoError(f, f.write(f.Context(), ld))
}

func (f *fixture) createGroup(name string) {
	f.Helper()
	_, err := f.CreateLogGroup(f.Context(), &api.CreateLogGroupInput{LogGroupName: &name})
	require.NoError(f, err)
}

func (f *fixture) createStream(group, name string) {
	f.Helper()
	_, err := f.CreateLogStream(f.Context(), &api.CreateLogStreamInput{LogGroupName: &group, LogStreamName: &name})
	require.NoError(f, err)
}

// put puts events now, each with its message only.
func (f *fixture) put(group, stream string, messages ...string) {
	f.Helper()
	var events []types.InputLogEvent
	for _, m := range messages {
		events = append(events, types.InputLogEvent{Timestamp: new(f.clock.ms()), Message: new(m)})
	}
	_, err := f.PutLogEvents(f.Context(), &api.PutLogEventsInput{LogGroupName: &group, LogStreamName: &stream, LogEvents: events})
	require.NoError(f, err)
}

// messages reads a group with FilterLogEvents.
func (f *fixture) messages(group string) []string {
	f.Helper()
	out, err := f.FilterLogEvents(f.Context(), &api.FilterLogEventsInput{LogGroupName: &group})
	require.NoError(f, err)
	require.Nil(f, out.NextToken)
	list := []string{}
	for _, e := range out.Events {
		list = append(list, *e.Message)
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

func TestNew(t *testing.T) {
	_, err := New(Settings{})
	require.ErrorContains(t, err, "a storage client is required")
	_, err = New(Settings{State: storage.NewNopClient()})
	require.ErrorContains(t, err, "a consumer and a clock are required")
}

// Without a store, groups and streams are kept and events pass through; reading is refused.
func TestWithoutStore(t *testing.T) {
	got := 0
	s, err := New(Settings{
		State: newState(t, t.TempDir()), Now: newTestClock().Now,
		Consume: func(_ context.Context, ld plog.Logs) error { got += ld.LogRecordCount(); return nil },
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Shutdown(t.Context())) }()
	ctx := awswire.WithRequest(t.Context(), &awswire.Request{Account: testAccount, Region: testRegion})
	require.NoError(t, s.createLogGroup(ctx, &api.CreateLogGroupInput{LogGroupName: new("g")}))
	require.NoError(t, s.createLogStream(ctx, &api.CreateLogStreamInput{LogGroupName: new("g"), LogStreamName: new("s")}))
	_, err = s.putLogEvents(ctx, &api.PutLogEventsInput{
		LogGroupName: new("g"), LogStreamName: new("s"), LogEvents: []types.InputLogEvent{{Timestamp: new(newTestClock().ms()), Message: new("x")}},
	})
	require.NoError(t, err)
	assert.Equal(t, 1, got)
	groups, err := s.describeLogGroups(ctx, &api.DescribeLogGroupsInput{})
	require.NoError(t, err)
	assert.Len(t, groups.LogGroups, 1)
	streams, err := s.describeLogStreams(ctx, &api.DescribeLogStreamsInput{LogGroupName: new("g")})
	require.NoError(t, err)
	assert.Len(t, streams.LogStreams, 1)
	_, err = s.getLogEvents(ctx, &api.GetLogEventsInput{LogGroupName: new("g"), LogStreamName: new("s")})
	var e *awswire.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "NotImplemented", e.Code)
	require.NoError(t, s.deleteLogStream(ctx, &api.DeleteLogStreamInput{LogGroupName: new("g"), LogStreamName: new("s")}))
	require.NoError(t, s.deleteLogGroup(ctx, &api.DeleteLogGroupInput{LogGroupName: new("g")}))
	require.ErrorIs(t, s.deleteLogGroup(ctx, &api.DeleteLogGroupInput{LogGroupName: new("g")}), errNoGroup)
	_, err = s.putLogEvents(t.Context(), &api.PutLogEventsInput{})
	require.ErrorContains(t, err, "no request in the context")
}

func TestStorageErrors(t *testing.T) {
	require.NoError(t, storageError("x", nil))
	for _, c := range []struct {
		err  error
		code string
	}{
		{store.ErrUnavailable, "ServiceUnavailableException"},
		{store.ErrClosed, "ServiceUnavailableException"},
		{storage.ErrStorageFull, "ServiceUnavailableException"},
		{errNoGroup, "ResourceNotFoundException"},
	} {
		var e *awswire.Error
		require.ErrorAs(t, storageError("x", c.err), &e)
		assert.Equal(t, c.code, e.Code)
	}
	require.ErrorIs(t, storageError("x", context.Canceled), context.Canceled)
	assert.EqualError(t, storageError("write", errors.New("broken")), "write: broken")
}
