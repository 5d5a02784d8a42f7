// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// maxQueryChars is AWS's bound on a query string.
	maxQueryChars = 10_000
	// maxNesting bounds how deep expressions nest.
	maxNesting = 100
)

// Parse reads a query in the CloudWatch Logs Insights query language. Its error is a *[SyntaxError].
func Parse(query string) (*Query, error) {
	if n := utf8.RuneCountInString(query); n > maxQueryChars {
		return nil, &SyntaxError{Message: fmt.Sprintf("query has %d characters, the limit is %d", n, maxQueryChars), End: n}
	}
	if !utf8.ValidString(query) {
		return nil, &SyntaxError{Message: "query is not valid UTF-8"}
	}
	p := &parser{lex: lexer{src: query}}
	q, err := p.query()
	if err != nil {
		return nil, inCharacters(query, err)
	}
	q.src = query
	return q, nil
}

// parser is a recursive descent parser with one token of lookahead.
type parser struct {
	lex   lexer
	tok   token // the token to be looked at next
	prev  token // the one before
	depth int
}

func (p *parser) advance() error {
	t, err := p.lex.next()
	if err != nil {
		return err
	}
	p.prev, p.tok = p.tok, t
	return nil
}

// peek returns the token after p.tok.
func (p *parser) peek() token {
	saved := p.lex
	t, err := p.lex.next()
	p.lex = saved
	if err != nil {
		return token{kind: tokEOF, span: span{saved.pos, saved.pos}}
	}
	return t
}

func (p *parser) isPunct(s string) bool { return p.tok.kind == tokPunct && p.tok.text == s }

// isWord is whether the token is this keyword, which is given in lower case.
func (p *parser) isWord(s string) bool {
	return p.tok.kind == tokWord && len(p.tok.text) == len(s) && strings.EqualFold(p.tok.text, s)
}

// take advances over the punctuation or keyword s when it is next.
func (p *parser) take(s string) (bool, error) {
	if !p.isPunct(s) && !p.isWord(s) {
		return false, nil
	}
	return true, p.advance()
}

func (p *parser) expect(s string) error {
	ok, err := p.take(s)
	if err == nil && !ok {
		err = p.unexpected(fmt.Sprintf("%q", s))
	}
	return err
}

// unexpected is the error for p.tok where want was to be.
func (p *parser) unexpected(want string) error {
	if p.tok.kind == tokEOF {
		return errAt(p.tok.span, "unexpected end of query at %s: expected %s", lineAndPosition(p.lex.src, p.tok.start), want)
	}
	return errAt(p.tok.span, "unexpected symbol found %s at %s: expected %s",
		p.lex.src[p.tok.start:p.tok.end], lineAndPosition(p.lex.src, p.tok.start), want)
}

func lineAndPosition(src string, at int) string {
	before := src[:at]
	line := strings.Count(before, "\n") + 1
	col := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return fmt.Sprintf("line %d and position %d", line, col)
}

// commandParser is the parser of a command that is served, called behind its keyword, or nil.
func commandParser(name string) func(p *parser, at span) (Command, error) {
	switch name {
	case "fields":
		return parseFields
	case "display":
		return parseDisplay
	case "filter", "where":
		return parseFilter
	case "stats":
		return parseStats
	case "sort", "order":
		return parseSort
	case "limit":
		return parseLimit
	case "parse":
		return parseParse
	case "dedup":
		return parseDedup
	case "unnest":
		return parseUnnest
	case "accum":
		return parseAccum
	}
	return nil
}

// unsupportedCommands exist in CloudWatch Logs and not here.
var unsupportedCommands = []string{
	"addtotals", "anomaly", "appendcols", "autoregress", "cidrlookup", "countfrequent", "diff", "estimate",
	"expand", "filldown", "fillmissing", "filterindex", "head", "join", "json", "logcompare", "lookup", "outlier",
	"pattern", "relevantfields", "search", "sessionize", "tail", "unmask",
}

func (p *parser) query() (*Query, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	q := &Query{}
	if p.isWord("source") {
		src, err := p.source()
		if err != nil {
			return nil, err
		}
		q.Source = src
		if p.tok.kind == tokEOF {
			return q, nil
		}
		if err := p.expect("|"); err != nil {
			return nil, err
		}
	}
	if p.tok.kind == tokEOF && q.Source == nil {
		return nil, errAt(p.tok.span, "Query cannot be compiled: it is empty")
	}
	for {
		c, err := p.command()
		if err != nil {
			return nil, err
		}
		q.Commands = append(q.Commands, c)
		if p.tok.kind == tokEOF {
			return q, nil
		}
		if err := p.expect("|"); err != nil {
			return nil, err
		}
	}
}

func (p *parser) command() (Command, error) {
	at := p.tok.span
	if p.tok.kind == tokWord {
		name := strings.ToLower(p.tok.text)
		if parse := commandParser(name); parse != nil {
			if err := p.advance(); err != nil {
				return nil, err
			}
			return parse(p, at)
		}
		if name == "diff" {
			return nil, errAt(at, "Diff compilation Failed : Diff operation has to be used after Pattern")
		}
		if name == "source" {
			return nil, errAt(at, "unexpected symbol found %s: SOURCE must be the first command", p.tok.text)
		}
		if slices.Contains(unsupportedCommands, name) {
			return nil, errAt(at, "the command %s is not supported", p.tok.text)
		}
	}
	found := "<EOF>"
	if p.tok.kind != tokEOF {
		found = p.lex.src[at.start:at.end]
	}
	return nil, errAt(at, "mismatched input '%s' expecting {K_PARSE, K_SEARCH, K_FIELDS, K_DISPLAY, K_FILTER, K_SORT, K_ORDER, K_HEAD, K_LIMIT, K_TAIL}", found)
}

// from is the range from at to the token before the current one.
func (p *parser) from(at span) span { return span{at.start, max(p.prev.end, at.end)} }

// name reads a name that the query defines, an alias.
func (p *parser) name(what string) (string, span, error) {
	t := p.tok
	switch {
	case t.kind == tokQuoted:
	case t.kind == tokWord && !isReserved(t.text) && !isNumberToken(t.text):
	default:
		return "", span{}, p.unexpected(what)
	}
	return t.text, t.span, p.advance()
}

// Item is an expression of fields, display, stats or by, with its alias.
type Item struct {
	Expr  Expr
	Alias string // "" when there is none
	alias span
	text  string // as it was written, the name of the column when there is no alias
	span
}

// Column is the name of the item's column.
func (i *Item) Column() string {
	if i.Alias != "" {
		return i.Alias
	}
	if f, ok := i.Expr.(*Ref); ok {
		return f.Name()
	}
	return i.text
}

func (i *Item) String() string {
	if i.Alias != "" {
		return i.Expr.String() + " as " + quoteName(i.Alias)
	}
	return i.Expr.String()
}

func joinItems(items []*Item) string {
	texts := make([]string, len(items))
	for i, it := range items {
		texts[i] = it.String()
	}
	return strings.Join(texts, ", ")
}

// items reads expr [as name], …
func (p *parser) items() ([]*Item, error) {
	var list []*Item
	for {
		at := p.tok.span
		e, err := p.expr()
		if err != nil {
			return nil, err
		}
		it := &Item{Expr: e, span: p.from(at)}
		it.text = p.lex.src[it.start:it.end]
		if ok, err := p.take("as"); err != nil {
			return nil, err
		} else if ok {
			if it.Alias, it.alias, err = p.name("a name behind as"); err != nil {
				return nil, err
			}
			it.span = p.from(at)
		}
		list = append(list, it)
		if ok, err := p.take(","); err != nil || !ok {
			return list, err
		}
	}
}

// field reads a field's name.
func (p *parser) field() (*Ref, error) {
	if p.tok.kind != tokQuoted && (p.tok.kind != tokWord || isReserved(p.tok.text) || isNumberToken(p.tok.text)) {
		return nil, p.unexpected("a field name")
	}
	e, err := p.postfix()
	if err != nil {
		return nil, err
	}
	f, ok := e.(*Ref)
	if !ok {
		return nil, errAt(e.pos(), "unexpected symbol found %s: expected a field name", e)
	}
	return f, nil
}

// regex reads a /regex/ when the current token is its opening slash.
func (p *parser) regex() (*regexp.Regexp, string, span, error) {
	t, err := p.lex.regex(p.tok.start)
	if err != nil {
		return nil, "", span{}, err
	}
	re, err := compileRegex(t.text, t.span)
	if err != nil {
		return nil, "", span{}, err
	}
	p.tok = t
	return re, t.text, t.span, p.advance()
}

func compileRegex(src string, at span) (*regexp.Regexp, error) {
	re, err := regexp.Compile(strings.ReplaceAll(src, `\/`, `/`))
	if err != nil {
		return nil, errAt(at, "invalid regular expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re, nil
}
