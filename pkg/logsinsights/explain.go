// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"strings"
)

// Explain says which part of the query runs where, and what the store is asked: one line for each command, then
// the conditions and the statement.
func (p *Plan) Explain() string {
	pl, err := p.pipeline()
	if err != nil {
		return err.Error()
	}
	push := p.lower(pl, p.opt.Groups)
	var b strings.Builder
	width := 0
	for _, n := range push.notes {
		width = max(width, len(n.where))
	}
	for _, n := range push.notes {
		b.WriteString(n.where + strings.Repeat(" ", width-len(n.where)) + "  " + n.command + "\n")
	}
	line := func(name, text string) {
		if text != "" {
			b.WriteString(name + ": " + text + "\n")
		}
	}
	texts := make([]string, len(push.contains))
	for i, t := range push.contains {
		texts[i] = quoteText(t)
	}
	line("messages contain", strings.Join(texts, ", "))
	line("trace id", push.traceID)
	if push.agg != nil {
		line("select", strings.Join(push.agg.sel, ", "))
	}
	line("where", push.where)
	if push.agg != nil {
		line("tail", push.agg.tail)
		return b.String()
	}
	if pl.descending {
		line("read", "newest first")
	} else {
		line("read", "oldest first")
	}
	if push.limit > 0 {
		line("rows", "at most "+itoa(push.limit))
	}
	return b.String()
}
