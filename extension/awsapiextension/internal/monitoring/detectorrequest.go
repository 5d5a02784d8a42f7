// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/nephoscope/nephoscope/pkg/anomaly"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/metricmath"
)

// maxExcludedRanges bounds the configuration of one detector.
const maxExcludedRanges = 1000

// detectorTarget is how a request names what a detector is of: in one of three ways.
type detectorTarget struct {
	// the deprecated way
	namespace, name, stat *string
	dimensions            []types.Dimension

	single *types.SingleMetricAnomalyDetector
	math   *types.MetricMathAnomalyDetector
}

// read fills in what the detector is of.
func (t *detectorTarget) read(req *awswire.Request, d *detector) error {
	d.Account, d.Region = req.Account, req.Region
	flat := t.namespace != nil || t.name != nil || t.stat != nil || len(t.dimensions) > 0
	var f faults
	switch {
	case t.single != nil && t.math != nil:
		f.addExclusive("SingleMetricAnomalyDetector", "MetricMathAnomalyDetector")
	case flat && t.single != nil:
		f.addExclusive(t.flatName(), "SingleMetricAnomalyDetector")
	case flat && t.math != nil:
		f.addExclusive(t.flatName(), "MetricMathAnomalyDetector")
	case t.math != nil:
		return d.readExpression(t.math)
	case t.single != nil:
		return d.readMetric("SingleMetricAnomalyDetector.", t.single)
	default:
		return d.readMetric("", &types.SingleMetricAnomalyDetector{
			Namespace: t.namespace, MetricName: t.name, Dimensions: t.dimensions, Stat: t.stat,
		})
	}
	return f.err()
}

func (t *detectorTarget) flatName() string {
	switch {
	case t.namespace != nil:
		return "Namespace"
	case t.name != nil:
		return "MetricName"
	case t.stat != nil:
		return "Stat"
	}
	return "Dimensions"
}

func (d *detector) readMetric(path string, in *types.SingleMetricAnomalyDetector) error {
	var f faults
	f.addWanted(path+"Namespace", deref(in.Namespace), maxNameLength)
	f.addWanted(path+"MetricName", deref(in.MetricName), maxNameLength)
	d.Stat = deref(in.Stat)
	if d.Stat == "" {
		f.addMissing(path + "Stat")
	} else if _, ok := cloudwatch.ParseStatistic(d.Stat); !ok {
		f.addValue("The value %s for parameter %sStat is not a valid statistic.", d.Stat, path)
	}
	if account := deref(in.AccountId); account != "" && account != d.Account {
		f.addValue("The value %s for parameter %sAccountId is invalid: no account is linked to %s.", account, path, d.Account)
	}
	m := readMetric(&f, path, in.Namespace, in.MetricName, in.Dimensions)
	d.Metric, d.Of = &m, detectorOfMetric(&m, d.Stat)
	return f.err()
}

// readExpression checks that a model can be of the one query that returns data.
func (d *detector) readExpression(in *types.MetricMathAnomalyDetector) error {
	x, err := readDetectorExpression(d.Account, in.MetricDataQueries)
	if err != nil {
		return err
	}
	d.Expression, d.Of = &expressionQueries{Queries: in.MetricDataQueries}, detectorOfExpression(x)
	return nil
}

func readDetectorExpression(account string, list []types.MetricDataQuery) (*anomaly.Expression, error) {
	const path = "MetricMathAnomalyDetector.MetricDataQueries"
	switch {
	case len(list) == 0:
		return nil, validationError("The parameter %s is required.\n", path)
	case len(list) > maxDataQueries:
		return nil, validationError("The collection %s must not have a size greater than %d.", path, maxDataQueries)
	}
	x := &anomaly.Expression{}
	var metrics []string
	ids := make(map[string]bool, len(list))
	for i := range list {
		var q dataQuery
		if err := q.read(fmt.Sprintf("%s.member.%d", path, i+1), &list[i]); err != nil {
			return nil, err
		}
		if ids[q.id] {
			return nil, validationError("The values for parameter id in MetricDataQueries are not unique.")
		}
		ids[q.id] = true
		if other := deref(list[i].AccountId); other != "" && other != account {
			return nil, validationError("The value %s for parameter %s.member.%d.AccountId is invalid: no account is linked to %s.",
				other, path, i+1, account)
		}
		switch {
		case q.insights != nil:
			return nil, expressionError(q.id, "a model cannot be of a Metrics Insights query")
		case q.expression != nil:
			x.Queries = append(x.Queries, metricmath.Query{ID: q.id, Expr: q.expression, Period: q.period, Hidden: true})
		default:
			metrics = append(metrics, q.id)
			x.Metrics = append(x.Metrics, anomaly.NamedMetric{ID: q.id, Metric: anomaly.Metric{
				Metric: q.metric, Stat: q.stat.String(), Unit: q.unit, Period: q.period,
			}})
		}
		if q.returnData {
			if x.ID != "" {
				return nil, validationError("Exactly one of %s must have ReturnData true, not %s and %s.", path, x.ID, q.id)
			}
			x.ID = q.id
		}
	}
	isExpression := func(q metricmath.Query) bool { return q.ID == x.ID }
	if !slices.ContainsFunc(x.Queries, isExpression) {
		return nil, validationError("Exactly one of %s must have ReturnData true, and be an expression.", path)
	}
	return x, checkDetectorExpression(x, metrics)
}

// checkDetectorExpression asks metric math whether there can be a band of the expression.
func checkDetectorExpression(x *anomaly.Expression, metrics []string) error {
	band, err := metricmath.Parse("ANOMALY_DETECTION_BAND(" + x.ID + ")")
	if err != nil {
		return expressionError(x.ID, err.Error())
	}
	program, err := metricmath.Compile(metrics, append(slices.Clone(x.Queries), metricmath.Query{ID: "(band)", Expr: band}))
	if err != nil {
		return validationError("%s", strings.ReplaceAll(err.Error(), "'(band)'", "'"+x.ID+"'"))
	}
	period := int64(0)
	for _, call := range program.Bands() {
		for _, id := range call.Metrics {
			i := slices.IndexFunc(x.Metrics, func(m anomaly.NamedMetric) bool { return m.ID == id })
			switch p := x.Metrics[i].Period; {
			case p < int64(anomaly.MinPeriod.Seconds()) || p > int64(anomaly.MaxPeriod.Seconds()):
				return validationError("Anomaly detection is for periods of 60 to 3600 seconds, not %d.", p)
			case period != 0 && p != period:
				return validationError("Anomaly detection is for metrics of one period, not of %d and %d seconds.", period, p)
			default:
				period = p
			}
		}
	}
	return nil
}

// readConfiguration fills in how the detector is to be trained. What the model here does not have is refused.
func (d *detector) readConfiguration(in *types.AnomalyDetectorConfiguration, characteristics *types.MetricCharacteristics) error {
	if characteristics != nil {
		d.PeriodicSpikes = characteristics.PeriodicSpikes
	}
	if in == nil {
		return nil
	}
	var f faults
	if len(in.ExcludedTimeRanges) > maxExcludedRanges {
		return invalidValue("The collection Configuration.ExcludedTimeRanges must not have a size greater than %d.", maxExcludedRanges)
	}
	for i, r := range in.ExcludedTimeRanges {
		path := fmt.Sprintf("Configuration.ExcludedTimeRanges.member.%d.", i+1)
		switch {
		case r.StartTime == nil:
			f.addMissing(path + "StartTime")
		case r.EndTime == nil:
			f.addMissing(path + "EndTime")
		case !r.StartTime.Before(*r.EndTime):
			f.addValue("The parameter %[1]sStartTime must be less than the parameter %[1]sEndTime.", path)
		default:
			d.Excluded = append(d.Excluded, anomaly.Range{Start: r.StartTime.Unix(), End: r.EndTime.Unix()})
		}
	}
	if in.MetricTimezone != nil {
		if _, err := anomaly.LoadLocation(*in.MetricTimezone); err != nil {
			f.addValue("The parameter Configuration.MetricTimezone is invalid: %s.", err)
		}
		d.Timezone = in.MetricTimezone
	}
	d.Adaptation, d.Filtering = string(in.AdaptationSpeed), string(in.OutlierFilteringStrength)
	checkOnly := func(name, value, only string) {
		if value != "" && value != only {
			f.addValue("The value %s for parameter Configuration.%s is not supported: the model here is %s.", value, name, only)
		}
	}
	checkOnly("AdaptationSpeed", d.Adaptation, string(types.AnomalyDetectorAdaptationSpeedNormal))
	checkOnly("OutlierFilteringStrength", d.Filtering, string(types.AnomalyDetectorOutlierFilteringStrengthModerate))
	return f.err()
}
