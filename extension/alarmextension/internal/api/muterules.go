// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"slices"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

const muteRulesPage = 50

func (o *operations) putAlarmMuteRule(ctx context.Context, in *cw.PutAlarmMuteRuleInput) error {
	var v awswire.Validation
	v.Required("name", in.Name)
	v.Required("rule", in.Rule)
	rule := &alarm.MuteRule{
		Name: deref(in.Name), Description: in.Description, StartDate: in.StartDate, ExpireDate: in.ExpireDate, Tags: tagsOf(in.Tags),
	}
	if in.Rule != nil {
		v.Required("rule.schedule", in.Rule.Schedule)
		if s := in.Rule.Schedule; s != nil {
			v.Required("rule.schedule.expression", s.Expression)
			v.Required("rule.schedule.duration", s.Duration)
			given(&v, "rule.schedule.timezone", s.Timezone)
			rule.Expression, rule.Duration, rule.Timezone = deref(s.Expression), deref(s.Duration), deref(s.Timezone)
		}
	}
	if in.MuteTargets != nil {
		v.Required("muteTargets.alarmNames", in.MuteTargets.AlarmNames)
		rule.AlarmNames = in.MuteTargets.AlarmNames
	}
	checkTags(&v, in.Tags)
	if err := v.Err(); err != nil {
		return err
	}
	return o.PutMuteRule(ctx, o.tenant, rule)
}

func (o *operations) deleteAlarmMuteRule(ctx context.Context, in *cw.DeleteAlarmMuteRuleInput) error {
	if err := checkMuteName(in.AlarmMuteRuleName); err != nil {
		return err
	}
	return o.DeleteMuteRule(ctx, o.tenant, *in.AlarmMuteRuleName)
}

func checkMuteName(name *string) error {
	var v awswire.Validation
	v.Required("alarmMuteRuleName", name)
	v.Length("alarmMuteRuleName", name, 1, maxAlarmName)
	return v.Err()
}

func (o *operations) getAlarmMuteRule(_ context.Context, in *cw.GetAlarmMuteRuleInput) (*cw.GetAlarmMuteRuleOutput, error) {
	if err := checkMuteName(in.AlarmMuteRuleName); err != nil {
		return nil, err
	}
	r, ok := o.Engine().MuteRule(o.tenant, *in.AlarmMuteRuleName)
	if !ok {
		return nil, notFound()
	}
	arn := alarm.MuteRuleARN(o.tenant, r.Name)
	out := &cw.GetAlarmMuteRuleOutput{
		AlarmMuteRuleArn: &arn, Name: &r.Name, Description: r.Description, StartDate: r.StartDate, ExpireDate: r.ExpireDate,
		LastUpdatedTimestamp: timestamp(r.LastUpdated), MuteType: new(r.Type()), Status: types.AlarmMuteRuleStatus(r.Status(o.Now())),
		Rule: &types.Rule{Schedule: &types.Schedule{Expression: &r.Expression, Duration: &r.Duration, Timezone: optional(r.Timezone)}},
	}
	if r.AlarmNames != nil {
		out.MuteTargets = &types.MuteTargets{AlarmNames: r.AlarmNames}
	}
	return out, nil
}

func (o *operations) listAlarmMuteRules(_ context.Context, in *cw.ListAlarmMuteRulesInput) (*cw.ListAlarmMuteRulesOutput, error) {
	var v awswire.Validation
	v.Length("alarmName", in.AlarmName, 1, maxAlarmName)
	v.Range("maxRecords", in.MaxRecords, 1, maxRecordsPage)
	for i, s := range in.Statuses {
		v.Enum(awswire.Element("statuses", i), s, awswire.EnumValues(s.Values())...)
	}
	if err := v.Err(); err != nil {
		return nil, err
	}
	request := *in
	request.NextToken, request.MaxRecords = nil, nil
	after, err := readToken[string](in.NextToken, "ListAlarmMuteRules", o.tenant, request)
	if err != nil {
		return nil, err
	}
	limit := muteRulesPage
	if in.MaxRecords != nil {
		limit = int(*in.MaxRecords)
	}
	out := &cw.ListAlarmMuteRulesOutput{AlarmMuteRuleSummaries: []types.AlarmMuteRuleSummary{}}
	last := ""
	now := o.Now()
	for _, r := range o.Engine().MuteRules(o.tenant) {
		status := types.AlarmMuteRuleStatus(r.Status(now))
		if r.Name <= deref(after) || len(in.Statuses) > 0 && !slices.Contains(in.Statuses, status) ||
			in.AlarmName != nil && !slices.Contains(r.AlarmNames, *in.AlarmName) {
			continue
		}
		if len(out.AlarmMuteRuleSummaries) == limit {
			out.NextToken, err = nextToken(last, "ListAlarmMuteRules", o.tenant, request)
			return out, err
		}
		last = r.Name
		arn := alarm.MuteRuleARN(o.tenant, r.Name)
		out.AlarmMuteRuleSummaries = append(out.AlarmMuteRuleSummaries, types.AlarmMuteRuleSummary{
			AlarmMuteRuleArn: &arn, ExpireDate: r.ExpireDate, LastUpdatedTimestamp: timestamp(r.LastUpdated),
			MuteType: new(r.Type()), Status: status,
		})
	}
	return out, nil
}
