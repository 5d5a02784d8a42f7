// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/insights"
)

// verifyLogs reads every stream back and compares the events' texts.
func (e *emitter) verifyLogs(ctx context.Context) ([]check, error) {
	var out []check
	for _, s := range sortedKeys(e.ledger.logs) {
		got, err := e.readStream(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("FilterLogEvents %s: %w", s.Group, err)
		}
		sent := e.ledger.logs[s]
		why := difference(sent, got, s.OTLP)
		out = append(out, check{
			What: s.Group, How: s.How, Read: "FilterLogEvents",
			Sent: count(len(sent)) + " events", Got: count(len(got)) + " events", OK: why == "", Why: why,
		})
	}
	return out, nil
}

func (e *emitter) readStream(ctx context.Context, s logStream) ([]string, error) {
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(e.logs, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: &s.Group, LogStreamNames: []string{s.Stream}, StartTime: aws.Int64(e.shop.Start.UnixMilli()),
	})
	var got []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, ev := range page.Events {
			got = append(got, aws.ToString(ev.Message))
		}
	}
	return got, nil
}

// difference says how two multisets of texts differ, "" when they do not.
func difference(sent, got []string, otlp bool) string {
	missing := map[string]int{}
	for _, s := range sent {
		missing[canonical(s, otlp)]++
	}
	extra := ""
	for _, g := range got {
		g = canonical(g, otlp)
		if missing[g] == 0 {
			extra = g
			continue
		}
		missing[g]--
	}
	for m, n := range missing {
		if n > 0 {
			return fmt.Sprintf("missing: %.160s", m)
		}
	}
	if extra != "" {
		return fmt.Sprintf("never sent: %.160s", extra)
	}
	return ""
}

// canonical is what is compared of an event: all of it, or of an OTLP record its body and attributes in one spelling.
func canonical(s string, otlp bool) string {
	if !otlp {
		return s
	}
	var r otlpRecord
	if json.Unmarshal([]byte(s), &r) != nil {
		return s
	}
	b, err := json.Marshal(r)
	if err != nil {
		return s
	}
	return string(b)
}

// errorsQuery is the table of errors; people may try it themselves. What an OpenTelemetry application says of itself is
// in its records' attributes.
func errorsQuery(run string) string {
	return `filter @logStream = "` + streamOf(run) + `" and level = "ERROR"` +
		` | fields coalesce(error, attributes.error) as cause, coalesce(duration_ms, attributes.duration_ms) as ms` +
		` | stats count(*) as errors, avg(ms) as avg_ms, max(ms) as max_ms by service, cause` +
		` | sort errors desc`
}

// queryErrors runs it.
func (e *emitter) queryErrors(ctx context.Context) (*insights.Result, error) {
	start, end := e.window()
	return insights.Run(ctx, e.logs, insights.Query{
		Text: errorsQuery(e.shop.Run), Groups: Groups(), Start: start, End: end,
	})
}

// verifyErrors compares the table of errors with what was sent.
func (e *emitter) verifyErrors(ctx context.Context) ([]check, error) {
	want := e.expectedErrors()
	result, err := e.queryErrors(ctx)
	if err != nil {
		return nil, err
	}
	got := map[errorKey]int{}
	total := 0
	for i := range result.Rows {
		n, err := strconv.Atoi(result.Value(i, "errors"))
		if err != nil {
			return nil, fmt.Errorf("row %d of the table of errors: %w", i, err)
		}
		got[errorKey{result.Value(i, "service"), result.Value(i, "cause")}] += n
		total += n
	}
	sent, why := 0, ""
	for k, n := range want {
		sent += n
		if got[k] != n {
			why = fmt.Sprintf("%s %s: %d, want %d", k.Service, k.Error, got[k], n)
		}
	}
	if why == "" && len(got) != len(want) {
		why = fmt.Sprintf("%d rows, want %d", len(got), len(want))
	}
	return []check{{
		What: "errors by service", How: "JSON logs", Read: "StartQuery", Sent: count(sent) + " errors", Got: count(total) + " errors", OK: why == "", Why: why,
	}}, nil
}
