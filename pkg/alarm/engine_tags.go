// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"slices"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// SetTags replaces the tags of an alarm, which Put does only when it creates one. It reports whether there is the alarm.
func (e *Engine) SetTags(t cloudwatch.Tenant, name string, tags []Tag) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	a := e.find(t, name)
	if a == nil {
		return false
	}
	changed := *a.def
	changed.Tags = slices.Clone(tags)
	a.def = &changed
	e.touch(a)
	return true
}

// SetMuteRuleTags replaces the tags of a mute rule. It reports whether there is the rule.
func (e *Engine) SetMuteRuleTags(t cloudwatch.Tenant, name string, tags []Tag) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	ta := e.tenants[t]
	if ta == nil || ta.rules[name] == nil {
		return false
	}
	ta.rules[name].rule.Tags = slices.Clone(tags)
	return true
}
