// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package emf

import (
	"math"
	"strconv"
	"strings"
)

const (
	memberMetadata   = "_aws"
	memberDirectives = "CloudWatchMetrics"
	memberTimestamp  = "Timestamp"
	memberVersion    = "Version"
	memberGroup      = "LogGroupName"
	memberStream     = "LogStreamName"
)

// Meta is what a document says of itself besides its metrics.
type Meta struct {
	// LogGroupName and LogStreamName are where an agent is to send the document; "" when it does not say.
	LogGroupName, LogStreamName string
	// TimestampMs is Unix milliseconds; valid when HasTimestamp.
	TimestampMs  int64
	HasTimestamp bool
}

// Candidate reports whether a log event can be an EMF document. It costs a search for two words, so that it can be
// asked of every event; nearly all that are not EMF are told apart by it.
func Candidate(doc string) bool {
	return quotes(doc, memberMetadata) || quotes(doc, memberDirectives)
}

// quotes reports whether the name occurs in quotes. It does not search for the quote that begins it, because a search is
// fast when its first character is rare, and nothing is as frequent in JSON as quotes.
func quotes(doc, name string) bool {
	for from := 0; ; {
		i := strings.Index(doc[from:], name)
		if i < 0 {
			return false
		}
		i += from
		from = i + len(name)
		if i > 0 && doc[i-1] == '"' && from < len(doc) && doc[from] == '"' {
			return true
		}
	}
}

// Inspect reads what an agent needs to deliver a document, whether or not there are metrics in it. ok is false
// when doc is not a JSON object.
func Inspect(doc string) (meta Meta, ok bool) {
	x := getExtractor()
	defer putExtractor(x)
	if !x.scan(doc) {
		return Meta{}, false
	}
	if v, found := x.lookup(memberMetadata); found && v.kind == kindObject {
		return readMetadata(v).Meta, true
	}
	if v, found := x.lookup(memberDirectives); found && v.kind == kindArray {
		meta.TimestampMs, meta.HasTimestamp = x.legacyTimestamp()
	}
	return meta, true
}

// metadata is the members of _aws.
type metadata struct {
	Meta
	directives value
	timestamp  value
}

func readMetadata(v value) metadata {
	var m metadata
	for c := v.cursor(); ; {
		e, ok := c.member()
		if !ok {
			break
		}
		switch e.name { // the last of equal names wins
		case memberTimestamp:
			m.timestamp = e.value
		case memberDirectives:
			m.directives = e.value
		case memberGroup:
			m.LogGroupName = stringOrEmpty(e.value)
		case memberStream:
			m.LogStreamName = stringOrEmpty(e.value)
		}
	}
	m.TimestampMs, m.HasTimestamp = wholeNumber(m.timestamp)
	return m
}

func stringOrEmpty(v value) string {
	if v.kind != kindString {
		return ""
	}
	return v.str()
}

// wholeNumber reads an integer, in any notation that JSON has for it.
func wholeNumber(v value) (int64, bool) {
	if v.kind != kindNumber {
		return 0, false
	}
	if n, err := strconv.ParseInt(v.text, 10, 64); err == nil {
		return n, true
	}
	f := v.number()
	if f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// legacy reports whether the document has the layout without _aws.
func (x *extractor) legacy() (directives value, ok bool) {
	directives, ok = x.lookup(memberDirectives)
	if !ok || directives.kind != kindArray {
		return value{}, false
	}
	version, _ := x.lookup(memberVersion)
	return directives, version.kind == kindString && (version.str() == "0" || version.str() == "1")
}

// legacyTimestamp is the root's Timestamp: milliseconds as a string, or as a number.
func (x *extractor) legacyTimestamp() (int64, bool) {
	v, ok := x.lookup(memberTimestamp)
	if !ok {
		return 0, false
	}
	if v.kind == kindString {
		n, err := strconv.ParseInt(v.str(), 10, 64)
		return n, err == nil
	}
	return wholeNumber(v)
}
