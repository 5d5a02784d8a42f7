// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awscloudwatchexporter

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/nephoscope/nephoscope/exporter/awscloudwatchexporter/internal/metadata"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

const testStart = 1735689600 // Unix seconds, a whole hour

var errTest = errors.New("test")

// clock is a time that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) get() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(seconds float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = time.UnixMilli(int64(seconds * 1000))
}

// fakeCloudWatch keeps what is put, unless answer refuses it.
type fakeCloudWatch struct {
	mu     sync.Mutex
	calls  []*api.PutMetricDataInput
	answer func(*api.PutMetricDataInput) error
}

func (f *fakeCloudWatch) PutMetricData(
	_ context.Context, in *api.PutMetricDataInput, _ ...func(*api.Options),
) (*api.PutMetricDataOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.answer != nil {
		if err := f.answer(in); err != nil {
			return nil, err
		}
	}
	f.calls = append(f.calls, in)
	return &api.PutMetricDataOutput{}, nil
}

// data are all that were put.
func (f *fakeCloudWatch) data() (data []cloudwatch.Datum) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, in := range f.calls {
		for i := range in.MetricData {
			data = append(data, datumOf(*in.Namespace, &in.MetricData[i]))
		}
	}
	return data
}

func datumOf(namespace string, m *types.MetricDatum) cloudwatch.Datum {
	d := cloudwatch.Datum{
		Metric: cloudwatch.Metric{Namespace: namespace, Name: *m.MetricName}, TimestampMs: m.Timestamp.UnixMilli(),
		Unit: string(m.Unit), StorageResolution: 60, Values: m.Values, Counts: m.Counts,
	}
	for _, dim := range m.Dimensions {
		d.Dimensions = append(d.Dimensions, cloudwatch.Dimension{Name: *dim.Name, Value: *dim.Value})
	}
	if m.StorageResolution != nil {
		d.StorageResolution = *m.StorageResolution
	}
	if m.Value != nil {
		d.Value = *m.Value
	}
	if s := m.StatisticValues; s != nil {
		d.Statistics = &cloudwatch.StatisticSet{SampleCount: *s.SampleCount, Sum: *s.Sum, Minimum: *s.Minimum, Maximum: *s.Maximum}
	}
	return d
}

// memoryStorage is a storage extension whose data outlive its clients.
type memoryStorage struct {
	component.StartFunc
	component.ShutdownFunc
	mu   sync.Mutex
	data map[string][]byte
	err  error
}

func (s *memoryStorage) GetClient(_ context.Context, _ component.Kind, id component.ID, name string) (storage.Client, error) {
	return &memoryClient{s, id.String() + "/" + name + "/"}, nil
}

func (s *memoryStorage) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *memoryStorage) keys() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.data)
}

type memoryClient struct {
	s      *memoryStorage
	prefix string
}

func (c *memoryClient) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := c.Batch(ctx, op)
	return op.Value, err
}

func (c *memoryClient) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

func (c *memoryClient) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

func (c *memoryClient) Batch(_ context.Context, ops ...*storage.Operation) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.s.err != nil {
		return c.s.err
	}
	for _, op := range ops {
		switch key := c.prefix + op.Key; op.Type {
		case storage.Get:
			op.Value = slices.Clone(c.s.data[key])
		case storage.Set:
			c.s.data[key] = slices.Clone(op.Value)
		case storage.Delete:
			delete(c.s.data, key)
		}
	}
	return nil
}

func (c *memoryClient) Close(context.Context) error { return nil }

type testHost map[component.ID]component.Component

func (h testHost) GetExtensions() map[component.ID]component.Component { return h }

var storageID = component.MustNewID("memory_storage")

// testExporter is an exporter over a fake CloudWatch and a clock.
type testExporter struct {
	*cloudWatchExporter
	clock     *clock
	fake      *fakeCloudWatch
	telemetry *componenttest.Telemetry
}

type testOptions struct {
	configure func(*Config)
	storage   *memoryStorage
	at        float64
	next      exporter.Metrics
}

func newTestExporter(tb testing.TB, opts testOptions) *testExporter {
	tb.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.AWS.Region, cfg.AWS.LocalMode = "eu-west-1", true
	cfg.AWS.AccessKeyID, cfg.AWS.SecretAccessKey = "id", "secret"
	host := testHost{}
	if opts.storage != nil {
		cfg.Storage = &storageID
		host[storageID] = opts.storage
	} else {
		cfg.InMemory = true
	}
	if opts.configure != nil {
		opts.configure(cfg)
	}
	require.NoError(tb, cfg.Validate())
	tel := componenttest.NewTelemetry()
	set := exportertest.NewNopSettings(metadata.Type)
	set.ID = component.NewID(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	made, err := createMetrics(tb.Context(), set, cfg)
	require.NoError(tb, err)
	e := &testExporter{made.(*cloudWatchExporter), &clock{}, &fakeCloudWatch{}, tel}
	e.clock.set(max(opts.at, testStart))
	e.now = e.clock.get
	switch {
	case opts.next != nil:
		e.next = opts.next
	case opts.storage != nil:
		e.next = pushing{e: e.cloudWatchExporter} // a durable queue sends what it holds when it likes
	}
	e.converter, err = cloudwatch.NewConverter(cloudwatch.ConverterConfig{
		NamespaceTemplate: cfg.Namespace, Charset: cloudwatch.CharsetASCII, EnforceIngestWindow: true, Now: e.now,
		InitialValue: cloudwatch.InitialValueKeep,
	})
	require.NoError(tb, err)
	real := e.newClient
	e.newClient = func() putter { return e.fake }
	require.NoError(tb, e.Start(tb.Context(), host))
	e.newClient = real
	tb.Cleanup(func() {
		assert.NoError(tb, e.Shutdown(context.Background()))
		assert.NoError(tb, tel.Shutdown(context.Background()))
	})
	return e
}

// pushing is a queue that sends at once.
type pushing struct {
	component.StartFunc
	component.ShutdownFunc
	e *cloudWatchExporter
}

func (pushing) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (p pushing) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	return p.e.push(ctx, md)
}

// finish sends everything and waits for it.
func (e *testExporter) finish(tb testing.TB) []cloudwatch.Datum {
	tb.Helper()
	require.NoError(tb, e.Shutdown(tb.Context()))
	return e.fake.data()
}

// counted returns a counter's values by reason.
func (e *testExporter) counted(tb testing.TB, name string) map[string]int64 {
	tb.Helper()
	m, err := e.telemetry.GetMetric(name)
	if err != nil {
		return nil
	}
	out := make(map[string]int64)
	for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
		v, _ := p.Attributes.Value("reason")
		out[v.AsString()] = p.Value
	}
	return out
}

// metrics are gauges of one scope.
func metrics(namespace string, points ...point) pmetric.Metrics {
	md := pmetric.NewMetrics()
	sm := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty()
	if namespace != "" {
		sm.Scope().Attributes().PutStr(cloudwatch.AttributeNamespace, namespace)
	}
	for _, p := range points {
		m := sm.Metrics().AppendEmpty()
		m.SetName(p.name)
		m.SetUnit("ms")
		var dp pmetric.NumberDataPoint
		if p.counter {
			s := m.SetEmptySum()
			s.SetIsMonotonic(true)
			s.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			dp = s.DataPoints().AppendEmpty()
			dp.SetStartTimestamp(pcommon.Timestamp((testStart - 3600) * int64(time.Second)))
		} else {
			dp = m.SetEmptyGauge().DataPoints().AppendEmpty()
		}
		dp.SetDoubleValue(p.value)
		dp.SetTimestamp(pcommon.Timestamp(p.at * 1e9))
		for k, v := range p.dims {
			dp.Attributes().PutStr(k, v)
		}
	}
	return md
}

type point struct {
	name    string
	value   float64
	at      float64
	counter bool
	dims    map[string]string
}
