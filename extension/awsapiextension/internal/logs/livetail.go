// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/uuid"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
	"github.com/nephoscope/nephoscope/pkg/filterpattern"
)

const (
	maxTailSessions = 15 // of an account in a region
	maxTailGroups   = 10
	maxTailStreams  = 100
	// maxTailEvents bounds one update; of more, the newest are sent and the update says that it is sampled.
	maxTailEvents = 500
	// maxTailScan bounds the events that are looked at for one update.
	maxTailScan  = 20_000
	tailInterval = time.Second
	tailLifetime = 3 * time.Hour
	// tailPast and tailFuture are the timestamps, from now, of the events that a session shows. An event that was
	// already older when it arrived is not shown.
	tailPast   = 24 * time.Hour
	tailFuture = cloudwatchlogs.MaxFuture
	// tailOverlap is how long an event may take from its time of ingestion until the store shows it.
	tailOverlap = 10 * time.Second
)

func checkTail(in *api.StartLiveTailInput) error {
	var c checks
	if c.required(in.LogGroupIdentifiers != nil, "logGroupIdentifiers") {
		c.size(len(in.LogGroupIdentifiers), "logGroupIdentifiers", 1, maxTailGroups)
		for i := range in.LogGroupIdentifiers {
			c.identifier(&in.LogGroupIdentifiers[i], fmt.Sprintf("logGroupIdentifiers.%d.member", i+1))
		}
	}
	for _, l := range []struct {
		member string
		names  []string
	}{{"logStreamNames", in.LogStreamNames}, {"logStreamNamePrefixes", in.LogStreamNamePrefixes}} {
		if l.names != nil {
			c.size(len(l.names), l.member, 1, maxTailStreams)
		}
		for i := range l.names {
			c.stream(&l.names[i], fmt.Sprintf("%s.%d.member", l.member, i+1))
		}
	}
	c.length(in.LogEventFilterPattern, "logEventFilterPattern", 0, cloudwatchlogs.MaxFilterPatternLength)
	if err := c.err(); err != nil {
		return err
	}
	switch {
	case in.LogStreamNames != nil && in.LogStreamNamePrefixes != nil:
		return invalidParameter("Only one of logStreamNames or logStreamNamePrefixes can be provided.")
	case (in.LogStreamNames != nil || in.LogStreamNamePrefixes != nil) && len(in.LogGroupIdentifiers) > 1:
		return invalidParameter("logStreamNames and logStreamNamePrefixes can only be used with a single log group.")
	}
	return nil
}

// startLiveTail sends what arrives in some groups, every second, until the client goes, the session is three hours old
// or the service ends.
func (s *Service) startLiveTail(ctx context.Context, in *api.StartLiveTailInput, out *awswire.EventStream) error {
	t, err := tenantOf(ctx)
	if err != nil {
		return err
	}
	if err := checkTail(in); err != nil {
		return err
	}
	pattern, err := compilePattern(deref(in.LogEventFilterPattern))
	if err != nil {
		return err
	}
	db, err := s.reads()
	if err != nil {
		return err
	}
	session := &tailSession{
		s: s, db: db, tenant: t, pattern: pattern, prefixes: in.LogStreamNamePrefixes, streams: in.LogStreamNames,
		started: s.nowMs(), seen: map[store.LogPosition]bool{},
	}
	for _, id := range in.LogGroupIdentifiers {
		name, err := groupName(t, id)
		if err != nil {
			return err
		}
		v, err := s.lookup(ctx, t, name)
		if err != nil {
			return err
		}
		if err := checkReadable(v, "StartLiveTail"); err != nil {
			return err
		}
		session.groups = append(session.groups, name)
	}
	if !s.tails.enter(t) {
		return errLimit
	}
	defer s.tails.leave(t)
	err = out.Send("sessionStart", &types.LiveTailSessionStart{
		RequestId: new(awswire.RequestFrom(ctx).ID), SessionId: new(uuid.NewString()), LogGroupIdentifiers: in.LogGroupIdentifiers,
		LogStreamNames: in.LogStreamNames, LogStreamNamePrefixes: in.LogStreamNamePrefixes, LogEventFilterPattern: new(deref(in.LogEventFilterPattern)),
	})
	if err != nil {
		return err
	}
	ticks, stop := s.tails.ticker()
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ctx.Done():
			return &awswire.Error{Code: "SessionStreamingException", Message: "The service is shutting down."}
		case <-ticks:
		}
		if s.nowMs()-session.started > tailLifetime.Milliseconds() {
			return &awswire.Error{Code: "SessionTimeoutException", Message: "The session has been open for three hours."}
		}
		update, err := session.update(ctx)
		if err != nil {
			return err
		}
		if err := out.Send("sessionUpdate", update); err != nil {
			return err
		}
	}
}

// tailSession is one client's live tail.
type tailSession struct {
	s        *Service
	db       store.LogStore
	tenant   store.Tenant
	groups   []string
	streams  []string
	prefixes []string
	pattern  *filterpattern.Pattern
	started  int64
	// polled is when the store was asked last.
	polled int64
	// seen are the events ingested within the overlap that were sent.
	seen map[store.LogPosition]bool
}

// update asks the store for what is new.
func (l *tailSession) update(ctx context.Context) (*types.LiveTailSessionUpdate, error) {
	now := l.s.nowMs()
	since := max(l.started, l.polled-tailOverlap.Milliseconds())
	l.polled = now
	for p := range l.seen {
		if p.Ingested < since {
			delete(l.seen, p)
		}
	}
	d := l.db.Dialect()
	scan := store.LogScan{
		LogSelection: store.LogSelection{
			Tenant: l.tenant, Start: max(now-tailPast.Milliseconds(), 0), End: now + tailFuture.Milliseconds(),
			Streams: l.streams, Contains: l.pattern.Required(),
		},
		Where: d.EpochMs(d.Column(store.ColumnIngested)) + " >= " + d.Number(float64(since)), Descending: true, Limit: maxTailScan,
	}
	for _, name := range l.groups {
		if v, ok := l.s.reg.view(l.tenant, name); ok { // a deleted group has nothing to say
			scan.Groups = append(scan.Groups, v.window(now))
		}
	}
	results := []types.LiveTailSessionLogEvent{}
	sampled, visits := false, 0
	_, err := l.db.ScanLogs(ctx, scan, func(r *store.LogRecord) bool {
		p := positionOf(r)
		visits++
		if l.seen[p] || !l.wants(r) {
			return true
		}
		l.seen[p] = true
		if len(results) == maxTailEvents {
			sampled = true
			return true
		}
		results = append(results, types.LiveTailSessionLogEvent{
			LogGroupIdentifier: new(l.tenant.Account + ":" + r.Group), LogStreamName: new(r.Stream), Message: new(r.Message),
			Timestamp: new(r.Timestamp), IngestionTime: new(r.Ingested),
		})
		return true
	})
	if err != nil {
		return nil, storageError("read log events", err)
	}
	slices.Reverse(results)
	return &types.LiveTailSessionUpdate{
		SessionMetadata: &types.LiveTailSessionMetadata{Sampled: sampled || visits == maxTailScan}, SessionResults: results,
	}, nil
}

func (l *tailSession) wants(r *store.LogRecord) bool {
	if l.prefixes != nil && !slices.ContainsFunc(l.prefixes, func(p string) bool { return strings.HasPrefix(r.Stream, p) }) {
		return false
	}
	return l.pattern.Match(r.Message)
}
