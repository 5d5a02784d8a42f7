// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package unittest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/alarms/simulation"
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch/metricmemory"
)

// Result is what came of a test.
type Result struct {
	File     *File
	Test     *Test
	Failures []Failure
	// Err is set when the test could not be run.
	Err  error
	Took time.Duration

	run *run
}

// Failed is whether anything was not as expected.
func (r *Result) Failed() bool { return r.Err != nil || len(r.Failures) > 0 }

// Failure is an expectation that was not met.
type Failure struct {
	Line  int
	At    time.Duration
	Alarm string
	// Messages are what was not as expected.
	Messages []string
}

// Run runs a test. now is the clock that the test is measured with.
func (f *File) Run(ctx context.Context, t *Test, now func() time.Time) Result {
	began := now()
	r := &run{file: f, test: t, memory: metricmemory.New(0), fired: map[string][]firing{}, states: map[string][]change{}}
	result := Result{File: f, Test: t, run: r}
	result.Failures, result.Err = r.do(ctx)
	result.Took = now().Sub(began)
	return result
}

// run is a test while it runs.
type run struct {
	file   *File
	test   *Test
	memory *metricmemory.Memory
	engine *alarm.Engine
	// fired are the actions that ran, and states the changes of state, by name of the alarm.
	fired  map[string][]firing
	states map[string][]change
	seen   map[string]int // actions that an earlier expectation has seen
}

type firing struct {
	at   time.Duration
	arns []string
}

type change struct {
	at      time.Duration
	to      alarm.State
	actions []string
}

// arrival is a datum and when it comes.
type arrival struct {
	at    time.Time
	datum cloudwatch.Datum
}

func (t *Test) arrivals() []arrival {
	var all []arrival
	for i := range t.series {
		s := &t.series[i]
		for j := range s.points {
			p := &s.points[j]
			if p.Gap() {
				continue
			}
			at := t.start.Add(s.start + time.Duration(j)*s.interval)
			all = append(all, arrival{at: at.Add(s.delay), datum: cloudwatch.Datum{
				Metric: s.metric, TimestampMs: at.UnixMilli(), Unit: s.unit, StorageResolution: s.resolution,
				Value: p.Value, Values: p.Values, Counts: p.Counts, Statistics: p.Statistics,
			}})
		}
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return a.at.Compare(b.at) })
	return all
}

// do brings the virtual clock to each time at which something comes, is done or is expected. Data that comes at a time is
// there for an evaluation at that time.
func (r *run) do(ctx context.Context) ([]Failure, error) {
	t := r.test
	r.engine = simulation.NewEngine(r.memory, t.phase)
	r.seen = map[string]int{}
	arrivals := t.arrivals()
	history := 0
	for history < len(arrivals) && arrivals[history].at.Before(t.start) {
		history++
	}
	if err := r.observe(arrivals[:history], t.start, false); err != nil {
		return nil, err
	}
	arrivals = arrivals[history:]
	events, err := simulation.Put(ctx, r.engine, r.file.tenant, r.file.Set, t.start)
	if err != nil {
		return nil, err
	}
	r.record(events)
	var failures []Failure
	steps, expect := t.steps, t.expect
	for len(arrivals) > 0 || len(steps) > 0 || len(expect) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		at := t.end
		if len(arrivals) > 0 && arrivals[0].at.Before(at) {
			at = arrivals[0].at
		}
		if len(steps) > 0 {
			at = earlier(at, t.start.Add(steps[0].at))
		}
		if len(expect) > 0 {
			at = earlier(at, t.start.Add(expect[0].at))
		}
		r.record(r.engine.Advance(ctx, at.Add(-time.Nanosecond)))
		n := 0
		for n < len(arrivals) && !arrivals[n].at.After(at) {
			n++
		}
		if err := r.observe(arrivals[:n], at, true); err != nil {
			return nil, err
		}
		arrivals = arrivals[n:]
		for len(steps) > 0 && !t.start.Add(steps[0].at).After(at) {
			if err := r.step(&steps[0], at); err != nil {
				return nil, fmt.Errorf("line %d: %w", steps[0].line, err)
			}
			steps = steps[1:]
		}
		if len(expect) > 0 && !t.start.Add(expect[0].at).After(at) {
			r.record(r.engine.Advance(ctx, at))
		}
		for len(expect) > 0 && !t.start.Add(expect[0].at).After(at) {
			if messages := r.check(&expect[0]); len(messages) > 0 {
				failures = append(failures, Failure{Line: expect[0].line, At: expect[0].at, Alarm: expect[0].Alarm, Messages: messages})
			}
			expect = expect[1:]
		}
		if !at.Before(t.end) {
			break // data that comes after the end is of no matter
		}
	}
	return failures, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func (r *run) observe(list []arrival, now time.Time, live bool) error {
	if len(list) == 0 {
		return nil
	}
	data := make([]cloudwatch.Datum, len(list))
	for i := range list {
		data[i] = list[i].datum
	}
	if live {
		r.engine.Observe(r.file.tenant, data, now)
	}
	return r.memory.Add(r.file.tenant, data)
}

func (r *run) step(s *step, now time.Time) error {
	if s.state != nil {
		var data *string
		if s.state.ReasonData != "" {
			data = &s.state.ReasonData
		}
		reason := cmp.Or(s.state.Reason, "set by the test")
		events, err := r.engine.SetState(r.file.tenant, s.state.Alarm, alarm.State(s.state.State), reason, data, now)
		if err != nil {
			return err
		}
		r.record(events)
	}
	for _, change := range []struct {
		names  []string
		enable bool
	}{{s.enable, true}, {s.disab, false}} {
		if len(change.names) == 0 {
			continue
		}
		events, err := r.engine.SetActionsEnabled(r.file.tenant, change.names, change.enable, now)
		if err != nil {
			return err
		}
		r.record(events)
	}
	return nil
}

// record keeps what happened for what is expected later.
func (r *run) record(events []alarm.Event) {
	for i := range events {
		ev := &events[i]
		name := simulation.Name(ev.ARN)
		at := ev.Time.Sub(r.test.start)
		if len(ev.Actions) > 0 {
			r.fired[name] = append(r.fired[name], firing{at, ev.Actions})
		}
		if ev.Kind == alarm.EventStateChanged && ev.Old.State != ev.New.State ||
			ev.Kind == alarm.EventCreated && ev.New.State != alarm.StateInsufficientData {
			r.states[name] = append(r.states[name], change{at, ev.New.State, ev.Actions})
		}
	}
}
