// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/logsinsights"
)

const (
	// maxConcurrentQueries is how many queries of an account in a region may be scheduled or running.
	maxConcurrentQueries = 100
	// maxRunningQueries is how many queries run at once, of all accounts; others wait, scheduled.
	maxRunningQueries = 4
	// maxKeptQueries and maxKeptBytes bound the finished queries that are kept with their results; the oldest go.
	maxKeptQueries = 2000
	maxKeptBytes   = 256 << 20
	// queryLifetime is how long results stay.
	queryLifetime = 7 * 24 * time.Hour
	// queryTimeout ends a query that runs.
	queryTimeout = time.Hour
)

// answer is what a query has found, at its end or so far.
type answer struct {
	rows  [][]logsinsights.Field
	stats types.QueryStatistics
}

// size is about what the rows take in memory. Names of columns are shared by the rows.
func (a *answer) size() int64 {
	n := int64(0)
	for _, row := range a.rows {
		n += 24
		for i := range row {
			n += 32 + int64(len(row[i].Value))
		}
	}
	return n
}

// query is one query from its start until it is forgotten. The fields behind mu of queries change.
type query struct {
	id      string
	tenant  store.Tenant
	groups  []string
	shown   string // as DescribeQueries shows it
	created int64  // Unix ms
	run     func(ctx context.Context, progress func(answer)) (answer, error)
	cancel  context.CancelFunc

	status   types.QueryStatus
	started  int64 // Unix ms
	duration int64 // ms
	answer   answer
	size     int64
}

func (q *query) finished() bool {
	return q.status != types.QueryStatusScheduled && q.status != types.QueryStatusRunning
}

// queries runs queries in the background and keeps their results for a while.
type queries struct {
	s     *Service
	slots chan struct{}
	// maxKept and maxBytes are maxKeptQueries and maxKeptBytes.
	maxKept  int
	maxBytes int64

	mu    sync.Mutex
	byID  map[string]*query
	order []*query // oldest first
	bytes int64
}

func newQueries(s *Service) *queries {
	return &queries{
		s: s, maxKept: maxKeptQueries, maxBytes: maxKeptBytes, slots: make(chan struct{}, maxRunningQueries), byID: map[string]*query{},
	}
}

// start schedules a query.
func (qs *queries) start(q *query) (string, error) {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	if qs.s.ctx.Err() != nil {
		return "", awswire.Unavailable("The service is shutting down.")
	}
	qs.forget()
	open := 0
	for _, o := range qs.order {
		if o.tenant == q.tenant && !o.finished() {
			open++
		}
	}
	if open >= maxConcurrentQueries {
		return "", &awswire.Error{
			Code:    codeLimitExceeded,
			Message: "Account maximum query concurrency limit of [100] reached.",
		}
	}
	q.id = uuid.NewString()
	q.created = qs.s.nowMs()
	q.status = types.QueryStatusScheduled
	ctx, cancel := context.WithCancel(qs.s.ctx)
	q.cancel = cancel
	qs.byID[q.id] = q
	qs.order = append(qs.order, q)
	qs.s.work.Go(func() {
		defer cancel()
		qs.execute(ctx, q)
	})
	return q.id, nil
}

func (qs *queries) execute(ctx context.Context, q *query) {
	select {
	case qs.slots <- struct{}{}:
		defer func() { <-qs.slots }()
	case <-ctx.Done():
		qs.finish(ctx, q, answer{}, ctx.Err())
		return
	}
	qs.mu.Lock()
	if q.finished() { // cancelled in between
		qs.mu.Unlock()
		return
	}
	q.status, q.started = types.QueryStatusRunning, qs.s.nowMs()
	run := q.run
	qs.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	a, err := run(ctx, func(a answer) {
		qs.mu.Lock()
		defer qs.mu.Unlock()
		if !q.finished() {
			q.answer = a
		}
	})
	qs.finish(ctx, q, a, err)
}

func (qs *queries) finish(ctx context.Context, q *query, a answer, err error) {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	if q.finished() { // cancelled: that stays
		return
	}
	q.run = nil
	if q.started != 0 {
		q.duration = qs.s.nowMs() - q.started
	}
	switch {
	case err == nil:
		q.status, q.answer = types.QueryStatusComplete, a
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		q.status = types.QueryStatusTimeout
	case ctx.Err() != nil:
		q.status = types.QueryStatusCancelled
	default:
		q.status = types.QueryStatusFailed
		q.answer.rows = nil
		qs.s.logger.Warn("query failed", zap.String("query_id", q.id), zap.Error(err))
	}
	qs.keep(q)
	qs.forget()
}

// keep counts what a finished query takes. The caller holds mu.
func (qs *queries) keep(q *query) {
	q.size = q.answer.size()
	qs.bytes += q.size
}

// forget drops finished queries that are too old or too many. The caller holds mu.
func (qs *queries) forget() {
	oldest := qs.s.nowMs() - queryLifetime.Milliseconds()
	kept := 0
	for _, q := range qs.order {
		if q.finished() {
			kept++
		}
	}
	if len(qs.order) == 0 {
		return
	}
	newest := qs.order[len(qs.order)-1]
	qs.order = slices.DeleteFunc(qs.order, func(q *query) bool {
		if !q.finished() {
			return false
		}
		// The newest query is kept whatever it takes.
		if q.created >= oldest && kept <= qs.maxKept && (qs.bytes <= qs.maxBytes || q == newest) {
			return false
		}
		kept--
		qs.bytes -= q.size
		delete(qs.byID, q.id)
		return true
	})
}

// get returns a copy of a query.
func (qs *queries) get(t store.Tenant, id string) (query, bool) {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	qs.forget()
	q := qs.byID[id]
	if q == nil || q.tenant != t {
		return query{}, false
	}
	return *q, true
}

// stop cancels a query. It reports whether there is such a query, and whether it was still to be cancelled.
func (qs *queries) stop(t store.Tenant, id string) (found, stopped bool) {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	q := qs.byID[id]
	if q == nil || q.tenant != t {
		return false, false
	}
	if q.finished() {
		return true, false
	}
	q.status = types.QueryStatusCancelled
	if q.started != 0 {
		q.duration = qs.s.nowMs() - q.started
	}
	q.run = nil
	q.cancel()
	qs.keep(q)
	qs.forget()
	return true, true
}

// list returns copies of a tenant's queries, newest first.
func (qs *queries) list(t store.Tenant) []query {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	qs.forget()
	var out []query
	for _, q := range slices.Backward(qs.order) {
		if q.tenant == t {
			out = append(out, *q)
		}
	}
	return out
}
