// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package sns

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSubject(t *testing.T) {
	for subject, ok := range map[string]bool{
		"a": true, "1": true, "!": true, strings.Repeat("a", 100): true, "ALARM: \"x\" in EU (Ireland)": true,
		"": false, " a": false, "a\n": false, "ä": false, "\x7f": false, strings.Repeat("a", 101): false,
	} {
		_, err := NewMessage("m", &subject, "", nil)
		assert.Equal(t, ok, err == nil, "%q", subject)
	}
}

func TestMessageStructure(t *testing.T) {
	m, err := NewMessage(`{"default":"d","http":"h","n":1}`, nil, "json", nil)
	require.NoError(t, err)
	assert.Equal(t, "h", m.For("http"))
	assert.Equal(t, "d", m.For("https"))
	assert.Equal(t, "d", m.For("n"))
	m, err = NewMessage(`{"default":"d"}`, nil, "", nil)
	require.NoError(t, err)
	assert.JSONEq(t, `{"default":"d"}`, m.For("http"))
	m = Structured(map[string]string{"default": "d", "email": "e"}, nil)
	assert.Equal(t, "e", m.For("email"))
	assert.Equal(t, "d", m.For("http"))
}

func TestMessageSize(t *testing.T) {
	_, err := NewMessage(strings.Repeat("x", MaxMessageSize), nil, "", nil)
	require.NoError(t, err)
	_, err = NewMessage(strings.Repeat("x", MaxMessageSize), nil, "", Attributes{"a": {DataType: "String", Value: "b"}})
	require.EqualError(t, err, "Invalid parameter: Message too long")
}

func TestAttributes(t *testing.T) {
	for _, c := range []struct{ name, typ, value, want string }{
		{"k", "String", "v", ""},
		{"k.x-1_", "String.custom", "v", ""},
		{"k", "Number", "-1.5e3", ""},
		{"k", "Number.int", "7", ""},
		{"k", "Binary", "AQ==", ""},
		{"k", "String.Array", `["a",1,true,null]`, ""},
		{"k", "String.Array", `[{}]`, "must be a JSON array"},
		{"k", "String.Array", `x`, "must be a JSON array"},
		{"k", "", "v", "must contain non-empty message attribute type"},
		{"k", "Date", "v", "has an invalid message attribute type"},
		{"k", "Number", "0x10", "Could not cast message attribute 'k' value to number."},
		{"k", "Number", "Inf", "Could not cast"},
		{"k", "String", "", "must contain non-empty message attribute value for message attribute type 'String'"},
		{"a b", "String", "v", "Invalid non-alphanumeric character '#x20'"},
		{".a", "String", "v", "must not begin or end with a dot"},
		{strings.Repeat("a", 257), "String", "v", "less than 256 bytes"},
		{"k", "String." + strings.Repeat("a", 256), "v", "less than 256 bytes"},
	} {
		err := Attributes{c.name: {DataType: c.typ, Value: c.value}}.Check()
		if c.want == "" {
			require.NoError(t, err, "%+v", c)
			continue
		}
		require.ErrorContains(t, err, c.want)
	}
}
