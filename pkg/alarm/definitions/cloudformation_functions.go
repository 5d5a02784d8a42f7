// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

func isFunction(key string) bool {
	return key == "Ref" || key == "Condition" || strings.HasPrefix(key, "Fn::")
}

// spend bounds the evaluation.
func (t *template) spend(n, line int) error {
	if t.work += n; t.work > maxWork {
		return cannot(line, "the functions of the template come to more than %d bytes", maxWork)
	}
	return nil
}

// eval is what a value comes to; nil is AWS::NoValue.
func (t *template) eval(v *value, depth int) (*value, error) {
	if err := t.spend(1+len(v.text), v.line); err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, cannot(v.line, "nested deeper than %d", maxDepth)
	}
	switch v.kind {
	case kindMap:
		if name, arg, ok := v.only(); ok && isFunction(name) {
			return t.call(name, arg, v.line, depth)
		}
		out := &value{kind: kindMap, line: v.line, fields: make([]field, 0, len(v.fields))}
		for _, f := range v.fields {
			content, err := t.eval(f.value, depth+1)
			if err != nil {
				return nil, err
			}
			if content != nil {
				f.value = content
				out.fields = append(out.fields, f)
			}
		}
		return out, nil
	case kindList:
		out := &value{kind: kindList, line: v.line, list: make([]*value, 0, len(v.list))}
		for _, item := range v.list {
			content, err := t.eval(item, depth+1)
			if err != nil {
				return nil, err
			}
			if content != nil {
				out.list = append(out.list, content)
			}
		}
		return out, nil
	case kindString:
		if strings.Contains(v.text, "{{resolve:") {
			return nil, cannot(v.line, "dynamic references ({{resolve:…}}) are known in AWS only: %s", v.text)
		}
	}
	return v, nil
}

func (t *template) call(name string, arg *value, line, depth int) (*value, error) {
	switch name {
	case "Ref":
		return t.ref(arg, line)
	case "Condition", "Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not":
		return nil, cannot(line, "%s belongs in Conditions", name)
	case "Fn::If":
		return t.callIf(arg, line, depth)
	case "Fn::GetAtt":
		return t.getAtt(arg, line, depth)
	case "Fn::Sub":
		return t.sub(arg, line, depth)
	case "Fn::Join", "Fn::Split", "Fn::Select", "Fn::FindInMap", "Fn::Base64", "Fn::Length":
		evaluated, err := t.eval(arg, depth+1)
		if err != nil {
			return nil, err
		}
		if evaluated == nil {
			return nil, cannot(line, "%s of AWS::NoValue", name)
		}
		return t.apply(name, evaluated, line)
	}
	return nil, cannot(line, "the function %s is not supported", name)
}

// apply calls a function whose arguments are evaluated.
func (t *template) apply(name string, arg *value, line int) (*value, error) {
	args := arg.list
	switch name {
	case "Fn::Base64":
		if !arg.scalar() {
			return nil, cannot(line, "Fn::Base64 takes a string, not %s", arg.kind)
		}
		return t.text(line, base64.StdEncoding.EncodeToString([]byte(arg.text)))
	case "Fn::Length":
		if arg.kind != kindList {
			return nil, cannot(line, "Fn::Length takes a list, not %s", arg.kind)
		}
		return &value{kind: kindNumber, line: line, text: strconv.Itoa(len(args))}, nil
	case "Fn::Join":
		if len(args) != 2 || !args[0].scalar() || args[1].kind != kindList {
			return nil, cannot(line, "Fn::Join takes a delimiter and a list")
		}
		texts := make([]string, len(args[1].list))
		for i, item := range args[1].list {
			if !item.scalar() {
				return nil, cannot(item.line, "Fn::Join joins strings, not %s", item.kind)
			}
			texts[i] = item.text
		}
		return t.text(line, strings.Join(texts, args[0].text))
	case "Fn::Split":
		if len(args) != 2 || !args[0].scalar() || args[0].text == "" || !args[1].scalar() {
			return nil, cannot(line, "Fn::Split takes a delimiter and a string")
		}
		out := listValue(line)
		for part := range strings.SplitSeq(args[1].text, args[0].text) {
			out.list = append(out.list, stringValue(line, part))
		}
		return out, t.spend(len(args[1].text)+len(out.list), line)
	case "Fn::Select":
		if len(args) != 2 || !args[0].scalar() || args[1].kind != kindList {
			return nil, cannot(line, "Fn::Select takes an index and a list")
		}
		i, err := strconv.Atoi(args[0].text)
		if err != nil || i < 0 || i >= len(args[1].list) {
			return nil, cannot(line, "Fn::Select: there is no item %s in a list of %d", args[0].text, len(args[1].list))
		}
		return args[1].list[i], nil
	}
	return t.findInMap(args, line)
}

func (t *template) text(line int, s string) (*value, error) {
	return stringValue(line, s), t.spend(len(s), line)
}

func (t *template) findInMap(args []*value, line int) (*value, error) {
	if len(args) != 3 && len(args) != 4 {
		return nil, cannot(line, "Fn::FindInMap takes the name of a map and two keys")
	}
	for _, a := range args[:3] {
		if !a.scalar() {
			return nil, cannot(line, "Fn::FindInMap takes the name of a map and two keys")
		}
	}
	if found := t.mappings.get(args[0].text).get(args[1].text).get(args[2].text); found != nil {
		return found, t.spend(len(found.text)+len(found.list), line)
	}
	if len(args) == 4 {
		if fallback := args[3].get("DefaultValue"); fallback != nil {
			return fallback, nil
		}
	}
	return nil, cannot(line, "Fn::FindInMap: there is no %s.%s.%s in Mappings", args[0].text, args[1].text, args[2].text)
}

func (t *template) callIf(arg *value, line, depth int) (*value, error) {
	if arg.kind != kindList || len(arg.list) != 3 || !arg.list[0].scalar() {
		return nil, cannot(line, "Fn::If takes the name of a condition and two values")
	}
	holds, err := t.condition(arg.list[0].text, line)
	if err != nil {
		return nil, err
	}
	if holds {
		return t.eval(arg.list[1], depth+1)
	}
	return t.eval(arg.list[2], depth+1)
}

// condition is whether a condition holds.
func (t *template) condition(name string, line int) (bool, error) {
	if holds, told := t.results[name]; told {
		return holds, nil
	}
	v, ok := t.conditions[name]
	if !ok {
		return false, cannot(line, "the condition %q is not defined", name)
	}
	if t.open[name] {
		return false, cannot(v.line, "the condition %q depends on itself", name)
	}
	t.open[name] = true
	holds, err := t.evalCondition(v, len(t.open))
	delete(t.open, name)
	if err == nil {
		t.results[name] = holds
	}
	return holds, err
}

func (t *template) evalCondition(v *value, depth int) (bool, error) {
	if err := t.spend(1, v.line); err != nil {
		return false, err
	}
	name, arg, ok := v.only()
	if depth > maxDepth || !ok {
		return false, cannot(v.line, "a condition must be one of Fn::Equals, Fn::And, Fn::Or, Fn::Not and Condition")
	}
	switch name {
	case "Condition":
		return t.condition(arg.text, v.line)
	case "Fn::Equals":
		return t.equals(arg, v.line)
	case "Fn::Not":
		if arg.kind != kindList || len(arg.list) != 1 {
			return false, cannot(v.line, "Fn::Not takes a list of one condition")
		}
		holds, err := t.evalCondition(arg.list[0], depth+1)
		return !holds, err
	case "Fn::And", "Fn::Or":
		if arg.kind != kindList || len(arg.list) < 2 || len(arg.list) > 10 {
			return false, cannot(v.line, "%s takes a list of 2 to 10 conditions", name)
		}
		result := name == "Fn::And"
		for _, item := range arg.list {
			holds, err := t.evalCondition(item, depth+1)
			if err != nil {
				return false, err
			}
			if holds != (name == "Fn::And") {
				result = holds
			}
		}
		return result, nil
	}
	return false, cannot(v.line, "%s is not a function of conditions", name)
}

func (t *template) equals(arg *value, line int) (bool, error) {
	if arg.kind != kindList || len(arg.list) != 2 {
		return false, cannot(line, "Fn::Equals takes a list of two values")
	}
	a, err := t.eval(arg.list[0], 0)
	if err != nil {
		return false, err
	}
	b, err := t.eval(arg.list[1], 0)
	if err != nil {
		return false, err
	}
	return equal(a, b), nil
}

func equal(a, b *value) bool {
	if a == nil || b == nil {
		return a == b
	}
	switch {
	case a.scalar() && b.scalar():
		return a.text == b.text
	case a.kind != b.kind || len(a.list) != len(b.list) || len(a.fields) != len(b.fields):
		return false
	}
	for i := range a.list {
		if !equal(a.list[i], b.list[i]) {
			return false
		}
	}
	for i := range a.fields {
		if other := b.get(a.fields[i].key); other == nil || !equal(a.fields[i].value, other) {
			return false
		}
	}
	return true
}

// sub is Fn::Sub: of a string, or of a string and a map of variables.
func (t *template) sub(arg *value, line, depth int) (*value, error) {
	var variables *value
	text := arg
	if arg.kind == kindList && len(arg.list) == 2 && arg.list[1].kind == kindMap {
		text, variables = arg.list[0], arg.list[1]
	}
	if !text.scalar() {
		return nil, cannot(line, "Fn::Sub takes a string, or a list of a string and a map")
	}
	var b strings.Builder
	rest := text.text
	for {
		before, after, found := strings.Cut(rest, "${")
		b.WriteString(before)
		if !found {
			break
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			return nil, cannot(text.line, "Fn::Sub: ${ without }")
		}
		rest = tail
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			b.WriteString("${" + literal + "}")
			continue
		}
		content, err := t.subVariable(strings.TrimSpace(name), variables, text.line, depth)
		if err != nil {
			return nil, err
		}
		b.WriteString(content)
		if err := t.spend(len(content), line); err != nil {
			return nil, err
		}
	}
	out, err := t.text(text.line, b.String())
	if err != nil {
		return nil, err
	}
	return t.eval(out, depth+1) // it may have become a dynamic reference
}

func (t *template) subVariable(name string, variables *value, line, depth int) (string, error) {
	var v *value
	var err error
	switch own := variables.get(name); {
	case own != nil:
		v, err = t.eval(own, depth+1)
	case strings.Contains(name, "."):
		v, err = t.getAtt(stringValue(line, name), line, depth)
	default:
		v, err = t.ref(stringValue(line, name), line)
	}
	if err != nil {
		return "", err
	}
	if v == nil || !v.scalar() {
		return "", cannot(line, "Fn::Sub: ${%s} is not a string", name)
	}
	return v.text, nil
}

// ref is Ref: a parameter, a pseudo parameter or a resource.
func (t *template) ref(arg *value, line int) (*value, error) {
	if !arg.scalar() {
		return nil, cannot(line, "Ref takes a name")
	}
	name := arg.text
	if v, ok := t.l.Values[name]; ok {
		return stringValue(line, v), nil
	}
	if strings.HasPrefix(name, "AWS::") {
		return t.pseudo(name, line)
	}
	if declaration, ok := t.parameters[name]; ok {
		return t.parameter(name, declaration, line)
	}
	if r, ok := t.resources[name]; ok {
		return t.resourceRef(r, line)
	}
	return nil, cannot(line, "%q is neither a parameter nor a resource of the template", name)
}

func (t *template) pseudo(name string, line int) (*value, error) {
	l := t.l
	switch name {
	case "AWS::NoValue":
		return nil, nil
	case "AWS::AccountId":
		return stringValue(line, l.Account), nil
	case "AWS::Region":
		return stringValue(line, l.Region), nil
	case "AWS::Partition":
		return stringValue(line, l.Partition), nil
	case "AWS::StackName":
		return stringValue(line, l.StackName), nil
	case "AWS::StackId":
		return stringValue(line, l.arn("cloudformation", "stack/"+l.StackName+"/"+zeroUUID)), nil
	case "AWS::URLSuffix":
		if l.Partition == "aws-cn" {
			return stringValue(line, "amazonaws.com.cn"), nil
		}
		return stringValue(line, "amazonaws.com"), nil
	}
	return nil, cannot(line, "the pseudo parameter %s is known in AWS only", name)
}

func (l *loader) arn(service, rest string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", l.Partition, service, l.Region, l.Account, rest)
}

// zeroUUID stands in for the ids that AWS makes up within ARNs.
const zeroUUID = "00000000-0000-0000-0000-000000000000"
