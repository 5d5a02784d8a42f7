// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"slices"
	"strconv"
)

// Document is one segment or independent subsegment document with what a store promotes from it.
type Document struct {
	Account, Region string // of the resource; "" when it says nothing
	TraceID         [16]byte
	ID, ParentID    [8]byte
	Start, End      int64 // Unix ns; End is 0 while in progress
	Name, Origin    string

	Subsegment, InProgress, Fault, Error, Throttle bool

	HTTPStatus int32 // of the response; 0 when there is none
	// Annotations is a JSON object text of the annotations that X-Ray indexes (strings, numbers, booleans) of
	// the document and the subsegments in it, "" when there are none. A key with several distinct values has
	// an array of them.
	Annotations string
	JSON        string
}

// ParseDocument reads the text of a document that belongs to account and region. Unlike a client's, it may be
// of any size.
func ParseDocument(account, region, text string) (Document, error) {
	t := getTree()
	defer putTree(t)
	return t.document(account, region, text)
}

func (t *tree) document(account, region, text string) (Document, error) {
	if err := t.parse(text); err != nil {
		return Document{}, &SegmentError{Code: ErrorParse, Detail: err.Error()}
	}
	var m members
	if t.nodes[0].kind == kindObject {
		m = t.members(0)
	}
	h, fail := t.documentHead(&m)
	if fail != nil {
		return Document{}, fail
	}
	d := Document{
		Account: account, Region: region,
		TraceID: h.trace, ID: h.id, ParentID: h.parent,
		Start: h.start, End: h.end, Name: h.name,
		Subsegment: h.subsegment, InProgress: t.partial(&m, &h),
		JSON: text,
	}
	d.Origin, _ = t.strAt(m.origin)
	d.Fault, _ = t.boolAt(m.fault)
	d.Error, _ = t.boolAt(m.error)
	d.Throttle, _ = t.boolAt(m.throttle)
	d.HTTPStatus = t.httpStatus(m.http)
	var a indexedAnnotations
	a.collect(t, &m)
	d.Annotations = a.text()
	return d, nil
}

// httpStatus is a response's status; a number written unusually counts, text does not.
func (t *tree) httpStatus(http int32) int32 {
	n := t.memberAt(t.memberAt(http, "response"), "status")
	if !t.is(n, kindNumber) {
		return 0
	}
	f, err := strconv.ParseFloat(t.raw(n), 64)
	if err != nil || f < 0 || f > 1<<31-1 || f != float64(int32(f)) {
		return 0
	}
	return int32(f)
}

// indexedAnnotations gathers annotations by key, in order of appearance.
type indexedAnnotations struct {
	keys   []string
	values [][]string // JSON texts
	where  map[string]int
}

// collect adds the annotations of a segment and of all subsegments in it.
func (a *indexedAnnotations) collect(t *tree, m *members) {
	if t.is(m.annotations, kindObject) {
		for x := t.nodes[m.annotations].child; x != 0; x = t.nodes[x].next {
			switch t.nodes[x].kind {
			case kindString, kindNumber, kindTrue, kindFalse:
				a.add(t.key(x), t.raw(x))
			}
		}
	}
	if !t.is(m.subsegments, kindArray) {
		return
	}
	for x := t.nodes[m.subsegments].child; x != 0; x = t.nodes[x].next {
		if t.nodes[x].kind == kindObject {
			// Members are few, and bounded in depth by the parser.
			sub := members{annotations: t.member(x, "annotations"), subsegments: t.member(x, "subsegments")}
			a.collect(t, &sub)
		}
	}
}

// maxValuesPerKey bounds the distinct values that are kept of one key of one document.
const maxValuesPerKey = 256

func (a *indexedAnnotations) add(key, value string) {
	i, ok := a.where[key]
	if !ok {
		if a.where == nil {
			a.where = make(map[string]int, 8)
		}
		a.where[key] = len(a.keys)
		a.keys = append(a.keys, key)
		a.values = append(a.values, []string{value})
		return
	}
	if !slices.Contains(a.values[i], value) && len(a.values[i]) < maxValuesPerKey {
		a.values[i] = append(a.values[i], value)
	}
}

func (a *indexedAnnotations) text() string {
	if len(a.keys) == 0 {
		return ""
	}
	b := make([]byte, 0, 32*len(a.keys))
	b = append(b, '{')
	for i, key := range a.keys {
		b = appendString(appendComma(b), key)
		b = append(b, ':')
		if len(a.values[i]) == 1 {
			b = append(b, a.values[i][0]...)
			continue
		}
		b = append(b, '[')
		for _, v := range a.values[i] {
			b = append(appendComma(b), v...)
		}
		b = append(b, ']')
	}
	return string(append(b, '}'))
}
