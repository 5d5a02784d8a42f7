// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricstreams

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/metricstream"
)

func TestStreams(t *testing.T) {
	f := newFixture(t)
	out, err := f.PutMetricStream(t.Context(), input(func(in *cw.PutMetricStreamInput) {
		in.IncludeFilters = []types.MetricStreamFilter{{Namespace: new("A"), MetricNames: []string{"one"}}, {Namespace: new("B")}}
		in.StatisticsConfigurations = []types.MetricStreamStatisticsConfiguration{{
			IncludeMetrics:       []types.MetricStreamStatisticsMetric{{Namespace: new("A"), MetricName: new("one")}},
			AdditionalStatistics: []string{"p99", "TM(25%:75%)"},
		}}
		in.Tags = []types.Tag{{Key: new("team"), Value: new("shop")}}
	}))
	require.NoError(t, err)
	const arn = "arn:aws:cloudwatch:us-east-1:123456789012:metric-stream/s"
	assert.Equal(t, arn, *out.Arn)
	get := func() *cw.GetMetricStreamOutput {
		t.Helper()
		got, err := f.GetMetricStream(t.Context(), &cw.GetMetricStreamInput{Name: new("s")})
		require.NoError(t, err)
		return got
	}
	got := get()
	assert.Equal(t, arn, *got.Arn)
	assert.Equal(t, firehose, *got.FirehoseArn)
	assert.Equal(t, role, *got.RoleArn)
	assert.Equal(t, "running", *got.State)
	assert.False(t, *got.IncludeLinkedAccountsMetrics)
	assert.Equal(t, types.MetricStreamOutputFormatJson, got.OutputFormat)
	assert.Len(t, got.IncludeFilters, 2)
	assert.Nil(t, got.ExcludeFilters)
	assert.Equal(t, []string{"p99", "TM(25%:75%)"}, got.StatisticsConfigurations[0].AdditionalStatistics)
	assert.Equal(t, testNow, got.CreationDate.UTC())

	_, err = f.StopMetricStreams(t.Context(), &cw.StopMetricStreamsInput{Names: []string{"s"}})
	require.NoError(t, err)
	f.after(time.Second)
	// A stream that is updated stays as it is.
	f.put(func(in *cw.PutMetricStreamInput) { in.OutputFormat = types.MetricStreamOutputFormatOpenTelemetry10 })
	f.open()
	got = get()
	assert.Equal(t, "stopped", *got.State)
	assert.Empty(t, got.IncludeFilters)
	assert.Equal(t, testNow, got.CreationDate.UTC())
	assert.Equal(t, testNow.Add(time.Second), got.LastUpdateDate.UTC())
	tags, err := f.ListTagsForResource(t.Context(), &cw.ListTagsForResourceInput{ResourceARN: new(arn)})
	require.NoError(t, err)
	assert.Len(t, tags.Tags, 1)
	_, err = f.TagResource(t.Context(), &cw.TagResourceInput{ResourceARN: new(arn), Tags: []types.Tag{{Key: new("b"), Value: new("c")}}})
	require.NoError(t, err)
	_, err = f.UntagResource(t.Context(), &cw.UntagResourceInput{ResourceARN: new(arn), TagKeys: []string{"team"}})
	require.NoError(t, err)
	tags, err = f.ListTagsForResource(t.Context(), &cw.ListTagsForResourceInput{ResourceARN: new(arn)})
	require.NoError(t, err)
	assert.Equal(t, "b", *tags.Tags[0].Key)

	f.put(func(in *cw.PutMetricStreamInput) { in.Name = new("a") })
	f.put(func(in *cw.PutMetricStreamInput) { in.Name = new("z") })
	list, err := f.ListMetricStreams(t.Context(), &cw.ListMetricStreamsInput{MaxResults: new(int32(2))})
	require.NoError(t, err)
	require.Len(t, list.Entries, 2)
	assert.Equal(t, "a", *list.Entries[0].Name)
	list, err = f.ListMetricStreams(t.Context(), &cw.ListMetricStreamsInput{NextToken: list.NextToken})
	require.NoError(t, err)
	require.Len(t, list.Entries, 1)
	assert.Equal(t, "z", *list.Entries[0].Name)
	_, err = f.ListMetricStreams(t.Context(), &cw.ListMetricStreamsInput{NextToken: new("x")})
	wantError(t, err, "InvalidNextToken", "The value for parameter NextToken is invalid.")

	for range 2 {
		_, err = f.DeleteMetricStream(t.Context(), &cw.DeleteMetricStreamInput{Name: new("s")})
		require.NoError(t, err)
	}
	_, err = f.GetMetricStream(t.Context(), &cw.GetMetricStreamInput{Name: new("s")})
	wantError(t, err, "ResourceNotFoundException", "The metric stream s does not exist.")
	_, err = f.StartMetricStreams(t.Context(), &cw.StartMetricStreamsInput{Names: []string{"a", "s"}})
	wantError(t, err, "InvalidParameterValue", "The metric stream s does not exist.")
}

func TestPutErrors(t *testing.T) {
	f := newFixture(t)
	for _, tc := range []struct {
		edit          func(*cw.PutMetricStreamInput)
		code, message string
	}{
		{func(in *cw.PutMetricStreamInput) { in.Name = new("") }, "MissingParameter", "The parameter Name is required."},
		{func(in *cw.PutMetricStreamInput) { in.RoleArn = new("") }, "MissingParameter", "The parameter RoleArn is required."},
		{
			func(in *cw.PutMetricStreamInput) { in.Name = new("a b") }, "InvalidParameterValue",
			"The value for parameter Name is invalid: it can have up to 255 alphanumerics, dashes (-) and underscores (_).",
		},
		{
			func(in *cw.PutMetricStreamInput) { in.OutputFormat = "xml" }, "InvalidParameterValue",
			"The parameter OutputFormat must be a value in the set [ json, opentelemetry0.7, opentelemetry1.0 ].",
		},
		{
			func(in *cw.PutMetricStreamInput) { in.FirehoseArn = new("arn:x") }, "InvalidParameterValue",
			"The value arn:x for parameter FirehoseArn is not the ARN of a delivery stream of this account.",
		},
		{
			func(in *cw.PutMetricStreamInput) { in.RoleArn = new("arn:aws:iam::210987654321:role/r") }, "InvalidParameterValue",
			"The value arn:aws:iam::210987654321:role/r for parameter RoleArn is not the ARN of a role of this account.",
		},
		{
			func(in *cw.PutMetricStreamInput) { in.FirehoseArn = new(firehose + "2") }, "InvalidParameterValue",
			"The delivery stream " + firehose + "2 does not exist: name it in the option metric_streams::destinations of the extension aws_api.",
		},
		{
			func(in *cw.PutMetricStreamInput) { in.IncludeLinkedAccountsMetrics = new(true) }, "NotImplemented",
			"A metric stream with IncludeLinkedAccountsMetrics is not implemented.",
		},
		{
			func(in *cw.PutMetricStreamInput) {
				in.IncludeFilters, in.ExcludeFilters = []types.MetricStreamFilter{{Namespace: new("A")}}, []types.MetricStreamFilter{{Namespace: new("B")}}
			},
			"InvalidParameterCombination", "The parameters IncludeFilters and ExcludeFilters are mutually exclusive and you have specified both.",
		},
		{
			func(in *cw.PutMetricStreamInput) {
				in.IncludeFilters = []types.MetricStreamFilter{{Namespace: new("A")}, {Namespace: new(":A")}}
			},
			"InvalidParameterValue", "The value :A for parameter IncludeFilters.member.2.Namespace is invalid.",
		},
		{
			func(in *cw.PutMetricStreamInput) {
				in.IncludeFilters = []types.MetricStreamFilter{{Namespace: new("A"), MetricNames: strings.Split(strings.Repeat("m,", 999)+"m", ",")}}
			},
			"InvalidParameterValue", "The parameter IncludeFilters has more than 1000 namespaces and metric names.",
		},
		{
			func(in *cw.PutMetricStreamInput) {
				in.OutputFormat = types.MetricStreamOutputFormatOpenTelemetry07
				in.StatisticsConfigurations = []types.MetricStreamStatisticsConfiguration{{
					IncludeMetrics: []types.MetricStreamStatisticsMetric{{Namespace: new("A"), MetricName: new("m")}}, AdditionalStatistics: []string{"p9", "tm99"},
				}}
			},
			"InvalidParameterValue", "The value tm99 for parameter StatisticsConfigurations.member.1.AdditionalStatistics.member.2 is not valid for the output format opentelemetry0.7.",
		},
	} {
		_, err := f.PutMetricStream(t.Context(), input(tc.edit))
		wantError(t, err, tc.code, tc.message)
	}
	f.set.Metrics = nil
	f.open()
	_, err := f.PutMetricStream(t.Context(), input(nil))
	wantError(t, err, "NotImplemented", `A metric stream of a collector without a store (name one in the option "store" of the extension aws_api) is not implemented.`)
	f.service.Deliver(t.Context())
}

func TestDeliver(t *testing.T) {
	for _, format := range metricstream.Formats() {
		t.Run(string(format), func(t *testing.T) {
			f := newFixture(t)
			f.dest.format = format
			f.put(func(in *cw.PutMetricStreamInput) {
				in.OutputFormat = types.MetricStreamOutputFormat(format)
				in.StatisticsConfigurations = []types.MetricStreamStatisticsConfiguration{{
					IncludeMetrics:       []types.MetricStreamStatisticsMetric{{Namespace: new("A"), MetricName: new("one")}},
					AdditionalStatistics: []string{"p50"},
				}}
				in.ExcludeFilters = []types.MetricStreamFilter{{Namespace: new("A"), MetricNames: []string{"two"}}}
			})
			assert.Empty(t, f.after(0))
			assert.Empty(t, f.after(79*time.Second), "the minute and the delay are not over")
			f.now = f.now.Add(time.Second)
			f.service.Deliver(t.Context())
			require.Len(t, f.dest.points, 2)
			p := f.dest.points[0]
			assert.Equal(t, cloudwatch.StatisticSet{SampleCount: 2}, p.StatisticSet)
			assert.Equal(t, []metricstream.Statistic{{Name: "p50"}}, p.Additional)
			assert.Equal(t, "Count", p.Unit)
			assert.Equal(t, []string{"A/one@10:00", "B/one@10:00"}, f.dest.names())
			assert.Equal(t, "secret", f.dest.headers.Get("X-Amz-Firehose-Access-Key"))
			assert.Equal(t, firehose, f.dest.headers.Get("X-Amz-Firehose-Source-Arn"))
			assert.Empty(t, f.after(0))
			assert.Len(t, f.after(2*time.Minute), 4)
		})
	}
}

func TestIncludeAndPages(t *testing.T) {
	f := newFixture(t)
	f.metrics.metrics = nil
	for i := range 1200 {
		f.metrics.metrics = append(f.metrics.metrics, cloudwatch.Metric{Namespace: "A", Name: fmt.Sprintf("m%04d", i)})
	}
	f.metrics.metrics = append(f.metrics.metrics, cloudwatch.Metric{Namespace: "C", Name: "m"})
	f.put(func(in *cw.PutMetricStreamInput) {
		in.IncludeFilters = []types.MetricStreamFilter{{Namespace: new("A")}, {Namespace: new("B")}}
	})
	got := f.after(2 * time.Minute)
	assert.Len(t, got, 1200)
	assert.Equal(t, 3, f.dest.requests)
}

// A minute that was delivered in part goes on where it stopped, also after a restart.
func TestPartOfAMinute(t *testing.T) {
	for _, filtered := range []bool{false, true} {
		t.Run(strconv.FormatBool(filtered), func(t *testing.T) {
			f := newFixture(t)
			f.metrics.metrics = nil
			for _, namespace := range []string{"A", "B"} {
				for i := range 700 {
					f.metrics.metrics = append(f.metrics.metrics, cloudwatch.Metric{Namespace: namespace, Name: fmt.Sprintf("m%04d", i)})
				}
			}
			f.put(func(in *cw.PutMetricStreamInput) {
				if filtered {
					in.IncludeFilters = []types.MetricStreamFilter{{Namespace: new("B")}, {Namespace: new("A")}}
				}
			})
			f.dest.fail = 3
			got := f.after(80 * time.Second)
			assert.NotEmpty(t, got)
			assert.Less(t, len(got), 1400)
			f.open()
			got = append(got, f.after(0)...)
			slices.Sort(got)
			assert.Len(t, got, 1400)
			assert.Len(t, slices.Compact(got), 1400, "nothing comes twice")
			assert.Empty(t, f.after(0))
			assert.Len(t, f.after(time.Minute), 1400)
		})
	}
}

// A point that cannot be said in the format does not hold up the others.
func TestUndeliverablePoint(t *testing.T) {
	for _, format := range metricstream.Formats() {
		f := newFixture(t)
		f.dest.format = format
		f.metrics.metrics = []cloudwatch.Metric{{Namespace: ":", Name: "bad"}, {Namespace: "A", Name: "one"}, {Namespace: "A", Name: "\x00"}}
		f.put(func(in *cw.PutMetricStreamInput) { in.OutputFormat = types.MetricStreamOutputFormat(format) })
		assert.Equal(t, []string{"A/one@10:00"}, f.after(80*time.Second))
		f.metrics.metrics = f.metrics.metrics[:1]
		assert.Empty(t, f.after(time.Minute))
		assert.Equal(t, 1, f.dest.requests, "there was nothing to send")
	}
}

func TestLargePoints(t *testing.T) {
	f := newFixture(t)
	f.metrics.metrics = nil
	for i := range 300 {
		m := cloudwatch.Metric{Namespace: "A", Name: fmt.Sprintf("m%04d", i)}
		for k := range cloudwatch.MaxDimensions {
			m.Dimensions = append(m.Dimensions, cloudwatch.Dimension{Name: fmt.Sprint("d", k), Value: strings.Repeat("x", 1024)})
		}
		f.metrics.metrics = append(f.metrics.metrics, m)
	}
	f.put(nil)
	assert.Len(t, f.after(80*time.Second), 300)
	assert.LessOrEqual(t, f.dest.largest, metricstream.MaxRecordBytes)
}

// The access key does not go where the destination points to.
func TestRedirect(t *testing.T) {
	f := newFixture(t)
	elsewhere := &destination{format: metricstream.FormatJSON}
	there := httptest.NewServer(elsewhere)
	defer there.Close()
	f.dest.redirect = there.URL
	f.put(nil)
	assert.Empty(t, f.after(80*time.Second))
	assert.Equal(t, 1, f.dest.requests)
	assert.Zero(t, elsewhere.requests)
}

// A stream that is stopped and started while it is delivered begins anew.
func TestStartedAnewMeanwhile(t *testing.T) {
	f := newFixture(t)
	f.metrics.metrics = f.metrics.metrics[:1]
	f.put(nil)
	f.dest.during = func() {
		// In a goroutine of the server's: it must not end the test.
		_, stopErr := f.StopMetricStreams(t.Context(), &cw.StopMetricStreamsInput{Names: []string{"s"}})
		_, startErr := f.StartMetricStreams(t.Context(), &cw.StartMetricStreamsInput{Names: []string{"s"}})
		if err := errors.Join(stopErr, startErr); err != nil {
			t.Error(err)
		}
	}
	assert.Equal(t, []string{"A/one@10:00"}, f.after(10*time.Minute))
	assert.Equal(t, []string{"A/one@10:10"}, f.after(80*time.Second))
}

// What the destination does not take is delivered again, also after a restart, and not for ever.
func TestFailingDestination(t *testing.T) {
	f := newFixture(t)
	f.metrics.metrics = f.metrics.metrics[:1]
	f.put(nil)
	f.dest.refuse = true
	assert.Empty(t, f.after(90*time.Second))
	assert.Equal(t, 1, f.dest.requests)
	assert.Empty(t, f.after(9*time.Second))
	assert.Equal(t, 1, f.dest.requests, "it waits before it tries again")
	assert.Empty(t, f.after(time.Second))
	assert.Equal(t, 2, f.dest.requests)
	f.open()
	f.dest.refuse = false
	assert.Equal(t, []string{"A/one@10:00", "A/one@10:01"}, f.after(time.Minute))
	f.dest.refuse = true
	assert.Empty(t, f.after(3*time.Hour))
	f.dest.refuse = false
	got := f.after(time.Hour)
	assert.Equal(t, "A/one@13:02", got[0], "an hour at most")
	assert.Len(t, got, 60)
}

// Stopped streams deliver nothing, and do not catch up.
func TestStopped(t *testing.T) {
	f := newFixture(t)
	f.metrics.metrics = f.metrics.metrics[:1]
	f.put(nil)
	_, err := f.StopMetricStreams(t.Context(), &cw.StopMetricStreamsInput{Names: []string{"s"}})
	require.NoError(t, err)
	assert.Empty(t, f.after(10*time.Minute))
	_, err = f.StartMetricStreams(t.Context(), &cw.StartMetricStreamsInput{Names: []string{"s"}})
	require.NoError(t, err)
	assert.Equal(t, []string{"A/one@10:10"}, f.after(90*time.Second))
	_, err = f.DeleteMetricStream(t.Context(), &cw.DeleteMetricStreamInput{Name: new("s")})
	require.NoError(t, err)
	assert.Empty(t, f.after(10*time.Minute))
}

func TestStartAndShutdown(t *testing.T) {
	f := newFixture(t)
	f.service.Start()
	f.service.Shutdown()
	f.service.Shutdown()
	_, err := New(t.Context(), Settings{})
	require.ErrorContains(t, err, "a storage client and a clock are required")
}
