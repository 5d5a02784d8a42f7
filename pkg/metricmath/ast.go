// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

import "strings"

// Expr is a parsed expression.
type Expr struct {
	root node
}

// String is the expression in canonical form: without spaces and needless parentheses. It parses to the same tree.
func (x *Expr) String() string {
	var b strings.Builder
	x.root.write(&b)
	return b.String()
}

// References are the ids that the expression names, each once, in order of appearance.
func (x *Expr) References() []string {
	ids := x.ids()
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = id.name
	}
	return names
}

// ids are the first nodes of each id.
func (x *Expr) ids() []*idNode {
	var ids []*idNode
	seen := make(map[string]bool)
	walk(x.root, func(n node) {
		if id, ok := n.(*idNode); ok && !seen[id.name] {
			seen[id.name] = true
			ids = append(ids, id)
		}
	})
	return ids
}

type node interface {
	pos() int
	precedence() int
	children() []node
	write(b *strings.Builder)
}

type at int

func (a at) pos() int { return int(a) }

type leaf struct{}

func (leaf) precedence() int  { return precedencePrimary }
func (leaf) children() []node { return nil }

type (
	numberNode struct {
		at
		leaf
		text  string
		value float64
	}
	stringNode struct {
		at
		leaf
		text  string // with its quotes
		value string
	}
	// idNode names a metric or another expression.
	idNode struct {
		at
		leaf
		name string
	}
	// wordNode is a word that only some functions take: REPEAT, AVG, DESC.
	wordNode struct {
		at
		leaf
		name string
	}
	callNode struct {
		at
		fn   *function
		args []node
	}
	arrayNode struct {
		at
		items []node
	}
	unaryNode struct {
		at
		op string
		x  node
	}
	binaryNode struct {
		at
		op          *operator
		left, right node
	}
)

// Precedences, loosest first.
const (
	precedenceOr = iota + 1
	precedenceAnd
	precedenceCompare
	precedenceAdd
	precedenceMultiply
	precedenceSign
	precedencePower
	precedencePrimary
)

func (*callNode) precedence() int     { return precedencePrimary }
func (*arrayNode) precedence() int    { return precedencePrimary }
func (*unaryNode) precedence() int    { return precedenceSign }
func (n *binaryNode) precedence() int { return n.op.precedence }

func (n *callNode) children() []node   { return n.args }
func (n *arrayNode) children() []node  { return n.items }
func (n *unaryNode) children() []node  { return []node{n.x} }
func (n *binaryNode) children() []node { return []node{n.left, n.right} }

func (n *numberNode) write(b *strings.Builder) { b.WriteString(n.text) }
func (n *stringNode) write(b *strings.Builder) { b.WriteString(n.text) }
func (n *idNode) write(b *strings.Builder)     { b.WriteString(n.name) }
func (n *wordNode) write(b *strings.Builder)   { b.WriteString(n.name) }

func (n *callNode) write(b *strings.Builder) {
	b.WriteString(n.fn.name)
	b.WriteByte('(')
	writeList(b, n.args)
	b.WriteByte(')')
}

func (n *arrayNode) write(b *strings.Builder) {
	b.WriteByte('[')
	writeList(b, n.items)
	b.WriteByte(']')
}

func (n *unaryNode) write(b *strings.Builder) {
	b.WriteString(n.op)
	writeWithin(b, n.x, precedenceSign)
}

// write puts parentheses where the parser would take another tree without them: powers group to the right and take a
// sign in their exponent, everything else groups to the left.
func (n *binaryNode) write(b *strings.Builder) {
	left, right := n.op.precedence, n.op.precedence+1
	if n.op.precedence == precedencePower {
		left, right = precedencePrimary, precedenceSign
	}
	writeWithin(b, n.left, left)
	b.WriteString(n.op.name)
	writeWithin(b, n.right, right)
}

// writeWithin puts n in parentheses when it binds looser than the least precedence.
func writeWithin(b *strings.Builder, n node, least int) {
	if n.precedence() >= least {
		n.write(b)
		return
	}
	b.WriteByte('(')
	n.write(b)
	b.WriteByte(')')
}

func writeList(b *strings.Builder, list []node) {
	for i, n := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		n.write(b)
	}
}

func walk(n node, visit func(node)) {
	visit(n)
	for _, c := range n.children() {
		walk(c, visit)
	}
}
