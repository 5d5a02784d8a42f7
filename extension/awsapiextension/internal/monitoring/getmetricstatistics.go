// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"context"
	"fmt"
	"strconv"
	"time"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Limits of GetMetricStatistics.
const (
	maxDatapointsOfStatistics = 1440
	maxStatistics             = 5
	maxExtendedStatistics     = 10
)

func (s *service) getMetricStatistics(
	ctx context.Context, in *cw.GetMetricStatisticsInput,
) (*cw.GetMetricStatisticsOutput, error) {
	reads, err := s.reads()
	if err != nil {
		return nil, err
	}
	q, stats, err := s.statisticsQuery(in)
	if err != nil {
		return nil, err
	}
	out := &cw.GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: []types.Datapoint{}}
	if q.Start >= q.End { // data of that age are not kept in this period
		return out, nil
	}
	q.Tenant = tenant(awswire.RequestFrom(ctx))
	buckets, err := reads.QueryMetrics(ctx, []store.MetricQuery{q})
	if err != nil {
		return nil, fmt.Errorf("query metric: %w", err)
	}
	for i := range buckets[0] {
		if p, ok := datapoint(&buckets[0][i], stats); ok {
			out.Datapoints = append(out.Datapoints, p)
		}
	}
	return out, nil
}

// statisticsQuery checks the request. A query whose window is empty is to be answered without data.
func (s *service) statisticsQuery(in *cw.GetMetricStatisticsInput) (store.MetricQuery, []cloudwatch.Statistic, error) {
	q := store.MetricQuery{Unit: string(in.Unit), Period: int64(deref(in.Period))}
	var f faults
	f.addWanted("Namespace", deref(in.Namespace), maxNameLength)
	f.addWanted("MetricName", deref(in.MetricName), maxNameLength)
	for _, m := range []struct {
		name    string
		missing bool
	}{{"StartTime", in.StartTime == nil}, {"EndTime", in.EndTime == nil}, {"Period", in.Period == nil}} {
		if m.missing {
			f.addMissing(m.name)
		}
	}
	q.Metric = readMetric(&f, "", in.Namespace, in.MetricName, in.Dimensions)
	if in.Unit != "" && !cloudwatch.ValidUnit(q.Unit) {
		f.addValue("The parameter Unit must be a value in the set %s.", unitSet)
	}
	if in.Period != nil && !cloudwatch.ValidPeriod(q.Period) {
		f.addValue("The parameter Period must be a value in the set [1, 5, 10, 20, 30] or a multiple of 60.")
	}
	stats := readStatistics(&f, in)
	for i := range stats {
		q.Distribution = q.Distribution || !stats[i].Basic()
	}
	if err := f.err(); err != nil {
		return q, nil, err
	}

	start, end := in.StartTime.Unix(), in.EndTime.Unix()
	if start >= end {
		return q, nil, invalidValue("The parameter StartTime must be less than the parameter EndTime.")
	}
	aligned, kept := cloudwatch.AlignStart(start, q.Period, s.now().Unix())
	if n := (end - aligned + q.Period - 1) / q.Period; n > maxDatapointsOfStatistics {
		return q, nil, &awswire.Error{Code: codeInvalidCombination, Message: fmt.Sprintf(
			"You have requested up to %d datapoints, which exceeds the limit of %d. "+
				"You may reduce the datapoints requested by increasing Period, or decreasing the time range.",
			n, maxDatapointsOfStatistics)}
	}
	if kept {
		q.Start, q.End = aligned, end
	}
	return q, stats, nil
}

// readMetric reads the identity of a metric that is asked for; path ends with a dot or is empty.
func readMetric(f *faults, path string, namespace, name *string, dims []types.Dimension) cloudwatch.Metric {
	m := cloudwatch.Metric{Namespace: deref(namespace), Name: deref(name)}
	if len(dims) == 0 {
		return m
	}
	m.Dimensions = make([]cloudwatch.Dimension, 0, min(len(dims), maxDimensions))
	if len(dims) > maxDimensions {
		f.addValue("The collection %sDimensions must not have a size greater than %d.", path, maxDimensions)
		return m
	}
	for i := range dims {
		d := cloudwatch.Dimension{Name: deref(dims[i].Name), Value: deref(dims[i].Value)}
		if !wanted(d.Name, maxNameLength) || !wanted(d.Value, maxDimensionValue) {
			p := path + "Dimensions.member." + strconv.Itoa(i+1)
			f.addWanted(p+".Name", d.Name, maxNameLength)
			f.addWanted(p+".Value", d.Value, maxDimensionValue)
		}
		m.Dimensions = append(m.Dimensions, d)
	}
	cloudwatch.SortDimensions(m.Dimensions)
	if cloudwatch.HasDuplicateDimension(m.Dimensions) {
		f.addValue("No metric may specify the same dimension name twice.")
	}
	return m
}

func readStatistics(f *faults, in *cw.GetMetricStatisticsInput) []cloudwatch.Statistic {
	switch {
	case len(in.Statistics) == 0 && len(in.ExtendedStatistics) == 0:
		f.addCombination("Must specify either Statistics or ExtendedStatistics")
	case len(in.Statistics) > maxStatistics:
		f.addValue("The collection Statistics must not have a size greater than %d.", maxStatistics)
		return nil
	case len(in.ExtendedStatistics) > maxExtendedStatistics:
		f.addValue("The collection ExtendedStatistics must not have a size greater than %d.", maxExtendedStatistics)
		return nil
	}
	var stats []cloudwatch.Statistic
	for i, name := range in.Statistics {
		s, ok := cloudwatch.ParseStatistic(string(name))
		if !ok || !s.Basic() {
			f.addValue("The parameter Statistics.member.%d must be a value in the set "+
				"[ SampleCount, Average, Sum, Minimum, Maximum ].", i+1)
		}
		stats = append(stats, s)
	}
	for i, name := range in.ExtendedStatistics {
		s, ok := cloudwatch.ParseStatistic(name)
		if !ok || s.Basic() {
			f.addValue("The value %s for parameter ExtendedStatistics.member.%d is invalid.", name, i+1)
		}
		stats = append(stats, s)
	}
	return stats
}

// datapoint returns the wanted statistics of a bucket; ok is false when it has none of them.
func datapoint(b *store.Bucket, stats []cloudwatch.Statistic) (p types.Datapoint, ok bool) {
	at := time.Unix(b.Start, 0).UTC()
	p = types.Datapoint{Timestamp: &at, Unit: types.StandardUnit(b.Unit)}
	for i := range stats {
		v, has := stats[i].Of(&b.StatisticSet, b.Distribution)
		if !has {
			continue
		}
		ok = true
		switch stats[i].String() {
		case "SampleCount":
			p.SampleCount = &v
		case "Sum":
			p.Sum = &v
		case "Average":
			p.Average = &v
		case "Minimum":
			p.Minimum = &v
		case "Maximum":
			p.Maximum = &v
		default:
			if p.ExtendedStatistics == nil {
				p.ExtendedStatistics = make(map[string]float64, len(stats))
			}
			p.ExtendedStatistics[stats[i].String()] = v
		}
	}
	return p, ok
}
