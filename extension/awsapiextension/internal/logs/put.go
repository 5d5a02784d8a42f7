// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"context"
	"fmt"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/pipelines"
	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

func (s *Service) putLogEvents(ctx context.Context, in *api.PutLogEventsInput) (*api.PutLogEventsOutput, error) {
	t, err := tenantOf(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkPut(in); err != nil {
		return nil, err
	}
	now := s.nowMs()
	a, err := s.admit(ctx, t, *in.LogGroupName, *in.LogStreamName, now)
	if err != nil {
		return nil, err
	}
	events, rejected, err := acceptable(in.LogEvents, now, a.notBefore)
	if err != nil {
		return nil, err
	}
	out := &api.PutLogEventsOutput{RejectedLogEventsInfo: rejected}
	if in.Entity != nil {
		// An entity never fails the call, but the answer says that it was not kept.
		out.RejectedEntityInfo = &types.RejectedEntityInfo{ErrorType: entityError(in.Entity)}
	}
	if len(events) > 0 {
		ld := cloudwatchlogs.ToLogs(t.Account, t.Region, *in.LogGroupName, *in.LogStreamName, events, a.ingested)
		if err := s.consume(ctx, ld); err != nil {
			s.logger.Debug("log events refused", zap.String("log_group", *in.LogGroupName), zap.Error(err))
			return nil, pipelines.AWSError(err)
		}
	}
	out.NextSequenceToken = new(sequenceToken(a.ingested, s.sequence.Add(1)))
	return out, nil
}

// admit finds the stream, also one that other receivers fill, and gives events that arrive now their time of
// ingestion.
func (s *Service) admit(ctx context.Context, t store.Tenant, group, stream string, now int64) (admission, error) {
	a, hasGroup, hasStream := s.reg.admit(t, group, stream, now)
	switch {
	case hasStream:
		return a, nil
	case s.misses.absent(t, group, stream, now) && hasGroup:
		return a, errNoStream
	case s.misses.absent(t, group, stream, now):
		return a, errNoGroup
	}
	v, err := s.lookup(ctx, t, group)
	if err == errNoGroup { //nolint:errorlint // lookup returns this very value
		s.misses.note(t, group, nil, now)
	}
	if err != nil {
		return a, err
	}
	names, err := s.storedStreams(ctx, t, v)
	if err != nil {
		return a, err
	}
	s.misses.note(t, group, names, now)
	if !names[stream] {
		return a, errNoStream
	}
	if err := s.adoptStream(ctx, t, v, stream); err != nil {
		return a, err
	}
	a, hasGroup, hasStream = s.reg.admit(t, group, stream, now)
	switch {
	case !hasGroup:
		return a, errNoGroup
	case !hasStream:
		return a, errNoStream
	}
	return a, nil
}

// checkPut checks what AWS's model demands of PutLogEvents.
func checkPut(in *api.PutLogEventsInput) error {
	var c checks
	if err := c.groupAndStream(in.LogGroupName, in.LogStreamName); err != nil {
		return err
	}
	if c.required(in.LogEvents != nil, "logEvents") {
		c.size(len(in.LogEvents), "logEvents", 1, cloudwatchlogs.MaxBatchEvents)
	}
	for i := range in.LogEvents {
		e := &in.LogEvents[i]
		if e.Message != nil && *e.Message != "" && e.Timestamp != nil && *e.Timestamp >= 0 {
			continue
		}
		member := fmt.Sprintf("logEvents.%d.member", i+1)
		c.required(e.Timestamp != nil, member+".timestamp")
		c.time(e.Timestamp, member+".timestamp")
		c.required(e.Message != nil, member+".message")
		c.length(e.Message, member+".message", 1, cloudwatchlogs.MaxEventBytes)
	}
	return c.err()
}

// acceptable checks a batch as AWS does, in its order: sizes, order of time, then each event's time. It returns the
// events to keep.
func acceptable(in []types.InputLogEvent, now, notBefore int64) ([]cloudwatchlogs.InputEvent, *types.RejectedLogEventsInfo, error) {
	total := 0
	for i := range in {
		n := len(*in[i].Message) + cloudwatchlogs.EventOverhead
		if n > cloudwatchlogs.MaxEventBytes {
			return nil, nil, invalidParameter("Log event too large: %d bytes exceeds limit of %d", n, cloudwatchlogs.MaxEventBytes)
		}
		total += n
	}
	if total > cloudwatchlogs.MaxBatchBytes {
		return nil, nil, invalidParameter("Upload too large: %d bytes exceeds limit of %d", total, cloudwatchlogs.MaxBatchBytes)
	}
	for i := 1; i < len(in); i++ {
		if *in[i].Timestamp < *in[i-1].Timestamp {
			return nil, nil, invalidParameter("Log events in a single PutLogEvents request must be in chronological order.")
		}
	}
	// The events are in order of time, so what is refused is a prefix and a suffix.
	tooOld := now - cloudwatchlogs.MaxAge.Milliseconds()
	tooNew := now + cloudwatchlogs.MaxFuture.Milliseconds()
	first, last := 0, len(in)
	var rejected types.RejectedLogEventsInfo
	for first < last && *in[first].Timestamp < tooOld {
		first++
	}
	if first > 0 {
		rejected.TooOldLogEventEndIndex = new(int32(first))
	}
	for last > first && *in[last-1].Timestamp > tooNew {
		last--
	}
	if last < len(in) {
		rejected.TooNewLogEventStartIndex = new(int32(last))
	}
	old := first
	for first < last && *in[first].Timestamp < notBefore {
		first++
	}
	if first > old {
		rejected.ExpiredLogEventEndIndex = new(int32(first))
	}
	valid := in[first:last]
	if len(valid) > 0 && *valid[len(valid)-1].Timestamp-*valid[0].Timestamp > cloudwatchlogs.MaxBatchSpan.Milliseconds() {
		return nil, nil, invalidParameter("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	events := make([]cloudwatchlogs.InputEvent, len(valid))
	for i := range valid {
		events[i] = cloudwatchlogs.InputEvent{Timestamp: *valid[i].Timestamp, Message: *valid[i].Message}
	}
	if len(valid) == len(in) {
		return events, nil, nil
	}
	return events, &rejected, nil
}

// entityError says why an entity was not kept: it is not valid, or this log group cannot have one.
func entityError(e *types.Entity) types.EntityRejectionErrorType {
	if len(e.KeyAttributes) == 0 {
		return types.EntityRejectionErrorTypeMissingRequiredFields
	}
	if len(e.KeyAttributes) < 2 || len(e.KeyAttributes) > 4 {
		return types.EntityRejectionErrorTypeInvalidKeyAttribute
	}
	for k, v := range e.KeyAttributes {
		if k == "" || characters(k) > 32 || v == "" || characters(v) > 512 {
			return types.EntityRejectionErrorTypeInvalidKeyAttribute
		}
	}
	if e.KeyAttributes["Type"] == "" {
		return types.EntityRejectionErrorTypeMissingRequiredFields
	}
	if len(e.Attributes) > 10 {
		return types.EntityRejectionErrorTypeInvalidAttributes
	}
	for k, v := range e.Attributes {
		if k == "" || characters(k) > 256 || v == "" || characters(v) > 512 {
			return types.EntityRejectionErrorTypeInvalidAttributes
		}
	}
	return types.EntityRejectionErrorTypeUnsupportedLogGroupType
}

// sequenceToken is a token as older clients want it, 56 digits. Nothing reads it.
func sequenceToken(ingested int64, n uint64) string {
	return fmt.Sprintf("49%015d%039d", ingested, n)
}
