// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package insights

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

// service answers from a list of results.
type service struct {
	started  *cloudwatchlogs.StartQueryInput
	startErr error
	pages    []*cloudwatchlogs.GetQueryResultsOutput
	asked    []*string // tokens
	stopped  bool
	onGet    func()
}

func (s *service) StartQuery(_ context.Context, in *cloudwatchlogs.StartQueryInput, _ ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.StartQueryOutput, error) {
	s.started = in
	return &cloudwatchlogs.StartQueryOutput{QueryId: aws.String("q")}, s.startErr
}

func (s *service) GetQueryResults(_ context.Context, in *cloudwatchlogs.GetQueryResultsInput, _ ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.GetQueryResultsOutput, error) {
	if s.onGet != nil {
		s.onGet()
	}
	s.asked = append(s.asked, in.NextToken)
	page := s.pages[0]
	if len(s.pages) > 1 {
		s.pages = s.pages[1:]
	}
	return page, nil
}

func (s *service) StopQuery(context.Context, *cloudwatchlogs.StopQueryInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.StopQueryOutput, error) {
	s.stopped = true
	return &cloudwatchlogs.StopQueryOutput{}, nil
}

func row(pairs ...string) []types.ResultField {
	var out []types.ResultField
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, types.ResultField{Field: &pairs[i], Value: &pairs[i+1]})
	}
	return out
}

func TestRun(t *testing.T) {
	t.Parallel()
	s := &service{pages: []*cloudwatchlogs.GetQueryResultsOutput{
		{Status: types.QueryStatusScheduled},
		{Status: types.QueryStatusRunning, Results: [][]types.ResultField{row("partial", "1")}},
		{
			Status: types.QueryStatusComplete, NextToken: aws.String("more"),
			Results:    [][]types.ResultField{row("a", "1", "c", "3", "@ptr", "x"), row("a", "2", "b", "5", "c", "4")},
			Statistics: &types.QueryStatistics{RecordsMatched: 3},
		},
		{Status: types.QueryStatusComplete, Results: [][]types.ResultField{row("d", "9")}},
	}}
	start := time.Unix(100, 0)
	got, err := Run(t.Context(), s, Query{Text: "fields a", Groups: []string{"g"}, Start: start, End: start.Add(time.Hour), Limit: 7})
	require.NoError(t, err)
	require.Equal(t, int64(100), *s.started.StartTime)
	require.Equal(t, int64(3700), *s.started.EndTime)
	require.Equal(t, int32(7), *s.started.Limit)
	require.Equal(t, []string{"d", "a", "b", "c"}, got.Columns)
	require.Equal(t, "1", got.Value(0, "a"))
	require.Empty(t, got.Value(0, "b"))
	require.Equal(t, "3", got.Value(0, "c"))
	require.Equal(t, "4", got.Value(1, "c"))
	require.Equal(t, "9", got.Value(2, "d"))
	require.Empty(t, got.Value(2, "nothing"))
	require.Equal(t, "more", *s.asked[len(s.asked)-1])
	require.InDelta(t, 3, got.Statistics.RecordsMatched, 0)
}

func TestQueryThatFails(t *testing.T) {
	t.Parallel()
	s := &service{pages: []*cloudwatchlogs.GetQueryResultsOutput{{Status: types.QueryStatusFailed}}}
	_, err := Run(t.Context(), s, Query{})
	require.ErrorContains(t, err, "ended as Failed")
}

func TestQueryIsStoppedWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := &service{pages: []*cloudwatchlogs.GetQueryResultsOutput{{Status: types.QueryStatusRunning}}, onGet: cancel}
	_, err := Run(ctx, s, Query{})
	require.ErrorIs(t, err, context.Canceled)
	require.True(t, s.stopped)
}

func TestSyntaxErrors(t *testing.T) {
	t.Parallel()
	malformed := &types.MalformedQueryException{
		Message: aws.String("unexpected symbol found nonsense"),
		QueryCompileError: &types.QueryCompileError{Location: &types.QueryCompileErrorLocation{
			StartCharOffset: aws.Int32(11), EndCharOffset: aws.Int32(19),
		}},
	}
	_, err := Run(t.Context(), &service{startErr: malformed}, Query{Text: "fields ä\n| nonsense"})
	var syntax *SyntaxError
	require.ErrorAs(t, err, &syntax)
	require.ErrorIs(t, err, error(malformed))
	require.Equal(t, "unexpected symbol found nonsense\n\n    fields ä\n    | nonsense\n      ^^^^^^^^", err.Error())

	malformed.QueryCompileError = nil
	_, err = Run(t.Context(), &service{startErr: malformed}, Query{Text: "x"})
	require.EqualError(t, err, "unexpected symbol found nonsense")

	other := errors.New("connection refused")
	_, err = Run(t.Context(), &service{startErr: other}, Query{Text: "x"})
	require.ErrorIs(t, err, other)
}

func TestPointOutsideTheQuery(t *testing.T) {
	t.Parallel()
	require.Equal(t, "    abc", point("abc", 99, 100))
	require.Equal(t, "    abc\n       ^", point("abc", 3, 9), "at its end")
}
