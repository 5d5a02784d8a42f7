// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package queue keeps deliveries until they have succeeded or failed for good. What it has accepted is durable. A slow or
// dead target holds up nobody but itself, and deliveries of one lane go one after another.
package queue

import (
	"encoding/json"
	"time"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/records"
)

// Item is one delivery to one target.
type Item struct {
	// ID is the item's own.
	ID string `json:"id"`
	// Kind says who delivers it.
	Kind string `json:"kind"`
	// Target is what the number of attempts at the same time is bounded by.
	Target string `json:"target"`
	// Lane is the items of which one is not tried before those ahead of it have ended. "" is a lane of its own.
	Lane string `json:"lane,omitempty"`
	// Action is the ID of the action that the item is a part of, "" for none. AlarmARN and ARN are that action's alarm and
	// target.
	Action   string `json:"action,omitempty"`
	AlarmARN string `json:"alarm,omitempty"`
	ARN      string `json:"arn,omitempty"`

	Enqueued time.Time `json:"enqueued"`
	Attempts int       `json:"attempts,omitempty"`
	// Next is when it is tried again.
	Next time.Time `json:"next"`
	// LastError is that of the last attempt.
	LastError string `json:"error,omitempty"`

	// Failed, Message and Sent are what other parts of the action have come to.
	Failed  []string `json:"failed,omitempty"`
	Message string   `json:"message,omitempty"`
	Sent    bool     `json:"sent,omitempty"`

	// Body is what is delivered, as its kind knows it.
	Body json.RawMessage `json:"body"`
}

// Size is what the item counts towards the queue's size.
func (it *Item) Size() int64 {
	return int64(len(it.Body)+len(it.Message)+len(it.ID)+len(it.Target)+len(it.Lane)+len(it.Action)+len(it.AlarmARN)+len(it.ARN)) + 256
}

// Outcome is what an attempt came to.
type Outcome struct {
	// Err is nil when the item was delivered.
	Err error
	// Permanent marks an error that another attempt will not change.
	Permanent bool
	// Retry, when it is there, says in how long the next attempt follows; ok is false when there is to be none. The argument
	// is how many attempts there were. Otherwise the queue's own policy counts.
	Retry func(attempts int) (d time.Duration, ok bool)
	// Message is what was published.
	Message string
	// Withheld says why nothing was sent, on purpose.
	Withheld string
	// Add are items that are durable at the moment at which this one has ended.
	Add []*Item
	// Also is a change that becomes durable at the same moment.
	Also func(*records.Change)
}

// Result is how an action has ended.
type Result struct {
	Action   string    `json:"action"`
	AlarmARN string    `json:"alarm"`
	ARN      string    `json:"arn"`
	Time     time.Time `json:"time"`
	Message  string    `json:"message,omitempty"`
	// Withheld says why nothing at all was sent, on purpose.
	Withheld string `json:"withheld,omitempty"`
	// Failed is the errors, none when the action was delivered.
	Failed []string `json:"failed,omitempty"`
}

// The outcomes that are counted.
const (
	OutcomeDelivered = "delivered"
	OutcomeRetried   = "retried"
	OutcomeDead      = "dead"
	OutcomeWithheld  = "withheld"
)
