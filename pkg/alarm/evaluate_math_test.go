// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func metricQuery(id string) Query {
	return Query{ID: id, ReturnData: new(false), Metric: &MetricStat{
		Namespace: "shop", MetricName: id, Stat: "Sum", Period: 60,
		Dimensions: []cloudwatch.Dimension{{Name: "z", Value: "1"}, {Name: "a", Value: "2"}},
	}}
}

func TestInputs(t *testing.T) {
	t.Parallel()
	r := mustRule(t, scalar(func(m *MetricAlarm) {
		m.Dimensions = []cloudwatch.Dimension{{Name: "z", Value: "1"}, {Name: "a", Value: "2"}}
		m.Unit, m.Statistic, m.ExtendedStatistic = "Seconds", "", "tm90"
	}))
	require.Len(t, r.Inputs(), 1)
	in := r.Inputs()[0]
	assert.Equal(t, cloudwatch.Metric{
		Namespace: "shop", Name: "latency", Dimensions: []cloudwatch.Dimension{{Name: "a", Value: "2"}, {Name: "z", Value: "1"}},
	}, in.Metric)
	assert.Equal(t, "tm90", in.Stat.String())
	assert.Equal(t, "Seconds", in.Unit)
	assert.Equal(t, int64(60), in.Period)

	other := metricQuery("m2")
	other.AccountID = "222222222222"
	r = mustRule(t, mathAlarm(metricQuery("m1"), Query{ID: "e1", Expression: "m1 / m2"}, other))
	require.Len(t, r.Inputs(), 2)
	assert.Equal(t, "m1", r.Inputs()[0].Metric.Name)
	assert.Equal(t, "m2", r.Inputs()[1].Metric.Name)
	assert.Equal(t, "222222222222", r.Inputs()[1].Account)
}

// TestEvaluateMath: an error rate over three minutes.
func TestEvaluateMath(t *testing.T) {
	t.Parallel()
	m := mathAlarm(metricQuery("m1"), metricQuery("m2"), Query{ID: "half", Expression: "m1 / m2", ReturnData: new(false)},
		Query{ID: "e1", Expression: "100 * half", Label: new("errors")})
	m.DatapointsToAlarm = 2
	r := mustRule(t, m)
	now, err := time.Parse(time.RFC3339, "2026-09-14T05:51:57Z")
	require.NoError(t, err)
	w := r.Window(now)
	at := func(slot int, v float64) Point { return Point{Start: w.Starts[slot], Value: v, SampleCount: 7} }
	data := [][]Point{
		{at(0, 1), at(1, 6), at(2, 1), at(4, 6)},
		{at(0, 10), at(1, 10), at(2, 10), at(3, 0), at(4, 10)},
	}
	got := r.Evaluate(t.Context(), now, w, data, Status{State: StateOK}, nil)
	assert.Equal(t, StateAlarm, got.State)
	assert.Equal(t, "Threshold Crossed: 2 out of the last 3 datapoints [60.0 (14/09/26 05:50:00), 60.0 (14/09/26 05:47:00)] were "+
		"greater than the threshold (50.0) (minimum 2 datapoints for OK -> ALARM transition).", got.Reason)
	exactly(t, `{"version":"1.0","queryDate":"2026-09-14T05:51:57.000+0000","startDate":"2026-09-14T05:47:00.000+0000",`+
		`"period":60,"recentDatapoints":[60.0,10.0,null,60.0],"threshold":50.0,"evaluatedDatapoints":[`+
		`{"timestamp":"2026-09-14T05:50:00.000+0000","value":60.0},{"timestamp":"2026-09-14T05:47:00.000+0000","value":60.0}]}`,
		got.ReasonData)
	assert.Empty(t, got.EvaluationState)
}

// TestEvaluateMathShapes: the series that is compared may be a metric, a constant, or come of many.
func TestEvaluateMathShapes(t *testing.T) {
	t.Parallel()
	direct := metricQuery("m1")
	direct.ReturnData = nil
	for _, c := range []struct {
		name    string
		queries []Query
		want    State
	}{
		{"a metric", []Query{direct}, StateAlarm},
		{"the second metric", []Query{metricQuery("m2"), direct}, StateOK},
		{"a constant", []Query{{ID: "e1", Expression: "TIME_SERIES(0)", Period: 60}}, StateOK},
		{"a constant above", []Query{{ID: "e1", Expression: "TIME_SERIES(51)", Period: 60}}, StateAlarm},
		{"a sum of all", []Query{metricQuery("m1"), metricQuery("m2"), {ID: "e1", Expression: "SUM(METRICS())"}}, StateAlarm},
		{"filled", []Query{metricQuery("m1"), metricQuery("m2"), {ID: "e1", Expression: "FILL(m2, 60)"}}, StateAlarm},
	} {
		r := mustRule(t, mathAlarm(c.queries...))
		now := time.Unix(1_800_000_000, 0)
		w := r.Window(now)
		data := [][]Point{drawn(w, "--XXX"), drawn(w, "-----")}
		if c.name == "the second metric" {
			data[0], data[1] = drawn(w, "XXXXX"), drawn(w, "00000")
		}
		assert.Equal(t, c.want, r.Evaluate(t.Context(), now, w, data, Status{}, nil).State, c.name)
	}
}

// TestEvaluateMathOverClockChange: math over days of different lengths has a value for each day.
func TestEvaluateMathOverClockChange(t *testing.T) {
	t.Parallel()
	daily := metricQuery("m1")
	daily.Metric.Period = day
	m := mathAlarm(daily, Query{ID: "e1", Expression: "FILL(m1, 0) + 1"})
	m.WallClock, m.EvaluationPeriods, m.DatapointsToAlarm = &WallClockWindow{Timezone: "Europe/Berlin"}, 2, 1
	r := mustRule(t, m)
	now := time.Date(2026, 3, 30, 12, 0, 0, 0, time.UTC)
	w := r.Window(now)
	require.False(t, w.even())
	got := r.Evaluate(t.Context(), now, w, [][]Point{{{Start: w.Starts[3], Value: 99}}}, Status{}, nil)
	assert.Equal(t, StateAlarm, got.State)
	assert.Contains(t, got.ReasonData, `"recentDatapoints":[1.0,100.0]`)
	assert.Contains(t, got.ReasonData, `"timestamp":"2026-03-28T23:00:00.000+0000","value":100.0`)
}

// fixedBand is a band that is the same everywhere, but has nothing for the first periods.
type fixedBand struct {
	lower, upper float64
	untrained    int
	err          error
	asked        *BandQuery
}

func (f *fixedBand) Band(_ context.Context, q *BandQuery, lower, upper []float64) error {
	f.asked = q
	for i := f.untrained; i < len(lower); i++ {
		lower[i], upper[i] = f.lower, f.upper+float64(i)/4
	}
	return f.err
}

func bandAlarm(op ComparisonOperator, queries ...Query) *MetricAlarm {
	m := mathAlarm(queries...)
	m.Threshold, m.ThresholdMetricID, m.ComparisonOperator = nil, "ad1", op
	return m
}

func TestEvaluateBand(t *testing.T) {
	t.Parallel()
	watched := metricQuery("m1")
	watched.ReturnData = nil
	expected := Query{ID: "ad1", Expression: "ANOMALY_DETECTION_BAND(m1, 1.5)", Label: new("expected")}
	now, err := time.Parse(time.RFC3339, "2026-09-14T05:51:57Z")
	require.NoError(t, err)
	run := func(m *MetricAlarm, band *fixedBand, last State, values ...float64) Result {
		r := mustRule(t, m)
		w := r.Window(now)
		var points []Point
		for i, v := range values {
			points = append(points, Point{Start: w.Starts[len(w.Starts)-len(values)+i], Value: v, SampleCount: 1})
		}
		return r.Evaluate(t.Context(), now, w, [][]Point{points}, Status{State: last}, &Env{Bands: band})
	}
	two := bandAlarm(LessThanLowerOrGreaterThanUpperThreshold, watched, expected)
	two.EvaluationPeriods, two.DatapointsToAlarm = 1, 1
	band := &fixedBand{lower: 0.25, upper: 1}

	got := run(two, band, StateOK, 0)
	assert.Equal(t, StateAlarm, got.State)
	assert.Equal(t, "Thresholds Crossed: 1 out of the last 1 datapoints [0.0 (14/09/26 05:50:00)] was less than the lower thresholds "+
		"[0.25] or greater than the upper thresholds [1.5] (minimum 1 datapoint for OK -> ALARM transition).", got.Reason)
	exactly(t, `{"version":"1.0","queryDate":"2026-09-14T05:51:57.000+0000","startDate":"2026-09-14T05:50:00.000+0000",`+
		`"period":60,"recentDatapoints":[0.0],"recentLowerThresholds":[0.25],"recentUpperThresholds":[1.5],`+
		`"evaluatedDatapoints":[{"timestamp":"2026-09-14T05:50:00.000+0000","value":0.0}]}`, got.ReasonData)
	assert.Equal(t, "m1", band.asked.Metric.Metric.Name)
	assert.Equal(t, "m1", band.asked.ID)
	assert.InDelta(t, 1.5, band.asked.Deviations, 0)
	assert.Equal(t, []Query{watched}, band.asked.Queries)

	got = run(two, band, StateAlarm, 1.5)
	assert.Equal(t, StateOK, got.State)
	assert.Equal(t, "Thresholds Crossed: 1 out of the last 1 datapoints [1.5 (14/09/26 05:50:00)] was not less than the lower "+
		"thresholds [0.25] or not greater than the upper thresholds [1.5] (minimum 1 datapoint for ALARM -> OK transition).", got.Reason)
	assert.Equal(t, StateAlarm, run(two, band, StateOK, 1.6).State)

	// One side only: that of the other is neither compared nor told of.
	upper := bandAlarm(GreaterThanUpperThreshold, watched, expected)
	upper.EvaluationPeriods, upper.DatapointsToAlarm = 2, 2
	got = run(upper, band, StateOK, 3, 4)
	assert.Equal(t, "Thresholds Crossed: 2 out of the last 2 datapoints [4.0 (14/09/26 05:50:00), 3.0 (14/09/26 05:49:00)] were "+
		"greater than the upper thresholds [1.75, 1.5] (minimum 2 datapoints for OK -> ALARM transition).", got.Reason)
	exactly(t, `{"version":"1.0","queryDate":"2026-09-14T05:51:57.000+0000","startDate":"2026-09-14T05:49:00.000+0000",`+
		`"period":60,"recentDatapoints":[3.0,4.0],"recentUpperThresholds":[1.5,1.75],"evaluatedDatapoints":[`+
		`{"timestamp":"2026-09-14T05:50:00.000+0000","value":4.0,"threshold":1.75},`+
		`{"timestamp":"2026-09-14T05:49:00.000+0000","value":3.0,"threshold":1.5}]}`, got.ReasonData)
	assert.Equal(t, StateOK, run(upper, band, StateAlarm, -3, -4).State)
	lower := bandAlarm(LessThanLowerThreshold, watched, expected)
	lower.EvaluationPeriods = 1
	got = run(lower, band, StateOK, 0)
	assert.Equal(t, "Thresholds Crossed: 1 datapoint [0.0 (14/09/26 05:50:00)] was less than the lower thresholds [0.25].", got.Reason)
	assert.Contains(t, got.ReasonData, `"recentLowerThresholds":[0.25],"evaluatedDatapoints"`)
	assert.Equal(t, StateOK, run(lower, band, StateAlarm, 5).State)

	// Without a trained model everything is missing.
	got = run(two, &fixedBand{untrained: 3}, StateOK, 5)
	assert.Equal(t, StateInsufficientData, got.State)
	assert.Equal(t, "Insufficient Data: 1 datapoint was unknown.", got.Reason)
	assert.Contains(t, got.ReasonData, `"recentDatapoints":[],"recentLowerThresholds":[],"recentUpperThresholds":[]`)

	// Five and more.
	upper.EvaluationPeriods, upper.DatapointsToAlarm = 5, 5
	got = run(upper, band, StateOK, 9, 9, 9, 9, 9)
	assert.Contains(t, got.Reason, "Thresholds Crossed: 5 out of the last 5 datapoints were greater than the upper thresholds. "+
		"The most recent datapoints which crossed the thresholds: [9.0 (")

	// A failure of the moment keeps the state, without any source it is the alarm that is wrong.
	got = run(two, &fixedBand{err: errors.New("down")}, StateOK, 5)
	assert.Equal(t, Result{EvaluationState: EvaluationFailure}, got)
	got = mustRule(t, two).Evaluate(t.Context(), now, mustRule(t, two).Window(now), [][]Point{nil}, Status{State: StateOK}, nil)
	assert.Equal(t, EvaluationError, got.EvaluationState)
	assert.Equal(t, StateInsufficientData, got.State)
	assert.Equal(t, "Anomaly detection is not supported here.", got.Reason)
	exactly(t, `{"version":"1.0","queryDate":"2026-09-14T05:51:57.000+0000"}`, got.ReasonData)
}

// TestEvaluateBandOfExpression: the model may be of an expression, and templates may leave ReturnData of one of both out.
func TestEvaluateBandOfExpression(t *testing.T) {
	t.Parallel()
	rate := Query{ID: "e1", Expression: "m1 * 10"}
	hidden := rate
	hidden.ReturnData = new(false)
	expected := Query{ID: "ad1", Expression: "ANOMALY_DETECTION_BAND( e1 )"}
	quiet := expected
	quiet.ReturnData = new(false)
	for _, queries := range [][]Query{{metricQuery("m1"), rate, expected}, {quiet, rate, metricQuery("m1")}, {hidden, metricQuery("m1"), expected}} {
		r := mustRule(t, bandAlarm(GreaterThanUpperThreshold, queries...))
		now := time.Unix(1_800_000_000, 0)
		w := r.Window(now)
		band := &fixedBand{upper: 500}
		got := r.Evaluate(t.Context(), now, w, [][]Point{drawn(w, "XXXXX")}, Status{}, &Env{Bands: band})
		assert.Equal(t, StateAlarm, got.State)
		assert.Nil(t, band.asked.Metric)
		assert.Equal(t, "e1", band.asked.ID)
		assert.InDelta(t, 2, band.asked.Deviations, 0)
		assert.Len(t, band.asked.Queries, 2)
	}
}

// listInsights answers with series, a value for each of the newest periods.
type listInsights struct {
	series  []InsightsSeries
	partial bool
	err     error
	asked   *InsightsQuery
}

func (l *listInsights) Insights(_ context.Context, q *InsightsQuery) (InsightsResult, error) {
	l.asked = q
	return InsightsResult{Series: l.series, Partial: l.partial}, l.err
}

func insightsSeries(w Window, name string, values ...float64) InsightsSeries {
	s := InsightsSeries{Attributes: map[string]string{}}
	if name != "" {
		s.Attributes["host"] = name
	}
	for i, v := range values {
		if !math.IsNaN(v) {
			s.Timestamps = append(s.Timestamps, w.Starts[len(w.Starts)-len(values)+i])
			s.Values = append(s.Values, v)
		}
	}
	return s
}

func TestEvaluateInsights(t *testing.T) {
	t.Parallel()
	single := Query{ID: "q1", Expression: "SELECT MAX(cpu) FROM fleet", Period: 60}
	grouped := Query{ID: "q1", Expression: "SELECT MAX(cpu) FROM fleet GROUP BY host", Period: 60, ReturnData: new(false)}
	hidden := single
	hidden.ReturnData = new(false)
	now := time.Unix(1_800_000_000, 0)
	for _, c := range []struct {
		name    string
		queries []Query
		hosts   []string
		want    State
	}{
		{"one series", []Query{single}, []string{""}, StateAlarm},
		{"one series in math", []Query{hidden, {ID: "e1", Expression: "q1 / 10"}}, []string{""}, StateOK},
		{"many, reduced", []Query{grouped, {ID: "e1", Expression: "SUM(q1) / 2"}}, []string{"a", "b"}, StateAlarm},
		{"many, one of them", []Query{grouped, {ID: "e1", Expression: "FIRST(q1)"}}, []string{"a", "b"}, StateAlarm},
		{"none, reduced", []Query{grouped, {ID: "e1", Expression: "SUM(q1)"}}, nil, StateInsufficientData},
	} {
		r := mustRule(t, mathAlarm(c.queries...))
		assert.False(t, r.MultiSeries(), c.name)
		w := r.Window(now)
		source := &listInsights{partial: true}
		for _, host := range c.hosts {
			source.series = append(source.series, insightsSeries(w, host, 60, 60, 60))
		}
		tenant := cloudwatch.Tenant{Account: "1", Region: "r"}
		got := r.Evaluate(t.Context(), now, w, nil, Status{}, &Env{Insights: source, Tenant: tenant})
		assert.Equal(t, c.want, got.State, c.name)
		assert.Equal(t, PartialData, got.EvaluationState, c.name)
		assert.Equal(t, tenant, source.asked.Tenant, c.name)
		assert.Equal(t, w, source.asked.Window, c.name)

		assert.Equal(t, Result{EvaluationState: EvaluationFailure},
			r.Evaluate(t.Context(), now, w, nil, Status{}, &Env{Insights: &listInsights{err: errors.New("down")}}), c.name)
		got = r.Evaluate(t.Context(), now, w, nil, Status{}, nil)
		assert.Equal(t, EvaluationError, got.EvaluationState, c.name)
		assert.Equal(t, "Metrics Insights queries are not supported here.", got.Reason, c.name)
		assert.False(t, got.Changes(&Status{State: got.State, Reason: got.Reason, EvaluationState: EvaluationError}) &&
			r.Evaluate(t.Context(), now, w, nil, Status{State: got.State, Reason: got.Reason}, nil).Reason != "", c.name)
	}
}
