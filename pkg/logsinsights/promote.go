// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"math"
	"strings"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/logsinsights/jsonscan"
)

// Promoted is what a message gives to the typed columns of its log record.
//
// The planner answers a query from these columns, without reading the message, when [Options].Promoted says
// that whoever wrote the store kept these rules:
//
//   - A message that is one JSON object decides about a column by its key at the top level, of equal keys the
//     first one: level, service, trace_id, duration_ms, status. What it gives is kept as it is: no other
//     case, no other name for a level.
//   - Level and Service are the text of their field: a string, the digits of a number, 1 or 0 for a boolean.
//     Null, an empty string, maps and lists give nothing.
//   - DurationMs is set when and only when duration_ms is a number or a string that spells one.
//   - Status is set when status is such a number, whole and within 32 bits.
//   - TraceID is set when trace_id is a string that spells a trace id, of W3C or of X-Ray, and then it is that
//     id in 32 lower-case hexadecimal digits.
//   - Level and Service may come from elsewhere (the severity and the resource of an OpenTelemetry record) when the
//     message gives nothing. The others may not.
//
// To a query the fields level and service are then the columns, an empty one is missing; trace_id, duration_ms and
// status stay fields of the message, but a duration_ms that is true or false is missing.
type Promoted struct {
	Level, Service string
	TraceID        string
	DurationMs     *float64
	Status         *int32
	// Object is whether the message is one JSON object.
	Object bool
}

var promotedTree = func() *pathTree {
	t := &pathTree{}
	for n, name := range []string{"level", "service", "trace_id", "duration_ms", "status"} {
		t.add(name, n)
	}
	return t
}()

// Promote reads the promoted fields of a message.
func Promote(message string) Promoted {
	begin := jsonscan.SkipSpace(message, 0)
	if begin == len(message) || message[begin] != '{' {
		return Promoted{}
	}
	var (
		values [5]value
		ranks  [5]int
	)
	f := found{values: values[:], ranks: ranks[:]}
	if !promotedTree.scan(message, &f) {
		return Promoted{}
	}
	p := Promoted{Object: true}
	p.Level, _ = f.values[0].asText()
	p.Service, _ = f.values[1].asText()
	if f.values[2].kind == text {
		p.TraceID, _ = NormalizeTraceID(f.values[2].str)
	}
	if d, ok := f.values[3].asNumber(); ok && f.values[3].kind != boolean {
		p.DurationMs = &d
	}
	if s, ok := f.values[4].asNumber(); ok && f.values[4].kind != boolean && s == math.Trunc(s) && math.Abs(s) <= math.MaxInt32 {
		n := int32(s)
		p.Status = &n
	}
	return p
}

// NormalizeTraceID brings a trace id to 32 lower-case hexadecimal digits: W3C's form as it is, X-Ray's
// 1-8-24 form without its version and hyphens.
func NormalizeTraceID(s string) (string, bool) {
	if len(s) == 35 && s[0] == '1' && s[1] == '-' && s[10] == '-' {
		s = s[2:10] + s[11:]
	}
	if len(s) != 32 {
		return "", false
	}
	upper := false
	for i := range len(s) {
		switch c := s[i]; {
		case isDigit(c) || c >= 'a' && c <= 'f':
		case c >= 'A' && c <= 'F':
			upper = true
		default:
			return "", false
		}
	}
	if upper {
		s = strings.ToLower(s)
	}
	return s, true
}

// promotedField reads a field from its column.
func (e *eventReader) promotedField(name string) func(*row) value {
	n := e.want(name)
	column := func(get func(*store.LogRecord) string) func(*row) value {
		return func(r *row) value {
			if s := get(r.rec); s != "" || !isLambdaGroup(r.rec.Group) {
				return presentText(s)
			}
			// An object inside a line of a Lambda function is not promoted.
			if v := r.discovered(n); v.kind != text || v.str != "" {
				return v
			}
			return value{}
		}
	}
	switch name {
	case "level":
		return column(func(rec *store.LogRecord) string { return rec.Level })
	case "service":
		return column(func(rec *store.LogRecord) string { return rec.Service })
	case "duration_ms":
		return func(r *row) value {
			if v := r.discovered(n); v.kind != boolean || isLambdaGroup(r.rec.Group) {
				return v
			}
			return value{} // no number, so the column has nothing, and nothing else says that it is there
		}
	}
	return nil
}
