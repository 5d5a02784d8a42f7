// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// The years that a timestamp may be in.
const (
	minEpoch = -62135596800 // 0001-01-01
	maxEpoch = 253402300799 // 9999-12-31
)

// timeOfFloat converts epoch seconds to a time with AWS's precision, a millisecond.
func timeOfFloat(f float64) (time.Time, bool) {
	if math.IsNaN(f) || f < minEpoch || f > maxEpoch {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(math.Round(f * 1e3))).UTC(), true
}

// timeOfInt converts whole epoch seconds.
func timeOfInt(i int64) (time.Time, bool) {
	if i < minEpoch || i > maxEpoch {
		return time.Time{}, false
	}
	return time.Unix(i, 0).UTC(), true
}

// timeLayouts are the forms of ISO 8601 that clients send. A fraction is accepted after the seconds of any.
var timeLayouts = []string{
	time.RFC3339,
	"2006-01-02T15:04:05Z0700",
	"2006-01-02T15:04:05",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04",
	"20060102T150405Z0700",
	"2006-01-02",
}

func parseTime(s string) (time.Time, bool) {
	if len(s) > 40 {
		return time.Time{}, false
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			t = t.UTC()
			return t, t.Unix() >= minEpoch && t.Unix() <= maxEpoch
		}
	}
	return time.Time{}, false
}

// appendISO writes a time as awsQuery does: no fraction, or milliseconds, or what more there is.
func appendISO(dst []byte, t time.Time) []byte {
	t = t.UTC()
	switch ns := t.Nanosecond(); {
	case ns == 0:
		return t.AppendFormat(dst, "2006-01-02T15:04:05Z")
	case ns%int(time.Millisecond) == 0:
		return t.AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	default:
		return t.AppendFormat(dst, "2006-01-02T15:04:05.999999999Z")
	}
}

// epoch returns a time in seconds with AWS's precision, a millisecond.
func epoch(t time.Time) float64 {
	return float64(t.UnixMilli()) / 1e3
}

// appendEpoch writes epoch seconds as AWS's JSON does, 1765977780.0 or 1765977780.123.
func appendEpoch(dst []byte, t time.Time) []byte {
	n := len(dst)
	dst = strconv.AppendFloat(dst, epoch(t), 'f', -1, 64)
	if slices.Contains(dst[n:], '.') {
		return dst
	}
	return append(dst, '.', '0')
}
