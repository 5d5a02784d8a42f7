// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"math"
	"time"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Input is a metric that an alarm reads.
type Input struct {
	Metric cloudwatch.Metric
	Stat   cloudwatch.Statistic
	Unit   string // "" for any
	Period int64  // seconds
	// Account is the account of the metric, "" for the alarm's own.
	Account string
}

// Rule is how one metric alarm is evaluated. It does not change and may be used by many goroutines at once.
type Rule struct {
	schedule schedule
	inputs   []Input

	// evaluationPeriods is N and datapoints M, which is N when it was not given.
	evaluationPeriods, datapoints int
	datapointsGiven               bool
	comparison                    comparison
	threshold                     float64
	missing                       TreatMissingData
	// samples are how many a period needs to count, 0 for any.
	samples float64

	// unit and statistic are shown by the reason data of scalar alarms.
	scalar          bool
	unit, statistic string

	// The series that is compared is that of an input, or one of these gives it.
	input      int
	expression *expression
	insights   *insightsQuery // over many time series
	band       *band
}

// NewRule prepares a metric alarm that [Validate] accepted. The error is an [Error].
func NewRule(m *MetricAlarm) (*Rule, error) {
	r := &Rule{
		evaluationPeriods: int(m.EvaluationPeriods), datapoints: int(m.DatapointsToAlarm), datapointsGiven: m.DatapointsToAlarm > 0,
		comparison: comparisons[m.ComparisonOperator], missing: m.TreatMissingData,
	}
	if !r.datapointsGiven {
		r.datapoints = r.evaluationPeriods
	}
	if m.Threshold != nil {
		r.threshold = *m.Threshold
	}
	if r.missing == "" {
		r.missing = defaultMissing(m)
	}
	location, err := m.location()
	if err != nil {
		return nil, err
	}
	if len(m.Metrics) > 0 {
		err = r.readQueries(m, location)
	} else {
		err = r.readMetric(m, location)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// location is that of a wall-clock window, nil for a sliding one.
func (m *MetricAlarm) location() (*time.Location, error) {
	if m.WallClock == nil {
		return nil, nil //nolint:nilnil // nil is a sliding window
	}
	location, ok := loadLocation(m.WallClock.Timezone)
	if !ok {
		return nil, validationError("The value %s for parameter Timezone is not supported.", m.WallClock.Timezone)
	}
	return location, nil
}

func (r *Rule) readMetric(m *MetricAlarm, location *time.Location) error {
	name := m.Statistic + m.ExtendedStatistic
	stat, ok := cloudwatch.ParseStatistic(name)
	if !ok {
		return &Error{Code: codeInvalidValue, Message: "The value " + name + " for parameter ExtendedStatistic is not supported."}
	}
	metric, err := cloudwatch.NewMetric(m.Namespace, m.MetricName, m.Dimensions)
	if err != nil {
		return validationError("%s", err.Error())
	}
	r.inputs = []Input{{Metric: metric, Stat: stat, Unit: m.Unit, Period: int64(m.Period)}}
	r.scalar, r.unit, r.statistic = true, m.Unit, name
	if p, ok := stat.Percentile(); ok && m.EvaluateLowSampleCountPercentile == lowSampleIgnore {
		r.samples = samplesOf(p)
	}
	r.schedule = newSchedule(int64(m.Period), int64(m.EvaluationPeriods), false, false, location)
	return nil
}

// samplesOf is how many samples make a percentile significant: ten beyond it, at the nearer end. The ends themselves are
// the minimum and the maximum, which any sample has.
func samplesOf(percentile float64) float64 {
	tail := min(percentile, 100-percentile)
	if tail <= 0 {
		return 0
	}
	// What decimal fractions lack in binary must not cost a sample.
	return math.Round(1000/tail*1e6) / 1e6
}

// defaultMissing is missing, but for alarms that read metrics of DynamoDB only: those ignore missing data unless they say
// otherwise.
func defaultMissing(m *MetricAlarm) TreatMissingData {
	const dynamo = "AWS/DynamoDB"
	if len(m.Metrics) == 0 {
		if m.Namespace == dynamo {
			return Ignore
		}
		return Missing
	}
	metrics := 0
	for i := range m.Metrics {
		if stat := m.Metrics[i].Metric; stat != nil {
			metrics++
			if stat.Namespace != dynamo {
				return Missing
			}
		}
	}
	if metrics == 0 {
		return Missing
	}
	return Ignore
}

// Inputs are the metrics that the alarm reads: of a scalar alarm one, else those of its Metrics in their order.
func (r *Rule) Inputs() []Input { return r.inputs }

// Interval is how often the alarm is evaluated.
func (r *Rule) Interval() time.Duration { return r.schedule.interval }

// MultiSeries is whether the alarm is over many time series, and has contributors.
func (r *Rule) MultiSeries() bool { return r.insights != nil }

// comparison is a comparison operator.
type comparison int

const (
	greaterOrEqual comparison = iota + 1
	greater
	less
	lessOrEqual
	outside
	below
	above
)

var comparisons = map[ComparisonOperator]comparison{
	GreaterThanOrEqualToThreshold:            greaterOrEqual,
	GreaterThanThreshold:                     greater,
	LessThanThreshold:                        less,
	LessThanOrEqualToThreshold:               lessOrEqual,
	LessThanLowerOrGreaterThanUpperThreshold: outside,
	LessThanLowerThreshold:                   below,
	GreaterThanUpperThreshold:                above,
}

// ofBand is whether the operator compares with a band.
func (c comparison) ofBand() bool { return c >= outside }
