// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"strings"
	"time"
)

// refireInterval is how often actions of Auto Scaling run while the state stays.
const refireInterval = int64(time.Minute)

// transition changes the state of an alarm, and of the composite alarms above it.
func (r *run) transition(a *alarmState, s State, reason, data string, triggering []TriggeringAlarm, now int64) {
	r.enter(a, s, reason, data, triggering, now)
	if len(a.of.parents) > 0 {
		r.propagate(a, now)
	}
}

// enter changes the state of one alarm.
func (r *run) enter(a *alarmState, s State, reason, data string, triggering []TriggeringAlarm, now int64) {
	before := a.status()
	a.state, a.text = stateCode(s), packTexts(reason, data)
	a.updated, a.transitioned = now, now
	if x := a.extra; x != nil {
		x.before, x.withheld, x.refireAt = nil, false, noTime
	}
	suppressed := false
	if a.composite != nil {
		a.composite.triggering = triggering
		suppressed = r.suppress(a, now)
	}
	r.e.touch(a)
	ev := Event{Kind: EventStateChanged, Time: toTime(now), Old: before, Triggering: triggering}
	if suppressed {
		a.more().before = &before
		ev.Muted = r.e.muted(a, now)
	} else {
		r.act(a, &ev, now)
		if a.extra != nil && a.extra.withheld {
			a.extra.before = &before
		}
	}
	after := a.brief()
	after.Reason, after.ReasonData = reason, data
	if a.composite != nil {
		after.ActionsSuppressedBy, after.ActionsSuppressedReason = a.composite.phase.String(), a.composite.suppressedReason
	}
	ev.New = after
	r.emit(a, ev)
}

// act adds the actions of the alarm's state to an event, or notes that a mute window withholds them.
func (r *run) act(a *alarmState, ev *Event, now int64) {
	all := a.actions(a.stateValue())
	ev.Muted = r.e.muted(a, now)
	switch {
	case !a.def.ActionsEnabled:
	case ev.Muted != nil: // also without actions: who is told of every transition has to be told afterwards
		a.more().withheld = true
		r.e.unmuteAt(a, ev.Muted.End)
	default:
		ev.Actions = all
	}
	if a.rule != nil && len(scalingActions(all)) > 0 {
		r.e.refireAt(a, now+refireInterval)
	}
}

// actLater runs the actions of a state that the alarm entered before.
func (r *run) actLater(a *alarmState, afterMute bool, now int64) {
	after := a.status()
	ev := Event{Kind: EventActions, Time: toTime(now), Old: after, New: after, AfterMuteWindow: afterMute}
	if x := a.extra; x != nil && x.before != nil {
		ev.Old = *x.before
	}
	if a.composite != nil {
		ev.Triggering = a.composite.triggering
	}
	r.act(a, &ev, now)
	if len(ev.Actions) > 0 || afterMute && ev.Muted == nil && a.def.ActionsEnabled {
		ev.Muted = nil
		r.emit(a, ev)
	}
	if x := a.extra; x != nil && !x.withheld {
		x.before = nil
	}
	r.e.touch(a)
}

func (e *Engine) refireAt(a *alarmState, at int64) {
	a.more().refireAt = at
	e.line.add(a, dueRefire, at)
}

// refire runs the actions of Auto Scaling once more.
func (r *run) refire(a *alarmState, now int64) {
	r.e.refireAt(a, now+refireInterval)
	r.e.touch(a)
	if !a.def.ActionsEnabled || r.e.muted(a, now) != nil {
		return
	}
	status := a.status()
	r.emit(a, Event{
		Kind: EventActions, Time: toTime(now), Old: status, New: status, Actions: scalingActions(a.actions(a.stateValue())),
	})
}

// scalingActions are the actions of Auto Scaling among some.
func scalingActions(all []string) []string { return actionsOf(all, scalingService) }

// contributorActions are the actions among some that run for each contributor.
func contributorActions(all []string) []string { return actionsOf(all, contributorService) }

func actionsOf(all []string, service func(service string, arn []string) bool) []string {
	var some []string
	for _, action := range all {
		if arn := strings.SplitN(action, ":", 6); len(arn) == 6 && service(arn[2], arn) {
			some = append(some, action)
		}
	}
	return some
}

func scalingService(service string, _ []string) bool { return service == "autoscaling" }

// contributorService knows what is run for each contributor: SNS, Lambda, the actions of EC2 and OpsItems.
func contributorService(service string, arn []string) bool {
	switch service {
	case "sns", "lambda", "automate", "swf":
		return true
	case "ssm":
		return strings.HasPrefix(arn[5], "opsitem:")
	}
	return false
}
