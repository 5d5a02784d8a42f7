// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestEqualDefinitionsKnowsEveryField changes each field of a definition, also those that are added to it later.
func TestEqualDefinitionsKnowsEveryField(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		part func(*Definition) any
	}{
		{"Definition", func(d *Definition) any { return d }},
		{"MetricAlarm", func(d *Definition) any { return d.Metric }},
		{"Query", func(d *Definition) any { return &d.Metric.Metrics[0] }},
		{"MetricStat", func(d *Definition) any { return d.Metric.Metrics[0].Metric }},
		{"CompositeAlarm", func(d *Definition) any { return d.Composite }},
	} {
		n := reflect.TypeOf(c.part(everyField())).Elem().NumField()
		for i := range n {
			changed := everyField()
			field := reflect.ValueOf(c.part(changed)).Elem().Field(i)
			name := c.name + "." + reflect.TypeOf(c.part(changed)).Elem().Field(i).Name
			field.SetZero()
			assert.Equal(t, name == "Definition.Tags", equalDefinitions(everyField(), changed), name)
			if name != "Definition.Name" { // the name is part of the ARN
				assert.Equal(t, changed, intern(changed, "arn:"+changed.Name), name)
			}
		}
	}
	assert.True(t, equalDefinitions(everyField(), everyField()))
}

// everyField is no definition that is valid: everything is set.
func everyField() *Definition {
	d := &Definition{Metric: &MetricAlarm{Metrics: []Query{{Metric: &MetricStat{}}}}, Composite: &CompositeAlarm{}}
	fillFields(reflect.ValueOf(d))
	return d
}

func fillFields(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		fillFields(v.Elem())
	case reflect.Struct:
		for _, field := range v.Fields() {
			fillFields(field)
		}
	case reflect.Slice:
		if v.Len() == 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		fillFields(v.Index(0))
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(7)
	}
}
