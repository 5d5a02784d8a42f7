// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// What an alarm was not given is not shown, but empty lists of dimensions and actions are.

func notFound() error {
	return &awswire.Error{Code: "ResourceNotFoundException", Status: http.StatusNotFound}
}

// timestamp is in milliseconds, as CloudWatch's are.
func timestamp(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.Truncate(time.Millisecond)
	return &t
}

func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func metricAlarm(v *alarm.View) types.MetricAlarm {
	d, m, s := v.Definition, v.Definition.Metric, &v.Status
	a := types.MetricAlarm{
		AlarmName: &d.Name, AlarmArn: &v.ARN, AlarmDescription: d.Description, ActionsEnabled: &d.ActionsEnabled,
		AlarmActions: list(d.AlarmActions), OKActions: list(d.OKActions), InsufficientDataActions: list(d.InsufficientDataActions),
		AlarmConfigurationUpdatedTimestamp: timestamp(s.ConfigurationUpdated),

		StateValue: types.StateValue(s.State), StateReason: &s.Reason, StateReasonData: optional(s.ReasonData),
		StateUpdatedTimestamp: timestamp(s.StateUpdated), StateTransitionedTimestamp: timestamp(s.StateTransitioned),
		EvaluationState: types.EvaluationState(s.EvaluationState),

		Namespace: optional(m.Namespace), MetricName: optional(m.MetricName), Dimensions: dimensionsTo(m.Dimensions),
		Statistic: types.Statistic(m.Statistic), ExtendedStatistic: optional(m.ExtendedStatistic),
		Period: optional(m.Period), Unit: types.StandardUnit(m.Unit),
		EvaluationPeriods: &m.EvaluationPeriods, DatapointsToAlarm: optional(m.DatapointsToAlarm),
		Threshold: m.Threshold, ThresholdMetricId: optional(m.ThresholdMetricID),
		ComparisonOperator:               types.ComparisonOperator(m.ComparisonOperator),
		TreatMissingData:                 optional(string(m.TreatMissingData)),
		EvaluateLowSampleCountPercentile: optional(m.EvaluateLowSampleCountPercentile),
	}
	for i := range m.Metrics {
		a.Metrics = append(a.Metrics, queryTo(&m.Metrics[i]))
	}
	switch {
	case m.WallClock != nil:
		a.EvaluationWindow = &types.EvaluationWindowMemberWallClockWindow{
			Value: types.WallClockWindow{Timezone: optional(m.WallClock.Timezone)},
		}
	case m.SlidingWindow:
		a.EvaluationWindow = &types.EvaluationWindowMemberSlidingWindow{}
	}
	return a
}

func dimensionsTo(dims []cloudwatch.Dimension) []types.Dimension {
	out := make([]types.Dimension, len(dims))
	for i := range dims {
		out[i] = types.Dimension{Name: &dims[i].Name, Value: &dims[i].Value}
	}
	return out
}

func queryTo(q *alarm.Query) types.MetricDataQuery {
	out := types.MetricDataQuery{
		Id: &q.ID, Expression: optional(q.Expression), Label: q.Label, Period: optional(q.Period), ReturnData: q.ReturnData,
		AccountId: optional(q.AccountID),
	}
	if s := q.Metric; s != nil {
		out.MetricStat = &types.MetricStat{
			Metric: &types.Metric{Namespace: &s.Namespace, MetricName: &s.MetricName, Dimensions: dimensionsTo(s.Dimensions)},
			Period: &s.Period, Stat: &s.Stat, Unit: types.StandardUnit(s.Unit),
		}
	}
	return out
}

func compositeAlarm(v *alarm.View) types.CompositeAlarm {
	d, c, s := v.Definition, v.Definition.Composite, &v.Status
	return types.CompositeAlarm{
		AlarmName: &d.Name, AlarmArn: &v.ARN, AlarmDescription: d.Description, ActionsEnabled: &d.ActionsEnabled,
		AlarmActions: list(d.AlarmActions), OKActions: list(d.OKActions), InsufficientDataActions: list(d.InsufficientDataActions),
		AlarmConfigurationUpdatedTimestamp: timestamp(s.ConfigurationUpdated),

		StateValue: types.StateValue(s.State), StateReason: &s.Reason, StateReasonData: optional(s.ReasonData),
		StateUpdatedTimestamp: timestamp(s.StateUpdated), StateTransitionedTimestamp: timestamp(s.StateTransitioned),

		AlarmRule: &c.Rule, ActionsSuppressor: optional(c.ActionsSuppressor),
		ActionsSuppressorWaitPeriod: c.WaitPeriod, ActionsSuppressorExtensionPeriod: c.ExtensionPeriod,
		ActionsSuppressedBy: types.ActionsSuppressedBy(s.ActionsSuppressedBy), ActionsSuppressedReason: optional(s.ActionsSuppressedReason),
	}
}
