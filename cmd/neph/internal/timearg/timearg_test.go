// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package timearg

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 2*3600)
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, zone)
	for in, want := range map[string]time.Time{
		"now": now, "90s": now.Add(-90 * time.Second), "1h30m": now.Add(-90 * time.Minute), "2d": now.Add(-48 * time.Hour),
		"1w": now.Add(-7 * 24 * time.Hour), "2026-11-20": time.Date(2026, 11, 20, 0, 0, 0, 0, zone),
		"2026-11-20 13:05": time.Date(2026, 11, 20, 13, 5, 0, 0, zone), "2026-11-20T13:05:00Z": time.Date(2026, 11, 20, 13, 5, 0, 0, time.UTC),
	} {
		got, err := Parse(in, now)
		require.NoError(t, err, in)
		require.True(t, want.Equal(got), "%s: %s", in, got)
	}
	for _, in := range []string{"", "yesterday", "-5m", "5", "99999999d", "2026-13-01"} {
		_, err := Parse(in, now)
		require.ErrorContains(t, err, "neither a time", in)
	}
}
