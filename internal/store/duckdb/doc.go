// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package duckdb is the embedded engine of the store: DuckDB files, one per UTC day and signal.
//
// # Files
//
//	<directory>/LOCK                     held while an engine is open
//	<directory>/FORMAT                   the version of this layout
//	<directory>/SEQUENCE                 an upper bound of the record sequence numbers in use
//	<directory>/logs/2026-11-21.db       the log events of that day (.db.wal beside it while it is written)
//	<directory>/logs/2026-11-21.bloom    which tokens occur in which rows, rebuilt when it is missing
//	<directory>/metrics/…, traces/…      likewise, without token blooms
//	<directory>/metrics/2026-11-21.points/  the points again, by series, rebuilt when it is missing
//	<directory>/corrupt/                 files that could not be read, moved here and never deleted
//
// A row belongs to the day of its own timestamp, not of its arrival. One in-memory DuckDB instance attaches the
// files on demand: read-only while a day is only read, so that other programs can open it at the same time;
// for writing while it is written.
//
// # Writing
//
// Every file being written has one goroutine. It takes what has queued, up to a bound of rows, appends it in one
// transaction and answers all callers when the commit returned (the write-ahead log is synced by then). A file
// that is not written for a while is checkpointed and let go.
//
// # Failures
//
// A full disk makes DuckDB declare the whole instance dead. The engine then opens a new one, serves reads from
// it, refuses writes with store.ErrUnavailable, and takes them again when there is room. A file that DuckDB cannot read
// is named in the log and moved to corrupt/; the other days go on.
package duckdb
