// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricsinsights

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of a query.
const (
	// MaxLength is the characters that a query may have.
	MaxLength = 2048
	// MaxMetrics is how many metrics one query processes: the first that it finds.
	MaxMetrics = 10_000
	// MaxSeries is how many time series one query gives, and the greatest LIMIT.
	MaxSeries = 500
)

// Parse reads a query. The error is an [Error].
func Parse(text string) (*Query, error) {
	if n := utf8.RuneCountInString(text); n > MaxLength {
		return nil, errorAt(0, "The query has %d characters, more than %d.", n, MaxLength)
	}
	p := parser{lexer: lexer{text: text}}
	if err := p.advance(); err != nil {
		return nil, err
	}
	q := &Query{}
	for _, clause := range []func(*Query) error{p.selected, p.from, p.where, p.groupBy, p.orderBy, p.limit} {
		if err := clause(q); err != nil {
			return nil, err
		}
	}
	if p.token.kind != tokenEnd {
		return nil, p.unexpected("the end of the query")
	}
	return q, nil
}

type parser struct {
	lexer lexer
	token token
}

func (p *parser) advance() (err error) {
	p.token, err = p.lexer.next()
	return err
}

func (p *parser) unexpected(wanted string) error {
	return syntaxError(p.lexer.text, p.token.pos, wanted)
}

func (p *parser) isWord(word string) bool {
	return p.token.kind == tokenWord && strings.EqualFold(p.token.text, word)
}

func (p *parser) is(mark string) bool { return p.token.kind == tokenMark && p.token.text == mark }

// take goes past a keyword, when it is there.
func (p *parser) take(word string) (bool, error) {
	if !p.isWord(word) {
		return false, nil
	}
	return true, p.advance()
}

func (p *parser) word(word string) error {
	if !p.isWord(word) {
		return p.unexpected(word)
	}
	return p.advance()
}

func (p *parser) mark(mark string) error {
	if !p.is(mark) {
		return p.unexpected(mark)
	}
	return p.advance()
}

func (p *parser) selected(q *Query) (err error) {
	if err := p.word("SELECT"); err != nil {
		return err
	}
	if q.Function, err = p.function(); err != nil {
		return err
	}
	if q.Metric, err = p.identifier("the name of a metric"); err != nil {
		return err
	}
	return p.mark(")")
}

// function reads the name of a function and the parenthesis behind it.
func (p *parser) function() (Function, error) {
	name := p.token
	if name.kind != tokenWord {
		return "", p.unexpected("a function")
	}
	f := Function(strings.ToUpper(name.text))
	switch f {
	case Average, Count, Maximum, Minimum, Sum:
	default:
		return "", errorAt(name.pos, "Invalid syntax. '%s' is not a valid aggregate function", name.text)
	}
	if err := p.advance(); err != nil {
		return "", err
	}
	return f, p.mark("(")
}

// identifier reads a name, bare or in double quotes.
func (p *parser) identifier(wanted string) (string, error) {
	t := p.token
	switch {
	case t.kind == tokenIdentifier:
	case t.kind != tokenWord:
		return "", p.unexpected(wanted)
	case Reserved(t.text):
		return "", errorAt(t.pos, "Invalid syntax. Reserved keyword '%s' must be surrounded by double quotes", t.text)
	}
	return t.text, p.advance()
}

func (p *parser) from(q *Query) (err error) {
	if err := p.word("FROM"); err != nil {
		return err
	}
	if !p.isWord("SCHEMA") {
		q.Namespace, err = p.identifier("a namespace or SCHEMA")
		return err
	}
	schema := p.token
	if err := p.advance(); err != nil {
		return err
	}
	if !p.is("(") {
		// Without its parenthesis it is a namespace of that name, which has to be quoted.
		return errorAt(schema.pos, "Invalid syntax. Reserved keyword '%s' must be surrounded by double quotes", schema.text)
	}
	q.Schema = true
	if err := p.advance(); err != nil {
		return err
	}
	if q.Namespace, err = p.identifier("a namespace"); err != nil {
		return err
	}
	for p.is(",") {
		if err := p.advance(); err != nil {
			return err
		}
		at := p.token.pos
		name, err := p.identifier("the name of a dimension")
		if err != nil {
			return err
		}
		if slices.Contains(q.Dimensions, name) {
			return errorAt(at, "Invalid syntax. The dimension '%s' is in SCHEMA twice", name)
		}
		q.Dimensions = append(q.Dimensions, name)
	}
	return p.mark(")")
}

func (p *parser) where(q *Query) error {
	if there, err := p.take("WHERE"); err != nil || !there {
		return err
	}
	for more := true; more; {
		c, err := p.condition()
		if err != nil {
			return err
		}
		q.Where = append(q.Where, c)
		if more, err = p.take("AND"); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) condition() (c Condition, err error) {
	if c.Key, err = p.key(); err != nil {
		return c, err
	}
	switch {
	case p.is("!="):
		c.Not = true
	case !p.is("="):
		return c, p.unexpected("= or !=")
	}
	if err := p.advance(); err != nil {
		return c, err
	}
	switch {
	case p.token.kind == tokenString:
		c.Value = p.token.text
		return c, p.advance()
	case p.isWord("CURRENT_ACCOUNT_ID"):
		if c.Key != AccountID {
			return c, errorAt(p.token.pos, "Invalid syntax. CURRENT_ACCOUNT_ID() is compared with AWS.AccountId only")
		}
		c.CurrentAccount = true
		if err := p.advance(); err != nil {
			return c, err
		}
		if err := p.mark("("); err != nil {
			return c, err
		}
		return c, p.mark(")")
	case p.token.kind == tokenWord || p.token.kind == tokenIdentifier:
		return c, errorAt(p.token.pos,
			"Invalid syntax. Comparing identifiers is not supported. Values must be surrounded by single quotes")
	}
	return c, p.unexpected("a value in single quotes")
}

// key reads what groups and conditions go by.
func (p *parser) key() (Key, error) {
	t := p.token
	name, err := p.identifier("the name of a dimension")
	switch {
	case err != nil:
		return "", err
	case t.kind == tokenWord && name == "AWS.AccountId":
		return AccountID, nil
	case t.kind == tokenWord && strings.HasPrefix(name, "tag."):
		if name == "tag." && p.token.kind == tokenIdentifier {
			name += p.token.text
		}
		return "", errorAt(t.pos, "Invalid syntax. '%s' is the tag of a resource: resource tags are not supported here", name)
	}
	return Key(name), nil
}

func (p *parser) groupBy(q *Query) error {
	if there, err := p.take("GROUP"); err != nil || !there {
		return err
	}
	if err := p.word("BY"); err != nil {
		return err
	}
	for {
		at := p.token.pos
		k, err := p.key()
		if err != nil {
			return err
		}
		if slices.Contains(q.GroupBy, k) {
			return errorAt(at, "Invalid syntax. '%s' is in GROUP BY twice", k)
		}
		q.GroupBy = append(q.GroupBy, k)
		if !p.is(",") {
			return nil
		}
		if err := p.advance(); err != nil {
			return err
		}
	}
}

func (p *parser) orderBy(q *Query) error {
	if there, err := p.take("ORDER"); err != nil || !there {
		return err
	}
	if err := p.word("BY"); err != nil {
		return err
	}
	f, err := p.function()
	if err != nil {
		return err
	}
	if err := p.mark(")"); err != nil {
		return err
	}
	q.Order = &Order{Function: f}
	if q.Order.Descending, err = p.take("DESC"); err != nil || q.Order.Descending {
		return err
	}
	_, err = p.take("ASC")
	return err
}

// limit takes more than MaxSeries as MaxSeries.
func (p *parser) limit(q *Query) error {
	if there, err := p.take("LIMIT"); err != nil || !there {
		return err
	}
	if p.token.kind != tokenNumber {
		return p.unexpected("a number")
	}
	n, err := strconv.Atoi(p.token.text)
	switch {
	case err != nil:
		n = MaxSeries // beyond what an int holds
	case n == 0:
		return p.unexpected("a number greater than 0")
	}
	q.Limit = min(n, MaxSeries)
	return p.advance()
}
