// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package sns

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strings"
)

// The scopes of filter policies.
const (
	ScopeMessageAttributes = "MessageAttributes"
	ScopeMessageBody       = "MessageBody"
)

// The limits of filter policies.
const (
	maxFilterKeys         = 5
	maxFilterCombinations = 150
	maxFilterDepth        = 10
	maxFilterConditions   = 1000
	maxFilterNumber       = 1e9
	maxWildcards          = 20
)

// FilterPolicy says which messages a subscription takes.
type FilterPolicy struct {
	scope string
	root  *filterNode
}

// filterNode is one object of a policy: all keys must match, and one alternative of each $or.
type filterNode struct {
	keys []filterKey
	ors  [][]*filterNode
}

// filterKey is a key with either conditions, of which one must match, or an object.
type filterKey struct {
	name       string
	conditions []condition
	child      *filterNode
}

// ParseFilterPolicy reads a subscription's FilterPolicy. An empty object takes every message.
func ParseFilterPolicy(text, scope string) (*FilterPolicy, error) {
	if scope == "" {
		scope = ScopeMessageAttributes
	}
	if scope != ScopeMessageAttributes && scope != ScopeMessageBody {
		return nil, Invalid("FilterPolicyScope: Invalid value [%s]. Please use either MessageBody or MessageAttributes", scope)
	}
	if len(text) > maxPolicyLength {
		return nil, Invalid("FilterPolicy: Filter policy is too long")
	}
	doc, err := decodeJSON(text)
	if err != nil {
		return nil, Invalid("FilterPolicy: failed to parse JSON. %s", err)
	}
	object, ok := doc.(map[string]any)
	if !ok {
		return nil, Invalid("FilterPolicy: failed to parse JSON. The policy must be an object")
	}
	p := &filterParser{scope: scope, keys: map[string]bool{}}
	root, err := p.node(object, 1, "")
	if err != nil {
		return nil, err
	}
	if len(p.keys) > maxFilterKeys {
		return nil, Invalid("FilterPolicy: Filter policy can not have more than %d keys", maxFilterKeys)
	}
	if root.combinations(1) > maxFilterCombinations {
		return nil, Invalid("FilterPolicy: Filter policy is too complex")
	}
	return &FilterPolicy{scope: scope, root: root}, nil
}

// decodeJSON reads exactly one document and keeps its numbers as they are written.
func decodeJSON(text string) (any, error) {
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.UseNumber()
	var doc any
	if err := dec.Decode(&doc); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after the document")
	}
	return doc, nil
}

type filterParser struct {
	scope      string
	keys       map[string]bool // paths of keys with conditions
	conditions int
}

func (p *filterParser) node(object map[string]any, depth int, path string) (*filterNode, error) {
	if depth > maxFilterDepth {
		return nil, Invalid("FilterPolicy: Filter policy is nested deeper than %d", maxFilterDepth)
	}
	n := &filterNode{}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		value := object[name]
		if name == "$or" {
			if list, ok := value.([]any); ok && isOr(list) {
				alternatives, err := p.or(list, depth, path)
				if err != nil {
					return nil, err
				}
				n.ors = append(n.ors, alternatives)
				continue
			}
		}
		key := filterKey{name: name}
		var err error
		switch v := value.(type) {
		case []any:
			p.keys[path+"."+name] = true
			key.conditions, err = p.list(name, v)
		case map[string]any:
			switch {
			case p.scope == ScopeMessageAttributes:
				err = Invalid("Filter policy scope MessageAttributes does not support nested filter policy")
			case len(v) == 0:
				err = Invalid("FilterPolicy: Empty objects are not allowed")
			default:
				key.child, err = p.node(v, depth+1, path+"."+name)
			}
		default:
			err = Invalid("FilterPolicy: \"%s\" must be an object or an array", name)
		}
		if err != nil {
			return nil, err
		}
		n.keys = append(n.keys, key)
	}
	return n, nil
}

// isOr is whether a list called $or is a choice: two objects or more whose keys are not those of operators. Otherwise it is
// a key like others.
func isOr(list []any) bool {
	if len(list) < 2 {
		return false
	}
	for _, v := range list {
		object, ok := v.(map[string]any)
		if !ok || len(object) == 0 {
			return false
		}
		for name := range object {
			if _, isOperator := operators[name]; isOperator {
				return false
			}
		}
	}
	return true
}

func (p *filterParser) or(list []any, depth int, path string) ([]*filterNode, error) {
	out := make([]*filterNode, 0, len(list))
	for _, v := range list {
		n, err := p.node(v.(map[string]any), depth+1, path)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// combinations is the product of the numbers of conditions, each multiplied by how deep its key is nested.
func (n *filterNode) combinations(depth int) int {
	total := 1
	times := func(k int) { total = min(total*max(k, 1), maxFilterCombinations+1) }
	for _, k := range n.keys {
		if k.child != nil {
			times(k.child.combinations(depth + 1))
		} else {
			times(len(k.conditions) * depth)
		}
	}
	for _, alternatives := range n.ors {
		sum := 0
		for _, a := range alternatives {
			sum += a.combinations(depth)
		}
		times(sum)
	}
	return total
}

func (p *filterParser) list(name string, list []any) ([]condition, error) {
	if len(list) == 0 {
		return nil, Invalid("FilterPolicy: Empty arrays are not allowed")
	}
	if p.conditions += len(list); p.conditions > maxFilterConditions {
		return nil, Invalid("FilterPolicy: Filter policy is too complex")
	}
	out := make([]condition, 0, len(list))
	for _, v := range list {
		c, err := parseCondition(name, v)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func parseCondition(name string, v any) (condition, error) {
	switch v := v.(type) {
	case nil, bool, string, json.Number:
		return parseLiteral(v)
	case map[string]any:
		if len(v) != 1 {
			return nil, Invalid("FilterPolicy: Only one key allowed in match expression")
		}
		for operator, argument := range v {
			parse, ok := operators[operator]
			if !ok {
				return nil, Invalid("FilterPolicy: Unrecognized match type %s", operator)
			}
			return parse(argument)
		}
	}
	return nil, Invalid("FilterPolicy: Match value of \"%s\" must be String, number, true, false, or null", name)
}

func parseLiteral(v any) (condition, error) {
	switch v := v.(type) {
	case nil:
		return isNull{}, nil
	case bool:
		return isBool(v), nil
	case string:
		return isText(v), nil
	case json.Number:
		f, err := filterNumber(v)
		return isNumber(f), err
	}
	return nil, Invalid("FilterPolicy: Match value must be String, number, true, false, or null")
}

func filterNumber(n json.Number) (float64, error) {
	f, err := n.Float64()
	if err != nil || math.Abs(f) > maxFilterNumber {
		return 0, Invalid("FilterPolicy: %s is not between -1000000000 and 1000000000", n)
	}
	// Five digits after the point count.
	return math.Round(f*1e5) / 1e5, nil
}

type operator func(argument any) (condition, error)

// textOperators are those that anything-but may contain.
var textOperators = map[string]operator{
	"prefix":             func(v any) (condition, error) { return textOperator("prefix", v, newPrefix) },
	"suffix":             func(v any) (condition, error) { return textOperator("suffix", v, newSuffix) },
	"equals-ignore-case": func(v any) (condition, error) { return textOperator("equals-ignore-case", v, newFold) },
	"wildcard":           func(v any) (condition, error) { return textOperator("wildcard", v, newWildcard) },
}

// operators are what may stand in an object in the place of a value.
var operators = map[string]operator{
	"prefix":             textOperators["prefix"],
	"suffix":             textOperators["suffix"],
	"equals-ignore-case": textOperators["equals-ignore-case"],
	"wildcard":           textOperators["wildcard"],
	"cidr":               func(v any) (condition, error) { return textOperator("cidr", v, newCIDR) },
	"numeric":            parseNumeric,
	"exists":             parseExists,
	"anything-but":       parseAnythingBut,
}

func textOperator(name string, v any, compile func(string) (condition, error)) (condition, error) {
	s, ok := v.(string)
	if !ok {
		return nil, Invalid("FilterPolicy: %s match pattern must be a string", name)
	}
	return compile(s)
}

func newPrefix(s string) (condition, error) {
	if s == "" {
		return nil, Invalid("FilterPolicy: Null prefix not allowed")
	}
	return hasPrefix(s), nil
}

func newSuffix(s string) (condition, error) {
	if s == "" {
		return nil, Invalid("FilterPolicy: Null suffix not allowed")
	}
	return hasSuffix(s), nil
}

func newFold(s string) (condition, error) { return equalFold(s), nil }

func newCIDR(s string) (condition, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return nil, Invalid("FilterPolicy: Malformed CIDR, %s is not one", s)
	}
	return inNetwork(p.Masked()), nil
}

func newWildcard(s string) (condition, error) {
	parts := []string{""}
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '*' && i > 0 && s[i-1] == '*' && len(parts) > 1 && parts[len(parts)-1] == "":
			return nil, Invalid("FilterPolicy: Consecutive wildcard characters at pos %d", i-1)
		case s[i] == '*':
			parts = append(parts, "")
		case s[i] == '\\':
			if i+1 == len(s) || s[i+1] != '*' && s[i+1] != '\\' {
				return nil, Invalid("FilterPolicy: Invalid escape character at pos %d", i)
			}
			i++
			parts[len(parts)-1] += s[i : i+1]
		default:
			parts[len(parts)-1] += s[i : i+1]
		}
	}
	if len(parts) > maxWildcards {
		return nil, Invalid("FilterPolicy: Filter policy is too complex")
	}
	return wildcard(parts), nil
}

func parseExists(v any) (condition, error) {
	b, ok := v.(bool)
	if !ok {
		return nil, Invalid("FilterPolicy: exists match pattern must be either true or false.")
	}
	return exists(b), nil
}

func parseNumeric(v any) (condition, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, Invalid("FilterPolicy: Value of numeric must be an array.")
	}
	if len(list) == 0 || len(list)%2 != 0 || len(list) > 4 {
		return nil, Invalid("FilterPolicy: Value of numeric must be an array of an operator and a number, or of two such pairs")
	}
	r := numberRange{low: math.Inf(-1), high: math.Inf(1)}
	for i := 0; i < len(list); i += 2 {
		op, ok := list[i].(string)
		if !ok {
			return nil, Invalid("FilterPolicy: Invalid member in numeric match: %v", list[i])
		}
		n, ok := list[i+1].(json.Number)
		if !ok {
			return nil, Invalid("FilterPolicy: Value of %s must be numeric", op)
		}
		f, err := filterNumber(n)
		if err != nil {
			return nil, err
		}
		switch {
		case op == "=" && len(list) == 2:
			return isNumber(f), nil
		case (op == ">" || op == ">=") && i == 0:
			r.low, r.lowOpen = f, op == ">"
		case (op == "<" || op == "<=") && (i == 2 || len(list) == 2):
			r.high, r.highOpen = f, op == "<"
		default:
			return nil, Invalid("FilterPolicy: Unrecognized numeric range operator: %s", op)
		}
	}
	if r.low >= r.high {
		return nil, Invalid("FilterPolicy: Bottom must be less than top")
	}
	return r, nil
}

func parseAnythingBut(v any) (condition, error) {
	var but anythingBut
	switch v := v.(type) {
	case map[string]any:
		if len(v) != 1 {
			return nil, Invalid("FilterPolicy: Only one key allowed in match expression")
		}
		for operator, argument := range v {
			parse, ok := textOperators[operator]
			if !ok {
				return nil, Invalid("FilterPolicy: Unsupported anything-but pattern: %s", operator)
			}
			list, isList := argument.([]any)
			if !isList {
				list = []any{argument}
			}
			for _, a := range list {
				c, err := parse(a)
				if err != nil {
					return nil, err
				}
				but = append(but, c)
			}
		}
	case []any:
		for _, a := range v {
			switch a.(type) {
			case string, json.Number:
			default:
				return nil, Invalid("FilterPolicy: Inside anything but list, start|null|boolean is not supported.")
			}
			c, err := parseLiteral(a)
			if err != nil {
				return nil, err
			}
			but = append(but, c)
		}
	case string, json.Number:
		c, err := parseLiteral(v)
		if err != nil {
			return nil, err
		}
		but = append(but, c)
	}
	if len(but) == 0 {
		return nil, Invalid("FilterPolicy: Value of anything-but must be an array or single string/number value.")
	}
	return but, nil
}

// wildcard is the texts between the asterisks.
type wildcard []string

func (w wildcard) match(v value) bool {
	if v.kind != kindText {
		return false
	}
	s := v.text
	if len(w) == 1 {
		return s == w[0]
	}
	s, ok := strings.CutPrefix(s, w[0])
	if !ok {
		return false
	}
	for _, part := range w[1 : len(w)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, w[len(w)-1])
}
