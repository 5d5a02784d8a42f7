// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// reference decides as CloudWatch's documentation tells it, slowly: values holds what each period of the window has, oldest
// first, NaN for nothing.
func reference(values []float64, n, m int, breaching func(float64) bool, missing TreatMissingData) (State, bool) {
	var real []bool // newest first: whether it breaches
	oldestBad := 0
	for i := len(values) - 1; i >= 0 && len(real) < n; i-- {
		if math.IsNaN(values[i]) || math.IsInf(values[i], 0) {
			continue
		}
		real = append(real, breaching(values[i]))
		if real[len(real)-1] {
			oldestBad = len(values) - i
		}
	}
	bad := 0
	for _, b := range real {
		if b {
			bad++
		}
	}
	good, unknown := len(real)-bad, n-len(real)
	if bad >= m {
		return StateAlarm, true
	}
	if good >= n-m+1 {
		return StateOK, true
	}
	switch missing {
	case Breaching:
		if bad+unknown >= m {
			return StateAlarm, true
		}
		return StateOK, true
	case NotBreaching:
		return StateOK, true
	}
	if len(real) == 0 {
		if missing == Ignore {
			return "", false
		}
		return StateInsufficientData, true
	}
	if good > 0 {
		return StateOK, true
	}
	if missing == Missing && oldestBad >= m {
		return StateAlarm, true
	}
	return "", false
}

// FuzzEvaluate compares with the reference, and holds results to what is always so.
func FuzzEvaluate(f *testing.F) {
	f.Add([]byte("0-X-X"), uint8(3), uint8(3), uint8(0), uint8(1), uint8(0))
	f.Add([]byte("--X--"), uint8(3), uint8(2), uint8(1), uint8(0), uint8(1))
	f.Add([]byte("XXXXXXXX-0"), uint8(9), uint8(7), uint8(2), uint8(3), uint8(2))
	f.Add([]byte("-----"), uint8(1), uint8(0), uint8(3), uint8(2), uint8(0))
	operators := []ComparisonOperator{
		GreaterThanOrEqualToThreshold, GreaterThanThreshold, LessThanThreshold, LessThanOrEqualToThreshold,
	}
	policies := []TreatMissingData{Missing, Ignore, Breaching, NotBreaching}
	states := []State{StateOK, StateAlarm, StateInsufficientData}
	f.Fuzz(func(t *testing.T, data []byte, periods, toAlarm, policy, operator, lastState uint8) {
		n := int32(periods%20) + 1
		m := int32(toAlarm) % (n + 1) // 0: not given
		missing, op, last := policies[policy%4], operators[operator%4], states[lastState%3]
		alarm := scalar(func(a *MetricAlarm) {
			a.EvaluationPeriods, a.DatapointsToAlarm, a.TreatMissingData, a.ComparisonOperator = n, m, missing, op
			if operator > 127 {
				a.Period = 10
			}
		})
		r := mustRule(t, alarm)
		now := time.Unix(1_800_000_000+int64(len(data)), 0)
		w := r.Window(now)
		values := make([]float64, len(w.Starts))
		var points []Point
		for i := range values {
			values[i] = math.NaN()
			if i >= len(data) {
				continue
			}
			switch c := data[len(data)-1-i]; {
			case c == '0':
				values[i] = 0
			case c == 'X':
				values[i] = 100
			case c < 'A':
				values[i] = float64(c)
			case c == 'I':
				values[i] = math.Inf(1)
			}
			if c := data[len(data)-1-i]; c < 'a' && c != '-' {
				points = append(points, Point{Start: w.Starts[i], Value: values[i], SampleCount: 1})
			} else {
				values[i] = math.NaN()
			}
		}
		breaching := func(v float64) bool {
			return map[ComparisonOperator]bool{
				GreaterThanOrEqualToThreshold: v >= 50, GreaterThanThreshold: v > 50, LessThanThreshold: v < 50,
				LessThanOrEqualToThreshold: v <= 50,
			}[op]
		}
		needed := int(m)
		if m == 0 {
			needed = int(n)
		}
		want, decided := reference(values, int(n), needed, breaching, missing)
		got := r.Evaluate(t.Context(), now, w, [][]Point{points}, Status{State: last}, nil)
		require.Equal(t, decided, got.Decided)
		require.Equal(t, want, got.State)

		// What is older than the window, and what is newer, does not matter.
		around := append([]Point{{Start: w.Starts[0] - w.Period, Value: 100}, {Start: w.Starts[0] - 1, Value: 0}}, points...)
		around = append(around, Point{Start: w.End, Value: 100}, Point{Start: w.End + w.Period, Value: 0})
		require.Equal(t, got, r.Evaluate(t.Context(), now, w, [][]Point{around}, Status{State: last}, nil))

		if got.State == last || !got.Decided {
			require.Empty(t, got.Reason)
			require.Empty(t, got.ReasonData)
			return
		}
		require.NotEmpty(t, got.Reason)
		require.LessOrEqual(t, len(got.Reason), longestReason)
		require.Contains(t, "Threshold Crossed: Insufficient Data: ", got.Reason[:strings.IndexByte(got.Reason, ':')+2])
		var doc struct {
			StartDate           *string
			RecentDatapoints    []*float64
			EvaluatedDatapoints []struct {
				Timestamp string
				Value     *float64
			}
		}
		require.NoError(t, json.Unmarshal([]byte(got.ReasonData), &doc))
		require.Equal(t, doc.StartDate == nil, len(doc.RecentDatapoints) == 0)
		count := needed
		if got.State == StateOK {
			count = int(n) - needed + 1
		}
		require.Len(t, doc.EvaluatedDatapoints, count)
		for i, d := range doc.EvaluatedDatapoints {
			if i > 0 {
				require.Less(t, d.Timestamp, doc.EvaluatedDatapoints[i-1].Timestamp)
			}
			if d.Value != nil {
				require.Equal(t, got.State == StateAlarm, breaching(*d.Value))
				require.NotEqual(t, StateInsufficientData, got.State)
			}
		}
		if recent := doc.RecentDatapoints; len(recent) > 0 {
			require.NotNil(t, recent[0])
			require.NotNil(t, recent[len(recent)-1])
		}
	})
}
