// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/metricmath"
	"github.com/nephoscope/nephoscope/pkg/metricsinsights"
)

// manySeries is what CloudWatch says of a query that gives more than one time series.
const manySeries = "Metrics expression that return multi time series are only allowed for MetricsInsights expression with an " +
	"ORDER BY clause"

// insightsQuery is a Metrics Insights query among the queries of an alarm.
type insightsQuery struct {
	id, text string
	query    *metricsinsights.Query
}

// readQueries prepares an alarm with Metrics.
func (r *Rule) readQueries(m *MetricAlarm, location *time.Location) error {
	p, err := planQueries(m)
	if err != nil {
		return err
	}
	r.inputs = p.inputs
	r.schedule = newSchedule(p.period, int64(m.EvaluationPeriods), p.expressions > 0, p.insights != nil, location)
	if p.band != nil {
		b, err := p.newBand(m)
		if err != nil {
			return err
		}
		r.band = b
	}
	watched := p.watched
	switch {
	case watched.Metric != nil:
		r.input = p.places[watched.ID]
		return nil
	case p.insights != nil && p.insights.id == watched.ID && len(p.insights.query.GroupBy) > 0:
		if p.insights.query.Order == nil {
			return validationError("%s", manySeries)
		}
		r.insights = p.insights
		return nil
	}
	r.expression, err = p.compile(watched.ID)
	return err
}

// queryPlan is the queries of an alarm, told apart.
type queryPlan struct {
	inputs      []Input
	places      map[string]int // of inputs, by id
	expressions int
	math        []metricmath.Query
	insights    *insightsQuery
	band        *Query
	// watched is the query whose series is compared.
	watched *Query
	period  int64
}

func planQueries(m *MetricAlarm) (*queryPlan, error) {
	p := &queryPlan{places: make(map[string]int)}
	for i := range m.Metrics {
		q := &m.Metrics[i]
		var err error
		switch {
		case q.Metric != nil:
			err = p.addMetric(q)
		case q.ID == m.ThresholdMetricID && m.ThresholdMetricID != "":
			p.expressions++
			p.band = q
		default:
			p.expressions++
			err = p.addExpression(q)
		}
		if err != nil {
			return nil, err
		}
	}
	for i := range m.Metrics {
		if q := &m.Metrics[i]; p.period == 0 && q.Period != 0 {
			p.period = int64(q.Period)
		}
	}
	if p.period == 0 {
		return nil, validationError("Period must not be null")
	}
	return p, p.watch(m)
}

func (p *queryPlan) addMetric(q *Query) error {
	stat, ok := cloudwatch.ParseStatistic(q.Metric.Stat)
	if !ok {
		return &Error{Code: codeInvalidValue, Message: "The value " + q.Metric.Stat + " for parameter Stat is not supported."}
	}
	metric, err := cloudwatch.NewMetric(q.Metric.Namespace, q.Metric.MetricName, q.Metric.Dimensions)
	if err != nil {
		return validationError("%s", err.Error())
	}
	p.period = int64(q.Metric.Period)
	p.places[q.ID] = len(p.inputs)
	p.inputs = append(p.inputs, Input{
		Metric: metric, Stat: stat, Unit: q.Metric.Unit, Period: int64(q.Metric.Period), Account: q.AccountID,
	})
	return nil
}

// searchCall finds SEARCH in an expression without its strings.
var (
	quotedText = regexp.MustCompile(`'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"`)
	searchCall = regexp.MustCompile(`\bSEARCH\s*\(`)
)

func (p *queryPlan) addExpression(q *Query) error {
	if searchCall.MatchString(quotedText.ReplaceAllString(q.Expression, "")) {
		return validationError("SEARCH is not supported on Metric Alarms.")
	}
	expr, err := metricmath.Parse(q.Expression)
	if errors.Is(err, metricmath.ErrMetricsInsights) {
		return p.addInsights(q)
	}
	if err != nil {
		return expressionError(q.ID, err)
	}
	p.math = append(p.math, metricmath.Query{ID: q.ID, Expr: expr})
	return nil
}

func (p *queryPlan) addInsights(q *Query) error {
	if p.insights != nil {
		return validationError("An alarm can have one MetricsInsights query only: %s and %s are two.", p.insights.id, q.ID)
	}
	query, err := metricsinsights.Parse(q.Expression)
	if err != nil {
		return expressionError(q.ID, err)
	}
	p.insights = &insightsQuery{id: q.ID, text: q.Expression, query: query}
	if q.Period == 0 {
		return validationError("Period must not be null")
	}
	p.period = int64(q.Period)
	return nil
}

func expressionError(id string, err error) error {
	var in *metricmath.QueryError
	if errors.As(err, &in) {
		return validationError("%s", in.Error())
	}
	return validationError("Error in expression '%s': %s", id, err.Error())
}

// watch finds the query whose series is compared: the one that returns data. Beside a band it may be named by the band only.
func (p *queryPlan) watch(m *MetricAlarm) error {
	for i := range m.Metrics {
		q := &m.Metrics[i]
		if q != p.band && returnsData(q) {
			p.watched = q
		}
	}
	if p.watched != nil || p.band == nil {
		if p.watched == nil {
			return validationError("%s", oneReturns)
		}
		return nil
	}
	id, _, ok := parseBand(p.band.Expression)
	if !ok {
		return bandError(p.band.ID)
	}
	for i := range m.Metrics {
		if q := &m.Metrics[i]; q.ID == id && q != p.band {
			p.watched = q
			return nil
		}
	}
	return validationError("Error in expression '%s': ID '%s' not found", p.band.ID, id)
}

func returnsData(q *Query) bool { return q.ReturnData == nil || *q.ReturnData }

var bandCall = regexp.MustCompile(
	`^\s*ANOMALY_DETECTION_BAND\s*\(\s*([a-z][a-zA-Z0-9_]*)\s*(?:,\s*((?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*)?\)\s*$`)

// defaultDeviations is the width of a band that sets none.
const defaultDeviations = 2

// parseBand reads ANOMALY_DETECTION_BAND(id, deviations).
func parseBand(text string) (id string, deviations float64, ok bool) {
	m := bandCall.FindStringSubmatch(text)
	if m == nil {
		return "", 0, false
	}
	deviations = defaultDeviations
	if m[2] != "" {
		var err error
		if deviations, err = strconv.ParseFloat(m[2], 64); err != nil || deviations <= 0 {
			return "", 0, false
		}
	}
	return m[1], deviations, true
}

func bandError(id string) error {
	return validationError("Error in expression '%s': "+
		"it must have the form ANOMALY_DETECTION_BAND(id, number of standard deviations greater than 0)", id)
}

// namesMetrics is whether an expression has the function METRICS.
func namesMetrics(text string) bool {
	return strings.Contains(quotedText.ReplaceAllString(text, "''"), "METRICS(")
}
