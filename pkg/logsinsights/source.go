// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"strconv"
	"strings"
)

// Source is the SOURCE command: the log groups of a query that names them itself.
type Source struct {
	// Groups are names in quotes. They are empty when LogGroups selects.
	Groups []string
	// LogGroups is logGroups(…), or nil.
	LogGroups *LogGroupsSource
	// Start and End, when not 0, are START= and END= in Unix ms.
	Start, End int64
}

// LogGroupsSource selects log groups by their properties. Empty lists do not restrict.
type LogGroupsSource struct {
	NamePrefixes []string
	Accounts     []string
	Classes      []string
}

func (s *Source) String() string {
	var b strings.Builder
	b.WriteString("SOURCE")
	for _, g := range s.Groups {
		b.WriteString(" " + quoteText(g))
	}
	if l := s.LogGroups; l != nil {
		var args []string
		for _, a := range []struct {
			name string
			list []string
		}{{"namePrefix", l.NamePrefixes}, {"accountIdentifier", l.Accounts}, {"class", l.Classes}} {
			if len(a.list) == 0 {
				continue
			}
			texts := make([]string, len(a.list))
			for i, t := range a.list {
				texts[i] = quoteText(t)
			}
			args = append(args, a.name+": ["+strings.Join(texts, ", ")+"]")
		}
		b.WriteString(" logGroups(" + strings.Join(args, ", ") + ")")
	}
	if s.Start != 0 {
		b.WriteString(" START=" + strconv.FormatInt(s.Start, 10))
	}
	if s.End != 0 {
		b.WriteString(" END=" + strconv.FormatInt(s.End, 10))
	}
	return b.String()
}

const (
	maxSourcePrefixes = 5
	maxSourceAccounts = 20
)

func (p *parser) source() (*Source, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	s := &Source{}
	for p.tok.kind == tokString {
		s.Groups = append(s.Groups, p.tok.text)
		if err := p.advance(); err != nil {
			return nil, err
		}
		if _, err := p.take(","); err != nil {
			return nil, err
		}
	}
	switch {
	case len(s.Groups) > 0:
	case p.isWord("loggroups"):
		var err error
		if s.LogGroups, err = p.logGroups(); err != nil {
			return nil, err
		}
	case p.isWord("datasource"), p.isWord("loggrouptags"):
		return nil, errAt(p.tok.span, "%s in SOURCE is not supported", p.tok.text)
	default:
		return nil, p.unexpected("a log group's name in quotes, or logGroups(…)")
	}
	for _, bound := range []struct {
		word string
		ms   *int64
	}{{"start", &s.Start}, {"end", &s.End}} {
		if !p.isWord(bound.word) {
			continue
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
		if err := p.expect("="); err != nil {
			return nil, err
		}
		ms, err := strconv.ParseInt(p.tok.text, 10, 64)
		if err != nil || ms <= 0 {
			return nil, p.unexpected("a time in Unix milliseconds")
		}
		*bound.ms = ms
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// logGroups reads logGroups(namePrefix: ['a'], …).
func (p *parser) logGroups() (*LogGroupsSource, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	l := &LogGroupsSource{}
	for !p.isPunct(")") {
		arg := p.tok
		var list *[]string
		most := 2
		switch strings.ToLower(arg.text) {
		case "nameprefix":
			list, most = &l.NamePrefixes, maxSourcePrefixes
		case "accountidentifier", "accountidentifiers":
			list, most = &l.Accounts, maxSourceAccounts
		case "class":
			list = &l.Classes
		default:
			return nil, p.unexpected("namePrefix, accountIdentifier, class or a closing parenthesis")
		}
		if len(*list) > 0 {
			return nil, errAt(arg.span, "%s is given twice", arg.text)
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
		if err := p.expect(":"); err != nil {
			return nil, err
		}
		var err error
		if *list, err = p.texts(); err != nil {
			return nil, err
		}
		if len(*list) > most {
			return nil, errAt(p.from(arg.span), "%s has %d values, the limit is %d", arg.text, len(*list), most)
		}
		if ok, err := p.take(","); err != nil {
			return nil, err
		} else if !ok {
			break
		}
	}
	for _, c := range l.Classes {
		if c != "STANDARD" && c != "INFREQUENT_ACCESS" {
			return nil, errAt(p.prev.span, "unknown log group class %q", c)
		}
	}
	return l, p.expect(")")
}

// texts reads ['a', 'b'].
func (p *parser) texts() ([]string, error) {
	if err := p.expect("["); err != nil {
		return nil, err
	}
	var list []string
	for {
		if p.tok.kind != tokString {
			return nil, p.unexpected("a text in quotes")
		}
		list = append(list, p.tok.text)
		if err := p.advance(); err != nil {
			return nil, err
		}
		if ok, err := p.take(","); err != nil {
			return nil, err
		} else if !ok {
			return list, p.expect("]")
		}
	}
}
