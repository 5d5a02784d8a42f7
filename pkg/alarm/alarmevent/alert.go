// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmevent

import (
	"regexp"
	"strings"

	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// The severities, from the gravest.
const (
	SeverityCritical = "critical"
	SeverityError    = "error"
	SeverityWarning  = "warning"
	SeverityInfo     = "info"
	SeverityNone     = "none"
)

// severityWords are what people write for a severity.
var severityWords = map[string]string{
	"critical": SeverityCritical, "crit": SeverityCritical, "fatal": SeverityCritical,
	"p1": SeverityCritical, "sev1": SeverityCritical, "1": SeverityCritical,
	"error": SeverityError, "high": SeverityError, "p2": SeverityError, "sev2": SeverityError, "2": SeverityError,
	"warning": SeverityWarning, "warn": SeverityWarning, "medium": SeverityWarning,
	"p3": SeverityWarning, "sev3": SeverityWarning, "3": SeverityWarning,
	"info": SeverityInfo, "low": SeverityInfo, "p4": SeverityInfo, "sev4": SeverityInfo, "4": SeverityInfo,
	"none": SeverityNone, "p5": SeverityNone, "sev5": SeverityNone, "5": SeverityNone,
}

var (
	opsItem = regexp.MustCompile(`^arn:[^:]+:ssm:[^:]*:[^:]*:opsitem:([1-4])(?:#|$)`)
	// nameWord finds a severity at the beginning or end of a name: [P1] checkout, checkout-critical, SEV2: disk.
	nameWord = regexp.MustCompile(`(?i)^\W*(critical|error|warning|info|p[1-5]|sev[1-5])(?:\W|_|$)|(?:^|\W|_)(critical|error|warning|info|p[1-5]|sev[1-5])\W*$`)
)

// Severity is how grave an alarm is. CloudWatch has no such thing; it is read from the tag "severity", then from an OpsItem
// action, then from the name, and else follows from the state: error for ALARM, warning for INSUFFICIENT_DATA, none for OK.
func Severity(d *alarm.Definition, tags []alarm.Tag, state alarm.State) string {
	for _, t := range tags {
		if strings.EqualFold(t.Key, "severity") {
			if s, ok := severityWords[strings.ToLower(strings.TrimSpace(t.Value))]; ok {
				return s
			}
		}
	}
	for _, arn := range d.AlarmActions {
		if m := opsItem.FindStringSubmatch(arn); m != nil {
			return severityWords[m[1]]
		}
	}
	if m := nameWord.FindStringSubmatch(d.Name); m != nil {
		return severityWords[strings.ToLower(m[1]+m[2])]
	}
	switch state {
	case alarm.StateAlarm:
		return SeverityError
	case alarm.StateInsufficientData:
		return SeverityWarning
	}
	return SeverityNone
}

// Labels are those of the alert that is made of an alarm. They are the same in all its states, so that its end finds its
// beginning.
func Labels(e *alarm.Event, tags []alarm.Tag) map[string]string {
	d := e.Alarm
	l := map[string]string{
		"alertname": d.Name, "alarm_arn": e.ARN, "account": e.Tenant.Account, "region": e.Tenant.Region,
		"severity": Severity(d, tags, alarm.StateAlarm), "alarm_type": AlarmType(d),
	}
	if m := d.Metric; m != nil && m.MetricName != "" {
		l["namespace"], l["metric"] = m.Namespace, m.MetricName
	}
	for _, t := range tags {
		if strings.EqualFold(t.Key, "alarm_group") {
			l["alarm_group"] = t.Value
		}
	}
	if c := e.Contributor; c != nil {
		l["alarm_contributor"] = c.ID
	}
	return l
}

// Annotations are those of the alert that is made of an alarm.
func Annotations(e *alarm.Event, tags []alarm.Tag) map[string]string {
	_, after := subject(e)
	a := map[string]string{"reason": after.Reason}
	if e.Alarm.Description != nil && *e.Alarm.Description != "" {
		a["description"] = *e.Alarm.Description
	}
	if m := e.Alarm.Metric; m != nil && m.Threshold != nil {
		a["threshold"] = string(m.ComparisonOperator) + " " + double(*m.Threshold).String()
	}
	for _, t := range tags {
		if strings.EqualFold(t.Key, "runbook") || strings.EqualFold(t.Key, "runbook_url") {
			a["runbook"], a["runbook_url"] = t.Value, t.Value
		}
	}
	return a
}

// The types of alarms.
const (
	TypeMetricAlarm    = "MetricAlarm"
	TypeCompositeAlarm = "CompositeAlarm"
)

// AlarmType is MetricAlarm or CompositeAlarm.
func AlarmType(d *alarm.Definition) string {
	if d.Composite != nil {
		return TypeCompositeAlarm
	}
	return TypeMetricAlarm
}
