// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Validation collects the violated constraints of an input and words them as AWS's front end does:
//
//	1 validation error detected: Value 'X' at 'stateValue' failed to satisfy constraint: Member must …
//
// Paths are those of AWS's messages, in lower camel case with elements counted from 1: metricData.1.member.metricName.
// Members that are absent satisfy everything but Required. The zero value is ready to use.
type Validation struct {
	// Code of the error; "" is what the service calls it.
	Code string

	failed []string
}

// Fail adds a violation. value is as AWS prints it; nil is printed as null.
func (v *Validation) Fail(path string, value any, constraint string) {
	text := "null"
	if s, ok := printed(value); ok {
		text = "'" + s + "'"
	}
	v.failed = append(v.failed, "Value "+text+" at '"+path+"' failed to satisfy constraint: "+constraint)
}

// Failed reports whether there was a violation.
func (v *Validation) Failed() bool { return len(v.failed) > 0 }

// Err returns the violations as one error, nil when there were none.
func (v *Validation) Err() error {
	if len(v.failed) == 0 {
		return nil
	}
	plural := ""
	if len(v.failed) > 1 {
		plural = "s"
	}
	e := InvalidParameter(strconv.Itoa(len(v.failed)) + " validation error" + plural + " detected: " + strings.Join(v.failed, "; "))
	if v.Code != "" {
		e.Code, e.generic = v.Code, genericNone
	}
	return e
}

// Required demands a member: a pointer, list, map or union that is not nil, an enum that is not empty.
func (v *Validation) Required(path string, value any) {
	if isAbsent(value) {
		v.Fail(path, nil, "Member must not be null")
	}
}

// NoLimit stands for a bound that is not there.
const NoLimit = -1

// Length bounds a string's length in characters, or a list's or map's in elements. Either bound may be NoLimit.
func (v *Validation) Length(path string, value any, lowest, highest int) {
	n, ok := length(value)
	if !ok {
		return
	}
	if lowest != NoLimit && n < lowest {
		v.Fail(path, value, "Member must have length greater than or equal to "+strconv.Itoa(lowest))
	}
	if highest != NoLimit && n > highest {
		v.Fail(path, value, "Member must have length less than or equal to "+strconv.Itoa(highest))
	}
}

// Range bounds a number. Infinities are bounds that are not there.
func (v *Validation) Range(path string, value any, lowest, highest float64) {
	f, ok := number(value)
	if !ok {
		return
	}
	if f < lowest {
		v.Fail(path, value, "Member must have value greater than or equal to "+bound(lowest))
	}
	if f > highest {
		v.Fail(path, value, "Member must have value less than or equal to "+bound(highest))
	}
}

func bound(f float64) string {
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return strconv.FormatInt(int64(f), 10)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// Enum demands one of the allowed values, which are printed in the order given.
func (v *Validation) Enum(path string, value any, allowed ...string) {
	s, ok := stringOf(value)
	if !ok {
		return
	}
	if slices.Contains(allowed, s) {
		return
	}
	v.Fail(path, value, "Member must satisfy enum value set: ["+strings.Join(allowed, ", ")+"]")
}

// EnumValues converts the values of one of the SDK's enums, as types.X("").Values() returns them, for Enum.
func EnumValues[T ~string](values []T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

// Pattern is a regular expression of AWS's models, which a whole value must match.
type Pattern struct {
	text string
	re   *regexp.Regexp
}

// MustPattern compiles a pattern as the model writes it, and panics when it is not one.
func MustPattern(text string) *Pattern {
	return &Pattern{text: text, re: regexp.MustCompile(`\A(?:` + text + `)\z`)}
}

// Pattern demands that a string match.
func (v *Validation) Pattern(path string, value any, p *Pattern) {
	if s, ok := stringOf(value); ok && !p.re.MatchString(s) {
		v.Fail(path, value, "Member must satisfy regular expression pattern: "+p.text)
	}
}

// Element is the path of a list's element, counted from 0 here and from 1 in the path.
func Element(list string, i int) string {
	return list + "." + strconv.Itoa(i+1) + ".member"
}

// indirect follows pointers; ok is false for a nil anywhere, and for an enum without value.
func indirect(value any) (r reflect.Value, ok bool) {
	r = reflect.ValueOf(value)
	wasPointer := false
	for r.Kind() == reflect.Pointer || r.Kind() == reflect.Interface {
		wasPointer = true
		r = r.Elem()
	}
	switch r.Kind() {
	case reflect.Invalid:
		return r, false
	case reflect.Slice, reflect.Map:
		return r, !r.IsNil()
	case reflect.String:
		// The SDK holds enums as strings that are empty when absent.
		return r, wasPointer || r.Type() == reflect.TypeFor[string]() || r.Len() > 0
	default:
		return r, true
	}
}

func isAbsent(value any) bool {
	_, ok := indirect(value)
	return !ok
}

func length(value any) (int, bool) {
	r, ok := indirect(value)
	if !ok {
		return 0, false
	}
	switch r.Kind() {
	case reflect.String:
		return utf8.RuneCountInString(r.String()), true
	case reflect.Slice, reflect.Map:
		return r.Len(), true
	default:
		return 0, false
	}
}

func stringOf(value any) (string, bool) {
	r, ok := indirect(value)
	if !ok || r.Kind() != reflect.String {
		return "", false
	}
	return r.String(), true
}

func number(value any) (float64, bool) {
	r, ok := indirect(value)
	switch {
	case !ok:
		return 0, false
	case r.CanInt():
		return float64(r.Int()), true
	case r.CanFloat():
		return r.Float(), true
	default:
		return 0, false
	}
}

// maxPrinted bounds a value in a message. AWS prints all of it; nobody reads a megabyte.
const maxPrinted = 1024

// printed is a value as AWS prints it: lists as [a, b], maps as {k=v}, doubles as Java does. ok is false for null.
func printed(value any) (string, bool) {
	r, ok := indirect(value)
	if !ok {
		return "", false
	}
	s := printValue(r, 0)
	if len(s) > maxPrinted {
		cut := maxPrinted
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return s, true
}

func printValue(r reflect.Value, depth int) string {
	for r.Kind() == reflect.Pointer || r.Kind() == reflect.Interface {
		if r.IsNil() {
			return "null"
		}
		r = r.Elem()
	}
	switch {
	case r.Type() == typeTime:
		return r.Interface().(time.Time).UTC().Format(time.RFC3339Nano)
	case r.Kind() == reflect.String:
		return r.String()
	case r.CanFloat():
		return string(appendXMLFloat(nil, r.Float(), 64))
	case r.Kind() == reflect.Slice && depth < 2:
		var b strings.Builder
		b.WriteByte('[')
		for i := range r.Len() {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(printValue(r.Index(i), depth+1))
			if b.Len() > maxPrinted {
				break
			}
		}
		return b.String() + "]"
	case r.Kind() == reflect.Map && depth < 2:
		var b strings.Builder
		b.WriteByte('{')
		for i, k := range sortedKeys(r) {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(k.String() + "=" + printValue(r.MapIndex(k), depth+1))
			if b.Len() > maxPrinted {
				break
			}
		}
		return b.String() + "}"
	case r.Kind() == reflect.Struct:
		return r.Type().Name()
	default:
		return fmt.Sprint(r.Interface())
	}
}
