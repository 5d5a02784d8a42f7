// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//nolint:gosec // unsafe follows the layouts that reflect gave the plans
package awswire

import (
	"encoding/binary"
	"math/bits"
	"reflect"
	"time"
	"unicode/utf8"
	"unsafe"
)

// arena makes the values that members of an input point to. The SDK holds every scalar by pointer, so a request of a
// thousand data points has some ten thousand of them: they are cut from small slabs, and short strings, which repeat
// from element to element, are made once.
//
// A slab is small because one value kept by a handler keeps the whole slab. String data is never shared with the
// request's body, so that a name kept in some map keeps nothing else.
type arena struct {
	strings []string
	int32s  []int32
	int64s  []int64
	floats  []float64
	bools   []bool
	times   []time.Time
	// lists is what is left of a slab of elements of the list of that plan.
	lists struct {
		pl   *plan
		data unsafe.Pointer
		left int
	}
	// grown counts slabs, so that small requests get small slabs.
	grown int
	// known are the short strings met lately, by hash.
	known [internSlots]string
}

const (
	maxSlab     = 64
	internSlots = 256
	// maxInterned is the longest string worth looking up.
	maxInterned = 48
)

// reset forgets the slabs, which now belong to a handler. Interned strings are kept: they are few and short.
func (a *arena) reset() {
	a.strings, a.int32s, a.int64s, a.floats, a.bools, a.times, a.grown = nil, nil, nil, nil, nil, nil, 0
	a.lists.pl, a.lists.data, a.lists.left = nil, nil, 0
}

func (a *arena) slab() int {
	a.grown++
	if a.grown > 4 {
		return maxSlab
	}
	return 2 << a.grown
}

// cut returns a fresh element of a slab, which it refills when empty.
func cut[T any](a *arena, slab *[]T) *T {
	if len(*slab) == 0 {
		*slab = make([]T, a.slab())
	}
	p := &(*slab)[0]
	*slab = (*slab)[1:]
	return p
}

// alloc returns a pointer to a new zero value of p's type.
func (a *arena) alloc(p *plan) unsafe.Pointer {
	switch p.kind {
	case kindString:
		return unsafe.Pointer(cut(a, &a.strings))
	case kindInt32:
		return unsafe.Pointer(cut(a, &a.int32s))
	case kindInt64:
		return unsafe.Pointer(cut(a, &a.int64s))
	case kindFloat64:
		return unsafe.Pointer(cut(a, &a.floats))
	case kindBool:
		return unsafe.Pointer(cut(a, &a.bools))
	case kindTime:
		return unsafe.Pointer(cut(a, &a.times))
	default:
		return reflect.New(p.typ).UnsafePointer()
	}
}

// text returns b as a string of its own.
func (a *arena) text(b []byte) string {
	if len(b) > maxInterned {
		return string(b)
	}
	if len(b) == 0 {
		return ""
	}
	slot := &a.known[hash(b)]
	if *slot != string(b) {
		*slot = string(b)
	}
	return *slot
}

// valid is text of what may not be UTF-8: ok says whether it is.
func (a *arena) valid(b []byte) (s string, ok bool) {
	if len(b) > maxInterned {
		return string(b), utf8.Valid(b)
	}
	if len(b) == 0 {
		return "", true
	}
	slot := &a.known[hash(b)]
	if *slot != string(b) {
		if !utf8.Valid(b) {
			return "", false
		}
		*slot = string(b)
	}
	return *slot, true
}

// hash maps a short string to a slot. Collisions only cost an allocation.
func hash(b []byte) uint8 {
	var h uint64
	n := len(b)
	switch {
	case n >= 8:
		h = binary.LittleEndian.Uint64(b) ^ bits.RotateLeft64(binary.LittleEndian.Uint64(b[n-8:]), 29)
	case n >= 4:
		h = uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<32
	default:
		h = uint64(b[0]) | uint64(b[n/2])<<8 | uint64(b[n-1])<<16
	}
	h ^= uint64(n) << 56
	h *= 0x9e3779b97f4a7c15
	return uint8(h >> 56)
}

// budget bounds the memory that decoding takes beyond its input: a list of three-byte elements may stand for
// structures of hundreds of bytes.
type budget int64

const (
	budgetBase   = 16 << 20
	budgetFactor = 8
)

func budgetFor(body int) budget {
	return budget(budgetBase + budgetFactor*int64(body))
}

func (b *budget) take(n int64) bool {
	*b -= budget(n)
	return *b >= 0
}

// sliceHeader is the layout of a slice.
type sliceHeader struct {
	data     unsafe.Pointer
	len, cap int
}

// guessFrom is the length from which on a list's final length is guessed, and the most by which it may grow at once.
const guessFrom = 16

// maxListCut is the longest list that is cut from a slab.
const maxListCut = 8

// elements returns room for n elements of a list.
func (a *arena) elements(pl *plan, n int) unsafe.Pointer {
	if n == 0 || n > maxListCut {
		return reflect.MakeSlice(pl.typ, n, n).UnsafePointer()
	}
	l := &a.lists
	if l.pl != pl || l.left < n {
		l.pl, l.left = pl, n
		if a.grown > 4 { // there are many of them
			l.left = maxSlab
		}
		a.grown++
		l.data = reflect.MakeSlice(pl.typ, l.left, l.left).UnsafePointer()
	}
	p := l.data
	if l.left -= n; l.left > 0 {
		l.data = unsafe.Add(p, uintptr(n)*pl.elemSize)
	}
	return p
}

// list appends to the slice at p, whose type is pl.typ.
type list struct {
	pl    *plan
	at    *sliceHeader
	arena *arena
}

func (a *arena) listAt(pl *plan, p unsafe.Pointer) list {
	return list{pl: pl, at: (*sliceHeader)(p), arena: a}
}

// reserve makes an empty list that has room for n elements.
func (l list) reserve(b *budget, n int) error {
	if !b.take(int64(n) * int64(l.pl.elemSize)) {
		return errTooBig
	}
	*l.at = sliceHeader{data: l.arena.elements(l.pl, n), cap: n}
	return nil
}

// next returns the address of one more, zero, element. read and left are how many bytes of input the list's elements
// took so far and how many follow, from which the length of a long list is guessed.
func (l list) next(b *budget, read, left int) (unsafe.Pointer, error) {
	if l.at.len == l.at.cap {
		n := max(2, 2*l.at.cap)
		if l.at.cap >= guessFrom {
			more := int(int64(left) * int64(l.at.len) / int64(max(read, 1)))
			n = l.at.cap + min(max(more+more/16, l.at.cap/4), guessFrom*l.at.cap)
		}
		if !b.take(int64(n-l.at.cap) * int64(l.pl.elemSize)) {
			return nil, errTooBig
		}
		bigger := sliceHeader{data: l.arena.elements(l.pl, n), len: l.at.len, cap: n}
		if l.at.len > 0 {
			reflect.Copy(reflect.NewAt(l.pl.typ, unsafe.Pointer(&bigger)).Elem(), reflect.NewAt(l.pl.typ, unsafe.Pointer(l.at)).Elem())
		}
		*l.at = bigger
	}
	p := unsafe.Add(l.at.data, uintptr(l.at.len)*l.pl.elemSize)
	l.at.len++
	return p, nil
}

// drop takes the last element away again.
func (l list) drop() { l.at.len-- }
