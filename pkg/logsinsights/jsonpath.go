// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"strings"

	"github.com/nephoscope/nephoscope/pkg/logsinsights/jsonscan"
)

// maxNameParts bounds the steps of a field's name, because each dot may be a step or part of a key.
const maxNameParts = 10

// pathTree finds the leaves of several flattened names in one walk over a JSON text. The name a.b may be the
// key b in the object a, or the key "a.b": the one with the shortest keys that is there counts.
type pathTree struct {
	root pathNode
}

type pathNode struct {
	children []pathChild
	leaves   []pathLeaf
}

type pathChild struct {
	key   string
	index int // key as an index of an array, or -1
	node  *pathNode
}

// pathLeaf says that the value here is the field; of several, the one with the lowest rank counts.
type pathLeaf struct{ field, rank int }

// add makes the tree look for the flattened name and put its value at out[field].
func (t *pathTree) add(name string, field int) {
	for rank, path := range keyPaths(name) {
		n := &t.root
		for _, key := range path {
			n = n.child(key)
		}
		n.leaves = append(n.leaves, pathLeaf{field, rank})
	}
}

func (n *pathNode) child(key string) *pathNode {
	for _, c := range n.children {
		if c.key == key {
			return c.node
		}
	}
	index := -1
	if isIndex(key) {
		index = 0
		for _, d := range []byte(key) {
			index = index*10 + int(d-'0')
		}
	}
	c := pathChild{key: key, index: index, node: &pathNode{}}
	n.children = append(n.children, c)
	return c.node
}

// keyPaths lists the ways to split a flattened name into keys, shortest keys first.
func keyPaths(name string) [][]string {
	var paths [][]string
	for at := 0; ; {
		dot := strings.IndexByte(name[at:], '.')
		if dot < 0 {
			return append(paths, []string{name})
		}
		at += dot
		for _, rest := range keyPaths(name[at+1:]) {
			paths = append(paths, append([]string{name[:at]}, rest...))
		}
		at++
	}
}

// found is the values of one walk.
type found struct {
	values []value
	ranks  []int
}

func (f *found) reset(n int) {
	if cap(f.values) < n {
		f.values = make([]value, n)
		f.ranks = make([]int, n)
	}
	f.values = f.values[:n]
	f.ranks = f.ranks[:n]
	clear(f.values)
}

// scan walks doc. It returns false, and no values, when doc is not one JSON value.
func (t *pathTree) scan(doc string, f *found) bool {
	end := t.walk(&t.root, doc, jsonscan.SkipSpace(doc, 0), f)
	if end < 0 || jsonscan.SkipSpace(doc, end) != len(doc) {
		clear(f.values)
		return false
	}
	return true
}

// scanPrefix walks the JSON value that doc begins with. It returns the position behind it, or -1.
func (t *pathTree) scanPrefix(doc string, f *found) int {
	end := t.walk(&t.root, doc, 0, f)
	if end < 0 {
		clear(f.values)
	}
	return end
}

// walk reads the value at i for the node n and returns the position behind it, or -1.
func (t *pathTree) walk(n *pathNode, s string, i int, f *found) int {
	if i >= len(s) {
		return -1
	}
	if len(n.children) == 0 || s[i] != '{' && s[i] != '[' {
		end := jsonscan.SkipValue(s, i)
		if end >= 0 && len(n.leaves) > 0 {
			if v := leaf(s[i:end]); v.kind != missing && v.kind != document {
				for _, l := range n.leaves {
					if f.values[l.field].kind == missing || l.rank < f.ranks[l.field] {
						f.values[l.field], f.ranks[l.field] = v, l.rank
					}
				}
			}
		}
		return end
	}
	if s[i] == '[' {
		return t.walkArray(n, s, i, f)
	}
	return t.walkObject(n, s, i, f)
}

func (t *pathTree) walkObject(n *pathNode, s string, i int, f *found) int {
	var room [2]uint64
	seen := room[:] // of equal keys, the first one counts
	if len(n.children) > 128 {
		seen = make([]uint64, len(n.children)/64+1)
	}
	i = jsonscan.SkipSpace(s, i+1)
	for i < len(s) && s[i] != '}' {
		if s[i] != '"' {
			return -1
		}
		end := jsonscan.SkipString(s, i)
		if end < 0 {
			return -1
		}
		key := s[i+1 : end-1]
		if strings.IndexByte(key, '\\') >= 0 {
			key = jsonscan.Unquote(s[i:end])
		}
		i = jsonscan.SkipSpace(s, end)
		if i >= len(s) || s[i] != ':' {
			return -1
		}
		i = jsonscan.SkipSpace(s, i+1)
		next := &emptyNode
		for c := range n.children {
			if n.children[c].key == key {
				if seen[c/64]&(1<<(c%64)) == 0 {
					seen[c/64] |= 1 << (c % 64)
					next = n.children[c].node
				}
				break
			}
		}
		if i = t.walk(next, s, i, f); i < 0 {
			return -1
		}
		i = jsonscan.SkipSpace(s, i)
		if i >= len(s) {
			return -1
		}
		if s[i] == ',' {
			i = jsonscan.SkipSpace(s, i+1)
		} else if s[i] != '}' {
			return -1
		}
	}
	return closing(s, i)
}

func (t *pathTree) walkArray(n *pathNode, s string, i int, f *found) int {
	i = jsonscan.SkipSpace(s, i+1)
	for at := 0; i < len(s) && s[i] != ']'; at++ {
		next := &emptyNode
		for c := range n.children {
			if n.children[c].index == at {
				next = n.children[c].node
				break
			}
		}
		if i = t.walk(next, s, i, f); i < 0 {
			return -1
		}
		i = jsonscan.SkipSpace(s, i)
		if i >= len(s) {
			return -1
		}
		if s[i] == ',' {
			i = jsonscan.SkipSpace(s, i+1)
		} else if s[i] != ']' {
			return -1
		}
	}
	return closing(s, i)
}

// emptyNode looks for nothing.
var emptyNode pathNode

func closing(s string, i int) int {
	if i >= len(s) {
		return -1
	}
	return i + 1
}

// part is the value of one step into a map or list, as jsonParse(x).name and jsonParse(x)[0] take it.
func (v value) part(name string, index int) value {
	if v.kind != document {
		return value{}
	}
	s := v.str
	var got value
	if s[0] == '{' && index < 0 {
		jsonscan.EachMember(s, func(key, lit string) bool {
			if key == name {
				got = leaf(lit)
				return false
			}
			return true
		})
	}
	if s[0] == '[' && index >= 0 {
		at := 0
		jsonscan.EachElement(s, func(lit string) bool {
			if at == index {
				got = leaf(lit)
				return false
			}
			at++
			return true
		})
	}
	return got
}
