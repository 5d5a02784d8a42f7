// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricstream

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

const streamARN = "arn:aws:cloudwatch:us-east-1:123456789012:metric-stream/main"

func examples() []Point {
	tenant := cloudwatch.Tenant{Account: "123456789012", Region: "us-east-1"}
	return []Point{
		{
			Tenant: tenant, Stream: "main", StreamARN: streamARN, Unit: "Percent", TimestampMs: 1_611_929_640_000,
			Metric:       cloudwatch.Metric{Namespace: "AWS/EC2", Name: "CPUUtilization", Dimensions: []cloudwatch.Dimension{{Name: "InstanceId", Value: "i-1"}}},
			StatisticSet: cloudwatch.StatisticSet{SampleCount: 5, Sum: 10.5, Minimum: 1, Maximum: 3.25},
		},
		{
			Tenant: tenant, Stream: "main", StreamARN: streamARN, Unit: "None", TimestampMs: 1_611_929_640_000,
			Metric:       cloudwatch.Metric{Namespace: "Shop", Name: "Latency", Dimensions: []cloudwatch.Dimension{{Name: "A b", Value: `say "x"`}, {Name: "Z", Value: "é<>"}}},
			StatisticSet: cloudwatch.StatisticSet{SampleCount: 100, Sum: 1e20, Minimum: -4, Maximum: 1e19},
			Additional:   []Statistic{{"p50", 7.5}, {"p99.9", 1e18}},
		},
		{
			Tenant: cloudwatch.Tenant{Account: "999999999999", Region: "eu-west-1"}, Stream: "main", StreamARN: streamARN, Unit: "Count/Second", TimestampMs: 1_611_929_700_000,
			Metric:       cloudwatch.Metric{Namespace: "Shop", Name: "Rate"},
			StatisticSet: cloudwatch.StatisticSet{SampleCount: 1, Sum: 0, Minimum: 0, Maximum: 0},
		},
	}
}

func TestRoundTrip(t *testing.T) {
	for _, f := range Formats() {
		t.Run(string(f), func(t *testing.T) {
			want := examples()
			data, err := Append(nil, f, want)
			require.NoError(t, err)
			got, err := Decode(f, data)
			require.NoError(t, err)
			if f == FormatJSON {
				for i := range want {
					want[i].StreamARN = ""
				}
			}
			assert.Equal(t, want, got)
		})
	}
}

// TestJSONOfAWS reads lines as CloudWatch documents them.
func TestJSONOfAWS(t *testing.T) {
	const lines = `{"metric_stream_name":"MyMetricStream","account_id":"1234567890","region":"us-east-1","namespace":"AWS/EC2","metric_name":"DiskWriteOps","dimensions":{"InstanceId":"i-123456789012"},"timestamp":1611929698000,"value":{"count":3.0,"sum":20.0,"max":18.0,"min":0.0,"p99":17.56,"p99.9":17.8764,"TM(25%:75%)":16.43},"unit":"Seconds"}
{"metric_stream_name":"MyMetricStream","account_id":"1234567890","region":"us-east-1","namespace":"AWS/EC2","metric_name":"DiskWriteOps","dimensions":{},"timestamp":1611929698000,"value":{"count":3.0,"sum":20.0,"max":18.0,"min":0.0},"unit":"None"}
`
	points, err := Decode(FormatJSON, []byte(lines))
	require.NoError(t, err)
	require.Len(t, points, 2)
	assert.Equal(t, []Statistic{{"p99", 17.56}, {"p99.9", 17.8764}, {"TM(25%:75%)", 16.43}}, points[0].Additional)
	md, left := ToMetrics(points)
	assert.Equal(t, 1, left, "the trimmed mean has no place in a summary")
	assert.Equal(t, 2, md.DataPointCount())
	m := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0)
	q := m.Summary().DataPoints().At(0).QuantileValues()
	require.Equal(t, 4, q.Len())
	assert.InDelta(t, 0.99, q.At(1).Quantile(), 1e-12)
	assert.InDelta(t, 17.56, q.At(1).Value(), 0)
}

// TestOTel10IsOTLP reads what is written with OpenTelemetry's own decoder.
func TestOTel10IsOTLP(t *testing.T) {
	data, err := Append(nil, FormatOTel10, examples())
	require.NoError(t, err)
	var names []string
	for len(data) > 0 {
		n, size := binary.Uvarint(data)
		req := pmetricotlp.NewExportRequest()
		require.NoError(t, req.UnmarshalProto(data[size:size+int(n)]))
		data = data[size+int(n):]
		rm := req.Metrics().ResourceMetrics().At(0)
		arn, _ := rm.Resource().Attributes().Get("aws.exporter.arn")
		assert.Equal(t, streamARN, arn.Str())
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			names = append(names, m.Name()+" "+m.Unit())
			p := m.Summary().DataPoints().At(0)
			assert.Equal(t, time.Minute, p.Timestamp().AsTime().Sub(p.StartTimestamp().AsTime()))
			dims, _ := p.Attributes().Get("Dimensions")
			if m.Unit() == "%" {
				assert.Equal(t, map[string]any{"InstanceId": "i-1"}, dims.Map().AsRaw())
			}
		}
	}
	assert.Equal(t, []string{"amazonaws.com/AWS/EC2/CPUUtilization %", "amazonaws.com/Shop/Latency 1", "amazonaws.com/Shop/Rate {Count}/s"}, names)
}

func TestToMetricsIsInverted(t *testing.T) {
	points := examples()
	md, left := ToMetrics(points)
	require.Zero(t, left)
	c, err := cloudwatch.NewConverter(cloudwatch.ConverterConfig{})
	require.NoError(t, err)
	batches, err := c.Convert(md)
	require.NoError(t, err)
	require.Len(t, batches, 2)
	var got []cloudwatch.Datum
	for _, b := range batches {
		got = append(got, b.Data...)
	}
	require.Len(t, got, 3)
	for i, p := range points {
		j := slices.IndexFunc(got, func(d cloudwatch.Datum) bool { return cloudwatch.CompareMetrics(&d.Metric, &p.Metric) == 0 })
		require.GreaterOrEqual(t, j, 0, i)
		assert.Equal(t, p.StatisticSet, *got[j].Statistics)
		assert.Equal(t, p.TimestampMs, got[j].TimestampMs)
		assert.Equal(t, p.Unit, got[j].Unit)
	}
}

func TestDecodeRefuses(t *testing.T) {
	line := func(value string) string {
		return `{"metric_stream_name":"s","account_id":"1","region":"r","namespace":"n","metric_name":"m","dimensions":{},"timestamp":1,"value":` + value + `,"unit":"None"}`
	}
	for input, want := range map[string]string{
		`{`:                          "point 0",
		`{"metric_stream_name":"s"}`: "account_id is missing",
		strings.Replace(line(`{"count":1,"sum":1,"min":1,"max":1}`), `"region":"r"`, `"region":""`, 1):         "region is missing",
		strings.Replace(line(`{"count":1,"sum":1,"min":1,"max":1}`), `"timestamp":1`, `"timestamp":-60000`, 1): "before 1970",
		line(`{"count":1,"sum":1,"min":1}`):                 "value.max is missing",
		line(`{"count":1,"sum":1,"min":1,"max":1,"max":2}`): "twice",
		line(`{"count":1,"sum":1,"min":1,"max":1,"q99":2}`): "q99",
		line(`{"count":1,"sum":1e200,"min":1,"max":1}`):     "2^360",
		line(`{"count":0,"sum":1,"min":1,"max":1}`):         "go together",
		line(`{"count":1,"sum":1,"min":2,"max":1}`):         "go together",
		line(`[]`): "not an object",
		line(`{"count":1,"sum":1,"min":1,"max":1}`) + "\nxx": "point 1",
	} {
		_, err := Decode(FormatJSON, []byte(input))
		require.ErrorContains(t, err, want, input)
	}
	data, err := Append(nil, FormatOTel07, examples())
	require.NoError(t, err)
	_, err = Decode(FormatOTel10, data)
	require.ErrorContains(t, err, "0.7")
	_, err = Decode(FormatOTel07, data[:len(data)-1])
	require.Error(t, err)
	_, err = Decode("csv", nil)
	require.ErrorContains(t, err, "csv")
}

func FuzzDecode(f *testing.F) {
	for i, format := range Formats() {
		data, err := Append(nil, format, examples())
		require.NoError(f, err)
		f.Add(byte(i), data)
	}
	f.Fuzz(func(t *testing.T, format byte, data []byte) {
		of := Formats()[int(format)%len(Formats())]
		points, err := Decode(of, data)
		if err != nil {
			return
		}
		again, err := Append(nil, of, points)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		back, err := Decode(of, again)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if len(back) != len(points) {
			t.Fatalf("%d points became %d", len(points), len(back))
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for _, f := range Formats() {
		b.Run(string(f), func(b *testing.B) {
			var points []Point
			for range 500 {
				points = append(points, examples()[0])
			}
			data, err := Append(nil, f, points)
			require.NoError(b, err)
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				got, err := Decode(f, data)
				require.NoError(b, err)
				require.Len(b, got, 500)
			}
		})
	}
}
