// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/terminal"
	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// ReportOptions are how a report is written.
type ReportOptions struct {
	// Transitions is how many transitions of each alarm are shown, the last ones; 0 is all.
	Transitions int
	// Plot draws the alarms.
	Plot bool
}

const plotLines = 8

// Write writes the report for people.
func (r *Report) Write(ctx context.Context, out terminal.Output, o ReportOptions) {
	out.Printf("%s – %s UTC\n\n", r.From.UTC().Format("2006-01-02 15:04"), r.To.UTC().Format("2006-01-02 15:04"))
	r.writeSummary(out)
	for _, a := range r.Alarms {
		name := a.Definition.Alarm.Name
		if len(a.Transitions) == 0 && !o.Plot && a.Variants == nil {
			continue
		}
		out.Printf("\n%s\n", out.Bold(terminal.Printable(name)))
		if o.Plot {
			panel := a.Panel(ctx, r.From, r.To)
			panel.Title = ""
			out.Printf("%s", panel.Terminal(out.Style, out.Width, plotLines))
		}
		a.writeTransitions(out, o.Transitions)
		a.writeVariants(out, r)
	}
}

func (r *Report) writeSummary(out terminal.Output) {
	t := terminal.Table{Header: []string{"alarm", "state", "alarms", "flaps", "in ALARM", "%", "longest", "in OK", "no data"}, Width: out.Width}
	for _, a := range r.Alarms {
		t.Rows = append(t.Rows, append([]string{a.Definition.Alarm.Name, string(a.Summary.State)}, a.Summary.cells(r)...))
	}
	out.Printf("%s", t.Render(out.Style))
}

// cells are alarms, flaps, time in ALARM, its part, the longest, and the time in the other states.
func (s *Summary) cells(r *Report) []string {
	in := s.In[alarm.StateAlarm]
	return []string{
		strconv.Itoa(s.Alarms), strconv.Itoa(s.Flaps), duration(in), percent(in, r.To.Sub(r.From)), duration(s.LongestAlarm),
		duration(s.In[alarm.StateOK]), duration(s.In[alarm.StateInsufficientData]),
	}
}

func percent(part, all time.Duration) string {
	return strconv.FormatFloat(100*float64(part)/float64(all), 'f', 2, 64)
}

// duration writes a duration as people say it: 3d 4h, 12m.
func duration(d time.Duration) string {
	if d == 0 {
		return "–"
	}
	d = d.Round(time.Second)
	var parts []string
	for _, u := range []struct {
		size time.Duration
		unit string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if n := d / u.size; n > 0 {
			parts = append(parts, strconv.FormatInt(int64(n), 10)+u.unit)
			d -= n * u.size
		}
		if len(parts) == 2 {
			break
		}
	}
	return strings.Join(parts, " ")
}

func (o *Outcome) writeTransitions(out terminal.Output, limit int) {
	list := o.Transitions
	if limit > 0 && len(list) > limit {
		out.Printf("%s\n", out.Dim(fmt.Sprintf("… %d earlier transitions", len(list)-limit)))
		list = list[len(list)-limit:]
	}
	for _, t := range list {
		color := terminal.ColorGreen
		switch t.To {
		case alarm.StateAlarm:
			color = terminal.ColorRed
		case alarm.StateInsufficientData:
			color = terminal.ColorYellow
		}
		reason := terminal.Printable(t.Reason)
		if out.Interactive {
			reason = terminal.Truncate(reason, max(20, out.Width-42))
		}
		out.Printf("  %s  %s  %s\n", t.Time.UTC().Format("2006-01-02 15:04:05"), out.Color(color, fmt.Sprintf("%-17s", t.To)), out.Dim(reason))
	}
}

func (o *Outcome) writeVariants(out terminal.Output, r *Report) {
	if len(o.Variants) == 0 {
		return
	}
	t := terminal.Table{Header: []string{"threshold", "M", "of N", "alarms", "flaps", "in ALARM", "%", "longest", ""}, Width: out.Width}
	for i := range o.Variants {
		v := &o.Variants[i]
		threshold, own := "band", ""
		if v.Threshold != nil {
			threshold = strconv.FormatFloat(*v.Threshold, 'g', -1, 64)
		}
		if v.Own {
			own = "← as it is"
		}
		cells := append([]string{threshold, strconv.Itoa(int(v.DatapointsToAlarm)), strconv.Itoa(int(v.EvaluationPeriods))}, v.Summary.cells(r)[:5]...)
		t.Rows = append(t.Rows, append(cells, own))
	}
	out.Printf("\n%s", t.Render(out.Style))
}

// The report as JSON.
type jsonReport struct {
	From   time.Time   `json:"from"`
	To     time.Time   `json:"to"`
	Alarms []jsonAlarm `json:"alarms"`
}

type jsonAlarm struct {
	Name        string           `json:"name"`
	File        string           `json:"file"`
	Line        int              `json:"line"`
	Transitions []jsonTransition `json:"transitions"`
	jsonSummary
	WhatIf []jsonVariant `json:"whatIf,omitempty"`
}

type jsonTransition struct {
	Time   time.Time   `json:"time"`
	From   alarm.State `json:"from"`
	To     alarm.State `json:"to"`
	Reason string      `json:"reason"`
}

type jsonSummary struct {
	State        alarm.State             `json:"state"`
	Alarms       int                     `json:"alarms"`
	Flaps        int                     `json:"flaps"`
	Seconds      map[alarm.State]float64 `json:"secondsInState"`
	LongestAlarm float64                 `json:"longestAlarmSeconds"`
}

type jsonVariant struct {
	Threshold         *float64 `json:"threshold,omitempty"`
	EvaluationPeriods int32    `json:"evaluationPeriods"`
	DatapointsToAlarm int32    `json:"datapointsToAlarm"`
	AsItIs            bool     `json:"asItIs,omitempty"`
	jsonSummary
}

func (s *Summary) json() jsonSummary {
	out := jsonSummary{State: s.State, Alarms: s.Alarms, Flaps: s.Flaps, Seconds: map[alarm.State]float64{}, LongestAlarm: s.LongestAlarm.Seconds()}
	for state, d := range s.In {
		out.Seconds[state] = d.Seconds()
	}
	return out
}

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	out := jsonReport{From: r.From.UTC(), To: r.To.UTC(), Alarms: []jsonAlarm{}}
	for _, a := range r.Alarms {
		j := jsonAlarm{
			Name: a.Definition.Alarm.Name, File: a.Definition.Source.File, Line: a.Definition.Source.Line,
			Transitions: []jsonTransition{}, jsonSummary: a.Summary.json(),
		}
		for _, t := range a.Transitions {
			j.Transitions = append(j.Transitions, jsonTransition{t.Time.UTC(), t.From, t.To, t.Reason})
		}
		for i := range a.Variants {
			v := &a.Variants[i]
			j.WhatIf = append(j.WhatIf, jsonVariant{v.Threshold, v.EvaluationPeriods, v.DatapointsToAlarm, v.Own, v.Summary.json()})
		}
		out.Alarms = append(out.Alarms, j)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
