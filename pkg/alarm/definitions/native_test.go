// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

const nativeOfMany = `
Alarms:
  - &base
    AlarmName: "1"
    AlarmDescription: ""
    Namespace: N
    MetricName: 123456789012
    ExtendedStatistic: p99.9
    Unit: Milliseconds
    Dimensions: [{Name: a, Value: 0123}]
    Period: 10
    EvaluationPeriods: 2
    DatapointsToAlarm: 1
    Threshold: -1.5e-3
    ComparisonOperator: LessThanOrEqualToThreshold
    TreatMissingData: ignore
    EvaluateLowSampleCountPercentile: ignore
    ActionsEnabled: false
    InsufficientDataActions: ["arn:aws:sns:us-east-1:123456789012:t"]
  - Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: two
      Metrics:
        - Id: m1
          Label: ""
          MetricStat: {Metric: {Namespace: N, MetricName: M}, Period: 300, Stat: Average, Unit: Count}
        - {Id: band, Expression: "ANOMALY_DETECTION_BAND(m1, 2)"}
      ThresholdMetricId: band
      EvaluationPeriods: 1
      ComparisonOperator: LessThanLowerOrGreaterThanUpperThreshold
      EvaluationWindow: {SlidingWindow: {}}
  - AlarmName: three
    Namespace: N
    MetricName: M
    Statistic: Sum
    Period: 3600
    EvaluationPeriods: 24
    Threshold: 0
    ComparisonOperator: GreaterThanThreshold
    EvaluationWindow: {WallClockWindow: {Timezone: Europe/Berlin}}
  - AlarmName: four
    AlarmRule: ALARM("1") AND NOT OK(two)
    ActionsSuppressor: three
    ActionsSuppressorWaitPeriod: 0
    ActionsSuppressorExtensionPeriod: 60
    Tags: [{Key: a, Value: ""}]
MuteRules:
  - Name: night
    Description: sleep
    Rule: {Schedule: {Expression: "at(2026-11-21T02:00)", Duration: PT8H, Timezone: Asia/Tokyo}}
    MuteTargets: {AlarmNames: [two]}
    StartDate: 2026-11-20T00:00:00Z
`

func TestNative(t *testing.T) {
	t.Parallel()
	set := parseText(t, Settings{}, "alarms.yaml", nativeOfMany)
	threshold := -0.0015
	empty := ""
	require.Equal(t, &alarm.Definition{
		Name: "1", Description: &empty, InsufficientDataActions: []string{"arn:aws:sns:us-east-1:123456789012:t"},
		Metric: &alarm.MetricAlarm{
			Namespace: "N", MetricName: "123456789012", Dimensions: []cloudwatch.Dimension{{Name: "a", Value: "0123"}},
			ExtendedStatistic: "p99.9", Period: 10, Unit: "Milliseconds", EvaluationPeriods: 2, DatapointsToAlarm: 1, Threshold: &threshold,
			ComparisonOperator: alarm.LessThanOrEqualToThreshold, TreatMissingData: alarm.Ignore, EvaluateLowSampleCountPercentile: "ignore",
		},
	}, set.Alarms[0].Alarm)
	require.Equal(t, Source{File: "alarms.yaml", Line: 3, Format: FormatNative, Name: "Alarms[0]"}, set.Alarms[0].Source)
	require.True(t, set.Alarms[1].Alarm.Metric.SlidingWindow)
	require.Equal(t, "Europe/Berlin", set.Alarms[2].Alarm.Metric.WallClock.Timezone)
	require.Equal(t, int32(0), *set.Alarms[3].Alarm.Composite.WaitPeriod)
	require.Len(t, set.MuteRules, 1)
}

// TestMarshal writes definitions in the native form, and reads them again.
func TestMarshal(t *testing.T) {
	t.Parallel()
	for _, set := range []*Set{
		parseText(t, Settings{}, "alarms.yaml", nativeOfMany),
		load(t, Settings{}, examples+"terraform"),
	} {
		text, err := Marshal(set)
		require.NoError(t, err)
		again := parseText(t, Settings{}, "again.yaml", string(text))
		require.Len(t, again.Alarms, len(set.Alarms))
		for i := range set.Alarms {
			require.Equal(t, set.Alarms[i].Alarm, again.Alarms[i].Alarm, string(text))
		}
		require.Len(t, again.MuteRules, len(set.MuteRules))
		for i := range set.MuteRules {
			require.Equal(t, set.MuteRules[i].Rule, again.MuteRules[i].Rule)
		}
	}
}

func TestDescribeAlarms(t *testing.T) {
	t.Parallel()
	set := load(t, Settings{}, "testdata/describe-alarms.json")
	require.Len(t, set.Alarms, 2)
	m := set.Alarms[0].Alarm
	require.Equal(t, "error-rate", m.Name)
	require.Len(t, m.Metric.Metrics, 2)
	require.True(t, *m.Metric.Metrics[0].ReturnData)
	require.Equal(t, 5, set.Alarms[0].Source.Line)
	require.Equal(t, "ALARM(error-rate)", set.Alarms[1].Alarm.Composite.Rule)
	require.Len(t, set.Notes, 1)
}

func TestDetection(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"empty.yaml":  {"# nothing", "empty.yaml: the file is empty"},
		"other.yaml":  {"a: 1", "other.yaml:1: no alarm definitions"},
		"text.yaml":   {"just text", "no alarm definitions"},
		"two.yaml":    {"Alarms: {}\n---\nAlarms: {}", "two.yaml:2: the file has more than one document"},
		"broken.yaml": {"Alarms:\n  a: [\n", "broken.yaml:"},
		"broken.json": {"{\n\"Alarms\": [\n}", "broken.json:3: "},
		"twice.yaml":  {"Alarms: {}\nAlarms: {}", `twice.yaml:2: the key "Alarms" occurs twice`},
		"twice.json":  {"{\"Alarms\": {},\n\"Alarms\": {}}", `twice.json:2: the key "Alarms" occurs twice`},
		"merge.yaml":  {"Alarms:\n  a: &a {AlarmRule: 'TRUE'}\n  b:\n    <<: *a", "merge.yaml:4: merge keys"},
		"more.json":   {"{} {}", "more.json:1: something follows"},
		"same.yaml":   {"Alarms:\n  a: {AlarmRule: 'TRUE'}\n  b: {AlarmName: a, AlarmRule: 'TRUE'}", `same.yaml:3: b: AlarmName: the alarm "a" is defined in same.yaml:2 already`},
		"deep.json":   {strings.Repeat("[", 200) + strings.Repeat("]", 200), "nested deeper than 100"},
		"macro.yaml":  {"Transform: Mine\nResources: {A: {Type: X}}", `macro.yaml:1: Transform: the macro "Mine" runs in AWS only`},
	} {
		_, err := Parse(Settings{}, name, []byte(c.text))
		require.ErrorContains(t, err, c.want, name)
	}
	_, err := Load(Settings{}, t.TempDir())
	require.ErrorContains(t, err, "no definition files")
	set := parseText(t, Settings{}, "x.template", `{"Resources": {"A": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmRule": "TRUE"}}}}`)
	require.Equal(t, FormatCloudFormation, set.Alarms[0].Source.Format)
}
