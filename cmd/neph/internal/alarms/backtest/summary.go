// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"time"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/alarms/plot"
	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// Summary is what transitions come to.
type Summary struct {
	// Alarms is how often the alarm went to ALARM, and Flaps how often it did so soon after it had left it.
	Alarms, Flaps int
	// In is the time in each state, LongestAlarm the longest in ALARM at once.
	In           map[alarm.State]time.Duration
	LongestAlarm time.Duration
	// State is the last one.
	State alarm.State
}

// Spans are the times in each state.
func Spans(list []Transition, from, to time.Time) []plot.Span {
	state, since := alarm.StateInsufficientData, from
	out := make([]plot.Span, 0, len(list)+1)
	for _, t := range list {
		if t.Time.After(since) {
			out = append(out, plot.Span{From: since, To: t.Time, State: state})
		}
		state, since = t.To, t.Time
	}
	return append(out, plot.Span{From: since, To: to, State: state})
}

func summarize(list []Transition, from, to time.Time, flapWithin time.Duration) Summary {
	s := Summary{In: map[alarm.State]time.Duration{}, State: alarm.StateInsufficientData}
	var left time.Time
	for _, t := range list {
		switch {
		case t.To == alarm.StateAlarm:
			s.Alarms++
			if !left.IsZero() && t.Time.Sub(left) < flapWithin {
				s.Flaps++
			}
		case t.From == alarm.StateAlarm:
			left = t.Time
		}
		s.State = t.To
	}
	for _, span := range Spans(list, from, to) {
		d := span.To.Sub(span.From)
		s.In[span.State] += d
		if span.State == alarm.StateAlarm {
			s.LongestAlarm = max(s.LongestAlarm, d)
		}
	}
	return s
}
