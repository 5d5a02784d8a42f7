// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"context"
	"time"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// breathe is how much is done before others may have the engine: things that are due, and eventWork for each event of them.
const (
	breathe   = 256
	eventWork = 16
)

// scratch is memory that evaluations use again. It belongs to who holds Engine.advancing.
type scratch struct {
	window Window
	points [][]Point
	merged cloudwatch.Distribution
	env    Env
	result Result
}

// schedule sets when an alarm is evaluated next: at its phase of the interval, after now. An alarm that is evaluated every
// hour is evaluated soon for the first time.
func (e *Engine) schedule(a *alarmState, now int64, soon bool) {
	if a.rule == nil {
		return
	}
	interval := a.rule.Interval()
	if soon {
		interval = min(interval, time.Minute)
	}
	e.scheduleAt(a, e.nextDue(a, interval, now))
}

func (e *Engine) scheduleAt(a *alarmState, at int64) {
	a.due = at
	e.line.add(a, dueEvaluation, at)
}

// nextDue is the first time after now in the phase of the alarm.
func (e *Engine) nextDue(a *alarmState, interval time.Duration, now int64) int64 {
	phase := int64(0)
	if e.settings.Phase != nil {
		phase = int64(e.settings.Phase(a.arn, a.rule.Interval()))
	} else {
		phase = int64(hashString(a.arn)%uint64(a.rule.Interval().Milliseconds())) * int64(time.Millisecond)
	}
	return now + int64(interval) - mod(now-phase, int64(interval))
}

// Advance does what is due until now, in order of time: it evaluates alarms, each at the time when it is due, ends
// suppressions and mute windows, and runs actions of Auto Scaling again. When the context ends, the rest stays due.
func (e *Engine) Advance(ctx context.Context, now time.Time) []Event {
	e.advancing.Lock()
	defer e.advancing.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	r := &run{e: e}
	until := toNanos(now)
	history := &history{e: e}
	history.readDue(ctx, until)
	for done, events := 1, 0; ; done++ {
		done += (len(r.events) - events) * eventWork
		events = len(r.events)
		n := e.line.top()
		if n == nil || n.at > until {
			e.advanced = max(e.advanced, until)
			break
		}
		if done >= breathe {
			done = 0
			if ctx.Err() != nil {
				e.advanced = max(e.advanced, n.at-1)
				break
			}
			e.mu.Unlock() // others go between
			e.mu.Lock()
			continue
		}
		at := n.at
		if r.do(ctx, *n, until, history); r.interrupted {
			e.advanced = max(e.advanced, at-1)
			break
		}
	}
	return r.events
}

// do does what is on top of the timeline.
func (r *run) do(ctx context.Context, n entry, until int64, h *history) {
	e, a := r.e, n.a
	if n.kind != dueEvaluation {
		e.line.pop()
	}
	switch n.kind {
	case dueUnmute:
		r.recheck(a, n.at)
	case dueSuppression:
		r.release(a, n.at)
	case dueRefire:
		if at := e.late(n.at, until); at != n.at { // skip to the first one that is not too late
			e.refireAt(a, at+mod(n.at-at, refireInterval))
			e.touch(a)
			return
		}
		r.refire(a, n.at)
	case dueEvaluation:
		at := e.late(n.at, until)
		if at != n.at { // skip to the first one that is not too late
			a.due = e.nextDue(a, min(a.rule.Interval(), time.Minute), at-1)
			e.line.moveTop(a.due)
			return
		}
		if interval := a.rule.Interval(); interval <= time.Minute {
			a.due = at + int64(interval)
		} else { // the first time may be out of phase
			a.due = e.nextDue(a, interval, at)
		}
		e.line.moveTop(a.due)
		r.evaluate(ctx, a, at, h)
	}
}

// late is the time at which something happens that was due at a time, with the limit on catching up.
func (e *Engine) late(at, until int64) int64 {
	if e.settings.MaxCatchUp > 0 {
		return max(at, until-int64(e.settings.MaxCatchUp))
	}
	return at
}

// evaluate evaluates a metric alarm. It may let go of the lock for a while.
func (r *run) evaluate(ctx context.Context, a *alarmState, now int64, h *history) {
	e, s, at := r.e, &r.e.scratch, toTime(now)
	a.rule.WindowInto(at, &s.window)
	if len(e.cold) > 0 {
		version := a.version
		complete := h.readOne(ctx, a, &s.window)
		if a.deleted || a.version != version {
			return // it may look at something else by now
		}
		if !complete {
			if r.interrupt(ctx, a, now) {
				return
			}
			r.apply(a, &Result{EvaluationState: EvaluationFailure}, now)
			return
		}
	}
	inputs := a.rule.Inputs()
	for len(s.points) < len(inputs) {
		s.points = append(s.points, nil)
	}
	for i, t := range a.inputTracks {
		s.points[i] = t.read(s.points[i][:0], &inputs[i], &s.window, &s.merged)
	}
	data, last, rule := s.points[:len(inputs)], a.brief(), a.rule
	if a.external || a.evaluation != 0 {
		last = a.status() // its reason matters
	}
	s.env = Env{Tenant: a.of.tenant, Bands: e.settings.Bands, Insights: e.settings.Insights}
	if a.extra != nil && len(a.extra.contributors) > 0 {
		s.env.Contributors = a.extra.alarming()
	}
	if !a.external {
		s.result = rule.Evaluate(ctx, at, s.window, data, last, &s.env)
		r.apply(a, &s.result, now)
		return
	}
	// A source may take its time. What changes the alarm meanwhile comes later, and is the truth.
	version := a.version
	e.mu.Unlock()
	s.result = rule.Evaluate(ctx, at, s.window, data, last, &s.env)
	e.mu.Lock()
	if a.deleted || a.version != version || s.result.EvaluationState != "" && r.interrupt(ctx, a, now) {
		return
	}
	r.apply(a, &s.result, now)
}

// interrupt makes an evaluation due again that failed as the context has ended: that says nothing of the alarm.
func (r *run) interrupt(ctx context.Context, a *alarmState, now int64) bool {
	if ctx.Err() == nil {
		return false
	}
	r.e.scheduleAt(a, now)
	r.interrupted = true
	return true
}

// apply writes what an evaluation came to.
func (r *run) apply(a *alarmState, res *Result, now int64) {
	if code := evaluationCode(res.EvaluationState); code != a.evaluation {
		a.evaluation, a.updated = code, now
		r.e.touch(a)
	}
	switch {
	case res.Decided && stateCode(res.State) != a.state:
		r.transition(a, res.State, res.Reason, res.ReasonData, nil, now)
	case res.Reason == "":
	case a.rule.MultiSeries():
		r.refresh(a, res, now)
	default:
		if text := packTexts(res.Reason, res.ReasonData); text != a.text {
			a.text, a.updated = text, now
			r.e.touch(a)
		}
	}
	if len(res.Contributors) > 0 {
		r.applyContributors(a, res.Contributors, now)
	}
}

// refresh writes a new reason of an alarm over many time series that keeps its state.
func (r *run) refresh(a *alarmState, res *Result, now int64) {
	before := a.status()
	if before.Reason == res.Reason {
		return
	}
	a.text, a.updated = packTexts(res.Reason, res.ReasonData), now
	r.e.touch(a)
	r.emit(a, Event{Kind: EventRefreshed, Time: toTime(now), Old: before, New: a.status()})
}
