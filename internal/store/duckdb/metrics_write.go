// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"
	driver "github.com/duckdb/duckdb-go/v2"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// metricRow is a datum on its way to its day.
type metricRow struct {
	tenant store.Tenant
	datum  *cloudwatch.Datum
	// id identifies metric, unit and resolution together.
	id seriesID
	// period is the beginning of the period that the datum belongs to, Unix seconds.
	period int64
}

// seriesID is a 128-bit hash of everything that makes a series; with a million series in a day the chance of two being
// the same is 1 in 10^26.
type seriesID struct{ hi, lo uint64 }

// metricRowBytes is what a datum takes in memory while it waits.
const metricRowBytes = 200

const minResolution, maxResolution = 1, 60

// WriteMetrics adds the data to the periods that they belong to: of one second at a storage resolution of 1, else of one
// minute. See [Engine.WriteLogs] for what happens when ctx ends.
func (e *Engine) WriteMetrics(ctx context.Context, tenant store.Tenant, data []cloudwatch.Datum) error {
	if len(data) == 0 {
		return nil
	}
	rows := make([]metricRow, len(data))
	var key []byte
	for i := range data {
		d := &data[i]
		if err := checkDatum(d); err != nil {
			return fmt.Errorf("metric datum %d (%s, %s): %w", i, d.Namespace, d.Name, err)
		}
		r := &rows[i]
		r.tenant, r.datum = tenant, d
		r.period = floorDiv(floorDiv(d.TimestampMs, 1000), int64(d.StorageResolution)) * int64(d.StorageResolution)
		key, r.id = appendSeriesID(key[:0], tenant, d)
	}
	return e.writeParts(ctx, signalMetrics, len(rows), splitDays(rows,
		func(r *metricRow) day { return dayOfMs(r.datum.TimestampMs) },
		func(rows []metricRow) *writeRequest {
			n := int64(len(rows)) * metricRowBytes
			for i := range rows {
				n += 16 * int64(len(rows[i].datum.Values))
			}
			return newWriteRequest(len(rows), n, rows)
		}))
}

func checkDatum(d *cloudwatch.Datum) error {
	switch {
	case !dayOfMs(d.TimestampMs).valid():
		return fmt.Errorf("timestamp %d is not between 1970 and 2260", d.TimestampMs)
	case d.StorageResolution != minResolution && d.StorageResolution != maxResolution:
		return fmt.Errorf("storage resolution %d is not 1 or 60", d.StorageResolution)
	case len(d.Values) != len(d.Counts):
		return fmt.Errorf("%d values with %d counts", len(d.Values), len(d.Counts))
	}
	return nil
}

// appendMetricKey appends what identifies a metric within all accounts and regions.
func appendMetricKey(dst []byte, tenant store.Tenant, m *cloudwatch.Metric) []byte {
	dst = append(dst, tenant.Account...)
	dst = append(dst, 0)
	dst = append(dst, tenant.Region...)
	dst = append(dst, 0)
	return m.AppendKey(dst)
}

func appendSeriesID(dst []byte, tenant store.Tenant, d *cloudwatch.Datum) ([]byte, seriesID) {
	dst = appendMetricKey(dst, tenant, &d.Metric)
	return appendSeriesTail(dst, d.Unit, d.StorageResolution)
}

func appendSeriesTail(dst []byte, unit string, resolution int32) ([]byte, seriesID) {
	dst = append(dst, unit...)
	dst = append(dst, 0, byte(resolution))
	id := seriesID{lo: xxhash.Sum64(dst)}
	dst = append(dst, 1)
	var h xxhash.Digest
	h.ResetWithSeed(0x9e3779b97f4a7c15)
	_, _ = h.Write(dst)
	id.hi = h.Sum64()
	return dst, id
}

// metricSink rolls data up and writes the periods.
type metricSink struct {
	e      *Engine
	file   *dayFile
	series map[seriesID]int32
	fresh  []seriesID // of the commit that is on its way
	points map[pointKey]*point
	order  []pointKey
	pool   []*point
	blob   []byte
}

type pointKey struct {
	series int32
	period int64
}

type point struct {
	stats cloudwatch.StatisticSet
	dist  cloudwatch.Distribution
}

func newMetricSink(e *Engine, f *dayFile) *metricSink {
	return &metricSink{e: e, file: f, series: map[seriesID]int32{}, points: map[pointKey]*point{}}
}

// open loads which series the file has.
func (s *metricSink) open(ctx context.Context, conn *sql.Conn, _ int64) (err error) {
	rows, err := conn.QueryContext(ctx, "SELECT id, account, region, key, unit, resolution FROM "+s.file.alias+".series") //nolint:gosec // the alias is a date
	if err != nil {
		return err
	}
	defer func() {
		if cerr := rows.Close(); err == nil {
			err = cerr
		}
	}()
	var buf []byte
	for rows.Next() {
		var id, resolution int32
		var t store.Tenant
		var key sql.RawBytes
		var unit string
		if err := rows.Scan(&id, &t.Account, &t.Region, &key, &unit, &resolution); err != nil {
			return err
		}
		buf = append(buf[:0], t.Account...)
		buf = append(buf, 0)
		buf = append(buf, t.Region...)
		buf = append(buf, 0)
		buf = append(buf, key...)
		var sid seriesID
		buf, sid = appendSeriesTail(buf, unit, resolution)
		s.series[sid] = id
	}
	return rows.Err()
}

func (s *metricSink) append(conn *driver.Conn, _ int64, batch []*writeRequest) (rows int, err error) {
	s.fresh = s.fresh[:0]
	if err := s.rollUp(conn, batch); err != nil {
		return 0, err
	}
	appender, err := driver.NewAppender(conn, s.file.alias, "", "points")
	if err != nil {
		return 0, err
	}
	for _, k := range s.order {
		if err := s.appendPoint(appender, k, s.points[k]); err != nil {
			return 0, errors.Join(err, appender.Close())
		}
	}
	n := len(s.order)
	return n, appender.Close()
}

// rollUp merges the data by series and period, and writes the series that are new.
func (s *metricSink) rollUp(conn *driver.Conn, batch []*writeRequest) (err error) {
	s.recycle()
	var appender *driver.Appender
	defer func() {
		if appender != nil {
			err = errors.Join(err, appender.Close())
		}
	}()
	for _, r := range batch {
		rows := r.payload.([]metricRow)
		for i := range rows {
			row := &rows[i]
			id, ok := s.series[row.id]
			if !ok {
				if appender == nil {
					if appender, err = driver.NewAppender(conn, s.file.alias, "", "series"); err != nil {
						return err
					}
				}
				if id, err = s.addSeries(appender, row); err != nil {
					return err
				}
			}
			k := pointKey{id, row.period}
			p := s.points[k]
			if p == nil {
				p = s.newPoint()
				s.points[k] = p
				s.order = append(s.order, k)
			}
			p.add(row.datum)
		}
	}
	return nil
}

func (s *metricSink) recycle() {
	for _, k := range s.order {
		if len(s.pool) < 1<<14 {
			s.pool = append(s.pool, s.points[k])
		}
	}
	clear(s.points)
	s.order = s.order[:0]
}

func (s *metricSink) newPoint() *point {
	if n := len(s.pool); n > 0 {
		p := s.pool[n-1]
		s.pool = s.pool[:n-1]
		p.stats = cloudwatch.StatisticSet{}
		p.dist.Reset()
		return p
	}
	return new(point)
}

func (p *point) add(d *cloudwatch.Datum) {
	d.AddTo(&p.stats, &p.dist)
}

func (s *metricSink) addSeries(appender *driver.Appender, row *metricRow) (int32, error) {
	if len(s.series) >= s.e.cfg.MaxSeriesPerDay {
		return 0, fmt.Errorf("metric %s of %s: %s has %d series already, the limit of a day", row.datum.Name, row.datum.Namespace,
			s.file.path, len(s.series))
	}
	id := int32(len(s.series))
	d := row.datum
	key := d.AppendKey(nil)
	err := appender.AppendRow(id, validUTF8(row.tenant.Account), validUTF8(row.tenant.Region), validUTF8(d.Namespace), validUTF8(d.Name),
		dimensionsJSON(d.Dimensions), validUTF8(d.Unit), int16(d.StorageResolution), metricHash(row.tenant, &d.Metric), key)
	if err != nil {
		return 0, err
	}
	s.series[row.id] = id
	s.fresh = append(s.fresh, row.id)
	return id, nil
}

// metricHash finds a metric in the series table.
func metricHash(tenant store.Tenant, m *cloudwatch.Metric) uint64 {
	var buf [512]byte
	return xxhash.Sum64(appendMetricKey(buf[:0], tenant, m))
}

func (s *metricSink) appendPoint(appender *driver.Appender, k pointKey, p *point) error {
	var blob any
	if storeDistribution(&p.stats, &p.dist) {
		var err error
		if s.blob, err = p.dist.AppendBinary(s.blob[:0]); err != nil {
			return err
		}
		blob = s.blob
	}
	return appender.AppendRow(k.series, time.Unix(k.period, 0).UTC(), p.stats.SampleCount, p.stats.Sum, p.stats.Minimum,
		p.stats.Maximum, sqldriver.Value(blob))
}

// storeDistribution reports whether the distribution tells something that the statistics do not imply: it has samples that
// are not those of statistic sets alone.
func storeDistribution(s *cloudwatch.StatisticSet, d *cloudwatch.Distribution) bool {
	// Two half samples look like one between them, so that equal bounds are asked for.
	if _, uniform := s.Uniform(); uniform && s.Minimum == s.Maximum {
		return false
	}
	return d.Complete() || d.Len() > 0
}

func (s *metricSink) committed(firstRow int64) {
	s.fresh = s.fresh[:0]
	s.e.settleSoon(s.file, firstRow+int64(len(s.order)))
}

// aborted forgets the series that the rolled back transaction made.
func (s *metricSink) aborted() {
	for _, id := range s.fresh {
		delete(s.series, id)
	}
	s.fresh = s.fresh[:0]
}

func (s *metricSink) close() {}
