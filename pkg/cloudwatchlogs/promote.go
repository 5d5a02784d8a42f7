// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatchlogs

import (
	"encoding/hex"
	"math"
)

// key is a top-level member of JSON messages that has a meaning here.
type key uint8

// The first six are promoted to columns; all but durationMs and status also say something of the log record.
const (
	keyOther key = iota
	keyLevel
	keyService
	keyTraceID
	keySpanID
	keyDurationMs
	keyStatus

	keySeverityText
	keySeverityTextSnake
	keyLogLevel
	keySeverity
	keyLvl
	keyLoglevel
	keyAtL
	keyTraceIDCamel
	keyOtelTraceID
	keyXrayTraceID
	keyTraceHeader
	keySpanIDCamel
	keyOtelSpanID
	keySegmentID

	keyCount
)

func keyOf(s string) key {
	switch s {
	case "level":
		return keyLevel
	case "service":
		return keyService
	case "trace_id":
		return keyTraceID
	case "span_id":
		return keySpanID
	case "duration_ms":
		return keyDurationMs
	case "status":
		return keyStatus
	case "severityText":
		return keySeverityText
	case "severity_text":
		return keySeverityTextSnake
	case "log.level":
		return keyLogLevel
	case "severity":
		return keySeverity
	case "lvl":
		return keyLvl
	case "loglevel":
		return keyLoglevel
	case "@l":
		return keyAtL
	case "traceId":
		return keyTraceIDCamel
	case "otelTraceID":
		return keyOtelTraceID
	case "xray_trace_id":
		return keyXrayTraceID
	case "X-Amzn-Trace-Id":
		return keyTraceHeader
	case "spanId":
		return keySpanIDCamel
	case "otelSpanID":
		return keyOtelSpanID
	case "SegmentId":
		return keySegmentID
	}
	return keyOther
}

// Equality says what a column tells of the JSON member that it was promoted from.
type Equality int

const (
	// EqualText: the column is the text of the member exactly as Logs Insights shows it. It is empty when, and only
	// when, the member is absent, null, an object, an array, or the empty text.
	EqualText Equality = iota
	// EqualNumber: the column is the member's number, also of a text that spells one. It is not set when, and only
	// when, the member is no number (for status: no whole number of 32 bits).
	EqualNumber
	// NarrowsOnly: the column is a normal form of the member. A condition on the member may be preceded by one on
	// the column, but has to be decided by the message.
	NarrowsOnly
)

// PromotedField is one column and the member it comes from.
type PromotedField struct {
	Column   string
	Key      string // top-level member of a message that is one JSON object, exact case
	Equality Equality
}

// PromotedFields are the members of JSON messages that [Promote] finds. Logs Insights answers from these columns
// without reading the message, so they keep the rules that package logsinsights states, to the letter: a test
// compares the two.
//
// A message that is not one JSON object from its first to its last character (white space around it aside) has none
// of them: not even when an object stands inside it, as in the text lines of Lambda functions. Of members with equal
// keys the first counts. A key is compared decoded, a member of a nested object is not looked at.
//
// A message that [FromLogs] composes of an OTLP record is such a message, and its columns are promoted from it by
// the same rules.
var PromotedFields = []PromotedField{
	{Column: "level", Key: "level", Equality: EqualText},
	{Column: "service", Key: "service", Equality: EqualText},
	{Column: "trace_id", Key: "trace_id", Equality: NarrowsOnly}, // 32 hex digits, lower case; X-Ray's 1-8-24 is accepted
	{Column: "span_id", Key: "span_id", Equality: NarrowsOnly},   // 16 hex digits, lower case
	{Column: "duration_ms", Key: "duration_ms", Equality: EqualNumber},
	{Column: "status", Key: "status", Equality: EqualNumber},
}

// Promoted are the columns of a message.
type Promoted struct {
	Level, Service, TraceID, SpanID string
	DurationMs                      *float64
	Status                          *int32
}

// Promote finds the columns of a message, by the rules of [PromotedFields].
func Promote(message string) Promoted {
	var found members
	if !scanObject(message, &found, 0) {
		return Promoted{}
	}
	p := Promoted{
		Level:   found[keyLevel].text(message),
		Service: found[keyService].text(message),
		TraceID: normalTraceID(found[keyTraceID].str(message)),
		SpanID:  normalSpanID(found[keySpanID].str(message)),
	}
	if f, ok := found[keyDurationMs].number(message); ok {
		p.DurationMs = &f
	}
	if f, ok := found[keyStatus].number(message); ok && f == math.Trunc(f) && math.Abs(f) <= math.MaxInt32 {
		status := int32(f)
		p.Status = &status
	}
	return p
}

// normalTraceID is the trace id in W3C's form, or "".
func normalTraceID(s string) string {
	var id [16]byte
	switch {
	case len(s) != 32 && len(s) != 35 || !readTraceID(&id, s):
		return ""
	case len(s) == 32 && !hasUpper(s):
		return s
	}
	return hex.EncodeToString(id[:])
}

// normalSpanID is the span id in lower case, or "".
func normalSpanID(s string) string {
	var id [8]byte
	switch {
	case len(s) != 16 || !unhex(id[:], s):
		return ""
	case !hasUpper(s):
		return s
	}
	return hex.EncodeToString(id[:])
}

func hasUpper(s string) bool {
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'Z' {
			return true
		}
	}
	return false
}

// class is what a member says of a log record; a set of bits.
type class uint8

const (
	classSeverity class = 1 << iota
	classTrace
	classSpan
	classAll = classSeverity | classTrace | classSpan
)

// classes are those of the members.
var classes = [keyCount]class{
	keySeverityText: classSeverity, keySeverityTextSnake: classSeverity, keyLevel: classSeverity, keyLogLevel: classSeverity,
	keySeverity: classSeverity, keyLvl: classSeverity, keyLoglevel: classSeverity, keyAtL: classSeverity,
	keyTraceIDCamel: classTrace, keyTraceID: classTrace, keyOtelTraceID: classTrace, keyXrayTraceID: classTrace, keyTraceHeader: classTrace,
	keySpanIDCamel: classSpan, keySpanID: classSpan, keyOtelSpanID: classSpan, keySegmentID: classSpan,
}

// recordContext is what a JSON message says of its log record.
type recordContext struct {
	level             string
	trace             [16]byte
	span              [8]byte
	hasTrace, hasSpan bool
}

// contextOf reads severity, trace and span of a message that is a JSON object, each from the first member that has it,
// in the order of the names here. A long message is read only until it has told all three.
func contextOf(message string) (c recordContext) {
	var found members
	if !scanObject(message, &found, classAll) {
		return c
	}
	for k := range keyCount {
		v := found[k]
		if v.kind == leafNone {
			continue
		}
		switch classes[k] {
		case classSeverity:
			if c.level == "" {
				c.level = v.text(message)
			}
		case classTrace:
			if !c.hasTrace {
				c.trace, c.hasTrace = TraceID(v.str(message))
			}
		case classSpan:
			if !c.hasSpan {
				c.span, c.hasSpan = SpanID(v.str(message))
			}
		}
	}
	if v := found[keyTraceHeader]; !c.hasSpan && v.kind != leafNone {
		if parent, ok := headerPart(v.str(message), "Parent="); ok {
			c.span, c.hasSpan = SpanID(parent)
		}
	}
	return c
}
