// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/metricmath"
	"github.com/nephoscope/nephoscope/pkg/metricmath/metricsearch"
)

// Limits of SEARCH.
const (
	// maxFound is how many metrics one SEARCH gives.
	maxFound = 500
	// maxFoundTogether is how many all of a request give.
	maxFoundTogether = 5_000
	// searchPage is how many metrics are listed at once.
	searchPage = 10_000
)

const maxMetricsExceeded = "Maximum number of allowed metrics exceeded: a SEARCH gives its first 500 metrics"

// searches are the SEARCH functions of a request and what they found. Metrics with the same text, statistic and period
// are found once.
type searches struct {
	list     []search
	exceeded bool // some found more than they may give
}

type search struct {
	call    metricmath.SearchCall // without the id of its query
	query   *metricsearch.Query
	stat    cloudwatch.Statistic
	queries []dataQuery
	series  []metricmath.Series
	full    bool
}

// Search implements [metricmath.Searcher] over what was read before.
func (s *searches) Search(_ context.Context, call metricmath.SearchCall) ([]metricmath.Series, error) {
	if found := s.find(call); found != nil {
		return found.series, nil
	}
	return nil, fmt.Errorf("search %q was not made", call.Query)
}

func (s *searches) find(call metricmath.SearchCall) *search {
	call.ID = ""
	for i := range s.list {
		if s.list[i].call == call {
			return &s.list[i]
		}
	}
	return nil
}

// search lists the metrics that the calls mean.
func (m *mathRequest) search(ctx context.Context, calls []metricmath.SearchCall) (*searches, error) {
	s := &searches{}
	for _, call := range calls {
		if s.find(call) != nil {
			continue
		}
		one, err := newSearch(call)
		if err != nil {
			return nil, expressionError(call.ID, err.Error())
		}
		s.list = append(s.list, *one)
	}
	total := 0
	for i := range s.list {
		if err := m.list(ctx, &s.list[i]); err != nil {
			return nil, err
		}
		s.exceeded = s.exceeded || s.list[i].full
		if total += len(s.list[i].queries); total > maxFoundTogether {
			return nil, validationError("The SEARCH functions of the request find more than %d metrics.", maxFoundTogether)
		}
	}
	return s, nil
}

func newSearch(call metricmath.SearchCall) (*search, error) {
	query, err := metricsearch.Parse(call.Query)
	if err != nil {
		return nil, err
	}
	stat, ok := cloudwatch.ParseStatistic(call.Stat)
	if !ok {
		return nil, fmt.Errorf("'%s' is not a valid statistic", call.Stat)
	}
	if !cloudwatch.ValidPeriod(call.Period) {
		return nil, errors.New("the period of SEARCH must be a value in the set [1, 5, 10, 20, 30] or a multiple of 60")
	}
	call.ID = ""
	return &search{call: call, query: query, stat: stat}, nil
}

// list finds the metrics of one search, in the order of the store.
func (m *mathRequest) list(ctx context.Context, s *search) error {
	filter := store.MetricFilter{
		Tenant: m.reader.tenant, Since: time.Unix(m.now, 0).Add(-cloudwatch.ListedFor).Unix(),
	}
	var dimensions []string
	filter.Namespace, filter.Name, dimensions = s.query.Bounds()
	for _, name := range dimensions {
		filter.Dimensions = append(filter.Dimensions, cloudwatch.DimensionFilter{Name: name})
	}
	var after *cloudwatch.Metric
	for {
		metrics, err := m.reader.reads.ListMetrics(ctx, filter, after, searchPage)
		if err != nil {
			return fmt.Errorf("list metrics of a search: %w", err)
		}
		for i := range metrics {
			if !s.query.Match(m.account, &metrics[i]) {
				continue
			}
			if len(s.queries) == maxFound {
				s.full = true
				return nil
			}
			q := dataQuery{metric: metrics[i], stat: s.stat, period: s.call.Period, returnData: true}
			q.place(m.start, m.end, m.now)
			s.queries = append(s.queries, q)
		}
		if len(metrics) < searchPage {
			return nil
		}
		after = &metrics[len(metrics)-1]
	}
}
