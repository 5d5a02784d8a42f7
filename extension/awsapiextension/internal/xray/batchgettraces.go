// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"context"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/aws/aws-sdk-go-v2/service/xray/types"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/xray"
)

// maxTraceIDs bounds a request. AWS's documentation says five; more harm nobody here.
const maxTraceIDs = 100

func (s *service) batchGetTraces(ctx context.Context, in *sdk.BatchGetTracesInput) (*sdk.BatchGetTracesOutput, error) {
	reads, err := s.reads()
	if err != nil {
		return nil, err
	}
	switch {
	case len(in.TraceIds) == 0:
		return nil, invalidRequest("TraceIds is required.")
	case len(in.TraceIds) > maxTraceIDs:
		return nil, invalidRequest("TraceIds has %d ids, the most is %d.", len(in.TraceIds), maxTraceIDs)
	case deref(in.NextToken) != "": // all traces are on the first page
		return nil, invalidRequest("NextToken is invalid.")
	}
	ids := make([][16]byte, 0, len(in.TraceIds))
	seen := make(map[[16]byte]bool, len(in.TraceIds))
	for _, text := range in.TraceIds {
		id, err := xray.ParseTraceID(text)
		if err != nil {
			return nil, invalidRequest("Invalid trace id: %v", err)
		}
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	found, err := reads.Traces(ctx, tenant(ctx), ids)
	if err != nil {
		return nil, fmt.Errorf("read traces: %w", err)
	}
	// Ids that are not known do not appear in the answer.
	out := &sdk.BatchGetTracesOutput{Traces: []types.Trace{}, UnprocessedTraceIds: []string{}}
	for _, id := range ids {
		if stored, ok := found[id]; ok {
			trace := assemble(stored)
			out.Traces = append(out.Traces, trace.SDK())
		}
	}
	return out, nil
}

// assemble puts a trace together from what the store keeps of it.
func assemble(stored store.Trace) xray.Trace {
	docs := make([]xray.Document, len(stored.Segments))
	for i := range stored.Segments {
		s := &stored.Segments[i]
		docs[i] = xray.Document{
			Account: s.Account, Region: s.Region,
			TraceID: s.TraceID, ID: s.ID, ParentID: s.ParentID,
			Start: s.Start, End: s.End, Name: s.Name, Origin: s.Origin,
			Subsegment: s.Subsegment, InProgress: s.InProgress, Fault: s.Fault, Error: s.Error, Throttle: s.Throttle,
			HTTPStatus: s.HTTPStatus, Annotations: s.Annotations, JSON: s.Document,
		}
	}
	trace := xray.AssembleTrace(docs)
	trace.LimitExceeded = stored.LimitExceeded
	return trace
}
