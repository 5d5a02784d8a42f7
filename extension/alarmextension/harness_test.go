// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmextension

import (
	"context"
	"errors"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/metadata"
	"github.com/nephoscope/nephoscope/internal/actions"
	"github.com/nephoscope/nephoscope/internal/clock/clocktest"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

const (
	account = "111111111111"
	region  = "us-east-1"
	topic   = "arn:aws:sns:us-east-1:111111111111:topic"
	prefix  = "arn:aws:cloudwatch:us-east-1:111111111111:alarm:"
)

var (
	tenant   = cloudwatch.Tenant{Account: account, Region: region}
	start    = time.Date(2026, 9, 14, 5, 0, 0, 0, time.UTC).Local() // clients get times in their zone
	notifyID = component.MustNewID("notification")
	alarmID  = component.NewID(metadata.Type)
)

// testDispatcher keeps what it is given, and says that it succeeded.
type testDispatcher struct {
	component.StartFunc
	component.ShutdownFunc

	mu       sync.Mutex
	seen     map[string]bool
	actions  []actions.Action
	onResult func(context.Context, []actions.Result) error
	// fails refuses actions, fate and withheld are how they end. results are those that were not taken.
	fails    error
	fate     error
	withheld string
	results  []actions.Result
	clock    *clocktest.Clock
	// got is told of every call.
	got chan int
}

func (d *testDispatcher) Dispatcher() actions.Dispatcher { return d }

func (d *testDispatcher) OnResult(f func(context.Context, []actions.Result) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.onResult = f
}

func (d *testDispatcher) Dispatch(ctx context.Context, list []actions.Action) error {
	d.mu.Lock()
	if err := d.fails; err != nil {
		d.mu.Unlock()
		return err
	}
	var fresh []actions.Action
	for _, a := range list {
		if !d.seen[a.ID] {
			d.seen[a.ID] = true
			fresh = append(fresh, a)
		}
	}
	d.actions = append(d.actions, fresh...)
	onResult, fate, withheld := d.onResult, d.fate, d.withheld
	d.mu.Unlock()
	var results []actions.Result
	for _, a := range fresh {
		r := actions.Result{ActionID: a.ID, AlarmARN: a.AlarmARN, Target: a.Target, Time: d.clock.Now(), Err: fate, Withheld: withheld}
		if fate == nil && withheld == "" {
			r.Message = a.Message
		}
		results = append(results, r)
	}
	err := onResult(ctx, results)
	if err != nil {
		d.set(func(d *testDispatcher) { d.results = append(d.results, results...) })
	}
	select {
	case d.got <- len(fresh):
	default:
	}
	return nil
}

func (d *testDispatcher) set(f func(*testDispatcher)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(d)
}

// taken are the actions as "alarm OLD->NEW target".
func (d *testDispatcher) taken() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, a := range d.actions {
		out = append(out, a.AlarmName+" "+string(a.Old)+"->"+string(a.New)+" "+a.Target)
	}
	return out
}

// harness is an extension with what is around it.
type harness struct {
	t          testing.TB
	cfg        *Config
	clock      *clocktest.Clock
	storage    *testStorage
	dispatcher *testDispatcher
	// receives is set when somebody takes events.
	receives bool
	// telemetry is where the extension's own metrics go, nil for nowhere.
	telemetry *componenttest.Telemetry
	host      testHost
	x         *alarms
	api       *cw.Client
	server    *httptest.Server
}

func newHarness(tb testing.TB) *harness {
	tb.Helper()
	h := &harness{t: tb, clock: clocktest.New(start), storage: newTestStorage(), cfg: createDefaultConfig().(*Config)}
	h.dispatcher = &testDispatcher{seen: map[string]bool{}, clock: h.clock, got: make(chan int, 1)}
	h.cfg.Storage, h.cfg.Notifications = testStorageID, &notifyID
	h.cfg.AccountID = account
	require.NoError(tb, h.cfg.Validate())
	return h
}

// settings are those of the extension.
func settings() extension.Settings {
	set := extensiontest.NewNopSettings(metadata.Type)
	set.ID = alarmID
	return set
}

// start starts the extension and a server with its operations. Nothing happens by itself until ready.
func (h *harness) start() *harness {
	h.t.Helper()
	h.startWith(func() {})
	return h
}

// startWith is start with more on the host.
func (h *harness) startWith(more func()) {
	h.t.Helper()
	require.NoError(h.t, h.tryStart(more))
}

func (h *harness) tryStart(more func()) error {
	h.t.Helper()
	h.host = testHost{testStorageID: h.storage, notifyID: h.dispatcher}
	more()
	set := settings()
	if h.telemetry != nil {
		set.TelemetrySettings = h.telemetry.NewTelemetrySettings()
	}
	x, err := newExtension(set, h.cfg, h.clock)
	require.NoError(h.t, err)
	h.x, h.host[alarmID] = x, x
	h.t.Cleanup(h.stop)
	if err := x.Start(h.t.Context(), h.host); err != nil {
		return err
	}
	if !h.receives {
		require.NoError(h.t, x.service.Load().Settle(h.t.Context()))
	}
	w := awswire.NewService("monitoring")
	require.NoError(h.t, x.AddOperations(func(name string) *awswire.Service {
		assert.Equal(h.t, "monitoring", name)
		return w
	}))
	mux, err := awswire.NewMux(awswire.MuxSettings{Services: []*awswire.Service{w}})
	require.NoError(h.t, err)
	h.server = httptest.NewServer(mux)
	h.api = h.client(account, region)
	return nil
}

func (h *harness) client(account, region string) *cw.Client {
	return cw.NewFromConfig(aws.Config{
		Region: region, BaseEndpoint: aws.String(h.server.URL), HTTPClient: h.server.Client(),
		Credentials: credentials.NewStaticCredentialsProvider(account, "secret", ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	})
}

func (h *harness) stop() {
	if h.server != nil {
		h.server.Close()
		h.server = nil
	}
	if h.x != nil {
		require.NoError(h.t, h.x.Shutdown(context.Background()))
		h.x = nil
	}
}

// restart stops the extension and starts it with what it stored.
func (h *harness) restart() {
	h.t.Helper()
	h.stop()
	h.start()
}

// kill starts the extension anew with what was stored, without stopping what ran.
func (h *harness) kill() {
	h.t.Helper()
	left := h.storage.copyOf()
	h.storage.refuse(false)
	h.stop()
	h.storage = left
	h.start()
}

// advance moves the clock in steps and evaluates.
func (h *harness) advance(d, step time.Duration) {
	h.t.Helper()
	for ; d > 0; d -= step {
		h.clock.Add(step)
		require.NoError(h.t, h.x.service.Load().Advance(h.t.Context()))
	}
}

// deliver hands over what waits, as the outboxes do.
func (h *harness) deliver() {
	h.t.Helper()
	require.NoError(h.t, h.x.service.Load().Deliver(h.t.Context()))
}

func (h *harness) observe(metric string, value float64, at time.Time) {
	h.x.Observe(tenant, []cloudwatch.Datum{{
		Metric:      cloudwatch.Metric{Namespace: "App", Name: metric, Dimensions: []cloudwatch.Dimension{{Name: "host", Value: "a"}}},
		TimestampMs: at.UnixMilli(), Unit: "None", StorageResolution: 60, Value: value,
	}})
}

// put is an alarm on App/errors above 10 in one of one minutes.
func put(name string, change ...func(*cw.PutMetricAlarmInput)) *cw.PutMetricAlarmInput {
	in := &cw.PutMetricAlarmInput{
		AlarmName: aws.String(name), Namespace: aws.String("App"), MetricName: aws.String("errors"),
		Dimensions: []types.Dimension{{Name: aws.String("host"), Value: aws.String("a")}},
		Statistic:  types.StatisticAverage, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(10),
		ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
		AlarmActions:       []string{topic}, OKActions: []string{topic},
	}
	for _, c := range change {
		c(in)
	}
	return in
}

func (h *harness) put(name string, change ...func(*cw.PutMetricAlarmInput)) {
	h.t.Helper()
	_, err := h.api.PutMetricAlarm(h.t.Context(), put(name, change...))
	require.NoError(h.t, err)
}

func (h *harness) setState(name string, s types.StateValue) {
	h.t.Helper()
	_, err := h.api.SetAlarmState(h.t.Context(), &cw.SetAlarmStateInput{
		AlarmName: &name, StateValue: s, StateReason: aws.String("by hand"),
	})
	require.NoError(h.t, err)
}

func (h *harness) metricAlarm(name string) types.MetricAlarm {
	h.t.Helper()
	out, err := h.api.DescribeAlarms(h.t.Context(), &cw.DescribeAlarmsInput{AlarmNames: []string{name}})
	require.NoError(h.t, err)
	require.Len(h.t, out.MetricAlarms, 1)
	return out.MetricAlarms[0]
}

// history are the summaries of an alarm's history, oldest first.
func (h *harness) history(name string, kinds ...types.AlarmType) []string {
	h.t.Helper()
	var out []string
	in := &cw.DescribeAlarmHistoryInput{AlarmName: optionalName(name), AlarmTypes: kinds, ScanBy: types.ScanByTimestampAscending, MaxRecords: aws.Int32(2)}
	for {
		page, err := h.api.DescribeAlarmHistory(h.t.Context(), in)
		require.NoError(h.t, err)
		for _, i := range page.AlarmHistoryItems {
			out = append(out, *i.HistorySummary)
		}
		if page.NextToken == nil {
			return out
		}
		in.NextToken = page.NextToken
	}
}

func optionalName(name string) *string {
	if name == "" {
		return nil
	}
	return &name
}

// requireCode checks an error's code, and its message when one is given.
func requireCode(tb testing.TB, err error, code string, message ...string) {
	tb.Helper()
	var api smithy.APIError
	require.ErrorAs(tb, err, &api)
	assert.Equal(tb, code, api.ErrorCode(), api.ErrorMessage())
	if len(message) > 0 {
		assert.Equal(tb, message[0], api.ErrorMessage())
	}
}

var errDown = errors.New("down")

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
