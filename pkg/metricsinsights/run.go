// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricsinsights

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// MaxAge is how far back a query reads.
const MaxAge = 14 * 24 * time.Hour

// Request is what a query is run over.
type Request struct {
	Tenant cloudwatch.Tenant
	// Start and End are Unix seconds, half-open. Both are floored to the minute, and Start as [cloudwatch.AlignStart] does it
	// when it is older. Nothing is stored beyond two hours after Now, and nothing read.
	Start, End int64
	// Period is in seconds. Less than a minute is taken as a minute.
	Period int64
	// Now is when the query is made, in Unix seconds.
	Now    int64
	Limits Limits
}

// Limits bound a run. The zero value of each means its default.
type Limits struct {
	// Metrics is how many metrics are processed, [MaxMetrics] by default. Those behind are left out.
	Metrics int
	// Listed is how many metrics are looked at to find them, 1,000,000 by default. Those behind are left out.
	Listed int
	// Points is how many data points the answer may have, 2,000,000 by default. More are [ErrTooManyPoints].
	Points int64
}

const (
	defaultMaxListed = 1_000_000
	defaultMaxPoints = 2_000_000
	// listPage is how many metrics are listed at once.
	listPage = 10_000
	// bucketsAtOnce bounds the buckets that are asked for in one call, and with them the memory of a run.
	bucketsAtOnce = 100_000
)

// ErrTooManyPoints is returned for a query whose answer would be greater than its limit.
var ErrTooManyPoints = errors.New("the query gives too many data points: set a LIMIT, a greater period or a shorter time range")

// Result is the answer to a query.
type Result struct {
	Groups []Group
	// Period is the seconds between the points, Start where the first bucket begins.
	Start, End, Period int64
	// MetricsExceeded says that more metrics match than a query processes, SeriesExceeded that it has more groups than it
	// gives.
	MetricsExceeded, SeriesExceeded bool
	// Shortened says that the time range began before what a query reads.
	Shortened bool
}

// Partial is whether something that was asked for is not in the answer.
func (r *Result) Partial() bool { return r.MetricsExceeded || r.SeriesExceeded }

// Group is one time series of the answer.
type Group struct {
	// Attributes are the keys of GROUP BY with the group's values, in the order of the query.
	Attributes []cloudwatch.Dimension
	// Label is the values, a space between them; "" without GROUP BY.
	Label string
	// Timestamps are Unix seconds, rising; Values go with them and are finite. Buckets without data are absent.
	Timestamps []int64
	Values     []float64
}

// Run answers the query.
func (q *Query) Run(ctx context.Context, reader cloudwatch.MetricReader, req Request) (*Result, error) {
	r := newRun(q, reader, req)
	if r.slots == 0 {
		return r.finish(), nil
	}
	if err := r.list(ctx); err != nil {
		return nil, fmt.Errorf("list metrics of a query: %w", err)
	}
	if err := r.read(ctx); err != nil {
		return nil, fmt.Errorf("read metrics of a query: %w", err)
	}
	return r.finish(), nil
}

// run is a query under way.
type run struct {
	query  *Query
	reader cloudwatch.MetricReader
	req    Request
	result Result
	slots  int64
	limit  int
	// groups are the metrics that match, in order of the groups' labels; found is how many.
	groups []*members
	found  int
	best   ranking
}

func newRun(q *Query, reader cloudwatch.MetricReader, req Request) *run {
	r := &run{query: q, reader: reader, req: req, limit: q.Limit}
	if r.limit == 0 || r.limit > MaxSeries {
		r.limit = MaxSeries
	}
	if r.req.Limits.Metrics == 0 {
		r.req.Limits.Metrics = MaxMetrics
	}
	if r.req.Limits.Listed == 0 {
		r.req.Limits.Listed = defaultMaxListed
	}
	if r.req.Limits.Points == 0 {
		r.req.Limits.Points = defaultMaxPoints
	}
	period := max(req.Period, 60)
	start, _ := cloudwatch.AlignStart(req.Start, period, req.Now)
	now := floor(req.Now, 60)
	// A run has memory for every bucket of its window, which therefore ends where data can.
	end := min(floor(req.End, 60), now+int64(cloudwatch.MaxDatumFuture/time.Second)+60)
	if oldest := now - int64(MaxAge/time.Second); start < oldest {
		// By whole periods, so that the buckets that are left stay where they are.
		start += (oldest - start + period - 1) / period * period
		r.result.Shortened = true
	}
	r.result.Start, r.result.End, r.result.Period = start, end, period
	r.slots = max(0, (end-start+period-1)/period)
	r.best = ranking{order: q.Order, limit: r.limit}
	return r
}

func floor(v, step int64) int64 { return v - ((v%step)+step)%step }

func (r *run) finish() *Result {
	r.result.Groups = r.best.sorted()
	if len(r.query.GroupBy) == 0 && len(r.result.Groups) == 0 {
		r.result.Groups = []Group{{}}
	}
	return &r.result
}
