// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"math"
	"slices"
	"unique"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// intern copies a definition so that what many alarms have in common is in memory once. The name is the end of the ARN.
func intern(d *Definition, arn string) *Definition {
	c := *d
	c.Name = arn[len(arn)-len(d.Name):]
	c.AlarmActions, c.OKActions = internActions(d.AlarmActions), internActions(d.OKActions)
	c.InsufficientDataActions = internActions(d.InsufficientDataActions)
	c.Tags = slices.Clone(d.Tags)
	for i := range c.Tags {
		c.Tags[i] = Tag{Key: internString(c.Tags[i].Key), Value: internString(c.Tags[i].Value)}
	}
	if d.Metric != nil {
		c.Metric = internMetricAlarm(d.Metric)
	}
	return &c
}

func internMetricAlarm(m *MetricAlarm) *MetricAlarm {
	c := *m
	c.Namespace, c.MetricName = internString(m.Namespace), internString(m.MetricName)
	c.Statistic, c.ExtendedStatistic, c.Unit = internString(m.Statistic), internString(m.ExtendedStatistic), internString(m.Unit)
	c.ComparisonOperator = ComparisonOperator(internString(string(m.ComparisonOperator)))
	c.TreatMissingData = TreatMissingData(internString(string(m.TreatMissingData)))
	c.EvaluateLowSampleCountPercentile = internString(m.EvaluateLowSampleCountPercentile)
	c.Dimensions = internDimensions(m.Dimensions)
	c.Metrics = slices.Clone(m.Metrics)
	for i := range c.Metrics {
		q := &c.Metrics[i]
		q.ID = internString(q.ID)
		if q.Metric == nil {
			continue
		}
		s := *q.Metric
		s.Namespace, s.MetricName = internString(s.Namespace), internString(s.MetricName)
		s.Stat, s.Unit = internString(s.Stat), internString(s.Unit)
		s.Dimensions = internDimensions(s.Dimensions)
		q.Metric = &s
	}
	return &c
}

func internString(s string) string {
	if s == "" {
		return ""
	}
	return unique.Make(s).Value()
}

func internActions(all []string) []string {
	all = slices.Clone(all)
	for i := range all {
		all[i] = internString(all[i])
	}
	return all
}

func internDimensions(dims []cloudwatch.Dimension) []cloudwatch.Dimension {
	dims = slices.Clone(dims)
	for i := range dims {
		dims[i].Name = internString(dims[i].Name)
	}
	return dims
}

// equalDefinitions compares all but tags.
func equalDefinitions(a, b *Definition) bool {
	return a.Name == b.Name && equalPointers(a.Description, b.Description) && a.ActionsEnabled == b.ActionsEnabled &&
		slices.Equal(a.AlarmActions, b.AlarmActions) && slices.Equal(a.OKActions, b.OKActions) &&
		slices.Equal(a.InsufficientDataActions, b.InsufficientDataActions) &&
		equalMetricAlarms(a.Metric, b.Metric) && equalComposites(a.Composite, b.Composite)
}

func equalMetricAlarms(a, b *MetricAlarm) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Namespace == b.Namespace && a.MetricName == b.MetricName && slices.Equal(a.Dimensions, b.Dimensions) &&
		a.Statistic == b.Statistic && a.ExtendedStatistic == b.ExtendedStatistic && a.Period == b.Period && a.Unit == b.Unit &&
		slices.EqualFunc(a.Metrics, b.Metrics, equalQueries) && a.EvaluationPeriods == b.EvaluationPeriods &&
		a.DatapointsToAlarm == b.DatapointsToAlarm && equalThresholds(a.Threshold, b.Threshold) &&
		a.ThresholdMetricID == b.ThresholdMetricID && a.ComparisonOperator == b.ComparisonOperator &&
		a.TreatMissingData == b.TreatMissingData &&
		a.EvaluateLowSampleCountPercentile == b.EvaluateLowSampleCountPercentile &&
		equalPointers(a.WallClock, b.WallClock) && a.SlidingWindow == b.SlidingWindow
}

// equalThresholds tells 0 from -0, which are written in different ways.
func equalThresholds(a, b *float64) bool {
	if a == nil || b == nil {
		return a == b
	}
	return math.Float64bits(*a) == math.Float64bits(*b)
}

func equalQueries(a, b Query) bool {
	if a.Metric == nil || b.Metric == nil {
		if a.Metric != b.Metric {
			return false
		}
	} else if x, y := a.Metric, b.Metric; x.Namespace != y.Namespace || x.MetricName != y.MetricName ||
		!slices.Equal(x.Dimensions, y.Dimensions) || x.Period != y.Period || x.Stat != y.Stat || x.Unit != y.Unit {
		return false
	}
	return a.ID == b.ID && a.Expression == b.Expression && equalPointers(a.Label, b.Label) && a.Period == b.Period &&
		equalPointers(a.ReturnData, b.ReturnData) && a.AccountID == b.AccountID
}

func equalComposites(a, b *CompositeAlarm) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Rule == b.Rule && a.ActionsSuppressor == b.ActionsSuppressor &&
		equalPointers(a.WaitPeriod, b.WaitPeriod) && equalPointers(a.ExtensionPeriod, b.ExtensionPeriod)
}

func equalPointers[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
