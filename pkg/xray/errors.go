// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/xray/types"
)

// ErrorCode says why a document was not processed, as UnprocessedTraceSegment.ErrorCode does.
type ErrorCode string

// The codes. AWS is known to answer the first three; the others follow their pattern.
const (
	ErrorMissingID        ErrorCode = "MissingId"
	ErrorMissingTraceID   ErrorCode = "MissingTraceId"
	ErrorInvalidTraceID   ErrorCode = "InvalidTraceId"
	ErrorInvalidID        ErrorCode = "InvalidId"
	ErrorMissingName      ErrorCode = "MissingName"
	ErrorInvalidName      ErrorCode = "InvalidName"
	ErrorMissingStartTime ErrorCode = "MissingStartTime"
	ErrorParse            ErrorCode = "ParseError"
	ErrorSizeLimit        ErrorCode = "SizeLimitExceeded"
)

// SegmentError is why a document is no segment.
type SegmentError struct {
	Code ErrorCode
	ID   string // the document's id, as far as it has one
	// Detail is for logs; the answer to a client carries the code only, as AWS's does.
	Detail string
}

func (e *SegmentError) Error() string {
	if e.Detail == "" {
		return "invalid segment: " + string(e.Code)
	}
	return "invalid segment: " + string(e.Code) + ": " + e.Detail
}

// Unprocessed is a document of a batch that was refused.
type Unprocessed struct {
	Index int // in the batch
	SegmentError
}

// SDK is u as PutTraceSegments answers it.
func (u *Unprocessed) SDK() types.UnprocessedTraceSegment {
	out := types.UnprocessedTraceSegment{
		ErrorCode: aws.String(string(u.Code)),
		Message:   aws.String("Invalid segment. ErrorCode: " + string(u.Code)),
	}
	if u.ID != "" {
		out.Id = aws.String(u.ID)
	}
	return out
}
