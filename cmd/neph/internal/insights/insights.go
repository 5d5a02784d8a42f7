// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package insights runs CloudWatch Logs Insights queries through the API.
package insights

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// API is what is needed of CloudWatch Logs.
type API interface {
	StartQuery(context.Context, *cloudwatchlogs.StartQueryInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.StartQueryOutput, error)
	GetQueryResults(context.Context, *cloudwatchlogs.GetQueryResultsInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.GetQueryResultsOutput, error)
	StopQuery(context.Context, *cloudwatchlogs.StopQueryInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.StopQueryOutput, error)
}

// Query is what is asked.
type Query struct {
	Text   string
	Groups []string
	// Start and End are inclusive, and of whole seconds.
	Start, End time.Time
	// Limit bounds the rows; 0 leaves it to the service.
	Limit int32
}

// Result is the answer: rows of cells in order of columns. A missing value is an empty cell, as the service leaves it
// out.
type Result struct {
	Columns    []string
	Rows       [][]string
	Statistics types.QueryStatistics
}

// Times between looking for results. Most queries are done at the first look.
const (
	firstPoll = 20 * time.Millisecond
	lastPoll  = time.Second
)

// stopTimeout bounds stopping a query that is no longer waited for.
const stopTimeout = 2 * time.Second

// Run starts the query and waits for its results. When ctx ends first the query is stopped.
func Run(ctx context.Context, api API, q Query) (*Result, error) {
	in := &cloudwatchlogs.StartQueryInput{
		QueryString: &q.Text, LogGroupNames: q.Groups,
		StartTime: aws.Int64(q.Start.Unix()), EndTime: aws.Int64(q.End.Unix()),
	}
	if q.Limit > 0 {
		in.Limit = &q.Limit
	}
	started, err := api.StartQuery(ctx, in)
	if err != nil {
		return nil, explain(q.Text, err)
	}
	pages, err := wait(ctx, api, aws.ToString(started.QueryId))
	if err != nil {
		if ctx.Err() != nil {
			stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
			defer cancel()
			// It may have ended meanwhile; there is nothing to do about a failure.
			_, _ = api.StopQuery(stop, &cloudwatchlogs.StopQueryInput{QueryId: started.QueryId})
		}
		return nil, err
	}
	return newResult(pages), nil
}

func wait(ctx context.Context, api API, id string) ([]*cloudwatchlogs.GetQueryResultsOutput, error) {
	var pages []*cloudwatchlogs.GetQueryResultsOutput
	in := &cloudwatchlogs.GetQueryResultsInput{QueryId: &id}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for poll := firstPoll; ; poll = min(poll*3/2, lastPoll) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-timer.C:
		}
		out, err := api.GetQueryResults(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("get results of query %s: %w", id, err)
		}
		switch out.Status {
		case types.QueryStatusScheduled, types.QueryStatusRunning:
			timer.Reset(poll)
		case types.QueryStatusComplete:
			pages = append(pages, out)
			if aws.ToString(out.NextToken) == "" {
				return pages, nil
			}
			in.NextToken = out.NextToken
			timer.Reset(0)
		default:
			return nil, fmt.Errorf("query %s ended as %s", id, out.Status)
		}
	}
}

// pointer is the field that names a record for GetLogRecord; people do not read it.
const pointer = "@ptr"

func newResult(pages []*cloudwatchlogs.GetQueryResultsOutput) *Result {
	r := &Result{}
	index := map[string]int{}
	for _, page := range pages {
		if page.Statistics != nil {
			r.Statistics = *page.Statistics
		}
		for _, fields := range page.Results {
			// A row that has a column that none before it had places it behind the one it follows here.
			last := -1
			for _, f := range fields {
				name := aws.ToString(f.Field)
				if name == pointer {
					continue
				}
				at, ok := index[name]
				if !ok {
					at = last + 1
					r.Columns = slices.Insert(r.Columns, at, name)
					for i, c := range r.Columns {
						index[c] = i
					}
					for i := range r.Rows {
						if at < len(r.Rows[i]) {
							r.Rows[i] = slices.Insert(r.Rows[i], at, "")
						}
					}
				}
				last = at
			}
			row := make([]string, len(r.Columns))
			for _, f := range fields {
				if at, ok := index[aws.ToString(f.Field)]; ok {
					row[at] = aws.ToString(f.Value)
				}
			}
			r.Rows = append(r.Rows, row)
		}
	}
	return r
}

// Value is the cell of the row in the column, "" when there is none.
func (r *Result) Value(row int, column string) string {
	if i := slices.Index(r.Columns, column); i >= 0 && i < len(r.Rows[row]) {
		return r.Rows[row][i]
	}
	return ""
}

// SyntaxError is a query that the service did not understand, with the place.
type SyntaxError struct {
	Message string
	// Query has a caret under the place, when the service named it.
	Query string
	Err   error
}

func (e *SyntaxError) Error() string {
	if e.Query == "" {
		return e.Message
	}
	return e.Message + "\n\n" + e.Query
}

func (e *SyntaxError) Unwrap() error { return e.Err }

func explain(query string, err error) error {
	var malformed *types.MalformedQueryException
	if !errors.As(err, &malformed) {
		return fmt.Errorf("start query: %w", err)
	}
	out := &SyntaxError{Message: malformed.ErrorMessage(), Err: err}
	if ce := malformed.QueryCompileError; ce != nil && ce.Location != nil && ce.Location.StartCharOffset != nil {
		start := int(*ce.Location.StartCharOffset)
		out.Query = point(query, start, max(start+1, int(aws.ToInt32(ce.Location.EndCharOffset))))
	}
	return out
}

// point writes the query with carets under the characters from start to end.
func point(query string, start, end int) string {
	var b strings.Builder
	offset := 0
	for line := range strings.SplitSeq(query, "\n") {
		n := len([]rune(line))
		b.WriteString("    " + line + "\n")
		if start >= offset && start <= offset+n {
			b.WriteString("    " + strings.Repeat(" ", start-offset) + strings.Repeat("^", max(1, min(end, offset+n)-start)) + "\n")
		}
		offset += n + 1
	}
	return strings.TrimSuffix(b.String(), "\n")
}
