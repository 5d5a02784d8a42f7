// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package filterpattern

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	// maxChars bounds a pattern, in characters.
	maxChars = 1024
	// maxRegexes bounds the regular expressions of a JSON or column pattern.
	maxRegexes = 2
	// maxWildcards bounds the selectors with a wildcard of a JSON pattern.
	maxWildcards = 3
	// maxNesting bounds parentheses.
	maxNesting = 50
)

// Error is a pattern that is not in the language: InvalidParameterException, with this message.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

func errorf(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// errChars is CloudWatch Logs' message for characters that have no place in a term.
func errChars(found string) error { return errorf("Invalid character(s) in term '%s'", found) }

// matcher is a compiled pattern of one dialect.
type matcher interface {
	match(message string) bool
	// extract adds the values that the pattern names in a message that it matches.
	extract(message string, into map[string]string)
	// required are texts that every matching message contains.
	required() []string
	// regexes counts the regular expressions.
	regexes() int
	String() string
}

// Pattern is a compiled filter pattern. It may be used by many goroutines.
type Pattern struct {
	m matcher
}

// Compile reads a pattern. Its error is an *[Error].
func Compile(pattern string) (*Pattern, error) {
	if n := utf8.RuneCountInString(pattern); n > maxChars {
		return nil, errorf("the filter pattern has %d characters, the limit is %d", n, maxChars)
	}
	if !utf8.ValidString(pattern) {
		return nil, errorf("the filter pattern is not valid UTF-8")
	}
	text := strings.Trim(pattern, blanks)
	if text == "" || text[0] == '"' && strings.Trim(text, blanks+`"`) == "" && strings.Count(text, `"`) == 2 {
		return &Pattern{all{}}, nil // nothing, "" or " "
	}
	var m matcher
	var err error
	switch text[0] {
	case '{':
		m, err = compileJSON(text)
	case '[':
		m, err = compileColumns(text)
	case '%':
		m, err = compileRegexPattern(text)
	default:
		m, err = compileTerms(text)
	}
	if err != nil {
		return nil, err
	}
	return &Pattern{m}, nil
}

const blanks = " \t\r\n"

// Match is whether the pattern matches the message.
func (p *Pattern) Match(message string) bool { return p.m.match(message) }

// Extract is whether the pattern matches the message, and the values that the pattern names in it: $name and $3 of
// columns, the selectors of JSON.
func (p *Pattern) Extract(message string) (map[string]string, bool) {
	if !p.m.match(message) {
		return nil, false
	}
	values := map[string]string{}
	p.m.extract(message, values)
	return values, true
}

// Required returns texts that every message contains which the pattern matches. They can rule messages out, but need
// not decide.
func (p *Pattern) Required() []string { return p.m.required() }

// MatchesAll is whether the pattern matches every message.
func (p *Pattern) MatchesAll() bool {
	_, ok := p.m.(all)
	return ok
}

// UsesRegex is whether the pattern has a regular expression; a log group may have five filters with one.
func (p *Pattern) UsesRegex() bool { return p.m.regexes() > 0 }

// String is a pattern that compiles to the same matcher.
func (p *Pattern) String() string { return p.m.String() }

// all matches every message.
type all struct{}

func (all) match(string) bool                 { return true }
func (all) extract(string, map[string]string) {}
func (all) required() []string                { return nil }
func (all) regexes() int                      { return 0 }
func (all) String() string                    { return "" }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWord(c byte) bool {
	return c == '_' || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
