// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"math"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestValidation(t *testing.T) {
	name := MustPattern(`[\.\-_/#A-Za-z0-9]+`)
	for _, tc := range []struct {
		name  string
		check func(v *Validation)
		want  string
	}{
		{"nothing wrong", func(v *Validation) {
			v.Required("a", aws.String(""))
			v.Required("b", types.StateValueOk)
			v.Required("c", []string{})
			v.Length("d", aws.String("äöü"), 1, 3)
			v.Length("d", (*string)(nil), 1, 3)
			v.Range("e", aws.Int32(5), 1, 5)
			v.Range("e", (*int32)(nil), 1, 5)
			v.Range("e", aws.Float64(5), math.Inf(-1), 5)
			v.Enum("f", types.StateValue(""), "OK")
			v.Pattern("g", aws.String("/aws/lambda/x"), name)
			v.Pattern("g", (*string)(nil), name)
			v.Length("h", 5, 9, 9)
			v.Range("h", "x", 9, 9)
		}, ""},
		{"enum", func(v *Validation) {
			v.Enum("stateValue", types.StateValue("INVALID"), "INSUFFICIENT_DATA", "ALARM", "OK")
		}, "1 validation error detected: Value 'INVALID' at 'stateValue' failed to satisfy constraint: " +
			"Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]"},
		{"null", func(v *Validation) {
			v.Required("logGroupName", (*string)(nil))
			v.Required("type", types.StateValue(""))
		}, "2 validation errors detected: Value null at 'logGroupName' failed to satisfy constraint: Member must not be null; " +
			"Value null at 'type' failed to satisfy constraint: Member must not be null"},
		{"length", func(v *Validation) {
			v.Length("logGroupName", aws.String(""), 1, 512)
			v.Length(Element("tags", 0)+".key", "abc", NoLimit, 2)
			v.Length("names", []string{"a", "b"}, NoLimit, 1)
			v.Length("map", map[string]string{"b": "2", "a": "1"}, NoLimit, 1)
		}, "4 validation errors detected: " +
			"Value '' at 'logGroupName' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
			"Value 'abc' at 'tags.1.member.key' failed to satisfy constraint: Member must have length less than or equal to 2; " +
			"Value '[a, b]' at 'names' failed to satisfy constraint: Member must have length less than or equal to 1; " +
			"Value '{a=1, b=2}' at 'map' failed to satisfy constraint: Member must have length less than or equal to 1"},
		{"range", func(v *Validation) {
			v.Range("limit", aws.Int32(0), 1, 50)
			v.Range("limit", aws.Int32(51), 1, 50)
			v.Range("rate", aws.Float64(2), 0, 1.5)
		}, "3 validation errors detected: " +
			"Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1; " +
			"Value '51' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 50; " +
			"Value '2.0' at 'rate' failed to satisfy constraint: Member must have value less than or equal to 1.5"},
		{"pattern", func(v *Validation) {
			v.Pattern("logGroupName", aws.String("a b"), name)
		}, `1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: ` +
			`Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+`},
		{"structures", func(v *Validation) {
			v.Length("dimensions", []types.Dimension{{}}, 2, NoLimit)
		}, "1 validation error detected: Value '[Dimension]' at 'dimensions' failed to satisfy constraint: " +
			"Member must have length greater than or equal to 2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var v Validation
			tc.check(&v)
			assert.Equal(t, tc.want != "", v.Failed())
			if tc.want == "" {
				require.NoError(t, v.Err())
				return
			}
			var e *Error
			require.ErrorAs(t, v.Err(), &e)
			assert.Equal(t, tc.want, e.Message)
		})
	}
}

func TestValidationCode(t *testing.T) {
	var v Validation
	v.Required("x", nil)
	for service, want := range map[string]string{
		"logs": "InvalidParameterException", "monitoring": "ValidationException", "xray": "InvalidRequestException",
	} {
		f, _ := failureOf(NewService(service), ProtocolJSON11, false, v.Err())
		assert.Equal(t, want, f.shape)
	}
	v.Code = "InvalidParameterValueException"
	f, _ := failureOf(NewService("logs"), ProtocolJSON11, false, v.Err())
	assert.Equal(t, "InvalidParameterValueException", f.shape)
}

func TestLongValuesAreClipped(t *testing.T) {
	var v Validation
	v.Length("x", strings.Repeat("ä", 1<<20), NoLimit, 1)
	assert.Less(t, len(v.Err().Error()), 2*maxPrinted)
}

func TestEnumValues(t *testing.T) {
	assert.Equal(t, []string{"OK", "ALARM", "INSUFFICIENT_DATA"}, EnumValues(types.StateValue("").Values()))
}
