// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/internal/store"
)

var errClosed = fmt.Errorf("DuckDB engine: %w", store.ErrClosed)

// Engine is the embedded store.
type Engine struct {
	cfg  Config
	lock *dirLock
	disk diskGuard
	seq  sequence

	reads chan struct{} // a slot for each read that may run
	slots chan struct{} // a slot for each file that may be written

	mu           sync.Mutex
	files        [signals]map[day]*dayFile
	inst         *instance
	instChanging chan struct{} // not nil while inst is being replaced; closed afterwards
	instClosed   bool
	closing      bool // no more writes
	queuedRows   int64
	queuedBytes  int64
	slotWaiters  int
	setAsideList []string

	closeOnce  sync.Once
	closeErr   error
	readCtx    context.Context // ends when reads are to stop
	stopReads  context.CancelFunc
	stopCtx    context.Context // ends when background work is to stop
	stopping   <-chan struct{}
	settle     chan struct{} // wakes settleMetrics
	stop       context.CancelFunc
	background sync.WaitGroup
	writers    sync.WaitGroup
}

var _ store.Store = (*Engine)(nil)

// Open opens the store in cfg.Directory, which no other process may have open. Day files are attached when they are
// first needed; what a crash left behind is taken up then.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.withDefaults()
	dir, err := filepath.Abs(cfg.Directory)
	if err != nil {
		return nil, err
	}
	cfg.Directory = dir
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("create the store's directory: %w", err)
	}
	lock, err := lockDirectory(dir)
	if err != nil {
		return nil, err
	}
	e := &Engine{
		cfg:   cfg,
		lock:  lock,
		reads: make(chan struct{}, cfg.MaxReads),
		slots: make(chan struct{}, cfg.MaxOpenDays),
	}
	e.stopCtx, e.stop = context.WithCancel(context.WithoutCancel(ctx))
	e.stopping = e.stopCtx.Done()
	e.settle = make(chan struct{}, 1)
	e.readCtx, e.stopReads = context.WithCancel(context.WithoutCancel(ctx))
	for s := range e.files {
		e.files[s] = map[day]*dayFile{}
	}
	if err := e.open(ctx); err != nil {
		e.stop()
		e.stopReads()
		return nil, errors.Join(err, lock.unlock())
	}
	return e, nil
}

func (e *Engine) open(ctx context.Context) error {
	if err := checkFormat(e.cfg.Directory); err != nil {
		return err
	}
	// What was spilled by queries that a crash ended.
	if err := os.RemoveAll(filepath.Join(e.cfg.Directory, "tmp")); err != nil {
		return err
	}
	if err := e.scanDirectory(); err != nil {
		return fmt.Errorf("read the store's directory: %w", err)
	}
	if err := e.listSetAside(); err != nil {
		return err
	}
	inst, err := openInstance(&e.cfg, 1) //nolint:contextcheck // an instance outlives the call that opens it
	if err != nil {
		return err
	}
	e.inst = inst
	e.disk.init(&e.cfg)
	e.checkHeaders()
	if err := e.seq.open(filepath.Join(e.cfg.Directory, "SEQUENCE"), func() (int64, error) { return e.highestSeq(ctx) }); err != nil {
		e.instClosed = true
		e.closeInstance(inst)
		return fmt.Errorf("sequence numbers: %w", err)
	}
	e.background.Go(e.maintain)
	e.background.Go(e.settleMetrics)
	return nil
}

// maintain does what is due every now and then.
func (e *Engine) maintain() {
	tidy := time.NewTicker(min(5*time.Second, max(e.cfg.IdleClose/4, 10*time.Millisecond)))
	defer tidy.Stop()
	retention := time.NewTicker(10 * time.Minute)
	defer retention.Stop()
	e.foldLogs()
	e.runRetention()
	for {
		select {
		case <-tidy.C:
			if e.disk.isFull() {
				_ = e.disk.check() // notices when there is room again, even if nobody writes
			}
			e.trimAttached()
			e.completeBlooms()
		case <-retention.C:
			e.runRetention()
		case <-e.stopping:
			return
		}
	}
}

func (e *Engine) runRetention() {
	if _, err := e.RunRetention(e.stopCtx, e.cfg.Now()); err != nil && e.stopCtx.Err() == nil {
		e.cfg.Logger.Error("retention", zap.Error(err))
	}
}

// Close commits what has queued, closes all files and gives the directory free. Reads that run are let finish
// for a moment, then interrupted.
func (e *Engine) Close() error {
	e.closeOnce.Do(func() { e.closeErr = e.close() })
	return e.closeErr
}

func (e *Engine) close() error {
	// Writers may have to wait for reads too.
	grace := time.AfterFunc(closeGrace, e.stopReads)
	defer e.stopReads()
	defer grace.Stop()
	e.mu.Lock()
	e.closing = true
	for _, files := range e.files {
		for _, f := range files {
			if f.writer != nil {
				f.writer.wake()
			}
		}
	}
	e.mu.Unlock()
	e.writers.Wait()
	e.stop()
	e.background.Wait()

	// Replacing an instance is background work, so inst is settled.
	e.mu.Lock()
	wasClosed := e.instClosed
	e.instClosed = true
	inst := e.inst
	e.mu.Unlock()
	if !wasClosed {
		e.detachAll(inst)
		e.closeInstance(inst)
	}
	for _, files := range e.files {
		for _, f := range files {
			f.unmapSidecars()
		}
	}
	return errors.Join(e.seq.close(), e.lock.unlock())
}

// closeGrace is how long Close lets reads run on.
const closeGrace = 5 * time.Second

// detachAll detaches the files that nobody uses, which checkpoints those that were written.
func (e *Engine) detachAll(inst *instance) {
	for s := range signals {
		for _, f := range e.filesIn(s, minDay, maxDay) {
			e.mu.Lock()
			if f.gen != inst.gen || f.mode == detached || f.refs > 0 || f.changing != nil {
				e.mu.Unlock()
				continue
			}
			finish := e.beginChange(f)
			e.mu.Unlock()
			if err := e.detachChanging(inst.ctx, inst, f); err != nil {
				e.cfg.Logger.Warn("detach", zap.String("file", f.path), zap.Error(err))
			}
			finish()
		}
	}
}
