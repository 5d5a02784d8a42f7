// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"time"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/terminal"
)

// waterfall arranges a trace's documents as spans: each segment below the subsegment that called it.
func waterfall(docs []document) []terminal.Span {
	children := map[string][]document{} // segments and independent subsegments by parent
	known := map[string]bool{}
	collectIDs(docs, known)
	var roots []document
	for _, d := range docs {
		nested := d.ParentID != "" && known[d.ParentID] && d.ParentID != d.ID
		switch {
		case nested && d.Inferred:
			// X-Ray made it of the subsegment that is drawn already.
		case nested:
			children[d.ParentID] = append(children[d.ParentID], d)
		default:
			roots = append(roots, d)
		}
	}
	// A document is drawn once, so that ids that refer to each other in a circle end.
	drawn := map[string]bool{}
	var spans func(docs []document, embedded bool) []terminal.Span
	spans = func(docs []document, embedded bool) []terminal.Span {
		var out []terminal.Span
		for _, d := range docs {
			if drawn[d.ID] {
				continue
			}
			drawn[d.ID] = true
			s := d.span(embedded || d.Type == "subsegment")
			s.Children = append(spans(d.Subsegments, true), spans(children[d.ID], false)...)
			out = append(out, s)
		}
		return out
	}
	return spans(roots, false)
}

func (d document) span(subsegment bool) terminal.Span {
	s := terminal.Span{Name: d.Name, Start: parseEpoch(string(d.Start)), End: parseEpoch(string(d.End))}
	switch {
	case d.Fault:
		s.Status = terminal.StatusFault
	case d.Throttle:
		s.Status = terminal.StatusThrottle
	case d.Error:
		s.Status = terminal.StatusError
	}
	if d.HTTP != nil && d.HTTP.Response != nil && d.HTTP.Response.Status >= 400 {
		s.Note = strconv.Itoa(d.HTTP.Response.Status)
	}
	if d.Cause != nil && len(d.Cause.Exceptions) > 0 && d.Cause.Exceptions[0].Type != "" {
		s.Note = d.Cause.Exceptions[0].Type
	}
	if d.InProgress {
		s.Note = "in progress"
	}
	switch {
	case !subsegment && d.HTTP != nil && d.HTTP.Request != nil:
		s.Kind = d.HTTP.Request.Method + " " + path(d.HTTP.Request.URL)
	case d.AWS["operation"] != nil:
		s.Kind = fmt.Sprint(d.AWS["operation"])
	case d.Namespace != "":
		s.Kind = d.Namespace + " call"
	}
	return s
}

func path(raw string) string {
	if u, err := url.Parse(raw); err == nil && u.Path != "" {
		return u.Path
	}
	return raw
}

// parseEpoch reads seconds with a fraction, to the microsecond; what is not a time is the zero time.
func parseEpoch(s string) time.Time {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= 0 && f <= math.MaxInt32*1000.0) { // NaN is neither
		return time.Time{}
	}
	return time.UnixMicro(int64(math.Round(f * 1e6)))
}
