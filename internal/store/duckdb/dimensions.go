// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"encoding/json"
	"strings"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// dimensionsJSON is the text of the dimensions column: a JSON object, for people and for filters.
func dimensionsJSON(dims []cloudwatch.Dimension) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range dims {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(jsonString(dims[i].Name))
		b.WriteByte(':')
		b.WriteString(jsonString(dims[i].Value))
	}
	b.WriteByte('}')
	return b.String()
}

func jsonString(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic("a string is always JSON: " + err.Error())
	}
	return string(text)
}

// dimensionNeedle is the text that the dimensions column contains exactly when the filter matches: a quote inside of a
// name or value is escaped there, so it cannot be taken for the end of one.
func dimensionNeedle(f *cloudwatch.DimensionFilter) string {
	needle := jsonString(f.Name) + ":"
	if f.HasValue {
		needle += jsonString(f.Value)
	}
	return needle
}
