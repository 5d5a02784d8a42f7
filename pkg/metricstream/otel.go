// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricstream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// The fields of OpenTelemetry's messages that metric streams use. Version 0.7 has the same numbers, but labels, which are pairs of
// strings, in place of a data point's attributes.
const (
	fieldResourceMetrics  = 1  // ExportMetricsServiceRequest
	fieldResource         = 1  // ResourceMetrics
	fieldScopeMetrics     = 2  // ResourceMetrics
	fieldAttributes       = 1  // Resource
	fieldMetrics          = 2  // ScopeMetrics
	fieldMetricName       = 1  // Metric
	fieldMetricUnit       = 3  // Metric
	fieldMetricSummary    = 11 // Metric
	fieldDataPoints       = 1  // Summary
	fieldPointLabels      = 1  // SummaryDataPoint of 0.7
	fieldPointStart       = 2  // SummaryDataPoint
	fieldPointTime        = 3
	fieldPointCount       = 4
	fieldPointSum         = 5
	fieldPointQuantiles   = 6
	fieldPointAttributes  = 7 // of 1.0
	fieldKey, fieldValue  = 1, 2
	fieldQuantile         = 1 // ValueAtQuantile
	fieldQuantileValue    = 2
	fieldAnyString        = 1 // AnyValue
	fieldAnyList          = 6
	fieldListValues       = 1 // KeyValueList
	metricNamePrefix      = "amazonaws.com/"
	attributeAccount      = "cloud.account.id"
	attributeRegion       = "cloud.region"
	attributeProvider     = "cloud.provider"
	attributeStream       = "aws.exporter.arn"
	attributeNamespace    = "Namespace"
	attributeMetricName   = "MetricName"
	attributeDimensions   = "Dimensions"
	maxOTelPointsPerBatch = 100_000
)

// appendOTel writes requests, each with its length before it: one for each run of points of one account, region and stream.
func appendOTel(dst []byte, f Format, points []Point) ([]byte, error) {
	for i := 0; i < len(points); {
		first := &points[i]
		var scope []byte
		for ; i < len(points); i++ {
			p := &points[i]
			if p.Tenant != first.Tenant || p.StreamARN != first.StreamARN {
				break
			}
			if err := p.check(); err != nil {
				return dst, &Error{Point: i, Err: err}
			}
			if p.SampleCount != math.Trunc(p.SampleCount) || p.SampleCount >= 1<<64 {
				return dst, &Error{Point: i, Err: fmt.Errorf("%s counts whole samples, not %g", f, p.SampleCount)}
			}
			scope = protowire.AppendTag(scope, fieldMetrics, protowire.BytesType)
			scope = protowire.AppendBytes(scope, appendMetric(nil, f, p))
		}
		var resource []byte
		for _, a := range [][2]string{
			{attributeProvider, "aws"}, {attributeAccount, first.Tenant.Account}, {attributeRegion, first.Tenant.Region}, {attributeStream, first.StreamARN},
		} {
			resource = protowire.AppendTag(resource, fieldAttributes, protowire.BytesType)
			resource = protowire.AppendBytes(resource, attributeMessage(a[0], anyString(a[1])))
		}
		metrics := appendMessage(nil, fieldResource, resource)
		metrics = appendMessage(metrics, fieldScopeMetrics, scope)
		request := appendMessage(nil, fieldResourceMetrics, metrics)
		dst = binary.AppendUvarint(dst, uint64(len(request)))
		dst = append(dst, request...)
	}
	return dst, nil
}

func appendMessage(dst []byte, field protowire.Number, message []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(dst, field, protowire.BytesType), message)
}

func appendText(dst []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(dst, field, protowire.BytesType), s)
}

func appendFixed(dst []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(dst, field, protowire.Fixed64Type), v)
}

func anyString(s string) []byte { return appendText(nil, fieldAnyString, s) }

func attributeMessage(key string, value []byte) []byte {
	return appendMessage(appendText(nil, fieldKey, key), fieldValue, value)
}

func appendMetric(dst []byte, f Format, p *Point) []byte {
	unit, _ := cloudwatch.UCUM(p.Unit)
	if unit == "" {
		unit = "1"
	}
	dst = appendText(dst, fieldMetricName, metricNamePrefix+p.Metric.Namespace+"/"+p.Metric.Name)
	dst = appendText(dst, fieldMetricUnit, unit)
	var point []byte
	if f == FormatOTel07 {
		label := func(key, value string) {
			point = appendMessage(point, fieldPointLabels, appendText(appendText(nil, fieldKey, key), fieldValue, value))
		}
		label(attributeNamespace, p.Metric.Namespace)
		label(attributeMetricName, p.Metric.Name)
		for _, d := range p.Metric.Dimensions {
			label(d.Name, d.Value)
		}
	}
	point = appendFixed(point, fieldPointStart, uint64(p.TimestampMs)*1_000_000)
	point = appendFixed(point, fieldPointTime, uint64(p.TimestampMs+minuteMs)*1_000_000)
	point = appendFixed(point, fieldPointCount, uint64(p.SampleCount))
	point = appendFixed(point, fieldPointSum, math.Float64bits(p.Sum))
	for _, q := range p.quantiles() {
		v := appendFixed(nil, fieldQuantile, math.Float64bits(q.q))
		point = appendMessage(point, fieldPointQuantiles, appendFixed(v, fieldQuantileValue, math.Float64bits(q.value)))
	}
	if f == FormatOTel10 {
		point = appendMessage(point, fieldPointAttributes, attributeMessage(attributeNamespace, anyString(p.Metric.Namespace)))
		point = appendMessage(point, fieldPointAttributes, attributeMessage(attributeMetricName, anyString(p.Metric.Name)))
		var list []byte
		for _, d := range p.Metric.Dimensions {
			list = appendMessage(list, fieldListValues, attributeMessage(d.Name, anyString(d.Value)))
		}
		point = appendMessage(point, fieldPointAttributes, attributeMessage(attributeDimensions, appendMessage(nil, fieldAnyList, list)))
	}
	return appendMessage(dst, fieldMetricSummary, appendMessage(nil, fieldDataPoints, point))
}

type quantile struct{ q, value float64 }

// quantiles are the minimum, the percentiles and the maximum, in order.
func (p *Point) quantiles() []quantile {
	list := []quantile{{0, p.Minimum}, {1, p.Maximum}}
	for _, s := range p.Additional {
		stat, ok := cloudwatch.ParseStatistic(s.Name)
		if !ok {
			continue
		}
		if percent, ok := stat.Percentile(); ok && percent > 0 && percent < 100 {
			list = append(list, quantile{percent / 100, s.Value})
		}
	}
	slices.SortStableFunc(list, func(a, b quantile) int {
		switch {
		case a.q < b.q:
			return -1
		case a.q > b.q:
			return 1
		}
		return 0
	})
	return list
}

// decodeOTel reads requests, each with its length before it.
func decodeOTel(f Format, data []byte) ([]Point, error) {
	d := otelDecoder{format: f}
	for len(data) > 0 {
		n, size := binary.Uvarint(data)
		if size <= 0 || n > uint64(len(data)-size) {
			return nil, errors.New("a length does not fit to the record")
		}
		if err := fields(data[size:size+int(n)], func(num protowire.Number, _ uint64, b []byte) error {
			if num != fieldResourceMetrics {
				return nil
			}
			return d.resource(b)
		}); err != nil {
			return nil, &Error{Point: len(d.points), Err: err}
		}
		data = data[size+int(n):]
	}
	return d.points, nil
}

// fields calls f for each field of a message: with v for numbers, with b for what has a length.
func fields(data []byte, f func(num protowire.Number, v uint64, b []byte) error) error {
	for len(data) > 0 {
		num, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return fmt.Errorf("protobuf: %w", protowire.ParseError(n))
		}
		data = data[n:]
		var v uint64
		var b []byte
		switch kind {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(data)
		case protowire.Fixed64Type:
			v, n = protowire.ConsumeFixed64(data)
		case protowire.Fixed32Type:
			var w uint32
			w, n = protowire.ConsumeFixed32(data)
			v = uint64(w)
		case protowire.BytesType:
			b, n = protowire.ConsumeBytes(data)
		default:
			return errors.New("protobuf: groups are not used by OpenTelemetry")
		}
		if n < 0 {
			return fmt.Errorf("protobuf: %w", protowire.ParseError(n))
		}
		data = data[n:]
		if err := f(num, v, b); err != nil {
			return err
		}
	}
	return nil
}

type otelDecoder struct {
	format Format
	points []Point
	base   Point // what the resource says
}

func (d *otelDecoder) resource(data []byte) error {
	d.base = Point{}
	// The resource stands before its metrics in what CloudWatch sends, but need not.
	for _, pass := range []protowire.Number{fieldResource, fieldScopeMetrics} {
		err := fields(data, func(num protowire.Number, _ uint64, b []byte) error {
			switch {
			case num != pass:
				return nil
			case num == fieldResource:
				return fields(b, d.resourceAttribute)
			}
			return fields(b, func(num protowire.Number, _ uint64, b []byte) error {
				if num != fieldMetrics {
					return nil
				}
				return d.metric(b)
			})
		})
		if err != nil {
			return err
		}
		if pass == fieldResource && (d.base.Tenant.Account == "" || d.base.Tenant.Region == "") {
			return fmt.Errorf("the resource lacks %s or %s", attributeAccount, attributeRegion)
		}
	}
	return nil
}

func (d *otelDecoder) resourceAttribute(num protowire.Number, _ uint64, b []byte) error {
	if num != fieldAttributes {
		return nil
	}
	key, value, _, err := attribute(b)
	if err != nil {
		return err
	}
	switch key {
	case attributeAccount:
		d.base.Tenant.Account = value
	case attributeRegion:
		d.base.Tenant.Region = value
	case attributeStream:
		d.base.StreamARN = value
		_, d.base.Stream, _ = strings.Cut(value, "/")
	}
	return nil
}

// attribute reads a KeyValue: its value when that is a string, its pairs when it is a list of pairs.
func attribute(data []byte) (key, value string, list []cloudwatch.Dimension, err error) {
	err = fields(data, func(num protowire.Number, _ uint64, b []byte) error {
		switch num {
		case fieldKey:
			key = string(b)
		case fieldValue:
			return fields(b, func(num protowire.Number, _ uint64, b []byte) error {
				switch num {
				case fieldAnyString:
					value = string(b)
				case fieldAnyList:
					return fields(b, func(num protowire.Number, _ uint64, b []byte) error {
						if num != fieldListValues {
							return nil
						}
						var pair cloudwatch.Dimension
						err := fields(b, func(num protowire.Number, _ uint64, b []byte) error {
							switch num {
							case fieldKey:
								pair.Name = string(b)
							case fieldValue:
								return fields(b, func(num protowire.Number, _ uint64, b []byte) error {
									if num != fieldAnyString {
										return errors.New("the value of a dimension is not a string")
									}
									pair.Value = string(b)
									return nil
								})
							}
							return nil
						})
						list = append(list, pair)
						return err
					})
				}
				return nil
			})
		}
		return nil
	})
	return key, value, list, err
}

func (d *otelDecoder) metric(data []byte) error {
	var unit, name string
	var summaries [][]byte
	err := fields(data, func(num protowire.Number, _ uint64, b []byte) error {
		switch num {
		case fieldMetricName:
			name = string(b)
		case fieldMetricUnit:
			unit = string(b)
		case fieldMetricSummary:
			summaries = append(summaries, b)
		case 5, 7, 9, 10: // gauge, sum, histogram, exponential histogram; of 0.7 the ones of doubles
			return fmt.Errorf("metric %q is not a summary, which is what metric streams send", name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	p := d.base
	var ok bool
	if p.Unit, ok = cloudwatch.UnitFromUCUM(unit); !ok && unit != "" {
		return fmt.Errorf("unit %q is none of CloudWatch's", unit)
	}
	for _, s := range summaries {
		err := fields(s, func(num protowire.Number, _ uint64, b []byte) error {
			if num != fieldDataPoints {
				return nil
			}
			if len(d.points) == maxOTelPointsPerBatch {
				return fmt.Errorf("more than %d points in a record", maxOTelPointsPerBatch)
			}
			return d.point(p, b)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *otelDecoder) point(p Point, data []byte) error {
	hasMin, hasMax := false, false
	pair := func(key, value string) {
		switch key {
		case attributeNamespace:
			p.Metric.Namespace = value
		case attributeMetricName:
			p.Metric.Name = value
		default:
			p.Metric.Dimensions = append(p.Metric.Dimensions, cloudwatch.Dimension{Name: key, Value: value})
		}
	}
	err := fields(data, func(num protowire.Number, v uint64, b []byte) error {
		switch num {
		case fieldPointLabels:
			if d.format != FormatOTel07 {
				return errors.New("a data point has labels, as version 0.7 has: set that format")
			}
			var key, value string
			err := fields(b, func(num protowire.Number, _ uint64, b []byte) error {
				switch num {
				case fieldKey:
					key = string(b)
				case fieldValue:
					value = string(b)
				}
				return nil
			})
			pair(key, value)
			return err
		case fieldPointAttributes:
			if d.format != FormatOTel10 {
				return errors.New("a data point has attributes, as version 1.0 has: set that format")
			}
			key, value, list, err := attribute(b)
			if key == attributeDimensions {
				p.Metric.Dimensions = append(p.Metric.Dimensions, list...)
			} else if err == nil {
				pair(key, value)
			}
			return err
		case fieldPointStart:
			p.TimestampMs = int64(v / 1_000_000)
		case fieldPointCount:
			p.SampleCount = float64(v)
		case fieldPointSum:
			p.Sum = math.Float64frombits(v)
		case fieldPointQuantiles:
			var q, value float64
			if err := fields(b, func(num protowire.Number, v uint64, _ []byte) error {
				switch num {
				case fieldQuantile:
					q = math.Float64frombits(v)
				case fieldQuantileValue:
					value = math.Float64frombits(v)
				}
				return nil
			}); err != nil {
				return err
			}
			switch {
			case q == 0:
				p.Minimum, hasMin = value, true
			case q == 1:
				p.Maximum, hasMax = value, true
			case q > 0 && q < 1:
				// Percentiles have at most ten decimals: dividing by a hundred and back leaves noise beyond.
				percent := strconv.FormatFloat(math.Round(q*1e12)/1e10, 'f', -1, 64)
				p.Additional = append(p.Additional, Statistic{"p" + percent, value})
			default:
				return fmt.Errorf("quantile %g is not between 0 and 1", q)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !hasMin || !hasMax {
		return errors.New("a summary lacks the quantile 0 or 1")
	}
	cloudwatch.SortDimensions(p.Metric.Dimensions)
	if err := p.check(); err != nil {
		return err
	}
	d.points = append(d.points, p)
	return nil
}
