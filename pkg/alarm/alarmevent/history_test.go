// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmevent

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/nephoscope/nephoscope/pkg/alarm"
)

func TestStateHistory(t *testing.T) {
	const newState = `"newState":{"stateValue":"ALARM",` +
		`"stateReason":"Threshold Crossed: 1 datapoint [21.5 (26/02/26 10:14:00)] was greater than the threshold (21.0).",` +
		`"stateReasonData":{"version":"1.0","queryDate":"2026-02-26T10:14:11.423+0000"}}}`
	e := scalarEvent(t)
	h, ok := HistoryOf(e)
	assert.True(t, ok)
	assert.Equal(t, History{
		Type: HistoryStateUpdate, Summary: "Alarm updated from INSUFFICIENT_DATA to ALARM",
		Data: `{"version":"1.0","oldState":{"stateValue":"INSUFFICIENT_DATA","stateReason":"Unchecked: Initial alarm creation"},` + newState,
	}, h)

	e.Kind, e.Old = alarm.EventRefreshed, e.New
	e.Old.ReasonData = "not json"
	h, ok = HistoryOf(e)
	assert.True(t, ok)
	assert.Equal(t, "Alarm updated from ALARM to ALARM", h.Summary)
	assert.Contains(t, h.Data, `"stateReasonData":"not json"},`)

	h, ok = HistoryOf(contributorEvent(t))
	assert.True(t, ok)
	assert.Equal(t, History{
		Type: HistoryContributorState, Summary: "Alarm contributor updated from OK to ALARM",
		Data: `{"version":"1.0","newState":{"stateValue":"ALARM","stateReason":"after","stateReasonData":{}}}`,
	}, h)

	e = compositeEvent(t)
	e.New.ActionsSuppressedBy, e.New.ActionsSuppressedReason = "Alarm", "because"
	h, _ = HistoryOf(e)
	assert.True(t, strings.HasSuffix(h.Data, `,"actionsSuppressedBy":"Alarm","actionsSuppressedReason":"because"}}`), h.Data)

	e.Kind = alarm.EventActions
	_, ok = HistoryOf(e)
	assert.False(t, ok)
}

func TestConfigurationHistory(t *testing.T) {
	const cpu = `{"alarmName":"cpu","alarmArn":"arn:aws:cloudwatch:us-east-1:111111111111:alarm:cpu",` +
		`"alarmConfigurationUpdatedTimestamp":"2026-02-26T10:14:00.123+0000","namespace":"AWS/EC2","metricName":"CPUUtilization",` +
		`"extendedStatistic":"AVERAGE","period":60,"dimensions":[{"name":"InstanceId","value":"i-1"}],"threshold":21.0,` +
		`"comparisonOperator":"GreaterThanThreshold","evaluationPeriods":3,"datapointsToAlarm":2,"treatMissingData":"missing",` +
		`"stateValue":"INSUFFICIENT_DATA","stateUpdatedTimestamp":"2026-02-26T10:14:00.123+0000","actionsEnabled":true,` +
		`"alarmActions":["arn:aws:sns:us-east-1:111111111111:topic"],"insufficientDataActions":[],"okactions":[]}`
	e := scalarEvent(t)
	e.Kind, e.New, e.Old = alarm.EventCreated, e.Old, alarm.Status{}
	h, ok := HistoryOf(e)
	assert.True(t, ok)
	assert.Equal(t, History{
		Type: HistoryConfigurationUpdate, Summary: `Alarm "cpu" created`, Data: `{"version":"1.0","type":"Create","createdAlarm":` + cpu + `}`,
	}, h)

	e.Kind, e.Old = alarm.EventUpdated, e.New
	e.Old.ConfigurationUpdated = e.Old.ConfigurationUpdated.Add(-time.Second)
	before := *e.Alarm
	before.Metric = new(*before.Metric)
	before.Metric.Threshold, before.Metric.DatapointsToAlarm, before.Metric.Unit = new(5.0), 0, "Percent"
	e.Previous = &before
	h, _ = HistoryOf(e)
	assert.Equal(t, History{
		Type: HistoryConfigurationUpdate, Summary: `Alarm "cpu" updated`,
		Data: `{"version":"1.0","type":"Update","updatedAlarm":` + cpu + `,"originalUpdatedFields":{` +
			`"alarmConfigurationUpdatedTimestamp":"2026-02-26T10:13:59.123+0000","unit":"Percent","threshold":5.0,"datapointsToAlarm":null}}`,
	}, h)

	e.Kind, e.New = alarm.EventDeleted, alarm.Status{}
	e.Old.ConfigurationUpdated = e.Old.StateUpdated
	h, _ = HistoryOf(e)
	assert.Equal(t, History{
		Type: HistoryConfigurationUpdate, Summary: `Alarm "cpu" deleted`, Data: `{"version":"1.0","type":"Delete","deletedAlarm":` + cpu + `}`,
	}, h)

	c := compositeEvent(t)
	c.Kind = alarm.EventCreated
	h, _ = HistoryOf(c)
	assert.Contains(t, h.Data, `,"alarmRule":"ALARM(cpu) AND ALARM(\"a<b\")","actionsSuppressor":"deploy",`+
		`"actionsSuppressorWaitPeriod":120,"actionsSuppressorExtensionPeriod":0,"stateValue":"ALARM",`)

	q := queriesEvent(t)
	q.Kind = alarm.EventCreated
	q.Alarm.Metric.SlidingWindow = true
	h, _ = HistoryOf(q)
	assert.Contains(t, h.Data, `,"metrics":[{"id":"e1","expression":"m1 + 0","label":"sum","returnData":true,"period":60},`+
		`{"id":"m1","metricStat":{"metric":{"namespace":"AWS/EC2","metricName":"CPUUtilization","dimensions":[]},"period":60,"stat":"Average",`+
		`"unit":"Percent"},"label":"cpu","returnData":false}],"threshold":10.0,"comparisonOperator":"GreaterThanThreshold","evaluationPeriods":1,`+
		`"datapointsToAlarm":1,"evaluationWindow":{"slidingWindow":{}},"stateValue":"ALARM",`)
}

func TestActionHistory(t *testing.T) {
	updated := time.UnixMilli(1_790_000_000_000)
	assert.Equal(t, History{
		Type: HistoryAction, Summary: "Successfully executed action " + topic,
		Data: `{"actionState":"Succeeded","stateUpdateTimestamp":1790000000000,"notificationResource":"` + topic +
			`","publishedMessage":"{\"a\":\"<b>\"}","error":null,"muteWindowEndTimestamp":null}`,
	}, ActionHistory(&ActionResult{Resource: topic, StateUpdated: updated, Message: `{"a":"<b>"}`}))
	assert.Equal(t, History{
		Type: HistoryContributorAction, Summary: "Failed to execute action " + topic + `. Received error: "no such topic"`,
		Data: `{"actionState":"Failed","stateUpdateTimestamp":1790000000000,"notificationResource":"` + topic +
			`","publishedMessage":null,"error":"no such topic","muteWindowEndTimestamp":1790000060000}`,
	}, ActionHistory(&ActionResult{
		Resource: topic, StateUpdated: updated, Error: "no such topic", MuteWindowEnd: updated.Add(time.Minute), Contributor: true,
	}))
	assert.Len(t, []rune(ActionHistory(&ActionResult{Resource: topic, Error: strings.Repeat("é", 300)}).Summary), 255)
}
