// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/internal/store"
)

// diskGuard refuses writes while the disk is full, and finds out when it is not any more.
//
// DuckDB takes a full disk badly: the whole instance has to be replaced. So writes stop while a reserve is still free.
// When the disk fills up all the same (another process, a quota), the guard is told.
type diskGuard struct {
	cfg   *Config
	probe func() error // tries to write; replaced by tests
	free  func() (int64, error)

	mu     sync.Mutex
	full   bool
	cause  string
	probed time.Time
}

const (
	probeBytes    = 8 << 20
	probeInterval = 500 * time.Millisecond
)

func (g *diskGuard) init(cfg *Config) {
	g.cfg = cfg
	g.probe = func() error { return probeWrite(filepath.Join(cfg.Directory, "PROBE.new"), probeBytes) }
	g.free = func() (int64, error) { return freeBytes(cfg.Directory) }
}

// check returns nil when writes may go on, else an error that wraps store.ErrUnavailable.
func (g *diskGuard) check() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.full {
		if short := g.shortage(g.cfg.MinFreeDisk); short != "" {
			g.set(short)
		}
	} else if time.Since(g.probed) >= probeInterval {
		g.tryRecover()
	}
	if g.full {
		return fmt.Errorf("%w: %s", store.ErrUnavailable, g.cause)
	}
	return nil
}

// room returns an error when so many more bytes would eat into the reserve. It refuses no writes: what asks can wait.
func (g *diskGuard) room(bytes int64) error {
	if err := g.check(); err != nil {
		return err
	}
	if g.cfg.MinFreeDisk <= 0 {
		return nil
	}
	if short := g.shortage(g.cfg.MinFreeDisk + bytes); short != "" {
		return fmt.Errorf("%w: %s", store.ErrUnavailable, short)
	}
	return nil
}

// shortage says in words that less than need is free, or "".
func (g *diskGuard) shortage(need int64) string {
	if need <= 0 {
		return ""
	}
	free, err := g.free()
	if err != nil || free >= need {
		return "" // not to know is no reason to refuse
	}
	return fmt.Sprintf("the disk of %s has %d MB free, %d MB are needed", g.cfg.Directory, free>>20, need>>20)
}

func (g *diskGuard) tryRecover() {
	g.probed = time.Now()
	// A little more than the reserve, so that it does not flap.
	if short := g.shortage(g.cfg.MinFreeDisk + g.cfg.MinFreeDisk/8); short != "" {
		g.cause = short
		return
	}
	if err := g.probe(); err != nil {
		return
	}
	g.full = false
	g.cfg.Logger.Info("the disk has room again, writes are taken")
}

func (g *diskGuard) set(cause string) {
	g.full, g.cause, g.probed = true, cause, time.Now()
	g.cfg.Logger.Error("the disk is full, writes are refused until there is room", zap.String("cause", cause))
}

// setFull is called when writing failed for want of room.
func (g *diskGuard) setFull(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.full {
		g.set(err.Error())
	}
}

func (g *diskGuard) isFull() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.full
}

func probeWrite(path string, n int) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // in the directory that was configured
	if err != nil {
		return err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if rerr := os.Remove(path); err == nil {
			err = rerr
		}
	}()
	block := make([]byte, 1<<20)
	for range n / len(block) {
		if _, err := f.Write(block); err != nil {
			return err
		}
	}
	return f.Sync()
}
