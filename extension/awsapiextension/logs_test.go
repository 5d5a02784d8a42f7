// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
)

func putEvent(ctx context.Context, client *cloudwatchlogs.Client, message string) error {
	_, err := client.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{
		LogGroupName: aws.String("/shop"), LogStreamName: aws.String("orders"),
		LogEvents: []types.InputLogEvent{{Timestamp: aws.Int64(time.Now().UnixMilli()), Message: &message}},
	})
	return err
}

func createStream(t *testing.T, client *cloudwatchlogs.Client) {
	t.Helper()
	_, err := client.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("/shop")})
	require.NoError(t, err)
	_, err = client.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{
		LogGroupName: aws.String("/shop"), LogStreamName: aws.String("orders"),
	})
	require.NoError(t, err)
}

func TestLogsThereAndBack(t *testing.T) {
	c := startCollector(t, options{})
	client := cloudwatchlogs.NewFromConfig(c.aws())
	createStream(t, client)
	require.NoError(t, putEvent(t.Context(), client, "hello"))
	out, err := client.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: aws.String("/shop"), LogStreamName: aws.String("orders"), StartFromHead: aws.Bool(true),
	})
	require.NoError(t, err)
	require.Len(t, out.Events, 1)
	assert.Equal(t, "hello", *out.Events[0].Message)
}

// refusingStore refuses log events.
type refusingStore struct{ store.Store }

func (refusingStore) WriteLogs(context.Context, []store.LogRecord) error { return store.ErrUnavailable }

func TestLogsErrors(t *testing.T) {
	c := startCollector(t, options{noPipelines: true})
	client := cloudwatchlogs.NewFromConfig(c.aws())
	createStream(t, client)
	message := requireAPIError(t, putEvent(t.Context(), client, "x"), "ServiceUnavailableException", http.StatusServiceUnavailable)
	assert.Contains(t, message, "add the receiver aws_api to a logs pipeline")

	c = startCollector(t, options{wrap: func(real store.Store) store.Store { return refusingStore{real} }})
	client = cloudwatchlogs.NewFromConfig(c.aws())
	createStream(t, client)
	requireAPIError(t, putEvent(t.Context(), client, "x"), "ServiceUnavailableException", http.StatusServiceUnavailable)
}
