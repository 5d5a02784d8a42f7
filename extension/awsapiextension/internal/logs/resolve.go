// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

// maxTime is the end of all time ranges without one: the last millisecond of the year 9999.
const maxTime = int64(253_402_300_799_999)

// lookup returns a group that exists: one that was created here, or one that has events in the store.
func (s *Service) lookup(ctx context.Context, t store.Tenant, name string) (groupView, error) {
	if v, ok := s.reg.view(t, name); ok {
		return v, nil
	}
	if s.store == nil || !cloudwatchlogs.ValidGroupName(name) {
		return groupView{}, errNoGroup
	}
	streams, err := s.store.LogStreams(ctx, t, s.reg.tombstone(t, name))
	if err != nil {
		return groupView{}, storageError("list log streams", err)
	}
	if len(streams) == 0 {
		return groupView{}, errNoGroup
	}
	if err := s.adopt(ctx, t, name); err != nil {
		return groupView{}, err
	}
	if v, ok := s.reg.view(t, name); ok {
		return v, nil
	}
	return groupView{}, errNoGroup // deleted in between
}

// adopt makes a group that was found in the store one like those that were created here. It was created when its
// oldest event was ingested.
func (s *Service) adopt(ctx context.Context, t store.Tenant, name string) error {
	created, err := s.firstIngested(ctx, t, s.reg.tombstone(t, name), "")
	if err != nil {
		return err
	}
	return s.reg.putGroup(ctx, t, name, func(now *groupRow) (*groupRow, error) {
		if now != nil && now.Exists {
			return now, nil // somebody else was faster
		}
		row := &groupRow{Account: t.Account, Region: t.Region, Name: name, Exists: true, Created: created}
		if now != nil {
			row.HiddenUntil = now.HiddenUntil
		}
		return row, nil
	})
}

// storedStreams are the names of the streams that a group has in the store.
func (s *Service) storedStreams(ctx context.Context, t store.Tenant, v groupView) (map[string]bool, error) {
	names := map[string]bool{}
	if s.store == nil {
		return names, nil
	}
	streams, err := s.store.LogStreams(ctx, t, v.window(s.nowMs()))
	if err != nil {
		return nil, storageError("list log streams", err)
	}
	for i := range streams {
		names[streams[i].Stream] = true
	}
	return names, nil
}

// adoptStream is adopt for a stream that the store has.
func (s *Service) adoptStream(ctx context.Context, t store.Tenant, v groupView, name string) error {
	created, err := s.firstIngested(ctx, t, v.window(s.nowMs()), name)
	if err != nil {
		return err
	}
	return s.reg.putStream(ctx, t, v.Name, name, func(now *streamRow) (*streamRow, error) {
		if now != nil && now.Exists {
			return now, nil
		}
		row := &streamRow{Account: t.Account, Region: t.Region, Group: v.Name, Name: name, Exists: true, Created: created}
		if now != nil {
			row.HiddenUntil = now.HiddenUntil
		}
		return row, nil
	})
}

// firstIngested is the oldest time of ingestion of a group's events, or of one stream's.
func (s *Service) firstIngested(ctx context.Context, t store.Tenant, w store.LogGroupRange, stream string) (int64, error) {
	d := s.store.Dialect()
	sel := store.LogSelection{Tenant: t, Groups: []store.LogGroupRange{w}, Start: 0, End: maxTime}
	if stream != "" {
		sel.Streams = []string{stream}
	}
	rows, _, err := s.store.AggregateLogs(ctx, store.LogAggregate{
		LogSelection: sel, MaxRows: 1, Select: "min(" + d.EpochMs(d.Column(store.ColumnIngested)) + ")",
	})
	if err != nil {
		return 0, storageError("find the oldest event", err)
	}
	if len(rows) == 0 || len(rows[0]) == 0 {
		return s.nowMs(), nil
	}
	switch v := rows[0][0].(type) {
	case nil: // the events left in between
		return s.nowMs(), nil
	case int64:
		return v, nil
	case float64:
		return int64(v), nil
	case time.Time:
		return v.UnixMilli(), nil
	default:
		return 0, fmt.Errorf("find the oldest event: the store answered %T", v)
	}
}

// groupName is the name that a logGroupIdentifier, a name or an ARN, gives. A group of another account or region
// does not exist here.
func groupName(t store.Tenant, identifier string) (string, error) {
	if !strings.HasPrefix(identifier, "arn:") {
		return identifier, nil
	}
	ref, ok := cloudwatchlogs.ParseGroupARN(identifier)
	switch {
	case !ok:
		return "", invalidParameter("Invalid ARN of a log group: %s", shown(identifier))
	case ref.Account != t.Account || ref.Region != t.Region:
		return "", errNoGroup
	}
	return ref.Group, nil
}

// checkNameOrIdentifier checks the two ways to name one group.
func checkNameOrIdentifier(c *checks, name, identifier *string) {
	if name == nil && identifier == nil {
		c.required(false, "logGroupName")
	}
	c.group(name, "logGroupName")
	c.identifier(identifier, "logGroupIdentifier")
}

// nameOrIdentifier is the name of the group that a request names in one of two ways.
func nameOrIdentifier(t store.Tenant, name, identifier *string) (string, error) {
	switch {
	case name != nil && identifier != nil:
		return "", invalidParameter("LogGroup name and LogGroup ARN are mutually exclusive parameters.")
	case name != nil:
		return *name, nil
	}
	return groupName(t, *identifier)
}
