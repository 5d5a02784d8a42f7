// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

// maxFailures bounds how many failed constraints one answer lists.
const maxFailures = 10

// checks collects the constraints of AWS's model that a request fails.
type checks struct {
	count    int
	failures []string
}

func (c *checks) fail(value any, member, constraint string) {
	c.failText(fmt.Sprintf("Value '%v' at '%s' failed to satisfy constraint: %s", value, member, constraint))
}

func (c *checks) failText(text string) {
	if c.count++; c.count <= maxFailures {
		c.failures = append(c.failures, text)
	}
}

// err is the error of all failed constraints, or nil.
func (c *checks) err() error {
	if c.count == 0 {
		return nil
	}
	errs := "errors"
	if c.count == 1 {
		errs = "error"
	}
	return &awswire.Error{
		Code:    codeInvalidParameter,
		Message: fmt.Sprintf("%d validation %s detected: %s", c.count, errs, strings.Join(c.failures, "; ")),
	}
}

// required reports whether a member is there, and notes when not.
func (c *checks) required(present bool, member string) bool {
	if !present {
		c.failText("Value null at '" + member + "' failed to satisfy constraint: Member must not be null")
	}
	return present
}

// length checks a text's length in characters.
func (c *checks) length(s *string, member string, least, most int) {
	if s == nil {
		return
	}
	switch n := characters(*s); {
	case n < least:
		c.fail(shown(*s), member, fmt.Sprintf("Member must have length greater than or equal to %d", least))
	case n > most:
		c.fail(shown(*s), member, fmt.Sprintf("Member must have length less than or equal to %d", most))
	}
}

// size checks the number of elements of a list or map that is there.
func (c *checks) size(n int, member string, least, most int) {
	switch {
	case n < least:
		c.fail("[]", member, fmt.Sprintf("Member must have length greater than or equal to %d", least))
	case n > most:
		c.failText(fmt.Sprintf("Value at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", member, most))
	}
}

// number checks a number's range.
func number[N int32 | int64](c *checks, n *N, member string, least, most N) {
	switch {
	case n == nil:
	case *n < least:
		c.fail(*n, member, fmt.Sprintf("Member must have value greater than or equal to %d", least))
	case *n > most:
		c.fail(*n, member, fmt.Sprintf("Member must have value less than or equal to %d", most))
	}
}

// time checks a time in Unix ms, which may not be negative.
func (c *checks) time(ms *int64, member string) {
	if ms != nil && *ms < 0 {
		c.fail(*ms, member, "Member must have value greater than or equal to 0")
	}
}

// enum checks that a text is one of the values.
func enum[E ~string](c *checks, v E, member string, values ...E) {
	if v == "" {
		return
	}
	names := make([]string, len(values))
	for i, known := range values {
		if v == known {
			return
		}
		names[i] = string(known)
	}
	c.fail(v, member, "Member must satisfy enum value set: ["+strings.Join(names, ", ")+"]")
}

// group checks a log group's name, or a prefix of one.
func (c *checks) group(name *string, member string) {
	if name == nil {
		return
	}
	c.length(name, member, 1, cloudwatchlogs.MaxNameLength)
	if *name != "" && !cloudwatchlogs.GroupNameAlphabet(*name) {
		c.fail(shown(*name), member, "Member must satisfy regular expression pattern: "+cloudwatchlogs.GroupNamePattern)
	}
}

// stream checks a log stream's name, or a prefix of one.
func (c *checks) stream(name *string, member string) {
	if name == nil {
		return
	}
	c.length(name, member, 1, cloudwatchlogs.MaxNameLength)
	if strings.ContainsAny(*name, ":*") {
		c.fail(shown(*name), member, "Member must satisfy regular expression pattern: "+cloudwatchlogs.StreamNamePattern)
	}
}

// identifier checks a name or ARN of a log group.
func (c *checks) identifier(id *string, member string) {
	if id == nil {
		return
	}
	c.length(id, member, 1, cloudwatchlogs.MaxIdentifierLength)
	if !cloudwatchlogs.IdentifierAlphabet(*id) {
		c.failText("Value at '" + member + "' failed to satisfy constraint: Member must satisfy regular expression pattern: " +
			cloudwatchlogs.GroupIdentifierPattern)
	}
}

// characters counts a text's characters as AWS does.
func characters(s string) int {
	return utf8.RuneCountInString(s)
}

// shown is a value as a message repeats it, cut when it is long.
func shown(s string) string {
	const most = 1100
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// absent makes nil of an empty text: some clients send "" for a token they do not have.
func absent(s *string) *string {
	if s != nil && *s == "" {
		return nil
	}
	return s
}

// list prints numbers as AWS prints a set of values.
func list(values []int32) string {
	return strings.ReplaceAll(fmt.Sprint(values), " ", ", ")
}
