// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"context"
	"fmt"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/paging"
	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
	"github.com/nephoscope/nephoscope/pkg/filterpattern"
)

const (
	// maxFilterVisits bounds the events that one page of FilterLogEvents compares with the pattern. A page that
	// reaches it ends with a token.
	maxFilterVisits = 1_000_000
	// descendingSince is the earliest startTime of a search that begins with the newest events: 2024-01-01.
	descendingSince = 1_704_067_200_000
)

// filterPlace is where a search goes on: behind an event, in a direction.
type filterPlace struct {
	Timestamp  int64 `json:"t"`
	Ingested   int64 `json:"i"`
	Seq        int64 `json:"s"`
	Descending bool  `json:"d,omitempty"`
}

func checkFilter(in *api.FilterLogEventsInput) error {
	var c checks
	checkNameOrIdentifier(&c, in.LogGroupName, in.LogGroupIdentifier)
	if in.LogStreamNames != nil {
		c.size(len(in.LogStreamNames), "logStreamNames", 1, 100)
		for i := range in.LogStreamNames {
			c.stream(&in.LogStreamNames[i], fmt.Sprintf("logStreamNames.%d.member", i+1))
		}
	}
	c.stream(in.LogStreamNamePrefix, "logStreamNamePrefix")
	c.time(in.StartTime, "startTime")
	c.time(in.EndTime, "endTime")
	c.length(in.FilterPattern, "filterPattern", 0, cloudwatchlogs.MaxFilterPatternLength)
	number(&c, in.Limit, "limit", 1, maxPageEvents)
	return c.err()
}

// filterLogEvents searches a group. The end is told by the absence of a token.
func (s *Service) filterLogEvents(ctx context.Context, in *api.FilterLogEventsInput) (*api.FilterLogEventsOutput, error) {
	t, err := tenantOf(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkFilter(in); err != nil {
		return nil, err
	}
	if in.LogStreamNames != nil && in.LogStreamNamePrefix != nil {
		return nil, invalidParameter("logStreamNames and logStreamNamePrefix are mutually exclusive parameters.")
	}
	name, err := nameOrIdentifier(t, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	pattern, err := compilePattern(deref(in.FilterPattern))
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
	if err := checkReadable(v, "FilterLogEvents"); err != nil {
		return nil, err
	}
	for _, stream := range in.LogStreamNames {
		if !s.reg.hasStream(t, name, stream) {
			if err := s.hasEvents(ctx, t, v, stream); err != nil {
				return nil, err
			}
		}
	}
	scan := store.LogScan{LogSelection: store.LogSelection{
		Tenant: t, Groups: []store.LogGroupRange{v.window(s.nowMs())}, End: maxTime,
		Streams: in.LogStreamNames, StreamPrefix: deref(in.LogStreamNamePrefix), Contains: pattern.Required(),
	}}
	if in.StartTime != nil {
		scan.Start = min(*in.StartTime, maxTime)
	}
	if in.EndTime != nil { // inclusive here
		scan.End = min(*in.EndTime, maxTime-1) + 1
	}
	query := []any{"FilterLogEvents", t, name, in.LogStreamNames, in.LogStreamNamePrefix, in.FilterPattern, in.StartTime, in.EndTime}
	if token := absent(in.NextToken); token != nil {
		var place filterPlace
		if paging.Decode(query, *token, &place) != nil {
			return nil, errToken
		}
		scan.After = &store.LogPosition{Timestamp: place.Timestamp, Ingested: place.Ingested, Seq: place.Seq}
		scan.Descending = place.Descending
	} else if in.StartFromHead != nil && !*in.StartFromHead {
		if scan.Start < descendingSince {
			return nil, invalidParameter("startFromHead=false requires a startTime on or after 2024-01-01T00:00:00Z.")
		}
		scan.Descending = true
	}
	limit := maxPageEvents
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	page := filterPage{limit: limit, pattern: pattern, maxVisits: maxFilterVisits}
	if scan.Start < scan.End {
		if _, err := db.ScanLogs(ctx, scan, page.take); err != nil {
			return nil, storageError("read log events", err)
		}
	}
	out := &api.FilterLogEventsOutput{Events: page.events, SearchedLogStreams: []types.SearchedLogStream{}}
	if out.Events == nil {
		out.Events = []types.FilteredLogEvent{}
	}
	if page.more {
		p := page.last
		next, err := paging.Encode(query, filterPlace{p.Timestamp, p.Ingested, p.Seq, scan.Descending})
		if err != nil {
			return nil, err
		}
		out.NextToken = &next
	}
	return out, nil
}

// filterPage collects one page of matching events.
type filterPage struct {
	pattern *filterpattern.Pattern
	limit   int
	// maxVisits bounds the events that are compared.
	maxVisits int
	events    []types.FilteredLogEvent
	bytes     int
	visits    int
	last      store.LogPosition // the event to go on behind
	more      bool
}

// take adds an event, and is false when the page is full. An event that matches but has no room any more is what
// tells that there are more.
func (p *filterPage) take(r *store.LogRecord) bool {
	if p.visits++; p.visits > p.maxVisits {
		p.more = true
		return false
	}
	if p.pattern.Match(r.Message) {
		n := len(r.Message) + cloudwatchlogs.EventOverhead
		if len(p.events) == p.limit || len(p.events) > 0 && p.bytes+n > maxPageBytes {
			p.more = true
			return false
		}
		p.bytes += n
		p.events = append(p.events, types.FilteredLogEvent{
			EventId: new(eventID(positionOf(r))), LogStreamName: new(r.Stream),
			Timestamp: new(r.Timestamp), IngestionTime: new(r.Ingested), Message: new(r.Message),
		})
	}
	p.last = positionOf(r)
	return true
}
