// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/aws/aws-sdk-go-v2/service/xray/types"
)

// verifySummaries looks for every trace in the list of the time.
func (e *emitter) verifySummaries(ctx context.Context) ([]check, error) {
	start, end := e.window()
	pages := xray.NewGetTraceSummariesPaginator(e.traces, &xray.GetTraceSummariesInput{StartTime: &start, EndTime: &end})
	got := map[string]bool{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("GetTraceSummaries: %w", err)
		}
		for _, s := range page.TraceSummaries {
			got[aws.ToString(s.Id)] = true
		}
	}
	c := check{What: "traces", How: "X-Ray, OTLP", Read: "GetTraceSummaries"}
	found := 0
	for id := range e.ledger.segments {
		if got[id.XRay()] {
			found++
		} else {
			c.Why = "missing: " + id.XRay()
		}
	}
	c.Sent, c.Got, c.OK = count(len(e.ledger.segments))+" traces", count(found)+" traces", found == len(e.ledger.segments)
	return []check{c}, nil
}

// maxTraces is how many traces a call of BatchGetTraces may name.
const maxTraces = 5

// readTraces gets the documents of traces.
func (e *emitter) readTraces(ctx context.Context, ids []string, each func(id string, docs []document)) error {
	for batch := range slices.Chunk(ids, maxTraces) {
		pages := xray.NewBatchGetTracesPaginator(e.traces, &xray.BatchGetTracesInput{TraceIds: batch})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return fmt.Errorf("BatchGetTraces: %w", err)
			}
			for _, t := range page.Traces {
				docs, err := decodeDocuments(t.Segments)
				if err != nil {
					return fmt.Errorf("BatchGetTraces: trace %s: %w", aws.ToString(t.Id), err)
				}
				each(aws.ToString(t.Id), docs)
			}
		}
	}
	return nil
}

func decodeDocuments(segments []types.Segment) ([]document, error) {
	docs := make([]document, len(segments))
	for i, s := range segments {
		if err := json.Unmarshal([]byte(aws.ToString(s.Document)), &docs[i]); err != nil {
			return nil, fmt.Errorf("segment %s: %w", aws.ToString(s.Id), err)
		}
	}
	return docs, nil
}

// verifyTraces reads every trace and looks for every segment, subsegment and span in it.
func (e *emitter) verifyTraces(ctx context.Context) ([]check, error) {
	byID := map[string]map[string]bool{}
	var ids []string
	sent := 0
	for _, m := range e.shop.Minutes {
		for _, o := range m.Orders {
			ids = append(ids, o.Trace.XRay())
			byID[o.Trace.XRay()] = e.ledger.segments[o.Trace]
			sent += len(e.ledger.segments[o.Trace])
		}
	}
	c := check{What: "segments and spans", How: "X-Ray, OTLP", Read: "BatchGetTraces"}
	found := 0
	err := e.readTraces(ctx, ids, func(id string, docs []document) {
		have := map[string]bool{}
		collectIDs(docs, have)
		for want := range byID[id] {
			if have[want] {
				found++
			} else {
				c.Why = fmt.Sprintf("trace %s has no %s", id, want)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	c.Sent, c.Got, c.OK = count(sent)+" ids", count(found)+" ids", found == sent
	if !c.OK && c.Why == "" {
		c.Why = "whole traces are missing"
	}
	return []check{c}, nil
}

func collectIDs(docs []document, into map[string]bool) {
	for _, d := range docs {
		into[d.ID] = true
		collectIDs(d.Subsegments, into)
	}
}
