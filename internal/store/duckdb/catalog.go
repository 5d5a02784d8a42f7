// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
)

// attachment is how a day file is attached to the current instance.
type attachment uint8

const (
	detached attachment = iota
	readOnly
	readWrite
)

// dayFile is the database file of one UTC day and signal.
type dayFile struct {
	signal signal
	day    day
	path   string
	alias  string // its name in SQL while attached

	// Guarded by Engine.mu.
	exists   bool       // the file is on disk and has its tables
	removed  bool       // set aside or expired: not to be used any more
	mode     attachment // valid for instance gen
	gen      uint64
	refs     int           // who uses the attachment
	idle     chan struct{} // closed when refs reaches 0, if somebody waits
	changing chan struct{} // not nil while the attachment is being changed; closed afterwards
	lastUsed time.Time
	writer   *fileWriter
	fatals   int // commits in a row that killed the instance

	bloomDone bool // the token index needs no more work

	cache fileCache
	bloom *bloomIndex // logs only; has its own lock

	coarse       int64       // what its points are known to be summed up to, in seconds; guarded by Engine.mu
	coarsenAfter time.Time   // guarded by Engine.mu
	settled      bool        // the blocks need no more work; guarded by Engine.mu
	blocks       *blockIndex // metrics only; has its own lock
}

const bloomSuffix = ".bloom"

func (e *Engine) newFile(s signal, d day) *dayFile {
	path := filepath.Join(e.cfg.Directory, s.String(), d.String()+".db")
	f := &dayFile{signal: s, day: d, path: path, alias: s.String() + "_" + d.start().Format("20060102")}
	if s == signalLogs {
		f.bloom = newBloomIndex(strings.TrimSuffix(path, ".db")+bloomSuffix, e.cfg.Logger)
	}
	if s == signalMetrics {
		f.blocks = newBlockIndex(strings.TrimSuffix(path, ".db")+blockSuffix, e.cfg.Logger)
	}
	return f
}

// unmapSidecars gives the memory free of what is derived from the file.
func (f *dayFile) unmapSidecars() {
	if f.bloom != nil {
		f.bloom.unmap()
	}
	if f.blocks != nil {
		f.blocks.unmap()
	}
}

// removeSidecars removes what is derived from the file.
func (f *dayFile) removeSidecars() error {
	var errs []error
	if f.bloom != nil {
		errs = append(errs, f.bloom.remove())
	}
	if f.blocks != nil {
		errs = append(errs, f.blocks.remove())
	}
	return errors.Join(errs...)
}

// scanDirectory finds the day files that are there, and removes what a crash left half-made.
func (e *Engine) scanDirectory() error {
	for s := range signals {
		dir := filepath.Join(e.cfg.Directory, s.String())
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return err
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		var sidecars []string
		for _, entry := range entries {
			name := entry.Name()
			if strings.Contains(name, ".new") {
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					return err
				}
				continue
			}
			base, ok := strings.CutSuffix(name, ".db")
			if !ok {
				sidecars = append(sidecars, name)
				continue
			}
			d, ok := parseDay(base)
			if !ok {
				e.cfg.Logger.Warn("file is not of this store, ignored", zap.String("file", filepath.Join(dir, name)))
				continue
			}
			f := e.newFile(s, d)
			f.exists = true
			e.files[s][d] = f
		}
		if err := e.removeOrphans(s, dir, sidecars); err != nil {
			return err
		}
	}
	return syncDir(e.cfg.Directory)
}

// removeOrphans removes what was derived from day files that are gone: a crash came between.
func (e *Engine) removeOrphans(s signal, dir string, names []string) error {
	for _, name := range names {
		for _, suffix := range []string{bloomSuffix, blockSuffix} {
			base, ok := strings.CutSuffix(name, suffix)
			d, isDay := parseDay(base)
			if !ok || !isDay || e.files[s][d] != nil {
				continue
			}
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// filesIn lists the existing files of a signal with first <= day <= last, oldest first.
func (e *Engine) filesIn(s signal, first, last day) []*dayFile {
	e.mu.Lock()
	defer e.mu.Unlock()
	var files []*dayFile
	for d, f := range e.files[s] {
		if d >= first && d <= last && f.exists && !f.removed {
			files = append(files, f)
		}
	}
	slices.SortFunc(files, func(a, b *dayFile) int { return cmp.Compare(a.day, b.day) })
	return files
}

// acquire attaches the file to inst, if it is not yet, and holds the attachment until release is called with the same
// instance. Whoever acquires several files does it in the order of their days, or two of them could wait for
// each other.
func (e *Engine) acquire(ctx context.Context, inst *instance, f *dayFile, want attachment) error {
	for {
		e.mu.Lock()
		if f.removed {
			e.mu.Unlock()
			return errFileGone
		}
		if f.gen != inst.gen && f.changing == nil {
			f.gen, f.mode, f.refs = inst.gen, detached, 0
		}
		if f.changing == nil && f.mode >= want {
			f.refs++
			f.lastUsed = e.cfg.Now()
			e.mu.Unlock()
			return nil
		}
		if wait := f.changing; wait != nil {
			e.mu.Unlock()
			select {
			case <-wait:
				continue
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		// Ours to change it. Others wait until we are done.
		finish := e.beginChange(f)
		e.mu.Unlock()
		err := e.reattach(ctx, inst, f, want)
		finish()
		if err != nil {
			return err
		}
	}
}

// beginChange makes everybody who wants the file wait until finish is called. Engine.mu is held.
func (e *Engine) beginChange(f *dayFile) (finish func()) {
	changing := make(chan struct{})
	f.changing = changing
	return func() {
		e.mu.Lock()
		f.changing = nil
		e.mu.Unlock()
		close(changing)
	}
}

// awaitUnused waits until nobody uses the attachment of a file that is being changed.
func (e *Engine) awaitUnused(ctx context.Context, inst *instance, f *dayFile) error {
	for {
		e.mu.Lock()
		if f.gen != inst.gen || f.refs == 0 {
			e.mu.Unlock()
			return nil
		}
		if f.idle == nil {
			f.idle = make(chan struct{})
		}
		idle := f.idle
		e.mu.Unlock()
		select {
		case <-idle:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (e *Engine) release(inst *instance, f *dayFile) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if f.gen != inst.gen || f.refs == 0 {
		return // the instance was replaced, which ended all uses
	}
	f.refs--
	f.lastUsed = e.cfg.Now()
	if f.refs == 0 && f.idle != nil {
		close(f.idle)
		f.idle = nil
	}
}

// reattach brings a file that is being changed into the wanted mode.
func (e *Engine) reattach(ctx context.Context, inst *instance, f *dayFile, want attachment) error {
	if err := e.detachChanging(ctx, inst, f); err != nil {
		return err
	}
	e.mu.Lock()
	exists := f.exists
	e.mu.Unlock()
	if !exists {
		if err := e.createFile(ctx, inst, f); err != nil {
			return e.attachFailed(inst, f, err) //nolint:contextcheck // an instance outlives the call that finds it dead
		}
	}
	options := "(READ_ONLY)"
	if want == readWrite {
		options = "(ROW_GROUP_SIZE 30720)"
	}
	err := e.attach(ctx, inst, f.path, f.alias, options)
	// Each repair makes the log shorter, so this ends.
	for err != nil {
		repaired, rerr := e.repairLog(f, err)
		if rerr != nil {
			return fmt.Errorf("repair the log of %s: %w", f.path, rerr)
		}
		if !repaired {
			return e.attachFailed(inst, f, err) //nolint:contextcheck // an instance outlives the call that finds it dead
		}
		err = e.attach(ctx, inst, f.path, f.alias, options)
	}
	e.mu.Lock()
	f.mode, f.gen = want, inst.gen
	e.mu.Unlock()
	return nil
}

// detachChanging detaches a file that is being changed, once it is unused.
func (e *Engine) detachChanging(ctx context.Context, inst *instance, f *dayFile) error {
	if err := e.awaitUnused(ctx, inst, f); err != nil {
		return err
	}
	e.mu.Lock()
	mode := f.mode
	if f.gen != inst.gen {
		mode = detached
	}
	e.mu.Unlock()
	if mode == detached {
		return nil
	}
	// The context of the caller must not interrupt the checkpoint that this is.
	_, err := inst.db.ExecContext(inst.ctx, "DETACH "+f.alias) //nolint:contextcheck // see above
	if err != nil && !containsAny(err, "not found", "does not exist") {
		e.sawError(inst, err) //nolint:contextcheck // an instance outlives the call that finds it dead
		return fmt.Errorf("detach %s: %w", f.path, err)
	}
	e.mu.Lock()
	f.mode = detached
	e.mu.Unlock()
	return nil
}

// attach runs ATTACH. A file that was let go a moment ago may still be closing: it is tried again for a while.
func (e *Engine) attach(ctx context.Context, inst *instance, path, alias, options string) error {
	statement := "ATTACH " + quote(path) + " AS " + alias + " " + options //nolint:gosec // ATTACH has no placeholders
	for wait := time.Millisecond; ; wait *= 2 {
		_, err := inst.db.ExecContext(ctx, statement)
		if err == nil || !isHandleConflict(err) || wait > 4*time.Second {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// attachFailed decides what a failed ATTACH says of the file.
func (e *Engine) attachFailed(inst *instance, f *dayFile, err error) error {
	e.sawError(inst, err)
	wrapped := fmt.Errorf("open %s: %w", f.path, err)
	switch {
	case isDiskFull(err), isInterrupt(err), errors.Is(err, errInstanceLost), isLocked(err):
		return wrapped
	case isCorrupt(err):
		e.setAside(f, err)
		return errFileGone
	case isFatal(err):
		e.mu.Lock()
		f.fatals++
		n := f.fatals
		e.mu.Unlock()
		if n >= maxFatals {
			e.setAside(f, err)
			return errFileGone
		}
	}
	return wrapped
}

// maxFatals is how often in a row a file may kill the instance before it is taken for corrupt.
const maxFatals = 3

// createFile makes a new day file under another name and renames it, so that a file with the right name always has
// its tables.
func (e *Engine) createFile(ctx context.Context, inst *instance, f *dayFile) error {
	tmp, alias := f.path+".new", "new_"+f.alias
	for _, p := range []string{tmp, tmp + ".wal"} {
		if err := os.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := e.attach(ctx, inst, tmp, alias, "(ROW_GROUP_SIZE 30720)"); err != nil {
		return err
	}
	_, err := inst.db.ExecContext(ctx, createStatements(f, alias))
	if err == nil {
		// DETACH would do it, too, but later when somebody looks at all databases, and never when it cannot.
		_, err = inst.db.ExecContext(ctx, "FORCE CHECKPOINT "+alias)
	}
	if _, derr := inst.db.ExecContext(inst.ctx, "DETACH "+alias); err == nil { //nolint:contextcheck // must not be left attached
		err = derr
	}
	if err != nil {
		return err
	}
	if err := noLog(tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, f.path); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(f.path)); err != nil {
		return err
	}
	e.mu.Lock()
	f.exists = true
	e.mu.Unlock()
	return nil
}

// noLog returns an error when a database has a log, which would not move with it.
func noLog(path string) error {
	info, err := os.Stat(path + ".wal")
	switch {
	case errors.Is(err, os.ErrNotExist), err == nil && info.Size() == 0:
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("%s has a log that is not folded", path)
}

// sawError replaces the instance when the error killed it, and remembers a full disk.
func (e *Engine) sawError(inst *instance, err error) {
	if isDiskFull(err) {
		e.disk.setFull(err)
	}
	if isFatal(err) {
		e.replaceInstance(inst, err)
	}
}

// trimAttached detaches files that nobody uses: those written before, those unused for a while, and the least
// recently used when there are too many.
func (e *Engine) trimAttached() {
	inst, done, err := e.useInstance(e.stopCtx)
	if err != nil {
		return
	}
	defer done()
	now := e.cfg.Now()
	full := e.disk.isFull() // then a file that was written cannot be folded
	e.mu.Lock()
	var unused []*dayFile
	attached := 0
	for _, files := range e.files {
		for _, f := range files {
			if f.gen != inst.gen || f.mode == detached {
				continue
			}
			attached++
			if f.refs == 0 && f.changing == nil && (!full || f.mode == readOnly) {
				unused = append(unused, f)
			}
		}
	}
	slices.SortFunc(unused, func(a, b *dayFile) int { return a.lastUsed.Compare(b.lastUsed) })
	var finish []func()
	n := 0
	for _, f := range unused {
		if attached-n <= e.cfg.MaxAttached && now.Sub(f.lastUsed) < e.cfg.IdleClose {
			continue
		}
		unused[n] = f
		finish = append(finish, e.beginChange(f))
		n++
	}
	e.mu.Unlock()
	for i, f := range unused[:n] {
		if err := e.detachChanging(inst.ctx, inst, f); err != nil {
			e.cfg.Logger.Warn("detach", zap.String("file", f.path), zap.Error(err))
		}
		finish[i]()
		f.unmapSidecars()
	}
}
