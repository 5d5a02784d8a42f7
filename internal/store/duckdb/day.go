// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"fmt"
	"time"
)

// signal is a kind of telemetry; each has its own files.
type signal uint8

const (
	signalLogs signal = iota
	signalMetrics
	signalTraces
	signals // how many there are
)

func (s signal) String() string {
	switch s {
	case signalLogs:
		return "logs"
	case signalMetrics:
		return "metrics"
	case signalTraces:
		return "traces"
	}
	return fmt.Sprintf("signal(%d)", uint8(s))
}

// day is a UTC day, counted from 1970-01-01.
type day int32

const (
	msPerDay = 24 * 60 * 60 * 1000
	nsPerDay = msPerDay * 1_000_000
	sPerDay  = msPerDay / 1000

	// The days that may have a file. The last one ends before nanoseconds since 1970 overflow an int64.
	minDay day = 0
	maxDay day = 106_000 // in the year 2260
)

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func clampDay(n int64) day { return day(min(max(n, int64(minDay)), int64(maxDay))) }

func dayOfMs(ms int64) day { return day(clampRange(floorDiv(ms, msPerDay))) }
func dayOfNs(ns int64) day { return day(clampRange(floorDiv(ns, nsPerDay))) }

// clampRange keeps days that are out of bounds distinguishable (they are refused on writing) without overflow.
func clampRange(n int64) int64 { return min(max(n, int64(minDay)-1), int64(maxDay)+1) }

func (d day) startMs() int64 { return int64(d) * msPerDay }

func (d day) start() time.Time { return time.Unix(int64(d)*sPerDay, 0).UTC() }

func (d day) String() string { return d.start().Format(time.DateOnly) }

func (d day) valid() bool { return d >= minDay && d <= maxDay }

func parseDay(s string) (day, bool) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, false
	}
	d := day(clampRange(floorDiv(t.Unix(), sPerDay)))
	return d, d.valid()
}

// daysOfMs is the first and last day that the half-open range of Unix milliseconds touches.
func daysOfMs(start, end int64) (first, last day) {
	return clampDay(floorDiv(start, msPerDay)), clampDay(floorDiv(end-1, msPerDay))
}
