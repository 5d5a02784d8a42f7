// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"cmp"
	"context"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Points are the points of inputs from start to end, in buckets of their period that begin at start. Of an input without a
// unit whose metric has several, they are of the first unit by name.
func Points(ctx context.Context, reader cloudwatch.MetricReader, t cloudwatch.Tenant, inputs []alarm.Input, start, end int64) ([][]alarm.Point, error) {
	queries := make([]cloudwatch.MetricQuery, len(inputs))
	for i := range inputs {
		queries[i] = Query(&inputs[i], t, start, end)
	}
	answers, err := reader.QueryMetrics(ctx, queries)
	if err != nil {
		return nil, err
	}
	out := make([][]alarm.Point, len(inputs))
	for i, buckets := range answers {
		unit := inputs[i].Unit
		for j := range buckets {
			if unit == "" || buckets[j].Unit < unit && inputs[i].Unit == "" {
				unit = buckets[j].Unit
			}
		}
		for j := range buckets {
			if buckets[j].Unit != unit {
				continue
			}
			if v, ok := inputs[i].Stat.Of(&buckets[j].StatisticSet, buckets[j].Distribution); ok {
				out[i] = append(out[i], alarm.Point{Start: buckets[j].Start, Value: v, SampleCount: buckets[j].SampleCount})
			}
		}
	}
	return out, nil
}

// Query asks for the data of an input of an alarm of the tenant.
func Query(in *alarm.Input, t cloudwatch.Tenant, start, end int64) cloudwatch.MetricQuery {
	t.Account = cmp.Or(in.Account, t.Account)
	return cloudwatch.MetricQuery{
		Tenant: t, Metric: in.Metric, Unit: in.Unit, Start: start, End: end, Period: in.Period, Distribution: !in.Stat.Basic(),
	}
}
