// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

import (
	"context"
	"slices"
	"strings"
)

// Query is one expression of a request.
type Query struct {
	ID string
	// Expr is nil for a query that is given.
	Expr *Expr
	// Given marks a query in another language: its series come with the data.
	Given Given
	// Period is that of searches without one, of TIME_SERIES and of functions of time; 0 when the query sets none.
	Period int64
	// Label is the label that the query sets, "" for none. A single series is labelled with it or with the id, the
	// members of an array with it in front of their own.
	Label string
	// Hidden queries may come to a scalar: other expressions use it.
	Hidden bool
}

// Given says of what type the series are that a query in another language comes to.
type Given int

// What a query may be given as.
const (
	// NotGiven is a query with an expression.
	NotGiven Given = iota
	// GivenSeries is one series, GivenArray any number of them.
	GivenSeries
	GivenArray
)

func (g Given) kind() kind {
	if g == GivenArray {
		return kindArray
	}
	return kindSeries
}

// Program is the expressions of one request, in order of evaluation.
type Program struct {
	metrics  []string // in order of the request
	queries  []Query
	index    map[string]int // of queries, by id
	order    []int
	searches []SearchCall
	sources  []sources // of queries
	bands    map[*callNode]*BandCall
}

// Compile checks the expressions of a request: that what they name is there and does not go in circles, and types.
// metrics are the ids of the request's metrics, in its order. Ids are unique among both. The error is a [QueryError].
func Compile(metrics []string, queries []Query) (*Program, error) {
	p := &Program{metrics: metrics, queries: queries, index: make(map[string]int, len(queries)), bands: make(map[*callNode]*BandCall)}
	ids := make(map[string]kind, len(metrics)+len(queries))
	isMetric := make(map[string]bool, len(metrics))
	places := make(map[string]int, len(metrics))
	for i, id := range metrics {
		ids[id], isMetric[id], places[id] = kindSeries, true, i
	}
	for i := range queries {
		p.index[queries[i].ID] = i
	}
	if err := p.sort(isMetric); err != nil {
		return nil, err
	}
	p.sources = make([]sources, len(queries))
	for _, i := range p.order {
		q := &queries[i]
		if q.Given != NotGiven {
			ids[q.ID] = q.Given.kind()
			p.sources[i] = p.givenSources(i)
			continue
		}
		c := checker{ids: ids, metrics: isMetric, query: q, program: p, places: places}
		k, err := c.check(q.Expr.root)
		if err == nil && (k == kindString || k == kindScalar && !q.Hidden) {
			err = errorAt(0, "The expression '%s' must return a time series or array of time series.", q.ID)
		}
		if err != nil {
			return nil, &QueryError{ID: q.ID, Err: err}
		}
		ids[q.ID] = k
		p.searches = append(p.searches, c.searches...)
		p.sources[i] = p.sourcesOf(q, places, len(p.searches)-len(c.searches))
		if len(p.searches) > MaxSearches {
			return nil, &QueryError{ID: q.ID, Err: errorAt(0, "The request has more than %d SEARCH functions.", MaxSearches)}
		}
	}
	return p, nil
}

// sort orders the queries so that each one comes behind those that it names.
func (p *Program) sort(isMetric map[string]bool) error {
	const (
		fresh = iota
		open
		done
	)
	state := make([]int, len(p.queries))
	var path []string
	var visit func(i int) error
	visit = func(i int) error {
		q := &p.queries[i]
		path = append(path, q.ID)
		state[i] = open
		for _, id := range q.ids() {
			if isMetric[id.name] {
				continue
			}
			j, known := p.index[id.name]
			switch {
			case !known:
				return &QueryError{ID: q.ID, Err: errorAt(id.pos(), "ID '%s' not found", id.name)}
			case state[j] == open:
				return &QueryError{ID: q.ID, Err: errorAt(id.pos(), "Circular dependency: %s", circle(path, id.name))}
			case state[j] == fresh:
				if err := visit(j); err != nil {
					return err
				}
			}
		}
		path = path[:len(path)-1]
		state[i] = done
		p.order = append(p.order, i)
		return nil
	}
	for i := range p.queries {
		if state[i] == fresh {
			if err := visit(i); err != nil {
				return err
			}
		}
	}
	return nil
}

func (q *Query) ids() []*idNode {
	if q.Expr == nil {
		return nil
	}
	return q.Expr.ids()
}

func circle(path []string, id string) string {
	for i := range path {
		if path[i] == id {
			path = path[i:]
			break
		}
	}
	return strings.Join(path, " -> ") + " -> " + id
}

// Searches are the SEARCH functions of all queries, with the period that each one has.
func (p *Program) Searches() []SearchCall { return p.searches }

// Bands are the ANOMALY_DETECTION_BAND functions of all queries. Their Period and Deviations are not known before they are
// evaluated.
func (p *Program) Bands() []*BandCall {
	list := make([]*BandCall, 0, len(p.bands))
	for _, call := range p.bands {
		list = append(list, call)
	}
	slices.SortFunc(list, func(a, b *BandCall) int { return p.index[a.ID] - p.index[b.ID] })
	return list
}

// GivenSources are the ids of the given queries that a query reads, itself and through other queries.
func (p *Program) GivenSources(id string) (ids []string) {
	i, ok := p.index[id]
	if !ok {
		return nil
	}
	for j := range p.queries {
		if p.sources[i].given.has(j) {
			ids = append(ids, p.queries[j].ID)
		}
	}
	return ids
}

// Sources are the metrics that a query reads, itself and through other queries, and its searches.
func (p *Program) Sources(id string) (metrics []string, searches []SearchCall) {
	i, ok := p.index[id]
	if !ok {
		return nil, nil
	}
	from := &p.sources[i]
	for j, m := range p.metrics {
		if from.metrics.has(j) {
			metrics = append(metrics, m)
		}
	}
	for j, s := range p.searches {
		if from.searches.has(j) {
			searches = append(searches, s)
		}
	}
	return metrics, searches
}

// Evaluate returns the result of each query that is not hidden, in order of the request. The error is the context's, a
// [QueryError], or the searcher's.
func (p *Program) Evaluate(ctx context.Context, env *Env) ([]Result, error) {
	e, err := newEvaluator(ctx, p, env)
	if err != nil {
		return nil, err
	}
	for _, i := range p.order {
		if err := e.query(&p.queries[i]); err != nil {
			return nil, err
		}
	}
	results := make([]Result, 0, len(p.queries))
	for i := range p.queries {
		if q := &p.queries[i]; !q.Hidden {
			v := e.values[q.ID]
			results = append(results, Result{ID: q.ID, Array: v.kind == kindArray, Series: v.series})
		}
	}
	return results, nil
}
