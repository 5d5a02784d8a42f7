// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"context"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// twoHosts has 30 (of a) or 60 (of b) a minute of cpu, at all times.
type twoHosts struct{}

func (twoHosts) ListMetrics(_ context.Context, f cloudwatch.MetricFilter, after *cloudwatch.Metric, _ int) ([]cloudwatch.Metric, error) {
	if after != nil {
		return nil, nil
	}
	var list []cloudwatch.Metric
	for _, host := range []string{"a", "b"} {
		list = append(list, cloudwatch.Metric{
			Namespace: f.Namespace, Name: f.Name, Dimensions: []cloudwatch.Dimension{{Name: "host", Value: host}},
		})
	}
	return list, nil
}

func (twoHosts) QueryMetrics(_ context.Context, queries []cloudwatch.MetricQuery) ([][]cloudwatch.Bucket, error) {
	out := make([][]cloudwatch.Bucket, len(queries))
	for i := range queries {
		q := &queries[i]
		perMinute := 30.0
		if q.Metric.Dimensions[0].Value == "b" {
			perMinute = 60
		}
		for start := q.Start; start < q.End; start += q.Period {
			n := float64(q.Period / minute)
			out[i] = append(out[i], cloudwatch.Bucket{Start: start, Unit: "None", StatisticSet: cloudwatch.StatisticSet{
				SampleCount: n, Sum: n * perMinute, Minimum: perMinute, Maximum: perMinute,
			}})
		}
	}
	return out, nil
}
