// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/testbed/collector"
)

// unique is a name that no other test uses.
func unique() string {
	b := make([]byte, 6)
	_, _ = rand.Read(b) // never fails
	return "g" + hex.EncodeToString(b)
}

// eventually reads until ok: UDP and EMF have no acknowledgement to wait for.
func eventually(t *testing.T, ok func() bool, message string, args ...any) {
	t.Helper()
	require.Eventually(t, ok, 20*time.Second, 50*time.Millisecond, append([]any{message}, args...)...)
}

// testMetrics is CloudWatch by the AWS SDK for Go v2, which speaks CBOR.
func testMetrics(t *testing.T, c *collector.Collector) {
	t.Helper()
	client := cloudwatch.NewFromConfig(c.AWSConfig())
	minute := time.Now().UTC().Truncate(time.Minute).Add(-5 * time.Minute)
	end := minute.Add(time.Minute)

	t.Run("who am I", func(t *testing.T) {
		me, err := sts.NewFromConfig(c.AWSConfig()).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		require.NoError(t, err)
		require.Regexp(t, `^\d{12}$`, *me.Account)
		require.NotEmpty(t, *me.Arn)
	})

	t.Run("every form of a datum", func(t *testing.T) {
		namespace := aws.String(unique())
		dims := []types.Dimension{{Name: aws.String("Service"), Value: aws.String("a=b,c")}, {Name: aws.String("Az"), Value: aws.String("1")}}
		_, err := client.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: namespace, MetricData: []types.MetricDatum{
			{MetricName: aws.String("m"), Dimensions: dims, Timestamp: &minute, Value: aws.Float64(0.5), Unit: types.StandardUnitMegabitsSecond},
			{MetricName: aws.String("m"), Dimensions: dims, Timestamp: &minute, Values: []float64{1, 10}, Counts: []float64{2, 4}, Unit: types.StandardUnitMegabitsSecond},
			{
				MetricName: aws.String("m"), Dimensions: dims, Timestamp: &minute, Unit: types.StandardUnitMegabitsSecond,
				StatisticValues: &types.StatisticSet{
					SampleCount: aws.Float64(3), Sum: aws.Float64(30), Minimum: aws.Float64(0.25), Maximum: aws.Float64(20),
				},
			},
		}})
		require.NoError(t, err)
		out, err := client.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
			Namespace: namespace, MetricName: aws.String("m"), Dimensions: []types.Dimension{dims[1], dims[0]},
			StartTime: &minute, EndTime: &end, Period: aws.Int32(60),
			Statistics: types.Statistic("").Values(),
		})
		require.NoError(t, err)
		require.Len(t, out.Datapoints, 1)
		p := out.Datapoints[0]
		assert.Equal(t, minute, p.Timestamp.UTC())
		assert.Equal(t, types.StandardUnitMegabitsSecond, p.Unit)
		assert.InDelta(t, 10, *p.SampleCount, 0)
		assert.InDelta(t, 72.5, *p.Sum, 0)
		assert.InDelta(t, 7.25, *p.Average, 0)
		assert.InDelta(t, 0.25, *p.Minimum, 0)
		assert.InDelta(t, 20, *p.Maximum, 0)
	})

	t.Run("a second has its own point", func(t *testing.T) {
		namespace := aws.String(unique())
		start := time.Now().UTC().Truncate(time.Second).Add(-20 * time.Second)
		var data []types.MetricDatum
		for i := range 5 {
			at := start.Add(time.Duration(i) * time.Second)
			data = append(data, types.MetricDatum{
				MetricName: aws.String("depth"), Timestamp: &at, Value: aws.Float64(float64(i)), StorageResolution: aws.Int32(1),
			})
		}
		_, err := client.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: namespace, MetricData: data})
		require.NoError(t, err)
		out, err := client.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
			StartTime: &start, EndTime: aws.Time(start.Add(5 * time.Second)), ScanBy: types.ScanByTimestampAscending,
			MetricDataQueries: []types.MetricDataQuery{{Id: aws.String("d"), MetricStat: &types.MetricStat{
				Metric: &types.Metric{Namespace: namespace, MetricName: aws.String("depth")}, Period: aws.Int32(1), Stat: aws.String("Sum"),
			}}},
		})
		require.NoError(t, err)
		require.Len(t, out.MetricDataResults, 1)
		assert.Equal(t, types.StatusCodeComplete, out.MetricDataResults[0].StatusCode)
		assert.Equal(t, []float64{0, 1, 2, 3, 4}, out.MetricDataResults[0].Values)
	})

	t.Run("lists in pages", func(t *testing.T) {
		namespace := aws.String(unique())
		var data []types.MetricDatum
		for i := range 1000 {
			data = append(data, types.MetricDatum{MetricName: aws.String(fmt.Sprintf("m%03d", i)), Value: aws.Float64(1)})
		}
		_, err := client.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: namespace, MetricData: data})
		require.NoError(t, err)
		seen := map[string]bool{}
		pages := cloudwatch.NewListMetricsPaginator(client, &cloudwatch.ListMetricsInput{Namespace: namespace})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			require.NoError(t, err)
			for _, m := range page.Metrics {
				seen[*m.MetricName] = true
			}
		}
		require.Len(t, seen, 1000)
	})

	t.Run("errors have their types", func(t *testing.T) {
		_, err := client.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("x"), MetricData: []types.MetricDatum{
			{MetricName: aws.String("m"), Value: aws.Float64(1), Values: []float64{1}},
		}})
		var combination *types.InvalidParameterCombinationException
		require.ErrorAs(t, err, &combination)
		require.ErrorContains(t, err, "MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive")
		_, err = client.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
			Namespace: aws.String("x"), MetricName: aws.String("m"), StartTime: &end, EndTime: &minute, Period: aws.Int32(60),
			Statistics: []types.Statistic{types.StatisticSum},
		})
		var value *types.InvalidParameterValueException
		require.ErrorAs(t, err, &value)
		require.ErrorContains(t, err, "The parameter StartTime must be less than the parameter EndTime.")
		_, err = client.DescribeInsightRules(t.Context(), &cloudwatch.DescribeInsightRulesInput{}, func(o *cloudwatch.Options) { o.RetryMaxAttempts = 1 })
		var api smithy.APIError
		require.ErrorAs(t, err, &api)
		require.Contains(t, api.ErrorMessage(), "DescribeInsightRules")
	})
}
