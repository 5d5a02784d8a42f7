// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"fmt"
	"strings"

	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// Types of resources.
const (
	typeMetricAlarm     = "AWS::CloudWatch::Alarm"
	typeCompositeAlarm  = "AWS::CloudWatch::CompositeAlarm"
	typeMuteRule        = "AWS::CloudWatch::AlarmMuteRule"
	typeAnomalyDetector = "AWS::CloudWatch::AnomalyDetector"
	typeLogAlarm        = "AWS::CloudWatch::LogAlarm"
)

// addNative reads the native form.
func (l *loader) addNative(file string, doc *value) {
	for i := range doc.fields {
		f := &doc.fields[i]
		switch f.key {
		case "Alarms":
			l.addNativeItems(file, f, func(source Source, name string, v *value) { l.addNativeAlarm(source, name, v) })
		case "MuteRules":
			l.addNativeItems(file, f, func(source Source, name string, v *value) {
				l.addMuteRule(newDecoder(&l.problems, source, "", v), name)
			})
		default:
			l.fail(file, f.line, "unknown property %q: there are Alarms and MuteRules", f.key)
		}
	}
}

// addNativeItems goes through a list, or through a map whose keys are names.
func (l *loader) addNativeItems(file string, f *field, add func(source Source, name string, v *value)) {
	check := func(source Source, name string, v *value) {
		if function, line := findFunction(v); function != "" {
			l.problems.add(Problem{
				File: file, Line: line, Name: source.Name,
				Message: function + " is a function of CloudFormation templates, and this file is none: it has no Resources",
			})
			return
		}
		add(source, name, v)
	}
	switch f.value.kind {
	case kindList:
		for i, item := range f.value.list {
			check(Source{File: file, Line: item.line, Format: FormatNative, Name: fmt.Sprintf("%s[%d]", f.key, i)}, "", item)
		}
	case kindMap:
		for _, item := range f.value.fields {
			check(Source{File: file, Line: item.line, Format: FormatNative, Name: item.key}, item.key, item.value)
		}
	case kindNull: // "Alarms:" with nothing below it
	default:
		l.fail(file, f.line, "%s must be a list or a map, not %s", f.key, f.value.kind)
	}
}

// findFunction finds the first function of CloudFormation.
func findFunction(v *value) (name string, line int) {
	for i := range v.fields {
		f := &v.fields[i]
		if f.key == "Ref" || strings.HasPrefix(f.key, "Fn::") {
			return f.key, f.line
		}
		if name, line = findFunction(f.value); name != "" {
			return name, line
		}
	}
	for _, item := range v.list {
		if name, line = findFunction(item); name != "" {
			return name, line
		}
	}
	return "", 0
}

func (l *loader) addNativeAlarm(source Source, name string, v *value) {
	typ := ""
	if t := v.get("Type"); t != nil {
		// A resource, as templates have them.
		outer := newDecoder(&l.problems, source, "", v)
		typ = outer.oneOf("Type", typeMetricAlarm, typeCompositeAlarm)
		properties := outer.within("Properties")
		if properties == nil {
			outer.required("Properties")
		}
		outer.done("Type", "Properties")
		if properties == nil || typ != typeMetricAlarm && typ != typeCompositeAlarm {
			return
		}
		properties.path = ""
		l.addProperties(properties, typ, name)
		return
	}
	typ = typeMetricAlarm
	if v.get("AlarmRule") != nil {
		typ = typeCompositeAlarm
	}
	l.addProperties(newDecoder(&l.problems, source, "", v), typ, name)
}

// addProperties reads an alarm of a type.
func (l *loader) addProperties(d *decoder, typ, name string) {
	var a *alarm.Definition
	known := metricProperties
	if typ == typeCompositeAlarm {
		known = compositeProperties
		a = d.compositeAlarm(name)
	} else {
		a = d.metricAlarm(name)
	}
	l.addAlarm(d, a, known)
}
