// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// manyStore lists so many metrics, each with one datum of 1 in every bucket.
type manyStore struct {
	store.MetricStore
	metrics int
	filters []store.MetricFilter
	asked   int
}

func (s *manyStore) ListMetrics(_ context.Context, f store.MetricFilter, after *cloudwatch.Metric, limit int) ([]cloudwatch.Metric, error) {
	s.filters = append(s.filters, f)
	first := 0
	if after != nil {
		first, _ = strconv.Atoi(after.Dimensions[0].Value)
		first -= 99_999
	}
	var out []cloudwatch.Metric
	for i := first; i < s.metrics && len(out) < limit; i++ {
		out = append(out, cloudwatch.Metric{
			Namespace: "n", Name: "m", Dimensions: []cloudwatch.Dimension{{Name: "d", Value: strconv.Itoa(100_000 + i)}},
		})
	}
	return out, nil
}

func (s *manyStore) QueryMetrics(_ context.Context, queries []store.MetricQuery) ([][]store.Bucket, error) {
	s.asked += len(queries)
	out := make([][]store.Bucket, len(queries))
	for i, q := range queries {
		for at := q.Start; at < q.End; at += q.Period {
			out[i] = append(out[i], store.Bucket{
				Start: at, Unit: "None", StatisticSet: cloudwatch.StatisticSet{SampleCount: 1, Sum: 1, Minimum: 1, Maximum: 1},
			})
		}
	}
	return out, nil
}

func mathInput(minutes int, expressions ...string) *cw.GetMetricDataInput {
	in := &cw.GetMetricDataInput{
		StartTime: aws.Time(testNow.Add(-time.Duration(minutes) * time.Minute)), EndTime: aws.Time(testNow),
	}
	for i, text := range expressions {
		in.MetricDataQueries = append(in.MetricDataQueries, types.MetricDataQuery{Id: aws.String("e" + strconv.Itoa(i)), Expression: &text})
	}
	return in
}

func TestSearchFindsTooMuch(t *testing.T) {
	reads := &manyStore{metrics: 25_000}
	s := &service{store: reads, now: func() time.Time { return testNow }}
	ctx, _ := testContext(t)
	out, err := s.getMetricData(ctx, mathInput(5, "SUM(SEARCH('m', 'Sum', 60))", "SEARCH('m', 'Sum', 60)"))
	require.NoError(t, err)
	require.Len(t, out.MetricDataResults, 501)
	assert.Equal(t, []float64{500, 500, 500, 500, 500}, out.MetricDataResults[0].Values)
	assert.Equal(t, "100000", *out.MetricDataResults[1].Label)
	assert.Equal(t, "100499", *out.MetricDataResults[500].Label)
	require.Len(t, out.Messages, 1)
	assert.Equal(t, "MaxMetricsExceeded", *out.Messages[0].Code)
	assert.Len(t, reads.filters, 1, "both searches are the same")
	assert.Equal(t, 500, reads.asked)

	reads.filters = nil
	out, err = s.getMetricData(ctx, mathInput(5, `SEARCH('{n,d} MetricName="m" d="124999"', 'Sum', 60)`))
	require.NoError(t, err)
	require.Len(t, out.MetricDataResults, 1)
	assert.Equal(t, "m", *out.MetricDataResults[0].Label)
	assert.Empty(t, out.Messages)
	require.Len(t, reads.filters, 3, "pages")
	assert.Equal(t, "n", reads.filters[0].Namespace)
	assert.Equal(t, "m", reads.filters[0].Name)
	assert.Equal(t, []cloudwatch.DimensionFilter{{Name: "d"}}, reads.filters[0].Dimensions)
	assert.Equal(t, testNow.Add(-14*24*time.Hour).Unix(), reads.filters[0].Since)

	var many []string
	for i := range 11 {
		many = append(many, "SEARCH('m OR x"+strconv.Itoa(i)+"', 'Sum', 60)")
	}
	_, err = s.getMetricData(ctx, mathInput(5, many...))
	require.ErrorContains(t, err, "The SEARCH functions of the request find more than 5000 metrics.")
}

func TestMathBounds(t *testing.T) {
	reads := &manyStore{metrics: 500}
	s := &service{store: reads, now: func() time.Time { return testNow }}
	ctx, _ := testContext(t)
	out, err := s.getMetricData(ctx, mathInput(1440, "SEARCH('m', 'Sum', 60)"))
	require.NoError(t, err)
	assert.Equal(t, 70, reads.asked, "100,800 slots are those of 70 metrics")
	require.Len(t, out.MetricDataResults, 500)
	assert.Equal(t, types.StatusCodePartialData, out.MetricDataResults[0].StatusCode)
	assert.Len(t, out.MetricDataResults[69].Values, 1440)
	assert.Empty(t, out.MetricDataResults[70].Values)

	in := mathInput(1440, slices.Repeat([]string{"SEARCH('m', 'Sum', 60)"}, 60)...)
	_, err = s.getMetricData(ctx, in)
	require.ErrorContains(t, err, "The expressions make more than 5000000 data points.")
	_, err = s.getMetricData(ctx, mathInput(400*24*60, "TIME_SERIES(1)"))
	require.NoError(t, err, "data of that age have no slots of a minute")
}

// BenchmarkSearch sums what a search of 500 metrics finds, over three hours of minutes.
func BenchmarkSearch(b *testing.B) {
	s := &service{store: &manyStore{metrics: 500}, now: func() time.Time { return testNow }}
	ctx, _ := testContext(b)
	in := mathInput(180, "SEARCH('{n,d} m', 'Sum', 60)", "SUM(e0)", "e0/e1*100")
	b.ReportAllocs()
	for b.Loop() {
		out, err := s.getMetricData(ctx, in)
		if err != nil || len(out.MetricDataResults) != 1001 {
			b.Fatal(err)
		}
	}
}
