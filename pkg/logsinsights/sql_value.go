// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/logsinsights/regexlit"
)

// sqlKind is what is known of an expression's values before it runs.
type sqlKind int

const (
	sqlAny     sqlKind = iota // a field: a text that may spell a number
	sqlNumber                 // computed: a number or missing
	sqlInstant                // a time
	sqlMissing                // never there
)

// sqlValue is an expression in SQL. Each form is "" when SQL cannot give exactly what Go gives.
type sqlValue struct {
	kind sqlKind
	text string // what value.key gives, NULL when missing
	num  string // what value.asNumber gives, NULL when there is none
	ts   string // a timestamp, of an instant
	// mayBeBool: the value may be a JSON boolean, whose text 1 or 0 is equal to "true" or "false" too.
	mayBeBool bool
	message   bool // it is @message
}

// present is the condition that the value is there, or "".
func (v *sqlValue) present() string {
	switch {
	case v.text != "":
		return v.text + " IS NOT NULL"
	case v.kind == sqlNumber && v.num != "":
		return v.num + " IS NOT NULL"
	case v.kind == sqlInstant && v.ts != "":
		return v.ts + " IS NOT NULL"
	case v.kind == sqlMissing:
		return "FALSE"
	}
	return ""
}

// finiter is a dialect that can make what is not finite NULL.
type finiter interface{ Finite(expr string) string }

// edger is a dialect that can aggregate the value of the first or last event.
type edger interface {
	AtEdge(expr string, last bool) string
}

// afterExtractor is a dialect that can extract a group without its first characters.
type afterExtractor interface {
	RegexExtractAfter(text, pattern string, group, skip int) string
}

// numberer is a dialect with a quicker way to the number of a leaf.
type numberer interface {
	JSONNumber(doc string, path []string) string
}

// lowering turns expressions into SQL of a dialect for one selection. What it gives is exact: the same values, and of
// conditions the same rows, as the functions of compile.go.
type lowering struct {
	d        store.Dialect
	promoted bool
	lambda   bool // the selection has a group of a Lambda function, whose lines are read in other ways too
	defs     map[string]sqlValue
}

func newLowering(o *Options, groups []string) *lowering {
	l := &lowering{d: o.Dialect, promoted: o.Promoted, defs: map[string]sqlValue{}}
	for _, g := range groups {
		l.lambda = l.lambda || isLambdaGroup(g)
	}
	return l
}

// maxExprSQL bounds the text of one expression. Names that are defined by other names can double it at every step.
const maxExprSQL = 32 << 10

func (l *lowering) value(e Expr) sqlValue {
	v := l.lower(e)
	if len(v.text)+len(v.num)+len(v.ts) > maxExprSQL {
		return sqlValue{}
	}
	return v
}

func (l *lowering) lower(e Expr) sqlValue {
	switch e := e.(type) {
	case *Ref:
		return l.ref(e)
	case *Number:
		return sqlValue{kind: sqlNumber, num: l.d.Number(e.Value)}
	case *Unary:
		if x := l.value(e.X); e.Op == "-" && x.num != "" {
			return sqlValue{kind: sqlNumber, num: "(-" + x.num + ")"}
		}
	case *Binary:
		return l.arithmetic(e)
	case *Call:
		return l.call(e)
	}
	return sqlValue{}
}

func (l *lowering) ref(f *Ref) sqlValue {
	for n := len(f.Parts); n > 0; n-- {
		if def, ok := l.defs[joinParts(f.Parts[:n])]; ok && !indexed(f.Parts[:n]) {
			if n == len(f.Parts) {
				return def
			}
			return sqlValue{} // a step into a map
		}
	}
	return l.field(f.Name())
}

// field is a field of the event.
func (l *lowering) field(name string) sqlValue {
	col := func(c store.LogColumn) sqlValue {
		return sqlValue{text: l.d.Column(c), num: l.d.ToNumber(l.d.Column(c))}
	}
	instant := func(c store.LogColumn) sqlValue {
		ts := l.d.Column(c)
		return sqlValue{kind: sqlInstant, ts: ts, num: "CAST(" + l.d.EpochMs(ts) + " AS DOUBLE)"}
	}
	switch name {
	case "@timestamp":
		return instant(store.ColumnTimestamp)
	case "@ingestionTime":
		return instant(store.ColumnIngested)
	case "@message":
		v := col(store.ColumnMessage)
		v.message = true
		return v
	case "@logStream":
		return col(store.ColumnStream)
	case "@log", "@ptr", "@aws.account", "@aws.region":
		return sqlValue{}
	}
	if lambdaField(name) != nil {
		if l.lambda {
			return sqlValue{}
		}
		return sqlValue{kind: sqlMissing}
	}
	if l.promoted && !l.lambda {
		switch name {
		case "level":
			return col(store.ColumnLevel)
		case "service":
			return col(store.ColumnService)
		}
	}
	return l.jsonField(name)
}

// jsonField is a discovered field. The columns duration_ms and status hold the numbers of the messages' fields.
func (l *lowering) jsonField(name string) sqlValue {
	if l.promoted && name == "duration_ms" && !l.lambda {
		// Without a number, the texts 1 and 0 are true and false.
		col, text := l.d.Column(store.ColumnDurationMs), l.jsonText(name)
		return sqlValue{num: col, text: "CASE WHEN " + col + " IS NULL THEN nullif(nullif(" + text + ", '1'), '0') ELSE " + text + " END"}
	}
	if l.lambda || isVendedName(name) {
		return sqlValue{}
	}
	key, ok := jsonName(name)
	if !ok {
		return sqlValue{kind: sqlMissing}
	}
	v := sqlValue{text: l.jsonText(key), mayBeBool: true}
	if v.text == "" {
		return sqlValue{}
	}
	v.num = l.jsonNumber(key, v.text)
	if l.promoted && name == "status" {
		v.num = "coalesce(CAST(" + l.d.Column(store.ColumnStatus) + " AS DOUBLE), " + v.num + ")"
	}
	return v
}

// maxSQLPaths bounds the ways of splitting a name at its dots that are worth asking the store for.
const maxSQLPaths = 8

// jsonText is the text of a flattened name in the message. A dot may be part of a key, which most messages do not
// have: the other ways to split the name are tried only where the first one finds nothing and the guard holds.
func (l *lowering) jsonText(name string) string {
	doc := l.d.Column(store.ColumnMessage)
	paths := keyPaths(name)
	if len(paths) > maxSQLPaths {
		return ""
	}
	first := l.d.JSONField(doc, paths[0])
	if len(paths) == 1 {
		return first
	}
	others := make([]string, len(paths)-1)
	for i, p := range paths[1:] {
		others[i] = l.d.JSONField(doc, p)
	}
	return "coalesce(" + first + ", CASE WHEN " + l.dotGuard(name) + " THEN coalesce(" + strings.Join(others, ", ") + ") END)"
}

// jsonNumber is the number of a flattened name, whose text is given.
func (l *lowering) jsonNumber(name, text string) string {
	d, ok := l.d.(numberer)
	if !ok {
		return l.d.ToNumber(text)
	}
	paths := keyPaths(name)
	first := d.JSONNumber(l.d.Column(store.ColumnMessage), paths[0])
	if len(paths) == 1 {
		return first
	}
	return "coalesce(" + first + ", CASE WHEN " + l.dotGuard(name) + " THEN " + l.d.ToNumber(text) + " END)"
}

// dotGuard is whether some key of the message may hold a dot of the name: it has two neighbouring parts with the dot
// in it, as they are or with an escape.
func (l *lowering) dotGuard(name string) string {
	doc := l.d.Column(store.ColumnMessage)
	parts := strings.Split(name, ".")
	guard := []string{l.d.Contains(doc, `\`)}
	for i := 1; i < len(parts); i++ {
		guard = append(guard, l.d.Contains(doc, parts[i-1]+"."+parts[i]))
	}
	return strings.Join(guard, " OR ")
}

func (l *lowering) arithmetic(b *Binary) sqlValue {
	fin, ok := l.d.(finiter)
	if !ok || !slices.Contains([]string{"+", "-", "*", "/", "%"}, b.Op) {
		return sqlValue{}
	}
	x, y := l.value(b.X), l.value(b.Y)
	if x.kind == sqlMissing || y.kind == sqlMissing {
		return sqlValue{kind: sqlMissing}
	}
	if x.num == "" || y.num == "" {
		return sqlValue{}
	}
	return sqlValue{kind: sqlNumber, num: fin.Finite("(" + x.num + " " + b.Op + " " + y.num + ")")}
}

func (l *lowering) call(c *Call) sqlValue {
	switch c.Name {
	case "bin", "datefloor":
		at := l.d.Column(store.ColumnTimestamp)
		if c.Name == "datefloor" {
			at = l.value(c.Args[0]).ts
		}
		p, ok := c.Args[len(c.Args)-1].(*PeriodLit)
		if !ok || at == "" || p.fixedMs() == 0 {
			return sqlValue{}
		}
		ts := l.d.TimeFloor(at, p.fixedMs())
		return sqlValue{kind: sqlInstant, ts: ts, num: "CAST(" + l.d.EpochMs(ts) + " AS DOUBLE)"}
	case "tomillis":
		if at := l.value(c.Args[0]); at.kind == sqlInstant && at.ts != "" {
			return sqlValue{kind: sqlNumber, num: at.num}
		}
	case "tonumber", "todouble":
		if x := l.value(c.Args[0]); x.num != "" {
			return sqlValue{kind: sqlNumber, num: x.num}
		}
	}
	return sqlValue{}
}

// sqlPattern is a regular expression for the store's RE2, in a form that leaves nothing to defaults, or "" when it
// is too large to be sure that the store takes it.
func sqlPattern(re *syntax.Regexp) string {
	const maxText, maxInst = 2000, 1000
	text := re.String()
	prog, err := syntax.Compile(re.Simplify())
	if err != nil || len(prog.Inst) > maxInst || len(text) > maxText || strings.IndexByte(text, 0) >= 0 {
		return ""
	}
	return text
}

// parsed is the text of a group that parse takes from the source.
func (l *lowering) parsed(p *ParseCmd, group int) sqlValue {
	source := sqlValue{}
	if p.Field == nil {
		source = l.field("@message")
	} else {
		source = l.ref(p.Field)
	}
	if source.kind == sqlMissing {
		return source
	}
	re := p.pattern()
	if re == nil || source.text == "" {
		return sqlValue{}
	}
	pattern := sqlPattern(re)
	always, notEmpty := regexlit.Group(re, group)
	if pattern == "" || !always && !notEmpty {
		return sqlValue{} // an empty group would be the same as one that took no part
	}
	text := l.d.RegexExtract(source.text, pattern, group)
	if after, ok := l.d.(afterExtractor); ok && p.Regex == nil {
		if t := globGroup(after, source.text, p.Glob, group); t != "" {
			text = t
		}
	}
	return sqlValue{text: text, num: l.d.ToNumber(text)}
}

// globGroup extracts what a star of a glob takes together with the literal before it: then no match can be told from
// an empty one, without matching twice. It is "" when no literal stands before the star.
func globGroup(d afterExtractor, source, glob string, group int) string {
	parts := strings.Split(glob, "*")
	if parts[group-1] == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString("(?s)")
	for i, lit := range parts[:len(parts)-1] {
		star := ".*?"
		if i == len(parts)-2 && parts[i+1] == "" {
			star = ".*"
		}
		b.WriteString("(" + regexp.QuoteMeta(lit) + star + ")")
	}
	b.WriteString(regexp.QuoteMeta(parts[len(parts)-1]))
	re, err := syntax.Parse(b.String(), syntax.Perl)
	if err != nil {
		return ""
	}
	pattern := sqlPattern(re)
	if pattern == "" {
		return ""
	}
	return d.RegexExtractAfter(source, pattern, group, utf8.RuneCountInString(parts[group-1]))
}

func parseSyntax(re *regexp.Regexp) *syntax.Regexp {
	s, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return nil
	}
	return s
}
