// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAppendEvent(t *testing.T) {
	for _, tc := range []struct{ event, payload, want string }{
		{"initial-response", `{}`, "00000068000000564e6817240d3a6d6573736167652d747970650700056576656e740b3a6576656e742d747970650700106" +
			"96e697469616c2d726573706f6e73650d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b7dfe942c1d"},
		{
			"sessionUpdate", `{"sessionMetadata":{"sampled":false},"sessionResults":[]}`,
			"0000009c0000005383b615360d3a6d6573736167652d747970650700056576656e740b3a6576656e742d7479706507000d73657373696f6e5570" +
				"646174650d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b2273657373696f6e4d65746164617461223a7b22" +
				"73616d706c6564223a66616c73657d2c2273657373696f6e526573756c7473223a5b5d7d8b9f0a13",
		},
	} {
		got, err := AppendEvent([]byte("x"), []EventHeader{
			{":message-type", "event"}, {":event-type", tc.event}, {":content-type", "application/json"},
		}, []byte(tc.payload))
		require.NoError(t, err)
		assert.Equal(t, tc.want, hex.EncodeToString(got[1:]))
	}
	_, err := AppendEvent(nil, []EventHeader{{strings.Repeat("n", 256), ""}}, nil)
	require.Error(t, err)
	_, err = AppendEvent(nil, []EventHeader{{"n", strings.Repeat("v", 1<<16)}}, nil)
	require.Error(t, err)
	_, err = AppendEvent(nil, nil, make([]byte, maxEventPayload+1))
	require.Error(t, err)
}

// tail opens a stream with the SDK's client.
func tail(t *testing.T, fn func(context.Context, *cloudwatchlogs.StartLiveTailInput, *EventStream) error) (*cloudwatchlogs.StartLiveTailEventStream, error) {
	t.Helper()
	s := NewService("logs")
	HandleStream(s, "StartLiveTail", fn)
	_, cfg := serveMux(t, MuxSettings{Services: []*Service{s}})
	client := cloudwatchlogs.NewFromConfig(cfg, func(o *cloudwatchlogs.Options) {
		// The client would put a prefix before the host, an address here.
		o.APIOptions = append(o.APIOptions, disableHostPrefix)
	})
	out, err := client.StartLiveTail(t.Context(), &cloudwatchlogs.StartLiveTailInput{LogGroupIdentifiers: []string{"arn:x"}})
	if err != nil {
		return nil, err
	}
	stream := out.GetStream()
	t.Cleanup(func() { _ = stream.Close() })
	return stream, nil
}

func TestLiveTail(t *testing.T) {
	stream, err := tail(t, func(_ context.Context, in *cloudwatchlogs.StartLiveTailInput, s *EventStream) error {
		if err := s.Send("sessionStart", &types.LiveTailSessionStart{SessionId: aws.String("s"), LogGroupIdentifiers: in.LogGroupIdentifiers}); err != nil {
			return err
		}
		err := s.Send("sessionUpdate", types.LiveTailSessionUpdate{
			SessionMetadata: &types.LiveTailSessionMetadata{},
			SessionResults:  []types.LiveTailSessionLogEvent{{Message: aws.String("hello"), Timestamp: aws.Int64(5)}},
		})
		return errors.Join(err, &types.SessionTimeoutException{Message: aws.String("three hours")})
	})
	require.NoError(t, err)
	var got []types.StartLiveTailResponseStream
	for e := range stream.Events() {
		got = append(got, e)
	}
	require.Len(t, got, 2)
	assert.Equal(t, []string{"arn:x"}, got[0].(*types.StartLiveTailResponseStreamMemberSessionStart).Value.LogGroupIdentifiers)
	assert.Equal(t, "hello", *got[1].(*types.StartLiveTailResponseStreamMemberSessionUpdate).Value.SessionResults[0].Message)
	var timeout *types.SessionTimeoutException
	require.ErrorAs(t, stream.Err(), &timeout)
	assert.Equal(t, "three hours", timeout.ErrorMessage())
}

func TestLiveTailFailures(t *testing.T) {
	_, err := tail(t, func(context.Context, *cloudwatchlogs.StartLiveTailInput, *EventStream) error {
		return &types.ResourceNotFoundException{Message: aws.String("no such group")}
	})
	var notFound *types.ResourceNotFoundException
	require.ErrorAs(t, err, &notFound)

	stream, err := tail(t, func(_ context.Context, _ *cloudwatchlogs.StartLiveTailInput, s *EventStream) error {
		return errors.Join(s.Start(), errors.New("disk on fire"))
	})
	require.NoError(t, err)
	_, more := <-stream.Events()
	assert.False(t, more)
	var api smithy.APIError
	require.ErrorAs(t, stream.Err(), &api)
	assert.Equal(t, "InternalFailure", api.ErrorCode())
	assert.NotContains(t, stream.Err().Error(), "fire")

	stream, err = tail(t, func(context.Context, *cloudwatchlogs.StartLiveTailInput, *EventStream) error { return nil })
	require.NoError(t, err)
	_, more = <-stream.Events()
	assert.False(t, more)
	require.NoError(t, stream.Err())
}

func TestEventStreamStatus(t *testing.T) {
	s := NewService("logs")
	HandleStream(s, "StartLiveTail", func(_ context.Context, _ *cloudwatchlogs.StartLiveTailInput, s *EventStream) error {
		return s.Start()
	})
	var seen Observation
	m, err := NewMux(MuxSettings{Services: []*Service{s}, Observe: func(_ context.Context, o Observation) { seen = o }})
	require.NoError(t, err)
	w := rawPost(t, m, "/", "{}", "X-Amz-Target", "Logs_20140328.StartLiveTail", "Content-Type", "application/x-amz-json-1.1")
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "application/vnd.amazon.eventstream", w.Header().Get("Content-Type"))
	assert.Equal(t, 104, w.Body.Len())
	assert.Equal(t, int64(104), seen.ResponseBytes)
	assert.Equal(t, "StartLiveTail", seen.Operation)
}
