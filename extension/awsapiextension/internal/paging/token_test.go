// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package paging

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type position struct{ Name string }

func TestTokenGoesThere(t *testing.T) {
	text, err := Encode([]string{"query"}, position{"a"})
	require.NoError(t, err)
	var got position
	require.NoError(t, Decode([]string{"query"}, text, &got))
	assert.Equal(t, position{"a"}, got)
}

func TestTokenOfAnotherQuery(t *testing.T) {
	text, err := Encode([]string{"query"}, position{"a"})
	require.NoError(t, err)
	var got position
	require.ErrorIs(t, Decode([]string{"other"}, text, &got), ErrToken)
}

func TestTokenThatIsNone(t *testing.T) {
	var got position
	for _, text := range []string{"", "!", "bm8", strings.Repeat("a", maxTokenLength+1), "e30"} {
		require.ErrorIs(t, Decode("query", text, &got), ErrToken, text)
	}
}

func FuzzDecode(f *testing.F) {
	text, err := Encode("query", position{"a"})
	require.NoError(f, err)
	f.Add(text)
	f.Add("e30")
	f.Fuzz(func(t *testing.T, text string) {
		var got position
		if err := Decode("query", text, &got); err != nil {
			require.ErrorIs(t, err, ErrToken)
		}
	})
}
