// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/journal"
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/alarm/alarmevent"
)

// stage makes entries of events.
func (s *Service) stage(ctx context.Context, events []alarm.Event) {
	for i := range events {
		e := &events[i]
		k := alarmKey(e)
		s.count(ctx, e)
		if e.Kind == alarm.EventCreated && s.owned[k] == nil {
			s.own(k, slices.Clone(e.Alarm.Tags), false)
		}
		entry := &journal.Entry{
			Header: journal.Header{
				Time: e.Time, Tenant: e.Tenant, Alarm: e.Alarm.Name, AlarmType: alarmevent.AlarmType(e.Alarm),
				History: alarmevent.HistoryTypeOf(e.Kind), Sinks: s.sinks(e),
			},
			Event: e,
		}
		if o := s.owned[k]; o != nil {
			entry.Tags = o.tags
		}
		if e.Contributor != nil {
			entry.Contributor, entry.ContributorAttributes = e.Contributor.ID, e.Contributor.Attributes
		}
		if e.Kind == alarm.EventDeleted {
			s.disown(k)
		}
		s.staged = append(s.staged, entry)
	}
}

func alarmKey(e *alarm.Event) journal.RowKey {
	return journal.RowKey{Kind: journal.RowAlarm, Tenant: e.Tenant, Name: e.Alarm.Name}
}

// count keeps the numbers of alarms by state.
func (s *Service) count(ctx context.Context, e *alarm.Event) {
	switch e.Kind {
	case alarm.EventCreated:
		s.states[e.New.State]++
	case alarm.EventDeleted:
		s.states[e.Old.State]--
	case alarm.EventStateChanged:
		if e.Old.State == e.New.State {
			return
		}
		s.states[e.Old.State]--
		s.states[e.New.State]++
		s.set.Telemetry.ExtensionAlarmTransitions.Add(ctx, 1,
			metric.WithAttributes(attribute.String("state", string(e.New.State))))
	}
}

// sinks are those that an event goes to.
func (s *Service) sinks(e *alarm.Event) journal.Sinks {
	var list []journal.Sink
	if len(e.Actions) > 0 || s.set.Dispatcher != nil && told(e) {
		list = append(list, journal.SinkActions)
	}
	switch e.Kind {
	case alarm.EventActions, alarm.EventRefreshed:
	default:
		if !s.registration.none() {
			list = append(list, journal.SinkEvents)
		}
	}
	return journal.Of(list...)
}

// told is whether those are told of an event that are told of every transition. They are told when the alarm's own actions
// run, or would if it had any: not while these are disabled, suppressed or muted, but when that has ended. That an alarm is
// OK again, or gone, they are always told: what they were told before would never end for them.
func told(e *alarm.Event) bool {
	switch e.Kind {
	case alarm.EventStateChanged:
		acts := e.Alarm.ActionsEnabled && e.Muted == nil && e.New.ActionsSuppressedBy == ""
		if e.Old.State == e.New.State {
			// The suppression has ended. Where there are actions, they follow.
			return acts && e.Old.ActionsSuppressedBy != "" && len(actionsFor(e.Alarm, e.New.State)) == 0
		}
		return acts || e.New.State == alarm.StateOK
	case alarm.EventDeleted:
		return true
	case alarm.EventActions:
		return e.Contributor == nil && !refired(e)
	}
	return false
}

// actionsFor are the actions of an alarm for a state.
func actionsFor(d *alarm.Definition, s alarm.State) []string {
	switch s {
	case alarm.StateAlarm:
		return d.AlarmActions
	case alarm.StateOK:
		return d.OKActions
	}
	return d.InsufficientDataActions
}

// refired is whether actions run once more without a change: those of Auto Scaling do.
func refired(e *alarm.Event) bool { return e.Old.State == e.New.State && !e.AfterMuteWindow }
