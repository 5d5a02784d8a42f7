// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"context"
	"time"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/alarms/plot"
	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// maxPanelPeriods bounds what is compared for a plot.
const maxPanelPeriods = 100_000

// Panel is the alarm over the past, for a plot. What cannot be compared as a whole has its states only.
func (o *Outcome) Panel(ctx context.Context, from, to time.Time) *plot.Panel {
	p := &plot.Panel{Title: o.Definition.Alarm.Name, Start: from, End: to, States: Spans(o.Transitions, from, to)}
	m := o.Definition.Alarm.Metric
	if m == nil || m.WallClock != nil || o.evaluator == nil {
		return p
	}
	p.Threshold = m.Threshold
	v := o.evaluator
	rule, err := alarm.NewRule(m) //nolint:contextcheck // it reads nothing
	if err != nil || rule.MultiSeries() {
		return p
	}
	rolled, err := v.phasesAt(stepOf(rule))
	if err != nil {
		return p
	}
	period := rule.Window(to).Period
	p.Period = time.Duration(period) * time.Second
	w := alarm.Window{Period: period, End: floor(to.Unix()+period-1, period)}
	for at := max(floor(from.Unix(), period), w.End-maxPanelPeriods*period); at < w.End; at += period {
		w.Starts = append(w.Starts, at)
	}
	data := make([][]alarm.Point, len(rolled))
	for i := range rolled {
		data[i] = rolled[i].points[0]
	}
	c, err := rule.Compared(ctx, to, w, data, &alarm.Env{Tenant: v.tenant, Bands: v.bands, Insights: v.insights})
	if err != nil {
		return p
	}
	for _, q := range c.Points {
		if q.Start >= w.Starts[0] && q.Start < w.End {
			p.Points = append(p.Points, plot.Point{Time: time.Unix(q.Start, 0).UTC(), Value: q.Value})
		}
	}
	for i := range c.Lower {
		at := time.Unix(w.Starts[i], 0).UTC()
		p.Lower, p.Upper = append(p.Lower, plot.Point{Time: at, Value: c.Lower[i]}), append(p.Upper, plot.Point{Time: at, Value: c.Upper[i]})
	}
	return p
}
