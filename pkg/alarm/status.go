// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import "time"

// State is the state of an alarm.
type State string

// The states.
const (
	StateOK               State = "OK"
	StateAlarm            State = "ALARM"
	StateInsufficientData State = "INSUFFICIENT_DATA"
)

// InitialReason is the reason of an alarm that was not evaluated yet.
const InitialReason = "Unchecked: Initial alarm creation"

// Status is where an alarm stands.
type Status struct {
	State  State
	Reason string
	// ReasonData is JSON, "" for none.
	ReasonData string
	// EvaluationState is "", PARTIAL_DATA, EVALUATION_ERROR or EVALUATION_FAILURE.
	EvaluationState string

	ConfigurationUpdated time.Time
	StateUpdated         time.Time
	StateTransitioned    time.Time

	// ActionsSuppressedBy is "", WaitPeriod, ExtensionPeriod or Alarm.
	ActionsSuppressedBy     string
	ActionsSuppressedReason string
}
