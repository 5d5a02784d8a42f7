// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package unittest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/alarms/notation"
	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// test checks a test. All that is wrong is reported together.
func (r *rawFile) test(raw *rawTest, node *yaml.Node, file *File) (*Test, error) {
	t := &Test{Name: raw.Name, Line: node.Line, start: DefaultStart}
	var errs []error
	check := func(line int, err error) {
		if err != nil {
			errs = append(errs, &lineError{line, err})
		}
	}
	if t.Name == "" {
		check(node.Line, errors.New("a test needs a name"))
	}
	if raw.Start != "" {
		start, err := time.Parse(time.RFC3339, raw.Start)
		if err != nil {
			err = fmt.Errorf("start: %q is not a time such as 2026-01-05T10:00:00Z", raw.Start)
		}
		t.start = start.UTC()
		check(child(node, "start").Line, err)
	}
	interval, err := duration("interval", cmp.Or(raw.Interval, r.Interval), DefaultInterval)
	if err != nil {
		check(child(node, "interval").Line, err)
		interval = DefaultInterval
	}
	list := child(node, "series")
	for i := range raw.Series {
		s, err := raw.Series[i].read(interval)
		check(item(list, i).Line, err)
		t.series = append(t.series, s)
	}
	list = child(node, "steps")
	for i := range raw.Steps {
		s, err := raw.Steps[i].read(file)
		s.line = item(list, i).Line
		check(s.line, err)
		t.steps = append(t.steps, s)
	}
	slices.SortStableFunc(t.steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	list = child(node, "expect")
	if len(raw.Expect) == 0 {
		check(node.Line, errors.New("a test needs something under expect"))
	}
	for i := range raw.Expect {
		e := expectation{rawExpectation: raw.Expect[i], line: item(list, i).Line}
		check(e.line, e.read(file))
		t.expect = append(t.expect, e)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	t.finish()
	if t.end.Sub(t.start) > maxDuration {
		return nil, &lineError{node.Line, fmt.Errorf("the test lasts longer than %s", maxDuration)}
	}
	return t, nil
}

// finish sets the end, which is also when expectations without a time are looked at.
func (t *Test) finish() {
	var end time.Duration
	for i := range t.series {
		s := &t.series[i]
		end = max(end, s.start+time.Duration(len(s.points))*s.interval)
	}
	for i := range t.steps {
		end = max(end, t.steps[i].at)
	}
	for i := range t.expect {
		end = max(end, t.expect[i].at)
	}
	for i := range t.expect {
		if t.expect[i].At == "" {
			t.expect[i].at = end
		}
	}
	slices.SortStableFunc(t.expect, func(a, b expectation) int { return cmp.Compare(a.at, b.at) })
	t.end = t.start.Add(end)
}

// duration reads a duration that may be missing.
func duration(name, text string, missing time.Duration) (time.Duration, error) {
	if text == "" {
		return missing, nil
	}
	d, err := notation.Duration(text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%s: %w", name, err)
	case d > maxDuration || d < -maxDuration:
		return 0, fmt.Errorf("%s: %s is longer than %s", name, text, maxDuration)
	}
	return d, nil
}

func (r *rawSeries) read(interval time.Duration) (series, error) {
	var s series
	var errs [5]error
	s.metric, s.unit, errs[0] = notation.Metric(r.Metric)
	if errs[0] != nil {
		errs[0] = fmt.Errorf("metric: %w", errs[0])
	}
	s.interval, errs[1] = duration("interval", r.Interval, interval)
	s.start, errs[2] = duration("start", r.Start, 0)
	s.delay, errs[3] = duration("delay", r.Delay, 0)
	if err := errors.Join(errs[:]...); err != nil {
		return s, err
	}
	s.resolution = r.Resolution
	if s.resolution == 0 {
		s.resolution = 60
		if s.interval < time.Minute {
			s.resolution = 1
		}
	}
	switch {
	case s.resolution != 1 && s.resolution != 60:
		return s, fmt.Errorf("resolution: %d is not 1 or 60 seconds", s.resolution)
	case s.interval < time.Second || s.interval%time.Second != 0:
		return s, errors.New("interval: must be whole seconds, at least one")
	case s.delay < 0:
		return s, errors.New("delay: must not be negative")
	}
	text, err := valuesText(&r.Values)
	if err != nil {
		return s, err
	}
	if s.points, err = notation.Values(text, s.interval); err != nil {
		return s, fmt.Errorf("values: %w", err)
	}
	return s, nil
}

// valuesText is the values as one text: a list is its items, with null for a gap.
func valuesText(n *yaml.Node) (string, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		return n.Value, nil
	case yaml.SequenceNode:
		parts := make([]string, len(n.Content))
		for i, c := range n.Content {
			switch {
			case c.Kind != yaml.ScalarNode:
				return "", errors.New("values: must be a text, or a list of numbers and texts")
			case c.ShortTag() == "!!null":
				parts[i] = "_"
			default:
				parts[i] = c.Value
			}
		}
		return strings.Join(parts, " "), nil
	}
	return "", errors.New("values: is required")
}

func (r *rawStep) read(file *File) (step, error) {
	s := step{state: r.SetState, enable: r.EnableActions, disab: r.DisableActions}
	var err error
	if s.at, err = duration("at", r.At, -1); err != nil {
		return s, err
	}
	if s.at < 0 {
		return s, errors.New("at: is required, and not negative")
	}
	if s.state == nil && s.enable == nil && s.disab == nil {
		return s, errors.New("a step has one of set_state, enable_actions and disable_actions")
	}
	names := slices.Concat(s.enable, s.disab)
	if s.state != nil {
		names = append(names, s.state.Alarm)
		if !validState(s.state.State) {
			return s, fmt.Errorf("set_state: %q is not OK, ALARM or INSUFFICIENT_DATA", s.state.State)
		}
	}
	for _, name := range names {
		if err := file.known(name); err != nil {
			return s, err
		}
	}
	return s, nil
}

func validState(s string) bool {
	switch alarm.State(s) {
	case alarm.StateOK, alarm.StateAlarm, alarm.StateInsufficientData:
		return true
	}
	return false
}

// known is an error for an alarm that no definition is of.
func (f *File) known(name string) error {
	if name == "" {
		return errors.New("alarm: is required")
	}
	if f.alarm(name) == nil {
		return fmt.Errorf("there is no alarm %q in the definitions", name)
	}
	return nil
}

func (f *File) alarm(name string) *alarm.Definition {
	for i := range f.Set.Alarms {
		if d := f.Set.Alarms[i].Alarm; d.Name == name {
			return d
		}
	}
	return nil
}

func (e *expectation) read(file *File) error {
	var err error
	if e.at, err = duration("at", e.At, 0); err != nil {
		return err
	}
	if e.at < 0 {
		return errors.New("at: must not be negative")
	}
	if err := file.known(e.Alarm); err != nil {
		return err
	}
	if e.State != "" && !validState(e.State) {
		return fmt.Errorf("state: %q is not OK, ALARM or INSUFFICIENT_DATA", e.State)
	}
	if e.State == "" && e.Reason == nil && e.ReasonContains == nil && e.ReasonData == nil && e.Actions == nil &&
		e.EvaluationState == nil && e.SuppressedBy == nil && e.Contributors == nil && e.Transitions == nil {
		return errors.New("nothing is expected: give a state, a reason, actions or transitions")
	}
	if e.Transitions == nil {
		return nil
	}
	for _, raw := range *e.Transitions {
		at, err := duration("transitions: at", raw.At, -1)
		if err != nil {
			return err
		}
		if at < 0 || !validState(raw.State) {
			return fmt.Errorf("transitions: %q is not a time and a state, such as %q", raw.At+" "+raw.State, "5m10s ALARM")
		}
		e.transitions = append(e.transitions, transition{at: at, state: alarm.State(raw.State), actions: raw.Actions})
	}
	return nil
}
