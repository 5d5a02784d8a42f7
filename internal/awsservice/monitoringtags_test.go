// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsservice

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/awswire"
)

// owner has the tags of one resource.
type owner struct {
	arn  string
	tags []Tag
	err  error
}

func (o *owner) has(arn string) error {
	if arn != o.arn {
		return ErrNotTagged
	}
	return o.err
}

func (o *owner) ListTags(_ context.Context, arn string) ([]Tag, error) {
	if err := o.has(arn); err != nil {
		return nil, err
	}
	return o.tags, nil
}

func (o *owner) AddTags(_ context.Context, arn string, tags []Tag) error {
	if err := o.has(arn); err != nil {
		return err
	}
	o.tags = append(o.tags, tags...)
	return nil
}

func (o *owner) RemoveTags(_ context.Context, arn string, keys []string) error {
	if err := o.has(arn); err != nil {
		return err
	}
	o.tags = slices.DeleteFunc(o.tags, func(t Tag) bool { return slices.Contains(keys, t.Key) })
	return nil
}

func TestMonitoringTags(t *testing.T) {
	alarms, dashboards := &owner{arn: "alarm"}, &owner{arn: "dashboard"}
	s := awswire.NewService("monitoring")
	HandleMonitoringTags(s, alarms)
	HandleMonitoringTags(s, alarms, dashboards)
	mux, err := awswire.NewMux(awswire.MuxSettings{Services: []*awswire.Service{s}})
	require.NoError(t, err)
	srv := httptest.NewServer(mux)
	defer srv.Close()
	api := cw.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: &srv.URL, HTTPClient: srv.Client(), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
	tag := func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }
	put := func(arn string, tags ...types.Tag) error {
		_, err := api.TagResource(t.Context(), &cw.TagResourceInput{ResourceARN: &arn, Tags: tags})
		return err
	}
	code := func(err error, want, message string) {
		t.Helper()
		var e smithy.APIError
		require.ErrorAs(t, err, &e)
		assert.Equal(t, want, e.ErrorCode())
		assert.Contains(t, e.ErrorMessage(), message)
	}
	require.NoError(t, put("dashboard", tag("a", "1"), tag("b", "2"), tag("a", "3")))
	assert.Equal(t, []Tag{{"a", "3"}, {"b", "2"}}, dashboards.tags, "of equal keys the last one")
	assert.Empty(t, alarms.tags)
	_, err = api.UntagResource(t.Context(), &cw.UntagResourceInput{ResourceARN: aws.String("dashboard"), TagKeys: []string{"a", "z"}})
	require.NoError(t, err)
	out, err := api.ListTagsForResource(t.Context(), &cw.ListTagsForResourceInput{ResourceARN: aws.String("dashboard")})
	require.NoError(t, err)
	assert.Equal(t, []types.Tag{tag("b", "2")}, out.Tags)
	out, err = api.ListTagsForResource(t.Context(), &cw.ListTagsForResourceInput{ResourceARN: aws.String("alarm")})
	require.NoError(t, err)
	assert.Empty(t, out.Tags)

	code(put("metric-stream", tag("a", "")), "ResourceNotFoundException", "")
	code(put("alarm", tag("k", ""), tag("AwS:k", "")), "AccessDenied", `must not start with any case of "aws:"`)
	assert.Empty(t, alarms.tags, "none of them is kept")
	code(put("alarm", tag(strings.Repeat("k", 129), strings.Repeat("v", 257))), "ValidationError", "2 validation errors detected")
	_, err = api.UntagResource(t.Context(), &cw.UntagResourceInput{ResourceARN: aws.String("alarm"), TagKeys: []string{""}})
	code(err, "ValidationError", "tagKeys.1.member")
	_, err = api.ListTagsForResource(t.Context(), &cw.ListTagsForResourceInput{ResourceARN: aws.String("")})
	code(err, "ValidationError", "resourceARN")
	alarms.err = errors.New("broken")
	code(put("alarm", tag("k", "")), "InternalFailure", "")
}
