// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/metricmath"
	"github.com/nephoscope/nephoscope/pkg/metricsinsights"
)

// Limits of GetMetricData.
const (
	maxDataQueries = 500
	maxDatapoints  = 100_800
)

// dataQuery is one query of GetMetricData: a MetricStat or an expression.
type dataQuery struct {
	id string
	// label is the one that was given, or the default one. template, when not nil, makes the label of the default one.
	label      string
	template   *labelTemplate
	hasLabel   bool
	returnData bool
	period     int64 // 0 when an expression has none

	// expression or insights is set, unless the query is a MetricStat, which has what follows.
	expression *metricmath.Expr
	insights   *metricsinsights.Query

	metric    cloudwatch.Metric
	stat      cloudwatch.Statistic
	unit      string
	forbidden bool // it asks for an account that is not this one

	// start and end are the window in Unix seconds, slots the number of its buckets.
	start, end, slots int64
}

// storeQuery is what the store is asked for.
func (q *dataQuery) storeQuery(t store.Tenant) store.MetricQuery {
	return store.MetricQuery{
		Tenant: t, Metric: q.metric, Unit: q.unit, Start: q.start, End: q.end, Period: q.period,
		Distribution: !q.stat.Basic(),
	}
}

// of is what a dynamic label may say of the query's metric.
func (q *dataQuery) of() *seriesOf {
	return &seriesOf{metric: q.metric, stat: q.stat.String(), period: q.period}
}

func (q *dataQuery) isMetric() bool { return q.expression == nil && q.insights == nil }

// place sets the window of the query. Buckets begin at the aligned start and before the aligned end.
func (q *dataQuery) place(start, end, now int64) {
	from, to, ok := cloudwatch.AlignRange(start, end, q.period, now)
	if !ok || q.forbidden {
		return
	}
	q.slots = (to - from + q.period - 1) / q.period
	q.start, q.end = from, min(from+q.slots*q.period, end)
}

var (
	idPattern       = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]*$`)
	timezonePattern = regexp.MustCompile(`^[+-](0\d|1[0-4])[0-5]\d$`)
)

// readDataQueries checks the request and returns its queries, with their windows and labels: first those for metrics,
// then the expressions, each in their order.
func readDataQueries(in *cw.GetMetricDataInput, account string, now time.Time) ([]dataQuery, error) {
	if err := checkGetMetricData(in); err != nil {
		return nil, err
	}
	start, end := in.StartTime.Unix(), in.EndTime.Unix()
	ids := make(map[string]bool, len(in.MetricDataQueries))
	queries := make([]dataQuery, len(in.MetricDataQueries))
	for i := range in.MetricDataQueries {
		q := &queries[i]
		if err := q.read(fmt.Sprintf("MetricDataQueries.member.%d", i+1), &in.MetricDataQueries[i]); err != nil {
			return nil, err
		}
		if ids[q.id] {
			return nil, validationError("The values for parameter id in MetricDataQueries are not unique.")
		}
		ids[q.id] = true
		if other := deref(in.MetricDataQueries[i].AccountId); other != "" && other != account {
			if !q.isMetric() {
				return nil, validationError("The parameter MetricDataQueries.member.%d.AccountId is for MetricStat: "+
					"expressions are of this account.", i+1)
			}
			q.forbidden = true
		}
		if q.isMetric() {
			q.place(start, end, now.Unix())
		}
	}
	slices.SortStableFunc(queries, func(a, b dataQuery) int { return cmp.Compare(a.order(), b.order()) })
	labels(metricStats(queries))
	return queries, checkInsights(queries)
}

func (q *dataQuery) order() int {
	if q.isMetric() {
		return 0
	}
	return 1
}

// metricStats are the queries for metrics, which come before the expressions.
func metricStats(queries []dataQuery) []dataQuery {
	n := slices.IndexFunc(queries, func(q dataQuery) bool { return !q.isMetric() })
	if n < 0 {
		return queries
	}
	return queries[:n]
}

func checkGetMetricData(in *cw.GetMetricDataInput) error {
	switch {
	case in.StartTime == nil:
		return validationError("The parameter StartTime is required.\n")
	case in.EndTime == nil:
		return validationError("The parameter EndTime is required.\n")
	case in.StartTime.Unix() == in.EndTime.Unix():
		return validationError("The parameter StartTime must not equal parameter EndTime.")
	case in.StartTime.After(*in.EndTime):
		return validationError("The parameter EndTime must be greater than StartTime.")
	case len(in.MetricDataQueries) == 0:
		return validationError("The parameter MetricDataQueries is required.\n")
	case len(in.MetricDataQueries) > maxDataQueries:
		return validationError("The collection MetricDataQueries must not have a size greater than %d.", maxDataQueries)
	case in.MaxDatapoints != nil && (*in.MaxDatapoints < 1 || *in.MaxDatapoints > maxDatapoints):
		return validationError("The parameter MaxDatapoints must be a value between 1 and %d.", maxDatapoints)
	}
	switch in.ScanBy {
	case "", types.ScanByTimestampDescending, types.ScanByTimestampAscending:
	default:
		return validationError("1 validation error detected: Value '%s' at 'scanBy' failed to satisfy constraint: "+
			"Member must satisfy enum value set: [TimestampDescending, TimestampAscending]", in.ScanBy)
	}
	if in.LabelOptions != nil {
		if tz := deref(in.LabelOptions.Timezone); tz != "" && !timezonePattern.MatchString(tz) {
			return validationError("The parameter LabelOptions.Timezone must have the form +HHMM or -HHMM, not %q.", tz)
		}
	}
	return nil
}

func (q *dataQuery) read(path string, in *types.MetricDataQuery) error {
	q.id = deref(in.Id)
	q.returnData = in.ReturnData == nil || *in.ReturnData
	switch {
	case !idPattern.MatchString(q.id) || len(q.id) > maxNameLength:
		return validationError("The value for parameter %s.Id is not matching the expected pattern %s.", path, idPattern)
	case in.Expression != nil && in.MetricStat != nil:
		return validationError(
			"The parameters %[1]s.Expression and %[1]s.MetricStat are mutually exclusive and you have specified both.", path)
	case in.Expression != nil:
		return q.readExpression(path, in)
	case in.MetricStat == nil:
		return validationError("The parameter %s.MetricStat is required.\n", path)
	case in.Period != nil:
		return validationError("The parameter %[1]s.Period is for expressions: set %[1]s.MetricStat.Period.", path)
	}
	if err := q.readLabel(path, in.Label); err != nil {
		return err
	}
	return q.readMetricStat(path+".MetricStat", in.MetricStat)
}

func (q *dataQuery) readLabel(path string, label *string) error {
	if label == nil {
		return nil
	}
	q.label, q.hasLabel = *label, true
	var err error
	if q.template, err = parseLabel(q.label); err != nil {
		return validationError("The value for parameter %s.Label is invalid: %s", path, err)
	}
	if q.template != nil {
		q.label = "" // the default one, when that is known
	}
	return nil
}

func (q *dataQuery) readMetricStat(path string, in *types.MetricStat) error {
	if in.Metric == nil {
		return validationError("The parameter %s.Metric is required.\n", path)
	}
	var f faults
	if namespace, name := deref(in.Metric.Namespace), deref(in.Metric.MetricName); !wanted(namespace, maxNameLength) || !wanted(name, maxNameLength) {
		f.addWanted(path+".Metric.Namespace", namespace, maxNameLength)
		f.addWanted(path+".Metric.MetricName", name, maxNameLength)
	}
	q.metric = readMetric(&f, path+".Metric.", in.Metric.Namespace, in.Metric.MetricName, in.Metric.Dimensions)
	if lines := slices.Concat(f.missing, f.value); len(lines) > 0 {
		return validationError("%s\n", strings.Join(lines[:min(len(lines), maxFaultLines)], "\n"))
	}
	var ok bool
	if q.stat, ok = cloudwatch.ParseStatistic(deref(in.Stat)); !ok {
		return validationError("The value for parameter %s.Stat is not a valid statistic.", path)
	}
	q.period = int64(deref(in.Period))
	if !cloudwatch.ValidPeriod(q.period) {
		return validationError(
			"The parameter %s.Period must be a value in the set [1, 5, 10, 20, 30] or a multiple of 60.", path)
	}
	q.unit = string(in.Unit)
	if q.unit != "" && !cloudwatch.ValidUnit(q.unit) {
		return validationError("The parameter %s.Unit must be a value in the set %s.", path, unitSet)
	}
	return nil
}
