// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// decoder takes the properties out of a map and reports what is wrong with them, and what was left.
type decoder struct {
	source   Source
	problems *problems
	path     string // of the map, "" for the properties of the alarm
	v        *value
	taken    []bool
}

func newDecoder(ps *problems, source Source, path string, v *value) *decoder {
	d := &decoder{source: source, problems: ps, path: path, v: v}
	if v.kind != kindMap {
		d.fail(v.line, path, "must be a map, not %s", v.kind)
		d.v = &value{kind: kindMap, line: v.line}
	}
	d.taken = make([]bool, len(d.v.fields))
	return d
}

func (d *decoder) fail(line int, path, format string, args ...any) {
	d.problems.add(Problem{
		File: d.source.File, Line: line, Name: d.source.Name, Property: path, Message: fmt.Sprintf(format, args...),
	})
}

// take finds a property. One that is null is not given.
func (d *decoder) take(key string) (*value, string) {
	for i := range d.v.fields {
		if f := &d.v.fields[i]; f.key == key {
			d.taken[i] = true
			if f.value.kind == kindNull || f.value.kind == kindUnknown {
				return nil, ""
			}
			return f.value, d.pathOf(f)
		}
	}
	return nil, ""
}

func (d *decoder) pathOf(f *field) string {
	if d.path == "" {
		return f.name()
	}
	return d.path + "." + f.name()
}

// line is where a property stands, else where the map does.
func (d *decoder) line(key string) int {
	for i := range d.v.fields {
		if d.v.fields[i].key == key {
			return d.v.fields[i].line
		}
	}
	return d.v.line
}

// unsupported reports a property that is known and not supported.
func (d *decoder) unsupported(key, why string) {
	if v, path := d.take(key); v != nil {
		d.fail(v.line, path, "%s", why)
	}
}

// ignore passes over properties that say nothing about the definition.
func (d *decoder) ignore(keys ...string) {
	for _, key := range keys {
		d.take(key)
	}
}

// done reports the properties that nobody took.
func (d *decoder) done(known ...string) {
	for i, taken := range d.taken {
		if taken {
			continue
		}
		f := &d.v.fields[i]
		hint := ""
		if near := nearest(f.key, known); near != "" {
			hint = fmt.Sprintf("; did you mean %s?", near)
		}
		d.fail(f.line, d.pathOf(f), "unknown property%s", hint)
	}
}

// nearest is the known name that differs in case, or in an s at its end.
func nearest(key string, known []string) string {
	fold := func(s string) string {
		return strings.TrimSuffix(strings.ToLower(strings.ReplaceAll(s, "_", "")), "s")
	}
	for _, k := range known {
		if fold(k) == fold(key) {
			return k
		}
	}
	return ""
}

// required reports a property that is not there, by the name that the format gives it. One that is wrong was reported
// already.
func (d *decoder) required(key string) {
	if v := d.v.get(key); v == nil || v.kind == kindNull {
		d.fail(d.v.line, strings.TrimPrefix(d.path+"."+d.shown(key), "."), "is required")
	}
}

func (d *decoder) scalar(key, what string) (*value, string) {
	v, path := d.take(key)
	if v != nil && !v.scalar() {
		d.fail(v.line, path, "must be %s, not %s", what, v.kind)
		return nil, ""
	}
	return v, path
}

// text is a string; numbers and booleans are taken as they are written.
func (d *decoder) text(key string) (s string, given bool) {
	v, _ := d.scalar(key, "a string")
	if v == nil {
		return "", false
	}
	return v.text, true
}

// oneOf is one of the strings, exactly.
func (d *decoder) oneOf(key string, allowed ...string) string {
	v, path := d.scalar(key, "a string")
	if v == nil {
		return ""
	}
	if !slices.Contains(allowed, v.text) {
		d.fail(v.line, path, "%q is not one of %s", v.text, strings.Join(allowed, ", "))
	}
	return v.text
}

func (d *decoder) boolean(key string) (b, given bool) {
	v, path := d.scalar(key, "a boolean")
	switch {
	case v == nil:
		return false, false
	case v.text == "true" || v.text == "false":
	case v.kind == kindBool:
		return strings.EqualFold(v.text, "true"), true // True and TRUE of YAML
	default:
		d.fail(v.line, path, "%q is not true or false", v.text)
		return false, false
	}
	return v.text == "true", true
}

func (d *decoder) number(key string) *float64 {
	v, path := d.scalar(key, "a number")
	if v == nil {
		return nil
	}
	f, err := strconv.ParseFloat(v.text, 64)
	if err != nil || v.kind == kindBool || math.IsInf(f, 0) || math.IsNaN(f) {
		d.fail(v.line, path, "%q is not a number", v.text)
		return nil
	}
	return &f
}

// integer is a whole number of 32 bits; 3.0 is one.
func (d *decoder) integer(key string) (n int32, given bool) {
	v, path := d.scalar(key, "a whole number")
	if v == nil {
		return 0, false
	}
	f, err := strconv.ParseFloat(v.text, 64)
	if err != nil || v.kind == kindBool || f != math.Trunc(f) || math.Abs(f) > math.MaxInt32 {
		d.fail(v.line, path, "%q is not a whole number", v.text)
		return 0, false
	}
	return int32(f), true
}

// positive is an integer of at least one, 0 when it is not given.
func (d *decoder) positive(key string) int32 {
	n, given := d.integer(key)
	if given && n < 1 {
		d.fail(d.line(key), strings.TrimPrefix(d.path+"."+d.shown(key), "."), "must be at least 1, not %d", n)
	}
	return n
}

// shown is what the file calls a property, or would call it.
func (d *decoder) shown(key string) string {
	for i := range d.v.fields {
		if d.v.fields[i].key == key {
			return d.v.fields[i].name()
		}
	}
	if d.source.Format == FormatTerraform {
		return snakeCase(key)
	}
	return key
}

func (d *decoder) texts(key string) []string {
	v, path := d.items(key)
	if v == nil {
		return nil
	}
	out := make([]string, 0, len(v.list))
	for i, item := range v.list {
		if !item.scalar() {
			d.fail(item.line, fmt.Sprintf("%s[%d]", path, i), "must be a string, not %s", item.kind)
			continue
		}
		out = append(out, item.text)
	}
	return out
}

func (d *decoder) items(key string) (*value, string) {
	v, path := d.take(key)
	if v != nil && v.kind != kindList {
		d.fail(v.line, path, "must be a list, not %s", v.kind)
		return nil, ""
	}
	return v, path
}

// each calls f with each map of a list.
func (d *decoder) each(key string, f func(*decoder)) {
	v, path := d.items(key)
	if v == nil {
		return
	}
	for i, item := range v.list {
		f(newDecoder(d.problems, d.source, fmt.Sprintf("%s[%d]", path, i), item))
	}
}

func (d *decoder) within(key string) *decoder {
	v, path := d.take(key)
	if v == nil {
		return nil
	}
	return newDecoder(d.problems, d.source, path, v)
}

var timeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"}

// instant is a time; one without a zone is in UTC.
func (d *decoder) instant(key string) (t time.Time, given bool) {
	v, path := d.scalar(key, "a time")
	if v == nil {
		return t, false
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, v.text); err == nil {
			return t.UTC(), true
		}
	}
	d.fail(v.line, path, "%q is not a time such as 2026-11-21T14:05:00Z", v.text)
	return t, false
}
