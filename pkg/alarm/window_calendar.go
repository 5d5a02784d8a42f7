// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"strings"
	"time"
)

// calendar is the boundaries of wall-clock periods: whole minutes, five minutes and hours of the clock on the wall, local
// midnight, and Monday's midnight. When clocks are changed, a day has 23 or 25 hours.
type calendar struct {
	location *time.Location
	period   int64
}

// offsetStep is what offsets of time zones are multiples of.
const offsetStep = 5 * minute

// wallClockPeriod is whether a wall-clock window can have the period.
func wallClockPeriod(period int64) bool {
	switch period {
	case minute, 5 * minute, hour, day, week:
		return true
	}
	return false
}

// floor is the boundary at or before a time.
func (c calendar) floor(at int64) int64 {
	switch c.period {
	case hour:
		return c.hour(at)
	case day:
		return c.midnight(at, 0)
	case week:
		local := time.Unix(at, 0).In(c.location)
		return c.midnight(at, (int(local.Weekday())+6)%7)
	}
	return floor(at, c.period) // offsets are multiples of it
}

// hour walks back to where the clock shows a whole hour. It is a step, unless the clocks were changed by half an hour.
func (c calendar) hour(at int64) int64 {
	_, offset := time.Unix(at, 0).In(c.location).Zone()
	if whole := floor(at+int64(offset), hour) - int64(offset); c.offset(whole) == offset {
		return whole
	}
	for at = floor(at, offsetStep); (at+int64(c.offset(at)))%hour != 0; at -= offsetStep {
	}
	return at
}

func (c calendar) offset(at int64) int {
	_, offset := time.Unix(at, 0).In(c.location).Zone()
	return offset
}

// midnight is the first moment of the local day which is some days before that of a time.
func (c calendar) midnight(at int64, before int) int64 {
	local := time.Unix(at, 0).In(c.location)
	year, month, date := local.Date()
	t := time.Date(year, month, date-before, 0, 0, 0, 0, c.location)
	year, month, date = time.Date(year, month, date-before, 12, 0, 0, 0, time.UTC).Date()
	if y, m, d := t.Date(); y != year || m != month || d != date {
		// Clocks skip midnight: the day begins when they do.
		if _, end := t.ZoneBounds(); !end.IsZero() {
			return end.Unix()
		}
	}
	// Clocks may show midnight twice, or skip to a time behind it: the day begins with the first of both.
	start, _ := t.ZoneBounds()
	if !start.IsZero() {
		earlier := start.Add(-time.Second)
		_, was := earlier.Zone()
		_, is := t.Zone()
		twice := t.Add(time.Duration(is-was) * time.Second)
		if y, m, d := twice.Date(); twice.Before(t) && y == year && m == month && d == date && twice.Before(start) {
			return twice.Unix()
		}
		if y, m, d := start.Date(); start.Before(t) && y == year && m == month && d == date {
			return start.Unix()
		}
	}
	return t.Unix()
}

// loadLocation reads the time zone of a wall-clock window: a name of the IANA database, an offset (+05:30), or UTC with one.
func loadLocation(name string) (*time.Location, bool) {
	if name == "" || name == "UTC" {
		return time.UTC, true
	}
	digits := name
	for _, prefix := range []string{"UTC", "GMT", "UT"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && rest != "" && (rest[0] == '+' || rest[0] == '-') {
			digits = rest
			break
		}
	}
	if digits[0] == '+' || digits[0] == '-' {
		return fixedZone(name, digits)
	}
	if name == "Local" {
		return nil, false // that of this machine
	}
	location, err := time.LoadLocation(name)
	if err != nil {
		return nil, false
	}
	return location, true
}

// fixedZone reads +HH:MM, +HHMM or +HH.
func fixedZone(name, offset string) (*time.Location, bool) {
	for _, layout := range []string{"-07:00", "-0700", "-07"} {
		t, err := time.Parse(layout, offset)
		if err != nil {
			continue
		}
		_, seconds := t.Zone()
		if seconds%offsetStep != 0 || seconds < -18*hour || seconds > 18*hour {
			return nil, false
		}
		return time.FixedZone(name, seconds), true
	}
	return nil, false
}
