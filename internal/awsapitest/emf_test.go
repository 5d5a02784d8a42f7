// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapitest

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"

	"github.com/nephoscope/nephoscope/connector/emfconnector"
	"github.com/nephoscope/nephoscope/exporter/awsemfexporter"
)

// extracting makes a connector that extracts metrics from logs.
func extracting(t *testing.T) func(consumer.Metrics) consumer.Logs {
	t.Helper()
	return func(metrics consumer.Metrics) consumer.Logs {
		f := emfconnector.NewFactory()
		c, err := f.CreateLogsToMetrics(t.Context(), connectortest.NewNopSettings(f.Type()), f.CreateDefaultConfig(), metrics)
		require.NoError(t, err)
		require.NoError(t, c.Start(t.Context(), componenttest.NewNopHost()))
		t.Cleanup(func() { require.NoError(t, c.Shutdown(context.Background())) })
		return c
	}
}

// Metrics go out as embedded metrics by PutLogEvents, and come to be metrics again with the same statistics.
func TestEMFExporterKeepsStatistics(t *testing.T) {
	start := time.Now().UTC().Truncate(time.Minute).Add(-10 * time.Minute)
	for name, conf := range map[string]map[string]any{
		"current": {"histogram_format": "values", "log_retention": 7, "tags": map[string]any{"team": "x"}},
		"legacy":  {"histogram_format": "values", "version": "0"},
	} {
		t.Run(name, func(t *testing.T) {
			s := Start(t, Options{LogsTo: extracting(t)})
			conf["dimension_rollup_option"] = "NoDimensionRollup"
			conf["log_stream_name"] = "{ServiceName}"
			e, end := s.startMetricsExporter(awsemfexporter.NewFactory(), conf)
			for i, service := range []string{"exported", "direct"} {
				for _, md := range application(rand.New(rand.NewPCG(7, 8)), service, start, 12) {
					if i == 0 {
						require.NoError(t, e.ConsumeMetrics(t.Context(), md))
					} else {
						require.NoError(t, s.Metrics.ConsumeMetrics(t.Context(), md))
					}
				}
			}
			end()
			for _, m := range []struct {
				name string
				dims []types.Dimension
			}{
				{"latency", []types.Dimension{{Name: aws.String("route"), Value: aws.String("/cart")}}},
				{"requests", nil},
				{"duration", nil},
				{"size", nil},
			} {
				want, got := s.read("shop/direct", m.name, m.dims, start), s.read("shop/exported", m.name, m.dims, start)
				require.Len(t, want, 2, m.name)
				requireSameDatapoints(t, m.name, want, got)
			}
			client := cloudwatchlogs.NewFromConfig(s.Config())
			events, err := client.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{
				LogGroupName: aws.String("/metrics/shop/exported"), LogStreamName: aws.String("exported"), StartFromHead: aws.Bool(true),
			})
			require.NoError(t, err)
			require.NotEmpty(t, events.Events)
			assert.True(t, json.Valid([]byte(*events.Events[0].Message)))
			if name == "legacy" {
				return
			}
			groups, err := client.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/metrics/")})
			require.NoError(t, err)
			require.Len(t, groups.LogGroups, 1)
			assert.EqualValues(t, 7, *groups.LogGroups[0].RetentionInDays)
			tags, err := client.ListTagsForResource(t.Context(), &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: groups.LogGroups[0].LogGroupArn})
			require.NoError(t, err)
			assert.Equal(t, map[string]string{"team": "x"}, tags.Tags)
		})
	}
}

// Documents that are faulty are counted in metrics of their log group.
func TestEMFErrorCounters(t *testing.T) {
	s := Start(t, Options{LogsTo: extracting(t)})
	client := cloudwatchlogs.NewFromConfig(s.Config())
	group, stream := aws.String("/app"), aws.String("s")
	_, err := client.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group})
	require.NoError(t, err)
	_, err = client.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: stream})
	require.NoError(t, err)
	now := time.Now()
	var events []logtypes.InputLogEvent
	for _, message := range []string{
		`{"_aws":{"Timestamp":` + millis(now) + `,"CloudWatchMetrics":[{"Namespace":"n","Dimensions":[["d"]],"Metrics":[{"Name":"m"}]}]},"d":"x","m":1}`,
		`{"_aws":{"Timestamp":` + millis(now) + `,"CloudWatchMetrics":[{"Namespace":"n","Dimensions":[["d"]],"Metrics":[{"Name":"m"}]}]},"d":"x","m":"1"}`,
		`{"_aws":"x"}`,
		`INFO {"_aws":{}}`,
		`an ordinary line`,
	} {
		events = append(events, logtypes.InputLogEvent{Timestamp: aws.Int64(now.UnixMilli()), Message: aws.String(message)})
	}
	_, err = client.PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: stream, LogEvents: events})
	require.NoError(t, err)
	dims := []types.Dimension{{Name: aws.String("LogGroupName"), Value: group}}
	for metric, want := range map[string]float64{"EMFParsingErrors": 1, "EMFValidationErrors": 2} {
		points := s.read("AWS/Logs", metric, dims, now.Truncate(time.Minute).Add(-time.Minute))
		require.NotEmpty(t, points, metric)
		var sum float64
		for _, p := range points {
			sum += *p.Sum
		}
		assert.InDelta(t, want, sum, 0, metric)
	}
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
