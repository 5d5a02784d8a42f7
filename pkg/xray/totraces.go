// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// ToTraces makes spans of segment documents that belong to account and region. A segment becomes a span, and
// so does every subsegment in it. Documents that are refused are reported, the others are not touched by them.
//
// The spans refer to the documents' text: the strings must not be backed by memory that is used again.
func ToTraces(account, region string, docs []string) (ptrace.Traces, []Unprocessed) {
	c := converter{td: ptrace.NewTraces(), account: account, region: region, tree: getTree()}
	defer putTree(c.tree)
	var refused []Unprocessed
	for i, doc := range docs {
		if fail := c.document(doc); fail != nil {
			refused = append(refused, Unprocessed{Index: i, SegmentError: *fail})
		}
	}
	return c.td, refused
}

type converter struct {
	td              ptrace.Traces
	account, region string
	tree            *tree

	resources map[string]ptrace.SpanSlice // by the text of what makes the resource
	key       []byte                      // scratch

	// Of the current document.
	trace    pcommon.TraceID
	partial  bool
	spans    ptrace.SpanSlice
	ids      []SpanID
	pending  []pending
	residual []byte // scratch, one span at a time
	literals []byte
}

func (c *converter) document(doc string) *SegmentError {
	if len(doc) > MaxDocumentSize {
		return &SegmentError{Code: ErrorSizeLimit, Detail: strconv.Itoa(len(doc)) + " bytes"}
	}
	t := c.tree
	if err := t.parse(doc); err != nil {
		return &SegmentError{Code: ErrorParse, Detail: err.Error()}
	}
	var m members
	if t.nodes[0].kind == kindObject {
		m = t.members(0)
	}
	h, fail := t.documentHead(&m)
	if fail != nil {
		return fail
	}
	c.trace = pcommon.TraceID(h.trace)
	c.partial = t.partial(&m, &h)
	c.spans = c.resource(&m, &h)
	c.ids = append(c.ids[:0], h.id)
	c.pending = c.pending[:0]
	typ := typeSegment
	if h.subsegment {
		typ = typeSubsegment
	}
	c.span(0, &m, &h, typ, 0)
	return nil
}

// span writes the span of the segment or subsegment at node n, and those of the subsegments in it.
func (c *converter) span(n int32, m *members, h *head, typ string, index int64) {
	s := c.spans.AppendEmpty()
	s.SetTraceID(c.trace)
	s.SetSpanID(pcommon.SpanID(h.id))
	if !h.parent.IsZero() {
		s.SetParentSpanID(pcommon.SpanID(h.parent))
	}
	s.SetName(h.name)
	s.SetStartTimestamp(pcommon.Timestamp(h.start))
	if h.end != 0 {
		s.SetEndTimestamp(pcommon.Timestamp(h.end))
	}
	a := s.Attributes()
	a.EnsureCapacity(12)
	a.PutStr(attrType, typ)
	if typ == typeEmbedded {
		a.PutInt(attrIndex, index)
		if c.partial {
			a.PutBool(attrDocPartial, true)
		}
	}
	c.residual = append(c.residual[:0], '{')
	c.literals = append(c.literals[:0], '{')

	kind := ptrace.SpanKindInternal
	if typ == typeSegment {
		kind = ptrace.SpanKindServer
	}
	if ns, ok := c.putStr(a, attrNamespace, "namespace", m.namespace); ok {
		switch ns {
		case "aws":
			a.PutStr(attrAWSService, h.name)
			kind = ptrace.SpanKindClient
		case "remote":
			kind = ptrace.SpanKindClient
		}
	}
	s.SetKind(kind)

	c.times(m, h)
	c.putBool(a, attrInProgress, "in_progress", m.inProgress)
	failed := c.putBool(a, attrFault, "fault", m.fault)
	failed = c.putBool(a, attrError, "error", m.error) || failed
	failed = c.putBool(a, attrThrottle, "throttle", m.throttle) || failed
	c.putBool(a, attrTraced, "traced", m.traced)
	c.putStr(a, attrUser, "user", m.user)
	c.putStr(a, attrOrigin, "origin", m.origin)
	if m.http != 0 {
		if c.http(a, m.http) >= 400 {
			failed = true
		}
	}
	if m.aws != 0 {
		c.aws(a, m.aws)
	}
	if m.sql != 0 {
		c.sql(a, m.sql)
	}
	if m.annotations != 0 {
		c.annotations(a, m.annotations)
	}
	if m.metadata != 0 {
		c.metadata(a, m.metadata)
	}
	if m.links != 0 && !c.links(s, m.links) {
		c.keep("links", m.links)
	}
	message := ""
	if m.cause != 0 {
		message = c.cause(s, h, m.cause)
	}
	if failed {
		s.Status().SetCode(ptrace.StatusCodeError)
		s.Status().SetMessage(message)
	}
	c.keepRest(n, m, h, typ)
	from := c.plan(a, m)

	if len(c.residual) > 1 {
		a.PutStr(attrResidual, string(append(c.residual, '}')))
	}
	if len(c.literals) > 1 {
		a.PutStr(attrLiterals, string(append(c.literals, '}')))
	}
	if len(c.pending) > from {
		c.subsegments(h.id, from)
	}
}

// times keeps the text of times that would come out differently, and members that look like times but are not.
func (c *converter) times(m *members, h *head) {
	if lit := c.tree.raw(m.startTime); !canonicalSeconds(lit, h.start) {
		c.literal("start_time", lit)
	}
	if m.endTime == 0 {
		return
	}
	switch lit := c.tree.raw(m.endTime); {
	case c.tree.nodes[m.endTime].kind != kindNumber || h.end == 0:
		c.keep("end_time", m.endTime)
	case !canonicalSeconds(lit, h.end):
		c.literal("end_time", lit)
	}
}

// keepRest keeps the members that have no attribute of their own.
func (c *converter) keepRest(n int32, m *members, h *head, typ string) {
	c.keep("service", m.service)
	c.keep("resource_arn", m.resourceARN)
	c.keep("precursor_ids", m.precursorIDs)
	c.keep("inferred", m.inferred)
	if typ == typeEmbedded {
		c.keep("trace_id", m.traceID)
		c.keep("parent_id", m.parentID)
		c.keep("type", m.typ)
	} else if h.parent.IsZero() { // null, empty or all zero
		c.keep("parent_id", m.parentID)
	}
	if typ == typeSegment {
		c.keep("type", m.typ)
	}
	if m.others == 0 {
		return
	}
	for x := c.tree.nodes[n].child; x != 0; x = c.tree.nodes[x].next {
		if m.slot(c.tree.key(x)) == nil {
			c.keepMember(x)
		}
	}
}

// keep puts a member into the residual; an absent one is none.
func (c *converter) keep(name string, n int32) {
	if n == 0 {
		return
	}
	c.residual = appendComma(c.residual)
	c.residual = append(c.residual, '"')
	c.residual = append(c.residual, name...)
	c.residual = append(c.residual, '"', ':')
	c.residual = append(c.residual, c.tree.raw(n)...)
}

// keepMember is keep under the name that the member has in the document.
func (c *converter) keepMember(n int32) {
	k := &c.tree.nodes[n]
	c.keep(c.tree.src[k.keyStart:k.keyEnd], n)
}

// open begins an object in the residual; close ends it, or takes it back when it stayed empty and may go.
func (c *converter) open(name string) (mark int) {
	mark = len(c.residual)
	c.residual = appendComma(c.residual)
	c.residual = append(c.residual, '"')
	c.residual = append(c.residual, name...)
	c.residual = append(c.residual, '"', ':', '{')
	return mark
}

func (c *converter) close(mark int, needed bool) {
	if c.residual[len(c.residual)-1] == '{' && !needed {
		c.residual = c.residual[:mark]
		return
	}
	c.residual = append(c.residual, '}')
}

// literal keeps a number's text.
func (c *converter) literal(path, lit string) {
	c.literals = appendComma(c.literals)
	c.literals = appendString(c.literals, path)
	c.literals = append(c.literals, ':')
	c.literals = append(c.literals, lit...)
}

// putStr makes a string member an attribute; another value is kept as it is.
func (c *converter) putStr(a pcommon.Map, attr, name string, n int32) (string, bool) {
	if n == 0 {
		return "", false
	}
	s, ok := c.tree.str(n)
	if !ok {
		c.keep(name, n)
		return "", false
	}
	a.PutStr(attr, s)
	return s, true
}

// putBool makes a boolean member an attribute and returns its truth.
func (c *converter) putBool(a pcommon.Map, attr, name string, n int32) bool {
	if n == 0 {
		return false
	}
	v, ok := c.tree.boolAt(n)
	if !ok {
		c.keep(name, n)
		return false
	}
	a.PutBool(attr, v)
	return v
}

// putInt makes an integer member, written the usual way, an attribute.
func (c *converter) putInt(a pcommon.Map, attr, name string, n int32) int64 {
	if n == 0 {
		return 0
	}
	v, ok := c.tree.canonicalInt(n)
	if !ok {
		c.keep(name, n)
		return 0
	}
	a.PutInt(attr, v)
	return v
}

// canonicalInt is the integer n, if writing it again gives the same text.
func (t *tree) canonicalInt(n int32) (int64, bool) {
	if t.nodes[n].kind != kindNumber {
		return 0, false
	}
	lit := t.raw(n)
	v, err := strconv.ParseInt(lit, 10, 64)
	return v, err == nil && lit != "-0"
}
