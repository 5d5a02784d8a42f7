// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package dashboard

import (
	"strconv"
)

var variableFields = fields{
	"type":         isString,
	"property":     isString,
	"pattern":      isString,
	"inputType":    isString,
	"id":           checkVariableID,
	"label":        text(30),
	"visible":      isBoolean,
	"defaultValue": isScalar,
	"values": list(1, 500, object(fields{
		"value": isScalar, "label": text(255),
	}, "value")),
	"search":            text(2048),
	"populateFrom":      isString,
	"tag":               anything,
	"searchLabelValues": anything,
}

func checkVariableID(c *checker, path string, v *Value) {
	pattern("^[0-9A-Za-z_-]+$")(c, path, v)
	if v.Kind == KindString {
		text(32)(c, path, v)
	}
}

func checkVariables(c *checker, path string, v *Value) {
	list(0, maxVariables, checkVariable)(c, path, v)
	properties, ids := map[string]bool{}, map[string]bool{}
	for i := range v.Items {
		item := &v.Items[i]
		at := child(path, strconv.Itoa(i))
		if p := item.Member("property"); p != nil && p.Kind == KindString && item.Member("type").string() == "property" {
			if properties[p.Text] {
				c.fail(child(at, "property"), `Duplicated property in variable: "`+p.Text+`"`)
			}
			properties[p.Text] = true
		}
		if id := item.Member("id"); id != nil && id.Kind == KindString {
			if ids[id.Text] {
				c.fail(child(at, "id"), `Duplicated id in variable: "`+id.Text+`"`)
			}
			ids[id.Text] = true
		}
	}
}

func checkVariable(c *checker, path string, v *Value) {
	if !isKind(c, path, v, KindObject) {
		return
	}
	of := v.Member("type")
	target := "property"
	if of.string() == "pattern" {
		target = "pattern"
	}
	c.required(path, v, "type", "inputType", "id", target)
	c.members(path, v, variableFields)
	c.unexpected(path, v, variableFields, inRoot)
	if of != nil && of.Kind == KindString && of.Text != "property" && of.Text != "pattern" {
		c.fail(child(path, "type"), "The specified variable type is unknown. Use one of the allowed values: property,pattern")
	}
	switch input := v.Member("inputType"); {
	case input == nil || input.Kind != KindString || input.Text == "input":
	case input.Text == "select" || input.Text == "radio":
		checkSource(c, path, v)
	default:
		c.fail(child(path, "inputType"), "The specified variable inputType is unknown. Use one of the allowed values: input,select,radio")
	}
}

// checkSource demands exactly one source of values.
func checkSource(c *checker, path string, v *Value) {
	has := func(name string) bool { return v.Member(name) != nil }
	sources := 0
	for _, there := range []bool{has("values"), has("tag"), has("search") && has("populateFrom"), has("searchLabelValues")} {
		if there {
			sources++
		}
	}
	if sources == 1 {
		return
	}
	if sources == 0 {
		c.required(path, v, "values", "tag", "search", "populateFrom", "searchLabelValues")
	}
	c.fail(path, "Should match exactly one schema in oneOf")
}
