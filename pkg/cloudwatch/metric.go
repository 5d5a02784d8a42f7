// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package cloudwatch holds the domain of CloudWatch metrics: identity, units, statistics, distributions and
// periods, and their translation to and from OpenTelemetry metrics.
package cloudwatch

// Dimension is one name/value pair of a metric's identity.
type Dimension struct {
	Name, Value string
}

// DimensionFilter selects metrics that have the dimension, with the value when HasValue.
type DimensionFilter struct {
	Name, Value string
	HasValue    bool
}

// Metric is the identity of a metric within an account and region. Unit and storage resolution are not part of
// it: they belong to data points.
type Metric struct {
	Namespace string
	Name      string
	// Dimensions are sorted by name, and no name occurs twice.
	Dimensions []Dimension
}

// StatisticSet is the four numbers that CloudWatch keeps of every period.
type StatisticSet struct {
	SampleCount, Sum, Minimum, Maximum float64
}

// Datum is one MetricDatum: a metric and what was measured of it at one time. Exactly one of the three forms is
// set: Value when neither Values nor Statistics is, else that one.
type Datum struct {
	Metric
	// TimestampMs is Unix milliseconds, as it was published (not yet floored to the resolution).
	TimestampMs int64
	Unit        string // a CloudWatch unit; "None" when none was given
	// StorageResolution is 1 or 60 seconds.
	StorageResolution int32

	Value float64
	// Values are distinct, Counts go with them and are never nil when Values is not.
	Values, Counts []float64
	Statistics     *StatisticSet
}
