// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/aws/aws-sdk-go-v2/service/xray/types"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/pipelines"
	"github.com/nephoscope/nephoscope/pkg/xray"
)

// Bounds of a request. AWS names none for the first; the daemon sends 50.
const (
	maxSegments         = 1000
	maxTelemetryRecords = 100
)

// putTraceSegments takes the documents that are good. One that is not does not fail the call.
func (s *service) putTraceSegments(
	ctx context.Context, in *sdk.PutTraceSegmentsInput,
) (*sdk.PutTraceSegmentsOutput, error) {
	switch {
	case in.TraceSegmentDocuments == nil:
		return nil, invalidRequest("TraceSegmentDocuments is required.")
	case len(in.TraceSegmentDocuments) > maxSegments:
		return nil, invalidRequest("TraceSegmentDocuments has %d documents, the most is %d.",
			len(in.TraceSegmentDocuments), maxSegments)
	}
	t := tenant(ctx)
	td, refused := xray.ToTraces(t.Account, t.Region, in.TraceSegmentDocuments)
	if td.SpanCount() > 0 {
		if err := s.consume(ctx, td); err != nil {
			return nil, pipelines.AWSError(err)
		}
	}
	out := &sdk.PutTraceSegmentsOutput{UnprocessedTraceSegments: make([]types.UnprocessedTraceSegment, len(refused))}
	for i := range refused {
		out.UnprocessedTraceSegments[i] = refused[i].SDK()
		s.logger.Debug("segment refused", zap.Error(&refused[i].SegmentError))
	}
	return out, nil
}

// putTelemetryRecords takes what the X-Ray daemon says of itself. Nothing reads it: AWS has no operation for it.
func (s *service) putTelemetryRecords(
	_ context.Context, in *sdk.PutTelemetryRecordsInput,
) (*sdk.PutTelemetryRecordsOutput, error) {
	switch {
	case in.TelemetryRecords == nil:
		return nil, invalidRequest("TelemetryRecords is required.")
	case len(in.TelemetryRecords) > maxTelemetryRecords:
		return nil, invalidRequest("TelemetryRecords has %d records, the most is %d.",
			len(in.TelemetryRecords), maxTelemetryRecords)
	}
	for i := range in.TelemetryRecords {
		if in.TelemetryRecords[i].Timestamp == nil {
			return nil, invalidRequest("TelemetryRecords[%d].Timestamp is required.", i)
		}
	}
	return &sdk.PutTelemetryRecordsOutput{}, nil
}
