// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmevent

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// message is on one line in fact; here the lines are for people.
func oneLine(s string) string {
	var b strings.Builder
	for l := range strings.SplitSeq(s, "\n") {
		b.WriteString(strings.TrimSpace(l))
	}
	return b.String()
}

func TestScalarMessage(t *testing.T) {
	e := scalarEvent(t)
	n := SNS(e)
	assert.Equal(t, `ALARM: "cpu" in US East (N. Virginia)`, n.Subject)
	assert.Equal(t, `ALARM: "cpu" in US East (N. Virginia)`, n.SMS)
	assert.Equal(t, oneLine(`{"AlarmName":"cpu","AlarmDescription":null,"AWSAccountId":"111111111111",
		"AlarmConfigurationUpdatedTimestamp":"2026-02-26T10:14:00.123+0000","NewStateValue":"ALARM",
		"NewStateReason":"Threshold Crossed: 1 datapoint [21.5 (26/02/26 10:14:00)] was greater than the threshold (21.0).",
		"StateChangeTime":"2026-02-26T10:14:11.423+0000","Region":"US East (N. Virginia)",
		"AlarmArn":"arn:aws:cloudwatch:us-east-1:111111111111:alarm:cpu","OldStateValue":"INSUFFICIENT_DATA",
		"ActionExecutedAfterMuteWindow":false,"OKActions":[],"AlarmActions":["arn:aws:sns:us-east-1:111111111111:topic"],
		"InsufficientDataActions":[],
		"Trigger":{"MetricName":"CPUUtilization","Namespace":"AWS/EC2","StatisticType":"Statistic","Statistic":"AVERAGE","Unit":null,
		"Dimensions":[{"value":"i-1","name":"InstanceId"}],"Period":60,"EvaluationPeriods":3,"DatapointsToAlarm":2,
		"ComparisonOperator":"GreaterThanThreshold","Threshold":21.0,"TreatMissingData":"missing","EvaluateLowSampleCountPercentile":""}}`),
		n.Message)
	assert.Equal(t, `You are receiving this email because your Amazon CloudWatch Alarm "cpu" in the US East (N. Virginia) region has entered the ALARM state, because "Threshold Crossed: 1 datapoint [21.5 (26/02/26 10:14:00)] was greater than the threshold (21.0)." at "Thursday 26 February, 2026 10:14:11 UTC".

Alarm Details:
- Name:                     cpu
- Description:
- State Change:             INSUFFICIENT_DATA -> ALARM
- Reason for State Change:  Threshold Crossed: 1 datapoint [21.5 (26/02/26 10:14:00)] was greater than the threshold (21.0).
- Timestamp:                Thursday 26 February, 2026 10:14:11 UTC
- AWS Account:              111111111111
- Alarm Arn:                arn:aws:cloudwatch:us-east-1:111111111111:alarm:cpu

Threshold:
- The alarm is in the ALARM state when the metric is GreaterThanThreshold 21.0 for at least 2 of the last 3 period(s) of 60 seconds.

Monitored Metric:
- MetricNamespace:          AWS/EC2
- MetricName:               CPUUtilization
- Dimensions:               [InstanceId = i-1]
- Period:                   60 seconds
- Statistic:                Average
- Unit:                     not specified
- TreatMissingData:         missing

State Change Actions:
- OK:
- ALARM: [arn:aws:sns:us-east-1:111111111111:topic]
- INSUFFICIENT_DATA:
`, n.Email)
}

func TestTriggers(t *testing.T) {
	m := scalarEvent(t).Alarm.Metric
	for name, c := range map[string]struct {
		change func(*alarm.MetricAlarm)
		want   string
	}{
		"sample count, nothing that is optional": {func(m *alarm.MetricAlarm) {
			m.Statistic, m.DatapointsToAlarm, m.TreatMissingData, m.Dimensions = "SampleCount", 0, "", nil
		}, `"StatisticType":"Statistic","Statistic":"SAMPLE_COUNT","Unit":null,"Dimensions":[],"Period":60,"EvaluationPeriods":3,` +
			`"ComparisonOperator":"GreaterThanThreshold","Threshold":21.0,"TreatMissingData":"","EvaluateLowSampleCountPercentile":""}`},
		"percentile": {func(m *alarm.MetricAlarm) {
			m.Statistic, m.ExtendedStatistic, m.Unit, m.EvaluateLowSampleCountPercentile = "", "p99", "Seconds", "ignore"
		}, `"StatisticType":"ExtendedStatistic","ExtendedStatistic":"p99","Unit":"Seconds","Dimensions":[{"value":"i-1","name":"InstanceId"}],` +
			`"Period":60,"EvaluationPeriods":3,"DatapointsToAlarm":2,"ComparisonOperator":"GreaterThanThreshold","Threshold":21.0,` +
			`"TreatMissingData":"missing","EvaluateLowSampleCountPercentile":"ignore"}`},
	} {
		t.Run(name, func(t *testing.T) {
			changed := *m
			c.change(&changed)
			assert.Equal(t, `{"MetricName":"CPUUtilization","Namespace":"AWS/EC2",`+c.want, encode(triggerOf(&changed)))
		})
	}
	assert.Equal(t, oneLine(`{"Period":60,"EvaluationPeriods":1,"DatapointsToAlarm":1,"ComparisonOperator":"GreaterThanThreshold","Threshold":10.0,
		"TreatMissingData":"","EvaluateLowSampleCountPercentile":"","Metrics":[
		{"Expression":"m1 + 0","Id":"e1","Label":"sum","Period":60,"ReturnData":true},
		{"Id":"m1","Label":"cpu","MetricStat":{"Metric":{"Dimensions":[],"MetricName":"CPUUtilization","Namespace":"AWS/EC2"},
		"Period":60,"Stat":"Average","Unit":"Percent"},"ReturnData":false}]}`), encode(triggerOf(queriesEvent(t).Alarm.Metric)))

	band := &alarm.MetricAlarm{
		EvaluationPeriods: 1, ThresholdMetricID: "ad1", ComparisonOperator: alarm.GreaterThanUpperThreshold,
		Metrics: []alarm.Query{
			{ID: "ad1", Expression: "ANOMALY_DETECTION_BAND(m1, 2)"},
			{ID: "m1", Metric: &alarm.MetricStat{Namespace: "N", MetricName: "M", Period: 300, Stat: "p90"}},
		},
	}
	assert.Equal(t, oneLine(`{"Period":300,"EvaluationPeriods":1,"ComparisonOperator":"GreaterThanUpperThreshold","ThresholdMetricId":"ad1",
		"TreatMissingData":"","EvaluateLowSampleCountPercentile":"","Metrics":[
		{"Expression":"ANOMALY_DETECTION_BAND(m1, 2)","Id":"ad1","ReturnData":true},
		{"Id":"m1","MetricStat":{"Metric":{"Dimensions":[],"MetricName":"M","Namespace":"N"},"Period":300,"Stat":"p90"},"ReturnData":true}]}`),
		encode(triggerOf(band)))
	assert.Equal(t, int32(300), period(&alarm.MetricAlarm{Metrics: []alarm.Query{{ID: "q", Expression: "SELECT", Period: 300}}}))
	assert.Zero(t, period(&alarm.MetricAlarm{Metrics: []alarm.Query{{ID: "q"}}}))
}

func TestCompositeMessage(t *testing.T) {
	n := SNS(compositeEvent(t))
	assert.Equal(t, oneLine(`{"AlarmName":"both","AlarmDescription":null,"AWSAccountId":"111111111111","NewStateValue":"ALARM",
		"NewStateReason":"arn:aws:cloudwatch:us-east-1:111111111111:alarm:cpu transitioned to ALARM at Friday 22 July, 2022 15:57:45 UTC",
		"StateChangeTime":"2026-02-26T10:14:11.423+0000","Region":"US East (N. Virginia)",
		"AlarmArn":"arn:aws:cloudwatch:us-east-1:111111111111:alarm:both",
		"OKActions":["arn:aws:sns:us-east-1:111111111111:topic"],"AlarmActions":[],"InsufficientDataActions":[],
		"OldStateValue":"INSUFFICIENT_DATA","AlarmRule":"ALARM(cpu) AND ALARM(\"a<b\")",
		"TriggeringChildren":[{"Arn":"arn:aws:cloudwatch:us-east-1:111111111111:alarm:cpu",
		"State":{"Value":"ALARM","Timestamp":"2022-07-22T15:57:45.640+0000"}}]}`), n.Message)
	assert.Contains(t, n.Email, "\nAlarm Rule:\n- ALARM(cpu) AND ALARM(\"a<b\")\n")
	assert.Contains(t, n.Email, "\nTriggering Children:\n- arn:aws:cloudwatch:us-east-1:111111111111:alarm:cpu: ALARM at Friday 22 July, 2022 15:57:45 UTC\n")
}

func TestContributorMessage(t *testing.T) {
	e := contributorEvent(t)
	e.AfterMuteWindow = true
	n := SNS(e)
	assert.Contains(t, n.Message, `"NewStateValue":"ALARM","NewStateReason":"after",`)
	assert.Contains(t, n.Message, `"OldStateValue":"OK","ActionExecutedAfterMuteWindow":true,`)
	assert.True(t, strings.HasSuffix(n.Message, `,"AlarmContributorId":"0123456789abcdef","AlarmContributorAttributes":{"InstanceId":"i-1"}}`), n.Message)
	assert.Contains(t, n.Email, "- Alarm Contributor:        0123456789abcdef\n")
}

func TestHeadings(t *testing.T) {
	long := strings.Repeat("x", 200)
	for _, c := range []struct{ name, region, subject, sms string }{
		{"cpu", "eu-west-1", `OK: "cpu" in EU (Ireland)`, `OK: "cpu" in EU (Ireland)`},
		{"größer als ÄÖÜ!", "eu-central-1", `OK: "gr_er als _!" in EU (Frankfurt)`, `OK: "gr_er als _!" in EU (Frankfurt)`},
		{
			long, "us-east-1",
			`OK: "` + strings.Repeat("x", 66) + `..." in US East (N. Virginia)`,
			`OK: "` + strings.Repeat("x", 87) + `..." in US East (N. Virginia)`,
		},
	} {
		assert.Equal(t, c.subject, heading(alarm.StateOK, c.name, c.region))
		assert.Equal(t, c.sms, smsText(alarm.StateOK, c.name, c.region))
		assert.LessOrEqual(t, len(heading(alarm.StateInsufficientData, c.name, c.region)), 100)
	}
	assert.Len(t, heading(alarm.StateOK, long, "us-east-1"), 100)
	assert.Equal(t, "moon-1", RegionName("moon-1"))
	assert.Equal(t, "Asia Pacific (Seoul)", RegionName("ap-northeast-2"))
}

func TestDoubles(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0.0", 1: "1.0", -1.5: "-1.5", 0.0666851903306472: "0.0666851903306472", 1e7: "1.0E7", 9999999: "9999999.0",
		0.001: "0.001", 0.00012: "1.2E-4", 1.5e300: "1.5E300", 123456789: "1.23456789E8",
	} {
		assert.Equal(t, want, double(v).String())
	}
}
