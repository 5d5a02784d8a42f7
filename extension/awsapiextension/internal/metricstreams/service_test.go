// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricstreams

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
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
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/metricstream"
)

const (
	testAccount = "123456789012"
	firehose    = "arn:aws:firehose:us-east-1:123456789012:deliverystream/metrics"
	role        = "arn:aws:iam::123456789012:role/stream"
)

// testNow is 10 s into a minute.
var testNow = time.Date(2025, 11, 21, 10, 0, 10, 0, time.UTC)

// fakeMetrics have a bucket in every minute; the value is the minute's number.
type fakeMetrics struct {
	metrics []cloudwatch.Metric
}

func (f *fakeMetrics) ListMetrics(_ context.Context, filter cloudwatch.MetricFilter, after *cloudwatch.Metric, limit int) ([]cloudwatch.Metric, error) {
	var list []cloudwatch.Metric
	for _, m := range f.metrics {
		if (filter.Namespace == "" || filter.Namespace == m.Namespace) && (after == nil || cloudwatch.CompareMetrics(&m, after) > 0) && len(list) < limit {
			list = append(list, m)
		}
	}
	return list, nil
}

func (*fakeMetrics) QueryMetrics(_ context.Context, queries []cloudwatch.MetricQuery) ([][]cloudwatch.Bucket, error) {
	out := make([][]cloudwatch.Bucket, len(queries))
	for i, q := range queries {
		v := float64(q.Start / 60 % 60)
		b := cloudwatch.Bucket{Start: q.Start, Unit: "Count", StatisticSet: cloudwatch.StatisticSet{SampleCount: 2, Sum: 2 * v, Minimum: v, Maximum: v}}
		if q.Distribution {
			d := &cloudwatch.Distribution{}
			d.Add(v, 2)
			b.Distribution = d
		}
		out[i] = append(out[i], b)
	}
	return out, nil
}

// destination is an HTTP endpoint of Firehose that keeps what it gets.
type destination struct {
	mu       sync.Mutex
	format   metricstream.Format
	points   []metricstream.Point
	requests int
	largest  int // bytes of a record
	headers  http.Header
	refuse   bool
	fail     int    // the number of the request that is refused
	redirect string // where it sends to
	during   func() // is called once
}

func (d *destination) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests++
	d.headers = r.Header
	if d.redirect != "" {
		http.Redirect(w, r, d.redirect, http.StatusPermanentRedirect)
		return
	}
	if d.during != nil {
		d.during()
		d.during = nil
	}
	if d.refuse || d.requests == d.fail {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"errorMessage":"busy"}`))
		return
	}
	var got delivery
	if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for _, record := range got.Records {
		d.largest = max(d.largest, len(record.Data))
		points, err := metricstream.Decode(d.format, record.Data)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		d.points = append(d.points, points...)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"requestId": got.RequestID, "timestamp": got.Timestamp})
}

// names are namespace/metric@minute of the points that came since the last call.
func (d *destination) names() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []string
	for _, p := range d.points {
		list = append(list, p.Metric.Namespace+"/"+p.Metric.Name+time.UnixMilli(p.TimestampMs).UTC().Format("@15:04"))
	}
	d.points = nil
	slices.Sort(list)
	return list
}

type fixture struct {
	*testing.T
	*cw.Client
	mu      sync.Mutex
	now     time.Time
	set     Settings
	service *Service
	dest    *destination
	metrics *fakeMetrics
	server  *httptest.Server
	http    *http.Client
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{T: t, now: testNow, dest: &destination{format: metricstream.FormatJSON}, metrics: &fakeMetrics{}}
	for _, m := range []string{"A/one", "A/two", "B/one"} {
		namespace, name, _ := strings.Cut(m, "/")
		f.metrics.metrics = append(f.metrics.metrics, cloudwatch.Metric{Namespace: namespace, Name: name})
	}
	there := httptest.NewServer(f.dest)
	t.Cleanup(there.Close)
	f.http = &http.Client{Transport: &http.Transport{}}
	t.Cleanup(f.http.CloseIdleConnections)
	f.set = Settings{
		State: newState(t), Metrics: f.metrics, Delay: 30 * time.Second, Client: f.http,
		Destinations: map[string]Destination{firehose: {URL: there.URL, AccessKey: "secret"}},
		Now: func() time.Time {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.now
		},
	}
	f.open()
	return f
}

func (f *fixture) open() {
	f.Helper()
	var err error
	f.service, err = New(f.Context(), f.set)
	require.NoError(f, err)
	w := awswire.NewService("monitoring")
	f.service.AddTo(w)
	awsservice.HandleMonitoringTags(w, f.service)
	mux, err := awswire.NewMux(awswire.MuxSettings{Services: []*awswire.Service{w}})
	require.NoError(f, err)
	if f.server != nil {
		f.server.Close()
	}
	f.server = httptest.NewServer(mux)
	f.Cleanup(f.server.Close)
	f.Client = cw.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: &f.server.URL, HTTPClient: f.http,
		Credentials: credentials.NewStaticCredentialsProvider(testAccount, "secret", ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	})
}

func newState(t *testing.T) storage.Client {
	t.Helper()
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = t.TempDir()
	ext, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, ext.Start(t.Context(), componenttest.NewNopHost()))
	client, err := ext.(storage.Extension).GetClient(t.Context(), component.KindExtension, component.MustNewID("aws_api"), "metric_streams")
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		assert.NoError(t, client.Close(ctx))
		assert.NoError(t, ext.Shutdown(ctx))
	})
	return client
}

// after moves the clock and delivers what is due then.
func (f *fixture) after(d time.Duration) []string {
	f.Helper()
	f.mu.Lock()
	f.now = f.now.Add(d)
	f.mu.Unlock()
	f.service.Deliver(f.Context())
	return f.dest.names()
}

func input(edit func(*cw.PutMetricStreamInput)) *cw.PutMetricStreamInput {
	in := &cw.PutMetricStreamInput{Name: new("s"), FirehoseArn: new(firehose), RoleArn: new(role), OutputFormat: types.MetricStreamOutputFormatJson}
	if edit != nil {
		edit(in)
	}
	return in
}

func (f *fixture) put(edit func(*cw.PutMetricStreamInput)) {
	f.Helper()
	_, err := f.PutMetricStream(f.Context(), input(edit))
	require.NoError(f, err)
}

func wantError(tb testing.TB, err error, code, message string) {
	tb.Helper()
	var e smithy.APIError
	if assert.ErrorAs(tb, err, &e) {
		assert.Equal(tb, code, e.ErrorCode())
		assert.Equal(tb, message, e.ErrorMessage())
	}
}
