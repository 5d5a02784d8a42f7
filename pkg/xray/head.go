// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// MaxDocumentSize is the quota on one segment document, in bytes.
const MaxDocumentSize = 64 << 10

// maxNameLength is the longest name of a segment, in characters.
const maxNameLength = 200

// members are the nodes of a segment's or subsegment's members that have a meaning here; 0 is an absent one.
// Of a member that is given twice the last one counts, as in every JSON parser an SDK is likely to meet.
type members struct {
	name, id, traceID, parentID, typ          int32
	startTime, endTime, inProgress            int32
	fault, error, throttle                    int32
	http, aws, service, sql, cause            int32
	user, origin, resourceARN, namespace      int32
	annotations, metadata, subsegments, links int32
	traced, precursorIDs, inferred            int32
	others                                    int32 // how many members are none of the above
}

// members sorts the members of object n.
func (t *tree) members(n int32) (m members) {
	for c := t.nodes[n].child; c != 0; c = t.nodes[c].next {
		if p := m.slot(t.key(c)); p != nil {
			*p = c
		} else {
			m.others++
		}
	}
	return m
}

func (m *members) slot(key string) *int32 {
	switch key {
	case "name":
		return &m.name
	case "id":
		return &m.id
	case "trace_id":
		return &m.traceID
	case "parent_id":
		return &m.parentID
	case "type":
		return &m.typ
	case "start_time":
		return &m.startTime
	case "end_time":
		return &m.endTime
	case "in_progress":
		return &m.inProgress
	case "fault":
		return &m.fault
	case "error":
		return &m.error
	case "throttle":
		return &m.throttle
	case "http":
		return &m.http
	case "aws":
		return &m.aws
	case "service":
		return &m.service
	case "sql":
		return &m.sql
	case "cause":
		return &m.cause
	case "user":
		return &m.user
	case "origin":
		return &m.origin
	case "resource_arn":
		return &m.resourceARN
	case "namespace":
		return &m.namespace
	case "annotations":
		return &m.annotations
	case "metadata":
		return &m.metadata
	case "subsegments":
		return &m.subsegments
	case "links":
		return &m.links
	case "traced":
		return &m.traced
	case "precursor_ids":
		return &m.precursorIDs
	case "inferred":
		return &m.inferred
	}
	return nil
}

// head is what every segment and subsegment has.
type head struct {
	name       string
	id, parent SpanID
	trace      TraceID
	start, end int64 // Unix ns; end is 0 when the document has none
	subsegment bool  // a document of its own with type subsegment
}

// documentHead checks a whole document's identity. The order of the checks is the order in which the service
// is seen to make them: what is no object has no id.
func (t *tree) documentHead(m *members) (h head, fail *SegmentError) {
	if t.nodes[0].kind != kindObject || m.id == 0 || t.nodes[m.id].kind == kindNull {
		return h, &SegmentError{Code: ErrorMissingID}
	}
	text, ok := t.str(m.id)
	if !ok {
		return h, &SegmentError{Code: ErrorInvalidID, Detail: "id is not a string of Unicode text"}
	}
	refuse := func(code ErrorCode, format string, args ...any) (head, *SegmentError) {
		return h, &SegmentError{Code: code, ID: clip(text, 64), Detail: fmt.Sprintf(format, args...)}
	}
	if text == "" {
		return refuse(ErrorMissingID, "id is empty")
	}
	var err error
	if h.id, err = ParseSpanID(text); err != nil {
		return refuse(ErrorInvalidID, "%v", err)
	}
	if h.id.IsZero() {
		return refuse(ErrorInvalidID, "id is all zero")
	}
	if m.traceID == 0 || t.nodes[m.traceID].kind == kindNull {
		return refuse(ErrorMissingTraceID, "")
	}
	trace, ok := t.str(m.traceID)
	if !ok {
		return refuse(ErrorInvalidTraceID, "trace_id is not a string")
	}
	if h.trace, err = ParseTraceID(trace); err != nil {
		return refuse(ErrorInvalidTraceID, "%v", err)
	}
	if h.trace.IsZero() {
		return refuse(ErrorInvalidTraceID, "trace_id is all zero")
	}
	if m.parentID != 0 {
		switch parent, ok := t.str(m.parentID); {
		case !ok && t.nodes[m.parentID].kind != kindNull:
			return refuse(ErrorInvalidID, "parent_id is not a string")
		case parent == "": // some SDKs write the member of a root like this
		default:
			if h.parent, err = ParseSpanID(parent); err != nil {
				return refuse(ErrorInvalidID, "parent_id: %v", err)
			}
		}
	}
	if typ, _ := t.strAt(m.typ); typ == "subsegment" {
		h.subsegment = true
	}
	if fail := t.commonHead(m, &h, !h.subsegment); fail != nil {
		fail.ID = text
		return h, fail
	}
	return h, nil
}

// commonHead reads name and times.
func (t *tree) commonHead(m *members, h *head, checkName bool) *SegmentError {
	ok := false
	if m.name == 0 || t.nodes[m.name].kind == kindNull {
		return &SegmentError{Code: ErrorMissingName}
	}
	if h.name, ok = t.str(m.name); !ok {
		return &SegmentError{Code: ErrorInvalidName, Detail: "name is not a string of Unicode text"}
	}
	if h.name == "" {
		return &SegmentError{Code: ErrorMissingName, Detail: "name is empty"}
	}
	if checkName && !validName(h.name) {
		return &SegmentError{Code: ErrorInvalidName, Detail: fmt.Sprintf("name %q", clip(h.name, 2*maxNameLength))}
	}
	if m.startTime == 0 || t.nodes[m.startTime].kind == kindNull {
		return &SegmentError{Code: ErrorMissingStartTime}
	}
	var err error
	if h.start, err = t.seconds(m.startTime); err != nil {
		return &SegmentError{Code: ErrorParse, Detail: "start_time: " + err.Error()}
	}
	if m.endTime != 0 && t.nodes[m.endTime].kind != kindNull {
		if h.end, err = t.seconds(m.endTime); err != nil {
			return &SegmentError{Code: ErrorParse, Detail: "end_time: " + err.Error()}
		}
	}
	return nil
}

func (t *tree) seconds(n int32) (int64, error) {
	if t.nodes[n].kind != kindNumber {
		return 0, fmt.Errorf("%s is not a number", clip(t.raw(n), 40))
	}
	return parseSeconds(t.raw(n))
}

// strAt is str for a member that may be absent.
func (t *tree) strAt(n int32) (string, bool) {
	if n == 0 {
		return "", false
	}
	return t.str(n)
}

// boolAt is a member's truth, and whether it is a boolean at all.
func (t *tree) boolAt(n int32) (value, ok bool) {
	if n == 0 {
		return false, false
	}
	k := t.nodes[n].kind
	return k == kindTrue, k == kindTrue || k == kindFalse
}

// partial is true for a document that says that it is in progress, or has no end.
func (t *tree) partial(m *members, h *head) bool {
	v, _ := t.boolAt(m.inProgress)
	return v || h.end == 0
}

// validName is the rule for segment names. Those of subsegments are free.
func validName(name string) bool {
	if len(name) > maxNameLength && utf8.RuneCountInString(name) > maxNameLength {
		return false
	}
	for _, r := range name {
		if !nameRune(r) {
			return false
		}
	}
	return name != ""
}

func nameRune(r rune) bool {
	if r < 0x80 {
		return nameASCII[r]
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsSpace(r)
}

var nameASCII = func() (t [128]bool) {
	for r := range rune(128) {
		t[r] = unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsSpace(r)
	}
	for _, c := range `_.:/%&#=+\-@` {
		t[c] = true
	}
	return t
}()

// cleanName makes a segment's name of any text: characters that are not allowed go, and so does what is too long.
func cleanName(name string) string {
	if validName(name) {
		return name
	}
	b := make([]byte, 0, len(name))
	n := 0
	for _, r := range name {
		if n == maxNameLength {
			break
		}
		if r == utf8.RuneError || !nameRune(r) {
			continue
		}
		b = utf8.AppendRune(b, r)
		n++
	}
	if n == 0 {
		return "span"
	}
	return string(b)
}
