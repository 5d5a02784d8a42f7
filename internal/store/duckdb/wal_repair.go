// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"go.uber.org/zap"
)

// damagedLog finds in DuckDB's error where the first unreadable entry of a write-ahead log lies. The position is behind the entry's
// length and checksum.
var damagedLog = regexp.MustCompile(`Corrupt WAL file: entry at byte position (\d+)`)

const walEntryHeader = 16

// repairLog cuts off the end of a write-ahead log that DuckDB cannot read. DuckDB itself forgives an entry that is too
// short, which is what a killed process leaves. A power failure can leave blocks of zeros behind the last synced
// entry instead; without this a whole day would go for them. The log as it was is kept in corrupt/.
func (e *Engine) repairLog(f *dayFile, cause error) (repaired bool, err error) {
	match := damagedLog.FindStringSubmatch(cause.Error())
	if match == nil {
		return false, nil
	}
	position, err := strconv.ParseInt(match[1], 10, 64)
	if err != nil || position <= walEntryHeader {
		return false, nil
	}
	sound := position - walEntryHeader
	wal := f.path + ".wal"
	size := fileSize(wal)
	if size <= sound {
		return false, nil
	}
	name, err := e.corruptName(f, ".db.wal")
	if err != nil {
		return false, err
	}
	aside := filepath.Join(e.cfg.Directory, "corrupt", name)
	tmp := wal + ".new"
	if err := copyPrefix(wal, tmp, sound); err != nil {
		return false, errors.Join(err, os.Remove(tmp))
	}
	if err := os.Link(wal, aside); err != nil {
		if err := copyPrefix(wal, aside, size); err != nil {
			return false, errors.Join(err, os.Remove(tmp))
		}
	}
	if err := errors.Join(syncDir(filepath.Dir(aside)), os.Rename(tmp, wal), syncDir(filepath.Dir(wal))); err != nil {
		return false, err
	}
	e.addSetAside(name)
	e.cfg.Logger.Error("the end of a write-ahead log cannot be read and is cut off; everything before it is kept",
		zap.String("file", wal), zap.Int64("bytes", size-sound), zap.String("original", aside), zap.Error(cause))
	return true, nil
}

// copyPrefix copies the first n bytes of a file durably.
func copyPrefix(from, to string, n int64) (err error) {
	src, err := os.Open(from) //nolint:gosec // below the directory that was configured
	if err != nil {
		return err
	}
	defer src.Close()                                                      //nolint:errcheck // it was only read
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // below the directory that was configured
	if err != nil {
		return err
	}
	defer func() {
		if cerr := dst.Close(); err == nil {
			err = cerr
		}
	}()
	if _, err := io.CopyN(dst, src, n); err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	return dst.Sync()
}
