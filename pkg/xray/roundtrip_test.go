// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// decode reads JSON with its number literals, so that comparing compares them too.
func decode(tb testing.TB, text string) any {
	tb.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	require.NoError(tb, d.Decode(&v), text)
	return v
}

func requireSameJSON(tb testing.TB, want, got string) {
	tb.Helper()
	require.Equal(tb, decode(tb, want), decode(tb, got))
}

func roundTrip(tb testing.TB, doc string) []Document {
	tb.Helper()
	td, refused := ToTraces("123456789012", "eu-west-1", []string{doc})
	require.Empty(tb, refused)
	docs, err := FromTraces(td)
	require.NoError(tb, err)
	return docs
}

func segmentFiles(tb testing.TB) map[string]string {
	tb.Helper()
	names, err := filepath.Glob("testdata/segments/*.json")
	require.NoError(tb, err)
	require.NotEmpty(tb, names)
	out := make(map[string]string, len(names))
	for _, name := range names {
		b, err := os.ReadFile(name)
		require.NoError(tb, err)
		out[name] = string(b)
	}
	return out
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for name, doc := range segmentFiles(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			docs := roundTrip(t, doc)
			require.Len(t, docs, 1)
			requireSameJSON(t, doc, docs[0].JSON)
			require.Equal(t, "123456789012", docs[0].Account)
			require.Equal(t, "eu-west-1", docs[0].Region)
		})
	}
}
