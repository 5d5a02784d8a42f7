// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"regexp"

	"github.com/nephoscope/nephoscope/pkg/metricmath"
)

// What CloudWatch says of the queries that return data.
const (
	oneReturns   = "Exactly one element of the metrics list should return data."
	twoReturn    = "Exactly two elements of the metrics list should return data."
	oneThreshold = "Metrics list must contain exactly one metric matching the ThresholdMetricId parameter"
)

var queryID = regexp.MustCompile("^[a-z][a-zA-Z0-9_]*$")

// validateQueries checks the list of Metrics. What its expressions mean is seen when they are compiled.
func validateQueries(m *MetricAlarm) error {
	for _, p := range []struct {
		name  string
		given bool
	}{
		{"MetricName", m.MetricName != ""},
		{"Namespace", m.Namespace != ""},
		{"Dimensions", len(m.Dimensions) > 0},
		{"Statistic", m.Statistic != ""},
		{"ExtendedStatistic", m.ExtendedStatistic != ""},
		{"Period", m.Period != 0},
		{"Unit", m.Unit != ""},
	} {
		if p.given {
			return validationError("%s should not be set if list of Metrics is set.", p.name)
		}
	}
	if err := validateCounts(m); err != nil {
		return err
	}
	ids := make(map[string]bool, len(m.Metrics))
	for i := range m.Metrics {
		q := &m.Metrics[i]
		if err := validateQuery(i, q); err != nil {
			return err
		}
		if ids[q.ID] {
			return validationError("The values for parameter id in Metrics are not unique.")
		}
		ids[q.ID] = true
	}
	if err := validatePeriods(m); err != nil {
		return err
	}
	return validateReturned(m)
}

func validateCounts(m *MetricAlarm) error {
	metrics, expressions := 0, 0
	for i := range m.Metrics {
		if m.Metrics[i].Metric != nil {
			metrics++
		}
		if m.Metrics[i].Expression != "" {
			expressions++
		}
	}
	switch {
	case metrics > maxMetricStats:
		return validationError("Too many metrics in alarm, maximum is %d", maxMetricStats)
	case expressions > maxExpressions:
		return validationError("Too many expressions in alarm, maximum is %d", maxExpressions)
	case m.ThresholdMetricID != "" && len(m.Metrics) > 10:
		return validationError("Too many metrics in alarm, maximum is 10")
	}
	return nil
}

func validateQuery(i int, q *Query) error {
	switch {
	case !queryID.MatchString(q.ID):
		return validationError("The value for parameter Metrics.member.%d.Id is not matching the expected pattern %s.", i+1, queryID)
	case q.Metric != nil && q.Expression != "":
		return validationError(
			"The parameters MetricDataQuery Expression and MetricStat are mutually exclusive and you have specified both.")
	case q.Metric == nil && q.Expression == "":
		return validationError("Period must not be null")
	case q.Metric == nil:
		if q.AccountID != "" {
			return validationError("The parameter Metrics.member.%d.AccountId is for MetricStat: "+
				"expressions are of the alarm's account.", i+1)
		}
		return nil
	case q.Period != 0:
		return validationError("The parameter Metrics.member.%[1]d.Period is for expressions: "+
			"set Metrics.member.%[1]d.MetricStat.Period.", i+1)
	case q.Metric.Namespace == "":
		return validationError("The parameter Metrics.member.%d.MetricStat.Metric.Namespace is required.", i+1)
	case q.Metric.MetricName == "":
		return validationError("The parameter Metrics.member.%d.MetricStat.Metric.MetricName is required.", i+1)
	}
	return validateIdentity(q.Metric.Namespace, q.Metric.Dimensions)
}

// period is that of a query, 0 for an expression without one.
func (q *Query) period() int32 {
	if q.Metric != nil {
		return q.Metric.Period
	}
	return q.Period
}

func validatePeriods(m *MetricAlarm) error {
	var common int32
	insights := false
	for i := range m.Metrics {
		q := &m.Metrics[i]
		insights = insights || q.Metric == nil && metricmath.IsMetricsInsights(q.Expression)
		p := q.period()
		switch {
		case p == 0:
			continue
		case common == 0:
			common = p
		case common != p:
			return validationError("All metrics of an alarm must have the same Period, not %d and %d", common, p)
		}
	}
	if common == 0 {
		return validationError("Period must not be null")
	}
	period, evaluationPeriods := int64(common), int64(m.EvaluationPeriods)
	if insights {
		if m.WallClock != nil {
			evaluationPeriods++ // the newest period may have just begun
		}
		switch {
		case period < minute:
			return validationError("MetricsInsights monitors do not support less than 60 seconds period")
		case period%minute == 0 && period*evaluationPeriods > insightsRange:
			return validationError("MetricsInsights monitors cannot be checked across more than 3 hours")
		}
	}
	if err := validatePeriod(period, int64(m.EvaluationPeriods)); err != nil {
		return err
	}
	if m.ThresholdMetricID != "" && (period < minute || period > hour) {
		return validationError("Anomaly detection alarms support periods from 60 to 3600 seconds, not %d", period)
	}
	return nil
}

// validateReturned checks how many queries return data: one or, with a band, the band and what is compared with it. Templates
// that leave one of the two out are taken.
func validateReturned(m *MetricAlarm) error {
	others, bands, bandReturns := 0, 0, false
	for i := range m.Metrics {
		q := &m.Metrics[i]
		switch {
		case m.ThresholdMetricID != "" && q.ID == m.ThresholdMetricID:
			if _, _, ok := parseBand(q.Expression); !ok {
				return bandError(q.ID)
			}
			bands, bandReturns = bands+1, returnsData(q)
		case returnsData(q):
			others++
		}
	}
	switch {
	case m.ThresholdMetricID == "":
		if others != 1 {
			return validationError("%s", oneReturns)
		}
		return nil
	case bands != 1:
		return validationError("%s", oneThreshold)
	case others > 1, others == 0 && !bandReturns:
		return validationError("%s", twoReturn)
	}
	for i := range m.Metrics {
		if namesMetrics(m.Metrics[i].Expression) {
			return validationError("METRICS is not supported on anomaly detection alarms.")
		}
	}
	return nil
}
