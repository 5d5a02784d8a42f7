// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarms

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// transitions are those of the hour.
var transitions = map[string][]string{
	highCPU:   {"INSUFFICIENT_DATA to OK", "OK to ALARM", "ALARM to OK"},
	errorRate: {"INSUFFICIENT_DATA to OK", "OK to ALARM", "ALARM to OK", "OK to ALARM", "ALARM to OK"},
	throttled: {"INSUFFICIENT_DATA to OK", "OK to ALARM", "ALARM to OK"},
	trouble:   {"INSUFFICIENT_DATA to OK", "OK to ALARM", "ALARM to OK", "OK to ALARM", "ALARM to OK"},
}

// checkSubscriber checks what the HTTP subscriber of the topic was sent, each signed: one notification per transition that
// has the topic among its actions.
func checkSubscriber(t *testing.T, c *chain, r *receivers) {
	t.Helper()
	r.eventually(t, "all notifications", func() bool { return len(r.sns) >= 5 })
	var subjects []string
	for _, n := range r.of(highCPU) {
		subjects = append(subjects, n.Subject)
	}
	assert.Equal(t, []string{
		`OK: "high-cpu" in US East (N. Virginia)`, `ALARM: "high-cpu" in US East (N. Virginia)`, `OK: "high-cpu" in US East (N. Virginia)`,
	}, subjects)

	m := r.of(highCPU)[1].Message
	reason := fmt.Sprintf("Threshold Crossed: 3 datapoints [95.0 (%s), 95.0 (%s), 95.0 (%s)] were greater than the threshold (80.0).",
		c.short(20), c.short(15), c.short(10))
	assert.Equal(t, reason, m["NewStateReason"])
	for _, at := range []string{"AlarmConfigurationUpdatedTimestamp", "StateChangeTime"} {
		assert.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$`, m[at])
		delete(m, at)
	}
	assert.Equal(t, object{
		"AlarmName": highCPU, "AlarmDescription": "The web server is busy", "AWSAccountId": "000000000000", "NewStateValue": "ALARM",
		"NewStateReason": reason, "Region": "US East (N. Virginia)", "AlarmArn": arnPrefix + highCPU, "OldStateValue": "OK",
		"ActionExecutedAfterMuteWindow": false, "OKActions": []any{"arn:aws:sns:us-east-1:000000000000:ops"},
		"AlarmActions": []any{"arn:aws:sns:us-east-1:000000000000:ops"}, "InsufficientDataActions": []any{},
		"Trigger": object{
			"MetricName": "CPUUtilization", "Namespace": "AWS/EC2", "StatisticType": "Statistic", "Statistic": "AVERAGE", "Unit": nil,
			"Dimensions": []any{object{"name": "InstanceId", "value": "i-0123456789abcdef0"}}, "Period": 300.0, "EvaluationPeriods": 3.0,
			"ComparisonOperator": "GreaterThanThreshold", "Threshold": 80.0, "TreatMissingData": "missing", "EvaluateLowSampleCountPercentile": "",
		},
	}, m)

	rates := r.of(errorRate)
	require.Len(t, rates, 2, "no action is of its OK")
	for i, minute := range []int{21, 42} {
		assert.Equal(t, `ALARM: "checkout-error-rate" in US East (N. Virginia)`, rates[i].Subject)
		assert.Equal(t, fmt.Sprintf("Threshold Crossed: 2 datapoints [15.0 (%s), 15.0 (%s)] were greater than the threshold (5.0).",
			c.short(minute), c.short(minute-1)), rates[i].Message["NewStateReason"])
		trigger := rates[i].Message["Trigger"].(object)
		assert.NotContains(t, trigger, "MetricName")
		assert.Contains(t, trigger["Metrics"], object{
			"Id": "rate", "Expression": "100 * errors / requests", "Label": "error rate", "ReturnData": true,
		})
		assert.Len(t, trigger["Metrics"], 3)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	assert.Len(t, r.sns, 5)
}

// short is a minute behind the start as reasons have it.
func (c *chain) short(minute int) string {
	return c.start.Add(time.Duration(minute) * time.Minute).Format("02/01/06 15:04:05")
}

// checkReceivers checks what Slack and PagerDuty were sent of the composite alarm.
func checkReceivers(t *testing.T, r *receivers) {
	t.Helper()
	r.eventually(t, "all pages", func() bool { return len(r.slack) >= 5 && len(r.pagerduty) >= 5 })
	r.mu.Lock()
	defer r.mu.Unlock()
	var titles, colors, actions []string
	for _, d := range r.slack {
		assert.Equal(t, "#ops", d["channel"])
		a := d["attachments"].([]any)[0].(object)
		assert.Equal(t, "https://runbooks.example.com/shop-in-trouble", a["title_link"])
		titles, colors = append(titles, a["title"].(string)), append(colors, a["color"].(string))
	}
	// It is OK when it was created, which ends nothing.
	assert.Equal(t, []string{
		"shop-in-trouble is resolved", "shop-in-trouble is firing", "shop-in-trouble is resolved", "shop-in-trouble is firing",
		"shop-in-trouble is resolved",
	}, titles)
	assert.Equal(t, []string{"good", "danger", "good", "danger", "good"}, colors)
	incident := r.pagerduty[0]["dedup_key"]
	assert.NotEmpty(t, incident)
	for _, d := range r.pagerduty {
		actions = append(actions, d["event_action"].(string))
		assert.Equal(t, incident, d["dedup_key"])
		if d["event_action"] != "trigger" {
			continue
		}
		payload := d["payload"].(object)
		assert.Equal(t, "critical", payload["severity"])
		assert.Regexp(t, `^shop-in-trouble: `+regexp.QuoteMeta(arnPrefix)+`\S+ transitioned to ALARM at \w+ \d+ \w+, \d{4} \d\d:\d\d:\d\d UTC$`, payload["summary"])
		assert.Equal(t, []any{object{"href": "https://runbooks.example.com/shop-in-trouble", "text": "runbook"}}, d["links"])
	}
	assert.Equal(t, []string{"resolve", "trigger", "resolve", "trigger", "resolve"}, actions)
}

// event is one as EventBridge has them.
type event struct {
	Version, ID, Source, Account, Region, Time string
	DetailType                                 string `json:"detail-type"`
	Resources                                  []string
	Detail                                     struct {
		AlarmName, Operation string
		State, PreviousState struct{ Value, Reason, ReasonData, Timestamp string }
		Configuration        object
	}
}

// checkEvents checks that every transition left as a log record.
func checkEvents(t *testing.T, c *chain) {
	t.Helper()
	want := 0
	for _, list := range transitions {
		want += len(list) + 1 // it was created
	}
	require.Eventually(t, func() bool { return len(c.kept.taken()) >= want }, patience, 2*time.Millisecond)
	got := map[string][]string{}
	created := map[string]bool{}
	ids := map[string]bool{}
	for _, lr := range c.kept.taken() {
		var e event
		require.NoError(t, json.Unmarshal([]byte(lr.Body().Str()), &e))
		assert.Equal(t, "aws.cloudwatch", e.Source)
		assert.Equal(t, []string{arnPrefix + e.Detail.AlarmName}, e.Resources)
		assert.Equal(t, "0 000000000000 us-east-1", e.Version+" "+e.Account+" "+e.Region)
		assert.Equal(t, lr.Timestamp().AsTime().Format(time.RFC3339), e.Time)
		assert.Equal(t, e.DetailType, lr.EventName())
		ids[e.ID] = true
		if e.DetailType == "CloudWatch Alarm Configuration Change" {
			assert.Equal(t, "create", e.Detail.Operation)
			created[e.Detail.AlarmName] = true
			continue
		}
		assert.Equal(t, "CloudWatch Alarm State Change", e.DetailType)
		assert.NotEmpty(t, e.Detail.State.Reason)
		got[e.Detail.AlarmName] = append(got[e.Detail.AlarmName], e.Detail.PreviousState.Value+" to "+e.Detail.State.Value)
	}
	assert.Equal(t, transitions, got)
	assert.Len(t, created, 4)
	assert.Len(t, ids, want, "no event came twice")
}

// described is an alarm as boto3 describes it.
type described map[string]any

// checkDescriptions checks what boto3 sees, and returns the alarms without their times.
func checkDescriptions(t *testing.T, c *chain) []described {
	t.Helper()
	var seen struct {
		Alarms  []described
		History []struct{ AlarmName, AlarmType, HistoryItemType, HistorySummary, HistoryData, Timestamp string }
	}
	actions := func() (n int) {
		for _, h := range seen.History {
			if h.HistoryItemType == "Action" {
				n++
			}
		}
		return n
	}
	for deadline := time.Now().Add(patience); ; { // how actions ended is written after they did
		require.NoError(t, json.Unmarshal(python(t, c.aws, "observe.py"), &seen))
		if actions() >= 15 {
			break
		}
		require.True(t, time.Now().Before(deadline), "%+v", seen.History)
	}

	got, taken := map[string][]string{}, map[string]int{}
	for _, h := range seen.History {
		var data struct {
			Version, Type string
			NewState      struct {
				StateReason     string
				StateReasonData json.RawMessage
			}
			ActionState string
		}
		require.NoError(t, json.Unmarshal([]byte(h.HistoryData), &data))
		switch h.HistoryItemType {
		case "StateUpdate":
			change, ok := strings.CutPrefix(h.HistorySummary, "Alarm updated from ")
			require.True(t, ok, h.HistorySummary)
			got[h.AlarmName] = append(got[h.AlarmName], change)
			if h.AlarmName == throttled && strings.HasSuffix(change, "to ALARM") {
				assert.Equal(t, fmt.Sprintf("Threshold Crossed: 3 out of the last 5 datapoints [9.0 (%s), 9.0 (%s), 9.0 (%s)] were greater than "+
					"the threshold (0.0) and 2 missing datapoints were treated as [NonBreaching] (minimum 3 datapoints for OK -> ALARM transition).", c.short(42), c.short(41), c.short(40)),
					data.NewState.StateReason)
			}
			if h.AlarmType == "MetricAlarm" {
				assert.Contains(t, string(data.NewState.StateReasonData), `"queryDate"`)
			}
		case "Action":
			assert.Equal(t, "Succeeded", data.ActionState, h.HistoryData)
			assert.True(t, strings.HasPrefix(h.HistorySummary, "Successfully executed action arn:aws:sns:us-east-1:000000000000:"), h.HistorySummary)
			taken[h.AlarmName]++
		default:
			assert.Equal(t, "ConfigurationUpdate", h.HistoryItemType)
			assert.Equal(t, fmt.Sprintf("Alarm %q created", h.AlarmName), h.HistorySummary)
		}
	}
	assert.Equal(t, transitions, got)
	assert.Equal(t, map[string]int{highCPU: 3, errorRate: 2, trouble: 10}, taken)

	require.Len(t, seen.Alarms, 4)
	slices.SortFunc(seen.Alarms, func(a, b described) int { return strings.Compare(a["AlarmName"].(string), b["AlarmName"].(string)) })
	for _, a := range seen.Alarms {
		assert.Equal(t, "OK", a["StateValue"], a["AlarmName"])
		assert.NotEmpty(t, a["StateReasonData"])
		for _, timed := range []string{
			"AlarmConfigurationUpdatedTimestamp", "StateUpdatedTimestamp", "StateTransitionedTimestamp", "StateReason", "StateReasonData",
		} {
			assert.NotEmpty(t, a[timed], timed)
			delete(a, timed)
		}
		if metrics, ok := a["Metrics"].([]any); ok { // their order says nothing
			slices.SortFunc(metrics, func(a, b any) int { return strings.Compare(a.(object)["Id"].(string), b.(object)["Id"].(string)) })
		}
	}
	return seen.Alarms
}
