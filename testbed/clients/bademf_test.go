// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/testbed/collector"
)

// testBadEMF sends documents with members missing among good ones, on one connection: the documents are kept, the
// metrics that can be made are made.
func testBadEMF(t *testing.T, c *collector.Collector) {
	t.Helper()
	namespace, group := unique(), "/emf/"+unique()
	now := time.Now()
	document := func(directives, members string) string {
		return fmt.Sprintf(`{"_aws":{"Timestamp":%d,"LogGroupName":"%s","LogStreamName":"s","CloudWatchMetrics":[%s]}%s}`,
			now.UnixMilli(), group, strings.ReplaceAll(directives, "NS", namespace), members)
	}
	directive := func(metrics string) string {
		return `{"Namespace":"NS","Dimensions":[["d"]],"Metrics":[` + metrics + `]}`
	}
	kept := []string{
		document(directive(`{"Name":"good"}`), `,"d":"x","good":1`),
		document(directive(`{"Name":"good"},{"Name":"absent"}`), `,"d":"x","good":2`),
		document(directive(`{"Name":"good"},{"Name":"text"}`), `,"d":"x","good":4,"text":"many"`),
		document(directive(`{"Name":"good"},{"Name":"odd","Unit":"Furlongs"}`), `,"d":"x","good":8,"odd":1`),
		document(directive(`{"Name":"good"},{"Name":"slow","StorageResolution":5}`), `,"d":"x","good":16,"slow":1`),
		document(`{"Dimensions":[["d"]],"Metrics":[{"Name":"lost"}]},`+directive(`{"Name":"good"}`), `,"d":"x","good":32,"lost":1`),
		document(`{"Namespace":"NS","Metrics":[{"Name":"lost"}]}`, `,"lost":1`),
		document(`{"Namespace":"NS","Dimensions":[],"Metrics":[{"Name":"lost"}]}`, `,"lost":1`),
		document(`{"Namespace":"NS","Dimensions":[["gone"]],"Metrics":[{"Name":"lost"}]}`, `,"lost":1`),
		document(directive(`{"Name":"good"}`), `,"d":"x","good":[64,128]`),
	}
	conn, err := net.Dial("tcp", c.EMF)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	for _, line := range kept {
		// Between any two documents there is a line that is none.
		_, err := conn.Write([]byte("not JSON at all\n{\"_aws\":\n\n" + line + "\n"))
		require.NoError(t, err)
	}

	metrics := cloudwatch.NewFromConfig(c.AWSConfig())
	var got *cloudwatch.GetMetricStatisticsOutput
	sum, count := 0.0, 0.0
	eventually(t, func() bool {
		got, err = metrics.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
			Namespace: &namespace, MetricName: aws.String("good"), Period: aws.Int32(60),
			Dimensions: []types.Dimension{{Name: aws.String("d"), Value: aws.String("x")}},
			StartTime:  aws.Time(now.Add(-2 * time.Minute)), EndTime: aws.Time(now.Add(2 * time.Minute)),
			Statistics: []types.Statistic{types.StatisticSum, types.StatisticSampleCount},
		})
		if err != nil {
			return false
		}
		sum, count = 0, 0
		for _, p := range got.Datapoints {
			sum, count = sum+*p.Sum, count+*p.SampleCount
		}
		return count >= 8
	}, "metrics of the good members")
	assert.InDelta(t, 255, sum, 0)
	assert.InDelta(t, 8, count, 0)
	listed, err := metrics.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{Namespace: &namespace})
	require.NoError(t, err)
	require.Len(t, listed.Metrics, 1, "nothing was made of what was incomplete")

	logs := cloudwatchlogs.NewFromConfig(c.AWSConfig())
	var messages []string
	eventually(t, func() bool {
		out, err := logs.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group, LogStreamNames: []string{"s"}})
		if err != nil {
			return false
		}
		messages = nil
		for _, e := range out.Events {
			messages = append(messages, *e.Message)
		}
		return len(messages) >= len(kept)
	}, "the documents as log events")
	assert.ElementsMatch(t, kept, messages)
	for _, m := range messages {
		assert.True(t, json.Valid([]byte(m)))
	}
}
