// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package unittest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/terminal"
)

// maxPlots is how many alarms of one failed test are drawn.
const maxPlots = 3

// plotLines is how high a plot is.
const plotLines = 8

// Report writes what came of a test: a line for one that passed (when verbose), everything for one that failed.
func (r *Result) Report(ctx context.Context, out terminal.Output, verbose bool) {
	if !r.Failed() {
		if verbose {
			out.Printf("%s %s › %s\n", out.Color(terminal.ColorGreen, "✓"), r.File.Path, r.Test.Name)
		}
		return
	}
	out.Printf("%s %s › %s\n", out.Color(terminal.ColorRed, "✗"), r.File.Path, out.Bold(r.Test.Name))
	if r.Err != nil {
		out.Printf("  %s:%d: %v\n", r.File.Path, r.Test.Line, r.Err)
		return
	}
	var shown []string
	for _, f := range r.Failures {
		out.Printf("  %s\n", strings.ReplaceAll(r.describe(&f), "\n", "\n  "))
		if !slices.Contains(shown, f.Alarm) {
			shown = append(shown, f.Alarm)
		}
	}
	for i, name := range shown {
		if i == maxPlots {
			break
		}
		out.Printf("\n  %s  %s\n", out.Bold(name), "transitions: "+showChanges(r.run.states[name]))
		panel := r.run.panel(ctx, name)
		panel.Title = ""
		text := panel.Terminal(out.Style, out.Width-2, plotLines)
		out.Printf("  %s\n", strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  "))
	}
	out.Println()
}

// describe is a failure as text, the place first.
func (r *Result) describe(f *Failure) string {
	return fmt.Sprintf("%s:%d: at %s, %s: %s", r.File.Path, f.Line, showDuration(f.At), f.Alarm, strings.Join(f.Messages, "\n        "))
}
