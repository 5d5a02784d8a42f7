// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notation

import (
	"strings"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Metric reads a metric and its unit: Namespace/Name{Dimension=Value, …} Unit. The unit is None when there is none. A value
// of a dimension that has a comma, a brace, a quote or space at its ends is written in double quotes.
func Metric(text string) (m cloudwatch.Metric, unit string, err error) {
	p := &parser{text: text}
	p.space()
	end := strings.IndexAny(text[p.at:], "{ \t")
	if end < 0 {
		end = len(text)
	} else {
		end += p.at
	}
	full := text[p.at:end]
	slash := strings.LastIndexByte(full, '/')
	if slash <= 0 || slash == len(full)-1 {
		return m, "", p.fail("expected Namespace/Name, not %q", full)
	}
	p.at = end
	var dims []cloudwatch.Dimension
	if p.take('{') {
		if dims, err = p.dimensions(); err != nil {
			return m, "", err
		}
	}
	p.space()
	unit = strings.TrimRight(text[p.at:], " \t\r\n")
	if unit == "" {
		unit = cloudwatch.UnitNone
	}
	if !cloudwatch.ValidUnit(unit) {
		return m, "", p.fail("%q is not a unit of CloudWatch", unit)
	}
	m, err = cloudwatch.NewMetric(full[:slash], full[slash+1:], dims)
	if err != nil {
		return m, "", p.fail("%s", err.Error())
	}
	return m, unit, nil
}

func (p *parser) dimensions() ([]cloudwatch.Dimension, error) {
	var dims []cloudwatch.Dimension
	for {
		p.space()
		if p.take('}') {
			return dims, nil
		}
		name, value, ok := strings.Cut(p.text[p.at:], "=")
		if !ok {
			return nil, p.fail("expected Name=Value")
		}
		p.at += len(name) + 1
		if name = strings.TrimSpace(name); name == "" || strings.ContainsAny(name, "{},\"") {
			return nil, p.fail("%q is not the name of a dimension", name)
		}
		if strings.HasPrefix(value, `"`) {
			unquoted, n, err := unquote(value)
			if err != nil {
				return nil, p.fail("%s", err.Error())
			}
			p.at += n
			value = unquoted
		} else {
			end := strings.IndexAny(value, ",}")
			if end < 0 {
				return nil, p.fail("expected }")
			}
			p.at += end
			value = strings.TrimSpace(value[:end])
		}
		if value == "" {
			return nil, p.fail("the dimension %s has no value", name)
		}
		dims = append(dims, cloudwatch.Dimension{Name: name, Value: value})
		p.space()
		if !p.take(',') && p.peek() != '}' {
			return nil, p.fail("expected , or }")
		}
	}
}

// unquote reads a string in double quotes, and says how long it is in the text.
func unquote(text string) (s string, n int, err error) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return b.String(), i + 1, nil
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", 0, &Error{Message: `expected "`}
}

// FormatMetric writes a metric as [Metric] reads it.
func FormatMetric(m *cloudwatch.Metric, unit string) string {
	var b strings.Builder
	b.WriteString(m.Namespace + "/" + m.Name)
	if len(m.Dimensions) > 0 {
		b.WriteByte('{')
		for i, d := range m.Dimensions {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(d.Name + "=" + quoteIfNeeded(d.Value))
		}
		b.WriteByte('}')
	}
	if unit != "" && unit != cloudwatch.UnitNone {
		b.WriteString(" " + unit)
	}
	return b.String()
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func quoteIfNeeded(s string) string {
	if strings.ContainsAny(s, ",}\"") || strings.TrimSpace(s) != s {
		return `"` + escaper.Replace(s) + `"`
	}
	return s
}
