// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// namespaceTemplate is text with {resource.attribute} placeholders, split at its slashes. A part of which a
// placeholder has no value is left out with its slash.
type namespaceTemplate [][]templatePiece

type templatePiece struct {
	text      string
	attribute bool // text names a resource attribute
}

func parseNamespaceTemplate(s string) (namespaceTemplate, error) {
	var t namespaceTemplate
	for part := range strings.SplitSeq(s, "/") {
		var pieces []templatePiece
		for rest := part; rest != ""; {
			open := strings.IndexAny(rest, "{}")
			if open < 0 {
				pieces = append(pieces, templatePiece{text: rest})
				break
			}
			end := strings.IndexByte(rest, '}')
			if rest[open] == '}' || end < open+2 {
				return nil, fmt.Errorf("namespace template %q: want {resource.attribute}, got %q", s, rest[open:])
			}
			if open > 0 {
				pieces = append(pieces, templatePiece{text: rest[:open]})
			}
			name := rest[open+1 : end]
			if strings.ContainsRune(name, '{') {
				return nil, fmt.Errorf("namespace template %q: want {resource.attribute}, got %q", s, rest[open:])
			}
			pieces = append(pieces, templatePiece{text: name, attribute: true})
			rest = rest[end+1:]
		}
		t = append(t, pieces)
	}
	return t, nil
}

// expand returns the namespace of a resource; "" when every part is left out.
func (t namespaceTemplate) expand(resource pcommon.Map) string {
	var b strings.Builder
	for _, part := range t {
		text, ok := expandPart(part, resource)
		if !ok || text == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('/')
		}
		b.WriteString(text)
	}
	return b.String()
}

func expandPart(part []templatePiece, resource pcommon.Map) (string, bool) {
	var b strings.Builder
	for _, p := range part {
		if !p.attribute {
			b.WriteString(p.text)
			continue
		}
		v, ok := resource.Get(p.text)
		if !ok {
			return "", false
		}
		s := v.AsString()
		if s == "" {
			return "", false
		}
		b.WriteString(s)
	}
	return b.String(), true
}
