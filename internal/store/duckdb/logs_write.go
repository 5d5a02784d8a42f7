// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	driver "github.com/duckdb/duckdb-go/v2"

	"github.com/nephoscope/nephoscope/internal/store"
)

// logRowBytes is what a record takes in memory beside its message.
const logRowBytes = 300

// WriteLogs keeps the records. DuckDB's strings are UTF-8: bytes of a message that are not become U+FFFD.
//
// When ctx ends while the records wait in the queue they are withdrawn and ctx's error is returned. Once their commit has
// begun WriteLogs waits for it, so that an error always means that they were not kept.
func (e *Engine) WriteLogs(ctx context.Context, records []store.LogRecord) error {
	if len(records) == 0 {
		return nil
	}
	for i := range records {
		if r := &records[i]; !dayOfMs(r.Timestamp).valid() {
			return fmt.Errorf("log record %d: timestamp %d is not between 1970 and 2260", i, r.Timestamp)
		}
	}
	return e.writeParts(ctx, signalLogs, len(records), splitDays(records,
		func(r *store.LogRecord) day { return dayOfMs(r.Timestamp) },
		func(rows []store.LogRecord) *writeRequest {
			var n int64
			for i := range rows {
				n += int64(len(rows[i].Message)) + logRowBytes
			}
			return newWriteRequest(len(rows), n, rows)
		}))
}

// splitDays makes one request for each day of the rows. Rows of a single day, which is the rule, are not copied.
func splitDays[T any](rows []T, dayOf func(*T) day, request func([]T) *writeRequest) []dayPart {
	first := dayOf(&rows[0])
	i := 1
	for i < len(rows) && dayOf(&rows[i]) == first {
		i++
	}
	if i == len(rows) {
		return []dayPart{{day: first, request: request(rows)}}
	}
	var parts []dayPart
	var split [][]T
	place := map[day]int{}
	for i := range rows {
		d := dayOf(&rows[i])
		p, ok := place[d]
		if !ok {
			p = len(parts)
			place[d] = p
			parts = append(parts, dayPart{day: d})
			split = append(split, nil)
		}
		parts[p].index = append(parts[p].index, i)
		split[p] = append(split[p], rows[i])
	}
	for p := range parts {
		parts[p].request = request(split[p])
	}
	return parts
}

// logSink writes log records.
type logSink struct {
	e       *Engine
	file    *dayFile
	builder *bloomBuilder
	feed    *bloomFeed // of the commit that is on its way
	boxes   boxes
	row     [14]sqldriver.Value
	tenants tenantIDs
	padding padding
}

func newLogSink(e *Engine, f *dayFile) *logSink {
	return &logSink{e: e, file: f, padding: newPadding(&e.cfg)}
}

func (s *logSink) open(ctx context.Context, conn *sql.Conn, rows int64) error {
	if err := s.padding.open(ctx, conn, s.file.alias+".logs", "bytes", rows); err != nil {
		return err
	}
	if err := s.tenants.open(ctx, conn, s.file.alias); err != nil {
		return err
	}
	s.builder = newBloomBuilder(s.e, s.file)
	return nil
}

func (s *logSink) append(conn *driver.Conn, firstRow int64, batch []*writeRequest) (rows int, err error) {
	s.padding.begin()
	n := countRows(batch)
	seq, err := s.e.seq.take(n)
	if err != nil {
		return 0, err
	}
	for _, r := range batch {
		records := r.payload.([]store.LogRecord)
		for i := range records {
			if err := s.tenants.number(conn, records[i].Tenant); err != nil {
				return 0, err
			}
		}
	}
	appender, err := driver.NewAppender(conn, s.file.alias, "", "logs")
	if err != nil {
		return 0, err
	}
	s.feed = s.builder.newFeed(n, batch)
	// The strings belong to the callers, who may use their memory again.
	defer s.boxes.forget()
	for _, r := range batch {
		records := r.payload.([]store.LogRecord)
		for i := range records {
			fill := s.padding.add(firstRow+int64(rows), len(records[i].Message))
			for range fill {
				err = errors.Join(err, s.appendPad(appender, &records[i]))
			}
			if err = errors.Join(err, s.appendRecord(appender, &records[i], seq)); err != nil {
				return 0, errors.Join(err, appender.Close())
			}
			seq++
			rows += fill + 1
		}
	}
	return rows, appender.Close()
}

// appendPad appends an empty row with the times of the record that follows.
func (s *logSink) appendPad(appender *driver.Appender, r *store.LogRecord) error {
	s.feed.rows = append(s.feed.rows, bloomFeedRow{end: len(s.feed.text), ts: r.Timestamp, pad: true})
	return appender.AppendRow(s.boxes.ms(0, r.Timestamp), s.boxes.ms(1, r.Ingested), int64(0), uint16(padTenant), "", "", "", int32(0),
		nil, nil, nil, nil, nil, nil)
}

func (s *logSink) appendRecord(appender *driver.Appender, r *store.LogRecord, seq int64) error {
	message := validUTF8(r.Message)
	b := &s.boxes
	s.row = [14]sqldriver.Value{
		b.ms(0, r.Timestamp), b.ms(1, r.Ingested), seq,
		s.tenants.ids[r.Tenant], b.text(2, r.Group), b.text(3, r.Stream),
		message, int32(min(len(message), 1<<31-1)),
		b.optional(4, r.Level), b.optional(5, r.Service), b.optional(6, r.TraceID), b.optional(7, r.SpanID), nil, nil,
	}
	if r.DurationMs != nil {
		s.row[12] = *r.DurationMs
	}
	if r.Status != nil {
		s.row[13] = *r.Status
	}
	f := s.feed
	f.text = append(f.text, message...)
	row := bloomFeedRow{end: len(f.text), ts: r.Timestamp}
	if r.TraceID != "" {
		row.trace, row.hasTrace = hashTraceID(r.TraceID), true
	}
	f.rows = append(f.rows, row)
	return appender.AppendRow(s.row[:]...)
}

func (s *logSink) committed(firstRow int64) {
	s.tenants.committed()
	s.feed.firstRow = firstRow
	s.file.cache.grow(firstRow, s.feed.rows, int64(len(s.feed.text)))
	s.builder.offer(s.feed)
	s.feed = nil
}

func (s *logSink) aborted() {
	s.tenants.aborted()
	s.padding.aborted()
	if s.feed != nil {
		s.builder.recycle(s.feed)
		s.feed = nil
	}
}

func (s *logSink) close() {
	if s.builder != nil {
		s.builder.close()
	}
}

// validUTF8 replaces what is not UTF-8, which DuckDB would refuse.
func validUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// boxes keeps the last value of columns whose value is often that of the row before, so that it is put into an interface
// once.
type boxes struct {
	lastText [8]string
	text8    [8]any
	lastMs   [2]int64
	ms2      [2]any
}

func (b *boxes) text(i int, s string) any {
	if b.text8[i] == nil || b.lastText[i] != s {
		b.lastText[i], b.text8[i] = s, validUTF8(s)
	}
	return b.text8[i]
}

// forget lets go of the strings.
func (b *boxes) forget() {
	clear(b.lastText[:])
	clear(b.text8[:])
}

// optional is NULL for "".
func (b *boxes) optional(i int, s string) any {
	if s == "" {
		return nil
	}
	return b.text(i, s)
}

func (b *boxes) ms(i int, ms int64) any {
	if b.ms2[i] == nil || b.lastMs[i] != ms {
		b.lastMs[i], b.ms2[i] = ms, time.UnixMilli(ms).UTC()
	}
	return b.ms2[i]
}
