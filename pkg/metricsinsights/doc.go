// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package metricsinsights is CloudWatch Metrics Insights: SQL that aggregates one metric over all the dimensions that it
// is published with.
//
//	SELECT AVG(CPUUtilization) FROM SCHEMA("AWS/EC2", InstanceId) WHERE AvailabilityZone != 'a' GROUP BY InstanceId ORDER BY MAX() DESC LIMIT 10
//
// A query is parsed ([Parse]) and run ([Query.Run]) over any [cloudwatch.MetricReader]. The package reads no clock: a run
// is given its time.
//
// Statistics merge with their weights: AVG is the sum of all samples by their number, not the mean of means, and units do
// not matter.
//
// Where CloudWatch's documentation is silent, this is decided:
//
//   - Groups without a data point in the window are left out. A query without GROUP BY has one group, with points or
//     without.
//   - A metric without the dimension that is grouped by is in the group Other, as one whose value is Other.
//   - What is older than two weeks is not read; [Result.Shortened] says so.
//   - Resource tags are not known here. A query that names one is refused.
package metricsinsights
