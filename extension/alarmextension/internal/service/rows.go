// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"encoding/json"
	"fmt"

	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/journal"
	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// alarmRow is what is stored of an alarm.
type alarmRow struct {
	Definition *alarm.Definition
	Snapshot   json.RawMessage
	Tags       []alarm.Tag `json:",omitempty"`
	File       bool        `json:",omitempty"`
}

// muteRow is what is stored of a mute rule.
type muteRow struct {
	Rule *alarm.MuteRule
	Tags []alarm.Tag `json:",omitempty"`
	File bool        `json:",omitempty"`
}

// row is what is to be stored. ok is false for what is gone.
func (s *Service) row(k journal.RowKey) (r journal.Row, ok bool, err error) {
	o := s.owned[k]
	if o == nil {
		o = &owned{}
	}
	var v any
	switch k.Kind {
	case journal.RowAlarm:
		view, there := s.engine.Alarm(k.Tenant, k.Name)
		if !there {
			return r, false, nil
		}
		v = alarmRow{view.Definition, s.engine.Snapshot(k.Tenant, k.Name), o.tags, o.file}
	default:
		rule, there := s.engine.MuteRule(k.Tenant, k.Name)
		if !there {
			return r, false, nil
		}
		v = muteRow{&rule, o.tags, o.file}
	}
	text, err := json.Marshal(v)
	if err != nil {
		return r, false, fmt.Errorf("%s %q: %w", k.Kind, k.Name, err)
	}
	return journal.Row{RowKey: k, Value: text}, true, nil
}

// restore puts back what is stored.
func (s *Service) restore(r journal.Row) error {
	if r.Kind == journal.RowMuteRule {
		var v muteRow
		if err := json.Unmarshal(r.Value, &v); err != nil {
			return err
		}
		if v.Rule == nil {
			return fmt.Errorf("mute rule %q has no rule", r.Name)
		}
		s.own(r.RowKey, v.Tags, v.File)
		return s.engine.RestoreMuteRule(r.Tenant, *v.Rule)
	}
	var v alarmRow
	if err := json.Unmarshal(r.Value, &v); err != nil {
		return err
	}
	if v.Definition == nil {
		return fmt.Errorf("alarm %q has no definition", r.Name)
	}
	if err := s.engine.Restore(r.Tenant, v.Definition, v.Snapshot, s.Now()); err != nil {
		return err
	}
	s.own(r.RowKey, v.Tags, v.File)
	if view, ok := s.engine.Alarm(r.Tenant, r.Name); ok {
		s.states[view.Status.State]++
	}
	return nil
}

func (s *Service) own(k journal.RowKey, tags []alarm.Tag, file bool) {
	if s.owned[k] == nil {
		s.byKind[k.Kind]++
	}
	s.owned[k] = &owned{tags, file}
}

func (s *Service) disown(k journal.RowKey) {
	if s.owned[k] != nil {
		s.byKind[k.Kind]--
		delete(s.owned, k)
	}
}
