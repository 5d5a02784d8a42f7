// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"
)

// kind is the type of a JSON value.
type kind uint8

const (
	kindNull kind = iota
	kindFalse
	kindTrue
	kindNumber
	kindString
	kindArray
	kindObject
)

// maxNesting bounds how deep a document's JSON may nest. An embedded subsegment costs two levels.
const maxNesting = 200

// node is one JSON value. It refers to the text of its tree, so that literals are never lost.
type node struct {
	keyStart, keyEnd int32 // the member's name without its quotes; 0, 0 for elements and the root
	start, end       int32 // the value's text; a string's includes its quotes
	child            int32 // first child; 0 when there is none
	next             int32 // next sibling; 0 when there is none
	kind             kind
	escaped          bool // a string with escapes
	keyEscaped       bool
}

// tree is a parsed JSON text. Its nodes are indexes, the root is 0.
type tree struct {
	src   string
	nodes []node
}

var treePool = sync.Pool{New: func() any { return &tree{nodes: make([]node, 0, 128)} }}

func getTree() *tree { return treePool.Get().(*tree) }

// putTree gives t back. Texts taken from it stay valid: they belong to the source.
func putTree(t *tree) {
	t.src = ""
	if cap(t.nodes) > 16<<10 {
		return // one big document does not pin its memory
	}
	t.nodes = t.nodes[:0]
	treePool.Put(t)
}

var errNesting = fmt.Errorf("nested deeper than %d levels", maxNesting)

// parse reads src, which is exactly one JSON value in UTF-8.
func (t *tree) parse(src string) error {
	t.src = src
	t.nodes = t.nodes[:0]
	if len(src) > 1<<30 {
		return errors.New("text too long")
	}
	if !utf8.ValidString(src) {
		return errors.New("not UTF-8")
	}
	p := parser{t: t, s: src}
	p.blanks()
	if _, err := p.value(0); err != nil {
		return err
	}
	p.blanks()
	if p.i != len(src) {
		return p.fail("end of text")
	}
	return nil
}

type parser struct {
	t *tree
	s string
	i int
}

func (p *parser) fail(expected string) error {
	if p.i >= len(p.s) {
		return fmt.Errorf("offset %d: expected %s, got end of text", p.i, expected)
	}
	return fmt.Errorf("offset %d: expected %s, got %q", p.i, expected, p.s[p.i])
}

func (p *parser) blanks() {
	for p.i < len(p.s) {
		switch p.s[p.i] {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return
		}
	}
}

// value reads one value and returns its node.
func (p *parser) value(depth int) (int32, error) {
	if depth > maxNesting {
		return 0, errNesting
	}
	if p.i >= len(p.s) {
		return 0, p.fail("a value")
	}
	n := int32(len(p.t.nodes))
	p.t.nodes = append(p.t.nodes, node{start: int32(p.i)})
	k := kindNull
	var err error
	switch c := p.s[p.i]; c {
	case '{':
		k = kindObject
		err = p.object(n, depth)
	case '[':
		k = kindArray
		err = p.array(n, depth)
	case '"':
		k = kindString
		p.t.nodes[n].escaped, err = p.str()
	case 't':
		k = kindTrue
		err = p.literal("true")
	case 'f':
		k = kindFalse
		err = p.literal("false")
	case 'n':
		err = p.literal("null")
	default:
		k = kindNumber
		err = p.number()
	}
	if err != nil {
		return 0, err
	}
	p.t.nodes[n].kind = k
	p.t.nodes[n].end = int32(p.i)
	return n, nil
}

func (p *parser) literal(word string) error {
	if !strings.HasPrefix(p.s[p.i:], word) {
		return p.fail(word)
	}
	p.i += len(word)
	return nil
}

func (p *parser) object(n int32, depth int) error {
	p.i++
	p.blanks()
	if p.i < len(p.s) && p.s[p.i] == '}' {
		p.i++
		return nil
	}
	last := int32(0)
	for {
		if p.i >= len(p.s) || p.s[p.i] != '"' {
			return p.fail("a member's name")
		}
		keyStart := int32(p.i + 1)
		escaped, err := p.str()
		if err != nil {
			return err
		}
		keyEnd := int32(p.i - 1)
		p.blanks()
		if p.i >= len(p.s) || p.s[p.i] != ':' {
			return p.fail(`":"`)
		}
		p.i++
		p.blanks()
		c, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		nodes := p.t.nodes
		nodes[c].keyStart, nodes[c].keyEnd, nodes[c].keyEscaped = keyStart, keyEnd, escaped
		if last == 0 {
			nodes[n].child = c
		} else {
			nodes[last].next = c
		}
		last = c
		p.blanks()
		if p.i < len(p.s) && p.s[p.i] == ',' {
			p.i++
			p.blanks()
			continue
		}
		if p.i < len(p.s) && p.s[p.i] == '}' {
			p.i++
			return nil
		}
		return p.fail(`"," or "}"`)
	}
}

func (p *parser) array(n int32, depth int) error {
	p.i++
	p.blanks()
	if p.i < len(p.s) && p.s[p.i] == ']' {
		p.i++
		return nil
	}
	last := int32(0)
	for {
		c, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		if last == 0 {
			p.t.nodes[n].child = c
		} else {
			p.t.nodes[last].next = c
		}
		last = c
		p.blanks()
		if p.i < len(p.s) && p.s[p.i] == ',' {
			p.i++
			p.blanks()
			continue
		}
		if p.i < len(p.s) && p.s[p.i] == ']' {
			p.i++
			return nil
		}
		return p.fail(`"," or "]"`)
	}
}

// str passes over a string and says whether it holds escapes.
func (p *parser) str() (escaped bool, err error) {
	s, i := p.s, p.i+1
	for i < len(s) {
		c := s[i]
		if c == '"' {
			p.i = i + 1
			return escaped, nil
		}
		if c < 0x20 {
			p.i = i
			return false, p.fail("no control character in a string")
		}
		if c != '\\' {
			i++
			continue
		}
		escaped = true
		i++
		if i >= len(s) {
			break
		}
		switch s[i] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			i++
		case 'u':
			if !hex4(s, i+1) {
				p.i = i
				return false, p.fail("four hexadecimal digits after \\u")
			}
			i += 5
		default:
			p.i = i
			return false, p.fail("an escape")
		}
	}
	p.i = len(s)
	return false, p.fail("the end of a string")
}

func digit(s string, i int) bool { return i < len(s) && s[i] >= '0' && s[i] <= '9' }

// number passes over a number as RFC 8259 defines it.
func (p *parser) number() error {
	s, i := p.s, p.i
	if s[i] == '-' {
		i++
	}
	switch {
	case i < len(s) && s[i] == '0':
		i++
	case digit(s, i):
		for digit(s, i) {
			i++
		}
	default:
		return p.fail("a value")
	}
	if i < len(s) && s[i] == '.' {
		i++
		if !digit(s, i) {
			p.i = i
			return p.fail("a digit")
		}
		for digit(s, i) {
			i++
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if !digit(s, i) {
			p.i = i
			return p.fail("a digit")
		}
		for digit(s, i) {
			i++
		}
	}
	p.i = i
	return nil
}

// raw is the value's text as it came.
func (t *tree) raw(n int32) string { return t.src[t.nodes[n].start:t.nodes[n].end] }

// key is the member's name.
func (t *tree) key(n int32) string {
	k := &t.nodes[n]
	text := t.src[k.keyStart:k.keyEnd]
	if k.keyEscaped {
		text, _ = unescape(text)
	}
	return text
}

// str is the string that n is. It is false when n is no string, or one that UTF-8 cannot hold (a lone
// surrogate), which only its raw text keeps.
func (t *tree) str(n int32) (string, bool) {
	v := &t.nodes[n]
	if v.kind != kindString {
		return "", false
	}
	text := t.src[v.start+1 : v.end-1]
	if !v.escaped {
		return text, true
	}
	return unescape(text)
}

// member finds the last member of object n with this name; 0 when there is none.
func (t *tree) member(n int32, name string) int32 {
	found := int32(0)
	if t.nodes[n].kind != kindObject {
		return 0
	}
	for c := t.nodes[n].child; c != 0; c = t.nodes[c].next {
		if t.key(c) == name {
			found = c
		}
	}
	return found
}

// memberString is the string member of object n with this name, "" when there is none.
func (t *tree) memberString(n int32, name string) string {
	if c := t.member(n, name); c != 0 {
		s, _ := t.str(c)
		return s
	}
	return ""
}

// count counts the children of n, up to limit+1.
func (t *tree) count(n int32, limit int) int {
	k := 0
	for c := t.nodes[n].child; c != 0 && k <= limit; c = t.nodes[c].next {
		k++
	}
	return k
}

func (t *tree) is(n int32, k kind) bool { return n != 0 && t.nodes[n].kind == k }

// hex4 is true when four hexadecimal digits stand at i.
func hex4(s string, i int) bool {
	if i+4 > len(s) {
		return false
	}
	for k := range 4 {
		if hexDigit[s[i+k]] > 15 {
			return false
		}
	}
	return true
}

// unescape decodes the inside of a JSON string that the parser has passed. It is false when a lone surrogate
// had to be replaced.
func unescape(s string) (string, bool) {
	b := make([]byte, 0, len(s))
	exact := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '\\' {
			b = append(b, c)
			continue
		}
		i++
		switch s[i] {
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'u':
			r := hexRune(s[i+1 : i+5])
			i += 4
			if r >= 0xd800 && r < 0xe000 {
				low := rune(0)
				if r < 0xdc00 && i+6 < len(s) && s[i+1] == '\\' && s[i+2] == 'u' {
					low = hexRune(s[i+3 : i+7])
				}
				if low >= 0xdc00 && low < 0xe000 {
					r = (r-0xd800)<<10 | (low - 0xdc00) + 0x10000
					i += 6
				} else {
					r, exact = utf8.RuneError, false
				}
			}
			b = utf8.AppendRune(b, r)
		default: // " \ /
			b = append(b, s[i])
		}
	}
	return string(b), exact
}

func hexRune(s string) rune {
	var r rune
	for i := range len(s) {
		r = r<<4 | rune(hexDigit[s[i]])
	}
	return r
}
