// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/terminal"
)

// report shows what the AWS APIs answer, as a person wants to see it.
type report struct {
	emitter *emitter
	out     terminal.Output
}

const chartHeight = 14

// show draws the graph, the table and the trace, and returns the trace's id.
func (r report) show(ctx context.Context) (trace string, err error) {
	for _, part := range []func(context.Context) error{r.latency, r.errors} {
		if err := part(ctx); err != nil {
			return "", err
		}
	}
	return r.trace(ctx)
}

func (r report) heading(title, operation string) {
	r.out.Printf("%s\n\n", strings.TrimRight(r.out.Bold(title)+"  "+r.out.Dim(operation), " "))
}

func (r report) indent(text string) {
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		r.out.Println("  " + line)
	}
	r.out.Println()
}

func (r report) latency(ctx context.Context) error {
	g, err := r.emitter.readGraph(ctx)
	if err != nil {
		return err
	}
	series := []terminal.Series{
		{Name: "Average", Color: terminal.ColorBlue, Fill: true},
		{Name: "p99", Color: terminal.ColorYellow},
	}
	for i, t := range g.times {
		t = t.In(r.emitter.shop.Start.Location())
		series[0].Points = append(series[0].Points, terminal.Point{Time: t, Value: g.average[i]})
		series[1].Points = append(series[1].Points, terminal.Point{Time: t, Value: g.p99[i]})
	}
	r.heading("A metric", "cloudwatch GetMetricData")
	r.indent(terminal.Chart{
		Title: namespace + " OrderLatency", Format: terminal.FormatMilliseconds, Series: series,
		Start: r.emitter.shop.Start, End: r.emitter.shop.End, Period: time.Minute,
		Width: r.out.Width - 2, Height: chartHeight,
	}.Render(r.out.Style))
	return nil
}

func (r report) errors(ctx context.Context) error {
	result, err := r.emitter.queryErrors(ctx)
	if err != nil {
		return err
	}
	r.heading("Errors by service", "logs StartQuery, GetQueryResults")
	r.indent(r.out.Dim(strings.ReplaceAll(errorsQuery(r.emitter.shop.Run), " | ", "\n| ")))
	for i := range result.Rows {
		for c, name := range result.Columns {
			if name == "avg_ms" {
				if v, err := strconv.ParseFloat(result.Rows[i][c], 64); err == nil {
					result.Rows[i][c] = strconv.FormatFloat(v, 'f', 1, 64)
				}
			}
		}
	}
	r.indent(terminal.Table{
		Header: result.Columns, Rows: result.Rows, Width: r.out.Width - 2,
		Cell: func(_, column int, text string) string {
			if result.Columns[column] == "errors" {
				return r.out.Color(terminal.ColorRed, text)
			}
			return text
		},
	}.Render(r.out.Style))
	return nil
}

// trace draws the slowest order that failed, or the slowest of all when none did.
func (r report) trace(ctx context.Context) (string, error) {
	var pick *Order
	for i := range r.emitter.shop.Minutes {
		for j := range r.emitter.shop.Minutes[i].Orders {
			o := &r.emitter.shop.Minutes[i].Orders[j]
			if pick == nil || o.OrdersSpan.Duration > pick.OrdersSpan.Duration {
				pick = o
			}
		}
	}
	if pick == nil {
		return "", nil
	}
	id := pick.Trace.XRay()
	r.heading("A trace", "xray BatchGetTraces "+id)
	return id, r.emitter.readTraces(ctx, []string{id}, func(_ string, docs []document) {
		r.indent(terminal.Waterfall{Roots: waterfall(docs), Width: r.out.Width - 2}.Render(r.out.Style))
	})
}

// checks shows what was compared.
func (r report) checks(checks []check) {
	r.heading("Sent and read back", "")
	table := terminal.Table{Header: []string{"", "what", "sent by", "read by", "sent and read"}, Width: r.out.Width - 2}
	var why []string
	for _, c := range checks {
		mark, result := "✓", c.Sent
		if !c.OK {
			mark, result = "✗", "sent "+c.Sent+", read "+c.Got
			why = append(why, c.What+": "+c.Why)
		}
		table.Rows = append(table.Rows, []string{mark, c.What, c.How, c.Read, result})
	}
	table.Cell = func(row, column int, text string) string {
		switch {
		case !checks[row].OK:
			return r.out.Color(terminal.ColorRed, text)
		case column == 0:
			return r.out.Color(terminal.ColorGreen, text)
		}
		return text
	}
	r.indent(table.Render(r.out.Style))
	for _, w := range why {
		r.indent(r.out.Color(terminal.ColorRed, "✗") + " " + terminal.Printable(w))
	}
}
