// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmevent

import (
	"strings"
	"unicode/utf8"

	"github.com/nephoscope/nephoscope/pkg/alarm"
)

const (
	maxSubject = 100 // what SNS takes
	maxSMSName = 90
	cut        = "..."
)

// heading is the subject of a notification: STATE: "NAME" in REGION, at most 100 characters.
func heading(state alarm.State, name, region string) string {
	before, after := string(state)+`: "`, `" in `+RegionName(region)
	return before + shorten(plain(name), maxSubject-len(before)-len(after)) + after
}

// smsText is the heading with more of the name.
func smsText(state alarm.State, name, region string) string {
	return string(state) + `: "` + shorten(plain(name), maxSMSName) + `" in ` + RegionName(region)
}

// plain has one underscore for each run of characters beyond ASCII.
func plain(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
		return s
	}
	var b strings.Builder
	run := false
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
			run = false
		case !run:
			b.WriteByte('_')
			run = true
		}
	}
	return b.String()
}

// shorten cuts ASCII text to a length.
func shorten(s string, length int) string {
	if len(s) <= length {
		return s
	}
	return s[:max(0, length-len(cut))] + cut
}
