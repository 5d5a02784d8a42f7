// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package sns

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTopicARN(t *testing.T) {
	for _, arn := range []string{"arn:aws:sns:us-east-1:123456789012:a", "arn:aws-cn:sns:cn-north-1:123456789012:a-b_C.fifo"} {
		got, err := ParseTopicARN("TopicArn", arn)
		require.NoError(t, err)
		assert.Equal(t, arn, got.String())
		assert.Equal(t, got.Partition, Partition(got.Region))
	}
	for arn, want := range map[string]string{
		"":                              "Invalid parameter: TopicArn Reason: no value for required parameter",
		"x":                             "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1",
		"a:b":                           "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 2",
		"arn:aws:sqs:us-east-1:1:a":     "Invalid parameter: TopicArn",
		"arn:aws:sns:us-east-1:1:a:b":   "Invalid parameter: TopicArn",
		"arn:aws:sns:us-east-1:1:a b":   "Invalid parameter: TopicArn",
		"arn:aws:sns:us-east-1:1:":      "Invalid parameter: TopicArn",
		"arn:aws:sns::1:a":              "Invalid parameter: TopicArn",
		strings.Repeat("a:", 2000):      "Invalid parameter: TopicArn",
		"arn:aws:sns:us-east-1:1:.fifo": "Invalid parameter: TopicArn",
	} {
		_, err := ParseTopicARN("TopicArn", arn)
		require.EqualError(t, err, want, arn)
	}
	topic, id, err := ParseSubscriptionARN("SubscriptionArn", "arn:aws:sns:us-east-1:1:a:0-1")
	require.NoError(t, err)
	assert.Equal(t, "a", topic.Name)
	assert.Equal(t, "0-1", id)
	_, _, err = ParseSubscriptionARN("SubscriptionArn", "PendingConfirmation")
	require.Error(t, err)
}

func TestTopicName(t *testing.T) {
	require.NoError(t, CheckTopicName(strings.Repeat("a", 256), false))
	require.NoError(t, CheckTopicName(strings.Repeat("a", 251)+".fifo", true))
	for _, bad := range []string{"", "a.b", "ä", strings.Repeat("a", 257), "a.fifo"} {
		require.EqualError(t, CheckTopicName(bad, false), "Invalid parameter: Topic Name", bad)
	}
	for _, bad := range []string{"a", ".fifo", strings.Repeat("a", 252) + ".fifo"} {
		require.ErrorContains(t, CheckTopicName(bad, true), "Fifo Topic names must end with .fifo", bad)
	}
}
