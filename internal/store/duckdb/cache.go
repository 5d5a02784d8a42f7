// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"strconv"
	"sync"

	"github.com/nephoscope/nephoscope/internal/store"
)

// fileCache keeps what was found out about a file, valid as long as it has the same number of rows.
type fileCache struct {
	mu      sync.Mutex
	id      string
	tenants map[store.Tenant]uint16 // not changed once it is here

	rows           int64 // the number that the rest is valid for
	known          bool
	oldest, newest int64 // bounds of the rows' times: Unix ms of logs, ns of traces
	bytes          int64 // of all log messages
	events         int64 // rows that are log events
	streams        []streamRow
	manyStreams    bool // too many to remember
}

// streamRow is one stream of a log file.
type streamRow struct {
	store.Tenant
	store.LogStream
	firstIngested int64
}

// fileID is the identity that the file was given when it was made.
func (s *snapshot) fileID(ctx context.Context, f *dayFile) (string, error) {
	f.cache.mu.Lock()
	id := f.cache.id
	f.cache.mu.Unlock()
	if id != "" {
		return id, nil
	}
	if err := s.queryRow(ctx, "SELECT any_value(id) FROM "+f.alias+".meta", nil, &id); err != nil {
		return "", err
	}
	f.cache.mu.Lock()
	f.cache.id = id
	f.cache.mu.Unlock()
	return id, nil
}

// timeBounds are how many rows the file has and the times of the oldest and the newest: of log events, or the
// earliest start and the latest end of traces.
func (s *snapshot) timeBounds(ctx context.Context, f *dayFile) (rows, oldest, newest int64, err error) {
	// Counting costs nothing; the bounds are two columns' scans.
	if err := s.queryRow(ctx, "SELECT count(*) FROM "+f.alias+"."+mainTables[f.signal], nil, &rows); err != nil {
		return 0, 0, 0, err
	}
	c := &f.cache
	c.mu.Lock()
	if c.known && c.rows == rows {
		defer c.mu.Unlock()
		return rows, c.oldest, c.newest, nil
	}
	c.mu.Unlock()
	bounds := "coalesce(epoch_ms(min(ts)), 0), coalesce(epoch_ms(max(ts)), 0), coalesce(sum(bytes), 0)::BIGINT, count(*) FILTER (tenant <> " + strconv.Itoa(padTenant) + ")"
	if f.signal == signalTraces {
		bounds = "coalesce(epoch_ns(min(start_time)), 0), coalesce(epoch_ns(max(coalesce(end_time, start_time))), 0), 0::BIGINT, 0::BIGINT"
	}
	var bytes, events int64
	err = s.queryRow(ctx, "SELECT count(*), "+bounds+" FROM "+f.alias+"."+mainTables[f.signal], nil, &rows, &oldest, &newest, &bytes, &events)
	if err != nil {
		return 0, 0, 0, err
	}
	c.mu.Lock()
	c.setRows(rows)
	c.known, c.oldest, c.newest, c.bytes, c.events = true, oldest, newest, bytes, events
	c.mu.Unlock()
	return rows, oldest, newest, nil
}

// reset forgets all: another file took the place.
func (c *fileCache) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.id, c.tenants = "", nil
	c.rows, c.known, c.streams, c.manyStreams = 0, false, nil, false
}

// setRows forgets what was valid for another number of rows. mu is held.
func (c *fileCache) setRows(rows int64) {
	if c.rows != rows {
		c.rows, c.known, c.streams, c.manyStreams = rows, false, nil, false
	}
}

// grow keeps the bounds up to date when rows were added behind the first n.
func (c *fileCache) grow(n int64, rows []bloomFeedRow, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n > 0 && (!c.known || c.rows != n) || len(rows) == 0 {
		return
	}
	if n == 0 {
		c.oldest, c.newest, c.bytes, c.events = rows[0].ts, rows[0].ts, 0, 0
	}
	c.bytes += bytes
	for i := range rows {
		c.oldest, c.newest = min(c.oldest, rows[i].ts), max(c.newest, rows[i].ts)
		if !rows[i].pad {
			c.events++
		}
	}
	c.rows, c.known, c.streams, c.manyStreams = n+int64(len(rows)), true, nil, false
}

func (c *fileCache) hasManyStreams() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.manyStreams
}

// meanBytes is the mean length of the messages, as far as it is known.
func (c *fileCache) meanBytes() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes / max(c.events, 1)
}
