// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// parameter is the value of a parameter: given, or its default.
func (t *template) parameter(name string, declaration *value, line int) (*value, error) {
	typ := "String"
	if v := declaration.get("Type"); v != nil {
		typ = v.text
	}
	text, given := t.l.Parameters[name]
	if !given {
		fallback := declaration.get("Default")
		switch {
		case fallback == nil:
			return nil, cannot(line, "the parameter %q has no default and was not given", name)
		case strings.HasPrefix(typ, "AWS::SSM::Parameter::"):
			return nil, cannot(line, "the parameter %q is kept in Parameter Store (%s): give its value", name, fallback.text)
		case !fallback.scalar():
			return nil, cannot(fallback.line, "the default of the parameter %q must be a string, not %s", name, fallback.kind)
		}
		text = fallback.text
	}
	values := []string{text}
	list := typ == "CommaDelimitedList" || strings.HasPrefix(typ, "List<") || strings.Contains(typ, "<List<") ||
		strings.Contains(typ, "<CommaDelimitedList>")
	if list {
		values = strings.Split(text, ",")
		for i := range values {
			values[i] = strings.TrimSpace(values[i])
		}
	}
	for _, s := range values {
		if err := t.checkParameter(name, typ, s, declaration); err != nil {
			return nil, err
		}
	}
	if !list {
		return stringValue(line, text), t.spend(len(text), line)
	}
	out := listValue(line)
	for _, s := range values {
		out.list = append(out.list, stringValue(line, s))
	}
	return out, t.spend(len(text)+len(values), line)
}

func (t *template) checkParameter(name, typ, text string, declaration *value) error {
	wrong := func(format string, args ...any) error {
		return cannot(declaration.line, "the parameter %q is %q, which "+format, append([]any{name, text}, args...)...)
	}
	number, err := strconv.ParseFloat(text, 64)
	if strings.Contains(typ, "Number") && err != nil {
		return wrong("is not a number")
	}
	if allowed := declaration.get("AllowedValues"); allowed != nil && allowed.kind == kindList &&
		!slices.ContainsFunc(allowed.list, func(v *value) bool { return v.text == text }) {
		return wrong("is not one of its AllowedValues")
	}
	for _, c := range []struct {
		key     string
		n       float64
		atLeast bool
	}{
		{"MinValue", number, true},
		{"MaxValue", number, false},
		{"MinLength", float64(utf8.RuneCountInString(text)), true},
		{"MaxLength", float64(utf8.RuneCountInString(text)), false},
	} {
		v := declaration.get(c.key)
		if v == nil {
			continue
		}
		limit, err := strconv.ParseFloat(v.text, 64)
		if err != nil {
			return cannot(v.line, "%s of the parameter %q is not a number", c.key, name)
		}
		if c.atLeast && c.n < limit || !c.atLeast && c.n > limit {
			return wrong("is beyond its %s of %s", c.key, v.text)
		}
	}
	if pattern := declaration.get("AllowedPattern"); pattern != nil {
		re, err := regexp.Compile(`^(?:` + pattern.text + `)$`)
		if err != nil {
			t.l.note(t.file, pattern.line, "AllowedPattern of the parameter %q is not checked: %v", name, err)
		} else if !re.MatchString(text) {
			return wrong("does not match its AllowedPattern %s", pattern.text)
		}
	}
	return nil
}
