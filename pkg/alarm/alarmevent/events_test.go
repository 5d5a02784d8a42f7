// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmevent

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

const (
	scalarStates = `"state":{"value":"ALARM",` +
		`"reason":"Threshold Crossed: 1 datapoint [21.5 (26/02/26 10:14:00)] was greater than the threshold (21.0).",` +
		`"reasonData":"{\"version\":\"1.0\",\"queryDate\":\"2026-02-26T10:14:11.423+0000\"}","timestamp":"2026-02-26T10:14:11.423+0000"},` +
		`"previousState":{"value":"INSUFFICIENT_DATA","reason":"Unchecked: Initial alarm creation","timestamp":"2026-02-26T10:14:00.123+0000"},`
	scalarMetrics = `"metrics":[{"id":"bd43dcaa-939c-5a88-831d-3969f4353165","metricStat":{"metric":{"namespace":"AWS/EC2","name":"CPUUtilization",` +
		`"dimensions":{"InstanceId":"i-1"}},"period":60,"stat":"Average"},"returnData":true}]`
	compositeConfiguration = `"alarmRule":"ALARM(cpu) AND ALARM(\"a<b\")","actionsSuppressor":"deploy",` +
		`"actionsSuppressorWaitPeriod":120,"actionsSuppressorExtensionPeriod":0`
)

// exactly compares documents with the order of their keys.
func exactly(t *testing.T, want, got string) {
	t.Helper()
	assert.Equal(t, want, got)
}

func TestLambda(t *testing.T) {
	e := scalarEvent(t)
	exactly(t, `{"source":"aws.cloudwatch","alarmArn":"arn:aws:cloudwatch:us-east-1:111111111111:alarm:cpu","accountId":"111111111111",`+
		`"time":"2026-02-26T10:14:11.423+0000","region":"us-east-1","alarmData":{"alarmName":"cpu",`+scalarStates+
		`"configuration":{`+scalarMetrics+`}}}`, Lambda(e))
	exactly(t, `{"source":"aws.cloudwatch","alarmArn":"arn:aws:cloudwatch:us-east-1:111111111111:alarm:cpu","accountId":"111111111111",`+
		`"time":"2026-02-26T10:14:11.423+0000","region":"us-east-1","alarmData":{"alarmName":"cpu",`+
		`"alarmContributor":{"id":"0123456789abcdef","attributes":{"InstanceId":"i-1"}},`+
		`"state":{"value":"ALARM","reason":"after","timestamp":"2026-02-26T10:14:11.423+0000"},`+
		`"configuration":{`+scalarMetrics+`}}}`, Lambda(contributorEvent(t)))
	var composite struct {
		AlarmData struct{ Configuration json.RawMessage }
	}
	require.NoError(t, json.Unmarshal([]byte(Lambda(compositeEvent(t))), &composite))
	exactly(t, "{"+compositeConfiguration+"}", string(composite.AlarmData.Configuration))
}

func TestScalarQueryID(t *testing.T) {
	m := scalarEvent(t).Alarm.Metric
	id := queriesOf("arn", m)[0].ID
	same := *m
	same.Threshold, same.EvaluationPeriods, same.TreatMissingData = new(1.0), 1, alarm.Ignore
	assert.Equal(t, id, queriesOf("arn", &same)[0].ID, "what is watched is the same")
	other := *m
	other.Dimensions = []cloudwatch.Dimension{{Name: "InstanceId", Value: "i-2"}}
	assert.NotEqual(t, id, queriesOf("arn", &other)[0].ID)
	assert.NotEqual(t, id, queriesOf("arn2", m)[0].ID)
}

func TestStateChangeEvents(t *testing.T) {
	const envelope = `{"version":"0","id":"the-id","detail-type":"CloudWatch Alarm State Change","source":"aws.cloudwatch",` +
		`"account":"111111111111","time":"2026-02-26T10:14:11Z","region":"us-east-1","resources":["arn:aws:cloudwatch:us-east-1:111111111111:alarm:`
	e := scalarEvent(t)
	exactly(t, envelope+`cpu"],"detail":{"alarmName":"cpu",`+scalarStates+`"configuration":{`+scalarMetrics+`}}}`,
		EventBridge(e, "the-id").JSON())

	e.Muted = &alarm.MuteWindow{RuleARN: "rule", Start: at(t, "2026-02-26T10:00:00.000"), End: at(t, "2026-02-26T11:00:00.000")}
	e.New.EvaluationState = "PARTIAL_DATA"
	text := EventBridge(e, "the-id").JSON()
	assert.Contains(t, text, `,"muteDetail":{"mutedByArn":"rule","muteWindowStart":"2026-02-26T10:00:00.000+0000","muteWindowEnd":"2026-02-26T11:00:00.000+0000"}}}`)
	assert.Contains(t, text, `"timestamp":"2026-02-26T10:14:11.423+0000","evaluationState":"PARTIAL_DATA"}`)

	c := compositeEvent(t)
	c.New.ActionsSuppressedBy, c.New.ActionsSuppressedReason = "WaitPeriod", "Actions suppressed by WaitPeriod"
	text = EventBridge(c, "the-id").JSON()
	assert.Contains(t, text, `"actionsSuppressedBy":"WaitPeriod","actionsSuppressedReason":"Actions suppressed by WaitPeriod"},"previousState"`)
	assert.Contains(t, text, `"configuration":{`+compositeConfiguration+`}}}`)

	q := EventBridge(queriesEvent(t), "the-id").JSON()
	assert.Contains(t, q, `"configuration":{"description":"m1 and a half","metrics":[`+
		`{"id":"e1","expression":"m1 + 0","label":"sum","returnData":true,"period":60},`+
		`{"id":"m1","metricStat":{"metric":{"namespace":"AWS/EC2","name":"CPUUtilization","dimensions":{}},"period":60,"stat":"Average","unit":"Percent"},"label":"cpu","returnData":false}]}}}`)

	v := EventBridge(contributorEvent(t), "x")
	assert.Equal(t, DetailTypeContributorStateChange, v.DetailType)
	assert.Contains(t, v.JSON(), `"detail":{"alarmName":"cpu","alarmContributor":{"id":"0123456789abcdef","attributes":{"InstanceId":"i-1"}},`+
		`"state":{"value":"ALARM","reason":"after","timestamp":"2026-02-26T10:14:11.423+0000"},"configuration":{`+scalarMetrics+`}}}`)

	for _, k := range []alarm.EventKind{alarm.EventActions, alarm.EventRefreshed} {
		e.Kind = k
		assert.Nil(t, EventBridge(e, "x"))
	}
}

func TestConfigurationChangeEvents(t *testing.T) {
	const fullConfiguration = `{"evaluationPeriods":3,"datapointsToAlarm":2,"threshold":21.0,"comparisonOperator":"GreaterThanThreshold",` +
		`"treatMissingData":"missing","alarmName":"cpu",` + scalarMetrics + `,"actionsEnabled":true,"timestamp":"2026-02-26T10:14:00.123+0000",` +
		`"okActions":[],"alarmActions":["arn:aws:sns:us-east-1:111111111111:topic"],"insufficientDataActions":[]}`
	detail := func(e *alarm.Event) string {
		v := EventBridge(e, "x")
		assert.Equal(t, DetailTypeConfigurationChange, v.DetailType)
		return encode(v.Detail)
	}
	e := scalarEvent(t)
	e.Kind, e.New, e.Old = alarm.EventCreated, e.Old, alarm.Status{}
	exactly(t, `{"alarmName":"cpu","operation":"create","state":{"value":"INSUFFICIENT_DATA","timestamp":"2026-02-26T10:14:00.123+0000"},`+
		`"configuration":`+fullConfiguration+`}`, detail(e))

	e.Kind, e.Old = alarm.EventUpdated, e.New
	before := *e.Alarm
	before.Metric, before.ActionsEnabled, before.Description = new(*before.Metric), false, new("")
	before.Metric.Threshold, before.Metric.WallClock = new(1e10), &alarm.WallClockWindow{Timezone: "Europe/Berlin"}
	e.Previous = &before
	exactly(t, `{"alarmName":"cpu","operation":"update","state":{"value":"INSUFFICIENT_DATA","timestamp":"2026-02-26T10:14:00.123+0000"},`+
		`"configuration":`+fullConfiguration+`,"previousConfiguration":{"evaluationPeriods":3,"datapointsToAlarm":2,"threshold":1.0E10,`+
		`"comparisonOperator":"GreaterThanThreshold","treatMissingData":"missing","evaluationWindow":{"wallClockWindow":{"timezone":"Europe/Berlin"}},`+
		`"alarmName":"cpu","description":"",`+scalarMetrics+`,"actionsEnabled":false,"timestamp":"2026-02-26T10:14:00.123+0000","okActions":[],`+
		`"alarmActions":["arn:aws:sns:us-east-1:111111111111:topic"],"insufficientDataActions":[]}}`, detail(e))

	e.Kind, e.New = alarm.EventDeleted, alarm.Status{}
	exactly(t, `{"alarmName":"cpu","operation":"delete","state":{"value":"INSUFFICIENT_DATA","reason":"Unchecked: Initial alarm creation",`+
		`"timestamp":"2026-02-26T10:14:00.123+0000"},"configuration":`+fullConfiguration+`}`, detail(e))

	c := compositeEvent(t)
	c.Kind = alarm.EventCreated
	assert.Contains(t, detail(c), `"configuration":{`+compositeConfiguration+`,"alarmName":"both","actionsEnabled":true,`)
}
