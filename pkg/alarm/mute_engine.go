// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// muteEntry is a mute rule in an engine.
type muteEntry struct {
	rule     MuteRule
	schedule *muteSchedule
	arn      string
}

// PutMuteRule creates a mute rule or replaces it. The events are the actions that a former rule of the name withheld. The
// error is an [*Error].
func (e *Engine) PutMuteRule(t cloudwatch.Tenant, rule MuteRule, now time.Time) ([]Event, error) {
	rule.LastUpdated = now
	return e.putMuteRule(t, rule, toNanos(now))
}

// RestoreMuteRule puts a mute rule as it was, before the first Advance.
func (e *Engine) RestoreMuteRule(t cloudwatch.Tenant, rule MuteRule) error {
	_, err := e.putMuteRule(t, rule, noTime)
	return err
}

func (e *Engine) putMuteRule(t cloudwatch.Tenant, rule MuteRule, now int64) ([]Event, error) {
	schedule, err := parseMuteRule(&rule)
	if err != nil {
		return nil, err
	}
	n := &muteEntry{rule: cloneMuteRule(rule), schedule: schedule, arn: MuteRuleARN(t, rule.Name)}
	e.mu.Lock()
	defer e.mu.Unlock()
	ta := e.tenant(t)
	old := ta.rules[rule.Name]
	if old == nil {
		if e.mutes >= e.settings.MaxMuteRules {
			e.forget(ta)
			return nil, &Error{Code: "LimitExceeded", Message: fmt.Sprintf("The maximum number of alarm mute rules, %d, is reached.", e.settings.MaxMuteRules)}
		}
		e.mutes++
	} else {
		n.rule.Tags = old.rule.Tags
		ta.unmute(old)
	}
	ta.rules[rule.Name] = n
	for _, name := range n.targets() {
		ta.muting[name] = append(ta.muting[name], n)
	}
	r := &run{e: e}
	if old != nil && now != noTime {
		r.recheckAll(ta, append(old.targets(), n.rule.AlarmNames...), now)
	}
	return r.events, nil
}

// DeleteMuteRule deletes a mute rule; one that is not there does not matter. The events are the actions that it withheld.
func (e *Engine) DeleteMuteRule(t cloudwatch.Tenant, name string, now time.Time) ([]Event, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	ta := e.tenants[t]
	if ta == nil || ta.rules[name] == nil {
		return nil, nil
	}
	old := ta.rules[name]
	ta.unmute(old)
	delete(ta.rules, name)
	e.mutes--
	r := &run{e: e}
	r.recheckAll(ta, old.targets(), toNanos(now))
	e.forget(ta)
	return r.events, nil
}

// MuteRule returns the mute rule of a name.
func (e *Engine) MuteRule(t cloudwatch.Tenant, name string) (MuteRule, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if ta := e.tenants[t]; ta != nil && ta.rules[name] != nil {
		return cloneMuteRule(ta.rules[name].rule), true
	}
	return MuteRule{}, false
}

// MuteRules are the mute rules of a tenant, in order of name.
func (e *Engine) MuteRules(t cloudwatch.Tenant) []MuteRule {
	e.mu.Lock()
	defer e.mu.Unlock()
	ta := e.tenants[t]
	if ta == nil {
		return nil
	}
	all := make([]MuteRule, 0, len(ta.rules))
	for _, n := range ta.rules {
		all = append(all, cloneMuteRule(n.rule))
	}
	slices.SortFunc(all, func(a, b MuteRule) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func cloneMuteRule(r MuteRule) MuteRule {
	r.AlarmNames, r.Tags = slices.Clone(r.AlarmNames), slices.Clone(r.Tags)
	return r
}

// targets are the names of the alarms, each once, in order.
func (n *muteEntry) targets() []string {
	names := slices.Clone(n.rule.AlarmNames)
	slices.Sort(names)
	return slices.Compact(names)
}

func (ta *tenantAlarms) unmute(n *muteEntry) {
	for _, name := range n.targets() {
		muting := slices.DeleteFunc(ta.muting[name], func(m *muteEntry) bool { return m == n })
		if ta.muting[name] = muting; len(muting) == 0 {
			delete(ta.muting, name)
		}
	}
}

// muted is the window that withholds the actions of an alarm, nil for none: of several the one that ends last.
func (e *Engine) muted(a *alarmState, now int64) *MuteWindow {
	if len(a.of.muting) == 0 {
		return nil
	}
	var last *MuteWindow
	for _, n := range a.of.muting[a.name()] {
		start, end, ok := n.schedule.window(toTime(now))
		if ok && (last == nil || end.After(last.End) || end.Equal(last.End) && n.arn < last.RuleARN) {
			last = &MuteWindow{RuleARN: n.arn, Start: start, End: end}
		}
	}
	return last
}

func (e *Engine) unmuteAt(a *alarmState, end time.Time) {
	at := toNanos(end)
	if x := a.more(); x.unmuteAt != at {
		x.unmuteAt = at
		e.line.add(a, dueUnmute, at)
	}
}

func (r *run) recheckAll(ta *tenantAlarms, names []string, now int64) {
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if a := ta.alarms[name]; a != nil {
			r.recheck(a, now)
		}
	}
}

// recheck runs what mute windows withheld of an alarm, unless one still does.
func (r *run) recheck(a *alarmState, now int64) {
	x := a.extra
	if x == nil || x.unmuteAt == noTime {
		return
	}
	if w := r.e.muted(a, now); w != nil {
		r.e.unmuteAt(a, w.End)
		r.e.touch(a)
		return
	}
	x.unmuteAt = noTime
	r.e.touch(a)
	if x.withheld {
		x.withheld = false
		r.actLater(a, true, now)
	}
	r.releaseContributors(a, now)
}
