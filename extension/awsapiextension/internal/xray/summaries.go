// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/aws/aws-sdk-go-v2/service/xray/types"
	"github.com/cespare/xxhash/v2"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/paging"
	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/xray"
)

// A page ends with this many summaries, or traces looked at.
const (
	summariesPage = 100
	scannedPage   = 1000
)

// The time in a trace id is believed when it is this close to the start of the trace: other generators fill it with
// random digits.
const (
	idBeforeStart = time.Hour
	idAfterStart  = 5 * time.Minute
)

// scanPosition is the last trace that was looked at: of traces of one start, that of the greatest id comes first.
type scanPosition struct {
	Start int64
	ID    [16]byte
}

func (p *scanPosition) seen(id [16]byte, start int64) bool {
	return start > p.Start || start == p.Start && bytes.Compare(id[:], p.ID[:]) >= 0
}

func (s *service) getTraceSummaries(
	ctx context.Context, in *sdk.GetTraceSummariesInput,
) (*sdk.GetTraceSummariesOutput, error) {
	reads, err := s.reads()
	if err != nil {
		return nil, err
	}
	q, err := readSummariesQuery(in)
	if err != nil {
		return nil, err
	}
	key := *in
	key.NextToken = nil
	at := scanPosition{Start: math.MaxInt64}
	if token := deref(in.NextToken); token != "" {
		switch err := paging.Decode(key, token, &at); {
		case errors.Is(err, paging.ErrToken):
			return nil, invalidRequest("NextToken is invalid.")
		case err != nil:
			return nil, err
		}
	}
	t := tenant(ctx)
	out := &sdk.GetTraceSummariesOutput{TraceSummaries: []types.TraceSummary{}}
	var scanned int64
	for {
		ids, more, err := nextTraces(ctx, reads, q.scan(t, &at), &at)
		if err != nil {
			return nil, err
		}
		scanned += int64(len(ids))
		summaries, err := q.summarize(ctx, reads, t, ids)
		if err != nil {
			return nil, err
		}
		out.TraceSummaries = append(out.TraceSummaries, summaries...)
		if !more {
			break
		}
		if len(out.TraceSummaries) >= summariesPage || scanned >= scannedPage {
			token, err := paging.Encode(key, at)
			if err != nil {
				return nil, err
			}
			out.NextToken = &token
			break
		}
	}
	out.TracesProcessedCount = &scanned
	if n := len(out.TraceSummaries); n > 0 {
		out.ApproximateTime = out.TraceSummaries[n-1].StartTime
	} else {
		out.ApproximateTime = in.StartTime
	}
	return out, nil
}

// nextTraces returns the following ids, newest first, and moves the position behind them. more is false when there
// are no others.
func nextTraces(
	ctx context.Context, reads store.TraceStore, scan store.TraceScan, at *scanPosition,
) (ids [][16]byte, more bool, err error) {
	from := *at
	err = reads.ScanTraceIDs(ctx, scan, func(id [16]byte, start int64) bool {
		if from.seen(id, start) {
			return true
		}
		if len(ids) == summariesPage {
			more = true
			return false
		}
		ids = append(ids, id)
		*at = scanPosition{Start: start, ID: id}
		return true
	})
	if err != nil {
		return nil, false, fmt.Errorf("scan traces: %w", err)
	}
	return ids, more, nil
}

// summariesQuery is what a trace is checked against.
type summariesQuery struct {
	start, end int64 // Unix ns, half-open
	by         types.TimeRangeType
	rate       float64 // of traces that are looked at
}

func readSummariesQuery(in *sdk.GetTraceSummariesInput) (summariesQuery, error) {
	q := summariesQuery{by: in.TimeRangeType, rate: 1}
	switch {
	case in.StartTime == nil:
		return q, invalidRequest("StartTime is required.")
	case in.EndTime == nil:
		return q, invalidRequest("EndTime is required.")
	case !in.StartTime.Before(*in.EndTime):
		return q, invalidRequest("StartTime must be before EndTime.")
	case deref(in.FilterExpression) != "":
		return q, invalidRequest("FilterExpression is not supported: %s", *in.FilterExpression)
	}
	q.start, q.end = nanos(*in.StartTime), nanos(*in.EndTime)
	switch q.by {
	case "":
		q.by = types.TimeRangeTypeTraceId
	case types.TimeRangeTypeTraceId, types.TimeRangeTypeEvent, types.TimeRangeTypeService:
	default:
		return q, invalidRequest("TimeRangeType %q is none of TraceId, Event, Service.", q.by)
	}
	if st := in.SamplingStrategy; st != nil {
		switch st.Name {
		case types.SamplingStrategyNamePartialScan, types.SamplingStrategyNameFixedRate:
		default:
			return q, invalidRequest("SamplingStrategy.Name %q is neither PartialScan nor FixedRate.", st.Name)
		}
		rate := deref(st.Value)
		if !(rate > 0 && rate <= 1) {
			return q, invalidRequest("SamplingStrategy.Value must be greater than 0 and at most 1, got %g.", rate)
		}
		if in.Sampling == nil || *in.Sampling {
			q.rate = rate
		}
	}
	return q, nil
}

// farthest is a time, in nanoseconds, beyond which there are no traces, on either side of 1970. Adding to it overflows
// nothing.
const farthest = 1 << 62

// nanos is t in Unix nanoseconds, of which there are enough for 290 years only.
func nanos(t time.Time) int64 {
	switch {
	case t.Unix() >= farthest/int64(time.Second):
		return farthest
	case t.Unix() <= -farthest/int64(time.Second):
		return -farthest
	}
	return t.UnixNano()
}

// scan is the range in which all traces have a document that the query may want.
func (q *summariesQuery) scan(t store.Tenant, at *scanPosition) store.TraceScan {
	scan := store.TraceScan{Tenant: t, Start: q.start, End: q.end}
	if q.by == types.TimeRangeTypeTraceId {
		scan.Start -= int64(idAfterStart)
		scan.End += int64(idBeforeStart)
	}
	if at.Start < scan.End { // what starts later was looked at
		scan.End = at.Start + 1
	}
	return scan
}

func (q *summariesQuery) summarize(
	ctx context.Context, reads store.TraceStore, t store.Tenant, ids [][16]byte,
) ([]types.TraceSummary, error) {
	wanted := ids[:0:0]
	for _, id := range ids {
		if q.sampled(id) {
			wanted = append(wanted, id)
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	found, err := reads.Traces(ctx, t, wanted)
	if err != nil {
		return nil, fmt.Errorf("read traces: %w", err)
	}
	var out []types.TraceSummary
	for _, id := range wanted {
		stored, ok := found[id]
		if !ok {
			continue
		}
		trace := assemble(stored)
		matched, ok := q.matches(&trace)
		if !ok {
			continue
		}
		summary := xray.Summarize(trace)
		if q.by == types.TimeRangeTypeEvent {
			summary.MatchedEventTime = &matched
		}
		out = append(out, summary)
	}
	return out, nil
}

// sampled chooses traces by their id, so that all pages and repeated requests choose the same.
func (q *summariesQuery) sampled(id [16]byte) bool {
	if q.rate >= 1 {
		return true
	}
	// Not the id's own bits: those of segments made by hand or by a counter are far from random.
	const buckets = 1 << 32
	return float64(xxhash.Sum64(id[:])>>32) < q.rate*buckets
}

// matches is whether the trace's time is in the range, and which of its times that is.
func (q *summariesQuery) matches(t *xray.Trace) (at time.Time, ok bool) {
	switch q.by {
	case types.TimeRangeTypeEvent:
		// The last thing that happened in the range.
		last := int64(math.MinInt64)
		for i := range t.Segments {
			s := t.Segments[i].Segment
			if end := max(s.Start, s.End); s.Start < q.end && end >= q.start {
				last = max(last, min(end, q.end-1))
			}
		}
		return time.Unix(0, last).UTC(), last != math.MinInt64
	case types.TimeRangeTypeService:
		for i := range t.Segments {
			s := t.Segments[i].Segment
			if !s.Inferred && s.End != 0 && q.contains(s.End) {
				return time.Unix(0, s.End).UTC(), true
			}
		}
		return at, false
	}
	made := idTime(t)
	// Ids tell whole seconds.
	return time.Unix(0, made).UTC(), made >= q.start-q.start%int64(time.Second) && made < q.end
}

func (q *summariesQuery) contains(ns int64) bool { return ns >= q.start && ns < q.end }

// idTime is when the trace's id was made, as far as it says so, else when the trace began.
func idTime(t *xray.Trace) int64 {
	made := t.ID.Epoch() * int64(time.Second)
	if made < t.Start-int64(idBeforeStart) || made > t.Start+int64(idAfterStart) {
		return t.Start
	}
	return made
}
