// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package tail follows a log group through FilterLogEvents, as the aws CLI's "logs tail" does.
package tail

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// Options say what is shown.
type Options struct {
	Group         string
	Streams       []string
	StreamPrefix  string
	FilterPattern string
	// Since is the oldest event's time.
	Since time.Time
	// Follow waits for new events until the context ends.
	Follow bool
	// Interval is how often new events are looked for.
	Interval time.Duration
}

// maxSeen bounds the ids that are remembered to show no event twice: those of the newest millisecond, and of the
// window below.
const maxSeen = 100_000

// lateWindow is how far behind the newest event new ones are still looked for: producers' clocks and batches differ.
const lateWindow = 10 * time.Second

// Run calls show for each event, oldest first.
func Run(ctx context.Context, api cloudwatchlogs.FilterLogEventsAPIClient, o Options, show func(types.FilteredLogEvent) error) error {
	f := follower{seen: map[string]int64{}}
	in := &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: &o.Group, LogStreamNames: o.Streams, StartTime: aws.Int64(o.Since.UnixMilli()),
	}
	if o.StreamPrefix != "" {
		in.LogStreamNamePrefix = &o.StreamPrefix
	}
	if o.FilterPattern != "" {
		in.FilterPattern = &o.FilterPattern
	}
	tick := time.NewTicker(max(o.Interval, time.Millisecond))
	defer tick.Stop()
	for {
		pages := cloudwatchlogs.NewFilterLogEventsPaginator(api, in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				if o.Follow && ctx.Err() != nil {
					return nil // the user has seen enough
				}
				return fmt.Errorf("read %s: %w", o.Group, err)
			}
			for _, e := range page.Events {
				if !f.isNew(e) {
					continue
				}
				if err := show(e); err != nil {
					return err
				}
			}
		}
		if !o.Follow {
			return nil
		}
		if start := f.newest - lateWindow.Milliseconds(); start > *in.StartTime {
			in.StartTime = &start
			f.forget(start)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// follower remembers what was shown of the time that is looked at again.
type follower struct {
	seen   map[string]int64 // by event id, its time
	newest int64
}

func (f *follower) isNew(e types.FilteredLogEvent) bool {
	id := aws.ToString(e.EventId)
	if _, ok := f.seen[id]; ok {
		return false
	}
	ts := aws.ToInt64(e.Timestamp)
	f.newest = max(f.newest, ts)
	if len(f.seen) >= maxSeen {
		f.forget(f.newest - lateWindow.Milliseconds())
	}
	if len(f.seen) < maxSeen {
		f.seen[id] = ts
	}
	return true
}

func (f *follower) forget(before int64) {
	for id, ts := range f.seen {
		if ts < before {
			delete(f.seen, id)
		}
	}
}
