// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//nolint:gosec // unsafe follows the layouts that reflect gave the plans
package awswire

import (
	"encoding/base64"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"
)

// appendJSON writes the value at p.
func appendJSON(dst []byte, pl *plan, p unsafe.Pointer) ([]byte, error) {
	switch pl.kind {
	case kindString:
		return appendJSONString(dst, *(*string)(p)), nil
	case kindBool:
		return strconv.AppendBool(dst, *(*bool)(p)), nil
	case kindInt32:
		return strconv.AppendInt(dst, int64(*(*int32)(p)), 10), nil
	case kindInt64:
		return strconv.AppendInt(dst, *(*int64)(p), 10), nil
	case kindFloat32:
		return appendJSONFloat(dst, float64(*(*float32)(p)), 32), nil
	case kindFloat64:
		return appendJSONFloat(dst, *(*float64)(p), 64), nil
	case kindTime:
		return appendEpoch(dst, *(*time.Time)(p)), nil
	case kindBlob:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, *(*[]byte)(p))
		return append(dst, '"'), nil
	case kindStruct:
		return appendJSONStruct(dst, pl, p)
	case kindList:
		return appendJSONList(dst, pl, p)
	case kindMap:
		return appendJSONMap(dst, pl, p)
	default:
		m, v, err := unionValue(pl, p)
		if err != nil {
			return nil, err
		}
		dst = append(dst, '{')
		dst = append(dst, m.json...)
		if dst, err = appendJSON(dst, m.plan, v); err != nil {
			return nil, err
		}
		return append(dst, '}'), nil
	}
}

func appendJSONStruct(dst []byte, pl *plan, p unsafe.Pointer) ([]byte, error) {
	dst = append(dst, '{')
	dst, err := appendJSONMembers(dst, pl, p)
	if err != nil {
		return nil, err
	}
	return append(dst, '}'), nil
}

// appendJSONMembers writes the members that are present, with commas between them.
func appendJSONMembers(dst []byte, pl *plan, p unsafe.Pointer) ([]byte, error) {
	var err error
	first := true
	for i := range pl.fields {
		f := &pl.fields[i]
		v := f.present(p)
		if v == nil {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, f.json...)
		if dst, err = appendJSON(dst, f.plan, v); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func appendJSONList(dst []byte, pl *plan, p unsafe.Pointer) ([]byte, error) {
	var err error
	dst = append(dst, '[')
	h := (*sliceHeader)(p)
	for i := range h.len {
		if i > 0 {
			dst = append(dst, ',')
		}
		e := unsafe.Add(h.data, uintptr(i)*pl.elemSize)
		if pl.elemPtr {
			if e = *(*unsafe.Pointer)(e); e == nil {
				dst = append(dst, "null"...)
				continue
			}
		}
		if dst, err = appendJSON(dst, pl.elem, e); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

func appendJSONMap(dst []byte, pl *plan, p unsafe.Pointer) ([]byte, error) {
	dst = append(dst, '{')
	first := true
	err := eachEntry(pl, p, func(key string, v unsafe.Pointer) (err error) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = appendJSONString(dst, key)
		dst = append(dst, ':')
		if v == nil {
			dst = append(dst, "null"...)
			return nil
		}
		dst, err = appendJSON(dst, pl.elem, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	return append(dst, '}'), nil
}

// appendJSONFloat writes a whole number with .0, as AWS does.
func appendJSONFloat(dst []byte, f float64, size int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	return appendJavaDouble(dst, f, size)
}

const hexDigits = "0123456789abcdef"

// appendJSONString writes s with the escapes that JSON demands. Invalid UTF-8 becomes the replacement character.
func appendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	if !utf8.Valid(b) {
		b = []byte(string([]rune(s)))
	}
	for i := 0; ; {
		end := run(b, i)
		dst = append(dst, b[i:end]...)
		if end == len(b) {
			return append(dst, '"')
		}
		switch c := b[end]; c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i = end + 1
	}
}

// present returns the address of the member's value in the struct at p, nil when it is absent: a nil pointer, slice,
// map or union, or an enum without value. Numbers and booleans that are not held by pointer have defaults in the
// model and are always present.
func (f *field) present(p unsafe.Pointer) unsafe.Pointer {
	v := unsafe.Add(p, f.offset)
	if f.ptr {
		return *(*unsafe.Pointer)(v)
	}
	switch f.plan.kind {
	case kindString:
		if *(*string)(v) == "" {
			return nil
		}
	case kindBlob, kindList, kindMap:
		if *(*unsafe.Pointer)(v) == nil {
			return nil
		}
	case kindUnion:
		if (*[2]unsafe.Pointer)(v)[0] == nil {
			return nil
		}
	}
	return v
}

// unionValue returns the alternative that the union at p holds and the address of its value.
func unionValue(pl *plan, p unsafe.Pointer) (*unionMember, unsafe.Pointer, error) {
	v := reflect.NewAt(pl.typ, p).Elem().Elem()
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		t := v.Type().Elem()
		for i := range pl.members {
			m := &pl.members[i]
			if m.wrapper != t {
				continue
			}
			at := unsafe.Add(v.UnsafePointer(), m.offset)
			if m.ptr {
				at = *(*unsafe.Pointer)(at)
			}
			if at != nil {
				return m, at, nil
			}
		}
	}
	return nil, nil, fmt.Errorf("%s holds %s, which has no form on the wire", pl.typ, v)
}

// eachEntry calls fn for the entries of the map at p in the order of their keys, so that answers are reproducible. The
// value is nil for a null in a sparse map.
func eachEntry(pl *plan, p unsafe.Pointer, fn func(key string, v unsafe.Pointer) error) error {
	m := reflect.NewAt(pl.typ, p).Elem()
	for _, k := range sortedKeys(m) {
		v := reflect.New(pl.typ.Elem())
		v.Elem().Set(m.MapIndex(k))
		at := v.UnsafePointer()
		if pl.elemPtr {
			at = *(*unsafe.Pointer)(at)
		}
		if err := fn(k.String(), at); err != nil {
			return err
		}
	}
	return nil
}
