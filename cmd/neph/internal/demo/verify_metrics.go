// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// tolerance of sums of floating-point numbers that were added in another order.
const tolerance = 1e-9

// verifyMetrics compares what CloudWatch keeps of each metric with what was sent.
func (e *emitter) verifyMetrics(ctx context.Context) ([]check, error) {
	var out []check
	for _, k := range sortedKeys(e.ledger.metrics) {
		got, err := e.readMetric(ctx, k)
		if err != nil {
			return nil, fmt.Errorf("GetMetricStatistics %s %s: %w", k.Namespace, k.Name, err)
		}
		sent := *e.ledger.metrics[k]
		c := check{
			What: k.Namespace + " " + k.Name, How: k.How, Read: "GetMetricStatistics",
			Sent: sent.String(), Got: got.String(), OK: true,
		}
		for _, pair := range []struct {
			name      string
			sent, got float64
		}{
			{"SampleCount", sent.Count, got.Count},
			{"Sum", sent.Sum, got.Sum},
			{"Minimum", sent.Min, got.Min},
			{"Maximum", sent.Max, got.Max},
		} {
			if !near(pair.sent, pair.got) {
				c.OK, c.Why = false, fmt.Sprintf("%s is %v, want %v", pair.name, pair.got, pair.sent)
				break
			}
		}
		out = append(out, c)
	}
	return out, nil
}

func near(a, b float64) bool {
	return math.Abs(a-b) <= tolerance*max(1, math.Abs(a), math.Abs(b))
}

func (s statistics) String() string {
	return fmt.Sprintf("%s samples, sum %.10g", count(int(s.Count)), s.Sum)
}

func (k metricKey) dimensions() []types.Dimension {
	var out []types.Dimension
	for _, p := range k.pairs() {
		out = append(out, types.Dimension{Name: aws.String(p[0]), Value: aws.String(p[1])})
	}
	return out
}

func (e *emitter) readMetric(ctx context.Context, k metricKey) (statistics, error) {
	start, end := e.window()
	out, err := e.metrics.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
		Namespace: &k.Namespace, MetricName: &k.Name, Dimensions: k.dimensions(),
		StartTime: &start, EndTime: &end, Period: &k.Period,
		Statistics: []types.Statistic{
			types.StatisticSampleCount, types.StatisticSum, types.StatisticMinimum, types.StatisticMaximum,
		},
	})
	if err != nil {
		return statistics{}, err
	}
	var got statistics
	for i, p := range out.Datapoints {
		if i == 0 {
			got.Min, got.Max = math.Inf(1), math.Inf(-1)
		}
		got.Count += aws.ToFloat64(p.SampleCount)
		got.Sum += aws.ToFloat64(p.Sum)
		got.Min = min(got.Min, aws.ToFloat64(p.Minimum))
		got.Max = max(got.Max, aws.ToFloat64(p.Maximum))
	}
	return got, nil
}

// graph is what is drawn of a metric.
type graph struct {
	times   []time.Time
	average []float64
	p99     []float64
}

// readGraph gets the average and the 99th percentile of each minute's orders in one call.
func (e *emitter) readGraph(ctx context.Context) (*graph, error) {
	k := ordersLatency(e.shop.Run)
	query := func(id, stat string) types.MetricDataQuery {
		return types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{
			Metric: &types.Metric{Namespace: &k.Namespace, MetricName: &k.Name, Dimensions: k.dimensions()},
			Period: &k.Period, Stat: &stat,
		}}
	}
	pages := cloudwatch.NewGetMetricDataPaginator(e.metrics, &cloudwatch.GetMetricDataInput{
		StartTime: &e.shop.Start, EndTime: &e.shop.End, ScanBy: types.ScanByTimestampAscending,
		MetricDataQueries: []types.MetricDataQuery{query("average", "Average"), query("p99", "p99")},
	})
	type series struct {
		times  []time.Time
		values []float64
	}
	all := map[string]series{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("GetMetricData: %w", err)
		}
		for _, r := range page.MetricDataResults {
			s := all[aws.ToString(r.Id)]
			s.times, s.values = append(s.times, r.Timestamps...), append(s.values, r.Values...)
			all[aws.ToString(r.Id)] = s
		}
	}
	average, p99 := all["average"], all["p99"]
	if len(average.values) != len(p99.values) {
		return nil, fmt.Errorf("GetMetricData: %d averages and %d percentiles", len(average.values), len(p99.values))
	}
	return &graph{times: average.times, average: average.values, p99: p99.values}, nil
}

// percentileError is by how much a percentile of a metric with many values may differ from that of the values.
const percentileError = 0.02

// verifyPercentile compares the graph, minute by minute, with the orders.
func (e *emitter) verifyPercentile(ctx context.Context) ([]check, error) {
	g, err := e.readGraph(ctx)
	if err != nil {
		return nil, err
	}
	c := check{What: "Shop OrderLatency: p99, Average", How: viaSDK, Read: "GetMetricData", OK: true}
	at := map[int64]int{}
	for i, t := range g.times {
		at[t.Unix()] = i
	}
	want := 0
	for _, m := range e.shop.Minutes {
		if len(m.Orders) == 0 {
			continue
		}
		want++
		var values []float64
		sum := 0.0
		for _, o := range m.Orders {
			v := float64(o.OrdersSpan.Duration.Milliseconds())
			values, sum = append(values, v), sum+v
		}
		i, ok := at[m.At.Unix()]
		low, high := percentileBounds(values, 99)
		switch {
		case !ok:
			c.OK, c.Why = false, "no value at "+m.At.Format("15:04")
		case !near(g.average[i], sum/float64(len(values))):
			c.OK, c.Why = false, fmt.Sprintf("Average at %s is %v, want %v", m.At.Format("15:04"), g.average[i], sum/float64(len(values)))
		case g.p99[i] < low*(1-percentileError) || g.p99[i] > high*(1+percentileError):
			c.OK, c.Why = false, fmt.Sprintf("p99 at %s is %v, want %v to %v", m.At.Format("15:04"), g.p99[i], low, high)
		}
	}
	c.Sent, c.Got = fmt.Sprintf("%d minutes", want), fmt.Sprintf("%d minutes", len(g.times))
	if c.OK && len(g.times) != want {
		c.OK, c.Why = false, "values for minutes without orders"
	}
	return []check{c}, nil
}
