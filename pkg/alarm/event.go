// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"time"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// EventKind says what happened to an alarm.
type EventKind int

// The kinds of events.
const (
	// EventCreated, EventUpdated and EventDeleted are changes of the configuration.
	EventCreated EventKind = iota
	EventUpdated
	EventDeleted
	// EventStateChanged is a change of the state or, with equal states before and after, of the suppression of a composite
	// alarm's actions.
	EventStateChanged
	// EventContributorChanged is a change of one contributor of an alarm over many time series.
	EventContributorChanged
	// EventActions is actions that run without a change of the state: withheld ones, when a mute window or a suppression has
	// ended, and those of Auto Scaling, which run every minute. When a mute window has ended there may be none: the event then
	// says that what it withheld may be told.
	EventActions
	// EventRefreshed is a new reason of an alarm over many time series, without a change of its state.
	EventRefreshed
)

// Event is one thing that happened to one alarm. Events are in order of Time.
type Event struct {
	Kind   EventKind
	Time   time.Time
	Tenant cloudwatch.Tenant
	ARN    string
	// Alarm is the definition when it happened (of EventDeleted, the one that was deleted), Previous the one before
	// EventUpdated.
	Alarm    *Definition
	Previous *Definition
	// Old and New are the status before and after. Of EventCreated, Old is zero.
	Old, New Status
	// Contributor is set for EventContributorChanged, and for actions of a contributor.
	Contributor *Contributor
	// Triggering are the children that a composite alarm's state comes from.
	Triggering []TriggeringAlarm
	// Actions are the ARNs to run now. They are empty when the actions are disabled, suppressed or muted.
	Actions []string
	// Muted is the mute rule that withholds the actions, nil for none.
	Muted *MuteWindow
	// AfterMuteWindow marks actions that a mute window withheld.
	AfterMuteWindow bool
}

// Contributor is one time series of an alarm over many.
type Contributor struct {
	// ID is 16 hexadecimal digits.
	ID         string
	Attributes map[string]string
	// Old and New are the contributor's status before and after. Their State is OK or ALARM.
	Old, New Status
}

// TriggeringAlarm is a child in the state in which it was.
type TriggeringAlarm struct {
	ARN       string
	State     State
	Timestamp time.Time
}

// MuteWindow is a window in which a mute rule is active.
type MuteWindow struct {
	RuleARN    string
	Start, End time.Time
}
