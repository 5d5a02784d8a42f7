// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/journal"
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/alarm/alarmevent"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// PutAlarm creates or replaces an alarm. Tags count when it is created only.
func (s *Service) PutAlarm(ctx context.Context, t cloudwatch.Tenant, d *alarm.Definition) error {
	return s.change(ctx, func(now time.Time) ([]alarm.Event, error) {
		o := s.owned[journal.RowKey{Kind: journal.RowAlarm, Tenant: t, Name: d.Name}]
		if o == nil {
			if err := alarm.ValidateTags(d.Tags); err != nil {
				return nil, err
			}
			d.Tags = unique(d.Tags)
		}
		events, err := s.engine.Put(ctx, t, d, now)
		if err == nil && o != nil && len(events) > 0 {
			o.file = false // it is the API's now
		}
		return events, err
	})
}

// unique keeps, of tags with the same key, the last one.
func unique(tags []alarm.Tag) []alarm.Tag {
	var out []alarm.Tag
	for _, t := range tags {
		if i := slices.IndexFunc(out, func(o alarm.Tag) bool { return o.Key == t.Key }); i >= 0 {
			out[i] = t
			continue
		}
		out = append(out, t)
	}
	return out
}

// DeleteAlarms deletes alarms; names that there are not do not matter.
func (s *Service) DeleteAlarms(ctx context.Context, t cloudwatch.Tenant, names []string) error {
	return s.change(ctx, func(now time.Time) ([]alarm.Event, error) { return s.engine.Delete(t, names, now) })
}

// SetActionsEnabled enables or disables the actions of alarms.
func (s *Service) SetActionsEnabled(ctx context.Context, t cloudwatch.Tenant, names []string, enabled bool) error {
	return s.change(ctx, func(now time.Time) ([]alarm.Event, error) {
		return s.engine.SetActionsEnabled(t, names, enabled, now)
	})
}

// SetState sets the state of an alarm for a while.
func (s *Service) SetState(
	ctx context.Context, t cloudwatch.Tenant, name string, state alarm.State, reason string, reasonData *string,
) error {
	return s.change(ctx, func(now time.Time) ([]alarm.Event, error) {
		return s.engine.SetState(t, name, state, reason, reasonData, now)
	})
}

// PutMuteRule creates or replaces a mute rule.
func (s *Service) PutMuteRule(ctx context.Context, t cloudwatch.Tenant, rule *alarm.MuteRule) error {
	return s.putMuteRule(ctx, t, rule, false)
}

func (s *Service) putMuteRule(ctx context.Context, t cloudwatch.Tenant, rule *alarm.MuteRule, file bool) error {
	return s.change(ctx, func(now time.Time) ([]alarm.Event, error) {
		k := journal.RowKey{Kind: journal.RowMuteRule, Tenant: t, Name: rule.Name}
		o := s.owned[k]
		// Files say what tags there are; a Put of the API would not change them.
		tagged := o == nil || file
		if tagged {
			if err := alarm.ValidateTags(rule.Tags); err != nil {
				return nil, err
			}
		}
		events, err := s.engine.PutMuteRule(t, *rule, now)
		if err != nil {
			return nil, err
		}
		if tagged {
			s.own(k, unique(rule.Tags), file)
		} else {
			o.file = file
		}
		s.changed[k] = struct{}{}
		return events, nil
	})
}

// DeleteMuteRule deletes a mute rule; one that is not there does not matter.
func (s *Service) DeleteMuteRule(ctx context.Context, t cloudwatch.Tenant, name string) error {
	return s.change(ctx, func(now time.Time) ([]alarm.Event, error) {
		events, err := s.engine.DeleteMuteRule(t, name, now)
		k := journal.RowKey{Kind: journal.RowMuteRule, Tenant: t, Name: name}
		if err == nil && s.owned[k] != nil {
			s.disown(k)
			s.changed[k] = struct{}{}
		}
		return events, err
	})
}

// ErrNotFound is of an alarm or mute rule that is not there.
var ErrNotFound = errors.New("not found")

// Tags returns the tags of an alarm or mute rule in order of their keys.
func (s *Service) Tags(k journal.RowKey) ([]alarm.Tag, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.owned[k]
	if o == nil {
		return nil, ErrNotFound
	}
	return slices.Clone(o.tags), nil
}

// ChangeTags replaces the tags of an alarm or mute rule by what f makes of them.
func (s *Service) ChangeTags(ctx context.Context, k journal.RowKey, f func([]alarm.Tag) ([]alarm.Tag, error)) error {
	return s.change(ctx, func(time.Time) ([]alarm.Event, error) {
		o := s.owned[k]
		if o == nil {
			return nil, ErrNotFound
		}
		tags, err := f(slices.Clone(o.tags))
		if err != nil {
			return nil, err
		}
		o.tags = tags
		s.changed[k] = struct{}{}
		return nil, nil
	})
}

// alarmType is that of an alarm which may be gone.
func (s *Service) alarmType(t cloudwatch.Tenant, name string) string {
	if v, ok := s.engine.Alarm(t, name); ok {
		return alarmevent.AlarmType(v.Definition)
	}
	return alarmevent.TypeMetricAlarm
}

// History is a page of history.
func (s *Service) History(ctx context.Context, q *journal.Query) (entries []*journal.Entry, more bool, err error) {
	return s.journal.Find(ctx, q)
}
