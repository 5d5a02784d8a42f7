// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmevent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// historyAlarm is an alarm in a ConfigurationUpdate. Its keys are in CloudWatch's order; those of what the alarm does not
// have are left out.
type historyAlarm []member

// member is one key and its value.
type member struct {
	key   string
	value any
}

// MarshalJSON implements [json.Marshaler].
func (a historyAlarm) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i, m := range a {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(encode(m.key) + ":" + encode(m.value))
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}

var _ json.Marshaler = historyAlarm(nil)

func (a *historyAlarm) add(key string, value any) { *a = append(*a, member{key, value}) }

func (a *historyAlarm) addText(key, value string) {
	if value != "" {
		a.add(key, value)
	}
}

type historyDimension struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func historyDimensions(dims []cloudwatch.Dimension) []historyDimension {
	out := make([]historyDimension, len(dims))
	for i, d := range dims {
		out[i] = historyDimension(d)
	}
	return out
}

type historyQuery struct {
	ID         string             `json:"id"`
	Expression string             `json:"expression,omitempty"`
	MetricStat *historyMetricStat `json:"metricStat,omitempty"`
	Label      *string            `json:"label,omitempty"`
	ReturnData bool               `json:"returnData"`
	Period     int32              `json:"period,omitempty"`
	AccountID  string             `json:"accountId,omitempty"`
}

type historyMetricStat struct {
	Metric historyMetric `json:"metric"`
	Period int32         `json:"period"`
	Stat   string        `json:"stat"`
	Unit   string        `json:"unit,omitempty"`
}

type historyMetric struct {
	Namespace  string             `json:"namespace"`
	MetricName string             `json:"metricName"`
	Dimensions []historyDimension `json:"dimensions"`
}

func historyQueries(queries []alarm.Query) []historyQuery {
	out := make([]historyQuery, len(queries))
	for i := range queries {
		q := &queries[i]
		out[i] = historyQuery{
			ID: q.ID, Expression: q.Expression, Label: q.Label, Period: q.Period, AccountID: q.AccountID,
			ReturnData: q.ReturnData == nil || *q.ReturnData,
		}
		if s := q.Metric; s != nil {
			out[i].MetricStat = &historyMetricStat{
				Metric: historyMetric{s.Namespace, s.MetricName, historyDimensions(s.Dimensions)},
				Period: s.Period, Stat: s.Stat, Unit: s.Unit,
			}
		}
	}
	return out
}

func historyAlarmOf(arn string, d *alarm.Definition, s *alarm.Status) historyAlarm {
	var a historyAlarm
	a.add("alarmName", d.Name)
	if d.Description != nil {
		a.add("alarmDescription", *d.Description)
	}
	a.add("alarmArn", arn)
	a.add("alarmConfigurationUpdatedTimestamp", milliTime(s.ConfigurationUpdated))
	if m := d.Metric; m != nil {
		a.addMetric(m)
	}
	if c := d.Composite; c != nil {
		a.add("alarmRule", c.Rule)
		a.addText("actionsSuppressor", c.ActionsSuppressor)
		if c.WaitPeriod != nil {
			a.add("actionsSuppressorWaitPeriod", *c.WaitPeriod)
		}
		if c.ExtensionPeriod != nil {
			a.add("actionsSuppressorExtensionPeriod", *c.ExtensionPeriod)
		}
	}
	a.add("stateValue", s.State)
	a.add("stateUpdatedTimestamp", milliTime(s.StateUpdated))
	a.add("actionsEnabled", d.ActionsEnabled)
	a.add("alarmActions", list(d.AlarmActions))
	a.add("insufficientDataActions", list(d.InsufficientDataActions))
	a.add("okactions", list(d.OKActions))
	return a
}

func (a *historyAlarm) addMetric(m *alarm.MetricAlarm) {
	if len(m.Metrics) == 0 {
		a.add("namespace", m.Namespace)
		a.add("metricName", m.MetricName)
		statistic := m.ExtendedStatistic
		if statistic == "" {
			statistic = upperStatistic(m.Statistic)
		}
		a.add("extendedStatistic", statistic)
		a.add("period", m.Period)
		a.add("dimensions", historyDimensions(m.Dimensions))
		a.addText("unit", m.Unit)
	} else {
		a.add("metrics", historyQueries(m.Metrics))
	}
	if m.Threshold != nil {
		a.add("threshold", double(*m.Threshold))
	}
	a.addText("thresholdMetricId", m.ThresholdMetricID)
	a.add("comparisonOperator", m.ComparisonOperator)
	a.add("evaluationPeriods", m.EvaluationPeriods)
	if m.DatapointsToAlarm != 0 {
		a.add("datapointsToAlarm", m.DatapointsToAlarm)
	}
	a.addText("treatMissingData", string(m.TreatMissingData))
	a.addText("evaluateLowSampleCountPercentile", m.EvaluateLowSampleCountPercentile)
	if w := windowOf(m); w != nil {
		a.add("evaluationWindow", w)
	}
}

// changes are the members of before that are not in after as they were. What before did not have is null.
func changes(before, after historyAlarm) historyAlarm {
	var out historyAlarm
	find := func(a historyAlarm, key string) (any, bool) {
		for _, m := range a {
			if m.key == key {
				return m.value, true
			}
		}
		return nil, false
	}
	for _, m := range before {
		now, ok := find(after, m.key)
		if !ok || !bytes.Equal([]byte(encode(now)), []byte(encode(m.value))) {
			out = append(out, m)
		}
	}
	for _, m := range after {
		if _, ok := find(before, m.key); !ok {
			out.add(m.key, nil)
		}
	}
	return out
}

func configurationHistory(e *alarm.Event) History {
	h := History{Type: HistoryConfigurationUpdate}
	var data historyAlarm
	data.add("version", historyVersion)
	switch e.Kind {
	case alarm.EventCreated:
		h.Summary = fmt.Sprintf(`Alarm "%s" created`, e.Alarm.Name)
		data.add("type", "Create")
		data.add("createdAlarm", historyAlarmOf(e.ARN, e.Alarm, &e.New))
	case alarm.EventUpdated:
		h.Summary = fmt.Sprintf(`Alarm "%s" updated`, e.Alarm.Name)
		data.add("type", "Update")
		updated := historyAlarmOf(e.ARN, e.Alarm, &e.New)
		data.add("updatedAlarm", updated)
		if e.Previous != nil {
			data.add("originalUpdatedFields", changes(historyAlarmOf(e.ARN, e.Previous, &e.Old), updated))
		}
	default:
		status := &e.New
		if status.State == "" {
			status = &e.Old
		}
		h.Summary = fmt.Sprintf(`Alarm "%s" deleted`, e.Alarm.Name)
		data.add("type", "Delete")
		data.add("deletedAlarm", historyAlarmOf(e.ARN, e.Alarm, status))
	}
	h.Summary = cutRunes(h.Summary, maxSummary)
	h.Data = encode(data)
	return h
}
