// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package metricstream reads and writes what CloudWatch metric streams deliver: one point per metric and minute, as lines of
// JSON or as OpenTelemetry 0.7 or 1.0 requests.
package metricstream

import (
	"errors"
	"fmt"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Format is an output format of a metric stream.
type Format string

// The formats, named as PutMetricStream names them.
const (
	FormatJSON   Format = "json"
	FormatOTel07 Format = "opentelemetry0.7"
	FormatOTel10 Format = "opentelemetry1.0"
)

// Formats are all of them.
func Formats() []Format { return []Format{FormatJSON, FormatOTel07, FormatOTel10} }

// Point is one metric over one minute.
type Point struct {
	Tenant cloudwatch.Tenant
	// Stream is the name of the metric stream; OpenTelemetry formats carry its ARN instead.
	Stream    string
	StreamARN string

	Metric cloudwatch.Metric
	Unit   string // CloudWatch's name
	// TimestampMs is when the minute begins, Unix milliseconds.
	TimestampMs int64
	cloudwatch.StatisticSet
	// Additional are the statistics beside the four, in the order in which they are written. OpenTelemetry formats carry percentiles only.
	Additional []Statistic
}

// Statistic is an additional statistic: p99 or TM(25%:75%).
type Statistic struct {
	Name  string
	Value float64
}

// Limits of what is read.
const (
	// MaxRecordBytes is the size of a Firehose record.
	MaxRecordBytes = 1_024_000
	// minuteMs is the length of a point's period.
	minuteMs = 60_000
)

// Error says what is wrong with a record.
type Error struct {
	// Point is the number of the point in the record, from 0.
	Point int
	Err   error
}

func (e *Error) Error() string { return fmt.Sprintf("point %d: %v", e.Point, e.Err) }

func (e *Error) Unwrap() error { return e.Err }

// Decode reads the points of one Firehose record. Strings are copied.
func Decode(f Format, data []byte) ([]Point, error) {
	switch f {
	case FormatJSON:
		return decodeJSON(data)
	case FormatOTel07, FormatOTel10:
		return decodeOTel(f, data)
	}
	return nil, fmt.Errorf("format %q is not one of %q", f, Formats())
}

// Append writes points to one Firehose record.
func Append(dst []byte, f Format, points []Point) ([]byte, error) {
	switch f {
	case FormatJSON:
		return appendJSON(dst, points)
	case FormatOTel07, FormatOTel10:
		return appendOTel(dst, f, points)
	}
	return dst, fmt.Errorf("format %q is not one of %q", f, Formats())
}

// check reports what CloudWatch would not have sent.
func (p *Point) check() error {
	switch {
	case !cloudwatch.ValidNamespace(p.Metric.Namespace, cloudwatch.CharsetUnicode):
		return fmt.Errorf("namespace %q is not valid", p.Metric.Namespace)
	case !cloudwatch.ValidMetricName(p.Metric.Name, cloudwatch.CharsetUnicode):
		return fmt.Errorf("metric name %q is not valid", p.Metric.Name)
	case len(p.Metric.Dimensions) > cloudwatch.MaxDimensions:
		return fmt.Errorf("%d dimensions, the limit is %d", len(p.Metric.Dimensions), cloudwatch.MaxDimensions)
	case cloudwatch.HasDuplicateDimension(p.Metric.Dimensions):
		return errors.New("a dimension occurs twice")
	case p.TimestampMs < 0:
		return fmt.Errorf("timestamp %d is before 1970", p.TimestampMs)
	case !cloudwatch.ValidUnit(p.Unit):
		return fmt.Errorf("unit %q is not one of CloudWatch's", p.Unit)
	}
	for _, v := range []float64{p.SampleCount, p.Sum, p.Minimum, p.Maximum} {
		if !cloudwatch.ValidValue(v) {
			return fmt.Errorf("value %g is not between -2^360 and 2^360", v)
		}
	}
	if p.SampleCount <= 0 || p.Minimum > p.Maximum {
		return fmt.Errorf("count %g, minimum %g and maximum %g do not go together", p.SampleCount, p.Minimum, p.Maximum)
	}
	return nil
}
