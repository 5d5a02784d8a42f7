// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmevent

import "github.com/nephoscope/nephoscope/pkg/alarm"

const eventSource = "aws.cloudwatch"

type lambdaPayload struct {
	Source    string     `json:"source"`
	AlarmArn  string     `json:"alarmArn"`
	AccountID string     `json:"accountId"`
	Time      milliTime  `json:"time"`
	Region    string     `json:"region"`
	AlarmData lambdaData `json:"alarmData"`
}

type lambdaData struct {
	AlarmName        string        `json:"alarmName"`
	AlarmContributor *contributor  `json:"alarmContributor,omitempty"`
	State            *state        `json:"state"`
	PreviousState    *state        `json:"previousState,omitempty"`
	Configuration    configuration `json:"configuration"`
}

// Lambda is the payload that the functions among the event's actions are invoked with.
func Lambda(e *alarm.Event) string {
	p := lambdaPayload{
		Source: eventSource, AlarmArn: e.ARN, AccountID: e.Tenant.Account, Time: milliTime(e.Time), Region: e.Tenant.Region,
		AlarmData: lambdaData{AlarmName: e.Alarm.Name, Configuration: reduced(e.ARN, e.Alarm)},
	}
	if c := e.Contributor; c != nil {
		p.AlarmData.AlarmContributor = contributorOf(c)
		p.AlarmData.State = contributorStateOf(&c.New)
		return encode(p)
	}
	p.AlarmData.State, p.AlarmData.PreviousState = stateOf(&e.New), stateOf(&e.Old)
	return encode(p)
}
