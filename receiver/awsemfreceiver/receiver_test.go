// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfreceiver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/nephoscope/nephoscope/internal/udpsocket"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/receiver/awsemfreceiver/internal/metadata"
)

var testTime = time.UnixMilli(1735689601000)

func doc(group string, value int) string {
	where := ""
	if group != "" {
		where = fmt.Sprintf(`"LogGroupName":%q,"LogStreamName":"s",`, group)
	}
	return fmt.Sprintf(`{"_aws":{%s"Timestamp":1735689600123,"CloudWatchMetrics":[{"Namespace":"n","Dimensions":[["d"]],`+
		`"Metrics":[{"Name":"m","Unit":"Count"}]}]},"d":"x","m":%d}`, where, value)
}

type testReceiver struct {
	*emfReceiver
	t   *testing.T
	tel *componenttest.Telemetry
}

func testConfig() *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoint = "127.0.0.1:0"
	cfg.RetryConfig.InitialInterval = time.Millisecond
	return cfg
}

// start runs a receiver for the signals that have a consumer.
func start(t *testing.T, cfg *Config, logs consumer.Logs, metrics consumer.Metrics) *testReceiver {
	t.Helper()
	require.NoError(t, cfg.Validate())
	tel := componenttest.NewTelemetry()
	set := receivertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	f := NewFactory()
	var r *emfReceiver
	n := 0
	if logs != nil {
		c, err := f.CreateLogs(t.Context(), set, cfg, logs)
		require.NoError(t, err)
		r = c.(*emfReceiver)
		n++
	}
	if metrics != nil {
		c, err := f.CreateMetrics(t.Context(), set, cfg, metrics)
		require.NoError(t, err)
		if r != nil {
			require.Same(t, r, c, "both signals share the sockets")
		}
		r = c.(*emfReceiver)
		n++
	}
	r.now = func() time.Time { return testTime }
	for range n {
		require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	}
	tr := &testReceiver{r, t, tel}
	t.Cleanup(func() {
		tr.stop()
		assert.NoError(t, tel.Shutdown(context.Background()))
	})
	return tr
}

func (r *testReceiver) stop() {
	r.t.Helper()
	require.NoError(r.t, r.Shutdown(context.Background()))
}

func (r *testReceiver) dial() net.Conn {
	r.t.Helper()
	var d net.Dialer
	c, err := d.DialContext(r.t.Context(), "tcp", r.listener.Addr().String())
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

func (r *testReceiver) send(text string) {
	r.t.Helper()
	c := r.dial()
	_, err := c.Write([]byte(text))
	require.NoError(r.t, err)
	require.NoError(r.t, c.Close())
}

func (r *testReceiver) sendUDP(datagrams ...string) {
	r.t.Helper()
	var d net.Dialer
	c, err := d.DialContext(r.t.Context(), "udp", r.packets.LocalAddr().String())
	require.NoError(r.t, err)
	for _, s := range datagrams {
		_, err := c.Write([]byte(s))
		require.NoError(r.t, err)
	}
	require.NoError(r.t, c.Close())
}

// counter sums a counter's points by their reason; "" is the sum of those without one.
func (r *testReceiver) counter(name string) map[string]int64 {
	r.t.Helper()
	got := map[string]int64{}
	m, err := r.tel.GetMetric("otelcol_receiver_awsemf_" + name)
	if err != nil {
		return got
	}
	for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
		reason, _ := p.Attributes.Value("reason")
		got[reason.AsString()] += p.Value
	}
	return got
}

// bodies lists log records as "group stream time body".
func bodies(all []plog.Logs) []string {
	var lines []string
	for _, ld := range all {
		for _, rl := range ld.ResourceLogs().All() {
			group, _ := rl.Resource().Attributes().Get("aws.log.group.names")
			stream, _ := rl.Resource().Attributes().Get("aws.log.stream.names")
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					lines = append(lines, fmt.Sprintf("%s %s %d %s", group.Slice().At(0).Str(), stream.Slice().At(0).Str(),
						lr.Timestamp().AsTime().UnixMilli(), lr.Body().Str()))
				}
			}
		}
	}
	return lines
}

func values(t *testing.T, all []pmetric.Metrics) []float64 {
	t.Helper()
	c, err := cloudwatch.NewConverter(cloudwatch.ConverterConfig{})
	require.NoError(t, err)
	var list []float64
	for _, md := range all {
		batches, err := c.Convert(md)
		require.NoError(t, err)
		for _, b := range batches {
			for _, d := range b.Data {
				list = append(list, d.Value)
			}
		}
	}
	return list
}

func TestTCP(t *testing.T) {
	logs, metrics := new(consumertest.LogsSink), new(consumertest.MetricsSink)
	r := start(t, testConfig(), logs, metrics)
	plain := `{"level":"info"}`
	r.send(doc("g", 1) + "\r\n\n  " + plain + "\nno JSON\n" + doc("", 2) + "\n{\"a\":\"\xff\"}\n[]\n" + doc("h", 3))
	r.stop()
	assert.ElementsMatch(t, []string{
		"g s 1735689600123 " + doc("g", 1),
		"/metrics/default 127.0.0.1 1735689601000 " + plain,
		"/metrics/default 127.0.0.1 1735689600123 " + doc("", 2),
		"h s 1735689600123 " + doc("h", 3), // without an end of line
	}, bodies(logs.AllLogs()))
	assert.ElementsMatch(t, []float64{1, 2, 3}, values(t, metrics.AllMetrics()))
	assert.Equal(t, map[string]int64{"json": 2, "utf8": 1}, r.counter("rejected_documents"))
	assert.Equal(t, map[string]int64{"": 0}, r.counter("connections"))
}

func TestUDP(t *testing.T) {
	logs, metrics := new(consumertest.LogsSink), new(consumertest.MetricsSink)
	cfg := testConfig()
	cfg.Transports = []string{"udp"}
	cfg.LogStreamName = "mine"
	r := start(t, cfg, logs, metrics)
	require.Nil(t, r.listener)
	if drops, err := udpsocket.NewDrops(r.packets); err == nil {
		_, err = drops.Read()
		require.NoError(t, err)
		assert.Equal(t, map[string]int64{"": 0}, r.counter("udp_kernel_drops"))
	}
	r.sendUDP(doc("", 1), doc("g", 2)+"\n"+doc("g", 3)+"\n", "broken", "")
	r.stop()
	assert.ElementsMatch(t, []string{
		"/metrics/default mine 1735689600123 " + doc("", 1),
		"g s 1735689600123 " + doc("g", 2),
		"g s 1735689600123 " + doc("g", 3),
	}, bodies(logs.AllLogs()))
	assert.ElementsMatch(t, []float64{1, 2, 3}, values(t, metrics.AllMetrics()))
	assert.Equal(t, map[string]int64{"json": 1}, r.counter("rejected_documents"))
}

func TestOneSignal(t *testing.T) {
	t.Run("logs", func(t *testing.T) {
		logs := new(consumertest.LogsSink)
		r := start(t, testConfig(), logs, nil)
		r.send(doc("g", 1) + "\nbroken\n")
		r.stop()
		assert.Equal(t, 1, logs.LogRecordCount())
		assert.Equal(t, map[string]int64{"json": 1}, r.counter("rejected_documents"))
	})
	t.Run("metrics", func(t *testing.T) {
		metrics := new(consumertest.MetricsSink)
		r := start(t, testConfig(), nil, metrics)
		r.send(doc("g", 1) + "\n" + strings.Replace(doc("g", 1), `"m":1`, `"m":"1"`, 1) + "\n")
		r.stop()
		assert.Equal(t, 2, metrics.DataPointCount(), "the metric, and the error's")
		assert.Equal(t, map[string]int64{"metric_value": 1}, r.counter("validation_errors"))
	})
}

// Faulty documents are counted in metrics of their log groups, as CloudWatch Logs does.
func TestErrorMetrics(t *testing.T) {
	for _, on := range []bool{true, false} {
		metrics := new(consumertest.MetricsSink)
		cfg := testConfig()
		cfg.ErrorMetrics = on
		r := start(t, cfg, nil, metrics)
		bad := func(group string) string { return strings.Replace(doc(group, 1), `"m":1`, `"m":"1"`, 1) }
		r.send(bad("g") + "\n" + bad("") + "\n" + bad("g") + "\nbroken\n")
		r.stop()
		got := make(map[string]float64)
		for _, md := range metrics.AllMetrics() {
			for _, rm := range md.ResourceMetrics().All() {
				for _, sm := range rm.ScopeMetrics().All() {
					namespace, _ := sm.Scope().Attributes().Get(cloudwatch.AttributeNamespace)
					for _, m := range sm.Metrics().All() {
						for _, dp := range m.Gauge().DataPoints().All() {
							group, _ := dp.Attributes().Get("LogGroupName")
							got[namespace.AsString()+" "+m.Name()+" "+group.AsString()] += dp.DoubleValue()
						}
					}
				}
			}
		}
		want := map[string]float64{"AWS/Logs EMFValidationErrors g": 2, "AWS/Logs EMFValidationErrors /metrics/default": 1}
		if !on {
			want = map[string]float64{}
		}
		assert.Equal(t, want, got)
	}
}

func TestOwner(t *testing.T) {
	logs, metrics := new(consumertest.LogsSink), new(consumertest.MetricsSink)
	cfg := testConfig()
	cfg.AccountID, cfg.Region = "123456789012", "eu-central-1"
	r := start(t, cfg, logs, metrics)
	r.send(doc("g", 1) + "\n")
	r.stop()
	for _, attrs := range []map[string]any{
		logs.AllLogs()[0].ResourceLogs().At(0).Resource().Attributes().AsRaw(),
		metrics.AllMetrics()[0].ResourceMetrics().At(0).Resource().Attributes().AsRaw(),
	} {
		assert.Equal(t, "123456789012", attrs["cloud.account.id"])
		assert.Equal(t, "eu-central-1", attrs["cloud.region"])
		assert.Equal(t, "aws", attrs["cloud.provider"])
	}
}

func TestTooLongLine(t *testing.T) {
	logs := new(consumertest.LogsSink)
	cfg := testConfig()
	cfg.MaxLineBytes = 100_000
	r := start(t, cfg, logs, nil)
	long := `{"a":"` + strings.Repeat("x", 300_000) + `"}`
	fits := `{"a":"` + strings.Repeat("x", 99_000) + `"}`
	r.send(long + "\n" + fits + "\n" + long + "\n" + `{"b":1}` + "\n" + long)
	r.stop()
	assert.Equal(t, 2, logs.LogRecordCount(), "the connection goes on")
	assert.Equal(t, map[string]int64{"too_long": 3}, r.counter("rejected_documents"))
}

func TestConnectionLimit(t *testing.T) {
	logs := new(consumertest.LogsSink)
	cfg := testConfig()
	cfg.MaxConnections = 1
	r := start(t, cfg, logs, nil)
	first := r.dial()
	_, err := first.Write([]byte(doc("g", 1) + "\n"))
	require.NoError(t, err)
	second := r.dial()
	_, err = second.Read(make([]byte, 1))
	require.Error(t, err, "closed at once")
	_, err = first.Write([]byte(doc("g", 2) + "\n"))
	require.NoError(t, err)
	r.stop()
	assert.Equal(t, 2, logs.LogRecordCount())
	assert.Equal(t, map[string]int64{"": 1}, r.counter("refused_connections"))
}

func TestTimeouts(t *testing.T) {
	for _, tt := range []struct {
		name, sent string
		want       map[string]int64
	}{
		{"idle", doc("g", 1) + "\n", map[string]int64{}},
		{"within a line", doc("g", 1) + "\n{\"a\":", map[string]int64{"incomplete": 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			logs := new(consumertest.LogsSink)
			cfg := testConfig()
			cfg.IdleTimeout, cfg.LineTimeout = 20*time.Millisecond, 20*time.Millisecond
			r := start(t, cfg, logs, nil)
			c := r.dial()
			_, err := c.Write([]byte(tt.sent))
			require.NoError(t, err)
			_, err = c.Read(make([]byte, 1)) // until the receiver closes
			require.Error(t, err)
			r.stop()
			assert.Equal(t, 1, logs.LogRecordCount())
			assert.Equal(t, tt.want, r.counter("rejected_documents"))
		})
	}
}

// gate is a consumer that waits until it is opened.
type gate struct {
	consumertest.LogsSink
	opened  chan struct{}
	waiting chan struct{} // has a value when a call waits
}

func newGate() *gate {
	return &gate{opened: make(chan struct{}), waiting: make(chan struct{}, 1)}
}

func (g *gate) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	select {
	case g.waiting <- struct{}{}:
	default:
	}
	select {
	case <-g.opened:
		return g.LogsSink.ConsumeLogs(ctx, ld)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// While the pipeline does not take anything the receiver stops reading, so that the sender has to wait; nothing is lost.
func TestBackPressure(t *testing.T) {
	g := newGate()
	cfg := testConfig()
	cfg.MaxLineBytes, cfg.QueueBytes = 64<<10, 256<<10
	r := start(t, cfg, g, nil)
	c := r.dial()
	line := []byte(doc("g", 1) + "\n")
	var wg sync.WaitGroup
	const total = 200_000 // about 36 MB, more than the socket buffers have
	blocked := make(chan struct{})
	var sent int
	wg.Go(func() {
		batch := []byte(strings.Repeat(string(line), 100))
		_ = c.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
		rest := []byte(nil)
		for sent < total {
			n, err := c.Write(batch)
			if err != nil { // the deadline: the receiver reads no more
				close(blocked)
				<-g.opened
				_ = c.SetWriteDeadline(time.Time{})
				rest = batch[n:]
				if _, err := c.Write(rest); err != nil {
					return
				}
			}
			sent += 100
		}
		_ = c.Close()
	})
	<-blocked
	assert.Equal(t, 0, g.LogRecordCount())
	close(g.opened)
	wg.Wait()
	require.Eventually(t, func() bool { return g.LogRecordCount() == total }, 20*time.Second, time.Millisecond)
	r.stop()
	assert.Equal(t, total, sent)
	assert.Empty(t, r.counter("rejected_documents"))
}

// failing returns errors before it takes what it is given.
type failing struct {
	consumertest.LogsSink
	errs []error
}

func (f *failing) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	if len(f.errs) > 0 {
		err := f.errs[0]
		f.errs = f.errs[1:]
		return err
	}
	return f.LogsSink.ConsumeLogs(ctx, ld)
}

func TestRetry(t *testing.T) {
	half := plog.NewLogs()
	half.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("rest")
	for _, tt := range []struct {
		name string
		errs []error
		edit func(*Config)
		want int
		why  map[string]int64
	}{
		{"until it succeeds", []error{errors.New("busy"), errors.New("busy")}, nil, 2, map[string]int64{}},
		{"not when permanent", []error{consumererror.NewPermanent(errors.New("no"))}, nil, 0, map[string]int64{"refused": 2}},
		{"what was not taken", []error{consumererror.NewLogs(errors.New("half"), half)}, nil, 1, map[string]int64{}},
		{"not when disabled", []error{errors.New("busy")}, func(c *Config) { c.RetryConfig.Enabled = false }, 0, map[string]int64{"refused": 2}},
		{
			"not for ever",
			[]error{errors.New("busy"), errors.New("busy"), errors.New("busy"), errors.New("busy")},
			func(c *Config) { c.RetryConfig.MaxElapsedTime = time.Nanosecond }, 0,
			map[string]int64{"refused": 2},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &failing{errs: tt.errs}
			cfg := testConfig()
			if tt.edit != nil {
				tt.edit(cfg)
			}
			r := start(t, cfg, f, nil)
			r.send(doc("g", 1) + "\n" + doc("g", 2) + "\n")
			r.stop()
			assert.Equal(t, tt.want, f.LogRecordCount())
			assert.Equal(t, tt.why, r.counter("rejected_documents"))
		})
	}
}

func TestMetricsAreRetriedAlone(t *testing.T) {
	logs := new(consumertest.LogsSink)
	metrics := &failingMetrics{n: 3}
	r := start(t, testConfig(), logs, metrics)
	r.send(doc("g", 1) + "\n")
	r.stop()
	assert.Equal(t, 1, logs.LogRecordCount())
	assert.Equal(t, 1, metrics.DataPointCount())
}

type failingMetrics struct {
	consumertest.MetricsSink
	n int
}

func (f *failingMetrics) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	if f.n--; f.n >= 0 {
		return errors.New("busy")
	}
	return f.MetricsSink.ConsumeMetrics(ctx, md)
}

// What clients sent before Shutdown is delivered, also by connections that were not accepted yet.
func TestShutdownDrains(t *testing.T) {
	logs := new(consumertest.LogsSink)
	cfg := testConfig()
	cfg.MaxBatchDocuments = 10
	r := start(t, cfg, logs, nil)
	want := 0
	for i := range 20 {
		c := r.dial() // stays open
		n := 1 + i*10
		_, err := c.Write([]byte(strings.Repeat(doc("g", i)+"\n", n)))
		require.NoError(t, err)
		want += n
	}
	r.sendUDP(doc("g", 1), doc("g", 2))
	r.stop()
	assert.Equal(t, want+2, logs.LogRecordCount())
	assert.Empty(t, r.counter("rejected_documents"))
}

// A pipeline that takes nothing does not hold up the end for ever, and what it did not take is counted.
func TestShutdownGivesUp(t *testing.T) {
	g := newGate()
	r := start(t, testConfig(), g, nil)
	r.send(doc("g", 1) + "\n")
	<-g.waiting
	r.send(doc("g", 1) + "\n" + doc("g", 2) + "\n")
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()
	require.NoError(t, r.Shutdown(ctx))
	assert.Equal(t, 0, g.LogRecordCount())
	assert.Equal(t, map[string]int64{"shutdown": 3}, r.counter("rejected_documents"))
}

func TestStartFails(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	cfg := testConfig()
	cfg.Endpoint = l.Addr().String()
	r, err := NewFactory().CreateLogs(t.Context(), receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.NoError(t, err)
	require.ErrorContains(t, r.Start(t.Context(), componenttest.NewNopHost()), "listen for embedded metrics")
	require.NoError(t, r.Shutdown(t.Context()))
}
