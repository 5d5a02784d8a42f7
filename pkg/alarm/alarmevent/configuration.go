// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmevent

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// configuration is the configuration of an alarm in events and in the payload of Lambda functions. What is not in the
// reduced form of a change of state is left empty there.
type configuration struct {
	EvaluationPeriods                int32                    `json:"evaluationPeriods,omitempty"`
	DatapointsToAlarm                int32                    `json:"datapointsToAlarm,omitempty"`
	Threshold                        *double                  `json:"threshold,omitempty"`
	ThresholdMetricID                string                   `json:"thresholdMetricId,omitempty"`
	ComparisonOperator               alarm.ComparisonOperator `json:"comparisonOperator,omitempty"`
	TreatMissingData                 alarm.TreatMissingData   `json:"treatMissingData,omitempty"`
	EvaluateLowSampleCountPercentile string                   `json:"evaluateLowSampleCountPercentile,omitempty"`
	EvaluationWindow                 *evaluationWindow        `json:"evaluationWindow,omitempty"`

	AlarmRule                        string `json:"alarmRule,omitempty"`
	ActionsSuppressor                string `json:"actionsSuppressor,omitempty"`
	ActionsSuppressorWaitPeriod      *int32 `json:"actionsSuppressorWaitPeriod,omitempty"`
	ActionsSuppressorExtensionPeriod *int32 `json:"actionsSuppressorExtensionPeriod,omitempty"`

	AlarmName   string        `json:"alarmName,omitempty"`
	Description *string       `json:"description,omitempty"`
	Metrics     []metricQuery `json:"metrics,omitempty"`

	ActionsEnabled          *bool      `json:"actionsEnabled,omitempty"`
	Timestamp               *milliTime `json:"timestamp,omitempty"`
	OKActions               *[]string  `json:"okActions,omitempty"`
	AlarmActions            *[]string  `json:"alarmActions,omitempty"`
	InsufficientDataActions *[]string  `json:"insufficientDataActions,omitempty"`
}

type evaluationWindow struct {
	SlidingWindow   *struct{}        `json:"slidingWindow,omitempty"`
	WallClockWindow *wallClockWindow `json:"wallClockWindow,omitempty"`
}

type wallClockWindow struct {
	Timezone string `json:"timezone,omitempty"`
}

func windowOf(m *alarm.MetricAlarm) *evaluationWindow {
	switch {
	case m.WallClock != nil:
		return &evaluationWindow{WallClockWindow: &wallClockWindow{Timezone: m.WallClock.Timezone}}
	case m.SlidingWindow:
		return &evaluationWindow{SlidingWindow: &struct{}{}}
	}
	return nil
}

type metricQuery struct {
	ID         string      `json:"id"`
	Expression string      `json:"expression,omitempty"`
	MetricStat *metricStat `json:"metricStat,omitempty"`
	Label      *string     `json:"label,omitempty"`
	ReturnData bool        `json:"returnData"`
	Period     int32       `json:"period,omitempty"`
	AccountID  string      `json:"accountId,omitempty"`
}

type metricStat struct {
	Metric metric `json:"metric"`
	Period int32  `json:"period"`
	Stat   string `json:"stat"`
	Unit   string `json:"unit,omitempty"`
}

type metric struct {
	Namespace  string     `json:"namespace"`
	Name       string     `json:"name"`
	Dimensions dimensions `json:"dimensions"`
}

// dimensions are an object in events, in the order in which they were given.
type dimensions []cloudwatch.Dimension

// MarshalJSON implements [json.Marshaler].
func (d dimensions) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i := range d {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(encode(d[i].Name) + ":" + encode(d[i].Value))
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}

var _ json.Marshaler = dimensions(nil)

// reduced is the configuration as a change of state has it.
func reduced(arn string, d *alarm.Definition) configuration {
	c := configuration{Description: d.Description}
	if a := d.Composite; a != nil {
		c.AlarmRule = a.Rule
		c.ActionsSuppressor = a.ActionsSuppressor
		c.ActionsSuppressorWaitPeriod, c.ActionsSuppressorExtensionPeriod = a.WaitPeriod, a.ExtensionPeriod
	}
	if m := d.Metric; m != nil {
		c.Metrics = queriesOf(arn, m)
	}
	return c
}

// full is the configuration as a change of the configuration has it.
func full(arn string, d *alarm.Definition, updated time.Time) *configuration {
	c := reduced(arn, d)
	c.AlarmName = d.Name
	c.ActionsEnabled = &d.ActionsEnabled
	c.Timestamp = new(milliTime(updated))
	c.OKActions = new(list(d.OKActions))
	c.AlarmActions = new(list(d.AlarmActions))
	c.InsufficientDataActions = new(list(d.InsufficientDataActions))
	if m := d.Metric; m != nil {
		c.EvaluationPeriods, c.DatapointsToAlarm = m.EvaluationPeriods, m.DatapointsToAlarm
		c.Threshold, c.ThresholdMetricID = doubleOf(m.Threshold), m.ThresholdMetricID
		c.ComparisonOperator = m.ComparisonOperator
		c.TreatMissingData = m.TreatMissingData
		c.EvaluateLowSampleCountPercentile = m.EvaluateLowSampleCountPercentile
		c.EvaluationWindow = windowOf(m)
	}
	return &c
}

// queriesOf are the queries of an alarm. An alarm on one metric has one, whose id is made up.
func queriesOf(arn string, m *alarm.MetricAlarm) []metricQuery {
	if len(m.Metrics) == 0 {
		return []metricQuery{{
			ID: scalarID(arn, m), ReturnData: true,
			MetricStat: &metricStat{
				Metric: metric{m.Namespace, m.MetricName, m.Dimensions},
				Period: m.Period, Stat: m.Statistic + m.ExtendedStatistic, Unit: m.Unit,
			},
		}}
	}
	queries := make([]metricQuery, len(m.Metrics))
	for i := range m.Metrics {
		q := &m.Metrics[i]
		queries[i] = metricQuery{
			ID: q.ID, Expression: q.Expression, Label: q.Label, Period: q.Period, AccountID: q.AccountID,
			ReturnData: q.ReturnData == nil || *q.ReturnData,
		}
		if s := q.Metric; s != nil {
			queries[i].MetricStat = &metricStat{
				Metric: metric{s.Namespace, s.MetricName, s.Dimensions}, Period: s.Period, Stat: s.Stat, Unit: s.Unit,
			}
		}
	}
	return queries
}

// scalarID is the same as long as what the alarm watches is.
func scalarID(arn string, m *alarm.MetricAlarm) string {
	var b strings.Builder
	part := func(s string) {
		b.WriteString(strconv.Itoa(len(s)))
		b.WriteByte(':')
		b.WriteString(s)
	}
	for _, s := range []string{arn, m.Namespace, m.MetricName, m.Statistic, m.ExtendedStatistic, m.Unit, strconv.Itoa(int(m.Period))} {
		part(s)
	}
	sorted := append([]cloudwatch.Dimension(nil), m.Dimensions...)
	cloudwatch.SortDimensions(sorted)
	for _, d := range sorted {
		part(d.Name)
		part(d.Value)
	}
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(b.String())).String()
}
