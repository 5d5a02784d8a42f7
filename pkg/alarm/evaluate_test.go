// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scalar is an alarm on a metric: average over minutes greater than 50.
func scalar(change func(*MetricAlarm)) *MetricAlarm {
	m := &MetricAlarm{
		Namespace: "shop", MetricName: "latency", Statistic: "Average", Period: 60,
		EvaluationPeriods: 3, Threshold: new(50.0), ComparisonOperator: GreaterThanThreshold,
	}
	if change != nil {
		change(m)
	}
	return m
}

func mustRule(tb testing.TB, m *MetricAlarm) *Rule {
	tb.Helper()
	require.NoError(tb, Validate(&Definition{Name: "a", Metric: m}))
	r, err := NewRule(m)
	require.NoError(tb, err)
	return r
}

// drawn are points from a drawing of a window, oldest first: 0 is fine, X breaches, - is missing.
func drawn(w Window, drawing string) []Point {
	var points []Point
	for i, c := range strings.ReplaceAll(drawing, " ", "") {
		p := Point{Start: w.Starts[i], SampleCount: 1}
		switch c {
		case 'X':
			p.Value = 100
		case '-':
			continue
		}
		points = append(points, p)
	}
	return points
}

// keeps stands for a state that is kept.
const keeps State = "keeps"

// TestEvaluateTreatMissingData is the tables of "Configuring how CloudWatch alarms treat missing data".
func TestEvaluateTreatMissingData(t *testing.T) {
	t.Parallel()
	const ok, alarm, none = StateOK, StateAlarm, StateInsufficientData
	policies := []TreatMissingData{Missing, Ignore, Breaching, NotBreaching}
	for _, c := range []struct {
		m    int32
		data string
		want [4]State
	}{
		{3, "0 - X - X", [4]State{ok, ok, ok, ok}},
		{3, "0 - - - -", [4]State{ok, ok, ok, ok}},
		{3, "- - - - -", [4]State{none, keeps, alarm, ok}},
		{3, "0 X X - X", [4]State{alarm, alarm, alarm, alarm}},
		{3, "- - X - -", [4]State{alarm, keeps, alarm, ok}},
		{2, "0 - X - X", [4]State{alarm, alarm, alarm, alarm}},
		{2, "0 0 X 0 X", [4]State{alarm, alarm, alarm, alarm}},
		{2, "0 - X - -", [4]State{ok, ok, alarm, ok}},
		{2, "- - - - 0", [4]State{ok, ok, alarm, ok}},
		{2, "- - - X -", [4]State{alarm, keeps, alarm, ok}},
		// No premature alarm for what may only be late.
		{3, "- - - - X", [4]State{keeps, keeps, alarm, ok}},
		{3, "- - - X -", [4]State{keeps, keeps, alarm, ok}},
		// Older points than are evaluated do not matter when there are enough newer ones.
		{3, "X X 0 0 0", [4]State{ok, ok, ok, ok}},
		{3, "0 0 X X X", [4]State{alarm, alarm, alarm, alarm}},
	} {
		for i, policy := range policies {
			for _, last := range []State{ok, alarm, none} {
				for _, given := range []bool{true, false} {
					if !given && c.m != 3 {
						continue
					}
					m := scalar(func(m *MetricAlarm) {
						m.TreatMissingData = policy
						if given {
							m.DatapointsToAlarm = c.m
						}
					})
					r := mustRule(t, m)
					now := time.Unix(1_800_000_000, 0)
					w := r.Window(now)
					got := r.Evaluate(t.Context(), now, w, [][]Point{drawn(w, c.data)}, Status{State: last}, nil)
					name := c.data + " " + string(policy) + " from " + string(last)
					if c.want[i] == keeps {
						assert.Equal(t, Result{}, got, name)
						continue
					}
					assert.True(t, got.Decided, name)
					assert.Equal(t, c.want[i], got.State, name)
					assert.Equal(t, last != got.State, got.Reason != "" && got.ReasonData != "", name)
					assert.Equal(t, last != got.State, got.Changes(&Status{State: last}), name)
				}
			}
		}
	}
}

// TestEvaluateRecorded are evaluations recorded from an alarm of ten seconds.
func TestEvaluateRecorded(t *testing.T) {
	t.Parallel()
	const date = "2026-09-14T"
	at := func(clock string) time.Time {
		v, err := time.Parse("2006-01-02T15:04:05.999", date+clock)
		require.NoError(t, err)
		return v
	}
	three := map[string]float64{"05:42:20": 100, "05:42:30": 0, "05:42:40": 100}
	one := map[string]float64{"05:46:50": 100}
	for _, c := range []struct {
		name      string
		data      map[string]float64
		now       string
		m         int32
		missing   TreatMissingData
		want      State
		evaluated []string
	}{
		{"a", three, "05:42:58.775", 3, Missing, StateOK, []string{"05:42:30=0.0"}},
		{"b", three, "05:43:07.551", 2, Missing, StateAlarm, []string{"05:42:40=100.0", "05:42:20=100.0"}},
		{"c", three, "05:44:17.553", 2, Missing, StateOK, []string{"05:43:50", "05:42:30=0.0"}},
		{"d", three, "05:44:27.550", 2, Missing, StateAlarm, []string{"05:44:00", "05:42:40=100.0"}},
		{"e", three, "05:44:38.775", 3, Missing, StateInsufficientData, []string{"05:44:10", "05:44:00", "05:43:50"}},
		{"f", one, "05:47:27.551", 2, Missing, StateAlarm, []string{"05:47:00", "05:46:50=100.0"}},
		{"g", one, "05:47:38.775", 3, Missing, StateAlarm, []string{"05:47:10", "05:47:00", "05:46:50=100.0"}},
		{"h", one, "05:48:48.774", 3, Missing, StateInsufficientData, []string{"05:48:20", "05:48:10", "05:48:00"}},
		{"i", map[string]float64{"05:54:10": 0}, "05:54:34.473", 3, Breaching, StateOK, []string{"05:54:10=0.0"}},
		{"j", nil, "05:56:04.474", 3, Breaching, StateAlarm, []string{"05:55:40", "05:55:30", "05:55:20"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := mustRule(t, scalar(func(m *MetricAlarm) {
				m.Period, m.TreatMissingData, m.DatapointsToAlarm = 10, c.missing, c.m
			}))
			now := at(c.now)
			w := r.Window(now)
			var points []Point
			for start := at("05:40:00"); start.Before(at("05:59:00")); start = start.Add(10 * time.Second) {
				if v, ok := c.data[start.Format(time.TimeOnly)]; ok {
					points = append(points, Point{Start: start.Unix(), Value: v, SampleCount: 1})
				}
			}
			got := r.Evaluate(t.Context(), now, w, [][]Point{points}, Status{State: "other"}, nil)
			assert.Equal(t, c.want, got.State)
			var list []string
			for _, e := range c.evaluated {
				label, value, has := strings.Cut(e, "=")
				text := `{"timestamp":"` + date + label + `.000+0000"`
				if has {
					text += `,"sampleCount":1.0,"value":` + value
				}
				list = append(list, text+"}")
			}
			assert.Contains(t, got.ReasonData, `"evaluatedDatapoints":[`+strings.Join(list, ",")+"]}")
		})
	}
}

func TestEvaluateComparisons(t *testing.T) {
	t.Parallel()
	for op, breaches := range map[ComparisonOperator][3]bool{ // below, at and above the threshold
		GreaterThanOrEqualToThreshold: {false, true, true},
		GreaterThanThreshold:          {false, false, true},
		LessThanThreshold:             {true, false, false},
		LessThanOrEqualToThreshold:    {true, true, false},
	} {
		r := mustRule(t, scalar(func(m *MetricAlarm) { m.EvaluationPeriods, m.ComparisonOperator = 1, op }))
		for i, v := range []float64{49.9, 50, 50.1} {
			now := time.Unix(1_800_000_000, 0)
			w := r.Window(now)
			points := []Point{{Start: w.Starts[2], Value: v, SampleCount: 1}}
			want := StateOK
			if breaches[i] {
				want = StateAlarm
			}
			assert.Equal(t, want, r.Evaluate(t.Context(), now, w, [][]Point{points}, Status{}, nil).State, "%s %v", op, v)
		}
	}
}

// TestEvaluateLowSamples: a percentile of too few samples keeps the state.
func TestEvaluateLowSamples(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		stat   string
		option string
		n      float64
		want   State
	}{
		{"p90", "ignore", 99, keeps},
		{"p90", "ignore", 100, StateAlarm},
		{"p90", "evaluate", 1, StateAlarm},
		{"p90", "", 1, StateAlarm},
		{"p99", "ignore", 999, keeps},
		{"p99", "ignore", 1000, StateAlarm},
		{"p99.9", "ignore", 9999, keeps},
		{"p99.9", "ignore", 10000, StateAlarm},
		{"p10", "ignore", 99, keeps},
		{"p10", "ignore", 100, StateAlarm},
		{"p50", "ignore", 19, keeps},
		{"p50", "ignore", 20, StateAlarm},
		{"p100", "ignore", 1, StateAlarm},
		{"p0", "ignore", 1, StateAlarm},
	} {
		r := mustRule(t, scalar(func(m *MetricAlarm) {
			m.EvaluationPeriods, m.Statistic, m.ExtendedStatistic, m.EvaluateLowSampleCountPercentile = 1, "", c.stat, c.option
		}))
		now := time.Unix(1_800_000_000, 0)
		w := r.Window(now)
		points := []Point{{Start: w.Starts[2], Value: 100, SampleCount: c.n}}
		got := r.Evaluate(t.Context(), now, w, [][]Point{points}, Status{State: StateOK}, nil)
		if c.want == keeps {
			assert.Equal(t, Result{}, got, "%+v", c)
		} else {
			assert.Equal(t, c.want, got.State, "%+v", c)
		}
	}
}

// TestEvaluateLowSamplesAmongOthers: what others decide is decided.
func TestEvaluateLowSamplesAmongOthers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		data    string // l: too few samples
		missing TreatMissingData
		want    State
	}{
		{"X X l", Missing, StateAlarm},
		{"0 0 l", Missing, StateOK},
		{"X 0 l", Missing, keeps},
		{"X - l", Breaching, StateAlarm},
		{"- - l", Breaching, StateAlarm},
		{"0 - l", NotBreaching, StateOK},
		{"X - l", NotBreaching, keeps},
		{"- - l", Missing, keeps},
		{"l l l", Breaching, keeps},
		{"X - l", Ignore, keeps},
	} {
		r := mustRule(t, scalar(func(m *MetricAlarm) {
			m.Statistic, m.ExtendedStatistic, m.EvaluateLowSampleCountPercentile = "", "p90", "ignore"
			m.DatapointsToAlarm, m.TreatMissingData = 2, c.missing
		}))
		now := time.Unix(1_800_000_000, 0)
		w := r.Window(now)
		points := drawn(w, "--"+strings.ReplaceAll(c.data, "l", "0"))
		for i := range points {
			points[i].SampleCount = 100
			if (c.data + "  ")[2*slotOf(w, points[i].Start)-4] == 'l' {
				points[i].SampleCount = 99
			}
		}
		got := r.Evaluate(t.Context(), now, w, [][]Point{points}, Status{State: StateInsufficientData}, nil)
		if c.want == keeps {
			assert.Equal(t, Result{}, got, "%+v", c)
		} else {
			assert.Equal(t, c.want, got.State, "%+v", c)
		}
	}
}

func slotOf(w Window, start int64) int {
	for i := range w.Starts {
		if w.Starts[i] == start {
			return i
		}
	}
	return -1
}

// TestEvaluateOddPoints: what is not in a period of the window, is not finite, or comes twice does not count.
func TestEvaluateOddPoints(t *testing.T) {
	t.Parallel()
	r := mustRule(t, scalar(nil))
	now := time.Unix(1_800_000_000, 0)
	w := r.Window(now)
	zero := 0.0
	points := []Point{
		{Start: w.Starts[0] - 60, Value: 0, SampleCount: 1},
		{Start: w.Starts[2], Value: 100, SampleCount: 1},
		{Start: w.Starts[2] + 1, Value: 0, SampleCount: 1},
		{Start: w.Starts[3], Value: zero / zero, SampleCount: 1},
		{Start: w.Starts[3], Value: 100, SampleCount: 1},
		{Start: w.Starts[4], Value: 100, SampleCount: 1},
		{Start: w.End, Value: 0, SampleCount: 1},
	}
	got := r.Evaluate(t.Context(), now, w, [][]Point{points}, Status{State: StateOK}, nil)
	assert.Equal(t, StateAlarm, got.State)
	assert.Contains(t, got.ReasonData, `"recentDatapoints":[100.0,100.0,100.0]`)
	// Without data, and without the data of a second input, nothing breaks.
	assert.Equal(t, StateInsufficientData, r.Evaluate(t.Context(), now, w, nil, Status{}, nil).State)
}

// TestEvaluateDynamoDB: alarms on DynamoDB's metrics alone ignore missing data, unless they say otherwise.
func TestEvaluateDynamoDB(t *testing.T) {
	t.Parallel()
	stat := func(id, namespace string) Query {
		return Query{ID: id, ReturnData: new(false), Metric: &MetricStat{
			Namespace: namespace, MetricName: "m", Period: 60, Stat: "Sum",
		}}
	}
	sum := Query{ID: "e1", Expression: "m1 * 2"}
	for _, c := range []struct {
		name string
		m    *MetricAlarm
		want TreatMissingData
	}{
		{"scalar", scalar(func(m *MetricAlarm) { m.Namespace = "AWS/DynamoDB" }), Ignore},
		{"explicit", scalar(func(m *MetricAlarm) { m.Namespace, m.TreatMissingData = "AWS/DynamoDB", Missing }), Missing},
		{"other", scalar(nil), Missing},
		{"math", mathAlarm(sum, stat("m1", "AWS/DynamoDB"), stat("m2", "AWS/DynamoDB")), Ignore},
		{"math with another that is not used", mathAlarm(sum, stat("m1", "AWS/DynamoDB"), stat("m2", "shop")), Missing},
	} {
		assert.Equal(t, c.want, mustRule(t, c.m).missing, c.name)
	}
}

// mathAlarm is an alarm with Metrics.
func mathAlarm(queries ...Query) *MetricAlarm {
	return scalar(func(m *MetricAlarm) {
		m.Namespace, m.MetricName, m.Statistic, m.Period, m.Metrics = "", "", "", 0, queries
	})
}
