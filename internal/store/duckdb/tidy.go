// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"errors"
	"os"

	"go.uber.org/zap"
)

// foldLogs checkpoints the files whose write-ahead log a crash left behind, so that reading them does not replay it again and
// again, and makes what is missing of the token indexes.
func (e *Engine) foldLogs() {
	for s := range signals {
		for _, f := range e.filesIn(s, minDay, maxDay) {
			if e.stopCtx.Err() != nil {
				return
			}
			if _, err := os.Stat(f.path + ".wal"); err == nil && e.disk.check() == nil {
				if err := e.checkpoint(e.stopCtx, f); err != nil && e.stopCtx.Err() == nil && !errors.Is(err, errFileGone) {
					e.cfg.Logger.Warn("checkpoint after a crash", zap.String("file", f.path), zap.Error(err))
				}
			}
		}
	}
}

// checkpoint attaches a file for writing and lets it go, which folds its log into it.
func (e *Engine) checkpoint(ctx context.Context, f *dayFile) error {
	inst, done, err := e.useInstance(ctx)
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := inst.merge(ctx)
	defer cancel()
	if err := e.acquire(ctx, inst, f, readWrite); err != nil {
		return err
	}
	defer e.release(inst, f)
	_, err = inst.db.ExecContext(ctx, "CHECKPOINT "+f.alias)
	e.sawError(inst, err) //nolint:contextcheck // an instance outlives the call that finds it dead
	return err
}

// completeBlooms indexes what the writers of past days left, as their last act or because they fell behind.
func (e *Engine) completeBlooms() {
	today := dayOfMs(e.cfg.Now().UnixMilli())
	for _, f := range e.filesIn(signalLogs, minDay, today-1) {
		if e.stopCtx.Err() != nil {
			return
		}
		e.mu.Lock()
		busy := f.writer != nil || f.bloomDone
		e.mu.Unlock()
		if busy {
			continue
		}
		if err := e.completeBloom(e.stopCtx, f); err != nil {
			if e.stopCtx.Err() == nil && !errors.Is(err, errFileGone) {
				e.cfg.Logger.Warn("token index", zap.String("file", f.path), zap.Error(err))
			}
			continue
		}
		e.mu.Lock()
		f.bloomDone = f.writer == nil
		e.mu.Unlock()
	}
}
