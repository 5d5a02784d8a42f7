// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatchlogs

import (
	"strings"
	"unicode/utf8"
)

// The regular expressions of AWS's model, as its validation errors print them.
const (
	GroupNamePattern       = `[\.\-_/#A-Za-z0-9]+`
	StreamNamePattern      = `[^:*]*`
	GroupIdentifierPattern = `[\w#+=/:,.@-]*`
)

// ReservedGroupPrefix begins names of groups that AWS alone creates.
const ReservedGroupPrefix = "aws/"

// ValidGroupName reports whether name is 1 to 512 characters of a log group's alphabet.
func ValidGroupName(name string) bool {
	return name != "" && len(name) <= MaxNameLength && GroupNameAlphabet(name)
}

// GroupNameAlphabet reports whether name holds only characters that a log group's name may hold.
func GroupNameAlphabet(name string) bool {
	for i := range len(name) {
		if !groupChar(name[i]) {
			return false
		}
	}
	return true
}

func groupChar(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	case c == '.', c == '-', c == '_', c == '/', c == '#':
		return true
	}
	return false
}

// ValidStreamName reports whether name is 1 to 512 characters without ':' and '*'.
func ValidStreamName(name string) bool {
	return name != "" && !strings.ContainsAny(name, ":*") &&
		(len(name) <= MaxNameLength || utf8.RuneCountInString(name) <= MaxNameLength)
}

// IdentifierAlphabet reports whether s holds only characters that a logGroupIdentifier may hold.
func IdentifierAlphabet(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_':
		case strings.IndexByte("#+=/:,.@-", c) >= 0:
		default:
			return false
		}
	}
	return true
}

// sanitizeGroup makes a legal group name of any text: other characters become '_', and it is cut at 512.
func sanitizeGroup(s string) string {
	if ValidGroupName(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if b.Len() == MaxNameLength {
			break
		}
		if r < utf8.RuneSelf && groupChar(byte(r)) {
			b.WriteByte(byte(r))
		} else {
			b.WriteByte('_')
		}
	}
	return b.String()
}

// sanitizeStream makes a legal stream name of any text: ':' and '*' become '_', and it is cut at 512 characters.
func sanitizeStream(s string) string {
	if ValidStreamName(s) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n == MaxNameLength {
			break
		}
		if r == ':' || r == '*' {
			r = '_'
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}
