// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e-3,"x\u00e9\ud83d\ude00"],"b":{"c":null,"d":true}}`, `[]`, `"`, `{"a":1,}`, `01`, `-`, "\"\x01\"", `[[[[`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tr := getTree()
		defer putTree(tr)
		err := tr.parse(s)
		if err == nil {
			require.True(t, json.Valid([]byte(s)), "accepted what is no JSON")
			for i := range tr.nodes {
				tr.str(int32(i))
				tr.key(int32(i))
			}
		}
	})
}

// normalise does to a decoded document what the conversion does to identities: X-Ray's form, lower case.
func normalise(doc map[string]any) {
	if s, ok := doc["trace_id"].(string); ok {
		if id, err := ParseTraceID(s); err == nil {
			doc["trace_id"] = id.String()
		}
	}
	if s, ok := doc["parent_id"].(string); ok {
		if id, err := ParseSpanID(s); err == nil {
			doc["parent_id"] = id.String()
		}
	}
	normaliseIDs(doc)
}

func normaliseIDs(doc map[string]any) {
	if s, ok := doc["id"].(string); ok {
		if id, err := ParseSpanID(s); err == nil {
			doc["id"] = id.String()
		}
	}
	subs, _ := doc["subsegments"].([]any)
	for _, sub := range subs {
		if m, ok := sub.(map[string]any); ok {
			normaliseIDs(m)
		}
	}
}

func FuzzRoundTrip(f *testing.F) {
	for _, doc := range segmentFiles(f) {
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		td, refused := ToTraces("1", "r", []string{doc})
		if len(refused) > 0 {
			require.Equal(t, 0, td.SpanCount())
			return
		}
		docs, err := FromTraces(td)
		require.NoError(t, err)
		require.Len(t, docs, 1)
		want := decode(t, doc).(map[string]any)
		got := decode(t, docs[0].JSON).(map[string]any)
		normalise(want)
		normaliseIDs(got)
		require.Equal(t, want, got)
	})
}

// FuzzFromTraces feeds spans of any kind: what becomes a document stays the same document from then on.
func FuzzFromTraces(f *testing.F) {
	for _, doc := range segmentFiles(f) {
		td, _ := ToTraces("1", "r", []string{doc})
		b, err := new(ptrace.ProtoMarshaler).MarshalTraces(td)
		require.NoError(f, err)
		f.Add(b)
	}
	td, s := otlpTrace(ptrace.SpanKindClient, 1)
	s.Attributes().PutStr("db.system", "mysql")
	s.Attributes().PutStr("http.url", "http://a/")
	s.Events().AppendEmpty().SetName("exception")
	b, err := new(ptrace.ProtoMarshaler).MarshalTraces(td)
	require.NoError(f, err)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		td, err := new(ptrace.ProtoUnmarshaler).UnmarshalTraces(b)
		if err != nil {
			return
		}
		docs, _ := FromTraces(td)
		for _, d := range docs {
			again, refused := ToTraces(d.Account, d.Region, []string{d.JSON})
			if len(d.JSON) > MaxDocumentSize {
				continue
			}
			require.Empty(t, refused)
			back, err := FromTraces(again)
			require.NoError(t, err)
			require.Len(t, back, 1)
			require.True(t, assertEqualJSON(decode(t, d.JSON), decode(t, back[0].JSON)), "%s\n%s", d.JSON, back[0].JSON)
		}
		trace := AssembleTrace(docs)
		Summarize(trace)
	})
}
