// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// annotationsAndMetadata writes the attributes that no other member holds: those that the list of annotations
// names as annotations, the others as metadata.
func (o *otlpSpan) annotationsAndMetadata(w *docWriter) {
	if o.bare {
		return
	}
	indexed := map[string]bool{}
	if list, ok := o.a.Get(attrAnnotations); ok && list.Type() == pcommon.ValueTypeSlice {
		for _, v := range list.Slice().All() {
			indexed[v.AsString()] = true
		}
		o.used = append(o.used, attrAnnotations)
	}
	if len(indexed) > 0 {
		o.annotations(w, indexed)
	}
	mark := w.open("metadata")
	m := w.open("default")
	for k, v := range o.a.All() {
		if indexed[k] && indexable(v) || o.isUsed(k) || strings.HasPrefix(k, metadataPrefix) {
			continue
		}
		w.key(k)
		w.value(v, 0)
	}
	if o.segment {
		for k, v := range o.r.attributes.All() {
			w.key("otel.resource." + k)
			w.value(v, 0)
		}
	}
	o.spanOnly(w)
	w.close(m, false)
	written := w.buf[len(w.buf)-1] == '}'
	for k, v := range o.a.All() {
		ns, ok := strings.CutPrefix(k, metadataPrefix)
		if !ok {
			continue
		}
		if ns == "default" && written {
			ns = "otel.default"
		}
		w.key(ns)
		if v.Type() == pcommon.ValueTypeStr && validJSON(v.Str()) {
			w.buf = append(w.buf, v.Str()...)
		} else {
			w.value(v, 0)
		}
	}
	w.close(mark, false)
}

func indexable(v pcommon.Value) bool {
	switch v.Type() {
	case pcommon.ValueTypeStr, pcommon.ValueTypeBool, pcommon.ValueTypeInt, pcommon.ValueTypeDouble:
		return true
	}
	return false
}

func (o *otlpSpan) annotations(w *docWriter, indexed map[string]bool) {
	mark := w.open("annotations")
	seen := map[string]bool{}
	for k, v := range o.a.All() {
		key := annotationKey(k)
		if !indexed[k] || !indexable(v) || seen[key] {
			continue
		}
		seen[key] = true
		w.key(key)
		w.value(v, 0)
	}
	w.close(mark, false)
}

// annotationKey makes a key that X-Ray indexes: letters, digits and underscores.
func annotationKey(k string) string {
	ok := true
	for i := range len(k) {
		ok = ok && annotationByte(k[i])
	}
	if ok {
		return k
	}
	b := make([]byte, 0, len(k))
	for _, r := range k {
		if r < 0x80 && annotationByte(byte(r)) {
			b = append(b, byte(r))
		} else {
			b = append(b, '_')
		}
	}
	return string(b)
}

func annotationByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func (o *otlpSpan) isUsed(key string) bool {
	return slices.Contains(o.used, key)
}

// spanOnly writes what a span has and a document has no member for.
func (o *otlpSpan) spanOnly(w *docWriter) {
	s := o.span
	if name := s.Name(); name != o.name() {
		w.str("otel.span.name", name)
	}
	switch s.Kind() {
	case ptrace.SpanKindProducer, ptrace.SpanKindConsumer:
		w.str("otel.span.kind", strings.ToUpper(s.Kind().String()))
	case ptrace.SpanKindClient:
		if o.segment {
			w.str("otel.span.kind", "CLIENT")
		}
	}
	w.optional("otel.trace_state", s.TraceState().AsRaw())
	w.optional("otel.scope.name", o.r.scope.Name())
	w.optional("otel.scope.version", o.r.scope.Version())
	for _, e := range s.Events().All() {
		if e.Name() != eventException {
			w.events(s)
			break
		}
	}
}
