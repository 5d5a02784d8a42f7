// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricsinsights

import (
	"strconv"
	"strings"
)

// Query is a parsed query.
type Query struct {
	// Function aggregates the samples of a period.
	Function Function
	Metric   string
	// Namespace is asked for with any dimensions or, with Schema, with exactly the set of Dimensions, which may be empty.
	Namespace  string
	Schema     bool
	Dimensions []string
	// Where are conditions that all hold.
	Where   []Condition
	GroupBy []Key
	// Order is nil when there is no ORDER BY: groups are in order of their labels then.
	Order *Order
	// Limit is how many groups there are at most, at most [MaxSeries]; 0 when the query sets none.
	Limit int
}

// Function is an aggregate function.
type Function string

// The functions.
const (
	Average Function = "AVG"
	Count   Function = "COUNT"
	Maximum Function = "MAX"
	Minimum Function = "MIN"
	Sum     Function = "SUM"
)

// Key is a label key: the name of a dimension, or [AccountID].
type Key string

// AccountID is the key of a metric's account. No dimension's name begins with a colon.
const AccountID Key = ":aws.AccountId"

// Condition compares the value of a key.
type Condition struct {
	Key Key
	// Not is of !=, which also holds for metrics that do not have the dimension.
	Not   bool
	Value string
	// CurrentAccount is of CURRENT_ACCOUNT_ID(), which stands in place of Value.
	CurrentAccount bool
}

// Order ranks groups by a function of their points.
type Order struct {
	Function   Function
	Descending bool
}

// String is the query in canonical form. It parses to the same query.
func (q *Query) String() string {
	var b strings.Builder
	b.WriteString("SELECT " + string(q.Function) + "(")
	writeIdentifier(&b, q.Metric)
	b.WriteString(") FROM ")
	if q.Schema {
		b.WriteString("SCHEMA(")
	}
	writeIdentifier(&b, q.Namespace)
	for _, d := range q.Dimensions {
		b.WriteString(", ")
		writeIdentifier(&b, d)
	}
	if q.Schema {
		b.WriteByte(')')
	}
	for i := range q.Where {
		b.WriteString(first(i, " WHERE ", " AND "))
		q.Where[i].write(&b)
	}
	for i, k := range q.GroupBy {
		b.WriteString(first(i, " GROUP BY ", ", "))
		k.write(&b)
	}
	if q.Order != nil {
		b.WriteString(" ORDER BY " + string(q.Order.Function) + "()")
		if q.Order.Descending {
			b.WriteString(" DESC")
		}
	}
	if q.Limit > 0 {
		b.WriteString(" LIMIT " + strconv.Itoa(q.Limit))
	}
	return b.String()
}

// first is what stands before the first of a list, then what stands before the others.
func first(i int, before, between string) string {
	if i == 0 {
		return before
	}
	return between
}

func (c *Condition) write(b *strings.Builder) {
	c.Key.write(b)
	if c.Not {
		b.WriteString(" != ")
	} else {
		b.WriteString(" = ")
	}
	if c.CurrentAccount {
		b.WriteString("CURRENT_ACCOUNT_ID()")
		return
	}
	writeQuoted(b, c.Value, '\'')
}

func (k Key) write(b *strings.Builder) {
	if k == AccountID {
		b.WriteString("AWS.AccountId")
		return
	}
	writeIdentifier(b, string(k))
}

// writeIdentifier puts quotes where a bare word would be read as something else.
func writeIdentifier(b *strings.Builder, name string) {
	if plainWord(name) && !Reserved(name) {
		b.WriteString(name)
		return
	}
	writeQuoted(b, name, '"')
}

func plainWord(s string) bool {
	for i := range len(s) {
		if !wordByte(s[i], i == 0) || s[i] == '.' {
			return false
		}
	}
	return s != ""
}

func writeQuoted(b *strings.Builder, s string, quote byte) {
	b.WriteByte(quote)
	for i := range len(s) {
		if s[i] == quote {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte(quote)
}
