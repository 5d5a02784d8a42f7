// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// suppressed is a composite alarm of the alarm child, suppressed by the alarm quiet: both are in OK.
func suppressed(t *testing.T, wait, extension int32, quiet State) *scenario {
	t.Helper()
	s := newScenario(t, EngineSettings{})
	s.put(manual("child"))
	s.put(manual("quiet"))
	s.set("child", StateOK)
	s.set("quiet", StateOK)
	s.put(composite("c", "ALARM(child)"))
	d := composite("c", "ALARM(child)")
	d.Composite.ActionsSuppressor, d.Composite.WaitPeriod, d.Composite.ExtensionPeriod = "quiet", &wait, &extension
	s.put(d)
	s.set("quiet", quiet)
	s.since()
	return s
}

// The worked examples of AWS's page on the suppression of composite alarms' actions: a wait period of 2 and an extension
// period of 3.
func TestSuppressionExamples(t *testing.T) {
	t.Parallel()
	type step struct {
		at    int
		alarm string
		state State
	}
	for _, c := range []struct {
		name  string
		quiet State
		steps []step
		want  []string
	}{
		{"1", StateOK, []step{{2, "child", StateAlarm}}, []string{
			"2s c state OK>ALARM by WaitPeriod", "4s c state ALARM>ALARM", "4s c actions OK>ALARM topic",
		}},
		{"2", StateOK, []step{{2, "child", StateAlarm}, {3, "quiet", StateAlarm}}, []string{
			"2s c state OK>ALARM by WaitPeriod", "3s c state ALARM>ALARM by Alarm",
		}},
		{"3", StateOK, []step{{2, "child", StateAlarm}, {3, "child", StateOK}}, []string{
			"2s c state OK>ALARM by WaitPeriod", "3s c state ALARM>OK by WaitPeriod",
			"5s c state OK>OK", "5s c actions ALARM>OK fine",
		}},
		{"4", StateAlarm, []step{{2, "child", StateAlarm}}, []string{"2s c state OK>ALARM by Alarm"}},
		{"5", StateOK, []step{{2, "child", StateAlarm}, {3, "quiet", StateAlarm}, {6, "quiet", StateOK}}, []string{
			"2s c state OK>ALARM by WaitPeriod", "3s c state ALARM>ALARM by Alarm", "6s c state ALARM>ALARM by ExtensionPeriod",
			"9s c state ALARM>ALARM", "9s c actions OK>ALARM topic",
		}},
		{"6", StateOK, []step{{2, "child", StateAlarm}, {3, "quiet", StateAlarm}, {6, "quiet", StateOK}, {7, "child", StateOK}}, []string{
			"2s c state OK>ALARM by WaitPeriod", "3s c state ALARM>ALARM by Alarm", "6s c state ALARM>ALARM by ExtensionPeriod",
			"7s c state ALARM>OK by WaitPeriod", "9s c state OK>OK", "9s c actions ALARM>OK fine",
		}},
		{"the suppressor comes back in the extension period", StateAlarm, []step{
			{2, "child", StateAlarm}, {3, "quiet", StateOK}, {5, "quiet", StateAlarm}, {9, "quiet", StateInsufficientData},
		}, []string{
			"2s c state OK>ALARM by Alarm", "3s c state ALARM>ALARM by ExtensionPeriod", "5s c state ALARM>ALARM by Alarm",
			"9s c state ALARM>ALARM by ExtensionPeriod", "12s c state ALARM>ALARM", "12s c actions OK>ALARM topic",
		}},
		{"the suppressor is late", StateOK, []step{{2, "child", StateAlarm}, {5, "quiet", StateAlarm}, {6, "quiet", StateOK}}, []string{
			"2s c state OK>ALARM by WaitPeriod", "4s c state ALARM>ALARM", "4s c actions OK>ALARM topic",
		}},
	} {
		for _, restarts := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				s := suppressed(t, 2, 3, c.quiet)
				s.restarts = restarts
				for _, step := range c.steps {
					s.at(time.Duration(step.at) * time.Second)
					s.set(step.alarm, step.state)
				}
				s.at(19 * time.Second)
				var got []string
				for _, l := range s.since() {
					if assert.NotEmpty(t, l) && containsWord(l, "c") {
						got = append(got, l)
					}
				}
				assert.Equal(t, c.want, got)
			})
		}
	}
}

func containsWord(line, word string) bool {
	for i := 0; i+len(word)+2 <= len(line); i++ {
		if line[i:i+len(word)+2] == " "+word+" " {
			return true
		}
	}
	return false
}

func TestSuppressionStatus(t *testing.T) {
	t.Parallel()
	s := suppressed(t, 2, 3, StateOK)
	status := func() Status {
		v, ok := s.e.Alarm(tester, "c")
		require.True(t, ok)
		return v.Status
	}
	s.at(time.Second)
	s.set("child", StateAlarm)
	assert.Equal(t, "WaitPeriod", status().ActionsSuppressedBy)
	assert.Equal(t, "Actions suppressed by WaitPeriod", status().ActionsSuppressedReason)
	s.at(2 * time.Second)
	s.set("quiet", StateAlarm)
	assert.Equal(t, "Alarm", status().ActionsSuppressedBy)
	assert.Equal(t, "Actions suppressed by "+ARN(tester, "quiet")+" that transitioned to ALARM at Monday 14 September, 2026 12:00:02 UTC",
		status().ActionsSuppressedReason)
	assert.Equal(t, noon.Add(2*time.Second), status().StateUpdated)
	assert.Equal(t, noon.Add(time.Second), status().StateTransitioned)
	s.at(4 * time.Second)
	s.set("quiet", StateOK)
	assert.Equal(t, "Actions suppressed by ExtensionPeriod", status().ActionsSuppressedReason)
	s.at(7 * time.Second)
	assert.Empty(t, status().ActionsSuppressedBy+status().ActionsSuppressedReason)
	assert.Equal(t, noon.Add(7*time.Second), status().StateUpdated)
}

func TestSuppressionWithoutPeriods(t *testing.T) {
	t.Parallel()
	s := suppressed(t, 0, 0, StateAlarm)
	s.set("child", StateAlarm)
	s.set("quiet", StateOK)
	assert.Equal(t, []string{
		" child state OK>ALARM topic", " c state OK>ALARM by Alarm",
		" quiet state ALARM>OK fine", " c state ALARM>ALARM", " c actions OK>ALARM topic",
	}, s.since())
	s.set("child", StateOK)
	assert.Equal(t, []string{" child state ALARM>OK fine", " c state ALARM>OK fine"}, s.since())
}

// Another suppressor ends what the former withheld, without its actions.
func TestSuppressorReplaced(t *testing.T) {
	t.Parallel()
	s := suppressed(t, 5, 5, StateOK)
	s.put(manual("other"))
	s.set("child", StateAlarm)
	s.since()
	d := composite("c", "ALARM(child)")
	d.Composite.ActionsSuppressor, d.Composite.WaitPeriod, d.Composite.ExtensionPeriod = ARN(tester, "quiet"), new(int32(7)), new(int32(7))
	s.put(d)
	assert.Equal(t, []string{" c updated by WaitPeriod"}, s.since(), "the same suppressor, by its ARN")
	e := composite("c", "ALARM(child)")
	e.Composite.ActionsSuppressor, e.Composite.WaitPeriod, e.Composite.ExtensionPeriod = "other", new(int32(7)), new(int32(7))
	s.put(e)
	assert.Equal(t, []string{" c updated by WaitPeriod", " c state ALARM>ALARM"}, s.since())
	s.at(time.Minute)
	assert.Empty(t, s.since())
	_, err := s.e.Delete(tester, []string{"other"}, s.now)
	requireError(t, err, "ValidationError", "Cannot delete other as there are composite alarm(s) depending on it.")
	s.add(s.e.Delete(tester, []string{"quiet"}, s.now))
}

func TestSuppressionWithDisabledActions(t *testing.T) {
	t.Parallel()
	s := suppressed(t, 2, 2, StateOK)
	s.add(s.e.SetActionsEnabled(tester, []string{"c"}, false, s.now))
	s.set("child", StateAlarm)
	s.since()
	s.at(3 * time.Second)
	assert.Equal(t, []string{"2s c state ALARM>ALARM"}, s.since())
}
