// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsxrayreceiver

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDocument(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, doc, reason string }{
		{"as most SDKs", "{\"format\":\"json\",\"version\":1}\n{}", "{}", ""},
		{"with blanks", "{\"format\": \"json\", \"version\": 1}\n{}", "{}", ""},
		{"other order, case and members", "{\"version\" : 1 , \"format\" : \"JSON\", \"x\": [1]}\n{}", "{}", ""},
		{"carriage return", "{\"format\":\"json\",\"version\":1}\r\n{}", "{}", ""},
		{"only the first line is the header", "{\"format\":\"json\",\"version\":1}\n{\n}\n", "{\n}\n", ""},
		{"nothing", "", "", reasonHeader},
		{"no header", "{\"id\":\"x\"}", "", reasonHeader},
		{"no newline", "{\"format\":\"json\",\"version\":1}{}", "", reasonHeader},
		{"no JSON", "format\n{}", "", reasonHeader},
		{"other format", "{\"format\":\"xml\",\"version\":1}\n{}", "", reasonHeader},
		{"other version", "{\"format\":\"json\",\"version\":2}\n{}", "", reasonHeader},
		{"no version", "{\"format\":\"json\"}\n{}", "", reasonHeader},
		{"version as text", "{\"format\":\"json\",\"version\":\"1\"}\n{}", "", reasonHeader},
		{"header too long", "{\"format\":\"json\",\"version\":1,\"x\":\"" + strings.Repeat("x", maxHeader) + "\"}\n{}", "", reasonHeader},
		{"empty line first", "\n{\"format\":\"json\",\"version\":1}\n{}", "", reasonHeader},
		{"no document", "{\"format\":\"json\",\"version\":1}\n", "", reasonEmpty},
		{"blank document", "{\"format\":\"json\",\"version\":1}\n \n", "", reasonEmpty},
	} {
		doc, reason := document([]byte(c.in))
		require.Equal(t, c.reason, reason, c.name)
		require.Equal(t, c.doc, string(doc), c.name)
	}
}

func FuzzDocument(f *testing.F) {
	f.Add([]byte("{\"format\":\"json\",\"version\":1}\n{}"))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		doc, reason := document(b)
		if reason == "" {
			require.True(t, bytes.HasSuffix(b, doc))
			require.NotEmpty(t, doc)
		} else {
			require.Empty(t, doc)
		}
	})
}

func TestQueue(t *testing.T) {
	t.Parallel()
	q := newQueue(2, 10)
	require.True(t, q.put([]byte("12345")))
	require.False(t, q.put([]byte("123456")), "too many bytes")
	require.True(t, q.put([]byte("12345")))
	require.False(t, q.put(nil), "too many documents")
	a, b := <-q.docs, <-q.docs
	require.False(t, q.put([]byte("1")), "bytes count until they are released")
	q.release([]string{a, b})
	require.True(t, q.put([]byte("1")))
	require.Equal(t, int64(1), q.bytes.Load())
}
