// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package backtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	_ "github.com/duckdb/duckdb-go/v2" // the driver

	"github.com/nephoscope/nephoscope/internal/store/duckdb"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// OpenStore opens the directory of a store that no collector has open. Its data is read only.
func OpenStore(ctx context.Context, dir string) (Source, func() error, error) {
	if info, err := os.Stat(dir); err != nil {
		return nil, nil, err
	} else if !info.IsDir() {
		return nil, nil, fmt.Errorf("%s is not a directory", dir)
	}
	engine, err := duckdb.Open(ctx, duckdb.Config{Directory: dir})
	if err != nil {
		return nil, nil, fmt.Errorf("%w\nWhile a collector has the store open, read through it: --endpoint-url", err)
	}
	return engine, engine.Close, nil
}

// readParquet reads a table of the columns that CSV has.
func (f *Files) readParquet(ctx context.Context, path string) (err error) {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, "SELECT * FROM read_parquet(?)", path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	header, err := rows.Columns()
	if err != nil {
		return err
	}
	t, err := f.newTable(filepath.Base(path), header)
	if err != nil {
		return err
	}
	cells, texts, pointers := make([]any, len(header)), make([]string, len(header)), make([]any, len(header))
	for i := range cells {
		pointers[i] = &cells[i]
	}
	var data []cloudwatch.Datum
	for n := 1; rows.Next(); n++ {
		if err := rows.Scan(pointers...); err != nil {
			return err
		}
		for i, c := range cells {
			if texts[i], err = cellText(c); err != nil {
				return fmt.Errorf("row %d: %s: %w", n, header[i], err)
			}
		}
		d, ok, err := t.datum(texts)
		if err != nil {
			return fmt.Errorf("row %d: %w", n, err)
		}
		if ok {
			data = append(data, d)
		}
		if len(data) == batchRows {
			if err := f.add(data...); err != nil {
				return err
			}
			data = data[:0]
		}
	}
	return errors.Join(rows.Err(), f.add(data...))
}

// cellText is a cell as CSV would have it.
func cellText(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), nil
	case float64:
		if math.IsNaN(v) {
			return "", nil
		}
		return strconv.FormatFloat(v, 'g', -1, 64), nil
	case float32:
		return strconv.FormatFloat(float64(v), 'g', -1, 32), nil
	case int64, int32, int16, int8, uint64, uint32, uint16, uint8, int:
		return fmt.Sprint(v), nil
	}
	return "", fmt.Errorf("a value of type %T is not supported", v)
}
