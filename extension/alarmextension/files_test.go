// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmextension

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const definitionFile = `
Alarms:
  # A composite alarm may stand before its children.
  both:
    AlarmRule: ALARM(cpu) AND ALARM(errors)
  cpu:
    Namespace: App
    MetricName: cpu
    Statistic: Average
    Period: 60
    EvaluationPeriods: 1
    Threshold: 80
    ComparisonOperator: GreaterThanThreshold
    Tags: [{Key: team, Value: web}]
  errors:
    Namespace: App
    MetricName: errors
    Statistic: Sum
    Period: 60
    EvaluationPeriods: 1
    Threshold: 1
    ComparisonOperator: GreaterThanThreshold
MuteRules:
  nightly:
    Rule: {Schedule: {Expression: cron(0 2 * * *), Duration: PT1H}}
    MuteTargets: {AlarmNames: [cpu]}
`

const cpuOnly = `
Alarms:
  cpu:
    Namespace: App
    MetricName: cpu
    Statistic: Average
    Period: 60
    EvaluationPeriods: 1
    Threshold: 90
    ComparisonOperator: GreaterThanThreshold
`

func (h *harness) names() (names []string) {
	h.t.Helper()
	out, err := h.api.DescribeAlarms(h.t.Context(), &cw.DescribeAlarmsInput{
		AlarmTypes: []types.AlarmType{types.AlarmTypeCompositeAlarm, types.AlarmTypeMetricAlarm},
	})
	require.NoError(h.t, err)
	for _, a := range out.CompositeAlarms {
		names = append(names, *a.AlarmName)
	}
	for _, a := range out.MetricAlarms {
		names = append(names, *a.AlarmName)
	}
	return names
}

func TestDefinitionFiles(t *testing.T) {
	h := newHarness(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "alarms.yaml")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	write(definitionFile)
	h.cfg.Definitions = []string{filepath.Join(dir, "*.yaml"), file}
	h.start()
	assert.Equal(t, []string{"both", "cpu", "errors"}, h.names())
	rules, err := h.api.ListAlarmMuteRules(t.Context(), &cw.ListAlarmMuteRulesInput{})
	require.NoError(t, err)
	assert.Len(t, rules.AlarmMuteRuleSummaries, 1)
	tags, err := h.api.ListTagsForResource(t.Context(), &cw.ListTagsForResourceInput{ResourceARN: aws.String(prefix + "cpu")})
	require.NoError(t, err)
	assert.Equal(t, "team", *tags.Tags[0].Key)
	h.setState("cpu", types.StateValueAlarm)
	h.put("by hand")
	before := h.metricAlarm("cpu")

	h.clock.Add(time.Minute)
	h.restart()
	assert.Equal(t, before, h.metricAlarm("cpu"), "a file that did not change changes nothing")
	again, err := h.api.ListAlarmMuteRules(t.Context(), &cw.ListAlarmMuteRulesInput{})
	require.NoError(t, err)
	assert.Equal(t, rules.AlarmMuteRuleSummaries, again.AlarmMuteRuleSummaries)

	write(cpuOnly)
	h.restart()
	assert.Equal(t, []string{"by hand", "cpu"}, h.names(), "what is in no file any more is deleted, if it came from one")
	a := h.metricAlarm("cpu")
	assert.InDelta(t, 90, *a.Threshold, 0)
	assert.Equal(t, types.StateValueAlarm, a.StateValue, "a changed alarm keeps its state")
	assert.Equal(t, start.Add(time.Minute), *a.AlarmConfigurationUpdatedTimestamp)
	rules, err = h.api.ListAlarmMuteRules(t.Context(), &cw.ListAlarmMuteRulesInput{})
	require.NoError(t, err)
	assert.Empty(t, rules.AlarmMuteRuleSummaries)

	h.put("cpu")
	h.stop()
	h.cfg.Definitions = nil
	h.start()
	assert.Equal(t, []string{"by hand", "cpu"}, h.names(), "what the API changed is the API's")
}

// TestTagsOfFiles has the tags changed in a file and nothing else.
func TestTagsOfFiles(t *testing.T) {
	h := newHarness(t)
	file := filepath.Join(t.TempDir(), "alarms.yaml")
	h.cfg.Definitions = []string{file}
	for _, team := range []string{"blue", "green"} {
		tags := "    Tags: [{Key: team, Value: red}, {Key: team, Value: " + team + "}]\n"
		text := cpuOnly + tags + "MuteRules:\n  night:\n    Rule:\n      Schedule: {Expression: cron(0 22 * * *), Duration: PT8H}\n" +
			"    MuteTargets: {AlarmNames: [cpu]}\n" + tags
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		h.start()
		for _, arn := range []string{prefix + "cpu", strings.Replace(prefix, ":alarm:", ":alarm-mute-rule:", 1) + "night"} {
			out, err := h.api.ListTagsForResource(t.Context(), &cw.ListTagsForResourceInput{ResourceARN: &arn})
			require.NoError(t, err)
			assert.Equal(t, []types.Tag{{Key: aws.String("team"), Value: &team}}, out.Tags, arn)
		}
		h.stop()
	}
}

func TestNeededFileAlarmsStay(t *testing.T) {
	h := newHarness(t)
	file := filepath.Join(t.TempDir(), "alarms.yaml")
	require.NoError(t, os.WriteFile(file, []byte(cpuOnly), 0o600))
	h.cfg.Definitions = []string{file}
	h.start()
	_, err := h.api.PutCompositeAlarm(t.Context(), &cw.PutCompositeAlarmInput{AlarmName: aws.String("c"), AlarmRule: aws.String("ALARM(cpu)")})
	require.NoError(t, err)
	h.stop()
	h.cfg.Definitions = nil
	h.start()
	assert.Equal(t, []string{"c", "cpu"}, h.names())
}

func TestBrokenDefinitions(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"unknown property": {"Alarms:\n  cpu:\n    Namespace: App\n    MetricNam: cpu\n", []string{"alarms.yaml:4", "MetricNam"}},
		"no number":        {cpuOnly + "    DatapointsToAlarm: many\n", []string{"alarms.yaml:11", "DatapointsToAlarm"}},
		"refused":          {cpuOnly + "    ExtendedStatistic: p90\n", []string{"alarms.yaml:6", "can not be made with both Statistic and ExtendedStatistic"}},
		"reserved tag":     {cpuOnly + "    Tags: [{Key: 'aws:x', Value: y}]\n", []string{"alarms.yaml:3", `must not start with any case of "aws:"`}},
		"no such child":    {"Alarms:\n  c:\n    AlarmRule: ALARM(x)\n", []string{"alarms.yaml:2", `alarm "c"`, "do not exist"}},
		"no yaml":          {"Alarms: [", []string{"alarms.yaml"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			file := filepath.Join(t.TempDir(), "alarms.yaml")
			require.NoError(t, os.WriteFile(file, []byte(c.text), 0o600))
			h.cfg.Definitions = []string{file}
			err := h.tryStart(func() {})
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
	h := newHarness(t)
	h.cfg.Definitions = []string{filepath.Join(t.TempDir(), "*.yaml")}
	require.ErrorContains(t, h.tryStart(func() {}), "no file is called")
	h.cfg.Definitions = []string{filepath.Join(t.TempDir(), "none.yaml")}
	require.ErrorContains(t, h.tryStart(func() {}), "none.yaml")
}
