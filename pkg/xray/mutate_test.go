// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// oddValues are put in place of what a document should have.
var oddValues = []string{
	`null`, `true`, `false`, `0`, `-0`, `1`, `-1`, `1.0`, `1.50`, `1e5`, `1E-7`, `1e400`, `123456789012345678901234567890`, `0.1`,
	`""`, `"text"`, `"\u0000"`, `"\ud800"`, `"\ud83d\ude00"`, `"日本"`, `"0123456789abcdef"`, `"ABCDEF0123456789"`, `"0000000000000000"`,
	`"1-65535c00-00000000000000000000000f"`, `[]`, `{}`, `[1,"a",null,{"b":[]}]`, `{"a":{"b":1.0}}`, `{"exceptions":[{"id":"x"}]}`,
	`{"exceptions":[1]}`, `{"request":{"method":5},"response":[]}`, `"aws"`, `"remote"`, `[{"id":"0123456789abcde1","name":"n","start_time":1}]`,
	`[{"trace_id":"1-65535c00-00000000000000000000000f","id":"0123456789abcdef","attributes":{"n":1.0}}]`,
}

var oddKeys = []string{
	"name", "id", "trace_id", "parent_id", "type", "start_time", "end_time", "in_progress", "fault", "error", "throttle", "http", "aws",
	"service", "sql", "cause", "user", "origin", "resource_arn", "namespace", "annotations", "metadata", "subsegments", "links", "traced",
	"precursor_ids", "inferred", "request", "response", "status", "url", "method", "content_length", "default", "exceptions", "stack", "x",
	"", "#subsegments", "aws.xray.annotation.x", "url.full", "aws.xray.residual", "\U0001F600", "table_name", "retries", "working_directory",
}

// mutate writes v, a decoded document, with some of its members replaced, added, left out or given twice.
func mutate(r *rand.Rand, dst []byte, v any, root bool) []byte {
	if !root && r.IntN(25) == 0 {
		return append(dst, oddValues[r.IntN(len(oddValues))]...)
	}
	switch v := v.(type) {
	case map[string]any:
		dst = append(dst, '{')
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if !root && r.IntN(40) == 0 {
				continue
			}
			dst = appendString(appendComma(dst), k)
			dst = append(dst, ':')
			if root && slices.Contains([]string{"id", "trace_id", "name", "start_time"}, k) {
				b, _ := json.Marshal(v[k])
				dst = append(dst, b...)
			} else {
				dst = mutate(r, dst, v[k], false)
			}
		}
		for r.IntN(4) == 0 {
			k := oddKeys[r.IntN(len(oddKeys))]
			if root && slices.Contains([]string{"id", "trace_id", "name", "start_time", "parent_id", "end_time", "type"}, k) {
				continue
			}
			dst = appendString(appendComma(dst), k)
			dst = append(dst, ':')
			dst = append(dst, oddValues[r.IntN(len(oddValues))]...)
		}
		return append(dst, '}')
	case []any:
		dst = append(dst, '[')
		for _, x := range v {
			dst = mutate(r, appendComma(dst), x, false)
		}
		return append(dst, ']')
	}
	b, _ := json.Marshal(v)
	return append(dst, b...)
}

func mutations(tb testing.TB, n int, f func(doc string, want map[string]any)) {
	tb.Helper()
	files := segmentFiles(tb)
	accepted := 0
	for i, name := range slices.Sorted(maps.Keys(files)) {
		whole := decode(tb, files[name])
		for k := range n {
			r := rand.New(rand.NewPCG(uint64(i), uint64(k)))
			doc := string(mutate(r, nil, whole, true))
			want := decode(tb, doc).(map[string]any)
			normalise(want)
			if _, err := ParseSegment(doc); err == nil {
				accepted++
				f(doc, want)
			}
		}
	}
	require.Greater(tb, accepted, n*len(files)/2, "most mutations are still segments")
}

// TestRoundTripMutated checks that whatever a document holds comes back.
func TestRoundTripMutated(t *testing.T) {
	t.Parallel()
	n := 1000
	if testing.Short() {
		n = 300
	}
	mutations(t, n, func(doc string, want map[string]any) {
		docs := roundTrip(t, doc)
		require.Len(t, docs, 1)
		got := decode(t, docs[0].JSON).(map[string]any)
		normaliseIDs(got)
		if !assertEqualJSON(want, got) {
			t.Log(doc)
			require.Equal(t, want, got)
		}
		again := roundTrip(t, docs[0].JSON)
		require.Equal(t, docs[0], again[0], "a second trip changes nothing")
	})
}

func assertEqualJSON(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

// TestRoundTripOverOTLP checks that what travels by OTLP is the same on the other side.
func TestRoundTripOverOTLP(t *testing.T) {
	t.Parallel()
	mutations(t, 200, func(doc string, _ map[string]any) {
		td, _ := ToTraces("1", "r", []string{doc})
		wire, err := new(ptrace.ProtoMarshaler).MarshalTraces(td)
		require.NoError(t, err)
		back, err := new(ptrace.ProtoUnmarshaler).UnmarshalTraces(wire)
		require.NoError(t, err)
		want, err := FromTraces(td)
		require.NoError(t, err)
		got, err := FromTraces(back)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

// TestSplitReassembled checks that no subsegment is lost when a processor tears a document's spans apart in any
// order: reading the trace puts them together again.
func TestSplitReassembled(t *testing.T) {
	t.Parallel()
	for name, doc := range segmentFiles(t) {
		want, err := ParseSegment(doc)
		require.NoError(t, err)
		for seed := range uint64(50) {
			r := rand.New(rand.NewPCG(seed, 1))
			td, refused := ToTraces("1", "r", []string{doc})
			require.Empty(t, refused)
			spans := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
			pieces := []ptrace.Traces{ptrace.NewTraces(), ptrace.NewTraces(), ptrace.NewTraces()}
			for _, i := range r.Perm(spans.Len()) {
				p := pieces[r.IntN(len(pieces))]
				rs := p.ResourceSpans().AppendEmpty()
				td.ResourceSpans().At(0).Resource().CopyTo(rs.Resource())
				spans.At(i).CopyTo(rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty())
			}
			var docs []Document
			for _, p := range pieces {
				d, err := FromTraces(p)
				require.NoError(t, err)
				docs = append(docs, d...)
			}
			trace := AssembleTrace(docs)
			require.Equal(t, countSubsegments(want), countSubsegments(trace.Segments[0].Segment), "%s %d", name, seed)
			real := 0
			for _, s := range trace.Segments {
				if !s.Segment.Inferred {
					real++
				}
			}
			require.Equal(t, 1, real, "everything is in one segment again")
		}
	}
}

func countSubsegments(s *Segment) int {
	n := 0
	for _, sub := range s.Subsegments {
		n += 1 + countSubsegments(sub)
	}
	return n
}

func TestDeepNesting(t *testing.T) {
	t.Parallel()
	nested := func(levels int) string {
		var b strings.Builder
		b.WriteString(`{"name":"n","id":"00000000000000ff","trace_id":"1-65535c00-00000000000000000000000f","start_time":1,"end_time":2`)
		for i := range levels {
			b.WriteString(`,"subsegments":[{"name":"s","start_time":1,"end_time":2,"id":"` + SpanID{6: byte(i >> 8), 7: byte(i)}.derive("x").String() + `"`)
		}
		b.WriteString(strings.Repeat(`}]`, levels) + `}`)
		return b.String()
	}
	docs := roundTrip(t, nested(99))
	require.Len(t, docs, 1)
	requireSameJSON(t, nested(99), docs[0].JSON)
	_, refused := ToTraces("1", "r", []string{nested(101)})
	require.Len(t, refused, 1)
	require.Equal(t, ErrorParse, refused[0].Code)
	_, refused = ToTraces("1", "r", []string{strings.Repeat(`[`, 60000)})
	require.Equal(t, ErrorParse, refused[0].Code)
	require.Contains(t, refused[0].Detail, strconv.Itoa(maxNesting))
}
