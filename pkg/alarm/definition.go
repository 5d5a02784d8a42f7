// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import "github.com/nephoscope/nephoscope/pkg/cloudwatch"

// Definition is an alarm as its user wrote it. What was not given is the zero value, and stays absent when the alarm is
// described. Definitions are never changed after they were handed to an [Engine].
type Definition struct {
	Name string
	// Description is nil when none was given.
	Description *string
	// ActionsEnabled is true by default in every source of definitions.
	ActionsEnabled          bool
	AlarmActions            []string
	OKActions               []string
	InsufficientDataActions []string
	// Tags are those given when the alarm is created; a later Put ignores them.
	Tags []Tag

	// Exactly one of these is set.
	Metric    *MetricAlarm
	Composite *CompositeAlarm
}

// Tag is a key and value on an alarm.
type Tag struct{ Key, Value string }

// MetricAlarm is the part of a definition that a metric alarm has. It has either MetricName and what belongs to it, or
// Metrics.
type MetricAlarm struct {
	Namespace  string
	MetricName string
	// Dimensions are in the order in which they were given.
	Dimensions        []cloudwatch.Dimension
	Statistic         string
	ExtendedStatistic string
	Period            int32 // seconds
	Unit              string

	Metrics []Query

	EvaluationPeriods                int32
	DatapointsToAlarm                int32    // 0: not given
	Threshold                        *float64 // nil: not given
	ThresholdMetricID                string
	ComparisonOperator               ComparisonOperator
	TreatMissingData                 TreatMissingData // "": not given
	EvaluateLowSampleCountPercentile string           // "", evaluate or ignore
	// WallClock aligns the periods to the calendar of a time zone; nil is the sliding window.
	WallClock *WallClockWindow
	// SlidingWindow says that the sliding window was asked for by name.
	SlidingWindow bool
}

// WallClockWindow aligns an alarm's periods to a calendar.
type WallClockWindow struct {
	Timezone string // "" is UTC
}

// Query is one MetricDataQuery of an alarm: a metric or an expression.
type Query struct {
	ID         string
	Expression string
	Metric     *MetricStat
	Label      *string
	Period     int32 // of an expression; 0: not given
	ReturnData *bool
	AccountID  string
}

// MetricStat is a metric with a statistic and a period.
type MetricStat struct {
	Namespace  string
	MetricName string
	// Dimensions are in the order in which they were given.
	Dimensions []cloudwatch.Dimension
	Period     int32
	Stat       string
	Unit       string
}

// CompositeAlarm is the part of a definition that a composite alarm has.
type CompositeAlarm struct {
	Rule string
	// ActionsSuppressor is the name or ARN of an alarm, as it was given; "" for none.
	ActionsSuppressor string
	WaitPeriod        *int32 // seconds
	ExtensionPeriod   *int32 // seconds
}

// ComparisonOperator says how a value breaches.
type ComparisonOperator string

// The comparison operators. The last three are of anomaly-detection bands.
const (
	GreaterThanOrEqualToThreshold            ComparisonOperator = "GreaterThanOrEqualToThreshold"
	GreaterThanThreshold                     ComparisonOperator = "GreaterThanThreshold"
	LessThanThreshold                        ComparisonOperator = "LessThanThreshold"
	LessThanOrEqualToThreshold               ComparisonOperator = "LessThanOrEqualToThreshold"
	LessThanLowerOrGreaterThanUpperThreshold ComparisonOperator = "LessThanLowerOrGreaterThanUpperThreshold"
	LessThanLowerThreshold                   ComparisonOperator = "LessThanLowerThreshold"
	GreaterThanUpperThreshold                ComparisonOperator = "GreaterThanUpperThreshold"
)

// TreatMissingData says what a period without data counts as.
type TreatMissingData string

// The ways to treat missing data.
const (
	Missing      TreatMissingData = "missing"
	Ignore       TreatMissingData = "ignore"
	Breaching    TreatMissingData = "breaching"
	NotBreaching TreatMissingData = "notBreaching"
)

// Error is a definition or request that CloudWatch refuses, with its code and message.
type Error struct {
	// Code is the shape's name: ValidationError, InvalidParameterValue, ResourceNotFound, InvalidFormat, AccessDenied …
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Message }
