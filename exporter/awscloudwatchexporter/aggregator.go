// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awscloudwatchexporter

import (
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// aggregator merges the samples of each series and period.
type aggregator struct {
	interval   time.Duration
	delay      time.Duration
	statistics bool // keep no distributions

	mu      sync.Mutex
	periods map[string]*period
	key     []byte
}

// period is what was measured of a series in one period.
type period struct {
	key string
	cloudwatch.Metric
	unit       string
	resolution int32
	start      int64 // Unix seconds
	length     int64 // seconds
	opened     int64 // Unix ms of the clock

	// known are the samples whose distribution is known, other those that came as statistic sets. When no distributions
	// are kept, known has all.
	known, other cloudwatch.StatisticSet
	values       cloudwatch.Distribution
}

func newAggregator(interval, delay time.Duration, statistics bool) *aggregator {
	return &aggregator{
		interval: interval, delay: delay, statistics: statistics, periods: make(map[string]*period),
	}
}

// size is the number of periods that are open.
func (a *aggregator) size() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.periods)
}

func (a *aggregator) add(data []cloudwatch.Datum, nowMs int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range data {
		a.addOne(&data[i], nowMs)
	}
}

func (a *aggregator) addOne(d *cloudwatch.Datum, nowMs int64) {
	length := max(int64(a.interval/time.Second), 1)
	if d.StorageResolution == 1 {
		length = 1
	}
	start := d.TimestampMs / 1000 / length * length
	a.key = appendPeriodKey(a.key[:0], &d.Metric, d.Unit, d.StorageResolution, start)
	p, ok := a.periods[string(a.key)]
	if !ok {
		p = &period{
			key: string(a.key), Metric: d.Metric, unit: d.Unit, resolution: d.StorageResolution,
			start: start, length: length, opened: nowMs,
		}
		// Dimensions of one call share memory that a long-lived period must not hold.
		p.Dimensions = slices.Clone(d.Dimensions)
		a.periods[p.key] = p
	}
	p.add(d, a.statistics)
}

func appendPeriodKey(b []byte, m *cloudwatch.Metric, unit string, resolution int32, start int64) []byte {
	b = m.AppendKey(b)
	b = append(b, 0, 2) // no string of a key ends like this
	b = append(b, unit...)
	b = append(b, 0, byte(resolution))
	return binary.BigEndian.AppendUint64(b, uint64(start))
}

func (p *period) add(d *cloudwatch.Datum, statistics bool) {
	switch {
	case statistics:
		d.AddTo(&p.known, nil)
	case d.Statistics != nil:
		if _, ok := d.Statistics.Uniform(); ok {
			d.AddTo(&p.known, &p.values)
		} else {
			p.other.Merge(*d.Statistics)
		}
	default:
		d.AddTo(&p.known, &p.values)
	}
}

// merge adds the samples of another period.
func (p *period) merge(q *period) {
	p.known.Merge(q.known)
	p.other.Merge(q.other)
	p.values.Merge(&q.values)
}

// take removes the periods that are over, or all, in the order of their keys.
func (a *aggregator) take(now time.Time, all bool) (closed []*period) {
	a.mu.Lock()
	defer a.mu.Unlock()
	nowMs := now.UnixMilli()
	for key, p := range a.periods {
		// A period of the future is not waited for longer than one of the present.
		due := min((p.start+p.length)*1000, p.opened+a.interval.Milliseconds()) + a.delay.Milliseconds()
		if all || due <= nowMs {
			closed = append(closed, p)
			delete(a.periods, key)
		}
	}
	slices.SortFunc(closed, func(p, q *period) int { return strings.Compare(p.key, q.key) })
	return closed
}

// export returns the data of the periods that are open, which make the same periods when they are added again.
func (a *aggregator) export() (data []cloudwatch.Datum) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range a.periods {
		data = p.appendData(data, maxValuesPerDatum)
	}
	return data
}
