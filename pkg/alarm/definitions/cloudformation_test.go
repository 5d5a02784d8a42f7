// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/alarm"
)

const templateOfMany = `{
  "Transform": ["AWS::Serverless-2016-10-31"],
  "Parameters": {
    "Names": {"Type": "CommaDelimitedList", "Default": "a, b"},
    "Limit": {"Type": "Number", "Default": 7, "MinValue": 1, "MaxValue": 10},
    "Level": {"Type": "String", "Default": "info", "AllowedValues": ["info", "critical"]}
  },
  "Mappings": {"Periods": {"us-east-1": {"info": 300, "critical": 60}}},
  "Conditions": {
    "Critical": {"Fn::Equals": [{"Ref": "Level"}, "critical"]},
    "Quiet": {"Fn::And": [{"Fn::Not": [{"Condition": "Critical"}]}, {"Fn::Or": [{"Fn::Equals": [1, 1]}, {"Fn::Equals": [1, 2]}]}]}
  },
  "Resources": {
    "Topic": {"Type": "AWS::SNS::Topic"},
    "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "${AWS::StackName}-queue"}}},
    "Fn": {"Type": "AWS::Serverless::Function"},
    "Scale": {"Type": "AWS::AutoScaling::ScalingPolicy"},
    "Plain": {"Type": "AWS::CloudWatch::Alarm", "DependsOn": ["Topic"], "Properties": {
      "Namespace": "N", "MetricName": {"Fn::Select": ["1", {"Ref": "Names"}]}, "Statistic": "Sum",
      "Period": {"Fn::FindInMap": ["Periods", {"Ref": "AWS::Region"}, {"Ref": "Level"}]},
      "EvaluationPeriods": "2", "Threshold": {"Ref": "Limit"}, "ComparisonOperator": "GreaterThanThreshold",
      "TreatMissingData": {"Fn::If": ["Critical", "breaching", {"Ref": "AWS::NoValue"}]},
      "Dimensions": [
        {"Name": "Queue", "Value": {"Fn::GetAtt": ["Queue", "QueueName"]}}, {"Name": "Function", "Value": {"Ref": "Fn"}},
        {"Fn::If": ["Quiet", {"Ref": "AWS::NoValue"}, {"Name": "Loud", "Value": "yes"}]}
      ],
      "AlarmActions": [{"Ref": "Topic"}, {"Ref": "Scale"}, {"Fn::GetAtt": ["Fn", "Arn"]}],
      "AlarmDescription": {"Fn::Join": ["-", {"Fn::Split": [",", "x,y"]}]}
    }},
    "Off": {"Type": "AWS::CloudWatch::Alarm", "Condition": "Critical", "Properties": {"Nonsense": 1}},
    "Both": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {
      "AlarmName": "both", "AlarmRule": {"Fn::Sub": ["ALARM(${Plain}) OR ALARM(${x}) ${!Literal}", {"x": {"Fn::GetAtt": "Plain.Arn"}}]},
      "ActionsEnabled": "false"
    }},
    "Night": {"Type": "AWS::CloudWatch::AlarmMuteRule", "Properties": {
      "Rule": {"Schedule": {"Expression": "cron(0 2 * * *)", "Duration": "PT1H", "Timezone": "Europe/Berlin"}},
      "MuteTargets": {"AlarmNames": [{"Ref": "Plain"}]}, "ExpireDate": "2026-12-31T23:59"
    }},
    "Detector": {"Type": "AWS::CloudWatch::AnomalyDetector"}
  }
}`

func TestTemplate(t *testing.T) {
	t.Parallel()
	s := Settings{Account: "123456789012", StackName: "shop"}
	_, err := Parse(s, "t.json", []byte(templateOfMany))
	require.ErrorContains(t, err, "t.json:32: Both: AlarmRule: Error in AlarmRule", "${!Literal} is ${Literal}, no alarm")

	text := []byte(strings.Replace(templateOfMany, " ${!Literal}", "", 1))
	set, err := Parse(s, "t.json", text)
	require.NoError(t, err)
	require.Len(t, set.Alarms, 2)
	plain := set.Alarms[0].Alarm
	require.Equal(t, "shop-Plain", plain.Name)
	require.Equal(t, "x-y", *plain.Description)
	m := plain.Metric
	require.Equal(t, []any{"b", int32(300), int32(2), 7.0, alarm.TreatMissingData("")},
		[]any{m.MetricName, m.Period, m.EvaluationPeriods, *m.Threshold, m.TreatMissingData})
	require.Len(t, m.Dimensions, 2)
	require.Equal(t, []string{"shop-queue", "shop-Fn"}, []string{m.Dimensions[0].Value, m.Dimensions[1].Value})
	require.Equal(t, []string{
		"arn:aws:sns:us-east-1:123456789012:shop-Topic",
		"arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:00000000-0000-0000-0000-000000000000:autoScalingGroupName/stack:policyName/shop-Scale",
		"arn:aws:lambda:us-east-1:123456789012:function:shop-Fn",
	}, plain.AlarmActions)
	both := set.Alarms[1].Alarm
	require.Equal(t, "ALARM(shop-Plain) OR ALARM(arn:aws:cloudwatch:us-east-1:123456789012:alarm:shop-Plain)", both.Composite.Rule)
	require.False(t, both.ActionsEnabled)
	require.Equal(t, []string{"shop-Plain"}, set.MuteRules[0].Rule.AlarmNames)
	require.Equal(t, "shop-Night", set.MuteRules[0].Rule.Name)
	require.Len(t, set.Notes, 1)

	s.Parameters = map[string]string{"Level": "critical", "Limit": "10"}
	_, err = Parse(s, "t.json", text)
	require.ErrorContains(t, err, "Off: Nonsense: unknown property")
	for name, value := range map[string]string{"Level": "loud", "Limit": "11", "Nobody": "x"} {
		s.Parameters = map[string]string{name: value}
		_, err = Parse(s, "t.json", text)
		require.ErrorContains(t, err, name)
	}
}

// TestTemplateBounds is a template whose functions come to a lot.
func TestTemplateBounds(t *testing.T) {
	t.Parallel()
	text := "Mappings: {m: {m: {m: " + strings.Repeat("x", 5_000) + "}}}\nResources:\n  A:\n    Type: AWS::CloudWatch::CompositeAlarm\n    Properties:\n      AlarmRule: !Join\n        - ''\n        - \n"
	text += strings.Repeat("          - !FindInMap [m, m, m]\n", 30_000)
	_, err := Parse(Settings{}, "t.yaml", []byte(text))
	require.ErrorContains(t, err, "the functions of the template come to more than")
}
