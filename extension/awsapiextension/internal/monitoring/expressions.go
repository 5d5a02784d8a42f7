// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"context"
	"errors"
	"slices"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/nephoscope/nephoscope/pkg/anomaly"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/metricmath"
	"github.com/nephoscope/nephoscope/pkg/metricsinsights"
)

// maxMathPoints bounds what the expressions of a request make, and with it its memory.
const maxMathPoints = 5_000_000

func (q *dataQuery) readExpression(path string, in *types.MetricDataQuery) error {
	var err error
	if metricmath.IsMetricsInsights(*in.Expression) {
		q.insights, err = metricsinsights.Parse(*in.Expression)
	} else {
		q.expression, err = metricmath.Parse(*in.Expression)
	}
	switch {
	case err != nil:
		return expressionError(q.id, err.Error())
	case q.insights != nil && in.Period == nil:
		return expressionError(q.id, "Period is a required field when using query within an expression")
	}
	if in.Period != nil {
		q.period = int64(*in.Period)
		if !cloudwatch.ValidPeriod(q.period) {
			return validationError("The parameter %s.Period must be a value in the set [1, 5, 10, 20, 30] or a multiple of 60.", path)
		}
	}
	return q.readLabel(path, in.Label)
}

func expressionError(id, detail string) error {
	return validationError("Error in expression '%s': %s", id, detail)
}

// mathRequest is a request with expressions. It is answered in one page: what its metrics have beyond the budget is
// left out, and what is made of them is called partial.
type mathRequest struct {
	reader             *dataReader
	models             *anomaly.Models
	account            string
	start, end, now    int64
	stats, expressions []dataQuery
	budget             int64
}

func (m *mathRequest) evaluate(ctx context.Context) (*cw.GetMetricDataOutput, error) {
	queries := m.queries()
	program, err := m.compile(queries)
	if err != nil {
		return nil, err
	}
	searches, err := m.search(ctx, program.Searches())
	if err != nil {
		return nil, err
	}
	given, messages, err := m.insights(ctx, program)
	if err != nil {
		return nil, err
	}
	read, err := m.read(ctx, program, searches)
	if err != nil {
		return nil, err
	}
	results, err := program.Evaluate(ctx, &metricmath.Env{
		Window: metricmath.Window{Start: m.start, End: m.end, Slots: m.slots}, Period: m.period(),
		Metrics: read.metrics, Given: given, Searcher: searches, Bander: m.bander(queries),
		Limits: metricmath.Limits{Points: maxMathPoints},
	})
	if err != nil {
		var bad *metricmath.QueryError
		if errors.As(err, &bad) {
			return nil, validationError("%s", bad.Error())
		}
		return nil, err
	}
	out := &cw.GetMetricDataOutput{Messages: messages, MetricDataResults: read.visible}
	if searches.exceeded {
		out.Messages = append(out.Messages, message("MaxMetricsExceeded", maxMetricsExceeded))
	}
	for i := range results {
		status, messages := read.statusOf(program, results[i].ID)
		q := m.expression(results[i].ID)
		for j := range results[i].Series {
			out.MetricDataResults = append(out.MetricDataResults, m.answer(q, &results[i].Series[j], status, messages))
		}
	}
	return out, nil
}

func (m *mathRequest) expression(id string) *dataQuery {
	i := slices.IndexFunc(m.expressions, func(q dataQuery) bool { return q.id == id })
	return &m.expressions[i]
}

// answer is a series that an expression came to.
func (m *mathRequest) answer(
	q *dataQuery, s *metricmath.Series, status types.StatusCode, messages []types.MessageData,
) types.MetricDataResult {
	result := metricResult{times: s.Timestamps, values: s.Values, status: status, messages: messages}
	if status == types.StatusCodeForbidden {
		result.times, result.values = nil, nil
	}
	label := s.Label
	if q.template != nil {
		of, _ := s.Of.(*seriesOf)
		label = q.template.render(m.reader.labelInput(label, of, result.times, result.values))
	}
	return m.reader.points(&q.id, &label, &result, true)
}

// queries are the expressions as metric math takes them. A label with dynamic values is written when the points are known.
func (m *mathRequest) queries() []metricmath.Query {
	queries := make([]metricmath.Query, len(m.expressions))
	for i := range m.expressions {
		q := &m.expressions[i]
		queries[i] = metricmath.Query{ID: q.id, Expr: q.expression, Period: q.period, Label: q.label, Hidden: !q.returnData}
		if q.insights != nil {
			queries[i].Given = metricmath.GivenSeries
			if len(q.insights.GroupBy) > 0 {
				queries[i].Given = metricmath.GivenArray
			}
		}
	}
	return queries
}

func (m *mathRequest) compile(queries []metricmath.Query) (*metricmath.Program, error) {
	ids := make([]string, len(m.stats))
	for i := range m.stats {
		ids[i] = m.stats[i].id
	}
	program, err := metricmath.Compile(ids, queries)
	if err != nil {
		return nil, validationError("%s", err.Error())
	}
	return program, nil
}

// period is the smallest of the metrics that the request names, a minute when it names none.
func (m *mathRequest) period() int64 {
	if len(m.stats) == 0 {
		return 60
	}
	return slices.MinFunc(m.stats, func(a, b dataQuery) int { return int(a.period - b.period) }).period
}

func (m *mathRequest) slots(period int64) (start, count int64) {
	q := dataQuery{period: period}
	q.place(m.start, m.end, m.now)
	return q.start, q.slots
}

// mathData is what was read for the expressions.
type mathData struct {
	metrics map[string]metricmath.Series
	// visible are the results of the metrics that the client asked to see.
	visible []types.MetricDataResult
	// notes are of metrics by id, and of what searches found.
	notes       map[string]*sourceNotes
	searchNotes map[metricmath.SearchCall]*sourceNotes
}

// sourceNotes are what an expression has to say of what it reads.
type sourceNotes struct {
	partial, forbidden bool
	messages           []types.MessageData
}

// add takes the status of a result, and its messages when the result itself is not shown.
func (n *sourceNotes) add(r *metricResult, shown bool) {
	n.partial = n.partial || r.status == types.StatusCodePartialData
	n.forbidden = n.forbidden || r.status == types.StatusCodeForbidden
	if shown || n.forbidden {
		return
	}
	n.addMessages(r.messages)
}

func (n *sourceNotes) addMessages(list []types.MessageData) {
	for _, m := range list {
		if !slices.ContainsFunc(n.messages, func(o types.MessageData) bool { return *o.Code == *m.Code && *o.Value == *m.Value }) {
			n.messages = append(n.messages, m)
		}
	}
}

// read fetches the metrics that are visible or that an expression uses, and those that were found.
func (m *mathRequest) read(ctx context.Context, program *metricmath.Program, searches *searches) (*mathData, error) {
	used := make(map[string]bool)
	for i := range m.expressions {
		metrics, _ := program.Sources(m.expressions[i].id)
		for _, id := range metrics {
			used[id] = true
		}
	}
	var wanted []dataQuery
	for _, q := range m.stats {
		if q.returnData || used[q.id] {
			wanted = append(wanted, q)
		}
	}
	stats := len(wanted)
	for i := range searches.list {
		wanted = append(wanted, searches.list[i].queries...)
	}
	if stats < len(wanted) {
		labels(wanted)
	}
	shown := make([]bool, len(wanted))
	for i := range wanted {
		shown[i], wanted[i].returnData = wanted[i].returnData, true
	}
	parts, _ := page(wanted, dataPosition{Now: m.now}, m.budget)
	results, err := m.reader.read(ctx, parts)
	if err != nil {
		return nil, err
	}
	d := &mathData{
		metrics: make(map[string]metricmath.Series, stats), notes: make(map[string]*sourceNotes, stats),
		visible: []types.MetricDataResult{}, searchNotes: make(map[metricmath.SearchCall]*sourceNotes, len(searches.list)),
	}
	for i := range stats {
		q, r := &wanted[i], &results[i]
		d.metrics[q.id] = q.series(r)
		d.notes[q.id] = &sourceNotes{}
		d.notes[q.id].add(r, shown[i])
		if shown[i] {
			d.visible = append(d.visible, m.reader.answer(q, r, true))
		}
	}
	found := stats
	for i := range searches.list {
		s, notes := &searches.list[i], &sourceNotes{}
		for range s.queries {
			s.series = append(s.series, wanted[found].series(&results[found]))
			notes.add(&results[found], false)
			found++
		}
		d.searchNotes[s.call] = notes
	}
	return d, nil
}

// statusOf is the status of an expression, the worst of what it reads, and the messages that go with it.
func (d *mathData) statusOf(program *metricmath.Program, id string) (types.StatusCode, []types.MessageData) {
	metrics, calls := program.Sources(id)
	var all sourceNotes
	add := func(n *sourceNotes) {
		all.partial, all.forbidden = all.partial || n.partial, all.forbidden || n.forbidden
		all.addMessages(n.messages)
	}
	for _, metric := range metrics {
		add(d.notes[metric])
	}
	for _, call := range calls {
		call.ID = ""
		add(d.searchNotes[call])
	}
	switch {
	case all.forbidden:
		return types.StatusCodeForbidden, []types.MessageData{message("Forbidden", forbiddenMessage)}
	case all.partial:
		all.addMessages([]types.MessageData{message("PartialData",
			"The expression may contain partial data as one or more metrics have StatusCode 'Paginated'")})
		return types.StatusCodePartialData, all.messages
	}
	return types.StatusCodeComplete, all.messages
}

func (q *dataQuery) series(r *metricResult) metricmath.Series {
	return metricmath.Series{Label: q.label, Of: q.of(), Period: q.period, Timestamps: r.times, Values: r.values}
}
