// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/aws/aws-sdk-go-v2/service/xray/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
)

// TestTimesFarAway has ranges that nanoseconds in 64 bits cannot hold.
func TestTimesFarAway(t *testing.T) {
	now := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	first, last := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	for _, by := range types.TimeRangeType("").Values() {
		for _, c := range []struct {
			start, end time.Time
			inside     bool
		}{
			{first, last, true},
			{first, now.Add(time.Hour), true},
			{now.Add(-time.Hour), last, true},
			{first, now.Add(-48 * time.Hour), false},
			{now.Add(48 * time.Hour), last, false},
		} {
			q, err := readSummariesQuery(&sdk.GetTraceSummariesInput{
				StartTime: aws.Time(c.start), EndTime: aws.Time(c.end), TimeRangeType: by,
			})
			require.NoError(t, err)
			scan := q.scan(store.Tenant{}, &scanPosition{Start: 1<<63 - 1})
			assert.Equal(t, c.inside, scan.Start <= now.UnixNano() && now.UnixNano() < scan.End, "%s to %s: %+v", c.start, c.end, scan)
		}
	}
}

func TestScanPosition(t *testing.T) {
	p := scanPosition{Start: 100, ID: [16]byte{5, 1}}
	for _, c := range []struct {
		id    [16]byte
		start int64
		seen  bool
	}{
		{[16]byte{0}, 101, true},
		{[16]byte{6}, 100, true},
		{[16]byte{5, 1}, 100, true},
		{[16]byte{5}, 100, false},
		{[16]byte{9}, 99, false},
	} {
		assert.Equal(t, c.seen, p.seen(c.id, c.start), "%v at %d", c.id[:2], c.start)
	}
}
