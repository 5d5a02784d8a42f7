// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package sns

import (
	"encoding/json"
	"math"
	"net/netip"
	"slices"
	"strings"
)

type valueKind int

const (
	kindText valueKind = iota
	kindNumber
	kindBool
	kindNull
)

// value is one value of a message that conditions look at.
type value struct {
	kind   valueKind
	text   string
	number float64
	bool   bool
}

// condition is one element of a key's list.
type condition interface {
	match(v value) bool
}

type (
	isText    string
	isNumber  float64
	isBool    bool
	isNull    struct{}
	hasPrefix string
	hasSuffix string
	equalFold string
	inNetwork netip.Prefix
	// exists matches by presence alone; filterKey looks at it.
	exists bool
	// anythingBut are the conditions of which none may match.
	anythingBut []condition
	numberRange struct {
		low, high         float64
		lowOpen, highOpen bool
	}
)

func (c isText) match(v value) bool   { return v.kind == kindText && v.text == string(c) }
func (c isNumber) match(v value) bool { return v.kind == kindNumber && v.number == float64(c) }
func (c isBool) match(v value) bool   { return v.kind == kindBool && v.bool == bool(c) }
func (isNull) match(v value) bool     { return v.kind == kindNull }
func (c hasPrefix) match(v value) bool {
	return v.kind == kindText && strings.HasPrefix(v.text, string(c))
}

func (c hasSuffix) match(v value) bool {
	return v.kind == kindText && strings.HasSuffix(v.text, string(c))
}

func (c equalFold) match(v value) bool {
	return v.kind == kindText && strings.EqualFold(v.text, string(c))
}
func (c exists) match(value) bool { return bool(c) }

func (c inNetwork) match(v value) bool {
	if v.kind != kindText {
		return false
	}
	a, err := netip.ParseAddr(v.text)
	return err == nil && netip.Prefix(c).Contains(a)
}

func (c anythingBut) match(v value) bool {
	for _, but := range c {
		if but.match(v) {
			return false
		}
	}
	return true
}

func (c numberRange) match(v value) bool {
	if v.kind != kindNumber {
		return false
	}
	if v.number < c.low || c.lowOpen && v.number == c.low {
		return false
	}
	return v.number < c.high || !c.highOpen && v.number == c.high
}

// Match is whether a subscription with the policy takes the message. text is what the subscription would be sent.
func (p *FilterPolicy) Match(text string, attributes Attributes) bool {
	if p == nil || len(p.root.keys) == 0 && len(p.root.ors) == 0 {
		return true
	}
	if p.scope == ScopeMessageAttributes {
		return p.root.matchAttributes(attributes)
	}
	doc, err := decodeJSON(text)
	if err != nil {
		return false
	}
	object, ok := doc.(map[string]any)
	return ok && p.root.matchObject(object)
}

func (n *filterNode) matchAttributes(list Attributes) bool {
	for _, k := range n.keys {
		a, present := list[k.name]
		values, filterable := a.values()
		if !k.match(values, present && filterable) {
			return false
		}
	}
	return n.anyOf(func(n *filterNode) bool { return n.matchAttributes(list) })
}

func (n *filterNode) anyOf(match func(*filterNode) bool) bool {
	for _, alternatives := range n.ors {
		found := false
		for _, a := range alternatives {
			if found = match(a); found {
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// values are the values of an attribute; ok is false for one that policies do not see.
func (v Attribute) values() (list []value, ok bool) {
	base, _, _ := strings.Cut(v.DataType, ".")
	switch {
	case v.DataType == stringArray:
		doc, err := decodeJSON(v.Value)
		if err != nil {
			return nil, false
		}
		return leaves(nil, doc), true
	case base == "String":
		return []value{{kind: kindText, text: v.Value}}, true
	case base == "Number":
		f, err := parseNumber(v.Value)
		return []value{{kind: kindNumber, number: rounded(f)}}, err == nil
	default:
		return nil, false
	}
}

func rounded(f float64) float64 {
	if math.Abs(f) > maxFilterNumber {
		return f
	}
	return math.Round(f*1e5) / 1e5
}

// match is whether one of the conditions matches one of the values.
func (k filterKey) match(values []value, present bool) bool {
	for _, c := range k.conditions {
		if e, ok := c.(exists); ok {
			if bool(e) == present {
				return true
			}
			continue
		}
		if !present {
			continue
		}
		if slices.ContainsFunc(values, c.match) {
			return true
		}
	}
	return false
}

func (n *filterNode) matchObject(object map[string]any) bool {
	for _, k := range n.keys {
		v, present := object[k.name]
		if k.child != nil {
			if !k.child.matchAny(v) {
				return false
			}
			continue
		}
		// Presence is that of a leaf: an object is none.
		if _, isObject := v.(map[string]any); isObject {
			present = false
		}
		if !k.match(leaves(nil, v), present) {
			return false
		}
	}
	return n.anyOf(func(n *filterNode) bool { return n.matchObject(object) })
}

// matchAny is whether v is an object that matches, or a list that has one.
func (n *filterNode) matchAny(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return n.matchObject(v)
	case []any:
		return slices.ContainsFunc(v, n.matchAny)
	default:
		// What demands that something be absent is satisfied by nothing at all.
		return n.matchObject(nil)
	}
}

// leaves appends the values that v is, or has as elements.
func leaves(dst []value, v any) []value {
	switch v := v.(type) {
	case nil:
		return append(dst, value{kind: kindNull})
	case bool:
		return append(dst, value{kind: kindBool, bool: v})
	case string:
		return append(dst, value{kind: kindText, text: v})
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return dst
		}
		return append(dst, value{kind: kindNumber, number: rounded(f)})
	case []any:
		for _, e := range v {
			dst = leaves(dst, e)
		}
	}
	return dst
}
