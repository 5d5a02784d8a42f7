// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func (s *memoryStore) datum(name string, at time.Time, unit string, value float64) {
	s.put(cloudwatch.Datum{
		Metric: cloudwatch.Metric{Namespace: "n", Name: name}, TimestampMs: at.UnixMilli(), StorageResolution: 60, Unit: unit, Value: value,
	})
}

// TestRecordedUnits are exchanges that were recorded of CloudWatch: a metric that was published in several units.
func TestRecordedUnits(t *testing.T) {
	e := newEndpoint(t, nil)
	at := testNow.Add(-time.Minute)
	e.store.datum("m", at, "Count", 1)
	e.store.datum("m", at, "Milliseconds", 20)
	e.store.datum("m", at, "Seconds", 300)

	out := e.get(5, statQuery("a", "n", "m", "Sum", 60))
	assert.Equal(t, []string{"a m: @-1 1"}, e.rows(out))
	require.Len(t, out.MetricDataResults[0].Messages, 1)
	assert.Equal(t, "MultipleUnits", *out.MetricDataResults[0].Messages[0].Code)
	assert.Equal(t, "Multiple units returned: '[Count, Milliseconds, Seconds]'", *out.MetricDataResults[0].Messages[0].Value)

	one := statQuery("a", "n", "m", "Sum", 60)
	one.MetricStat.Unit = types.StandardUnitSeconds
	out = e.get(5, one)
	assert.Equal(t, []string{"a m: @-1 300"}, e.rows(out))
	assert.Empty(t, out.MetricDataResults[0].Messages)

	stats, err := e.GetMetricStatistics(t.Context(), &cw.GetMetricStatisticsInput{
		Namespace: aws.String("n"), MetricName: aws.String("m"), StartTime: aws.Time(at), EndTime: aws.Time(testNow), Period: aws.Int32(60),
		Statistics: []types.Statistic{"Sum"}, ExtendedStatistics: []string{"p50"},
	})
	require.NoError(t, err)
	var units []string
	for _, p := range stats.Datapoints {
		units = append(units, string(p.Unit))
		assert.InDelta(t, *p.Sum, p.ExtendedStatistics["p50"], 1e-9)
	}
	slices.Sort(units)
	assert.Equal(t, []string{"Count", "Milliseconds", "Seconds"}, units)
}

// TestRecordedPaging: of twenty minutes, a page of ten holds the newest ten.
func TestRecordedPaging(t *testing.T) {
	e := newEndpoint(t, nil)
	start := testNow.Add(-20 * time.Minute)
	for i := range 20 {
		e.store.datum("m", start.Add(time.Duration(i)*time.Minute), "None", float64(i))
	}
	in := &cw.GetMetricDataInput{
		StartTime: &start, EndTime: aws.Time(testNow), MaxDatapoints: aws.Int32(10), MetricDataQueries: []types.MetricDataQuery{statQuery("a", "n", "m", "Sum", 60)},
	}
	out, err := e.GetMetricData(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, []float64{19, 18, 17, 16, 15, 14, 13, 12, 11, 10}, out.MetricDataResults[0].Values)
	assert.Equal(t, types.StatusCodePartialData, out.MetricDataResults[0].StatusCode)
	require.NotNil(t, out.NextToken)
	in.NextToken = out.NextToken
	out, err = e.GetMetricData(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, []float64{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}, out.MetricDataResults[0].Values)
	assert.Equal(t, types.StatusCodeComplete, out.MetricDataResults[0].StatusCode)
	assert.Nil(t, out.NextToken)
}

// TestTiers: what period may be read depends on the age of the start, and another one is an empty answer.
func TestTiers(t *testing.T) {
	e := newEndpoint(t, nil)
	for _, age := range []time.Duration{time.Hour, 4 * time.Hour, 16 * 24 * time.Hour, 64 * 24 * time.Hour} {
		at := testNow.Add(-age)
		e.store.put(cloudwatch.Datum{
			Metric: cloudwatch.Metric{Namespace: "n", Name: "m"}, TimestampMs: at.UnixMilli(), StorageResolution: 1, Unit: "None", Value: 1,
		})
	}
	for _, c := range []struct {
		age    time.Duration
		period int32
		want   int
	}{
		{time.Hour, 1, 1},
		{time.Hour, 5, 1},
		{time.Hour, 10, 1},
		{time.Hour, 20, 1},
		{time.Hour, 30, 1},
		{time.Hour, 60, 1},
		{3 * time.Hour, 30, 1},
		{3*time.Hour + time.Second, 30, 0},
		{4 * time.Hour, 1, 0},
		{4 * time.Hour, 60, 2},
		{16 * 24 * time.Hour, 60, 0},
		{16 * 24 * time.Hour, 240, 0},
		{16 * 24 * time.Hour, 300, 3},
		{64 * 24 * time.Hour, 300, 0},
		{64 * 24 * time.Hour, 3600, 4},
	} {
		start := testNow.Add(-c.age)
		out, err := e.GetMetricData(t.Context(), &cw.GetMetricDataInput{
			StartTime: &start, EndTime: aws.Time(testNow), MetricDataQueries: []types.MetricDataQuery{statQuery("a", "n", "m", "Sum", c.period)},
		})
		require.NoError(t, err)
		require.Len(t, out.MetricDataResults, 1)
		assert.Len(t, out.MetricDataResults[0].Values, c.want, "%s %d", c.age, c.period)
		assert.Equal(t, types.StatusCodeComplete, out.MetricDataResults[0].StatusCode)

		if c.age/time.Second/time.Duration(c.period) > maxDatapointsOfStatistics {
			continue
		}
		stats, err := e.GetMetricStatistics(t.Context(), &cw.GetMetricStatisticsInput{
			Namespace: aws.String("n"), MetricName: aws.String("m"), StartTime: &start, EndTime: aws.Time(testNow), Period: &c.period,
			Statistics: []types.Statistic{"Sum"},
		})
		require.NoError(t, err)
		assert.Len(t, stats.Datapoints, c.want)
	}
	_, err := e.GetMetricStatistics(t.Context(), &cw.GetMetricStatisticsInput{
		Namespace: aws.String("n"), MetricName: aws.String("m"), StartTime: aws.Time(testNow.Add(-24 * time.Hour)), EndTime: aws.Time(testNow),
		Period: aws.Int32(1), Statistics: []types.Statistic{"Sum"},
	})
	requireCode(t, err, "InvalidParameterCombination", "You have requested up to 86400 datapoints, which exceeds the limit of 1440. "+
		"You may reduce the datapoints requested by increasing Period, or decreasing the time range.")
}

// TestDocumentedStatistics: the percentiles are those of CloudWatch's own distribution.
func TestDocumentedStatistics(t *testing.T) {
	e := newEndpoint(t, nil)
	at := testNow.Add(-time.Minute)
	for i := range 100 {
		e.store.datum("hundred", at, "None", float64(i+1))
	}
	for i := range 4 {
		e.store.datum("four", at, "None", float64(10*(i+1)))
	}
	e.store.put(cloudwatch.Datum{
		Metric: cloudwatch.Metric{Namespace: "n", Name: "set"}, TimestampMs: at.UnixMilli(), StorageResolution: 60, Unit: "None",
		Statistics: &cloudwatch.StatisticSet{SampleCount: 10, Sum: 50, Minimum: 1, Maximum: 9},
	})
	e.store.datum("negative", at, "None", -5)
	e.store.datum("negative", at, "None", 5)
	for _, c := range []struct {
		name, stat string
		want       float64 // 0: no data point
	}{
		{"hundred", "p50", 50.743},
		{"hundred", "p90", 90.085},
		{"hundred", "p99", 98.996},
		{"hundred", "p100", 100},
		{"hundred", "Average", 50.5},
		{"hundred", "PR(:50)", 50},
		{"hundred", "TC(10:20)", 10},
		{"hundred", "TM(10:20)", 15.5},
		{"hundred", "IQM", 50.5},
		{"four", "p50", 21.114},
		{"four", "p90", 38.941},
		{"four", "SampleCount", 4},
		{"set", "p50", 0},
		{"set", "p0", 1},
		{"set", "p100", 9},
		{"set", "Average", 5},
		{"negative", "p50", 0},
		{"negative", "p0", -5},
		{"negative", "Maximum", 5},
	} {
		out := e.get(5, statQuery("a", "n", c.name, c.stat, 60))
		if c.want == 0 {
			assert.Empty(t, out.MetricDataResults[0].Values, "%s of %s", c.stat, c.name)
			assert.Empty(t, out.MetricDataResults[0].Timestamps)
			continue
		}
		require.Len(t, out.MetricDataResults[0].Values, 1, "%s of %s", c.stat, c.name)
		assert.InDelta(t, c.want, out.MetricDataResults[0].Values[0], 1e-3, "%s of %s", c.stat, c.name)
	}
}

// TestPlaceOfLabels: results are in order of the request, metrics before expressions, and only what is visible labels.
func TestPlaceOfLabels(t *testing.T) {
	e := newEndpoint(t, nil)
	e.store.datum("m", testNow.Add(-time.Minute), "None", 4)
	out := e.get(5, expr("e1", "a*2", 0, "${LABEL} is ${LAST}"), labelled(statQuery("a", "n", "m", "Sum", 60), "${LABEL} ${PROP('Stat')}"),
		statQuery("b", "n", "m", "Minimum", 60), hidden(statQuery("c", "n", "other", "Sum", 60)), labelled(statQuery("d", "n", "none", "Sum", 60), "[${LAST}] ${LABEL}"))
	assert.Equal(t, []string{"a m Sum Sum: @-1 4", "b m: @-1 4", "d [] none:", "e1 e1 is 8: @-1 8"}, e.rows(out))
}
