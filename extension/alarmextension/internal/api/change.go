// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

const (
	maxAlarmName   = 255
	maxAlarmNames  = 100
	maxReason      = 1023
	maxReasonData  = 4000
	maxPrefix      = 1024
	maxRecordsPage = 100
)

// stateValues are in the order of CloudWatch's messages.
var stateValues = []string{string(alarm.StateInsufficientData), string(alarm.StateAlarm), string(alarm.StateOK)}

func checkNames(names []string) error {
	var v awswire.Validation
	v.Required("alarmNames", names)
	nameLengths(&v, names)
	return v.Err()
}

func nameLengths(v *awswire.Validation, names []string) {
	v.Length("alarmNames", names, awswire.NoLimit, maxAlarmNames)
	for i, name := range names {
		v.Length(awswire.Element("alarmNames", i), name, 1, maxAlarmName)
	}
}

func (o *operations) deleteAlarms(ctx context.Context, in *cw.DeleteAlarmsInput) error {
	if err := checkNames(in.AlarmNames); err != nil {
		return err
	}
	return o.DeleteAlarms(ctx, o.tenant, in.AlarmNames)
}

func (o *operations) enableAlarmActions(ctx context.Context, in *cw.EnableAlarmActionsInput) error {
	if err := checkNames(in.AlarmNames); err != nil {
		return err
	}
	return o.SetActionsEnabled(ctx, o.tenant, in.AlarmNames, true)
}

func (o *operations) disableAlarmActions(ctx context.Context, in *cw.DisableAlarmActionsInput) error {
	if err := checkNames(in.AlarmNames); err != nil {
		return err
	}
	return o.SetActionsEnabled(ctx, o.tenant, in.AlarmNames, false)
}

func (o *operations) setAlarmState(ctx context.Context, in *cw.SetAlarmStateInput) error {
	var v awswire.Validation
	v.Required("alarmName", in.AlarmName)
	v.Length("alarmName", in.AlarmName, 1, maxAlarmName)
	v.Required("stateValue", in.StateValue)
	if in.StateValue != "" {
		v.Enum("stateValue", in.StateValue, stateValues...)
	}
	v.Required("stateReason", in.StateReason)
	v.Length("stateReason", in.StateReason, 0, maxReason)
	v.Length("stateReasonData", in.StateReasonData, 0, maxReasonData)
	if err := v.Err(); err != nil {
		return err
	}
	return o.SetState(ctx, o.tenant, *in.AlarmName, alarm.State(in.StateValue), *in.StateReason, in.StateReasonData)
}
