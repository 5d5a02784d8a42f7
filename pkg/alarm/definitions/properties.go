// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// commonProperties are those of both kinds of alarms.
var commonProperties = []string{
	"AlarmName", "AlarmDescription", "ActionsEnabled", "AlarmActions", "OKActions", "InsufficientDataActions", "Tags",
}

var metricProperties = append([]string{
	"Namespace", "MetricName", "Dimensions", "Statistic", "ExtendedStatistic", "Period", "Unit", "Metrics",
	"EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ThresholdMetricId", "ComparisonOperator", "TreatMissingData",
	"EvaluateLowSampleCountPercentile", "EvaluationWindow", "EvaluationCriteria", "EvaluationInterval",
}, commonProperties...)

var compositeProperties = append([]string{
	"AlarmRule", "ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod",
}, commonProperties...)

// common reads the properties of both kinds of alarms. name stands in for a name that is not given.
func (d *decoder) common(name string) *alarm.Definition {
	a := &alarm.Definition{ActionsEnabled: true}
	var given bool
	if a.Name, given = d.text("AlarmName"); !given {
		a.Name = name
	}
	if a.Name == "" {
		d.required("AlarmName")
	}
	if text, given := d.text("AlarmDescription"); given {
		a.Description = &text
	}
	if enabled, given := d.boolean("ActionsEnabled"); given {
		a.ActionsEnabled = enabled
	}
	a.AlarmActions = d.texts("AlarmActions")
	a.OKActions = d.texts("OKActions")
	a.InsufficientDataActions = d.texts("InsufficientDataActions")
	a.Tags = d.tags()
	return a
}

func (d *decoder) tags() []alarm.Tag {
	var tags []alarm.Tag
	d.each("Tags", func(d *decoder) {
		key, hasKey := d.text("Key")
		text, hasValue := d.text("Value")
		d.done("Key", "Value")
		if !hasKey {
			d.required("Key")
		}
		if !hasValue {
			d.required("Value")
		}
		tags = append(tags, alarm.Tag{Key: key, Value: text})
	})
	return tags
}

// metricAlarm reads the properties of AWS::CloudWatch::Alarm.
func (d *decoder) metricAlarm(name string) *alarm.Definition {
	a := d.common(name)
	m := &alarm.MetricAlarm{}
	a.Metric = m
	m.Namespace, _ = d.text("Namespace")
	m.MetricName, _ = d.text("MetricName")
	m.Dimensions = d.dimensions()
	m.Statistic = d.oneOf("Statistic", "SampleCount", "Average", "Sum", "Minimum", "Maximum")
	m.ExtendedStatistic, _ = d.text("ExtendedStatistic")
	m.Period = d.positive("Period")
	m.Unit = d.oneOf("Unit", cloudwatch.Units()...)
	d.each("Metrics", func(d *decoder) { m.Metrics = append(m.Metrics, d.query()) })
	if m.EvaluationPeriods = d.positive("EvaluationPeriods"); m.EvaluationPeriods == 0 {
		d.required("EvaluationPeriods")
	}
	m.DatapointsToAlarm = d.positive("DatapointsToAlarm")
	m.Threshold = d.number("Threshold")
	m.ThresholdMetricID, _ = d.text("ThresholdMetricId")
	m.ComparisonOperator = alarm.ComparisonOperator(d.oneOf("ComparisonOperator", comparisonOperators...))
	if m.ComparisonOperator == "" {
		d.required("ComparisonOperator")
	}
	m.TreatMissingData = alarm.TreatMissingData(d.oneOf("TreatMissingData",
		string(alarm.Breaching), string(alarm.NotBreaching), string(alarm.Ignore), string(alarm.Missing)))
	m.EvaluateLowSampleCountPercentile = d.oneOf("EvaluateLowSampleCountPercentile", "evaluate", "ignore")
	if w := d.within("EvaluationWindow"); w != nil {
		w.evaluationWindow(m)
	}
	d.unsupported("EvaluationCriteria", "PromQL alarms are not supported")
	d.unsupported("EvaluationInterval", "PromQL alarms are not supported")
	return a
}

var comparisonOperators = []string{
	string(alarm.GreaterThanOrEqualToThreshold), string(alarm.GreaterThanThreshold),
	string(alarm.LessThanThreshold), string(alarm.LessThanOrEqualToThreshold),
	string(alarm.LessThanLowerOrGreaterThanUpperThreshold), string(alarm.LessThanLowerThreshold),
	string(alarm.GreaterThanUpperThreshold),
}

func (d *decoder) evaluationWindow(m *alarm.MetricAlarm) {
	sliding, wallClock := d.within("SlidingWindow"), d.within("WallClockWindow")
	if (sliding == nil) == (wallClock == nil) {
		d.fail(d.v.line, d.path, "must have one of SlidingWindow and WallClockWindow")
	}
	if sliding != nil {
		m.SlidingWindow = true
		sliding.done()
	}
	if wallClock != nil {
		zone, _ := wallClock.text("Timezone")
		m.WallClock = &alarm.WallClockWindow{Timezone: zone}
		wallClock.done("Timezone")
	}
	d.done("SlidingWindow", "WallClockWindow")
}

func (d *decoder) dimensions() []cloudwatch.Dimension {
	var dims []cloudwatch.Dimension
	d.each("Dimensions", func(d *decoder) {
		name, hasName := d.text("Name")
		text, hasValue := d.text("Value")
		d.done("Name", "Value")
		if !hasName {
			d.required("Name")
		}
		if !hasValue {
			d.required("Value")
		}
		dims = append(dims, cloudwatch.Dimension{Name: name, Value: text})
	})
	return dims
}

// query reads a MetricDataQuery.
func (d *decoder) query() alarm.Query {
	var q alarm.Query
	var given bool
	if q.ID, given = d.text("Id"); !given {
		d.required("Id")
	}
	q.Expression, _ = d.text("Expression")
	if label, given := d.text("Label"); given {
		q.Label = &label
	}
	q.Period = d.positive("Period")
	if b, given := d.boolean("ReturnData"); given {
		q.ReturnData = &b
	}
	q.AccountID, _ = d.text("AccountId")
	if stat := d.within("MetricStat"); stat != nil {
		q.Metric = stat.metricStat()
	}
	d.done("Id", "Expression", "Label", "Period", "ReturnData", "AccountId", "MetricStat")
	return q
}

func (d *decoder) metricStat() *alarm.MetricStat {
	m := &alarm.MetricStat{}
	if metric := d.within("Metric"); metric != nil {
		m.Namespace, _ = metric.text("Namespace")
		m.MetricName, _ = metric.text("MetricName")
		m.Dimensions = metric.dimensions()
		metric.done("Namespace", "MetricName", "Dimensions")
	} else {
		d.required("Metric")
	}
	m.Period = d.positive("Period")
	if m.Period == 0 {
		d.required("Period")
	}
	var given bool
	if m.Stat, given = d.text("Stat"); !given {
		d.required("Stat")
	}
	m.Unit = d.oneOf("Unit", cloudwatch.Units()...)
	d.done("Metric", "Period", "Stat", "Unit")
	return m
}

// compositeAlarm reads the properties of AWS::CloudWatch::CompositeAlarm.
func (d *decoder) compositeAlarm(name string) *alarm.Definition {
	a := d.common(name)
	c := &alarm.CompositeAlarm{}
	a.Composite = c
	var given bool
	if c.Rule, given = d.text("AlarmRule"); !given {
		d.required("AlarmRule")
	}
	c.ActionsSuppressor, _ = d.text("ActionsSuppressor")
	if n, given := d.integer("ActionsSuppressorWaitPeriod"); given {
		c.WaitPeriod = &n
	}
	if n, given := d.integer("ActionsSuppressorExtensionPeriod"); given {
		c.ExtensionPeriod = &n
	}
	return a
}
