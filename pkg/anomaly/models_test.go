// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package anomaly

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch/metricmemory"
	"github.com/nephoscope/nephoscope/pkg/metricmath"
)

var testTenant = cloudwatch.Tenant{Account: "123456789012", Region: "eu-west-1"}

func named(id, name string, period int64) NamedMetric {
	return NamedMetric{ID: id, Metric: Metric{Metric: cloudwatch.Metric{Namespace: "n", Name: name}, Stat: "Average", Period: period}}
}

// countingReader counts the calls for data.
type countingReader struct {
	cloudwatch.MetricReader
	mu    sync.Mutex
	calls int
	err   error
}

func (r *countingReader) QueryMetrics(ctx context.Context, queries []cloudwatch.MetricQuery) ([][]cloudwatch.Bucket, error) {
	r.mu.Lock()
	r.calls++
	err := r.err
	r.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return r.MetricReader.QueryMetrics(ctx, queries)
}

// testReader has two weeks of five-minute data: a is 100 and noise, b is 10 and noise, in two units.
func testReader() *countingReader {
	r := metricmemory.New(0)
	rnd := rand.New(rand.NewPCG(1, 2))
	for at := testEnd - 14*day; at < testEnd; at += 300 {
		add := func(name, unit string, v float64) {
			if err := r.Add(testTenant, []cloudwatch.Datum{{
				Metric: cloudwatch.Metric{Namespace: "n", Name: name}, TimestampMs: at * 1000, StorageResolution: 60, Unit: unit, Value: v,
			}}); err != nil {
				panic(err)
			}
		}
		add("a", "Percent", 98+rnd.Float64())
		add("b", "Count", 10+rnd.Float64())
		add("b", "Seconds", 1e6)
	}
	return &countingReader{MetricReader: r}
}

func TestModelsOfMetric(t *testing.T) {
	reader := testReader()
	m := NewModels(Settings{Reader: reader})
	a := named("", "a", 300)
	model, err := m.OfMetric(t.Context(), testTenant, &a.Metric, testEnd)
	require.NoError(t, err)
	assert.Equal(t, StateTrained, model.State())
	_, upper, ok := model.Band(testEnd, 20)
	require.True(t, ok)
	assert.InDelta(t, 100, upper, 0, "its only unit is Percent")
	assert.Equal(t, 1, reader.calls)

	again, err := m.OfMetric(t.Context(), testTenant, &a.Metric, m.trainedAt(a.key(testTenant)+"|"+(&Config{}).key(), testEnd)+3599)
	require.NoError(t, err)
	assert.Same(t, model, again)
	old, err := m.OfMetric(t.Context(), testTenant, &a.Metric, testEnd-7*day)
	require.NoError(t, err)
	assert.NotSame(t, model, old)
	assert.Equal(t, 2, reader.calls)
	later, err := m.OfMetric(t.Context(), testTenant, &a.Metric, testEnd+hour)
	require.NoError(t, err)
	assert.NotSame(t, model, later)

	b := named("", "b", 300)
	model, err = m.OfMetric(t.Context(), testTenant, &b.Metric, testEnd)
	require.NoError(t, err)
	lower, upper, _ := model.Band(testEnd, 3)
	assert.Greater(t, lower, 9.)
	assert.Less(t, upper, 12., "Count comes before Seconds")
	b.Unit = "Seconds"
	model, err = m.OfMetric(t.Context(), testTenant, &b.Metric, testEnd)
	require.NoError(t, err)
	lower, _, _ = model.Band(testEnd, 3)
	assert.Greater(t, lower, 1e5)

	none := named("", "nosuch", 300)
	model, err = m.OfMetric(t.Context(), testTenant, &none.Metric, testEnd)
	require.NoError(t, err)
	assert.Equal(t, StateInsufficientData, model.State())

	bad := a
	bad.Stat = "p999"
	_, err = m.OfMetric(t.Context(), testTenant, &bad.Metric, testEnd)
	require.Error(t, err)
	bad.Stat, bad.Period = "Sum", 10
	_, err = m.OfMetric(t.Context(), testTenant, &bad.Metric, testEnd)
	require.Error(t, err)
	bad = a
	bad.Stat = "p50"
	model, err = m.OfMetric(t.Context(), testTenant, &bad.Metric, testEnd)
	require.NoError(t, err)
	assert.Equal(t, StateTrained, model.State())

	reader.err = errors.New("broken")
	_, err = m.OfMetric(t.Context(), testTenant, &a.Metric, testEnd+10*day)
	require.ErrorIs(t, err, reader.err)
	reader.err = nil
	_, err = m.OfMetric(t.Context(), testTenant, &a.Metric, testEnd+10*day)
	require.NoError(t, err, "an error is not kept")
}

type testConfigurations struct{ metric, expression Config }

func (c *testConfigurations) MetricConfig(cloudwatch.Tenant, *cloudwatch.Metric, string) Config {
	return c.metric
}

func (c *testConfigurations) ExpressionConfig(cloudwatch.Tenant, *Expression) Config {
	return c.expression
}

func TestModelsConfiguration(t *testing.T) {
	reader, cfg := testReader(), &testConfigurations{}
	m := NewModels(Settings{Reader: reader, Configurations: cfg})
	a := named("", "a", 300)
	model, err := m.OfMetric(t.Context(), testTenant, &a.Metric, testEnd)
	require.NoError(t, err)
	assert.Equal(t, StateTrained, model.State())
	cfg.metric.Excluded = []Range{{0, testEnd}}
	model, err = m.OfMetric(t.Context(), testTenant, &a.Metric, testEnd)
	require.NoError(t, err)
	assert.Equal(t, StateInsufficientData, model.State(), "trained anew with what changed")
}

func TestModelsAreBounded(t *testing.T) {
	m := NewModels(Settings{Reader: metricmemory.New(0), MaxModels: 20})
	for i := range 100 {
		a := named("", strconv.Itoa(i), 300)
		_, err := m.OfMetric(t.Context(), testTenant, &a.Metric, testEnd)
		require.NoError(t, err)
		assert.LessOrEqual(t, len(m.kept), 20)
	}
	reader := testReader()
	m = NewModels(Settings{Reader: reader, MaxTraining: 1, RetrainAfter: time.Minute})
	var all sync.WaitGroup
	a := named("", "a", 300)
	for range 8 {
		all.Go(func() {
			_, err := m.OfMetric(t.Context(), testTenant, &a.Metric, testEnd)
			assert.NoError(t, err)
		})
	}
	all.Wait()
	assert.Equal(t, 1, reader.calls, "trained once for all who wait")

	m.training <- struct{}{}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	b := named("", "b", 300)
	_, err := m.OfMetric(ended, testTenant, &b.Metric, testEnd)
	require.ErrorIs(t, err, context.Canceled)
	<-m.training
}

func parse(t *testing.T, text string) *metricmath.Expr {
	t.Helper()
	x, err := metricmath.Parse(text)
	require.NoError(t, err)
	return x
}

func TestBander(t *testing.T) {
	reader := testReader()
	metrics := []NamedMetric{named("m1", "a", 300), named("m2", "b", 300), named("m3", "c", 300)}
	queries := []metricmath.Query{
		{ID: "e1", Expr: parse(t, "m1/e2"), Hidden: true},
		{ID: "e2", Expr: parse(t, "m2*2"), Hidden: true},
		{ID: "ad1", Expr: parse(t, "ANOMALY_DETECTION_BAND(m1, 3)")},
		{ID: "ad2", Expr: parse(t, "ANOMALY_DETECTION_BAND(e1, 3)")},
		{ID: "ad3", Expr: parse(t, "ANOMALY_DETECTION_BAND(e1*10)")},
		{ID: "ad4", Expr: parse(t, "ANOMALY_DETECTION_BAND(m3)")},
		{ID: "other", Expr: parse(t, "SUM(SEARCH('x', 'Sum', 60))"), Hidden: true},
	}
	program, err := metricmath.Compile([]string{"m1", "m2", "m3"}, queries)
	require.NoError(t, err)
	env := &metricmath.Env{
		Window: metricmath.Window{Start: testEnd, End: testEnd + 1200}, Period: 300,
		Metrics:  map[string]metricmath.Series{"m1": {Label: "a", Period: 300}, "m2": {Period: 300}, "m3": {Period: 300}},
		Searcher: noSearch{},
		Bander: &Bander{
			Models: NewModels(Settings{Reader: reader}), Tenant: testTenant, Now: testEnd, Metrics: metrics, Queries: queries,
		},
	}
	results, err := program.Evaluate(t.Context(), env)
	require.NoError(t, err)
	require.Len(t, results, 4)
	about := func(id int, low, high float64) {
		t.Helper()
		upper, lower := results[id].Series[0], results[id].Series[1]
		require.Len(t, upper.Values, 4)
		for i := range upper.Values {
			assert.Less(t, upper.Values[i], high)
			assert.Greater(t, lower.Values[i], low)
			assert.Greater(t, upper.Values[i], lower.Values[i])
			assert.Equal(t, testEnd+int64(i)*300, upper.Timestamps[i], "in the future, too")
		}
	}
	about(0, 97, 100.0001)
	about(1, 4, 5.5)
	about(2, 40, 55)
	assert.Empty(t, results[3].Series[0].Values, "nothing is known of it")

	reader.err = errors.New("broken")
	env.Bander.(*Bander).Now += 3 * day
	_, err = program.Evaluate(t.Context(), env)
	require.ErrorIs(t, err, reader.err)
}

type noSearch struct{}

func (noSearch) Search(context.Context, metricmath.SearchCall) ([]metricmath.Series, error) {
	return nil, nil
}

// TestExpressionString checks that equal expressions, and no others, have the same name.
func TestExpressionString(t *testing.T) {
	metrics := []NamedMetric{named("m1", "a", 300), named("m2", "b", 300), named("m3", "c", 300)}
	x := Expression{Metrics: metrics, ID: "e1", Queries: []metricmath.Query{{ID: "e1", Expr: parse(t, "m1 / e2")}, {ID: "e2", Expr: parse(t, "m2")}}}
	same := Expression{Metrics: metrics[:2], ID: "e1", Queries: []metricmath.Query{{ID: "e2", Expr: parse(t, "(m2)")}, {ID: "e1", Expr: parse(t, "m1/e2")}}}
	assert.Equal(t, x.String(), same.String())
	other := x
	other.Queries = []metricmath.Query{{ID: "e1", Expr: parse(t, "m1 / e2")}, {ID: "e2", Expr: parse(t, "m3")}}
	assert.NotEqual(t, x.String(), other.String())

	_, err := NewModels(Settings{Reader: metricmemory.New(0)}).OfExpression(t.Context(), testTenant, &Expression{ID: "e1"}, testEnd)
	require.Error(t, err)
	bad := x
	bad.Queries = []metricmath.Query{{ID: "e1", Expr: parse(t, "METRICS()")}}
	_, err = NewModels(Settings{Reader: metricmemory.New(0)}).OfExpression(t.Context(), testTenant, &bad, testEnd)
	require.Error(t, err)
	bad.Queries = []metricmath.Query{{ID: "e1", Expr: parse(t, "m9")}}
	_, err = NewModels(Settings{Reader: metricmemory.New(0)}).OfExpression(t.Context(), testTenant, &bad, testEnd)
	require.Error(t, err)
}
