// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"

	driver "github.com/duckdb/duckdb-go/v2"

	"github.com/nephoscope/nephoscope/internal/store"
)

// aggregateColumns are the columns that a statement over log rows may name.
const aggregateColumns = "ts, ingested, seq, grp, stream, message, bytes, level, service, trace_id, span_id, duration_ms, status"

// AggregateLogs runs one statement over the rows of all days that the selection touches.
//
// RecordsScanned and BytesScanned are counted beside it, from columns that cost little. RecordsMatched comes from the
// statement itself when that is a plain GROUP BY, else it is counted.
func (e *Engine) AggregateLogs(ctx context.Context, agg store.LogAggregate) (rows [][]any, stats store.ScanStats, err error) {
	if nothing(&agg.LogSelection) {
		// An aggregate without groups has a row even over nothing, so the statement is run.
		agg.Groups, agg.Streams, agg.End = []store.LogGroupRange{{}}, []string{}, agg.Start
	}
	first, last := daysOfMs(agg.Start, agg.End)
	files := e.filesIn(signalLogs, first, last)
	err = e.read(ctx, files, func(ctx context.Context, s *snapshot) error {
		rows, stats, err = s.aggregateLogs(ctx, &agg)
		return err
	})
	if err != nil {
		return nil, stats, fmt.Errorf("aggregate logs: %w", err)
	}
	return rows, stats, nil
}

// emptyLogs has the columns of log rows and no row.
const emptyLogs = "SELECT NULL::TIMESTAMP AS ts, NULL::TIMESTAMP AS ingested, NULL::BIGINT AS seq, NULL::VARCHAR AS grp, " +
	"NULL::VARCHAR AS stream, NULL::VARCHAR AS message, NULL::INTEGER AS bytes, NULL::VARCHAR AS level, NULL::VARCHAR AS service, " +
	"NULL::VARCHAR AS trace_id, NULL::VARCHAR AS span_id, NULL::DOUBLE AS duration_ms, NULL::INTEGER AS status WHERE false"

func (s *snapshot) aggregateLogs(ctx context.Context, agg *store.LogAggregate) (rows [][]any, stats store.ScanStats, err error) {
	sel := &agg.LogSelection
	found := search(sel)
	hashes := searchHashes(sel)
	var parts []string
	var args []any
	for _, f := range s.files {
		if sel.Start >= sel.End {
			break
		}
		tenant, ok, err := s.tenantID(ctx, f, sel.Tenant)
		if err != nil {
			return nil, stats, err
		}
		if !ok {
			continue
		}
		here := *sel
		allGroups, err := s.narrowGroups(ctx, f, &here)
		if err != nil {
			return nil, stats, err
		}
		in, cond := scope(&here, tenant, allGroups), scope(&here, tenant, allGroups)
		if found != nil {
			cond.and(found.String(), found.args...)
		}
		var ranges []rowRange
		all := true
		if len(hashes) > 0 {
			var rows int64
			if err := s.queryRow(ctx, "SELECT count(*) FROM "+f.alias+".logs", nil, &rows); err != nil {
				return nil, stats, err
			}
			if ranges, all, err = s.prune(ctx, f, hashes, sel.Start, sel.End, rows); err != nil {
				return nil, stats, err
			}
		}
		if !agg.NoStats {
			c, ok, err := s.countWhole(ctx, f, sel, ranges, all)
			if err == nil && !ok {
				c, err = s.countScope(ctx, f, in, ranges, all)
			}
			if err != nil {
				return nil, stats, err
			}
			stats.RecordsScanned += c.RecordsScanned
			stats.BytesScanned += c.BytesScanned
			stats.RecordsSkipped += c.RecordsSkipped
		}
		sql, a := fromRanges(f, ranges, all, aggregateColumns, cond)
		parts = append(parts, sql)
		args = append(args, a...)
	}
	if len(parts) == 0 {
		parts = []string{emptyLogs}
	}
	// A CTE, so that our placeholders come before those of Select. Not materialised, or the conditions of Where
	// would not reach the files.
	from := "WITH selected AS NOT MATERIALIZED (" + strings.Join(parts, " UNION ALL ") + ") SELECT "
	where := ""
	if agg.Where != "" {
		where = " WHERE (" + agg.Where + ")"
	}
	sel0 := agg.Select
	grouped := plainGroupBy.MatchString(agg.Tail) && !hasHaving.MatchString(agg.Tail)
	if grouped {
		sel0 += ", sum(count(*)) OVER ()"
	}
	args = append(args, agg.Args...)
	rows, err = s.collect(ctx, from+sel0+" FROM selected"+where+" "+agg.Tail, args, agg.MaxRows)
	if err != nil || agg.NoStats && !grouped {
		return rows, stats, err
	}
	switch {
	case grouped:
		for i, row := range rows {
			n := len(row) - 1
			if matched, ok := row[n].(int64); ok {
				stats.RecordsMatched = matched
			}
			rows[i] = row[:n]
		}
	case found == nil && agg.Where == "":
		stats.RecordsMatched = stats.RecordsScanned
	default:
		// The arguments of Select and Tail are not wanted here, and which of them belong to Where is known only by
		// counting.
		n := countPlaceholders(agg.Select)
		m := n + countPlaceholders(agg.Where)
		if m > len(agg.Args) {
			return nil, stats, fmt.Errorf("%d arguments for %d placeholders", len(agg.Args), m)
		}
		whereArgs := slices.Concat(args[:len(args)-len(agg.Args)], agg.Args[n:m])
		err = s.queryRow(ctx, from+"count(*) FROM selected"+where, whereArgs, &stats.RecordsMatched)
	}
	return rows, stats, err
}

var (
	plainGroupBy = regexp.MustCompile(`(?is)^\s*GROUP\s+BY\b`)
	hasHaving    = regexp.MustCompile(`(?i)\b(HAVING|QUALIFY)\b`)
)

// countPlaceholders counts the question marks outside of quotes.
func countPlaceholders(sql string) int {
	n := 0
	for i := 0; i < len(sql); i++ {
		switch c := sql[i]; c {
		case '?':
			n++
		case '\'', '"':
			for i++; i < len(sql) && sql[i] != c; i++ {
			}
		}
	}
	return n
}

// collect runs a statement and returns its rows, at most limit (0: any number).
func (s *snapshot) collect(ctx context.Context, statement string, args []any, limit int) (out [][]any, err error) {
	err = s.query(ctx, statement, args, func(rows *sql.Rows) (bool, error) {
		if limit > 0 && len(out) == limit {
			return false, fmt.Errorf("%w: more than %d", store.ErrTooManyRows, limit)
		}
		columns, err := rows.Columns()
		if err != nil {
			return false, err
		}
		row := make([]any, len(columns))
		ptrs := make([]any, len(columns))
		for i := range row {
			ptrs[i] = &row[i]
		}
		if err := rows.Scan(ptrs...); err != nil {
			return false, err
		}
		for i := range row {
			if row[i], err = plainValue(row[i]); err != nil {
				return false, fmt.Errorf("column %s: %w", columns[i], err)
			}
		}
		out = append(out, row)
		return true, nil
	})
	return out, err
}

// plainValue turns what the driver returns into one of the types that the contract names.
func plainValue(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, int64, float64, string:
		return v, nil
	case int8:
		return int64(v), nil
	case int16:
		return int64(v), nil
	case int32:
		return int64(v), nil
	case uint8:
		return int64(v), nil
	case uint16:
		return int64(v), nil
	case uint32:
		return int64(v), nil
	case uint64:
		if v > math.MaxInt64 {
			return float64(v), nil
		}
		return int64(v), nil
	case float32:
		return float64(v), nil
	case *big.Int:
		if v.IsInt64() {
			return v.Int64(), nil
		}
		f, _ := new(big.Float).SetInt(v).Float64()
		return f, nil
	case driver.Decimal:
		return v.Float64(), nil
	case time.Time:
		return v.UTC(), nil
	case []byte:
		return string(v), nil
	}
	return nil, fmt.Errorf("unsupported type %T", v)
}
