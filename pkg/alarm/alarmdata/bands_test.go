// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmdata

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/anomaly"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch/metricmemory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	testTenant = cloudwatch.Tenant{Account: "123456789012", Region: "eu-west-1"}
	testEnd    = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC).Unix()
)

func testBands() *Bands {
	r := metricmemory.New(0)
	rnd := rand.New(rand.NewPCG(1, 2))
	for at := testEnd - 14*86400; at < testEnd; at += 300 {
		for name, level := range map[string]float64{"orders": 1000, "errors": 10} {
			if err := r.Add(testTenant, []cloudwatch.Datum{{
				Metric: cloudwatch.Metric{Namespace: "shop", Name: name}, TimestampMs: at * 1000, StorageResolution: 60, Unit: "None",
				Value: level * (1 + rnd.NormFloat64()/100),
			}}); err != nil {
				panic(err)
			}
		}
	}
	return &Bands{Models: anomaly.NewModels(anomaly.Settings{Reader: r})}
}

func input(t *testing.T, name string, period int64) *alarm.Input {
	t.Helper()
	stat, ok := cloudwatch.ParseStatistic("Sum")
	require.True(t, ok)
	return &alarm.Input{Metric: cloudwatch.Metric{Namespace: "shop", Name: name}, Stat: stat, Period: period}
}

func metricQuery(id, name string) alarm.Query {
	return alarm.Query{ID: id, Metric: &alarm.MetricStat{Namespace: "shop", MetricName: name, Period: 300, Stat: "Sum"}}
}

func TestBands(t *testing.T) {
	b := testBands()
	query := func(change func(*alarm.BandQuery)) (lower, upper []float64, err error) {
		q := &alarm.BandQuery{
			Tenant: testTenant, Deviations: 3, Window: alarm.Window{Period: 300, Starts: []int64{testEnd - 600, testEnd - 300}, End: testEnd},
		}
		change(q)
		lower, upper = []float64{math.NaN(), math.NaN()}, []float64{math.NaN(), math.NaN()}
		err = b.Band(t.Context(), q, lower, upper)
		return lower, upper, err
	}
	about := func(want float64, change func(*alarm.BandQuery)) {
		t.Helper()
		lower, upper, err := query(change)
		require.NoError(t, err)
		for i := range lower {
			assert.InDelta(t, 0.97*want, lower[i], 0.02*want)
			assert.InDelta(t, 1.03*want, upper[i], 0.02*want)
		}
	}
	about(1000, func(q *alarm.BandQuery) { q.Metric = input(t, "orders", 300) })
	about(1010, func(q *alarm.BandQuery) {
		q.ID = "e1"
		q.Queries = []alarm.Query{
			metricQuery("m1", "orders"), metricQuery("m2", "errors"),
			{ID: "e2", Expression: "m1+m2"},
			{ID: "e1", Expression: "e2*1"},
			{ID: "q1", Expression: "SELECT SUM(orders) FROM shop", Period: 300},
		}
	})
	lower, _, err := query(func(q *alarm.BandQuery) { q.Metric = input(t, "nosuch", 300) })
	require.NoError(t, err)
	assert.True(t, math.IsNaN(lower[0]), "there is nothing to learn from")
	// Of a backtest, what came after the window is not known yet.
	lower, _, err = query(func(q *alarm.BandQuery) {
		q.Metric = input(t, "orders", 300)
		q.Window = alarm.Window{Period: 300, Starts: []int64{testEnd - 14*86400}, End: testEnd - 14*86400 + 300}
	})
	require.NoError(t, err)
	assert.True(t, math.IsNaN(lower[0]))

	for want, change := range map[string]func(*alarm.BandQuery){
		"Anomaly detection is for periods of 60 to 3600 seconds, not 10.": func(q *alarm.BandQuery) { q.Metric = input(t, "orders", 10) },
		"Anomaly detection is not supported for metrics of another account (999999999999).": func(q *alarm.BandQuery) {
			q.Metric = input(t, "orders", 300)
			q.Metric.Account = "999999999999"
		},
		"Error in expression 'e1': Invalid syntax at position 4: expected a value, found the end of the expression": func(q *alarm.BandQuery) {
			q.ID, q.Queries = "e1", []alarm.Query{metricQuery("m1", "orders"), {ID: "e1", Expression: "m1 +"}}
		},
	} {
		_, _, err := query(change)
		var e *alarm.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, want, e.Message)
		assert.Equal(t, "ValidationError", e.Code)
	}
}
