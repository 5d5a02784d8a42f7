// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
)

// retire takes a file out of use, waits until nobody uses it, detaches it and then calls dispose, which moves or
// removes it on disk.
func (e *Engine) retire(ctx context.Context, f *dayFile, dispose func() error) error {
	e.mu.Lock()
	f.removed = true
	if f.writer != nil {
		f.writer.wake()
	}
	e.mu.Unlock()
	inst, done, err := e.useInstance(ctx)
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := inst.merge(ctx)
	defer cancel()
	for {
		e.mu.Lock()
		wait := f.changing
		if wait == nil {
			break
		}
		e.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	finish := e.beginChange(f)
	e.mu.Unlock()
	defer finish()
	if err := e.detachChanging(ctx, inst, f); err != nil {
		return err
	}
	f.unmapSidecars()
	if err := dispose(); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.files[f.signal][f.day] == f {
		delete(e.files[f.signal], f.day)
	}
	return nil
}

// setAside moves a file that cannot be read to corrupt/, in the background, as soon as nobody uses it. From now on it is not
// used.
func (e *Engine) setAside(f *dayFile, cause error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if f.removed || e.closing {
		return
	}
	f.removed = true
	e.cfg.Logger.Error("day file cannot be read, setting it aside; the other days are served",
		zap.String("file", f.path), zap.Error(cause))
	e.background.Go(func() {
		for {
			err := e.retire(e.stopCtx, f, func() error { return e.moveToCorrupt(f) })
			if err == nil || e.stopCtx.Err() != nil {
				return
			}
			e.cfg.Logger.Error("set aside", zap.String("file", f.path), zap.Error(err))
			select {
			case <-time.After(time.Second):
			case <-e.stopping:
				return
			}
		}
	})
}

func (e *Engine) moveToCorrupt(f *dayFile) error {
	name, err := e.corruptName(f, ".db")
	if err != nil {
		return err
	}
	dir := filepath.Join(e.cfg.Directory, "corrupt")
	// The log first: should we crash in between, a database without its log is still found corrupt or at
	// least complete up to its checkpoint, and never overwritten.
	for _, suffix := range []string{".wal", ""} {
		if err := os.Rename(f.path+suffix, filepath.Join(dir, name+suffix)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := f.removeSidecars(); err != nil {
		return err
	}
	if err := errors.Join(syncDir(dir), syncDir(filepath.Dir(f.path))); err != nil {
		return err
	}
	e.addSetAside(name)
	e.cfg.Logger.Warn("day file was set aside", zap.String("file", f.path), zap.String("to", filepath.Join(dir, name)))
	return nil
}

// corruptName is a name in corrupt/ that is not taken yet.
func (e *Engine) corruptName(f *dayFile, suffix string) (string, error) {
	dir := filepath.Join(e.cfg.Directory, "corrupt")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	base := f.signal.String() + "-" + f.day.String()
	name := base + suffix
	for n := 2; ; n++ {
		if _, err := os.Lstat(filepath.Join(dir, name)); errors.Is(err, os.ErrNotExist) {
			return name, nil
		}
		name = fmt.Sprintf("%s.%d%s", base, n, suffix)
	}
}

func (e *Engine) addSetAside(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.setAsideList = append(e.setAsideList, name)
	slices.Sort(e.setAsideList)
}

// listSetAside finds what is in corrupt/ already: databases, with or without their logs, and logs alone.
func (e *Engine) listSetAside() error {
	entries, err := os.ReadDir(filepath.Join(e.cfg.Directory, "corrupt"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, entry := range entries { // in order of their names, so a log comes behind its database
		name := entry.Name()
		db, isLog := strings.CutSuffix(name, ".wal")
		if strings.HasSuffix(db, ".db") && (!isLog || !slices.Contains(e.setAsideList, db)) {
			e.setAsideList = append(e.setAsideList, name)
		}
	}
	return err
}

// checkHeaders sets files aside that are not DuckDB's at first sight, before anything needs them.
func (e *Engine) checkHeaders() {
	for s := range signals {
		for _, f := range e.filesIn(s, minDay, maxDay) {
			if err := checkHeader(f.path); err != nil {
				e.setAside(f, err)
			}
		}
	}
}

func checkHeader(path string) error {
	f, err := os.Open(path) //nolint:gosec // below the directory that was configured
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it was only read
	var head [12]byte
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return fmt.Errorf("read header: %w", err)
	}
	if string(head[8:]) != "DUCK" {
		return errors.New("not a DuckDB file")
	}
	return nil
}

// setAsideCorrupt reads all of the files to find those that are corrupt, and sets them aside. It reports whether there
// were any.
func (e *Engine) setAsideCorrupt(ctx context.Context, files []*dayFile) bool {
	found := false
	for _, f := range files {
		err := e.readOnce(ctx, []*dayFile{f}, func(ctx context.Context, s *snapshot) error {
			if len(s.files) == 0 {
				return nil
			}
			tables := []string{mainTables[f.signal]}
			if f.signal == signalMetrics {
				tables = append(tables, "series")
			}
			for _, table := range tables {
				err := s.query(ctx, "SELECT bit_xor(hash(COLUMNS(*))) FROM "+f.alias+"."+table, nil,
					func(*sql.Rows) (bool, error) { return true, nil })
				if err != nil {
					return err
				}
			}
			return nil
		})
		if isCorrupt(err) {
			e.setAside(f, err)
			found = true
		} else if err != nil {
			e.cfg.Logger.Warn("check of a day file", zap.String("file", f.path), zap.Error(err))
		}
	}
	return found
}

// RunRetention removes the files of days that ended longer ago than their signal is kept, and returns how many.
func (e *Engine) RunRetention(ctx context.Context, now time.Time) (removed int, err error) {
	keep := [signals]time.Duration{
		signalLogs: e.cfg.Retention.Logs, signalMetrics: e.cfg.Retention.Metrics, signalTraces: e.cfg.Retention.Traces,
	}
	var errs []error
	for s, kept := range keep {
		if kept <= 0 {
			continue
		}
		// A day goes when its last moment is too old.
		last := dayOfMs(now.Add(-kept).UnixMilli()) - 1
		for _, f := range e.filesIn(signal(s), minDay, last) {
			if err := e.retire(ctx, f, func() error { return e.unlink(f) }); err != nil {
				errs = append(errs, fmt.Errorf("remove %s: %w", f.path, err))
				continue
			}
			removed++
			e.cfg.Logger.Info("day expired", zap.String("file", f.path))
		}
	}
	return removed, errors.Join(errs...)
}

func (e *Engine) unlink(f *dayFile) error {
	// The log first: a database without its log is old, a log without its database is an obstacle.
	for _, suffix := range []string{".wal", ""} {
		if err := os.Remove(f.path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := f.removeSidecars(); err != nil {
		return err
	}
	return syncDir(filepath.Dir(f.path))
}
