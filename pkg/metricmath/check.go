// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

import (
	"slices"
	"strings"
)

// kind is the type of a value, with the name that CloudWatch's documentation gives it.
type kind string

const (
	kindScalar kind = "S"
	kindSeries kind = "TS"
	kindArray  kind = "TS[]"
	kindString kind = "string"
)

// checker finds the types of an expression's parts.
type checker struct {
	// ids are the types of what the expression may name.
	ids     map[string]kind
	metrics map[string]bool
	query   *Query
	program *Program
	places  map[string]int // of the program's metrics
	// bands counts the functions of bands in the query.
	bands int
	// searches collects the SEARCH functions.
	searches []SearchCall
}

func (c *checker) check(n node) (kind, error) {
	switch n := n.(type) {
	case *numberNode:
		return kindScalar, nil
	case *stringNode:
		return kindString, nil
	case *idNode:
		return c.ids[n.name], nil
	case *wordNode:
		return "", errorAt(n.pos(), "ID '%s' not found", n.name)
	case *arrayNode:
		return kindArray, c.array(n)
	case *unaryNode:
		k, err := c.check(n.x)
		if err == nil && k == kindString {
			err = typeError(n.pos(), "Unsupported operand type for unary %s: string", n.op)
		}
		return k, err
	case *binaryNode:
		return c.binary(n)
	case *callNode:
		return c.call(n)
	}
	return "", errorAt(n.pos(), "Unknown expression")
}

func (c *checker) array(n *arrayNode) error {
	for _, item := range n.items {
		k, err := c.check(item)
		if err != nil {
			return err
		}
		if k != kindSeries && k != kindArray {
			return typeError(item.pos(), "An array holds time series, not %s", describe(k))
		}
	}
	return nil
}

func (c *checker) binary(n *binaryNode) (kind, error) {
	left, err := c.check(n.left)
	if err != nil {
		return "", err
	}
	right, err := c.check(n.right)
	if err != nil {
		return "", err
	}
	switch {
	case left == kindString || right == kindString, left == kindArray && right == kindArray:
		return "", typeError(n.pos(), "Unsupported operand type(s) for %s: %s and %s", n.op.name, left, right)
	case left == kindArray || right == kindArray:
		return kindArray, nil
	case left == kindSeries || right == kindSeries:
		return kindSeries, nil
	}
	return kindScalar, nil
}

func (c *checker) call(n *callNode) (kind, error) {
	if n.fn.unsupported != "" {
		return "", errorAt(n.pos(), "Function '%s' is not supported: %s.", n.fn.name, n.fn.unsupported)
	}
	if len(n.args) < n.fn.least || len(n.args) > n.fn.most {
		return "", typeError(n.pos(), "Function '%s' takes %s, not %d", n.fn.name, n.fn.arity(), len(n.args))
	}
	return n.fn.check(c, n)
}

// arg checks one argument, which must be of one of the kinds.
func (c *checker) arg(n *callNode, i int, kinds ...kind) (kind, error) {
	got, err := c.check(n.args[i])
	if err != nil {
		return "", err
	}
	if slices.Contains(kinds, got) {
		return got, nil
	}
	wanted := make([]string, len(kinds))
	for j, k := range kinds {
		wanted[j] = describe(k)
	}
	return "", typeError(n.args[i].pos(), "Function '%s' takes %s as argument %d, not %s",
		n.fn.name, strings.Join(wanted, " or "), i+1, describe(got))
}

// word checks that an argument is one of the words.
func (c *checker) word(n *callNode, i int, words ...string) error {
	if got, ok := n.args[i].(*wordNode); ok && slices.Contains(words, got.name) {
		return nil
	}
	return typeError(n.args[i].pos(), "Function '%s' takes one of %s as argument %d", n.fn.name, strings.Join(words, ", "), i+1)
}

func describe(k kind) string {
	switch k {
	case kindScalar:
		return "a scalar"
	case kindSeries:
		return "a time series"
	case kindArray:
		return "an array of time series"
	case kindString:
		return "a string"
	}
	return string(k)
}
