// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatchlogs

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// maxValueDepth bounds the nesting of attribute and body values; records that are deeper are rejected.
const maxValueDepth = 128

// document is a record with all that it has, as a JSON object.
func (sc *scope) document(r plog.LogRecord) string {
	b := sc.buf[:0]
	b = append(b, '{')
	if level := levelOf(r.SeverityText(), r.SeverityNumber()); level != "" {
		b = appendString(appendKey(b, "level"), level)
	}
	if sc.service != "" {
		b = appendString(appendKey(b, "service"), sc.service)
	}
	trace, span := r.TraceID(), r.SpanID()
	if !trace.IsEmpty() {
		b = appendHex(appendKey(b, "trace_id"), trace[:])
	}
	if !span.IsEmpty() {
		b = appendHex(appendKey(b, "span_id"), span[:])
	}
	if sc.prefix == nil {
		sc.prefix = sc.appendOrigin(make([]byte, 0, 256))
	}
	if len(sc.prefix) > 0 {
		b = appendComma(b)
		b = append(b, sc.prefix...)
	}
	if t := r.Timestamp(); t != 0 {
		b = strconv.AppendUint(appendKey(b, "timeUnixNano"), uint64(t), 10)
	}
	if t := r.ObservedTimestamp(); t != 0 {
		b = strconv.AppendUint(appendKey(b, "observedTimeUnixNano"), uint64(t), 10)
	}
	if n := r.SeverityNumber(); n != plog.SeverityNumberUnspecified {
		b = strconv.AppendInt(appendKey(b, "severityNumber"), int64(n), 10)
	}
	if s := r.SeverityText(); s != "" {
		b = appendString(appendKey(b, "severityText"), s)
	}
	if s := r.EventName(); s != "" {
		b = appendString(appendKey(b, "eventName"), s)
	}
	if r.Body().Type() != pcommon.ValueTypeEmpty {
		b = sc.appendValue(appendKey(b, "body"), r.Body(), 0)
	}
	if r.Attributes().Len() > 0 {
		b = sc.appendMap(appendKey(b, "attributes"), r.Attributes(), 0)
	}
	if n := r.DroppedAttributesCount(); n != 0 {
		b = strconv.AppendUint(appendKey(b, "droppedAttributesCount"), uint64(n), 10)
	}
	if f := r.Flags(); f != 0 {
		b = strconv.AppendUint(appendKey(b, "flags"), uint64(f), 10)
	}
	if !trace.IsEmpty() {
		b = appendHex(appendKey(b, "traceId"), trace[:])
	}
	if !span.IsEmpty() {
		b = appendHex(appendKey(b, "spanId"), span[:])
	}
	b = append(b, '}')
	sc.buf = b
	return string(b)
}

// appendOrigin writes the members resource and scope, without braces around them.
func (sc *scope) appendOrigin(b []byte) []byte {
	if sc.attrs.Len() > 0 {
		b = append(b, `"resource":{"attributes":`...)
		b = append(sc.appendMap(b, sc.attrs, 0), '}')
	}
	s := sc.scope
	if isEmptyScope(s) {
		return b
	}
	if len(b) > 0 {
		b = append(b, ',')
	}
	b = append(b, `"scope":{`...)
	if s.Name() != "" {
		b = appendString(appendKey(b, "name"), s.Name())
	}
	if s.Version() != "" {
		b = appendString(appendKey(b, "version"), s.Version())
	}
	if s.Attributes().Len() > 0 {
		b = sc.appendMap(appendKey(b, "attributes"), s.Attributes(), 0)
	}
	return append(b, '}')
}

// appendComma separates a member from the one before it.
func appendComma(b []byte) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return b
}

// appendKey writes a key that needs no escapes, and the comma before it.
func appendKey(b []byte, k string) []byte {
	b = append(appendComma(b), '"')
	b = append(b, k...)
	return append(b, '"', ':')
}

func appendHex(b, id []byte) []byte {
	b = append(b, '"')
	b = hex.AppendEncode(b, id)
	return append(b, '"')
}

// appendMap writes a map with its keys sorted.
func (sc *scope) appendMap(b []byte, m pcommon.Map, depth int) []byte {
	type member struct {
		key   string
		value pcommon.Value
	}
	var few [24]member
	members := few[:0]
	for k, v := range m.All() {
		members = append(members, member{k, v})
	}
	slices.SortStableFunc(members, func(a, b member) int {
		switch {
		case a.key < b.key:
			return -1
		case a.key > b.key:
			return 1
		}
		return 0
	})
	b = append(b, '{')
	for i, e := range members {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, e.key), ':')
		b = sc.appendValue(b, e.value, depth+1)
	}
	return append(b, '}')
}

func (sc *scope) appendValue(b []byte, v pcommon.Value, depth int) []byte {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return appendString(b, v.Str())
	case pcommon.ValueTypeInt:
		return strconv.AppendInt(b, v.Int(), 10)
	case pcommon.ValueTypeDouble:
		return appendFloat(b, v.Double())
	case pcommon.ValueTypeBool:
		return strconv.AppendBool(b, v.Bool())
	case pcommon.ValueTypeBytes:
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, v.Bytes().AsRaw())
		return append(b, '"')
	case pcommon.ValueTypeMap:
		if sc.enter(depth) {
			return sc.appendMap(b, v.Map(), depth)
		}
	case pcommon.ValueTypeSlice:
		if sc.enter(depth) {
			b = append(b, '[')
			for i := range v.Slice().Len() {
				if i > 0 {
					b = append(b, ',')
				}
				b = sc.appendValue(b, v.Slice().At(i), depth+1)
			}
			return append(b, ']')
		}
	}
	return append(b, "null"...)
}

// enter reports whether a container at this depth may be written, and notes when not.
func (sc *scope) enter(depth int) bool {
	if depth < maxValueDepth {
		return true
	}
	sc.tooDeep = true
	return false
}

// appendFloat writes a number, or the names that OTLP's JSON has for what is none.
func appendFloat(b []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(b, `"-Infinity"`...)
	}
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(b, f, format, -1, 64)
}

const hexDigits = "0123456789abcdef"

// appendString writes a JSON string. Only what JSON demands is escaped; bytes that are no UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(b, s[start:i]...)
				b = utf8.AppendRune(b, utf8.RuneError)
				start = i + 1
			}
			i += n
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
