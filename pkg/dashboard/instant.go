// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package dashboard

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Instant is the start or end of a widget's time range: a time, or how long before the time of viewing.
type Instant struct {
	at                   time.Time // absolute when it is not zero
	years, months, days  int
	hours, minutes, secs int
}

var (
	absoluteTime = regexp.MustCompile(dateTimeExpression)
	duration     = regexp.MustCompile(`^-?P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?` +
		`(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?$`)
)

var errInstant = errors.New("Should be a date and time (2018-04-25T12:00:00Z) or a duration before now (-PT3H)") //nolint:staticcheck // as CloudWatch's messages begin

// ParseInstant reads an ISO 8601 date and time, or a duration. -PT3H and PT3H are both three hours before the time of
// viewing.
func ParseInstant(text string) (Instant, error) {
	if absoluteTime.MatchString(text) {
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return Instant{}, errInstant
		}
		return Instant{at: at}, nil
	}
	m := duration.FindStringSubmatch(text)
	if m == nil || strings.HasSuffix(text, "P") || strings.HasSuffix(text, "T") {
		return Instant{}, errInstant
	}
	var n [7]int
	for i := range n {
		n[i], _ = strconv.Atoi(m[i+1]) // a few digits, or none
	}
	return Instant{years: n[0], months: n[1], days: n[2]*7 + n[3], hours: n[4], minutes: n[5], secs: n[6]}, nil
}

// At is the time that is meant at the time of viewing.
func (i Instant) At(now time.Time) time.Time {
	if !i.at.IsZero() {
		return i.at
	}
	return now.UTC().AddDate(-i.years, -i.months, -i.days).Add(
		-time.Duration(i.hours)*time.Hour - time.Duration(i.minutes)*time.Minute - time.Duration(i.secs)*time.Second)
}

// Relative is whether the time moves with the time of viewing.
func (i Instant) Relative() bool { return i.at.IsZero() }
