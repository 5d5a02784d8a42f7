// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmevent

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const topic = "arn:aws:sns:us-east-1:111111111111:topic"

func at(t *testing.T, text string) time.Time {
	t.Helper()
	v, err := time.Parse("2006-01-02T15:04:05.000", text)
	require.NoError(t, err)
	return v
}

// scalarEvent is the change of the alarm of a recorded notification.
func scalarEvent(t *testing.T) *alarm.Event {
	t.Helper()
	created, changed := at(t, "2026-02-26T10:14:00.123"), at(t, "2026-02-26T10:14:11.423")
	e := &alarm.Event{
		Kind: alarm.EventStateChanged, Time: changed,
		Tenant: cloudwatch.Tenant{Account: "111111111111", Region: "us-east-1"},
		ARN:    "arn:aws:cloudwatch:us-east-1:111111111111:alarm:cpu",
		Alarm: &alarm.Definition{
			Name: "cpu", ActionsEnabled: true, AlarmActions: []string{topic},
			Metric: &alarm.MetricAlarm{
				Namespace: "AWS/EC2", MetricName: "CPUUtilization", Dimensions: []cloudwatch.Dimension{{Name: "InstanceId", Value: "i-1"}},
				Statistic: "Average", Period: 60, EvaluationPeriods: 3, DatapointsToAlarm: 2,
				Threshold: new(21.0), ComparisonOperator: alarm.GreaterThanThreshold, TreatMissingData: alarm.Missing,
			},
		},
		Old: alarm.Status{
			State: alarm.StateInsufficientData, Reason: alarm.InitialReason,
			ConfigurationUpdated: created, StateUpdated: created, StateTransitioned: created,
		},
		New: alarm.Status{
			State:                alarm.StateAlarm,
			Reason:               "Threshold Crossed: 1 datapoint [21.5 (26/02/26 10:14:00)] was greater than the threshold (21.0).",
			ReasonData:           `{"version":"1.0","queryDate":"2026-02-26T10:14:11.423+0000"}`,
			ConfigurationUpdated: created, StateUpdated: changed, StateTransitioned: changed,
		},
		Actions: []string{topic},
	}
	return e
}

func queriesEvent(t *testing.T) *alarm.Event {
	t.Helper()
	e := scalarEvent(t)
	e.Alarm = &alarm.Definition{
		Name: "math", Description: new("m1 and a half"), ActionsEnabled: true, AlarmActions: []string{topic},
		Metric: &alarm.MetricAlarm{
			EvaluationPeriods: 1, DatapointsToAlarm: 1, Threshold: new(10.0), ComparisonOperator: alarm.GreaterThanThreshold,
			Metrics: []alarm.Query{
				{ID: "e1", Expression: "m1 + 0", Label: new("sum"), Period: 60, ReturnData: new(true)},
				{ID: "m1", Label: new("cpu"), ReturnData: new(false), Metric: &alarm.MetricStat{
					Namespace: "AWS/EC2", MetricName: "CPUUtilization", Period: 60, Stat: "Average", Unit: "Percent",
				}},
			},
		},
	}
	return e
}

func compositeEvent(t *testing.T) *alarm.Event {
	t.Helper()
	e := scalarEvent(t)
	child := "arn:aws:cloudwatch:us-east-1:111111111111:alarm:cpu"
	e.ARN = "arn:aws:cloudwatch:us-east-1:111111111111:alarm:both"
	e.Alarm = &alarm.Definition{
		Name: "both", ActionsEnabled: true, OKActions: []string{topic},
		Composite: &alarm.CompositeAlarm{
			Rule: `ALARM(cpu) AND ALARM("a<b")`, ActionsSuppressor: "deploy", WaitPeriod: new(int32(120)), ExtensionPeriod: new(int32(0)),
		},
	}
	e.New.Reason = child + " transitioned to ALARM at Friday 22 July, 2022 15:57:45 UTC"
	e.New.ReasonData = `{"triggeringAlarms":[{"arn":"` + child + `","state":{"value":"ALARM","timestamp":"2022-07-22T15:57:45.640+0000"}}]}`
	e.Triggering = []alarm.TriggeringAlarm{{ARN: child, State: alarm.StateAlarm, Timestamp: at(t, "2022-07-22T15:57:45.640")}}
	return e
}

func contributorEvent(t *testing.T) *alarm.Event {
	t.Helper()
	e := scalarEvent(t)
	e.Kind = alarm.EventContributorChanged
	e.Contributor = &alarm.Contributor{
		ID: "0123456789abcdef", Attributes: map[string]string{"InstanceId": "i-1"},
		Old: alarm.Status{State: alarm.StateOK, Reason: "before", StateUpdated: e.Old.StateUpdated},
		New: alarm.Status{State: alarm.StateAlarm, Reason: "after", StateUpdated: e.New.StateUpdated, ReasonData: "{}"},
	}
	return e
}
