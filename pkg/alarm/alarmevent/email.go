// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmevent

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// email is the text of a notification that people read.
func email(e *alarm.Event) string {
	before, after := subject(e)
	d := e.Alarm
	var b strings.Builder
	when := longTime(stateTime(e, after))
	fmt.Fprintf(&b, `You are receiving this email because your Amazon CloudWatch Alarm "%s" in the %s region has entered the %s state, `+
		`because "%s" at "%s".`+"\n", d.Name, RegionName(e.Tenant.Region), after.State, after.Reason, when)
	section(&b, "Alarm Details")
	line(&b, "Name", d.Name)
	line(&b, "Description", deref(d.Description))
	line(&b, "State Change", string(before.State)+" -> "+string(after.State))
	line(&b, "Reason for State Change", after.Reason)
	line(&b, "Timestamp", when)
	line(&b, "AWS Account", e.Tenant.Account)
	line(&b, "Alarm Arn", e.ARN)
	if c := e.Contributor; c != nil {
		line(&b, "Alarm Contributor", c.ID)
	}
	switch {
	case d.Metric != nil:
		emailMetric(&b, d.Metric)
	case d.Composite != nil:
		section(&b, "Alarm Rule")
		b.WriteString("- " + d.Composite.Rule + "\n")
		if len(e.Triggering) > 0 {
			section(&b, "Triggering Children")
			for _, t := range e.Triggering {
				line(&b, t.ARN, string(t.State)+" at "+longTime(t.Timestamp))
			}
		}
	}
	section(&b, "State Change Actions")
	for _, a := range []struct {
		state alarm.State
		arns  []string
	}{
		{alarm.StateOK, d.OKActions},
		{alarm.StateAlarm, d.AlarmActions},
		{alarm.StateInsufficientData, d.InsufficientDataActions},
	} {
		text := ""
		if len(a.arns) > 0 {
			text = "[" + strings.Join(a.arns, ", ") + "]"
		}
		b.WriteString(strings.TrimSuffix("- "+string(a.state)+": "+text, " ") + "\n")
	}
	return b.String()
}

func emailMetric(b *strings.Builder, m *alarm.MetricAlarm) {
	section(b, "Threshold")
	threshold := m.ThresholdMetricID
	if m.Threshold != nil {
		threshold = double(*m.Threshold).String()
	}
	needed := m.DatapointsToAlarm
	if needed == 0 {
		needed = m.EvaluationPeriods
	}
	fmt.Fprintf(b, "- The alarm is in the ALARM state when the metric is %s %s for at least %d of the last %d period(s) of %d seconds.\n",
		m.ComparisonOperator, threshold, needed, m.EvaluationPeriods, period(m))
	if len(m.Metrics) > 0 {
		section(b, "Monitored Metrics")
		for i := range m.Metrics {
			emailQuery(b, &m.Metrics[i])
		}
	} else {
		section(b, "Monitored Metric")
		line(b, "MetricNamespace", m.Namespace)
		line(b, "MetricName", m.MetricName)
		line(b, "Dimensions", emailDimensions(m.Dimensions))
		line(b, "Period", strconv.Itoa(int(m.Period))+" seconds")
		line(b, "Statistic", m.Statistic+m.ExtendedStatistic)
		line(b, "Unit", or(m.Unit, "not specified"))
	}
	line(b, "TreatMissingData", or(string(m.TreatMissingData), "missing"))
}

func emailQuery(b *strings.Builder, q *alarm.Query) {
	if s := q.Metric; s != nil {
		fmt.Fprintf(b, "- %s: %s of %s %s %s, %d seconds\n", q.ID, s.Stat, s.Namespace, s.MetricName, emailDimensions(s.Dimensions), s.Period)
		return
	}
	fmt.Fprintf(b, "- %s: %s\n", q.ID, q.Expression)
}

func emailDimensions(dims []cloudwatch.Dimension) string {
	parts := make([]string, len(dims))
	for i, d := range dims {
		parts[i] = d.Name + " = " + d.Value
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func section(b *strings.Builder, title string) { b.WriteString("\n" + title + ":\n") }

func line(b *strings.Builder, name, value string) {
	const column = 26
	b.WriteString(strings.TrimRight(fmt.Sprintf("- %-*s%s", column, name+": ", value), " ") + "\n")
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
