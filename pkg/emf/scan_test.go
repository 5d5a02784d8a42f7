// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package emf

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// jsonSeeds are texts around the edges of the grammar.
var jsonSeeds = []string{
	`{}`, ` { } `, `{"a":1}`, `{"a":1,}`, `{,}`, `{"a"}`, `{"a":}`, `{"a":1 "b":2}`, `{a:1}`, `[]`, `1`, ``, `{`, `}`,
	`{"a":[]}`, `{"a":[1,]}`, `{"a":[,1]}`, `{"a":[1 2]}`, `{"a":[1,[2,{"b":[]}]]}`, `{"a":1}x`, `{"a":1}{}`,
	`{"a":01}`, `{"a":-}`, `{"a":-0}`, `{"a":1.}`, `{"a":.5}`, `{"a":1e}`, `{"a":1e+}`, `{"a":1.5E-7}`, `{"a":+1}`, `{"a":1e999}`,
	`{"a":true,"b":false,"c":null}`, `{"a":tru}`, `{"a":nul}`, `{"a":NaN}`,
	`{"a":"\u00e4\n\"\\\/"}`, `{"a":"\x"}`, `{"a":"\u12"}`, `{"a":"\u12g4"}`, `{"a":"` + "\n" + `"}`, `{"a":"`, `{"a":"\`,
	`{"\u0061":1,"a":2}`, `{"a":"\ud83d\ude00"}`, `{"a":"\ud83d"}`, `{"a":"\ud83dx\ude00"}`, `{"a":"\ud83d\u0041"}`,
}

func TestScanAgreesWithEncodingJSON(t *testing.T) {
	for _, doc := range jsonSeeds {
		checkScan(t, doc)
	}
}

func TestScanDepth(t *testing.T) {
	nested := func(n int) string { return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}` }
	_, ok := scanRoot(nil, nested(maxDepth-1))
	assert.True(t, ok)
	_, ok = scanRoot(nil, nested(maxDepth))
	assert.False(t, ok)
	_, ok = scanRoot(nil, nested(1<<20))
	assert.False(t, ok)
}

// checkScan compares the scanner with the standard library on any text.
func checkScan(t *testing.T, doc string) {
	t.Helper()
	members, ok := scanRoot(nil, doc)
	var want map[string]any
	err := json.Unmarshal([]byte(doc), &want)
	if !json.Valid([]byte(doc)) || want == nil {
		require.False(t, ok && want != nil, "%q", doc)
		if !json.Valid([]byte(doc)) {
			require.False(t, ok, "%q", doc)
		}
		return
	}
	if err != nil || !utf8.ValidString(doc) || strings.Count(doc, "[")+strings.Count(doc, "{") >= maxDepth {
		return // numbers out of range, text that encoding/json replaces, and depth
	}
	require.True(t, ok, "%q", doc)
	got := map[string]any{}
	for _, m := range members {
		got[m.name] = toAny(m.value)
	}
	require.Equal(t, want, got, "%q", doc)
}

func toAny(v value) any {
	switch v.kind {
	case kindString:
		return v.str()
	case kindNumber:
		return v.number()
	case kindObject:
		m := map[string]any{}
		for c := v.cursor(); ; {
			e, ok := c.member()
			if !ok {
				return m
			}
			m[e.name] = toAny(e.value)
		}
	case kindArray:
		list := []any{}
		for c := v.cursor(); ; {
			e, ok := c.element()
			if !ok {
				return list
			}
			list = append(list, toAny(e))
		}
	}
	switch v.text {
	case "true":
		return true
	case "false":
		return false
	}
	return nil
}

func FuzzScan(f *testing.F) {
	for _, s := range jsonSeeds {
		f.Add(s)
	}
	f.Fuzz(checkScan)
}
