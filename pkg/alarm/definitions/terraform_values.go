// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// untold marks a value that cannot be told, with the reason. Marks pass through expressions and functions, so that the
// problem names what was missing and not only where.
type untold struct{ why string }

func cannotTell(format string, args ...any) cty.Value {
	return cty.DynamicVal.Mark(untold{fmt.Sprintf(format, args...)})
}

// reasons are why a value cannot be told, or a part of it.
func reasons(v cty.Value) []string {
	var why []string
	_, marks := v.UnmarkDeep()
	for mark := range marks {
		if u, ok := mark.(untold); ok {
			why = append(why, u.why)
		}
	}
	slices.Sort(why)
	return slices.Compact(why)
}

// maxTold is how many resources, locals and variables may depend on each other in a row.
const maxTold = 200

// tell calls f once for each name, and tells circles.
func (m *module) tell(name string, f func() cty.Value) cty.Value {
	if v, ok := m.values[name]; ok {
		return v
	}
	switch {
	case m.open[name]:
		return cannotTell("%s depends on itself", name)
	case len(m.open) >= maxTold:
		return cannotTell("%s depends on more than %d others in a row", name, maxTold)
	}
	m.open[name] = true
	v := f()
	delete(m.open, name)
	if tooLarge(v) {
		v = cannotTell("%s is larger than %d bytes", name, maxTerraformBytes)
	}
	m.values[name] = v
	return v
}

// tooLarge bounds values that expressions make.
func tooLarge(v cty.Value) bool {
	plain, _ := v.UnmarkDeep()
	size := 0
	_ = cty.Walk(plain, func(_ cty.Path, v cty.Value) (bool, error) {
		size += 16
		if v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
			size += len(v.AsString())
		}
		return size <= maxTerraformBytes, nil
	})
	return size > maxTerraformBytes
}

// eval is what an expression comes to.
func (m *module) eval(expr hcl.Expression, in *tfInstance) (cty.Value, hcl.Diagnostics) {
	return expr.Value(m.context(expr.Variables(), in))
}

// evalQuietly is eval for what others refer to: an error becomes a value that cannot be told.
func (m *module) evalQuietly(what string, expr hcl.Expression, in *tfInstance) cty.Value {
	v, diags := m.eval(expr, in)
	if diags.HasErrors() {
		for _, d := range diags {
			if d.Severity == hcl.DiagError {
				return cannotTell("%s: %s", what, diagnosis(d))
			}
		}
	}
	return v
}

// context has what the traversals refer to.
func (m *module) context(traversals []hcl.Traversal, in *tfInstance) *hcl.EvalContext {
	roots := map[string]map[string]cty.Value{}
	set := func(root, name string, v func() cty.Value) {
		if roots[root] == nil {
			roots[root] = map[string]cty.Value{}
		}
		if _, ok := roots[root][name]; !ok {
			roots[root][name] = v()
		}
	}
	variables := map[string]cty.Value{}
	byType := map[string]map[string]map[string]bool{} // data sources and resources: type, name, attributes
	refer := func(prefix string, steps hcl.Traversal) {
		typ, _ := stepName(steps, 0)
		name, ok := stepName(steps, 1)
		if !ok {
			return
		}
		if byType[prefix+typ] == nil {
			byType[prefix+typ] = map[string]map[string]bool{}
		}
		if byType[prefix+typ][name] == nil {
			byType[prefix+typ][name] = map[string]bool{}
		}
		byType[prefix+typ][name][attributeOf(steps[2:])] = true
	}
	for _, t := range traversals {
		root := t.RootName()
		name, named := stepName(t, 1)
		switch root {
		case "var", "local":
			if named {
				set(root, name, func() cty.Value { return m.named(root, name) })
			}
		case "each", "count":
			if in == nil || in.vars[root] == cty.NilVal {
				variables[root] = cannotTell("%s is not known here", root)
			} else {
				variables[root] = in.vars[root]
			}
		case "path":
			for _, p := range []string{"module", "root", "cwd"} {
				set(root, p, func() cty.Value { return cty.StringVal(".") })
			}
		case "terraform":
			set(root, "workspace", func() cty.Value { return cty.StringVal("default") })
		case "module":
			if named {
				set(root, name, func() cty.Value { return m.output(t) })
			}
		case "data":
			if named {
				refer("data.", t[1:])
			}
		default:
			if named && !strings.HasPrefix(root, "self") {
				refer("", t)
			}
		}
	}
	data := map[string]cty.Value{}
	for typ, names := range byType {
		values := make(map[string]cty.Value, len(names))
		for name, attributes := range names {
			values[name] = m.resourceValue(typ, name, attributes)
		}
		if dataType, ok := strings.CutPrefix(typ, "data."); ok {
			data[dataType] = cty.ObjectVal(values)
		} else {
			variables[typ] = cty.ObjectVal(values)
		}
	}
	if len(data) > 0 {
		variables["data"] = cty.ObjectVal(data)
	}
	for root, names := range roots {
		variables[root] = cty.ObjectVal(names)
	}
	return &hcl.EvalContext{Variables: variables, Functions: terraformFunctions()}
}

// stepName is the name of a step: .name or ["name"].
func stepName(t hcl.Traversal, i int) (string, bool) {
	if i >= len(t) {
		return "", false
	}
	switch s := t[i].(type) {
	case hcl.TraverseRoot:
		return s.Name, true
	case hcl.TraverseAttr:
		return s.Name, true
	case hcl.TraverseIndex:
		if s.Key.Type() == cty.String {
			return s.Key.AsString(), true
		}
	}
	return "", false
}

// attributeOf is the attribute that the rest of a reference to a resource names, behind the key of an instance; "" when
// it is of the whole resource.
func attributeOf(rest hcl.Traversal) string {
	for _, step := range rest {
		switch s := step.(type) {
		case hcl.TraverseAttr:
			return s.Name
		case hcl.TraverseSplat:
			return ""
		}
	}
	return ""
}

// named is a variable or local.
func (m *module) named(root, name string) cty.Value {
	return m.tell(root+"."+name, func() cty.Value {
		if root == "var" {
			return m.variable(name)
		}
		a := m.locals[name]
		if a == nil {
			return cannotTell("local.%s is not declared", name)
		}
		return m.evalQuietly("local."+name, a.Expr, nil)
	})
}

func (m *module) variable(name string) cty.Value {
	block := m.variables[name]
	if block == nil {
		return cannotTell("var.%s is not declared", name)
	}
	content, _, _ := block.Body.PartialContent(variableSchema) // what is wrong with the rest does not matter here
	v, given := m.given[name]
	typ, defaults, diags := m.variableType(content)
	if diags.HasErrors() {
		return cannotTell("var.%s: %s", name, diagnosis(diags[0]))
	}
	if !given || v.IsNull() && content.Attributes["default"] != nil && notNullable(content) {
		fallback := content.Attributes["default"]
		if fallback == nil {
			return cannotTell("var.%s has no default and was not given", name)
		}
		if v, diags = fallback.Expr.Value(nil); diags.HasErrors() {
			return cannotTell("the default of var.%s: %s", name, diagnosis(diags[0]))
		}
	}
	if defaults != nil && !v.IsNull() {
		v = defaults.Apply(v)
	}
	v, err := convert.Convert(v, typ)
	if err != nil {
		return cannotTell("var.%s: %s", name, err)
	}
	for _, b := range content.Blocks {
		if why := m.checkVariable(name, v, b); why != "" {
			return cannotTell("var.%s: %s", name, why)
		}
	}
	return v
}

var variableSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "default"}, {Name: "type"}, {Name: "nullable"}},
	Blocks:     []hcl.BlockHeaderSchema{{Type: "validation"}},
}

func (m *module) variableType(content *hcl.BodyContent) (cty.Type, *typeexpr.Defaults, hcl.Diagnostics) {
	a := content.Attributes["type"]
	if a == nil {
		return cty.DynamicPseudoType, nil, nil
	}
	return typeexpr.TypeConstraintWithDefaults(a.Expr)
}

func notNullable(content *hcl.BodyContent) bool {
	a := content.Attributes["nullable"]
	if a == nil {
		return false
	}
	v, diags := a.Expr.Value(nil)
	return !diags.HasErrors() && v.Type() == cty.Bool && v.IsKnown() && v.False()
}

// checkVariable runs a validation block. Only what it says of the variable itself is looked at.
func (m *module) checkVariable(name string, v cty.Value, b *hcl.Block) string {
	attributes, _ := b.Body.JustAttributes()
	condition, message := attributes["condition"], attributes["error_message"]
	if condition == nil {
		return ""
	}
	ctx := &hcl.EvalContext{
		Variables: map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{name: v})},
		Functions: terraformFunctions(),
	}
	holds, diags := condition.Expr.Value(ctx)
	if diags.HasErrors() || !holds.IsKnown() || holds.Type() != cty.Bool || holds.IsNull() || holds.True() {
		return ""
	}
	if message != nil {
		if text, diags := message.Expr.Value(ctx); !diags.HasErrors() && text.Type() == cty.String && text.IsKnown() && !text.IsNull() {
			return text.AsString()
		}
	}
	return "the value is not valid"
}

// variableFromText reads a value as the command line of Terraform does.
func (m *module) variableFromText(name, text string) (cty.Value, hcl.Diagnostics) {
	content, _, _ := m.variables[name].Body.PartialContent(variableSchema)
	typ, _, diags := m.variableType(content)
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	if typ == cty.DynamicPseudoType || typ.IsPrimitiveType() {
		return cty.StringVal(text), nil
	}
	if diags = checkNesting("the value of var."+name, []byte(text)); diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	expr, diags := hclsyntax.ParseExpression([]byte(text), "the value of var."+name, hcl.InitialPos)
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	return expr.Value(nil)
}

// output is what a reference to a module comes to.
func (m *module) output(t hcl.Traversal) cty.Value {
	name, _ := stepName(t, 1)
	output, ok := stepName(t, 2)
	if !ok {
		return cannotTell("module.%s is not followed", name)
	}
	outputs := map[string]cty.Value{}
	for reference, text := range m.l.Values {
		if rest, ok := strings.CutPrefix(reference, "module."+name+"."); ok {
			outputs[rest] = cty.StringVal(text)
		}
	}
	if _, given := outputs[output]; !given {
		outputs[output] = cannotTell("module.%s.%s is not followed: give a value for it", name, output)
	}
	return cty.ObjectVal(maps.Clone(outputs))
}
