// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func dimensions(pairs ...string) []types.Dimension {
	var out []types.Dimension
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, types.Dimension{Name: &pairs[i], Value: &pairs[i+1]})
	}
	return out
}

func put(t *testing.T, client *cloudwatch.Client, data ...types.MetricDatum) {
	t.Helper()
	_, err := client.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("shop"), MetricData: data})
	require.NoError(t, err)
}

// requireAPIError checks the code and the status of an answer, and returns its message.
func requireAPIError(t *testing.T, err error, code string, status int) (message string) {
	t.Helper()
	var e smithy.APIError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, code, e.ErrorCode())
	var response *smithyhttp.ResponseError
	require.ErrorAs(t, err, &response)
	assert.Equal(t, status, response.HTTPStatusCode())
	return e.ErrorMessage()
}

func TestMetricsThereAndBack(t *testing.T) {
	c := startCollector(t, options{})
	client := cloudwatch.NewFromConfig(c.aws())
	at := minuteAgo()
	orders := dimensions("service", "orders", "zone", "a")
	put(t, client,
		types.MetricDatum{MetricName: aws.String("latency"), Dimensions: orders, Timestamp: &at, Unit: "Milliseconds", Value: aws.Float64(10)},
		types.MetricDatum{
			MetricName: aws.String("latency"), Dimensions: orders, Timestamp: &at, Unit: "Milliseconds",
			Values: []float64{1, 10}, Counts: []float64{2, 4},
		},
		types.MetricDatum{MetricName: aws.String("latency"), Dimensions: dimensions("service", "payments"), Timestamp: &at, Value: aws.Float64(7)},
		types.MetricDatum{
			MetricName: aws.String("batch"), Timestamp: &at,
			StatisticValues: &types.StatisticSet{
				SampleCount: aws.Float64(4), Sum: aws.Float64(10), Minimum: aws.Float64(1), Maximum: aws.Float64(4),
			},
		},
	)

	list, err := client.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{Namespace: aws.String("shop")})
	require.NoError(t, err)
	require.Len(t, list.Metrics, 3)
	assert.Nil(t, list.NextToken)
	list, err = client.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{
		Dimensions:     []types.DimensionFilter{{Name: aws.String("service"), Value: aws.String("orders")}, {Name: aws.String("zone")}},
		RecentlyActive: types.RecentlyActivePt3h,
	})
	require.NoError(t, err)
	require.Len(t, list.Metrics, 1)
	assert.Equal(t, "latency", *list.Metrics[0].MetricName)
	assert.Equal(t, "shop", *list.Metrics[0].Namespace)
	assert.Len(t, list.Metrics[0].Dimensions, 2)
	list, err = client.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{Namespace: aws.String("other"), IncludeLinkedAccounts: aws.Bool(true)})
	require.NoError(t, err)
	assert.Empty(t, list.Metrics)

	stats, err := client.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("shop"), MetricName: aws.String("latency"), Dimensions: slices.Clone(orders),
		StartTime: aws.Time(at), EndTime: aws.Time(at.Add(time.Minute)), Period: aws.Int32(60),
		Statistics:         []types.Statistic{"SampleCount", "Sum", "Average", "Minimum", "Maximum"},
		ExtendedStatistics: []string{"p0", "p100", "TC(5:20)"},
	})
	require.NoError(t, err)
	require.Len(t, stats.Datapoints, 1)
	p := stats.Datapoints[0]
	assert.Equal(t, "latency", *stats.Label)
	assert.Equal(t, types.StandardUnitMilliseconds, p.Unit)
	assert.True(t, at.Equal(*p.Timestamp))
	assert.Equal(t, []float64{7, 52, 52.0 / 7, 1, 10}, []float64{*p.SampleCount, *p.Sum, *p.Average, *p.Minimum, *p.Maximum})
	assert.Equal(t, map[string]float64{"p0": 1, "p100": 10, "TC(5:20)": 5}, p.ExtendedStatistics)

	stats, err = client.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("shop"), MetricName: aws.String("batch"),
		StartTime: aws.Time(at), EndTime: aws.Time(at.Add(time.Minute)), Period: aws.Int32(60),
		ExtendedStatistics: []string{"p50"},
	})
	require.NoError(t, err)
	assert.Empty(t, stats.Datapoints, "a statistic set has no percentiles")
	stats, err = client.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("shop"), MetricName: aws.String("nosuch"),
		StartTime: aws.Time(at), EndTime: aws.Time(at.Add(time.Minute)), Period: aws.Int32(60), Statistics: []types.Statistic{"Sum"},
	})
	require.NoError(t, err)
	assert.Equal(t, "nosuch", *stats.Label)
	assert.Empty(t, stats.Datapoints)
}

func TestMetricsOfAnotherRegion(t *testing.T) {
	c := startCollector(t, options{})
	at := minuteAgo()
	put(t, cloudwatch.NewFromConfig(c.aws()), types.MetricDatum{MetricName: aws.String("m"), Timestamp: &at, Value: aws.Float64(1)})
	other := c.aws()
	other.Region = "us-west-2"
	list, err := cloudwatch.NewFromConfig(other).ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
	require.NoError(t, err)
	assert.Empty(t, list.Metrics)
}

// inUTC makes times comparable: the SDK answers in the local zone.
func inUTC(times []time.Time) []time.Time {
	for i := range times {
		times[i] = times[i].UTC()
	}
	return times
}

func query(id, name, stat string, change ...func(*types.MetricDataQuery)) types.MetricDataQuery {
	q := types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{
		Metric: &types.Metric{Namespace: aws.String("shop"), MetricName: &name}, Period: aws.Int32(60), Stat: &stat,
	}}
	for _, f := range change {
		f(&q)
	}
	return q
}

// TestGetMetricData publishes ten minutes of a metric, and asks in the ways that clients do.
func TestGetMetricData(t *testing.T) {
	c := startCollector(t, options{})
	client := cloudwatch.NewFromConfig(c.aws())
	start := minuteAgo().Add(-10 * time.Minute)
	end := start.Add(10 * time.Minute)
	var data []types.MetricDatum
	for i := range 10 {
		at := start.Add(time.Duration(i)*time.Minute + 30*time.Second)
		data = append(data,
			types.MetricDatum{MetricName: aws.String("m"), Timestamp: &at, Unit: "Count", Value: aws.Float64(float64(i))},
			types.MetricDatum{MetricName: aws.String("m"), Timestamp: &at, Unit: "Count", Value: aws.Float64(float64(i + 10))})
	}
	at := start.Add(5 * time.Minute)
	data = append(data, types.MetricDatum{MetricName: aws.String("units"), Timestamp: &at, Unit: "Seconds", Value: aws.Float64(1)},
		types.MetricDatum{MetricName: aws.String("units"), Timestamp: &at, Unit: "Milliseconds", Value: aws.Float64(2)})
	put(t, client, data...)
	get := func(change func(*cloudwatch.GetMetricDataInput), queries ...types.MetricDataQuery) *cloudwatch.GetMetricDataOutput {
		t.Helper()
		in := &cloudwatch.GetMetricDataInput{StartTime: &start, EndTime: &end, MetricDataQueries: queries}
		if change != nil {
			change(in)
		}
		out, err := client.GetMetricData(t.Context(), in)
		require.NoError(t, err)
		for _, r := range out.MetricDataResults {
			inUTC(r.Timestamps)
		}
		return out
	}
	minutes := func(n ...int) (times []time.Time) {
		for _, i := range n {
			times = append(times, start.Add(time.Duration(i)*time.Minute))
		}
		return times
	}
	ascending := func(in *cloudwatch.GetMetricDataInput) { in.ScanBy = types.ScanByTimestampAscending }

	out := get(nil, query("a", "m", "Sum"), query("b", "m", "Average"), query("hidden", "m", "Maximum", func(q *types.MetricDataQuery) {
		q.ReturnData = aws.Bool(false)
	}))
	require.Len(t, out.MetricDataResults, 2)
	assert.NotNil(t, out.Messages)
	assert.Nil(t, out.NextToken)
	a, b := out.MetricDataResults[0], out.MetricDataResults[1]
	assert.Equal(t, minutes(9, 8, 7, 6, 5, 4, 3, 2, 1, 0), a.Timestamps, "newest first")
	assert.Equal(t, []float64{28, 26, 24, 22, 20, 18, 16, 14, 12, 10}, a.Values)
	assert.Equal(t, "m Sum", *a.Label)
	assert.Equal(t, types.StatusCodeComplete, a.StatusCode)
	assert.Equal(t, "m Average", *b.Label)
	assert.InDelta(t, 14, b.Values[0], 1e-9)

	out = get(ascending, query("p", "m", "p100", func(q *types.MetricDataQuery) {
		q.MetricStat.Period, q.Label = aws.Int32(300), aws.String("worst")
	}))
	assert.Equal(t, "worst", *out.MetricDataResults[0].Label)
	assert.Equal(t, []float64{14, 19}, out.MetricDataResults[0].Values)

	t.Run("percentile", func(t *testing.T) {
		out := get(ascending, query("p", "m", "p99"))
		require.Len(t, out.MetricDataResults[0].Values, 10)
		assert.InEpsilon(t, 19, out.MetricDataResults[0].Values[9], 0.1)
	})
	t.Run("units", func(t *testing.T) {
		r := get(nil, query("u", "units", "Sum")).MetricDataResults[0]
		assert.Equal(t, []float64{2}, r.Values, "the alphabetically first unit")
		require.Len(t, r.Messages, 1)
		assert.Equal(t, "MultipleUnits", *r.Messages[0].Code)
		assert.Equal(t, "Multiple units returned: '[Milliseconds, Seconds]'", *r.Messages[0].Value)
		r = get(nil, query("u", "units", "Sum", func(q *types.MetricDataQuery) { q.MetricStat.Unit = "Seconds" })).MetricDataResults[0]
		assert.Equal(t, []float64{1}, r.Values)
		assert.Empty(t, r.Messages)
	})
	t.Run("unknown metric", func(t *testing.T) {
		r := get(nil, query("u", "nosuch", "Sum")).MetricDataResults[0]
		assert.Equal(t, types.StatusCodeComplete, r.StatusCode)
		assert.Empty(t, r.Values)
	})
	t.Run("account", func(t *testing.T) {
		out := get(nil, query("mine", "m", "Sum", func(q *types.MetricDataQuery) { q.AccountId = aws.String("123456789012") }),
			query("theirs", "m", "Sum", func(q *types.MetricDataQuery) { q.AccountId = aws.String("999999999999") }))
		assert.Equal(t, types.StatusCodeComplete, out.MetricDataResults[0].StatusCode)
		assert.Len(t, out.MetricDataResults[0].Values, 10)
		assert.Equal(t, types.StatusCodeForbidden, out.MetricDataResults[1].StatusCode)
		assert.Equal(t, "Forbidden", *out.MetricDataResults[1].Messages[0].Code)
	})
	t.Run("pages", func(t *testing.T) {
		for _, scan := range []types.ScanBy{types.ScanByTimestampDescending, types.ScanByTimestampAscending} {
			in := &cloudwatch.GetMetricDataInput{
				StartTime: &start, EndTime: &end, MaxDatapoints: aws.Int32(4), ScanBy: scan,
				MetricDataQueries: []types.MetricDataQuery{query("a", "m", "Sum"), query("b", "m", "Minimum"), query("none", "nosuch", "Sum")},
			}
			values := make(map[string][]float64)
			times := make(map[string][]time.Time)
			pages := 0
			p := cloudwatch.NewGetMetricDataPaginator(client, in)
			for p.HasMorePages() {
				out, err := p.NextPage(t.Context())
				require.NoError(t, err)
				pages++
				n := 0
				for _, r := range out.MetricDataResults {
					values[*r.Id] = append(values[*r.Id], r.Values...)
					times[*r.Id] = append(times[*r.Id], inUTC(r.Timestamps)...)
					n += len(r.Values)
				}
				assert.LessOrEqual(t, n, 4)
			}
			assert.Equal(t, 8, pages, "30 slots, 4 a page")
			want := []float64{28, 26, 24, 22, 20, 18, 16, 14, 12, 10}
			wantTimes := minutes(9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
			if scan == types.ScanByTimestampAscending {
				slices.Reverse(want)
				slices.Reverse(wantTimes)
			}
			assert.Equal(t, want, values["a"])
			assert.Equal(t, wantTimes, times["a"])
			assert.Len(t, values["b"], 10)
			assert.Empty(t, values["none"])
		}
	})
	t.Run("first page", func(t *testing.T) {
		in := &cloudwatch.GetMetricDataInput{
			StartTime: &start, EndTime: &end, MaxDatapoints: aws.Int32(4),
			MetricDataQueries: []types.MetricDataQuery{query("a", "m", "Sum"), query("b", "m", "Minimum")},
		}
		out, err := client.GetMetricData(t.Context(), in)
		require.NoError(t, err)
		require.Len(t, out.MetricDataResults, 2)
		assert.Equal(t, []float64{28, 26, 24, 22}, out.MetricDataResults[0].Values)
		assert.Equal(t, types.StatusCodePartialData, out.MetricDataResults[0].StatusCode)
		assert.Empty(t, out.MetricDataResults[1].Values)
		assert.Equal(t, types.StatusCodePartialData, out.MetricDataResults[1].StatusCode)

		in.NextToken, in.ScanBy = out.NextToken, types.ScanByTimestampAscending
		_, err = client.GetMetricData(t.Context(), in)
		requireAPIError(t, err, "InvalidNextToken", 400)
	})
	t.Run("end in a bucket", func(t *testing.T) {
		r := get(func(in *cloudwatch.GetMetricDataInput) {
			in.EndTime = aws.Time(start.Add(2*time.Minute + 10*time.Second))
		}, query("a", "m", "Sum")).MetricDataResults[0]
		assert.Equal(t, minutes(1, 0), r.Timestamps, "the end is rounded down to the period")
	})
	t.Run("too old for the period", func(t *testing.T) {
		r := get(func(in *cloudwatch.GetMetricDataInput) { in.StartTime = aws.Time(start.Add(-20 * 24 * time.Hour)) },
			query("a", "m", "Sum")).MetricDataResults[0]
		assert.Empty(t, r.Values)
		assert.Equal(t, types.StatusCodeComplete, r.StatusCode)
	})
}

func TestHighResolution(t *testing.T) {
	c := startCollector(t, options{})
	client := cloudwatch.NewFromConfig(c.aws())
	start := minuteAgo()
	var data []types.MetricDatum
	for i := range 30 {
		at := start.Add(time.Duration(i) * time.Second)
		data = append(data,
			types.MetricDatum{MetricName: aws.String("fast"), Timestamp: &at, StorageResolution: aws.Int32(1), Value: aws.Float64(1)},
			types.MetricDatum{MetricName: aws.String("slow"), Timestamp: &at, Value: aws.Float64(1)})
	}
	put(t, client, data...)
	tenSeconds := func(q *types.MetricDataQuery) { q.MetricStat.Period = aws.Int32(10) }
	out, err := client.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(start.Add(3 * time.Second)), EndTime: aws.Time(start.Add(time.Minute)), ScanBy: types.ScanByTimestampAscending,
		MetricDataQueries: []types.MetricDataQuery{
			query("fast", "fast", "Sum", tenSeconds), query("slow", "slow", "Sum", tenSeconds), query("minute", "slow", "Sum"),
		},
	})
	require.NoError(t, err)
	assert.Equal(t, []float64{10, 10, 10}, out.MetricDataResults[0].Values)
	assert.True(t, start.Equal(out.MetricDataResults[0].Timestamps[0]))
	assert.Empty(t, out.MetricDataResults[1].Values, "it has no points of a second")
	assert.Equal(t, []float64{30}, out.MetricDataResults[2].Values)
}

func TestListMetricsPages(t *testing.T) {
	c := startCollector(t, options{})
	client := cloudwatch.NewFromConfig(c.aws())
	at := minuteAgo()
	var data []types.MetricDatum
	for i := range 1000 {
		data = append(data, types.MetricDatum{
			MetricName: aws.String(fmt.Sprintf("m%d", i%2)), Dimensions: dimensions("n", strconv.Itoa(i)), Timestamp: &at, Value: aws.Float64(1),
		})
	}
	put(t, client, data...)
	seen := make(map[string]int)
	pages := 0
	p := cloudwatch.NewListMetricsPaginator(client, &cloudwatch.ListMetricsInput{})
	for p.HasMorePages() {
		out, err := p.NextPage(t.Context())
		require.NoError(t, err)
		pages++
		for _, m := range out.Metrics {
			seen[*m.MetricName+*m.Dimensions[0].Value]++
		}
	}
	assert.Equal(t, 2, pages)
	assert.Len(t, seen, 1000)
	_, err := client.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{NextToken: aws.String("x")})
	message := requireAPIError(t, err, "InvalidParameterValue", 400)
	assert.Equal(t, "Request parameter NextToken is invalid", message)
}

func TestMetricsErrors(t *testing.T) {
	c := startCollector(t, options{})
	client := cloudwatch.NewFromConfig(c.aws())
	now := time.Now().UTC().Truncate(time.Second)
	hour := now.Add(-time.Hour)

	_, err := client.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("n"), MetricData: []types.MetricDatum{
		{MetricName: aws.String("m"), Value: aws.Float64(1), Values: []float64{1}},
	}})
	message := requireAPIError(t, err, "InvalidParameterCombination", 400)
	assert.Equal(t, "The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you "+
		"have specified both.", message)
	var combination *types.InvalidParameterCombinationException
	require.ErrorAs(t, err, &combination)

	statistics := func(change func(*cloudwatch.GetMetricStatisticsInput)) error {
		in := &cloudwatch.GetMetricStatisticsInput{
			Namespace: aws.String("n"), MetricName: aws.String("m"), StartTime: &hour, EndTime: &now, Period: aws.Int32(60),
			Statistics: []types.Statistic{"Sum"},
		}
		change(in)
		_, err := client.GetMetricStatistics(t.Context(), in)
		return err
	}
	for name, c := range map[string]struct {
		change        func(*cloudwatch.GetMetricStatisticsInput)
		code, message string
	}{
		"too many": {
			func(in *cloudwatch.GetMetricStatisticsInput) {
				in.StartTime, in.Period = aws.Time(now.Add(-24*time.Hour).Truncate(time.Minute)), aws.Int32(1)
				in.EndTime = aws.Time(in.StartTime.Add(24 * time.Hour))
			},
			"InvalidParameterCombination", "You have requested up to 86400 datapoints, which exceeds the limit of 1440. " +
				"You may reduce the datapoints requested by increasing Period, or decreasing the time range.",
		},
		"end before start": {
			func(in *cloudwatch.GetMetricStatisticsInput) { in.EndTime = &hour },
			"InvalidParameterValue", "The parameter StartTime must be less than the parameter EndTime.",
		},
		"no statistic": {
			func(in *cloudwatch.GetMetricStatisticsInput) { in.Statistics = nil },
			"InvalidParameterCombination", "Must specify either Statistics or ExtendedStatistics",
		},
		"period": {
			func(in *cloudwatch.GetMetricStatisticsInput) { in.Period = aws.Int32(61) },
			"InvalidParameterValue", "The parameter Period must be a value in the set [1, 5, 10, 20, 30] or a multiple of 60.",
		},
		"extended statistic": {
			func(in *cloudwatch.GetMetricStatisticsInput) { in.ExtendedStatistics = []string{"p101"} },
			"InvalidParameterValue", "The value p101 for parameter ExtendedStatistics.member.1 is invalid.",
		},
		"dimension": {
			func(in *cloudwatch.GetMetricStatisticsInput) { in.Dimensions = dimensions("a", "") },
			"MissingParameter", "The parameter Dimensions.member.1.Value is required.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			message := requireAPIError(t, statistics(c.change), c.code, 400)
			assert.Equal(t, c.message, message)
		})
	}

	for name, c := range map[string]struct {
		change  func(*cloudwatch.GetMetricDataInput)
		message string
	}{
		"start is end": {
			func(in *cloudwatch.GetMetricDataInput) { in.EndTime = aws.Time(hour.Add(time.Millisecond)) },
			"The parameter StartTime must not equal parameter EndTime.",
		},
		"end before start": {
			func(in *cloudwatch.GetMetricDataInput) { in.EndTime = aws.Time(hour.Add(-time.Minute)) },
			"The parameter EndTime must be greater than StartTime.",
		},
		"neither": {
			func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries[0].MetricStat = nil },
			"The parameter MetricDataQueries.member.1.MetricStat is required.\n",
		},
		"both": {
			func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries[0].Expression = aws.String("a+1") },
			"The parameters MetricDataQueries.member.1.Expression and MetricDataQueries.member.1.MetricStat are mutually " +
				"exclusive and you have specified both.",
		},
		"id": {
			func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries[0].Id = aws.String("A") },
			"The value for parameter MetricDataQueries.member.1.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.",
		},
		"ids": {
			func(in *cloudwatch.GetMetricDataInput) {
				in.MetricDataQueries = append(in.MetricDataQueries, in.MetricDataQueries[0])
			},
			"The values for parameter id in MetricDataQueries are not unique.",
		},
		"stat": {
			func(in *cloudwatch.GetMetricDataInput) {
				in.MetricDataQueries[0].MetricStat.Stat = aws.String("Median")
			},
			"The value for parameter MetricDataQueries.member.1.MetricStat.Stat is not a valid statistic.",
		},
		"expression": {
			func(in *cloudwatch.GetMetricDataInput) {
				in.MetricDataQueries[0].MetricStat, in.MetricDataQueries[0].Expression = nil, aws.String("SUM(METRICS()) + m9")
			},
			"Error in expression 'q': ID 'm9' not found",
		},
		"dynamic label": {
			func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries[0].Label = aws.String("x ${MAX") },
			"The value for parameter MetricDataQueries.member.1.Label is invalid: ${MAX has no closing brace",
		},
		"metric": {
			func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries[0].MetricStat.Metric.MetricName = nil },
			"The parameter MetricDataQueries.member.1.MetricStat.Metric.MetricName is required.\n",
		},
		"timezone": {
			func(in *cloudwatch.GetMetricDataInput) {
				in.LabelOptions = &types.LabelOptions{Timezone: aws.String("CET")}
			},
			`The parameter LabelOptions.Timezone must have the form +HHMM or -HHMM, not "CET".`,
		},
		"many": {
			func(in *cloudwatch.GetMetricDataInput) { in.MaxDatapoints = aws.Int32(100801) },
			"The parameter MaxDatapoints must be a value between 1 and 100800.",
		},
	} {
		t.Run("data: "+name, func(t *testing.T) {
			in := &cloudwatch.GetMetricDataInput{StartTime: &hour, EndTime: &now, MetricDataQueries: []types.MetricDataQuery{query("q", "m", "Sum")}}
			c.change(in)
			_, err := client.GetMetricData(t.Context(), in)
			message := requireAPIError(t, err, "ValidationError", 400)
			assert.Equal(t, c.message, message)
		})
	}

	_, err = client.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("n"), MetricData: []types.MetricDatum{
		{MetricName: aws.String("m"), Value: aws.Float64(math.NaN())},
	}})
	message = requireAPIError(t, err, "InvalidParameterValue", 400)
	assert.Equal(t, "The value NaN for parameter MetricData.member.1.Value is invalid.", message)
}

// TestMetricsByQuery does the same as old clients do.
func TestMetricsByQuery(t *testing.T) {
	c := startCollector(t, options{})
	at := minuteAgo().Format(time.RFC3339)
	body := "Action=PutMetricData&Version=2010-08-01&Namespace=n&MetricData.member.1.MetricName=m&MetricData.member.1.Timestamp=" + at +
		"&MetricData.member.1.Value=1.5&MetricData.member.1.Unit=Count&MetricData.member.1.Dimensions.member.1.Name=a" +
		"&MetricData.member.1.Dimensions.member.1.Value=b"
	status, answer := c.post("application/x-www-form-urlencoded", body)
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, answer, "<PutMetricDataResponse")
	status, answer = c.post("application/x-www-form-urlencoded", "Action=ListMetrics&Version=2010-08-01")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, answer, "<MetricName>m</MetricName>")
	status, answer = c.post("application/x-www-form-urlencoded", strings.Replace(body, "Value=1.5", "Value=NaN", 1))
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, answer, "<Code>InvalidParameterValue</Code>")
}
