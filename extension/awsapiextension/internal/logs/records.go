// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"cmp"
	"context"
	"slices"
	"strings"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/logsinsights"
)

const (
	// fieldsAround is how far from the time of GetLogGroupFields events are looked at, in ms.
	fieldsAround = 8 * 60_000
	// fieldsRecent is how far back events are looked at when there is no time, in ms.
	fieldsRecent = 15 * 60_000
	// maxFieldEvents bounds the events that are looked at, the newest.
	maxFieldEvents = 10_000
	// maxGroupFields bounds the fields that are discovered in one group.
	maxGroupFields = 1000
)

// getLogRecord returns all fields of the event that a query's @ptr names.
func (s *Service) getLogRecord(ctx context.Context, in *api.GetLogRecordInput) (*api.GetLogRecordOutput, error) {
	t, err := tenantOf(ctx)
	if err != nil {
		return nil, err
	}
	var c checks
	c.required(in.LogRecordPointer != nil, "logRecordPointer")
	if err := c.err(); err != nil {
		return nil, err
	}
	p, err := logsinsights.ParsePtr(*in.LogRecordPointer)
	if err != nil {
		return nil, invalidParameter("The specified logRecordPointer is invalid.")
	}
	db, err := s.reads()
	if err != nil {
		return nil, err
	}
	errNoRecord := notFound("The specified log record does not exist.")
	if p.Account != t.Account {
		return nil, errNoRecord
	}
	v, err := s.lookup(ctx, t, p.Group)
	if err != nil {
		return nil, err
	}
	before := p.LogPosition
	before.Seq--
	var record map[string]string
	_, err = db.ScanLogs(ctx, store.LogScan{
		LogSelection: store.LogSelection{
			Tenant: t, Groups: []store.LogGroupRange{v.window(s.nowMs())}, Start: p.Timestamp, End: p.Timestamp + 1,
		},
		After: &before, Limit: 1,
	}, func(r *store.LogRecord) bool {
		if positionOf(r) == p.LogPosition {
			record = map[string]string{}
			for _, f := range logsinsights.DiscoverFields(r) {
				record[f.Name] = f.Value
			}
			record["@ptr"] = *in.LogRecordPointer
		}
		return false
	})
	if err != nil {
		return nil, storageError("read log event", err)
	}
	if record == nil {
		return nil, errNoRecord
	}
	return &api.GetLogRecordOutput{LogRecord: record}, nil
}

// getLogGroupFields says which fields a group's events have around a time, or lately, and how many of them have each.
func (s *Service) getLogGroupFields(ctx context.Context, in *api.GetLogGroupFieldsInput) (*api.GetLogGroupFieldsOutput, error) {
	t, err := tenantOf(ctx)
	if err != nil {
		return nil, err
	}
	var c checks
	checkNameOrIdentifier(&c, in.LogGroupName, in.LogGroupIdentifier)
	number(&c, in.Time, "time", 0, maxTime)
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
	now := s.nowMs()
	from, to := now-fieldsRecent, now+1
	if in.Time != nil {
		middle := *in.Time * 1000
		if *in.Time >= millisecondsFrom {
			middle = *in.Time
		}
		from, to = middle-fieldsAround, middle+fieldsAround+1
	}
	events, counts := 0, map[string]int{}
	_, err = db.ScanLogs(ctx, store.LogScan{
		LogSelection: store.LogSelection{
			Tenant: t, Groups: []store.LogGroupRange{v.window(now)}, Start: max(from, 0), End: min(to, maxTime),
		},
		Descending: true, Limit: maxFieldEvents,
	}, func(r *store.LogRecord) bool {
		events++
		for _, f := range logsinsights.DiscoverFields(r) {
			if n, ok := counts[f.Name]; ok || len(counts) < maxGroupFields {
				counts[f.Name] = n + 1
			}
		}
		return true
	})
	if err != nil {
		return nil, storageError("read log events", err)
	}
	out := &api.GetLogGroupFieldsOutput{LogGroupFields: []types.LogGroupField{}}
	for field, n := range counts {
		out.LogGroupFields = append(out.LogGroupFields, types.LogGroupField{Name: new(field), Percent: int32(n * 100 / events)})
	}
	slices.SortFunc(out.LogGroupFields, func(a, b types.LogGroupField) int {
		return cmp.Or(-cmp.Compare(a.Percent, b.Percent), strings.Compare(*a.Name, *b.Name))
	})
	return out, nil
}
