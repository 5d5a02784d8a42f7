// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/metricmath"
	"github.com/nephoscope/nephoscope/pkg/metricsinsights"
)

// maxInsights is how many Metrics Insights queries one request may have.
const maxInsights = 1

func checkInsights(queries []dataQuery) error {
	n := 0
	for i := range queries {
		if queries[i].insights != nil {
			n++
		}
	}
	if n > maxInsights {
		return validationError("Maximum number of queries (%d) exceeded", maxInsights)
	}
	return nil
}

// insights answers the Metrics Insights queries that are visible or that a visible expression uses. messages are what is
// to be said of the whole answer.
func (m *mathRequest) insights(
	ctx context.Context, program *metricmath.Program,
) (given map[string][]metricmath.Series, messages []types.MessageData, err error) {
	messages = []types.MessageData{}
	for i := range m.expressions {
		q := &m.expressions[i]
		if q.insights == nil || !m.shows(program, q.id) {
			continue
		}
		result, err := q.insights.Run(ctx, m.reader.reads, metricsinsights.Request{
			Tenant: m.reader.tenant, Start: m.start, End: m.end, Period: q.period, Now: m.now,
		})
		switch {
		case errors.Is(err, metricsinsights.ErrTooManyPoints):
			return nil, nil, expressionError(q.id, err.Error())
		case err != nil:
			return nil, nil, fmt.Errorf("run the query %s: %w", q.id, err)
		}
		if given == nil {
			given = make(map[string][]metricmath.Series, maxInsights)
		}
		given[q.id] = insightsSeries(q.insights, result)
		messages = append(messages, insightsMessages(result)...)
	}
	return given, messages, nil
}

// shows is whether the given query is visible, or an expression that is reads it.
func (m *mathRequest) shows(program *metricmath.Program, id string) bool {
	return slices.ContainsFunc(m.expressions, func(q dataQuery) bool {
		return q.returnData && slices.Contains(program.GivenSources(q.id), id)
	})
}

func insightsSeries(query *metricsinsights.Query, result *metricsinsights.Result) []metricmath.Series {
	list := make([]metricmath.Series, len(result.Groups))
	for i := range result.Groups {
		g := &result.Groups[i]
		of := &seriesOf{
			metric: cloudwatch.Metric{Namespace: query.Namespace, Name: query.Metric, Dimensions: g.Attributes},
			stat:   string(query.Function), period: result.Period,
		}
		list[i] = metricmath.Series{Label: g.Label, Of: of, Period: result.Period, Timestamps: g.Timestamps, Values: g.Values}
	}
	return list
}

func insightsMessages(r *metricsinsights.Result) (list []types.MessageData) {
	if r.Shortened {
		list = append(list, message("MaxQueryTimeRangeExceeded", "A query reads the most recent two weeks: older data are left out."))
	}
	if r.MetricsExceeded {
		list = append(list, message("MaxMatchingResultsExceeded", fmt.Sprintf(
			"More than %d metrics match the query: it processes the first ones.", metricsinsights.MaxMetrics)))
	}
	if r.SeriesExceeded {
		list = append(list, message("MaxQueryResultsExceeded", fmt.Sprintf(
			"The query has more than %d time series: it gives the first ones.", metricsinsights.MaxSeries)))
	}
	return list
}
