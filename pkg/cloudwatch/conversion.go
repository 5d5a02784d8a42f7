// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Reason says why a data point was dropped or changed in conversion.
type Reason string

// Reasons for which a data point is dropped.
const (
	ReasonNoRecordedValue     Reason = "no_recorded_value"      // the point says that there was no value
	ReasonNotFinite           Reason = "not_finite"             // NaN or an infinity
	ReasonOutOfRange          Reason = "out_of_range"           // beyond ±2^360
	ReasonInvalidNamespace    Reason = "invalid_namespace"      // see ValidNamespace
	ReasonInvalidName         Reason = "invalid_name"           // see ValidMetricName
	ReasonInvalidDimension    Reason = "invalid_dimension"      // see ValidDimensionName and ValidDimensionValue
	ReasonTooManyDimensions   Reason = "too_many_dimensions"    // more than MaxDimensions
	ReasonInvalidResolution   Reason = "invalid_resolution"     // the scope's storage resolution is not 1 or 60
	ReasonFirstPoint          Reason = "first_point"            // a cumulative series' first point has no predecessor
	ReasonOutOfOrder          Reason = "out_of_order"           // a cumulative point that is not newer than its predecessor
	ReasonNoTemporality       Reason = "no_temporality"         // neither delta nor cumulative
	ReasonInvalidHistogram    Reason = "invalid_histogram"      // bounds, counts, minimum and maximum contradict each other
	ReasonInvalidSummary      Reason = "invalid_summary"        // quantile 0 is above quantile 1
	ReasonChangedHistogram    Reason = "changed_histogram"      // a cumulative histogram with other bounds than before
	ReasonNoSum               Reason = "no_sum"                 // neither buckets nor a sum
	ReasonNoType              Reason = "no_type"                // a metric of no or an unknown type
	ReasonTimestampOutOfRange Reason = "timestamp_out_of_range" // older than two weeks or more than two hours ahead
)

// Reasons for which a data point is kept with a change.
const (
	ReasonUnknownUnit     Reason = "unknown_unit"     // CloudWatch has no such unit; None is used
	ReasonEmptyAttribute  Reason = "empty_attribute"  // an attribute with an empty value is no dimension
	ReasonEstimatedBounds Reason = "estimated_bounds" // minimum and maximum were not given
	ReasonInconsistentSum Reason = "inconsistent_sum" // the sum is not possible with the buckets; the buckets count
)

// ConversionError says how many data points of a call were dropped and why. The other points were converted.
type ConversionError struct {
	// Dropped counts data points that were not converted.
	Dropped map[Reason]int64
	// Adjusted counts data points that were converted with a change.
	Adjusted map[Reason]int64
}

func (e *ConversionError) Error() string {
	var b strings.Builder
	b.WriteString("data points dropped:")
	for _, r := range slices.Sorted(maps.Keys(e.Dropped)) {
		fmt.Fprintf(&b, " %s=%d", r, e.Dropped[r])
	}
	return b.String()
}

// DroppedPoints is the number of data points that were not converted.
func (e *ConversionError) DroppedPoints() int64 {
	var n int64
	for _, c := range e.Dropped {
		n += c
	}
	return n
}

// Stats is what a [Converter] has done since it was made, and what it holds.
type Stats struct {
	Converted         int64 // data made
	Dropped, Adjusted map[Reason]int64
	Series            int   // cumulative series that are remembered
	EvictedSeries     int64 // forgotten because there were more than MaxSeries
	ExpiredSeries     int64 // forgotten because nothing came for SeriesTTL
}

type reasonCounts map[Reason]int64

func (c *reasonCounts) add(r Reason, n int64) {
	if *c == nil {
		*c = make(reasonCounts)
	}
	(*c)[r] += n
}

func (c *reasonCounts) addAll(other reasonCounts) {
	for r, n := range other {
		c.add(r, n)
	}
}
