// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package dashboard

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// rule checks a value at a path.
type rule func(c *checker, path string, v *Value)

// fields are the members that an object may have.
type fields map[string]rule

// anything is the rule of a member about which CloudWatch says nothing.
func anything(*checker, string, *Value) {}

func isKind(c *checker, path string, v *Value, k Kind) bool {
	if v.Kind == k {
		return true
	}
	c.fail(path, "Should be "+[...]string{"null", "boolean", "number", "string", "array", "object"}[k])
	return false
}

func isString(c *checker, path string, v *Value)  { isKind(c, path, v, KindString) }
func isBoolean(c *checker, path string, v *Value) { isKind(c, path, v, KindBool) }
func isNumber(c *checker, path string, v *Value)  { isKind(c, path, v, KindNumber) }
func isObject(c *checker, path string, v *Value)  { isKind(c, path, v, KindObject) }

func isScalar(c *checker, path string, v *Value) {
	switch v.Kind {
	case KindString, KindNumber, KindBool:
	default:
		c.fail(path, "Should be string,number,boolean")
	}
}

// softly makes warnings of what the rule finds.
func softly(r rule) rule {
	return func(c *checker, path string, v *Value) {
		from := len(c.found)
		r(c, path, v)
		for i := from; i < len(c.found); i++ {
			c.found[i].fatal = false
		}
	}
}

// integer is the rule of whole numbers from lowest to highest.
func integer(lowest, highest float64) rule {
	return func(c *checker, path string, v *Value) {
		n, ok := v.number()
		if !ok || n != math.Trunc(n) {
			c.fail(path, "Should be integer")
			return
		}
		if n < lowest {
			c.fail(path, "Should be >= "+strconv.FormatFloat(lowest, 'f', -1, 64))
		}
		if n > highest {
			c.fail(path, "Should be <= "+strconv.FormatFloat(highest, 'f', -1, 64))
		}
	}
}

// pattern is the rule of strings that match. The message has the expression as it is given.
func pattern(expression string) rule { return patternLike(expression, expression) }

// patternLike tells another expression than it goes by.
func patternLike(told, expression string) rule {
	re := regexp.MustCompile(expression)
	return func(c *checker, path string, v *Value) {
		if isKind(c, path, v, KindString) && !re.MatchString(v.Text) {
			c.fail(path, `Should match pattern "`+told+`"`)
		}
	}
}

func text(longest int) rule {
	return func(c *checker, path string, v *Value) {
		if isKind(c, path, v, KindString) && utf8.RuneCountInString(v.Text) > longest {
			c.fail(path, "Should NOT be longer than "+strconv.Itoa(longest)+" characters")
		}
	}
}

// oneOf is the rule of a member with a fixed set of values; others are warned of.
func oneOf(name string, values ...string) rule {
	return func(c *checker, path string, v *Value) {
		if isKind(c, path, v, KindString) && !slices.Contains(values, v.Text) {
			c.warn(path, `The value of "`+name+`" property is not valid. Should be equal to one of the allowed values: `+
				strings.Join(values, ","))
		}
	}
}

// list is the rule of arrays with so many items.
func list(fewest, most int, item rule) rule {
	return func(c *checker, path string, v *Value) {
		if !isKind(c, path, v, KindArray) {
			return
		}
		switch {
		case len(v.Items) < fewest:
			c.fail(path, "Should NOT have less than "+strconv.Itoa(fewest)+" items")
		case len(v.Items) > most:
			c.fail(path, "Should NOT have more than "+strconv.Itoa(most)+" items")
			return
		}
		for i := range v.Items {
			item(c, child(path, strconv.Itoa(i)), &v.Items[i])
		}
	}
}

const noLimit = math.MaxInt

// object is the rule of objects with these members, of which some are required.
func object(f fields, required ...string) rule {
	return func(c *checker, path string, v *Value) {
		if !isKind(c, path, v, KindObject) {
			return
		}
		c.required(path, v, required...)
		c.members(path, v, f)
		c.unexpected(path, v, f, inWidget)
	}
}

func (c *checker) required(path string, v *Value, names ...string) bool {
	ok := true
	for _, name := range names {
		if v.Member(name) == nil {
			c.missing(path, name)
			ok = false
		}
	}
	return ok
}

func (c *checker) missing(path, name string) {
	c.fail(path, "Should have required property '"+name+"'")
}

// firstMissing reports the first of the members that is missing.
func (c *checker) firstMissing(path string, v *Value, names ...string) bool {
	for _, name := range names {
		if !c.required(path, v, name) {
			return false
		}
	}
	return true
}

// members checks an object's members in order of their names.
func (c *checker) members(path string, v *Value, f fields) {
	order := make([]int, 0, len(v.Members))
	for i := range v.Members {
		if f[v.Members[i].Name] != nil {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(v.Members[a].Name, v.Members[b].Name) })
	for _, i := range order {
		m := &v.Members[i]
		f[m.Name](c, child(path, m.Name), &m.Value)
	}
}

// Where an unexpected member is.
const (
	inRoot   = " property is not expected, will be ignored"
	inWidget = " property is not expected to be part of a widget definition, will be ignored"
)

// unexpected warns of members that nobody asked for.
func (c *checker) unexpected(path string, v *Value, f fields, where string) {
	for i := range v.Members {
		if name := v.Members[i].Name; f[name] == nil {
			c.warn(path, `The "`+name+`"`+where)
		}
	}
}
