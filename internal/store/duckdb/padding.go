// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"database/sql"
)

// padding keeps long texts apart. DuckDB handles 2,048 rows at a time, and a checkpoint holds all texts of such a vector in
// memory together: with messages of a megabyte it would need 2 GB, fail, and take the file down. So a vector that has its share of bytes is
// filled up with empty rows, which belong to no tenant, are compressed to nothing, and are never selected.
type padding struct {
	budget int64 // bytes per vector
	vector int64 // the one that bytes counts
	bytes  int64
	before int64 // bytes at the beginning of the commit, and its vector
	at     int64
}

const (
	vectorRows = 2048
	// padTenant is the number that no tenant has.
	padTenant = maxTenants
)

func newPadding(cfg *Config) padding { return padding{budget: max(cfg.MemoryLimit/16, 1<<20)} }

// open counts what the last vector of the file holds. column is SQL for the bytes of a row.
func (p *padding) open(ctx context.Context, conn *sql.Conn, table, column string, rows int64) error {
	p.vector = rows / vectorRows
	p.before, p.at = 0, p.vector
	return conn.QueryRowContext(ctx, "SELECT coalesce(sum("+column+"), 0)::BIGINT FROM "+table+" WHERE rowid >= ?", p.vector*vectorRows).
		Scan(&p.bytes)
}

func (p *padding) begin() { p.before, p.at = p.bytes, p.vector }

func (p *padding) aborted() { p.bytes, p.vector = p.before, p.at }

// add takes a text into account that is to be put into a row, and returns how many empty rows have to come before it.
func (p *padding) add(row int64, bytes int) (fill int) {
	if v := row / vectorRows; v != p.vector {
		p.vector, p.bytes = v, 0
	}
	if p.bytes > 0 && p.bytes+int64(bytes) > p.budget {
		fill = int((p.vector+1)*vectorRows - row)
		p.vector, p.bytes = p.vector+1, 0
	}
	p.bytes += int64(bytes)
	return fill
}
