// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"slices"
	"strings"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

const describePage = 50

var alarmTypes = awswire.EnumValues(types.AlarmType("").Values())

func checkAlarmTypes(v *awswire.Validation, list []types.AlarmType) {
	for i, t := range list {
		v.Enum(awswire.Element("alarmTypes", i), t, alarmTypes...)
	}
}

func (o *operations) describeAlarms(_ context.Context, in *cw.DescribeAlarmsInput) (*cw.DescribeAlarmsOutput, error) {
	if err := checkDescribe(in); err != nil {
		return nil, err
	}
	request := *in
	request.NextToken, request.MaxRecords = nil, nil
	after, err := readToken[string](in.NextToken, "DescribeAlarms", o.tenant, request)
	if err != nil {
		return nil, err
	}
	limit := describePage
	if in.MaxRecords != nil {
		limit = int(*in.MaxRecords)
	}
	out := &cw.DescribeAlarmsOutput{
		MetricAlarms: []types.MetricAlarm{}, CompositeAlarms: []types.CompositeAlarm{}, LogAlarms: []types.LogAlarm{},
	}
	n, last, more := 0, "", false
	add := reduced(in)
	o.each(in, deref(after), func(v *alarm.View) bool {
		if !wanted(in, v) {
			return true
		}
		if n == limit {
			more = true
			return false
		}
		add(out, v)
		n, last = n+1, v.Definition.Name
		return true
	})
	if more {
		out.NextToken, err = nextToken(last, "DescribeAlarms", o.tenant, request)
	}
	return out, err
}

func checkDescribe(in *cw.DescribeAlarmsInput) error {
	var v awswire.Validation
	nameLengths(&v, in.AlarmNames)
	v.Length("alarmNamePrefix", in.AlarmNamePrefix, 1, maxAlarmName)
	v.Length("actionPrefix", in.ActionPrefix, 1, maxPrefix)
	v.Length("childrenOfAlarmName", in.ChildrenOfAlarmName, 1, maxAlarmName)
	v.Length("parentsOfAlarmName", in.ParentsOfAlarmName, 1, maxAlarmName)
	v.Range("maxRecords", in.MaxRecords, 1, maxRecordsPage)
	checkAlarmTypes(&v, in.AlarmTypes)
	if in.StateValue != "" {
		v.Enum("stateValue", in.StateValue, stateValues...)
	}
	if err := v.Err(); err != nil {
		return err
	}
	if len(in.AlarmNames) > 0 && in.AlarmNamePrefix != nil {
		return exclusive("AlarmNames", "AlarmNamePrefix")
	}
	relation := "ChildrenOfAlarmName"
	switch {
	case in.ChildrenOfAlarmName != nil && in.ParentsOfAlarmName != nil:
		return exclusive("ChildrenOfAlarmName", "ParentsOfAlarmName")
	case in.ParentsOfAlarmName != nil:
		relation = "ParentsOfAlarmName"
	case in.ChildrenOfAlarmName == nil:
		return nil
	}
	for _, other := range []struct {
		name  string
		there bool
	}{
		{"AlarmNames", len(in.AlarmNames) > 0},
		{"AlarmNamePrefix", in.AlarmNamePrefix != nil},
		{"AlarmTypes", len(in.AlarmTypes) > 0},
		{"StateValue", in.StateValue != ""},
		{"ActionPrefix", in.ActionPrefix != nil},
	} {
		if other.there {
			return exclusive(relation, other.name)
		}
	}
	return nil
}

// each yields the alarms that a request is about in order of name, those behind after.
func (o *operations) each(in *cw.DescribeAlarmsInput, after string, yield func(*alarm.View) bool) {
	names := in.AlarmNames
	switch {
	case in.ChildrenOfAlarmName != nil:
		names = o.Engine().Children(o.tenant, *in.ChildrenOfAlarmName)
	case in.ParentsOfAlarmName != nil:
		names = o.Engine().Parents(o.tenant, *in.ParentsOfAlarmName)
	case len(names) == 0:
		prefix := deref(in.AlarmNamePrefix)
		if after < prefix {
			// The alarm that is called as the prefix is one of them.
			if v, ok := o.Engine().Alarm(o.tenant, prefix); ok && !yield(&v) {
				return
			}
			after = prefix
		}
		o.Engine().AlarmsAfter(o.tenant, after, func(v alarm.View) bool {
			return strings.HasPrefix(v.Definition.Name, prefix) && yield(&v)
		})
		return
	}
	names = slices.Clone(names)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if name <= after {
			continue
		}
		if v, ok := o.Engine().Alarm(o.tenant, name); ok && !yield(&v) {
			return
		}
	}
}

// wanted is whether an alarm is of the type, in the state, and has an action, that a request asks for.
func wanted(in *cw.DescribeAlarmsInput, v *alarm.View) bool {
	d := v.Definition
	if in.ChildrenOfAlarmName != nil || in.ParentsOfAlarmName != nil {
		return true
	}
	kind := types.AlarmTypeMetricAlarm
	if d.Composite != nil {
		kind = types.AlarmTypeCompositeAlarm
	}
	switch {
	case len(in.AlarmTypes) == 0 && kind != types.AlarmTypeMetricAlarm,
		len(in.AlarmTypes) > 0 && !slices.Contains(in.AlarmTypes, kind),
		in.StateValue != "" && in.StateValue != types.StateValue(v.Status.State):
		return false
	case in.ActionPrefix == nil:
		return true
	}
	for _, list := range [][]string{d.AlarmActions, d.OKActions, d.InsufficientDataActions} {
		for _, action := range list {
			if strings.HasPrefix(action, *in.ActionPrefix) {
				return true
			}
		}
	}
	return false
}

// reduced is how a request has alarms added to its answer: of children and parents little is told.
func reduced(in *cw.DescribeAlarmsInput) func(*cw.DescribeAlarmsOutput, *alarm.View) {
	children := in.ChildrenOfAlarmName != nil
	if !children && in.ParentsOfAlarmName == nil {
		return func(out *cw.DescribeAlarmsOutput, v *alarm.View) {
			if v.Definition.Composite != nil {
				out.CompositeAlarms = append(out.CompositeAlarms, compositeAlarm(v))
			} else {
				out.MetricAlarms = append(out.MetricAlarms, metricAlarm(v))
			}
		}
	}
	return func(out *cw.DescribeAlarmsOutput, v *alarm.View) {
		name, arn := &v.Definition.Name, &v.ARN
		c := types.CompositeAlarm{AlarmName: name, AlarmArn: arn}
		m := types.MetricAlarm{AlarmName: name, AlarmArn: arn}
		if children {
			state, at := types.StateValue(v.Status.State), &v.Status.StateUpdated
			c.StateValue, c.StateUpdatedTimestamp = state, at
			m.StateValue, m.StateUpdatedTimestamp = state, at
		}
		if v.Definition.Composite != nil {
			out.CompositeAlarms = append(out.CompositeAlarms, c)
		} else {
			out.MetricAlarms = append(out.MetricAlarms, m)
		}
	}
}

func (o *operations) describeAlarmsForMetric(
	_ context.Context, in *cw.DescribeAlarmsForMetricInput,
) (*cw.DescribeAlarmsForMetricOutput, error) {
	var v awswire.Validation
	v.Required("metricName", in.MetricName)
	v.Length("metricName", in.MetricName, 1, maxAlarmName)
	v.Required("namespace", in.Namespace)
	v.Length("namespace", in.Namespace, 1, maxAlarmName)
	v.Range("period", in.Period, 1, maxInt)
	if in.Statistic != "" {
		v.Enum("statistic", in.Statistic, awswire.EnumValues(in.Statistic.Values())...)
	}
	if in.Unit != "" {
		v.Enum("unit", in.Unit, awswire.EnumValues(in.Unit.Values())...)
	}
	checkDimensions(&v, "dimensions", in.Dimensions)
	if err := v.Err(); err != nil {
		return nil, err
	}
	dims := dimensionsOf(in.Dimensions)
	cloudwatch.SortDimensions(dims)
	out := &cw.DescribeAlarmsForMetricOutput{MetricAlarms: []types.MetricAlarm{}}
	o.Engine().Alarms(o.tenant, func(v alarm.View) bool {
		if m := v.Definition.Metric; m != nil && m.MetricName == *in.MetricName && m.Namespace == *in.Namespace &&
			(in.Period == nil || *in.Period == m.Period) &&
			(in.Unit == "" || string(in.Unit) == m.Unit) &&
			(in.Statistic == "" || string(in.Statistic) == m.Statistic) &&
			(in.ExtendedStatistic == nil || *in.ExtendedStatistic == m.ExtendedStatistic) &&
			sameDimensions(m.Dimensions, dims) {
			out.MetricAlarms = append(out.MetricAlarms, metricAlarm(&v))
		}
		return true
	})
	return out, nil
}

// sameDimensions compares dimensions in any order with sorted ones.
func sameDimensions(dims, sorted []cloudwatch.Dimension) bool {
	if len(dims) != len(sorted) {
		return false
	}
	own := slices.Clone(dims)
	cloudwatch.SortDimensions(own)
	return slices.Equal(own, sorted)
}

func (o *operations) describeAlarmContributors(
	_ context.Context, in *cw.DescribeAlarmContributorsInput,
) (*cw.DescribeAlarmContributorsOutput, error) {
	var v awswire.Validation
	v.Required("alarmName", in.AlarmName)
	v.Length("alarmName", in.AlarmName, 1, maxAlarmName)
	if err := v.Err(); err != nil {
		return nil, err
	}
	if _, ok := o.Engine().Alarm(o.tenant, *in.AlarmName); !ok {
		return nil, notFound()
	}
	// All that are kept fit on one page, so that no token was ever given.
	if in.NextToken != nil {
		return nil, invalidToken(*in.NextToken)
	}
	out := &cw.DescribeAlarmContributorsOutput{AlarmContributors: []types.AlarmContributor{}}
	for _, c := range o.Engine().Contributors(o.tenant, *in.AlarmName) {
		out.AlarmContributors = append(out.AlarmContributors, types.AlarmContributor{
			ContributorId: &c.ID, ContributorAttributes: c.Attributes, StateReason: &c.New.Reason,
			StateTransitionedTimestamp: timestamp(c.New.StateTransitioned),
		})
	}
	return out, nil
}
