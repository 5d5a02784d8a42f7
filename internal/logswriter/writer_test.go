// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logswriter

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	logs "github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeLogs is CloudWatch Logs as far as the writer knows it.
type fakeLogs struct {
	mu        sync.Mutex
	streams   map[string]bool // "group" and "group stream"
	tags      map[string]map[string]string
	retention map[string]int32
	puts      []*api.PutLogEventsInput
	answer    func(*api.PutLogEventsInput) (*api.PutLogEventsOutput, error)
	failNext  map[string]error // by operation, once
}

func newFake() *fakeLogs {
	return &fakeLogs{
		streams: make(map[string]bool), tags: make(map[string]map[string]string), retention: make(map[string]int32),
		failNext: make(map[string]error),
	}
}

func (f *fakeLogs) begin(op string) error {
	f.mu.Lock()
	err := f.failNext[op]
	delete(f.failNext, op)
	return err
}

func (f *fakeLogs) PutLogEvents(
	_ context.Context, in *api.PutLogEventsInput, _ ...func(*api.Options),
) (*api.PutLogEventsOutput, error) {
	err := f.begin("PutLogEvents")
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if !f.streams[*in.LogGroupName+" "+*in.LogStreamName] {
		return nil, &types.ResourceNotFoundException{Message: aws.String("The specified log group does not exist.")}
	}
	if f.answer != nil {
		if out, err := f.answer(in); out != nil || err != nil {
			return out, err
		}
	}
	f.puts = append(f.puts, in)
	return &api.PutLogEventsOutput{}, nil
}

func (f *fakeLogs) CreateLogStream(
	_ context.Context, in *api.CreateLogStreamInput, _ ...func(*api.Options),
) (*api.CreateLogStreamOutput, error) {
	err := f.begin("CreateLogStream")
	defer f.mu.Unlock()
	key := *in.LogGroupName + " " + *in.LogStreamName
	switch {
	case err != nil:
		return nil, err
	case !f.streams[*in.LogGroupName]:
		return nil, &types.ResourceNotFoundException{}
	case f.streams[key]:
		return nil, &types.ResourceAlreadyExistsException{}
	}
	f.streams[key] = true
	return &api.CreateLogStreamOutput{}, nil
}

func (f *fakeLogs) CreateLogGroup(
	_ context.Context, in *api.CreateLogGroupInput, _ ...func(*api.Options),
) (*api.CreateLogGroupOutput, error) {
	err := f.begin("CreateLogGroup")
	defer f.mu.Unlock()
	switch {
	case err != nil:
		return nil, err
	case f.streams[*in.LogGroupName]:
		return nil, &types.ResourceAlreadyExistsException{}
	}
	f.streams[*in.LogGroupName] = true
	f.tags[*in.LogGroupName] = in.Tags
	return &api.CreateLogGroupOutput{}, nil
}

func (f *fakeLogs) PutRetentionPolicy(
	_ context.Context, in *api.PutRetentionPolicyInput, _ ...func(*api.Options),
) (*api.PutRetentionPolicyOutput, error) {
	err := f.begin("PutRetentionPolicy")
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	f.retention[*in.LogGroupName] = *in.RetentionInDays
	return &api.PutRetentionPolicyOutput{}, nil
}

func newTestWriter(t *testing.T, f *fakeLogs) *Writer {
	t.Helper()
	return New(Settings{Client: f, Logger: zaptest.NewLogger(t), RetentionDays: 7, Tags: map[string]string{"k": "v"}})
}

func event(ts int64, message string) logs.InputEvent {
	return logs.InputEvent{Timestamp: ts, Message: message}
}

func (f *fakeLogs) messages() (list []string) {
	for _, in := range f.puts {
		for _, e := range in.LogEvents {
			list = append(list, *e.Message)
		}
	}
	return list
}

func TestWriteMakesWhatIsMissing(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := newTestWriter(t, f)
	f.failNext["PutRetentionPolicy"] = errors.New("later")
	out := w.Write(t.Context(), []Batch{{Group: "g", Stream: "s", Events: []logs.InputEvent{event(1, "a")}}})
	assert.Equal(t, []Outcome{{}}, out)
	assert.Equal(t, map[string]string{"k": "v"}, f.tags["g"])
	assert.Empty(t, f.retention)
	out = w.Write(t.Context(), []Batch{{Group: "g", Stream: "other", Events: []logs.InputEvent{event(1, "b")}}})
	assert.Equal(t, []Outcome{{}}, out)
	assert.Equal(t, map[string]int32{"g": 7}, f.retention, "it is tried until it succeeds")
	assert.Equal(t, []string{"a", "b"}, f.messages())

	// A group of somebody else keeps its own retention.
	f.streams["theirs"] = true
	w.Write(t.Context(), []Batch{{Group: "theirs", Stream: "s", Events: []logs.InputEvent{event(1, "c")}}})
	assert.NotContains(t, f.retention, "theirs")
}

func TestWriteOrdersAndSplits(t *testing.T) {
	t.Parallel()
	day := logs.MaxBatchSpan.Milliseconds()
	for name, c := range map[string]struct {
		events []logs.InputEvent
		calls  []int
		want   Outcome
	}{
		"order": {
			events: []logs.InputEvent{event(3, "c"), event(1, "a"), event(2, "b1"), event(2, "b2")}, calls: []int{4},
		},
		"a day": {
			events: []logs.InputEvent{event(0, "a"), event(day, "b"), event(day+1, "c")}, calls: []int{2, 1},
		},
		"bytes": {
			events: []logs.InputEvent{
				event(0, strings.Repeat("x", logs.MaxBatchBytes-2*logs.EventOverhead-1)), event(0, "y"), event(0, "z"),
			}, calls: []int{2, 1},
		},
		"the greatest event": {
			events: []logs.InputEvent{event(0, strings.Repeat("x", logs.MaxEventBytes-logs.EventOverhead))}, calls: []int{1},
		},
		"what cannot be put": {
			events: []logs.InputEvent{
				event(0, ""), event(0, strings.Repeat("x", logs.MaxEventBytes-logs.EventOverhead+1)), event(-1, "x"), event(0, "a"),
			},
			calls: []int{1}, want: Outcome{Rejected: map[Reason]int{ReasonEmpty: 1, ReasonTooLarge: 1, ReasonTooOld: 1}},
		},
		"many": {
			events: make([]logs.InputEvent, logs.MaxBatchEvents+1), calls: []int{logs.MaxBatchEvents, 1},
		},
		"none": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			for i := range c.events {
				if name == "many" {
					c.events[i] = event(int64(len(c.events)-i), "m")
				}
			}
			out := newTestWriter(t, f).Write(t.Context(), []Batch{{Group: "g", Stream: "s", Events: c.events}})
			assert.Equal(t, c.want, out[0])
			var calls []int
			for _, in := range f.puts {
				calls = append(calls, len(in.LogEvents))
				for i := 1; i < len(in.LogEvents); i++ {
					require.LessOrEqual(t, *in.LogEvents[i-1].Timestamp, *in.LogEvents[i].Timestamp)
				}
			}
			assert.Equal(t, c.calls, calls)
			if name == "order" {
				assert.Equal(t, []string{"a", "b1", "b2", "c"}, f.messages())
			}
		})
	}
}

func TestWriteInvalidUTF8(t *testing.T) {
	t.Parallel()
	f := newFake()
	newTestWriter(t, f).Write(t.Context(), []Batch{{Group: "g", Stream: "s", Events: []logs.InputEvent{event(1, "a\xffb")}}})
	assert.Equal(t, []string{"a\ufffdb"}, f.messages())
}

func answer(status int, err error) error {
	return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: err}
}

func TestWriteOutcomes(t *testing.T) {
	t.Parallel()
	index := func(n int32) *int32 { return &n }
	events := []logs.InputEvent{event(5, "e"), event(1, "a"), event(3, "c"), event(4, "d"), event(2, "b")}
	throttled := answer(400, &types.ThrottlingException{Message: aws.String("Rate exceeded")})
	for name, c := range map[string]struct {
		out  *api.PutLogEventsOutput
		err  error
		want Outcome
	}{
		"rejected": {
			out: &api.PutLogEventsOutput{RejectedLogEventsInfo: &types.RejectedLogEventsInfo{
				TooOldLogEventEndIndex: index(1), ExpiredLogEventEndIndex: index(3), TooNewLogEventStartIndex: index(4),
			}},
			want: Outcome{Rejected: map[Reason]int{ReasonTooOld: 1, ReasonExpired: 2, ReasonTooNew: 1}},
		},
		"expired only": {
			out:  &api.PutLogEventsOutput{RejectedLogEventsInfo: &types.RejectedLogEventsInfo{ExpiredLogEventEndIndex: index(2)}},
			want: Outcome{Rejected: map[Reason]int{ReasonExpired: 2}},
		},
		"out of range": {
			out:  &api.PutLogEventsOutput{RejectedLogEventsInfo: &types.RejectedLogEventsInfo{TooOldLogEventEndIndex: index(99), TooNewLogEventStartIndex: index(-2)}},
			want: Outcome{Rejected: map[Reason]int{ReasonTooOld: 5, ReasonTooNew: 5}},
		},
		"accepted before": {err: answer(400, &types.DataAlreadyAcceptedException{})},
		"refused": {
			err:  answer(400, &types.InvalidParameterException{Message: aws.String("no")}),
			want: Outcome{Rejected: map[Reason]int{ReasonRefused: 5}},
		},
		"absent though made": {err: answer(400, &types.ResourceNotFoundException{}), want: Outcome{Failed: []int{0, 1, 2, 3, 4}}},
		"throttled":          {err: throttled, want: Outcome{Failed: []int{0, 1, 2, 3, 4}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			f.answer = func(*api.PutLogEventsInput) (*api.PutLogEventsOutput, error) { return c.out, c.err }
			got := newTestWriter(t, f).Write(t.Context(), []Batch{{Group: "g", Stream: "s", Events: events}})[0]
			if len(c.want.Failed) > 0 {
				require.ErrorIs(t, got.Err, c.err)
				got.Err = nil
			}
			if c.want.Rejected[ReasonRefused] > 0 {
				require.ErrorContains(t, got.Refusal, `log group "g"`)
				got.Refusal = nil
			}
			assert.Equal(t, c.want, got)
		})
	}
}

// What follows a call that failed for now is not tried: it would overtake it.
func TestWriteStopsWhereItFails(t *testing.T) {
	t.Parallel()
	f := newFake()
	n := 0
	f.answer = func(*api.PutLogEventsInput) (*api.PutLogEventsOutput, error) {
		if n++; n == 2 {
			return nil, answer(503, &types.ServiceUnavailableException{})
		}
		return nil, nil
	}
	day := 2 * 24 * time.Hour.Milliseconds()
	out := newTestWriter(t, f).Write(t.Context(), []Batch{{Group: "g", Stream: "s", Events: []logs.InputEvent{
		event(3*day, "d"), event(0, "a"), event(2*day, "c"), event(day, "b"),
	}}})[0]
	require.Error(t, out.Err)
	assert.Equal(t, []int{0, 2, 3}, out.Failed)
	assert.Equal(t, []string{"a"}, f.messages())
}

func TestWriteConcurrently(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := New(Settings{Client: f, Logger: zaptest.NewLogger(t), Workers: 4})
	batches := make([]Batch, 50)
	for i := range batches {
		batches[i] = Batch{Group: "g", Stream: strconv.Itoa(i), Events: []logs.InputEvent{event(1, "m")}}
	}
	for _, o := range w.Write(t.Context(), batches) {
		assert.Equal(t, Outcome{}, o)
	}
	assert.Len(t, f.puts, 50)
}

func TestWriteCannotMake(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"CreateLogGroup", "CreateLogStream"} {
		f := newFake()
		batch := []Batch{{Group: "g", Stream: "s", Events: []logs.InputEvent{event(1, "a")}}}
		f.failNext[op] = answer(400, &types.OperationAbortedException{})
		assert.Equal(t, []int{0}, newTestWriter(t, f).Write(t.Context(), batch)[0].Failed, op)
		f.failNext[op] = answer(400, &types.InvalidParameterException{})
		out := newTestWriter(t, f).Write(t.Context(), batch)[0]
		assert.Equal(t, map[Reason]int{ReasonRefused: 1}, out.Rejected, op)
	}
}
