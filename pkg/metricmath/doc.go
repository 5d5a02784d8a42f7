// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package metricmath is CloudWatch's metric math: expressions over time series.
//
// An expression is parsed ([Parse]), compiled with the other expressions of its request ([Compile]: names, types,
// order of evaluation) and evaluated over the series that the caller read ([Program.Evaluate]). The package reads
// no clock and no store: windows, series and searches come from the caller.
//
// A time series is sparse: a slot without a point is missing. Arithmetic between two series takes the union of their
// timestamps and counts what is missing as 0; a result that is not a finite number is a missing point. A scalar that is
// not finite leaves no points of what it is combined with.
//
// Where CloudWatch's documentation is silent, this is decided:
//
//   - -a^b is -(a^b), a^b^c is a^(b^c), and comparisons group to the left.
//   - AVG and STDDEV of one series divide by the slots of the window, missing ones counting as 0; AVG and STDDEV of an
//     array divide by its members. MIN and MAX of a series without points are not defined.
//   - FILL fills the slots of the series' own period, also of a series without points.
//   - SORT puts series without points last for MIN and MAX, in either order.
//   - FIRST and LAST of an empty array are a series without points.
//   - The members of an anomaly detection band are labelled as what it is of, with (upper) and (lower) behind it.
package metricmath

// Limits of an expression.
const (
	// MaxLength is the characters that an expression may have.
	MaxLength = 2048
	// MaxNesting is how deep parentheses, functions, arrays and signs may nest.
	MaxNesting = 100
	// MaxSearches is how many SEARCH functions the expressions of one request may have.
	MaxSearches = 100
)
