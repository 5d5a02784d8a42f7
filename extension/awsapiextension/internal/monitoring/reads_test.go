// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

var errBroken = errors.New("broken")

// countingStore answers every query with nothing, and keeps how it was asked.
type countingStore struct {
	store.MetricStore
	calls []int // queries of each call
	asked []store.MetricQuery
	err   error
}

func (s *countingStore) QueryMetrics(_ context.Context, queries []store.MetricQuery) ([][]store.Bucket, error) {
	s.calls = append(s.calls, len(queries))
	s.asked = append(s.asked, queries...)
	return make([][]store.Bucket, len(queries)), s.err
}

func (s *countingStore) ListMetrics(context.Context, store.MetricFilter, *cloudwatch.Metric, int) ([]cloudwatch.Metric, error) {
	return nil, s.err
}

func dataInput(start, end time.Time, period int32, n int) *cw.GetMetricDataInput {
	in := &cw.GetMetricDataInput{StartTime: &start, EndTime: &end}
	for i := range n {
		in.MetricDataQueries = append(in.MetricDataQueries, types.MetricDataQuery{
			Id: aws.String("q" + strings.Repeat("x", i)),
			MetricStat: &types.MetricStat{
				Metric: &types.Metric{Namespace: aws.String("n"), MetricName: aws.String("m")}, Period: &period, Stat: aws.String("Sum"),
			},
		})
	}
	return in
}

// TestGetMetricDataReadsInParts checks that much data is asked for in several calls, and that a page ends at its budget.
func TestGetMetricDataReadsInParts(t *testing.T) {
	reads := &countingStore{}
	s := &service{store: reads, now: func() time.Time { return testNow }}
	ctx, _ := testContext(t)
	in := dataInput(testNow.Add(-14*24*time.Hour), testNow, 60, 10) // 20,160 minutes each
	out, err := s.getMetricData(ctx, in)
	require.NoError(t, err)
	assert.Equal(t, []int{4, 1}, reads.calls, "five queries fill the page")
	require.Len(t, out.MetricDataResults, 10)
	require.NotNil(t, out.NextToken)
	assert.Equal(t, types.StatusCodePartialData, out.MetricDataResults[9].StatusCode)
	in.NextToken = out.NextToken
	out, err = s.getMetricData(ctx, in)
	require.NoError(t, err)
	require.Len(t, out.MetricDataResults, 5)
	assert.Nil(t, out.NextToken)

	small := dataInput(testNow.Add(-time.Hour), testNow, 60, 10)
	reads.calls = nil
	_, err = s.getMetricData(ctx, small)
	require.NoError(t, err)
	assert.Equal(t, []int{10}, reads.calls)

	reads.err = errBroken
	_, err = s.getMetricData(ctx, small)
	require.ErrorIs(t, err, errBroken)
	_, err = s.listMetrics(ctx, &cw.ListMetricsInput{})
	require.ErrorIs(t, err, errBroken)
	_, err = s.getMetricStatistics(ctx, &cw.GetMetricStatisticsInput{
		Namespace: aws.String("n"), MetricName: aws.String("m"), StartTime: aws.Time(testNow.Add(-time.Hour)), EndTime: &testNow,
		Period: aws.Int32(60), Statistics: []types.Statistic{"Sum"},
	})
	require.ErrorIs(t, err, errBroken)
}

// TestWindows holds the examples of CloudWatch's documentation and what was recorded of it.
func TestWindows(t *testing.T) {
	day := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	clock := func(h, m, s int) time.Time {
		return day.Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second)
	}
	for name, c := range map[string]struct {
		start, end, now time.Time
		period          int32
		wantStart       time.Time
		wantSlots       int64
	}{
		"minutes":                    {clock(12, 32, 34), clock(12, 35, 0), clock(13, 0, 0), 60, clock(12, 32, 0), 3},
		"ten seconds":                {clock(1, 5, 13), clock(1, 5, 23), clock(1, 6, 0), 10, clock(1, 5, 10), 1},
		"five seconds":               {clock(15, 2, 17), clock(15, 7, 17), clock(15, 8, 0), 5, clock(15, 2, 15), 60},
		"20 days ago":                {day.AddDate(0, 0, -20), day, day, 60, time.Time{}, 0},
		"20 days ago in 5 minutes":   {day.AddDate(0, 0, -20), day.AddDate(0, 0, -19), day, 300, day.AddDate(0, 0, -20), 288},
		"anchored at the start":      {clock(12, 32, 34), clock(12, 47, 0), clock(13, 0, 0), 300, clock(12, 32, 0), 3},
		"seconds of yesterday":       {day.AddDate(0, 0, -1), day, day, 1, time.Time{}, 0},
		"a window within one period": {clock(12, 0, 10), clock(12, 0, 50), clock(13, 0, 0), 60, time.Time{}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			queries, err := readDataQueries(dataInput(c.start, c.end, c.period, 1), "1", c.now)
			require.NoError(t, err)
			q := queries[0]
			assert.Equal(t, c.wantSlots, q.slots)
			if c.wantSlots > 0 {
				assert.Equal(t, c.wantStart, time.Unix(q.start, 0).UTC())
				assert.LessOrEqual(t, q.end, c.end.Unix())
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	s := &service{store: &countingStore{}, now: func() time.Time { return testNow }}
	ctx, _ := testContext(t)
	list := func(change func(*cw.ListMetricsInput)) func() error {
		return func() error {
			in := &cw.ListMetricsInput{}
			change(in)
			_, err := s.listMetrics(ctx, in)
			return err
		}
	}
	statistics := func(change func(*cw.GetMetricStatisticsInput)) func() error {
		return func() error {
			in := &cw.GetMetricStatisticsInput{
				Namespace: aws.String("n"), MetricName: aws.String("m"), StartTime: aws.Time(testNow.Add(-time.Hour)), EndTime: &testNow,
				Period: aws.Int32(60), Statistics: []types.Statistic{"Sum"},
			}
			change(in)
			_, err := s.getMetricStatistics(ctx, in)
			return err
		}
	}
	data := func(change func(*cw.GetMetricDataInput)) func() error {
		return func() error {
			in := dataInput(testNow.Add(-time.Hour), testNow, 60, 1)
			change(in)
			_, err := s.getMetricData(ctx, in)
			return err
		}
	}
	long := strings.Repeat("é", 256)
	const missing, value, validation = codeMissingParameter, codeInvalidValue, codeValidation
	for _, c := range []struct {
		call          func() error
		code, message string
	}{
		{list(func(in *cw.ListMetricsInput) { in.Namespace = aws.String("") }), missing, "The parameter Namespace is required."},
		{list(func(in *cw.ListMetricsInput) { in.MetricName = &long }), value, "The parameter MetricName must be shorter than 256 characters."},
		{
			list(func(in *cw.ListMetricsInput) { in.RecentlyActive = "PT1H" }), value,
			"Request parameter recentlyActive value is invalid",
		},
		{
			list(func(in *cw.ListMetricsInput) { in.OwningAccount = aws.String("999999999999") }), value,
			"The value 999999999999 for parameter OwningAccount is invalid: no account is linked to 123456789012.",
		},
		{
			list(func(in *cw.ListMetricsInput) { in.Dimensions = make([]types.DimensionFilter, 11) }), value,
			"The collection Dimensions must not have a size greater than 10.",
		},
		{
			list(func(in *cw.ListMetricsInput) { in.Dimensions = make([]types.DimensionFilter, 1) }), missing,
			"The parameter Dimensions.member.1.Name is required.",
		},
		{
			statistics(func(in *cw.GetMetricStatisticsInput) { in.StartTime, in.EndTime, in.Period = nil, nil, nil }), missing,
			"The parameter StartTime is required.\nThe parameter EndTime is required.\nThe parameter Period is required.",
		},
		{
			statistics(func(in *cw.GetMetricStatisticsInput) { in.Unit = "Furlongs" }), value,
			"The parameter Unit must be a value in the set " + unitSet + ".",
		},
		{
			statistics(func(in *cw.GetMetricStatisticsInput) { in.Dimensions = make([]types.Dimension, 31) }), value,
			"The collection Dimensions must not have a size greater than 30.",
		},
		{
			statistics(func(in *cw.GetMetricStatisticsInput) {
				d := types.Dimension{Name: aws.String("a"), Value: aws.String("b")}
				in.Dimensions = []types.Dimension{d, d}
			}), value, "No metric may specify the same dimension name twice.",
		},
		{
			statistics(func(in *cw.GetMetricStatisticsInput) { in.Statistics = make([]types.Statistic, 6) }), value,
			"The collection Statistics must not have a size greater than 5.",
		},
		{
			statistics(func(in *cw.GetMetricStatisticsInput) { in.ExtendedStatistics = make([]string, 11) }), value,
			"The collection ExtendedStatistics must not have a size greater than 10.",
		},
		{
			statistics(func(in *cw.GetMetricStatisticsInput) { in.Statistics = []types.Statistic{"p99"} }), value,
			"The parameter Statistics.member.1 must be a value in the set [ SampleCount, Average, Sum, Minimum, Maximum ].",
		},
		{data(func(in *cw.GetMetricDataInput) { in.StartTime = nil }), validation, "The parameter StartTime is required.\n"},
		{data(func(in *cw.GetMetricDataInput) { in.EndTime = nil }), validation, "The parameter EndTime is required.\n"},
		{
			data(func(in *cw.GetMetricDataInput) { in.MetricDataQueries = nil }), validation,
			"The parameter MetricDataQueries is required.\n",
		},
		{
			data(func(in *cw.GetMetricDataInput) { in.MetricDataQueries = make([]types.MetricDataQuery, 501) }), validation,
			"The collection MetricDataQueries must not have a size greater than 500.",
		},
		{
			data(func(in *cw.GetMetricDataInput) { in.ScanBy = "Name" }), validation,
			"1 validation error detected: Value 'Name' at 'scanBy' failed to satisfy constraint: " +
				"Member must satisfy enum value set: [TimestampDescending, TimestampAscending]",
		},
		{
			data(func(in *cw.GetMetricDataInput) { in.MetricDataQueries[0].Period = aws.Int32(60) }), validation,
			"The parameter MetricDataQueries.member.1.Period is for expressions: set MetricDataQueries.member.1.MetricStat.Period.",
		},
		{
			data(func(in *cw.GetMetricDataInput) { in.MetricDataQueries[0].MetricStat.Metric = nil }), validation,
			"The parameter MetricDataQueries.member.1.MetricStat.Metric is required.\n",
		},
		{
			data(func(in *cw.GetMetricDataInput) { in.MetricDataQueries[0].MetricStat.Period = aws.Int32(7) }), validation,
			"The parameter MetricDataQueries.member.1.MetricStat.Period must be a value in the set [1, 5, 10, 20, 30] or a multiple of 60.",
		},
		{
			data(func(in *cw.GetMetricDataInput) { in.MetricDataQueries[0].MetricStat.Unit = "Furlongs" }), validation,
			"The parameter MetricDataQueries.member.1.MetricStat.Unit must be a value in the set " + unitSet + ".",
		},
		{
			data(func(in *cw.GetMetricDataInput) { in.NextToken = aws.String("x") }), codeInvalidNextToken,
			"The value for parameter NextToken is invalid.",
		},
	} {
		var e *awswire.Error
		require.ErrorAs(t, c.call(), &e, c.message)
		assert.Equal(t, c.code, e.Code, c.message)
		assert.Equal(t, c.message, e.Message)
	}
}

func TestListMetricsOfLinkedAccounts(t *testing.T) {
	s := &service{store: &listStore{}, now: func() time.Time { return testNow }}
	ctx, _ := testContext(t)
	out, err := s.listMetrics(ctx, &cw.ListMetricsInput{IncludeLinkedAccounts: aws.Bool(true), OwningAccount: aws.String("123456789012")})
	require.NoError(t, err)
	require.Len(t, out.Metrics, 1)
	assert.Equal(t, "größe", *out.Metrics[0].MetricName)
	assert.Equal(t, []string{"123456789012"}, out.OwningAccounts)
}

type listStore struct{ store.MetricStore }

func (*listStore) ListMetrics(context.Context, store.MetricFilter, *cloudwatch.Metric, int) ([]cloudwatch.Metric, error) {
	return []cloudwatch.Metric{{Namespace: "n", Name: "größe"}}, nil
}
