// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // mute rules and wall-clock windows name time zones, also where the system has none
	"unicode/utf8"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// MuteRule withholds the actions of alarms while it is active: for a duration from each time of a schedule.
type MuteRule struct {
	Name string
	// Description is nil when none was given.
	Description *string
	// Expression is cron(Minutes Hours Day-of-month Month Day-of-week) or at(yyyy-MM-ddTHH:mm).
	Expression string
	// Duration is of ISO 8601, from PT1M to P15D.
	Duration string
	// Timezone is that of the expression; "" is UTC.
	Timezone string
	// AlarmNames are the alarms whose actions it withholds. They need not exist.
	AlarmNames []string
	// StartDate and ExpireDate, nil for none, are when it takes effect and when it no longer does.
	StartDate, ExpireDate *time.Time
	// Tags are those given when the rule is created; a later Put ignores them.
	Tags []Tag

	// LastUpdated is when it was put. The engine sets it.
	LastUpdated time.Time
}

// MuteStatus says whether a mute rule is active.
type MuteStatus string

// The statuses of a mute rule.
const (
	MuteScheduled MuteStatus = "SCHEDULED"
	MuteActive    MuteStatus = "ACTIVE"
	MuteExpired   MuteStatus = "EXPIRED"
)

// The types of mute rules.
const (
	MuteOneTime   = "ONE_TIME"
	MuteRecurring = "RECURRING"
)

// Limits of mute rules.
const (
	maxMuteTargets     = 100
	maxMuteName        = 255
	maxMuteDescription = 1024
	maxMuteExpression  = 256
	maxMuteDuration    = 50
	maxMuteTimezone    = 50
	maxMuteTags        = 50

	minMuteWindow = time.Minute
	maxMuteWindow = 15 * 24 * time.Hour
)

// MuteRuleARN is the ARN of a mute rule.
func MuteRuleARN(t cloudwatch.Tenant, name string) string {
	return "arn:" + partition(t.Region) + ":cloudwatch:" + t.Region + ":" + t.Account + ":alarm-mute-rule:" + name
}

// Type is ONE_TIME or RECURRING.
func (r *MuteRule) Type() string {
	if strings.HasPrefix(r.Expression, "at(") {
		return MuteOneTime
	}
	return MuteRecurring
}

// Status is the rule's status at a time. A rule that cannot be read is EXPIRED.
func (r *MuteRule) Status(now time.Time) MuteStatus {
	s, err := parseMuteRule(r)
	if err != nil {
		return MuteExpired
	}
	return s.status(now)
}

// ValidateMuteRule checks a rule as PutAlarmMuteRule does. The error is an [*Error].
func ValidateMuteRule(r *MuteRule) error {
	_, err := parseMuteRule(r)
	return err
}

// muteSchedule is a mute rule that was read.
type muteSchedule struct {
	cron     *muteCron // nil when it is one time
	at       time.Time
	duration time.Duration
	location *time.Location
	// from and until bound it, zero for none.
	from, until time.Time
}

func parseMuteRule(r *MuteRule) (*muteSchedule, error) {
	if err := checkMuteRule(r); err != nil {
		return nil, err
	}
	s := &muteSchedule{location: time.UTC}
	if r.Timezone != "" {
		// "Local" is what the machine says, not a name of a time zone.
		location, err := time.LoadLocation(r.Timezone)
		if err != nil || r.Timezone == "Local" {
			return nil, muteError("Timezone %q is not the name of a time zone", r.Timezone)
		}
		s.location = location
	}
	var err error
	if s.duration, err = parseMuteDuration(r.Duration); err != nil {
		return nil, err
	}
	if s.duration < minMuteWindow || s.duration > maxMuteWindow {
		return nil, muteError("Duration %q must be from PT1M to P15D", r.Duration)
	}
	if s.cron, s.at, err = parseMuteExpression(r.Expression, s.location); err != nil {
		return nil, err
	}
	if r.StartDate != nil {
		s.from = *r.StartDate
	}
	if r.ExpireDate != nil {
		s.until = *r.ExpireDate
	}
	if r.StartDate != nil && r.ExpireDate != nil && !r.ExpireDate.After(*r.StartDate) {
		return nil, muteError("ExpireDate must be after StartDate")
	}
	return s, nil
}

func checkMuteRule(r *MuteRule) error {
	length := utf8.RuneCountInString
	switch {
	case r.Name == "" || length(r.Name) > maxMuteName:
		return muteError("Name must have from 1 to %d characters", maxMuteName)
	case r.Description != nil && length(*r.Description) > maxMuteDescription:
		return muteError("Description must have at most %d characters", maxMuteDescription)
	case r.Expression == "" || length(r.Expression) > maxMuteExpression:
		return muteError("Expression must have from 1 to %d characters", maxMuteExpression)
	case r.Duration == "" || length(r.Duration) > maxMuteDuration:
		return muteError("Duration must have from 1 to %d characters", maxMuteDuration)
	case length(r.Timezone) > maxMuteTimezone:
		return muteError("Timezone must have from 1 to %d characters", maxMuteTimezone)
	case len(r.AlarmNames) > maxMuteTargets:
		return muteError("AlarmNames must have at most %d names", maxMuteTargets)
	case len(r.Tags) > maxMuteTags:
		return muteError("Tags must have at most %d tags", maxMuteTags)
	case slices.Contains(r.AlarmNames, ""):
		return muteError("AlarmNames must not have an empty name")
	}
	return nil
}

func muteError(format string, args ...any) error {
	return &Error{Code: "ValidationError", Message: fmt.Sprintf(format, args...)}
}

// occurrence is the latest time of the schedule, at or before t, whose window holds t.
func (s *muteSchedule) occurrence(t time.Time) (start time.Time, ok bool) {
	if s.cron == nil {
		return s.at, !t.Before(s.at) && t.Before(s.at.Add(s.duration))
	}
	start, ok = s.cron.latest(t.In(s.location), s.duration)
	return start, ok && t.Before(start.Add(s.duration))
}

// window is the window that holds t. When windows overlap it is the one that began last.
func (s *muteSchedule) window(t time.Time) (start, end time.Time, ok bool) {
	if t.Before(s.from) || !s.until.IsZero() && !t.Before(s.until) {
		return start, end, false
	}
	if start, ok = s.occurrence(t); !ok {
		return start, end, false
	}
	end = start.Add(s.duration)
	if start.Before(s.from) {
		start = s.from
	}
	if !s.until.IsZero() && s.until.Before(end) {
		end = s.until
	}
	return start.UTC(), end.UTC(), true
}

func (s *muteSchedule) status(t time.Time) MuteStatus {
	if _, _, active := s.window(t); active {
		return MuteActive
	}
	if !s.until.IsZero() && !t.Before(s.until) || s.cron == nil && !t.Before(s.at.Add(s.duration)) {
		return MuteExpired
	}
	return MuteScheduled
}
