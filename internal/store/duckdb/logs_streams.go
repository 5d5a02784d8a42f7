// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/nephoscope/nephoscope/internal/store"
)

// LogStreams lists the streams that have events. A file's list is kept as long as the file has the same number of
// rows, so that only the day being written is counted again.
func (e *Engine) LogStreams(ctx context.Context, tenant store.Tenant, group store.LogGroupRange) ([]store.LogStream, error) {
	type key struct{ group, stream string }
	all := map[key]*store.LogStream{}
	first := minDay
	if group.NotBefore > 0 {
		first = clampDay(floorDiv(group.NotBefore, msPerDay))
	}
	for _, f := range e.filesIn(signalLogs, first, maxDay) {
		var streams []streamRow
		err := e.read(ctx, []*dayFile{f}, func(ctx context.Context, s *snapshot) (err error) {
			streams = nil
			if len(s.files) > 0 {
				streams, err = s.streams(ctx, f, tenant, &group)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("log streams: %w", err)
		}
		for i := range streams {
			s := &streams[i]
			if s.Tenant != tenant || group.Group != "" && s.Group != group.Group {
				continue
			}
			k := key{s.Group, s.Stream}
			if have := all[k]; have != nil {
				mergeStream(have, &s.LogStream)
			} else {
				stream := s.LogStream
				all[k] = &stream
			}
		}
	}
	out := make([]store.LogStream, 0, len(all))
	for _, s := range all {
		out = append(out, *s)
	}
	return out, nil
}

func mergeStream(to, from *store.LogStream) {
	to.FirstTimestamp = min(to.FirstTimestamp, from.FirstTimestamp)
	to.LastTimestamp = max(to.LastTimestamp, from.LastTimestamp)
	to.LastIngested = max(to.LastIngested, from.LastIngested)
	to.Events += from.Events
	to.Bytes += from.Bytes
}

// maxCachedStreams bounds the streams that are remembered of one file.
const maxCachedStreams = 10_000

// streams lists a file's streams, from the cache when the group hides nothing of the file.
func (s *snapshot) streams(ctx context.Context, f *dayFile, tenant store.Tenant, group *store.LogGroupRange) ([]streamRow, error) {
	all, err := s.allStreams(ctx, f)
	if err != nil || !hidesAny(all, tenant, group) {
		return all, err
	}
	cond := new(condition)
	number, ok, err := s.tenantID(ctx, f, tenant)
	if err != nil || !ok {
		return nil, err
	}
	cond.and(fmt.Sprintf("tenant = %d", number))
	if group.Group != "" {
		cond.and("grp = ?", group.Group)
	}
	hiding(cond, group)
	return s.countStreams(ctx, f, cond)
}

// allStreams lists the streams of all tenants and groups of a file.
func (s *snapshot) allStreams(ctx context.Context, f *dayFile) ([]streamRow, error) {
	var rows int64
	if err := s.queryRow(ctx, "SELECT count(*) FROM "+f.alias+".logs", nil, &rows); err != nil {
		return nil, err
	}
	c := &f.cache
	c.mu.Lock()
	if c.rows == rows && c.streams != nil {
		defer c.mu.Unlock()
		return c.streams, nil
	}
	c.mu.Unlock()
	cond := new(condition)
	cond.and("true")
	all, err := s.countStreams(ctx, f, cond)
	if err == nil {
		c.mu.Lock()
		c.setRows(rows)
		if c.manyStreams = len(all) > maxCachedStreams; !c.manyStreams {
			c.streams = all
		}
		c.mu.Unlock()
	}
	return all, err
}

func hidesAny(streams []streamRow, tenant store.Tenant, g *store.LogGroupRange) bool {
	for i := range streams {
		s := &streams[i]
		if s.Tenant != tenant || g.Group != "" && s.Group != g.Group {
			continue
		}
		if s.FirstTimestamp < g.NotBefore || g.IngestedAfter != 0 && s.firstIngested <= g.IngestedAfter {
			return true
		}
		if deleted, ok := g.DeletedStreams[s.Stream]; ok && s.firstIngested <= deleted {
			return true
		}
	}
	return false
}

func (s *snapshot) countStreams(ctx context.Context, f *dayFile, cond *condition) ([]streamRow, error) {
	tenants, err := s.tenants(ctx, f, nil)
	if err != nil {
		return nil, err
	}
	byNumber := make(map[uint16]store.Tenant, len(tenants))
	for t, n := range tenants {
		byNumber[n] = t
	}
	out := []streamRow{}
	err = s.query(ctx, "SELECT tenant, grp, stream, epoch_ms(min(ts)), epoch_ms(max(ts)), epoch_ms(min(ingested)), "+
		"epoch_ms(max(ingested)), count(*), coalesce(sum(bytes), 0)::BIGINT FROM "+f.alias+".logs WHERE "+cond.String()+
		" GROUP BY tenant, grp, stream", cond.args, func(rows *sql.Rows) (bool, error) {
		var r streamRow
		var number uint16
		err := rows.Scan(&number, &r.Group, &r.Stream, &r.FirstTimestamp, &r.LastTimestamp, &r.firstIngested,
			&r.LastIngested, &r.Events, &r.Bytes)
		// A tenant that came between the two statements is left out, and with it nothing that was written before.
		if t, ok := byNumber[number]; ok {
			r.Tenant = t
			out = append(out, r)
		}
		return true, err
	})
	return out, err
}
