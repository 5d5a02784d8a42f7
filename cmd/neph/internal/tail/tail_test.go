// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package tail

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/stretchr/testify/require"
)

type answer struct {
	out *cloudwatchlogs.FilterLogEventsOutput
	err error
}

// service answers from a list; after its end it calls atEnd.
type service struct {
	answers []answer
	asked   []cloudwatchlogs.FilterLogEventsInput
	atEnd   func()
}

func (s *service) FilterLogEvents(_ context.Context, in *cloudwatchlogs.FilterLogEventsInput, _ ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	asked := *in
	asked.StartTime = aws.Int64(*in.StartTime)
	s.asked = append(s.asked, asked)
	if len(s.answers) == 0 {
		s.atEnd()
		return &cloudwatchlogs.FilterLogEventsOutput{}, nil
	}
	a := s.answers[0]
	s.answers = s.answers[1:]
	return a.out, a.err
}

func page(next string, events ...types.FilteredLogEvent) answer {
	out := &cloudwatchlogs.FilterLogEventsOutput{Events: events}
	if next != "" {
		out.NextToken = &next
	}
	return answer{out: out}
}

func event(id string, ts int64) types.FilteredLogEvent {
	return types.FilteredLogEvent{EventId: &id, Timestamp: &ts, Message: aws.String("message " + id)}
}

func TestTail(t *testing.T) {
	t.Parallel()
	s := &service{answers: []answer{page("next", event("1", 50_000)), page("", event("2", 60_000))}}
	var shown []string
	err := Run(t.Context(), s, Options{
		Group: "/g", StreamPrefix: "web", FilterPattern: "ERROR", Since: time.UnixMilli(40_000), Interval: time.Second,
	}, func(e types.FilteredLogEvent) error {
		shown = append(shown, *e.EventId)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, []string{"1", "2"}, shown)
	require.Equal(t, "next", *s.asked[1].NextToken)
	require.Equal(t, "web", *s.asked[0].LogStreamNamePrefix)
	require.Equal(t, "ERROR", *s.asked[0].FilterPattern)
	require.Equal(t, int64(40_000), *s.asked[0].StartTime)
}

func TestFollowShowsEachEventOnce(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := &service{
		answers: []answer{page("", event("1", 50_000), event("2", 60_000)), page("", event("late", 55_000), event("2", 60_000), event("3", 61_000))},
		atEnd:   cancel,
	}
	var shown []string
	err := Run(ctx, s, Options{Follow: true, Interval: time.Millisecond, Since: time.UnixMilli(0)}, func(e types.FilteredLogEvent) error {
		shown = append(shown, *e.EventId)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, []string{"1", "2", "late", "3"}, shown)
	require.Equal(t, int64(50_000), *s.asked[1].StartTime, "ten seconds behind the newest")
}

func TestErrors(t *testing.T) {
	t.Parallel()
	gone := &types.ResourceNotFoundException{}
	err := Run(t.Context(), &service{answers: []answer{{err: gone}}}, Options{Group: "/g"}, nil)
	require.ErrorIs(t, err, error(gone))
	require.ErrorContains(t, err, "/g")
	closed := errors.New("closed pipe")
	err = Run(t.Context(), &service{answers: []answer{page("", event("1", 1))}}, Options{Follow: true},
		func(types.FilteredLogEvent) error { return closed })
	require.ErrorIs(t, err, closed)
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	f := follower{seen: map[string]int64{}}
	for i := range 2 * maxSeen {
		ts := int64(i)
		id := time.UnixMilli(ts).String()
		f.isNew(types.FilteredLogEvent{EventId: &id, Timestamp: &ts})
	}
	require.LessOrEqual(t, len(f.seen), maxSeen)
}
