// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLogStreams(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	_, err := f.CreateLogStream(ctx, &api.CreateLogStreamInput{LogGroupName: new("g"), LogStreamName: new("s")})
	wantError(t, err, "ResourceNotFoundException", "The specified log group does not exist.")
	f.createGroup("g")
	created := f.clock.ms()
	f.createStream("g", "b")
	f.createStream("g", "a")
	_, err = f.CreateLogStream(ctx, &api.CreateLogStreamInput{LogGroupName: new("g"), LogStreamName: new("a")})
	wantError(t, err, "ResourceAlreadyExistsException", "The specified log stream already exists")
	f.clock.advance(time.Second)
	f.put("g", "b", "x")
	f.clock.advance(time.Second)
	f.otlp("g", "c", "y", f.clock.ms()-500)
	row := func(name string, created int64) types.LogStream {
		return types.LogStream{
			LogStreamName: &name, CreationTime: &created, StoredBytes: new(int64(0)),
			Arn: new("arn:aws:logs:eu-west-1:123456789012:log-group:g:log-stream:" + name),
		}
	}
	a, b, c := row("a", created), row("b", created), row("c", created+2000)
	b.FirstEventTimestamp, b.LastEventTimestamp, b.LastIngestionTime = new(created+1000), new(created+1000), new(created+1000)
	c.FirstEventTimestamp, c.LastEventTimestamp, c.LastIngestionTime = new(created+1500), new(created+1500), new(created+2000)
	for _, test := range []struct {
		name string
		in   api.DescribeLogStreamsInput
		want []types.LogStream
	}{
		{"by name", api.DescribeLogStreamsInput{LogGroupName: new("g")}, []types.LogStream{a, b, c}},
		{"descending", api.DescribeLogStreamsInput{LogGroupName: new("g"), Descending: new(true)}, []types.LogStream{c, b, a}},
		{"by time", api.DescribeLogStreamsInput{LogGroupName: new("g"), OrderBy: types.OrderByLastEventTime}, []types.LogStream{a, b, c}},
		{"latest first", api.DescribeLogStreamsInput{LogGroupName: new("g"), OrderBy: types.OrderByLastEventTime, Descending: new(true)}, []types.LogStream{c, b, a}},
		{"prefix", api.DescribeLogStreamsInput{LogGroupName: new("g"), LogStreamNamePrefix: new("b")}, []types.LogStream{b}},
		{"by ARN", api.DescribeLogStreamsInput{LogGroupIdentifier: new("arn:aws:logs:eu-west-1:123456789012:log-group:g"), LogStreamNamePrefix: new("d")}, []types.LogStream{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, err := f.DescribeLogStreams(ctx, &test.in)
			require.NoError(t, err)
			for i := range out.LogStreams {
				s := &out.LogStreams[i]
				assert.Equal(t, s.LastEventTimestamp != nil, s.UploadSequenceToken != nil)
				s.UploadSequenceToken = nil
			}
			assert.Equal(t, test.want, out.LogStreams)
		})
	}
	for _, test := range []struct {
		in            api.DescribeLogStreamsInput
		code, message string
	}{
		{
			api.DescribeLogStreamsInput{LogGroupName: new("g"), LogGroupIdentifier: new("g")},
			"ValidationException",
			"LogGroup name and LogGroup ARN are mutually exclusive parameters.",
		},
		{
			api.DescribeLogStreamsInput{LogGroupName: new("g"), LogStreamNamePrefix: new("a"), OrderBy: types.OrderByLastEventTime},
			"InvalidParameterException",
			"Cannot order by LastEventTime with a logStreamNamePrefix.",
		},
		{api.DescribeLogStreamsInput{LogGroupName: new("none")}, "ResourceNotFoundException", "The specified log group does not exist."},
		{
			api.DescribeLogStreamsInput{LogGroupIdentifier: new("arn:aws:logs:us-east-1:123456789012:log-group:g")},
			"ResourceNotFoundException",
			"The specified log group does not exist.",
		},
		{api.DescribeLogStreamsInput{LogGroupIdentifier: new("arn:aws:logs:x")}, "InvalidParameterException", "Invalid ARN of a log group: arn:aws:logs:x"},
		{
			api.DescribeLogStreamsInput{},
			"InvalidParameterException",
			"1 validation error detected: Value null at 'logGroupName' failed to satisfy constraint: Member must not be null",
		},
		{api.DescribeLogStreamsInput{LogGroupName: new("g"), NextToken: new("zzz")}, "InvalidParameterException", "The specified nextToken is invalid."},
	} {
		_, err := f.DescribeLogStreams(ctx, &test.in)
		wantError(t, err, test.code, test.message)
	}
}

// A stream that another receiver fills takes events, and may be created.
func TestStoredStreams(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	f.otlp("/otel/shop", "pod-1", "a", f.clock.ms())
	f.otlp("/otel/shop", "pod-2", "b", f.clock.ms())
	f.clock.advance(time.Minute)
	f.put("/otel/shop", "pod-1", "c")
	f.createStream("/otel/shop", "pod-2")
	f.put("/otel/shop", "pod-2", "d")
	assert.Equal(t, []string{"a", "b", "c", "d"}, f.messages("/otel/shop"))
	out, err := f.DescribeLogStreams(ctx, &api.DescribeLogStreamsInput{LogGroupName: new("/otel/shop")})
	require.NoError(t, err)
	require.Len(t, out.LogStreams, 2)
	assert.Equal(t, f.clock.ms()-60_000, *out.LogStreams[0].CreationTime)

	// What is not there is looked for every two seconds only.
	in := &api.PutLogEventsInput{LogGroupName: new("/otel/shop"), LogStreamName: new("pod-3"), LogEvents: []types.InputLogEvent{
		{Timestamp: new(f.clock.ms()), Message: new("e")},
	}}
	put := func() error {
		_, err := f.PutLogEvents(ctx, in)
		return err
	}
	wantError(t, put(), "ResourceNotFoundException", "The specified log stream does not exist.")
	f.otlp("/otel/shop", "pod-3", "x", f.clock.ms())
	wantError(t, put(), "ResourceNotFoundException", "The specified log stream does not exist.")
	f.clock.advance(missLifetime * time.Millisecond)
	require.NoError(t, put())
	in.LogGroupName = new("/none")
	wantError(t, put(), "ResourceNotFoundException", "The specified log group does not exist.")
	f.otlp("/none", "pod-3", "x", f.clock.ms())
	wantError(t, put(), "ResourceNotFoundException", "The specified log group does not exist.")
	f.clock.advance(missLifetime * time.Millisecond)
	require.NoError(t, put())
}

func TestMissesAreBounded(t *testing.T) {
	var m misses
	for i := range 5000 {
		m.note(testTenant, strconv.Itoa(i), map[string]bool{"a": true}, 1)
		assert.LessOrEqual(t, len(m.groups), maxMisses)
	}
	many := map[string]bool{}
	for i := range maxMissNames/2 + 1 {
		many[strconv.Itoa(i)] = true
	}
	m.note(testTenant, "g", many, 1)
	assert.False(t, m.absent(testTenant, "g", "x", 1))
	delete(many, "0")
	for i := range 4 {
		m.note(testTenant, fmt.Sprint("g", i), many, 1)
		assert.LessOrEqual(t, m.names, maxMissNames)
	}
	assert.True(t, m.absent(testTenant, "g3", "x", 1))
	assert.False(t, m.absent(testTenant, "g3", "1", 1))
}

func TestDescribeLogStreamsPages(t *testing.T) {
	f := newFixture(t)
	f.createGroup("g")
	var want []string
	for i := range 130 {
		want = append(want, fmt.Sprintf("s%03d", i))
		f.createStream("g", want[i])
		if i%10 == 0 {
			f.put("g", want[i], "x")
		}
	}
	for _, in := range []api.DescribeLogStreamsInput{{}, {OrderBy: types.OrderByLastEventTime, Descending: new(true)}} {
		in.LogGroupName = new("g")
		pages := api.NewDescribeLogStreamsPaginator(f, &in)
		var got []string
		for pages.HasMorePages() {
			out, err := pages.NextPage(t.Context())
			require.NoError(t, err)
			for _, s := range out.LogStreams {
				got = append(got, *s.LogStreamName)
			}
		}
		if in.OrderBy == types.OrderByLastEventTime {
			assert.Equal(t, "s120", got[0])
		} else {
			assert.Equal(t, want, got)
		}
		assert.ElementsMatch(t, want, got)
	}
}

func TestDeleteLogStream(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	f.createGroup("g")
	del := func(name string) error {
		_, err := f.DeleteLogStream(ctx, &api.DeleteLogStreamInput{LogGroupName: new("g"), LogStreamName: &name})
		return err
	}
	wantError(t, del("s"), "ResourceNotFoundException", "The specified log stream does not exist.")
	f.createStream("g", "other")
	f.put("g", "other", "stays")
	for i := range 3 {
		f.createStream("g", "s")
		f.put("g", "s", fmt.Sprint("round ", i))
		assert.Equal(t, []string{"stays", fmt.Sprint("round ", i)}, f.messages("g"))
		f.open()
		require.NoError(t, del("s"))
		assert.Equal(t, []string{"stays"}, f.messages("g"))
		_, err := f.GetLogEvents(ctx, &api.GetLogEventsInput{LogGroupName: new("g"), LogStreamName: new("s")})
		wantError(t, err, "ResourceNotFoundException", "The specified log stream does not exist.")
	}
	f.clock.advance(time.Second)
	f.otlp("g", "found", "x", f.clock.ms())
	require.NoError(t, del("found"))
	assert.Equal(t, []string{"stays"}, f.messages("g"))
}
