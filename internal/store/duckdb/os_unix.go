//go:build unix

// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// dirLock keeps other processes out of the directory.
type dirLock struct{ file *os.File }

func lockDirectory(dir string) (*dirLock, error) {
	path := filepath.Join(dir, "LOCK")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // in the directory that was configured
	if err != nil {
		return nil, fmt.Errorf("open the store's lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s is in use by another process (its file LOCK is locked): stop it or choose another directory", dir)
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return &dirLock{f}, nil
}

func (l *dirLock) unlock() error { return l.file.Close() }

// freeBytes is how much an unprivileged process may still write to the disk that holds dir.
func freeBytes(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), nil //nolint:unconvert // the types differ between systems
}

// fileIdentity tells whether a path still names the same file, and its size.
func fileIdentity(path string) (inode uint64, size int64) {
	var st syscall.Stat_t
	if syscall.Stat(path, &st) != nil {
		return 0, 0
	}
	return st.Ino, st.Size
}

func ignoreUnsupportedSync(err error) error {
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil
	}
	return err
}

func mapFile(f *os.File, size int) ([]byte, error) {
	return syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
}

func unmapFile(data []byte) error { return syscall.Munmap(data) }
