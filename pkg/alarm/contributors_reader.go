// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"context"
	"errors"
	"fmt"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/metricmath"
	"github.com/nephoscope/nephoscope/pkg/metricsinsights"
)

// ReaderInsights runs Metrics Insights queries over the metrics of a reader.
type ReaderInsights struct {
	Reader cloudwatch.MetricReader
	Limits metricsinsights.Limits
}

var _ InsightsSource = (*ReaderInsights)(nil)

// Insights implements [InsightsSource].
func (s *ReaderInsights) Insights(ctx context.Context, q *InsightsQuery) (InsightsResult, error) {
	w := &q.Window
	if len(w.Starts) == 0 {
		return InsightsResult{}, nil
	}
	if w.even() {
		return s.run(ctx, q, w.Starts[0], w.End, w.Period)
	}
	// Clocks were changed: periods of different lengths are asked for one by one.
	var all InsightsResult
	places := make(map[string]int)
	for i, start := range w.Starts {
		end := w.End
		if i+1 < len(w.Starts) {
			end = w.Starts[i+1]
		}
		one, err := s.run(ctx, q, start, end, end-start)
		if err != nil {
			return InsightsResult{}, err
		}
		all.Partial = all.Partial || one.Partial
		for _, series := range one.Series {
			id := ContributorID(series.Attributes)
			place, ok := places[id]
			if !ok {
				place = len(all.Series)
				places[id] = place
				all.Series = append(all.Series, InsightsSeries{
					Series: metricmath.Series{Label: series.Label, Period: w.Period}, Attributes: series.Attributes,
				})
			}
			to := &all.Series[place]
			to.Timestamps = append(to.Timestamps, series.Timestamps...)
			to.Values = append(to.Values, series.Values...)
		}
	}
	return all, nil
}

func (s *ReaderInsights) run(ctx context.Context, q *InsightsQuery, start, end, period int64) (InsightsResult, error) {
	answer, err := q.Query.Run(ctx, s.Reader, metricsinsights.Request{
		Tenant: q.Tenant, Start: start, End: end, Period: period, Now: q.Now.Unix(), Limits: s.Limits,
	})
	if errors.Is(err, metricsinsights.ErrTooManyPoints) {
		return InsightsResult{}, &Error{Code: codeValidation, Message: err.Error()}
	}
	if err != nil {
		return InsightsResult{}, fmt.Errorf("run a Metrics Insights query: %w", err)
	}
	result := InsightsResult{Series: make([]InsightsSeries, len(answer.Groups)), Partial: answer.Partial()}
	for i := range answer.Groups {
		g := &answer.Groups[i]
		attributes := make(map[string]string, len(g.Attributes))
		for _, a := range g.Attributes {
			attributes[attributeName(a.Name)] = a.Value
		}
		result.Series[i] = InsightsSeries{
			Series:     metricmath.Series{Label: g.Label, Period: period, Timestamps: g.Timestamps, Values: g.Values},
			Attributes: attributes,
		}
	}
	return result, nil
}

// attributeName is the name of a key of GROUP BY as queries spell it.
func attributeName(key string) string {
	if key == string(metricsinsights.AccountID) {
		return "AWS.AccountId"
	}
	return key
}
