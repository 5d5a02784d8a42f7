// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package residency

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCleanMappings(t *testing.T) {
	t.Parallel()
	const smaps = `00400000-00402000 r--p 00000000 fe:00 99 /bin/collector
Size:                  8 kB
Anonymous:             0 kB
00402000-05312000 r-xp 00002000 fe:00 99 /bin/collector
Rss:               62528 kB
Anonymous:             4 kB
05312000-0ae8d000 r--p 04f12000 fe:00 99 /bin/collector
Anonymous:             0 kB
0ae8e000-0b08b000 rw-p 0aa8d000 fe:00 99 /bin/collector
Anonymous:             0 kB
0b08b000-0d0fd000 r--p 00000000 00:00 0
Anonymous:             0 kB
7f0000000000-7f0000001000 r-xp 00000000 fe:00 12 /lib/libc.so.6
Anonymous:             0 kB
`
	got, err := cleanMappings(strings.NewReader(smaps), "/bin/collector")
	require.NoError(t, err)
	assert.Equal(t, []mapping{{0x400000, 0x402000}, {0x5312000, 0xae8d000}}, got,
		"neither writable ranges, nor those with private pages (a debugger's breakpoints), nor other files")
}

// The process goes on as before: its constants are read and its code runs from the released mappings.
func TestReleaseText(t *testing.T) {
	exe, err := os.Readlink("/proc/self/exe")
	require.NoError(t, err)
	smaps, err := os.Open("/proc/self/smaps")
	require.NoError(t, err)
	defer func() { _ = smaps.Close() }()
	ranges, err := cleanMappings(smaps, exe)
	require.NoError(t, err)
	require.NotEmpty(t, ranges)
	require.NoError(t, ReleaseText())
	assert.Equal(t, "A-B", strings.ToUpper(strings.Join([]string{"a", "b"}, "-")))
}
