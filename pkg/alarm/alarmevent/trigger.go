// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmevent

import (
	"strings"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// metricTrigger is what an alarm on one metric watches.
type metricTrigger struct {
	MetricName                       string
	Namespace                        string
	StatisticType                    string
	Statistic                        string `json:",omitempty"`
	ExtendedStatistic                string `json:",omitempty"`
	Unit                             *string
	Dimensions                       []triggerDimension
	Period                           int32
	EvaluationPeriods                int32
	DatapointsToAlarm                int32 `json:",omitempty"`
	ComparisonOperator               alarm.ComparisonOperator
	Threshold                        *double
	TreatMissingData                 alarm.TreatMissingData
	EvaluateLowSampleCountPercentile string
}

// queriesTrigger is what an alarm on an expression or a band watches.
type queriesTrigger struct {
	Period                           int32
	EvaluationPeriods                int32
	DatapointsToAlarm                int32 `json:",omitempty"`
	ComparisonOperator               alarm.ComparisonOperator
	Threshold                        *double `json:",omitempty"`
	ThresholdMetricID                string  `json:"ThresholdMetricId,omitempty"`
	TreatMissingData                 alarm.TreatMissingData
	EvaluateLowSampleCountPercentile string
	Metrics                          []triggerQuery
}

type triggerDimension struct {
	Value string `json:"value"`
	Name  string `json:"name"`
}

type triggerQuery struct {
	AccountID  string             `json:"AccountId,omitempty"`
	Expression string             `json:",omitempty"`
	ID         string             `json:"Id"`
	Label      *string            `json:",omitempty"`
	MetricStat *triggerMetricStat `json:",omitempty"`
	Period     int32              `json:",omitempty"`
	ReturnData bool
}

type triggerMetricStat struct {
	Metric triggerMetric
	Period int32
	Stat   string
	Unit   string `json:",omitempty"`
}

type triggerMetric struct {
	Dimensions []triggerDimension
	MetricName string
	Namespace  string
}

func triggerOf(m *alarm.MetricAlarm) any {
	if len(m.Metrics) > 0 {
		return queriesTriggerOf(m)
	}
	t := &metricTrigger{
		MetricName: m.MetricName, Namespace: m.Namespace, Unit: optional(m.Unit), Dimensions: triggerDimensions(m.Dimensions),
		Period: m.Period, EvaluationPeriods: m.EvaluationPeriods, DatapointsToAlarm: m.DatapointsToAlarm,
		ComparisonOperator: m.ComparisonOperator, Threshold: doubleOf(m.Threshold), TreatMissingData: m.TreatMissingData,
		EvaluateLowSampleCountPercentile: m.EvaluateLowSampleCountPercentile,
	}
	if m.ExtendedStatistic != "" {
		t.StatisticType, t.ExtendedStatistic = "ExtendedStatistic", m.ExtendedStatistic
	} else {
		t.StatisticType, t.Statistic = "Statistic", upperStatistic(m.Statistic)
	}
	return t
}

func queriesTriggerOf(m *alarm.MetricAlarm) *queriesTrigger {
	t := &queriesTrigger{
		Period: period(m), EvaluationPeriods: m.EvaluationPeriods, DatapointsToAlarm: m.DatapointsToAlarm,
		ComparisonOperator: m.ComparisonOperator, Threshold: doubleOf(m.Threshold), ThresholdMetricID: m.ThresholdMetricID,
		TreatMissingData:                 m.TreatMissingData,
		EvaluateLowSampleCountPercentile: m.EvaluateLowSampleCountPercentile,
		Metrics:                          make([]triggerQuery, len(m.Metrics)),
	}
	for i := range m.Metrics {
		q := &m.Metrics[i]
		t.Metrics[i] = triggerQuery{
			AccountID: q.AccountID, Expression: q.Expression, ID: q.ID, Label: q.Label, Period: q.Period,
			ReturnData: q.ReturnData == nil || *q.ReturnData,
		}
		if s := q.Metric; s != nil {
			t.Metrics[i].MetricStat = &triggerMetricStat{
				Metric: triggerMetric{triggerDimensions(s.Dimensions), s.MetricName, s.Namespace},
				Period: s.Period, Stat: s.Stat, Unit: s.Unit,
			}
		}
	}
	return t
}

// period is that of an alarm's data points in seconds, 0 when it says none.
func period(m *alarm.MetricAlarm) int32 {
	if m.Period != 0 {
		return m.Period
	}
	for i := range m.Metrics {
		if s := m.Metrics[i].Metric; s != nil {
			return s.Period
		}
	}
	for i := range m.Metrics {
		if p := m.Metrics[i].Period; p != 0 {
			return p
		}
	}
	return 0
}

func triggerDimensions(dims []cloudwatch.Dimension) []triggerDimension {
	out := make([]triggerDimension, len(dims))
	for i, d := range dims {
		out[i] = triggerDimension{d.Value, d.Name}
	}
	return out
}

// upperStatistic is a statistic as notifications and history have it: AVERAGE, SAMPLE_COUNT.
func upperStatistic(s string) string {
	if s == "SampleCount" {
		return "SAMPLE_COUNT"
	}
	return strings.ToUpper(s)
}
