// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// ListMetrics lists identities in order. Since is taken to the minute, which is how exactly the data's times are kept.
func (e *Engine) ListMetrics(ctx context.Context, filter store.MetricFilter, after *cloudwatch.Metric, limit int) ([]cloudwatch.Metric, error) {
	if limit <= 0 {
		return nil, fmt.Errorf("list metrics: limit %d must be positive", limit)
	}
	since := floorDiv(clampSeconds(filter.Since), maxResolution) * maxResolution
	first, _ := daysOfMs(since*1000, since*1000+1)
	files := e.filesIn(signalMetrics, first, maxDay)
	var out []cloudwatch.Metric
	err := e.read(ctx, files, func(ctx context.Context, s *snapshot) error {
		out = nil
		statement, args := listStatement(s.files, &filter, after, first, since)
		if statement == "" {
			return nil
		}
		return s.query(ctx, fmt.Sprintf("SELECT DISTINCT key FROM (%s) ORDER BY key LIMIT %d", statement, limit), args,
			func(rows *sql.Rows) (bool, error) {
				var key []byte
				if err := rows.Scan(&key); err != nil {
					return false, err
				}
				m, err := cloudwatch.ParseKey(key)
				out = append(out, m)
				return true, err
			})
	})
	if err != nil {
		return nil, fmt.Errorf("list metrics: %w", err)
	}
	return out, nil
}

func listStatement(files []*dayFile, filter *store.MetricFilter, after *cloudwatch.Metric, first day, since int64) (string, []any) {
	c := new(condition)
	c.and("account = ? AND region = ?", filter.Tenant.Account, filter.Tenant.Region)
	if filter.Namespace != "" {
		c.and("namespace = ?", filter.Namespace)
	}
	if filter.Name != "" {
		c.and("name = ?", filter.Name)
	}
	for i := range filter.Dimensions {
		c.and("contains(dimensions, ?)", dimensionNeedle(&filter.Dimensions[i]))
	}
	if after != nil {
		c.and("key > ?", after.AppendKey(nil))
	}
	var parts []string
	var args []any
	for _, f := range files {
		part := "SELECT key FROM " + f.alias + ".series WHERE " + c.String()
		args = append(args, c.args...)
		if f.day == first && since > f.day.start().Unix() {
			// Every series of a later day has data of that day; of this one it must be looked up.
			part += " AND id IN (SELECT series_id FROM " + f.alias + ".points WHERE ts >= make_timestamp_ms(?))"
			args = append(args, since*1000)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " UNION ALL "), args
}
