// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Statistic is what is read of a period: one of the five numbers that CloudWatch always has, or one of its samples'
// distribution.
type Statistic struct {
	name string // as the client spelled it
	kind statisticKind
	// low and high are the bounds of a trimmed statistic, infinite when open; p is the percentile.
	low, high, p float64
	percent      bool // the bounds are percentiles, not values
}

type statisticKind int

const (
	kindSampleCount statisticKind = iota
	kindSum
	kindAverage
	kindMinimum
	kindMaximum
	kindPercentile
	kindTrimmedMean
	kindTrimmedCount
	kindTrimmedSum
	kindWinsorizedMean
	kindPercentRank
)

var plainStatistics = map[string]statisticKind{
	"SampleCount": kindSampleCount,
	"Sum":         kindSum,
	"Average":     kindAverage,
	"Minimum":     kindMinimum,
	"Maximum":     kindMaximum,
}

var trimmedStatistics = map[string]statisticKind{
	"tm": kindTrimmedMean,
	"tc": kindTrimmedCount,
	"ts": kindTrimmedSum,
	"wm": kindWinsorizedMean,
	"pr": kindPercentRank,
}

var (
	shortStatistic = regexp.MustCompile(`^(p|tm|tc|ts|wm)(\d{1,2}(?:\.\d{0,10})?|100(?:\.0{0,10})?)$`)
	longStatistic  = regexp.MustCompile(`^(TM|TC|TS|WM|PR)\(([^:()]*):([^:()]*)\)$`)
	percentBound   = regexp.MustCompile(`^(\d{1,2}(?:\.\d{0,10})?|100(?:\.0{0,10})?)%$`)
	valueBound     = regexp.MustCompile(`^-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?$`)
)

// ParseStatistic reads a statistic in any documented spelling: SampleCount, p99.9, TM(10%:90%), IQM. ok is false for what
// is none.
func ParseStatistic(name string) (s Statistic, ok bool) {
	s = Statistic{name: name, low: math.Inf(-1), high: math.Inf(1)}
	if kind, plain := plainStatistics[name]; plain {
		s.kind = kind
		return s, true
	}
	if name == "IQM" {
		s.kind, s.low, s.high, s.percent = kindTrimmedMean, 25, 75, true
		return s, true
	}
	if m := shortStatistic.FindStringSubmatch(name); m != nil {
		n, _ := strconv.ParseFloat(m[2], 64) // the expression holds numbers only
		if m[1] == "p" {
			s.kind, s.p = kindPercentile, n
			return s, true
		}
		s.kind, s.low, s.high, s.percent = trimmedStatistics[m[1]], 0, n, true
		return s, n > 0
	}
	if m := longStatistic.FindStringSubmatch(name); m != nil {
		s.kind = trimmedStatistics[strings.ToLower(m[1])]
		return s, s.parseBounds(m[2], m[3])
	}
	return s, false
}

// parseBounds reads the bounds of TM(low:high). One may be omitted; both are percentiles or both are values.
func (s *Statistic) parseBounds(low, high string) bool {
	s.percent = strings.HasSuffix(low, "%") || strings.HasSuffix(high, "%")
	bound := valueBound
	if s.percent {
		bound, s.low, s.high = percentBound, 0, 100
	}
	for _, b := range []struct {
		text string
		to   *float64
	}{{low, &s.low}, {high, &s.high}} {
		if b.text == "" {
			continue
		}
		if !bound.MatchString(b.text) {
			return false
		}
		v, err := strconv.ParseFloat(strings.TrimSuffix(b.text, "%"), 64)
		if err != nil {
			return false
		}
		*b.to = v
	}
	if s.percent && s.kind == kindPercentRank {
		return false
	}
	return low+high != "" && s.low < s.high
}

// String is the statistic as it was spelled.
func (s *Statistic) String() string { return s.name }

// Percentile is whether the statistic is one of pNN.
func (s *Statistic) Percentile() (p float64, ok bool) { return s.p, s.kind == kindPercentile }

// Basic is whether the statistic needs no distribution.
func (s *Statistic) Basic() bool { return s.kind <= kindMaximum }

// Of is the statistic of a period with these numbers and, when it is known, this distribution. ok is false when CloudWatch
// would have no value for it.
func (s *Statistic) Of(b *StatisticSet, d *Distribution) (value float64, ok bool) {
	switch s.kind {
	case kindSampleCount:
		return b.SampleCount, true
	case kindSum:
		return b.Sum, true
	case kindAverage:
		return b.Sum / b.SampleCount, b.SampleCount != 0
	case kindMinimum:
		return b.Minimum, true
	case kindMaximum:
		return b.Maximum, true
	case kindPercentile:
		// The ends need no distribution: they are known of statistic sets and of negative samples, too.
		switch {
		case b.SampleCount < 1:
			return 0, false
		case s.p == 0:
			return b.Minimum, true
		case s.p == 100:
			return b.Maximum, true
		case d == nil:
			return 0, false
		}
		return d.Percentile(s.p)
	}
	return s.trimmed(d)
}

func (s *Statistic) trimmed(d *Distribution) (value float64, ok bool) {
	if d == nil {
		return 0, false
	}
	r := d.ByValue(s.low, s.high)
	if s.percent {
		if r, ok = d.ByPercent(s.low, s.high); !ok {
			return 0, false
		}
	}
	all := r.Below + r.Inside + r.Above
	if all == 0 {
		return 0, false
	}
	switch s.kind {
	case kindTrimmedMean:
		return r.Sum / r.Inside, r.Inside > 0
	case kindTrimmedCount:
		return r.Inside, true
	case kindTrimmedSum:
		return r.Sum, true
	case kindWinsorizedMean:
		return (r.Sum + r.Below*r.Low + r.Above*r.High) / all, true
	case kindPercentRank:
		return 100 * r.Inside / all, true
	}
	return 0, false
}
