// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatchlogs

import (
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Undefined stands in a name for a resource attribute that is absent.
const Undefined = "undefined"

// Template makes a name of resource attributes. Text in braces is replaced by the attribute of that name, or by the
// first that is there of several with '|' between them: /otel/{service.name}, {service.instance.id|host.name}. When
// none is there it is replaced by [Undefined]. The zero Template makes "".
type Template struct {
	text  string
	parts []templatePart
}

// templatePart is a text, then the names of the attribute behind it (none at the end).
type templatePart struct {
	text  string
	names []string
}

// ParseTemplate reads a template.
func ParseTemplate(s string) (Template, error) {
	t := Template{text: s}
	for rest := s; ; {
		open := strings.IndexAny(rest, "{}")
		if open < 0 {
			t.parts = append(t.parts, templatePart{text: rest})
			return t, nil
		}
		pos := len(s) - len(rest)
		length := strings.IndexAny(rest[open+1:], "{}")
		switch {
		case rest[open] == '}':
			return Template{}, fmt.Errorf("template %q: '}' without '{' at %d", s, pos+open)
		case length < 0 || rest[open+1+length] == '{':
			return Template{}, fmt.Errorf("template %q: no '}' for '{' at %d", s, pos+open)
		}
		names := strings.Split(rest[open+1:open+1+length], "|")
		for i, n := range names {
			if names[i] = strings.TrimSpace(n); names[i] == "" {
				return Template{}, fmt.Errorf("template %q: empty attribute name at %d", s, pos+open)
			}
		}
		t.parts = append(t.parts, templatePart{text: rest[:open], names: names})
		rest = rest[open+length+2:]
	}
}

// MustTemplate is [ParseTemplate] for constants.
func MustTemplate(s string) Template {
	t, err := ParseTemplate(s)
	if err != nil {
		panic(err)
	}
	return t
}

// String is the template's source.
func (t Template) String() string { return t.text }

// IsZero reports whether the template is the zero Template.
func (t Template) IsZero() bool { return t.parts == nil }

func (t Template) expand(attrs pcommon.Map) string {
	var b strings.Builder
	for _, p := range t.parts {
		b.WriteString(p.text)
		if p.names != nil {
			b.WriteString(firstAttribute(attrs, p.names))
		}
	}
	return b.String()
}

func firstAttribute(attrs pcommon.Map, names []string) string {
	for _, n := range names {
		if v, ok := attrs.Get(n); ok {
			if s := v.AsString(); s != "" {
				return s
			}
		}
	}
	return Undefined
}
