// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"context"
	"slices"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

const (
	// maxPageEvents and maxPageBytes bound one page of events.
	maxPageEvents = 10_000
	maxPageBytes  = 1 << 20
)

// checkReadable refuses groups whose class keeps events for queries only.
func checkReadable(v groupView, operation string) error {
	if v.class() == cloudwatchlogs.ClassInfrequentAccess {
		return &awswire.Error{
			Code:    codeInvalidOperation,
			Message: operation + " is not supported for log groups of the class INFREQUENT_ACCESS.",
		}
	}
	return nil
}

// getLogEvents pages through one stream in both directions. The forward token stands for the last event that was
// given, the backward token for the first; a token that finds nothing behind it is given back as it is, which is how
// clients know the end, and finds events that come later.
func (s *Service) getLogEvents(ctx context.Context, in *api.GetLogEventsInput) (*api.GetLogEventsOutput, error) {
	t, err := tenantOf(ctx)
	if err != nil {
		return nil, err
	}
	var c checks
	checkNameOrIdentifier(&c, in.LogGroupName, in.LogGroupIdentifier)
	if c.required(in.LogStreamName != nil, "logStreamName") {
		c.stream(in.LogStreamName, "logStreamName")
	}
	c.time(in.StartTime, "startTime")
	c.time(in.EndTime, "endTime")
	number(&c, in.Limit, "limit", 1, maxPageEvents)
	if err := c.err(); err != nil {
		return nil, err
	}
	name, err := nameOrIdentifier(t, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	db, err := s.reads()
	if err != nil {
		return nil, err
	}
	v, err := s.lookup(ctx, t, name)
	if err != nil {
		return nil, err
	}
	if err := checkReadable(v, "GetLogEvents"); err != nil {
		return nil, err
	}
	if !s.reg.hasStream(t, name, *in.LogStreamName) {
		if err := s.hasEvents(ctx, t, v, *in.LogStreamName); err != nil {
			return nil, err
		}
	}
	scope := t.Account + "\x00" + t.Region + "\x00" + name + "\x00" + *in.LogStreamName
	scan := store.LogScan{
		LogSelection: store.LogSelection{
			Tenant: t, Groups: []store.LogGroupRange{v.window(s.nowMs())}, Streams: []string{*in.LogStreamName}, End: maxTime,
		},
		Descending: !deref(in.StartFromHead), Limit: maxPageEvents,
	}
	if in.StartTime != nil {
		scan.Start = min(*in.StartTime, maxTime)
	}
	if in.EndTime != nil {
		scan.End = min(*in.EndTime, maxTime)
	}
	if in.Limit != nil {
		scan.Limit = int(*in.Limit)
	}
	// Without a token and without events, both tokens stand before everything.
	first, last := store.LogPosition{}, store.LogPosition{}
	if token := absent(in.NextToken); token != nil {
		direction, p, ok := parseEventToken(*token, scope)
		if !ok {
			return nil, errToken
		}
		first, last = p, p
		scan.After, scan.Descending = &p, direction == 'b'
	}
	out := &api.GetLogEventsOutput{Events: []types.OutputLogEvent{}}
	bytes := 0
	var positions []store.LogPosition
	if scan.Start < scan.End {
		_, err = db.ScanLogs(ctx, scan, func(r *store.LogRecord) bool {
			if bytes += len(r.Message) + cloudwatchlogs.EventOverhead; bytes > maxPageBytes && len(positions) > 0 {
				return false
			}
			out.Events = append(out.Events, types.OutputLogEvent{
				Timestamp: new(r.Timestamp), IngestionTime: new(r.Ingested), Message: new(r.Message),
			})
			positions = append(positions, positionOf(r))
			return true
		})
		if err != nil {
			return nil, storageError("read log events", err)
		}
	}
	if scan.Descending {
		slices.Reverse(out.Events)
		slices.Reverse(positions)
	}
	if len(positions) > 0 {
		first, last = positions[0], positions[len(positions)-1]
	}
	out.NextForwardToken = new(eventToken('f', last, scope))
	out.NextBackwardToken = new(eventToken('b', first, scope))
	return out, nil
}

// hasEvents returns errNoStream unless the store has events of the stream.
func (s *Service) hasEvents(ctx context.Context, t store.Tenant, v groupView, stream string) error {
	found := false
	_, err := s.store.ScanLogs(ctx, store.LogScan{
		LogSelection: store.LogSelection{
			Tenant: t, Groups: []store.LogGroupRange{v.window(s.nowMs())}, Streams: []string{stream}, End: maxTime,
		},
		Descending: true, Limit: 1,
	}, func(*store.LogRecord) bool {
		found = true
		return false
	})
	switch {
	case err != nil:
		return storageError("read log events", err)
	case !found:
		return errNoStream
	}
	return nil
}
