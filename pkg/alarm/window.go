// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"slices"
	"time"
)

// Window is the periods that an evaluation looks at.
type Window struct {
	Period int64 // seconds; of wall-clock windows the nominal length
	// Starts are where the periods begin, Unix seconds, oldest first. Each ends where the next begins, the newest at End.
	Starts []int64
	End    int64
}

// even is whether all periods have the nominal length.
func (w *Window) even() bool {
	next := w.End
	for _, start := range slices.Backward(w.Starts) {
		if next-start != w.Period {
			return false
		}
		next = start
	}
	return true
}

// Lengths of time in seconds.
const (
	minute = 60
	hour   = 60 * minute
	day    = 24 * hour
	week   = 7 * day
)

const (
	// scalarLag is how long an alarm on a metric waits for data before it looks at a period.
	scalarLag = 10
	// insightsRange is the oldest data that an alarm on a Metrics Insights query sees.
	insightsRange = 3 * hour
)

// schedule is when a rule is evaluated and over which periods.
type schedule struct {
	period   int64
	length   int   // periods of the window
	lag      int64 // seconds
	grid     int64 // what the end of a sliding window is a multiple of
	interval time.Duration
	calendar *time.Location // of a wall-clock window, nil for a sliding one
}

func newSchedule(period, evaluationPeriods int64, expression, insights bool, calendar *time.Location) schedule {
	s := schedule{period: period, grid: minute, interval: time.Minute, calendar: calendar}
	// Two periods more than are evaluated are there for data that is missing, a minute more for short periods.
	extra := int64(2)
	switch {
	case period < minute:
		s.grid, s.interval, extra = period, 10*time.Second, minute/period
	case period*evaluationPeriods > day:
		s.grid, s.interval = hour, time.Hour
	}
	if !expression && s.grid != hour {
		s.lag = scalarLag
	}
	n := evaluationPeriods + extra
	if insights {
		n = min(n, max(insightsRange/period, 1))
	}
	s.length = int(n)
	return s
}

// Window is the window of an evaluation at a time.
func (r *Rule) Window(now time.Time) Window {
	var w Window
	r.WindowInto(now, &w)
	return w
}

// WindowInto is [Rule.Window] into w, whose Starts it overwrites: without an allocation when they are long enough.
func (r *Rule) WindowInto(now time.Time, w *Window) {
	s := &r.schedule
	w.Period = s.period
	w.Starts = slices.Grow(w.Starts[:0], s.length)[:s.length]
	at := now.Unix() - s.lag
	if s.calendar != nil {
		c := calendar{location: s.calendar, period: s.period}
		w.End = c.floor(at)
		start := w.End
		for i := range s.length {
			start = c.floor(start - 1)
			w.Starts[s.length-1-i] = start
		}
		return
	}
	w.End = floor(at, s.grid)
	start := w.End
	for i := s.length - 1; i >= 0; i-- {
		start -= s.period
		w.Starts[i] = start
	}
}

// floor is the multiple of step at or before v.
func floor(v, step int64) int64 { return v - ((v%step)+step)%step }
