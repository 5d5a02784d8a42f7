// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// muteCron is a cron expression of five fields. Each field is a set of bits.
type muteCron struct {
	minutes, hours, days, months, weekdays uint64
	// As in every cron, a day matches when either field does, if both name some.
	anyDay, anyWeekday, anyHour bool
}

type cronField struct {
	name     string
	min, max int
	names    []string // of min, min+1 …
}

var cronFields = [5]cronField{
	{name: "Minutes", max: 59},
	{name: "Hours", max: 23},
	{name: "Day-of-month", min: 1, max: 31},
	{name: "Month", min: 1, max: 12, names: []string{
		"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
	}},
	{name: "Day-of-week", max: 7, names: []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}},
}

const muteAtLayout = "2006-01-02T15:04"

// parseMuteExpression reads cron(…) or at(…).
func parseMuteExpression(text string, location *time.Location) (*muteCron, time.Time, error) {
	body, closed := strings.CutSuffix(text, ")")
	if inside, ok := strings.CutPrefix(body, "at("); ok && closed {
		at, err := time.ParseInLocation(muteAtLayout, inside, location)
		// Only the canonical spelling is one: the layout alone lets some others pass.
		if err != nil || len(inside) != len(muteAtLayout) {
			return nil, at, muteError("Expression %q must be at(yyyy-MM-ddTHH:mm)", text)
		}
		return nil, at, nil
	}
	inside, ok := strings.CutPrefix(body, "cron(")
	if !ok || !closed {
		return nil, time.Time{}, muteError("Expression %q must be cron(…) or at(…)", text)
	}
	cron, err := parseCron(inside)
	return cron, time.Time{}, err
}

func parseCron(text string) (*muteCron, error) {
	fields := strings.Fields(text)
	if len(fields) != len(cronFields) {
		return nil, muteError("Expression cron(%s) must have 5 fields: Minutes Hours Day-of-month Month Day-of-week", text)
	}
	var sets [len(cronFields)]uint64
	for i := range cronFields {
		var err error
		if sets[i], err = cronFields[i].parse(fields[i]); err != nil {
			return nil, err
		}
	}
	c := &muteCron{minutes: sets[0], hours: sets[1], days: sets[2], months: sets[3], weekdays: sets[4]}
	c.anyHour, c.anyDay, c.anyWeekday = fields[1] == "*", fields[2] == "*", fields[4] == "*"
	if c.weekdays&(1<<7) != 0 { // both 0 and 7 are Sunday
		c.weekdays = c.weekdays&^(1<<7) | 1
	}
	return c, nil
}

func (f *cronField) parse(text string) (uint64, error) {
	if text == "*" {
		return cronRange(f.min, f.max), nil
	}
	var set uint64
	for part := range strings.SplitSeq(text, ",") {
		low, high, isRange := strings.Cut(part, "-")
		from, ok := f.value(low)
		to := from
		if isRange && ok {
			to, ok = f.value(high)
		}
		if !ok || from > to {
			return 0, muteError("Value %q of field %s is not a number from %d to %d, a name, a range of two, or *", part, f.name, f.min, f.max)
		}
		set |= cronRange(from, to)
	}
	return set, nil
}

func (f *cronField) value(text string) (int, bool) {
	for i, name := range f.names {
		if strings.EqualFold(text, name) {
			return f.min + i, true
		}
	}
	n, err := strconv.ParseUint(text, 10, 8)
	return int(n), err == nil && int(n) >= f.min && int(n) <= f.max
}

func cronRange(from, to int) uint64 {
	return (math.MaxUint64 >> (63 - to + from)) << from
}

func (c *muteCron) matchesDay(t time.Time) bool {
	if c.months&(1<<t.Month()) == 0 {
		return false
	}
	day, weekday := c.days&(1<<t.Day()) != 0, c.weekdays&(1<<t.Weekday()) != 0
	if c.anyDay || c.anyWeekday {
		return day && weekday
	}
	return day || weekday
}

// latest is the latest time of the schedule at or before t, no further back than within. A time that the clock leaves out
// in spring does not come; one that it repeats in autumn comes once, unless the hours are all.
func (c *muteCron) latest(t time.Time, within time.Duration) (time.Time, bool) {
	end := t.Add(-within)
	t = t.Truncate(time.Minute)
	for !t.Before(end) {
		switch {
		case !c.matchesDay(t):
			t = stepBack(t, time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location()).Add(-time.Minute))
		case c.hours&(1<<t.Hour()) == 0:
			t = t.Add(-time.Duration(t.Minute()+1) * time.Minute)
		default:
			back := c.minutesBack(t.Minute())
			if back == 0 && (c.anyHour || !repeated(t)) {
				return t, true
			}
			t = t.Add(-time.Duration(max(back, 1)) * time.Minute)
		}
	}
	return t, false
}

// minutesBack is how many minutes it is back to one that matches, or to the hour before.
func (c *muteCron) minutesBack(minute int) int {
	before := c.minutes & (math.MaxUint64 >> (63 - minute))
	if before == 0 {
		return minute + 1
	}
	return minute - (63 - bits.LeadingZeros64(before))
}

// stepBack is to, or an hour before t where the calendar does not go back: clocks that change at midnight.
func stepBack(t, to time.Time) time.Time {
	if to.Before(t) {
		return to
	}
	return t.Add(-time.Hour)
}

// repeated reports whether the clock showed the same time before.
func repeated(t time.Time) bool {
	first := t.Add(-time.Hour)
	return first.Hour() == t.Hour() && first.Minute() == t.Minute() && first.Day() == t.Day()
}

// parseMuteDuration reads a duration of ISO 8601 in days, hours and minutes: P15D, PT1M, P2DT12H. Weeks, seconds and
// fractions are read, too; years and months have no length.
func parseMuteDuration(text string) (time.Duration, error) {
	bad := func() (time.Duration, error) {
		return 0, muteError("Duration %q is not of ISO 8601, from PT1M to P15D", text)
	}
	rest, ok := strings.CutPrefix(text, "P")
	if !ok || rest == "" {
		return bad()
	}
	var total time.Duration
	units, inTime := "WD", false
	for rest != "" {
		if after, isTime := strings.CutPrefix(rest, "T"); isTime && !inTime && after != "" {
			rest, units, inTime = after, "HMS", true
			continue
		}
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if digits == 0 || digits > 9 || digits == len(rest) {
			return bad()
		}
		n, _ := strconv.ParseInt(rest[:digits], 10, 64) // at most nine digits
		at := strings.IndexByte(units, rest[digits])
		if at < 0 {
			return bad()
		}
		unit := muteUnits[units[at]]
		if inTime {
			unit = muteTimeUnits[units[at]]
		}
		units, rest = units[at+1:], rest[digits+1:] // each unit once, the greatest first
		if total += time.Duration(n) * unit; total < 0 || total > maxMuteWindow*2 || n > int64(maxMuteWindow/time.Second)*2 {
			return 0, muteError("Duration %q must be from PT1M to P15D", text)
		}
	}
	return total, nil
}

var (
	muteUnits     = map[byte]time.Duration{'W': 7 * 24 * time.Hour, 'D': 24 * time.Hour}
	muteTimeUnits = map[byte]time.Duration{'H': time.Hour, 'M': time.Minute, 'S': time.Second}
)
