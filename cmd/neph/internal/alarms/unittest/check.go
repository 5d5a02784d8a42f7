// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package unittest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// check says what is not as expected.
func (r *run) check(e *expectation) []string {
	var messages []string
	fail := func(format string, args ...any) { messages = append(messages, fmt.Sprintf(format, args...)) }
	view, ok := r.engine.Alarm(r.file.tenant, e.Alarm)
	if !ok {
		return []string{"the alarm is gone"}
	}
	s := &view.Status
	if e.State != "" && string(s.State) != e.State {
		fail("state is %s, want %s", s.State, e.State)
	}
	if e.Reason != nil && s.Reason != *e.Reason {
		fail("reason is %q,\n            want %q", s.Reason, *e.Reason)
	}
	for _, part := range e.ReasonContains {
		if !strings.Contains(s.Reason, part) {
			fail("reason is %q, and does not contain %q", s.Reason, part)
		}
	}
	if e.ReasonData != nil {
		for _, difference := range compareReasonData(s.ReasonData, e.ReasonData) {
			fail("reason data: %s", difference)
		}
	}
	if e.EvaluationState != nil && s.EvaluationState != *e.EvaluationState {
		fail("evaluation state is %q, want %q", s.EvaluationState, *e.EvaluationState)
	}
	if e.SuppressedBy != nil && s.ActionsSuppressedBy != *e.SuppressedBy {
		fail("actions are suppressed by %q, want %q", s.ActionsSuppressedBy, *e.SuppressedBy)
	}
	if e.Contributors != nil {
		if got := r.engine.Contributors(r.file.tenant, e.Alarm); !sameContributors(got, e.Contributors) {
			fail("contributors in ALARM are %s, want %s", showContributors(got), showAttributes(e.Contributors))
		}
	}
	if e.Actions != nil {
		got := r.firedSince(e.Alarm)
		if !slices.Equal(sorted(got), sorted(*e.Actions)) {
			fail("actions that ran are %s, want %s", showList(got), showList(*e.Actions))
		}
	}
	if e.Transitions != nil && !sameTransitions(r.states[e.Alarm], e.transitions) {
		fail("transitions are %s, want %s", showChanges(r.states[e.Alarm]), showTransitions(e.transitions))
	}
	return messages
}

// firedSince are the actions of the alarm that ran since an expectation looked at its actions last.
func (r *run) firedSince(name string) []string {
	var arns []string
	for _, f := range r.fired[name][r.seen[name]:] {
		arns = append(arns, f.arns...)
	}
	r.seen[name] = len(r.fired[name])
	return arns
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	sort.Strings(s)
	return s
}

func showList(s []string) string {
	if len(s) == 0 {
		return "none"
	}
	return strings.Join(s, ", ")
}

func sameTransitions(got []change, want []transition) bool {
	return slices.EqualFunc(got, want, func(g change, w transition) bool {
		return g.at == w.at && g.to == w.state && (w.actions == nil || slices.Equal(sorted(g.actions), sorted(w.actions)))
	})
}

func showChanges(list []change) string {
	parts := make([]string, len(list))
	for i, c := range list {
		parts[i] = showDuration(c.at) + " " + string(c.to)
	}
	return showList(parts)
}

func showTransitions(list []transition) string {
	parts := make([]string, len(list))
	for i, c := range list {
		parts[i] = showDuration(c.at) + " " + string(c.state)
		if c.actions != nil {
			parts[i] += " (" + showList(c.actions) + ")"
		}
	}
	return showList(parts)
}

// showDuration writes a duration as test files do: 16m10s, 2h, 0s.
func showDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func sameContributors(got []alarm.Contributor, want []map[string]string) bool {
	if len(got) != len(want) {
		return false
	}
	for _, w := range want {
		if !slices.ContainsFunc(got, func(c alarm.Contributor) bool { return maps.Equal(c.Attributes, w) }) {
			return false
		}
	}
	return true
}

func showContributors(list []alarm.Contributor) string {
	all := make([]map[string]string, len(list))
	for i := range list {
		all[i] = list[i].Attributes
	}
	return showAttributes(all)
}

func showAttributes(list []map[string]string) string {
	parts := make([]string, len(list))
	for i, m := range list {
		keys := slices.Sorted(maps.Keys(m))
		for j, k := range keys {
			keys[j] = k + "=" + m[k]
		}
		parts[i] = "{" + strings.Join(keys, ", ") + "}"
	}
	return showList(parts)
}

// compareReasonData compares the fields that are expected; others may be there.
func compareReasonData(text string, want any) []string {
	if text == "" {
		return []string{"there is none"}
	}
	var got any
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		return []string{fmt.Sprintf("is not JSON: %v", err)}
	}
	var out []string
	compare("", got, normal(want), &out)
	return out
}

// normal is what a value of YAML would be, had JSON been read.
func normal(v any) any {
	switch v := v.(type) {
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case uint64:
		return float64(v)
	case time.Time:
		return v.UTC().Format("2006-01-02T15:04:05.000-0700")
	case map[string]any:
		for k := range v {
			v[k] = normal(v[k])
		}
	case []any:
		for i := range v {
			v[i] = normal(v[i])
		}
	}
	return v
}

func compare(path string, got, want any, out *[]string) {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		for _, k := range slices.Sorted(maps.Keys(w)) {
			if _, there := g[k]; !there {
				*out = append(*out, strings.TrimPrefix(path+"."+k, ".")+" is not there")
				continue
			}
			compare(path+"."+k, g[k], w[k], out)
		}
		return
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			break
		}
		for i := range w {
			compare(fmt.Sprintf("%s[%d]", path, i), g[i], w[i], out)
		}
		return
	default:
		if got == want {
			return
		}
	}
	*out = append(*out, fmt.Sprintf("%s is %s, want %s", strings.TrimPrefix(path, "."), asJSON(got), asJSON(want)))
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
