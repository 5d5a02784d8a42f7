// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package timearg reads times as people give them on a command line.
package timearg

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// layouts of absolute times; those without a zone are in the user's.
var layouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"}

// Parse reads an absolute time, "now", or how long ago: 90s, 15m, 1h30m, 2d, 1w.
func Parse(s string, now time.Time) (time.Time, error) {
	if s == "now" {
		return now, nil
	}
	if d, err := Duration(s); err == nil {
		return now.Add(-d), nil
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither a time (2026-11-21T14:05:00Z, 2026-11-21 14:05) nor how long ago (15m, 2h, 3d)", s)
}

// Duration reads a duration that may be of days and weeks.
func Duration(s string) (time.Duration, error) {
	for suffix, unit := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if n, ok := strings.CutSuffix(s, suffix); ok {
			days, err := strconv.ParseUint(n, 10, 16)
			if err != nil {
				return 0, fmt.Errorf("%q is not a number of days or weeks", s)
			}
			return time.Duration(days) * unit, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a duration", s)
	}
	return d, nil
}
