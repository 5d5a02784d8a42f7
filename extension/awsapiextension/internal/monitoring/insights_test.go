// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInsights(t *testing.T) {
	e := newEndpoint(t, nil)
	from := testNow.Add(-5 * time.Minute)
	e.store.add("shop", "orders", from, []string{"host", "a"}, 1, 2)
	e.store.add("shop", "orders", from, []string{"host", "b"}, 10, 20)
	e.store.add("shop", "orders", from, nil, 100)
	e.store.add("shop", "errors", from, nil, 5, 5)

	for name, c := range map[string]struct {
		queries []types.MetricDataQuery
		want    []string
	}{
		"one series":              {[]types.MetricDataQuery{expr("q1", `SELECT SUM(orders) FROM shop`, 60, "")}, []string{"q1 q1: @-5 111 22"}},
		"one series, label":       {[]types.MetricDataQuery{expr("q1", `SELECT SUM(orders) FROM shop`, 60, "all")}, []string{"q1 all: @-5 111 22"}},
		"a greater period":        {[]types.MetricDataQuery{expr("q1", `SELECT AVG(orders) FROM SCHEMA(shop, host)`, 300, "")}, []string{"q1 q1: @-5 8.25"}},
		"a period of ten seconds": {[]types.MetricDataQuery{expr("q1", `SELECT COUNT(orders) FROM shop`, 10, "")}, []string{"q1 q1: @-5 3 2"}},
		"groups":                  {[]types.MetricDataQuery{expr("q1", `SELECT SUM(orders) FROM shop GROUP BY host`, 60, "")}, []string{"q1 Other: @-5 100", "q1 a: @-5 1 2", "q1 b: @-5 10 20"}},
		"groups, label":           {[]types.MetricDataQuery{expr("q1", `SELECT SUM(orders) FROM SCHEMA(shop, host) GROUP BY host`, 60, "host")}, []string{"q1 host a: @-5 1 2", "q1 host b: @-5 10 20"}},
		"nothing":                 {[]types.MetricDataQuery{expr("q1", `SELECT SUM(nosuch) FROM shop`, 60, "")}, []string{"q1 q1:"}},
		"no groups":               {[]types.MetricDataQuery{expr("q1", `SELECT SUM(nosuch) FROM shop GROUP BY host`, 60, "")}, nil},
		"in math": {[]types.MetricDataQuery{
			expr("e1", "100*m1/q1", 0, "rate"), hidden(expr("q1", `SELECT SUM(orders) FROM shop`, 60, "")), statQuery("m1", "shop", "errors", "Sum", 60),
		}, []string{"m1 errors: @-5 5 5", "e1 rate: @-5 4.505 22.73"}},
		"groups in math": {[]types.MetricDataQuery{
			hidden(expr("q1", `SELECT SUM(orders) FROM SCHEMA(shop, host) GROUP BY host`, 60, "")), expr("e1", "SUM(q1)", 0, ""), expr("e2", "q1*2", 0, "twice ${LABEL}"),
		}, []string{"e1 e1: @-5 11 22", "e2 twice a: @-5 2 4", "e2 twice b: @-5 20 40"}},
		"not used": {[]types.MetricDataQuery{
			hidden(expr("q1", `SELECT SUM(orders) FROM shop`, 60, "")), expr("e1", "TIME_SERIES(1)", 300, ""),
		}, []string{"e1 e1: @-60 1 1 1 1 1 1 1 1 1 1 1 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			out := e.get(60, c.queries...)
			assert.Equal(t, c.want, e.rows(out))
			assert.Empty(t, out.Messages)
			assert.Nil(t, out.NextToken)
		})
	}

	for want, queries := range map[string][]types.MetricDataQuery{
		"Maximum number of queries (1) exceeded":                                                                                       {expr("q1", "SELECT SUM(orders) FROM shop", 60, ""), hidden(expr("q2", "SELECT SUM(orders) FROM shop", 60, ""))},
		"Error in expression 'q1': Period is a required field when using query within an expression":                                   {expr("q1", "SELECT SUM(orders) FROM shop", 0, "")},
		"The parameter MetricDataQueries.member.1.Period must be a value in the set [1, 5, 10, 20, 30] or a multiple of 60.":           {expr("q1", "SELECT SUM(orders) FROM shop", 61, "")},
		"Error in expression 'q1': Invalid syntax near 'WHERE'":                                                                        {expr("q1", "SELECT SUM(orders) WHERE", 60, "")},
		"Error in expression 'q1': Invalid syntax. Reserved keyword 'Zone' must be surrounded by double quotes":                        {expr("q1", "SELECT SUM(orders) FROM shop GROUP BY Zone", 60, "")},
		"Error in expression 'q1': Invalid syntax. Comparing identifiers is not supported. Values must be surrounded by single quotes": {expr("q1", `SELECT SUM(orders) FROM shop WHERE host = "a"`, 60, "")},
		"Error in expression 'q1': Invalid syntax. 'MEDIAN' is not a valid aggregate function":                                         {expr("q1", "SELECT MEDIAN(orders) FROM shop", 60, "")},
		"Error in expression 'q1': Invalid syntax. 'tag.team' is the tag of a resource: resource tags are not supported here":          {expr("q1", "SELECT SUM(orders) FROM shop WHERE tag.team = 'x'", 60, "")},
		"Error in expression 'e1': Function 'SELECT' not found":                                                                        {expr("e1", "SUM(SELECT(orders))", 60, "")},
	} {
		_, err := e.GetMetricData(t.Context(), &cw.GetMetricDataInput{StartTime: &from, EndTime: &e.now, MetricDataQueries: queries})
		requireCode(t, err, "ValidationError", want)
	}
}

func TestInsightsLimits(t *testing.T) {
	e := newEndpoint(t, nil)
	for i := range 501 {
		e.store.add("shop", "orders", testNow.Add(-time.Minute), []string{"host", fmt.Sprintf("h%03d", i)}, 1)
	}
	start := testNow.Add(-15 * 24 * time.Hour)
	out, err := e.GetMetricData(t.Context(), &cw.GetMetricDataInput{
		StartTime: &start, EndTime: aws.Time(testNow), MetricDataQueries: []types.MetricDataQuery{
			expr("q1", `SELECT SUM(orders) FROM shop GROUP BY host`, 3600, ""),
		},
	})
	require.NoError(t, err)
	assert.Len(t, out.MetricDataResults, 500)
	assert.Equal(t, []string{"MaxQueryTimeRangeExceeded", "MaxQueryResultsExceeded"}, messageCodes(out.Messages))
	assert.Equal(t, "h499", *out.MetricDataResults[499].Label)
}
