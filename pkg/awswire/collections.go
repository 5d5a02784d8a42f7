// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//nolint:gosec // unsafe follows the layouts that reflect gave the plans
package awswire

import (
	"reflect"
	"unsafe"
)

// mapWriter fills the map at p.
type mapWriter struct {
	pl   *plan
	m    reflect.Value
	elem reflect.Value // of the map's element type
	// fast is set for the commonest type.
	fast map[string]string
	str  string
}

// maxEntry is more than a map's entry takes beside what it points to.
const maxEntry = 64

func newMapWriter(pl *plan, p unsafe.Pointer) *mapWriter {
	w := &mapWriter{pl: pl}
	v := reflect.NewAt(pl.typ, p).Elem()
	if m, ok := v.Addr().Interface().(*map[string]string); ok {
		*m = make(map[string]string)
		w.fast = *m
		return w
	}
	v.Set(reflect.MakeMap(pl.typ))
	w.m = v
	return w
}

// value returns the address of a zero value to be read into.
func (w *mapWriter) value(b *budget) (unsafe.Pointer, error) {
	if w.fast != nil {
		w.str = ""
		if !b.take(maxEntry) {
			return nil, errTooBig
		}
		return unsafe.Pointer(&w.str), nil
	}
	if !b.take(maxEntry + int64(w.pl.typ.Elem().Size())) {
		return nil, errTooBig
	}
	w.elem = reflect.New(w.pl.typ.Elem())
	return w.elem.UnsafePointer(), nil
}

// put stores what was read. Only sparse maps hold nulls.
func (w *mapWriter) put(key string, set bool) {
	if !set && !w.pl.elemPtr {
		return
	}
	if w.fast != nil {
		w.fast[key] = w.str
		return
	}
	w.m.SetMapIndex(reflect.ValueOf(key).Convert(w.pl.typ.Key()), w.elem.Elem())
}

// unionWriter sets the union at p.
type unionWriter struct {
	pl      *plan
	p       unsafe.Pointer
	set     bool
	strange string
}

func newUnionWriter(pl *plan, p unsafe.Pointer) *unionWriter { return &unionWriter{pl: pl, p: p} }

// member returns the alternative called name. A member __type names the structure and is no alternative.
func (u *unionWriter) member(name string) *unionMember {
	for i := range u.pl.members {
		if u.pl.members[i].name == name {
			return &u.pl.members[i]
		}
	}
	return nil
}

func (u *unionWriter) unknown(name []byte) {
	if string(name) != "__type" && u.strange == "" {
		u.strange = clip(name)
	}
}

// begin makes m the union's value and returns the address to read it into.
func (u *unionWriter) begin(m *unionMember) (unsafe.Pointer, error) {
	if u.set {
		return nil, malformed("Union has more than one member set")
	}
	u.set = true
	w := reflect.New(m.wrapper)
	reflect.NewAt(u.pl.typ, u.p).Elem().Set(w)
	return unsafe.Add(w.UnsafePointer(), m.offset), nil
}

// done checks that some alternative was set.
func (u *unionWriter) done() error {
	switch {
	case u.set && u.strange == "":
		return nil
	case u.strange != "":
		return malformed("Unknown union member '" + u.strange + "'")
	default:
		return malformed("Union has no member set")
	}
}
