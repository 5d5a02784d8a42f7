// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// TestJudge compares an evaluation with the judgement of what it compares.
func TestJudge(t *testing.T) {
	t.Parallel()
	five := 5.0
	yes, no := true, false
	stat := func(name string) *alarm.MetricStat {
		return &alarm.MetricStat{Namespace: "N", MetricName: name, Period: 60, Stat: "Sum"}
	}
	for _, m := range []*alarm.MetricAlarm{
		{
			Namespace: "N", MetricName: "a", Statistic: "Sum", Period: 60, EvaluationPeriods: 4, DatapointsToAlarm: 2, Threshold: &five,
			ComparisonOperator: alarm.GreaterThanThreshold, TreatMissingData: alarm.NotBreaching,
		},
		{
			Metrics: []alarm.Query{
				{ID: "e", Expression: "a - b", ReturnData: &yes},
				{ID: "a", Metric: stat("a"), ReturnData: &no},
				{ID: "b", Metric: stat("b"), ReturnData: &no},
			},
			EvaluationPeriods: 3, Threshold: &five, ComparisonOperator: alarm.GreaterThanThreshold,
		},
	} {
		rule, err := alarm.NewRule(m)
		require.NoError(t, err)
		rng := rand.New(rand.NewPCG(1, 2))
		last := alarm.Status{State: alarm.StateInsufficientData}
		for i := range 500 {
			now := time.Unix(1_800_000_000+int64(i)*60, 0)
			w := rule.Window(now)
			data := make([][]alarm.Point, len(rule.Inputs()))
			for j := range data {
				for _, at := range w.Starts {
					if rng.IntN(3) > 0 {
						data[j] = append(data[j], alarm.Point{Start: at, Value: float64(rng.IntN(12)), SampleCount: 1})
					}
				}
			}
			want := rule.Evaluate(t.Context(), now, w, data, last, nil)
			c, err := rule.Compared(t.Context(), now, w, data, nil)
			require.NoError(t, err)
			require.Equal(t, want, rule.Judge(now, w, c, last))
			if want.Decided {
				last.State = want.State
			}
		}
	}
}
