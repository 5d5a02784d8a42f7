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

// appendTo appends the namespace of a resource to dst; nothing when every part is left out.
func (t namespaceTemplate) appendTo(dst []byte, resource pcommon.Map) []byte {
	start := len(dst)
	for _, part := range t {
		end := len(dst)
		if end > start {
			dst = append(dst, '/')
		}
		before := len(dst)
		var ok bool
		if dst, ok = appendPart(dst, part, resource); !ok || len(dst) == before {
			dst = dst[:end]
		}
	}
	return dst
}

func appendPart(dst []byte, part []templatePiece, resource pcommon.Map) ([]byte, bool) {
	for _, p := range part {
		if !p.attribute {
			dst = append(dst, p.text...)
			continue
		}
		v, ok := resource.Get(p.text)
		if !ok {
			return dst, false
		}
		var s string
		if v.Type() == pcommon.ValueTypeStr {
			s = v.Str()
		} else {
			s = v.AsString()
		}
		if s == "" {
			return dst, false
		}
		dst = append(dst, s...)
	}
	return dst, true
}
