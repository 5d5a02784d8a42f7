// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/nephoscope/nephoscope/internal/store"
)

const (
	// A page is what is read into memory before it is handed out.
	minPageRows  = 256
	maxPageRows  = 8192
	maxPageBytes = 16 << 20

	// Windows of time widen from here. Small ones cost a statement each, large ones read too much.
	minWindow    = 10 * time.Second
	windowGrowth = 4

	// Below this many candidate rows a file is searched in one go.
	windowlessRows = 64 * bloomChunkRows
)

const recordColumns = "ts, ingested, seq, account, region, grp, stream, message, level, service, trace_id, span_id, duration_ms, status"

// ScanLogs hands out events in order. It reads page by page, the first file and the first window of time first, and holds
// nothing while yield runs.
func (e *Engine) ScanLogs(ctx context.Context, scan store.LogScan, yield func(*store.LogRecord) bool) (store.ScanStats, error) {
	var stats store.ScanStats
	if nothing(&scan.LogSelection) || scan.Limit < 0 {
		return stats, nil
	}
	first, last := daysOfMs(scan.Start, scan.End)
	if a := scan.After; a != nil {
		if d := clampDay(int64(dayOfMs(a.Timestamp))); scan.Descending {
			last = min(last, d)
		} else {
			first = max(first, d)
		}
	}
	files := e.filesIn(signalLogs, first, last)
	if scan.Descending {
		slices.Reverse(files)
	}
	r := &logReader{e: e, scan: &scan, yield: yield, cursor: scan.After, hashes: searchHashes(&scan.LogSelection), pageRows: minPageRows}
	for _, f := range files {
		fs := &logFileScan{r: r, f: f}
		err := fs.run(ctx)
		if err == nil && !scan.NoStats {
			err = fs.count(ctx, &stats)
		}
		if err != nil {
			return stats, fmt.Errorf("scan logs: %w", err)
		}
		if r.done {
			break
		}
	}
	stats.RecordsMatched = r.yielded
	return stats, nil
}

// logReader is the state of a scan over all files.
type logReader struct {
	e        *Engine
	scan     *store.LogScan
	yield    func(*store.LogRecord) bool
	hashes   []uint64
	cursor   *store.LogPosition // where to go on, within the current file
	pageRows int
	yielded  int64
	done     bool
}

// pageLimit is how many rows the next page may have.
func (r *logReader) pageLimit() int {
	if r.scan.Limit == 0 {
		return r.pageRows
	}
	return int(min(int64(r.scan.Limit)-r.yielded, maxPageRows))
}

// give hands out a page.
func (r *logReader) give(page []store.LogRecord) {
	for i := range page {
		r.yielded++
		if !r.yield(&page[i]) || r.scan.Limit > 0 && r.yielded >= int64(r.scan.Limit) {
			r.done = true
			return
		}
	}
	if n := len(page); n > 0 {
		p := &page[n-1]
		r.cursor = &store.LogPosition{Timestamp: p.Timestamp, Ingested: p.Ingested, Seq: p.Seq}
	}
	r.pageRows = min(2*r.pageRows, maxPageRows)
}

// logFileScan is the scan of one file.
type logFileScan struct {
	r *logReader
	f *dayFile

	planned    bool
	ranges     []rowRange // to be searched; with all, everything is
	all        bool
	start, end int64 // what is left to be searched, Unix ms, half-open
	whole      timeRange
	width      int64
}

type timeRange struct{ start, end int64 }

func (fs *logFileScan) run(ctx context.Context) error {
	r := fs.r
	for !r.done {
		var page []store.LogRecord
		var full bool
		var window timeRange
		err := r.e.read(ctx, []*dayFile{fs.f}, func(ctx context.Context, s *snapshot) error {
			page, full, window = nil, false, timeRange{}
			if len(s.files) == 0 {
				return nil
			}
			if err := fs.plan(ctx, s); err != nil {
				return err
			}
			// Windows that hold nothing need not give up the file in between.
			for fs.start < fs.end {
				window = fs.window()
				var err error
				if page, full, err = fs.page(ctx, s, window); err != nil {
					return err
				}
				if len(page) > 0 {
					return nil
				}
				fs.pass(window)
				fs.width *= windowGrowth
			}
			return nil
		})
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return nil
		}
		r.give(page)
		if !full {
			fs.pass(window)
			if len(page)*2 < r.pageLimit() {
				fs.width *= windowGrowth
			}
		}
	}
	return nil
}

// plan decides once which part of the file is to be searched.
func (fs *logFileScan) plan(ctx context.Context, s *snapshot) error {
	if fs.planned {
		return nil
	}
	scan := fs.r.scan
	rows, oldest, newest, err := s.timeBounds(ctx, fs.f)
	if err != nil {
		return err
	}
	fs.start, fs.end = max(scan.Start, oldest), min(scan.End, newest+1)
	if c := fs.r.cursor; c != nil {
		if scan.Descending {
			fs.end = min(fs.end, c.Timestamp+1)
		} else {
			fs.start = max(fs.start, c.Timestamp)
		}
	}
	fs.whole = timeRange{fs.start, fs.start}
	if scan.Descending {
		fs.whole = timeRange{fs.end, fs.end}
	}
	if rows == 0 {
		fs.end = fs.start
	}
	fs.all = true
	var candidateRows int64
	if len(fs.r.hashes) > 0 && fs.start < fs.end {
		if fs.ranges, fs.all, err = s.prune(ctx, fs.f, fs.r.hashes, fs.start, fs.end); err != nil {
			return err
		}
		for _, rr := range fs.ranges {
			candidateRows += min(rr.last, rows-1) - rr.first + 1
		}
	}
	span := max(newest-oldest, 1)
	fs.width = max(minWindow.Milliseconds(), int64(float64(fs.r.pageLimit())*4*float64(span)/float64(max(rows, 1))))
	if !fs.all && candidateRows <= windowlessRows {
		fs.width = span + 1
	}
	fs.planned = true
	return nil
}

// prune asks the token index which rows to search.
func (s *snapshot) prune(ctx context.Context, f *dayFile, hashes []uint64, start, end int64) (ranges []rowRange, all bool, err error) {
	id, err := s.fileID(ctx, f)
	if err != nil {
		return nil, false, err
	}
	view, err := f.bloom.view(id)
	if err != nil {
		return nil, false, fmt.Errorf("token index: %w", err)
	}
	defer view.release()
	ranges, all = candidates(&view, hashes, start, end)
	return ranges, all, nil
}

// window is the next part of the time that is left.
func (fs *logFileScan) window() timeRange {
	if fs.r.scan.Descending {
		return timeRange{max(fs.start, fs.end-fs.width), fs.end}
	}
	return timeRange{fs.start, min(fs.end, fs.start+fs.width)}
}

// pass leaves a window behind.
func (fs *logFileScan) pass(w timeRange) {
	if fs.r.scan.Descending {
		fs.end = w.start
	} else {
		fs.start = w.end
	}
	fs.whole.start, fs.whole.end = min(fs.whole.start, w.start), max(fs.whole.end, w.end)
}

// page reads the next rows of a window. full says that the window may have more.
func (fs *logFileScan) page(ctx context.Context, s *snapshot, w timeRange) (page []store.LogRecord, full bool, err error) {
	scan := fs.r.scan
	sel := scan.LogSelection
	sel.Start, sel.End = w.start, w.end
	cond := scope(&sel)
	after(cond, fs.r.cursor, scan.Descending)
	if c := search(&sel); c != nil {
		cond.and(c.String(), c.args...)
	}
	if scan.Where != "" {
		cond.and("("+scan.Where+")", scan.Args...)
	}
	limit := fs.r.pageLimit()
	from, args := fromRanges(fs.f, fs.ranges, fs.all, recordColumns, cond)
	order := "ts, ingested, seq"
	if scan.Descending {
		order = "ts DESC, ingested DESC, seq DESC"
	}
	statement := fmt.Sprintf("SELECT * FROM (%s) ORDER BY %s LIMIT %d", from, order, limit)
	size := 0
	err = s.query(ctx, statement, args, func(rows *sql.Rows) (bool, error) {
		page = append(page, store.LogRecord{})
		r := &page[len(page)-1]
		if err := scanRecord(rows, r); err != nil {
			return false, err
		}
		size += len(r.Message)
		full = len(page) >= limit || size >= maxPageBytes
		return !full, nil
	})
	return page, full, err
}

// fromRanges selects columns of the rows that meet the condition, in the given ranges of row ids. DuckDB skips what is
// not in them for a UNION ALL of ranges only; an OR of ranges or a list of ids would be a scan.
func fromRanges(f *dayFile, ranges []rowRange, all bool, columns string, cond *condition) (string, []any) {
	head := "SELECT " + columns + " FROM " + f.alias + ".logs WHERE "
	if all {
		return head + cond.String(), cond.args
	}
	var sql []byte
	var args []any
	for i, rr := range ranges {
		if i > 0 {
			sql = append(sql, " UNION ALL "...)
		}
		sql = fmt.Appendf(sql, "%srowid BETWEEN %d AND %d AND %s", head, rr.first, rr.last, cond)
		args = append(args, cond.args...)
	}
	return string(sql), args
}

// after is the condition of being behind a position in the direction of travel.
func after(c *condition, p *store.LogPosition, descending bool) {
	if p == nil {
		return
	}
	op := ">"
	if descending {
		op = "<"
	}
	ts, ing := clampMs(p.Timestamp), clampMs(p.Ingested)
	c.and("(ts "+op+" make_timestamp_ms(?) OR ts = make_timestamp_ms(?) AND (ingested "+op+" make_timestamp_ms(?) OR "+
		"ingested = make_timestamp_ms(?) AND seq "+op+" ?))", ts, ts, ing, ing, p.Seq)
}

// scanRecord reads a row of recordColumns.
func scanRecord(rows *sql.Rows, r *store.LogRecord) error {
	var ts, ingested time.Time
	var level, service, traceID, spanID sql.NullString
	err := rows.Scan(&ts, &ingested, &r.Seq, &r.Account, &r.Region, &r.Group, &r.Stream, &r.Message,
		&level, &service, &traceID, &spanID, &r.DurationMs, &r.Status)
	r.Timestamp, r.Ingested = ts.UnixMilli(), ingested.UnixMilli()
	r.Level, r.Service, r.TraceID, r.SpanID = level.String, service.String, traceID.String, spanID.String
	return err
}

// count adds what the scan of the file looked at.
func (fs *logFileScan) count(ctx context.Context, stats *store.ScanStats) error {
	// The window that a scan stops in was looked at whole.
	w := fs.whole
	if fs.planned && fs.r.done && fs.start < fs.end {
		last := fs.window()
		w.start, w.end = min(w.start, last.start), max(w.end, last.end)
	}
	if !fs.planned || w.start >= w.end {
		return nil
	}
	sel := fs.r.scan.LogSelection
	sel.Start, sel.End = w.start, w.end
	cond := scope(&sel)
	after(cond, fs.r.scan.After, fs.r.scan.Descending)
	return fs.r.e.read(ctx, []*dayFile{fs.f}, func(ctx context.Context, s *snapshot) error {
		if len(s.files) == 0 {
			return nil
		}
		c, err := s.countScope(ctx, fs.f, cond, fs.ranges, fs.all)
		if err == nil {
			stats.RecordsScanned += c.RecordsScanned
			stats.BytesScanned += c.BytesScanned
			stats.RecordsSkipped += c.RecordsSkipped
		}
		return err
	})
}

// countScope counts the rows that meet the condition, and those of them outside of the ranges.
func (s *snapshot) countScope(ctx context.Context, f *dayFile, cond *condition, ranges []rowRange, all bool) (c store.ScanStats, err error) {
	err = s.queryRow(ctx, "SELECT count(*), coalesce(sum(bytes), 0)::BIGINT FROM "+f.alias+".logs WHERE "+cond.String(), cond.args,
		&c.RecordsScanned, &c.BytesScanned)
	if err != nil || all {
		return c, err
	}
	from, args := fromRanges(f, ranges, false, "1", cond)
	var read int64
	err = s.queryRow(ctx, "SELECT count(*) FROM ("+from+")", args, &read)
	c.RecordsSkipped = c.RecordsScanned - read
	return c, err
}
