// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"strings"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/logsinsights/jsonscan"
)

// row is what travels between the stages of a query: an event of the log with what the query added, or
// a result of stats, which has no event.
type row struct {
	rec   *store.LogRecord // nil behind stats
	slots []value          // what the query defined
	event *eventReader
	found found // the discovered fields that the query names, once looked up
	known bool
}

// clone copies what a stage needs that keeps the row.
func (r *row) clone() *row {
	c := &row{slots: append([]value(nil), r.slots...), event: r.event}
	if r.rec != nil {
		rec := *r.rec
		c.rec = &rec
	}
	return c
}

// bytes is about what a kept row costs.
func (r *row) bytes() int {
	n := 128 + 40*len(r.slots)
	if r.rec != nil {
		n += 300 + len(r.rec.Message) + len(r.rec.Stream)
	}
	for _, v := range r.slots {
		n += len(v.str)
	}
	return n
}

// position is the row's place in the order of events.
func (r *row) position() store.LogPosition {
	if r.rec == nil {
		return store.LogPosition{}
	}
	return store.LogPosition{Timestamp: r.rec.Timestamp, Ingested: r.rec.Ingested, Seq: r.rec.Seq}
}

// discovered is the value of the n-th discovered field of the query.
func (r *row) discovered(n int) value {
	if !r.known {
		r.event.read(r)
		r.known = true
	}
	return r.found.values[n]
}

// eventReader finds the discovered fields that a query names in an event.
type eventReader struct {
	tree     pathTree
	names    []string
	index    map[string]int
	vended   bool // some name is one of a vended format
	account  string
	promoted bool
}

func newEventReader(o *Options) *eventReader {
	return &eventReader{index: map[string]int{}, account: o.Account, promoted: o.Promoted}
}

// want adds a flattened name and returns its index.
func (e *eventReader) want(name string) int {
	if n, ok := e.index[name]; ok {
		return n
	}
	n := len(e.names)
	e.names = append(e.names, name)
	e.index[name] = n
	if key, ok := jsonName(name); ok {
		e.tree.add(key, n)
	}
	e.vended = e.vended || isVendedName(name)
	return n
}

// jsonName is the flattened name inside the JSON text of a field's name: a key that begins with "@" is
// shown with a second one, and a name with one "@" is never a key.
func jsonName(name string) (string, bool) {
	if strings.HasPrefix(name, "@") {
		return name[1:], strings.HasPrefix(name, "@@")
	}
	return name, true
}

func (e *eventReader) read(r *row) {
	r.found.reset(len(e.names))
	msg := r.rec.Message
	if begin := jsonscan.SkipSpace(msg, 0); begin < len(msg) && (msg[begin] == '{' || msg[begin] == '[') && e.tree.scan(msg, &r.found) {
		return
	}
	if isLambdaGroup(r.rec.Group) && e.readEmbedded(r) {
		return
	}
	if e.vended {
		if fields := vendedFields(msg); fields != nil {
			for n, name := range e.names {
				if v, ok := fields.value(name); ok {
					r.found.values[n] = v
				}
			}
		}
	}
}

// maxFragments bounds how many braces of a line are tried as the begin of JSON.
const maxFragments = 16

// readEmbedded reads the first JSON object inside a line of a Lambda function.
func (e *eventReader) readEmbedded(r *row) bool {
	fragment := embeddedJSON(r.rec.Message)
	return fragment != "" && e.tree.scanPrefix(fragment, &r.found) >= 0
}

// embeddedJSON returns the first JSON object in the line, or "".
func embeddedJSON(line string) string {
	at := 0
	for range maxFragments {
		brace := strings.IndexByte(line[at:], '{')
		if brace < 0 {
			return ""
		}
		at += brace
		if end := jsonscan.SkipValue(line, at); end >= 0 {
			return line[at:end]
		}
		at++
	}
	return ""
}

// systemField returns the reader of a field that every event has, or nil.
func (e *eventReader) systemField(name string) func(*row) value {
	switch name {
	case "@timestamp":
		return func(r *row) value { return timeValue(r.rec.Timestamp) }
	case "@ingestionTime":
		return func(r *row) value { return timeValue(r.rec.Ingested) }
	case "@message":
		return func(r *row) value { return textValue(r.rec.Message) }
	case "@logStream":
		return func(r *row) value { return textValue(r.rec.Stream) }
	case "@log":
		return func(r *row) value { return textValue(e.accountOf(r.rec) + ":" + r.rec.Group) }
	case "@ptr":
		return func(r *row) value { return textValue(pointerTo(r.rec, e.accountOf(r.rec)).String()) }
	case "@aws.account":
		return func(r *row) value { return presentText(e.accountOf(r.rec)) }
	case "@aws.region":
		return func(r *row) value { return presentText(r.rec.Region) }
	}
	if read := lambdaField(name); read != nil {
		return func(r *row) value {
			if !isLambdaGroup(r.rec.Group) {
				return value{}
			}
			return read(r.rec.Message)
		}
	}
	if e.promoted {
		return e.promotedField(name)
	}
	return nil
}

func (e *eventReader) accountOf(rec *store.LogRecord) string {
	if rec.Account != "" {
		return rec.Account
	}
	return e.account
}

func presentText(s string) value {
	if s == "" {
		return value{}
	}
	return textValue(s)
}

// field returns the reader of a field of the event.
func (e *eventReader) field(name string) func(*row) value {
	if read := e.systemField(name); read != nil {
		return read
	}
	n := e.want(name)
	return func(r *row) value { return r.discovered(n) }
}
