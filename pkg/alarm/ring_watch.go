// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"slices"
	"time"
	"unique"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// evaluationLag is how many seconds behind the time an evaluation may end its range, beside its alignment.
const evaluationLag = 10

// Observe adds data points to what alarms watch. Points that none watches cost two hashes and no lock. now is the time at
// which they came.
func (e *Engine) Observe(t cloudwatch.Tenant, data []cloudwatch.Datum, now time.Time) {
	for i := range data {
		if m := &data[i].Metric; e.Watches(m.Namespace, m.Name) && e.metrics.has(hashMetric(t, m)) {
			e.observe(t, data[i:], now.Unix())
			return
		}
	}
}

func (e *Engine) observe(t cloudwatch.Tenant, data []cloudwatch.Datum, now int64) {
	tenant := unique.Make(t)
	e.mu.Lock()
	defer e.mu.Unlock()
	from := now - maxLag
	if e.advanced != noTime {
		from = max(from, min(now, floorSeconds(e.advanced)))
	}
	for i := range data {
		d := &data[i]
		if !e.Watches(d.Namespace, d.Name) {
			continue
		}
		for track := e.tracks[hashMetric(t, &d.Metric)]; track != nil; track = track.next {
			if track.of(tenant, &d.Metric) {
				track.add(d, from-int64(track.span), now+maxFuture)
			}
		}
	}
}

func floorSeconds(nanos int64) int64 {
	return (nanos - mod(nanos, int64(time.Second))) / int64(time.Second)
}

// watch makes the data of an alarm's inputs be kept.
func (e *Engine) watch(a *alarmState, now int64) {
	inputs := a.rule.Inputs()
	if len(inputs) == 0 {
		return
	}
	grain, span := reach(a.rule, a.def.Metric, toTime(now))
	past := false
	all := make([]*track, len(inputs))
	for i := range inputs {
		t := a.of.tenant
		if inputs[i].Account != "" {
			t.Account = inputs[i].Account
		}
		metric := inputs[i].Metric
		if len(a.def.Metric.Metrics) == 0 {
			metric = scalarMetric(a.def.Metric) // the rule is that of another alarm, perhaps
		}
		all[i] = e.track(t, &metric, grain, !inputs[i].Stat.Basic())
		e.extend(all[i], span, now)
		past = past || all[i].history != nil
	}
	if a.track = all[0]; len(all) > 1 {
		a.more().tracks = all
	}
	if past {
		e.cold[a] = struct{}{}
	}
}

// scalarMetric is the identity of the metric of an alarm on one. It shares the dimensions when they are in order.
func scalarMetric(m *MetricAlarm) cloudwatch.Metric {
	dims := m.Dimensions
	if !slices.IsSortedFunc(dims, func(a, b cloudwatch.Dimension) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	}) {
		dims = slices.Clone(dims)
		cloudwatch.SortDimensions(dims)
	}
	return cloudwatch.Metric{Namespace: m.Namespace, Name: m.MetricName, Dimensions: dims}
}

// inputTracks are the tracks of the rule's inputs, in their order.
func (a *alarmState) inputTracks(yield func(i int, t *track) bool) {
	switch {
	case a.extra != nil && a.extra.tracks != nil:
		for i, t := range a.extra.tracks {
			if !yield(i, t) {
				return
			}
		}
	case a.track != nil:
		yield(0, a.track)
	}
}

// reach is the length of the slots that an alarm needs, and how many seconds back it looks at the most.
func reach(rule *Rule, m *MetricAlarm, now time.Time) (grain, span int64) {
	w := rule.Window(now)
	interval := int64(rule.Interval() / time.Second)
	if w.Period < 60 {
		grain = 10
	} else {
		grain = divisor(min(interval, 3600), w.Period)
	}
	if len(w.Starts) > 0 {
		span = w.End - w.Starts[0]
	}
	span += evaluationLag + max(interval, min(w.Period, 60))
	if m.WallClock != nil {
		// Midnight is at any multiple of five minutes, and a window ends up to a period before now.
		grain = divisor(grain, 300)
		span += w.Period + 3600
	}
	return grain, span
}

func divisor(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// track returns a track for one more input.
func (e *Engine) track(t cloudwatch.Tenant, m *cloudwatch.Metric, grain int64, dist bool) *track {
	tenant, hash := unique.Make(t), hashMetric(t, m)
	first := e.tracks[hash]
	for u := first; u != nil; u = u.next {
		if u.of(tenant, m) && int64(u.grain) == grain && u.dist == dist {
			u.users++
			return u
		}
	}
	u := &track{tenant: tenant, metric: *m, next: first, grain: int32(grain), users: 1, dist: dist}
	e.tracks[hash] = u
	if first == nil {
		e.metrics.put(hash, e.trackHashes)
	}
	e.putName(hashName(m.Namespace, m.Name))
	return u
}

// extend makes a track go back far enough. What is older than it went before was dropped.
func (e *Engine) extend(t *track, span, now int64) {
	if span <= int64(t.span) {
		return
	}
	t.span = int32(span)
	if e.settings.Reader != nil {
		at := floorSeconds(now)
		t.history = &trackPast{liveFrom: at - mod(at, int64(t.grain)) + int64(t.grain)}
	}
}

func (e *Engine) unwatch(a *alarmState) {
	for _, t := range a.inputTracks {
		if t.users--; t.users == 0 {
			e.dropTrack(t)
		}
	}
	if a.track = nil; a.extra != nil {
		a.extra.tracks = nil
	}
}

func (e *Engine) dropTrack(t *track) {
	e.removeName(hashName(t.metric.Namespace, t.metric.Name))
	hash := hashMetric(t.tenant.Value(), &t.metric)
	first := e.tracks[hash]
	switch {
	case first != t:
		for first.next != t {
			first = first.next
		}
		first.next = t.next
	case t.next != nil:
		e.tracks[hash] = t.next
	default:
		delete(e.tracks, hash)
		e.metrics.remove(len(e.tracks), e.trackHashes)
	}
}

func (e *Engine) trackHashes(yield func(uint64) bool) {
	for hash := range e.tracks {
		if !yield(hash) {
			return
		}
	}
}

func (e *Engine) putName(hash uint64) {
	e.nameUsers[hash]++
	if e.nameUsers[hash] == 1 {
		e.names.put(hash, e.nameHashes)
	}
}

func (e *Engine) removeName(hash uint64) {
	if e.nameUsers[hash]--; e.nameUsers[hash] == 0 {
		delete(e.nameUsers, hash)
		e.names.remove(len(e.nameUsers), e.nameHashes)
	}
}

func (e *Engine) nameHashes(yield func(uint64) bool) {
	for hash := range e.nameUsers {
		if !yield(hash) {
			return
		}
	}
}
