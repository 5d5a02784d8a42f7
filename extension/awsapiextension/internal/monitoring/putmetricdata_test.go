// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"context"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

var testNow = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func testContext(tb testing.TB) (context.Context, *awswire.Request) {
	tb.Helper()
	req := &awswire.Request{Account: "123456789012", Region: "eu-west-1", ResponseHeader: http.Header{}}
	return awswire.WithRequest(tb.Context(), req), req
}

// testService keeps what is put.
func testService() (*service, *pmetric.Metrics) {
	var got pmetric.Metrics
	return &service{
		now: func() time.Time { return testNow },
		consume: func(_ context.Context, md pmetric.Metrics) error {
			got = md
			return nil
		},
	}, &got
}

func TestPutMetricDataForms(t *testing.T) {
	s, _ := testService()
	at := testNow.Add(-time.Minute).Add(1500 * time.Microsecond)
	data, err := s.decodeMetricData(&cw.PutMetricDataInput{Namespace: aws.String("shop"), MetricData: []types.MetricDatum{
		{
			MetricName: aws.String("latency"), Value: aws.Float64(1.5), Unit: types.StandardUnitSeconds, Timestamp: &at,
			StorageResolution: aws.Int32(1),
			Dimensions: []types.Dimension{
				{Name: aws.String("b"), Value: aws.String("2")}, {Name: aws.String("a"), Value: aws.String("1")},
			},
		},
		{MetricName: aws.String("latency"), Values: []float64{10, 1, 10}, Counts: []float64{4, 2, 0.5}},
		{MetricName: aws.String("latency"), Values: []float64{3}},
		{MetricName: aws.String("latency"), Values: []float64{3}, StatisticValues: &types.StatisticSet{
			SampleCount: aws.Float64(2), Sum: aws.Float64(99), Minimum: aws.Float64(1), Maximum: aws.Float64(1),
		}},
	}})
	require.NoError(t, err)
	metric := cloudwatch.Metric{Namespace: "shop", Name: "latency"}
	withDims := metric
	withDims.Dimensions = []cloudwatch.Dimension{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}
	assert.Equal(t, []cloudwatch.Datum{
		{Metric: withDims, TimestampMs: at.UnixMilli(), Unit: "Seconds", StorageResolution: 1, Value: 1.5},
		{
			Metric: metric, TimestampMs: testNow.UnixMilli(), Unit: "None", StorageResolution: 60,
			Values: []float64{1, 10}, Counts: []float64{2, 4.5},
		},
		{
			Metric: metric, TimestampMs: testNow.UnixMilli(), Unit: "None", StorageResolution: 60,
			Values: []float64{3}, Counts: []float64{1},
		},
		{
			Metric: metric, TimestampMs: testNow.UnixMilli(), Unit: "None", StorageResolution: 60,
			Statistics: &cloudwatch.StatisticSet{SampleCount: 2, Sum: 99, Minimum: 1, Maximum: 1},
		},
	}, data)
}

// TestPutMetricDataRefused goes through everything that makes CloudWatch refuse a request. The messages are those that
// were recorded, or are quoted in reports of its users.
func TestPutMetricDataRefused(t *testing.T) {
	const (
		missing     = "MissingRequiredParameterException"
		combination = "InvalidParameterCombinationException"
		value       = "InvalidParameterValueException"
	)
	datum := func(change func(*types.MetricDatum)) []types.MetricDatum {
		bad := types.MetricDatum{MetricName: aws.String("m"), Value: aws.Float64(1)}
		change(&bad)
		return []types.MetricDatum{{MetricName: aws.String("good"), Value: aws.Float64(1)}, bad}
	}
	dimension := func(name, value string) []types.MetricDatum {
		return datum(func(d *types.MetricDatum) {
			d.Dimensions = []types.Dimension{{Name: aws.String(name), Value: aws.String(value)}}
		})
	}
	set := func(count, sum, low, high float64) *types.StatisticSet {
		return &types.StatisticSet{SampleCount: &count, Sum: &sum, Minimum: &low, Maximum: &high}
	}
	for name, c := range map[string]struct {
		namespace     string
		data          []types.MetricDatum
		entities      []types.EntityMetricData
		strict        *bool
		code, message string
	}{
		"value and values": {
			data: datum(func(d *types.MetricDatum) { d.Values = []float64{1} }), code: combination,
			message: "The parameters MetricData.member.2.Value and MetricData.member.2.Values are mutually exclusive " +
				"and you have specified both.",
		},
		"value and statistics": {
			data: datum(func(d *types.MetricDatum) { d.StatisticValues = set(1, 1, 1, 1) }), code: combination,
			message: "The parameters MetricData.member.2.Value and MetricData.member.2.StatisticValues are mutually " +
				"exclusive and you have specified both.",
		},
		"values and counts of different size": {
			data: datum(func(d *types.MetricDatum) {
				d.Value, d.Values, d.Counts = nil, []float64{1, 2}, []float64{1}
			}), code: value,
			message: "The parameters MetricData.member.2.Values and MetricData.member.2.Counts must be of the same size.",
		},
		"NaN": {
			data: datum(func(d *types.MetricDatum) { d.Value = aws.Float64(math.NaN()) }), code: value,
			message: "The value NaN for parameter MetricData.member.2.Value is invalid.",
		},
		"infinity": {
			data: datum(func(d *types.MetricDatum) { d.Value = aws.Float64(math.Inf(-1)) }), code: value,
			message: "The value -Infinity for parameter MetricData.member.2.Value is invalid.",
		},
		"too great": {
			data: datum(func(d *types.MetricDatum) { d.Value = aws.Float64(1e200) }), code: value,
			message: "The value 1.0E200 for parameter MetricData.member.2.Value is invalid.",
		},
		"infinite value of many": {
			data: datum(func(d *types.MetricDatum) { d.Value, d.Values = nil, []float64{1, math.Inf(1)} }), code: value,
			message: "The value Infinity for parameter MetricData.member.2.Values.member.2 is invalid.",
		},
		"negative count": {
			data: datum(func(d *types.MetricDatum) {
				d.Value, d.Values, d.Counts = nil, []float64{1}, []float64{-1}
			}), code: value,
			message: "The value -1.0 for parameter MetricData.member.2.Counts.member.1 is invalid.",
		},
		"unit": {
			data: datum(func(d *types.MetricDatum) { d.Unit = "Furlongs" }), code: value,
			message: "The parameter MetricData.member.2.Unit must be a value in the set [ Seconds, Microseconds, " +
				"Milliseconds, Bytes, Kilobytes, Megabytes, Gigabytes, Terabytes, Bits, Kilobits, Megabits, Gigabits, " +
				"Terabits, Percent, Count, Bytes/Second, Kilobytes/Second, Megabytes/Second, Gigabytes/Second, " +
				"Terabytes/Second, Bits/Second, Kilobits/Second, Megabits/Second, Gigabits/Second, Terabits/Second, " +
				"Count/Second, None ].",
		},
		"resolution": {
			data: datum(func(d *types.MetricDatum) { d.StorageResolution = aws.Int32(123) }), code: value,
			message: "The parameter MetricData.member.2.StorageResolution must be a value in the set [ 1, 60 ].",
		},
		"too old": {
			data:    datum(func(d *types.MetricDatum) { d.Timestamp = aws.Time(testNow.Add(-14*24*time.Hour - time.Second)) }),
			code:    value,
			message: "The parameter MetricData.member.2.Timestamp must specify a time within the past two weeks.",
		},
		"too far ahead": {
			data:    datum(func(d *types.MetricDatum) { d.Timestamp = aws.Time(testNow.Add(2*time.Hour + time.Second)) }),
			code:    value,
			message: "The parameter MetricData.member.2.Timestamp must specify a time no more than two hours in the future.",
		},
		"maximum below minimum": {
			data: datum(func(d *types.MetricDatum) { d.Value, d.StatisticValues = nil, set(1, 1, 2, 1) }), code: value,
			message: "The parameter MetricData.member.2.StatisticValues.Maximum must be greater than " +
				"MetricData.member.2.StatisticValues.Minimum.",
		},
		"no samples": {
			data: datum(func(d *types.MetricDatum) { d.Value, d.StatisticValues = nil, set(0, 0, 0, 0) }), code: value,
			message: "The parameter MetricData.member.2.StatisticValues.SampleCount must be greater than 0.",
		},
		"half a statistic set": {
			data: datum(func(d *types.MetricDatum) {
				d.Value, d.StatisticValues = nil, &types.StatisticSet{SampleCount: aws.Float64(1), Sum: aws.Float64(1)}
			}), code: missing,
			message: "The parameter MetricData.member.2.StatisticValues.Minimum is required.\n" +
				"The parameter MetricData.member.2.StatisticValues.Maximum is required.",
		},
		"counts without values": {
			data: datum(func(d *types.MetricDatum) { d.Counts = []float64{1} }), code: combination,
			message: "The parameter MetricData.member.2.Counts cannot be specified without the parameter " +
				"MetricData.member.2.Values.",
		},
		"nothing": {
			data: datum(func(d *types.MetricDatum) { d.Value = nil }), code: combination,
			message: "At least one of the parameters must be specified.",
		},
		"no data": {
			code: missing, message: "At least one MetricDatum object must be present in the request.",
		},
		"too many data": {
			data: make([]types.MetricDatum, 1001), code: value,
			message: "The collection MetricData must not have a size greater than 1000.",
		},
		"too many values": {
			data: datum(func(d *types.MetricDatum) { d.Value, d.Values = nil, make([]float64, 151) }), code: value,
			message: "The collection MetricData.member.2.Values must not have a size greater than 150.",
		},
		"same dimension twice": {
			data: datum(func(d *types.MetricDatum) {
				d.Dimensions = []types.Dimension{
					{Name: aws.String("a"), Value: aws.String("1")}, {Name: aws.String("a"), Value: aws.String("2")},
				}
			}), code: value,
			message: "No metric may specify the same dimension name twice.",
		},
		"too many dimensions": {
			data: datum(func(d *types.MetricDatum) { d.Dimensions = make([]types.Dimension, 31) }), code: value,
			message: "The collection MetricData.member.2.Dimensions must not have a size greater than 30.",
		},
		"empty dimension value": {
			data: dimension("a", ""), code: missing,
			message: "The parameter MetricData.member.2.Dimensions.member.1.Value is required.",
		},
		"empty dimension name": {
			data: dimension("", "a"), code: missing,
			message: "The parameter MetricData.member.2.Dimensions.member.1.Name is required.",
		},
		"dimension name with a colon": {
			data: dimension(":a", "a"), code: value,
			message: "The value :a for parameter MetricData.member.2.Dimensions.member.1.Name is invalid.",
		},
		"blank dimension value": {
			data: dimension("a", "  "), code: value,
			message: "The parameter MetricData.member.2.Dimensions.member.1.Value must contain at least one " +
				"non-whitespace character.",
		},
		"long dimension value that is not ASCII": {
			data: dimension("a", strings.Repeat("é", 600)), code: value,
			message: "The value for parameter MetricData.member.2.Dimensions.member.1.Value contains non-ASCII characters.\n" +
				"The parameter MetricData.member.2.Dimensions.member.1.Value must be shorter than 1025 characters.",
		},
		"line break": {
			data: dimension("a", "i-32a\n"), code: value,
			message: "The value for parameter MetricData.member.2.Dimensions.member.1.Value contains non-ASCII characters.",
		},
		"no metric name": {
			data: datum(func(d *types.MetricDatum) { d.MetricName = nil }), code: missing,
			message: "The parameter MetricData.member.2.MetricName is required.",
		},
		"missing counts more than combinations": {
			data: datum(func(d *types.MetricDatum) { d.MetricName, d.Value = nil, nil }), code: missing,
			message: "The parameter MetricData.member.2.MetricName is required.",
		},
		"reserved namespace": {
			namespace: "AWS/EC2", data: datum(func(*types.MetricDatum) {}), code: value,
			message: "The value AWS/ for parameter Namespace is invalid.",
		},
		"namespace with a colon": {
			namespace: ":n", data: datum(func(*types.MetricDatum) {}), code: value,
			message: "The value :n for parameter Namespace is invalid.",
		},
		"no namespace": {
			namespace: "-", data: datum(func(*types.MetricDatum) {}), code: missing,
			message: "The parameter Namespace is required.",
		},
		"entity, strictly": {
			entities: []types.EntityMetricData{{Entity: &types.Entity{}, MetricData: datum(func(*types.MetricDatum) {})}},
			strict:   aws.Bool(true), code: value,
			message: "The parameter EntityMetricData.member.1.Entity is not supported: entities are not kept here. " +
				"Set StrictEntityValidation to false to have the metric data kept without them.",
		},
		"entity, neither": {
			entities: []types.EntityMetricData{{Entity: &types.Entity{}, MetricData: datum(func(*types.MetricDatum) {})}},
			code:     missing, message: "The parameter StrictEntityValidation is required.",
		},
		"too many entities": {
			entities: make([]types.EntityMetricData, 3), strict: aws.Bool(true), code: value,
			message: "The collection EntityMetricData must not have a size greater than 2.",
		},
		"bad datum of an entity": {
			entities: []types.EntityMetricData{{MetricData: datum(func(d *types.MetricDatum) { d.MetricName = nil })}},
			strict:   aws.Bool(true), code: missing,
			message: "The parameter EntityMetricData.member.1.MetricData.member.2.MetricName is required.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, got := testService()
			ctx, _ := testContext(t)
			in := &cw.PutMetricDataInput{
				Namespace: aws.String("n"), MetricData: c.data, EntityMetricData: c.entities, StrictEntityValidation: c.strict,
			}
			switch c.namespace {
			case "":
			case "-":
				in.Namespace = nil
			default:
				in.Namespace = &c.namespace
			}
			err := s.putMetricData(ctx, in)
			var e *awswire.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.code, e.Code)
			assert.Equal(t, c.message, e.Message)
			assert.Equal(t, pmetric.Metrics{}, *got, "one bad datum refuses all")
		})
	}
}

func TestPutMetricDataKeepsDataOfEntities(t *testing.T) {
	s, got := testService()
	ctx, req := testContext(t)
	require.NoError(t, s.putMetricData(ctx, &cw.PutMetricDataInput{
		Namespace: aws.String("n"), StrictEntityValidation: aws.Bool(false),
		MetricData: []types.MetricDatum{{MetricName: aws.String("a"), Value: aws.Float64(1)}},
		EntityMetricData: []types.EntityMetricData{{
			Entity:     &types.Entity{KeyAttributes: map[string]string{"Type": "Service", "Name": "shop"}},
			MetricData: []types.MetricDatum{{MetricName: aws.String("b"), Value: aws.Float64(2)}},
		}},
	}))
	assert.Equal(t, 2, got.DataPointCount())
	assert.Equal(t, "InvalidEntity", req.ResponseHeader.Get("X-Amzn-Failure-Message"))
}

func TestEntityFailures(t *testing.T) {
	entity := func(pairs ...string) []types.EntityMetricData {
		e := &types.Entity{KeyAttributes: map[string]string{}, Attributes: map[string]string{}}
		for i := 0; i < len(pairs); i += 2 {
			e.KeyAttributes[pairs[i]] = pairs[i+1]
		}
		return []types.EntityMetricData{{}, {Entity: e}}
	}
	service := entity("Type", "Service", "Name", "shop", "Environment", "prod")
	for i := range 11 {
		service[1].Entity.Attributes[strings.Repeat("a", i+1)] = "v"
	}
	for want, lists := range map[string][][]types.EntityMetricData{
		"":                      {nil, {{}, {}}},
		"EntitySizeTooLarge":    {make([]types.EntityMetricData, 3)},
		"InvalidEntity":         {entity("Type", "Service", "Name", "shop"), entity("Type", "AWS::Resource", "ResourceType", "AWS::EC2::Instance", "Identifier", "i-1")},
		"InvalidKeyAttributes":  {entity(), entity("Type", "Service"), entity("Type", "Service", "Colour", "red"), entity("Type", "Service", "Name", "")},
		"InvalidTypeValue":      {entity("Type", "Robot", "Name", "shop"), entity("Name", "shop", "Environment", "prod")},
		"MissingRequiredFields": {entity("Type", "Service", "Environment", "prod"), entity("Type", "Resource", "Identifier", "i-1")},
		"InvalidAttributes":     {service},
	} {
		for _, list := range lists {
			assert.Equal(t, want, entityFailure(list))
		}
	}
}

// TestPutMetricDataSize: it is what is sent that is bounded, and the SDK compresses it.
func TestPutMetricDataSize(t *testing.T) {
	e := newEndpoint(t, nil)
	put := func(value func() float64) error {
		data := make([]types.MetricDatum, 1000)
		for i := range data {
			data[i] = types.MetricDatum{MetricName: aws.String("m"), Values: make([]float64, 150)}
			for j := range data[i].Values {
				data[i].Values[j] = value()
			}
		}
		_, err := e.PutMetricData(t.Context(), &cw.PutMetricDataInput{Namespace: aws.String("n"), MetricData: data})
		return err
	}
	require.NoError(t, put(func() float64 { return 1.5 }))
	rnd := rand.New(rand.NewPCG(1, 2))
	requireCode(t, put(rnd.Float64), "RequestEntityTooLarge", "Request size exceeds the limit.")

	_, req := testContext(t)
	req.BodyBytes = maxPutBody + 1
	require.Error(t, checkBodySize(req), "it does not say how much it sends")
	req.Header = http.Header{"Content-Length": {"1000"}}
	require.NoError(t, checkBodySize(req))
}

func TestPutMetricDataManyFaultsAreBounded(t *testing.T) {
	s, _ := testService()
	ctx, _ := testContext(t)
	err := s.putMetricData(ctx, &cw.PutMetricDataInput{Namespace: aws.String("n"), MetricData: make([]types.MetricDatum, 1000)})
	var e *awswire.Error
	require.ErrorAs(t, err, &e)
	assert.Len(t, strings.Split(e.Message, "\n"), maxFaultLines)
}

func TestFormatDouble(t *testing.T) {
	for want, v := range map[string]float64{
		"0.0": 0, "1.0": 1, "-1.5": -1.5, "100.0": 100, "9999999.0": 9999999, "1.0E7": 1e7, "1.25E10": 1.25e10,
		"0.001": 0.001, "1.0E-4": 1e-4, "NaN": math.NaN(), "Infinity": math.Inf(1), "-Infinity": math.Inf(-1),
	} {
		assert.Equal(t, want, formatDouble(v))
	}
}

func BenchmarkDecodeMetricData(b *testing.B) {
	s, _ := testService()
	at := testNow
	in := &cw.PutMetricDataInput{Namespace: aws.String("shop")}
	for range 1000 {
		in.MetricData = append(in.MetricData, types.MetricDatum{
			MetricName: aws.String("latency"), Value: aws.Float64(1), Unit: types.StandardUnitMilliseconds, Timestamp: &at,
			Dimensions: []types.Dimension{
				{Name: aws.String("service"), Value: aws.String("orders")}, {Name: aws.String("host"), Value: aws.String("a")},
			},
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		data, err := s.decodeMetricData(in)
		if err != nil || len(data) != 1000 {
			b.Fatal(err)
		}
	}
}
