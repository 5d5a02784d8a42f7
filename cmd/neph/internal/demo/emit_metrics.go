// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// namespace of the shop's CloudWatch metrics.
const namespace = "Shop"

const viaSDK = "PutMetricData"

// ordersLatency is the metric that is drawn.
func ordersLatency(run string) metricKey {
	return metricKey{namespace, "OrderLatency", dimensions("Service", orders, "Run", run), viaSDK, 60}
}

// putMetrics sends each of the forms that a datum has: values with counts, a value, one-second values, and
// statistics.
func (e *emitter) putMetrics(ctx context.Context, m *Minute) error {
	dims := func(service string) []types.Dimension {
		return []types.Dimension{
			{Name: aws.String("Service"), Value: aws.String(service)},
			{Name: aws.String("Run"), Value: aws.String(e.shop.Run)},
		}
	}
	key := func(service, name string, period int32) metricKey {
		return metricKey{namespace, name, dimensions("Service", service, "Run", e.shop.Run), viaSDK, period}
	}
	sent := map[metricKey][]statistics{}

	latency := types.MetricDatum{
		MetricName: aws.String("OrderLatency"), Dimensions: dims(orders), Timestamp: &m.At, Unit: types.StandardUnitMilliseconds,
	}
	placed := 0.0
	for _, o := range m.Orders {
		v := float64(o.OrdersSpan.Duration.Milliseconds())
		if i := slices.Index(latency.Values, v); i >= 0 {
			latency.Counts[i]++
		} else {
			latency.Values, latency.Counts = append(latency.Values, v), append(latency.Counts, 1)
		}
		sent[ordersLatency(e.shop.Run)] = append(sent[ordersLatency(e.shop.Run)], single(v))
		if o.Outcome == OrderPlaced {
			placed++
		}
	}
	data := []types.MetricDatum{{
		MetricName: aws.String("OrdersPlaced"), Dimensions: dims(orders), Timestamp: &m.At,
		Unit: types.StandardUnitCount, Value: &placed,
	}}
	sent[key(orders, "OrdersPlaced", 60)] = []statistics{single(placed)}
	if len(latency.Values) > 0 {
		data = append(data, latency)
	}
	for i, n := range m.Queue {
		at := m.At.Add(time.Duration(i) * 10 * time.Second)
		data = append(data, types.MetricDatum{
			MetricName: aws.String("CheckoutQueue"), Dimensions: dims(orders), Timestamp: &at,
			Unit: types.StandardUnitCount, Value: aws.Float64(float64(n)), StorageResolution: aws.Int32(1),
		})
		sent[key(orders, "CheckoutQueue", 10)] = append(sent[key(orders, "CheckoutQueue", 10)], single(float64(n)))
	}
	stock := statistics{
		Count: float64(m.StockArticles), Sum: float64(m.StockSum), Min: float64(m.StockMin), Max: float64(m.StockMax),
	}
	data = append(data, types.MetricDatum{
		MetricName: aws.String("StockLevel"), Dimensions: dims(inventory), Timestamp: &m.At, Unit: types.StandardUnitCount,
		StatisticValues: &types.StatisticSet{
			SampleCount: &stock.Count, Sum: &stock.Sum, Minimum: &stock.Min, Maximum: &stock.Max,
		},
	})
	sent[key(inventory, "StockLevel", 60)] = []statistics{stock}

	if _, err := e.metrics.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{
		Namespace: aws.String(namespace), MetricData: data,
	}); err != nil {
		return err
	}
	for k, all := range sent {
		for _, s := range all {
			e.ledger.metric(k, s)
		}
	}
	return nil
}

// percentileBounds is between which values a percentile of the values lies, however it is interpolated.
func percentileBounds(values []float64, p float64) (low, high float64) {
	sorted := slices.SortedFunc(slices.Values(values), cmp.Compare[float64])
	rank := p / 100 * float64(len(sorted))
	return sorted[max(0, min(len(sorted)-1, int(rank)-2))], sorted[min(len(sorted)-1, int(rank)+1)]
}
