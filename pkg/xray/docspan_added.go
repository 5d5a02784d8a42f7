// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"cmp"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// metadata writes the namespaces, and what processors added to the span into the namespace default.
func (w *docWriter) metadata(s ptrace.Span, a pcommon.Map, o *overlay, broken string, events bool) {
	n, other := o.object(0, "metadata")
	if other {
		return
	}
	added := w.added(s, a, broken, events)
	mark := w.open("metadata")
	for attr, v := range a.All() {
		ns, ok := strings.CutPrefix(attr, metadataPrefix)
		if !ok || o.has(n, ns) {
			continue
		}
		w.key(ns)
		switch {
		case v.Type() != pcommon.ValueTypeStr:
			w.value(v, 0)
		case !validJSON(v.Str()):
			w.buf = appendString(w.buf, v.Str())
		case ns == "default" && added != "":
			w.buf, added = appendObject(w.buf, v.Str(), added)
		default:
			w.buf = append(w.buf, v.Str()...)
		}
	}
	if c := o.memberOf(n, "default"); n >= 0 && c != 0 && added != "" {
		w.name("default")
		w.buf, added = appendObject(w.buf, o.raw(c), added)
		w.rest(o, n, "default")
	} else {
		w.rest(o, n)
	}
	if added != "" {
		name := "default"
		for o.has(n, name) || hasKey(a, metadataPrefix+name) {
			name = "otel." + name
		}
		w.raw(name, added)
	}
	w.close(mark, n >= 0)
}

func hasKey(a pcommon.Map, key string) bool {
	_, ok := a.Get(key)
	return ok
}

// added is a JSON object of what is on the span that no document put there, or "".
func (w *docWriter) added(s ptrace.Span, a pcommon.Map, broken string, events bool) string {
	var names pcommon.Slice
	listed := false
	if list, ok := a.Get(attrAnnotations); ok && list.Type() == pcommon.ValueTypeSlice {
		names, listed = list.Slice(), true
	}
	x := docWriter{e: w.e}
	for attr, v := range a.All() {
		if ownAttribute(attr) || (listed && contains(names, attr)) {
			continue
		}
		if x.buf == nil {
			x.buf = append(x.buf, '{')
		}
		x.key(attr)
		x.value(v, 0)
	}
	if broken != "" || events {
		if x.buf == nil {
			x.buf = append(x.buf, '{')
		}
		if broken != "" {
			x.str(attrResidual, broken)
		}
		if events {
			x.events(s)
		}
	}
	if x.buf == nil {
		return ""
	}
	w.err = cmp.Or(w.err, x.err)
	return string(append(x.buf, '}'))
}

func contains(list pcommon.Slice, s string) bool {
	for _, v := range list.All() {
		if v.Type() == pcommon.ValueTypeStr && v.Str() == s {
			return true
		}
	}
	return false
}

// appendObject writes the JSON object text with the members of added behind its own, less those it has. What
// is no object is written as it is, and added given back.
func appendObject(dst []byte, text, added string) (out []byte, left string) {
	t, x := getTree(), getTree()
	defer putTree(t)
	defer putTree(x)
	if t.parse(text) != nil || t.nodes[0].kind != kindObject || x.parse(added) != nil {
		return append(dst, text...), added
	}
	dst = append(dst, t.raw(0)[:len(t.raw(0))-1]...)
	if t.nodes[0].child != 0 {
		dst = append(dst, ',')
	}
	for c := x.nodes[0].child; c != 0; c = x.nodes[c].next {
		if t.member(0, x.key(c)) != 0 {
			continue
		}
		dst = append(dst, x.src[x.nodes[c].keyStart-1:x.nodes[c].end]...)
		dst = append(dst, ',')
	}
	if dst[len(dst)-1] == ',' {
		dst = dst[:len(dst)-1]
	}
	return append(dst, '}'), ""
}

// events writes the events that are no exceptions.
func (w *docWriter) events(s ptrace.Span) {
	w.name("otel.events")
	w.buf = append(w.buf, '[')
	for _, e := range s.Events().All() {
		if e.Name() == eventException {
			continue
		}
		w.buf = append(appendComma(w.buf), '{')
		w.str("name", e.Name())
		w.name("time")
		w.buf = appendSeconds(w.buf, int64(e.Timestamp()))
		if e.Attributes().Len() > 0 {
			w.name("attributes")
			w.attributes(e.Attributes())
		}
		w.buf = append(w.buf, '}')
	}
	w.buf = append(w.buf, ']')
}

func (w *docWriter) attributes(a pcommon.Map) {
	w.buf = append(w.buf, '{')
	for k, v := range a.All() {
		w.key(k)
		w.value(v, 0)
	}
	w.buf = append(w.buf, '}')
}
