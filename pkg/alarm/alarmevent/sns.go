// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmevent

import (
	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// Notification is what is published to an SNS topic.
type Notification struct {
	Subject string
	// Message is a JSON document. SMS and Email are the texts of subscriptions by SMS and e-mail.
	Message, SMS, Email string
}

// SNS is what the event publishes to the topics among its actions.
func SNS(e *alarm.Event) Notification {
	_, after := subject(e)
	n := Notification{
		Subject: heading(after.State, e.Alarm.Name, e.Tenant.Region),
		SMS:     smsText(after.State, e.Alarm.Name, e.Tenant.Region),
		Email:   email(e),
	}
	if e.Alarm.Composite != nil {
		n.Message = encode(compositeMessageOf(e))
	} else {
		n.Message = encode(metricMessageOf(e))
	}
	return n
}

// metricMessage is the message of a metric alarm.
type metricMessage struct {
	AlarmName                          string
	AlarmDescription                   *string
	AWSAccountID                       string `json:"AWSAccountId"`
	AlarmConfigurationUpdatedTimestamp milliTime
	NewStateValue                      alarm.State
	NewStateReason                     string
	StateChangeTime                    milliTime
	Region                             string
	AlarmArn                           string
	OldStateValue                      alarm.State
	ActionExecutedAfterMuteWindow      bool
	OKActions                          []string
	AlarmActions                       []string
	InsufficientDataActions            []string
	Trigger                            any
	AlarmContributorID                 string            `json:"AlarmContributorId,omitempty"`
	AlarmContributorAttributes         map[string]string `json:",omitempty"`
}

func metricMessageOf(e *alarm.Event) *metricMessage {
	before, after := subject(e)
	d := e.Alarm
	m := &metricMessage{
		AlarmName: d.Name, AlarmDescription: d.Description, AWSAccountID: e.Tenant.Account,
		AlarmConfigurationUpdatedTimestamp: milliTime(e.New.ConfigurationUpdated),
		NewStateValue:                      after.State, NewStateReason: after.Reason,
		StateChangeTime: milliTime(stateTime(e, after)),
		Region:          RegionName(e.Tenant.Region), AlarmArn: e.ARN, OldStateValue: before.State,
		ActionExecutedAfterMuteWindow: e.AfterMuteWindow,
		OKActions:                     list(d.OKActions), AlarmActions: list(d.AlarmActions),
		InsufficientDataActions: list(d.InsufficientDataActions),
	}
	if d.Metric != nil {
		m.Trigger = triggerOf(d.Metric)
	}
	if c := e.Contributor; c != nil {
		m.AlarmContributorID, m.AlarmContributorAttributes = c.ID, c.Attributes
	}
	return m
}

// compositeMessage is the message of a composite alarm.
type compositeMessage struct {
	AlarmName               string
	AlarmDescription        *string
	AWSAccountID            string `json:"AWSAccountId"`
	NewStateValue           alarm.State
	NewStateReason          string
	StateChangeTime         milliTime
	Region                  string
	AlarmArn                string
	OKActions               []string
	AlarmActions            []string
	InsufficientDataActions []string
	OldStateValue           alarm.State
	AlarmRule               string
	TriggeringChildren      []triggeringChild
	// ActionExecutedAfterMuteWindow is written when it is true only: no message of CloudWatch with it is known.
	ActionExecutedAfterMuteWindow bool `json:",omitempty"`
}

type triggeringChild struct {
	Arn   string
	State childState
}

type childState struct {
	Value     alarm.State
	Timestamp milliTime
}

func compositeMessageOf(e *alarm.Event) *compositeMessage {
	d := e.Alarm
	m := &compositeMessage{
		AlarmName: d.Name, AlarmDescription: d.Description, AWSAccountID: e.Tenant.Account,
		NewStateValue: e.New.State, NewStateReason: e.New.Reason, StateChangeTime: milliTime(stateTime(e, &e.New)),
		Region: RegionName(e.Tenant.Region), AlarmArn: e.ARN,
		OKActions: list(d.OKActions), AlarmActions: list(d.AlarmActions),
		InsufficientDataActions: list(d.InsufficientDataActions),
		OldStateValue:           e.Old.State, AlarmRule: d.Composite.Rule,
		TriggeringChildren:            make([]triggeringChild, len(e.Triggering)),
		ActionExecutedAfterMuteWindow: e.AfterMuteWindow,
	}
	for i, t := range e.Triggering {
		m.TriggeringChildren[i] = triggeringChild{t.ARN, childState{t.State, milliTime(t.Timestamp)}}
	}
	return m
}
