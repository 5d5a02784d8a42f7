// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// API reads data through the AWS API of a collector, or of CloudWatch itself. It has no distributions: percentiles are
// asked for in each place in which a period may lie.
type API struct {
	Client MetricDataClient
}

// MetricDataClient is the operation of the SDK's client that is used.
type MetricDataClient interface {
	GetMetricData(context.Context, *awscloudwatch.GetMetricDataInput, ...func(*awscloudwatch.Options)) (*awscloudwatch.GetMetricDataOutput, error)
}

var _ directSource = (*API)(nil)

// Bounds of a request: datapoints as CloudWatch has it, and pages.
const (
	maxRequestPoints = 100_000
	maxPages         = 1_000
)

// basic are the statistics of a statistic set.
var basic = []string{"SampleCount", "Sum", "Minimum", "Maximum"}

// QueryMetrics implements [cloudwatch.MetricReader]. Buckets have no distribution. Of a metric with several units, and a
// query without one, they are of whatever CloudWatch makes of it.
func (a *API) QueryMetrics(ctx context.Context, queries []cloudwatch.MetricQuery) ([][]cloudwatch.Bucket, error) {
	out := make([][]cloudwatch.Bucket, len(queries))
	for i := range queries {
		q := &queries[i]
		sets := map[int64]*cloudwatch.StatisticSet{}
		for _, stat := range basic {
			err := a.values(ctx, q, stat, func(at int64, v float64) {
				if sets[at] == nil {
					sets[at] = &cloudwatch.StatisticSet{}
				}
				switch stat {
				case "SampleCount":
					sets[at].SampleCount = v
				case "Sum":
					sets[at].Sum = v
				case "Minimum":
					sets[at].Minimum = v
				case "Maximum":
					sets[at].Maximum = v
				}
			})
			if err != nil {
				return nil, err
			}
		}
		starts := make([]int64, 0, len(sets))
		for at := range sets {
			starts = append(starts, at)
		}
		slices.Sort(starts)
		for _, at := range starts {
			out[i] = append(out[i], cloudwatch.Bucket{Start: at, Unit: q.Unit, StatisticSet: *sets[at]})
		}
	}
	return out, nil
}

// values yields the values of a statistic, in no order.
func (a *API) values(ctx context.Context, q *cloudwatch.MetricQuery, stat string, yield func(at int64, v float64)) error {
	dims := make([]types.Dimension, len(q.Metric.Dimensions))
	for i, d := range q.Metric.Dimensions {
		dims[i] = types.Dimension{Name: aws.String(d.Name), Value: aws.String(d.Value)}
	}
	query := types.MetricDataQuery{Id: aws.String("m"), MetricStat: &types.MetricStat{
		Metric: &types.Metric{Namespace: aws.String(q.Metric.Namespace), MetricName: aws.String(q.Metric.Name), Dimensions: dims},
		Period: aws.Int32(int32(q.Period)), Stat: aws.String(stat), Unit: types.StandardUnit(q.Unit),
	}}
	// A part at a time: as much as one request may answer.
	span := int64(maxRequestPoints) * q.Period
	for start := q.Start; start < q.End; start += span {
		in := &awscloudwatch.GetMetricDataInput{
			MetricDataQueries: []types.MetricDataQuery{query},
			StartTime:         aws.Time(time.Unix(start, 0)), EndTime: aws.Time(time.Unix(min(start+span, q.End), 0)),
		}
		for page := 0; ; page++ {
			if page == maxPages {
				return fmt.Errorf("GetMetricData: more than %d pages", maxPages)
			}
			answer, err := a.Client.GetMetricData(ctx, in)
			if err != nil {
				return err
			}
			for _, r := range answer.MetricDataResults {
				if r.StatusCode == types.StatusCodeForbidden || r.StatusCode == types.StatusCodeInternalError {
					return fmt.Errorf("GetMetricData: %s", r.StatusCode)
				}
				for i, at := range r.Timestamps {
					yield(at.Unix(), r.Values[i])
				}
			}
			if in.NextToken = answer.NextToken; in.NextToken == nil {
				break
			}
		}
	}
	return nil
}

// ListMetrics implements [cloudwatch.MetricReader].
func (a *API) ListMetrics(context.Context, cloudwatch.MetricFilter, *cloudwatch.Metric, int) ([]cloudwatch.Metric, error) {
	return nil, errors.New("Metrics Insights queries over the past need the data itself: use --store or --data") //nolint:staticcheck // a name
}

// phases implements directSource: a request for each place in which a period may lie.
func (a *API) phases(ctx context.Context, t cloudwatch.Tenant, in *alarm.Input, start, end, step int64) (*phases, error) {
	p := newPhases(in.Period, step)
	for k := range p.points {
		from := floor(start, in.Period) + int64(k)*step
		q := cloudwatch.MetricQuery{
			Tenant: t, Metric: in.Metric, Unit: in.Unit, Period: in.Period, Start: from, End: from + (end-from+in.Period-1)/in.Period*in.Period,
		}
		counts := map[int64]float64{}
		if err := a.values(ctx, &q, "SampleCount", func(at int64, v float64) { counts[at] = v }); err != nil {
			return nil, err
		}
		err := a.values(ctx, &q, in.Stat.String(), func(at int64, v float64) {
			p.points[k] = append(p.points[k], alarm.Point{Start: at, Value: v, SampleCount: counts[at]})
		})
		if err != nil {
			return nil, err
		}
		slices.SortFunc(p.points[k], func(a, b alarm.Point) int {
			if a.Start < b.Start {
				return -1
			}
			return 1
		})
		for _, point := range p.points[k] {
			if mod(point.Start-from, in.Period) != 0 {
				return nil, fmt.Errorf("the API answers for periods of %s seconds that begin at other times than were asked for: "+
					"data of that age is kept in longer periods", strconv.FormatInt(in.Period, 10))
			}
		}
	}
	return p, nil
}
