// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	driver "github.com/duckdb/duckdb-go/v2"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/internal/store"
)

// sink knows how the rows of a signal are put into a day file. It belongs to one session.
type sink interface {
	// open prepares for the file's content; rows is how many the main table has.
	open(ctx context.Context, conn *sql.Conn, rows int64) error
	// append appends the rows of the requests within a transaction and returns how many rows the main table got. firstRow is
	// the id of the first of them.
	append(conn *driver.Conn, firstRow int64, batch []*writeRequest) (rows int, err error)
	// committed is called after the rows of the last append became durable, before the callers are told.
	committed(firstRow int64)
	// aborted is called when they did not.
	aborted()
	// close is called when the session ends.
	close()
}

// fileWriter is the goroutine that writes one day file.
type fileWriter struct {
	e      *Engine
	file   *dayFile
	wakeup chan struct{}

	queue []*writeRequest // guarded by Engine.mu

	session *session
}

// session is a file open for writing: a slot, an attachment and a connection of its own.
type session struct {
	inst     *instance
	conn     *sql.Conn
	sink     sink
	rows     int64 // in the main table
	opened   time.Time
	walInode uint64
	walSize  int64
}

func newFileWriter(e *Engine, f *dayFile) *fileWriter {
	return &fileWriter{e: e, file: f, wakeup: make(chan struct{}, 1)}
}

// wake makes the writer look at its queue, at the end of the engine and at who waits for a slot.
func (w *fileWriter) wake() {
	select {
	case w.wakeup <- struct{}{}:
	default:
	}
}

func (w *fileWriter) run() {
	e := w.e
	idle := time.NewTimer(e.cfg.IdleClose)
	defer idle.Stop()
	timedOut := false
	for {
		if batch := w.take(); len(batch) > 0 {
			timedOut = false
			idle.Reset(e.cfg.IdleClose)
			w.write(batch)
			if w.session != nil && e.slotWanted() && time.Since(w.session.opened) > slotTurn {
				w.closeSession()
			}
			continue
		}
		if timedOut || w.session == nil || e.slotWanted() || w.shouldStop() {
			w.closeSession()
			if w.tryExit() {
				return
			}
			continue
		}
		select {
		case <-w.wakeup:
		case <-idle.C:
			timedOut = true
		}
	}
}

// slotTurn is how long a busy writer keeps its slot while others wait for one.
const slotTurn = 2 * time.Second

func (w *fileWriter) shouldStop() bool {
	w.e.mu.Lock()
	defer w.e.mu.Unlock()
	return w.e.closing || w.file.removed
}

func (w *fileWriter) tryExit() bool {
	w.e.mu.Lock()
	defer w.e.mu.Unlock()
	if len(w.queue) > 0 {
		return false
	}
	w.file.writer = nil
	// A file that never came to be leaves nothing behind.
	if !w.file.exists && w.e.files[w.file.signal][w.file.day] == w.file {
		delete(w.e.files[w.file.signal], w.file.day)
	}
	return true
}

// take removes from the queue what one commit may hold.
func (w *fileWriter) take() []*writeRequest {
	w.e.mu.Lock()
	defer w.e.mu.Unlock()
	rows, n := 0, 0
	for _, r := range w.queue {
		if n > 0 && rows+r.rows > w.e.cfg.CommitRows {
			break
		}
		rows += r.rows
		r.taken = true
		n++
	}
	batch := append([]*writeRequest(nil), w.queue[:n]...)
	rest := copy(w.queue, w.queue[n:])
	clear(w.queue[rest:])
	w.queue = w.queue[:rest]
	return batch
}

func countRows(batch []*writeRequest) int {
	n := 0
	for _, r := range batch {
		n += r.rows
	}
	return n
}

// write commits the batch and answers its callers.
func (w *fileWriter) write(batch []*writeRequest) {
	e := w.e
	begin := time.Now()
	err := w.commit(batch)
	if err != nil && len(batch) > 1 && !errors.Is(err, store.ErrUnavailable) {
		// One call's rows must not fail the others'.
		for _, r := range batch {
			w.write([]*writeRequest{r})
		}
		return
	}
	rows := countRows(batch)
	e.cfg.Observer.Committed(w.file.signal.String(), rows, time.Since(begin), err)
	if errors.Is(err, store.ErrUnavailable) {
		e.cfg.Observer.Refused(w.file.signal.String(), rows)
	}
	e.answer(batch, err)
}

// commit makes the batch durable. When it returns an error, nothing of it was kept.
func (w *fileWriter) commit(batch []*writeRequest) error {
	e := w.e
	for {
		if err := e.disk.check(); err != nil {
			return err
		}
		if w.session == nil {
			if err := w.openSession(); err != nil {
				w.closeSession()
				if errors.Is(err, errInstanceLost) {
					continue
				}
				return w.refusal(err)
			}
		}
		s := w.session
		inst, done, err := e.useInstance(context.Background())
		if err != nil {
			return w.refusal(err)
		}
		if inst != s.inst {
			done()
			w.closeSession()
			continue
		}
		n, err := w.transact(s, batch)
		if isOutOfMemory(err) && !isFatal(err) {
			// Rows that are not folded into the file yet take memory.
			s.sink.aborted()
			if _, cerr := s.conn.ExecContext(inst.ctx, "CHECKPOINT "+w.file.alias); cerr == nil {
				n, err = w.transact(s, batch)
			}
		}
		if err == nil {
			s.sink.committed(s.rows)
			s.rows += int64(n)
			w.syncLog(s)
			done()
			w.setFatals(0)
			return nil
		}
		s.sink.aborted()
		before := s.rows
		e.sawError(inst, err)
		lostInstance := isFatal(err) || inst.ctx.Err() != nil
		done()
		if !lostInstance {
			return w.refusal(err)
		}
		w.closeSession()
		return w.afterFatal(err, before, n)
	}
}

// afterFatal finds out whether a commit that took the instance down was durable. It can be: the checkpoint that may
// follow a commit can be what failed.
func (w *fileWriter) afterFatal(err error, before int64, rows int) error {
	e := w.e
	if isFatal(err) && !isDiskFull(err) && !isOutOfMemory(err) && w.setFatals(w.file.fatals+1) >= maxFatals {
		e.setAside(w.file, err)
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	var now int64
	cerr := e.read(context.Background(), []*dayFile{w.file}, func(ctx context.Context, s *snapshot) error {
		if len(s.files) == 0 {
			return errFileGone
		}
		return s.queryRow(ctx, "SELECT count(*) FROM "+w.file.alias+"."+mainTables[w.file.signal], nil, &now)
	})
	switch {
	case cerr != nil:
		return fmt.Errorf("%w: %w (and what was kept could not be found out: %w)", store.ErrUnavailable, err, cerr)
	case now == before:
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	case rows > 0 && now == before+int64(rows):
		return nil
	}
	return fmt.Errorf("%w: %s has %d rows after a failed commit, not %d or %d: %w", store.ErrUnavailable, w.file.path,
		now, before, before+int64(rows), err)
}

func (w *fileWriter) setFatals(n int) int {
	w.e.mu.Lock()
	defer w.e.mu.Unlock()
	w.file.fatals = n
	return n
}

// refusal marks errors that may pass as store.ErrUnavailable.
func (w *fileWriter) refusal(err error) error {
	switch {
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, store.ErrClosed):
		return err
	case isDiskFull(err), isFatal(err), isLocked(err), isOutOfMemory(err), isHandleConflict(err), isCorrupt(err), isInterrupt(err),
		errors.Is(err, errFileGone), errors.Is(err, errInstanceLost):
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return err
}

// transact appends the batch and commits. DuckDB aborts a transaction on the first error and its COMMIT then returns nil
// all the same, so every error leads to a ROLLBACK.
func (w *fileWriter) transact(s *session, batch []*writeRequest) (rows int, err error) {
	err = s.conn.Raw(func(raw any) error {
		conn := raw.(*driver.Conn)
		if err := execute(conn, "BEGIN TRANSACTION"); err != nil {
			return err
		}
		rows, err = s.sink.append(conn, s.rows, batch)
		if err != nil {
			if rerr := execute(conn, "ROLLBACK"); rerr != nil && !isFatal(err) {
				w.e.cfg.Logger.Debug("rollback", zap.Error(rerr))
			}
			return err
		}
		return execute(conn, "COMMIT")
	})
	return rows, err
}

func execute(conn *driver.Conn, statement string) error {
	_, err := conn.ExecContext(context.Background(), statement, nil)
	return err
}

// syncLog makes the directory entry of a new write-ahead log durable.
func (w *fileWriter) syncLog(s *session) {
	ino, size := fileIdentity(w.file.path + ".wal")
	if ino != s.walInode || size < s.walSize {
		if err := syncDir(filepath.Dir(w.file.path)); err != nil {
			w.e.cfg.Logger.Warn("sync directory", zap.Error(err))
		}
	}
	s.walInode, s.walSize = ino, size
}

func (e *Engine) slotWanted() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.slotWaiters > 0
}

// takeSlot waits for a slot; writers without work give theirs up.
func (e *Engine) takeSlot() {
	select {
	case e.slots <- struct{}{}:
		return
	default:
	}
	e.mu.Lock()
	e.slotWaiters++
	for _, files := range e.files {
		for _, f := range files {
			if f.writer != nil {
				f.writer.wake()
			}
		}
	}
	e.mu.Unlock()
	e.slots <- struct{}{}
	e.mu.Lock()
	e.slotWaiters--
	e.mu.Unlock()
}

// openSession opens the file for writing.
func (w *fileWriter) openSession() error {
	e := w.e
	e.takeSlot()
	s := &session{opened: time.Now()}
	w.session = s
	inst, done, err := e.useInstance(context.Background())
	if err != nil {
		return err
	}
	defer done()
	s.inst = inst
	if err := e.acquire(inst.ctx, inst, w.file, readWrite); err != nil {
		s.inst = nil // nothing to release
		return lost(inst, err)
	}
	conn, err := inst.db.Conn(inst.ctx)
	if err != nil {
		e.sawError(inst, err)
		return lost(inst, err)
	}
	s.conn = conn
	e.mu.Lock()
	inst.sessions[conn] = struct{}{}
	e.mu.Unlock()
	row := conn.QueryRowContext(inst.ctx, "SELECT count(*) FROM "+w.file.alias+"."+mainTables[w.file.signal]) //nolint:gosec // the alias is a date
	if err := row.Scan(&s.rows); err != nil {
		e.sawError(inst, err)
		return lost(inst, err)
	}
	s.sink = e.newSink(w.file)
	if err := s.sink.open(inst.ctx, conn, s.rows); err != nil {
		e.sawError(inst, err)
		return lost(inst, err)
	}
	return nil
}

// closeSession lets the file go. It stays attached until somebody tidies up, which checkpoints it.
func (w *fileWriter) closeSession() {
	s := w.session
	if s == nil {
		return
	}
	w.session = nil
	e := w.e
	if s.sink != nil {
		s.sink.close()
	}
	if s.conn != nil {
		e.mu.Lock()
		_, mine := s.inst.sessions[s.conn]
		delete(s.inst.sessions, s.conn)
		e.mu.Unlock()
		if mine {
			if err := s.conn.Close(); err != nil {
				e.cfg.Logger.Debug("close connection", zap.Error(err))
			}
		}
	}
	if s.inst != nil {
		e.release(s.inst, w.file)
	}
	<-e.slots
}

func (e *Engine) newSink(f *dayFile) sink {
	switch f.signal {
	case signalLogs:
		return newLogSink(e, f)
	case signalMetrics:
		return newMetricSink(e, f)
	case signalTraces:
		return newTraceSink(e, f)
	}
	panic("no such signal: " + f.signal.String())
}
