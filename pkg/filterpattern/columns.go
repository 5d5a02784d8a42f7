// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package filterpattern

import (
	"slices"
	"strconv"
	"strings"
)

// columns is a pattern in brackets for messages cut at blanks.
type columns struct {
	fields []column
	rest   int // the index of "...", or -1
	count  int // of regular expressions
}

// column is one field of the pattern. Its conditions are joined by || of &&.
type column struct {
	name string
	any  [][]columnCond
}

type columnCond struct {
	op string
	v  *operand
}

func compileColumns(text string) (matcher, error) {
	c := &columns{rest: -1}
	if !strings.HasSuffix(text, "]") {
		return nil, errChars("[")
	}
	if strings.Trim(text[1:len(text)-1], blanks) == "" {
		return c, nil
	}
	i := 1
	for {
		end, err := c.field(text, i)
		if err != nil {
			return nil, err
		}
		i = skipBlank(text, end)
		switch {
		case i >= len(text):
			return nil, errChars("[")
		case text[i] == ',':
			i++
			continue
		case text[i] == ']' && i == len(text)-1:
			if c.count > maxRegexes {
				return nil, errorf("the filter pattern has %d regular expressions, the limit is %d", c.count, maxRegexes)
			}
			return c, nil
		}
		return nil, errChars(badRun(text, i))
	}
}

func skipBlank(text string, i int) int {
	for i < len(text) && isBlank(text[i]) {
		i++
	}
	return i
}

// field reads one field of the pattern.
func (c *columns) field(text string, i int) (end int, err error) {
	i = skipBlank(text, i)
	if strings.HasPrefix(text[i:], "...") {
		if c.rest >= 0 {
			return 0, errorf("the filter pattern has ... twice")
		}
		c.rest = len(c.fields)
		c.fields = append(c.fields, column{})
		return i + 3, nil
	}
	var f column
	var and []columnCond
	for {
		name, at := readName(text, i)
		op, behind := readOperator(text, skipBlank(text, at))
		switch {
		case name == "" && (f.name != "" || op != ""):
			if i < len(text) {
				return 0, errChars(badRun(text, i))
			}
			return 0, errorf("a field's name is missing")
		case f.name != "" && name != f.name:
			return 0, errorf("conditions of one field must have one name, not %s and %s", f.name, name)
		}
		f.name = name
		if op == "" {
			if len(and) > 0 || len(f.any) > 0 {
				return 0, errorf("a condition is missing behind %s", name)
			}
			c.fields = append(c.fields, f)
			return at, nil
		}
		v, at, err := readOperand(text, skipBlank(text, behind), op, "./")
		if err != nil {
			return 0, err
		}
		if v.re != nil {
			c.count++
		}
		and = append(and, columnCond{op, v})
		i = skipBlank(text, at)
		switch {
		case strings.HasPrefix(text[i:], "&&"):
		case strings.HasPrefix(text[i:], "||"):
			f.any, and = append(f.any, and), nil
		default:
			f.any = append(f.any, and)
			c.fields = append(c.fields, f)
			return i, nil
		}
		i = skipBlank(text, i+2)
	}
}

func readName(text string, i int) (name string, end int) {
	end = i
	for end < len(text) && (isWord(text[end]) || strings.IndexByte("-.@", text[end]) >= 0) {
		end++
	}
	return text[i:end], end
}

// span is one field of a message: its text, and where it begins.
type span struct {
	text  string
	begin int
}

// cut cuts a message at blanks; what stands in quotes or brackets is one field, without them.
func cut(message string, into []span) []span {
	for i := skipBlank(message, 0); i < len(message); i = skipBlank(message, i) {
		last := byte(0)
		switch message[i] {
		case '"':
			last = '"'
		case '[':
			last = ']'
		}
		if last != 0 {
			if n := strings.IndexByte(message[i+1:], last); n >= 0 {
				into = append(into, span{message[i+1 : i+1+n], i})
				i += n + 2
				continue
			}
		}
		end := i
		for end < len(message) && !isBlank(message[end]) {
			end++
		}
		into = append(into, span{message[i:end], i})
		i = end
	}
	return into
}

// align finds the field of the message for each field of the pattern: field n of the pattern is at[n].
func (c *columns) align(fields []span) (shift int, ok bool) {
	want := len(c.fields)
	switch {
	case c.rest >= 0:
		// The fields behind ... are counted from the end.
		return len(fields) - want, len(fields) >= want-1
	case len(fields) == want:
		return 0, true
	}
	// A last field without condition takes the rest.
	return 0, len(fields) > want && want > 0 && len(c.fields[want-1].any) == 0
}

func (c *columns) match(message string) bool {
	if len(c.fields) == 0 {
		return true
	}
	var room [64]span
	fields := cut(message, room[:0])
	shift, ok := c.align(fields)
	if !ok {
		return false
	}
	for n, f := range c.fields {
		if n == c.rest || len(f.any) == 0 {
			continue
		}
		if c.rest >= 0 && n > c.rest {
			n += shift
		}
		if !f.match(fields[n].text) {
			return false
		}
	}
	return true
}

func (f *column) match(s string) bool {
	for _, and := range f.any {
		if !slices.ContainsFunc(and, func(c columnCond) bool { return !c.match(s) }) {
			return true
		}
	}
	return false
}

func (c *columnCond) match(s string) bool {
	switch c.op {
	case opEqual:
		return c.v.matchesText(s)
	case opNotEqual:
		return !c.v.matchesText(s)
	}
	f, ok := spelledNumber(s)
	return ok && c.v.compareSize(c.op, f)
}

func (c *columns) extract(message string, into map[string]string) {
	fields := cut(message, nil)
	shift, _ := c.align(fields)
	if len(c.fields) == 0 {
		c = &columns{fields: []column{{}}, rest: 0}
		shift = len(fields) - 1
	}
	for n, f := range c.fields {
		if n == c.rest {
			for i := n; i <= n+shift; i++ {
				into["$"+strconv.Itoa(i+1)] = fields[i].text
			}
			continue
		}
		if c.rest >= 0 && n > c.rest {
			n += shift
		}
		name := f.name
		if name == "" {
			name = strconv.Itoa(n + 1)
		}
		text := fields[n].text
		if c.rest < 0 && n == len(c.fields)-1 && len(fields) > len(c.fields) {
			text = strings.Trim(message[fields[n].begin:], blanks)
		}
		into["$"+name] = text
	}
}

func (c *columns) required() []string {
	var list []string
	for _, f := range c.fields {
		if len(f.any) != 1 {
			continue
		}
		for _, cond := range f.any[0] {
			if cond.op != opEqual {
				continue
			}
			for _, s := range cond.v.required() {
				if s != "" {
					list = append(list, s)
				}
			}
		}
	}
	return list
}

func (c *columns) regexes() int { return c.count }

func (c *columns) String() string {
	parts := make([]string, len(c.fields))
	for i, f := range c.fields {
		switch {
		case i == c.rest:
			parts[i] = "..."
		case len(f.any) == 0:
			parts[i] = f.name
		default:
			var any []string
			for _, and := range f.any {
				var all []string
				for _, cond := range and {
					all = append(all, f.name+" "+cond.op+" "+cond.v.String())
				}
				any = append(any, strings.Join(all, " && "))
			}
			parts[i] = strings.Join(any, " || ")
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
