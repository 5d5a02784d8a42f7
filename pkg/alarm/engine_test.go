// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func TestMetricAlarmLife(t *testing.T) {
	t.Parallel()
	s := newScenario(t, EngineSettings{})
	s.put(over("a", 2))
	assert.Equal(t, []string{" a created"}, s.since())
	v, ok := s.e.Alarm(tester, "a")
	require.True(t, ok)
	assert.Equal(t, Status{
		State: StateInsufficientData, Reason: InitialReason,
		ConfigurationUpdated: noon, StateUpdated: noon, StateTransitioned: noon,
	}, v.Status)
	assert.Equal(t, noon.Add(20*time.Second), s.e.Next())

	s.put(over("a", 2))
	assert.Empty(t, s.since(), "an equal definition changes nothing")

	s.observe(10*time.Second, 20)
	s.at(80 * time.Second)
	assert.Empty(t, s.since(), "one of two periods: too early to say")
	s.observe(70*time.Second, 30)
	s.at(2*time.Minute + 19*time.Second)
	assert.Empty(t, s.since())
	s.at(2*time.Minute + 20*time.Second)
	assert.Equal(t, []string{"2m20s a state NONE>ALARM topic"}, s.since())
	v, _ = s.e.Alarm(tester, "a")
	assert.Equal(t, "Threshold Crossed: 2 datapoints [30.0 (14/09/26 12:01:00), 20.0 (14/09/26 12:00:00)] were greater than the threshold (10.0).",
		v.Status.Reason)
	assert.Contains(t, v.Status.ReasonData, `"queryDate":"2026-09-14T12:02:20.000+0000"`)
	assert.Equal(t, noon.Add(2*time.Minute+20*time.Second), v.Status.StateTransitioned)

	// The same definition with other actions is an update, which keeps the state.
	d := over("a", 2)
	d.OKActions = nil
	s.now = noon.Add(150 * time.Second)
	s.put(d)
	assert.Equal(t, []string{"2m30s a updated"}, s.since())
	v, _ = s.e.Alarm(tester, "a")
	assert.Equal(t, StateAlarm, v.Status.State)
	assert.Equal(t, s.now, v.Status.ConfigurationUpdated)

	s.observe(130*time.Second, 1)
	s.at(4 * time.Minute)
	assert.Equal(t, []string{"3m20s a state ALARM>OK"}, s.since())
	s.at(9 * time.Minute)
	assert.Equal(t, []string{"7m20s a state OK>NONE"}, s.since(), "the last point leaves the range")

	s.add(s.e.Delete(tester, []string{"a", "unknown", "a"}, s.now))
	assert.Equal(t, []string{"9m0s a deleted"}, s.since())
	assert.False(t, s.e.Watches("App", "Load"))
	assert.True(t, s.e.Next().IsZero())
	assert.Empty(t, s.e.tracks)
	assert.Empty(t, s.e.tenants)
	assert.Empty(t, s.e.rules)
	s.add(s.e.Delete(tester, []string{"a"}, s.now))
	assert.Empty(t, s.since())
}

// The recorded evaluations of ten-second alarms: labels of data, time, policy and verdict.
func TestRecordedEvaluations(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 9, 14, 0, 0, 0, 0, time.UTC)
	at := func(clock string) time.Time {
		d, err := time.ParseDuration(clock)
		require.NoError(t, err)
		return day.Add(d)
	}
	abc := map[string]float64{"5h42m20s": 100, "5h42m30s": 0, "5h42m40s": 100}
	fgh := map[string]float64{"5h46m50s": 100}
	for _, c := range []struct {
		name    string
		data    map[string]float64
		query   string
		m       int32
		missing TreatMissingData
		state   State
		data1   string // a part of the reason data
	}{
		{"a", abc, "5h42m58.775s", 3, Missing, StateOK, `"evaluatedDatapoints":[{"timestamp":"2026-09-14T05:42:30.000+0000"`},
		{"b", abc, "5h43m7.551s", 2, Missing, StateAlarm, `05:42:40.000+0000","sampleCount":1.0,"value":100.0},{"timestamp":"2026-09-14T05:42:20`},
		{"c", abc, "5h44m17.553s", 2, Missing, StateOK, `"2026-09-14T05:42:30`},
		{"d", abc, "5h44m27.55s", 2, Missing, StateAlarm, `"2026-09-14T05:42:40`},
		{"e", abc, "5h44m38.775s", 3, Missing, StateInsufficientData, ""},
		{"f", fgh, "5h47m27.551s", 2, Missing, StateAlarm, `"2026-09-14T05:46:50`},
		{"g", fgh, "5h47m38.775s", 3, Missing, StateAlarm, `"2026-09-14T05:46:50`},
		{"h", fgh, "5h48m48.774s", 3, Missing, StateInsufficientData, ""},
		{"i", map[string]float64{"5h54m10s": 0}, "5h54m34.473s", 3, Breaching, StateOK, `"2026-09-14T05:54:10`},
		{"j", nil, "5h56m4.474s", 3, Breaching, StateAlarm, `"2026-09-14T05:55:40.000+0000"},{"timestamp":"2026-09-14T05:55:30`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			query := at(c.query)
			e := NewEngine(EngineSettings{Phase: func(string, time.Duration) time.Duration {
				return time.Duration(query.UnixNano() % int64(10*time.Second))
			}})
			d := over("a", 3)
			d.Metric.Period, d.Metric.DatapointsToAlarm, d.Metric.Threshold = 10, c.m, new(50.0)
			d.Metric.TreatMissingData = c.missing
			_, err := e.Put(t.Context(), tester, d, query.Add(-9*time.Second))
			require.NoError(t, err)
			// Whatever it is said to be in before, but the verdict itself.
			before := StateInsufficientData
			if c.state == before {
				before = StateOK
				_, err = e.SetState(tester, "a", before, "", nil, query.Add(-8*time.Second))
				require.NoError(t, err)
			}
			for label, v := range c.data {
				datum := datum(at(label), v)
				datum.StorageResolution = 1
				e.Observe(tester, []cloudwatch.Datum{datum}, query.Add(-time.Second))
			}
			events := e.Advance(t.Context(), query)
			require.Len(t, events, 1)
			assert.Equal(t, query, events[0].Time)
			assert.Equal(t, c.state, events[0].New.State)
			assert.Contains(t, events[0].New.ReasonData, c.data1)
		})
	}
}

func TestSetState(t *testing.T) {
	t.Parallel()
	s := newScenario(t, EngineSettings{})
	s.put(over("a", 1))
	s.since()
	data := `{ "any": ["json"] }`
	s.now = s.now.Add(time.Second)
	s.add(s.e.SetState(tester, "a", StateAlarm, "by hand", &data, s.now))
	assert.Equal(t, []string{"1s a state NONE>ALARM topic"}, s.since())
	v, _ := s.e.Alarm(tester, "a")
	assert.Equal(t, "by hand", v.Status.Reason)
	assert.Equal(t, data, v.Status.ReasonData)
	s.add(s.e.SetState(tester, "a", StateAlarm, "another reason", nil, s.now.Add(time.Second)))
	assert.Empty(t, s.since(), "the same state")
	again, _ := s.e.Alarm(tester, "a")
	assert.Equal(t, v, again)
	s.at(20 * time.Second)
	assert.Equal(t, []string{"20s a state ALARM>NONE"}, s.since(), "an evaluation comes to another state")

	s.add(s.e.SetState(tester, "a", StateOK, "", nil, s.now))
	v, _ = s.e.Alarm(tester, "a")
	assert.Empty(t, v.Status.Reason+v.Status.ReasonData)

	for _, c := range []struct {
		name, reason  string
		state         State
		data          *string
		code, message string
	}{
		{"b", "", StateOK, nil, "ResourceNotFound", ""},
		{"a", "", StateOK, new("not json"), "InvalidFormat", ""},
		{"a", "", "INVALID", nil, "ValidationError", "1 validation error detected: Value 'INVALID' at 'stateValue' failed to satisfy " +
			"constraint: Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]"},
		{"a", strings.Repeat("x", 1024), StateOK, nil, "ValidationError", "1 validation error detected: Value '" +
			strings.Repeat("x", 1024) + "' at 'stateReason' failed to satisfy constraint: Member must have length less than or equal to 1023"},
		{"a", "", StateOK, new(strings.Repeat(" ", 4001)), "ValidationError", "1 validation error detected: Value '" +
			strings.Repeat(" ", 1024) + "…' at 'stateReasonData' failed to satisfy constraint: Member must have length less than or equal to 4000"},
	} {
		_, err := s.e.SetState(tester, c.name, c.state, c.reason, c.data, s.now)
		requireError(t, err, c.code, c.message)
	}
	for _, data := range []string{"null", "{}", "[1]"} {
		_, err := s.e.SetState(tester, "a", StateAlarm, "", &data, s.now)
		require.NoError(t, err, data)
	}
}

func requireError(t *testing.T, err error, code, message string) {
	t.Helper()
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, Error{Code: code, Message: message}, *e)
}

func TestActionsEnabled(t *testing.T) {
	t.Parallel()
	s := newScenario(t, EngineSettings{})
	s.put(manual("a"))
	s.put(manual("b"))
	s.since()
	s.add(s.e.SetActionsEnabled(tester, []string{"b", "unknown", "a"}, false, s.now))
	s.add(s.e.SetActionsEnabled(tester, []string{"a"}, false, s.now))
	assert.Equal(t, []string{" b updated", " a updated"}, s.since())
	s.set("a", StateAlarm)
	s.add(s.e.SetActionsEnabled(tester, []string{"a"}, true, s.now))
	assert.Equal(t, []string{" a state NONE>ALARM", " a updated"}, s.since(), "the actions of the state do not run later")
	_, err := s.e.SetActionsEnabled(tester, make([]string, 101), true, s.now)
	requireError(t, err, "ValidationError", "1 validation error detected: Value '["+strings.Repeat(", ", 100)+"]' at 'alarmNames' failed to satisfy constraint: "+
		"Member must have length less than or equal to 100")
}

func TestAutoScalingActionsRunEveryMinute(t *testing.T) {
	t.Parallel()
	s := newScenario(t, EngineSettings{})
	d := manual("a")
	d.AlarmActions = []string{topic, policy}
	s.put(d)
	s.since()
	s.at(5 * time.Second)
	s.set("a", StateAlarm)
	s.at(3 * time.Minute)
	assert.Equal(t, []string{
		"5s a state NONE>ALARM topic p", "1m5s a actions ALARM>ALARM p", "2m5s a actions ALARM>ALARM p",
	}, s.since())
	s.add(s.e.SetActionsEnabled(tester, []string{"a"}, false, s.now))
	s.at(4 * time.Minute)
	assert.Equal(t, []string{"3m0s a updated"}, s.since())
	s.add(s.e.SetActionsEnabled(tester, []string{"a"}, true, s.now))
	s.at(5 * time.Minute)
	assert.Equal(t, []string{"4m0s a updated", "4m5s a actions ALARM>ALARM p"}, s.since())
	s.set("a", StateOK)
	s.at(10 * time.Minute)
	assert.Equal(t, []string{"5m0s a state ALARM>OK fine"}, s.since())
}

func TestAlarmsAreListedInOrder(t *testing.T) {
	t.Parallel()
	e := NewEngine(EngineSettings{})
	var want []string
	for i := range 300 {
		name := fmt.Sprintf("alarm %03d", (i*7)%300)
		_, err := e.Put(t.Context(), tester, manual(name), noon)
		require.NoError(t, err)
		want = append(want, fmt.Sprintf("alarm %03d", i))
	}
	list := func(after string, n int) []string {
		var names []string
		e.AlarmsAfter(tester, after, func(v View) bool {
			names = append(names, v.Definition.Name)
			return len(names) < n
		})
		return names
	}
	assert.Equal(t, want, list("", 1000))
	assert.Equal(t, want[101:103], list("alarm 100", 2))
	assert.Equal(t, want[101:103], list("alarm 1005", 2))
	assert.Empty(t, list("b", 1))
	other := tester
	other.Region = "eu-west-1"
	e.Alarms(other, func(View) bool {
		t.Error("another tenant's")
		return false
	})
	_, ok := e.Alarm(other, "alarm 001")
	assert.False(t, ok)
	assert.Equal(t, []cloudwatch.Tenant{tester}, e.Tenants())
}

func TestLimits(t *testing.T) {
	t.Parallel()
	e := NewEngine(EngineSettings{MaxAlarms: 1, MaxMuteRules: 1})
	_, err := e.Put(t.Context(), tester, manual("a"), noon)
	require.NoError(t, err)
	_, err = e.Put(t.Context(), tester, manual("b"), noon)
	requireError(t, err, "LimitExceeded", "The maximum number of alarms, 1, is reached.")
	_, err = e.Put(t.Context(), tester, over("a", 2), noon)
	require.NoError(t, err, "there already")
	_, err = e.PutMuteRule(tester, MuteRule{Name: "a", Expression: "cron(0 0 * * *)", Duration: "PT1H"}, noon)
	require.NoError(t, err)
	_, err = e.PutMuteRule(tester, MuteRule{Name: "b", Expression: "cron(0 0 * * *)", Duration: "PT1H"}, noon)
	requireError(t, err, "LimitExceeded", "The maximum number of alarm mute rules, 1, is reached.")
	_, err = e.Delete(tester, make([]string, 101), noon)
	require.Error(t, err)
}

func TestPhasesSpread(t *testing.T) {
	t.Parallel()
	e, same := NewEngine(EngineSettings{}), NewEngine(EngineSettings{})
	seconds := map[int]int{}
	for i := range 600 {
		d := manual(fmt.Sprintf("alarm-%d", i))
		for _, e := range []*Engine{e, same} {
			_, err := e.Put(t.Context(), tester, d, noon)
			require.NoError(t, err)
		}
		due := e.find(tester, d.Name).due
		assert.Equal(t, due, same.find(tester, d.Name).due)
		after := toTime(due).Sub(noon)
		assert.Positive(t, after)
		assert.LessOrEqual(t, after, time.Minute)
		seconds[int(after/time.Second)]++
	}
	assert.Greater(t, len(seconds), 55)
	for s, n := range seconds {
		assert.Less(t, n, 30, s)
	}
}

// An alarm over several days is evaluated every hour, and soon for the first time.
func TestHourlyEvaluation(t *testing.T) {
	t.Parallel()
	s := newScenario(t, EngineSettings{Phase: func(_ string, interval time.Duration) time.Duration {
		return interval/2 + 20*time.Second
	}})
	d := over("a", 3)
	d.Metric.Period = 86400
	s.now = noon.Add(45 * time.Minute)
	s.put(d)
	assert.Equal(t, noon.Add(45*time.Minute+20*time.Second), s.e.Next())
	s.restart()
	assert.Equal(t, noon.Add(45*time.Minute+20*time.Second), s.e.Next())
	s.at(46 * time.Minute)
	assert.Equal(t, noon.Add(90*time.Minute+20*time.Second), s.e.Next())
	s.restart()
	assert.Equal(t, noon.Add(90*time.Minute+20*time.Second), s.e.Next())
	s.at(91 * time.Minute)
	assert.Equal(t, noon.Add(150*time.Minute+20*time.Second), s.e.Next())
}

func TestCatchingUpIsLimited(t *testing.T) {
	t.Parallel()
	for _, limit := range []time.Duration{0, 5 * time.Minute} {
		s := newScenario(t, EngineSettings{MaxCatchUp: limit})
		d := manual("a")
		d.AlarmActions = []string{policy}
		s.put(d)
		s.set("a", StateAlarm)
		s.since()
		s.at(time.Hour)
		refired := len(s.since())
		if limit == 0 {
			assert.Equal(t, 60, refired)
		} else {
			assert.Less(t, refired, 7)
		}
	}
}

// A context that ends leaves the rest due.
func TestAdvanceStopsWithItsContext(t *testing.T) {
	t.Parallel()
	e := NewEngine(EngineSettings{})
	for i := range 2000 {
		d := over(strconv.Itoa(i), 1)
		d.Metric.TreatMissingData = Breaching
		_, err := e.Put(t.Context(), tester, d, noon)
		require.NoError(t, err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	some := e.Advance(ended, noon.Add(time.Minute))
	rest := e.Advance(t.Context(), noon.Add(time.Minute))
	assert.Less(t, len(some), 2000)
	assert.Equal(t, 2000, len(some)+len(rest))
	for i := range rest {
		assert.False(t, i > 0 && rest[i].Time.Before(rest[i-1].Time))
	}
}

// reader answers from a list of data.
type reader struct {
	data    []cloudwatch.Datum
	queries []cloudwatch.MetricQuery
	err     error
}

func (r *reader) ListMetrics(context.Context, cloudwatch.MetricFilter, *cloudwatch.Metric, int) ([]cloudwatch.Metric, error) {
	return nil, errors.ErrUnsupported
}

func (r *reader) QueryMetrics(_ context.Context, queries []cloudwatch.MetricQuery) ([][]cloudwatch.Bucket, error) {
	r.queries = append(r.queries, queries...)
	answers := make([][]cloudwatch.Bucket, len(queries))
	for i, q := range queries {
		for start := q.Start; start < q.End; start += q.Period {
			b := cloudwatch.Bucket{Start: start, Unit: "None", Distribution: new(cloudwatch.Distribution)}
			for j := range r.data {
				d := &r.data[j]
				at := cloudwatch.FloorTimestamp(d.TimestampMs, d.StorageResolution)
				if at >= start && at < start+q.Period && (q.Period >= 60 || d.StorageResolution == 1) {
					d.AddTo(&b.StatisticSet, b.Distribution)
				}
			}
			if !q.Distribution {
				b.Distribution = nil
			}
			if b.SampleCount > 0 {
				answers[i] = append(answers[i], b)
			}
		}
	}
	return answers, r.err
}

func TestHistoryCounts(t *testing.T) {
	t.Parallel()
	store := &reader{}
	s := newScenario(t, EngineSettings{Reader: store})
	s.now = noon.Add(5*time.Minute + 30*time.Second)
	// In the store are four minutes, and a part of the one in which the alarm is put.
	for i := range 5 {
		store.data = append(store.data, datum(noon.Add(time.Duration(i+1)*time.Minute), 20))
	}
	s.put(over("a", 5))
	s.since()
	s.at(6*time.Minute + 19*time.Second)
	assert.Empty(t, s.since())
	// The rest of that minute is in both.
	late := datum(noon.Add(5*time.Minute+40*time.Second), 30)
	store.data = append(store.data, late)
	s.e.Observe(tester, []cloudwatch.Datum{late}, s.now)
	s.at(6*time.Minute + 20*time.Second)
	assert.Equal(t, []string{"6m20s a state NONE>ALARM topic"}, s.since())
	v, _ := s.e.Alarm(tester, "a")
	assert.Contains(t, v.Status.ReasonData, `"recentDatapoints":[20.0,20.0,20.0,20.0,25.0]`)
	assert.Empty(t, s.e.cold)
	reads := len(store.queries)
	s.at(20 * time.Minute)
	assert.Len(t, store.queries, reads, "history is read once")
	for _, q := range store.queries {
		assert.LessOrEqual(t, q.End-q.Start, int64(15*60))
	}
}

func TestHistoryOfShortPeriods(t *testing.T) {
	t.Parallel()
	fine := datum(noon.Add(50*time.Second), 20)
	fine.StorageResolution = 1
	store := &reader{data: []cloudwatch.Datum{datum(noon, 30), fine, datum(noon.Add(-time.Minute), 40)}}
	s := newScenario(t, EngineSettings{Reader: store})
	s.now = noon.Add(time.Minute)
	d := over("a", 1)
	d.Metric.Period, d.Metric.ExtendedStatistic, d.Metric.Statistic = 10, "p50", ""
	s.put(d)
	s.at(70 * time.Second)
	assert.Equal(t, []string{"1m0s a created", "1m10s a state NONE>ALARM topic"}, s.since())
	v, _ := s.e.Alarm(tester, "a")
	assert.Contains(t, v.Status.Reason, "20.0 (14/09/26 12:00:50)")
}

// While the history cannot be read, alarms keep their state and say why.
func TestHistoryFails(t *testing.T) {
	t.Parallel()
	store := &reader{data: []cloudwatch.Datum{datum(noon, 20)}, err: errors.New("not now")}
	s := newScenario(t, EngineSettings{Reader: store})
	s.now = noon.Add(time.Minute)
	s.put(over("a", 1))
	s.put(over("b", 1))
	s.since()
	s.at(90 * time.Second)
	assert.Empty(t, s.since())
	v, _ := s.e.Alarm(tester, "a")
	assert.Equal(t, EvaluationFailure, v.Status.EvaluationState)
	assert.Equal(t, InitialReason, v.Status.Reason)
	assert.Equal(t, noon.Add(80*time.Second), v.Status.StateUpdated)
	assert.Len(t, store.queries, 1, "it is not asked for each alarm")
	store.err = nil
	s.at(150 * time.Second)
	assert.ElementsMatch(t, []string{"2m20s a state NONE>ALARM topic", "2m20s b state NONE>ALARM topic"}, s.since())
	v, _ = s.e.Alarm(tester, "a")
	assert.Empty(t, v.Status.EvaluationState)
}

func TestDirty(t *testing.T) {
	t.Parallel()
	s := newScenario(t, EngineSettings{})
	names := func() (names []string) {
		for _, k := range s.e.Dirty() {
			names = append(names, k.Name)
		}
		return names
	}
	s.put(manual("a"))
	s.put(over("b", 1))
	assert.Equal(t, []string{"a", "b"}, names())
	assert.Empty(t, names())
	s.at(30 * time.Second)
	assert.Empty(t, names(), "nothing changed")
	s.observe(31*time.Second, 99)
	s.at(2 * time.Minute)
	assert.Equal(t, []string{"b"}, names())
	s.add(s.e.Delete(tester, []string{"a"}, s.now))
	assert.Equal(t, []string{"a"}, names())
	assert.Nil(t, s.e.Snapshot(tester, "a"))
}

func TestTags(t *testing.T) {
	t.Parallel()
	s := newScenario(t, EngineSettings{})
	d := manual("a")
	d.Tags = []Tag{{"k", "v"}}
	s.put(d)
	d = over("a", 1)
	d.Tags = []Tag{{"other", "ignored"}}
	s.put(d)
	v, _ := s.e.Alarm(tester, "a")
	assert.Equal(t, []Tag{{"k", "v"}}, v.Definition.Tags, "those of the creation")
	s.e.Dirty()
	assert.True(t, s.e.SetTags(tester, "a", []Tag{{"x", "y"}}))
	assert.Equal(t, []AlarmKey{{tester, "a"}}, s.e.Dirty())
	v, _ = s.e.Alarm(tester, "a")
	assert.Equal(t, []Tag{{"x", "y"}}, v.Definition.Tags)
	assert.False(t, s.e.SetTags(tester, "b", nil))
	s.add(s.e.PutMuteRule(tester, muting("a"), s.now))
	assert.True(t, s.e.SetMuteRuleTags(tester, "r", []Tag{{"x", "y"}}))
	r, _ := s.e.MuteRule(tester, "r")
	assert.Equal(t, []Tag{{"x", "y"}}, r.Tags)
	assert.False(t, s.e.SetMuteRuleTags(tester, "s", nil))
}
