// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//nolint:gosec // unsafe follows the layouts that reflect gave the plans
package awswire

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"
)

// param is one parameter of a form or query string.
type param struct {
	key, value string
}

// maxParams bounds the parameters of a request: a thousand data points with thirty dimensions each need 70,000.
const maxParams = 200_000

// parseForm reads application/x-www-form-urlencoded. A parameter that occurs twice is an error.
func parseForm(dst []param, form string) ([]param, error) {
	for form != "" {
		var pair string
		pair, form, _ = strings.Cut(form, "&")
		if pair == "" {
			continue
		}
		if len(dst) == maxParams {
			return nil, errTooBig
		}
		k, v, _ := strings.Cut(pair, "=")
		key, err := unescapeForm(k)
		if err != nil {
			return nil, err
		}
		value, err := unescapeForm(v)
		if err != nil {
			return nil, err
		}
		dst = append(dst, param{key, value})
	}
	return dst, nil
}

// unescapeForm decodes %XX and +. The result does not share memory with s.
func unescapeForm(s string) (string, error) {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		if !utf8.ValidString(s) {
			return "", malformed("Request is not valid UTF-8")
		}
		return strings.Clone(s), nil
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '+':
			out = append(out, ' ')
		case '%':
			if i+2 >= len(s) || hexDigit(s[i+1]) < 0 || hexDigit(s[i+2]) < 0 {
				return "", malformed("Invalid percent-encoding")
			}
			out = append(out, byte(hexDigit(s[i+1])<<4|hexDigit(s[i+2])))
			i += 2
		default:
			out = append(out, c)
		}
	}
	if !utf8.Valid(out) {
		return "", malformed("Request is not valid UTF-8")
	}
	return string(out), nil
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// paramValue returns the first parameter called key, "" when there is none.
func paramValue(params []param, key string) string {
	for i := range params {
		if params[i].key == key {
			return params[i].value
		}
	}
	return ""
}

// queryDecoder reads the parameters of awsQuery into the SDK's structs.
type queryDecoder struct {
	arena
	budget budget
	depth  int
}

// decodeQuery reads params into the struct at p. It sorts params.
func decodeQuery(params []param, size int, pl *plan, p unsafe.Pointer) error {
	slices.SortFunc(params, func(a, b param) int { return compareKeys(a.key, b.key) })
	for i := 1; i < len(params); i++ {
		if params[i].key == params[i-1].key {
			return malformed("Parameter " + strconv.Quote(params[i].key) + " is given twice")
		}
	}
	d := &queryDecoder{budget: budgetFor(size)}
	return d.structure(pl, p, params, 0)
}

// compareKeys orders keys so that those with a common prefix up to a dot are neighbours: a dot sorts before anything
// else.
func compareKeys(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] == b[i] {
			continue
		}
		switch {
		case a[i] == '.':
			return -1
		case b[i] == '.':
			return 1
		case a[i] < b[i]:
			return -1
		default:
			return 1
		}
	}
	return len(a) - len(b)
}

// segment returns the part of key from i to the next dot, and where the part after it begins: past the end of key
// when there is none.
func segment(key string, i int) (string, int) {
	if i > len(key) {
		return "", i
	}
	if n := strings.IndexByte(key[i:], '.'); n >= 0 {
		return key[i : i+n], i + n + 1
	}
	return key[i:], len(key) + 1
}

// groups calls fn for each run of params with the same segment at i. next is where the following segment begins.
func groups(params []param, i int, fn func(name string, group []param, next int) error) error {
	for len(params) > 0 {
		name, next := segment(params[0].key, i)
		n := 1
		for n < len(params) {
			if other, _ := segment(params[n].key, i); other != name {
				break
			}
			n++
		}
		if err := fn(name, params[:n], next); err != nil {
			return err
		}
		params = params[n:]
	}
	return nil
}

func (d *queryDecoder) enter() error {
	d.depth++
	if d.depth > maxDepth {
		return malformed("Parameters are nested deeper than " + strconv.Itoa(maxDepth))
	}
	return nil
}

// structure reads the members that params name from offset i of their keys on.
func (d *queryDecoder) structure(pl *plan, p unsafe.Pointer, params []param, i int) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer func() { d.depth-- }()
	next := 0
	return groups(params, i, func(name string, group []param, after int) error {
		at := pl.find(unsafe.Slice(unsafe.StringData(name), len(name)), next)
		if at < 0 {
			return nil // AWS ignores members that it does not know; Action and Version are among them
		}
		f := &pl.fields[at]
		next = at + 1
		return inMember(d.member(f.plan, f.ptr, unsafe.Add(p, f.offset), group, after), f.name)
	})
}

func (d *queryDecoder) member(pl *plan, ptr bool, p unsafe.Pointer, params []param, i int) error {
	if ptr {
		v := d.alloc(pl)
		*(*unsafe.Pointer)(p) = v
		p = v
	}
	return d.value(pl, p, params, i)
}

// value reads what params say from offset i of their keys on; i is past the end of a key that names the value itself.
func (d *queryDecoder) value(pl *plan, p unsafe.Pointer, params []param, i int) error {
	whole := i > len(params[0].key)
	switch pl.kind {
	case kindStruct, kindList, kindMap, kindUnion:
		if whole { // Name= is an empty list
			if params[0].value != "" {
				return malformed("Value " + strconv.Quote(clip([]byte(params[0].value))) + " found where a " + kindNames[pl.kind] + " is expected")
			}
			params = params[1:]
		}
	default:
		if !whole || len(params) > 1 {
			return malformed("Start of structure or map found where not expected")
		}
		return d.scalar(pl, p, params[0].value)
	}
	switch pl.kind {
	case kindStruct:
		return d.structure(pl, p, params, i)
	case kindList:
		return d.list(pl, p, params, i)
	case kindMap:
		return d.mapping(pl, p, params, i)
	default:
		return d.union(pl, p, params, i)
	}
}

func (d *queryDecoder) scalar(pl *plan, p unsafe.Pointer, s string) error {
	invalid := func() error {
		return malformed("Value " + strconv.Quote(clip([]byte(s))) + " is not a valid " + kindNames[pl.kind])
	}
	switch pl.kind {
	case kindString:
		*(*string)(p) = s
	case kindBool:
		switch {
		case strings.EqualFold(s, "true"):
			*(*bool)(p) = true
		case strings.EqualFold(s, "false"):
			*(*bool)(p) = false
		default:
			return invalid()
		}
	case kindInt32:
		n, err := strconv.ParseInt(s, 10, 32)
		if err != nil {
			return invalid()
		}
		*(*int32)(p) = int32(n)
	case kindInt64:
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return invalid()
		}
		*(*int64)(p) = n
	case kindFloat32:
		f, ok := parseDouble(s, 32)
		if !ok {
			return invalid()
		}
		*(*float32)(p) = float32(f)
	case kindFloat64:
		f, ok := parseDouble(s, 64)
		if !ok {
			return invalid()
		}
		*(*float64)(p) = f
	case kindTime:
		t, ok := parseTime(s)
		if !ok {
			return malformed("Value " + strconv.Quote(clip([]byte(s))) + " is not a valid Timestamp: timestamp must follow ISO8601")
		}
		*(*time.Time)(p) = t
	case kindBlob:
		b, err := decodeBase64([]byte(s))
		if err != nil {
			return err
		}
		*(*[]byte)(p) = b
	}
	return nil
}

// parseDouble reads decimal numbers, NaN and infinities, not the other forms that Go knows.
func parseDouble(s string, size int) (float64, bool) {
	switch s {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		return math.Inf(1), true
	case "-Infinity":
		return math.Inf(-1), true
	}
	if s == "" || strings.Trim(s, "+-0123456789.eE") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, size)
	return f, err == nil
}

// indexed is the parameters of one element of a list.
type indexed struct {
	index  int
	params []param
	next   int
}

// elements collects the elements below the segment want: member.1, member.2 …, which may come in any order and leave
// out numbers.
func (d *queryDecoder) elements(params []param, i int, want string) ([]indexed, error) {
	var list []indexed
	err := groups(params, i, func(name string, group []param, next int) error {
		if name != want {
			return malformed("Found " + strconv.Quote(clip([]byte(name))) + " where " + strconv.Quote(want) + " is expected")
		}
		return groups(group, next, func(name string, group []param, next int) error {
			n, err := strconv.Atoi(name)
			if err != nil || n < 1 || name[0] == '+' {
				return malformed("Found " + strconv.Quote(clip([]byte(name))) + " where the number of an element is expected")
			}
			list = append(list, indexed{n, group, next})
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b indexed) int { return a.index - b.index })
	for i := 1; i < len(list); i++ {
		if list[i].index == list[i-1].index { // 1 and 01
			return nil, malformed("Element " + strconv.Itoa(list[i].index) + " is given twice")
		}
	}
	return list, nil
}

func (d *queryDecoder) list(pl *plan, p unsafe.Pointer, params []param, i int) error {
	list, err := d.elements(params, i, "member")
	if err != nil {
		return err
	}
	l := d.listAt(pl, p)
	if err := l.reserve(&d.budget, len(list)); err != nil {
		return err
	}
	for n, e := range list {
		at, err := l.next(&d.budget, 0, 0)
		if err != nil {
			return err
		}
		if err := d.member(pl.elem, pl.elemPtr, at, e.params, e.next); err != nil {
			return inElement(err, n)
		}
	}
	return nil
}

func (d *queryDecoder) mapping(pl *plan, p unsafe.Pointer, params []param, i int) error {
	list, err := d.elements(params, i, "entry")
	if err != nil {
		return err
	}
	m := newMapWriter(pl, p)
	for n, e := range list {
		var key string
		var hasKey, hasValue bool
		v, err := m.value(&d.budget)
		if err != nil {
			return err
		}
		err = groups(e.params, e.next, func(name string, group []param, next int) error {
			switch {
			case name == "key" || name == pl.mapNames[0] && name != "":
				key, hasKey = group[0].value, true
				return nil
			case name == "value" || name == pl.mapNames[1] && name != "":
				hasValue = true
				return d.member(pl.elem, pl.elemPtr, v, group, next)
			}
			return nil
		})
		if err != nil {
			return inElement(err, n)
		}
		if !hasKey {
			return inElement(malformed("Map entry without a key"), n)
		}
		m.put(key, hasValue)
	}
	return nil
}

func (d *queryDecoder) union(pl *plan, p unsafe.Pointer, params []param, i int) error {
	u := newUnionWriter(pl, p)
	err := groups(params, i, func(name string, group []param, next int) error {
		m := u.member(name)
		if m == nil {
			u.unknown([]byte(name))
			return nil
		}
		v, err := u.begin(m)
		if err != nil {
			return err
		}
		return inMember(d.member(m.plan, m.ptr, v, group, next), m.name)
	})
	if err != nil {
		return err
	}
	return u.done()
}
