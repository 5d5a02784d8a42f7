// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// document writes span i, which ToTraces made, as a document of its own.
func (w *docWriter) document(i int32) {
	w.buf = append(w.buf, '{')
	w.span(i, true, 0)
	w.buf = append(w.buf, '}')
}

// overlay is the residual of a span: members that the document has beside those of the span's attributes.
type overlay struct {
	*tree
	present bool
}

// has is true when the residual object n holds the member itself, so that no attribute makes it.
func (o *overlay) has(n int32, name string) bool {
	return o.present && o.memberOf(n, name) != 0
}

// memberOf is member for the root or an object inside; the root is 0, an absent object -1.
func (o *overlay) memberOf(n int32, name string) int32 {
	if !o.present || n < 0 {
		return 0
	}
	return o.member(n, name)
}

// object is the member as an object to be completed, -1 when there is none, and whether another value stands
// in its place.
func (o *overlay) object(n int32, name string) (obj int32, other bool) {
	c := o.memberOf(n, name)
	switch {
	case c == 0:
		return -1, false
	case o.nodes[c].kind != kindObject:
		return -1, true
	}
	return c, false
}

// rest writes the members of object n that are not among done.
func (w *docWriter) rest(o *overlay, n int32, done ...string) {
	if n < 0 || !o.present {
		return
	}
	for x := o.nodes[n].child; x != 0; x = o.nodes[x].next {
		if slices.Contains(done, o.key(x)) {
			continue
		}
		w.raw(o.src[o.nodes[x].keyStart:o.nodes[x].keyEnd], o.raw(x))
	}
}

// mapped writes an attribute as a member unless the residual holds it.
func (w *docWriter) mapped(a pcommon.Map, o *overlay, n int32, attr, name string) {
	if v, ok := a.Get(attr); ok && !o.has(n, name) {
		w.name(name)
		w.value(v, 0)
	}
}

// span writes the members of a span's segment or subsegment. alone is true for a document of its own.
func (w *docWriter) span(i int32, alone bool, depth int) {
	x := &w.e.spans[i]
	s := x.span
	a := s.Attributes()
	o := overlay{tree: getTree()}
	defer putTree(o.tree)
	broken := ""
	if text := stringOf(a, attrResidual); text != "" {
		if err := o.parse(text); err == nil && o.nodes[0].kind == kindObject {
			o.present = true
		} else {
			broken = text // cut by some processor: kept for people to see
		}
	}
	literals := getTree()
	defer putTree(literals)
	if text := stringOf(a, attrLiterals); text == "" || literals.parse(text) != nil {
		_ = literals.parse("{}")
	}

	w.str("name", segmentName(x))
	w.spanID("id", SpanID(s.SpanID()))
	promoted := alone && x.from == fromEmbedded
	if alone {
		w.traceID(TraceID(s.TraceID()))
		if parent := s.ParentSpanID(); !parent.IsEmpty() {
			w.spanID("parent_id", SpanID(parent))
		}
		if x.from != fromSegment {
			w.str("type", "subsegment")
		}
	}
	if !o.has(0, "start_time") {
		w.time("start_time", int64(s.StartTimestamp()), literals)
	}
	if s.EndTimestamp() != 0 && !o.has(0, "end_time") {
		w.time("end_time", int64(s.EndTimestamp()), literals)
	}
	w.mapped(a, &o, 0, attrInProgress, "in_progress")
	w.flags(s, a, &o)
	w.mapped(a, &o, 0, attrTraced, "traced")
	w.mapped(a, &o, 0, attrNamespace, "namespace")
	w.mapped(a, &o, 0, attrUser, "user")
	w.mapped(a, &o, 0, attrOrigin, "origin")
	w.http(a, &o)
	w.aws(a, &o)
	w.sql(a, &o)
	events := w.cause(s, &o)
	w.annotations(a, &o, literals)
	w.metadata(s, a, &o, broken, events)
	w.links(s, &o)

	done := []string{"http", "aws", "sql", "cause", "annotations", "metadata", "subsegments"}
	for _, name := range [...]string{"http", "aws", "sql", "cause", "annotations", "metadata"} {
		if c := o.memberOf(0, name); c != 0 && o.nodes[c].kind != kindObject {
			w.raw(name, o.raw(c))
		}
	}
	if promoted {
		done = append(done, "trace_id", "parent_id", "type")
	}
	w.rest(&o, 0, done...)
	w.subsegments(i, &o, depth)
}

// segmentName is what the document is called. A segment is its service, wherever that was renamed; names of
// server spans are often rewritten for OpenTelemetry.
func segmentName(x *exportSpan) string {
	name := x.span.Name()
	if x.from == fromSegment {
		if service := stringOf(x.resource.attributes, attrServiceName); service != "" && service != name {
			return cleanName(service)
		}
		if !validName(name) {
			return cleanName(name)
		}
		return name
	}
	if name == "" {
		return "span"
	}
	return name
}

// time writes a time with the text it had, if that still means the same.
func (w *docWriter) time(name string, ns int64, literals *tree) {
	w.name(name)
	if n := literals.member(0, name); n != 0 && literals.nodes[n].kind == kindNumber {
		if was, err := parseSeconds(literals.raw(n)); err == nil && was == ns {
			w.buf = append(w.buf, literals.raw(n)...)
			return
		}
	}
	w.buf = appendSeconds(w.buf, ns)
}

// flags writes fault, error and throttle as they came. A span that a processor made an error has a fault.
func (w *docWriter) flags(s ptrace.Span, a pcommon.Map, o *overlay) {
	failed := boolOf(a, attrFault) || boolOf(a, attrError) || boolOf(a, attrThrottle) || intOf(a, attrHTTPStatus, 0) >= 400
	if s.Status().Code() == ptrace.StatusCodeError && !failed && !o.has(0, "fault") {
		w.bool("fault", true)
	} else {
		w.mapped(a, o, 0, attrFault, "fault")
	}
	w.mapped(a, o, 0, attrError, "error")
	w.mapped(a, o, 0, attrThrottle, "throttle")
}

func (w *docWriter) http(a pcommon.Map, o *overlay) {
	n, other := o.object(0, "http")
	if other {
		return
	}
	mark := w.open("http")
	if r, other := o.object(n, "request"); !other {
		m := w.open("request")
		w.mapped(a, o, r, attrHTTPMethod, "method")
		w.mapped(a, o, r, attrURLFull, "url")
		w.mapped(a, o, r, attrUserAgent, "user_agent")
		w.mapped(a, o, r, attrClientAddress, "client_ip")
		w.mapped(a, o, r, attrXForwardedFor, "x_forwarded_for")
		w.rest(o, r)
		w.close(m, r >= 0)
	} else {
		w.raw("request", o.raw(o.memberOf(n, "request")))
	}
	if r, other := o.object(n, "response"); !other {
		m := w.open("response")
		w.mapped(a, o, r, attrHTTPStatus, "status")
		w.mapped(a, o, r, attrHTTPBodySize, "content_length")
		w.rest(o, r)
		w.close(m, r >= 0)
	} else {
		w.raw("response", o.raw(o.memberOf(n, "response")))
	}
	w.rest(o, n, "request", "response")
	w.close(mark, n >= 0)
}

func (w *docWriter) aws(a pcommon.Map, o *overlay) {
	n, other := o.object(0, "aws")
	if other {
		return
	}
	mark := w.open("aws")
	w.mapped(a, o, n, attrAWSOperation, "operation")
	w.mapped(a, o, n, attrAWSRegion, "region")
	w.mapped(a, o, n, attrAWSAccountID, "account_id")
	w.mapped(a, o, n, attrAWSRequestID, "request_id")
	w.mapped(a, o, n, attrAWSQueueURL, "queue_url")
	w.mapped(a, o, n, attrAWSTableName, "table_name")
	w.mapped(a, o, n, attrRetries, "retries")
	w.rest(o, n)
	w.close(mark, n >= 0)
}

func (w *docWriter) sql(a pcommon.Map, o *overlay) {
	n, other := o.object(0, "sql")
	if other {
		return
	}
	mark := w.open("sql")
	w.mapped(a, o, n, attrSQLURL, "url")
	w.mapped(a, o, n, attrDBSystem, "database_type")
	w.mapped(a, o, n, attrDBQuery, "sanitized_query")
	w.mapped(a, o, n, attrDBUser, "user")
	w.rest(o, n)
	w.close(mark, n >= 0)
}

// cause writes the exceptions. It says whether there are events that are none.
func (w *docWriter) cause(s ptrace.Span, o *overlay) (others bool) {
	n, other := o.object(0, "cause")
	exceptions := 0
	for _, e := range s.Events().All() {
		if e.Name() == eventException {
			exceptions++
		} else {
			others = true
		}
	}
	if other || (n < 0 && exceptions == 0) {
		return others
	}
	mark := w.open("cause")
	if exceptions > 0 && !o.has(n, "exceptions") {
		w.name("exceptions")
		w.buf = append(w.buf, '[')
		for _, e := range s.Events().All() {
			if e.Name() == eventException {
				w.exception(e.Attributes())
			}
		}
		w.buf = append(w.buf, ']')
	}
	w.rest(o, n)
	w.close(mark, true)
	return others
}

func (w *docWriter) exception(a pcommon.Map) {
	o := overlay{tree: getTree()}
	defer putTree(o.tree)
	if text := stringOf(a, attrXExceptionResidual); text != "" {
		o.present = o.parse(text) == nil && o.nodes[0].kind == kindObject
	}
	w.buf = append(appendComma(w.buf), '{')
	w.mapped(a, &o, 0, attrXExceptionID, "id")
	w.mapped(a, &o, 0, attrExceptionType, "type")
	w.mapped(a, &o, 0, attrExceptionMessage, "message")
	w.mapped(a, &o, 0, attrXExceptionRemote, "remote")
	w.mapped(a, &o, 0, attrXExceptionTrunc, "truncated")
	w.mapped(a, &o, 0, attrXExceptionSkipped, "skipped")
	w.mapped(a, &o, 0, attrXExceptionCause, "cause")
	if text := stringOf(a, attrXExceptionStack); text != "" && validJSON(text) {
		w.raw("stack", text)
	} else if text := stringOf(a, attrExceptionStack); text != "" {
		w.stack(text)
	}
	w.rest(&o, 0)
	w.buf = append(w.buf, '}')
}

func validJSON(text string) bool {
	t := getTree()
	defer putTree(t)
	return t.parse(text) == nil
}

func (w *docWriter) annotations(a pcommon.Map, o *overlay, literals *tree) {
	n, other := o.object(0, "annotations")
	if other {
		return
	}
	mark := w.open("annotations")
	if list, ok := a.Get(attrAnnotations); ok && list.Type() == pcommon.ValueTypeSlice {
		for _, item := range list.Slice().All() {
			attr := item.AsString()
			v, ok := a.Get(attr)
			if !ok {
				continue // a processor took it out
			}
			key := strings.TrimPrefix(attr, annotationPrefix)
			if o.has(n, key) {
				continue
			}
			w.key(key)
			w.number(v, "annotations."+key, literals)
		}
	}
	w.rest(o, n)
	w.close(mark, n >= 0)
}

// number writes an annotation, a number with the text it had if that still means the same.
func (w *docWriter) number(v pcommon.Value, path string, literals *tree) {
	switch v.Type() {
	case pcommon.ValueTypeInt, pcommon.ValueTypeDouble:
	default:
		w.value(v, 0)
		return
	}
	if n := literals.member(0, path); n != 0 && literals.nodes[n].kind == kindNumber {
		was, err := strconv.ParseFloat(literals.raw(n), 64)
		now := v.Double()
		if v.Type() == pcommon.ValueTypeInt {
			now = float64(v.Int())
		}
		if err == nil && was == now {
			w.buf = append(w.buf, literals.raw(n)...)
			return
		}
	}
	w.value(v, 0)
}

// links writes span links unless the residual has the text of the document's.
func (w *docWriter) links(s ptrace.Span, o *overlay) {
	if s.Links().Len() == 0 || o.has(0, "links") {
		return
	}
	w.name("links")
	w.buf = append(w.buf, '[')
	for _, l := range s.Links().All() {
		w.buf = append(appendComma(w.buf), '{')
		w.traceID(TraceID(l.TraceID()))
		w.spanID("id", SpanID(l.SpanID()))
		if l.Attributes().Len() > 0 {
			w.name("attributes")
			w.attributes(l.Attributes())
		}
		w.buf = append(w.buf, '}')
	}
	w.buf = append(w.buf, ']')
}

// subsegments writes the embedded subsegments, each at its place.
func (w *docWriter) subsegments(i int32, o *overlay, depth int) {
	var children []int32
	if depth < maxEmbedding {
		children = w.e.childrenOf(i)
	}
	kept := getTree()
	defer putTree(kept)
	text := stringOf(w.e.spans[i].span.Attributes(), attrSubsegments)
	if text != "" && (kept.parse(text) != nil || kept.nodes[0].kind != kindObject) {
		text = ""
	}
	if len(children) == 0 && text == "" {
		if c := o.memberOf(0, "subsegments"); c != 0 {
			w.raw("subsegments", o.raw(c))
		}
		return
	}
	w.name("subsegments")
	w.buf = append(w.buf, '[')
	next := int32(0)
	if text != "" {
		next = kept.nodes[0].child
	}
	for _, child := range children {
		for ; next != 0; next = kept.nodes[next].next {
			if at, err := strconv.ParseInt(kept.key(next), 10, 64); err == nil && at > w.e.spans[child].index {
				break
			}
			w.buf = append(appendComma(w.buf), kept.raw(next)...)
		}
		w.buf = append(appendComma(w.buf), '{')
		w.span(child, false, depth+1)
		w.buf = append(w.buf, '}')
	}
	for ; next != 0; next = kept.nodes[next].next {
		w.buf = append(appendComma(w.buf), kept.raw(next)...)
	}
	w.buf = append(w.buf, ']')
}
