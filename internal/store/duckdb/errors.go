// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"errors"
	"strings"

	driver "github.com/duckdb/duckdb-go/v2"
)

// errInstanceLost is what a statement gets when the DuckDB instance was replaced under it. Reads are repeated.
var errInstanceLost = errors.New("the database instance was replaced")

// errFileGone is what an operation on a day file gets when the file was removed or set aside meanwhile.
var errFileGone = errors.New("day file is gone")

// isFatal reports whether the error left the whole DuckDB instance unusable.
func isFatal(err error) bool {
	var e *driver.Error
	if errors.As(err, &e) && (e.Type == driver.ErrorTypeFatal || e.Type == driver.ErrorTypeInternal) {
		return true
	}
	return containsAny(err, "FATAL Error", "INTERNAL Error", "has been invalidated")
}

// isDiskFull reports whether the error came from a disk, quota or file size limit that is used up.
func isDiskFull(err error) bool {
	return err != nil && containsAny(errors.New(strings.ToLower(err.Error())), "no space left on device", "disk quota exceeded",
		"file too large", "not enough space on the disk", "out of disk space")
}

// isCorrupt reports whether the error says that a database file, or its write-ahead log, cannot be read.
func isCorrupt(err error) bool {
	return containsAny(err, "Corrupt database file", "not a valid DuckDB database file", "Corrupt WAL", "replaying WAL",
		"Failed to deserialize", "Serialization Error", "does not match stored checksum", "Could not read enough bytes from file",
		"Trying to read a database file with version number", "wal file")
}

// isOutOfMemory reports whether a statement needed more than DuckDB's memory limit.
func isOutOfMemory(err error) bool {
	return containsAny(err, "Out of Memory Error", "failed to pin block", "could not allocate block", "failed to allocate data")
}

// isLocked reports whether another process holds the file in a way that excludes us.
func isLocked(err error) bool {
	return containsAny(err, "Could not set lock on file", "Conflicting lock is held")
}

// isHandleConflict reports whether a file is still being closed by this process.
func isHandleConflict(err error) bool {
	return containsAny(err, "Unique file handle conflict", "already attached")
}

// isNotCoarse reports whether a file was never summed up: it lacks the table that says so.
func isNotCoarse(err error) bool {
	return containsAny(err, "Catalog Error: Table with name "+coarseTable+" does not exist")
}

func isInterrupt(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || containsAny(err, "INTERRUPT Error", "Interrupted!")
}

func containsAny(err error, texts ...string) bool {
	if err == nil {
		return false
	}
	s := err.Error()
	for _, t := range texts {
		if strings.Contains(s, t) {
			return true
		}
	}
	return false
}
