// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmextension

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/nephoscope/nephoscope/processor/alarmprocessor"
	"github.com/nephoscope/nephoscope/receiver/alarmreceiver"
)

// logsTaker is a pipeline for events.
type logsTaker struct {
	mu    sync.Mutex
	fails error
	taken []plog.Logs
	calls chan struct{}
}

func (*logsTaker) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (l *logsTaker) ConsumeLogs(_ context.Context, ld plog.Logs) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() {
		select {
		case l.calls <- struct{}{}:
		default:
		}
	}()
	if l.fails != nil {
		return l.fails
	}
	l.taken = append(l.taken, ld)
	return nil
}

func (l *logsTaker) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fails = err
}

func (l *logsTaker) records() (list []plog.LogRecord) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ld := range l.taken {
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					list = append(list, lr)
				}
			}
		}
	}
	return list
}

// start starts a component beside the extension.
func (h *harness) startComponent(c component.Component, err error) func() {
	h.t.Helper()
	require.NoError(h.t, err)
	require.NoError(h.t, c.Start(h.t.Context(), h.host))
	return func() { require.NoError(h.t, c.Shutdown(context.Background())) }
}

// gauge is a metric of an OpenTelemetry SDK.
func gauge(value float64, at time.Time) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "App")
	rm.Resource().Attributes().PutStr("cloud.account.id", account)
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("errors")
	dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
	dp.SetTimestamp(pcommon.NewTimestampFromTime(at))
	dp.SetDoubleValue(value)
	dp.Attributes().PutStr("host", "a")
	return md
}

// TestScenario has metrics go through a processor, and looks at what comes out of the alarm: its state, its history, its
// actions, and its events.
func TestScenario(t *testing.T) {
	h := newHarness(t)
	h.receives = true
	h.start()
	taker := &logsTaker{}
	rf := alarmreceiver.NewFactory()
	receiver, err := rf.CreateLogs(t.Context(), receivertest.NewNopSettings(rf.Type()), rf.CreateDefaultConfig(), taker)
	stopReceiver := h.startComponent(receiver, err)
	pf := alarmprocessor.NewFactory()
	processor, err := pf.CreateMetrics(t.Context(), processortest.NewNopSettings(pf.Type()), pf.CreateDefaultConfig(), consumertest.NewNop())
	stopProcessor := h.startComponent(processor, err)
	defer stopProcessor()

	h.put("high", func(in *cw.PutMetricAlarmInput) {
		in.EvaluationPeriods, in.DatapointsToAlarm = aws.Int32(3), aws.Int32(2)
		in.Tags = []types.Tag{{Key: aws.String("severity"), Value: aws.String("critical")}, {Key: aws.String("runbook"), Value: aws.String("https://r")}}
	})
	for _, v := range []float64{1, 50, 2, 60, 3, 4, 5} {
		require.NoError(t, processor.ConsumeMetrics(t.Context(), gauge(v, h.clock.Now())))
		h.advance(time.Minute, 5*time.Second)
	}
	h.deliver()

	assert.Equal(t, types.StateValueOk, h.metricAlarm("high").StateValue)
	assert.Equal(t, []string{
		`Alarm "high" created`,
		"Alarm updated from INSUFFICIENT_DATA to OK", "Alarm updated from OK to ALARM", "Alarm updated from ALARM to OK",
		"Successfully executed action " + topic, "Successfully executed action " + topic, "Successfully executed action " + topic,
	}, h.history("high"))
	assert.Equal(t, []string{
		"high INSUFFICIENT_DATA->OK ", "high INSUFFICIENT_DATA->OK " + topic,
		"high OK->ALARM ", "high OK->ALARM " + topic,
		"high ALARM->OK ", "high ALARM->OK " + topic,
	}, h.dispatcher.taken())
	toAlarm := h.dispatcher.actions[3]
	assert.Equal(t, `ALARM: "high" in US East (N. Virginia)`, toAlarm.Subject)
	assert.Contains(t, toAlarm.Reason, "Threshold Crossed: 2 out of the last 3 datapoints [60.0 (14/09/26 05:03:00), 50.0 (14/09/26 05:01:00)] were greater than the threshold (10.0)")
	assert.Equal(t, "critical", toAlarm.Labels["severity"])
	assert.Equal(t, "https://r", toAlarm.Annotations["runbook"])
	var message struct {
		Trigger struct{ MetricName, Namespace string }
	}
	require.NoError(t, json.Unmarshal([]byte(toAlarm.Message), &message))
	assert.Equal(t, "errors", message.Trigger.MetricName)
	assert.Equal(t, "App", message.Trigger.Namespace)
	assert.True(t, json.Valid([]byte(toAlarm.Event)))

	records := taker.records()
	require.Len(t, records, 4)
	assert.Equal(t, []string{
		"CloudWatch Alarm Configuration Change", "CloudWatch Alarm State Change", "CloudWatch Alarm State Change", "CloudWatch Alarm State Change",
	}, []string{records[0].EventName(), records[1].EventName(), records[2].EventName(), records[3].EventName()})
	lr := records[2]
	assert.Equal(t, plog.SeverityNumberFatal, lr.SeverityNumber())
	assert.Equal(t, plog.SeverityNumberInfo, records[3].SeverityNumber())
	id, _ := lr.Attributes().Get("aws.event.id")
	assert.Equal(t, map[string]any{
		"aws.event.id": id.Str(), "aws.event.source": "aws.cloudwatch", "aws.event.detail_type": "CloudWatch Alarm State Change",
		"aws.event.resources": []any{prefix + "high"},
	}, lr.Attributes().AsRaw())
	var event struct {
		ID, Source, Account, Region, Time string
		DetailType                        string `json:"detail-type"`
		Detail                            struct{ AlarmName string }
	}
	require.NoError(t, json.Unmarshal([]byte(lr.Body().Str()), &event))
	assert.Equal(t, id.Str(), event.ID)
	assert.Equal(t, "high", event.Detail.AlarmName)
	assert.Equal(t, account, event.Account)
	assert.Equal(t, lr.Timestamp().AsTime().Format(time.RFC3339), event.Time)
	resource := taker.taken[0].ResourceLogs().At(0).Resource().Attributes().AsRaw()
	assert.Equal(t, map[string]any{"cloud.provider": "aws", "cloud.account.id": account, "cloud.region": region}, resource)
	stopReceiver()
}

func TestEventsAreAcknowledged(t *testing.T) {
	h := newHarness(t)
	h.receives = true
	h.start()
	h.put("a")
	h.deliver()
	refused := errors.New("refused")
	taker := &logsTaker{fails: refused}
	end, err := h.x.RegisterEvents(taker)
	require.NoError(t, err)
	_, err = h.x.RegisterEvents(taker)
	require.ErrorContains(t, err, "go to another receiver already")
	h.deliverFails(refused)
	require.NoError(t, end(t.Context()))

	h.kill()
	taker.fail(nil)
	end, err = h.x.RegisterEvents(taker)
	require.NoError(t, err)
	h.deliver()
	h.deliver()
	require.Len(t, taker.records(), 1, "what was not accepted comes again, once")

	taker.fail(consumererror.NewPermanent(refused))
	h.setState("a", types.StateValueAlarm)
	h.deliver()
	taker.fail(nil)
	h.deliver()
	assert.Len(t, taker.records(), 1, "what is refused for good does not")
	require.NoError(t, end(t.Context()))

	h.setState("a", types.StateValueOk)
	h.restart()
	h.receives = false
	require.NoError(t, h.x.service.Load().Settle(t.Context()))
	assert.Zero(t, h.x.service.Load().Undelivered(1), "without a receiver nothing waits")
	h.setState("a", types.StateValueAlarm)
	assert.Zero(t, h.x.service.Load().Undelivered(1))
}

// TestRunning has the extension's own goroutines do what the other tests do step by step.
func TestRunning(t *testing.T) {
	h := newHarness(t)
	h.receives = true
	h.start()
	taker := &logsTaker{calls: make(chan struct{}, 1)}
	end, err := h.x.RegisterEvents(taker)
	require.NoError(t, err)
	require.NoError(t, h.x.Ready())
	h.put("a")
	<-taker.calls
	h.dispatcher.set(func(d *testDispatcher) { d.fails = errDown })
	stop := make(chan struct{})
	var ticking sync.WaitGroup
	ticking.Go(func() { // the clock runs
		for {
			select {
			case <-stop:
				return
			default:
				h.observe("errors", 50, h.clock.Now())
				h.clock.Add(time.Second)
				runtime.Gosched()
			}
		}
	})
	<-taker.calls // the transition, although no action can be delivered
	h.dispatcher.set(func(d *testDispatcher) { d.fails = nil })
	<-h.dispatcher.got
	close(stop)
	ticking.Wait()
	assert.Contains(t, h.dispatcher.taken(), "a INSUFFICIENT_DATA->ALARM "+topic)
	require.NoError(t, h.x.NotReady())
	require.NoError(t, end(t.Context()))
}
