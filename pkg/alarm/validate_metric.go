// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"math"
	"slices"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Limits of a metric alarm.
const (
	maxDimensions      = 30
	maxDimensionValue  = 1024
	maxTimezoneLength  = 50
	maxMetricStats     = 10
	maxExpressions     = 10
	maxExpressionText  = 2048
	maxQueryLabel      = 1024
	lowSampleEvaluate  = "evaluate"
	lowSampleIgnore    = "ignore"
	namespacePattern   = "[^:].*"
	maxNamespaceLength = 255
)

var (
	statistics = []string{"Maximum", "SampleCount", "Sum", "Minimum", "Average"}
	operators  = []string{
		string(GreaterThanOrEqualToThreshold), string(GreaterThanThreshold), string(LessThanThreshold),
		string(LessThanOrEqualToThreshold), string(LessThanLowerOrGreaterThanUpperThreshold), string(LessThanLowerThreshold),
		string(GreaterThanUpperThreshold),
	}
)

// metricAlarm checks each parameter for itself. What is the zero value was not given.
func (c *constraints) metricAlarm(m *MetricAlarm) {
	c.metric("", m.Namespace, m.MetricName, m.Dimensions)
	if m.Statistic != "" {
		c.enum("statistic", m.Statistic, statistics)
	}
	if m.Period != 0 {
		c.positive("period", m.Period)
	}
	c.unit("unit", m.Unit)
	c.positive("evaluationPeriods", m.EvaluationPeriods)
	if m.DatapointsToAlarm != 0 {
		c.positive("datapointsToAlarm", m.DatapointsToAlarm)
	}
	c.required("comparisonOperator", m.ComparisonOperator != "")
	if m.ComparisonOperator != "" {
		c.enum("comparisonOperator", string(m.ComparisonOperator), operators)
	}
	c.optional("treatMissingData", string(m.TreatMissingData), maxNameLength)
	c.optional("evaluateLowSampleCountPercentile", m.EvaluateLowSampleCountPercentile, maxNameLength)
	c.optional("thresholdMetricId", m.ThresholdMetricID, maxNameLength)
	if m.WallClock != nil {
		c.optional("evaluationWindow.wallClockWindow.timezone", m.WallClock.Timezone, maxTimezoneLength)
	}
	for i := range m.Metrics {
		c.query(element("metrics", i), &m.Metrics[i])
	}
}

func (c *constraints) optional(path, s string, highest int) {
	if s != "" {
		c.length(path, s, 1, highest)
	}
}

func (c *constraints) unit(path, unit string) {
	if unit != "" {
		c.enum(path, unit, cloudwatch.Units())
	}
}

func (c *constraints) metric(path, namespace, name string, dimensions []cloudwatch.Dimension) {
	c.optional(path+"metricName", name, maxNameLength)
	if namespace != "" {
		c.length(path+"namespace", namespace, 1, maxNamespaceLength)
		c.pattern(path+"namespace", namespace, namespacePattern, namespace[0] != ':')
	}
	if len(dimensions) > maxDimensions {
		names := make([]string, len(dimensions))
		for i := range dimensions {
			names[i] = dimensions[i].Name
		}
		c.atMost(path+"dimensions", shownList(names), len(dimensions), maxDimensions)
	}
	for i, d := range dimensions {
		at := element(path+"dimensions", i)
		c.length(at+".name", d.Name, 1, maxNameLength)
		c.length(at+".value", d.Value, 1, maxDimensionValue)
	}
}

func (c *constraints) query(path string, q *Query) {
	c.length(path+".id", q.ID, 1, maxNameLength)
	c.optional(path+".expression", q.Expression, maxExpressionText)
	if q.Label != nil {
		c.length(path+".label", *q.Label, 0, maxQueryLabel)
	}
	if q.Period != 0 {
		c.positive(path+".period", q.Period)
	}
	c.optional(path+".accountId", q.AccountID, maxNameLength)
	if s := q.Metric; s != nil {
		path += ".metricStat."
		c.metric(path+"metric.", s.Namespace, s.MetricName, s.Dimensions)
		c.positive(path+"period", s.Period)
		c.required(path+"stat", s.Stat != "")
		c.unit(path+"unit", s.Unit)
	}
}

// validateMetric checks how the parameters go together.
func validateMetric(d *Definition) error {
	m := d.Metric
	for _, check := range []func(*MetricAlarm) error{
		validateShape, validateThreshold, validateDatapoints, validateMissing, validateLowSamples, validateWindow,
	} {
		if err := check(m); err != nil {
			return err
		}
	}
	rule, err := NewRule(m)
	switch {
	case err != nil:
		return err
	case rule.band != nil && d.acts(serviceAutoScaling):
		return validationError("autoscaling actions not supported when ThresholdMetricId is set")
	case rule.MultiSeries():
		return validateContributorActions(d)
	}
	return nil
}

// validateShape checks that the alarm has either a metric or a list of Metrics.
func validateShape(m *MetricAlarm) error {
	if len(m.Metrics) > 0 {
		return validateQueries(m)
	}
	switch {
	case m.MetricName == "":
		return validationError("PutMetricAlarm request should have either a MetricName or a list of Metrics")
	case m.Namespace == "":
		return validationError("PutMetricAlarm request should have a Namespace parameter")
	case m.Statistic != "" && m.ExtendedStatistic != "":
		return validationError("PutMetricAlarm request can not be made with both Statistic and ExtendedStatistic parameters. " +
			"Only one of them should be present")
	case m.Statistic == "" && m.ExtendedStatistic == "":
		return validationError("PutMetricAlarm request should have a Statistic parameter")
	case m.Period == 0:
		return validationError("PutMetricAlarm request should have a Period parameter")
	}
	if m.ExtendedStatistic != "" {
		if _, ok := cloudwatch.ParseStatistic(m.ExtendedStatistic); !ok || slices.Contains(statistics, m.ExtendedStatistic) {
			return &Error{
				Code:    codeInvalidValue,
				Message: "The value " + m.ExtendedStatistic + " for parameter ExtendedStatistic is not supported.",
			}
		}
	}
	if err := validateIdentity(m.Namespace, m.Dimensions); err != nil {
		return err
	}
	return validatePeriod(int64(m.Period), int64(m.EvaluationPeriods))
}

func validateIdentity(namespace string, dimensions []cloudwatch.Dimension) error {
	for i := range len(namespace) {
		if namespace[i] >= 0x80 {
			return validationError("Namespace must not contain Non-ASCII characters.")
		}
	}
	if cloudwatch.HasDuplicateDimension(sortedDimensions(dimensions)) {
		return validationError("No metric may specify the same dimension name twice")
	}
	return nil
}

func sortedDimensions(dimensions []cloudwatch.Dimension) []cloudwatch.Dimension {
	sorted := slices.Clone(dimensions)
	cloudwatch.SortDimensions(sorted)
	return sorted
}

func validatePeriod(period, evaluationPeriods int64) error {
	switch total := period * evaluationPeriods; {
	case period != 10 && period != 20 && period != 30 && (period <= 0 || period%minute != 0):
		return validationError("Period must be 10, 20, 30 or a multiple of 60")
	case period < hour && total > day:
		return validationError("Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400) " +
			"for alarms using period < 3600")
	case total > week:
		return validationError("Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800) " +
			"for alarms using period >= 3600")
	}
	return nil
}

func validateThreshold(m *MetricAlarm) error {
	band := comparisons[m.ComparisonOperator].ofBand()
	switch {
	case band && m.ThresholdMetricID == "":
		return validationError("ComparisonOperators for ranges require ThresholdMetricId to be set")
	case !band && m.ThresholdMetricID != "":
		return validationError("ComparisonOperator %s can not be used when ThresholdMetricId is set", m.ComparisonOperator)
	case band && m.Threshold != nil:
		return validationError("Threshold should not be set if ThresholdMetricId is set.")
	case !band && (m.Threshold == nil || math.IsNaN(*m.Threshold) || math.IsInf(*m.Threshold, 0)):
		return validationError("PutMetricAlarm request should have valid Threshold parameter")
	case band && len(m.Metrics) == 0:
		return validationError("%s", oneThreshold)
	}
	return nil
}

func validateDatapoints(m *MetricAlarm) error {
	if m.DatapointsToAlarm > m.EvaluationPeriods {
		return validationError("DatapointsToAlarm must be less than or equal to EvaluationPeriods")
	}
	return nil
}

func validateMissing(m *MetricAlarm) error {
	switch m.TreatMissingData {
	case "", Breaching, NotBreaching, Ignore, Missing:
		return nil
	}
	return validationError("The value %s is not supported for TreatMissingData parameter. "+
		"Supported values are [breaching, notBreaching, ignore, missing].", m.TreatMissingData)
}

func validateLowSamples(m *MetricAlarm) error {
	switch m.EvaluateLowSampleCountPercentile {
	case "":
		return nil
	case lowSampleEvaluate, lowSampleIgnore:
	default:
		return validationError("Option %s is not supported. "+
			"Supported options for parameter EvaluateLowSampleCountPercentile are evaluate and ignore.",
			m.EvaluateLowSampleCountPercentile)
	}
	if len(m.Metrics) > 0 {
		return validationError("EvaluateLowSampleCountPercentile should not be set if list of Metrics is set.")
	}
	stat, _ := cloudwatch.ParseStatistic(m.Statistic + m.ExtendedStatistic)
	if _, ok := stat.Percentile(); !ok {
		return validationError("Option evaluateLowSampleCountPercentile can not be applied with statistic %s. "+
			"This option is enabled only for percentile statistics.", stat.String())
	}
	return nil
}

func validateWindow(m *MetricAlarm) error {
	if m.WallClock == nil {
		return nil
	}
	if m.SlidingWindow {
		return validationError("EvaluationWindow must be either a SlidingWindow or a WallClockWindow")
	}
	periods := []int32{m.Period}
	if len(m.Metrics) > 0 {
		periods = periods[:0]
		for i := range m.Metrics {
			if p := m.Metrics[i].period(); p != 0 {
				periods = append(periods, p)
			}
		}
	}
	for _, p := range periods {
		if !wallClockPeriod(int64(p)) {
			return validationError("Period must be 60, 300, 3600, 86400 or 604800 for alarms with a WallClockWindow")
		}
	}
	_, err := m.location()
	return err
}
