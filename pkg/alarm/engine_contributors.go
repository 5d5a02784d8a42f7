// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"slices"
	"strings"
)

// maxContributors is how many contributors an alarm keeps: those in ALARM, and those whose actions are withheld. A query
// answers with fewer.
const maxContributors = 1000

// applyContributors writes what an evaluation came to for each of many time series.
func (r *run) applyContributors(a *alarmState, results []ContributorResult, now int64) {
	x := a.more()
	for i := range results {
		res := &results[i]
		last := x.contributors[res.ID]
		old := Status{State: StateOK}
		if last != nil {
			old = last.New
		}
		if res.State == old.State {
			if last != nil && res.Reason != old.Reason {
				last.New.Reason, last.New.StateUpdated = res.Reason, toTime(now)
				r.e.touch(a)
			}
			continue
		}
		c := Contributor{ID: res.ID, Attributes: res.Attributes, Old: old, New: Status{
			State: res.State, Reason: res.Reason, StateUpdated: toTime(now), StateTransitioned: toTime(now),
		}}
		r.e.touch(a)
		r.enterContributor(a, c, now)
	}
}

// enterContributor changes the state of a contributor.
func (r *run) enterContributor(a *alarmState, c Contributor, now int64) {
	x, status := a.extra, a.status()
	ev := Event{
		Kind: EventContributorChanged, Time: toTime(now), Old: status, New: status, Contributor: &c, Muted: r.e.muted(a, now),
	}
	withheld := false
	if all := contributorActions(a.actions(c.New.State)); a.def.ActionsEnabled && len(all) > 0 {
		if withheld = ev.Muted != nil; withheld {
			r.e.unmuteAt(a, ev.Muted.End)
		} else {
			ev.Actions = all
		}
	}
	if c.New.State != StateAlarm && !withheld || len(x.contributors) >= maxContributors {
		delete(x.contributors, c.ID)
	} else {
		if x.contributors == nil {
			x.contributors = make(map[string]*contributorState)
		}
		x.contributors[c.ID] = &contributorState{Contributor: c, withheld: withheld}
	}
	r.emit(a, ev)
}

// releaseContributors runs what a mute window withheld of contributors.
func (r *run) releaseContributors(a *alarmState, now int64) {
	x := a.extra
	var held []*contributorState
	for _, c := range x.contributors {
		if c.withheld {
			held = append(held, c)
		}
	}
	slices.SortFunc(held, func(a, b *contributorState) int { return strings.Compare(a.ID, b.ID) })
	status := a.status()
	for _, c := range held {
		c.withheld = false
		contributor := c.Contributor
		if c.New.State != StateAlarm {
			delete(x.contributors, c.ID)
		}
		if all := contributorActions(a.actions(c.New.State)); a.def.ActionsEnabled && len(all) > 0 {
			r.emit(a, Event{
				Kind: EventActions, Time: toTime(now), Old: status, New: status, Contributor: &contributor,
				Actions: all, AfterMuteWindow: true,
			})
		}
	}
}
