// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package anomaly

import (
	"context"
	"fmt"
	"time"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// bucketsAtOnce bounds what is read at once of statistics that need distributions.
const bucketsAtOnce = 2_000

// historyWindow is the two weeks before a time, in whole periods.
func historyWindow(at, period int64) (start, end int64) {
	end = at - at%period
	return end - int64(History/time.Second)/period*period, end
}

// history reads what a model of a metric learns from. unit is the metric's when it has one only.
func (m *Models) history(
	ctx context.Context, tenant cloudwatch.Tenant, metric *Metric, at int64,
) (points []Point, unit string, err error) {
	stat, ok := cloudwatch.ParseStatistic(metric.Stat)
	if !ok {
		return nil, "", fmt.Errorf("%q is not a statistic", metric.Stat)
	}
	if metric.Period < int64(MinPeriod/time.Second) {
		return nil, "", fmt.Errorf("there are no models of periods of %d seconds", metric.Period)
	}
	start, end := historyWindow(at, metric.Period)
	step := end - start
	if !stat.Basic() {
		step = min(step, bucketsAtOnce*metric.Period)
	}
	mixed := false
	for from := start; from < end; from += step {
		answers, err := m.set.Reader.QueryMetrics(ctx, []cloudwatch.MetricQuery{{
			Tenant: tenant, Metric: metric.Metric, Unit: metric.Unit, Start: from, End: min(from+step, end), Period: metric.Period,
			Distribution: !stat.Basic(),
		}})
		if err != nil {
			return nil, "", err
		}
		for i := range answers[0] {
			b := &answers[0][i]
			mixed = mixed || unit != "" && unit != b.Unit
			unit = b.Unit
			// Of several units the first one counts, as it does for who reads the metric.
			if n := len(points); n > 0 && points[n-1].At == b.Start {
				continue
			}
			if v, ok := stat.Of(&b.StatisticSet, b.Distribution); ok {
				points = append(points, Point{At: b.Start, Value: v})
			}
		}
	}
	if mixed {
		unit = ""
	}
	return points, unit, nil
}
