// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func env(pairs map[string]string) func(string) string {
	return func(name string) string { return pairs[name] }
}

func TestOutputWithoutTerminal(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	out := NewOutput(&b, env(nil))
	require.False(t, out.Colors)
	require.False(t, out.Interactive)
	require.Equal(t, defaultWidth, out.Width)
	require.Equal(t, 120, NewOutput(&b, env(map[string]string{"COLUMNS": "120"})).Width)
	require.Equal(t, minWidth, NewOutput(&b, env(map[string]string{"COLUMNS": "20"})).Width)
}

func TestStyle(t *testing.T) {
	t.Parallel()
	require.Equal(t, "x", Style{}.Bold("x"))
	require.Equal(t, "\x1b[31mx\x1b[0m", Style{Colors: true}.Color(ColorRed, "x"))
	require.Equal(t, "x", Style{Colors: true}.Color(ColorNone, "x"))
	require.Empty(t, Style{Colors: true}.Dim(""))
}

func TestProgress(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	p := NewProgress(NewOutput(&b, env(nil)), "sending")
	p.Update(0.5, "half")
	require.Empty(t, b.String(), "what is not looked at is not rewritten")
	p.Done("1,000 events")
	require.Equal(t, "  ✓ sending  1,000 events\n", b.String())

	b.Reset()
	p = NewProgress(Output{Writer: &b, Interactive: true, Width: 80}, "sending")
	p.Update(0.5, "half")
	p.Update(0.5, "half")
	p.Fail("no")
	require.Equal(t, "\r\x1b[K  sending ━━━━━━━━━━━━━━━━━━━━━━━━  50%  half\r\x1b[K  ✗ sending  no\n", b.String())
}
