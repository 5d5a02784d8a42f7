// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import "time"

// walk goes over the points of a window that count, newest first, and over as many as the alarm evaluates.
type walk struct {
	rule   *Rule
	window *Window
	points []Point
	bounds *bounds

	left int
	next int // among points
	slot int

	point     Point
	breaching bool
	low       bool // it has too few samples to count
}

func (r *Rule) walk(w *Window, points []Point, b *bounds) walk {
	return walk{
		rule: r, window: w, points: points, bounds: b,
		left: r.evaluationPeriods, next: len(points) - 1, slot: len(w.Starts),
	}
}

// step goes to the next point. Its place in the window is slot.
func (k *walk) step() bool {
	if k.left == 0 {
		return false
	}
	slot := k.slot - 1
	for ; k.next >= 0; k.next-- {
		p := &k.points[k.next]
		for slot >= 0 && k.window.Starts[slot] > p.Start {
			slot--
		}
		if slot < 0 {
			break
		}
		if k.window.Starts[slot] != p.Start || !finite(p.Value) || k.bounds != nil && !k.bounds.has(slot) {
			continue
		}
		k.left--
		k.next--
		k.slot, k.point = slot, *p
		k.low = p.SampleCount < k.rule.samples
		k.breaching = k.rule.breaching(p.Value, slot, k.bounds)
		return true
	}
	k.left = 0
	return false
}

// tally is what a verdict is made of.
type tally struct {
	bad, good, low, missing int
	// age of the oldest breaching point, in periods; 1 is the newest period.
	age int
}

func (r *Rule) count(w *Window, points []Point, b *bounds) tally {
	var t tally
	k := r.walk(w, points, b)
	for k.step() {
		switch {
		case k.low:
			t.low++
		case k.breaching:
			t.bad++
			t.age = len(w.Starts) - k.slot
		default:
			t.good++
		}
	}
	t.missing = r.evaluationPeriods - t.bad - t.good - t.low
	return t
}

// decide is the verdict of a tally; ok is false when the alarm keeps its state.
func (r *Rule) decide(t *tally) (state State, ok bool) {
	toAlarm, toOK := r.datapoints, r.evaluationPeriods-r.datapoints+1
	// Data alone decides when there is enough of it.
	switch {
	case t.bad >= toAlarm:
		return StateAlarm, true
	case t.good >= toOK:
		return StateOK, true
	}
	// Where missing periods count as the one or the other, and none has too few samples, one of both is true.
	switch r.missing {
	case Breaching:
		if t.bad+t.missing >= toAlarm {
			return StateAlarm, true
		}
	case NotBreaching:
		if t.good+t.missing >= toOK {
			return StateOK, true
		}
	}
	switch {
	case t.low > 0:
		return "", false // periods with too few samples would decide
	case t.bad+t.good == 0:
		return StateInsufficientData, r.missing != Ignore
	case t.good > 0:
		return StateOK, true
	case r.missing == Ignore:
		return "", false
	}
	// Only breaching points are left, too few of them. They are believed when they are old enough that those that are
	// missing after them would have come: an alarm that goes to ALARM for what is only late would be premature.
	return StateAlarm, t.age >= toAlarm
}

func (r *Rule) evaluateSeries(now time.Time, w *Window, points []Point, b *bounds, last *Status) Result {
	t := r.count(w, points, b)
	state, ok := r.decide(&t)
	if !ok {
		return Result{}
	}
	result := Result{Decided: true, State: state}
	if state != last.State {
		kept := *w // what explains keeps its window: without the copy every evaluation would allocate one
		e := r.explain(&kept, points, b, state)
		result.Reason, result.ReasonData = e.reason(), e.data(now)
	}
	return result
}
