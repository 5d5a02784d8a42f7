// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package sns

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Attribute is an attribute of a message.
type Attribute struct {
	// DataType is String, Number, Binary or String.Array, and may have a suffix of the user's after a dot.
	DataType string `json:"t"`
	// Value is the text, or the base64 text of a binary value.
	Value string `json:"v"`
}

// Attributes are the attributes of a message by name.
type Attributes map[string]Attribute

// Size is what the attributes count towards the size of a message.
func (a Attributes) Size() int {
	n := 0
	for name, v := range a {
		n += len(name) + len(v.DataType) + len(v.Value)
	}
	return n
}

const (
	maxAttributeName = 256
	maxAttributeType = 256
	// stringArray is the data type whose value is a JSON array.
	stringArray = "String.Array"
)

// Check reports the first attribute, by name, that SNS refuses.
func (a Attributes) Check() error {
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if err := a[name].check(name); err != nil {
			return err
		}
	}
	return nil
}

func refuseAttribute(format string, args ...any) error {
	return &Error{Code: CodeInvalidParameterValue, Message: fmt.Sprintf(format, args...)}
}

func (v Attribute) check(name string) error {
	if name == "" || len(name) > maxAttributeName {
		return refuseAttribute("Length of message attribute name must be less than 256 bytes.")
	}
	for i := range len(name) {
		if c := name[i]; !isNameByte(c) && c != '.' {
			return refuseAttribute("Invalid non-alphanumeric character '#x%X' was found in the message attribute name. Can only include "+
				"alphanumeric characters, hyphens, underscores, or dots.", c)
		}
	}
	if strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") {
		return refuseAttribute("Invalid message attribute name '%s': it must not begin or end with a dot, or have two in a row.", name)
	}
	if v.DataType == "" {
		return refuseAttribute("The message attribute '%s' must contain non-empty message attribute type.", name)
	}
	if len(v.DataType) > maxAttributeType {
		return refuseAttribute("Length of message attribute type must be less than 256 bytes.")
	}
	base, _, _ := strings.Cut(v.DataType, ".")
	switch base {
	case "String", "Number", "Binary":
	default:
		return refuseAttribute("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is "+
			"Binary, Number, and String.", name)
	}
	if v.Value == "" {
		return refuseAttribute("The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.",
			name, v.DataType)
	}
	if base == "Number" {
		if _, err := parseNumber(v.Value); err != nil {
			return refuseAttribute("Could not cast message attribute '%s' value to number.", name)
		}
	}
	if v.DataType == stringArray {
		var list []any
		if json.Unmarshal([]byte(v.Value), &list) != nil || slices.ContainsFunc(list, isStructure) {
			return refuseAttribute("The message attribute '%s' of type String.Array must be a JSON array of strings, numbers, booleans and nulls.", name)
		}
	}
	return nil
}

func isStructure(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return true
	}
	return false
}

// parseNumber reads a decimal number, not the other forms that Go knows.
func parseNumber(s string) (float64, error) {
	if strings.Trim(s, "+-0123456789.eE") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(s, 64)
}
