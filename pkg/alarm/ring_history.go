// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"context"
	"slices"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// history reads, for one Advance, what alarms watch from before they were put. A track is complete when it was read up to
// the slot in which watching began, which is read last, when it is over: until then a part of it is in the reader only.
type history struct {
	e *Engine
	// failed says that the reader did. It is not asked again before the next Advance.
	failed bool
}

// maxReads is how many queries are put to the reader at once.
const maxReads = 500

// breatheBuckets is how many buckets are written before others may have the engine.
const breatheBuckets = 10_000

// gap is a time of a track that has to be read.
type gap struct {
	t        *track
	from, to int64
}

// missing is what of a window was not read yet.
func (t *track) missing(w *Window) (gap, bool) {
	p := t.history
	if p == nil {
		return gap{}, false
	}
	// Other alarms on the track may look further back.
	from, to := t.oldest(w), min(w.End, p.liveFrom)
	if p.filled && p.filledFrom <= from {
		from = p.filledTo
	}
	return gap{t: t, from: from, to: to}, from < to
}

// oldest is where the first slot begins that a window of any alarm on the track may have.
func (t *track) oldest(w *Window) int64 {
	oldest := w.End - int64(t.span)
	return oldest - mod(oldest, int64(t.grain))
}

func (a *alarmState) gaps(dst []gap, w *Window) []gap {
	for _, t := range a.inputTracks {
		if g, ok := t.missing(w); ok && !t.history.asked {
			t.history.asked = true
			dst = append(dst, g)
		}
	}
	return dst
}

// settle forgets the pasts of an alarm's tracks that are there, and reports whether all are.
func (a *alarmState) settle(w *Window) bool {
	all := true
	for _, t := range a.inputTracks {
		if p := t.history; p != nil {
			if oldest := t.oldest(w); oldest >= p.liveFrom || p.filled && p.filledTo >= p.liveFrom && p.filledFrom <= oldest {
				t.history = nil
			} else {
				all = false
			}
		}
	}
	return all
}

// readDue reads for all alarms that are due. After a start they are many: no step holds the lock for all of them.
func (h *history) readDue(ctx context.Context, until int64) {
	e := h.e
	if len(e.cold) == 0 {
		return
	}
	due := make([]*alarmState, 0, len(e.cold))
	for a := range e.cold {
		if a.due <= until {
			due = append(due, a)
		}
	}
	e.mu.Unlock()
	slices.SortFunc(due, byARN)
	e.mu.Lock()
	var gaps []gap
	for part := range slices.Chunk(due, maxReads/2) {
		if h.failed {
			return
		}
		gaps = gaps[:0]
		for _, a := range part {
			if !a.deleted && a.due <= until {
				a.rule.WindowInto(toTime(a.due), &e.scratch.window)
				gaps = a.gaps(gaps, &e.scratch.window)
			}
		}
		h.read(ctx, gaps)
	}
}

// readOne reads what an alarm needs for a window, and reports whether it has it.
func (h *history) readOne(ctx context.Context, a *alarmState, w *Window) bool {
	if _, cold := h.e.cold[a]; !cold {
		return true
	}
	if gaps := a.gaps(nil, w); len(gaps) > 0 && !h.read(ctx, gaps) {
		return false
	}
	if !a.deleted && a.settle(w) {
		delete(h.e.cold, a)
	}
	return true
}

// read reads gaps. It lets go of the lock meanwhile.
func (h *history) read(ctx context.Context, gaps []gap) bool {
	for _, g := range gaps {
		g.t.history.asked = false
	}
	for part := range slices.Chunk(gaps, maxReads/2) {
		if h.failed {
			return false
		}
		queries := make([]cloudwatch.MetricQuery, 0, 2*len(part))
		for _, g := range part {
			queries = g.queries(queries)
		}
		h.e.mu.Unlock()
		answers, err := h.e.settings.Reader.QueryMetrics(ctx, queries)
		h.e.mu.Lock()
		if err != nil || len(answers) != len(queries) {
			h.failed = true
			return false
		}
		buckets := 0
		for _, g := range part {
			if buckets += len(answers[0]); buckets > breatheBuckets {
				buckets = 0
				h.e.mu.Unlock() // others go between
				h.e.mu.Lock()
			}
			g.fill(answers[0])
			answers = answers[1:]
			if g.coarse() {
				g.fillCoarse(answers[0])
				answers = answers[1:]
			}
		}
	}
	return true
}

// coarse is whether minutes are read, too: points of the resolution of a minute do not answer for shorter periods.
func (g *gap) coarse() bool { return int64(g.t.grain) < 60 }

func (g *gap) queries(dst []cloudwatch.MetricQuery) []cloudwatch.MetricQuery {
	q := cloudwatch.MetricQuery{
		Tenant: g.t.tenant.Value(), Metric: g.t.metric,
		Start: g.from, End: g.to, Period: int64(g.t.grain), Distribution: g.t.dist,
	}
	dst = append(dst, q)
	if g.coarse() {
		q.Start, q.Period = g.from-mod(g.from, 60), 60
		dst = append(dst, q)
	}
	return dst
}

func (g *gap) fill(buckets []cloudwatch.Bucket) {
	for i := range buckets {
		if r := g.t.in(buckets[i].Unit); r != nil {
			r.put(&buckets[i], g.t)
		}
	}
	if p := g.t.history; p != nil {
		if !p.filled || g.from < p.filledFrom {
			p.filledFrom = g.from
		}
		p.filled, p.filledTo = true, max(p.filledTo, g.to)
	}
}

// fillCoarse puts minutes without finer data where the points of that resolution are: into their first slot.
func (g *gap) fillCoarse(buckets []cloudwatch.Bucket) {
	for i := range buckets {
		b := &buckets[i]
		if r := g.t.in(b.Unit); r != nil && !r.any(b.Start, b.Start+60) {
			r.put(b, g.t)
		}
	}
}
