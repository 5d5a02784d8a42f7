// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmevent

import (
	"time"

	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// state is where an alarm stands, in events and in the payload of Lambda functions.
type state struct {
	Value                   alarm.State `json:"value"`
	Reason                  *string     `json:"reason,omitempty"`
	ReasonData              *string     `json:"reasonData,omitempty"`
	Timestamp               milliTime   `json:"timestamp"`
	EvaluationState         string      `json:"evaluationState,omitempty"`
	ActionsSuppressedBy     string      `json:"actionsSuppressedBy,omitempty"`
	ActionsSuppressedReason string      `json:"actionsSuppressedReason,omitempty"`
}

func stateOf(s *alarm.Status) *state {
	return &state{
		Value: s.State, Reason: &s.Reason, ReasonData: optional(s.ReasonData), Timestamp: milliTime(s.StateUpdated),
		EvaluationState:     s.EvaluationState,
		ActionsSuppressedBy: s.ActionsSuppressedBy, ActionsSuppressedReason: s.ActionsSuppressedReason,
	}
}

// contributorStateOf leaves out what is the alarm's and not its contributors'.
func contributorStateOf(s *alarm.Status) *state {
	return &state{Value: s.State, Reason: &s.Reason, Timestamp: milliTime(s.StateUpdated)}
}

type contributor struct {
	ID         string            `json:"id"`
	Attributes map[string]string `json:"attributes"`
}

func contributorOf(c *alarm.Contributor) *contributor {
	attributes := c.Attributes
	if attributes == nil {
		attributes = map[string]string{}
	}
	return &contributor{ID: c.ID, Attributes: attributes}
}

// subject returns the status before and after of what the event is about: the alarm, or one of its contributors.
func subject(e *alarm.Event) (before, after *alarm.Status) {
	if e.Contributor != nil {
		return &e.Contributor.Old, &e.Contributor.New
	}
	return &e.Old, &e.New
}

// stateTime is when the state became what it is.
func stateTime(e *alarm.Event, s *alarm.Status) time.Time {
	if s.StateUpdated.IsZero() {
		return e.Time
	}
	return s.StateUpdated
}
