// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

func plogTime(ms int64) pcommon.Timestamp { return pcommon.Timestamp(ms * 1_000_000) }

// The batches that AWS documents and that were recorded there: times relative to now, retention in days.
func TestPutLogEventsTimes(t *testing.T) {
	const hour, day = time.Hour, 24 * time.Hour
	for _, c := range []struct {
		name      string
		times     []time.Duration
		retention int32
		rejected  *types.RejectedLogEventsInfo
		stored    int
		err       string
	}{
		{name: "too new", times: []time.Duration{0, 5 * time.Minute, 24 * hour}, rejected: &types.RejectedLogEventsInfo{TooNewLogEventStartIndex: new(int32(2))}, stored: 2},
		{name: "span counts valid events", times: []time.Duration{-15 * day, -hour}, rejected: &types.RejectedLogEventsInfo{TooOldLogEventEndIndex: new(int32(1))}, stored: 1},
		{name: "expired", times: []time.Duration{-3 * day, -hour}, retention: 1, rejected: &types.RejectedLogEventsInfo{ExpiredLogEventEndIndex: new(int32(1))}, stored: 1},
		{name: "all too old", times: []time.Duration{-15 * day}, rejected: &types.RejectedLogEventsInfo{TooOldLogEventEndIndex: new(int32(1))}},
		{name: "all too new", times: []time.Duration{3 * hour}, rejected: &types.RejectedLogEventsInfo{TooNewLogEventStartIndex: new(int32(0))}},
		{name: "valid span 21 h", times: []time.Duration{-20 * hour, hour, 5 * hour}, rejected: &types.RejectedLogEventsInfo{TooNewLogEventStartIndex: new(int32(2))}, stored: 2},
		{name: "valid span 24.5 h", times: []time.Duration{-23 * hour, 90 * time.Minute}, err: "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."},
		{name: "out of order", times: []time.Duration{0, -time.Millisecond}, err: "Log events in a single PutLogEvents request must be in chronological order."},
		{name: "equal times", times: []time.Duration{0, 0, 0}, stored: 3},
		{name: "span of exactly 24 h", times: []time.Duration{-23 * hour, hour}, stored: 2},
		{name: "limits themselves", times: []time.Duration{2 * hour}, stored: 1},
		{name: "oldest", times: []time.Duration{-14 * day}, stored: 1},
		{name: "too old, expired and too new", times: []time.Duration{-15 * day, -2 * day, 0, 3 * hour}, retention: 1, stored: 1, rejected: &types.RejectedLogEventsInfo{
			TooOldLogEventEndIndex: new(int32(1)), ExpiredLogEventEndIndex: new(int32(2)), TooNewLogEventStartIndex: new(int32(3)),
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := newTestClock().ms()
			var in []types.InputLogEvent
			for i, d := range c.times {
				in = append(in, types.InputLogEvent{Timestamp: new(now + d.Milliseconds()), Message: new(strconv.Itoa(i))})
			}
			row := groupRow{Retention: c.retention}
			events, rejected, err := acceptable(in, now, row.notBefore(now))
			if c.err != "" {
				wantAWSError(t, err, "InvalidParameterException", c.err)
				return
			}
			require.NoError(t, err)
			assert.Len(t, events, c.stored)
			assert.Equal(t, c.rejected, rejected)
		})
	}
}

func wantAWSError(tb testing.TB, err error, code, message string) {
	tb.Helper()
	var e *awswire.Error
	if assert.ErrorAs(tb, err, &e) {
		assert.Equal(tb, code, e.Code)
		assert.Equal(tb, message, e.Message)
	}
}

func TestPutLogEventsSizes(t *testing.T) {
	now := newTestClock().ms()
	event := func(n int) types.InputLogEvent {
		return types.InputLogEvent{Timestamp: &now, Message: new(strings.Repeat("x", n))}
	}
	_, _, err := acceptable([]types.InputLogEvent{event(1<<20 - 25)}, now, 0)
	wantAWSError(t, err, "InvalidParameterException", "Log event too large: 1048577 bytes exceeds limit of 1048576")
	_, _, err = acceptable([]types.InputLogEvent{event(1<<20 - 26)}, now, 0)
	require.NoError(t, err)
	_, _, err = acceptable([]types.InputLogEvent{event(1<<20 - 26 - 27), event(2)}, now, 0)
	wantAWSError(t, err, "InvalidParameterException", "Upload too large: 1048577 bytes exceeds limit of 1048576")
	_, _, err = acceptable([]types.InputLogEvent{event(1<<20 - 26 - 27), event(1)}, now, 0)
	require.NoError(t, err)
	// Bytes count, not characters.
	_, _, err = acceptable([]types.InputLogEvent{{Timestamp: &now, Message: new(strings.Repeat("€", 349_517))}}, now, 0)
	wantAWSError(t, err, "InvalidParameterException", "Log event too large: 1048577 bytes exceeds limit of 1048576")
}

func TestPutLogEventsChecks(t *testing.T) {
	ok := types.InputLogEvent{Timestamp: new(int64(1)), Message: new("x")}
	for _, c := range []struct {
		name string
		in   api.PutLogEventsInput
		want string
	}{
		{"nothing", api.PutLogEventsInput{}, "3 validation errors detected: Value null at 'logGroupName' failed to satisfy constraint: Member must not be null; " +
			"Value null at 'logStreamName' failed to satisfy constraint: Member must not be null; " +
			"Value null at 'logEvents' failed to satisfy constraint: Member must not be null"},
		{
			"bad names",
			api.PutLogEventsInput{LogGroupName: new("a b"), LogStreamName: new("a:b"), LogEvents: []types.InputLogEvent{ok}},
			`2 validation errors detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+; ` +
				`Value 'a:b' at 'logStreamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:*]*`,
		},
		{
			"long names",
			api.PutLogEventsInput{LogGroupName: new(strings.Repeat("a", 513)), LogStreamName: new("s"), LogEvents: []types.InputLogEvent{ok}},
			"Invalid LogGroup or LogStream, both must have length less than or equal to 512.",
		},
		{
			"no events",
			api.PutLogEventsInput{LogGroupName: new("g"), LogStreamName: new("s"), LogEvents: []types.InputLogEvent{}},
			"1 validation error detected: Value '[]' at 'logEvents' failed to satisfy constraint: Member must have length greater than or equal to 1",
		},
		{
			"too many events",
			api.PutLogEventsInput{LogGroupName: new("g"), LogStreamName: new("s"), LogEvents: slicesRepeat(ok, 10_001)},
			"1 validation error detected: Value at 'logEvents' failed to satisfy constraint: Member must have length less than or equal to 10000",
		},
		{
			"empty message",
			api.PutLogEventsInput{LogGroupName: new("g"), LogStreamName: new("s"), LogEvents: []types.InputLogEvent{ok, {Timestamp: new(int64(-1)), Message: new("")}}},
			"2 validation errors detected: Value '-1' at 'logEvents.2.member.timestamp' failed to satisfy constraint: Member must have value greater than or equal to 0; " +
				"Value '' at 'logEvents.2.member.message' failed to satisfy constraint: Member must have length greater than or equal to 1",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantAWSError(t, checkPut(&c.in), "InvalidParameterException", c.want)
		})
	}
}

func slicesRepeat[T any](v T, n int) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func TestPutLogEvents(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	in := &api.PutLogEventsInput{LogGroupName: new("/app/api"), LogStreamName: new("s1"), LogEvents: []types.InputLogEvent{
		{Timestamp: new(f.clock.ms()), Message: new("first")}, {Timestamp: new(f.clock.ms()), Message: new("second\u0000 ü\n")},
	}}
	_, err := f.PutLogEvents(ctx, in)
	wantError(t, err, "ResourceNotFoundException", "The specified log group does not exist.")
	f.createGroup("/app/api")
	_, err = f.PutLogEvents(ctx, in)
	wantError(t, err, "ResourceNotFoundException", "The specified log stream does not exist.")
	f.createStream("/app/api", "s1")
	in.SequenceToken = new("ignored")
	in.Entity = &types.Entity{KeyAttributes: map[string]string{"Type": "Service", "Name": "api"}}
	out, err := f.PutLogEvents(ctx, in)
	require.NoError(t, err)
	assert.Regexp(t, `^\d{56}$`, *out.NextSequenceToken)
	assert.Nil(t, out.RejectedLogEventsInfo)
	assert.Equal(t, types.EntityRejectionErrorTypeUnsupportedLogGroupType, out.RejectedEntityInfo.ErrorType)
	assert.Equal(t, []string{"first", "second\u0000 ü\n"}, f.messages("/app/api"))

	// Events that are all refused are no error, and not written.
	f.consume = func(context.Context, plog.Logs) error { t.Error("called"); return nil }
	in.LogEvents = []types.InputLogEvent{{Timestamp: new(f.clock.ms() + 3*3600_000), Message: new("x")}}
	out, err = f.PutLogEvents(ctx, in)
	require.NoError(t, err)
	assert.Equal(t, int32(0), *out.RejectedLogEventsInfo.TooNewLogEventStartIndex)
	assert.NotNil(t, out.NextSequenceToken)
}

// The agent sends gzip.
func TestPutLogEventsGzip(t *testing.T) {
	f := newFixture(t)
	f.createGroup("g")
	f.createStream("g", "s")
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	_, _ = fmt.Fprintf(z, `{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":%d,"message":"zipped"}]}`, f.clock.ms())
	require.NoError(t, z.Close())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.url, &body)
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("Content-Encoding", "gzip")
	req.Header.Set("X-Amz-Target", "Logs_20140328.PutLogEvents")
	req.Header.Set("X-Amzn-Logs-Format", "json/emf")
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, resp.StatusCode, "%s", text)
	assert.Contains(t, string(text), `"nextSequenceToken":"`)
	assert.Equal(t, []string{"zipped"}, f.messages("g"))
}

func TestPutLogEventsPipeline(t *testing.T) {
	f := newFixture(t)
	f.createGroup("g")
	f.createStream("g", "s")
	for _, c := range []struct {
		err           error
		code, message string
	}{
		{errors.New("queue is full"), "ThrottlingException", "Rate exceeded"},
		{fmt.Errorf("write: %w", store.ErrUnavailable), "ServiceUnavailableException", "The store cannot accept writes for now."},
		{consumererror.NewPermanent(errors.New("bad")), "InternalFailure", "An internal error occurred."},
	} {
		f.consume = func(context.Context, plog.Logs) error { return c.err }
		_, err := f.PutLogEvents(t.Context(), &api.PutLogEventsInput{
			LogGroupName: new("g"), LogStreamName: new("s"), LogEvents: []types.InputLogEvent{{Timestamp: new(f.clock.ms()), Message: new("x")}},
		})
		wantError(t, err, c.code, c.message)
	}
	var got plog.Logs
	f.consume = func(_ context.Context, ld plog.Logs) error { got = ld; return nil }
	f.put("g", "s", `{"level":"ERROR"}`)
	r := got.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	assert.Equal(t, plogTime(f.clock.ms()), r.ObservedTimestamp())
	assert.Equal(t, plog.SeverityNumberError, r.SeverityNumber())
}

func TestEntityError(t *testing.T) {
	for _, c := range []struct {
		key, other map[string]string
		want       types.EntityRejectionErrorType
	}{
		{nil, nil, "MissingRequiredFields"},
		{map[string]string{"Type": "Service"}, nil, "InvalidKeyAttributes"},
		{map[string]string{"Type": "Service", "Name": ""}, nil, "InvalidKeyAttributes"},
		{map[string]string{"Name": "a", "Environment": "b"}, nil, "MissingRequiredFields"},
		{map[string]string{"Type": "Service", "Name": "a"}, map[string]string{"": "x"}, "InvalidAttributes"},
		{map[string]string{"Type": "Service", "Name": "a"}, map[string]string{"k": "x"}, "UnsupportedLogGroupType"},
	} {
		assert.Equal(t, c.want, entityError(&types.Entity{KeyAttributes: c.key, Attributes: c.other}))
	}
}

func BenchmarkPutLogEvents(b *testing.B) {
	clock := newTestClock()
	s, err := New(Settings{State: newMemoryState(), Now: clock.Now, Consume: func(context.Context, plog.Logs) error { return nil }})
	require.NoError(b, err)
	ctx := awswire.WithRequest(b.Context(), &awswire.Request{Account: testAccount, Region: testRegion})
	require.NoError(b, s.createLogGroup(ctx, &api.CreateLogGroupInput{LogGroupName: new("g")}))
	require.NoError(b, s.createLogStream(ctx, &api.CreateLogStreamInput{LogGroupName: new("g"), LogStreamName: new("s")}))
	message := `{"level":"INFO","service":"checkout","trace_id":"5759e988bd862e3fe1be46a994272793","duration_ms":12.5,"status":200,"pad":"`
	message += strings.Repeat("x", 550-len(message)-2) + `"}`
	in := &api.PutLogEventsInput{LogGroupName: new("g"), LogStreamName: new("s")}
	for range 1000 {
		in.LogEvents = append(in.LogEvents, types.InputLogEvent{Timestamp: new(clock.ms()), Message: &message})
	}
	require.Less(b, 1000*(550+cloudwatchlogs.EventOverhead), cloudwatchlogs.MaxBatchBytes)
	b.ReportAllocs()
	b.SetBytes(1000 * 550)
	for b.Loop() {
		if _, err := s.putLogEvents(ctx, in); err != nil {
			b.Fatal(err)
		}
	}
	require.NoError(b, s.Shutdown(context.Background()))
}
