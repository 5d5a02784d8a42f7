// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package difftest

import (
	"context"

	"github.com/nephoscope/nephoscope/internal/store"
)

// memory yields its records, whatever is selected.
type memory struct {
	store.LogStore
	records []store.LogRecord
}

func (m *memory) ScanLogs(_ context.Context, _ store.LogScan, yield func(*store.LogRecord) bool) (store.ScanStats, error) {
	for i := range m.records {
		if !yield(&m.records[i]) {
			break
		}
	}
	return store.ScanStats{}, nil
}
