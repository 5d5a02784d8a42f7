// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readYAML reads the one document of a YAML file. Short forms of functions (!Ref, !Sub) become their long forms.
func readYAML(data []byte) (*value, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var node yaml.Node
	if err := dec.Decode(&node); err != nil {
		if errors.Is(err, io.EOF) {
			return &value{kind: kindNull, line: 1}, nil
		}
		return nil, yamlError(err)
	}
	var second yaml.Node
	switch err := dec.Decode(&second); {
	case err == nil:
		return nil, &syntaxError{second.Line, "the file has more than one document"}
	case !errors.Is(err, io.EOF):
		return nil, yamlError(err)
	}
	return fromYAML(&node, 0, newBudget())
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(.*)`)

// yamlError takes the line out of the parser's message.
func yamlError(err error) error {
	m := yamlLine.FindStringSubmatch(strings.ReplaceAll(err.Error(), "\n", " "))
	line, _ := strconv.Atoi(m[1]) // 0 when there is none
	return &syntaxError{line, m[2]}
}

func fromYAML(n *yaml.Node, depth int, b *budget) (*value, error) {
	if err := b.take(depth, n.Line); err != nil {
		return nil, err
	}
	switch n.Kind {
	case yaml.DocumentNode:
		if len(n.Content) != 1 {
			return &value{kind: kindNull, line: n.Line}, nil
		}
		return fromYAML(n.Content[0], depth, b)
	case yaml.AliasNode:
		return fromYAML(n.Alias, depth+1, b)
	}
	if function, ok := strings.CutPrefix(n.Tag, "!"); ok && !strings.HasPrefix(function, "!") && function != "" {
		return fromShortFunction(n, function, depth, b)
	}
	return fromUntagged(n, depth, b)
}

func fromUntagged(n *yaml.Node, depth int, b *budget) (*value, error) {
	v := &value{line: n.Line}
	switch n.Kind {
	case yaml.MappingNode:
		v.kind = kindMap
		return v, v.addYAMLFields(n, depth, b)
	case yaml.SequenceNode:
		v.kind = kindList
		for _, item := range n.Content {
			i, err := fromYAML(item, depth+1, b)
			if err != nil {
				return nil, err
			}
			v.list = append(v.list, i)
		}
		return v, nil
	case yaml.ScalarNode:
		v.kind, v.text = scalarKind(n), n.Value
		return v, nil
	}
	return nil, &syntaxError{n.Line, "not a map, list or scalar"}
}

// yamlNumber is a number as JSON and YAML write it. Others that YAML knows (0x1F, 1_000, .inf) stay strings: no property of an
// alarm takes them.
var yamlNumber = regexp.MustCompile(`^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$`)

func scalarKind(n *yaml.Node) kind {
	plain := n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
	switch tag := n.ShortTag(); {
	case tag == "!!null":
		return kindNull
	case tag == "!!bool":
		return kindBool
	case plain && yamlNumber.MatchString(n.Value) && tag != "!!str":
		return kindNumber
	}
	return kindString
}

func (v *value) addYAMLFields(n *yaml.Node, depth int, b *budget) error {
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind == yaml.AliasNode {
			k = k.Alias
		}
		if k.Kind != yaml.ScalarNode {
			return &syntaxError{k.Line, "a key must be a scalar"}
		}
		if k.ShortTag() == "!!merge" {
			return &syntaxError{k.Line, "merge keys (<<) are not supported"}
		}
		if seen[k.Value] {
			return &syntaxError{k.Line, fmt.Sprintf("the key %q occurs twice", k.Value)}
		}
		seen[k.Value] = true
		content, err := fromYAML(n.Content[i+1], depth+1, b)
		if err != nil {
			return err
		}
		v.fields = append(v.fields, field{key: k.Value, line: k.Line, value: content})
	}
	return nil
}

// fromShortFunction writes !Sub x as {Fn::Sub: x}.
func fromShortFunction(n *yaml.Node, function string, depth int, b *budget) (*value, error) {
	plain := *n
	plain.Tag = ""
	if plain.Kind == yaml.ScalarNode {
		plain.Tag = "!!str"
	}
	content, err := fromUntagged(&plain, depth+1, b)
	if err != nil {
		return nil, err
	}
	name := "Fn::" + function
	switch function {
	case "Ref", "Condition":
		name = function
	case "GetAtt":
		if resource, attribute, ok := strings.Cut(content.text, "."); ok && content.scalar() {
			content = listValue(n.Line, stringValue(n.Line, resource), stringValue(n.Line, attribute))
		}
	}
	return &value{kind: kindMap, line: n.Line, fields: []field{{key: name, line: n.Line, value: content}}}, nil
}
