// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package metricmath is CloudWatch's metric math: expressions over time series.
//
// An expression is parsed ([Parse]), compiled with the other expressions of its request ([Compile]: names, types,
// order of evaluation) and evaluated over the series that the caller read ([Program.Evaluate]). The package reads
// no clock and no store: windows, series and searches come from the caller.
//
// A time series is sparse: a slot without a point is missing. Arithmetic between two series takes the union of their
// timestamps and counts what is missing as 0; a result that is not a finite number is a missing point.
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
