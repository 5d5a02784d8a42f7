// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import "github.com/nephoscope/nephoscope/pkg/alarm"

// MuteRule is a mute rule and where it was read.
type MuteRule struct {
	Rule   *alarm.MuteRule
	Source Source
}

var muteRuleProperties = []string{"Name", "Description", "Rule", "MuteTargets", "StartDate", "ExpireDate", "Tags"}

// addMuteRule reads the properties of AWS::CloudWatch::AlarmMuteRule. name stands in for a name that is not given.
func (l *loader) addMuteRule(d *decoder, name string) {
	before := len(l.problems.list) + l.problems.more
	r := &alarm.MuteRule{}
	var given bool
	if r.Name, given = d.text("Name"); !given {
		r.Name = name
	}
	if r.Name == "" {
		d.required("Name")
	}
	if text, given := d.text("Description"); given {
		r.Description = &text
	}
	if rule := d.within("Rule"); rule != nil {
		if schedule := rule.within("Schedule"); schedule != nil {
			r.Expression, _ = schedule.text("Expression")
			schedule.required("Expression")
			r.Duration, _ = schedule.text("Duration")
			schedule.required("Duration")
			r.Timezone, _ = schedule.text("Timezone")
			schedule.done("Expression", "Duration", "Timezone")
		}
		rule.required("Schedule")
		rule.done("Schedule")
	}
	d.required("Rule")
	if targets := d.within("MuteTargets"); targets != nil {
		r.AlarmNames = targets.texts("AlarmNames")
		targets.done("AlarmNames")
	}
	if t, given := d.instant("StartDate"); given {
		r.StartDate = &t
	}
	if t, given := d.instant("ExpireDate"); given {
		r.ExpireDate = &t
	}
	r.Tags = d.tags()
	d.done(muteRuleProperties...)
	if l.failedFrom(d, before) {
		return
	}
	if err := alarm.ValidateMuteRule(r); err != nil {
		l.invalid(d, err)
		return
	}
	if first, twice := l.rules[r.Name]; twice {
		d.fail(d.line("Name"), "Name", "the mute rule %q is defined in %s:%d already", r.Name, first.File, first.Line)
		return
	}
	if len(l.set.Alarms)+len(l.set.MuteRules) >= MaxAlarms {
		d.fail(d.v.line, "", "more than %d alarms and mute rules", MaxAlarms)
		return
	}
	l.rules[r.Name] = d.source
	l.set.MuteRules = append(l.set.MuteRules, MuteRule{Rule: r, Source: d.source})
}
