// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Codes of errors.
const (
	codeValidation   = "ValidationError"
	codeInvalidValue = "InvalidParameterValue"
	codeDenied       = "AccessDenied"
)

func validationError(format string, args ...any) error {
	return &Error{Code: codeValidation, Message: fmt.Sprintf(format, args...)}
}

// constraints collects what is wrong with single parameters, in the words of AWS's front end, which reports all of it
// before anything else is looked at.
type constraints struct{ failed []string }

func (c *constraints) fail(path, value, constraint string) {
	c.failed = append(c.failed, "Value "+value+" at '"+path+"' failed to satisfy constraint: "+constraint)
}

func (c *constraints) err() error {
	n := len(c.failed)
	if n == 0 {
		return nil
	}
	plural := ""
	if n > 1 {
		plural = "s"
	}
	return validationError("%d validation error%s detected: %s", n, plural, strings.Join(c.failed, "; "))
}

// maxShown bounds a value in a message.
const maxShown = 1024

func shown(s string) string {
	if len(s) > maxShown {
		cut := maxShown
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return "'" + s + "'"
}

func shownList(list []string) string { return shown("[" + strings.Join(list, ", ") + "]") }

func (c *constraints) required(path string, present bool) {
	if !present {
		c.fail(path, "null", "Member must not be null")
	}
}

// length bounds the characters of a text.
func (c *constraints) length(path, s string, lowest, highest int) {
	switch n := utf8.RuneCountInString(s); {
	case n < lowest:
		c.fail(path, shown(s), "Member must have length greater than or equal to "+strconv.Itoa(lowest))
	case n > highest:
		c.fail(path, shown(s), "Member must have length less than or equal to "+strconv.Itoa(highest))
	}
}

func (c *constraints) atMost(path, value string, n, highest int) {
	if n > highest {
		c.fail(path, value, "Member must have length less than or equal to "+strconv.Itoa(highest))
	}
}

func (c *constraints) positive(path string, v int32) {
	if v < 1 {
		c.fail(path, shown(strconv.Itoa(int(v))), "Member must have value greater than or equal to 1")
	}
}

func (c *constraints) enum(path, value string, set []string) {
	if !slices.Contains(set, value) {
		c.fail(path, shown(value), "Member must satisfy enum value set: ["+strings.Join(set, ", ")+"]")
	}
}

func (c *constraints) pattern(path, value, pattern string, ok bool) {
	if !ok {
		c.fail(path, shown(value), "Member must satisfy regular expression pattern: "+pattern)
	}
}
