// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func expression(id, text string, change ...func(*types.MetricDataQuery)) types.MetricDataQuery {
	q := types.MetricDataQuery{Id: &id, Expression: &text}
	for _, f := range change {
		f(&q)
	}
	return q
}

func hidden(q *types.MetricDataQuery) { q.ReturnData = aws.Bool(false) }

func labelled(label string) func(*types.MetricDataQuery) {
	return func(q *types.MetricDataQuery) { q.Label = &label }
}

// mathCollector has five minutes of metrics: requests 10 20 30 40 50, errors 1 - 3 - 5, and the latency of two hosts.
func mathCollector(t *testing.T) (client *cloudwatch.Client, start time.Time) {
	t.Helper()
	c := startCollector(t, options{})
	client = cloudwatch.NewFromConfig(c.aws())
	start = minuteAgo().Add(-5 * time.Minute)
	var data []types.MetricDatum
	add := func(name string, minute int, value float64, pairs ...string) {
		at := start.Add(time.Duration(minute) * time.Minute)
		data = append(data, types.MetricDatum{MetricName: &name, Timestamp: &at, Value: &value, Dimensions: dimensions(pairs...)})
	}
	for i := range 5 {
		add("requests", i, float64(10*(i+1)))
		if i%2 == 0 {
			add("errors", i, float64(i+1))
		}
		add("Latency", i, float64(i+1), "Host", "alpha")
		add("Latency", i, float64(10*i), "Host", "beta")
		add("Latency", i, 7, "Host", "beta", "Zone", "z")
	}
	put(t, client, data...)
	return client, start
}

// TestExpressions evaluates metric math as clients ask for it.
func TestExpressions(t *testing.T) {
	client, start := mathCollector(t)
	get := func(t *testing.T, change func(*cloudwatch.GetMetricDataInput), queries ...types.MetricDataQuery) *cloudwatch.GetMetricDataOutput {
		t.Helper()
		in := &cloudwatch.GetMetricDataInput{
			StartTime: &start, EndTime: aws.Time(start.Add(5 * time.Minute)), MetricDataQueries: queries, ScanBy: types.ScanByTimestampAscending,
		}
		if change != nil {
			change(in)
		}
		out, err := client.GetMetricData(t.Context(), in)
		require.NoError(t, err)
		assert.Nil(t, out.NextToken)
		for _, r := range out.MetricDataResults {
			inUTC(r.Timestamps)
		}
		return out
	}
	// rows are "id label: values", with the minute before a value that does not follow the one before.
	rows := func(out *cloudwatch.GetMetricDataOutput) (list []string) {
		for _, r := range out.MetricDataResults {
			var b strings.Builder
			b.WriteString(*r.Id + " " + *r.Label + ":")
			for i, v := range r.Values {
				minute := int(r.Timestamps[i].Sub(start) / time.Minute)
				if minute != i {
					b.WriteString(" @" + strconv.Itoa(minute))
				}
				b.WriteString(" " + strconv.FormatFloat(v, 'g', 4, 64))
			}
			list = append(list, b.String())
		}
		return list
	}

	t.Run("order, labels and hidden queries", func(t *testing.T) {
		out := get(t, nil,
			expression("rate", "100*errors/requests", labelled("error rate")),
			query("errors", "errors", "Sum", hidden),
			expression("twice", "METRICS()*factor"),
			expression("factor", "MAX(requests)/25", hidden),
			expression("filled", "FILL([errors, requests], 0)", labelled("Filled:")),
			query("requests", "requests", "Sum"),
		)
		assert.Equal(t, []string{
			"requests requests: 10 20 30 40 50",
			"rate error rate: 10 0 10 0 10",
			"twice errors: 2 @2 6 @4 10",
			"twice requests: 20 40 60 80 100",
			"filled Filled: errors: 1 0 3 0 5",
			"filled Filled: requests: 10 20 30 40 50",
		}, rows(out))
		for _, r := range out.MetricDataResults {
			assert.Equal(t, types.StatusCodeComplete, r.StatusCode)
			assert.Empty(t, r.Messages)
		}
		assert.Empty(t, out.Messages)
	})
	t.Run("newest first", func(t *testing.T) {
		out := get(t, func(in *cloudwatch.GetMetricDataInput) { in.ScanBy = "" },
			query("m1", "requests", "Sum"), expression("e1", "RATE(m1)"), expression("e2", "RUNNING_SUM(m1)"))
		assert.Equal(t, []float64{50, 40, 30, 20, 10}, out.MetricDataResults[0].Values)
		assert.Equal(t, []float64{10. / 60, 10. / 60, 10. / 60, 10. / 60}, out.MetricDataResults[1].Values)
		assert.Equal(t, []float64{150, 100, 60, 30, 10}, out.MetricDataResults[2].Values)
		assert.Equal(t, start.Add(4*time.Minute), out.MetricDataResults[1].Timestamps[0])
		assert.Equal(t, "e1", *out.MetricDataResults[1].Label)
	})
	t.Run("without a metric", func(t *testing.T) {
		assert.Equal(t, []string{"e1 e1: 5 5 5 5 5"}, rows(get(t, nil, expression("e1", "TIME_SERIES(5)"))))
		assert.Equal(t, []string{"e1 e1: 5"}, rows(get(t, nil, expression("e1", "TIME_SERIES(5)", func(q *types.MetricDataQuery) {
			q.Period = aws.Int32(300)
		}))))
	})
	t.Run("missing points", func(t *testing.T) {
		out := get(t, nil, query("m1", "errors", "Sum", hidden), query("m2", "requests", "Sum", hidden), query("none", "nosuch", "Sum", hidden),
			expression("a", "m1+m2"), expression("b", "m2/m1"), expression("c", "m2*0+AVG(m1)"), expression("d", "FILL(m1,LINEAR)"),
			expression("e", "IF(m2>20, m1, -1)"), expression("f", "none+1"), expression("g", "REMOVE_EMPTY([none])"))
		assert.Equal(t, []string{
			"a a: 11 20 33 40 55", "b b: 10 @2 10 @4 10", "c c: 1.8 1.8 1.8 1.8 1.8", "d d: 1 2 3 4 5", "e e: -1 -1 3 0 5", "f f:",
		}, rows(out))
		assert.NotNil(t, out.MetricDataResults[5].Values)
	})
	t.Run("SEARCH", func(t *testing.T) {
		period := func(q *types.MetricDataQuery) { q.Period = aws.Int32(60) }
		assert.Equal(t, []string{"e1 alpha: 1 2 3 4 5", "e1 beta: 0 10 20 30 40"},
			rows(get(t, nil, expression("e1", `SEARCH('{shop,Host} MetricName="Latency"', 'Average', 60)`))))
		assert.Equal(t, []string{
			"requests requests: 10 20 30 40 50",
			"all alpha Latency: 1 2 3 4 5", "all beta Latency: 0 10 20 30 40", "all beta z Latency: 7 7 7 7 7",
			"sum sum: 8 19 30 41 52", "top top alpha Latency: 1 2 3 4 5",
		}, rows(get(t, nil, query("requests", "requests", "Sum"), expression("all", `SEARCH("latency host", "Maximum")`, period),
			expression("sum", "SUM(all)"), expression("top", "SORT(SLICE(all, 0, 2), SUM, ASC, 1)", labelled("top")))))
		assert.Equal(t, []string{"e1 requests: 150"},
			rows(get(t, nil, expression("e1", `SEARCH('{shop} NOT errors', 'Sum', 300)`, period))))
		assert.Empty(t, rows(get(t, nil, expression("e1", `SEARCH(' {shop,Host} MetricName="nosuch" ', 'Sum', 60)`))))
		assert.Equal(t, []string{"e1 e1:"}, rows(get(t, nil, expression("e1", `SUM(SEARCH('{other}', 'Sum', 60))`))))
	})
	t.Run("a budget too small", func(t *testing.T) {
		out := get(t, func(in *cloudwatch.GetMetricDataInput) { in.MaxDatapoints = aws.Int32(7) },
			query("m1", "requests", "Sum"), query("m2", "errors", "Sum"), expression("e1", "m1*2"), expression("e2", "SUM(METRICS())"))
		assert.Equal(t, []string{"m1 requests: 10 20 30 40 50", "m2 errors: 1", "e1 e1: 20 40 60 80 100", "e2 e2: 11 20 30 40 50"}, rows(out))
		var status []types.StatusCode
		for _, r := range out.MetricDataResults {
			status = append(status, r.StatusCode)
		}
		assert.Equal(t, []types.StatusCode{"Complete", "PartialData", "Complete", "PartialData"}, status)
		require.Len(t, out.MetricDataResults[3].Messages, 1)
		assert.Equal(t, "PartialData", *out.MetricDataResults[3].Messages[0].Code)
		assert.Equal(t, "The expression may contain partial data as one or more metrics have StatusCode 'Paginated'",
			*out.MetricDataResults[3].Messages[0].Value)
	})
	t.Run("several units", func(t *testing.T) {
		at := start.Add(time.Minute)
		put(t, client, types.MetricDatum{MetricName: aws.String("units"), Timestamp: &at, Unit: "Seconds", Value: aws.Float64(1)},
			types.MetricDatum{MetricName: aws.String("units"), Timestamp: &at, Unit: "Milliseconds", Value: aws.Float64(2)})
		out := get(t, nil, query("m1", "units", "Sum", hidden), expression("e1", "m1"), expression("e2", `SEARCH('"units"', 'Sum', 60)`),
			expression("e3", "e1*METRICS()"))
		assert.Equal(t, []string{"e1 e1: @1 2", "e2 units: @1 2", "e3 units: @1 4"}, rows(out))
		for _, r := range out.MetricDataResults {
			require.Len(t, r.Messages, 1)
			assert.Equal(t, "Multiple units returned: '[Milliseconds, Seconds]'", *r.Messages[0].Value)
		}
	})
	t.Run("another account", func(t *testing.T) {
		out := get(t, nil, query("m1", "requests", "Sum", hidden, func(q *types.MetricDataQuery) { q.AccountId = aws.String("999999999999") }),
			expression("e1", "FILL(m1, 0)"))
		require.Len(t, out.MetricDataResults, 1)
		assert.Equal(t, types.StatusCodeForbidden, out.MetricDataResults[0].StatusCode)
		assert.Empty(t, out.MetricDataResults[0].Values)
	})
}

// TestExpressionErrors checks what CloudWatch says to an expression that it cannot evaluate.
func TestExpressionErrors(t *testing.T) {
	c := startCollector(t, options{})
	client := cloudwatch.NewFromConfig(c.aws())
	for text, want := range map[string]string{
		"FOO(m1)":                   "Error in expression 'e1': Function 'FOO' not found",
		"m1 + m9":                   "Error in expression 'e1': ID 'm9' not found",
		"e1 + m1":                   "Error in expression 'e1': Circular dependency: e1 -> e1",
		"AVG(m1)":                   "Error in expression 'e1': The expression 'e1' must return a time series or array of time series.",
		"m1 +":                      "Error in expression 'e1': Invalid syntax at position 4: expected a value, found the end of the expression",
		"[m1]+[m1]":                 "Error in expression 'e1': Unsupported operand type(s) for +: TS[] and TS[] (at position 4)",
		"SEARCH('a', 'Sum')":        "Error in expression 'e1': Period is a required field when using SEARCH without its own period",
		"SEARCH('(a', 'Sum', 60)":   `Error in expression 'e1': Invalid search query at position 2: expected ")" for the one at position 0`,
		"SEARCH('a', 'Median', 60)": "Error in expression 'e1': 'Median' is not a valid statistic",
		"SEARCH('a', 'Sum', 61)": "Error in expression 'e1': the period of SEARCH must be a value in the set [1, 5, 10, 20, 30] or a " +
			"multiple of 60",
		"SELECT AVG(x) FROM shop":   "Error in expression 'e1': Period is a required field when using query within an expression",
		"SELECT SUM(x)/2 FROM shop": "Error in expression 'e1': Invalid syntax near '/2 FROM shop'",
		"SLICE(METRICS(), -1)":      "Error in expression 'e1': Function 'SLICE' takes a whole number that is not negative as argument 2 (at position 17)",
		"ANOMALY_DETECTION_BAND(m1*0, -1)": "Error in expression 'e1': Function 'ANOMALY_DETECTION_BAND' takes a number greater than 0 " +
			"as argument 2 (at position 29)",
	} {
		_, err := client.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
			StartTime: aws.Time(minuteAgo().Add(-time.Hour)), EndTime: aws.Time(minuteAgo()),
			MetricDataQueries: []types.MetricDataQuery{query("m1", "requests", "Sum"), expression("e1", text)},
		})
		assert.Equal(t, want, requireAPIError(t, err, "ValidationError", 400))
	}
	for want, change := range map[string]func(*types.MetricDataQuery){
		"The parameter MetricDataQueries.member.1.Period must be a value in the set [1, 5, 10, 20, 30] or a multiple of 60.": func(q *types.MetricDataQuery) {
			q.Period = aws.Int32(7)
		},
		"The parameter MetricDataQueries.member.1.AccountId is for MetricStat: expressions are of this account.": func(q *types.MetricDataQuery) {
			q.AccountId = aws.String("999999999999")
		},
		"The value for parameter MetricDataQueries.member.1.Label is invalid: ${MAXIMUM} is not a dynamic value": func(q *types.MetricDataQuery) {
			q.Label = aws.String("${MAXIMUM}")
		},
	} {
		_, err := client.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
			StartTime: aws.Time(minuteAgo().Add(-time.Hour)), EndTime: aws.Time(minuteAgo()),
			MetricDataQueries: []types.MetricDataQuery{expression("e1", "TIME_SERIES(1)", change)},
		})
		assert.Equal(t, want, requireAPIError(t, err, "ValidationError", 400))
	}
}
