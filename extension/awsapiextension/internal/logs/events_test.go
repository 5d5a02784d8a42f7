// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
)

// newEvents returns a fixture with n events a second apart in the stream s of the group g, the last one now.
func newEvents(t *testing.T, n int) *fixture {
	t.Helper()
	f := newFixture(t)
	f.createGroup("g")
	f.createStream("g", "s")
	in := &api.PutLogEventsInput{LogGroupName: new("g"), LogStreamName: new("s")}
	for i := range n {
		in.LogEvents = append(in.LogEvents, types.InputLogEvent{
			Timestamp: new(f.clock.ms() - int64(n-1-i)*1000), Message: new(fmt.Sprintf("%02d", i)),
		})
	}
	_, err := f.PutLogEvents(t.Context(), in)
	require.NoError(t, err)
	return f
}

// The table of calls and tokens that the cursor of GetLogEvents has to satisfy: 20 events, 10 a page.
func TestGetLogEvents(t *testing.T) {
	f := newEvents(t, 20)
	ctx := t.Context()
	first := f.clock.ms() - 19_000
	get := func(token *string, head bool) (got []string, out *api.GetLogEventsOutput) {
		t.Helper()
		out, err := f.GetLogEvents(ctx, &api.GetLogEventsInput{
			LogGroupName: new("g"), LogStreamName: new("s"), Limit: new(int32(10)), NextToken: token, StartFromHead: &head,
		})
		require.NoError(t, err)
		for _, e := range out.Events {
			got = append(got, *e.Message)
		}
		return got, out
	}
	events := func(from, to int) (list []string) {
		for i := from; i <= to; i++ {
			list = append(list, fmt.Sprintf("%02d", i))
		}
		return list
	}
	got, out := get(nil, false)
	assert.Equal(t, events(10, 19), got)
	assert.Equal(t, types.OutputLogEvent{Timestamp: new(first + 10_000), IngestionTime: new(f.clock.ms()), Message: new("10")}, out.Events[0])
	f19, b10 := out.NextForwardToken, out.NextBackwardToken
	assert.Regexp(t, `^f/\d{56}$`, *f19)
	assert.Regexp(t, `^b/\d{56}$`, *b10)

	got, out = get(b10, false)
	assert.Equal(t, events(0, 9), got)
	f09, b00 := out.NextForwardToken, out.NextBackwardToken

	got, out = get(b00, false)
	assert.Empty(t, got)
	assert.Equal(t, *b00, *out.NextBackwardToken, "the end")
	f00 := out.NextForwardToken

	got, out = get(f00, true)
	assert.Equal(t, events(1, 10), got)
	assert.NotNil(t, out.NextForwardToken)

	got, out = get(f19, true)
	assert.Empty(t, got)
	assert.Equal(t, *f19, *out.NextForwardToken, "the end")
	b19 := out.NextBackwardToken
	got, _ = get(b19, false)
	assert.Equal(t, events(9, 18), got)

	got, out = get(nil, true)
	assert.Equal(t, events(0, 9), got)
	assert.Equal(t, *f09, *out.NextForwardToken)
	assert.Equal(t, *b00, *out.NextBackwardToken)

	got, out = get(f09, true)
	assert.Equal(t, events(10, 19), got)
	assert.Equal(t, *f19, *out.NextForwardToken)
	assert.Equal(t, *b10, *out.NextBackwardToken)

	f.clock.advance(time.Second)
	f.put("g", "s", "20", "21")
	got, _ = get(f19, true)
	assert.Equal(t, []string{"20", "21"}, got, "a token of the end finds what comes later")

	// The SDK's paginator stops at an equal token.
	pages := api.NewGetLogEventsPaginator(f, &api.GetLogEventsInput{
		LogGroupIdentifier: new("g"), LogStreamName: new("s"), StartFromHead: new(true), Limit: new(int32(7)),
	}, func(o *api.GetLogEventsPaginatorOptions) { o.StopOnDuplicateToken = true })
	got = nil
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		require.NoError(t, err)
		for _, e := range out.Events {
			got = append(got, *e.Message)
		}
	}
	assert.Equal(t, events(0, 21), got)
}

func TestGetLogEventsRange(t *testing.T) {
	f := newEvents(t, 5)
	first := f.clock.ms() - 4000
	for _, c := range []struct {
		name       string
		start, end *int64
		want       string
	}{
		{"start is inclusive, end exclusive", new(first + 1000), new(first + 3000), "01 02"},
		{"start", new(first + 3000), nil, "03 04"},
		{"end", nil, new(first + 1), "00"},
		{"empty", new(first + 1000), new(first + 1000), ""},
		{"end before start", new(first + 1000), new(first), ""},
		{"beyond time", new(int64(0)), new(int64(1) << 62), "00 01 02 03 04"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := f.GetLogEvents(t.Context(), &api.GetLogEventsInput{
				LogGroupName: new("g"), LogStreamName: new("s"), StartTime: c.start, EndTime: c.end, NextToken: new(""),
			})
			require.NoError(t, err)
			var got []string
			for _, e := range out.Events {
				got = append(got, *e.Message)
			}
			assert.Equal(t, c.want, strings.Join(got, " "))
			assert.NotNil(t, out.NextForwardToken)
			assert.NotNil(t, out.NextBackwardToken)
		})
	}
}

// A stream without events has tokens, and the forward one finds the first event.
func TestGetLogEventsEmptyStream(t *testing.T) {
	f := newFixture(t)
	f.createGroup("g")
	f.createStream("g", "s")
	in := &api.GetLogEventsInput{LogGroupName: new("g"), LogStreamName: new("s")}
	out, err := f.GetLogEvents(t.Context(), in)
	require.NoError(t, err)
	assert.Empty(t, out.Events)
	in.NextToken = out.NextForwardToken
	out, err = f.GetLogEvents(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, *in.NextToken, *out.NextForwardToken)
	f.put("g", "s", "x")
	out, err = f.GetLogEvents(t.Context(), in)
	require.NoError(t, err)
	assert.Len(t, out.Events, 1)
}

func TestGetLogEventsErrors(t *testing.T) {
	f := newEvents(t, 1)
	ctx := t.Context()
	f.createStream("g", "other")
	out, err := f.GetLogEvents(ctx, &api.GetLogEventsInput{LogGroupName: new("g"), LogStreamName: new("other")})
	require.NoError(t, err)
	_, err = f.CreateLogGroup(ctx, &api.CreateLogGroupInput{LogGroupName: new("rare"), LogGroupClass: types.LogGroupClassInfrequentAccess})
	require.NoError(t, err)
	for _, c := range []struct {
		in            api.GetLogEventsInput
		code, message string
	}{
		{api.GetLogEventsInput{LogGroupName: new("none"), LogStreamName: new("s")}, "ResourceNotFoundException", "The specified log group does not exist."},
		{api.GetLogEventsInput{LogGroupName: new("g"), LogStreamName: new("none")}, "ResourceNotFoundException", "The specified log stream does not exist."},
		{api.GetLogEventsInput{LogGroupName: new("g"), LogStreamName: new("s"), NextToken: new("bad")}, "InvalidParameterException", "The specified nextToken is invalid."},
		{
			api.GetLogEventsInput{LogGroupName: new("g"), LogStreamName: new("s"), NextToken: new("f/" + strings.Repeat("0", 56))},
			"InvalidParameterException",
			"The specified nextToken is invalid.",
		},
		{
			api.GetLogEventsInput{LogGroupName: new("g"), LogStreamName: new("s"), NextToken: out.NextForwardToken},
			"InvalidParameterException",
			"The specified nextToken is invalid.",
		},
		{
			api.GetLogEventsInput{LogGroupName: new("g"), LogStreamName: new("s"), Limit: new(int32(10001))},
			"InvalidParameterException",
			"1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 10000",
		},
		{
			api.GetLogEventsInput{LogGroupName: new("g"), LogGroupIdentifier: new("g"), LogStreamName: new("s")},
			"InvalidParameterException",
			"LogGroup name and LogGroup ARN are mutually exclusive parameters.",
		},
		{
			api.GetLogEventsInput{LogGroupIdentifier: new("arn:aws:logs:eu-west-1:123456789012:log-group:g:*"), LogStreamName: new("s")},
			"InvalidParameterException",
			`1 validation error detected: Value at 'logGroupIdentifier' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w#+=/:,.@-]*`,
		},
		{
			api.GetLogEventsInput{LogGroupName: new("rare"), LogStreamName: new("s")},
			"InvalidOperationException",
			"GetLogEvents is not supported for log groups of the class INFREQUENT_ACCESS.",
		},
	} {
		_, err := f.GetLogEvents(ctx, &c.in)
		wantError(t, err, c.code, c.message)
	}
}

// A page holds at most 1 MB, and at least one event.
func TestPageBytes(t *testing.T) {
	f := newFixture(t)
	f.createGroup("g")
	f.createStream("g", "s")
	f.put("g", "s", strings.Repeat("a", 1<<20-26))
	f.put("g", "s", strings.Repeat("b", 600_000))
	f.put("g", "s", strings.Repeat("c", 400_000), "d")
	var got []string
	forward := api.NewGetLogEventsPaginator(f, &api.GetLogEventsInput{LogGroupName: new("g"), LogStreamName: new("s"), StartFromHead: new(true)},
		func(o *api.GetLogEventsPaginatorOptions) { o.StopOnDuplicateToken = true })
	for forward.HasMorePages() {
		out, err := forward.NextPage(t.Context())
		require.NoError(t, err)
		got = append(got, strconv.Itoa(len(out.Events)))
	}
	assert.Equal(t, "1 3 0", strings.Join(got, " "))
	got = nil
	filter := api.NewFilterLogEventsPaginator(f, &api.FilterLogEventsInput{LogGroupName: new("g")})
	for filter.HasMorePages() {
		out, err := filter.NextPage(t.Context())
		require.NoError(t, err)
		got = append(got, strconv.Itoa(len(out.Events)))
	}
	assert.Equal(t, "1 3", strings.Join(got, " "))
}

func TestFilterLogEvents(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	f.createGroup("g")
	for _, s := range []string{"a1", "a2", "b"} {
		f.createStream("g", s)
	}
	first := f.clock.ms()
	for i, s := range []string{"a1", "b", "a2", "a1", "b"} {
		f.put("g", s, strconv.Itoa(i))
		f.clock.advance(time.Second)
	}
	for _, c := range []struct {
		name string
		in   api.FilterLogEventsInput
		want string
	}{
		{"all", api.FilterLogEventsInput{}, "0 1 2 3 4"},
		{"both times inclusive", api.FilterLogEventsInput{StartTime: new(first + 1000), EndTime: new(first + 3000)}, "1 2 3"},
		{"streams", api.FilterLogEventsInput{LogStreamNames: []string{"a2", "b"}}, "1 2 4"},
		{"stream prefix", api.FilterLogEventsInput{LogStreamNamePrefix: new("a")}, "0 2 3"},
		{"from the end", api.FilterLogEventsInput{StartTime: new(first), StartFromHead: new(false)}, "4 3 2 1 0"},
		{"interleaved", api.FilterLogEventsInput{Interleaved: new(true), NextToken: new("")}, "0 1 2 3 4"},
		{"empty pattern", api.FilterLogEventsInput{FilterPattern: new("")}, "0 1 2 3 4"},
		{"no time", api.FilterLogEventsInput{StartTime: new(first + 1), EndTime: new(first)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, limit := range []int32{1, 2, 10_000} {
				in := c.in
				in.LogGroupName, in.Limit = new("g"), &limit
				var got []string
				ids := map[string]bool{}
				for {
					out, err := f.FilterLogEvents(ctx, &in)
					require.NoError(t, err)
					assert.Empty(t, out.SearchedLogStreams)
					assert.LessOrEqual(t, len(out.Events), int(limit))
					for _, e := range out.Events {
						got = append(got, *e.Message)
						assert.Regexp(t, `^\d{56}$`, *e.EventId)
						ids[*e.EventId] = true
						assert.Equal(t, *e.Timestamp, *e.IngestionTime)
					}
					if out.NextToken == nil {
						break
					}
					assert.NotEmpty(t, out.Events)
					in.NextToken = out.NextToken
				}
				assert.Equal(t, c.want, strings.Join(got, " "))
				assert.Len(t, ids, len(got))
			}
		})
	}
	for _, c := range []struct {
		in            api.FilterLogEventsInput
		code, message string
	}{
		{api.FilterLogEventsInput{LogStreamNames: []string{"none"}}, "ResourceNotFoundException", "The specified log stream does not exist."},
		{
			api.FilterLogEventsInput{LogStreamNames: []string{"a1"}, LogStreamNamePrefix: new("a")},
			"InvalidParameterException",
			"logStreamNames and logStreamNamePrefix are mutually exclusive parameters.",
		},
		{api.FilterLogEventsInput{NextToken: new("x")}, "InvalidParameterException", "The specified nextToken is invalid."},
		{
			api.FilterLogEventsInput{StartFromHead: new(false)},
			"InvalidParameterException",
			"startFromHead=false requires a startTime on or after 2024-01-01T00:00:00Z.",
		},
		{
			api.FilterLogEventsInput{Limit: new(int32(10001))},
			"InvalidParameterException",
			"1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 10000",
		},
		{
			api.FilterLogEventsInput{FilterPattern: new(strings.Repeat("a", 1025))},
			"InvalidParameterException",
			"1 validation error detected: Value '" + strings.Repeat("a", 1025) + "' at 'filterPattern' failed to satisfy constraint: Member must have length less than or equal to 1024",
		},
	} {
		c.in.LogGroupName = new("g")
		_, err := f.FilterLogEvents(ctx, &c.in)
		wantError(t, err, c.code, c.message)
	}
}

// A page that has compared enough events ends, with a place to go on from, whether something was found or not.
func TestFilterPageVisits(t *testing.T) {
	pattern, err := compilePattern("b")
	require.NoError(t, err)
	p := filterPage{limit: 10, maxVisits: 2, pattern: pattern}
	record := func(seq int64, message string) *store.LogRecord { return &store.LogRecord{Seq: seq, Message: message} }
	assert.True(t, p.take(record(1, "a")))
	assert.True(t, p.take(record(2, "a")))
	assert.False(t, p.take(record(3, "b")))
	assert.Empty(t, p.events)
	assert.True(t, p.more)
	assert.Equal(t, int64(2), p.last.Seq)
}

func TestPositions(t *testing.T) {
	p := store.LogPosition{Timestamp: 1_763_719_200_123, Ingested: 1_763_719_200_124, Seq: 42}
	assert.Equal(t, "00000000176371920012300176371920012400000000000000000042", eventID(p))
	token := eventToken('f', p, "scope")
	direction, got, ok := parseEventToken(token, "scope")
	require.True(t, ok)
	assert.Equal(t, byte('f'), direction)
	assert.Equal(t, p, got)
	_, _, ok = parseEventToken(token+"/s", "scope")
	assert.True(t, ok)
	for _, bad := range []string{"", "f/", "x" + token[1:], token[:57], strings.Replace(token, "42", "43", 1)} {
		_, _, ok = parseEventToken(bad, "scope")
		assert.False(t, ok, bad)
	}
}

func FuzzParseEventToken(f *testing.F) {
	f.Add(eventToken('b', store.LogPosition{Timestamp: 1, Ingested: 2, Seq: 3}, ""))
	f.Add("f/" + strings.Repeat("9", 56))
	f.Fuzz(func(t *testing.T, s string) {
		if direction, p, ok := parseEventToken(s, ""); ok {
			require.Equal(t, strings.TrimSuffix(s, "/s"), eventToken(direction, p, ""))
		}
	})
}
