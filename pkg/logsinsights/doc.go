// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package logsinsights is the query language of CloudWatch Logs Insights: parse, check, plan, run.
//
//	q, err := logsinsights.Parse(query)         // *SyntaxError with positions in characters
//	plan, err := logsinsights.Compile(q, opts)  // names, functions and their arguments are checked
//	res, err := plan.Run(ctx, logs, selection)  // rows of names and texts, as GetQueryResults gives them
//
// # Where a query runs
//
// A plan gives to the store what its SQL can say exactly: conditions, the limit, the order by time, and everything up
// to the first stats command. What SQL cannot say runs in Go over the events that the store returns. A condition that
// SQL can say in part only narrows what is returned, and Go decides. Texts that every wanted message must contain go
// into the selection, where the store rules out whole chunks of events by them. [Plan.Explain] tells the parts apart.
// Both ways give the same rows: package difftest compares them.
//
// # Fields
//
// A message that is one JSON value has the leaves of its objects and arrays as fields, named by their path: a.b.0.c. A
// dot may also be part of a key; of several leaves with one name, the one with the shortest keys counts. Of equal
// keys in one object the first one counts. A key at the top that begins with @ is shown with another @. Null, NaN and
// infinities are missing. A query may name any leaf; only [DiscoverFields] stops at 200. Lines of Lambda functions
// (groups below /aws/lambda/) have @requestId, @type, @duration and so on, and the fields of the first JSON object in
// them. VPC flow logs of version 2 and the query logs of Route 53 are told by their shape.
//
// # Values
//
// A value is a number, a text, a boolean, a time, or a map or list from jsonParse. A text that spells a decimal number
// is taken for one where a number is wanted, also by =, in and sort. Whole numbers of more than 15 digits are equal
// when their digits are. Booleans print as 1 and 0 and are equal to 1, 0, true, false, "true" and "false".
//
// A comparison with a missing value is false, also !=; not like and not in are true for it. A number and a text that
// is none have no order, texts compare by bytes. Arithmetic with something that is no number is missing, so is a
// division by zero. Numbers of JSON print with all their digits, computed ones with four decimals at most.
//
// # Choices where the documentation is silent
//
// Without sort, events come newest first, groups by time newest first and by other keys in natural order. Events of one
// millisecond are in the order of their arrival. sort is ascending unless it says otherwise. fields behind stats
// narrow its columns. Fields of parse and unnest are appended to the columns unless display says what to show. Groups
// with a missing key are groups, without that cell. pct interpolates between the closest ranks, stddev and
// variance are of the population, earliest and latest are of the events that have the field. Weeks begin on Monday.
//
// # Not supported
//
// These commands are errors that name them: addtotals, anomaly, appendcols, autoregress, cidrlookup, countFrequent, diff,
// estimate, expand, filldown, fillmissing, filterIndex, head, join, json, logcompare, lookup, outlier, pattern,
// relevantfields, search, sessionize, tail, unmask; so are limit any, parse with logfmt, csv or multi, stats with
// offset, subqueries behind in, dataSource and logGroupTags of SOURCE, the functions topk, rate, countOverTime,
// sumOverTime and histogram, and the third argument of strcontains.
package logsinsights
