// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"

	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// QueryMetrics answers all queries together: per day one statement finds their series, whose points come from the blocks, and
// from the database as far as blocks have them not yet. Periods below a minute see the points of one-second resolution
// only, longer ones all points.
//
// Bucket.Distribution is nil when nothing is known of it, and not Complete when it is known for a part of the samples.
func (e *Engine) QueryMetrics(ctx context.Context, queries []store.MetricQuery) ([][]store.Bucket, error) {
	out := make([][]store.Bucket, len(queries))
	first, last := maxDay, minDay
	var run []int
	for i := range queries {
		q := &queries[i]
		if q.Period <= 0 {
			return nil, fmt.Errorf("metric query %d: period %d must be positive", i, q.Period)
		}
		if q.Start < -maxSeconds || q.Start > maxSeconds || q.Period > maxSeconds {
			return nil, fmt.Errorf("metric query %d: start %d or period %d is out of bounds", i, q.Start, q.Period)
		}
		if q.Start >= q.End {
			continue
		}
		a, b := daysOfMs(clampSeconds(q.Start)*1000, clampSeconds(q.End)*1000)
		first, last = min(first, a), max(last, b)
		run = append(run, i)
	}
	if len(run) == 0 {
		return out, nil
	}
	sums := newMetricSums(queries)
	for _, f := range e.filesIn(signalMetrics, first, last) {
		for {
			err := e.read(ctx, []*dayFile{f}, func(ctx context.Context, s *snapshot) error {
				sums.begin()
				if len(s.files) == 0 {
					return nil
				}
				return s.queryMetrics(ctx, f, run, sums)
			})
			if errors.Is(err, errBlock) {
				e.cfg.Logger.Warn("metric points by series are damaged and are made again", zap.String("file", f.path), zap.Error(err))
				if err := f.blocks.remove(); err != nil {
					return nil, fmt.Errorf("query metrics: %w", err)
				}
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("query metrics: %w", err)
			}
			break
		}
		sums.commit()
	}
	sums.results(out)
	return out, nil
}

// maxSeconds bounds what is asked for, so that nothing overflows: a hundred thousand years.
const maxSeconds = 1 << 42

func clampSeconds(s int64) int64 { return clampMs(min(max(s, -1<<50), 1<<50)*1000) / 1000 }

// seriesUse is a series and a query that it answers.
type seriesUse struct {
	id    int32
	query int
	unit  string
}

func (s *snapshot) queryMetrics(ctx context.Context, f *dayFile, run []int, sums *metricSums) error {
	uses, err := s.findSeries(ctx, f, sums.queries, run)
	if err != nil || len(uses) == 0 {
		return err
	}
	id, err := s.fileID(ctx, f)
	if err != nil {
		return err
	}
	view, err := f.blocks.view(id)
	if err != nil {
		return fmt.Errorf("metric points by series: %w", err)
	}
	defer view.release()
	if err := sums.addBlocks(ctx, &view, f.day.start().Unix(), uses); err != nil {
		return err
	}
	var plain, dist []seriesUse
	for _, u := range uses {
		if sums.queries[u.query].Distribution {
			dist = append(dist, u)
		} else {
			plain = append(plain, u)
		}
	}
	if len(plain) > 0 {
		if err := s.sumPoints(ctx, f, plain, view.covered, sums); err != nil {
			return err
		}
	}
	if len(dist) > 0 {
		return s.mergePoints(ctx, f, dist, view.covered, sums)
	}
	return nil
}

// findSeries finds the series of a file that answer the queries.
func (s *snapshot) findSeries(ctx context.Context, f *dayFile, queries []store.MetricQuery, run []int) ([]seriesUse, error) {
	byHash := make(map[uint64][]int, len(run))
	hashes := make([]uint64, 0, len(run))
	keys := make(map[int]string, len(run))
	for _, i := range run {
		q := &queries[i]
		h := metricHash(q.Tenant, &q.Metric)
		if byHash[h] == nil {
			hashes = append(hashes, h)
		}
		byHash[h] = append(byHash[h], i)
		keys[i] = string(q.Metric.AppendKey(nil))
	}
	var uses []seriesUse
	err := s.query(ctx, "SELECT id, account, region, unit, resolution, hash, key FROM "+f.alias+
		".series WHERE hash IN (SELECT unnest(?::UBIGINT[]))", []any{hashes}, func(rows *sql.Rows) (bool, error) {
		var id, resolution int32
		var t store.Tenant
		var unit string
		var hash uint64
		var key []byte
		if err := rows.Scan(&id, &t.Account, &t.Region, &unit, &resolution, &hash, &key); err != nil {
			return false, err
		}
		for _, i := range byHash[hash] {
			q := &queries[i]
			if q.Tenant != t || keys[i] != string(key) || q.Unit != "" && q.Unit != unit || q.Period < maxResolution && resolution != minResolution {
				continue
			}
			uses = append(uses, seriesUse{id, i, unit})
		}
		return true, nil
	})
	return uses, err
}

// pointsQuery selects columns of the points of the uses from row on, with b as the number of the bucket.
func pointsQuery(f *dayFile, queries []store.MetricQuery, uses []seriesUse, row int64, columns, tail string) (string, []any) {
	n := len(uses)
	ids, places := make([]int32, n), make([]int32, n)
	starts, ends, periods := make([]int64, n), make([]int64, n), make([]int64, n)
	lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
	minID, maxID := int32(math.MaxInt32), int32(0)
	for i, u := range uses {
		q := &queries[u.query]
		ids[i], places[i] = u.id, int32(i)
		starts[i], ends[i], periods[i] = firstBucket(q), clampSeconds(q.End), q.Period
		lo, hi = min(lo, clampSeconds(q.Start)), max(hi, ends[i])
		minID, maxID = min(minID, u.id), max(maxID, u.id)
	}
	// The plain bounds are for the zone maps; the join alone would read everything.
	sql := "SELECT " + columns + " FROM " + f.alias + ".points p JOIN (SELECT unnest(?::INTEGER[]) AS id, unnest(?::INTEGER[]) AS use, " +
		"unnest(?::BIGINT[]) AS first, unnest(?::BIGINT[]) AS beyond, unnest(?::BIGINT[]) AS period) u ON p.series_id = u.id " +
		"WHERE p.rowid >= ? AND p.ts >= make_timestamp_ms(?) AND p.ts < make_timestamp_ms(?) AND p.series_id BETWEEN ? AND ? " +
		"AND epoch_us(p.ts) >= u.first * 1000000 AND epoch_us(p.ts) < u.beyond * 1000000 " + tail
	return sql, []any{ids, places, starts, ends, periods, row, lo * 1000, hi * 1000, minID, maxID}
}

const bucketIndex = "(epoch_us(p.ts) // 1000000 - u.first) // u.period"

// sumPoints adds the statistics of the uses' points, summed by the database.
func (s *snapshot) sumPoints(ctx context.Context, f *dayFile, uses []seriesUse, row int64, sums *metricSums) error {
	sql, args := pointsQuery(f, sums.queries, uses, row,
		"u.use, "+bucketIndex+" AS b, sum(p.count), sum(p.sum), min(p.min), max(p.max)", "GROUP BY u.use, b ORDER BY u.use, b")
	defer sums.flush()
	return s.queryValues(ctx, sql, args, func(row []driver.Value) (bool, error) {
		u := &uses[row[0].(int32)]
		sums.add(u, sums.bucket(u.query, row[1].(int64)), rowStatistics(row))
		return true, nil
	})
}

func rowStatistics(row []driver.Value) cloudwatch.StatisticSet {
	return cloudwatch.StatisticSet{
		SampleCount: row[2].(float64), Sum: row[3].(float64), Minimum: row[4].(float64), Maximum: row[5].(float64),
	}
}

// mergePoints adds the statistics and distributions of the uses' points.
func (s *snapshot) mergePoints(ctx context.Context, f *dayFile, uses []seriesUse, row int64, sums *metricSums) error {
	statement, args := pointsQuery(f, sums.queries, uses, row,
		"u.use, "+bucketIndex+" AS b, p.count, p.sum, p.min, p.max, p.dist", "ORDER BY u.use, p.ts")
	defer sums.flush()
	return s.queryValues(ctx, statement, args, func(row []driver.Value) (bool, error) {
		u := &uses[row[0].(int32)]
		blob, _ := row[6].([]byte)
		return true, sums.addWith(u, sums.bucket(u.query, row[1].(int64)), rowStatistics(row), blob)
	})
}
