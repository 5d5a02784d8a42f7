// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

var (
	tester = cloudwatch.Tenant{Account: "123456789012", Region: "us-east-1"}
	noon   = time.Date(2026, 9, 14, 12, 0, 0, 0, time.UTC)
)

const (
	topic   = "arn:aws:sns:us-east-1:123456789012:topic"
	okTopic = "arn:aws:sns:us-east-1:123456789012:fine"
	policy  = "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:1:autoScalingGroupName/g:policyName/p"
)

// scenario is an engine under a clock, and what happened in it.
type scenario struct {
	t      *testing.T
	e      *Engine
	now    time.Time
	events []Event
	// settings make the engine anew.
	settings EngineSettings
	// restarts makes every step go through a restart.
	restarts bool
}

func newScenario(t *testing.T, s EngineSettings) *scenario {
	t.Helper()
	if s.Phase == nil {
		s.Phase = func(string, time.Duration) time.Duration { return 20 * time.Second }
	}
	s.TrackChanges = true
	return &scenario{t: t, e: NewEngine(s), now: noon, settings: s}
}

func (s *scenario) add(events []Event, err error) {
	s.t.Helper()
	require.NoError(s.t, err)
	s.events = append(s.events, events...)
	if s.restarts {
		s.restart()
	}
}

// restart is what a process does that ends and begins again.
func (s *scenario) restart() {
	s.t.Helper()
	e := NewEngine(s.settings)
	for _, r := range s.e.MuteRules(tester) {
		require.NoError(s.t, e.RestoreMuteRule(tester, r))
	}
	for v := range func(yield func(View) bool) { s.e.Alarms(tester, yield) } {
		snap := s.e.Snapshot(tester, v.Definition.Name)
		require.NoError(s.t, e.Restore(tester, v.Definition, snap, s.now))
		require.JSONEq(s.t, string(snap), string(e.Snapshot(tester, v.Definition.Name)))
	}
	s.e = e
}

func (s *scenario) put(d *Definition) {
	s.t.Helper()
	s.add(s.e.Put(s.t.Context(), tester, d, s.now))
}

func (s *scenario) set(name string, state State) {
	s.t.Helper()
	s.add(s.e.SetState(tester, name, state, "set", nil, s.now))
}

// at advances to a time after noon.
func (s *scenario) at(d time.Duration) {
	s.t.Helper()
	s.now = noon.Add(d)
	s.add(s.e.Advance(s.t.Context(), s.now), nil)
}

// observe adds a value at a time after noon.
func (s *scenario) observe(d time.Duration, values ...float64) {
	s.t.Helper()
	for _, v := range values {
		one := datum(noon.Add(d), v)
		s.e.Observe(tester, []cloudwatch.Datum{one}, s.now)
		if store, ok := s.settings.Reader.(*reader); ok {
			store.data = append(store.data, one)
		}
	}
}

func datum(at time.Time, v float64) cloudwatch.Datum {
	return cloudwatch.Datum{
		Metric:      cloudwatch.Metric{Namespace: "App", Name: "Load"},
		TimestampMs: at.UnixMilli(), Unit: "None", StorageResolution: 60, Value: v,
	}
}

// since returns what happened since the last call, a line for each event.
func (s *scenario) since() []string {
	lines := []string{}
	for i := range s.events {
		lines = append(lines, line(&s.events[i]))
	}
	s.events = nil
	return lines
}

var kindNames = map[EventKind]string{
	EventCreated: "created", EventUpdated: "updated", EventDeleted: "deleted", EventStateChanged: "state",
	EventContributorChanged: "contributor", EventActions: "actions", EventRefreshed: "refreshed",
}

func short(s State) string {
	if s == StateInsufficientData {
		return "NONE"
	}
	return string(s)
}

func line(ev *Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", strings.TrimPrefix(ev.Time.Sub(noon).String(), "0s"), ev.Alarm.Name, kindNames[ev.Kind])
	switch ev.Kind {
	case EventStateChanged, EventActions:
		fmt.Fprintf(&b, " %s>%s", short(ev.Old.State), short(ev.New.State))
	}
	if ev.Contributor != nil {
		fmt.Fprintf(&b, " %v %s>%s", ev.Contributor.Attributes, short(ev.Contributor.Old.State), short(ev.Contributor.New.State))
	}
	if ev.New.ActionsSuppressedBy != "" {
		b.WriteString(" by " + ev.New.ActionsSuppressedBy)
	}
	if ev.Muted != nil {
		fmt.Fprintf(&b, " muted %s-%s", ev.Muted.Start.Sub(noon), ev.Muted.End.Sub(noon))
	}
	for _, a := range ev.Actions {
		b.WriteString(" " + a[strings.LastIndexAny(a, ":/")+1:])
	}
	if ev.AfterMuteWindow {
		b.WriteString(" after mute")
	}
	return b.String()
}

// over is an alarm that is in ALARM when the load of its last n minutes was over 10.
func over(name string, n int32) *Definition {
	return &Definition{
		Name: name, ActionsEnabled: true, AlarmActions: []string{topic}, OKActions: []string{okTopic},
		Metric: &MetricAlarm{
			Namespace: "App", MetricName: "Load", Statistic: "Average", Period: 60, EvaluationPeriods: n,
			Threshold: new(10.0), ComparisonOperator: GreaterThanThreshold,
		},
	}
}

// manual is an alarm without data, which keeps the state that it is set to.
func manual(name string) *Definition {
	d := over(name, 1)
	d.Metric.MetricName, d.Metric.TreatMissingData = "Never", Ignore
	return d
}

func composite(name, rule string) *Definition {
	return &Definition{
		Name: name, ActionsEnabled: true, AlarmActions: []string{topic}, OKActions: []string{okTopic},
		Composite: &CompositeAlarm{Rule: rule},
	}
}
