// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package unittest

import (
	"context"
	"time"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/alarms/plot"
	"github.com/nephoscope/nephoscope/cmd/neph/internal/alarms/simulation"
	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// maxPlotPeriods bounds a plot: more are not seen.
const maxPlotPeriods = 5_000

// panel is what an alarm compared during the test, and its states. A composite alarm has states only.
func (r *run) panel(ctx context.Context, name string) *plot.Panel {
	t := r.test
	d := r.file.alarm(name)
	p := &plot.Panel{Title: name, Start: t.start, End: t.end, States: r.spans(name)}
	if d == nil || d.Metric == nil {
		return p
	}
	rule, err := alarm.NewRule(d.Metric) //nolint:contextcheck // it reads nothing
	if err != nil {
		return p
	}
	w := rule.Window(t.end)
	p.Period = time.Duration(w.Period) * time.Second
	end := (t.end.Unix() + w.Period - 1) / w.Period * w.Period
	start := max(t.start.Unix()/w.Period*w.Period, end-maxPlotPeriods*w.Period)
	w.Starts, w.End = nil, end
	for at := start; at < end; at += w.Period {
		w.Starts = append(w.Starts, at)
	}
	data, err := simulation.Points(ctx, r.memory, r.file.tenant, rule.Inputs(), start, end)
	if err != nil {
		return p
	}
	bands, insights := simulation.Sources(r.memory)
	compared, err := rule.Compared(ctx, t.end, w, data, &alarm.Env{Tenant: r.file.tenant, Bands: bands, Insights: insights})
	if err != nil {
		return p
	}
	for _, q := range compared.Points {
		p.Points = append(p.Points, plot.Point{Time: time.Unix(q.Start, 0), Value: q.Value})
	}
	if compared.Lower == nil {
		p.Threshold = d.Metric.Threshold
		return p
	}
	for i, at := range w.Starts {
		p.Lower = append(p.Lower, plot.Point{Time: time.Unix(at, 0), Value: compared.Lower[i]})
		p.Upper = append(p.Upper, plot.Point{Time: time.Unix(at, 0), Value: compared.Upper[i]})
	}
	return p
}

func (r *run) spans(name string) []plot.Span {
	t := r.test
	state, from := alarm.StateInsufficientData, t.start
	var out []plot.Span
	for _, c := range r.states[name] {
		at := t.start.Add(c.at)
		out = append(out, plot.Span{From: from, To: at, State: state})
		state, from = c.to, at
	}
	return append(out, plot.Span{From: from, To: t.end, State: state})
}
