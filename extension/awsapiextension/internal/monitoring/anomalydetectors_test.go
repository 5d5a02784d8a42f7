// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// memoryState is a storage client.
type memoryState struct {
	data map[string][]byte
	err  error
}

func newMemoryState() *memoryState { return &memoryState{data: map[string][]byte{}} }

func (m *memoryState) Get(_ context.Context, key string) ([]byte, error) { return m.data[key], m.err }
func (m *memoryState) Set(ctx context.Context, key string, value []byte) error {
	return m.Batch(ctx, storage.SetOperation(key, value))
}

func (m *memoryState) Delete(ctx context.Context, key string) error {
	return m.Batch(ctx, storage.DeleteOperation(key))
}
func (m *memoryState) Close(context.Context) error { return nil }
func (m *memoryState) Batch(_ context.Context, ops ...*storage.Operation) error {
	if m.err != nil {
		return m.err
	}
	for _, op := range ops {
		if op.Type == storage.Delete {
			delete(m.data, op.Key)
			continue
		}
		m.data[op.Key] = op.Value
	}
	return nil
}

func singleMetric(namespace, name, stat string, dims ...string) *types.SingleMetricAnomalyDetector {
	m := statQuery("", namespace, name, stat, 60, dims...).MetricStat
	return &types.SingleMetricAnomalyDetector{
		Namespace: m.Metric.Namespace, MetricName: m.Metric.MetricName, Dimensions: m.Metric.Dimensions, Stat: m.Stat,
	}
}

func rateQueries() []types.MetricDataQuery {
	return []types.MetricDataQuery{
		hidden(statQuery("m1", "shop", "errors", "Sum", 300)), hidden(statQuery("m2", "shop", "orders", "Sum", 300)), expr("e1", "100*m1/m2", 0, ""),
	}
}

func TestAnomalyDetectors(t *testing.T) {
	state := newMemoryState()
	e := newEndpoint(t, state)
	ctx := t.Context()
	history(e)
	describe := func(in *cw.DescribeAnomalyDetectorsInput) []types.AnomalyDetector {
		t.Helper()
		out, err := e.DescribeAnomalyDetectors(ctx, in)
		require.NoError(t, err)
		assert.Nil(t, out.NextToken)
		return out.AnomalyDetectors
	}
	assert.Empty(t, describe(&cw.DescribeAnomalyDetectorsInput{}))

	put, err := e.PutAnomalyDetector(ctx, &cw.PutAnomalyDetectorInput{SingleMetricAnomalyDetector: singleMetric("shop", "orders", "Sum")})
	require.NoError(t, err)
	list := describe(&cw.DescribeAnomalyDetectorsInput{})
	require.Len(t, list, 1)
	// What was recorded of CloudWatch: the metric is answered in both forms, the account filled in.
	assert.Equal(t, types.AnomalyDetector{
		AnomalyDetectorId: put.AnomalyDetectorId, StateValue: "PENDING_TRAINING",
		Configuration: &types.AnomalyDetectorConfiguration{ExcludedTimeRanges: []types.Range{}},
		Namespace:     aws.String("shop"), MetricName: aws.String("orders"), Dimensions: []types.Dimension{}, Stat: aws.String("Sum"),
		SingleMetricAnomalyDetector: &types.SingleMetricAnomalyDetector{
			AccountId: aws.String("123456789012"), Namespace: aws.String("shop"), MetricName: aws.String("orders"),
			Dimensions: []types.Dimension{}, Stat: aws.String("Sum"),
		},
	}, list[0])
	e.now = e.now.Add(time.Minute)
	assert.Equal(t, types.AnomalyDetectorStateValueTrained, describe(&cw.DescribeAnomalyDetectorsInput{})[0].StateValue)

	// The deprecated form is of the same detector; what is put replaces what was.
	day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	again, err := e.PutAnomalyDetector(ctx, &cw.PutAnomalyDetectorInput{
		Namespace: aws.String("shop"), MetricName: aws.String("orders"), Stat: aws.String("Sum"),
		MetricCharacteristics: &types.MetricCharacteristics{PeriodicSpikes: aws.Bool(true)},
		Configuration: &types.AnomalyDetectorConfiguration{
			MetricTimezone: aws.String("Europe/Berlin"), ExcludedTimeRanges: []types.Range{{StartTime: &day, EndTime: aws.Time(day.AddDate(0, 2, 0))}},
			AdaptationSpeed: types.AnomalyDetectorAdaptationSpeedNormal,
		},
	})
	require.NoError(t, err)
	assert.Equal(t, *put.AnomalyDetectorId, *again.AnomalyDetectorId)
	e.now = e.now.Add(time.Minute)
	list = describe(&cw.DescribeAnomalyDetectorsInput{AnomalyDetectorIds: []string{*put.AnomalyDetectorId, "nosuch"}})
	require.Len(t, list, 1)
	assert.Equal(t, types.AnomalyDetectorStateValueTrainedInsufficientData, list[0].StateValue, "all of the history is excluded")
	assert.Equal(t, "Europe/Berlin", *list[0].Configuration.MetricTimezone)
	assert.True(t, *list[0].MetricCharacteristics.PeriodicSpikes)
	assert.Equal(t, day, list[0].Configuration.ExcludedTimeRanges[0].StartTime.UTC())
	assert.Equal(t, types.AnomalyDetectorAdaptationSpeedNormal, list[0].Configuration.AdaptationSpeed)

	for _, d := range []*types.SingleMetricAnomalyDetector{
		singleMetric("shop", "orders", "p99"), singleMetric("shop", "latency", "Average", "host", "a"), singleMetric("other", "latency", "Average", "host", "a", "zone", "z"),
	} {
		_, err := e.PutAnomalyDetector(ctx, &cw.PutAnomalyDetectorInput{SingleMetricAnomalyDetector: d})
		require.NoError(t, err)
	}
	math, err := e.PutAnomalyDetector(ctx, &cw.PutAnomalyDetectorInput{MetricMathAnomalyDetector: &types.MetricMathAnomalyDetector{MetricDataQueries: rateQueries()}})
	require.NoError(t, err)
	assert.Len(t, describe(&cw.DescribeAnomalyDetectorsInput{}), 4, "those of single metrics")
	e.now = e.now.Add(time.Hour)
	list = describe(&cw.DescribeAnomalyDetectorsInput{AnomalyDetectorTypes: []types.AnomalyDetectorType{"METRIC_MATH"}})
	require.Len(t, list, 1)
	assert.Equal(t, "100*m1/m2", *list[0].MetricMathAnomalyDetector.MetricDataQueries[2].Expression)
	assert.Equal(t, types.AnomalyDetectorStateValueTrained, list[0].StateValue)
	assert.Len(t, describe(&cw.DescribeAnomalyDetectorsInput{AnomalyDetectorTypes: []types.AnomalyDetectorType{"METRIC_MATH", "SINGLE_METRIC"}}), 5)
	assert.Len(t, describe(&cw.DescribeAnomalyDetectorsInput{AnomalyDetectorTypes: []types.AnomalyDetectorType{"METRIC_MATH"}, MetricName: aws.String("errors")}), 1)
	assert.Empty(t, describe(&cw.DescribeAnomalyDetectorsInput{AnomalyDetectorTypes: []types.AnomalyDetectorType{"METRIC_MATH"}, Namespace: aws.String("other")}))
	assert.Len(t, describe(&cw.DescribeAnomalyDetectorsInput{Namespace: aws.String("shop")}), 3)
	assert.Len(t, describe(&cw.DescribeAnomalyDetectorsInput{MetricName: aws.String("latency")}), 2)
	assert.Len(t, describe(&cw.DescribeAnomalyDetectorsInput{Dimensions: singleMetric("", "", "", "host", "a").Dimensions}), 1)

	var keys []string
	pages := cw.NewDescribeAnomalyDetectorsPaginator(e.Client, &cw.DescribeAnomalyDetectorsInput{MaxResults: aws.Int32(3)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		require.NoError(t, err)
		for _, d := range out.AnomalyDetectors {
			keys = append(keys, *d.AnomalyDetectorId)
		}
	}
	assert.Len(t, keys, 4)

	// They outlive the process.
	reopened, err := OpenDetectors(ctx, state)
	require.NoError(t, err)
	assert.Equal(t, 5, reopened.table.Len())

	_, err = e.DeleteAnomalyDetector(ctx, &cw.DeleteAnomalyDetectorInput{Namespace: aws.String("shop"), MetricName: aws.String("orders"), Stat: aws.String("Sum")})
	require.NoError(t, err)
	_, err = e.DeleteAnomalyDetector(ctx, &cw.DeleteAnomalyDetectorInput{SingleMetricAnomalyDetector: singleMetric("shop", "orders", "Sum")})
	requireCode(t, err, "ResourceNotFoundException", "The anomaly detector does not exist.")
	_, err = e.DeleteAnomalyDetector(ctx, &cw.DeleteAnomalyDetectorInput{MetricMathAnomalyDetector: &types.MetricMathAnomalyDetector{MetricDataQueries: rateQueries()}})
	require.NoError(t, err)
	_, err = e.DeleteAnomalyDetector(ctx, &cw.DeleteAnomalyDetectorInput{AnomalyDetectorId: math.AnomalyDetectorId})
	requireCode(t, err, "ResourceNotFoundException", "The anomaly detector does not exist.")
	_, err = e.DeleteAnomalyDetector(ctx, &cw.DeleteAnomalyDetectorInput{AnomalyDetectorId: describe(&cw.DescribeAnomalyDetectorsInput{})[0].AnomalyDetectorId})
	require.NoError(t, err)
	assert.Len(t, describe(&cw.DescribeAnomalyDetectorsInput{}), 2)

	state.err = errors.New("broken")
	_, err = e.PutAnomalyDetector(ctx, &cw.PutAnomalyDetectorInput{SingleMetricAnomalyDetector: singleMetric("shop", "new", "Sum")})
	requireCode(t, err, "InternalFailure", "An internal error occurred.")
	assert.Len(t, describe(&cw.DescribeAnomalyDetectorsInput{}), 2)
}

func TestAnomalyDetectorErrors(t *testing.T) {
	e := newEndpoint(t, newMemoryState())
	put := func(change func(*cw.PutAnomalyDetectorInput)) error {
		in := &cw.PutAnomalyDetectorInput{SingleMetricAnomalyDetector: singleMetric("shop", "orders", "Sum")}
		change(in)
		_, err := e.PutAnomalyDetector(t.Context(), in)
		return err
	}
	configured := func(c types.AnomalyDetectorConfiguration) func(*cw.PutAnomalyDetectorInput) {
		return func(in *cw.PutAnomalyDetectorInput) { in.Configuration = &c }
	}
	math := func(queries ...types.MetricDataQuery) func(*cw.PutAnomalyDetectorInput) {
		return func(in *cw.PutAnomalyDetectorInput) {
			in.SingleMetricAnomalyDetector, in.MetricMathAnomalyDetector = nil, &types.MetricMathAnomalyDetector{MetricDataQueries: queries}
		}
	}
	many := func(n int) (list []types.MetricDataQuery) {
		ids := make([]string, n)
		for i := range ids {
			ids[i] = "m" + strconv.Itoa(i)
			list = append(list, hidden(statQuery(ids[i], "shop", "m", "Sum", 60)))
		}
		return append(list, expr("e1", strings.Join(ids, "+"), 0, ""))
	}
	const combination, value, missing, validation = "InvalidParameterCombination", "InvalidParameterValue", "MissingParameter", "ValidationError"
	day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		change        func(*cw.PutAnomalyDetectorInput)
		code, message string
	}{
		{
			func(in *cw.PutAnomalyDetectorInput) { in.Namespace = aws.String("shop") }, combination, //nolint:staticcheck // the deprecated form
			"The parameters Namespace and SingleMetricAnomalyDetector are mutually exclusive and you have specified both.",
		},
		{
			func(in *cw.PutAnomalyDetectorInput) {
				in.MetricMathAnomalyDetector = &types.MetricMathAnomalyDetector{MetricDataQueries: rateQueries()}
			}, combination, "The parameters SingleMetricAnomalyDetector and MetricMathAnomalyDetector are mutually exclusive and you have specified both.",
		},
		{
			func(in *cw.PutAnomalyDetectorInput) { math(rateQueries()...)(in); in.Stat = aws.String("Sum") }, combination, //nolint:staticcheck // the deprecated form
			"The parameters Stat and MetricMathAnomalyDetector are mutually exclusive and you have specified both.",
		},
		{
			func(in *cw.PutAnomalyDetectorInput) { in.SingleMetricAnomalyDetector = nil }, missing,
			"The parameter Namespace is required.\nThe parameter MetricName is required.\nThe parameter Stat is required.",
		},
		{
			func(in *cw.PutAnomalyDetectorInput) { in.SingleMetricAnomalyDetector.Stat = aws.String("Median") }, value,
			"The value Median for parameter SingleMetricAnomalyDetector.Stat is not a valid statistic.",
		},
		{
			func(in *cw.PutAnomalyDetectorInput) {
				in.SingleMetricAnomalyDetector.AccountId = aws.String("999999999999")
			}, value,
			"The value 999999999999 for parameter SingleMetricAnomalyDetector.AccountId is invalid: no account is linked to 123456789012.",
		},
		{
			configured(types.AnomalyDetectorConfiguration{MetricTimezone: aws.String("Mars/Olympus")}), value,
			`The parameter Configuration.MetricTimezone is invalid: "Mars/Olympus" is not the name of a time zone.`,
		},
		{
			configured(types.AnomalyDetectorConfiguration{ExcludedTimeRanges: []types.Range{{StartTime: &day, EndTime: &day}}}), value,
			"The parameter Configuration.ExcludedTimeRanges.member.1.StartTime must be less than the parameter Configuration.ExcludedTimeRanges.member.1.EndTime.",
		},
		{
			configured(types.AnomalyDetectorConfiguration{AdaptationSpeed: "FAST", OutlierFilteringStrength: "STRICT"}), value,
			"The value FAST for parameter Configuration.AdaptationSpeed is not supported: the model here is NORMAL.\n" +
				"The value STRICT for parameter Configuration.OutlierFilteringStrength is not supported: the model here is MODERATE.",
		},
		{
			math(expr("e1", "m1", 0, ""), hidden(statQuery("m1", "shop", "a", "Sum", 60)), expr("e2", "m1", 0, "")), validation,
			"Exactly one of MetricMathAnomalyDetector.MetricDataQueries must have ReturnData true, not e1 and e2.",
		},
		{
			math(statQuery("m1", "shop", "a", "Sum", 60)), validation,
			"Exactly one of MetricMathAnomalyDetector.MetricDataQueries must have ReturnData true, and be an expression.",
		},
		{
			math(hidden(statQuery("m1", "shop", "a", "Sum", 60)), expr("e1", "SUM(METRICS())", 0, "")), validation,
			"Error in expression 'e1': Function 'ANOMALY_DETECTION_BAND' cannot be applied to METRICS (at position 0)",
		},
		{
			math(expr("e1", "SELECT SUM(a) FROM shop", 60, "")), validation,
			"Error in expression 'e1': a model cannot be of a Metrics Insights query",
		},
		{
			math(many(11)...), validation,
			"Error in expression 'e1': Function 'ANOMALY_DETECTION_BAND' cannot be applied to more than 10 metrics (at position 0)",
		},
		{
			math(hidden(statQuery("m1", "shop", "a", "Sum", 60)), hidden(statQuery("m2", "shop", "a", "Sum", 300)), expr("e1", "m1+m2", 0, "")), validation,
			"Anomaly detection is for metrics of one period, not of 60 and 300 seconds.",
		},
		{
			math(hidden(statQuery("m1", "shop", "a", "Sum", 10)), expr("e1", "m1*2", 0, "")), validation,
			"Anomaly detection is for periods of 60 to 3600 seconds, not 10.",
		},
		{math(expr("e1", "m9", 0, "")), validation, "Error in expression 'e1': ID 'm9' not found"},
		{math(), validation, "The parameter MetricMathAnomalyDetector.MetricDataQueries is required.\n"},
	} {
		requireCode(t, put(c.change), c.code, c.message)
	}

	describe := func(in *cw.DescribeAnomalyDetectorsInput) error {
		_, err := e.DescribeAnomalyDetectors(t.Context(), in)
		return err
	}
	requireCode(t, describe(&cw.DescribeAnomalyDetectorsInput{MaxResults: aws.Int32(101)}), value, "The parameter MaxResults must be a value between 1 and 100.")
	requireCode(t, describe(&cw.DescribeAnomalyDetectorsInput{NextToken: aws.String("x")}), "InvalidNextToken", "The value for parameter NextToken is invalid.")
	requireCode(t, describe(&cw.DescribeAnomalyDetectorsInput{AnomalyDetectorTypes: []types.AnomalyDetectorType{"DOUBLE"}}), value,
		"The parameter AnomalyDetectorTypes must be a value in the set [ SINGLE_METRIC, METRIC_MATH ].")
	requireCode(t, describe(&cw.DescribeAnomalyDetectorsInput{AnomalyDetectorIds: []string{"x"}, Namespace: aws.String("n")}), combination,
		"The parameter AnomalyDetectorIds cannot be used together with other filters.")
	_, err := e.DeleteAnomalyDetector(t.Context(), &cw.DeleteAnomalyDetectorInput{AnomalyDetectorId: aws.String("x"), Namespace: aws.String("n")})
	requireCode(t, err, combination, "The parameter AnomalyDetectorId cannot be used together with a metric or an expression.")

	_, err = newEndpoint(t, nil).PutAnomalyDetector(t.Context(), &cw.PutAnomalyDetectorInput{SingleMetricAnomalyDetector: singleMetric("shop", "orders", "Sum")})
	requireCode(t, err, "NotImplemented", `Keeping anomaly detectors in a collector without a storage (name one in the option "storage" of the extension aws_api) is not implemented.`)
}

// history is two weeks of orders, about 1000 in five minutes, and of errors, about 10.
func history(e *endpoint) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for at := e.now.Add(-14 * 24 * time.Hour); at.Before(e.now); at = at.Add(5 * time.Minute) {
		e.store.add("shop", "orders", at, nil, 1000+10*rnd.NormFloat64())
		e.store.add("shop", "errors", at, nil, 10+rnd.NormFloat64())
	}
}

// TestBands draws bands as a console's graph does.
func TestBands(t *testing.T) {
	e := newEndpoint(t, newMemoryState())
	history(e)
	out := e.get(60, statQuery("m1", "shop", "orders", "Sum", 300), hidden(statQuery("m2", "shop", "errors", "Sum", 300)), hidden(expr("e1", "m2/m1", 0, "")),
		expr("ad1", "ANOMALY_DETECTION_BAND(m1, 3)", 0, ""), expr("ad2", "ANOMALY_DETECTION_BAND(e1)", 0, "expected"),
		expr("out", "IF(m1 > FIRST(ad1) OR m1 < LAST(ad1), 1, 0)", 0, ""))
	require.Len(t, out.MetricDataResults, 6)
	within := func(r types.MetricDataResult, label string, low, high float64) {
		t.Helper()
		assert.Equal(t, label, *r.Label)
		require.Len(t, r.Values, 12)
		for _, v := range r.Values {
			assert.Greater(t, v, low)
			assert.Less(t, v, high)
		}
	}
	within(out.MetricDataResults[1], "orders (upper)", 1015, 1050)
	within(out.MetricDataResults[2], "orders (lower)", 950, 985)
	within(out.MetricDataResults[3], "expected e1 (upper)", 0.0105, 0.014)
	within(out.MetricDataResults[4], "expected e1 (lower)", 0.006, 0.0095)
	within(out.MetricDataResults[5], "out", -1, 1.1)
	for _, r := range out.MetricDataResults {
		assert.Equal(t, types.StatusCodeComplete, r.StatusCode)
	}

	// A metric without history has no band.
	out = e.get(60, statQuery("m1", "shop", "nosuch", "Sum", 300), expr("ad1", "ANOMALY_DETECTION_BAND(m1)", 0, "${LABEL} ${PROP('MetricName')}"))
	assert.Equal(t, []string{"m1 nosuch:", "ad1 nosuch (upper) nosuch:", "ad1 nosuch (lower) nosuch:"}, e.rows(out))

	// What the detector excludes is not learned from.
	e.store.add("shop", "orders", e.now.Add(-2*time.Hour), nil, 1e9, 1e9)
	_, err := e.PutAnomalyDetector(t.Context(), &cw.PutAnomalyDetectorInput{
		SingleMetricAnomalyDetector: singleMetric("shop", "orders", "Sum"),
		Configuration: &types.AnomalyDetectorConfiguration{ExcludedTimeRanges: []types.Range{
			{StartTime: aws.Time(e.now.AddDate(0, -1, 0)), EndTime: aws.Time(e.now.AddDate(0, 0, 1))},
		}},
	})
	require.NoError(t, err)
	out = e.get(60, hidden(statQuery("m1", "shop", "orders", "Sum", 300)), expr("ad1", "ANOMALY_DETECTION_BAND(m1)", 0, ""))
	assert.Equal(t, []string{"ad1 orders (upper):", "ad1 orders (lower):"}, e.rows(out))

	foreign := hidden(statQuery("m1", "shop", "orders", "Sum", 300))
	foreign.AccountId = aws.String("999999999999")
	out = e.get(60, foreign, expr("ad1", "ANOMALY_DETECTION_BAND(m1)", 0, ""))
	assert.Equal(t, types.StatusCodeForbidden, out.MetricDataResults[0].StatusCode)

	for want, queries := range map[string][]types.MetricDataQuery{
		"Error in expression 'ad1': Function 'ANOMALY_DETECTION_BAND' takes metrics with a period of 60 to 3600 seconds, not 10 (at position 0)": {
			statQuery("m1", "shop", "orders", "Sum", 10), expr("ad1", "ANOMALY_DETECTION_BAND(m1)", 0, ""),
		},
		"Error in expression 'ad1': Function 'ANOMALY_DETECTION_BAND' cannot be applied to SEARCH (at position 0)": {
			expr("ad1", "ANOMALY_DETECTION_BAND(SUM(SEARCH('{shop}', 'Sum', 60)))", 0, ""),
		},
	} {
		_, err := e.GetMetricData(t.Context(), &cw.GetMetricDataInput{StartTime: aws.Time(e.now.Add(-time.Hour)), EndTime: &e.now, MetricDataQueries: queries})
		requireCode(t, err, "ValidationError", want)
	}
}
