// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// batchRows is how many rows are added at once.
const batchRows = 4096

// readCSV reads a table with a header, or without one: timestamps and values.
func (f *Files) readCSV(name string, r io.Reader) error {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	in.FieldsPerRecord = -1
	in.TrimLeadingSpace = true
	first, err := in.Read()
	if errors.Is(err, io.EOF) {
		return errors.New("the file is empty")
	}
	if err != nil {
		return err
	}
	header := first
	_, notTime := parseTime(first[0])
	if notTime == nil && len(first) == 2 {
		header = []string{"timestamp", "value"}
	}
	t, err := f.newTable(name, header)
	if err != nil {
		return err
	}
	width := len(header)
	var data []cloudwatch.Datum
	for row := first; ; {
		if notTime == nil { // the first row is data
			notTime = errNotFirst
		} else {
			if row, err = in.Read(); errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
		}
		line, _ := in.FieldPos(0)
		if len(row) != width {
			return fmt.Errorf("line %d: %d fields, not %d", line, len(row), width)
		}
		d, ok, err := t.datum(row)
		if err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		if ok {
			data = append(data, d)
		}
		if len(data) == batchRows {
			if err := f.add(data...); err != nil {
				return fmt.Errorf("line %d: %w", line, err)
			}
			data = data[:0]
		}
	}
	return f.add(data...)
}

var errNotFirst = errors.New("not the first row")
