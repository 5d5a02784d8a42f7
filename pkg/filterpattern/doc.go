// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package filterpattern is the language of CloudWatch Logs filter patterns: those of metric filters, subscription
// filters, FilterLogEvents and Live Tail. It is not the language of Logs Insights.
//
// [Compile] reads a pattern once; a [Pattern] tests messages. A pattern is one of five dialects, told by its first
// character:
//
//	(blank)        every message
//	{ $.a = 1 }    JSON: messages that are one JSON object for which the expression is true
//	[a, b > 5]     columns: messages cut at blanks, "quotes" and [brackets]
//	%regex%        messages in which the regular expression matches
//	a -b "c d"     terms: messages that contain texts, and do not contain others
//
// Everything is case-sensitive. What the language does not have is an error that names it.
package filterpattern
