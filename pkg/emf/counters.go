// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package emf

import "github.com/nephoscope/nephoscope/pkg/cloudwatch"

// CloudWatch Logs counts faulty documents in metrics of its own.
const (
	countersNamespace  = "AWS/Logs"
	counterParsing     = "EMFParsingErrors"
	counterValidation  = "EMFValidationErrors"
	counterGroup       = "LogGroupName"
	countersResolution = 60
)

// AppendErrorCounters appends what CloudWatch Logs publishes of faulty documents in a log group: EMFParsingErrors and
// EMFValidationErrors in AWS/Logs. What did not occur makes no datum.
func AppendErrorCounters(dst []cloudwatch.Datum, group string, parsing, validation, timestampMs int64) []cloudwatch.Datum {
	for _, c := range [...]struct {
		name string
		n    int64
	}{{counterParsing, parsing}, {counterValidation, validation}} {
		if c.n == 0 {
			continue
		}
		dst = append(dst, cloudwatch.Datum{
			Metric: cloudwatch.Metric{
				Namespace: countersNamespace, Name: c.name,
				Dimensions: []cloudwatch.Dimension{{Name: counterGroup, Value: group}},
			},
			TimestampMs: timestampMs, Unit: cloudwatch.UnitNone, StorageResolution: countersResolution, Value: float64(c.n),
		})
	}
	return dst
}
