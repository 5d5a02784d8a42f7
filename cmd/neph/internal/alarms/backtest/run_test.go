// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/alarms/simulation"
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/alarm/definitions"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch/metricmemory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	owner = cloudwatch.Tenant{Account: "123456789012", Region: "us-east-1"}
	start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
)

// alarmsOfManyKinds are alarms that go through every way of evaluation.
const alarmsOfManyKinds = `
Alarms:
  minute: {Namespace: N, MetricName: a, Statistic: Sum, Period: 60, EvaluationPeriods: 3, DatapointsToAlarm: 2, Threshold: 60, ComparisonOperator: GreaterThanThreshold}
  five: {Namespace: N, MetricName: a, Statistic: Average, Period: 300, EvaluationPeriods: 2, Threshold: 50, ComparisonOperator: GreaterThanOrEqualToThreshold, TreatMissingData: ignore}
  hour: {Namespace: N, MetricName: b, Statistic: Maximum, Period: 3600, EvaluationPeriods: 1, Threshold: 99, ComparisonOperator: GreaterThanThreshold, TreatMissingData: breaching}
  percentile: {Namespace: N, MetricName: b, ExtendedStatistic: p90, Period: 120, EvaluationPeriods: 2, Threshold: 80, ComparisonOperator: GreaterThanThreshold, TreatMissingData: notBreaching}
  low-samples: {Namespace: N, MetricName: b, ExtendedStatistic: p50, Period: 60, EvaluationPeriods: 1, Threshold: 50, ComparisonOperator: GreaterThanThreshold, EvaluateLowSampleCountPercentile: ignore}
  days: {Namespace: N, MetricName: a, Statistic: Sum, Period: 3600, EvaluationPeriods: 30, DatapointsToAlarm: 20, Threshold: 1200, ComparisonOperator: LessThanThreshold}
  short: {Namespace: N, MetricName: fine, Statistic: Average, Period: 10, EvaluationPeriods: 3, DatapointsToAlarm: 2, Threshold: 60, ComparisonOperator: GreaterThanThreshold}
  calendar: {Namespace: N, MetricName: a, Statistic: Sum, Period: 3600, EvaluationPeriods: 2, Threshold: 1500, ComparisonOperator: GreaterThanThreshold, EvaluationWindow: {WallClockWindow: {Timezone: Asia/Kathmandu}}}
  pointwise:
    Metrics:
      - {Id: r, Expression: "IF(m2 > 0, 100 * m1 / m2, 0)", ReturnData: true}
      - {Id: m1, ReturnData: false, MetricStat: {Metric: {Namespace: N, MetricName: a}, Period: 120, Stat: Sum}}
      - {Id: m2, ReturnData: false, MetricStat: {Metric: {Namespace: N, MetricName: b}, Period: 120, Stat: Sum}}
    EvaluationPeriods: 2
    Threshold: 110
    ComparisonOperator: GreaterThanThreshold
  filled:
    Metrics:
      - {Id: r, Expression: "FILL(m1, 0) + SUM([m2, m1])", ReturnData: true}
      - {Id: m1, ReturnData: false, MetricStat: {Metric: {Namespace: N, MetricName: a}, Period: 60, Stat: Sum}}
      - {Id: m2, ReturnData: false, MetricStat: {Metric: {Namespace: N, MetricName: b}, Period: 60, Stat: SampleCount}}
    EvaluationPeriods: 3
    Threshold: 90
    ComparisonOperator: GreaterThanThreshold
  looks-back:
    Metrics:
      - {Id: r, Expression: "m1 - AVG(m1)", ReturnData: true}
      - {Id: m1, ReturnData: false, MetricStat: {Metric: {Namespace: N, MetricName: a}, Period: 60, Stat: Sum}}
    EvaluationPeriods: 5
    DatapointsToAlarm: 3
    Threshold: 0
    ComparisonOperator: GreaterThanThreshold
  many:
    Metrics:
      - {Id: q, Expression: "SELECT MAX(a) FROM N GROUP BY d ORDER BY MAX() DESC", Period: 60, ReturnData: true}
    EvaluationPeriods: 1
    Threshold: 95
    ComparisonOperator: GreaterThanThreshold
    TreatMissingData: notBreaching
  both: {AlarmRule: "ALARM(minute) AND NOT OK(five)"}
  suppressed: {AlarmRule: "ALARM(both) OR ALARM(percentile)", ActionsSuppressor: short, ActionsSuppressorWaitPeriod: 60, ActionsSuppressorExtensionPeriod: 60}
`

func parse(tb testing.TB, text string) *definitions.Set {
	tb.Helper()
	set, err := definitions.Parse(definitions.Settings{Account: owner.Account}, "alarms.yaml", []byte(text))
	require.NoError(tb, err)
	return set
}

// noise is data with gaps, of everything that the alarms read.
func noise(rng *rand.Rand, length time.Duration) []cloudwatch.Datum {
	var data []cloudwatch.Datum
	add := func(name string, step time.Duration, resolution int32, samples int) {
		level, gap := 50.0, 0
		for at := start; at.Before(start.Add(length)); at = at.Add(step) {
			if gap > 0 {
				gap--
				continue
			}
			if rng.IntN(60) == 0 {
				gap = rng.IntN(20)
			}
			level = min(100, max(0, level+rng.NormFloat64()*15))
			for range 1 + rng.IntN(samples) {
				m := cloudwatch.Metric{Namespace: "N", Name: name}
				data = append(data, cloudwatch.Datum{
					Metric: m, TimestampMs: at.UnixMilli() + rng.Int64N(step.Milliseconds()), Unit: "None", StorageResolution: resolution,
					Value: math.Round(level + rng.Float64()*5),
				})
				if name == "a" {
					d := data[len(data)-1]
					d.Dimensions = []cloudwatch.Dimension{{Name: "d", Value: strconv.Itoa(rng.IntN(3))}}
					data = append(data, d)
				}
			}
		}
	}
	add("a", time.Minute, 60, 2)
	add("b", time.Minute, 60, 40)
	add("fine", 10*time.Second, 1, 2)
	return data
}

// TestSameAsEngine runs the same data through the collector's engine, minute by minute.
func TestSameAsEngine(t *testing.T) {
	t.Parallel()
	set := parse(t, alarmsOfManyKinds)
	const length = 40 * time.Hour
	memory := metricmemory.New(0)
	require.NoError(t, memory.Add(owner, noise(rand.New(rand.NewPCG(7, 7)), length)))
	to := start.Add(length)

	engine := simulation.NewEngine(memory, simulation.DefaultPhase)
	want := map[string][]Transition{}
	record := func(events []alarm.Event) {
		for i := range events {
			ev := &events[i]
			name := simulation.Name(ev.ARN)
			switch {
			case ev.Kind == alarm.EventStateChanged && ev.Old.State != ev.New.State:
				want[name] = append(want[name], Transition{ev.Time, ev.Old.State, ev.New.State, ev.New.Reason})
			case ev.Kind == alarm.EventCreated && ev.New.State != alarm.StateInsufficientData:
				want[name] = append(want[name], Transition{ev.Time, alarm.StateInsufficientData, ev.New.State, ev.New.Reason})
			}
		}
	}
	events, err := simulation.Put(t.Context(), engine, owner, set, start)
	require.NoError(t, err)
	record(events)
	data := noise(rand.New(rand.NewPCG(7, 7)), length)
	slices.SortStableFunc(data, func(a, b cloudwatch.Datum) int { return cmp.Compare(a.TimestampMs, b.TimestampMs) })
	for at := start; !at.After(to); at = at.Add(10 * time.Second) {
		record(engine.Advance(t.Context(), at.Add(-time.Nanosecond)))
		n := 0
		for n < len(data) && data[n].TimestampMs < at.Add(10*time.Second).UnixMilli() {
			n++
		}
		engine.Observe(owner, data[:n], at)
		data = data[n:]
	}
	record(engine.Advance(t.Context(), to))

	report, err := Run(t.Context(), Settings{
		Tenant: owner, Source: memory, From: start, To: to, Phase: simulation.DefaultPhase, FlapWithin: time.Hour,
	}, set)
	require.NoError(t, err)
	require.Len(t, report.Alarms, len(set.Alarms))
	for _, a := range report.Alarms {
		name := a.Definition.Alarm.Name
		first := start.Add(2 * time.Minute) // an alarm of an hour is evaluated sooner once, when it is put
		if name == "days" {
			first = start.Add(2 * time.Hour)
		}
		require.Equal(t, since(want[name], first), since(a.Transitions, first), name)
		require.NotEmpty(t, a.Transitions, name)
		t.Logf("%s: %d transitions", name, len(a.Transitions))
	}
}

func since(list []Transition, at time.Time) []Transition {
	out := []Transition{}
	for _, t := range list {
		if !t.Time.Before(at) {
			t.Time = t.Time.UTC()
			out = append(out, t)
		}
	}
	return out
}

// month is a month of one-minute data of n metrics.
func month(b *testing.B, n int) *metricmemory.Memory {
	b.Helper()
	memory := metricmemory.New(0)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range n {
		m := cloudwatch.Metric{Namespace: "N", Name: "m", Dimensions: []cloudwatch.Dimension{{Name: "i", Value: strconv.Itoa(i)}}}
		data := make([]cloudwatch.Datum, 0, 43_200)
		level := 50.0
		for minute := range 43_200 {
			level = min(100, max(0, level+rng.NormFloat64()*3))
			data = append(data, cloudwatch.Datum{
				Metric: m, TimestampMs: start.Add(time.Duration(minute) * time.Minute).UnixMilli(), Unit: "None",
				StorageResolution: 60, Value: level,
			})
		}
		require.NoError(b, memory.Add(owner, data))
	}
	return memory
}

// BenchmarkMonth is a month of one-minute data for a hundred alarms: of one minute, of five minutes, and by metric math.
func BenchmarkMonth(b *testing.B) {
	const n = 100
	memory := month(b, n)
	var text strings.Builder
	for i := range n {
		dims := fmt.Sprintf("[{Name: i, Value: '%d'}]", i)
		common := "EvaluationPeriods: 3, DatapointsToAlarm: 2, Threshold: 80, ComparisonOperator: GreaterThanThreshold"
		switch i % 3 {
		case 0:
			fmt.Fprintf(&text, "  a%d: {Namespace: N, MetricName: m, Dimensions: %s, Statistic: Average, Period: 60, %s}\n", i, dims, common)
		case 1:
			fmt.Fprintf(&text, "  a%d: {Namespace: N, MetricName: m, Dimensions: %s, Statistic: Average, Period: 300, %s}\n", i, dims, common)
		case 2:
			fmt.Fprintf(&text, "  a%d: {Metrics: [{Id: e, Expression: 2 * m / 2, ReturnData: true}, {Id: m, ReturnData: false, MetricStat: "+
				"{Metric: {Namespace: N, MetricName: m, Dimensions: %s}, Period: 60, Stat: Average}}], %s}\n", i, dims, common)
		}
	}
	set := parse(b, "Alarms:\n"+text.String())
	s := Settings{Tenant: owner, Source: memory, From: start, To: start.Add(30 * 24 * time.Hour), Phase: simulation.DefaultPhase}
	b.ReportAllocs()
	for b.Loop() {
		report, err := Run(b.Context(), s, set)
		if err != nil {
			b.Fatal(err)
		}
		if len(report.Alarms) != n || report.Alarms[0].Summary.Alarms == 0 {
			b.Fatal("nothing happened")
		}
	}
}
