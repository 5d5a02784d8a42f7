// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"math"
	"strconv"
	"strings"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/logsinsights/jsonscan"
)

const (
	// maxDiscovered is how many fields are discovered in one event. A query may name any leaf all the same.
	maxDiscovered = 200
	// maxDiscoveredDepth bounds the nesting that discovery follows.
	maxDiscoveredDepth = 32
)

// DiscoverFields lists all fields of an event, as GetLogRecord shows them: times as Unix milliseconds, numbers of
// system fields as Java prints a double. The fields that every event has come first, then those of Lambda, then the
// discovered ones, 200 at most, in the order of the message.
func DiscoverFields(rec *store.LogRecord) []Field {
	fields := []Field{
		{"@ingestionTime", strconv.FormatInt(rec.Ingested, 10)},
		{"@log", rec.Account + ":" + rec.Group},
		{"@logStream", rec.Stream},
		{"@message", rec.Message},
		{"@timestamp", strconv.FormatInt(rec.Timestamp, 10)},
	}
	lambda := isLambdaGroup(rec.Group)
	if lambda {
		for _, name := range lambdaFields {
			switch v := lambdaField(name)(rec.Message); v.kind {
			case text:
				fields = append(fields, Field{name, v.str})
			case number:
				fields = append(fields, Field{name, javaDouble(v.num)})
			}
		}
	}
	d := &discovery{seen: map[string]bool{}, fields: fields, room: maxDiscovered}
	doc := ""
	if begin, end, ok := jsonscan.Valid(rec.Message); ok {
		doc = rec.Message[begin:end]
	} else if lambda {
		doc = embeddedJSON(rec.Message)
	}
	switch {
	case doc != "" && (doc[0] == '{' || doc[0] == '['):
		d.walk("", doc, 0)
	case doc == "":
		if c := vendedFields(rec.Message); c != nil {
			for _, name := range c.names {
				if v, ok := c.value(name); ok {
					d.add(name, v)
				}
			}
		}
	}
	return d.fields
}

type discovery struct {
	seen   map[string]bool
	fields []Field
	room   int
}

func (d *discovery) add(name string, v value) {
	s, ok := v.asText()
	if !ok || d.room == 0 || d.seen[name] {
		return
	}
	d.seen[name] = true
	d.fields = append(d.fields, Field{name, s})
	d.room--
}

// walk adds the leaves of the JSON value lit, whose flattened name is prefix.
func (d *discovery) walk(prefix, lit string, depth int) {
	if d.room == 0 {
		return
	}
	if lit[0] != '{' && lit[0] != '[' {
		d.add(prefix, leaf(lit))
		return
	}
	if depth == maxDiscoveredDepth {
		return
	}
	at := 0
	keys := map[string]bool{} // of equal keys, the first one
	member := func(key, lit string) bool {
		if keys[key] {
			return true
		}
		keys[key] = true
		switch {
		case depth > 0:
			key = prefix + "." + key
		case strings.HasPrefix(key, "@"):
			key = "@" + key
		}
		d.walk(key, lit, depth+1)
		return d.room > 0
	}
	if lit[0] == '{' {
		jsonscan.EachMember(lit, member)
		return
	}
	jsonscan.EachElement(lit, func(lit string) bool {
		at++
		return member(strconv.Itoa(at-1), lit)
	})
}

// javaDouble prints a number as Java's Double.toString does: at least one decimal, and an exponent below a
// thousandth and from ten million.
func javaDouble(f float64) string {
	a := math.Abs(f)
	if a == 0 || a >= 1e-3 && a < 1e7 {
		s := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'E', -1, 64), "E")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exponent)
	return mantissa + "E" + strconv.Itoa(n)
}
