// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package anomaly

import (
	"math"
	"time"
)

const (
	hour = 3600
	day  = 24 * hour
	week = 7 * day

	hoursOfDay  = 24
	hoursOfWeek = 7 * hoursOfDay

	// Spans of history from which on there is a season of days, of weeks, and a trend.
	spanDaily       = 2 * day
	spanWeekly      = 13 * day
	spanTrendDaily  = 3 * day
	spanTrendWeekly = 8 * day

	// sigmaWeight is how many points of an hour the sigma of the whole history weighs.
	sigmaWeight = 30
	// leastSigma is the smallest sigma, as a part of the median magnitude of the metric.
	leastSigma = 1e-3
	// deviationOfNormal turns the median absolute deviation of normal noise into its standard deviation.
	deviationOfNormal = 1.4826
)

// Model says what to expect of a metric.
type Model struct {
	state  State
	period int64
	zone   *time.Location

	origin int64 // the time that the trend is measured from
	end    int64 // of the trend
	slope  float64
	// season is the mean by hour of the week, without the trend.
	season [hoursOfWeek]float64
	flat   bool // the season is the same at all times
	steps  bool // the season changes at the hour, not between the middles of hours
	sigma  [hoursOfDay]float64
	// spikes are what is expected beyond the season, by slot of the day.
	spikes map[int64]float64

	least, most float64 // logical bounds
}

// State is [StateTrained] when the model has a band.
func (m *Model) State() State { return m.state }

// Band is what the metric is expected to be within in the bucket that begins at the time (Unix seconds). ok is false when
// the model knows too little to say.
func (m *Model) Band(at int64, threshold float64) (lower, upper float64, ok bool) {
	if m == nil || m.state != StateTrained {
		return 0, 0, false
	}
	mean, sigma := m.expect(at)
	lower, upper = max(m.least, mean-threshold*sigma), min(m.most, mean+threshold*sigma)
	// A trend may lead out of the bounds.
	return min(lower, m.most), max(upper, m.least), lower-lower == 0 && upper-upper == 0
}

// Expected is the mean and the sigma of the bucket that begins at the time.
func (m *Model) Expected(at int64) (mean, sigma float64, ok bool) {
	if m == nil || m.state != StateTrained {
		return 0, 0, false
	}
	mean, sigma = m.expect(at)
	return mean, sigma, true
}

func (m *Model) expect(at int64) (mean, sigma float64) {
	local := m.local(at)
	mean = m.trend(at) + m.seasonal(local)
	if m.spikes != nil {
		mean += m.spikes[(local%day)/m.slot()]
	}
	return mean, m.sigma[local%day/hour]
}

// local is the second of the week, from Monday, in the model's time zone.
func (m *Model) local(at int64) int64 { return secondOfWeek(at, m.zone) }

func secondOfWeek(at int64, zone *time.Location) int64 {
	if zone != time.UTC {
		_, offset := time.Unix(at, 0).In(zone).Zone()
		at += int64(offset)
	}
	const monday = 4 * day // 1970-01-05
	return ((at-monday)%week + week) % week
}

func (m *Model) trend(at int64) float64 {
	return m.slope * float64(min(max(at, m.origin-day), m.end)-m.origin)
}

// seasonal interpolates between the middles of hours.
func (m *Model) seasonal(local int64) float64 {
	if m.flat {
		return m.season[0]
	}
	if m.steps {
		return m.season[local/hour]
	}
	// The bucket's own middle is what its value stands for.
	at := float64(local) + float64(min(m.period, hour))/2 - hour/2
	if at < 0 {
		at += week
	}
	h, part := math.Modf(at / hour)
	i := int(h) % hoursOfWeek
	return m.season[i]*(1-part) + m.season[(i+1)%hoursOfWeek]*part
}

// slot is the seconds of a step of the spikes.
func (m *Model) slot() int64 { return max(m.period, 60) }
