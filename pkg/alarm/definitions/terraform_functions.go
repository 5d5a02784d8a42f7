// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// terraformFunctions are the functions of Terraform that need neither files nor a network, a clock or chance.
var terraformFunctions = sync.OnceValue(func() map[string]function.Function {
	return map[string]function.Function{
		"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "floor": stdlib.FloorFunc, "log": stdlib.LogFunc, "max": stdlib.MaxFunc,
		"min": stdlib.MinFunc, "parseint": stdlib.ParseIntFunc, "pow": stdlib.PowFunc, "signum": stdlib.SignumFunc,

		"chomp": stdlib.ChompFunc, "format": bounded(stdlib.FormatFunc), "formatlist": bounded(stdlib.FormatListFunc),
		"indent": bounded(stdlib.IndentFunc), "join": stdlib.JoinFunc, "lower": stdlib.LowerFunc, "regex": stdlib.RegexFunc,
		"regexall": stdlib.RegexAllFunc, "replace": replaceFunc, "split": stdlib.SplitFunc, "strrev": stdlib.ReverseFunc,
		"substr": stdlib.SubstrFunc, "title": stdlib.TitleFunc, "trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc,
		"trimsuffix": stdlib.TrimSuffixFunc, "trimspace": stdlib.TrimSpaceFunc, "upper": stdlib.UpperFunc,
		"startswith": textTest(strings.HasPrefix), "endswith": textTest(strings.HasSuffix), "strcontains": textTest(strings.Contains),

		"alltrue": everyTrue(true), "anytrue": everyTrue(false), "chunklist": stdlib.ChunklistFunc, "coalesce": stdlib.CoalesceFunc,
		"coalescelist": stdlib.CoalesceListFunc, "compact": stdlib.CompactFunc, "concat": stdlib.ConcatFunc,
		"contains": stdlib.ContainsFunc, "distinct": stdlib.DistinctFunc, "element": stdlib.ElementFunc, "flatten": stdlib.FlattenFunc,
		"index": indexFunc, "keys": stdlib.KeysFunc, "length": lengthFunc, "lookup": lookupFunc, "merge": stdlib.MergeFunc,
		"one": oneFunc, "range": stdlib.RangeFunc, "reverse": stdlib.ReverseListFunc, "setintersection": stdlib.SetIntersectionFunc,
		"setproduct": bounded(stdlib.SetProductFunc), "setsubtract": stdlib.SetSubtractFunc, "setunion": stdlib.SetUnionFunc,
		"slice": stdlib.SliceFunc, "sort": stdlib.SortFunc, "sum": sumFunc, "values": stdlib.ValuesFunc, "zipmap": stdlib.ZipmapFunc,

		"tobool": toFunc(cty.Bool), "tolist": toFunc(cty.List(cty.DynamicPseudoType)), "tomap": toFunc(cty.Map(cty.DynamicPseudoType)),
		"tonumber": toFunc(cty.Number), "toset": toFunc(cty.Set(cty.DynamicPseudoType)), "tostring": toFunc(cty.String),
		"jsonencode": stdlib.JSONEncodeFunc, "jsondecode": stdlib.JSONDecodeFunc, "formatdate": stdlib.FormatDateFunc,
		"sensitive": identityFunc, "nonsensitive": identityFunc, "try": tryfunc.TryFunc, "can": tryfunc.CanFunc,
	}
})

var longNumber = regexp.MustCompile(`\d{5}`)

// maxProduct is how many combinations setproduct may make.
const maxProduct = 100_000

// bounded refuses arguments that ask for very large results.
func bounded(f function.Function) function.Function {
	return function.New(&function.Spec{
		VarParam: &function.Parameter{
			Name: "args", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true,
		},
		Type: func(args []cty.Value) (cty.Type, error) {
			if err := checkArguments(args); err != nil {
				return cty.NilType, err
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) },
	})
}

func checkArguments(args []cty.Value) error {
	product := 1
	for i, a := range args {
		if !a.IsKnown() || a.IsNull() {
			continue
		}
		switch t := a.Type(); {
		case t == cty.String && i == 0 && strings.Contains(a.AsString(), "%") && longNumber.MatchString(a.AsString()):
			return function.NewArgErrorf(i, "a width of five digits is too large")
		case t == cty.Number && i == 0 && a.GreaterThan(cty.NumberIntVal(10_000)).True():
			return function.NewArgErrorf(i, "must be at most 10000")
		case t == cty.Number && i > 0 && strings.Contains(firstText(args), "*") && a.GreaterThan(cty.NumberIntVal(10_000)).True():
			return function.NewArgErrorf(i, "must be at most 10000")
		case t.IsCollectionType() || t.IsTupleType():
			if product *= max(1, a.LengthInt()); product > maxProduct {
				return function.NewArgErrorf(i, "more than %d combinations", maxProduct)
			}
		}
	}
	return nil
}

func firstText(args []cty.Value) string {
	if a := args[0]; a.Type() == cty.String && a.IsKnown() && !a.IsNull() {
		return a.AsString()
	}
	return ""
}

func textTest(test func(s, part string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "string", Type: cty.String}, {Name: "part", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(test(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

// everyTrue is alltrue, or anytrue.
func everyTrue(all bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			for it := args[0].ElementIterator(); it.Next(); {
				_, v := it.Element()
				if !v.IsKnown() {
					return cty.UnknownVal(cty.Bool), nil
				}
				if holds := !v.IsNull() && v.True(); holds != all {
					return cty.BoolVal(!all), nil
				}
			}
			return cty.BoolVal(all), nil
		},
	})
}

// toFunc converts to a type.
func toFunc(typ cty.Type) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "v", Type: cty.DynamicPseudoType, AllowNull: true}},
		Type: func(args []cty.Value) (cty.Type, error) {
			v, err := convert.Convert(args[0], typ)
			if err != nil {
				return cty.NilType, function.NewArgError(0, err)
			}
			return v.Type(), nil
		},
		Impl: func(args []cty.Value, to cty.Type) (cty.Value, error) { return convert.Convert(args[0], to) },
	})
}

var identityFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true}},
	Type:   func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
	Impl:   func(args []cty.Value, _ cty.Type) (cty.Value, error) { return args[0], nil },
})

// replaceFunc replaces a string, or what an expression between slashes matches.
var replaceFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "string", Type: cty.String}, {Name: "part", Type: cty.String}, {Name: "replacement", Type: cty.String}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		text, part, by := args[0].AsString(), args[1].AsString(), args[2].AsString()
		if (len(text)+1)*max(1, len(by)) > maxTerraformBytes {
			return cty.NilVal, errors.New("the result may be too large")
		}
		if len(part) > 1 && part[0] == '/' && part[len(part)-1] == '/' {
			re, err := regexp.Compile(part[1 : len(part)-1])
			if err != nil {
				return cty.NilVal, function.NewArgError(1, err)
			}
			return cty.StringVal(re.ReplaceAllString(text, by)), nil
		}
		return cty.StringVal(strings.ReplaceAll(text, part, by)), nil
	},
})

// lengthFunc is the length of a collection, or of a string in characters.
var lengthFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		switch t := args[0].Type(); {
		case t == cty.String:
			return stdlib.Strlen(args[0])
		case t.IsCollectionType() || t.IsTupleType():
			return cty.NumberIntVal(int64(args[0].LengthInt())), nil
		case t.IsObjectType():
			return cty.NumberIntVal(int64(len(t.AttributeTypes()))), nil
		default:
			return cty.NilVal, function.NewArgErrorf(0, "must be a string, list, map or object, not %s", t.FriendlyName())
		}
	},
})

// lookupFunc is the value of a key, or a default.
var lookupFunc = function.New(&function.Spec{
	Params: []function.Parameter{
		{Name: "map", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowDynamicType: true}, {Name: "key", Type: cty.String},
	},
	VarParam: &function.Parameter{Name: "default", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true},
	Type: func(args []cty.Value) (cty.Type, error) {
		v, err := lookup(args)
		if err != nil {
			return cty.NilType, err
		}
		return v.Type(), nil
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return lookup(args) },
})

func lookup(args []cty.Value) (cty.Value, error) {
	if len(args) > 3 {
		return cty.NilVal, errors.New("lookup takes a map, a key and a default")
	}
	if !args[0].IsKnown() || !args[1].IsKnown() {
		return cty.DynamicVal, nil
	}
	key, t := args[1].AsString(), args[0].Type()
	switch {
	case t.IsObjectType() && t.HasAttribute(key):
		return args[0].GetAttr(key), nil
	case t.IsMapType() && args[0].HasIndex(args[1]).True():
		return args[0].Index(args[1]), nil
	case !t.IsObjectType() && !t.IsMapType():
		return cty.NilVal, function.NewArgErrorf(0, "must be a map, not %s", t.FriendlyName())
	case len(args) < 3:
		return cty.NilVal, fmt.Errorf("there is no key %s", strconv.Quote(key))
	}
	return args[2], nil
}

// indexFunc is where a list has a value.
var indexFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}, {Name: "value", Type: cty.DynamicPseudoType}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if t := args[0].Type(); !t.IsListType() && !t.IsTupleType() {
			return cty.NilVal, function.NewArgErrorf(0, "must be a list, not %s", t.FriendlyName())
		}
		i := int64(0)
		for it := args[0].ElementIterator(); it.Next(); i++ {
			_, v := it.Element()
			same, err := stdlib.Equal(v, args[1])
			if err != nil {
				return cty.NilVal, err
			}
			if !same.IsKnown() {
				return cty.UnknownVal(cty.Number), nil
			}
			if same.True() {
				return cty.NumberIntVal(i), nil
			}
		}
		return cty.NilVal, errors.New("the value is not in the list")
	},
})

// oneFunc is the only item of a list, or null when it is empty.
var oneFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
	Type: func(args []cty.Value) (cty.Type, error) {
		v, err := one(args[0])
		if err != nil {
			return cty.NilType, err
		}
		return v.Type(), nil
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return one(args[0]) },
})

func one(list cty.Value) (cty.Value, error) {
	switch t := list.Type(); {
	case !t.IsListType() && !t.IsSetType() && !t.IsTupleType():
		return cty.NilVal, function.NewArgErrorf(0, "must be a list, not %s", t.FriendlyName())
	case !list.IsKnown():
		return cty.DynamicVal, nil
	case list.LengthInt() > 1:
		return cty.NilVal, function.NewArgErrorf(0, "must have at most one item")
	}
	for it := list.ElementIterator(); it.Next(); {
		_, v := it.Element()
		return v, nil
	}
	return cty.NullVal(cty.DynamicPseudoType), nil
}

var sumFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if t := args[0].Type(); !t.IsListType() && !t.IsSetType() && !t.IsTupleType() || args[0].LengthInt() == 0 {
			return cty.NilVal, function.NewArgErrorf(0, "must be a list of numbers that is not empty")
		}
		total := cty.Zero
		for it := args[0].ElementIterator(); it.Next(); {
			_, v := it.Element()
			n, err := convert.Convert(v, cty.Number)
			if err != nil || n.IsNull() {
				return cty.NilVal, function.NewArgErrorf(0, "must be a list of numbers")
			}
			total = total.Add(n)
		}
		return total, nil
	},
})
