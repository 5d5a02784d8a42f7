// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// QueryMetrics answers all queries together: per day one statement finds their series, another sums their points by
// bucket. Periods below a minute see the points of one-second resolution only, longer ones all points.
//
// Bucket.Distribution is nil when nothing is known of it, and not Complete when it is known for a part of the samples.
func (e *Engine) QueryMetrics(ctx context.Context, queries []store.MetricQuery) ([][]store.Bucket, error) {
	out := make([][]store.Bucket, len(queries))
	groups := map[bucketKey]*bucketSum{}
	first, last := maxDay, minDay
	var run []int
	for i := range queries {
		q := &queries[i]
		if q.Period <= 0 {
			return nil, fmt.Errorf("metric query %d: period %d must be positive", i, q.Period)
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
	for _, f := range e.filesIn(signalMetrics, first, last) {
		var sums map[bucketKey]*bucketSum
		err := e.read(ctx, []*dayFile{f}, func(ctx context.Context, s *snapshot) (err error) {
			sums = nil
			if len(s.files) > 0 {
				sums, err = s.queryMetrics(ctx, f, queries, run)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("query metrics: %w", err)
		}
		if len(groups) == 0 {
			groups = sums
			continue
		}
		for k, b := range sums {
			if have := groups[k]; have != nil {
				have.merge(b)
			} else {
				groups[k] = b
			}
		}
	}
	for k, b := range groups {
		q := &queries[k.query]
		bucket := store.Bucket{Start: q.Start + k.index*q.Period, Unit: k.unit, StatisticSet: b.stats}
		if q.Distribution {
			bucket.Distribution = b.distribution()
		}
		out[k.query] = append(out[k.query], bucket)
	}
	for i := range out {
		slices.SortFunc(out[i], func(a, b store.Bucket) int {
			return cmp.Or(cmp.Compare(a.Start, b.Start), strings.Compare(a.Unit, b.Unit))
		})
	}
	return out, nil
}

func clampSeconds(s int64) int64 { return clampMs(min(max(s, -1<<50), 1<<50)*1000) / 1000 }

type bucketKey struct {
	query int
	index int64
	unit  string
}

// bucketSum is a bucket while it is put together.
type bucketSum struct {
	stats   cloudwatch.StatisticSet
	filled  bool
	dist    *cloudwatch.Distribution // of what is known
	unknown bool                     // a part is not known
}

func (b *bucketSum) addStats(s cloudwatch.StatisticSet) {
	if !b.filled {
		b.stats, b.filled = s, true
		return
	}
	b.stats.SampleCount += s.SampleCount
	b.stats.Sum += s.Sum
	b.stats.Minimum = min(b.stats.Minimum, s.Minimum)
	b.stats.Maximum = max(b.stats.Maximum, s.Maximum)
}

// known is the distribution of what is known.
func (b *bucketSum) known() *cloudwatch.Distribution {
	if b.dist == nil {
		b.dist = new(cloudwatch.Distribution)
	}
	return b.dist
}

func (b *bucketSum) addDist(d *cloudwatch.Distribution) {
	if d == nil {
		b.unknown = true
		return
	}
	b.known().Merge(d)
}

func (b *bucketSum) merge(o *bucketSum) {
	b.addStats(o.stats)
	b.unknown = b.unknown || o.unknown
	if o.dist != nil {
		b.addDist(o.dist)
	}
}

func (b *bucketSum) distribution() *cloudwatch.Distribution {
	if b.unknown && b.dist != nil {
		b.dist.Merge(nil) // marks it incomplete
	}
	return b.dist
}

// seriesUse is a series and a query that it answers.
type seriesUse struct {
	id    int32
	query int
	unit  string
}

func (s *snapshot) queryMetrics(ctx context.Context, f *dayFile, queries []store.MetricQuery, run []int) (map[bucketKey]*bucketSum, error) {
	uses, err := s.findSeries(ctx, f, queries, run)
	if err != nil || len(uses) == 0 {
		return nil, err
	}
	sums := map[bucketKey]*bucketSum{}
	var plain, dist []seriesUse
	for _, u := range uses {
		if queries[u.query].Distribution {
			dist = append(dist, u)
		} else {
			plain = append(plain, u)
		}
	}
	if len(plain) > 0 {
		if err := s.sumPoints(ctx, f, queries, plain, sums); err != nil {
			return nil, err
		}
	}
	if len(dist) > 0 {
		if err := s.mergePoints(ctx, f, queries, dist, sums); err != nil {
			return nil, err
		}
	}
	return sums, nil
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

// pointsQuery selects columns of the points of the uses, with b as the number of the bucket.
func pointsQuery(f *dayFile, queries []store.MetricQuery, uses []seriesUse, columns, tail string) (string, []any) {
	n := len(uses)
	ids, places := make([]int32, n), make([]int32, n)
	starts, ends, periods := make([]int64, n), make([]int64, n), make([]int64, n)
	lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
	minID, maxID := int32(math.MaxInt32), int32(0)
	for i, u := range uses {
		q := &queries[u.query]
		ids[i], places[i] = u.id, int32(i)
		starts[i], ends[i], periods[i] = clampSeconds(q.Start), clampSeconds(q.End), q.Period
		lo, hi = min(lo, starts[i]), max(hi, ends[i])
		minID, maxID = min(minID, u.id), max(maxID, u.id)
	}
	// The plain bounds are for the zone maps; the join alone would read everything.
	sql := "SELECT " + columns + " FROM " + f.alias + ".points p JOIN (SELECT unnest(?::INTEGER[]) AS id, unnest(?::INTEGER[]) AS use, " +
		"unnest(?::BIGINT[]) AS first, unnest(?::BIGINT[]) AS beyond, unnest(?::BIGINT[]) AS period) u ON p.series_id = u.id " +
		"WHERE p.ts >= make_timestamp_ms(?) AND p.ts < make_timestamp_ms(?) AND p.series_id BETWEEN ? AND ? " +
		"AND epoch_us(p.ts) >= u.first * 1000000 AND epoch_us(p.ts) < u.beyond * 1000000 " + tail
	return sql, []any{ids, places, starts, ends, periods, lo * 1000, hi * 1000, minID, maxID}
}

const bucketIndex = "(epoch_us(p.ts) // 1000000 - u.first) // u.period"

// sumPoints adds the statistics of the uses' points, summed by the database.
func (s *snapshot) sumPoints(ctx context.Context, f *dayFile, queries []store.MetricQuery, uses []seriesUse, sums map[bucketKey]*bucketSum) error {
	sql, args := pointsQuery(f, queries, uses,
		"u.use, "+bucketIndex+" AS b, sum(p.count), sum(p.sum), min(p.min), max(p.max)", "GROUP BY u.use, b")
	return s.queryValues(ctx, sql, args, func(row []driver.Value) (bool, error) {
		b, st := rowBucket(row, queries, uses, sums)
		b.addStats(st)
		return true, nil
	})
}

// rowBucket reads use, bucket index and the four statistics, and finds the bucket.
func rowBucket(row []driver.Value, queries []store.MetricQuery, uses []seriesUse, sums map[bucketKey]*bucketSum) (*bucketSum, cloudwatch.StatisticSet) {
	u := uses[row[0].(int32)]
	b := bucketOf(sums, u, row[1].(int64)+firstIndex(&queries[u.query]))
	return b, cloudwatch.StatisticSet{
		SampleCount: row[2].(float64), Sum: row[3].(float64), Minimum: row[4].(float64), Maximum: row[5].(float64),
	}
}

// firstIndex is 0 but for a Start before all days, which the database sees as the first day.
func firstIndex(q *store.MetricQuery) int64 { return (clampSeconds(q.Start) - q.Start) / q.Period }

func bucketOf(sums map[bucketKey]*bucketSum, u seriesUse, index int64) *bucketSum {
	k := bucketKey{u.query, index, u.unit}
	b := sums[k]
	if b == nil {
		b = new(bucketSum)
		sums[k] = b
	}
	return b
}

// mergePoints adds the statistics and distributions of the uses' points.
func (s *snapshot) mergePoints(ctx context.Context, f *dayFile, queries []store.MetricQuery, uses []seriesUse, sums map[bucketKey]*bucketSum) error {
	statement, args := pointsQuery(f, queries, uses,
		"u.use, "+bucketIndex+" AS b, p.count, p.sum, p.min, p.max, p.dist", "")
	var scratch cloudwatch.Distribution
	return s.queryValues(ctx, statement, args, func(row []driver.Value) (bool, error) {
		b, st := rowBucket(row, queries, uses, sums)
		b.addStats(st)
		blob, ok := row[6].([]byte)
		switch {
		case !ok && st.Minimum == st.Maximum:
			// The most frequent case, without an allocation.
			if v, uniform := st.Uniform(); uniform {
				b.known().Add(v, st.SampleCount)
			} else {
				b.unknown = true
			}
		case !ok:
			b.addDist(st.Distribution())
		default:
			if err := scratch.UnmarshalBinary(blob); err != nil {
				return false, fmt.Errorf("distribution: %w", err)
			}
			b.known().Merge(&scratch)
		}
		return true, nil
	})
}
