// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestValidPeriod(t *testing.T) {
	for _, p := range []int64{1, 5, 10, 20, 30, 60, 120, 300, 86400, 90060} {
		assert.True(t, ValidPeriod(p), p)
	}
	for _, p := range []int64{0, -60, 2, 15, 45, 61, 90} {
		assert.False(t, ValidPeriod(p), p)
	}
}

func TestAlignRange(t *testing.T) {
	now := time.Date(2026, 3, 10, 15, 30, 0, 0, time.UTC)
	clock := func(s string) time.Time {
		v, err := time.Parse("15:04:05", s)
		if err != nil {
			t.Fatal(err)
		}
		return time.Date(2026, 3, 10, v.Hour(), v.Minute(), v.Second(), 0, time.UTC)
	}
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name                string
		start, end, now     time.Time
		period              int64
		wantFirst, wantLast string
		n                   int
	}{
		{name: "minutes", start: clock("12:32:34"), end: clock("12:35:00"), period: 60, wantFirst: "12:32:00", wantLast: "12:34:00", n: 3},
		{name: "10 s", start: clock("01:05:13"), end: clock("01:05:23"), now: clock("02:00:00"), period: 10, wantFirst: "01:05:10", wantLast: "01:05:10", n: 1},
		{name: "5 s", start: clock("15:02:17"), end: clock("15:07:17"), period: 5, wantFirst: "15:02:15", wantLast: "15:07:10", n: 60},
		{name: "buckets are anchored at the start", start: clock("12:02:00"), end: clock("12:15:00"), period: 300, wantFirst: "12:02:00", wantLast: "12:12:00", n: 3},
		{name: "high resolution is gone after 3 h", start: clock("12:00:00"), end: clock("12:01:00"), period: 5},
		{name: "minutes are gone after 15 d", start: now.Add(-20 * day), end: now, period: 60},
		{name: "5 min are kept after 15 d", start: now.Add(-20 * day).Add(7 * time.Minute), end: now.Add(-20 * day).Add(20 * time.Minute), period: 300, wantFirst: "15:35:00", wantLast: "15:45:00", n: 3},
		{name: "5 min are gone after 63 d", start: now.Add(-64 * day), end: now, period: 300},
		{name: "hours are kept after 63 d", start: now.Add(-64 * day), end: now.Add(-64 * day).Add(2 * time.Hour), period: 3600, wantFirst: "15:00:00", wantLast: "16:00:00", n: 2},
		{name: "empty", start: clock("15:10:00"), end: clock("15:10:30"), period: 60},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.now.IsZero() {
				tt.now = now
			}
			start, end, ok := AlignRange(tt.start.Unix(), tt.end.Unix(), tt.period, tt.now.Unix())
			var buckets []string
			for b := start; ok && b < end; b += tt.period {
				buckets = append(buckets, time.Unix(b, 0).UTC().Format(time.TimeOnly))
			}
			if assert.Len(t, buckets, tt.n) && tt.n > 0 {
				assert.Equal(t, tt.wantFirst, buckets[0])
				assert.Equal(t, tt.wantLast, buckets[tt.n-1])
			}
		})
	}
}

func TestFloorTimestamp(t *testing.T) {
	assert.Equal(t, int64(1735689600), FloorTimestamp(1735689600123, 60))
	assert.Equal(t, int64(1735689659), FloorTimestamp(1735689659999, 1))
	assert.Equal(t, int64(-60), FloorTimestamp(-1, 60))
}

func TestWithinIngestWindow(t *testing.T) {
	now := time.Date(2026, 3, 10, 15, 30, 0, 0, time.UTC)
	for offset, want := range map[time.Duration]bool{
		0: true, -14 * 24 * time.Hour: true, -14*24*time.Hour - time.Second: false, 2 * time.Hour: true, 2*time.Hour + time.Second: false,
	} {
		assert.Equal(t, want, WithinIngestWindow(now.Add(offset).UnixMilli(), now.UnixMilli()), offset)
	}
}
