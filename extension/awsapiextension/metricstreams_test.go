// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMetricStreams(t *testing.T) {
	const firehose = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/metrics"
	c := startCollector(t, options{configure: func(cfg *Config) {
		cfg.MetricStreams.Destinations = []MetricStreamDestination{{FirehoseARN: firehose, Endpoint: "http://127.0.0.1:1/"}}
	}})
	client := cloudwatch.NewFromConfig(c.aws())
	out, err := client.PutMetricStream(t.Context(), &cloudwatch.PutMetricStreamInput{
		Name: new("s"), FirehoseArn: new(firehose), RoleArn: new("arn:aws:iam::123456789012:role/r"), OutputFormat: "json",
	})
	require.NoError(t, err)
	tags, err := client.ListTagsForResource(t.Context(), &cloudwatch.ListTagsForResourceInput{ResourceARN: out.Arn})
	require.NoError(t, err)
	assert.Empty(t, tags.Tags)
	list, err := client.ListMetricStreams(t.Context(), &cloudwatch.ListMetricStreamsInput{})
	require.NoError(t, err)
	assert.Len(t, list.Entries, 1)
	assert.Equal(t, "running", *list.Entries[0].State)
}
