// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"math"
	"slices"
	"strings"
	"time"
)

// noTime stands for the zero time.
const noTime = math.MinInt64

func toNanos(t time.Time) int64 {
	if t.IsZero() {
		return noTime
	}
	return t.UnixNano()
}

func toTime(n int64) time.Time {
	if n == noTime {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// alarmState is an alarm in an engine. There may be a hundred thousand: what few alarms have is in extra.
type alarmState struct {
	of  *tenantAlarms
	def *Definition
	arn string
	// rule is of a metric alarm, composite of the others.
	rule      *Rule
	composite *compositeState
	// track is where the data of the rule's first input is.
	track *track
	extra *extraState

	// The status, in parts. text is the reason and its data.
	text                                   string
	configured, updated, transitioned, due int64
	state, evaluation                      uint8
	deleted, dirty, external               bool
	// version changes with everything that an evaluation depends on.
	version uint32
}

// extraState is what alarms have for some time, or few alarms have.
type extraState struct {
	// tracks are those of the rule's inputs, when there are several.
	tracks []*track
	// before is the status before the last transition, of which the actions are withheld.
	before *Status
	// withheld says that a mute window withholds the actions of the state, until at the earliest unmuteAt.
	withheld bool
	unmuteAt int64
	// refireAt is when actions of Auto Scaling run again.
	refireAt int64
	// contributors are those in ALARM, and those whose actions are withheld, by id.
	contributors map[string]*contributorState
}

type contributorState struct {
	Contributor
	withheld bool
}

func (a *alarmState) name() string { return a.def.Name }

// more returns extra, made when there is none.
func (a *alarmState) more() *extraState {
	if a.extra == nil {
		a.extra = &extraState{unmuteAt: noTime, refireAt: noTime}
	}
	return a.extra
}

var states = [...]State{StateInsufficientData, StateOK, StateAlarm}

// evaluationStates has the values of Status.EvaluationState.
var evaluationStates = [...]string{"", PartialData, EvaluationError, EvaluationFailure}

func stateCode(s State) uint8 {
	return uint8(slices.Index(states[:], s))
}

func evaluationCode(s string) uint8 {
	return uint8(max(0, slices.Index(evaluationStates[:], s)))
}

func (a *alarmState) stateValue() State { return states[a.state] }

// brief is the status without its texts.
func (a *alarmState) brief() Status {
	return Status{
		State:                a.stateValue(),
		EvaluationState:      evaluationStates[a.evaluation],
		ConfigurationUpdated: toTime(a.configured),
		StateUpdated:         toTime(a.updated),
		StateTransitioned:    toTime(a.transitioned),
	}
}

func (a *alarmState) status() Status {
	s := a.brief()
	s.Reason, s.ReasonData = unpackTexts(a.text)
	if c := a.composite; c != nil {
		s.ActionsSuppressedBy, s.ActionsSuppressedReason = c.phase.String(), c.suppressedReason
	}
	return s
}

func (a *alarmState) view() View {
	v := View{Tenant: a.of.tenant, ARN: a.arn, Definition: a.def, Status: a.status()}
	if a.composite != nil {
		v.Triggering = a.composite.triggering
	}
	return v
}

// actions are those of the state.
func (a *alarmState) actions(s State) []string {
	switch s {
	case StateAlarm:
		return a.def.AlarmActions
	case StateOK:
		return a.def.OKActions
	}
	return a.def.InsufficientDataActions
}

// alarming are the contributors in ALARM, in order of id.
func (x *extraState) alarming() []Contributor {
	all := make([]Contributor, 0, len(x.contributors))
	for _, c := range x.contributors {
		if c.New.State == StateAlarm {
			all = append(all, c.Contributor)
		}
	}
	slices.SortFunc(all, func(a, b Contributor) int { return strings.Compare(a.ID, b.ID) })
	return all
}
