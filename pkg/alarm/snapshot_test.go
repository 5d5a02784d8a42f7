// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRestartsChangeNothing does the same at random with and without a restart after every step.
func TestRestartsChangeNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			live, restarted := randomScenario(t, seed), randomScenario(t, seed)
			restarted.s.restarts = true
			for step := range 120 {
				live.step()
				restarted.step()
				for i := range max(len(live.s.events), len(restarted.s.events)) {
					if i >= len(live.s.events) || i >= len(restarted.s.events) {
						t.Fatalf("step %d: %v and %v", step, live.s.since(), restarted.s.since())
					}
					require.Equal(t, live.s.events[i], restarted.s.events[i], step)
				}
				for _, name := range live.names {
					require.Equal(t, string(live.s.e.Snapshot(tester, name)), string(restarted.s.e.Snapshot(tester, name)), step)
				}
				live.events += len(live.s.events)
				live.s.events, restarted.s.events = nil, nil
			}
			assert.Positive(t, live.events)
		})
	}
}

type random struct {
	*rand.Rand
	s      *scenario
	names  []string
	events int
}

func randomScenario(t *testing.T, seed uint64) *random {
	t.Helper()
	return &random{
		Rand: rand.New(rand.NewPCG(seed, 1)),
		s: newScenario(t, EngineSettings{Reader: &reader{}, Phase: func(arn string, interval time.Duration) time.Duration {
			return time.Duration(hashString(arn) % uint64(interval))
		}}),
	}
}

func (r *random) name() string { return r.names[r.IntN(len(r.names))] }

func (r *random) step() {
	s := r.s
	switch n := r.IntN(20); {
	case len(r.names) < 3 || n == 0 && len(r.names) < 12:
		r.create(fmt.Sprint("a", len(r.names)))
	case n < 3:
		s.add(s.e.SetState(tester, r.name(), states[r.IntN(3)], "by hand", nil, s.now))
	case n == 3:
		s.add(s.e.SetActionsEnabled(tester, []string{r.name()}, r.IntN(3) > 0, s.now))
	case n == 4:
		rule := MuteRule{
			Name: fmt.Sprint("r", r.IntN(3)), Expression: fmt.Sprintf("cron(%d-59 * * * *)", r.IntN(60)),
			Duration: fmt.Sprintf("PT%dM", 1+r.IntN(5)), AlarmNames: []string{r.name(), r.name(), r.name()},
		}
		s.add(s.e.PutMuteRule(tester, rule, s.now))
	case n == 5:
		s.add(s.e.DeleteMuteRule(tester, fmt.Sprint("r", r.IntN(3)), s.now))
	case n == 6:
		r.create(r.name())
	case n == 7:
		name := r.name()
		if events, err := s.e.Delete(tester, []string{name}, s.now); err == nil {
			s.add(events, nil)
			r.names = slices.DeleteFunc(r.names, func(n string) bool { return n == name })
		}
	case n < 13:
		for range 1 + r.IntN(4) {
			s.observe(s.now.Sub(noon)-time.Duration(r.IntN(200))*time.Second, float64(r.IntN(30)))
		}
	default:
		s.at(s.now.Sub(noon) + time.Duration(r.IntN(90_000))*time.Millisecond)
	}
}

// create puts an alarm; what is refused is refused.
func (r *random) create(name string) {
	s := r.s
	d := over(name, int32(1+r.IntN(3)))
	switch kind := r.IntN(4); {
	case kind == 0 && len(r.names) > 0:
		d = composite(name, fmt.Sprintf("ALARM(%s) OR NOT OK(%s)", r.name(), r.name()))
		if r.IntN(2) == 0 {
			d.Composite.ActionsSuppressor = r.name()
			d.Composite.WaitPeriod, d.Composite.ExtensionPeriod = new(int32(r.IntN(60))), new(int32(r.IntN(60)))
		}
	case kind == 1:
		d.AlarmActions = []string{topic, policy}
	case kind == 2:
		d.Metric.TreatMissingData = []TreatMissingData{Missing, Ignore, Breaching, NotBreaching}[r.IntN(4)]
	}
	events, err := s.e.Put(s.t.Context(), tester, d, s.now)
	if err != nil {
		return
	}
	s.add(events, nil)
	if !slices.Contains(r.names, name) {
		r.names = append(r.names, name)
	}
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	e := NewEngine(EngineSettings{MaxAlarms: 2})
	_, err := e.Put(t.Context(), tester, manual("a"), noon)
	require.NoError(t, err)
	snap := e.Snapshot(tester, "a")
	for _, c := range []struct {
		d       *Definition
		snap    string
		message string
	}{
		{manual("a"), string(snap), `alarm "a" is there already`},
		{manual("b"), "{", "snapshot of alarm \"b\": unexpected end of JSON input"},
		{manual("b"), "{}", `snapshot of alarm "b" has version 0, not 1`},
		{manual("b"), `{"version":1,"status":{"state":"FINE"}}`, `snapshot of alarm "b": "FINE" is no state`},
		{manual("b"), `{"version":1,"status":{"state":"OK","evaluationState":"x"}}`, `snapshot of alarm "b": "x" is no evaluation state`},
		{manual("b"), `{"version":1,"status":{"state":"OK","actionsSuppressedBy":"x"}}`, `snapshot of alarm "b": actions cannot be suppressed by "x"`},
		{manual("b"), `{"version":1,"status":{"state":"OK"},"before":{"state":"x"}}`, `snapshot of alarm "b": "x" is no state`},
		{manual("b"), `{"version":1,"status":{"state":"OK"},"contributors":[{"old":{"state":"OK"},"new":{"state":"x"}}]}`, `snapshot of alarm "b": "x" is no state`},
	} {
		require.EqualError(t, e.Restore(tester, c.d, []byte(c.snap), noon), c.message)
	}
	require.Error(t, e.Restore(tester, &Definition{Name: "b"}, snap, noon))
	require.NoError(t, e.Restore(tester, manual("b"), snap, noon))
	require.EqualError(t, e.Restore(tester, manual("c"), snap, noon), "more than 2 alarms")
}

func FuzzRestore(f *testing.F) {
	e := NewEngine(EngineSettings{})
	for _, d := range []*Definition{manual("a"), composite("b", "TRUE")} {
		_, err := e.Put(f.Context(), tester, d, noon)
		require.NoError(f, err)
		f.Add(e.Snapshot(tester, d.Name))
	}
	f.Fuzz(func(t *testing.T, snap []byte) {
		for _, d := range []*Definition{manual("a"), composite("b", "TRUE")} {
			e := NewEngine(EngineSettings{})
			if e.Restore(tester, d, snap, noon) != nil {
				continue
			}
			first := e.Snapshot(tester, d.Name)
			again := NewEngine(EngineSettings{})
			require.NoError(t, again.Restore(tester, d, first, noon))
			require.Equal(t, string(first), string(again.Snapshot(tester, d.Name)))
			e.Advance(t.Context(), noon.Add(time.Minute))
		}
	})
}
