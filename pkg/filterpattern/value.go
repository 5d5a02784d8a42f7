// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package filterpattern

import (
	"strconv"
	"strings"
)

// operand is the right side of a comparison: a text in which * stands for any run of characters, a number, or a
// regular expression.
type operand struct {
	text   string
	quoted bool
	parts  []string // the text around its stars, when there are some
	num    float64
	number bool // the text spells a number, and is not in quotes
	re     *regex
}

// Operators.
const (
	opEqual        = "="
	opNotEqual     = "!="
	opLess         = "<"
	opLessEqual    = "<="
	opGreater      = ">"
	opGreaterEqual = ">="
)

// readOperator reads the operator at i.
func readOperator(text string, i int) (op string, end int) {
	for _, op := range []string{opNotEqual, opLessEqual, opGreaterEqual, opEqual, opLess, opGreater} {
		if strings.HasPrefix(text[i:], op) {
			return op, i + len(op)
		}
	}
	return "", i
}

// readOperand reads the operand at i. extra are the symbols that a bare text may have beside letters, digits, _
// and *; without them a bare text with other symbols must be a number or an address with stars.
func readOperand(text string, i int, op, extra string) (v *operand, end int, err error) {
	if i >= len(text) {
		return nil, 0, errorf("a value is missing behind %s", op)
	}
	switch text[i] {
	case '"':
		s, end, err := readQuoted(text, i)
		if err != nil {
			return nil, 0, err
		}
		v = &operand{text: s, quoted: true}
		v.split()
		return v, end, v.check(op)
	case '%':
		re, end, err := readRegex(text, i)
		if err != nil {
			return nil, 0, err
		}
		if op != opEqual && op != opNotEqual {
			return nil, 0, errorf("a regular expression cannot be compared by %s", op)
		}
		return &operand{re: re}, end, nil
	}
	end = i
	for end < len(text) && (isWord(text[end]) || strings.IndexByte(extra+"*.+-", text[end]) >= 0) {
		end++
	}
	if end == i {
		return nil, 0, errChars(badRun(text, i))
	}
	v = &operand{text: text[i:end]}
	if f, ok := spelledNumber(v.text); ok {
		v.num, v.number = f, true
	} else if bad := strings.IndexFunc(v.text, func(r rune) bool {
		return !isWord(byte(r)) && r != '*' && !strings.ContainsRune(extra, r)
	}); bad >= 0 && !isAddress(v.text) {
		return nil, 0, errChars(badRun(v.text, bad))
	}
	v.split()
	return v, end, v.check(op)
}

// isAddress is whether a bare text is digits, dots and stars: 10.0.*.
func isAddress(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) && s[i] != '.' && s[i] != '*' {
			return false
		}
	}
	return true
}

func (v *operand) split() {
	if strings.IndexByte(v.text, '*') >= 0 {
		v.parts = strings.Split(v.text, "*")
	}
}

// check refuses what cannot be compared by size.
func (v *operand) check(op string) error {
	if op == opEqual || op == opNotEqual || v.number {
		return nil
	}
	return errorf("%s compares numbers, and %s is none", op, v)
}

// spelledNumber reads a number in decimal digits.
func spelledNumber(s string) (float64, bool) {
	if s == "" || s[len(s)-1] != '.' && !isDigit(s[len(s)-1]) {
		return 0, false
	}
	for i := range len(s) {
		if !isDigit(s[i]) && strings.IndexByte("+-.eE", s[i]) < 0 {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// matchesText is whether the whole text is the operand's.
func (v *operand) matchesText(s string) bool {
	switch {
	case v.re != nil:
		return v.re.re.MatchString(s)
	case v.parts == nil:
		return s == v.text
	}
	first, last := v.parts[0], v.parts[len(v.parts)-1]
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, p := range v.parts[1 : len(v.parts)-1] {
		at := strings.Index(s, p)
		if at < 0 {
			return false
		}
		s = s[at+len(p):]
	}
	return true
}

// compareSize compares numbers by < <= > >=.
func (v *operand) compareSize(op string, f float64) bool {
	switch op {
	case opLess:
		return f < v.num
	case opLessEqual:
		return f <= v.num
	case opGreater:
		return f > v.num
	}
	return f >= v.num
}

// required are the texts that every text equal to the operand contains.
func (v *operand) required() []string {
	switch {
	case v.re != nil:
		return v.re.lit
	case v.parts == nil:
		return []string{v.text}
	}
	return v.parts
}

func (v *operand) String() string {
	switch {
	case v.re != nil:
		return v.re.String()
	case v.quoted:
		return quote(v.text)
	}
	return v.text
}
