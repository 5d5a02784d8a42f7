// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package dashboard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a document.
const maxDepth = 64

// Kind is what a JSON value is.
type Kind uint8

// The kinds.
const (
	KindNull Kind = iota
	KindBool
	KindNumber
	KindString
	KindArray
	KindObject
)

// Value is a JSON value that keeps the order of members and the spelling of numbers.
type Value struct {
	Kind    Kind
	Bool    bool
	Text    string // of a string, decoded, or of a number, as it was written
	Items   []Value
	Members []Member
}

// Member is a name and value of an object.
type Member struct {
	Name  string
	Value Value
}

// errTooDeep is the error of a document that is nested deeper than is read.
var errTooDeep = fmt.Errorf("nested deeper than %d levels", maxDepth)

var errSyntax = errors.New("not valid JSON")

// parseJSON reads one JSON value. Of members with the same name the last one counts, in the place of the first.
func parseJSON(text string) (*Value, error) {
	if !json.Valid([]byte(text)) {
		return nil, errSyntax
	}
	v, r := &Value{}, reader{text: text}
	if err := r.read(v, 0); err != nil {
		return nil, err
	}
	return v, nil
}

// reader reads text that is known to be valid JSON.
type reader struct {
	text string
	at   int
}

// next skips white space and returns the byte behind it, which is not taken.
func (r *reader) next() byte {
	for {
		switch c := r.text[r.at]; c {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return c
		}
	}
}

func (r *reader) read(v *Value, depth int) error {
	switch r.next() {
	case 'n':
		r.at += len("null")
	case 't':
		v.Kind, v.Bool = KindBool, true
		r.at += len("true")
	case 'f':
		v.Kind = KindBool
		r.at += len("false")
	case '"':
		v.Kind = KindString
		v.Text = r.string()
	case '[':
		v.Kind = KindArray
		return r.items(v, depth+1)
	case '{':
		v.Kind = KindObject
		return r.members(v, depth+1)
	default:
		v.Kind = KindNumber
		from := r.at
		for r.at < len(r.text) && strings.IndexByte("+-.eE0123456789", r.text[r.at]) >= 0 {
			r.at++
		}
		v.Text = r.text[from:r.at]
	}
	return nil
}

func (r *reader) items(v *Value, depth int) error {
	if depth > maxDepth {
		return errTooDeep
	}
	for r.at++; r.next() != ']'; {
		v.Items = append(v.Items, Value{})
		if err := r.read(&v.Items[len(v.Items)-1], depth); err != nil {
			return err
		}
		if r.next() == ',' {
			r.at++
		}
	}
	r.at++
	return nil
}

// fewMembers is how many members are compared one by one for a name that is there twice.
const fewMembers = 16

func (r *reader) members(v *Value, depth int) error {
	if depth > maxDepth {
		return errTooDeep
	}
	var where map[string]int
	for r.at++; r.next() != '}'; {
		m := Member{Name: r.string()}
		r.next()
		r.at++ // the colon
		if err := r.read(&m.Value, depth); err != nil {
			return err
		}
		if r.next() == ',' {
			r.at++
		}
		if len(v.Members) == fewMembers {
			where = make(map[string]int, 2*fewMembers)
			for i := range v.Members {
				where[v.Members[i].Name] = i
			}
		}
		i, there := where[m.Name]
		if where == nil {
			i = slices.IndexFunc(v.Members, func(o Member) bool { return o.Name == m.Name })
			there = i >= 0
		}
		if there {
			v.Members[i] = m
			continue
		}
		if where != nil {
			where[m.Name] = len(v.Members)
		}
		v.Members = append(v.Members, m)
	}
	r.at++
	return nil
}

// string takes a string.
func (r *reader) string() string {
	from := r.at
	plain := true
	for r.at++; r.text[r.at] != '"'; r.at++ {
		if r.text[r.at] == '\\' {
			r.at++
			plain = false
		}
	}
	r.at++
	if plain && utf8.ValidString(r.text[from:r.at]) {
		return r.text[from+1 : r.at-1]
	}
	var s string
	if err := json.Unmarshal([]byte(r.text[from:r.at]), &s); err != nil {
		return "" // not reached: the text is valid
	}
	return s
}

// Member returns a member's value, or nil. It is nil for values of other kinds, too.
func (v *Value) Member(name string) *Value {
	if v == nil {
		return nil
	}
	for i := range v.Members {
		if v.Members[i].Name == name {
			return &v.Members[i].Value
		}
	}
	return nil
}

// number is the value of a number, false when it is none or too great.
func (v *Value) number() (float64, bool) {
	if v == nil || v.Kind != KindNumber {
		return 0, false
	}
	f, err := strconv.ParseFloat(v.Text, 64)
	return f, err == nil
}

// string is the text of a string, "" when it is none.
func (v *Value) string() string {
	if v == nil || v.Kind != KindString {
		return ""
	}
	return v.Text
}

// appendJSON writes the value without white space, and with as few escapes as JSON allows.
func (v *Value) appendJSON(dst []byte) []byte {
	switch v.Kind {
	case KindNull:
		return append(dst, "null"...)
	case KindBool:
		return strconv.AppendBool(dst, v.Bool)
	case KindNumber:
		return append(dst, v.Text...)
	case KindString:
		return appendString(dst, v.Text)
	case KindArray:
		dst = append(dst, '[')
		for i := range v.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = v.Items[i].appendJSON(dst)
		}
		return append(dst, ']')
	}
	dst = append(dst, '{')
	for i := range v.Members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, v.Members[i].Name)
		dst = append(dst, ':')
		dst = v.Members[i].Value.appendJSON(dst)
	}
	return append(dst, '}')
}

func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

// htmlSafeLength is the length of a text of which the characters that mean something to HTML are written as \u003c.
func htmlSafeLength(text []byte) int {
	n := len(text)
	for _, c := range []byte("<>&='") {
		n += 5 * bytes.Count(text, []byte{c})
	}
	return n
}
