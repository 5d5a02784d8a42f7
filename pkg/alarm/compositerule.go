// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"slices"
	"strconv"
	"strings"
)

// Limits of a composite alarm's rule.
const (
	// MaxRuleChildren is how many alarms a rule may name.
	MaxRuleChildren = 100
	// MaxRuleElements is how many elements a rule may have: alarms, TRUE, FALSE and pairs of parentheses.
	MaxRuleElements = 500
	maxRuleNesting  = 500
)

// AlarmRef is an alarm that a composite alarm's rule names.
type AlarmRef struct{ Name, ARN string }

// CompositeRule is the rule of a composite alarm. It does not change.
type CompositeRule struct {
	root     ruleNode
	children []AlarmRef
	texts    []string // how the children are named
}

// Children are the alarms that the rule names, each once, in order of appearance.
func (c *CompositeRule) Children() []AlarmRef { return c.children }

// names is whether an alarm is one of the children.
func (c *CompositeRule) names(arn string) bool {
	return slices.ContainsFunc(c.children, func(ref AlarmRef) bool { return ref.ARN == arn })
}

// String is the rule in canonical form; it parses to the same rule.
func (c *CompositeRule) String() string {
	var b strings.Builder
	c.root.write(&b, c)
	return b.String()
}

// Evaluate is whether the rule holds, with the states of its children by ARN. An alarm without a state is in none.
func (c *CompositeRule) Evaluate(state func(arn string) State) bool {
	return c.root.holds(c.lookup(state))
}

// Determining are the children that the verdict of [CompositeRule.Evaluate] comes from, in order of appearance.
func (c *CompositeRule) Determining(state func(arn string) State) []AlarmRef {
	of := c.lookup(state)
	found := make([]bool, len(c.children))
	c.root.determine(of, found)
	var list []AlarmRef
	for i, yes := range found {
		if yes {
			list = append(list, c.children[i])
		}
	}
	return list
}

func (c *CompositeRule) lookup(state func(arn string) State) childStates {
	return func(child int) State { return state(c.children[child].ARN) }
}

// childStates are the states of children by place.
type childStates func(child int) State

type ruleNode interface {
	holds(of childStates) bool
	// determine marks the children that make the node what it is.
	determine(of childStates, found []bool)
	write(b *strings.Builder, c *CompositeRule)
}

type (
	constantNode bool
	// stateNode is a child in a state.
	stateNode struct {
		state State
		child int
	}
	notNode struct{ x ruleNode }
	// listNode is terms with AND or OR between them.
	listNode struct {
		or    bool
		terms []ruleNode
	}
	atLeastNode struct {
		threshold int // of children, or of a hundred
		percent   bool
		not       bool
		state     State
		children  []int // with those that are named twice
	}
)

func (n constantNode) holds(childStates) bool { return bool(n) }

func (constantNode) determine(childStates, []bool) {}

func (n constantNode) write(b *strings.Builder, _ *CompositeRule) {
	if n {
		b.WriteString("TRUE")
	} else {
		b.WriteString("FALSE")
	}
}

func (n stateNode) holds(of childStates) bool { return of(n.child) == n.state }

func (n stateNode) determine(_ childStates, found []bool) { found[n.child] = true }

func (n stateNode) write(b *strings.Builder, c *CompositeRule) {
	b.WriteString(string(n.state) + "(" + c.ref(n.child) + ")")
}

func (n notNode) holds(of childStates) bool { return !n.x.holds(of) }

func (n notNode) determine(of childStates, found []bool) { n.x.determine(of, found) }

func (n notNode) write(b *strings.Builder, c *CompositeRule) {
	b.WriteString("NOT ")
	writeTerm(b, n.x, c, true)
}

func (n *listNode) holds(of childStates) bool {
	for _, t := range n.terms {
		if t.holds(of) == n.or {
			return n.or
		}
	}
	return !n.or
}

// determine goes into the terms that are what the list is: of OR that holds those that hold, of one that does not, all.
func (n *listNode) determine(of childStates, found []bool) {
	verdict := n.holds(of)
	for _, t := range n.terms {
		if t.holds(of) == verdict {
			t.determine(of, found)
		}
	}
}

func (n *listNode) write(b *strings.Builder, c *CompositeRule) {
	for i, t := range n.terms {
		switch {
		case i == 0:
		case n.or:
			b.WriteString(" OR ")
		default:
			b.WriteString(" AND ")
		}
		writeTerm(b, t, c, !n.or)
	}
}

// writeTerm puts parentheses around a list inside of what binds tighter.
func writeTerm(b *strings.Builder, n ruleNode, c *CompositeRule, tight bool) {
	if _, list := n.(*listNode); !list || !tight {
		n.write(b, c)
		return
	}
	b.WriteByte('(')
	n.write(b, c)
	b.WriteByte(')')
}

// minimum is how many children have to be in the state: of a percentage, rounded up.
func (n *atLeastNode) minimum() int {
	if n.percent {
		return (n.threshold*len(n.children) + 99) / 100
	}
	return n.threshold
}

func (n *atLeastNode) counts(of childStates, child int) bool { return (of(child) == n.state) != n.not }

func (n *atLeastNode) holds(of childStates) bool {
	count := 0
	for _, child := range n.children {
		if n.counts(of, child) {
			count++
		}
	}
	return count >= n.minimum()
}

func (n *atLeastNode) determine(of childStates, found []bool) {
	verdict := n.holds(of)
	for _, child := range n.children {
		if n.counts(of, child) == verdict {
			found[child] = true
		}
	}
}

func (n *atLeastNode) write(b *strings.Builder, c *CompositeRule) {
	b.WriteString("AT_LEAST(" + strconv.Itoa(n.threshold))
	if n.percent {
		b.WriteByte('%')
	}
	b.WriteString(", ")
	if n.not {
		b.WriteString("NOT ")
	}
	b.WriteString(string(n.state) + ", (")
	for i, child := range n.children {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c.ref(child))
	}
	b.WriteString("))")
}

// ref is how a rule names a child: in quotes where it could be read as something else.
func (c *CompositeRule) ref(child int) string {
	text := c.texts[child]
	if !strings.ContainsAny(text, ruleDelimiters+`"`) {
		return text
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
