// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	cwmetric "github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// TestInsightsOfTheStore runs Metrics Insights over what was put, in the real store.
func TestInsightsOfTheStore(t *testing.T) {
	client, start := mathCollector(t)
	get := func(text string) map[string][]float64 {
		t.Helper()
		out, err := client.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
			StartTime: &start, EndTime: aws.Time(start.Add(5 * time.Minute)), ScanBy: types.ScanByTimestampAscending,
			MetricDataQueries: []types.MetricDataQuery{expression("q1", text, func(q *types.MetricDataQuery) { q.Period = aws.Int32(60) })},
		})
		require.NoError(t, err)
		values := make(map[string][]float64)
		for _, r := range out.MetricDataResults {
			values[*r.Label] = r.Values
		}
		return values
	}
	assert.Equal(t, map[string][]float64{"q1": {8, 19, 30, 41, 52}}, get(`SELECT SUM(Latency) FROM shop`))
	assert.Equal(t, map[string][]float64{"q1": {1, 12, 23, 34, 45}}, get(`SELECT SUM(Latency) FROM SCHEMA(shop, Host)`))
	assert.Equal(t, map[string][]float64{"alpha": {1, 2, 3, 4, 5}, "beta": {7, 17, 27, 37, 47}}, get(`SELECT SUM(Latency) FROM shop GROUP BY Host`))
	assert.Equal(t, map[string][]float64{"beta Other": {0, 10, 20, 30, 40}},
		get(`SELECT AVG(Latency) FROM shop WHERE "Zone" != 'z' GROUP BY Host, "Zone" ORDER BY MAX() DESC LIMIT 1`))
}

// TestAnomalyDetectorsAreKept puts a detector through the collector's own storage.
func TestAnomalyDetectorsAreKept(t *testing.T) {
	c := startCollector(t, options{})
	client := cloudwatch.NewFromConfig(c.aws())
	_, err := client.PutAnomalyDetector(t.Context(), &cloudwatch.PutAnomalyDetectorInput{
		SingleMetricAnomalyDetector: &types.SingleMetricAnomalyDetector{
			Namespace: aws.String("shop"), MetricName: aws.String("orders"), Stat: aws.String("Sum"),
		},
	})
	require.NoError(t, err)
	excluded := time.Unix(1_700_000_000, 0).UTC()
	_, err = client.PutAnomalyDetector(t.Context(), &cloudwatch.PutAnomalyDetectorInput{
		SingleMetricAnomalyDetector: &types.SingleMetricAnomalyDetector{
			Namespace: aws.String("shop"), MetricName: aws.String("returns"), Stat: aws.String("Sum"),
		},
		Configuration: &types.AnomalyDetectorConfiguration{
			ExcludedTimeRanges: []types.Range{{StartTime: &excluded, EndTime: aws.Time(excluded.Add(time.Hour))}},
		},
	})
	require.NoError(t, err)
	tenant := cwmetric.Tenant{Account: "123456789012", Region: "eu-west-1"}
	config := c.api.MetricConfig(tenant, &cwmetric.Metric{Namespace: "shop", Name: "returns"}, "Sum")
	assert.Len(t, config.Excluded, 1, "alarms see it")
	_, err = client.DeleteAnomalyDetector(t.Context(), &cloudwatch.DeleteAnomalyDetectorInput{
		SingleMetricAnomalyDetector: &types.SingleMetricAnomalyDetector{
			Namespace: aws.String("shop"), MetricName: aws.String("returns"), Stat: aws.String("Sum"),
		},
	})
	require.NoError(t, err)
	out, err := client.DescribeAnomalyDetectors(t.Context(), &cloudwatch.DescribeAnomalyDetectorsInput{})
	require.NoError(t, err)
	require.Len(t, out.AnomalyDetectors, 1)
	assert.Equal(t, types.AnomalyDetectorStateValuePendingTraining, out.AnomalyDetectors[0].StateValue)

	without := startCollector(t, options{configure: func(cfg *Config) { cfg.Storage = nil }})
	_, err = cloudwatch.NewFromConfig(without.aws()).DescribeAnomalyDetectors(t.Context(), &cloudwatch.DescribeAnomalyDetectorsInput{})
	assert.Contains(t, requireAPIError(t, err, "NotImplemented", 501), `name one in the option "storage"`)
}
