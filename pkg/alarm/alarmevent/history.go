// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmevent

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// HistoryType is the type of an item of an alarm's history.
type HistoryType string

// The types of items.
const (
	HistoryConfigurationUpdate HistoryType = "ConfigurationUpdate"
	HistoryStateUpdate         HistoryType = "StateUpdate"
	HistoryAction              HistoryType = "Action"
	HistoryContributorState    HistoryType = "AlarmContributorStateUpdate"
	HistoryContributorAction   HistoryType = "AlarmContributorAction"
)

// History is an item of an alarm's history.
type History struct {
	Type    HistoryType
	Summary string
	// Data is a JSON document.
	Data string
}

const (
	historyVersion = "1.0"
	maxSummary     = 255
)

// historyState is a state in a StateUpdate.
type historyState struct {
	StateValue              alarm.State     `json:"stateValue"`
	StateReason             string          `json:"stateReason"`
	StateReasonData         json.RawMessage `json:"stateReasonData,omitempty"`
	ActionsSuppressedBy     string          `json:"actionsSuppressedBy,omitempty"`
	ActionsSuppressedReason string          `json:"actionsSuppressedReason,omitempty"`
}

func historyStateOf(s *alarm.Status) *historyState {
	return &historyState{
		StateValue: s.State, StateReason: s.Reason, StateReasonData: embedded(s.ReasonData),
		ActionsSuppressedBy: s.ActionsSuppressedBy, ActionsSuppressedReason: s.ActionsSuppressedReason,
	}
}

type stateUpdate struct {
	Version  string        `json:"version"`
	OldState *historyState `json:"oldState,omitempty"`
	NewState *historyState `json:"newState"`
}

// HistoryOf is the item that the event leaves in the alarm's history. ok is false when it leaves none: what becomes of
// actions is told by [ActionHistory].
func HistoryOf(e *alarm.Event) (h History, ok bool) {
	switch e.Kind {
	case alarm.EventCreated, alarm.EventUpdated, alarm.EventDeleted:
		return configurationHistory(e), true
	case alarm.EventStateChanged, alarm.EventRefreshed:
		return History{
			Type:    HistoryStateUpdate,
			Summary: fmt.Sprintf("Alarm updated from %s to %s", e.Old.State, e.New.State),
			Data:    encode(stateUpdate{historyVersion, historyStateOf(&e.Old), historyStateOf(&e.New)}),
		}, true
	case alarm.EventContributorChanged:
		c := e.Contributor
		return History{
			Type:    HistoryContributorState,
			Summary: fmt.Sprintf("Alarm contributor updated from %s to %s", c.Old.State, c.New.State),
			Data:    encode(stateUpdate{historyVersion, nil, historyStateOf(&c.New)}),
		}, true
	}
	return h, false
}

// ActionResult is how an action of an event ended.
type ActionResult struct {
	// Resource is the ARN that the action was for.
	Resource string
	// StateUpdated is when the state became what the action was for.
	StateUpdated time.Time
	// Message is what was published, "" for nothing.
	Message string
	// Error is "" when the action was executed.
	Error string
	// MuteWindowEnd is the end of the window that withheld the action, zero for none.
	MuteWindowEnd time.Time
	// Contributor is whether the action was of one time series.
	Contributor bool
}

type actionData struct {
	ActionState            string  `json:"actionState"`
	StateUpdateTimestamp   int64   `json:"stateUpdateTimestamp"`
	NotificationResource   string  `json:"notificationResource"`
	PublishedMessage       *string `json:"publishedMessage"`
	Error                  *string `json:"error"`
	MuteWindowEndTimestamp *int64  `json:"muteWindowEndTimestamp"`
}

// ActionHistory is the item that an action leaves in the alarm's history when it has ended.
func ActionHistory(r *ActionResult) History {
	data := actionData{
		ActionState: "Succeeded", StateUpdateTimestamp: r.StateUpdated.UnixMilli(), NotificationResource: r.Resource,
		PublishedMessage: optional(r.Message), Error: optional(r.Error),
	}
	h := History{Type: HistoryAction, Summary: "Successfully executed action " + r.Resource}
	if r.Error != "" {
		data.ActionState = "Failed"
		h.Summary = fmt.Sprintf(`Failed to execute action %s. Received error: "%s"`, r.Resource, r.Error)
	}
	if !r.MuteWindowEnd.IsZero() {
		data.MuteWindowEndTimestamp = new(r.MuteWindowEnd.UnixMilli())
	}
	if r.Contributor {
		h.Type = HistoryContributorAction
	}
	h.Summary = cutRunes(h.Summary, maxSummary)
	h.Data = encode(data)
	return h
}

// cutRunes cuts a text that is longer than so many characters.
func cutRunes(s string, limit int) string {
	n := 0
	for i := range s {
		if n == limit {
			return s[:i]
		}
		n++
	}
	return s
}
