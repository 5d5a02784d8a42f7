// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// evaluateAt runs an alarm at a time over the values of periods, by the time at which they start.
func evaluateAt(t *testing.T, m *MetricAlarm, now string, last State, values map[string]float64, samples float64) Result {
	t.Helper()
	r := mustRule(t, m)
	at, err := time.Parse(time.RFC3339, now)
	require.NoError(t, err)
	w := r.Window(at)
	var points []Point
	for _, start := range w.Starts {
		if v, ok := values[time.Unix(start, 0).UTC().Format(time.RFC3339)]; ok {
			points = append(points, Point{Start: start, Value: v, SampleCount: samples})
		}
	}
	require.Len(t, points, len(values), "values outside of the window")
	got := r.Evaluate(t.Context(), at, w, [][]Point{points}, Status{State: last}, nil)
	if got.ReasonData != "" {
		assert.True(t, json.Valid([]byte(got.ReasonData)), got.ReasonData)
	}
	return got
}

// TestReason are texts of CloudWatch, from its documentation and from alarms that it sent.
func TestReason(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*MetricAlarm)
		now    string
		last   State
		values map[string]float64
		want   string
	}{
		{
			"one datapoint", func(m *MetricAlarm) { m.EvaluationPeriods, m.Threshold = 1, new(21.0) },
			"2026-02-26T10:15:11Z", StateInsufficientData,
			map[string]float64{"2026-02-26T10:14:00Z": 21.5},
			"Threshold Crossed: 1 datapoint [21.5 (26/02/26 10:14:00)] was greater than the threshold (21.0).",
		},
		{
			"two datapoints", func(m *MetricAlarm) { m.EvaluationPeriods, m.Period, m.Threshold = 2, 300, new(80.0) },
			"2025-07-01T10:10:11Z", StateOK,
			map[string]float64{"2025-07-01T10:00:00Z": 90, "2025-07-01T10:05:00Z": 85},
			"Threshold Crossed: 2 datapoints [85.0 (01/07/25 10:05:00), 90.0 (01/07/25 10:00:00)] were greater than the threshold (80.0).",
		},
		{
			"to OK", func(m *MetricAlarm) {
				m.EvaluationPeriods, m.Threshold, m.ComparisonOperator = 1, new(1.0), LessThanThreshold
			},
			"2019-02-12T15:45:30Z", StateAlarm,
			map[string]float64{"2019-02-12T15:44:00Z": 1},
			"Threshold Crossed: 1 datapoint [1.0 (12/02/19 15:44:00)] was not less than the threshold (1.0).",
		},
		{
			"to OK of more periods", func(m *MetricAlarm) { m.ComparisonOperator = LessThanOrEqualToThreshold },
			"2019-02-12T15:45:30Z", StateAlarm,
			map[string]float64{
				"2019-02-12T15:42:00Z": 51, "2019-02-12T15:43:00Z": 52, "2019-02-12T15:44:00Z": 53,
			},
			"Threshold Crossed: 1 datapoint [53.0 (12/02/19 15:44:00)] was not less than or equal to the threshold (50.0).",
		},
		{
			"M of N to ALARM", func(m *MetricAlarm) { m.Period, m.DatapointsToAlarm = 10, 2 },
			"2026-09-14T05:51:57Z", StateOK,
			map[string]float64{
				"2026-09-14T05:50:50Z": 0, "2026-09-14T05:51:10Z": 100, "2026-09-14T05:51:30Z": 100,
			},
			"Threshold Crossed: 2 out of the last 3 datapoints [100.0 (14/09/26 05:51:30), 100.0 (14/09/26 05:51:10)] were " +
				"greater than the threshold (50.0) (minimum 2 datapoints for OK -> ALARM transition).",
		},
		{
			"M of N to OK", func(m *MetricAlarm) { m.Period, m.DatapointsToAlarm = 10, 3 },
			"2026-09-14T05:42:58Z", StateAlarm,
			map[string]float64{"2026-09-14T05:42:20Z": 100, "2026-09-14T05:42:30Z": 0},
			"Threshold Crossed: 1 out of the last 3 datapoints [0.0 (14/09/26 05:42:30)] was not greater than the threshold (50.0) " +
				"(minimum 1 datapoint for ALARM -> OK transition).",
		},
		{
			"some missing", func(m *MetricAlarm) { m.Period, m.DatapointsToAlarm, m.TreatMissingData = 10, 3, Breaching },
			"2026-09-14T05:54:34Z", StateAlarm,
			map[string]float64{"2026-09-14T05:54:10Z": 0},
			"Threshold Crossed: 1 out of the last 3 datapoints [0.0 (14/09/26 05:54:10)] was not greater than the threshold (50.0) " +
				"and 2 missing datapoints were treated as [Breaching] (minimum 1 datapoint for ALARM -> OK transition).",
		},
		{
			"one missing", func(m *MetricAlarm) {
				m.EvaluationPeriods, m.ComparisonOperator, m.Threshold, m.TreatMissingData = 2, LessThanThreshold, new(1.0), Breaching
			},
			"2026-09-25T21:53:00Z", StateAlarm,
			map[string]float64{"2026-09-25T21:51:00Z": 1},
			"Threshold Crossed: 1 datapoint [1.0 (25/09/26 21:51:00)] was not less than the threshold (1.0) and 1 missing datapoint " +
				"was treated as [Breaching].",
		},
		{
			"all missing", func(m *MetricAlarm) { m.EvaluationPeriods, m.TreatMissingData = 2, Breaching },
			"2026-09-14T05:54:34Z", StateOK, nil,
			"Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as [Breaching].",
		},
		{
			"the one missing", func(m *MetricAlarm) { m.EvaluationPeriods, m.TreatMissingData = 1, NotBreaching },
			"2026-09-14T05:54:34Z", StateInsufficientData, nil,
			"Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching].",
		},
		{
			"missing alone decides", func(m *MetricAlarm) { m.DatapointsToAlarm, m.TreatMissingData = 2, Breaching },
			"2026-09-14T05:54:34Z", StateOK,
			map[string]float64{"2026-09-14T05:50:00Z": 0},
			"Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated as [Breaching].",
		},
		{
			"no data", nil, "2026-09-14T05:54:34Z", StateOK, nil, "Insufficient Data: 3 datapoints were unknown.",
		},
		{
			"no data of one period", func(m *MetricAlarm) { m.EvaluationPeriods = 1 },
			"2026-09-14T05:54:34Z", StateOK, nil, "Insufficient Data: 1 datapoint was unknown.",
		},
		{
			"four are named", func(m *MetricAlarm) { m.EvaluationPeriods = 4 },
			"2017-08-08T20:11:21Z", StateOK, minutes("2017-08-08T20:06:00Z", 4, 27.5),
			"Threshold Crossed: 4 datapoints [27.5 (08/08/17 20:09:00), 27.5 (08/08/17 20:08:00), 27.5 (08/08/17 20:07:00), " +
				"27.5 (08/08/17 20:06:00)] were greater than the threshold (50.0).",
		},
		{
			"of five and more, the newest", func(m *MetricAlarm) { m.EvaluationPeriods, m.Threshold = 5, new(10.0) },
			"2017-08-08T20:11:21Z", StateOK, minutes("2017-08-08T20:05:00Z", 5, 27.5),
			"Threshold Crossed: 5 datapoints were greater than the threshold (10.0). The most recent datapoints which crossed the " +
				"threshold: [27.5 (08/08/17 20:09:00), 27.5 (08/08/17 20:08:00), 27.5 (08/08/17 20:07:00), " +
				"27.5 (08/08/17 20:06:00), 27.5 (08/08/17 20:05:00)].",
		},
		{
			"of thirty of thirty", func(m *MetricAlarm) { m.EvaluationPeriods, m.DatapointsToAlarm, m.Threshold = 30, 30, new(20.0) },
			"2024-12-06T05:36:35Z", StateOK, minutes("2024-12-06T05:05:00Z", 30, 60),
			"Threshold Crossed: 30 out of the last 30 datapoints were greater than the threshold (20.0). The most recent datapoints " +
				"which crossed the threshold: [60.0 (06/12/24 05:34:00), 60.0 (06/12/24 05:33:00), 60.0 (06/12/24 05:32:00), " +
				"60.0 (06/12/24 05:31:00), 60.0 (06/12/24 05:30:00)] (minimum 30 datapoints for OK -> ALARM transition).",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := scalar(func(m *MetricAlarm) { m.Threshold = new(50.0) })
			if c.change != nil {
				c.change(m)
			}
			if c.name == "four are named" {
				m.Threshold = new(50.0)
				m.ComparisonOperator = LessThanThreshold
				c.want = strings.Replace(c.want, "greater than", "less than", 1)
			}
			assert.Equal(t, c.want, evaluateAt(t, m, c.now, c.last, c.values, 1).Reason)
		})
	}
}

// minutes are n minutes of a value.
func minutes(from string, n int, v float64) map[string]float64 {
	start, _ := time.Parse(time.RFC3339, from)
	values := make(map[string]float64, n)
	for i := range n {
		values[start.Add(time.Duration(i)*time.Minute).Format(time.RFC3339)] = v
	}
	return values
}

// exactly compares character for character.
func exactly(t *testing.T, want, got string) {
	t.Helper()
	assert.Equal(t, want, got)
}

func TestReasonData(t *testing.T) {
	t.Parallel()
	got := evaluateAt(t, scalar(func(m *MetricAlarm) { m.Period, m.DatapointsToAlarm, m.Unit = 10, 2, "Count" }),
		"2026-09-14T05:51:57.551Z", StateOK, map[string]float64{
			"2026-09-14T05:50:50Z": 0, "2026-09-14T05:51:10Z": 100, "2026-09-14T05:51:30Z": 100,
		}, 1)
	exactly(t, `{"version":"1.0","queryDate":"2026-09-14T05:51:57.551+0000","startDate":"2026-09-14T05:50:50.000+0000",`+
		`"unit":"Count","statistic":"Average","period":10,"recentDatapoints":[0.0,null,100.0,null,100.0],"threshold":50.0,`+
		`"evaluatedDatapoints":[{"timestamp":"2026-09-14T05:51:30.000+0000","sampleCount":1.0,"value":100.0},`+
		`{"timestamp":"2026-09-14T05:51:10.000+0000","sampleCount":1.0,"value":100.0}]}`, got.ReasonData)

	got = evaluateAt(t, scalar(func(m *MetricAlarm) {
		m.EvaluationPeriods, m.Threshold, m.Unit, m.Statistic, m.ExtendedStatistic = 2, new(2.0), "Seconds", "", "p90"
	}), "2026-09-14T05:51:57.001Z", StateOK, nil, 0)
	exactly(t, `{"version":"1.0","queryDate":"2026-09-14T05:51:57.001+0000","unit":"Seconds","statistic":"p90","period":60,`+
		`"recentDatapoints":[],"threshold":2.0,"evaluatedDatapoints":[{"timestamp":"2026-09-14T05:50:00.000+0000"},`+
		`{"timestamp":"2026-09-14T05:49:00.000+0000"}]}`, got.ReasonData)

	// Five periods without data, as the documentation of Lambda actions shows them.
	got = evaluateAt(t, scalar(func(m *MetricAlarm) { m.EvaluationPeriods, m.Threshold = 5, new(5.0) }),
		"2023-08-04T12:31:29.591Z", StateOK, nil, 0)
	assert.Equal(t, "Insufficient Data: 5 datapoints were unknown.", got.Reason)
	exactly(t, `{"version":"1.0","queryDate":"2023-08-04T12:31:29.591+0000","statistic":"Average","period":60,`+
		`"recentDatapoints":[],"threshold":5.0,"evaluatedDatapoints":[{"timestamp":"2023-08-04T12:30:00.000+0000"},`+
		`{"timestamp":"2023-08-04T12:29:00.000+0000"},{"timestamp":"2023-08-04T12:28:00.000+0000"},`+
		`{"timestamp":"2023-08-04T12:27:00.000+0000"},{"timestamp":"2023-08-04T12:26:00.000+0000"}]}`, got.ReasonData)

	// A sliding window of five minutes, evaluated every minute.
	got = evaluateAt(t, scalar(func(m *MetricAlarm) { m.EvaluationPeriods, m.DatapointsToAlarm, m.Period = 1, 1, 300 }),
		"2019-10-02T17:04:40.985Z", StateOK, map[string]float64{"2019-10-02T16:59:00Z": 99.50160229693434}, 5)
	assert.Equal(t, "Threshold Crossed: 1 out of the last 1 datapoints [99.50160229693434 (02/10/19 16:59:00)] was greater than the "+
		"threshold (50.0) (minimum 1 datapoint for OK -> ALARM transition).", got.Reason)
	exactly(t, `{"version":"1.0","queryDate":"2019-10-02T17:04:40.985+0000","startDate":"2019-10-02T16:59:00.000+0000",`+
		`"statistic":"Average","period":300,"recentDatapoints":[99.50160229693434],"threshold":50.0,`+
		`"evaluatedDatapoints":[{"timestamp":"2019-10-02T16:59:00.000+0000","sampleCount":5.0,"value":99.50160229693434}]}`,
		got.ReasonData)
}

// TestReasonLengths: what an alarm says fits into CloudWatch's limits, whatever there is to say.
func TestReasonLengths(t *testing.T) {
	t.Parallel()
	for _, n := range []int32{1, 4, 5, 40, 400, 1440} {
		r := mustRule(t, scalar(func(m *MetricAlarm) { m.EvaluationPeriods, m.DatapointsToAlarm = n, n }))
		now := time.Unix(1_800_000_000, 0)
		w := r.Window(now)
		points := make([]Point, len(w.Starts))
		for i, start := range w.Starts {
			points[i] = Point{Start: start, Value: 1.2345678901234567e300, SampleCount: 1e-300}
		}
		for _, data := range [][]Point{points, points[:len(points)-1], nil} {
			got := r.Evaluate(t.Context(), now, w, [][]Point{data}, Status{}, nil)
			require.NotEmpty(t, got.Reason)
			assert.LessOrEqual(t, len(got.Reason), longestReason)
			assert.LessOrEqual(t, len(got.ReasonData), longestReasonData)
			assert.True(t, json.Valid([]byte(got.ReasonData)), got.ReasonData)
		}
	}
}

// TestAppendDouble compares with what Java prints.
func TestAppendDouble(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{
		0: "0.0", 1: "1.0", -1: "-1.0", 0.5: "0.5", 100: "100.0", 1e6: "1000000.0", 9999999: "9999999.0", 1e7: "1.0E7",
		12345678: "1.2345678E7", 1e10: "1.0E10", 0.001: "0.001", 0.00099: "9.9E-4", 0.0666851903306472: "0.0666851903306472",
		1.5e-7: "1.5E-7", 1e100: "1.0E100", math.MaxFloat64: "1.7976931348623157E308", 5e-324: "4.9E-324",
		99.50160229693434: "99.50160229693434", math.Inf(1): "Infinity", math.Inf(-1): "-Infinity",
	} {
		assert.Equal(t, want, string(appendDouble(nil, v)), "%g", v)
	}
	assert.Equal(t, "x-0.0", string(appendDouble([]byte("x"), math.Copysign(0, -1))))
	assert.Equal(t, "NaN", string(appendDouble(nil, math.NaN())))
}

func TestTruncate(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "äöü", truncate("äöü", 3))
	assert.Equal(t, "äö", truncate("äöü", 2))
	assert.Empty(t, truncate("ä", 0))
}
