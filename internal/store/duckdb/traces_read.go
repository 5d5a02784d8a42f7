// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nephoscope/nephoscope/internal/store"
)

const segmentColumns = "trace_id, id, parent_id, start_time, end_time, seq, ingested, name, origin, flags, status, " +
	"annotations, document"

// traceBatch is how many traces one statement looks for. DuckDB skips blocks for a UNION ALL of equalities, not for a list.
const traceBatch = 16

// Traces returns the documents of each trace. A trace id of X-Ray begins with the time, so it is looked up in almost no time in
// the files of other days; a random one costs a scan of one column per file.
func (e *Engine) Traces(ctx context.Context, tenant store.Tenant, ids [][16]byte) (map[[16]byte]store.Trace, error) {
	ids = slices.Clone(ids)
	slices.SortFunc(ids, func(a, b [16]byte) int { return slices.Compare(a[:], b[:]) })
	ids = slices.Compact(ids)
	found := make(map[[16]byte]*traceRows, len(ids))
	for _, id := range ids {
		found[id] = &traceRows{byID: map[[8]byte]*segmentRow{}}
	}
	files := e.filesIn(signalTraces, minDay, maxDay)
	for batch := range slices.Chunk(ids, traceBatch) {
		for _, f := range files {
			var rows []segmentRow
			err := e.read(ctx, []*dayFile{f}, func(ctx context.Context, s *snapshot) (err error) {
				rows = nil
				if len(s.files) > 0 {
					rows, err = s.segments(ctx, f, tenant, batch, found)
				}
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("traces: %w", err)
			}
			for i := range rows {
				r := &rows[i]
				found[r.TraceID].add(r)
			}
		}
	}
	out := make(map[[16]byte]store.Trace, len(found))
	for id, t := range found {
		if len(t.byID) > 0 {
			out[id] = store.Trace{Segments: t.segments(), LimitExceeded: t.exceeded}
		}
	}
	return out, nil
}

type segmentRow struct {
	store.Segment
	seq int64
}

// traceRows keeps of each document of a trace the one that counts.
type traceRows struct {
	byID     map[[8]byte]*segmentRow
	bytes    int // of the documents in byID
	exceeded bool
}

func (t *traceRows) add(r *segmentRow) {
	have := t.byID[r.ID]
	if have == nil || have.InProgress && !r.InProgress || have.InProgress == r.InProgress && have.seq < r.seq {
		if have != nil {
			t.bytes -= len(have.Document)
		}
		t.bytes += len(r.Document)
		t.byID[r.ID] = r
	}
}

func (t *traceRows) segments() []store.Segment {
	rows := make([]*segmentRow, 0, len(t.byID))
	for _, r := range t.byID {
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b *segmentRow) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.seq, b.seq))
	})
	out := make([]store.Segment, len(rows))
	for i, r := range rows {
		out[i] = r.Segment
	}
	return out
}

// segments reads the documents of the traces in one file. A trace that has grown past its bound, with what other files
// brought, is marked and read no further.
func (s *snapshot) segments(
	ctx context.Context, f *dayFile, tenant store.Tenant, ids [][16]byte, traces map[[16]byte]*traceRows,
) ([]segmentRow, error) {
	number, ok, err := s.tenantID(ctx, f, tenant)
	if err != nil || !ok {
		return nil, err
	}
	var parts []string
	for _, id := range ids {
		parts = append(parts, fmt.Sprintf("SELECT %s FROM %s.spans WHERE trace_id = %s AND tenant = %d", segmentColumns, f.alias,
			uuidLiteral(id), number))
	}
	var out []segmentRow
	size := make(map[[16]byte]int, len(ids))
	err = s.query(ctx, strings.Join(parts, " UNION ALL "), nil, func(rows *sql.Rows) (bool, error) {
		out = append(out, segmentRow{})
		r := &out[len(out)-1]
		r.Tenant = tenant
		if err := scanSegment(rows, r); err != nil {
			return false, err
		}
		size[r.TraceID] += len(r.Document)
		if t := traces[r.TraceID]; t.bytes+size[r.TraceID] > store.MaxTraceBytes {
			t.exceeded = true
			out = out[:len(out)-1]
		}
		return true, nil
	})
	return out, err
}

// uuidLiteral is a constant, which lets DuckDB compare it with the bounds of its blocks.
func uuidLiteral(id [16]byte) string { return "'" + hex.EncodeToString(id[:]) + "'::UUID" }

// scanSegment reads a row of segmentColumns.
func scanSegment(rows *sql.Rows, r *segmentRow) error {
	var traceID []byte
	var id uint64
	var parent sql.Null[uint64]
	var start, ingested time.Time
	var end sql.NullTime
	var origin, annotations sql.NullString
	var flags uint8
	var status sql.NullInt32
	err := rows.Scan(&traceID, &id, &parent, &start, &end, &r.seq, &ingested, &r.Name, &origin, &flags,
		&status, &annotations, &r.Document)
	if err != nil {
		return err
	}
	copy(r.TraceID[:], traceID)
	binary.BigEndian.PutUint64(r.ID[:], id)
	if parent.Valid {
		binary.BigEndian.PutUint64(r.ParentID[:], parent.V)
	}
	r.Start, r.Ingested = start.UnixNano(), ingested.UnixMilli()
	if end.Valid {
		r.End = end.Time.UnixNano()
	}
	r.Origin, r.Annotations, r.HTTPStatus = origin.String, annotations.String, status.Int32
	r.Subsegment, r.InProgress = flags&flagSubsegment != 0, flags&flagInProgress != 0
	r.Fault, r.Error, r.Throttle = flags&flagFault != 0, flags&flagError != 0, flags&flagThrottle != 0
	return nil
}

// tracePages are how many ids are read at once: few at first, because most callers want the newest only.
const firstTracePage, maxTracePage = 1000, 64_000

// ScanTraceIDs lists the traces with a document in the range, newest first. The start of a trace is that of its earliest
// document in the range. A document in progress counts at its start, for its end is not known.
func (e *Engine) ScanTraceIDs(ctx context.Context, scan store.TraceScan, yield func(id [16]byte, start int64) bool) error {
	if scan.Start >= scan.End {
		return nil
	}
	// A document belongs to the file of its start, and may end on a later day.
	files := e.filesIn(signalTraces, minDay, clampDay(floorDiv(scan.End-1, nsPerDay)))
	var after *traceStart
	for limit := firstTracePage; ; limit = min(limit*8, maxTracePage) {
		var page []traceStart
		err := e.read(ctx, files, func(ctx context.Context, s *snapshot) (err error) {
			page, err = s.traceStarts(ctx, &scan, after, limit)
			return err
		})
		if err != nil {
			return fmt.Errorf("scan trace ids: %w", err)
		}
		for i := range page {
			if !yield(page[i].id, page[i].start) {
				return nil
			}
		}
		if len(page) < limit {
			return nil
		}
		after = &page[len(page)-1]
	}
}

type traceStart struct {
	id    [16]byte
	start int64
}

func (s *snapshot) traceStarts(ctx context.Context, scan *store.TraceScan, after *traceStart, limit int) ([]traceStart, error) {
	begin, end := nanos(scan.Start), nanos(scan.End)
	var parts []string
	for _, f := range s.files {
		_, _, newest, err := s.timeBounds(ctx, f)
		if err != nil {
			return nil, err
		}
		if newest < begin {
			continue
		}
		tenant, ok, err := s.tenantID(ctx, f, scan.Tenant)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		parts = append(parts, fmt.Sprintf("SELECT trace_id, start_time FROM %s.spans WHERE tenant = %d AND start_time < %s AND (start_time >= %s OR end_time >= %s)",
			f.alias, tenant, nsLiteral(end), nsLiteral(begin), nsLiteral(begin)))
	}
	if len(parts) == 0 {
		return nil, nil
	}
	having := ""
	if after != nil {
		t := nsLiteral(after.start)
		having = "HAVING s < " + t + " OR s = " + t + " AND trace_id < " + uuidLiteral(after.id)
	}
	var out []traceStart
	err := s.query(ctx, fmt.Sprintf("SELECT trace_id, min(start_time) AS s FROM (%s) GROUP BY trace_id %s ORDER BY s DESC, trace_id DESC LIMIT %d",
		strings.Join(parts, " UNION ALL "), having, limit), nil, func(rows *sql.Rows) (bool, error) {
		var id []byte
		var start time.Time
		if err := rows.Scan(&id, &start); err != nil {
			return false, err
		}
		t := traceStart{start: start.UnixNano()}
		copy(t.id[:], id)
		out = append(out, t)
		return true, nil
	})
	return out, err
}

// nanos keeps a time within the days that there may be.
func nanos(ns int64) int64 { return min(max(ns, 0), int64(maxDay)*nsPerDay) }

// nsLiteral is a constant for the bounds of blocks, as in uuidLiteral.
func nsLiteral(ns int64) string {
	return "'" + time.Unix(0, ns).UTC().Format("2006-01-02 15:04:05.000000000") + "'::TIMESTAMP_NS"
}
