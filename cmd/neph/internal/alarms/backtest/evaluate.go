// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Transition is a change of state.
type Transition struct {
	Time     time.Time
	From, To alarm.State
	Reason   string
}

// evaluator runs one metric alarm over the past. What is put together for it serves for its variants, too.
type evaluator struct {
	tenant   cloudwatch.Tenant
	source   Source
	from, to time.Time
	phase    time.Duration
	bands    alarm.BandSource
	insights alarm.InsightsSource

	metric *alarm.MetricAlarm
	inputs []alarm.Input
	slots  []*slots
	// rolled are the points of the inputs, and compared those of the pointwise expression, by step.
	rolled   map[int64][]*phases
	compared map[int64]*phases
	direct   bool // the source gave the phases itself
}

// lookback is how much older than the range data may be that the rules look at.
func (v *evaluator) lookback(periods int32) int64 {
	period := int64(60)
	for i := range v.inputs {
		period = max(period, v.inputs[i].Period)
	}
	return (int64(periods)+3)*period + 3600
}

func (v *evaluator) load(ctx context.Context, periods int32) error {
	rule, err := alarm.NewRule(v.metric) //nolint:contextcheck // it reads nothing
	if err != nil {
		return err
	}
	v.inputs = rule.Inputs()
	v.rolled, v.compared = map[int64][]*phases{}, map[int64]*phases{}
	if len(v.inputs) == 0 {
		return nil
	}
	start := floor(v.from.Unix()-v.lookback(periods), 3600)
	end := v.to.Unix()
	if direct, ok := v.source.(directSource); ok && v.needsDirect() {
		if v.metric.WallClock != nil {
			return fmt.Errorf("a statistic of %s over calendar periods cannot be had from the API: use --store or --data", v.metric.ExtendedStatistic)
		}
		v.direct = true
		step := stepOf(rule)
		for i := range v.inputs {
			p, err := direct.phases(ctx, v.tenant, &v.inputs[i], start, end, step)
			if err != nil {
				return err
			}
			v.rolled[step] = append(v.rolled[step], p)
		}
		return nil
	}
	v.slots, err = readSlots(ctx, v.source, v.tenant, v.inputs, start, end)
	return err
}

// needsDirect is whether a statistic cannot be made of statistic sets.
func (v *evaluator) needsDirect() bool {
	for i := range v.inputs {
		if !v.inputs[i].Stat.Basic() {
			return true
		}
	}
	return false
}

// stepOf is how far apart the ends of a rule's windows may be.
func stepOf(rule *alarm.Rule) int64 {
	period := rule.Window(time.Unix(0, 0)).Period
	switch {
	case rule.Interval() >= time.Hour:
		return 3600
	case period < 60:
		return period
	}
	return 60
}

func (v *evaluator) phasesAt(step int64) ([]*phases, error) {
	if p, ok := v.rolled[step]; ok {
		return p, nil
	}
	if v.direct {
		return nil, errors.New("statistics from the API were read for an alarm that is evaluated at other times")
	}
	out := make([]*phases, len(v.inputs))
	for i := range v.inputs {
		out[i] = v.slots[i].roll(&v.inputs[i], step)
	}
	v.rolled[step] = out
	return out, nil
}

// run evaluates an alarm that differs from the loaded one in its threshold, periods and data points only.
func (v *evaluator) run(ctx context.Context, m *alarm.MetricAlarm) ([]Transition, error) {
	rule, err := alarm.NewRule(m) //nolint:contextcheck // it reads nothing
	if err != nil {
		return nil, err
	}
	switch {
	case m.WallClock != nil:
		return v.runCalendar(ctx, rule)
	case rule.MultiSeries():
		return v.runSlow(ctx, rule, func(*alarm.Window, [][]alarm.Point) {})
	}
	rolled, err := v.phasesAt(stepOf(rule))
	if err != nil {
		return nil, err
	}
	switch {
	case len(m.Metrics) == 0:
		return v.runFast(ctx, rule, rolled[0])
	case m.ThresholdMetricID == "" && pointwise(m.Metrics):
		p, err := v.comparedAt(ctx, rule)
		if err != nil {
			return nil, err
		}
		return v.runFast(ctx, rule, p)
	}
	cursors := make([]cursor, len(rolled))
	for i := range rolled {
		cursors[i] = newCursor(rolled[i])
	}
	return v.runSlow(ctx, rule, func(w *alarm.Window, data [][]alarm.Point) {
		for i := range cursors {
			data[i] = cursors[i].window(w)
		}
	})
}

// times yields when the rule is evaluated.
func (v *evaluator) times(rule *alarm.Rule, yield func(time.Time) bool) {
	interval := rule.Interval()
	phase := v.phase % interval
	first := v.from.Truncate(interval).Add(phase)
	for first.Before(v.from) {
		first = first.Add(interval)
	}
	for at := first; !at.After(v.to); at = at.Add(interval) {
		if !yield(at) {
			return
		}
	}
}

// cursor finds the points of windows that move on.
type cursor struct {
	phases *phases
	next   []int // of each phase, the first point that is behind the window
}

func newCursor(p *phases) cursor { return cursor{phases: p, next: make([]int, len(p.points))} }

func (c *cursor) window(w *alarm.Window) []alarm.Point {
	k := mod(w.End, c.phases.period) / c.phases.step
	points := c.phases.points[k]
	n := c.next[k]
	for n < len(points) && points[n].Start < w.End {
		n++
	}
	c.next[k] = n
	first := max(0, n-len(w.Starts))
	return points[first:n]
}

// checkEvery is how many evaluations are made between looks at the context.
const checkEvery = 4096

// runFast judges a series that is put together already.
func (v *evaluator) runFast(ctx context.Context, rule *alarm.Rule, p *phases) ([]Transition, error) {
	var out []Transition
	var w alarm.Window
	last := alarm.Status{State: alarm.StateInsufficientData}
	c := newCursor(p)
	n := 0
	for now := range func(yield func(time.Time) bool) { v.times(rule, yield) } {
		if n++; n%checkEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		rule.WindowInto(now, &w)
		res := rule.Judge(now, w, alarm.Compared{Points: c.window(&w)}, last)
		if res.Decided && res.State != last.State {
			out = append(out, Transition{Time: now, From: last.State, To: res.State, Reason: res.Reason})
			last.State = res.State
		}
	}
	return out, nil
}

// runSlow evaluates every time anew: models, queries and functions that look at more than one period.
func (v *evaluator) runSlow(ctx context.Context, rule *alarm.Rule, fill func(*alarm.Window, [][]alarm.Point)) ([]Transition, error) {
	var out []Transition
	var w alarm.Window
	last := alarm.Status{State: alarm.StateInsufficientData}
	sources := &recording{bands: v.bands, insights: v.insights}
	env := &alarm.Env{Tenant: v.tenant, Bands: sources, Insights: sources}
	data := make([][]alarm.Point, len(v.inputs))
	for now := range func(yield func(time.Time) bool) { v.times(rule, yield) } {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rule.WindowInto(now, &w)
		fill(&w, data)
		res := rule.Evaluate(ctx, now, w, data, last, env)
		if res.EvaluationState == alarm.EvaluationFailure || res.EvaluationState == alarm.EvaluationError {
			why := sources.err
			if why == nil {
				why = errors.New(cmp.Or(res.Reason, last.Reason))
			}
			return nil, fmt.Errorf("at %s: %s: %w", now.UTC().Format(time.RFC3339), res.EvaluationState, why)
		}
		if rule.MultiSeries() {
			env.Contributors = alarming(res.Contributors)
		}
		if res.Decided && res.State != last.State {
			out = append(out, Transition{Time: now, From: last.State, To: res.State, Reason: res.Reason})
			last.State = res.State
		}
		if res.Reason != "" {
			last.Reason = res.Reason
		}
	}
	return out, nil
}

// recording keeps the last error of the sources: an evaluation says that there was one, and not which.
type recording struct {
	bands    alarm.BandSource
	insights alarm.InsightsSource
	err      error
}

func (r *recording) Band(ctx context.Context, q *alarm.BandQuery, lower, upper []float64) error {
	r.err = r.bands.Band(ctx, q, lower, upper)
	return r.err
}

func (r *recording) Insights(ctx context.Context, q *alarm.InsightsQuery) (alarm.InsightsResult, error) {
	var result alarm.InsightsResult
	result, r.err = r.insights.Insights(ctx, q)
	return result, r.err
}

func alarming(list []alarm.ContributorResult) []alarm.Contributor {
	var out []alarm.Contributor
	for i := range list {
		if c := &list[i]; c.State == alarm.StateAlarm {
			out = append(out, alarm.Contributor{
				ID: c.ID, Attributes: c.Attributes, New: alarm.Status{State: c.State, Reason: c.Reason},
			})
		}
	}
	return out
}

// runCalendar evaluates an alarm whose periods are those of a calendar.
func (v *evaluator) runCalendar(ctx context.Context, rule *alarm.Rule) ([]Transition, error) {
	type key struct {
		input      int
		start, end int64
	}
	type found struct {
		point alarm.Point
		ok    bool
	}
	known := map[key]found{} // a period is looked at every minute
	var merged cloudwatch.Distribution
	return v.runSlow(ctx, rule, func(w *alarm.Window, data [][]alarm.Point) {
		if len(known) > 100_000 {
			clear(known)
		}
		for i := range v.inputs {
			data[i] = data[i][:0]
			for j, start := range w.Starts {
				k := key{i, start, w.End}
				if j+1 < len(w.Starts) {
					k.end = w.Starts[j+1]
				}
				f, ok := known[k]
				if !ok {
					f.point, f.ok = v.slots[i].point(&v.inputs[i], k.start, k.end, &merged)
					known[k] = f
				}
				if f.ok {
					data[i] = append(data[i], f.point)
				}
			}
		}
	})
}

// comparedPeriods is how many periods of an expression are evaluated at once.
const comparedPeriods = 20_000

// comparedAt evaluates a pointwise expression over the whole range: what it is at a period does not depend on what else is
// in the window.
func (v *evaluator) comparedAt(ctx context.Context, rule *alarm.Rule) (*phases, error) {
	step := stepOf(rule)
	if p, ok := v.compared[step]; ok {
		return p, nil
	}
	rolled, err := v.phasesAt(step)
	if err != nil {
		return nil, err
	}
	period := rule.Window(v.to).Period
	out := newPhases(period, step)
	begin := floor(v.from.Unix()-v.lookback(0), period)
	if len(rolled) > 0 {
		begin = earliest(rolled, begin)
	}
	env := &alarm.Env{Tenant: v.tenant}
	for k := range out.points {
		cursors := make([]int, len(rolled))
		for start := begin + int64(k)*step; start < v.to.Unix(); {
			w := alarm.Window{Period: period}
			for len(w.Starts) < comparedPeriods && start < v.to.Unix() {
				w.Starts = append(w.Starts, start)
				start += period
			}
			w.End = start
			data := make([][]alarm.Point, len(rolled))
			for i := range rolled {
				points := rolled[i].points[k]
				first := cursors[i]
				for cursors[i] < len(points) && points[cursors[i]].Start < w.End {
					cursors[i]++
				}
				data[i] = points[first:cursors[i]]
			}
			c, err := rule.Compared(ctx, v.to, w, data, env)
			if err != nil {
				return nil, err
			}
			out.points[k] = append(out.points[k], c.Points...)
		}
	}
	v.compared[step] = out
	return out, nil
}

// earliest is the first period of any input, or begin.
func earliest(rolled []*phases, begin int64) int64 {
	for _, p := range rolled {
		for _, points := range p.points {
			if len(points) > 0 {
				begin = min(begin, floor(points[0].Start, p.period))
			}
		}
	}
	return begin
}

var (
	call = regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_]*)\s*\(\s*(\[|METRICS\s*\()?`)
	fill = regexp.MustCompile(`FILL\(\s*[a-z][A-Za-z0-9_]*\s*,\s*-?[0-9.]+\s*\)`)
)

// pointwise is whether the expressions of an alarm come to a value at each period that depends on that period's data only.
// Functions that may look further are not.
func pointwise(queries []alarm.Query) bool {
	for i := range queries {
		text := queries[i].Expression
		if text == "" {
			continue
		}
		if strings.Contains(strings.ToUpper(text), "SELECT") {
			return false
		}
		text = fill.ReplaceAllString(text, "x")
		for _, m := range call.FindAllStringSubmatch(text, -1) {
			switch m[1] {
			case "ABS", "CEIL", "FLOOR", "LOG", "LOG10", "IF", "METRICS", "AND", "OR", "TIME_SERIES":
			case "SUM", "MIN", "MAX", "AVG":
				if m[2] == "" {
					return false // of one series: a number for all of the window
				}
			default:
				return false
			}
		}
	}
	return true
}
