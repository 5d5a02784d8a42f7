// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/alarms/simulation"
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/alarm/definitions"
)

// runComposites replays the transitions of the metric alarms in an engine that has the composite alarms, and in place of the
// metric alarms ones that stay in the state that they are set to.
func (s *Settings) runComposites(ctx context.Context, outcomes []*Outcome) error {
	composites := &definitions.Set{}
	byName := map[string]*Outcome{}
	type stateChange struct {
		name string
		Transition
	}
	var changes []stateChange
	engine := alarm.NewEngine(alarm.EngineSettings{Phase: simulation.Phase(s.Phase)})
	for _, o := range outcomes {
		if o == nil {
			continue
		}
		d := o.Definition.Alarm
		if d.Composite != nil {
			composites.Alarms = append(composites.Alarms, *o.Definition)
			byName[d.Name] = o
			continue
		}
		for _, t := range o.Transitions {
			changes = append(changes, stateChange{d.Name, t})
		}
		standIn := &alarm.Definition{Name: d.Name, Composite: &alarm.CompositeAlarm{Rule: "FALSE"}}
		if _, err := engine.Put(ctx, s.Tenant, standIn, s.From); err != nil {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
		if _, err := engine.SetState(s.Tenant, d.Name, alarm.StateInsufficientData, alarm.InitialReason, nil, s.From); err != nil {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
	}
	if len(composites.Alarms) == 0 {
		return nil
	}
	slices.SortStableFunc(changes, func(a, b stateChange) int { return a.Time.Compare(b.Time) })
	record := func(events []alarm.Event) {
		for i := range events {
			ev := &events[i]
			o := byName[simulation.Name(ev.ARN)]
			if o == nil {
				continue
			}
			switch {
			case ev.Kind == alarm.EventStateChanged && ev.Old.State != ev.New.State:
				o.Transitions = append(o.Transitions, Transition{Time: ev.Time, From: ev.Old.State, To: ev.New.State, Reason: ev.New.Reason})
			case ev.Kind == alarm.EventCreated && ev.New.State != alarm.StateInsufficientData:
				o.Transitions = append(o.Transitions, Transition{Time: ev.Time, From: alarm.StateInsufficientData, To: ev.New.State, Reason: ev.New.Reason})
			}
		}
	}
	events, err := simulation.Put(ctx, engine, s.Tenant, composites, s.From)
	if err != nil {
		return err
	}
	record(events)
	for _, c := range changes {
		record(engine.Advance(ctx, c.Time.Add(-time.Nanosecond)))
		events, err := engine.SetState(s.Tenant, c.name, c.To, c.Reason, nil, c.Time)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		record(events)
	}
	record(engine.Advance(ctx, s.To))
	return ctx.Err()
}
