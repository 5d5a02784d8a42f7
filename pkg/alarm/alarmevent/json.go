// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmevent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// encode writes v as CloudWatch does: without escapes that HTML would need.
func encode(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		// Everything that is written here is made of texts and finite numbers.
		panic(fmt.Sprintf("alarmevent: %v", err))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// double is a number that is written as Java writes a double: 21.0, 1.0E10.
type double float64

// MarshalJSON implements [json.Marshaler].
func (d double) MarshalJSON() ([]byte, error) { return []byte(d.String()), nil }

func (d double) String() string {
	v := float64(d)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return `"` + strconv.FormatFloat(v, 'g', -1, 64) + `"` // alarms have finite numbers only
	}
	if a := math.Abs(v); a == 0 || a >= 1e-3 && a < 1e7 {
		s := strconv.FormatFloat(v, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'E', -1, 64), "E")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exponent) // FormatFloat writes a number there
	return mantissa + "E" + strconv.Itoa(n)
}

func doubleOf(f *float64) *double {
	if f == nil {
		return nil
	}
	d := double(*f)
	return &d
}

// milliTime is a time with milliseconds, as it is everywhere but in the envelope of events.
type milliTime time.Time

const milliFormat = "2006-01-02T15:04:05.000-0700"

// MarshalJSON implements [json.Marshaler].
func (t milliTime) MarshalJSON() ([]byte, error) {
	return []byte(`"` + t.String() + `"`), nil
}

func (t milliTime) String() string { return time.Time(t).UTC().Format(milliFormat) }

// longTime is a time as people read it in reasons and messages.
func longTime(t time.Time) string { return t.UTC().Format("Monday 02 January, 2006 15:04:05 UTC") }

// embedded is text that is JSON, embedded as such; nil for "".
func embedded(text string) json.RawMessage {
	switch {
	case text == "":
		return nil
	case json.Valid([]byte(text)):
		return json.RawMessage(text)
	}
	return json.RawMessage(encode(text))
}

// list is never null in JSON.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
