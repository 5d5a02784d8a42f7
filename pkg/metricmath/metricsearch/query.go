// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package metricsearch is the language inside CloudWatch's SEARCH function: which metrics are meant.
//
// A query is a metric schema, {Namespace, DimensionName, …}, and search terms, either of them optional:
//
//	{AWS/EC2,InstanceId} MetricName=(NetworkIn OR "NetworkOut") NOT test
//
// A schema matches metrics of the namespace that have just these dimensions. A term in quotes is a whole name or value;
// one without quotes matches tokens of a name, cut at capital letters, digits and punctuation.
package metricsearch

import (
	"fmt"
	"slices"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Limits of a query.
const (
	// MaxLength is the characters that a query may have.
	MaxLength = 1024
	// MaxNesting is how deep parentheses and NOT may nest.
	MaxNesting = 50
)

// Error is what is wrong in a query, and where: at a byte of it.
type Error struct {
	Offset  int
	Message string
}

func (e *Error) Error() string {
	return fmt.Sprintf("Invalid search query at position %d: %s", e.Offset, e.Message)
}

// Query is a parsed query.
type Query struct {
	schema *schema
	terms  node // nil when there are none
}

type schema struct {
	namespace  string
	dimensions []string // sorted
}

// Bounds are what all metrics that the query means have in common, as far as it is easily said; "" and no dimensions
// where it is not. A list of metrics within them still needs Match.
func (q *Query) Bounds() (namespace, name string, dimensions []string) {
	if q.schema != nil {
		namespace, dimensions = q.schema.namespace, q.schema.dimensions
	}
	terms, ok := q.terms.(allOf)
	if !ok {
		terms = allOf{q.terms}
	}
	for _, n := range terms {
		switch t, ok := n.(*term); {
		case !ok || !t.exact:
		case t.property == propertyName:
			name = t.text
		case t.property == propertyNamespace && namespace == "":
			namespace = t.text
		}
	}
	return namespace, name, dimensions
}

// Match reports whether the query means the metric, which is of the account.
func (q *Query) Match(account string, m *cloudwatch.Metric) bool {
	if q.schema != nil && !q.schema.match(m) {
		return false
	}
	return q.terms == nil || q.terms.match(account, m)
}

// match relies on the order of a metric's dimensions, which is that of their names.
func (s *schema) match(m *cloudwatch.Metric) bool {
	return m.Namespace == s.namespace && slices.EqualFunc(m.Dimensions, s.dimensions,
		func(d cloudwatch.Dimension, name string) bool { return d.Name == name })
}

type node interface {
	match(account string, m *cloudwatch.Metric) bool
	write(b []byte) []byte
}

type (
	allOf []node
	anyOf []node
	none  struct{ x node }
	term  struct {
		// property is what must match: MetricName, Namespace, :aws.AccountId or the name of a dimension; "" means any
		// name or value.
		property string
		text     string
		exact    bool
		pattern  pattern // of a term that is not exact
	}
)

// Properties that are not dimensions.
const (
	propertyName      = "MetricName"
	propertyNamespace = "Namespace"
	propertyAccount   = ":aws.AccountId"
)

func (n allOf) match(account string, m *cloudwatch.Metric) bool {
	for _, x := range n {
		if !x.match(account, m) {
			return false
		}
	}
	return true
}

func (n anyOf) match(account string, m *cloudwatch.Metric) bool {
	for _, x := range n {
		if x.match(account, m) {
			return true
		}
	}
	return false
}

func (n none) match(account string, m *cloudwatch.Metric) bool { return !n.x.match(account, m) }

func (t *term) match(account string, m *cloudwatch.Metric) bool {
	switch t.property {
	case propertyName:
		return t.matchText(m.Name)
	case propertyNamespace:
		return t.matchText(m.Namespace)
	case propertyAccount:
		return t.text == account || t.text == "LOCAL"
	case "":
		if t.matchText(m.Name) || t.matchText(m.Namespace) {
			return true
		}
		for i := range m.Dimensions {
			if t.matchText(m.Dimensions[i].Name) || t.matchText(m.Dimensions[i].Value) {
				return true
			}
		}
		return false
	}
	for i := range m.Dimensions {
		if m.Dimensions[i].Name == t.property {
			return t.matchText(m.Dimensions[i].Value)
		}
	}
	return false
}

func (t *term) matchText(text string) bool {
	if t.exact {
		return text == t.text
	}
	return t.pattern.match(text)
}
