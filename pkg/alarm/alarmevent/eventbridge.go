// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmevent

import (
	"time"

	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// Detail types of the events of alarms.
const (
	DetailTypeStateChange            = "CloudWatch Alarm State Change"
	DetailTypeContributorStateChange = "CloudWatch Alarm Contributor State Change"
	DetailTypeConfigurationChange    = "CloudWatch Alarm Configuration Change"
)

// Envelope is an event of EventBridge, in the order of its members.
type Envelope struct {
	Version    string   `json:"version"`
	ID         string   `json:"id"`
	DetailType string   `json:"detail-type"`
	Source     string   `json:"source"`
	Account    string   `json:"account"`
	Time       string   `json:"time"`
	Region     string   `json:"region"`
	Resources  []string `json:"resources"`
	Detail     any      `json:"detail"`
}

// JSON is the event as it is delivered.
func (v *Envelope) JSON() string { return encode(v) }

type stateChange struct {
	AlarmName     string        `json:"alarmName"`
	State         *state        `json:"state"`
	PreviousState *state        `json:"previousState"`
	Configuration configuration `json:"configuration"`
	MuteDetail    *muteDetail   `json:"muteDetail,omitempty"`
}

type muteDetail struct {
	MutedByArn      string    `json:"mutedByArn"`
	MuteWindowStart milliTime `json:"muteWindowStart"`
	MuteWindowEnd   milliTime `json:"muteWindowEnd"`
}

func muteDetailOf(m *alarm.MuteWindow) *muteDetail {
	if m == nil {
		return nil
	}
	return &muteDetail{m.RuleARN, milliTime(m.Start), milliTime(m.End)}
}

type contributorStateChange struct {
	AlarmName        string        `json:"alarmName"`
	AlarmContributor *contributor  `json:"alarmContributor"`
	State            *state        `json:"state"`
	Configuration    configuration `json:"configuration"`
	MuteDetail       *muteDetail   `json:"muteDetail,omitempty"`
}

type configurationChange struct {
	AlarmName             string         `json:"alarmName"`
	Operation             string         `json:"operation"`
	State                 *state         `json:"state"`
	Configuration         *configuration `json:"configuration"`
	PreviousConfiguration *configuration `json:"previousConfiguration,omitempty"`
}

// EventBridge is the event that goes to the default event bus, with the given id. It is nil for what CloudWatch sends no
// event of.
func EventBridge(e *alarm.Event, id string) *Envelope {
	v := &Envelope{
		Version: "0", ID: id, Source: eventSource, Account: e.Tenant.Account, Time: e.Time.UTC().Format(time.RFC3339),
		Region: e.Tenant.Region, Resources: []string{e.ARN},
	}
	switch e.Kind {
	case alarm.EventStateChanged:
		v.DetailType = DetailTypeStateChange
		v.Detail = &stateChange{
			AlarmName: e.Alarm.Name, State: stateOf(&e.New), PreviousState: stateOf(&e.Old),
			Configuration: reduced(e.ARN, e.Alarm), MuteDetail: muteDetailOf(e.Muted),
		}
	case alarm.EventContributorChanged:
		v.DetailType = DetailTypeContributorStateChange
		v.Detail = &contributorStateChange{
			AlarmName: e.Alarm.Name, AlarmContributor: contributorOf(e.Contributor),
			State: contributorStateOf(&e.Contributor.New), Configuration: reduced(e.ARN, e.Alarm), MuteDetail: muteDetailOf(e.Muted),
		}
	case alarm.EventCreated, alarm.EventUpdated, alarm.EventDeleted:
		v.DetailType = DetailTypeConfigurationChange
		v.Detail = configurationChangeOf(e)
	default:
		return nil
	}
	return v
}

func configurationChangeOf(e *alarm.Event) *configurationChange {
	status := &e.New
	if e.Kind == alarm.EventDeleted && status.State == "" {
		status = &e.Old
	}
	c := &configurationChange{
		AlarmName:     e.Alarm.Name,
		State:         &state{Value: status.State, Timestamp: milliTime(stateTime(e, status)), ActionsSuppressedBy: status.ActionsSuppressedBy},
		Configuration: full(e.ARN, e.Alarm, status.ConfigurationUpdated),
	}
	switch e.Kind {
	case alarm.EventCreated:
		c.Operation = "create"
	case alarm.EventUpdated:
		c.Operation = "update"
		if e.Previous != nil {
			c.PreviousConfiguration = full(e.ARN, e.Previous, e.Old.ConfigurationUpdated)
		}
	default:
		c.Operation = "delete"
		c.State.Reason = &status.Reason
	}
	return c
}
