// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"cmp"
	"math"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/xray/types"
)

// Trace is a trace as BatchGetTraces shows it: subsegments that were sent on their own are in their segments,
// and calls to what sends no segments have inferred ones.
type Trace struct {
	ID TraceID
	// Start and End are of the earliest and the latest document, Unix ns.
	Start, End int64
	Segments   []TraceSegment // by start; an inferred one stands behind all others
	Root       int            // the entry segment's index in Segments; -1 in a trace of subsegments only
	Documents  int            // how many documents the trace was made of
	// LimitExceeded says that the trace has more documents than were read. It is the reader's to set.
	LimitExceeded bool
}

// TraceSegment is one document of an assembled trace.
type TraceSegment struct {
	Account  string // whose document it is
	Document string
	Segment  *Segment
}

// SDK is t as BatchGetTraces answers it.
func (t *Trace) SDK() types.Trace {
	out := types.Trace{
		Id:            aws.String(t.ID.String()),
		Duration:      aws.Float64(secondsBetween(t.Start, t.End)),
		LimitExceeded: aws.Bool(t.LimitExceeded),
		Segments:      make([]types.Segment, len(t.Segments)),
	}
	for i, s := range t.Segments {
		out.Segments[i] = types.Segment{Id: aws.String(s.Segment.ID.String()), Document: aws.String(s.Document)}
	}
	return out
}

// secondsBetween has the precision of the service, milliseconds.
func secondsBetween(start, end int64) float64 {
	return math.Round(float64(end-start)/1e6) / 1e3
}

// AssembleTrace puts the documents of one trace together. Of documents with the same id the last one counts, but
// one in progress never replaces a complete one. Numbers keep their text, and members that X-Ray does not know
// stay where they are. Documents that cannot be read are left out.
func AssembleTrace(docs []Document) Trace {
	a := assembler{byID: make(map[SpanID]owner)}
	a.take(docs)
	defer a.release()
	a.attach()
	out := Trace{Root: -1, Documents: len(a.docs)}
	if len(a.docs) > 0 {
		out.ID = TraceID(a.docs[0].doc.TraceID)
	}
	for i := range a.docs {
		if d := &a.docs[i]; d.owned == 0 {
			a.emit(&out, i)
		}
	}
	for i := range a.docs { // in a circle of owners
		if !a.docs[i].written {
			a.emit(&out, i)
		}
	}
	slices.SortStableFunc(out.Segments, func(x, y TraceSegment) int { return cmp.Compare(x.Segment.Start, y.Segment.Start) })
	out.span()
	out.infer()
	out.Root = out.root()
	return out
}

type assembled struct {
	doc     *Document
	tree    *tree
	owned   int32 // 1 + the document that holds the owner; 0 for none
	written bool
	// attached lists the documents that belong into subsegments of this one, by the node of the owner.
	attached map[int32][]int
}

type owner struct {
	doc  int
	node int32
}

type assembler struct {
	docs []assembled
	byID map[SpanID]owner
}

func (a *assembler) take(docs []Document) {
	chosen := make(map[SpanID]int, len(docs))
	for i := range docs {
		d := &docs[i]
		if k, ok := chosen[d.ID]; ok {
			if d.InProgress && !a.docs[k].doc.InProgress {
				continue
			}
			t := a.docs[k].tree
			if t.parse(d.JSON) == nil && t.nodes[0].kind == kindObject {
				a.docs[k].doc = d
			} else {
				_ = t.parse(a.docs[k].doc.JSON)
			}
			continue
		}
		t := getTree()
		if t.parse(d.JSON) != nil || t.nodes[0].kind != kindObject {
			putTree(t)
			continue
		}
		chosen[d.ID] = len(a.docs)
		a.docs = append(a.docs, assembled{doc: d, tree: t})
	}
}

func (a *assembler) release() {
	for i := range a.docs {
		putTree(a.docs[i].tree)
	}
}

// attach finds the owners of independent subsegments.
func (a *assembler) attach() {
	streamed := false
	for i := range a.docs {
		streamed = streamed || a.docs[i].doc.Subsegment
	}
	if !streamed {
		return
	}
	// Segments first: an id that is given twice belongs to them.
	for _, subsegments := range [...]bool{false, true} {
		for i := range a.docs {
			if a.docs[i].doc.Subsegment == subsegments {
				a.index(i, 0, SpanID(a.docs[i].doc.ID))
			}
		}
	}
	for i := range a.docs {
		d := &a.docs[i]
		o, ok := a.byID[SpanID(d.doc.ParentID)]
		if !d.doc.Subsegment || !ok || o.doc == i {
			continue
		}
		d.owned = int32(o.doc) + 1
		into := &a.docs[o.doc]
		if into.attached == nil {
			into.attached = make(map[int32][]int)
		}
		into.attached[o.node] = append(into.attached[o.node], i)
	}
	for i := range a.docs {
		for _, list := range a.docs[i].attached {
			slices.SortStableFunc(list, func(x, y int) int { return cmp.Compare(a.docs[x].doc.Start, a.docs[y].doc.Start) })
		}
	}
}

// index notes the ids of document i from node n on.
func (a *assembler) index(i int, n int32, id SpanID) {
	if _, ok := a.byID[id]; !ok {
		a.byID[id] = owner{doc: i, node: n}
	}
	t := a.docs[i].tree
	list := t.member(n, "subsegments")
	if !t.is(list, kindArray) {
		return
	}
	for x := t.nodes[list].child; x != 0; x = t.nodes[x].next {
		if sub, err := ParseSpanID(t.memberString(x, "id")); err == nil {
			a.index(i, x, sub)
		}
	}
}

// emit adds document i, with all that belongs into it, to the trace.
func (a *assembler) emit(out *Trace, i int) {
	d := &a.docs[i]
	text := d.doc.JSON
	if d.attached != nil {
		text = string(a.write(nil, i, 0, 0))
	}
	d.written = true
	t := getTree()
	defer putTree(t)
	s, err := t.segment(text)
	if err != nil {
		return
	}
	out.Segments = append(out.Segments, TraceSegment{Account: d.doc.Account, Document: text, Segment: s})
}

// write writes the segment or subsegment at node n of document i. What would nest too deep, or is written
// already, stays outside and becomes a document of its own.
func (a *assembler) write(dst []byte, i int, n int32, depth int) []byte {
	d := &a.docs[i]
	d.written = true
	t := d.tree
	own := n == 0 && depth > 0 // a document that goes into another one
	if len(d.attached) == 0 && !own || t.nodes[n].kind != kindObject {
		return append(dst, t.raw(n)...)
	}
	list := t.member(n, "subsegments")
	dst = append(dst, '{')
	for x := t.nodes[n].child; x != 0; x = t.nodes[x].next {
		if own {
			switch t.key(x) {
			case "trace_id", "parent_id", "type": // said by the place
				continue
			}
		}
		if t.key(x) == "subsegments" && (t.is(list, kindArray) || len(d.attached[n]) > 0) {
			continue
		}
		dst = append(appendComma(dst), t.src[t.nodes[x].keyStart-1:t.nodes[x].end]...)
	}
	mark := len(dst)
	dst = append(appendComma(dst), `"subsegments":[`...)
	empty := len(dst)
	if t.is(list, kindArray) {
		for x := t.nodes[list].child; x != 0; x = t.nodes[x].next {
			dst = a.write(appendComma(dst), i, x, depth+1)
		}
	}
	for _, k := range d.attached[n] {
		if a.docs[k].written || depth+a.height(k) >= maxEmbedding {
			continue
		}
		dst = a.write(appendComma(dst), k, 0, depth+1)
	}
	if len(dst) == empty && !t.is(list, kindArray) {
		return append(dst[:mark], '}')
	}
	return append(dst, ']', '}')
}

// height is how many levels of subsegments document k has itself.
func (a *assembler) height(k int) int {
	t := a.docs[k].tree
	var walk func(n int32) int
	walk = func(n int32) int {
		h := 0
		list := t.member(n, "subsegments")
		if t.is(list, kindArray) {
			for x := t.nodes[list].child; x != 0; x = t.nodes[x].next {
				h = max(h, walk(x))
			}
		}
		return h + 1
	}
	return walk(0)
}

// span finds the trace's own times.
func (t *Trace) span() {
	for i := range t.Segments {
		s := t.Segments[i].Segment
		if i == 0 || s.Start < t.Start {
			t.Start = s.Start
		}
		t.End = max(t.End, latest(s))
	}
	t.End = max(t.End, t.Start)
}

func latest(s *Segment) int64 {
	end := max(s.Start, s.End)
	for _, sub := range s.Subsegments {
		end = max(end, latest(sub))
	}
	return end
}

// root finds the entry: a segment without a parent, else the earliest whose parent is unknown, else the earliest.
func (t *Trace) root() int {
	ids := make(map[SpanID]bool)
	for i := range t.Segments {
		collectIDs(ids, t.Segments[i].Segment)
	}
	best, rank := -1, 3
	for i := range t.Segments {
		s := t.Segments[i].Segment
		if s.Subsegment || s.Inferred {
			continue
		}
		r := 2
		switch {
		case s.ParentID.IsZero():
			r = 0
		case !ids[s.ParentID]:
			r = 1
		}
		if r < rank {
			best, rank = i, r
		}
	}
	return best
}

func collectIDs(ids map[SpanID]bool, s *Segment) {
	ids[s.ID] = true
	for _, sub := range s.Subsegments {
		collectIDs(ids, sub)
	}
}
