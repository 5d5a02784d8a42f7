// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"strconv"
	"strings"
	"time"
)

// Period is a length of time as queries write it, with the caps that CloudWatch Logs puts on it:
// 1000 ms, 60 s, 60 m and 24 h. bin(300s) therefore means bin(60s).
type Period struct {
	N    int64
	Unit string // ms s m h d w mo q y
	src  string
}

func (p Period) String() string {
	if p.src != "" {
		return p.src
	}
	return strconv.FormatInt(p.N, 10) + p.Unit
}

var periodUnits = map[string]string{
	"ms": "ms", "msec": "ms", "millisecond": "ms",
	"s": "s", "sec": "s", "second": "s",
	"m": "m", "min": "m", "minute": "m",
	"h": "h", "hr": "h", "hour": "h",
	"d": "d", "day": "d",
	"w": "w", "week": "w",
	"mo": "mo", "mon": "mo", "month": "mo",
	"q": "q", "qtr": "q", "quarter": "q",
	"y": "y", "yr": "y", "year": "y",
}

// parsePeriod reads 5m, 1hr, 2mins …
func parsePeriod(text string) (Period, bool) {
	i := 0
	for i < len(text) && isDigit(text[i]) {
		i++
	}
	n, err := strconv.ParseInt(text[:i], 10, 32)
	if err != nil || n <= 0 {
		return Period{}, false
	}
	name := strings.ToLower(text[i:])
	unit, ok := periodUnits[name]
	if !ok && len(name) > 2 && strings.HasSuffix(name, "s") {
		// A plural s is for units of several letters.
		unit, ok = periodUnits[name[:len(name)-1]]
	}
	if !ok {
		return Period{}, false
	}
	p := Period{N: n, Unit: unit, src: text}
	switch unit {
	case "ms":
		p.N = min(n, 1000)
	case "s", "m":
		p.N = min(n, 60)
	case "h":
		p.N = min(n, 24)
	}
	return p, true
}

// fixedMs is the length in milliseconds, or 0 when it depends on the calendar. Weeks are of the
// calendar, because the Unix epoch was a Thursday and weeks here begin on Monday, as in ISO 8601.
func (p Period) fixedMs() int64 {
	switch p.Unit {
	case "ms":
		return p.N
	case "s":
		return p.N * 1000
	case "m":
		return p.N * 60_000
	case "h":
		return p.N * 3_600_000
	case "d":
		return p.N * 86_400_000
	}
	return 0
}

const (
	weekMs = 7 * 86_400_000
	// firstMonday is 1970-01-05 in milliseconds.
	firstMonday = 4 * 86_400_000
)

// floor is the begin of the period that holds t, in Unix milliseconds, UTC.
func (p Period) floor(t int64) int64 {
	if fixed := p.fixedMs(); fixed > 0 {
		return floorTo(t, fixed)
	}
	switch p.Unit {
	case "w":
		return floorTo(t-firstMonday, p.N*weekMs) + firstMonday
	case "mo":
		return monthStart(floorTo(monthOf(t), p.N))
	case "q":
		return monthStart(floorTo(monthOf(t), 3*p.N))
	}
	return monthStart(floorTo(monthOf(t), 12*p.N)) // years
}

// ceil is the begin of the first period at or after t.
func (p Period) ceil(t int64) int64 {
	f := p.floor(t)
	if f == t {
		return t
	}
	switch {
	case p.fixedMs() > 0:
		return f + p.fixedMs()
	case p.Unit == "w":
		return f + p.N*weekMs
	case p.Unit == "mo":
		return monthStart(monthOf(f) + p.N)
	case p.Unit == "q":
		return monthStart(monthOf(f) + 3*p.N)
	}
	return monthStart(monthOf(f) + 12*p.N)
}

func floorTo(t, step int64) int64 {
	r := t % step
	if r < 0 {
		r += step
	}
	return t - r
}

// monthOf counts months since year 0.
func monthOf(ms int64) int64 {
	t := time.UnixMilli(ms).UTC()
	return int64(t.Year())*12 + int64(t.Month()) - 1
}

func monthStart(month int64) int64 {
	y := floorTo(month, 12) / 12
	return time.Date(int(y), time.Month(month-y*12+1), 1, 0, 0, 0, 0, time.UTC).UnixMilli()
}
