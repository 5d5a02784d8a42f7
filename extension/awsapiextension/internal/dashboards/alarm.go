// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"fmt"
	"strconv"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/dashboard"
	"github.com/nephoscope/nephoscope/pkg/widgetimage"
)

// addAlarm adds the metrics of an alarm, and returns what else is drawn of it.
func (r *imageReader) addAlarm(arn string) (*widgetimage.Alarm, error) {
	tenant, name, ok := alarm.ParseARN(arn)
	if !ok || tenant.Account != r.request.Account {
		return nil, invalidWidget("The parameter MetricWidget is invalid: %q is not the ARN of an alarm of this account.", arn)
	}
	var alarms Alarms
	if r.set.Alarms != nil {
		alarms = r.set.Alarms()
	}
	if alarms == nil {
		return nil, awswire.NotImplemented("The alarm annotation " + arn + " of a collector without alarms (configure the extension alarm)")
	}
	view, ok := alarms.Alarm(tenant, name)
	if !ok {
		return nil, invalidWidget("The parameter MetricWidget is invalid: the alarm %q does not exist.", arn)
	}
	m := view.Definition.Metric
	if m == nil {
		return nil, invalidWidget("The parameter MetricWidget is invalid: the alarm %q is a composite alarm, which has no metric.", arn)
	}
	g := &group{region: tenant.Region, alarm: true}
	for _, row := range alarmRows(m) {
		g.add(r.rows, row)
		r.rows++
	}
	r.groups = append(r.groups, g)
	out := &widgetimage.Alarm{Threshold: m.Threshold}
	if m.Threshold != nil {
		out.Label = alarmLabel(view.Definition)
	}
	switch m.ComparisonOperator {
	case alarm.GreaterThanThreshold, alarm.GreaterThanOrEqualToThreshold, alarm.GreaterThanUpperThreshold:
		out.Above = true
	}
	// What is known of the past is since when the alarm is in its state.
	if since := view.Status.StateTransitioned; !since.IsZero() && since.Before(r.end) {
		out.States = []widgetimage.AlarmState{{
			From: max(since.Unix(), r.start.Unix()), To: min(r.now.Unix(), r.end.Unix()), State: string(view.Status.State),
		}}
	}
	return out, nil
}

// alarmRows are an alarm's metrics as rows of a widget.
func alarmRows(m *alarm.MetricAlarm) []dashboard.Row {
	if len(m.Metrics) == 0 {
		stat := m.Statistic
		if stat == "" {
			stat = m.ExtendedStatistic
		}
		return []dashboard.Row{{
			Metric: cloudwatch.Metric{Namespace: m.Namespace, Name: m.MetricName, Dimensions: m.Dimensions},
			Stat:   stat, Period: m.Period,
		}}
	}
	var rows []dashboard.Row
	period := alarmPeriod(m)
	for i := range m.Metrics {
		q := &m.Metrics[i]
		row := dashboard.Row{
			ID: q.ID, Expression: q.Expression, Label: q.Label, Period: q.Period, AccountID: q.AccountID,
			Hidden: q.ReturnData != nil && !*q.ReturnData,
		}
		if s := q.Metric; s != nil {
			row.Metric = cloudwatch.Metric{Namespace: s.Namespace, Name: s.MetricName, Dimensions: s.Dimensions}
			row.Period, row.Stat = s.Period, s.Stat
		}
		if row.Period == 0 {
			row.Period = period
		}
		rows = append(rows, row)
	}
	return rows
}

// alarmPeriod is the period of an alarm: the longest of its metrics.
func alarmPeriod(m *alarm.MetricAlarm) int32 {
	period := m.Period
	for i := range m.Metrics {
		period = max(period, m.Metrics[i].Period)
		if s := m.Metrics[i].Metric; s != nil {
			period = max(period, s.Period)
		}
	}
	if period == 0 {
		return 60
	}
	return period
}

var comparisonSigns = map[alarm.ComparisonOperator]string{
	alarm.GreaterThanOrEqualToThreshold: ">=",
	alarm.GreaterThanThreshold:          ">",
	alarm.LessThanThreshold:             "<",
	alarm.LessThanOrEqualToThreshold:    "<=",
}

// alarmLabel says what an alarm waits for, as the console does.
func alarmLabel(d *alarm.Definition) string {
	m := d.Metric
	sign := comparisonSigns[m.ComparisonOperator]
	if sign == "" || m.Threshold == nil {
		return d.Name
	}
	name := m.MetricName
	if name == "" {
		name = d.Name
	}
	points := m.DatapointsToAlarm
	if points == 0 {
		points = m.EvaluationPeriods
	}
	within, unit := int64(m.EvaluationPeriods)*int64(alarmPeriod(m)), "seconds"
	if within%60 == 0 {
		within, unit = within/60, "minutes"
	}
	if within == 1 {
		unit = unit[:len(unit)-1]
	}
	plural := "s"
	if points == 1 {
		plural = ""
	}
	return fmt.Sprintf("%s %s %s for %d datapoint%s within %d %s",
		name, sign, strconv.FormatFloat(*m.Threshold, 'g', -1, 64), points, plural, within, unit)
}
