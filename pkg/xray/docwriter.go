// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"encoding/base64"
	"errors"
	"math"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// docWriter writes one document.
type docWriter struct {
	e   *exporter
	buf []byte
	err error
}

// name begins a member.
func (w *docWriter) name(name string) {
	w.buf = appendComma(w.buf)
	w.buf = append(w.buf, '"')
	w.buf = append(w.buf, name...)
	w.buf = append(w.buf, '"', ':')
}

// key is name for a name that is not ours.
func (w *docWriter) key(name string) {
	w.buf = appendString(appendComma(w.buf), name)
	w.buf = append(w.buf, ':')
}

func (w *docWriter) str(name, value string) {
	w.name(name)
	w.buf = appendString(w.buf, value)
}

// optional is str for a value that is left out when it is empty.
func (w *docWriter) optional(name, value string) {
	if value != "" {
		w.str(name, value)
	}
}

func (w *docWriter) bool(name string, value bool) {
	w.name(name)
	w.buf = strconv.AppendBool(w.buf, value)
}

func (w *docWriter) int(name string, value int64) {
	w.name(name)
	w.buf = strconv.AppendInt(w.buf, value, 10)
}

func (w *docWriter) raw(name, text string) {
	w.name(name)
	w.buf = append(w.buf, text...)
}

func (w *docWriter) spanID(name string, id SpanID) {
	w.name(name)
	w.buf = append(w.buf, '"')
	for _, b := range id {
		w.buf = append(w.buf, hexDigits[b>>4], hexDigits[b&15])
	}
	w.buf = append(w.buf, '"')
}

func (w *docWriter) traceID(id TraceID) {
	w.name("trace_id")
	w.buf = append(w.buf, '"')
	w.buf = id.append(w.buf)
	w.buf = append(w.buf, '"')
}

// open begins an object member.
func (w *docWriter) open(name string) (mark int) {
	mark = len(w.buf)
	w.name(name)
	w.buf = append(w.buf, '{')
	return mark
}

// close ends it. An empty one is taken back unless it is needed.
func (w *docWriter) close(mark int, needed bool) {
	if w.buf[len(w.buf)-1] == '{' && !needed {
		w.buf = w.buf[:mark]
		return
	}
	w.buf = append(w.buf, '}')
}

// maxValueNesting bounds how deep an attribute's value may nest.
const maxValueNesting = 64

var errValueNesting = errors.New("an attribute nests deeper than 64 levels")

// value writes any attribute's value.
func (w *docWriter) value(v pcommon.Value, depth int) {
	if depth > maxValueNesting {
		w.err = errValueNesting
		w.buf = append(w.buf, "null"...)
		return
	}
	switch v.Type() {
	case pcommon.ValueTypeStr:
		w.buf = appendString(w.buf, v.Str())
	case pcommon.ValueTypeBool:
		w.buf = strconv.AppendBool(w.buf, v.Bool())
	case pcommon.ValueTypeInt:
		w.buf = strconv.AppendInt(w.buf, v.Int(), 10)
	case pcommon.ValueTypeDouble:
		w.float(v.Double())
	case pcommon.ValueTypeBytes:
		w.buf = append(w.buf, '"')
		w.buf = base64.StdEncoding.AppendEncode(w.buf, v.Bytes().AsRaw())
		w.buf = append(w.buf, '"')
	case pcommon.ValueTypeMap:
		w.buf = append(w.buf, '{')
		for k, x := range v.Map().All() {
			w.key(k)
			w.value(x, depth+1)
		}
		w.buf = append(w.buf, '}')
	case pcommon.ValueTypeSlice:
		w.buf = append(w.buf, '[')
		for _, x := range v.Slice().All() {
			w.buf = appendComma(w.buf)
			w.value(x, depth+1)
		}
		w.buf = append(w.buf, ']')
	default:
		w.buf = append(w.buf, "null"...)
	}
}

// float writes a number; JSON has none for infinities and NaN, which become text as in OTLP's JSON.
func (w *docWriter) float(f float64) {
	switch {
	case math.IsNaN(f):
		w.buf = append(w.buf, `"NaN"`...)
	case math.IsInf(f, 1):
		w.buf = append(w.buf, `"Infinity"`...)
	case math.IsInf(f, -1):
		w.buf = append(w.buf, `"-Infinity"`...)
	default:
		w.buf = appendFloat(w.buf, f)
	}
}
