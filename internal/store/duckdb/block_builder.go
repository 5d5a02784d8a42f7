// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// settleMetrics makes blocks of what was written, in a goroutine of its own: while it falls behind, more is read from the
// database.
func (e *Engine) settleMetrics() {
	tick := time.NewTicker(min(5*time.Second, max(e.cfg.IdleClose/4, 10*time.Millisecond)))
	defer tick.Stop()
	for {
		select {
		case <-e.settle:
		case <-tick.C:
		case <-e.stopping:
			return
		}
		today := dayOfMs(e.cfg.Now().UnixMilli())
		for _, f := range e.filesIn(signalMetrics, minDay, maxDay) {
			if e.stopCtx.Err() != nil {
				return
			}
			over, settled := e.claimSettled(f, today)
			var err error
			if !settled {
				if err = e.buildBlocks(e.stopCtx, f, over); err != nil {
					e.mu.Lock()
					f.settled = false
					e.mu.Unlock()
				}
			}
			if err == nil && over {
				err = e.coarsen(e.stopCtx, f)
			}
			if errors.Is(err, errBlock) {
				err = errors.Join(err, f.blocks.remove())
			}
			if err != nil && e.stopCtx.Err() == nil && !errors.Is(err, errFileGone) {
				e.cfg.Logger.Warn("ordering metric points by series", zap.String("file", f.path), zap.Error(err))
			}
		}
	}
}

// claimSettled reports whether nobody writes a day that is over any more, and whether its blocks are known to be whole. Those of a
// day that is over count as whole from now on: the next write, and a failure, say otherwise.
func (e *Engine) claimSettled(f *dayFile, today day) (over, settled bool) {
	whole := f.blocks.whole(e.cfg.Now())
	e.mu.Lock()
	defer e.mu.Unlock()
	over = f.day < today && f.writer == nil
	settled = f.settled && whole
	f.settled = over
	return over, settled
}

// settleSoon wakes settleMetrics when the file has rows for another block.
func (e *Engine) settleSoon(f *dayFile, rows int64) {
	f.blocks.rows.Store(rows)
	if rows-f.blocks.last() < e.cfg.blockRows {
		return
	}
	select {
	case e.settle <- struct{}{}:
	default:
	}
}

// buildBlocks makes blocks of the rows that have none: of whole ones, or of all when the day is over.
func (e *Engine) buildBlocks(ctx context.Context, f *dayFile, all bool) error {
	x := f.blocks
	x.building.Lock()
	defer x.building.Unlock()
	if n := x.rows.Load(); !all && n >= 0 && n-x.last() < e.cfg.blockRows {
		return nil
	}
	var id string
	var rows int64
	err := e.read(ctx, []*dayFile{f}, func(ctx context.Context, s *snapshot) (err error) {
		if len(s.files) == 0 {
			return errFileGone
		}
		if id, err = s.fileID(ctx, f); err != nil {
			return err
		}
		return s.queryRow(ctx, "SELECT count(*) FROM "+f.alias+".points", nil, &rows)
	})
	if err != nil {
		return err
	}
	x.rows.Store(rows)
	covered, err := x.covered(id)
	if err != nil {
		return err
	}
	if covered > rows {
		return errors.Join(fmt.Errorf("blocks have %d rows of %d", covered, rows), x.remove())
	}
	if err := os.MkdirAll(x.dir, 0o750); err != nil {
		return err
	}
	// Names alone do not tell whose blocks they are.
	v, err := x.view(id)
	if err != nil {
		return err
	}
	covered = v.covered
	v.release()
	for rows-covered >= e.cfg.blockRows || all && covered < rows {
		n := min(rows-covered, 2*e.cfg.blockRows-1)
		if err := e.buildBlock(ctx, f, id, covered, n); err != nil {
			return err
		}
		covered += n
		if err := e.mergeBlocks(ctx, f, id, false); err != nil {
			return err
		}
	}
	if now := e.cfg.Now(); all && x.mergeDue(now) {
		if err := e.mergeBlocks(ctx, f, id, true); err != nil {
			return err
		}
		x.setMerged(now)
	}
	return nil
}

// pointRow is a point on its way to its series.
type pointRow struct {
	series int32
	ts     int64
	stats  cloudwatch.StatisticSet
	dist   []byte
}

// buildBlock makes a block of rows of the database.
func (e *Engine) buildBlock(ctx context.Context, f *dayFile, id string, first, n int64) error {
	rows := make([]pointRow, 0, n)
	err := e.read(ctx, []*dayFile{f}, func(ctx context.Context, s *snapshot) error {
		if len(s.files) == 0 {
			return errFileGone
		}
		rows = rows[:0]
		return s.queryValues(ctx, "SELECT series_id, epoch_us(ts), count, sum, min, max, dist FROM "+f.alias+
			".points WHERE rowid >= ? AND rowid < ?", []any{first, first + n}, func(row []driver.Value) (bool, error) {
			r := pointRow{series: row[0].(int32), ts: row[1].(int64) / 1_000_000, stats: cloudwatch.StatisticSet{
				SampleCount: row[2].(float64), Sum: row[3].(float64), Minimum: row[4].(float64), Maximum: row[5].(float64),
			}}
			if blob, ok := row[6].([]byte); ok {
				r.dist = append([]byte{}, blob...)
			}
			rows = append(rows, r)
			return true, nil
		})
	})
	if err != nil {
		return err
	}
	if int64(len(rows)) != n {
		return fmt.Errorf("%d rows where %d to %d should be", len(rows), first, first+n)
	}
	slices.SortStableFunc(rows, func(a, b pointRow) int {
		if a.series != b.series {
			return int(a.series) - int(b.series)
		}
		return int(a.ts - b.ts)
	})
	return e.writeBlock(f, id, first, n, func(w *blockWriter) error {
		var p points
		for i := 0; i < len(rows); {
			p.reset()
			series := rows[i].series
			for ; i < len(rows) && rows[i].series == series; i++ {
				p.add(rows[i].ts, rows[i].stats, rows[i].dist)
			}
			if err := w.add(series, &p, f.day.start().Unix()); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
}

// pointBytes is about what a point takes in a block.
const pointBytes = 16

// writeBlock makes the file of a block and puts it into the index.
func (e *Engine) writeBlock(f *dayFile, id string, first, rows int64, fill func(*blockWriter) error) (err error) {
	x := f.blocks
	path := filepath.Join(x.dir, blockName(first, rows))
	if err := e.disk.room(rows * pointBytes); err != nil {
		return err
	}
	w, err := newBlockWriter(path + ".new")
	if err != nil {
		return err
	}
	err = fill(w)
	if err == nil {
		err = w.finish(id, first, rows)
	}
	size := int64(w.offset)
	if err = errors.Join(err, w.close()); err != nil {
		return errors.Join(err, os.Remove(path+".new"))
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	if err := syncDir(x.dir); err != nil {
		return err
	}
	return x.put(blockFile{path: path, first: first, rows: rows, size: size, verified: true})
}

// blockLevel is how many times blocks were put together to make one of so many rows.
func blockLevel(rows, smallest int64) int {
	n := 0
	for limit := smallest * blockFan; rows >= limit && limit < math.MaxInt64/blockFan; limit *= blockFan {
		n++
	}
	return n
}

// mergeBlocks puts together the last blocks while enough of them have the same size, or all.
func (e *Engine) mergeBlocks(ctx context.Context, f *dayFile, id string, all bool) error {
	for {
		v, err := f.blocks.view(id)
		if err != nil {
			return err
		}
		n := len(v.blocks)
		from := 0
		if !all {
			if n == 0 {
				v.release()
				return nil
			}
			level := blockLevel(v.blocks[n-1].rows, e.cfg.blockRows)
			for from = n - 1; from > 0 && blockLevel(v.blocks[from-1].rows, e.cfg.blockRows) == level; {
				from--
			}
			if n-from < blockFan {
				from = n
			}
		}
		if n-from < 2 {
			v.release()
			return nil
		}
		err = e.mergeRange(ctx, f, id, v.blocks[from:])
		v.release()
		if err != nil {
			return err
		}
	}
}

// mergeRange makes one block of several.
func (e *Engine) mergeRange(ctx context.Context, f *dayFile, id string, list []*block) error {
	rows := int64(0)
	for _, s := range list {
		if !s.intact() { // the new one would count as whole
			return fmt.Errorf("%v: %w", s, errBlock)
		}
		rows += s.rows
	}
	midnight := f.day.start().Unix()
	return e.writeBlock(f, id, list[0].first, rows, func(w *blockWriter) error {
		places := make([]int, len(list))
		var p points
		for ctx.Err() == nil {
			series := int32(math.MaxInt32)
			more := false
			for i, s := range list {
				if places[i] < s.series() {
					series, more = min(series, s.id(places[i])), true
				}
			}
			if !more {
				return nil
			}
			p.reset()
			for i, s := range list {
				if places[i] < s.series() && s.id(places[i]) == series {
					if err := p.appendPoints(s.columns(places[i]), midnight, true); err != nil {
						return fmt.Errorf("%v: %w", s, err)
					}
					places[i]++
				}
			}
			p.sort()
			if err := w.add(series, &p, midnight); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
}
