// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"

	driver "github.com/duckdb/duckdb-go/v2"
	"go.uber.org/zap"
)

// snapshot is a set of attached files, held for one statement or a few.
type snapshot struct {
	e     *Engine
	inst  *instance
	files []*dayFile // oldest first
}

// read runs fn with the given files attached, those that are gone meanwhile left out. fn is run again when the instance
// was replaced or a file had to be set aside under it, so it must not have handed out anything before it returns.
func (e *Engine) read(ctx context.Context, files []*dayFile, fn func(ctx context.Context, s *snapshot) error) error {
	select {
	case e.reads <- struct{}{}:
		defer func() { <-e.reads }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for attempt := 0; ; attempt++ {
		err := e.readOnce(ctx, files, fn)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case attempt >= maxReadAttempts:
			return err
		case errors.Is(err, errInstanceLost), isFatal(err):
		case isCorrupt(err):
			// Which of the files it was does not always stand in the error.
			if !e.setAsideCorrupt(ctx, files) {
				return err
			}
		default:
			return err
		}
		e.cfg.Logger.Debug("repeating a read", zap.Error(err))
	}
}

const maxReadAttempts = 8

func (e *Engine) readOnce(ctx context.Context, files []*dayFile, fn func(ctx context.Context, s *snapshot) error) error {
	inst, done, err := e.useInstance(ctx)
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := inst.merge(ctx)
	defer cancel()
	ctx, closed := context.WithCancelCause(ctx)
	defer closed(nil)
	defer context.AfterFunc(e.readCtx, func() { closed(errClosed) })() //nolint:contextcheck // ends with the engine, too
	s := &snapshot{e: e, inst: inst, files: make([]*dayFile, 0, len(files))}
	defer func() {
		for _, f := range s.files {
			e.release(inst, f)
		}
	}()
	for _, f := range files {
		switch err := e.acquire(ctx, inst, f, readOnly); {
		case err == nil:
			s.files = append(s.files, f)
		case errors.Is(err, errFileGone):
		default:
			return lost(inst, err)
		}
	}
	if err := fn(ctx, s); err != nil {
		e.sawError(inst, err) //nolint:contextcheck // an instance outlives the call that finds it dead
		return lost(inst, err)
	}
	return nil
}

// lost marks an error that came from the instance being replaced.
func lost(inst *instance, err error) error {
	if inst.ctx.Err() != nil {
		return fmt.Errorf("%w: %w", errInstanceLost, err)
	}
	return err
}

// query runs a statement and calls scan for every row until it returns an error or false.
func (s *snapshot) query(ctx context.Context, statement string, args []any, scan func(rows *sql.Rows) (bool, error)) (err error) {
	rows, err := s.inst.db.QueryContext(ctx, statement, args...)
	if err != nil {
		return queryError(ctx, err)
	}
	defer func() {
		if cerr := rows.Close(); err == nil && cerr != nil {
			err = queryError(ctx, cerr)
		}
	}()
	for rows.Next() {
		more, err := scan(rows)
		if err != nil {
			return err
		}
		if !more {
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return queryError(ctx, err)
	}
	return nil
}

func queryError(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return fmt.Errorf("query: %w", err)
}

// queryRow runs a statement that has one row.
func (s *snapshot) queryRow(ctx context.Context, statement string, args []any, dest ...any) error {
	return s.query(ctx, statement, args, func(rows *sql.Rows) (bool, error) {
		return true, rows.Scan(dest...)
	})
}

// queryValues is query without database/sql between, which costs more than the database does when rows are many. The values are those
// of the driver and valid until scan returns, strings longer.
func (s *snapshot) queryValues(ctx context.Context, statement string, args []any, scan func(row []sqldriver.Value) (bool, error)) (err error) {
	conn, err := s.inst.db.Conn(ctx)
	if err != nil {
		return queryError(ctx, err)
	}
	defer func() {
		if cerr := conn.Close(); err == nil && cerr != nil {
			err = queryError(ctx, cerr)
		}
	}()
	named := make([]sqldriver.NamedValue, len(args))
	for i, a := range args {
		named[i] = sqldriver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return conn.Raw(func(raw any) (err error) {
		rows, err := raw.(*driver.Conn).QueryContext(ctx, statement, named)
		if err != nil {
			return queryError(ctx, err)
		}
		defer func() {
			if cerr := rows.Close(); err == nil && cerr != nil {
				err = queryError(ctx, cerr)
			}
		}()
		row := make([]sqldriver.Value, len(rows.Columns()))
		for {
			switch err := rows.Next(row); {
			case errors.Is(err, io.EOF):
				return nil
			case err != nil:
				return queryError(ctx, err)
			}
			if more, err := scan(row); err != nil || !more {
				return err
			}
		}
	})
}

// text is the string in a column, "" for NULL.
func text(v sqldriver.Value) string {
	s, _ := v.(string)
	return s
}
