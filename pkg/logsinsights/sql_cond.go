// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"strings"
)

// cond is an SQL condition that is true for exactly the rows for which e is true, or with neg, is not true. It may be
// NULL instead of false. ok is false when SQL cannot say it.
func (l *lowering) cond(e Expr, neg bool) (sql string, ok bool) {
	sql, ok = l.condition(e, neg)
	if len(sql) > maxCondSQL {
		return "", false
	}
	return sql, ok
}

// maxCondSQL bounds the text of one condition.
const maxCondSQL = 128 << 10

func (l *lowering) condition(e Expr, neg bool) (sql string, ok bool) {
	switch e := e.(type) {
	case *Unary:
		if e.Op == "not" {
			return l.cond(e.X, !neg)
		}
	case *Binary:
		if e.Op == "and" || e.Op == "or" {
			x, xok := l.cond(e.X, neg)
			y, yok := l.cond(e.Y, neg)
			return join(e.Op, neg, x, y), xok && yok
		}
		if sql := l.compare(e); sql != "" {
			return negate(sql, neg), true
		}
	case *Like:
		if sql := l.like(e); sql != "" {
			return negate(sql, neg != e.Not), true
		}
	case *In:
		var any []string
		for _, item := range e.List {
			sql := l.equal(e.X, item)
			if sql == "" {
				return "", false
			}
			any = append(any, sql)
		}
		return negate("("+strings.Join(any, " OR ")+")", neg != e.Not), true
	case *Call:
		if sql := l.predicate(e); sql != "" {
			return negate(sql, neg), true
		}
	case *Bool:
		if e.Value != neg {
			return "TRUE", true
		}
		return "FALSE", true
	}
	return "", false
}

// superset is a condition that is true at least for the rows for which e is true, or "".
func (l *lowering) superset(e Expr, neg bool) string {
	if sql, ok := l.cond(e, neg); ok {
		return sql
	}
	switch e := e.(type) {
	case *Unary:
		if e.Op == "not" {
			return l.superset(e.X, !neg)
		}
	case *Binary:
		if e.Op != "and" && e.Op != "or" {
			return ""
		}
		x, y := l.superset(e.X, neg), l.superset(e.Y, neg)
		if (e.Op == "and") != neg { // both must hold: one is enough to narrow
			switch {
			case x == "":
				return y
			case y == "":
				return x
			}
			return join(e.Op, neg, x, y)
		}
		if x != "" && y != "" {
			return join(e.Op, neg, x, y)
		}
		return ""
	}
	if !neg {
		return l.inMessage(e)
	}
	return ""
}

// inMessage narrows a condition on a discovered field, wherever in the message it was discovered, to messages that
// hold its text.
func (l *lowering) inMessage(e Expr) string {
	switch e := e.(type) {
	case *Binary:
		if e.Op != "=" {
			return ""
		}
		x, y := e.X, e.Y
		if isLiteral(x) {
			x, y = y, x
		}
		if lit, ok := y.(*Text); ok && l.isDiscovered(x) {
			return l.holds(lit.Value)
		}
	case *In:
		if e.Not || !l.isDiscovered(e.X) {
			return ""
		}
		var any []string
		for _, item := range e.List {
			lit, ok := item.(*Text)
			if !ok || l.holds(lit.Value) == "" {
				return ""
			}
			any = append(any, l.holds(lit.Value))
		}
		return "(" + strings.Join(any, " OR ") + ")"
	case *Like:
		if !e.Not && e.Regex == nil && l.isDiscovered(e.X) {
			return l.holds(e.Text)
		}
	}
	return ""
}

// isDiscovered is whether the expression is a field that stands in the message.
func (l *lowering) isDiscovered(e Expr) bool {
	ref, ok := e.(*Ref)
	if !ok || strings.HasPrefix(ref.Name(), "@") {
		return false
	}
	for n := range ref.Parts {
		if _, ok := l.defs[joinParts(ref.Parts[:n+1])]; ok {
			return false
		}
	}
	if l.promoted && (ref.Name() == "level" || ref.Name() == "service") {
		return false // they may come from elsewhere
	}
	return true
}

// holds is the condition that a message has a field with this text in it, "" when the text could stand there in other
// forms. The digits of a number may, and true and false are 1 and 0. Otherwise the text is in the message as it is,
// unless something in it is escaped.
func (l *lowering) holds(s string) string {
	if !plainASCII(s) || s == "true" || s == "false" || strings.Trim(s, "0123456789.eE+-") == "" {
		return ""
	}
	doc := l.field("@message").text
	return "(" + l.d.Contains(doc, s) + " OR " + l.d.Contains(doc, `\`) + ")"
}

func join(op string, neg bool, x, y string) string {
	if (op == "and") != neg {
		return "(" + x + " AND " + y + ")"
	}
	return "(" + x + " OR " + y + ")"
}

// negate makes a condition that is true where sql is false or NULL.
func negate(sql string, neg bool) string {
	if !neg {
		return sql
	}
	return "coalesce(NOT (" + sql + "), TRUE)"
}

// compare is an = != < <= > >=.
func (l *lowering) compare(b *Binary) string {
	switch b.Op {
	case "=":
		return l.equal(b.X, b.Y)
	case "!=":
		eq := l.equal(b.X, b.Y)
		x, y := l.value(b.X), l.value(b.Y)
		var present []string
		for _, side := range []struct {
			e Expr
			v sqlValue
		}{{b.X, x}, {b.Y, y}} {
			if isLiteral(side.e) {
				continue
			}
			p := side.v.present()
			if p == "" {
				return ""
			}
			present = append(present, p)
		}
		if eq == "" || len(present) == 0 {
			return ""
		}
		return "(" + strings.Join(present, " AND ") + " AND " + negate(eq, true) + ")"
	case "<", "<=", ">", ">=":
		return l.order(b.Op, b.X, b.Y)
	}
	return ""
}

func isLiteral(e Expr) bool {
	_, _, ok := literal(e)
	return ok
}

// literal is the value of a literal, and its text as it was given.
func literal(e Expr) (value, string, bool) {
	switch e := e.(type) {
	case *Number:
		v := value{kind: number, num: e.Value}
		k, _ := v.key()
		return v, k, true
	case *Text:
		return textValue(e.Value), e.Value, true
	case *Unary:
		if v, _, ok := literal(e.X); ok && e.Op == "-" && v.kind == number {
			v.num = -v.num
			k, _ := v.key()
			return v, k, true
		}
	}
	return value{}, "", false
}

// equal is the condition that x and y are equal, where one of them is a literal.
func (l *lowering) equal(x, y Expr) string {
	if c, ok := x.(*Call); ok && isLiteral(y) {
		if sql := l.predicateEquals(c, y); sql != "" {
			return sql
		}
	}
	if isLiteral(x) {
		x, y = y, x
	}
	lit, text, ok := literal(y)
	if !ok || isLiteral(x) {
		return ""
	}
	v := l.value(x)
	if v.kind == sqlMissing {
		return "FALSE"
	}
	if n, ok := lit.asNumber(); ok {
		if v.num == "" {
			return ""
		}
		eq := v.num + " = " + l.d.Number(n)
		if !longWhole(text) {
			return eq
		}
		// More digits than a DOUBLE holds: two such numbers are equal when their digits are.
		if v.text == "" || v.kind != sqlAny {
			return ""
		}
		return "(" + eq + " AND (" + v.text + " = " + l.d.String(text) + " OR NOT " + l.d.RegexMatch(v.text, `^-?[1-9][0-9]{15,}$`) + "))"
	}
	if v.text == "" || v.mayBeBool && (text == "true" || text == "false") {
		return ""
	}
	eq := v.text + " = " + l.d.String(text)
	if holds := l.holds(text); v.mayBeBool && holds != "" {
		return "(" + holds + " AND " + eq + ")" // looking for a text costs less than reading JSON
	}
	return eq
}

// plainASCII is whether JSON may hold the text without escapes.
func plainASCII(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e || s[i] == '"' || s[i] == '\\' {
			return false
		}
	}
	return s != ""
}

// order is x op y, where one of them is a literal, or both are numbers.
func (l *lowering) order(op string, x, y Expr) string {
	if isLiteral(x) && !isLiteral(y) {
		x, y, op = y, x, flip(op)
	}
	lit, text, ok := literal(y)
	v := l.value(x)
	if v.kind == sqlMissing {
		return "FALSE"
	}
	if !ok {
		w := l.value(y)
		if v.num != "" && w.num != "" && v.kind != sqlAny && w.kind != sqlAny {
			return v.num + " " + op + " " + w.num
		}
		return ""
	}
	if isLiteral(x) {
		return ""
	}
	if n, ok := lit.asNumber(); ok {
		if v.num == "" {
			return ""
		}
		return v.num + " " + op + " " + l.d.Number(n)
	}
	switch {
	case v.kind != sqlAny:
		if v.num == "" {
			return ""
		}
		return "FALSE" // a number and a text have no order
	case v.text == "" || v.num == "":
		return ""
	}
	return "(" + v.text + " " + op + " " + l.d.String(text) + " AND " + v.num + " IS NULL)"
}

func flip(op string) string {
	switch op {
	case "<":
		return ">"
	case "<=":
		return ">="
	case ">":
		return "<"
	}
	return "<="
}

// like is the condition of like, without its negation.
func (l *lowering) like(e *Like) string {
	v := l.value(e.X)
	switch {
	case v.kind == sqlMissing:
		return "FALSE"
	case v.text == "":
		return ""
	case e.Regex == nil:
		has := l.d.Contains(v.text, e.Text)
		if holds := l.holds(e.Text); v.mayBeBool && holds != "" {
			return "(" + holds + " AND " + has + ")"
		}
		return has
	}
	re := parseSyntax(e.Regex)
	if re == nil {
		return ""
	}
	pattern := sqlPattern(re)
	if pattern == "" {
		return ""
	}
	return l.d.RegexMatch(v.text, pattern)
}

// predicate is a call of a function whose result is 1 or 0.
func (l *lowering) predicate(c *Call) string {
	if len(c.Args) == 0 {
		return ""
	}
	v := l.value(c.Args[0])
	switch c.Name {
	case "ispresent":
		return v.present()
	case "isempty":
		if v.kind == sqlMissing {
			return "TRUE"
		}
		if v.text != "" {
			return "coalesce(" + v.text + " = '', TRUE)"
		}
		if p := v.present(); p != "" {
			return "NOT (" + p + ")"
		}
	case "strcontains":
		if t, ok := c.Args[1].(*Text); ok && v.text != "" {
			return l.d.Contains(v.text, t.Value)
		}
	case "isnumeric":
		if v.num != "" {
			return v.num + " IS NOT NULL"
		}
	}
	return ""
}

// predicateEquals is isempty(x) = 1 and the like.
func (l *lowering) predicateEquals(c *Call, y Expr) string {
	lit, _, _ := literal(y)
	n, ok := lit.asNumber()
	sql := l.predicate(c)
	if !ok || sql == "" {
		return ""
	}
	switch n {
	case 1:
		return "coalesce(" + sql + ", FALSE)"
	case 0:
		return negate(sql, true)
	}
	return "FALSE"
}
