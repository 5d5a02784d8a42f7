// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"context"
	"strconv"
	"testing"
	"time"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tail is a client's session of live tail.
type tail struct {
	f      *fixture
	ticks  chan time.Time
	cancel context.CancelFunc
	events <-chan types.StartLiveTailResponseStream
	stream *api.StartLiveTailEventStream
}

func (f *fixture) tail(in *api.StartLiveTailInput) (*tail, *types.LiveTailSessionStart) {
	f.Helper()
	l := &tail{f: f, ticks: make(chan time.Time)}
	f.service.tails.ticker = func() (<-chan time.Time, func()) { return l.ticks, func() {} }
	ctx, cancel := context.WithCancel(f.Context())
	l.cancel = cancel
	out, err := f.StartLiveTail(ctx, in)
	require.NoError(f, err)
	l.stream = out.GetStream()
	l.events = l.stream.Events()
	start, ok := (<-l.events).(*types.StartLiveTailResponseStreamMemberSessionStart)
	require.True(f, ok)
	f.Cleanup(l.close)
	return l, &start.Value
}

func (l *tail) close() {
	l.cancel()
	_ = l.stream.Close()
}

// next returns the messages of the next update.
func (l *tail) next() (messages []string, sampled bool) {
	l.f.Helper()
	select {
	case l.ticks <- time.Time{}:
	case e := <-l.events:
		require.FailNow(l.f, "the session ended", "%v %v", e, l.stream.Err())
	}
	update, ok := (<-l.events).(*types.StartLiveTailResponseStreamMemberSessionUpdate)
	require.True(l.f, ok, "%v", l.stream.Err())
	for _, e := range update.Value.SessionResults {
		assert.Equal(l.f, testAccount+":g", *e.LogGroupIdentifier)
		messages = append(messages, *e.LogStreamName+"="+*e.Message)
	}
	return messages, update.Value.SessionMetadata.Sampled
}

const testGroupARN = "arn:aws:logs:eu-west-1:123456789012:log-group:g"

func TestLiveTail(t *testing.T) {
	f := newEvents(t, 3)
	f.createStream("g", "b")
	f.clock.advance(time.Second)
	l, start := f.tail(&api.StartLiveTailInput{LogGroupIdentifiers: []string{testGroupARN}})
	assert.Equal(t, []string{testGroupARN}, start.LogGroupIdentifiers)
	assert.NotEmpty(t, *start.SessionId)
	assert.NotEmpty(t, *start.RequestId)
	got, sampled := l.next()
	assert.Empty(t, got, "what was there before is not shown")
	assert.False(t, sampled)
	f.put("g", "s", "one")
	f.put("g", "b", "two")
	f.otlp("g", "pod", "three", f.clock.ms()-60_000)
	got, _ = l.next()
	assert.Equal(t, []string{"pod=three", "s=one", "b=two"}, got)
	got, _ = l.next()
	assert.Empty(t, got, "nothing is shown twice")
	f.clock.advance(5 * time.Second)
	f.put("g", "s", "four")
	got, _ = l.next()
	assert.Equal(t, []string{"s=four"}, got)
	f.clock.advance(time.Minute)
	var many []string
	for i := range maxTailEvents + 1 {
		many = append(many, strconv.Itoa(i))
	}
	f.put("g", "s", many...)
	got, sampled = l.next()
	assert.Len(t, got, maxTailEvents)
	assert.Equal(t, "s=500", got[maxTailEvents-1])
	assert.True(t, sampled)
	got, _ = l.next()
	assert.Empty(t, got)

	f.clock.advance(tailLifetime)
	l.ticks <- time.Time{}
	_, more := <-l.events
	assert.False(t, more)
	var timeout *types.SessionTimeoutException
	require.ErrorAs(t, l.stream.Err(), &timeout)
}

func TestLiveTailStreams(t *testing.T) {
	f := newEvents(t, 1)
	for _, s := range []string{"a1", "a2", "b"} {
		f.createStream("g", s)
	}
	f.clock.advance(time.Second)
	l, _ := f.tail(&api.StartLiveTailInput{LogGroupIdentifiers: []string{"g"}, LogStreamNamePrefixes: []string{"a", "x"}})
	f.put("g", "a1", "1")
	f.put("g", "b", "2")
	f.put("g", "a2", "3")
	got, _ := l.next()
	assert.Equal(t, []string{"a1=1", "a2=3"}, got)
	l.close()
	l, _ = f.tail(&api.StartLiveTailInput{LogGroupIdentifiers: []string{"g"}, LogStreamNames: []string{"b"}})
	got, _ = l.next()
	assert.Equal(t, []string{"b=2"}, got, "ingested in the millisecond of the start")
	l.close()
	l, _ = f.tail(&api.StartLiveTailInput{LogGroupIdentifiers: []string{"g"}, LogEventFilterPattern: new("?1 ?3")})
	got, _ = l.next()
	assert.Equal(t, []string{"a1=1", "a2=3"}, got)
}

func TestLiveTailErrors(t *testing.T) {
	f := newEvents(t, 1)
	for _, c := range []struct {
		in            api.StartLiveTailInput
		code, message string
	}{
		{api.StartLiveTailInput{LogGroupIdentifiers: []string{"none"}}, "ResourceNotFoundException", "The specified log group does not exist."},
		{
			api.StartLiveTailInput{LogGroupIdentifiers: []string{testGroupARN + ":*"}},
			"InvalidParameterException",
			`1 validation error detected: Value at 'logGroupIdentifiers.1.member' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w#+=/:,.@-]*`,
		},
		{
			api.StartLiveTailInput{LogGroupIdentifiers: []string{"g"}, LogStreamNames: []string{"a"}, LogStreamNamePrefixes: []string{"a"}},
			"InvalidParameterException",
			"Only one of logStreamNames or logStreamNamePrefixes can be provided.",
		},
		{
			api.StartLiveTailInput{LogGroupIdentifiers: []string{"g", "h"}, LogStreamNames: []string{"a"}},
			"InvalidParameterException",
			"logStreamNames and logStreamNamePrefixes can only be used with a single log group.",
		},
		{
			api.StartLiveTailInput{LogGroupIdentifiers: []string{"g"}, LogEventFilterPattern: new("Status:")},
			"InvalidParameterException",
			"Invalid character(s) in term ':'",
		},
	} {
		_, err := f.StartLiveTail(t.Context(), &c.in)
		wantError(t, err, c.code, c.message)
	}
	for range maxTailSessions {
		require.True(t, f.service.tails.enter(testTenant))
	}
	_, err := f.StartLiveTail(t.Context(), &api.StartLiveTailInput{LogGroupIdentifiers: []string{"g"}})
	wantError(t, err, "LimitExceededException", "Resource limit exceeded.")
	f.service.tails.leave(testTenant)
	l, _ := f.tail(&api.StartLiveTailInput{LogGroupIdentifiers: []string{"g"}})
	f.service.cancel()
	_, more := <-l.events
	assert.False(t, more)
	require.ErrorContains(t, l.stream.Err(), "shutting down")
}
