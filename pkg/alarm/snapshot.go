// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

const snapshotVersion = 1

// snapshot is what of an alarm survives a restart, beside its definition.
type snapshot struct {
	Version int            `json:"version"`
	Status  snapshotStatus `json:"status"`
	// Due is set of alarms that are not evaluated every minute: one that was due meanwhile is not put off for an hour more.
	Due        *time.Time            `json:"due,omitempty"`
	Before     *snapshotStatus       `json:"before,omitempty"`
	Withheld   bool                  `json:"withheld,omitempty"`
	UnmuteAt   *time.Time            `json:"unmuteAt,omitempty"`
	RefireAt   *time.Time            `json:"refireAt,omitempty"`
	Until      *time.Time            `json:"suppressedUntil,omitempty"`
	Triggering []TriggeringAlarm     `json:"triggering,omitempty"`
	Contribute []snapshotContributor `json:"contributors,omitempty"`
}

type snapshotStatus struct {
	State            State     `json:"state"`
	Reason           string    `json:"reason,omitempty"`
	ReasonData       string    `json:"reasonData,omitempty"`
	EvaluationState  string    `json:"evaluationState,omitempty"`
	Configured       time.Time `json:"configurationUpdated"`
	Updated          time.Time `json:"stateUpdated"`
	Transitioned     time.Time `json:"stateTransitioned"`
	SuppressedBy     string    `json:"actionsSuppressedBy,omitempty"`
	SuppressedReason string    `json:"actionsSuppressedReason,omitempty"`
}

type snapshotContributor struct {
	ID         string            `json:"id"`
	Attributes map[string]string `json:"attributes"`
	Old        snapshotStatus    `json:"old"`
	New        snapshotStatus    `json:"new"`
	Withheld   bool              `json:"withheld,omitempty"`
}

func toSnapshot(s *Status) snapshotStatus {
	return snapshotStatus{
		State: s.State, Reason: s.Reason, ReasonData: s.ReasonData, EvaluationState: s.EvaluationState,
		Configured: s.ConfigurationUpdated, Updated: s.StateUpdated, Transitioned: s.StateTransitioned,
		SuppressedBy: s.ActionsSuppressedBy, SuppressedReason: s.ActionsSuppressedReason,
	}
}

func (s *snapshotStatus) status() Status {
	return Status{
		State: s.State, Reason: s.Reason, ReasonData: s.ReasonData, EvaluationState: s.EvaluationState,
		ConfigurationUpdated: s.Configured, StateUpdated: s.Updated, StateTransitioned: s.Transitioned,
		ActionsSuppressedBy: s.SuppressedBy, ActionsSuppressedReason: s.SuppressedReason,
	}
}

func snapshotTime(n int64) *time.Time {
	if n == noTime {
		return nil
	}
	t := toTime(n)
	return &t
}

func restoredTime(t *time.Time) int64 {
	if t == nil {
		return noTime
	}
	return toNanos(*t)
}

// Snapshot is what [Engine.Restore] needs of an alarm beside its definition, as JSON; nil when there is no such alarm.
func (e *Engine) Snapshot(t cloudwatch.Tenant, name string) []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	a := e.find(t, name)
	if a == nil {
		return nil
	}
	status := a.status()
	s := snapshot{Version: snapshotVersion, Status: toSnapshot(&status)}
	if a.rule != nil && a.rule.Interval() > time.Minute {
		s.Due = snapshotTime(a.due)
	}
	if c := a.composite; c != nil {
		s.Until, s.Triggering = snapshotTime(c.until), c.triggering
	}
	if x := a.extra; x != nil {
		s.Withheld, s.UnmuteAt, s.RefireAt = x.withheld, snapshotTime(x.unmuteAt), snapshotTime(x.refireAt)
		if x.before != nil {
			before := toSnapshot(x.before)
			s.Before = &before
		}
		s.Contribute = x.snapshot()
	}
	text, err := json.Marshal(&s)
	if err != nil {
		return nil // not possible: there are strings and times only
	}
	return text
}

func (x *extraState) snapshot() []snapshotContributor {
	var all []snapshotContributor
	for _, c := range x.contributors {
		all = append(all, snapshotContributor{
			ID: c.ID, Attributes: c.Attributes, Old: toSnapshot(&c.Old), New: toSnapshot(&c.New), Withheld: c.withheld,
		})
	}
	slices.SortFunc(all, func(a, b snapshotContributor) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return all
}

// Restore puts an alarm as it was when its snapshot was made, without an event. Whether the alarms exist that a composite
// alarm names is not looked at: they may be restored after it. Mute rules have to be restored, too, before the first
// Advance. Evaluations that were due before now are not made up for; timers that ended before now end at the next Advance.
func (e *Engine) Restore(t cloudwatch.Tenant, d *Definition, snap []byte, now time.Time) error {
	var s snapshot
	if err := json.Unmarshal(snap, &s); err != nil {
		return fmt.Errorf("snapshot of alarm %q: %w", d.Name, err)
	}
	if s.Version != snapshotVersion {
		return fmt.Errorf("snapshot of alarm %q has version %d, not %d", d.Name, s.Version, snapshotVersion)
	}
	if err := s.check(); err != nil {
		return fmt.Errorf("snapshot of alarm %q: %w", d.Name, err)
	}
	p, err := prepare(t, d)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.find(t, d.Name) != nil {
		return fmt.Errorf("alarm %q is there already", d.Name)
	}
	if e.count >= e.settings.MaxAlarms {
		return fmt.Errorf("more than %d alarms", e.settings.MaxAlarms)
	}
	at := toNanos(now)
	a := e.create(p, at)
	a.restore(&s)
	e.restoreTimers(a, &s, at)
	return nil
}

func (s *snapshot) check() error {
	statuses := []*snapshotStatus{&s.Status}
	if s.Before != nil {
		statuses = append(statuses, s.Before)
	}
	for i := range s.Contribute {
		statuses = append(statuses, &s.Contribute[i].Old, &s.Contribute[i].New)
	}
	for _, st := range statuses {
		if !slices.Contains(states[:], st.State) {
			return fmt.Errorf("%q is no state", st.State)
		}
		if !slices.Contains(evaluationStates[:], st.EvaluationState) {
			return fmt.Errorf("%q is no evaluation state", st.EvaluationState)
		}
		if !slices.Contains(phaseNames[:], st.SuppressedBy) {
			return fmt.Errorf("actions cannot be suppressed by %q", st.SuppressedBy)
		}
	}
	return nil
}

func (a *alarmState) restore(s *snapshot) {
	st := &s.Status
	a.state, a.evaluation = stateCode(st.State), evaluationCode(st.EvaluationState)
	a.text = packTexts(st.Reason, st.ReasonData)
	a.configured, a.updated, a.transitioned = toNanos(st.Configured), toNanos(st.Updated), toNanos(st.Transitioned)
	if c := a.composite; c != nil {
		c.triggering = s.Triggering
		c.phase = suppressionPhase(slices.Index(phaseNames[:], st.SuppressedBy))
		c.suppressedReason = st.SuppressedReason
	}
	if s.Before != nil {
		before := s.Before.status()
		a.more().before = &before
	}
	if s.Withheld {
		a.more().withheld = true
	}
	for i := range s.Contribute {
		c, x := &s.Contribute[i], a.more()
		if x.contributors == nil {
			x.contributors = make(map[string]*contributorState, len(s.Contribute))
		}
		x.contributors[c.ID] = &contributorState{
			Contributor: Contributor{ID: c.ID, Attributes: c.Attributes, Old: c.Old.status(), New: c.New.status()},
			withheld:    c.Withheld,
		}
	}
}

func (e *Engine) restoreTimers(a *alarmState, s *snapshot, now int64) {
	if due := restoredTime(s.Due); a.rule != nil && due > now {
		e.scheduleAt(a, due)
	} else {
		e.schedule(a, now, s.Due != nil)
	}
	if until := restoredTime(s.Until); a.composite != nil && until != noTime {
		a.composite.until = until
		e.line.add(a, dueSuppression, until)
	}
	if at := restoredTime(s.UnmuteAt); at != noTime {
		a.more().unmuteAt = at
		e.line.add(a, dueUnmute, at)
	}
	if at := restoredTime(s.RefireAt); a.rule != nil && at != noTime {
		if at <= now { // those that were due meanwhile are not made up for
			at = now + refireInterval - mod(now-at, refireInterval)
		}
		e.refireAt(a, at)
	}
}
