// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package actions is how alarms reach what notifies: the alarm service hands over the actions of its transitions, and an
// extension that delivers takes them.
package actions

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Action is one action of one event of an alarm.
type Action struct {
	// ID names the action for ever: it is the same when it is handed over again after a restart.
	ID string
	// Target is the action's ARN. It is "" for receivers that are told of every transition.
	Target string
	Tenant cloudwatch.Tenant
	Time   time.Time

	AlarmARN  string
	AlarmName string
	// New is "" when the alarm was deleted: receivers that are told of every transition end its alert.
	Old, New alarm.State
	Reason   string

	// Subject, Message, SMS and Email are what CloudWatch publishes to an SNS topic: Message is the JSON document.
	Subject, Message, SMS, Email string
	// Event is the JSON document that a Lambda function is invoked with.
	Event string
	// Labels and Annotations are those of the alert that grouping receivers make of the alarm.
	Labels, Annotations map[string]string
}

// Result is how an action ended: after its last attempt.
type Result struct {
	ActionID string
	AlarmARN string
	Target   string
	Time     time.Time
	// Message is what was published, "" when nothing was.
	Message string
	// Withheld says why nothing at all was sent, on purpose: silenced, inhibited. "" is the rule.
	Withheld string
	// Err is nil when the action was delivered.
	Err error
}

// Dispatcher delivers actions.
type Dispatcher interface {
	// Dispatch takes actions over. When it returns nil they are durable, and are delivered or end as dead letters, also over
	// restarts. It does not wait for any delivery. Actions whose ID it has seen are not delivered again.
	Dispatch(ctx context.Context, actions []Action) error
	// OnResult has f called with how actions ended, from one goroutine. When f returns nil it has taken all of them over for
	// good; after an error the same ones are handed over again, also over restarts. It is called once, before Dispatch.
	OnResult(f func(context.Context, []Result) error)
}

// Provider is what an extension that delivers actions implements.
type Provider interface {
	// Dispatcher is valid between the extension's Start and Shutdown.
	Dispatcher() Dispatcher
}

// Find returns the dispatcher of the extension id on host. The error tells the user what to configure.
func Find(host component.Host, id component.ID) (Dispatcher, error) {
	ext, ok := host.GetExtensions()[id]
	if !ok {
		return nil, fmt.Errorf("extension %q not found: list it under service::extensions", id)
	}
	p, ok := ext.(Provider)
	if !ok {
		return nil, fmt.Errorf("extension %q is %T, which delivers no actions", id, ext)
	}
	return p.Dispatcher(), nil
}
