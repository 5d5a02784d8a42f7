// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/spf13/cobra"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/insights"
	"github.com/nephoscope/nephoscope/cmd/neph/internal/terminal"
	"github.com/nephoscope/nephoscope/cmd/neph/internal/timearg"
)

type queryOptions struct {
	groups     []string
	start, end string
	limit      int32
	output     string
}

func newQuery(a *app) *cobra.Command {
	var o queryOptions
	cmd := &cobra.Command{
		Use:   "query QUERY --log-group GROUP",
		Short: "Run a Logs Insights query and show its rows",
		Example: `  neph query 'stats count(*) by service' --log-group /shop/orders --log-group /shop/payments --since 2h
  neph query 'fields @timestamp, @message | filter level = "ERROR" | limit 20' --log-group /shop/orders`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runQuery(cmd, a, o, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&o.groups, "log-group", "g", nil, "log group; may be given again")
	flags.StringVar(&o.start, "since", "1h", "first time: how long ago (30m, 2h, 3d) or when (2026-11-21T14:05:00Z)")
	flags.StringVar(&o.end, "until", "now", "last time, given in the same way")
	flags.Int32Var(&o.limit, "limit", 0, "most rows (default: the service's)")
	flags.StringVarP(&o.output, "output", "o", "table", "table, json or csv")
	return cmd
}

func runQuery(cmd *cobra.Command, a *app, o queryOptions, text string) error {
	now := time.Now()
	start, err := timearg.Parse(o.start, now)
	if err != nil {
		return fmt.Errorf("--since: %w", err)
	}
	end, err := timearg.Parse(o.end, now)
	if err != nil {
		return fmt.Errorf("--until: %w", err)
	}
	if len(o.groups) == 0 && !strings.HasPrefix(strings.ToUpper(strings.TrimSpace(text)), "SOURCE") {
		return errors.New("--log-group is required")
	}
	write, ok := resultWriters[o.output]
	if !ok {
		return fmt.Errorf("--output: %q is not table, json or csv", o.output)
	}
	began := time.Now()
	result, err := insights.Run(cmd.Context(), cloudwatchlogs.NewFromConfig(a.target.Config()),
		insights.Query{Text: text, Groups: o.groups, Start: start, End: end, Limit: o.limit})
	if err != nil {
		return a.explain(err)
	}
	return write(terminal.NewOutput(a.stdout, a.getenv), result, time.Since(began))
}

var resultWriters = map[string]func(terminal.Output, *insights.Result, time.Duration) error{
	"table": writeTable, "json": writeJSON, "csv": writeCSV,
}

func writeTable(out terminal.Output, r *insights.Result, took time.Duration) error {
	width := 0
	if out.Interactive {
		width = out.Width
	}
	table := terminal.Table{Header: r.Columns, Rows: r.Rows, Width: width}.Render(out.Style)
	s := r.Statistics
	_, err := io.WriteString(out, table+out.Dim(fmt.Sprintf("%d rows; %.0f records matched of %.0f scanned (%s) in %s",
		len(r.Rows), s.RecordsMatched, s.RecordsScanned, formatBytes(s.BytesScanned), took.Round(time.Millisecond)))+"\n")
	return err
}

func writeJSON(out terminal.Output, r *insights.Result, _ time.Duration) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for _, row := range r.Rows {
		object := make(map[string]string, len(row))
		for i, v := range row {
			if v != "" {
				object[r.Columns[i]] = v
			}
		}
		if err := enc.Encode(object); err != nil {
			return err
		}
	}
	return nil
}

func writeCSV(out terminal.Output, r *insights.Result, _ time.Duration) error {
	w := csv.NewWriter(out)
	if err := w.Write(r.Columns); err != nil {
		return err
	}
	for _, row := range r.Rows {
		for len(row) < len(r.Columns) {
			row = append(row, "")
		}
		if err := w.Write(row); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

func formatBytes(n float64) string {
	for _, unit := range []string{"B", "kB", "MB", "GB"} {
		if n < 1000 {
			return fmt.Sprintf("%.3g %s", n, unit)
		}
		n /= 1000
	}
	return fmt.Sprintf("%.3g TB", n)
}
