// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/nephoscope/nephoscope/internal/store"
)

// Stats attaches every file once to count its rows.
func (e *Engine) Stats(ctx context.Context) (store.Stats, error) {
	st := store.Stats{Engine: "duckdb", ReadOnly: e.disk.isFull()}
	for s := range signals {
		for _, f := range e.filesIn(s, minDay, maxDay) {
			d := store.DayStats{Day: f.day.String(), Signal: s.String()}
			for _, suffix := range []string{"", ".wal"} {
				d.Bytes += fileSize(f.path + suffix)
			}
			if f.bloom != nil {
				d.Bytes += fileSize(f.bloom.path)
			}
			if f.blocks != nil {
				d.Bytes += f.blocks.bytes()
			}
			err := e.read(ctx, []*dayFile{f}, func(ctx context.Context, snap *snapshot) error {
				if len(snap.files) == 0 {
					return nil
				}
				return snap.queryRow(ctx, "SELECT count(*) FROM "+f.alias+"."+mainTables[s]+realRows[s], nil, &d.Rows)
			})
			if err != nil {
				return st, fmt.Errorf("stats: %w", err)
			}
			st.Days = append(st.Days, d)
		}
	}
	e.mu.Lock()
	st.SetAside = append([]string(nil), e.setAsideList...)
	e.mu.Unlock()
	var err error
	st.DiskBytes, err = e.DiskBytes()
	return st, err
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// DiskBytes is what all files of the store take on disk.
func (e *Engine) DiskBytes() (total int64, err error) {
	err = filepath.WalkDir(e.cfg.Directory, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			var info fs.FileInfo
			if info, err = entry.Info(); err == nil {
				total += info.Size()
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed while we look
		}
		return err
	})
	return total, err
}

// Queued is how many rows and bytes wait to be written.
func (e *Engine) Queued() (rows, bytes int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.queuedRows, e.queuedBytes
}

// Unavailable reports whether writes are refused because the disk is full.
func (e *Engine) Unavailable() bool { return e.disk.isFull() }

// highestSeq is the highest record number in use.
func (e *Engine) highestSeq(ctx context.Context) (highest int64, err error) {
	for _, s := range []signal{signalLogs, signalTraces} {
		for _, f := range e.filesIn(s, minDay, maxDay) {
			err := e.read(ctx, []*dayFile{f}, func(ctx context.Context, snap *snapshot) error {
				if len(snap.files) == 0 {
					return nil
				}
				return snap.query(ctx, "SELECT coalesce(max(seq), 0) FROM "+f.alias+"."+mainTables[s], nil,
					func(rows *sql.Rows) (bool, error) {
						var n int64
						err := rows.Scan(&n)
						highest = max(highest, n)
						return true, err
					})
			})
			if err != nil {
				return 0, err
			}
		}
	}
	return highest, nil
}
