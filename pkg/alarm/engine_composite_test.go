// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCompositeLife(t *testing.T) {
	t.Parallel()
	s := newScenario(t, EngineSettings{})
	for _, name := range []string{"a", "b"} {
		s.put(manual(name))
		s.set(name, StateOK)
	}
	s.since()
	s.now = noon.Add(time.Second)
	s.put(composite("c", "ALARM(a) OR ALARM(b)"))
	assert.Equal(t, []string{"1s c created", "1s c state NONE>OK fine"}, s.since())
	v, _ := s.e.Alarm(tester, "c")
	assert.Equal(t, ARN(tester, "c")+" was created and its alarm rule evaluates to OK", v.Status.Reason)
	assert.Equal(t, []TriggeringAlarm{
		{ARN: ARN(tester, "a"), State: StateOK, Timestamp: noon}, {ARN: ARN(tester, "b"), State: StateOK, Timestamp: noon},
	}, v.Triggering)
	assert.JSONEq(t, `{"triggeringAlarms":[
		{"arn":"arn:aws:cloudwatch:us-east-1:123456789012:alarm:a","state":{"value":"OK","timestamp":"2026-09-14T12:00:00.000+0000"}},
		{"arn":"arn:aws:cloudwatch:us-east-1:123456789012:alarm:b","state":{"value":"OK","timestamp":"2026-09-14T12:00:00.000+0000"}}]}`,
		v.Status.ReasonData)
	assert.Equal(t, []string{"a", "b"}, s.e.Children(tester, "c"))
	assert.Equal(t, []string{"c"}, s.e.Parents(tester, "b"))
	assert.Nil(t, s.e.Children(tester, "a"))

	s.now = noon.Add(2 * time.Second)
	s.set("b", StateAlarm)
	assert.Equal(t, []string{"2s b state OK>ALARM topic", "2s c state OK>ALARM topic"}, s.since())
	first, _ := s.e.Alarm(tester, "c")
	assert.Equal(t, ARN(tester, "b")+" transitioned to ALARM at Monday 14 September, 2026 12:00:02 UTC", first.Status.Reason)
	assert.Len(t, first.Triggering, 1)
	s.now = noon.Add(3 * time.Second)
	s.set("a", StateAlarm)
	s.set("b", StateOK)
	assert.Equal(t, []string{"3s a state OK>ALARM topic", "3s b state ALARM>OK fine"}, s.since())
	again, _ := s.e.Alarm(tester, "c")
	assert.Equal(t, first, again, "the state is the same: nothing is written")

	// Only a new rule is evaluated at once, and only its change is written.
	s.set("c", StateOK)
	d := composite("c", "ALARM(a) OR ALARM(b)")
	d.Description = new("other")
	s.put(d)
	assert.Equal(t, []string{"3s c state ALARM>OK fine", "3s c updated"}, s.since())
	s.put(composite("c", "ALARM(a)"))
	assert.Equal(t, []string{"3s c updated", "3s c state OK>ALARM topic"}, s.since())
	v, _ = s.e.Alarm(tester, "c")
	assert.Equal(t, ARN(tester, "c")+" was updated and its new alarm rule evaluates to ALARM", v.Status.Reason)
	s.put(composite("c", "ALARM(a) OR TRUE"))
	assert.Equal(t, []string{"3s c updated"}, s.since())
	assert.Empty(t, s.e.Parents(tester, "b"))

	s.put(composite("c", "TRUE"))
	v, _ = s.e.Alarm(tester, "c")
	assert.Equal(t, StateAlarm, v.Status.State)
	s.put(composite("d", "TRUE"))
	v, _ = s.e.Alarm(tester, "d")
	assert.Empty(t, v.Triggering)
}

func TestCompositeErrors(t *testing.T) {
	t.Parallel()
	s := newScenario(t, EngineSettings{})
	s.put(manual("a"))
	s.put(composite("c", "ALARM(a)"))
	s.since()
	arn := "arn:aws:cloudwatch:us-east-1:123456789012:alarm:"
	for _, c := range []struct{ rule, message string }{
		{"ALARM(x)", "Could not save the composite alarm as alarms [" + arn + "x] in the alarm rule do not exist"},
		{"ALARM(x) OR OK(a) OR OK(y)", "Could not save the composite alarm as alarms [" + arn + "x, " + arn + "y] in the alarm rule do not exist"},
		{"ALARM(new)", "A composite alarm cannot have a child relation with itself via its AlarmRule, as it would introduce a circular dependency"},
		{
			"ALARM(\"arn:aws:cloudwatch:us-west-2:123456789012:alarm:a\")",
			"Error in AlarmRule [Wrong ARN region, it was us-west-2 but us-east-1 was expected instead]",
		},
		{
			"ALARM(\"arn:aws:cloudwatch:us-east-1:999999999999:alarm:a\")",
			"A composite alarm cannot have a child relation with alarms from another AWS account",
		},
		{"true", "Error in AlarmRule [Unsupported token 'true' at char 0, must be: '(', 'NOT', AT_LEAST, TRUE or FALSE, ALARM, OK, or INSUFFICIENT_DATA]"},
	} {
		_, err := s.e.Put(t.Context(), tester, composite("new", c.rule), s.now)
		requireError(t, err, "ValidationError", c.message)
	}
	for _, suppressor := range []string{
		"x", "new", "arn:aws:cloudwatch:us-west-2:123456789012:alarm:a", "arn:aws:cloudwatch:us-east-1:999999999999:alarm:a",
	} {
		d := composite("new", "ALARM(a)")
		d.Composite.ActionsSuppressor, d.Composite.WaitPeriod, d.Composite.ExtensionPeriod = suppressor, new(int32(1)), new(int32(1))
		_, err := s.e.Put(t.Context(), tester, d, s.now)
		require.Error(t, err, suppressor)
	}
	_, err := s.e.Put(t.Context(), tester, composite("a", "TRUE"), s.now)
	require.Error(t, err, "the name is a metric alarm's")
	_, err = s.e.Put(t.Context(), tester, manual("c"), s.now)
	require.Error(t, err, "the name is a composite alarm's")
	assert.Empty(t, s.since())

	_, err = s.e.Delete(tester, []string{"b", "a"}, s.now)
	requireError(t, err, "ValidationError", "Cannot delete a as there are composite alarm(s) depending on it.")
	s.put(composite("d", "ALARM(c)"))
	_, err = s.e.Delete(tester, []string{"c", "d"}, s.now)
	require.Error(t, err, "two composite alarms")
	s.add(s.e.Delete(tester, []string{"d"}, s.now))
	s.add(s.e.Delete(tester, []string{"a", "c"}, s.now))
	assert.Empty(t, s.e.tenants)
}

func TestCompositeOfManyParents(t *testing.T) {
	t.Parallel()
	s := newScenario(t, EngineSettings{})
	s.put(manual("a"))
	for i := range maxParents {
		s.put(composite(strconv.Itoa(i), "ALARM(a)"))
	}
	_, err := s.e.Put(t.Context(), tester, composite("one more", "ALARM(a)"), s.now)
	require.Error(t, err)
	s.put(composite("7", "ALARM(a) OR FALSE"))
	s.since()
	s.set("a", StateAlarm)
	assert.Len(t, s.since(), maxParents+1)
}

// Alarms may depend on each other in circles. A change goes round once.
func TestCompositeCircles(t *testing.T) {
	t.Parallel()
	s := newScenario(t, EngineSettings{})
	s.put(manual("m"))
	s.put(composite("a", "FALSE"))
	s.put(composite("b", "ALARM(a)"))
	s.put(composite("c", "ALARM(b)"))
	s.put(composite("a", "ALARM(c) OR ALARM(m)"))
	s.since()
	s.set("m", StateAlarm)
	assert.Equal(t, []string{
		" m state NONE>ALARM topic", " a state OK>ALARM topic", " b state OK>ALARM topic", " c state OK>ALARM topic",
	}, s.since())
	s.set("m", StateOK)
	assert.Equal(t, []string{" m state ALARM>OK fine"}, s.since(), "it holds itself")
	// One that says the opposite of itself in the end.
	s.put(composite("a", "NOT ALARM(c)"))
	assert.Equal(t, []string{" a updated", " a state ALARM>OK fine", " b state ALARM>OK fine", " c state ALARM>OK fine"}, s.since())
	for _, name := range []string{"a", "b", "c"} {
		_, err := s.e.Delete(tester, []string{name}, s.now)
		require.Error(t, err)
	}
	s.put(composite("a", "FALSE"))
	for _, name := range []string{"c", "b", "a"} {
		s.add(s.e.Delete(tester, []string{name}, s.now))
	}
}

// A ladder has two to the power of its length paths from its foot to its head.
func TestCompositeGraphIsBounded(t *testing.T) {
	t.Parallel()
	s := newScenario(t, EngineSettings{})
	s.put(manual("0a"))
	s.put(manual("0b"))
	for i := 1; i < 40; i++ {
		rule := fmt.Sprintf("(ALARM(%da) AND NOT ALARM(%db)) OR (ALARM(%db) AND NOT ALARM(%da))", i-1, i-1, i-1, i-1)
		s.put(composite(fmt.Sprintf("%da", i), rule))
		s.put(composite(fmt.Sprintf("%db", i), strings.Replace(rule, "OR", "AND", 1)+" OR "+rule))
	}
	s.since()
	s.set("0a", StateAlarm)
	assert.NotEmpty(t, s.since())
}

// An alarm may be both a child and the suppressor.
func TestSuppressorIsAChild(t *testing.T) {
	t.Parallel()
	s := newScenario(t, EngineSettings{})
	s.put(manual("a"))
	d := composite("c", "ALARM(a)")
	d.Composite.ActionsSuppressor, d.Composite.WaitPeriod, d.Composite.ExtensionPeriod = "a", new(int32(1)), new(int32(2))
	s.put(d)
	s.at(10 * time.Second)
	s.since()
	s.set("a", StateAlarm)
	s.at(20 * time.Second)
	s.set("a", StateOK)
	s.at(30 * time.Second)
	assert.Equal(t, []string{
		"10s a state NONE>ALARM topic", "10s c state OK>ALARM by Alarm",
		"20s a state ALARM>OK fine", "20s c state ALARM>OK by WaitPeriod", "21s c state OK>OK", "21s c actions ALARM>OK fine",
	}, s.since())
}
