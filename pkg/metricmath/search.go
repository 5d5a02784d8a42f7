// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

import (
	"fmt"
	"math"
)

// checkSearch takes literals only: what a request searches is known before anything is evaluated.
func checkSearch(c *checker, n *callNode) (kind, error) {
	call, err := searchCall(c.query, n)
	if err != nil {
		return "", err
	}
	c.searches = append(c.searches, call)
	return kindArray, nil
}

// searchCall reads the arguments. A period among them wins over that of the query.
func searchCall(q *Query, n *callNode) (SearchCall, error) {
	call := SearchCall{ID: q.ID, Period: q.Period}
	for i, into := range []*string{&call.Query, &call.Stat} {
		text, ok := n.args[i].(*stringNode)
		if !ok {
			return call, typeError(n.args[i].pos(), "Function 'SEARCH' takes a string as argument %d", i+1)
		}
		*into = text.value
	}
	if len(n.args) == 3 {
		number, ok := n.args[2].(*numberNode)
		if !ok || number.value != math.Trunc(number.value) || number.value < 1 || number.value > math.MaxInt32 {
			return call, typeError(n.args[2].pos(), "Function 'SEARCH' takes a period in seconds as argument 3")
		}
		call.Period = int64(number.value)
	}
	if call.Period == 0 {
		return call, errorAt(n.pos(), "Period is a required field when using SEARCH without its own period")
	}
	return call, nil
}

func evalSearch(e *evaluator, n *callNode) (value, error) {
	if e.env.Searcher == nil {
		return value{}, errorAt(n.pos(), "Function 'SEARCH' is not supported here")
	}
	call, err := searchCall(e.current, n)
	if err != nil {
		return value{}, err
	}
	found, err := e.env.Searcher.Search(e.ctx, call)
	if err != nil {
		return value{}, fmt.Errorf("search for %s: %w", e.current.ID, err)
	}
	if len(found) > e.series {
		return value{}, typeError(n.pos(), "An array has more than %d time series", e.series)
	}
	for i := range found {
		if err := found[i].check(); err != nil {
			return value{}, fmt.Errorf("series %d of the search for %s: %w", i, e.current.ID, err)
		}
	}
	return value{kind: kindArray, series: found}, nil
}
