// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/metricsinsights"
)

const byHost = "SELECT MAX(cpu) FROM fleet GROUP BY host ORDER BY MAX() DESC"

func TestContributorID(t *testing.T) {
	t.Parallel()
	id := ContributorID(map[string]string{"TableName": "example", "AWS.AccountId": "1"})
	assert.Regexp(t, "^[0-9a-f]{16}$", id)
	assert.Equal(t, id, ContributorID(map[string]string{"AWS.AccountId": "1", "TableName": "example"}))
	seen := map[string]bool{}
	for _, a := range []map[string]string{nil, {"a": ""}, {"a": "b"}, {"ab": ""}, {"a": "b", "c": "d"}, {"a": "b1:c1:d"}} {
		id := ContributorID(a)
		assert.Len(t, id, 16)
		assert.False(t, seen[id], "%v", a)
		seen[id] = true
	}
}

func TestEvaluateContributors(t *testing.T) {
	t.Parallel()
	m := mathAlarm(Query{ID: "q1", Expression: byHost, Period: 60})
	m.EvaluationPeriods, m.ComparisonOperator, m.Threshold = 2, LessThanThreshold, new(1.0)
	r := mustRule(t, m)
	require.True(t, r.MultiSeries())
	now := time.Date(2025, 12, 1, 13, 36, 4, 0, time.UTC)
	w := r.Window(now)
	nan := math.NaN()
	source := &listInsights{series: []InsightsSeries{
		insightsSeries(w, "a", 0, 0), insightsSeries(w, "b", 0, 5), insightsSeries(w, "c", nan, 0), insightsSeries(w, "d", nan, 0),
	}}
	id := func(host string) string { return ContributorID(map[string]string{"host": host}) }
	last := Status{State: StateOK, Reason: "4 time series evaluated to OK"}
	env := &Env{Insights: source, Contributors: []Contributor{
		{ID: id("d"), New: Status{State: StateAlarm, Reason: "as it was"}},
		{ID: id("e"), Attributes: map[string]string{"host": "e"}, New: Status{State: StateAlarm}},
	}}
	got := r.Evaluate(t.Context(), now, w, nil, last, env)
	assert.Equal(t, Result{
		Decided: true, State: StateAlarm, Reason: "2 out of 5 time series evaluated to ALARM",
		ReasonData: `{"version":"1.0","queryDate":"2025-12-01T13:36:04.000+0000"}`,
		Contributors: []ContributorResult{
			{
				ID: id("a"), Attributes: map[string]string{"host": "a"}, State: StateAlarm,
				Reason: "Threshold Crossed: 2 datapoints were less than the threshold (1.0). The most recent datapoints which crossed " +
					"the threshold: [0.0 (01/12/25 13:35:00)].",
			},
			{
				ID: id("b"), Attributes: map[string]string{"host": "b"}, State: StateOK,
				Reason: "Threshold Crossed: 1 datapoint was not less than the threshold (1.0). The most recent datapoint which not " +
					"crossed the threshold: [5.0 (01/12/25 13:35:00)].",
			},
			// Too new to be believed: as they were.
			{ID: id("c"), Attributes: map[string]string{"host": "c"}, State: StateOK},
			{ID: id("d"), Attributes: map[string]string{"host": "d"}, State: StateAlarm, Reason: "as it was"},
			{ID: id("e"), Attributes: map[string]string{"host": "e"}, State: StateOK, Reason: ReasonContributorGone},
		},
	}, got)
	// The same again rewrites nothing.
	again := r.Evaluate(t.Context(), now, w, nil, Status{State: got.State, Reason: got.Reason}, env)
	assert.Empty(t, again.Reason)
	assert.False(t, again.Changes(&Status{State: got.State, Reason: got.Reason}))
	// Another reason does, in the same state.
	source.series = append(source.series, insightsSeries(w, "f", 0, 0))
	again = r.Evaluate(t.Context(), now, w, nil, Status{State: got.State, Reason: got.Reason}, env)
	assert.Equal(t, "3 out of 6 time series evaluated to ALARM", again.Reason)
	assert.True(t, again.Changes(&Status{State: got.State, Reason: got.Reason}))
}

func TestEvaluateContributorCounts(t *testing.T) {
	t.Parallel()
	r := mustRule(t, mathAlarm(Query{ID: "q1", Expression: byHost, Period: 60}))
	now := time.Unix(1_800_000_000, 0)
	w := r.Window(now)
	run := func(alarms, fine int) Result {
		source := &listInsights{}
		for i := range alarms + fine {
			v := 0.0
			if i < alarms {
				v = 100
			}
			source.series = append(source.series, insightsSeries(w, strconv.Itoa(i), v, v, v))
		}
		return r.Evaluate(t.Context(), now, w, nil, Status{}, &Env{Insights: source})
	}
	assert.Equal(t, "6 out of 6 time series evaluated to ALARM", run(6, 0).Reason)
	assert.Equal(t, "95 out of 150 time series evaluated to ALARM", run(95, 55).Reason)
	assert.Equal(t, "100 out of 150 time series evaluated to ALARM", run(100, 50).Reason)
	assert.Equal(t, "100+ time series evaluated to ALARM", run(105, 45).Reason)
	assert.Equal(t, "7 time series evaluated to OK", run(0, 7).Reason)
}

func TestEvaluateWithoutSeries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		missing TreatMissingData
		last    State
		want    State
		word    string
	}{
		{"", StateOK, StateInsufficientData, "Missing"},
		{Missing, StateOK, StateInsufficientData, "Missing"},
		{Breaching, StateOK, StateAlarm, "Breaching"},
		{NotBreaching, StateAlarm, StateOK, "NonBreaching"},
		{Ignore, StateAlarm, StateAlarm, "Ignore"},
	} {
		m := mathAlarm(Query{ID: "q1", Expression: byHost, Period: 60})
		m.TreatMissingData = c.missing
		r := mustRule(t, m)
		now := time.Unix(1_800_000_000, 0)
		got := r.Evaluate(t.Context(), now, r.Window(now), nil, Status{State: c.last}, &Env{Insights: &listInsights{}})
		assert.Equal(t, c.want, got.State)
		assert.Equal(t, "No time series were returned by the query. Treat missing data is configured as ["+c.word+"].", got.Reason)
	}
}

// TestEvaluateContributorReasons: M of N, and what is missing.
func TestEvaluateContributorReasons(t *testing.T) {
	t.Parallel()
	m := mathAlarm(Query{ID: "q1", Expression: byHost, Period: 60})
	m.DatapointsToAlarm, m.TreatMissingData = 2, Breaching
	r := mustRule(t, m)
	now := time.Date(2025, 12, 1, 13, 36, 4, 0, time.UTC)
	w := r.Window(now)
	nan := math.NaN()
	reason := func(values ...float64) string {
		source := &listInsights{series: []InsightsSeries{insightsSeries(w, "a", values...)}}
		return r.Evaluate(t.Context(), now, w, nil, Status{}, &Env{Insights: source}).Contributors[0].Reason
	}
	assert.Equal(t, "Threshold Crossed: 2 out of the last 3 datapoints were greater than the threshold (50.0). The most recent "+
		"datapoints which crossed the threshold: [70.0 (01/12/25 13:35:00)] (minimum 2 datapoints for OK -> ALARM transition).",
		reason(60, 0, 70))
	assert.Equal(t, "Threshold Crossed: 1 out of the last 3 datapoints was greater than the threshold (50.0) and 1 missing datapoint "+
		"was treated as [Breaching]. The most recent datapoint which crossed the threshold: [60.0 (01/12/25 13:33:00)] "+
		"(minimum 2 datapoints for OK -> ALARM transition).", reason(60, nan, 0))
	assert.Equal(t, "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated as [Breaching].",
		reason(nan, nan, 0))
}

func TestReaderInsights(t *testing.T) {
	t.Parallel()
	reader := &twoHosts{}
	source := &ReaderInsights{Reader: reader}
	query, err := metricsinsights.Parse("SELECT SUM(cpu) FROM fleet GROUP BY host, AWS.AccountId ORDER BY MAX() DESC")
	require.NoError(t, err)
	now := time.Unix(1_800_000_000, 0)
	ask := func(w Window) InsightsResult {
		got, err := source.Insights(t.Context(), &InsightsQuery{
			Tenant: cloudwatch.Tenant{Account: "111111111111", Region: "eu-west-1"}, Query: query, Window: w, Now: now,
		})
		require.NoError(t, err)
		return got
	}
	end := now.Unix() / hour * hour
	got := ask(Window{Period: hour, Starts: []int64{end - 2*hour, end - hour}, End: end})
	require.Len(t, got.Series, 2)
	assert.Equal(t, map[string]string{"host": "b", "AWS.AccountId": "111111111111"}, got.Series[0].Attributes)
	assert.Equal(t, []int64{end - 2*hour, end - hour}, got.Series[0].Timestamps)
	assert.Equal(t, []float64{60 * 60, 60 * 60}, got.Series[0].Values)
	// Periods of different lengths.
	got = ask(Window{Period: hour, Starts: []int64{end - 5*hour/2, end - hour}, End: end})
	require.Len(t, got.Series, 2)
	assert.Equal(t, []int64{end - 5*hour/2, end - hour}, got.Series[0].Timestamps)
	assert.Equal(t, []float64{60 * 90, 60 * 60}, got.Series[0].Values)
	assert.Empty(t, ask(Window{Period: hour}).Series)

	source.Limits.Points = 1
	_, err = source.Insights(t.Context(), &InsightsQuery{
		Query: query, Window: Window{Period: hour, Starts: []int64{end - 2*hour, end - hour}, End: end}, Now: now,
	})
	var wrong *Error
	require.ErrorAs(t, err, &wrong)
}
