// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package logswriter puts log events into CloudWatch Logs for the exporters that do: it keeps the limits of PutLogEvents,
// makes groups and streams that do not exist, and tells what became of each event.
package logswriter

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/internal/awssession"
	logs "github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

// API is what is used of CloudWatch Logs; its client implements it.
type API interface {
	PutLogEvents(context.Context, *cloudwatchlogs.PutLogEventsInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.PutLogEventsOutput, error)
	CreateLogStream(context.Context, *cloudwatchlogs.CreateLogStreamInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.CreateLogStreamOutput, error)
	CreateLogGroup(context.Context, *cloudwatchlogs.CreateLogGroupInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.CreateLogGroupOutput, error)
	PutRetentionPolicy(context.Context, *cloudwatchlogs.PutRetentionPolicyInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.PutRetentionPolicyOutput, error)
}

// Settings of a [Writer].
type Settings struct {
	Client API
	Logger *zap.Logger
	// Workers is how many calls are under way at once in one Write, for different streams; 1 when it is 0.
	Workers int
	// RetentionDays and Tags are given to groups that the writer makes; 0 keeps events forever.
	RetentionDays int32
	Tags          map[string]string
	// Format, when not empty, is sent as the header x-amzn-logs-format, such as json/emf.
	Format string
}

// Batch is events of one stream, in any order.
type Batch struct {
	Group, Stream string
	Events        []logs.InputEvent
}

// Reason says why an event is given up.
type Reason string

// Reasons.
const (
	ReasonEmpty    Reason = "empty"     // it has no message
	ReasonTooLarge Reason = "too_large" // more than an event may have
	ReasonTooOld   Reason = "too_old"   // by more than two weeks
	ReasonTooNew   Reason = "too_new"   // more than two hours ahead
	ReasonExpired  Reason = "expired"   // older than the group's retention
	ReasonRefused  Reason = "refused"   // with its whole call, for good
)

// Outcome says what became of a batch.
type Outcome struct {
	// Rejected counts events that CloudWatch Logs will never take.
	Rejected map[Reason]int
	// Refusal is the error of a call that was refused for good; nil when there was none.
	Refusal error
	// Failed are the indices of events that may be tried again, rising, and Err is why.
	Failed []int
	Err    error
}

func (o *Outcome) reject(reason Reason, n int) {
	if n <= 0 {
		return
	}
	if o.Rejected == nil {
		o.Rejected = make(map[Reason]int)
	}
	o.Rejected[reason] += n
}

// Writer puts events. It may be used concurrently.
type Writer struct {
	set Settings

	mu sync.Mutex
	// unretained are groups that were made and have not got their retention yet.
	unretained map[string]bool
}

// New returns a writer.
func New(set Settings) *Writer {
	set.Workers = max(set.Workers, 1)
	return &Writer{set: set, unretained: make(map[string]bool)}
}

// Write puts all batches and says what became of each. Events of a stream are put in order of their time.
func (w *Writer) Write(ctx context.Context, batches []Batch) []Outcome {
	outcomes := make([]Outcome, len(batches))
	if w.set.Workers == 1 || len(batches) == 1 {
		for i := range batches {
			outcomes[i] = w.write(ctx, &batches[i])
		}
		return outcomes
	}
	next := make(chan int)
	var working sync.WaitGroup
	for range min(w.set.Workers, len(batches)) {
		working.Go(func() {
			for i := range next {
				outcomes[i] = w.write(ctx, &batches[i])
			}
		})
	}
	for i := range batches {
		next <- i
	}
	close(next)
	working.Wait()
	return outcomes
}

func (w *Writer) write(ctx context.Context, b *Batch) Outcome {
	var out Outcome
	order := acceptable(b.Events, &out)
	for len(order) > 0 {
		n := callLength(b.Events, order)
		call := order[:n]
		err := w.put(ctx, b, call, &out)
		switch {
		case err == nil:
		case passing(err):
			// What follows would fail as well, and must not overtake these.
			out.Err = err
			out.Failed = slices.Sorted(slices.Values(order))
			return out
		default:
			out.Refusal = err
			out.reject(ReasonRefused, n)
		}
		order = order[n:]
	}
	return out
}

// passing reports whether the events may be taken later. A stream that is not there although it was just made is not seen
// everywhere yet, or was deleted meanwhile: it is made again with the next attempt.
func passing(err error) bool {
	var absent *types.ResourceNotFoundException
	return errors.As(err, &absent) || awssession.Passing(err)
}

// acceptable returns the indices of events that may be put, in order of their time. It makes their text valid.
func acceptable(events []logs.InputEvent, out *Outcome) []int {
	order := make([]int, 0, len(events))
	sorted := true
	for i := range events {
		e := &events[i]
		if !utf8.ValidString(e.Message) {
			// The protocol cannot carry anything else, and each replacement is longer than what it replaces.
			e.Message = strings.ToValidUTF8(e.Message, string(utf8.RuneError))
		}
		switch {
		case e.Message == "":
			out.reject(ReasonEmpty, 1)
			continue
		case len(e.Message)+logs.EventOverhead > logs.MaxEventBytes:
			out.reject(ReasonTooLarge, 1)
			continue
		case e.Timestamp < 0:
			out.reject(ReasonTooOld, 1)
			continue
		}
		if n := len(order); n > 0 && events[order[n-1]].Timestamp > e.Timestamp {
			sorted = false
		}
		order = append(order, i)
	}
	if !sorted {
		slices.SortStableFunc(order, func(a, b int) int {
			switch ta, tb := events[a].Timestamp, events[b].Timestamp; {
			case ta < tb:
				return -1
			case ta > tb:
				return 1
			}
			return 0
		})
	}
	return order
}

// callLength is how many of the events, which are in order, one call may have.
func callLength(events []logs.InputEvent, order []int) int {
	size := 0
	first := events[order[0]].Timestamp
	for n, i := range order {
		size += len(events[i].Message) + logs.EventOverhead
		if n == logs.MaxBatchEvents || size > logs.MaxBatchBytes || events[i].Timestamp-first > logs.MaxBatchSpan.Milliseconds() {
			return n
		}
	}
	return len(order)
}
