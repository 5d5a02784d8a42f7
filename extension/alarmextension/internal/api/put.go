// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// What the model says of lengths is checked by alarm.Validate, for files as for requests. Here is checked what a definition
// does not tell apart: what is absent, and what is there and empty.

// given checks that a text that is there is not empty.
func given[T ~string](v *awswire.Validation, path string, s *T) {
	if s != nil {
		v.Length(path, string(*s), 1, awswire.NoLimit)
	}
}

func (o *operations) putMetricAlarm(ctx context.Context, in *cw.PutMetricAlarmInput) error {
	if err := unsupported(in.ActionConfiguration, in.WarmUpConfiguration); err != nil {
		return err
	}
	if in.EvaluationCriteria != nil || in.EvaluationInterval != nil {
		return awswire.NotImplemented("PutMetricAlarm with EvaluationCriteria or EvaluationInterval (PromQL alarms)")
	}
	var v awswire.Validation
	v.Required("alarmName", in.AlarmName)
	v.Required("evaluationPeriods", in.EvaluationPeriods)
	given(&v, "metricName", in.MetricName)
	given(&v, "namespace", in.Namespace)
	given(&v, "extendedStatistic", in.ExtendedStatistic)
	given(&v, "treatMissingData", in.TreatMissingData)
	given(&v, "evaluateLowSampleCountPercentile", in.EvaluateLowSampleCountPercentile)
	given(&v, "thresholdMetricId", in.ThresholdMetricId)
	v.Range("period", in.Period, 1, maxInt)
	v.Range("datapointsToAlarm", in.DatapointsToAlarm, 1, maxInt)
	checkDimensions(&v, "dimensions", in.Dimensions)
	for i := range in.Metrics {
		checkQuery(&v, awswire.Element("metrics", i), &in.Metrics[i])
	}
	checkTags(&v, in.Tags)
	if err := v.Err(); err != nil {
		return err
	}
	return o.PutAlarm(ctx, o.tenant, metricDefinition(in))
}

const maxInt = 1 << 31

// unsupported refuses what alarms can have since 2026 and cannot have here.
func unsupported(a *types.ActionConfiguration, w *types.WarmUpConfiguration) error {
	switch {
	case a != nil:
		return awswire.NotImplemented("The parameter ActionConfiguration (tags in notifications)")
	case w != nil:
		return awswire.NotImplemented("The parameter WarmUpConfiguration")
	}
	return nil
}

func checkDimensions(v *awswire.Validation, path string, dims []types.Dimension) {
	for i := range dims {
		member := awswire.Element(path, i)
		v.Required(member+".name", dims[i].Name)
		v.Required(member+".value", dims[i].Value)
	}
}

func checkQuery(v *awswire.Validation, path string, q *types.MetricDataQuery) {
	v.Required(path+".id", q.Id)
	given(v, path+".expression", q.Expression)
	given(v, path+".accountId", q.AccountId)
	v.Range(path+".period", q.Period, 1, maxInt)
	s := q.MetricStat
	if s == nil {
		return
	}
	path += ".metricStat"
	v.Required(path+".metric", s.Metric)
	v.Required(path+".period", s.Period)
	v.Required(path+".stat", s.Stat)
	if s.Metric != nil {
		given(v, path+".metric.namespace", s.Metric.Namespace)
		given(v, path+".metric.metricName", s.Metric.MetricName)
		checkDimensions(v, path+".metric.dimensions", s.Metric.Dimensions)
	}
}

// checkTags leaves lengths to alarm.ValidateTags: the tags of an alarm that exists do not matter.
func checkTags(v *awswire.Validation, tags []types.Tag) {
	for i := range tags {
		member := awswire.Element("tags", i)
		v.Required(member+".key", tags[i].Key)
		v.Required(member+".value", tags[i].Value)
	}
}

func metricDefinition(in *cw.PutMetricAlarmInput) *alarm.Definition {
	m := &alarm.MetricAlarm{
		Namespace: deref(in.Namespace), MetricName: deref(in.MetricName), Dimensions: dimensionsOf(in.Dimensions),
		Statistic: string(in.Statistic), ExtendedStatistic: deref(in.ExtendedStatistic), Period: deref(in.Period), Unit: string(in.Unit),
		EvaluationPeriods: deref(in.EvaluationPeriods), DatapointsToAlarm: deref(in.DatapointsToAlarm),
		Threshold: in.Threshold, ThresholdMetricID: deref(in.ThresholdMetricId),
		ComparisonOperator:               alarm.ComparisonOperator(in.ComparisonOperator),
		TreatMissingData:                 alarm.TreatMissingData(deref(in.TreatMissingData)),
		EvaluateLowSampleCountPercentile: deref(in.EvaluateLowSampleCountPercentile),
	}
	for i := range in.Metrics {
		m.Metrics = append(m.Metrics, queryOf(&in.Metrics[i]))
	}
	switch w := in.EvaluationWindow.(type) {
	case *types.EvaluationWindowMemberWallClockWindow:
		m.WallClock = &alarm.WallClockWindow{Timezone: deref(w.Value.Timezone)}
	case *types.EvaluationWindowMemberSlidingWindow:
		m.SlidingWindow = true
	}
	return &alarm.Definition{
		Name: deref(in.AlarmName), Description: in.AlarmDescription, ActionsEnabled: in.ActionsEnabled == nil || *in.ActionsEnabled,
		AlarmActions: in.AlarmActions, OKActions: in.OKActions, InsufficientDataActions: in.InsufficientDataActions,
		Tags: tagsOf(in.Tags), Metric: m,
	}
}

func dimensionsOf(in []types.Dimension) []cloudwatch.Dimension {
	if len(in) == 0 {
		return nil
	}
	dims := make([]cloudwatch.Dimension, len(in))
	for i := range in {
		dims[i] = cloudwatch.Dimension{Name: deref(in[i].Name), Value: deref(in[i].Value)}
	}
	return dims
}

func queryOf(q *types.MetricDataQuery) alarm.Query {
	out := alarm.Query{
		ID: deref(q.Id), Expression: deref(q.Expression), Label: q.Label, Period: deref(q.Period), ReturnData: q.ReturnData,
		AccountID: deref(q.AccountId),
	}
	if s := q.MetricStat; s != nil {
		out.Metric = &alarm.MetricStat{Period: deref(s.Period), Stat: deref(s.Stat), Unit: string(s.Unit)}
		if m := s.Metric; m != nil {
			out.Metric.Namespace, out.Metric.MetricName = deref(m.Namespace), deref(m.MetricName)
			out.Metric.Dimensions = dimensionsOf(m.Dimensions)
		}
	}
	return out
}

func tagsOf(in []types.Tag) []alarm.Tag {
	var tags []alarm.Tag
	for i := range in {
		tags = append(tags, alarm.Tag{Key: deref(in[i].Key), Value: deref(in[i].Value)})
	}
	return tags
}

func (o *operations) putCompositeAlarm(ctx context.Context, in *cw.PutCompositeAlarmInput) error {
	if err := unsupported(in.ActionConfiguration, nil); err != nil {
		return err
	}
	var v awswire.Validation
	v.Required("alarmName", in.AlarmName)
	v.Required("alarmRule", in.AlarmRule)
	given(&v, "actionsSuppressor", in.ActionsSuppressor)
	checkTags(&v, in.Tags)
	if err := v.Err(); err != nil {
		return err
	}
	return o.PutAlarm(ctx, o.tenant, &alarm.Definition{
		Name: *in.AlarmName, Description: in.AlarmDescription, ActionsEnabled: in.ActionsEnabled == nil || *in.ActionsEnabled,
		AlarmActions: in.AlarmActions, OKActions: in.OKActions, InsufficientDataActions: in.InsufficientDataActions,
		Tags: tagsOf(in.Tags),
		Composite: &alarm.CompositeAlarm{
			Rule: *in.AlarmRule, ActionsSuppressor: deref(in.ActionsSuppressor),
			WaitPeriod: in.ActionsSuppressorWaitPeriod, ExtensionPeriod: in.ActionsSuppressorExtensionPeriod,
		},
	})
}
