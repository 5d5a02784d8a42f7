// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/testbed/collector"
)

// testLogs is CloudWatch Logs by the AWS SDK for Go v2.
func testLogs(t *testing.T, c *collector.Collector) {
	t.Helper()
	client := cloudwatchlogs.NewFromConfig(c.AWSConfig())
	group := newGroup(t, client)
	stream := aws.String("s")
	start := time.Now().Add(-time.Minute).UnixMilli()
	var sent []string
	var events []types.InputLogEvent
	for i := range 200 {
		message := fmt.Sprintf(`{"level":"%s","service":"api","correlation_id":"c-%d","duration_ms":%d,"nested":{"list":[1,2]}}`,
			map[bool]string{true: "ERROR", false: "INFO"}[i%10 == 0], i%4, i)
		sent = append(sent, message)
		events = append(events, types.InputLogEvent{Timestamp: aws.Int64(start + int64(i)), Message: aws.String(message)})
	}
	put, err := client.PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: stream, LogEvents: events})
	require.NoError(t, err)
	require.NotEmpty(t, aws.ToString(put.NextSequenceToken))
	require.Nil(t, put.RejectedLogEventsInfo)

	t.Run("read to the end", func(t *testing.T) {
		pages := cloudwatchlogs.NewGetLogEventsPaginator(client, &cloudwatchlogs.GetLogEventsInput{
			LogGroupName: group, LogStreamName: stream, StartFromHead: aws.Bool(true), Limit: aws.Int32(64),
		}, func(o *cloudwatchlogs.GetLogEventsPaginatorOptions) { o.StopOnDuplicateToken = true })
		var got []string
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			require.NoError(t, err)
			for _, e := range page.Events {
				got = append(got, *e.Message)
			}
		}
		require.Equal(t, sent, got)
	})

	t.Run("filter", func(t *testing.T) {
		pages := cloudwatchlogs.NewFilterLogEventsPaginator(client, &cloudwatchlogs.FilterLogEventsInput{
			LogGroupName: group, FilterPattern: aws.String("ERROR"), Limit: aws.Int32(7),
		})
		n := 0
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			require.NoError(t, err)
			n += len(page.Events)
		}
		require.Equal(t, 20, n)
	})

	t.Run("insights", func(t *testing.T) {
		rows := query(t, client, group, `filter level = "ERROR" and duration_ms >= 100 | stats count(*) as n, max(duration_ms) as worst by correlation_id | sort correlation_id asc`)
		require.Equal(t, []map[string]string{
			{"correlation_id": "c-0", "n": "5", "worst": "180"}, {"correlation_id": "c-2", "n": "5", "worst": "190"},
		}, rows)
	})

	t.Run("errors have their types", func(t *testing.T) {
		_, err := client.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group})
		var exists *types.ResourceAlreadyExistsException
		require.ErrorAs(t, err, &exists)
		_, err = client.StartQuery(t.Context(), &cloudwatchlogs.StartQueryInput{
			LogGroupName: group, QueryString: aws.String("fields @message | filter"), StartTime: aws.Int64(0), EndTime: aws.Int64(time.Now().Unix()),
		})
		var malformed *types.MalformedQueryException
		require.ErrorAs(t, err, &malformed)
		require.NotNil(t, malformed.QueryCompileError, "the place of the error")
	})
}

func newGroup(t *testing.T, client *cloudwatchlogs.Client) *string {
	t.Helper()
	group := aws.String("/go/" + unique())
	_, err := client.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group})
	require.NoError(t, err)
	_, err = client.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: aws.String("s")})
	require.NoError(t, err)
	return group
}

func query(t *testing.T, client *cloudwatchlogs.Client, group *string, text string) []map[string]string {
	t.Helper()
	now := time.Now().Unix()
	started, err := client.StartQuery(t.Context(), &cloudwatchlogs.StartQueryInput{
		LogGroupName: group, QueryString: &text, StartTime: aws.Int64(now - 3600), EndTime: aws.Int64(now + 60),
	})
	require.NoError(t, err)
	var out *cloudwatchlogs.GetQueryResultsOutput
	eventually(t, func() bool {
		out, err = client.GetQueryResults(t.Context(), &cloudwatchlogs.GetQueryResultsInput{QueryId: started.QueryId})
		return err != nil || out.Status != types.QueryStatusRunning && out.Status != types.QueryStatusScheduled
	}, "the query does not end")
	require.NoError(t, err)
	require.Equal(t, types.QueryStatusComplete, out.Status)
	var rows []map[string]string
	for _, fields := range out.Results {
		row := map[string]string{}
		for _, f := range fields {
			if *f.Field != "@ptr" {
				row[*f.Field] = *f.Value
			}
		}
		rows = append(rows, row)
	}
	return rows
}
