// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

import (
	"context"
	"errors"
)

// Series is one time series. Nothing in this package changes the slices that it is given, and results may share them.
type Series struct {
	Label string
	// Of says what the series is of. It goes with the label: what is made of one series, or of one and others that do not
	// have labels of their own, keeps it.
	Of any
	// Period is the seconds from slot to slot.
	Period int64
	// Timestamps are Unix seconds, rising; Values go with them and are finite. A slot that is not there is missing.
	Timestamps []int64
	Values     []float64
}

var errSeries = errors.New("timestamps must rise, each with a finite value")

func (s *Series) check() error {
	if len(s.Timestamps) != len(s.Values) {
		return errSeries
	}
	sum := 0.0
	for i, v := range s.Values {
		sum += v - v
		if i > 0 && s.Timestamps[i-1] >= s.Timestamps[i] {
			return errSeries
		}
	}
	if sum != 0 {
		return errSeries
	}
	return nil
}

// SearchCall is one SEARCH function of a program.
type SearchCall struct {
	ID     string // of the query that holds it
	Query  string
	Stat   string
	Period int64
}

// Searcher answers SEARCH functions.
type Searcher interface {
	Search(ctx context.Context, call SearchCall) ([]Series, error)
}

// Window is the time that a request asks for.
type Window struct {
	// Start and End are Unix seconds, half-open.
	Start, End int64
	// Slots, when not nil, is where the slots of a period begin and how many there are. Without it they begin at Start
	// and step by the period while they are before End.
	Slots func(period int64) (start, count int64)
}

func (w *Window) slots(period int64) (start, count int64) {
	switch {
	case period <= 0:
		return w.Start, 0
	case w.Slots != nil:
		return w.Slots(period)
	}
	return w.Start, max(0, (w.End-w.Start+period-1)/period)
}

// Limits bound an evaluation. The zero value of each means its default.
type Limits struct {
	// Series is how many series an array may have; 2,500 by default.
	Series int
	// Points is how many points all steps of the evaluation may make together; 20,000,000 by default.
	Points int64
}

// Default limits.
const (
	defaultMaxSeries = 2_500
	defaultMaxPoints = 20_000_000
)

// Env is what a program is evaluated over.
type Env struct {
	Window
	// Period is that of expressions which set none and have no series to take one from.
	Period int64
	// Metrics are the series of the metrics that the program was compiled with.
	Metrics map[string]Series
	// Given are the series of the queries that are [Given].
	Given map[string][]Series
	// Searcher may be nil when no expression searches, and Bander when there are no anomaly detection models.
	Searcher Searcher
	Bander   Bander
	Limits   Limits
}

// Result is what the expression of a query came to.
type Result struct {
	ID string
	// Array tells an array of series from a single one. Series of an array may be none.
	Array  bool
	Series []Series
}
