// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func letter(id string) *Letter {
	return &Letter{
		Time: time.Unix(1, 0).UTC(), Kind: "k", Target: "t", ID: id, Enqueued: time.Unix(0, 0).UTC(), Attempts: 3, Error: "no",
		Body: json.RawMessage(`{"a":"` + strings.Repeat("x", 100) + `"}`),
	}
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "dead.jsonl")
	f, err := Open(path, 1<<20, 2)
	require.NoError(t, err)
	require.NoError(t, f.Write(letter("1")))
	require.NoError(t, f.Close())
	require.NoError(t, f.Close())
	// A crash has left half a line.
	h, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = h.WriteString(`{"time":`)
	require.NoError(t, err)
	require.NoError(t, h.Close())

	f, err = Open(path, 1<<20, 2)
	require.NoError(t, err)
	require.NoError(t, f.Write(letter("2")))
	require.NoError(t, f.Close())
	got := lines(t, path)
	require.Len(t, got, 3)
	var l Letter
	require.NoError(t, json.Unmarshal([]byte(got[2]), &l))
	assert.Equal(t, *letter("2"), l)
}

func TestRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dead.jsonl")
	f, err := Open(path, 600, 2)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	for i := range 9 {
		require.NoError(t, f.Write(letter(string(rune('a'+i)))))
	}
	assert.Len(t, lines(t, path), 1)
	assert.Len(t, lines(t, path+".1"), 2)
	assert.Len(t, lines(t, path+".2"), 2)
	assert.NoFileExists(t, path+".3")
	assert.Contains(t, lines(t, path)[0], `"id":"i"`)

	// Without backups only the newest are kept.
	bare, err := Open(filepath.Join(t.TempDir(), "dead"), 600, 0)
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, bare.Write(letter("x")))
	}
	require.NoError(t, bare.Close())
	assert.Len(t, lines(t, bare.path), 1)
}

func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(dir, 1, 1)
	require.Error(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	_, err = Open(filepath.Join(dir, "file", "dead"), 1, 1)
	require.Error(t, err)
}
