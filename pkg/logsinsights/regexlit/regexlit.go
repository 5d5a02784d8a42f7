// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package regexlit tells from a regular expression which texts every match contains, so that a search for those
// can rule out most candidates.
package regexlit

import (
	"regexp/syntax"
	"strings"
)

// Required returns texts that every text matched by re contains, in order of appearance. It may miss some, and returns
// none when re may match the empty text.
func Required(re *syntax.Regexp) []string {
	c := &collector{}
	c.walk(re.Simplify())
	c.cut()
	return c.texts
}

// collector joins literals that follow each other without anything in between.
type collector struct {
	texts []string
	run   strings.Builder
}

func (c *collector) cut() {
	if c.run.Len() > 0 {
		c.texts = append(c.texts, c.run.String())
		c.run.Reset()
	}
}

func (c *collector) walk(re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase != 0 && folds(re.Rune) {
			c.cut()
			return
		}
		c.run.WriteString(string(re.Rune))
	case syntax.OpCapture:
		c.walk(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			c.walk(sub)
		}
	case syntax.OpPlus:
		// Once at least; what follows need not follow the first.
		c.walk(re.Sub[0])
		c.cut()
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		// They take no characters.
	case syntax.OpCharClass:
		if len(re.Rune) == 2 && re.Rune[0] == re.Rune[1] {
			c.run.WriteRune(re.Rune[0])
			return
		}
		c.cut()
	default:
		c.cut()
	}
}

// folds is whether some character has another case.
func folds(runes []rune) bool {
	for _, r := range runes {
		s := string(r)
		if strings.ToUpper(s) != s || strings.ToLower(s) != s || r > 0x7f {
			return true
		}
	}
	return false
}

// Group says what is known of a numbered group: whether it takes part in every match, and whether it has a character
// at least when it does.
func Group(re *syntax.Regexp, n int) (always, notEmpty bool) {
	always, g := find(re, n, true)
	return always, g != nil && minLength(g) > 0
}

func find(re *syntax.Regexp, n int, always bool) (bool, *syntax.Regexp) {
	if re.Op == syntax.OpCapture && re.Cap == n {
		return always, re
	}
	for _, sub := range re.Sub {
		within := always
		switch re.Op {
		case syntax.OpAlternate, syntax.OpStar, syntax.OpQuest:
			within = false
		case syntax.OpRepeat:
			within = always && re.Min > 0
		}
		if a, g := find(sub, n, within); g != nil {
			return a, g
		}
	}
	return false, nil
}

func minLength(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpCapture, syntax.OpPlus:
		return minLength(re.Sub[0])
	case syntax.OpRepeat:
		return min(re.Min, 1) * minLength(re.Sub[0])
	case syntax.OpConcat:
		n := 0
		for _, sub := range re.Sub {
			n += minLength(sub)
		}
		return n
	case syntax.OpAlternate:
		n := minLength(re.Sub[0])
		for _, sub := range re.Sub[1:] {
			n = min(n, minLength(sub))
		}
		return n
	}
	return 0
}
