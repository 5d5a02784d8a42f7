// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"
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
	minWindow   = 10 * time.Second
	minGrowth   = 4
	emptyGrowth = 16
	maxGrowth   = 64

	// Below this many candidate rows a file is searched in one go.
	windowlessRows = 64 * bloomChunkRows
)

const recordColumns = "ts, ingested, seq, grp, stream, message, level, service, trace_id, span_id, duration_ms, status"

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
		fs := &logFileScan{r: r, f: f, maxRows: maxPageRows}
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
func (fs *logFileScan) pageLimit() int {
	r := fs.r
	n := int64(r.pageRows)
	if r.scan.Limit > 0 {
		n = min(int64(r.scan.Limit)-r.yielded, maxPageRows)
	}
	// The database holds a page in memory before we see its first row.
	if mean := fs.f.cache.meanBytes(); mean > 0 {
		n = min(n, max(2*maxPageBytes/mean, 1))
	}
	return int(max(min(n, fs.maxRows), 1))
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
	maxRows    int64 // of a page
	tenant     uint16
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
				page, full, err = fs.page(ctx, s, window)
				for isOutOfMemory(err) && fs.pageLimit() > 1 {
					fs.maxRows = int64(fs.pageLimit()+7) / 8 // messages much longer than the mean
					page, full, err = fs.page(ctx, s, window)
				}
				if err != nil {
					return err
				}
				if len(page) > 0 {
					return nil
				}
				fs.pass(window)
				fs.width *= emptyGrowth
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
			fs.widen(len(page))
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
	tenant, ok, err := s.tenantID(ctx, fs.f, scan.Tenant)
	if err != nil {
		return err
	}
	fs.tenant = tenant
	if rows == 0 || !ok {
		fs.end = fs.start
	}
	fs.all = true
	var candidateRows int64
	if len(fs.r.hashes) > 0 && fs.start < fs.end {
		if fs.ranges, fs.all, err = s.prune(ctx, fs.f, fs.r.hashes, fs.start, fs.end, rows); err != nil {
			return err
		}
		if !fs.all && len(fs.ranges) == 0 {
			fs.skip()
		}
		for _, rr := range fs.ranges {
			candidateRows += min(rr.last, rows-1) - rr.first + 1
		}
	}
	span := max(newest-oldest, 1)
	fs.width = max(minWindow.Milliseconds(), int64(float64(fs.pageLimit())*4*float64(span)/float64(max(rows, 1))))
	if !fs.all && candidateRows <= windowlessRows {
		fs.width = span + 1
	}
	fs.planned = true
	return nil
}

// prune asks the token index which rows to search.
func (s *snapshot) prune(ctx context.Context, f *dayFile, hashes []uint64, start, end, rows int64) (ranges []rowRange, all bool, err error) {
	id, err := s.fileID(ctx, f)
	if err != nil {
		return nil, false, err
	}
	view, err := f.bloom.view(id)
	if err != nil {
		return nil, false, fmt.Errorf("token index: %w", err)
	}
	defer view.release()
	ranges, all = candidates(&view, hashes, start, end, rows)
	return ranges, all, nil
}

// window is the next part of the time that is left.
func (fs *logFileScan) window() timeRange {
	if fs.r.scan.Descending {
		return timeRange{max(fs.start, fs.end-fs.width), fs.end}
	}
	return timeRange{fs.start, min(fs.end, fs.start+fs.width)}
}

// widen makes the next window so wide that it should hold what is wanted, going by how many rows were found in the last.
func (fs *logFileScan) widen(found int) {
	wanted := fs.pageLimit()
	if found < wanted/2 {
		fs.width *= min(max(int64(wanted)*3/2/int64(found), minGrowth), maxGrowth)
	}
}

// skip leaves behind all that is left of the file.
func (fs *logFileScan) skip() {
	fs.pass(timeRange{fs.start, fs.end})
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
	allGroups, err := s.narrowGroups(ctx, fs.f, &sel)
	if err != nil {
		return nil, false, err
	}
	cond := scope(&sel, fs.tenant, allGroups)
	after(cond, fs.r.cursor, scan.Descending)
	if c := search(&sel); c != nil {
		cond.and(c.String(), c.args...)
	}
	if scan.Where != "" {
		cond.and("("+scan.Where+")", scan.Args...)
	}
	limit := fs.pageLimit()
	from, args := fromRanges(fs.f, fs.ranges, fs.all, recordColumns, cond)
	order := "ts, ingested, seq"
	if scan.Descending {
		order = "ts DESC, ingested DESC, seq DESC"
	}
	statement := fmt.Sprintf("SELECT * FROM (%s) ORDER BY %s LIMIT %d", from, order, limit)
	size := 0
	err = s.queryValues(ctx, statement, args, func(row []driver.Value) (bool, error) {
		page = append(page, store.LogRecord{})
		r := &page[len(page)-1]
		readRecord(row, r)
		r.Tenant = sel.Tenant
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
	if len(ranges) == 0 {
		return head + "false", nil
	}
	var sql []byte
	var args []any
	for i, rr := range ranges {
		if i > 0 {
			sql = append(sql, " UNION ALL "...)
		}
		if rr.last == math.MaxInt64 {
			sql = fmt.Appendf(sql, "%srowid >= %d AND %s", head, rr.first, cond) // three times as fast as BETWEEN
		} else {
			sql = fmt.Appendf(sql, "%srowid BETWEEN %d AND %d AND %s", head, rr.first, rr.last, cond)
		}
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

// readRecord reads a row of recordColumns.
func readRecord(row []driver.Value, r *store.LogRecord) {
	r.Timestamp, r.Ingested, r.Seq = row[0].(time.Time).UnixMilli(), row[1].(time.Time).UnixMilli(), row[2].(int64)
	r.Group, r.Stream, r.Message = text(row[3]), text(row[4]), text(row[5])
	r.Level, r.Service, r.TraceID, r.SpanID = text(row[6]), text(row[7]), text(row[8]), text(row[9])
	if d, ok := row[10].(float64); ok {
		r.DurationMs = &d
	}
	if n, ok := row[11].(int32); ok {
		r.Status = &n
	}
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
	return fs.r.e.read(ctx, []*dayFile{fs.f}, func(ctx context.Context, s *snapshot) error {
		if len(s.files) == 0 {
			return nil
		}
		var c store.ScanStats
		ok, err := false, error(nil)
		if fs.r.scan.After == nil {
			c, ok, err = s.countWhole(ctx, fs.f, &sel, fs.ranges, fs.all)
		}
		if err == nil && !ok {
			sel := sel
			var allGroups bool
			if allGroups, err = s.narrowGroups(ctx, fs.f, &sel); err == nil {
				cond := scope(&sel, fs.tenant, allGroups)
				after(cond, fs.r.scan.After, fs.r.scan.Descending)
				c, err = s.countScope(ctx, fs.f, cond, fs.ranges, fs.all)
			}
		}
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
	read, err := s.countRanges(ctx, f, cond, ranges)
	c.RecordsSkipped = c.RecordsScanned - read
	return c, err
}

// countRanges counts the rows of the ranges that meet the condition.
func (s *snapshot) countRanges(ctx context.Context, f *dayFile, cond *condition, ranges []rowRange) (n int64, err error) {
	if len(ranges) == 0 {
		return 0, nil
	}
	from, args := fromRanges(f, ranges, false, "1", cond)
	err = s.queryRow(ctx, "SELECT count(*) FROM ("+from+")", args, &n)
	return n, err
}

// countWhole is countScope for a selection of whole groups of a whole file that is not being written: the numbers of its streams are
// remembered, so nothing is read.
func (s *snapshot) countWhole(ctx context.Context, f *dayFile, sel *store.LogSelection, ranges []rowRange, all bool) (c store.ScanStats, ok bool, err error) {
	if sel.Streams != nil || sel.StreamPrefix != "" || !s.e.isQuiet(f) {
		return c, false, nil
	}
	rows, oldest, newest, err := s.timeBounds(ctx, f)
	if err != nil || sel.Start > oldest || sel.End <= newest || f.cache.hasManyStreams() {
		return c, false, err
	}
	streams, err := s.allStreams(ctx, f)
	if err != nil {
		return c, false, err
	}
	groups := make(map[string]bool, len(sel.Groups))
	for i := range sel.Groups {
		if hidesAny(streams, sel.Tenant, &sel.Groups[i]) {
			return c, false, nil
		}
		groups[sel.Groups[i].Group] = true
	}
	for i := range streams {
		if st := &streams[i]; st.Tenant == sel.Tenant && groups[st.Group] {
			c.RecordsScanned += st.Events
			c.BytesScanned += st.Bytes
		}
	}
	if all {
		return c, true, nil
	}
	tenant, _, err := s.tenantID(ctx, f, sel.Tenant)
	if err != nil {
		return c, false, err
	}
	var read int64
	if c.RecordsScanned == rows { // of the whole file
		for _, rr := range ranges {
			read += min(rr.last, rows-1) - rr.first + 1
		}
	} else {
		read, err = s.countRanges(ctx, f, scope(sel, tenant, false), ranges)
	}
	c.RecordsSkipped = c.RecordsScanned - read
	return c, true, err
}

// isReadOnly reports whether the file, which the caller holds, is attached in a way that it cannot change.
func (e *Engine) isReadOnly(f *dayFile) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return f.mode == readOnly
}

// isQuiet reports whether nobody writes the file.
func (e *Engine) isQuiet(f *dayFile) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return f.writer == nil
}
