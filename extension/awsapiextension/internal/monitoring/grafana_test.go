// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestGrafanaQueries are the requests that the query editors of Grafana's CloudWatch data source make.
func TestGrafanaQueries(t *testing.T) {
	e := newEndpoint(t, nil)
	from := testNow.Add(-5 * time.Minute)
	for i, id := range []string{"i-1", "i-2", `i-"3'`} {
		e.store.add("AWS/EC2", "CPUUtilization", from, []string{"InstanceId", id}, float64(10*i), float64(10*i+1))
	}
	e.store.add("AWS/EC2", "CPUUtilization", from, []string{"AutoScalingGroupName", "asg", "InstanceId", "i-1"}, 50)
	e.store.add("AWS/EC2", "NetworkIn", from, []string{"InstanceId", "i-1"}, 7)
	e.store.add("AWS/EC2", "CPUUtilization", testNow.Add(-24*time.Hour), []string{"InstanceId", "i-old"}, 1)

	builder := func(id, text, label string) types.MetricDataQuery {
		q := expr(id, text, 0, label)
		q.ReturnData = aws.Bool(true)
		return q
	}
	for name, c := range map[string]struct {
		queries []types.MetricDataQuery
		want    []string
	}{
		"builder, one metric": {
			[]types.MetricDataQuery{statQuery("queryA", "AWS/EC2", "CPUUtilization", "Average", 60, "InstanceId", "i-1")},
			[]string{"queryA CPUUtilization: @-5 0 1"},
		},
		"builder, label": {
			[]types.MetricDataQuery{labelled(statQuery("queryA", "AWS/EC2", "CPUUtilization", "p99", 60, "InstanceId", "i-2"), "${PROP('Period')} some words ${PROP('Dim.InstanceId')}")},
			[]string{"queryA 60 some words i-2: @-5 10 11"},
		},
		"builder, all values, older versions": {
			[]types.MetricDataQuery{builder("queryA", `REMOVE_EMPTY(SEARCH('{AWS/EC2,InstanceId} MetricName="CPUUtilization"', 'Average', 60))`, "")},
			[]string{`queryA i-"3': @-5 20 21`, "queryA i-1: @-5 0 1", "queryA i-2: @-5 10 11"},
		},
		"builder, all values": {
			[]types.MetricDataQuery{builder("queryA", `REMOVE_EMPTY(SEARCH('{"AWS/EC2","InstanceId"} MetricName="CPUUtilization"', 'Average', 60))`, "${LABEL}|&|${PROP('Dim.InstanceId')}")},
			[]string{`queryA i-"3'|&|i-"3': @-5 20 21`, "queryA i-1|&|i-1: @-5 0 1", "queryA i-2|&|i-2: @-5 10 11"},
		},
		"builder, some values": {
			[]types.MetricDataQuery{builder("queryA", `REMOVE_EMPTY(SEARCH('{"AWS/EC2","InstanceId"} MetricName="CPUUtilization" "InstanceId"=("i-1" OR "i-\"3\'")', 'Maximum', 60))`, "${PROP('Dim.InstanceId')}")},
			[]string{`queryA i-"3': @-5 20 21`, "queryA i-1: @-5 0 1"},
		},
		"builder, not exact": {
			[]types.MetricDataQuery{builder("queryA", `REMOVE_EMPTY(SEARCH('Namespace="AWS/EC2" MetricName="CPUUtilization" "InstanceId"="i-1"', 'Sum', 60))`, "${LABEL}|&|${PROP('Dim.AutoScalingGroupName')}")},
			[]string{"queryA asg|&|asg: @-5 50", "queryA CPUUtilization|&|--: @-5 0 1"},
		},
		"builder, account": {
			[]types.MetricDataQuery{builder("queryA", `REMOVE_EMPTY(SEARCH('{"AWS/EC2","InstanceId"} MetricName="NetworkIn" :aws.AccountId="123456789012"', 'Sum', 60))`, "${LABEL}")},
			[]string{"queryA NetworkIn: @-5 7"},
		},
		"builder, metrics of another account": {
			[]types.MetricDataQuery{builder("queryA", `REMOVE_EMPTY(SEARCH('{"AWS/EC2","InstanceId"} MetricName="NetworkIn" :aws.AccountId="999999999999"', 'Sum', 60))`, "${LABEL}")},
			nil,
		},
		"code, math": {
			[]types.MetricDataQuery{
				hidden(statQuery("cpu", "AWS/EC2", "CPUUtilization", "Average", 60, "InstanceId", "i-2")), expr("queryB", "cpu * 2", 60, "twice ${MAX}"),
			},
			[]string{"queryB twice 22: @-5 20 22"},
		},
		"code, search and sort": {
			[]types.MetricDataQuery{expr("queryA", `SORT(SEARCH('{AWS/EC2,InstanceId} MetricName="CPUUtilization"', 'Average', 60), MAX, DESC, 1)`, 60, "${PROP('Dim.InstanceId')} max ${MAX}")},
			[]string{`queryA i-"3' max 21: @-5 20 21`},
		},
		"metric query": {
			[]types.MetricDataQuery{expr("queryA", `SELECT AVG(CPUUtilization) FROM SCHEMA("AWS/EC2", InstanceId) GROUP BY InstanceId ORDER BY MAX() DESC LIMIT 2`, 60, "")},
			[]string{`queryA i-"3': @-5 20 21`, "queryA i-2: @-5 10 11"},
		},
		"metric query, label": {
			[]types.MetricDataQuery{expr("queryA", `SELECT MAX(CPUUtilization) FROM "AWS/EC2" WHERE InstanceId != 'i-2' GROUP BY InstanceId`, 60, "${PROP('Dim.InstanceId')} ${PROP('Stat')}")},
			[]string{`queryA i-"3' MAX: @-5 20 21`, "queryA i-1 MAX: @-5 50 1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			out := e.get(60, c.queries...)
			assert.Equal(t, c.want, e.rows(out))
			for _, r := range out.MetricDataResults {
				assert.Equal(t, types.StatusCodeComplete, r.StatusCode)
			}
			assert.Empty(t, out.Messages)
		})
	}
	t.Run("alerts ask for results page by page", func(t *testing.T) {
		in := &cw.GetMetricDataInput{
			StartTime: aws.Time(from), EndTime: &e.now, MaxDatapoints: aws.Int32(3), ScanBy: types.ScanByTimestampAscending,
			MetricDataQueries: []types.MetricDataQuery{
				statQuery("queryA", "AWS/EC2", "CPUUtilization", "Average", 60, "InstanceId", "i-1"),
				statQuery("queryB", "AWS/EC2", "CPUUtilization", "Average", 60, "InstanceId", "i-2"),
			},
		}
		values := map[string][]float64{}
		pages := cw.NewGetMetricDataPaginator(e.Client, in)
		for pages.HasMorePages() {
			out, err := pages.NextPage(t.Context())
			require.NoError(t, err)
			for _, r := range out.MetricDataResults {
				values[*r.Id] = append(values[*r.Id], r.Values...)
			}
		}
		assert.Equal(t, map[string][]float64{"queryA": {0, 1}, "queryB": {10, 11}}, values)
	})
}

// TestGrafanaResources are the requests behind its drop-down lists and template variables.
func TestGrafanaResources(t *testing.T) {
	e := newEndpoint(t, nil)
	from := testNow.Add(-5 * time.Minute)
	for i := range 1203 {
		e.store.add("AWS/EC2", "CPUUtilization", from, []string{"InstanceId", "i-" + strconv.Itoa(i), "Team", "t" + strconv.Itoa(i%3)}, 1)
	}
	e.store.add("AWS/EC2", "CPUUtilization", from, []string{"InstanceId", "alone"}, 1)
	e.store.add("AWS/EC2", "NetworkIn", testNow.Add(-13*24*time.Hour), []string{"InstanceId", "i-1"}, 1)
	e.store.add("AWS/EC2", "NetworkOut", testNow.Add(-15*24*time.Hour), []string{"InstanceId", "i-1"}, 1)

	list := func(in *cw.ListMetricsInput) (metrics []types.Metric, accounts []string, pages int) {
		p := cw.NewListMetricsPaginator(e.Client, in)
		for p.HasMorePages() {
			out, err := p.NextPage(t.Context())
			require.NoError(t, err)
			assert.LessOrEqual(t, len(out.Metrics), 500)
			metrics, accounts = append(metrics, out.Metrics...), append(accounts, out.OwningAccounts...)
			pages++
		}
		return metrics, accounts, pages
	}
	metrics, accounts, pages := list(&cw.ListMetricsInput{
		Namespace: aws.String("AWS/EC2"), MetricName: aws.String("CPUUtilization"),
		Dimensions: []types.DimensionFilter{{Name: aws.String("InstanceId")}, {Name: aws.String("Team")}},
	})
	assert.Len(t, metrics, 1203)
	assert.Equal(t, 3, pages)
	assert.Empty(t, accounts)
	metrics, accounts, _ = list(&cw.ListMetricsInput{
		Dimensions: []types.DimensionFilter{{Name: aws.String("Team"), Value: aws.String("t2")}}, IncludeLinkedAccounts: aws.Bool(true),
		OwningAccount: aws.String("123456789012"),
	})
	assert.Len(t, metrics, 401)
	assert.Len(t, accounts, 401)
	metrics, _, pages = list(&cw.ListMetricsInput{Namespace: aws.String("AWS/EC2")})
	assert.Len(t, metrics, 1205, "the metric without data in two weeks is not listed")
	assert.Equal(t, 3, pages)
	metrics, _, _ = list(&cw.ListMetricsInput{Namespace: aws.String("AWS/EC2"), RecentlyActive: types.RecentlyActivePt3h})
	assert.Len(t, metrics, 1204)
	metrics, _, _ = list(&cw.ListMetricsInput{Namespace: aws.String("aws/ec2")})
	assert.Empty(t, metrics)

	_, err := e.ListMetrics(t.Context(), &cw.ListMetricsInput{NextToken: aws.String("nonsense")})
	requireCode(t, err, "InvalidParameterValue", "Request parameter NextToken is invalid")
	first, err := e.ListMetrics(t.Context(), &cw.ListMetricsInput{Namespace: aws.String("AWS/EC2")})
	require.NoError(t, err)
	_, err = e.ListMetrics(t.Context(), &cw.ListMetricsInput{Namespace: aws.String("AWS/EBS"), NextToken: first.NextToken})
	requireCode(t, err, "InvalidParameterValue", "Request parameter NextToken is invalid")
}
