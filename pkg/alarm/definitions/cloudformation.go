// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"errors"
	"fmt"
	"strings"
)

// template is a CloudFormation template while its alarms are read. Only what alarms depend on is evaluated.
type template struct {
	l          *loader
	file       string
	parameters map[string]*value // their declarations
	mappings   *value
	conditions map[string]*value
	resources  map[string]*resource
	// results of conditions, and those that are being told.
	results map[string]bool
	open    map[string]bool
	work    int // values and bytes that evaluation has made
}

type resource struct {
	id         string
	typ        string
	line       int
	condition  *value
	properties *value
}

// maxWork bounds what the functions of a template come to.
const maxWork = 64 << 20

// addTemplate reads the alarms and mute rules of a template.
func (l *loader) addTemplate(file string, doc *value) {
	t := &template{
		l: l, file: file, parameters: map[string]*value{}, conditions: map[string]*value{}, resources: map[string]*resource{},
		results: map[string]bool{}, open: map[string]bool{},
	}
	before := len(l.problems.list)
	var order []*resource
	for i := range doc.fields {
		f := &doc.fields[i]
		switch f.key {
		case "AWSTemplateFormatVersion", "Description", "Metadata", "Outputs", "Globals", "Hooks":
		case "Parameters":
			t.declare(f, t.parameters)
			for name := range t.parameters {
				l.declared[name] = true
			}
		case "Mappings":
			t.mappings = f.value
		case "Conditions":
			t.declare(f, t.conditions)
		case "Rules":
			l.note(file, f.line, "the Rules of the template are not checked")
		case "Transform":
			t.checkTransform(f.value)
		case "Resources":
			order = t.declareResources(f)
		default:
			l.fail(file, f.line, "unknown section %q of a CloudFormation template", f.key)
		}
	}
	if len(l.problems.list) > before {
		return
	}
	for _, r := range order {
		t.addResource(r)
	}
}

func (t *template) declare(f *field, into map[string]*value) {
	if f.value.kind == kindNull {
		return
	}
	if f.value.kind != kindMap {
		t.l.fail(t.file, f.line, "%s must be a map, not %s", f.key, f.value.kind)
		return
	}
	for _, item := range f.value.fields {
		into[item.key] = item.value
	}
}

// transforms that leave alarms as they are.
var harmlessTransforms = map[string]bool{
	"AWS::Serverless-2016-10-31":     true,
	"AWS::LanguageExtensions":        true,
	"AWS::SecretsManager-2020-07-23": true, "AWS::SecretsManager-2024-09-16": true,
	"AWS::CodeDeployBlueGreen": true,
}

func (t *template) checkTransform(v *value) {
	list := []*value{v}
	if v.kind == kindList {
		list = v.list
	}
	for _, item := range list {
		if !item.scalar() || !harmlessTransforms[item.text] {
			name := item.text
			if n := item.get("Name"); n != nil {
				name = n.text
			}
			t.l.fail(t.file, item.line, "Transform: the macro %q runs in AWS only, and may change alarms", name)
		}
	}
}

func (t *template) declareResources(f *field) []*resource {
	if f.value.kind != kindMap {
		t.l.fail(t.file, f.line, "Resources must be a map, not %s", f.value.kind)
		return nil
	}
	order := make([]*resource, 0, len(f.value.fields))
	for i := range f.value.fields {
		item := &f.value.fields[i]
		if strings.HasPrefix(item.key, "Fn::") {
			t.l.fail(t.file, item.line, "Resources: %s is not supported: give it the template that AWS::LanguageExtensions makes of it", item.key)
			continue
		}
		r := &resource{id: item.key, line: item.line, condition: item.value.get("Condition"), properties: item.value.get("Properties")}
		typ := item.value.get("Type")
		if typ == nil || !typ.scalar() {
			t.l.fail(t.file, item.line, "%s: Type is required", item.key)
			continue
		}
		r.typ = typ.text
		if r.properties == nil || r.properties.kind == kindNull {
			r.properties = &value{kind: kindMap, line: item.line}
		}
		t.resources[r.id] = r
		order = append(order, r)
	}
	return order
}

// addResource reads a resource when it is an alarm or a mute rule.
func (t *template) addResource(r *resource) {
	source := Source{File: t.file, Line: r.line, Format: FormatCloudFormation, Name: r.id}
	switch r.typ {
	case typeMetricAlarm, typeCompositeAlarm, typeMuteRule:
	case typeAnomalyDetector:
		t.l.note(t.file, r.line, "%s: an anomaly detector is not read: an alarm with ANOMALY_DETECTION_BAND makes its own", r.id)
		return
	case typeLogAlarm:
		t.l.problems.add(Problem{File: t.file, Line: r.line, Name: r.id, Message: "log alarms are not supported"})
		return
	case "AWS::CloudFormation::Stack", "AWS::Serverless::Application":
		t.l.note(t.file, r.line, "%s: alarms in nested stacks are not read", r.id)
		return
	default:
		if strings.HasSuffix(r.typ, "::MODULE") {
			t.l.note(t.file, r.line, "%s: alarms in modules are not read", r.id)
		}
		return
	}
	if r.condition != nil {
		holds, err := t.condition(r.condition.text, r.condition.line)
		if err != nil {
			t.failed(source, "Condition", err)
			return
		}
		if !holds {
			return
		}
	}
	properties := t.evalProperties(source, "", r.properties)
	d := newDecoder(&t.l.problems, source, "", properties)
	name := t.physicalName(r.id)
	if r.typ == typeMuteRule {
		t.l.addMuteRule(d, name)
		return
	}
	t.l.addProperties(d, r.typ, name)
}

// physicalName stands in for the name that CloudFormation makes up, which ends in something random.
func (t *template) physicalName(id string) string { return t.l.StackName + "-" + id }

// evalProperties evaluates a map or list with a problem for each property that cannot be told.
func (t *template) evalProperties(source Source, path string, v *value) *value {
	if name, _, ok := v.only(); v.kind == kindMap && (!ok || !isFunction(name)) {
		out := &value{kind: kindMap, line: v.line, fields: make([]field, 0, len(v.fields))}
		for _, f := range v.fields {
			if f.value = t.evalProperties(source, strings.TrimPrefix(path+"."+f.key, "."), f.value); f.value != nil {
				out.fields = append(out.fields, f)
			}
		}
		return out
	}
	if v.kind == kindList {
		out := &value{kind: kindList, line: v.line, list: make([]*value, 0, len(v.list))}
		for i, item := range v.list {
			if item = t.evalProperties(source, fmt.Sprintf("%s[%d]", path, i), item); item != nil {
				out.list = append(out.list, item)
			}
		}
		return out
	}
	out, err := t.eval(v, 0)
	if err != nil {
		t.failed(source, path, err)
		return &value{kind: kindUnknown, line: v.line}
	}
	return out
}

func (t *template) failed(source Source, path string, err error) {
	p := Problem{File: t.file, Line: source.Line, Name: source.Name, Property: path, Message: err.Error()}
	var at *evalError
	if errors.As(err, &at) {
		p.Line, p.Message = at.line, at.message
	}
	t.l.problems.add(p)
}

// evalError is something that cannot be told.
type evalError struct {
	line    int
	message string
}

func (e *evalError) Error() string { return e.message }

func cannot(line int, format string, args ...any) error {
	return &evalError{line, fmt.Sprintf(format, args...)}
}
