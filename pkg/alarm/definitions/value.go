// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import "fmt"

// kind is the kind of a value.
type kind int

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindList
	kindMap
	// kindUnknown is a value that could not be told, which was reported.
	kindUnknown
)

var kindNames = [...]string{"null", "a boolean", "a number", "a string", "a list", "a map", "unknown"}

func (k kind) String() string { return kindNames[k] }

// value is a node of a document: what YAML, JSON and the values of Terraform have in common. It remembers where it stands.
type value struct {
	kind kind
	line int
	// text of a scalar, as it is written.
	text   string
	list   []*value
	fields []field
}

// field is a key of a map and its value.
type field struct {
	key  string
	line int
	// shown is what the file calls the key, when that is another name.
	shown string
	value *value
}

func (f *field) name() string {
	if f.shown != "" {
		return f.shown
	}
	return f.key
}

// get is the value of a key, nil when it is not there.
func (v *value) get(key string) *value {
	if v == nil || v.kind != kindMap {
		return nil
	}
	for i := range v.fields {
		if v.fields[i].key == key {
			return v.fields[i].value
		}
	}
	return nil
}

// only is the one field of a map that has no other.
func (v *value) only() (key string, content *value, ok bool) {
	if v.kind != kindMap || len(v.fields) != 1 {
		return "", nil, false
	}
	return v.fields[0].key, v.fields[0].value, true
}

// scalar is whether it is a single text.
func (v *value) scalar() bool { return v.kind >= kindBool && v.kind <= kindString }

func stringValue(line int, s string) *value { return &value{kind: kindString, line: line, text: s} }

func listValue(line int, items ...*value) *value {
	return &value{kind: kindList, line: line, list: items}
}

// Bounds of a document.
const (
	maxDepth  = 100
	maxValues = 2_000_000
)

// budget bounds a document while it is read.
type budget struct{ left int }

func newBudget() *budget { return &budget{left: maxValues} }

func (b *budget) take(depth, line int) error {
	b.left--
	switch {
	case depth > maxDepth:
		return &syntaxError{line, fmt.Sprintf("nested deeper than %d", maxDepth)}
	case b.left < 0:
		return &syntaxError{line, fmt.Sprintf("the document has more than %d values", maxValues)}
	}
	return nil
}

// syntaxError is a document that cannot be read.
type syntaxError struct {
	line    int
	message string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.message) }
