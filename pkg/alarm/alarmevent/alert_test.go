// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmevent

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/nephoscope/nephoscope/pkg/alarm"
)

func TestSeverity(t *testing.T) {
	for _, c := range []struct {
		name string
		tags []alarm.Tag
		arns []string
		want string
	}{
		{name: "cpu", want: SeverityError},
		{name: "[P1] checkout", want: SeverityCritical},
		{name: "SEV3: disk", want: SeverityWarning},
		{name: "checkout-critical", want: SeverityCritical},
		{name: "critically-low", want: SeverityError},
		{name: "temp1", want: SeverityError},
		{name: "a_info", want: SeverityInfo},
		{name: "[P1]", arns: []string{topic, "arn:aws:ssm:us-east-1:1:opsitem:3#CATEGORY=Cost"}, want: SeverityWarning},
		{name: "[P1]", arns: []string{"arn:aws:ssm:us-east-1:1:opsitem:4"}, tags: []alarm.Tag{{Key: "Severity", Value: "None"}}, want: SeverityNone},
		{name: "cpu", tags: []alarm.Tag{{Key: "severity", Value: "whatever"}}, want: SeverityError},
	} {
		assert.Equal(t, c.want, Severity(&alarm.Definition{Name: c.name, AlarmActions: c.arns}, c.tags, alarm.StateAlarm), "%+v", c)
	}
	assert.Equal(t, SeverityNone, Severity(&alarm.Definition{Name: "cpu"}, nil, alarm.StateOK))
	assert.Equal(t, SeverityWarning, Severity(&alarm.Definition{Name: "cpu"}, nil, alarm.StateInsufficientData))
}

func TestAlert(t *testing.T) {
	e := scalarEvent(t)
	e.Alarm.Description = new("text")
	tags := []alarm.Tag{{Key: "severity", Value: "warning"}, {Key: "runbook", Value: "https://r"}, {Key: "alarm_group", Value: "g"}}
	assert.Equal(t, map[string]string{
		"alertname": "cpu", "alarm_arn": e.ARN, "account": "111111111111", "region": "us-east-1", "namespace": "AWS/EC2",
		"metric": "CPUUtilization", "severity": "warning", "alarm_type": "MetricAlarm", "alarm_group": "g",
	}, Labels(e, tags))
	assert.Equal(t, map[string]string{
		"description": "text", "reason": e.New.Reason, "threshold": "GreaterThanThreshold 21.0", "runbook": "https://r", "runbook_url": "https://r",
	}, Annotations(e, tags))
	assert.Equal(t, "CompositeAlarm", Labels(compositeEvent(t), nil)["alarm_type"])
	assert.Equal(t, "0123456789abcdef", Labels(contributorEvent(t), nil)["alarm_contributor"])
}
