// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	driver "github.com/duckdb/duckdb-go/v2"

	"github.com/nephoscope/nephoscope/internal/store"
)

// Flags of a span row.
const (
	flagSubsegment = 1 << iota
	flagInProgress
	flagFault
	flagError
	flagThrottle
)

// segmentBytes is what a segment takes in memory beside its document.
const segmentBytes = 300

// WriteSegments keeps the documents. See [Engine.WriteLogs] for what happens when ctx ends.
func (e *Engine) WriteSegments(ctx context.Context, segments []store.Segment) error {
	if len(segments) == 0 {
		return nil
	}
	for i := range segments {
		s := &segments[i]
		if !dayOfNs(s.Start).valid() || s.End != 0 && !dayOfNs(s.End).valid() {
			return fmt.Errorf("segment %d: times %d and %d are not between 1970 and 2260", i, s.Start, s.End)
		}
	}
	return e.writeParts(ctx, signalTraces, len(segments), splitDays(segments,
		func(s *store.Segment) day { return dayOfNs(s.Start) },
		func(rows []store.Segment) *writeRequest {
			var n int64
			for i := range rows {
				n += int64(len(rows[i].Document)+len(rows[i].Annotations)) + segmentBytes
			}
			return newWriteRequest(len(rows), n, rows)
		}))
}

type traceSink struct {
	e     *Engine
	file  *dayFile
	boxes boxes
	row   [14]sqldriver.Value

	tenants tenantIDs
	padding padding
}

func newTraceSink(e *Engine, f *dayFile) *traceSink {
	return &traceSink{e: e, file: f, padding: newPadding(&e.cfg)}
}

func (s *traceSink) open(ctx context.Context, conn *sql.Conn, rows int64) error {
	if err := s.padding.open(ctx, conn, s.file.alias+".spans", "strlen(document)", rows); err != nil {
		return err
	}
	return s.tenants.open(ctx, conn, s.file.alias)
}

func (s *traceSink) append(conn *driver.Conn, firstRow int64, batch []*writeRequest) (rows int, err error) {
	s.padding.begin()
	n := countRows(batch)
	seq, err := s.e.seq.take(n)
	if err != nil {
		return 0, err
	}
	for _, r := range batch {
		segments := r.payload.([]store.Segment)
		for i := range segments {
			if err := s.tenants.number(conn, segments[i].Tenant); err != nil {
				return 0, err
			}
		}
	}
	appender, err := driver.NewAppender(conn, s.file.alias, "", "spans")
	if err != nil {
		return 0, err
	}
	defer s.boxes.forget()
	for _, r := range batch {
		segments := r.payload.([]store.Segment)
		for i := range segments {
			fill := s.padding.add(firstRow+int64(rows), len(segments[i].Document))
			for range fill {
				err = errors.Join(err, s.appendPad(appender, &segments[i]))
			}
			if err = errors.Join(err, s.appendSegment(appender, &segments[i], seq)); err != nil {
				return 0, errors.Join(err, appender.Close())
			}
			seq++
			rows += fill + 1
		}
	}
	return rows, appender.Close()
}

// appendPad appends an empty row with the trace and time of the segment that follows.
func (s *traceSink) appendPad(appender *driver.Appender, g *store.Segment) error {
	return appender.AppendRow(driver.UUID(g.TraceID), uint64(0), nil, time.Unix(0, g.Start).UTC(), nil, int64(0), s.boxes.ms(0, g.Ingested),
		uint16(padTenant), "", nil, uint8(0), nil, nil, "")
}

func (s *traceSink) appendSegment(appender *driver.Appender, g *store.Segment, seq int64) error {
	b := &s.boxes
	s.row = [14]sqldriver.Value{
		driver.UUID(g.TraceID), binary.BigEndian.Uint64(g.ID[:]), nil,
		time.Unix(0, g.Start).UTC(), nil, seq, b.ms(0, g.Ingested),
		s.tenants.ids[g.Tenant], b.text(2, g.Name), b.optional(3, g.Origin),
		segmentFlags(g), nil, nil, validUTF8(g.Document),
	}
	if g.ParentID != [8]byte{} {
		s.row[2] = binary.BigEndian.Uint64(g.ParentID[:])
	}
	if g.End != 0 {
		s.row[4] = time.Unix(0, g.End).UTC()
	}
	if g.HTTPStatus != 0 {
		s.row[11] = g.HTTPStatus
	}
	if g.Annotations != "" {
		s.row[12] = validUTF8(g.Annotations)
	}
	return appender.AppendRow(s.row[:]...)
}

func (s *traceSink) committed(int64) { s.tenants.committed() }
func (s *traceSink) aborted() {
	s.tenants.aborted()
	s.padding.aborted()
}
func (s *traceSink) close() {}

func segmentFlags(g *store.Segment) uint8 {
	var flags uint8
	for _, f := range []struct {
		set  bool
		flag uint8
	}{
		{g.Subsegment, flagSubsegment},
		{g.InProgress, flagInProgress},
		{g.Fault, flagFault},
		{g.Error, flagError},
		{g.Throttle, flagThrottle},
	} {
		if f.set {
			flags |= f.flag
		}
	}
	return flags
}
