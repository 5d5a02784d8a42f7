// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/journal"
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/alarm/definitions"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Files are the files whose alarms there have to be.
type Files struct {
	// Patterns are names of files or directories, or patterns of them.
	Patterns []string
	Settings definitions.Settings
}

// Load reads the files. What is wrong with them is reported with file, line and property.
func (f *Files) Load() (*definitions.Set, error) {
	var files []string
	for _, pattern := range f.Patterns {
		found := []string{pattern}
		if strings.ContainsAny(pattern, `*?[`) {
			var err error
			if found, err = filepath.Glob(pattern); err != nil {
				return nil, fmt.Errorf("%q: %w", pattern, err)
			}
			if len(found) == 0 {
				return nil, fmt.Errorf("no file is called %q", pattern)
			}
		}
		for _, file := range found {
			if !slices.Contains(files, file) {
				files = append(files, file)
			}
		}
	}
	if len(files) == 0 {
		return &definitions.Set{}, nil
	}
	return definitions.Load(f.Settings, files...)
}

// filesAtOnce is how many alarms of files are put before they are committed.
const filesAtOnce = 1000

// Apply makes the alarms and mute rules of files those that the set has: new ones are created, changed ones updated, those
// that came from files before and are no longer there are deleted.
func (s *Service) Apply(ctx context.Context, t cloudwatch.Tenant, set *definitions.Set) error {
	for _, n := range set.Notes {
		s.logger.Warn("alarm definitions", zap.String("file", n.File), zap.Int("line", n.Line), zap.String("note", n.Text))
	}
	if err := s.applyAlarms(ctx, t, set.Alarms); err != nil {
		return err
	}
	for i := range set.MuteRules {
		if err := s.applyMuteRule(ctx, t, &set.MuteRules[i]); err != nil {
			return err
		}
	}
	return s.removeOld(ctx, t, set)
}

// applyAlarms puts the alarms, those that others need first.
func (s *Service) applyAlarms(ctx context.Context, t cloudwatch.Tenant, list []definitions.Definition) error {
	waiting := make([]*definitions.Definition, len(list))
	for i := range list {
		waiting[i] = &list[i]
	}
	for len(waiting) > 0 {
		var failed []*definitions.Definition
		var errs []error
		for part := range slices.Chunk(waiting, filesAtOnce) {
			err := s.change(ctx, func(now time.Time) ([]alarm.Event, error) {
				var events []alarm.Event
				for _, d := range part {
					e, err := s.putFromFile(ctx, t, d, now)
					events = append(events, e...)
					if err != nil {
						failed = append(failed, d)
						errs = append(errs, fmt.Errorf("%s:%d: alarm %q: %w", d.Source.File, d.Source.Line, d.Alarm.Name, err))
					}
				}
				return events, nil
			})
			if err != nil {
				return err
			}
		}
		if len(failed) == len(waiting) {
			return errors.Join(errs...)
		}
		waiting = failed // a composite alarm may come before its children
	}
	return nil
}

// putFromFile puts an alarm and notes where it came from.
func (s *Service) putFromFile(
	ctx context.Context, t cloudwatch.Tenant, d *definitions.Definition, now time.Time,
) ([]alarm.Event, error) {
	if err := alarm.ValidateTags(d.Alarm.Tags); err != nil {
		return nil, err
	}
	tags := unique(d.Alarm.Tags)
	events, err := s.engine.Put(ctx, t, d.Alarm, now)
	if err != nil {
		return nil, err
	}
	k := journal.RowKey{Kind: journal.RowAlarm, Tenant: t, Name: d.Alarm.Name}
	o := s.owned[k]
	switch {
	case o == nil:
		s.own(k, tags, true)
		s.changed[k] = struct{}{}
	case !o.file || !slices.Equal(o.tags, tags):
		// Files say what tags there are; a Put of the API would not change them.
		o.file, o.tags = true, tags
		s.changed[k] = struct{}{}
	}
	return events, nil
}

func (s *Service) applyMuteRule(ctx context.Context, t cloudwatch.Tenant, d *definitions.MuteRule) error {
	k := journal.RowKey{Kind: journal.RowMuteRule, Tenant: t, Name: d.Rule.Name}
	s.mu.Lock()
	o := s.owned[k]
	same := o != nil && o.file && slices.Equal(o.tags, unique(d.Rule.Tags))
	s.mu.Unlock()
	if now, ok := s.engine.MuteRule(t, d.Rule.Name); ok && same && equalRules(&now, d.Rule) {
		return nil
	}
	if err := s.putMuteRule(ctx, t, d.Rule, true); err != nil {
		return fmt.Errorf("%s:%d: mute rule %q: %w", d.Source.File, d.Source.Line, d.Rule.Name, err)
	}
	return nil
}

func equalRules(a, b *alarm.MuteRule) bool {
	return deref(a.Description) == deref(b.Description) && a.Expression == b.Expression && a.Duration == b.Duration &&
		a.Timezone == b.Timezone && slices.Equal(a.AlarmNames, b.AlarmNames) &&
		deref(a.StartDate).Equal(deref(b.StartDate)) && deref(a.ExpireDate).Equal(deref(b.ExpireDate))
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// removeOld deletes what came from files and is in none any more.
func (s *Service) removeOld(ctx context.Context, t cloudwatch.Tenant, set *definitions.Set) error {
	wanted := map[journal.RowKey]bool{}
	for i := range set.Alarms {
		wanted[journal.RowKey{Kind: journal.RowAlarm, Tenant: t, Name: set.Alarms[i].Alarm.Name}] = true
	}
	for i := range set.MuteRules {
		wanted[journal.RowKey{Kind: journal.RowMuteRule, Tenant: t, Name: set.MuteRules[i].Rule.Name}] = true
	}
	s.mu.Lock()
	var old []journal.RowKey
	for k, o := range s.owned {
		if o.file && !wanted[k] {
			old = append(old, k)
		}
	}
	s.mu.Unlock()
	for len(old) > 0 {
		slices.SortFunc(old, func(a, b journal.RowKey) int { return strings.Compare(a.Name, b.Name) })
		kept := map[journal.RowKey]error{}
		for part := range slices.Chunk(old, filesAtOnce) {
			if err := s.removeRows(ctx, part, kept); err != nil {
				return err
			}
		}
		if len(kept) == len(old) {
			// A composite alarm from elsewhere needs them.
			for k, err := range kept {
				s.logger.Warn("an alarm that is in no file any more cannot be deleted", zap.String("alarm", k.Name), zap.Error(err))
			}
			return nil
		}
		old = slices.Collect(maps.Keys(kept))
	}
	return nil
}

// removeRows deletes alarms and mute rules, and notes why some could not be.
func (s *Service) removeRows(ctx context.Context, rows []journal.RowKey, kept map[journal.RowKey]error) error {
	return s.change(ctx, func(now time.Time) ([]alarm.Event, error) {
		var all []alarm.Event
		for _, k := range rows {
			var events []alarm.Event
			var err error
			if k.Kind == journal.RowMuteRule {
				if events, err = s.engine.DeleteMuteRule(k.Tenant, k.Name, now); err == nil {
					s.disown(k)
					s.changed[k] = struct{}{}
				}
			} else {
				events, err = s.engine.Delete(k.Tenant, []string{k.Name}, now)
			}
			if err != nil {
				kept[k] = err
			}
			all = append(all, events...)
		}
		return all, nil
	})
}
