// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

// suppressionPhase is why the actions of a composite alarm are withheld.
type suppressionPhase uint8

const (
	phaseNone suppressionPhase = iota
	// phaseWait: the alarm changed, and its suppressor may yet come into ALARM.
	phaseWait
	// phaseExtension: the suppressor left ALARM, and the alarm may yet change.
	phaseExtension
	// phaseAlarm: the suppressor is in ALARM.
	phaseAlarm
)

var phaseNames = [...]string{"", "WaitPeriod", "ExtensionPeriod", "Alarm"}

func (p suppressionPhase) String() string { return phaseNames[p] }

// suppressionState is where the suppression of a composite alarm's actions stands.
type suppressionState struct {
	phase            suppressionPhase
	suppressedReason string
	// until is when the phase ends by itself, noTime when it does not.
	until int64
}

// suppress begins anew after a composite alarm changed its state. It reports whether the actions are withheld.
func (r *run) suppress(a *alarmState, now int64) bool {
	c := a.composite
	c.suppressionState = suppressionState{until: noTime}
	if c.suppressor == "" {
		return false
	}
	if s := a.of.alarms[c.suppressor]; s != nil && s.stateValue() == StateAlarm {
		r.setPhase(a, phaseAlarm, suppressedByReason(s), noTime)
	} else if c.wait > 0 {
		r.setPhase(a, phaseWait, "Actions suppressed by WaitPeriod", now+c.wait)
	}
	return c.phase != phaseNone
}

func suppressedByReason(s *alarmState) string {
	return "Actions suppressed by " + s.arn + " that transitioned to ALARM at " + longDate(toTime(s.transitioned))
}

func (r *run) setPhase(a *alarmState, p suppressionPhase, reason string, until int64) {
	a.composite.suppressionState = suppressionState{phase: p, suppressedReason: reason, until: until}
	if until != noTime {
		r.e.line.add(a, dueSuppression, until)
	}
	r.e.touch(a)
}

// changePhase is setPhase with the event of it, of an alarm that does not change its state.
func (r *run) changePhase(a *alarmState, p suppressionPhase, reason string, until, now int64) {
	before := a.status()
	r.setPhase(a, p, reason, until)
	a.updated = now
	r.emit(a, Event{
		Kind: EventStateChanged, Time: toTime(now), Old: before, New: a.status(),
		Triggering: a.composite.triggering, Muted: r.e.muted(a, now),
	})
}

// suppressorChanged is told of every transition of a composite alarm's suppressor.
func (r *run) suppressorChanged(a, suppressor *alarmState, now int64) {
	c, alarming := a.composite, suppressor.stateValue() == StateAlarm
	switch {
	case alarming && (c.phase == phaseWait || c.phase == phaseExtension):
		r.changePhase(a, phaseAlarm, suppressedByReason(suppressor), noTime, now)
	case alarming || c.phase != phaseAlarm:
	case c.extension > 0:
		r.changePhase(a, phaseExtension, "Actions suppressed by ExtensionPeriod", now+c.extension, now)
	default:
		r.release(a, now)
	}
}

// release ends the suppression: the actions of the state are for now.
func (r *run) release(a *alarmState, now int64) {
	r.changePhase(a, phaseNone, "", noTime, now)
	r.actLater(a, false, now)
}
