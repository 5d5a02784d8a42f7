// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"regexp"
	"regexp/syntax"
	"strings"
)

// ParseCmd is the parse command: new fields from a text, by a glob or by a regular expression.
type ParseCmd struct {
	Field *Ref // nil is @message
	Glob  string
	Regex *regexp.Regexp // nil for a glob
	src   string         // the regex as it was written
	Names []string       // of the stars, or of the groups of a regex without names
	names []span
	span
}

func (p *ParseCmd) pos() span { return p.span }
func (p *ParseCmd) String() string {
	var b strings.Builder
	b.WriteString("parse ")
	if p.Field != nil {
		b.WriteString(p.Field.String() + " ")
	}
	if p.Regex != nil {
		b.WriteString("/" + p.src + "/")
	} else {
		b.WriteString(quoteText(p.Glob))
	}
	for i, n := range p.Names {
		if i == 0 {
			b.WriteString(" as ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(quoteName(n))
	}
	return b.String()
}

func parseParse(p *parser, at span) (Command, error) {
	cmd := &ParseCmd{}
	var err error
	if p.tok.kind == tokWord || p.tok.kind == tokQuoted {
		if cmd.Field, err = p.field(); err != nil {
			return nil, err
		}
	}
	pattern := p.tok.span
	switch {
	case p.tok.kind == tokString:
		cmd.Glob = p.tok.text
		if err := p.advance(); err != nil {
			return nil, err
		}
	case p.isPunct("/"):
		if cmd.Regex, cmd.src, pattern, err = p.regex(); err != nil {
			return nil, err
		}
	case p.isWord("logfmt"), p.isWord("csv"):
		return nil, errAt(p.tok.span, "parse %s is not supported", p.tok.text)
	default:
		return nil, p.unexpected(`a text with "*" or a /regular expression/`)
	}
	if ok, err := p.take("as"); err != nil {
		return nil, err
	} else if ok {
		for {
			name, nameAt, err := p.name("a name behind as")
			if err != nil {
				return nil, err
			}
			cmd.Names, cmd.names = append(cmd.Names, name), append(cmd.names, nameAt)
			if ok, err := p.take(","); err != nil {
				return nil, err
			} else if !ok {
				break
			}
		}
	}
	if p.isWord("multi") {
		return nil, errAt(p.tok.span, "parse with multi is not supported")
	}
	cmd.span = p.from(at)
	return cmd, cmd.check(pattern)
}

func (p *ParseCmd) check(pattern span) error {
	if p.Regex == nil {
		stars := strings.Count(p.Glob, "*")
		switch {
		case stars == 0:
			return errAt(pattern, "the pattern of parse has no *")
		case stars != len(p.Names):
			return errAt(p.span, "the pattern of parse has %d * but %d names", stars, len(p.Names))
		}
		return nil
	}
	groups, named := p.Regex.NumSubexp(), 0
	for _, n := range p.Regex.SubexpNames() {
		if n != "" {
			named++
		}
	}
	switch {
	case named == 0 && len(p.Names) == 0:
		return errAt(pattern, "the regular expression of parse has no named group such as (?<name>…)")
	case named > 0 && len(p.Names) > 0:
		return errAt(p.span, "the regular expression of parse has named groups, so it takes no names behind as")
	case len(p.Names) > 0 && len(p.Names) != groups:
		return errAt(p.span, "the regular expression of parse has %d groups but %d names", groups, len(p.Names))
	}
	return nil
}

// outputs are the names that the command defines, and the group of the regular expression that each one has.
func (p *ParseCmd) outputs() (names []string, groups []int, at []span) {
	if len(p.Names) > 0 {
		for i, n := range p.Names {
			names, groups, at = append(names, n), append(groups, i+1), append(at, p.names[i])
		}
		return names, groups, at
	}
	for i, n := range p.Regex.SubexpNames() {
		if n != "" {
			names, groups, at = append(names, n), append(groups, i), append(at, p.span)
		}
	}
	return names, groups, at
}

// pattern is the command's regular expression, also for a glob.
func (p *ParseCmd) pattern() *syntax.Regexp {
	src := ""
	if p.Regex != nil {
		src = p.Regex.String()
	} else {
		parts := strings.Split(p.Glob, "*")
		var b strings.Builder
		b.WriteString("(?s)")
		for i, lit := range parts {
			b.WriteString(regexp.QuoteMeta(lit))
			switch {
			case i == len(parts)-1:
			case i == len(parts)-2 && parts[i+1] == "":
				b.WriteString("(.*)")
			default:
				b.WriteString("(.*?)")
			}
		}
		src = b.String()
	}
	re, err := syntax.Parse(src, syntax.Perl)
	if err != nil {
		return nil
	}
	return re
}

func (p *ParseCmd) compile(c *compiler) (stageMaker, error) {
	source := p.Field
	if source == nil {
		source = messageField
	}
	eval, err := c.field(source)
	if err != nil {
		return nil, err
	}
	names, groups, at := p.outputs()
	slots := make([]int, len(names))
	for i, n := range names {
		if slots[i], err = c.define(n, at[i]); err != nil {
			return nil, err
		}
		c.output.parsed = append(c.output.parsed, outColumn{n, slotValue(slots[i])})
	}
	if p.Regex != nil {
		re := p.Regex
		return func(next stage) stage { return &regexStage{eval, re, groups, slots, next} }, nil
	}
	parts := strings.Split(p.Glob, "*")
	return func(next stage) stage { return &globStage{eval, parts, slots, next} }, nil
}

// messageField is @message.
var messageField = &Ref{Parts: []Part{{Name: "@message"}}}

type regexStage struct {
	source evalFn
	re     *regexp.Regexp
	groups []int
	slots  []int
	next   stage
}

func (s *regexStage) push(r *row) (bool, error) {
	for _, n := range s.slots {
		r.slots[n] = value{}
	}
	if t, ok := s.source(r).asText(); ok {
		if at := s.re.FindStringSubmatchIndex(t); at != nil {
			for i, g := range s.groups {
				if at[2*g] >= 0 {
					r.slots[s.slots[i]] = textValue(t[at[2*g]:at[2*g+1]])
				}
			}
		}
	}
	return s.next.push(r)
}

func (s *regexStage) flush() error { return s.next.flush() }

type globStage struct {
	source evalFn
	parts  []string // the literals around the stars
	slots  []int
	next   stage
}

func (s *globStage) push(r *row) (bool, error) {
	t, ok := s.source(r).asText()
	if !ok || !s.match(t, r.slots) {
		for _, n := range s.slots {
			r.slots[n] = value{}
		}
	}
	return s.next.push(r)
}

// match finds the first literal anywhere, then each star takes as little as it can, but the last one, when
// nothing follows it, the rest.
func (s *globStage) match(t string, slots []value) bool {
	at := strings.Index(t, s.parts[0])
	if at < 0 {
		return false
	}
	at += len(s.parts[0])
	for i, lit := range s.parts[1:] {
		end := len(t)
		if lit != "" || i < len(s.slots)-1 {
			n := strings.Index(t[at:], lit)
			if n < 0 {
				return false
			}
			end = at + n
		}
		slots[s.slots[i]] = textValue(t[at:end])
		at = end + len(lit)
	}
	return true
}

func (s *globStage) flush() error { return s.next.flush() }
