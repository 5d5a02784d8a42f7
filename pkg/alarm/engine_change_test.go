// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"context"
	"math"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// during does something while a source or reader is asked.
type during struct {
	reader
	hosts
	do func()
}

func (d *during) QueryMetrics(ctx context.Context, queries []cloudwatch.MetricQuery) ([][]cloudwatch.Bucket, error) {
	if d.do != nil {
		d.do()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return d.reader.QueryMetrics(ctx, queries)
}

func (d *during) Insights(ctx context.Context, q *InsightsQuery) (InsightsResult, error) {
	if d.do != nil {
		d.do()
	}
	if err := ctx.Err(); err != nil {
		return InsightsResult{}, err
	}
	return d.hosts.Insights(ctx, q)
}

// Names are read while definitions are replaced.
func TestAlarmsWhileTheyChange(t *testing.T) {
	t.Parallel()
	e := NewEngine(EngineSettings{})
	put := func(name, description string) {
		d := over(name, 1)
		d.Description = &description
		_, err := e.Put(t.Context(), tester, d, noon)
		assert.NoError(t, err)
	}
	for i := range 200 {
		put(strconv.Itoa(i), "")
	}
	var busy sync.WaitGroup
	busy.Go(func() {
		for i := range 200 {
			put(strconv.Itoa(i), "changed")
			put("new "+strconv.Itoa(i), "")
		}
	})
	for range 50 {
		last := "1"
		e.AlarmsAfter(tester, last, func(v View) bool {
			assert.Less(t, last, v.Definition.Name)
			last = v.Definition.Name
			return true
		})
	}
	busy.Wait()
	n := 0
	e.Alarms(tester, func(View) bool { n++; return true })
	assert.Equal(t, 400, n)
}

func TestThresholdOfMinusZero(t *testing.T) {
	t.Parallel()
	s := newScenario(t, EngineSettings{})
	d := over("a", 1)
	d.Metric.Threshold = new(0.0)
	s.put(d)
	d = over("a", 1)
	d.Metric.Threshold = new(math.Copysign(0, -1))
	d.Description = new("other")
	s.put(d)
	assert.Equal(t, []string{" a created", " a updated"}, s.since())
	s.add(s.e.Delete(tester, []string{"a"}, s.now))
	assert.Empty(t, s.e.rules)
}

// An alarm that is put while its data is read is not evaluated with what was read for what it was.
func TestPutWhileDataIsRead(t *testing.T) {
	t.Parallel()
	store := &during{}
	store.data = append(store.data, datum(noon.Add(-time.Minute), 20))
	s := newScenario(t, EngineSettings{Reader: store})
	s.put(over("a", 1))
	s.since()
	reads := 0
	store.do = func() {
		if reads++; reads != 2 {
			return
		}
		d := over("a", 1)
		d.Metric.MetricName = "Other" // the reader has the same data of it
		_, err := s.e.Put(t.Context(), tester, d, s.now)
		assert.NoError(t, err)
	}
	s.at(90 * time.Second)
	assert.Equal(t, 2, reads, "for the evaluation at 20 s, and that at 80 s")
	assert.Equal(t, []string{"20s a state NONE>ALARM topic"}, s.since())
	s.at(150 * time.Second)
	assert.Greater(t, reads, 2)
	assert.Empty(t, s.since())
}

// A context that ends in an evaluation says nothing of the alarm, which stays due.
func TestInterruptedEvaluation(t *testing.T) {
	t.Parallel()
	source := &during{hosts: hosts{values: map[string]float64{"a": 20}}}
	s := newScenario(t, EngineSettings{Reader: source, Insights: source})
	source.data = append(source.data, datum(noon.Add(-time.Minute), 20))
	s.put(over("a", 1))
	s.put(overHosts("m"))
	s.since()
	ctx, end := context.WithCancel(t.Context())
	source.do = end
	s.now = noon.Add(30 * time.Second)
	s.add(s.e.Advance(ctx, s.now), nil)
	assert.Empty(t, s.since())
	for _, name := range []string{"a", "m"} {
		v, _ := s.e.Alarm(tester, name)
		assert.Empty(t, v.Status.EvaluationState)
		assert.Equal(t, noon, v.Status.StateUpdated)
	}
	assert.Equal(t, noon.Add(20*time.Second), s.e.Next())

	// Now in the query of the other alarm.
	source.do = nil
	ctx, end = context.WithCancel(t.Context())
	s.e.settings.Insights = &during{do: end}
	s.add(s.e.Advance(ctx, s.now), nil)
	s.e.settings.Insights = source
	s.add(s.e.Advance(t.Context(), s.now), nil)
	assert.ElementsMatch(t, []string{
		"20s a state NONE>ALARM topic", "20s m state NONE>ALARM topic plan", "20s m contributor map[Host:a] OK>ALARM topic",
	}, s.since())
}

// Actions of Auto Scaling run as long as the state stays: not once more when it ends.
func TestAutoScalingActionsEndWithTheState(t *testing.T) {
	t.Parallel()
	s := newScenario(t, EngineSettings{})
	d := over("a", 1)
	d.AlarmActions = []string{policy}
	s.put(d)
	s.since()
	s.observe(10*time.Second, 20)
	s.observe(70*time.Second, 20)
	s.observe(130*time.Second, 1)
	s.at(5 * time.Minute)
	assert.Equal(t, []string{
		"1m20s a state NONE>ALARM p", "2m20s a actions ALARM>ALARM p", "3m20s a state ALARM>OK fine",
	}, s.since())
}

// What is skipped after the machine slept does not come before what is not.
func TestCatchingUpKeepsOrder(t *testing.T) {
	t.Parallel()
	s := newScenario(t, EngineSettings{MaxCatchUp: 5 * time.Minute})
	d := manual("a")
	d.AlarmActions = []string{policy}
	s.put(d)
	s.put(manual("suppressor"))
	c := composite("c", "ALARM(a)")
	c.Composite.ActionsSuppressor, c.Composite.WaitPeriod, c.Composite.ExtensionPeriod = "suppressor", new(int32(600)), new(int32(0))
	s.put(c)
	s.set("a", StateAlarm)
	s.events = nil
	s.at(time.Hour)
	events := s.events
	assert.Equal(t, []string{
		"10m0s c state ALARM>ALARM", "10m0s c actions OK>ALARM topic",
		"55m0s a actions ALARM>ALARM p", "56m0s a actions ALARM>ALARM p", "57m0s a actions ALARM>ALARM p",
		"58m0s a actions ALARM>ALARM p", "59m0s a actions ALARM>ALARM p", "1h0m0s a actions ALARM>ALARM p",
	}, s.since())
	for i := range events[1:] {
		require.False(t, events[i+1].Time.Before(events[i].Time))
	}
}

// An alarm over more than a day is evaluated every hour. One that slept, or was restored, does not wait for an hour more.
func TestHourlyEvaluationIsNotPutOff(t *testing.T) {
	t.Parallel()
	for _, restarts := range []bool{false, true} {
		s := newScenario(t, EngineSettings{MaxCatchUp: 5 * time.Minute})
		d := over("a", 25)
		d.Metric.Period, d.Metric.TreatMissingData = 3600, Breaching
		s.put(d)
		s.set("a", StateOK)
		s.since()
		assert.Equal(t, noon.Add(20*time.Second), s.e.Next())
		s.now = noon.Add(30 * time.Minute)
		if restarts {
			require.NoError(t, s.reopen())
		}
		s.at(31*time.Minute + 30*time.Second)
		lines := s.since()
		require.Len(t, lines, 1)
		assert.Contains(t, lines[0], " a state OK>ALARM topic")
		assert.Equal(t, noon.Add(time.Hour+20*time.Second), s.e.Next())
	}
}

// reopen is a restart after which alarms are due at other times.
func (s *scenario) reopen() error {
	e := NewEngine(s.settings)
	var err error
	s.e.Alarms(tester, func(v View) bool {
		err = e.Restore(tester, v.Definition, s.e.Snapshot(tester, v.Definition.Name), s.now)
		return err == nil
	})
	s.e = e
	return err
}
