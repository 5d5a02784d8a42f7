// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nephoscope/nephoscope/internal/store"
)

// Field is one cell of a result.
type Field struct{ Name, Value string }

// Result is what a query found.
type Result struct {
	// Rows hold their cells in the order of the columns. A missing value has no cell. The last cell of a
	// row that is one event is @ptr.
	Rows  [][]Field
	Stats store.ScanStats
}

// progressEvery is after how many events Progress is told.
const progressEvery = 16_384

// Run runs the query over the selected events. Reading stops soon after ctx ends.
func (p *Plan) Run(ctx context.Context, logs store.LogStore, sel store.LogSelection) (*Result, error) {
	pl, err := p.pipeline()
	if err != nil {
		return nil, err
	}
	groups := make([]string, len(sel.Groups))
	for i, g := range sel.Groups {
		groups[i] = g.Group
	}
	push := p.lower(pl, groups)
	sel.Contains = append(slices.Clone(sel.Contains), push.contains...)
	if push.traceID != "" && sel.TraceID == "" {
		sel.TraceID = push.traceID
	}
	out := pl.newSink()
	if push.agg != nil {
		return p.aggregate(ctx, logs, sel, pl, push, out)
	}
	return p.scan(ctx, logs, sel, pl, push, out)
}

// aggregate has the store run everything up to the first stats, and goes on in Go.
func (p *Plan) aggregate(ctx context.Context, logs store.LogStore, sel store.LogSelection, pl *pipeline, push *pushdown, out *sink) (*Result, error) {
	answer, stats, err := logs.AggregateLogs(ctx, push.agg.statement(push, sel))
	if errors.Is(err, store.ErrTooManyRows) {
		return nil, fmt.Errorf("%w: more than %d groups in stats", ErrLimit, push.agg.plan.maxRows)
	}
	if err != nil {
		return nil, err
	}
	rows, err := push.agg.rows(answer)
	if err != nil {
		return nil, err
	}
	if err := push.agg.plan.emitTo(pl.chain(pl.firstStats+1, out, nil), rows); err != nil {
		return nil, err
	}
	if err := pl.compiler.env.failed; err != nil {
		return nil, err
	}
	p.progress(stats.RecordsScanned, stats.RecordsMatched, out)
	return &Result{Rows: out.rows, Stats: stats}, nil
}

func (pl *pipeline) newSink() *sink {
	s := &sink{columns: pl.columns, limit: pl.limit, mem: pl.compiler.mem}
	if !pl.aggregated {
		ev := pl.compiler.event
		s.pointer = func(r *row) string { return pointerTo(r.rec, ev.accountOf(r.rec)).String() }
	}
	return s
}

// scan reads events and runs the whole query over them in Go.
func (p *Plan) scan(ctx context.Context, logs store.LogStore, sel store.LogSelection, pl *pipeline, push *pushdown, out *sink) (*Result, error) {
	var matched, read int64
	first := pl.chain(0, out, &matched)
	r := &row{slots: make([]value, *pl.slots), event: pl.compiler.event}
	var failure error
	stats, err := logs.ScanLogs(ctx, store.LogScan{
		LogSelection: sel, Where: push.where, Descending: pl.descending, Limit: push.limit,
	}, func(rec *store.LogRecord) bool {
		r.rec, r.known = rec, false
		clear(r.slots)
		more, err := first.push(r)
		if err == nil {
			err = pl.compiler.env.failed
		}
		if err != nil {
			failure = err
			return false
		}
		read++
		if read%progressEvery == 0 {
			if failure = ctx.Err(); failure != nil {
				return false
			}
			p.progress(read, matched, out)
		}
		return more
	})
	if failure == nil {
		failure = err
	}
	if failure == nil {
		failure = first.flush()
	}
	if failure == nil {
		failure = pl.compiler.env.failed
	}
	if failure != nil {
		return nil, failure
	}
	stats.RecordsMatched = matched
	p.progress(read, matched, out)
	return &Result{Rows: out.rows, Stats: stats}, nil
}

func (p *Plan) progress(read, matched int64, out *sink) {
	if p.opt.Progress == nil {
		return
	}
	p.opt.Progress(Progress{RecordsRead: read, RecordsMatched: matched, Rows: slices.Clone(out.rows)})
}
