// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import "github.com/nephoscope/nephoscope/pkg/logsinsights/jsonscan"

var jsonFunctions = map[string]function{
	"jsonparse": {spelling: "jsonParse", min: 1, max: 1, eval: func(_ *env, a []value) value {
		if a[0].kind == document {
			return a[0]
		}
		s, ok := a[0].asText()
		if !ok {
			return value{}
		}
		return parseDocument(s)
	}},
	"jsonstringify": {spelling: "jsonStringify", min: 1, max: 1, eval: func(_ *env, a []value) value {
		if a[0].kind != document {
			return value{}
		}
		return textValue(a[0].str)
	}},
	"jsonarraysize": {spelling: "jsonArraySize", min: 1, max: 1, eval: func(_ *env, a []value) value {
		doc, ok := arrayOf(a[0])
		if !ok {
			return value{}
		}
		n := 0
		jsonscan.EachElement(doc, func(string) bool { n++; return true })
		return numberValue(float64(n))
	}},
	"jsonarraycontains": {spelling: "jsonArrayContains", min: 2, max: 2, eval: func(_ *env, a []value) value {
		doc, ok := arrayOf(a[0])
		if !ok {
			return value{}
		}
		found := false
		jsonscan.EachElement(doc, func(lit string) bool {
			found = isEqual(leaf(lit), a[1])
			return !found
		})
		return flag(found)
	}},
}

// parseDocument is the map, list or scalar that a JSON text spells, or missing.
func parseDocument(s string) value {
	begin := jsonscan.SkipSpace(s, 0)
	end := jsonscan.SkipValue(s, begin)
	if end < 0 || jsonscan.SkipSpace(s, end) != len(s) {
		return value{}
	}
	return leaf(s[begin:end])
}

// arrayOf is the JSON text of a list, from a list or a text.
func arrayOf(v value) (string, bool) {
	if v.kind == text {
		v = parseDocument(v.str)
	}
	return v.str, v.kind == document && v.str[0] == '['
}
