// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	driver "github.com/duckdb/duckdb-go/v2"
	"go.uber.org/zap"
)

// instance is one in-memory DuckDB database, to which day files are attached. It is replaced by a new one when DuckDB
// declares it dead, which it does for instance when the disk is full.
type instance struct {
	gen    uint64
	db     *sql.DB
	ctx    context.Context // cancelled when the instance is to be replaced
	cancel context.CancelFunc

	// Guarded by Engine.mu.
	users    int                    // operations that run on it
	idle     chan struct{}          // closed when users reaches 0, if somebody waits
	sessions map[*sql.Conn]struct{} // connections that writers keep
}

func openInstance(cfg *Config, gen uint64) (*instance, error) {
	threads := cfg.Threads
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	connector, err := driver.NewConnector("?storage_compatibility_version=latest"+
		"&autoinstall_known_extensions=false&autoload_known_extensions=false", nil)
	if err != nil {
		return nil, fmt.Errorf("open DuckDB: %w", err)
	}
	db := sql.OpenDB(connector)
	ctx, cancel := context.WithCancel(context.Background())
	dir := cfg.Directory
	if runtime.GOOS == "linux" {
		// Where DuckDB has its own allocator: gives memory back when the load is over (65 MB resident instead of 130).
		if _, err := db.ExecContext(ctx, "SET allocator_background_threads = true"); err != nil {
			cfg.Logger.Debug("allocator_background_threads", zap.Error(err))
		}
	}
	for _, s := range []string{
		"SET memory_limit = " + quote(strconv.FormatInt(cfg.MemoryLimit, 10)+"B"),
		"SET threads = " + strconv.Itoa(threads),
		// Rewriting a partial row group is most of a checkpoint, so a larger log means fewer, not longer stalls.
		"SET wal_autocheckpoint = " + quote(strconv.FormatInt(cfg.walLimit, 10)+"B"),
		"SET TimeZone = 'UTC'",
		"SET temp_directory = " + quote(filepath.Join(dir, "tmp")),
		// A statement must not reach files outside of the store, whatever text it is made of.
		"SET allowed_directories = [" + quote(strings.TrimRight(dir, string(filepath.Separator))+string(filepath.Separator)) + "]",
		"SET enable_external_access = false",
		"SET lock_configuration = true",
	} {
		if _, err := db.ExecContext(ctx, s); err != nil {
			cancel()
			return nil, fmt.Errorf("configure DuckDB: %s: %w", s, joinClose(err, db))
		}
	}
	// A connection that is not in use costs memory: keep few.
	db.SetMaxIdleConns(2)
	db.SetConnMaxIdleTime(30 * time.Second)
	return &instance{gen: gen, db: db, ctx: ctx, cancel: cancel, sessions: map[*sql.Conn]struct{}{}}, nil
}

func joinClose(err error, db *sql.DB) error {
	if cerr := db.Close(); cerr != nil {
		return fmt.Errorf("%w (and on closing: %w)", err, cerr)
	}
	return err
}

// quote makes a string literal.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// useInstance returns the current instance and counts the caller as its user until done is called. While an instance
// is being replaced it waits.
func (e *Engine) useInstance(ctx context.Context) (inst *instance, done func(), err error) {
	for {
		e.mu.Lock()
		if e.instClosed {
			e.mu.Unlock()
			return nil, nil, errClosed
		}
		if wait := e.instChanging; wait != nil {
			e.mu.Unlock()
			select {
			case <-wait:
				continue
			case <-ctx.Done():
				return nil, nil, context.Cause(ctx)
			}
		}
		inst := e.inst
		inst.users++
		e.mu.Unlock()
		return inst, func() { e.doneInstance(inst) }, nil
	}
}

func (e *Engine) doneInstance(inst *instance) {
	e.mu.Lock()
	defer e.mu.Unlock()
	inst.users--
	if inst.users == 0 && inst.idle != nil {
		close(inst.idle)
		inst.idle = nil
	}
}

// replaceInstance starts to replace inst, which DuckDB declared dead, and returns at once. Operations that run on
// it are interrupted, later ones wait for the new instance.
func (e *Engine) replaceInstance(inst *instance, cause error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.inst != inst || e.instChanging != nil || e.instClosed {
		return
	}
	changed := make(chan struct{})
	e.instChanging = changed
	e.cfg.Logger.Warn("database instance failed, opening a new one", zap.Error(cause))
	inst.cancel()
	e.background.Go(func() {
		e.closeInstance(inst)
		var next *instance
		for wait := 100 * time.Millisecond; ; wait = min(2*wait, 10*time.Second) {
			var err error
			if next, err = openInstance(&e.cfg, inst.gen+1); err == nil {
				break
			}
			e.cfg.Logger.Error("no new database instance, trying again", zap.Error(err))
			select {
			case <-time.After(wait):
			case <-e.stopping:
				e.mu.Lock()
				e.instClosed = true
				e.instChanging = nil
				e.mu.Unlock()
				close(changed)
				return
			}
		}
		e.mu.Lock()
		e.inst, e.instChanging = next, nil
		e.mu.Unlock()
		close(changed)
	})
}

// closeInstance waits until nobody uses inst and closes it. Nobody may start to use it meanwhile.
func (e *Engine) closeInstance(inst *instance) {
	e.mu.Lock()
	if inst.users > 0 {
		idle := make(chan struct{})
		inst.idle = idle
		e.mu.Unlock()
		<-idle
		e.mu.Lock()
	}
	sessions := inst.sessions
	inst.sessions = nil
	for _, files := range e.files {
		for _, f := range files {
			if f.gen == inst.gen {
				f.mode, f.refs = detached, 0
			}
		}
	}
	e.mu.Unlock()
	inst.cancel()
	for conn := range sessions {
		if err := conn.Close(); err != nil {
			e.cfg.Logger.Debug("close connection", zap.Error(err))
		}
	}
	if err := inst.db.Close(); err != nil {
		e.cfg.Logger.Debug("close database instance", zap.Error(err))
	}
}

// merge returns a context that ends with ctx or with the instance.
func (inst *instance) merge(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(inst.ctx, func() { cancel(errInstanceLost) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}
