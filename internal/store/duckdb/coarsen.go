// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	driver "github.com/duckdb/duckdb-go/v2"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// coarseTable, in a metrics file, has the length of the periods that its points were summed up to. A file without it has the
// points as they came.
const coarseTable = "coarse"

// tierOf is the shortest period, in seconds, in which data of the day can still be read: all that is finer may be summed up.
func tierOf(d day, now time.Time) int64 {
	age := now.Unix() - (d + 1).start().Unix()
	tiers := cloudwatch.Tiers()
	for _, t := range tiers {
		if age <= t.MaxAge {
			return t.Period
		}
	}
	return tiers[len(tiers)-1].Period
}

// coarsenRetry is how long a file is left alone when summing it up failed, or somebody wrote to it meanwhile.
const coarsenRetry = time.Hour

// coarsen sums the points of a day that is over up to the periods in which they can still be read, as CloudWatch does. The
// new file takes the place of the old one when it is whole.
func (e *Engine) coarsen(ctx context.Context, f *dayFile) error {
	now := e.cfg.Now()
	tier := tierOf(f.day, now)
	e.mu.Lock()
	wait := f.coarse >= tier || !f.settled || now.Before(f.coarsenAfter) || f.blocks.rows.Load() == 0
	if !wait {
		f.coarsenAfter = now.Add(coarsenRetry) // should it fail
	}
	e.mu.Unlock()
	if wait {
		return nil
	}
	var id string
	have := int64(1)
	err := e.read(ctx, []*dayFile{f}, func(ctx context.Context, s *snapshot) (err error) {
		if len(s.files) == 0 {
			return errFileGone
		}
		if id, err = s.fileID(ctx, f); err != nil {
			return err
		}
		have, err = s.coarseness(ctx, f)
		return err
	})
	if err != nil {
		return err
	}
	if have < tier {
		swapped, err := e.rewrite(ctx, f, id, tier)
		if !swapped {
			return err
		}
		if err != nil { // what is left over is found out by its id, and removed
			e.cfg.Logger.Warn("metric points were summed up", zap.String("file", f.path), zap.Error(err))
		}
		e.cfg.Logger.Info("metric points summed up", zap.String("file", f.path), zap.Int64("seconds", tier))
	}
	e.mu.Lock()
	f.coarse = max(have, tier)
	e.mu.Unlock()
	return nil
}

// coarseness is the shortest period that a file has points of.
func (s *snapshot) coarseness(ctx context.Context, f *dayFile) (int64, error) {
	var period, fine int64
	// To ask duckdb_tables() would look at all databases, and keep those from being closed that are detached meanwhile.
	err := s.queryRow(ctx, "SELECT any_value(period) FROM "+f.alias+"."+coarseTable, nil, &period)
	if !isNotCoarse(err) {
		return period, err
	}
	err = s.queryRow(ctx, fmt.Sprintf("SELECT count(*) FROM %s.series WHERE resolution = %d", f.alias, minResolution), nil, &fine)
	if err != nil || fine > 0 {
		return minResolution, err
	}
	return maxResolution, nil
}

// rewrite makes the coarser file and puts it in place, or not, when somebody wrote meanwhile.
func (e *Engine) rewrite(ctx context.Context, f *dayFile, id string, tier int64) (swapped bool, err error) {
	f.blocks.building.Lock()
	defer f.blocks.building.Unlock()
	// Late data may have left several.
	if err := e.mergeBlocks(ctx, f, id, true); err != nil {
		return false, err
	}
	if err := e.disk.room(fileSize(f.path)); err != nil {
		return false, err
	}
	tmp, alias := f.path+".new", "new_"+f.alias
	defer func() {
		for _, p := range []string{tmp, tmp + ".wal"} {
			if rerr := os.Remove(p); rerr != nil && !errors.Is(rerr, os.ErrNotExist) {
				err = errors.Join(err, rerr)
			}
		}
	}()
	err = e.read(ctx, []*dayFile{f}, func(ctx context.Context, s *snapshot) error {
		if len(s.files) == 0 {
			return errFileGone
		}
		return e.fillCoarse(ctx, s, f, id, tmp, alias, tier)
	})
	if errors.Is(err, errWanted) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return e.swap(ctx, f, tmp)
}

// fillCoarse makes the new file and checks that it has all that the old one has.
func (e *Engine) fillCoarse(ctx context.Context, s *snapshot, f *dayFile, id, tmp, alias string, tier int64) (err error) {
	v, err := f.blocks.view(id)
	if err != nil {
		return err
	}
	defer v.release()
	var rows int64
	if err := s.queryRow(ctx, "SELECT count(*) FROM "+f.alias+".points", nil, &rows); err != nil {
		return err
	}
	if len(v.blocks) != 1 || v.covered != rows {
		return fmt.Errorf("%d blocks with %d of %d points", len(v.blocks), v.covered, rows)
	}
	// What is wrong here would be wrong for ever.
	if !v.blocks[0].intact() {
		return errBlock
	}
	for _, p := range []string{tmp, tmp + ".wal"} {
		if err := os.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := e.attach(ctx, s.inst, tmp, alias, "(ROW_GROUP_SIZE 30720)"); err != nil {
		return err
	}
	defer func() {
		_, derr := s.inst.db.ExecContext(s.inst.ctx, "DETACH "+alias)
		err = errors.Join(err, derr)
	}()
	for _, statement := range []string{
		createStatements(f, alias),
		"INSERT INTO " + alias + ".tenants SELECT * FROM " + f.alias + ".tenants",
		"INSERT INTO " + alias + ".series SELECT * FROM " + f.alias + ".series ORDER BY id",
		fmt.Sprintf("CREATE TABLE %s.%s AS SELECT %d::INTEGER AS period", alias, coarseTable, tier),
	} {
		if _, err := s.inst.db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	conn, err := s.inst.db.Conn(ctx)
	if err != nil {
		return err
	}
	err = conn.Raw(func(raw any) error { return e.appendCoarse(ctx, raw.(*driver.Conn), v.blocks[0], f, alias, tier) })
	if err := errors.Join(err, conn.Close()); err != nil {
		return err
	}
	if err := s.sameTotals(ctx, f.alias, alias); err != nil {
		return err
	}
	// DETACH would do it, too, but keeps silent when it cannot.
	_, err = s.inst.db.ExecContext(ctx, "FORCE CHECKPOINT "+alias)
	return err
}

// errWanted ends the summing up of a file that somebody wants to write, or to take out of use: they need not wait for it.
var errWanted = errors.New("the file is wanted for something else")

func (e *Engine) wanted(f *dayFile) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return f.writer != nil || f.removed
}

// appendCoarse sums up series by series.
func (e *Engine) appendCoarse(ctx context.Context, conn *driver.Conn, b *block, f *dayFile, alias string, tier int64) (err error) {
	midnight := f.day.start().Unix()
	sums := newMetricSums([]store.MetricQuery{{Start: midnight, End: midnight + sPerDay, Period: tier, Distribution: true}})
	appender, err := driver.NewAppender(conn, alias, "", "points")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, appender.Close()) }()
	var p points
	var blob []byte
	for i := range b.series() {
		if i%256 == 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if e.wanted(f) {
				return errWanted
			}
		}
		p.reset()
		if err := p.appendPoints(b.columns(i), midnight, true); err != nil {
			return err
		}
		for j, ts := range p.ts {
			set := cloudwatch.StatisticSet{SampleCount: p.count[j], Sum: p.sum[j], Minimum: p.min[j], Maximum: p.max[j]}
			if err := sums.addWith(&seriesUse{}, ts-(ts-midnight)%tier, set, p.dist[j]); err != nil {
				return err
			}
		}
		for j := range sums.run {
			bucket := &sums.run[j]
			var dist any
			if bucket.Distribution != unknown && storeDistribution(&bucket.StatisticSet, bucket.Distribution) {
				if blob, err = bucket.Distribution.AppendBinary(blob[:0]); err != nil {
					return err
				}
				dist = blob
			}
			if err := appender.AppendRow(b.id(i), time.Unix(bucket.Start, 0).UTC(), bucket.SampleCount, bucket.Sum, bucket.Minimum,
				bucket.Maximum, dist); err != nil {
				return err
			}
		}
		sums.run = sums.run[:0]
	}
	return nil
}

// sameTotals checks that two files have the same samples.
func (s *snapshot) sameTotals(ctx context.Context, a, b string) error {
	type totals struct{ count, sum, magnitude, low, high sql.NullFloat64 }
	var of [2]totals
	for i, alias := range []string{a, b} {
		t := &of[i]
		if err := s.queryRow(ctx, "SELECT sum(count), sum(sum), sum(abs(sum)), min(min), max(max) FROM "+alias+".points", nil,
			&t.count, &t.sum, &t.magnitude, &t.low, &t.high); err != nil {
			return err
		}
	}
	close := func(x, y, scale sql.NullFloat64) bool {
		return x.Valid == y.Valid && math.Abs(x.Float64-y.Float64) <= 1e-9*math.Abs(scale.Float64)
	}
	x, y := of[0], of[1]
	if !close(x.count, y.count, x.count) || !close(x.sum, y.sum, x.magnitude) || x.low != y.low || x.high != y.high {
		return fmt.Errorf("the sums differ: %v became %v", x, y)
	}
	return nil
}

// swap puts the new file in the place of the old one while nobody uses it.
func (e *Engine) swap(ctx context.Context, f *dayFile, tmp string) (bool, error) {
	inst, done, err := e.useInstance(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	ctx, cancel := inst.merge(ctx)
	defer cancel()
	for {
		e.mu.Lock()
		if f.writer != nil || f.removed || !f.settled {
			e.mu.Unlock()
			return false, nil
		}
		wait := f.changing
		if wait == nil {
			break
		}
		e.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
	// A write that comes now waits until the new file is there.
	finish := e.beginChange(f)
	e.mu.Unlock()
	defer finish()
	if err := e.detachChanging(ctx, inst, f); err != nil {
		return false, err
	}
	// A log would be lost, or worse, be taken for one of the new file.
	if err := errors.Join(noLog(f.path), noLog(tmp)); err != nil {
		return false, err
	}
	if err := syncFile(tmp); err != nil {
		return false, err
	}
	if err := os.Rename(tmp, f.path); err != nil {
		return false, err
	}
	// From here on it is another file, whatever fails.
	f.cache.reset()
	e.mu.Lock()
	f.settled = false
	e.mu.Unlock()
	return true, errors.Join(f.removeSidecars(), syncDir(filepath.Dir(f.path)))
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // beside the day file
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
