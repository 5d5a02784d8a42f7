// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/metricmath"
)

// hosts answers every query with the same value of each host in every period.
type hosts struct {
	values  map[string]float64
	partial bool
	err     error
	// during is called while a query runs.
	during func()
}

func (h *hosts) Insights(_ context.Context, q *InsightsQuery) (InsightsResult, error) {
	if h.during != nil {
		h.during()
	}
	result := InsightsResult{Partial: h.partial}
	for _, host := range slices.Sorted(maps.Keys(h.values)) {
		series := InsightsSeries{Attributes: map[string]string{"Host": host}}
		series.Series = metricmath.Series{Label: host, Period: q.Window.Period}
		for _, start := range q.Window.Starts {
			series.Timestamps = append(series.Timestamps, start)
			series.Values = append(series.Values, h.values[host])
		}
		result.Series = append(result.Series, series)
	}
	return result, h.err
}

func overHosts(name string) *Definition {
	d := over(name, 1)
	d.AlarmActions = append(d.AlarmActions, "arn:aws:ssm-incidents::123456789012:responseplan/plan")
	d.Metric.Namespace, d.Metric.MetricName, d.Metric.Statistic, d.Metric.Period = "", "", "", 0
	d.Metric.Metrics = []Query{{
		ID: "q", Expression: "SELECT AVG(Load) FROM App GROUP BY Host ORDER BY MAX() DESC", Period: 60, ReturnData: new(true),
	}}
	return d
}

func TestContributors(t *testing.T) {
	t.Parallel()
	for _, restarts := range []bool{false, true} {
		source := &hosts{values: map[string]float64{"a": 1, "b": 2}}
		s := newScenario(t, EngineSettings{Insights: source})
		s.put(overHosts("m"))
		s.restarts = restarts
		s.since()
		s.at(30 * time.Second)
		assert.Equal(t, []string{"20s m state NONE>OK fine"}, s.since())
		assert.Empty(t, s.e.Contributors(tester, "m"))

		source.values["a"], source.values["c"] = 20, 30
		s.at(90 * time.Second)
		assert.Equal(t, []string{
			"1m20s m state OK>ALARM topic plan",
			"1m20s m contributor map[Host:a] OK>ALARM topic", "1m20s m contributor map[Host:c] OK>ALARM topic",
		}, s.since())
		v, _ := s.e.Alarm(tester, "m")
		assert.Equal(t, "2 out of 3 time series evaluated to ALARM", v.Status.Reason)
		list := s.e.Contributors(tester, "m")
		require.Len(t, list, 2)
		assert.Less(t, list[0].ID, list[1].ID)
		assert.Contains(t, list[0].New.Reason, "Threshold Crossed: 1 datapoint was greater than the threshold (10.0).")

		s.at(2*time.Minute + 30*time.Second)
		assert.Empty(t, s.since())
		source.values["b"] = 20
		s.at(3*time.Minute + 30*time.Second)
		assert.Equal(t, []string{"3m20s m refreshed", "3m20s m contributor map[Host:b] OK>ALARM topic"}, s.since())
		v, _ = s.e.Alarm(tester, "m")
		assert.Equal(t, noon.Add(200*time.Second), v.Status.StateUpdated)
		assert.Equal(t, noon.Add(80*time.Second), v.Status.StateTransitioned)

		delete(source.values, "c")
		source.values["a"], source.values["b"] = 0, 0
		s.at(4*time.Minute + 30*time.Second)
		assert.ElementsMatch(t, []string{
			"4m20s m state ALARM>OK fine", "4m20s m contributor map[Host:a] ALARM>OK fine",
			"4m20s m contributor map[Host:b] ALARM>OK fine", "4m20s m contributor map[Host:c] ALARM>OK fine",
		}, s.since())
		assert.Empty(t, s.e.Contributors(tester, "m"))

		source.err = errors.New("not now")
		s.at(5*time.Minute + 30*time.Second)
		assert.Empty(t, s.since())
		v, _ = s.e.Alarm(tester, "m")
		assert.Equal(t, EvaluationFailure, v.Status.EvaluationState)
		source.err, source.partial = nil, true
		s.at(6*time.Minute + 30*time.Second)
		v, _ = s.e.Alarm(tester, "m")
		assert.Equal(t, PartialData, v.Status.EvaluationState)
	}
}

func TestContributorsAreMuted(t *testing.T) {
	t.Parallel()
	for _, restarts := range []bool{false, true} {
		source := &hosts{values: map[string]float64{"a": 20, "b": 0}}
		s := newScenario(t, EngineSettings{Insights: source})
		s.put(overHosts("m"))
		s.add(s.e.PutMuteRule(tester, muting("m"), s.now))
		s.restarts = restarts
		s.at(30 * time.Second)
		s.since()
		source.values["a"], source.values["b"] = 0, 20
		s.at(4 * time.Minute)
		assert.ElementsMatch(t, []string{
			"1m20s m contributor map[Host:a] ALARM>OK muted 1m0s-5m0s", "1m20s m contributor map[Host:b] OK>ALARM muted 1m0s-5m0s",
		}, s.since())
		assert.Len(t, s.e.Contributors(tester, "m"), 1)
		s.at(5 * time.Minute)
		assert.ElementsMatch(t, []string{
			"5m0s m actions ALARM>ALARM map[Host:a] ALARM>OK fine after mute", "5m0s m actions ALARM>ALARM map[Host:b] OK>ALARM topic after mute",
		}, s.since())
		s.at(10 * time.Minute)
		assert.Empty(t, s.since())
	}
}

func TestManyContributors(t *testing.T) {
	t.Parallel()
	source := &hosts{values: map[string]float64{}}
	for i := range 500 {
		source.values[strconv.Itoa(i)] = 20
	}
	s := newScenario(t, EngineSettings{Insights: source})
	s.put(overHosts("m"))
	s.at(30 * time.Second)
	assert.Len(t, s.since(), 502)
	assert.Len(t, s.e.Contributors(tester, "m"), 100)
	s.at(5 * time.Minute)
	assert.Empty(t, s.since())
}

// Without the source, the alarm says so once.
func TestNoInsights(t *testing.T) {
	t.Parallel()
	s := newScenario(t, EngineSettings{})
	s.put(overHosts("m"))
	s.since()
	s.at(90 * time.Second)
	v, _ := s.e.Alarm(tester, "m")
	assert.Equal(t, EvaluationError, v.Status.EvaluationState)
	assert.Equal(t, noon.Add(20*time.Second), v.Status.StateUpdated)
	s.e.Dirty()
	s.at(5 * time.Minute)
	assert.Empty(t, s.e.Dirty())
}

// What changes an alarm while its query runs is the truth: the result of the query is of the past.
func TestChangesWhileAQueryRuns(t *testing.T) {
	t.Parallel()
	source := &hosts{values: map[string]float64{"a": 20}}
	s := newScenario(t, EngineSettings{Insights: source})
	s.put(overHosts("m"))
	s.put(over("other", 1))
	s.since()
	source.during = func() {
		_, err := s.e.SetState(tester, "m", StateOK, "by hand", nil, noon.Add(25*time.Second))
		assert.NoError(t, err)
	}
	s.at(30 * time.Second)
	v, _ := s.e.Alarm(tester, "m")
	assert.Equal(t, "by hand", v.Status.Reason)
	assert.Empty(t, s.since())
	source.during = func() {
		_, err := s.e.Delete(tester, []string{"m"}, noon.Add(25*time.Second))
		assert.NoError(t, err)
	}
	s.at(90 * time.Second)
	assert.Empty(t, s.since())
	assert.Equal(t, 1, s.e.count)
}

// TestEverythingAtOnce is for the race detector.
func TestEverythingAtOnce(t *testing.T) {
	t.Parallel()
	source := &hosts{values: map[string]float64{"a": 20}}
	e := NewEngine(EngineSettings{Insights: source, Reader: &reader{}, TrackChanges: true})
	done := make(chan struct{})
	others := []func(i int, now time.Time){
		func(i int, now time.Time) {
			for _, d := range []*Definition{over(strconv.Itoa(i%20), int32(1+i%3)), overHosts("m"), composite("c", "ALARM(m)")} {
				_, _ = e.Put(t.Context(), tester, d, now)
			}
		},
		func(i int, now time.Time) {
			_, _ = e.SetState(tester, strconv.Itoa(i%20), states[i%3], "", nil, now)
			_, _ = e.SetActionsEnabled(tester, []string{strconv.Itoa(i % 20)}, i%2 == 0, now)
			_, _ = e.Delete(tester, []string{strconv.Itoa((i * 7) % 20), "c"}, now)
		},
		func(i int, now time.Time) {
			_, _ = e.PutMuteRule(tester, muting(strconv.Itoa(i%20), "c"), now)
			_, _ = e.DeleteMuteRule(tester, "r", now)
			e.MuteRule(tester, "r")
			e.MuteRules(tester)
		},
		func(i int, _ time.Time) {
			e.Alarms(tester, func(v View) bool {
				e.Snapshot(tester, v.Definition.Name)
				return true
			})
			e.Contributors(tester, "m")
			e.Children(tester, "c")
			e.Parents(tester, strconv.Itoa(i%20))
			e.Tenants()
			e.Dirty()
			e.Next()
		},
		func(i int, now time.Time) {
			e.Observe(tester, []cloudwatch.Datum{datum(now, float64(i%20))}, now)
			e.Watches("App", "Load")
		},
	}
	for _, f := range others {
		go func() {
			defer func() { done <- struct{}{} }()
			for i := range 200 {
				f(i, noon.Add(time.Duration(i)*time.Second))
			}
		}()
	}
	for i := range 200 {
		e.Advance(t.Context(), noon.Add(time.Duration(i)*time.Second))
	}
	for range others {
		<-done
	}
}

// An alarm that cannot be evaluated says why, once.
func TestEvaluationError(t *testing.T) {
	t.Parallel()
	s := newScenario(t, EngineSettings{})
	d := overHosts("q")
	d.AlarmActions, d.Metric.Metrics[0].Expression = nil, "SELECT AVG(Load) FROM App"
	s.put(d)
	s.at(30 * time.Second)
	v, _ := s.e.Alarm(tester, "q")
	assert.Equal(t, EvaluationError, v.Status.EvaluationState)
	assert.Equal(t, StateInsufficientData, v.Status.State)
	assert.Equal(t, errNoInsights.Message, v.Status.Reason)
	assert.Equal(t, noon.Add(20*time.Second), v.Status.StateUpdated)
	assert.Equal(t, noon, v.Status.StateTransitioned)
	s.at(5 * time.Minute)
	again, _ := s.e.Alarm(tester, "q")
	assert.Equal(t, v, again)
	assert.Equal(t, []string{" q created"}, s.since())
}
