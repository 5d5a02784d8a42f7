// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmextension

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"

	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/service"
	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// testStore has the metrics that were observed.
type testStore struct {
	store.Store

	buckets []cloudwatch.Bucket
}

// storeProvider holds the store.
type storeProvider struct {
	component.StartFunc
	component.ShutdownFunc
	store *testStore
}

func (p *storeProvider) Store() store.Store { return p.store }

func (s *testStore) QueryMetrics(_ context.Context, queries []cloudwatch.MetricQuery) ([][]cloudwatch.Bucket, error) {
	out := make([][]cloudwatch.Bucket, len(queries))
	for i, q := range queries {
		for _, b := range s.buckets {
			if q.Metric.Name == "errors" && b.Start >= q.Start && b.Start < q.End {
				b.Start -= (b.Start - q.Start) % q.Period
				out[i] = append(out[i], b)
			}
		}
	}
	return out, nil
}

// breach makes the alarms on App/errors breach in the next evaluation.
func (h *harness) breach() {
	h.t.Helper()
	h.observe("errors", 50, h.clock.Now())
	h.advance(2*time.Minute, 10*time.Second)
}

func TestKill(t *testing.T) {
	h := newHarness(t).start()
	h.put("a")
	h.breach()
	assert.Equal(t, types.StateValueAlarm, h.metricAlarm("a").StateValue)
	before := h.metricAlarm("a")
	assert.Empty(t, h.dispatcher.taken(), "nothing was handed over yet")

	h.kill()
	assert.Equal(t, before, h.metricAlarm("a"), "it is as it was")
	h.deliver()
	want := []string{"a INSUFFICIENT_DATA->ALARM ", "a INSUFFICIENT_DATA->ALARM " + topic}
	assert.Equal(t, want, h.dispatcher.taken(), "the transition was not lost")

	h.kill()
	h.deliver()
	assert.Equal(t, want, h.dispatcher.taken(), "nor repeated")
	assert.Equal(t, []string{
		`Alarm "a" created`, "Alarm updated from INSUFFICIENT_DATA to ALARM", "Successfully executed action " + topic,
	}, h.history("a"))
}

func TestKillBetweenDeliveryAndAcknowledgement(t *testing.T) {
	h := newHarness(t).start()
	h.put("a")
	h.setState("a", types.StateValueAlarm)
	h.storage.refuse(true)
	require.ErrorIs(t, h.x.service.Load().Deliver(t.Context()), errFull, "the dispatcher has it, the journal does not know")
	assert.Len(t, h.dispatcher.taken(), 2)
	first := h.dispatcher.actions[1].ID

	h.storage.refuse(false)
	h.dispatcher.set(func(d *testDispatcher) { d.seen = map[string]bool{} }) // so that the repetition is seen here
	h.kill()
	h.deliver()
	require.Len(t, h.dispatcher.actions, 4)
	assert.Equal(t, first, h.dispatcher.actions[3].ID, "it has the same id, by which dispatchers know it")
}

func TestStorageFails(t *testing.T) {
	h := newHarness(t).start()
	h.put("a")
	h.storage.refuse(true)
	_, err := h.api.PutMetricAlarm(t.Context(), put("b"))
	requireCode(t, err, "ServiceUnavailable", "Alarms cannot be stored for now.")
	_, err = h.api.PutMetricAlarm(t.Context(), put("c"))
	requireCode(t, err, "ServiceUnavailable")

	h.observe("errors", 50, h.clock.Now())
	h.clock.Add(2 * time.Minute)
	require.ErrorIs(t, h.x.service.Load().Advance(t.Context()), service.ErrStorage)
	assert.Equal(t, types.StateValueInsufficientData, h.metricAlarm("a").StateValue, "nothing is evaluated that could not be kept")
	h.storage.refuse(false)
	require.NoError(t, h.x.service.Load().Advance(t.Context()))
	assert.Equal(t, types.StateValueAlarm, h.metricAlarm("a").StateValue)

	h.kill()
	out, err := h.api.DescribeAlarms(t.Context(), &cw.DescribeAlarmsInput{})
	require.NoError(t, err)
	require.Len(t, out.MetricAlarms, 2, "a and b, which was put though the client was told otherwise; not c")
	h.deliver()
	assert.Len(t, h.dispatcher.taken(), 4)
}

func TestStorageFailsDuringEvaluation(t *testing.T) {
	h := newHarness(t).start()
	h.put("a")
	h.observe("errors", 50, h.clock.Now())
	h.clock.Add(2 * time.Minute)
	h.storage.refuse(true)
	for range 3 {
		require.ErrorIs(t, h.x.service.Load().Advance(t.Context()), errFull)
	}
	h.deliverFails(errFull)
	assert.Empty(t, h.dispatcher.taken(), "what is not durable does not leave")
	h.storage.refuse(false)
	require.NoError(t, h.x.service.Load().Advance(t.Context()))
	h.deliver()
	assert.Equal(t, []string{"a INSUFFICIENT_DATA->ALARM ", "a INSUFFICIENT_DATA->ALARM " + topic}, h.dispatcher.taken())
}

// deliverFails is deliver with an error.
func (h *harness) deliverFails(want error) {
	h.t.Helper()
	require.ErrorIs(h.t, h.x.service.Load().Deliver(h.t.Context()), want)
}

func TestRestartReadsTheStore(t *testing.T) {
	storeID := component.MustNewID("store")
	data := &testStore{}
	h := newHarness(t)
	h.cfg.Store = &storeID
	extra := func() { h.host[storeID] = &storeProvider{store: data} }
	h.startWith(extra)
	h.put("a", func(in *cw.PutMetricAlarmInput) {
		in.EvaluationPeriods, in.TreatMissingData = aws.Int32(3), aws.String("missing")
	})
	for range 4 {
		at := h.clock.Now()
		h.observe("errors", 50, at)
		data.buckets = append(data.buckets, cloudwatch.Bucket{
			Start: at.Unix(), Unit: "None", StatisticSet: cloudwatch.StatisticSet{SampleCount: 1, Sum: 50, Minimum: 50, Maximum: 50},
		})
		h.advance(time.Minute, 10*time.Second)
	}
	require.Equal(t, types.StateValueAlarm, h.metricAlarm("a").StateValue)
	before := h.metricAlarm("a")

	h.stop()
	h.startWith(extra)
	h.advance(30*time.Second, 10*time.Second)
	assert.Equal(t, before, h.metricAlarm("a"), "it knows what was before")
	h.deliver()
	assert.Len(t, h.dispatcher.taken(), 2)
}

func TestCompositeSurvives(t *testing.T) {
	h := newHarness(t).start()
	h.put("a", func(in *cw.PutMetricAlarmInput) { in.TreatMissingData = aws.String("ignore") })
	h.put("deploy")
	_, err := h.api.PutCompositeAlarm(t.Context(), &cw.PutCompositeAlarmInput{
		AlarmName: aws.String("c"), AlarmRule: aws.String("ALARM(a)"), AlarmActions: []string{topic},
		ActionsSuppressor: aws.String("deploy"), ActionsSuppressorWaitPeriod: aws.Int32(60), ActionsSuppressorExtensionPeriod: aws.Int32(60),
	})
	require.NoError(t, err)
	h.setState("a", types.StateValueAlarm)
	composite := func() types.CompositeAlarm {
		out, err := h.api.DescribeAlarms(t.Context(), &cw.DescribeAlarmsInput{AlarmNames: []string{"c"}, AlarmTypes: []types.AlarmType{types.AlarmTypeCompositeAlarm}})
		require.NoError(t, err)
		require.Len(t, out.CompositeAlarms, 1)
		return out.CompositeAlarms[0]
	}
	before := composite()
	assert.Equal(t, types.ActionsSuppressedByWaitPeriod, before.ActionsSuppressedBy)
	assert.Equal(t, "Actions suppressed by WaitPeriod", *before.ActionsSuppressedReason)
	h.kill()
	assert.Equal(t, before, composite())
	h.deliver()
	assert.NotContains(t, h.dispatcher.taken(), "c OK->ALARM "+topic)
	h.advance(time.Minute, 10*time.Second)
	h.deliver()
	assert.Contains(t, h.dispatcher.taken(), "c OK->ALARM "+topic, "the wait has gone on")
	assert.Contains(t, h.dispatcher.taken(), "c OK->ALARM ", "and those who are told of every transition are told")
}

// TestSuppressionEndsWithoutActions has those who are told of every transition told of an alarm that has no actions.
func TestSuppressionEndsWithoutActions(t *testing.T) {
	h := newHarness(t).start()
	h.put("a", func(in *cw.PutMetricAlarmInput) { in.TreatMissingData = aws.String("ignore") })
	h.put("deploy")
	for name, arns := range map[string][]string{"silent": nil, "loud": {topic}} {
		_, err := h.api.PutCompositeAlarm(t.Context(), &cw.PutCompositeAlarmInput{
			AlarmName: &name, AlarmRule: aws.String("ALARM(a)"), AlarmActions: arns,
			ActionsSuppressor: aws.String("deploy"), ActionsSuppressorWaitPeriod: aws.Int32(60), ActionsSuppressorExtensionPeriod: aws.Int32(60),
		})
		require.NoError(t, err)
	}
	h.setState("a", types.StateValueAlarm)
	h.deliver()
	h.dispatcher.set(func(d *testDispatcher) { d.actions = nil })
	h.advance(time.Minute, 10*time.Second)
	h.deliver()
	assert.ElementsMatch(t, []string{"silent ALARM->ALARM ", "loud OK->ALARM ", "loud OK->ALARM " + topic}, h.dispatcher.taken())
}

func TestActionsFail(t *testing.T) {
	h := newHarness(t).start()
	h.put("a")
	h.dispatcher.set(func(d *testDispatcher) { d.fate = errors.New(`the topic "t" is not there`) })
	h.setState("a", types.StateValueAlarm)
	h.deliver()
	items, err := h.api.DescribeAlarmHistory(t.Context(), &cw.DescribeAlarmHistoryInput{AlarmName: aws.String("a"), HistoryItemType: types.HistoryItemTypeAction})
	require.NoError(t, err)
	require.Len(t, items.AlarmHistoryItems, 1)
	assert.Equal(t, "Failed to execute action "+topic+`. Received error: "the topic "t" is not there"`, *items.AlarmHistoryItems[0].HistorySummary)
	assert.JSONEq(t, `{"actionState":"Failed","stateUpdateTimestamp":`+millis(start)+`,"notificationResource":"`+topic+`",
		"publishedMessage":null,"error":"the topic \"t\" is not there","muteWindowEndTimestamp":null}`, *items.AlarmHistoryItems[0].HistoryData)

	h.stop()
	h.cfg.Notifications = nil
	h.start()
	h.setState("a", types.StateValueOk)
	h.deliver()
	summaries := h.history("a")
	assert.Contains(t, summaries[len(summaries)-1], `name an extension that does in the option "notifications"`, "without anybody who delivers history says so")
}

func TestDispatcherIsDown(t *testing.T) {
	h := newHarness(t).start()
	h.put("a")
	h.dispatcher.set(func(d *testDispatcher) { d.fails = errDown })
	for range 3 {
		h.setState("a", types.StateValueAlarm)
		h.setState("a", types.StateValueOk)
	}
	h.deliverFails(errDown)
	h.restart()
	h.dispatcher.set(func(d *testDispatcher) { d.fails = nil })
	h.deliver()
	assert.Len(t, h.dispatcher.taken(), 12, "all, in order")
	assert.Equal(t, "a INSUFFICIENT_DATA->ALARM ", h.dispatcher.taken()[0])
	assert.Equal(t, "a ALARM->OK "+topic, h.dispatcher.taken()[11])
}

func TestUndeliveredIsBounded(t *testing.T) {
	h := newHarness(t)
	h.cfg.Limits.Undelivered = 2
	h.start()
	h.put("a")
	h.dispatcher.set(func(d *testDispatcher) { d.fails = errDown })
	for range 3 {
		h.setState("a", types.StateValueAlarm)
		h.setState("a", types.StateValueOk)
	}
	h.dispatcher.set(func(d *testDispatcher) { d.fails = nil })
	h.deliver()
	assert.Equal(t, []string{"a OK->ALARM ", "a OK->ALARM " + topic, "a ALARM->OK ", "a ALARM->OK " + topic}, h.dispatcher.taken(), "the newest")
	assert.Len(t, h.history("a"), 1+6+2, "history has all")
}

func TestHistoryIsBounded(t *testing.T) {
	h := newHarness(t)
	h.cfg.Limits.HistoryItemsPerAlarm, h.cfg.Limits.HistoryItems = 4, 10
	h.start()
	h.put("a")
	h.put("b")
	for range 10 {
		h.setState("a", types.StateValueAlarm)
		h.setState("a", types.StateValueOk)
		h.deliver()
	}
	assert.LessOrEqual(t, len(h.history("a")), 6, "the limit, and what was committed last")
	assert.Equal(t, []string{`Alarm "b" created`}, h.history("b"), "one alarm does not push the others out")
	h.restart()
	assert.Len(t, h.history("a"), 4)

	h.clock.Add(31 * 24 * time.Hour)
	h.setState("b", types.StateValueAlarm)
	assert.Equal(t, []string{"Alarm updated from INSUFFICIENT_DATA to ALARM"}, h.history(""), "the rest was too old")
	h.deliver()
	h.setState("b", types.StateValueOk)
	h.deliver()
	assert.Less(t, len(h.storage.values), 20, "and is not stored any more")
}

// TestResultsAreNotLost has results that cannot be written refused, so that they come again.
func TestResultsAreNotLost(t *testing.T) {
	h := newHarness(t).start()
	h.put("a")
	h.setState("a", types.StateValueAlarm)
	h.storage.refuse(true)
	h.deliverFails(errFull)
	results := h.dispatcher.results
	require.Len(t, results, 2)
	assert.Len(t, h.history("a"), 2)
	again := h.dispatcher.onResult
	require.ErrorIs(t, again(t.Context(), results), errFull)
	h.storage.refuse(false)
	require.NoError(t, again(t.Context(), results))
	want := []string{
		`Alarm "a" created`, "Alarm updated from INSUFFICIENT_DATA to ALARM", "Successfully executed action " + topic,
	}
	assert.Equal(t, want, h.history("a"), "once")
	require.NoError(t, again(t.Context(), results))
	assert.Equal(t, want, h.history("a"), "also when it was not noted that they were taken")

	left := h.storage
	h.stop()
	require.ErrorContains(t, again(t.Context(), results), "stopped", "they wait for the next start")
	h.storage = left
	h.start()
	require.NoError(t, h.dispatcher.onResult(t.Context(), results))
	assert.Equal(t, want, h.history("a"))
}

func TestWithheldIsNotSent(t *testing.T) {
	h := newHarness(t).start()
	h.put("a")
	h.dispatcher.set(func(d *testDispatcher) { d.withheld = "silenced" })
	h.setState("a", types.StateValueAlarm)
	h.deliver()
	assert.Equal(t, "Failed to execute action "+topic+`. Received error: "not sent: silenced"`, h.history("a")[2])
}

// TestAlertsEnd has those who are told of every transition told of every end.
func TestAlertsEnd(t *testing.T) {
	h := newHarness(t).start()
	names := []string{"disabled", "muted", "deleted"}
	for _, name := range names {
		h.put(name)
		h.setState(name, types.StateValueAlarm)
	}
	h.deliver()
	h.dispatcher.set(func(d *testDispatcher) { d.actions = nil })

	_, err := h.api.DisableAlarmActions(t.Context(), &cw.DisableAlarmActionsInput{AlarmNames: names[:1]})
	require.NoError(t, err)
	_, err = h.api.PutAlarmMuteRule(t.Context(), &cw.PutAlarmMuteRuleInput{
		Name: aws.String("m"), MuteTargets: &types.MuteTargets{AlarmNames: names[1:2]},
		Rule: &types.Rule{Schedule: &types.Schedule{Expression: aws.String("cron(* * * * *)"), Duration: aws.String("PT15M")}},
	})
	require.NoError(t, err)
	h.setState("disabled", types.StateValueOk)
	h.setState("muted", types.StateValueOk)
	_, err = h.api.DeleteAlarms(t.Context(), &cw.DeleteAlarmsInput{AlarmNames: names[2:]})
	require.NoError(t, err)
	h.deliver()
	assert.Equal(t, []string{"disabled ALARM->OK ", "muted ALARM->OK ", "deleted ALARM-> "}, h.dispatcher.taken())
	gone := h.dispatcher.actions[2]
	assert.Equal(t, "The alarm was deleted.", gone.Reason)
	assert.Equal(t, "The alarm was deleted.", gone.Annotations["reason"])
	assert.Empty(t, gone.Message)

	h.setState("disabled", types.StateValueAlarm)
	h.setState("muted", types.StateValueInsufficientData)
	h.deliver()
	assert.Len(t, h.dispatcher.taken(), 3, "of nothing else")
}

// TestToldAfterMute has those who are told of every transition told of an alarm without actions when its mute ends.
func TestToldAfterMute(t *testing.T) {
	h := newHarness(t).start()
	h.put("quiet", func(in *cw.PutMetricAlarmInput) { in.AlarmActions = nil })
	_, err := h.api.PutAlarmMuteRule(t.Context(), &cw.PutAlarmMuteRuleInput{
		Name: aws.String("m"), MuteTargets: &types.MuteTargets{AlarmNames: []string{"quiet"}},
		Rule: &types.Rule{Schedule: &types.Schedule{Expression: aws.String("cron(* * * * *)"), Duration: aws.String("PT15M")}},
	})
	require.NoError(t, err)
	h.setState("quiet", types.StateValueAlarm)
	h.deliver()
	assert.Empty(t, h.dispatcher.taken(), "it is muted")
	_, err = h.api.DeleteAlarmMuteRule(t.Context(), &cw.DeleteAlarmMuteRuleInput{AlarmMuteRuleName: aws.String("m")})
	require.NoError(t, err)
	h.deliver()
	assert.Equal(t, []string{"quiet INSUFFICIENT_DATA->ALARM "}, h.dispatcher.taken())
}
