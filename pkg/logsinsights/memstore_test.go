// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/nephoscope/nephoscope/internal/store"
)

// memStore holds records in memory. It runs no SQL: a condition in a dialect is an error.
type memStore struct {
	records []store.LogRecord
	dialect store.Dialect
}

var errNoSQL = errors.New("the store in memory runs no SQL")

func (m *memStore) WriteLogs(_ context.Context, records []store.LogRecord) error {
	for _, r := range records {
		r.Seq = int64(len(m.records)) + 1
		m.records = append(m.records, r)
	}
	return nil
}

func (m *memStore) ScanLogs(_ context.Context, scan store.LogScan, yield func(*store.LogRecord) bool) (store.ScanStats, error) {
	var stats store.ScanStats
	if scan.Where != "" {
		return stats, errNoSQL
	}
	list := slices.Clone(m.records)
	slices.SortFunc(list, func(a, b store.LogRecord) int {
		n := comparePositions(positionOf(&a), positionOf(&b))
		if scan.Descending {
			return -n
		}
		return n
	})
	given := 0
	for i := range list {
		r := list[i]
		if !selected(scan.LogSelection, &r) {
			continue
		}
		stats.RecordsScanned++
		stats.BytesScanned += int64(len(r.Message))
		if slices.ContainsFunc(scan.Contains, func(s string) bool { return !strings.Contains(r.Message, s) }) ||
			scan.TraceID != "" && scan.TraceID != r.TraceID {
			continue
		}
		given++
		if !yield(&r) || given == scan.Limit {
			break
		}
	}
	return stats, nil
}

func positionOf(r *store.LogRecord) store.LogPosition {
	return store.LogPosition{Timestamp: r.Timestamp, Ingested: r.Ingested, Seq: r.Seq}
}

func selected(sel store.LogSelection, r *store.LogRecord) bool {
	return r.Timestamp >= sel.Start && r.Timestamp < sel.End && slices.ContainsFunc(sel.Groups, func(g store.LogGroupRange) bool {
		return g.Group == r.Group
	})
}

func (m *memStore) AggregateLogs(context.Context, store.LogAggregate) ([][]any, store.ScanStats, error) {
	return nil, store.ScanStats{}, errNoSQL
}

func (m *memStore) LogStreams(context.Context, store.Tenant, store.LogGroupRange) ([]store.LogStream, error) {
	return nil, errNoSQL
}

func (m *memStore) Dialect() store.Dialect { return m.dialect }
