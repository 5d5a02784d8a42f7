// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// maxEmbedding bounds how deep subsegments are put into each other. Deeper ones become documents of their own.
const maxEmbedding = maxNesting / 2

// FromTraces makes documents of spans. Spans that [ToTraces] made become the documents they came from, with
// what processors changed; a subsegment whose segment is not in td becomes an independent subsegment. Other
// spans become documents each: a segment when the span serves a request or has no parent, else an independent
// subsegment.
//
// The error, a [*SpansError], is about spans that no document can be made of; the documents of all others are
// returned with it.
func FromTraces(td ptrace.Traces) ([]Document, error) {
	e := exporter{tree: getTree()}
	defer putTree(e.tree)
	e.collect(td)
	if e.embedded > 0 {
		e.link()
	}
	for i := range e.spans {
		e.root(int32(i))
	}
	// What is left are embedded subsegments that no segment here leads to.
	for i := 0; e.embedded > 0 && i < len(e.spans); i++ {
		e.orphan(int32(i))
	}
	return e.docs, e.err()
}

// Kinds of spans, by where they come from.
const (
	fromSegment uint8 = iota
	fromSubsegment
	fromEmbedded
	fromOTLP
)

type exportSpan struct {
	span     ptrace.Span
	resource *exportResource
	index    int64 // among its siblings
	next     int32 // next child of the same owner, -1 for none
	from     uint8
	partial  bool // belongs to a document in progress
	done     bool
}

type exportResource struct {
	attributes      pcommon.Map
	scope           pcommon.InstrumentationScope
	account, region string
}

type ownerKey struct {
	trace   pcommon.TraceID
	span    pcommon.SpanID
	partial bool
}

type exporter struct {
	spans    []exportSpan
	embedded int
	children map[ownerKey]int32 // first child
	docs     []Document
	tree     *tree
	buf      []byte
	failed   *SpansError
}

// SpansError says that no documents can be made of some spans.
type SpansError struct {
	Spans int               // how many
	Codes map[ErrorCode]int // and why
	First []error           // the first few, with their ids
}

func (e *SpansError) Error() string {
	err := errors.Join(e.First...)
	if e.Spans > len(e.First) {
		return fmt.Sprintf("%d spans are no X-Ray documents, among them: %v", e.Spans, err)
	}
	return err.Error()
}

func (e *SpansError) Unwrap() []error { return e.First }

func (e *exporter) collect(td ptrace.Traces) {
	e.spans = make([]exportSpan, 0, td.SpanCount())
	e.docs = make([]Document, 0, td.SpanCount())
	for _, rs := range td.ResourceSpans().All() {
		attributes := rs.Resource().Attributes()
		account, region := stringOf(attributes, attrCloudAccountID), stringOf(attributes, attrCloudRegion)
		for _, ss := range rs.ScopeSpans().All() {
			r := &exportResource{attributes: attributes, scope: ss.Scope(), account: account, region: region}
			for _, s := range ss.Spans().All() {
				x := exportSpan{span: s, resource: r, next: -1, from: fromOTLP}
				switch stringOf(s.Attributes(), attrType) {
				case typeSegment:
					x.from = fromSegment
					x.partial = documentPartial(s)
				case typeSubsegment:
					x.from = fromSubsegment
					x.partial = documentPartial(s)
				case typeEmbedded:
					x.from = fromEmbedded
					x.index = intOf(s.Attributes(), attrIndex, 1<<62)
					x.partial = boolOf(s.Attributes(), attrDocPartial)
					e.embedded++
				}
				e.spans = append(e.spans, x)
			}
		}
	}
}

// documentPartial is what the importer decides in the same way.
func documentPartial(s ptrace.Span) bool {
	return s.EndTimestamp() == 0 || boolOf(s.Attributes(), attrInProgress)
}

// link lists the children of each owner and drops what a later span with the same identity replaces.
func (e *exporter) link() {
	type identity struct {
		ownerKey
		parent pcommon.SpanID
	}
	e.children = make(map[ownerKey]int32, e.embedded)
	seen := make(map[identity]struct{}, len(e.spans))
	for i := range slices.Backward(e.spans) {
		x := &e.spans[i]
		if x.from == fromOTLP {
			continue
		}
		id := identity{ownerKey: ownerKey{trace: x.span.TraceID(), span: x.span.SpanID(), partial: x.partial}}
		if x.from == fromEmbedded {
			id.parent = x.span.ParentSpanID()
		}
		if _, ok := seen[id]; ok {
			x.done = true
			continue
		}
		seen[id] = struct{}{}
		if x.from != fromEmbedded {
			continue
		}
		owner := ownerKey{trace: x.span.TraceID(), span: x.span.ParentSpanID(), partial: x.partial}
		if first, ok := e.children[owner]; ok {
			x.next = first
		}
		e.children[owner] = int32(i)
	}
}

// childrenOf takes the children of span i that are not written yet, in their order.
func (e *exporter) childrenOf(i int32) []int32 {
	if e.embedded == 0 {
		return nil
	}
	x := &e.spans[i]
	first, ok := e.children[ownerKey{trace: x.span.TraceID(), span: x.span.SpanID(), partial: x.partial}]
	if !ok {
		return nil
	}
	var list []int32
	for k := first; k >= 0; k = e.spans[k].next {
		if !e.spans[k].done {
			e.spans[k].done = true
			list = append(list, k)
		}
	}
	slices.SortStableFunc(list, func(a, b int32) int { return cmp.Compare(e.spans[a].index, e.spans[b].index) })
	return list
}

func (e *exporter) root(i int32) {
	x := &e.spans[i]
	if x.done || x.from == fromEmbedded {
		return
	}
	x.done = true
	if x.from == fromOTLP {
		e.otlp(x)
		return
	}
	w := docWriter{e: e, buf: e.buf[:0]}
	w.document(i)
	e.finish(&w, x)
}

func (e *exporter) orphan(i int32) {
	x := &e.spans[i]
	if x.done {
		return
	}
	x.done = true
	w := docWriter{e: e, buf: e.buf[:0]}
	w.document(i)
	e.finish(&w, x)
}

// finish adds the document that w holds.
func (e *exporter) finish(w *docWriter, x *exportSpan) {
	e.buf = w.buf // to be used again
	err := w.err
	if err == nil {
		var d Document
		if d, err = e.tree.document(x.resource.account, x.resource.region, string(w.buf)); err == nil {
			e.docs = append(e.docs, d)
			return
		}
	}
	if e.failed == nil {
		e.failed = &SpansError{Codes: make(map[ErrorCode]int)}
	}
	e.failed.Spans++
	code := ErrorParse
	var invalid *SegmentError
	if errors.As(err, &invalid) {
		code = invalid.Code
	}
	e.failed.Codes[code]++
	if len(e.failed.First) < maxNamedSpans {
		e.failed.First = append(e.failed.First, fmt.Errorf("span %s of trace %s: %w", x.span.SpanID(), x.span.TraceID(), err))
	}
}

// maxNamedSpans bounds an error's text.
const maxNamedSpans = 3

func (e *exporter) err() error {
	if e.failed == nil {
		return nil
	}
	return e.failed
}

func stringOf(a pcommon.Map, key string) string {
	if v, ok := a.Get(key); ok && v.Type() == pcommon.ValueTypeStr {
		return v.Str()
	}
	return ""
}

func boolOf(a pcommon.Map, key string) bool {
	v, ok := a.Get(key)
	return ok && v.Type() == pcommon.ValueTypeBool && v.Bool()
}

func intOf(a pcommon.Map, key string, otherwise int64) int64 {
	if v, ok := a.Get(key); ok && v.Type() == pcommon.ValueTypeInt {
		return v.Int()
	}
	return otherwise
}

// firstString is the first of several attributes that is a string with text in it.
func firstString(a pcommon.Map, keys ...string) string {
	for _, k := range keys {
		if s := stringOf(a, k); s != "" {
			return s
		}
	}
	return ""
}
