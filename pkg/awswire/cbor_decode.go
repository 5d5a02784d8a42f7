// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//nolint:gosec // unsafe follows the layouts that reflect gave the plans
package awswire

import (
	"math"
	"slices"
	"sync"
	"time"
	"unicode/utf8"
	"unsafe"
)

// cborDecoder reads CBOR straight into the SDK's structs.
type cborDecoder struct {
	cborScanner
	arena
	budget budget
}

var cborDecoders = sync.Pool{New: func() any { return new(cborDecoder) }}

// maxReserve bounds what is allocated on the word of a definite length.
const maxReserve = 1024

// decodeCBOR reads body into the struct at p. An empty body is an empty structure.
func decodeCBOR(body []byte, pl *plan, p unsafe.Pointer) error {
	if len(body) == 0 {
		return nil
	}
	d := cborDecoders.Get().(*cborDecoder)
	d.b, d.i, d.depth = body, 0, 0
	d.budget = budgetFor(len(body))
	defer func() {
		d.b = nil
		if cap(d.scratch) > maxScratch {
			d.scratch = nil
		}
		d.reset()
		cborDecoders.Put(d)
	}()
	if err := d.value(pl, p); err != nil {
		return err
	}
	if d.i < len(d.b) {
		return d.bad("data after the end")
	}
	return nil
}

// member reads into a member or an element that may be held by pointer. A null is read and leaves it as it is: set
// is false then.
func (d *cborDecoder) member(pl *plan, ptr bool, p unsafe.Pointer) (set bool, err error) {
	if d.null() {
		return false, nil
	}
	if !ptr {
		return true, d.value(pl, p)
	}
	if pl.kind == kindString { // by far the commonest
		s := cut(&d.arena, &d.strings)
		*(**string)(p) = s
		return true, d.str(unsafe.Pointer(s))
	}
	v := d.alloc(pl)
	*(*unsafe.Pointer)(p) = v
	return true, d.value(pl, v)
}

// value reads a value that is not null into p.
func (d *cborDecoder) value(pl *plan, p unsafe.Pointer) error {
	switch pl.kind {
	case kindString:
		return d.str(p)
	case kindFloat64:
		f, err := d.float(pl)
		if err != nil {
			return err
		}
		*(*float64)(p) = f
	case kindFloat32:
		f, err := d.float(pl)
		if err != nil {
			return err
		}
		*(*float32)(p) = float32(f)
	case kindInt64:
		n, err := d.integer(pl, math.MinInt64, math.MaxInt64)
		if err != nil {
			return err
		}
		*(*int64)(p) = n
	case kindInt32:
		n, err := d.integer(pl, math.MinInt32, math.MaxInt32)
		if err != nil {
			return err
		}
		*(*int32)(p) = int32(n)
	case kindBool:
		c, _ := d.peek()
		if c != cborTrue && c != cborFalse {
			return d.mismatch(pl)
		}
		d.i++
		*(*bool)(p) = c == cborTrue
	case kindTime:
		t, err := d.time(pl)
		if err != nil {
			return err
		}
		*(*time.Time)(p) = t
	case kindBlob:
		if c, _ := d.peek(); c>>5 != cborBytes {
			return d.mismatch(pl)
		}
		b, err := d.bytes(cborBytes)
		if err != nil {
			return err
		}
		*(*[]byte)(p) = append([]byte{}, b...)
	case kindStruct:
		return d.structure(pl, p)
	case kindList:
		return d.list(pl, p)
	case kindMap:
		return d.mapping(pl, p)
	case kindUnion:
		return d.union(pl, p)
	}
	return nil
}

// mismatch is the error for an item of the wrong type.
func (d *cborDecoder) mismatch(pl *plan) error {
	switch t := d.token(); t {
	case "":
		if d.i >= len(d.b) {
			return d.short()
		}
		return d.bad("unassigned item")
	case "START_OBJECT":
		return malformed("Start of structure or map found where not expected")
	case "START_ARRAY":
		return malformed("Start of list found where not expected")
	default:
		return cannotConvert(t, pl.kind)
	}
}

// planString is for errors about strings.
var planString = &plan{kind: kindString}

func (d *cborDecoder) str(p unsafe.Pointer) error {
	if c, _ := d.peek(); c>>5 != cborText {
		return d.mismatch(planString)
	}
	b, err := d.bytes(cborText)
	if err != nil {
		return err
	}
	s, ok := d.valid(b)
	if !ok {
		return malformed("String is not valid UTF-8")
	}
	*(*string)(p) = s
	return nil
}

func (d *cborDecoder) integer(pl *plan, lowest, highest int64) (int64, error) {
	c, ok := d.peek()
	if !ok {
		return 0, d.short()
	}
	var n int64
	switch c >> 5 {
	case cborUint, cborNegative:
		major, _, arg, err := d.head()
		if err != nil {
			return 0, err
		}
		if arg > math.MaxInt64 {
			return 0, malformed("Number is not a valid " + kindNames[pl.kind])
		}
		n = int64(arg)
		if major == cborNegative {
			n = -1 - n
		}
	case cborSimple:
		if c != cborHalf && c != cborFloat && c != cborDouble {
			return 0, d.mismatch(pl)
		}
		f, err := d.float(pl)
		if err != nil {
			return 0, err
		}
		if f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			return 0, malformed("Number is not a valid " + kindNames[pl.kind])
		}
		n = int64(f)
	default:
		return 0, d.mismatch(pl)
	}
	if n < lowest || n > highest {
		return 0, malformed("Number is not a valid " + kindNames[pl.kind])
	}
	return n, nil
}

// float reads a float of any width, or an integer.
func (d *cborDecoder) float(pl *plan) (float64, error) {
	c, ok := d.peek()
	if !ok {
		return 0, d.short()
	}
	switch {
	case c == cborDouble, c == cborFloat, c == cborHalf, c>>5 == cborUint, c>>5 == cborNegative:
	default:
		return 0, d.mismatch(pl)
	}
	_, _, arg, err := d.head()
	if err != nil {
		return 0, err
	}
	switch c {
	case cborDouble:
		return math.Float64frombits(arg), nil
	case cborFloat:
		return float64(math.Float32frombits(uint32(arg))), nil
	case cborHalf:
		return halfFloat(uint16(arg)), nil
	}
	if c>>5 == cborNegative {
		return -1 - float64(arg), nil
	}
	return float64(arg), nil
}

func (d *cborDecoder) time(pl *plan) (time.Time, error) {
	if c, ok := d.peek(); !ok || c != cborEpoch {
		return time.Time{}, d.mismatch(pl)
	}
	d.i++
	f, err := d.float(pl)
	if err != nil {
		return time.Time{}, err
	}
	t, ok := timeOfFloat(f)
	if !ok {
		return time.Time{}, malformed("Number is not a valid Timestamp")
	}
	return t, nil
}

// open reads the head of a map and returns the number of its entries.
func (d *cborDecoder) open(pl *plan) (uint64, error) {
	if c, _ := d.peek(); c>>5 != cborMap {
		return 0, d.mismatch(pl)
	}
	_, _, n, err := d.head()
	if err != nil {
		return 0, err
	}
	if err := d.length(n, 2); err != nil {
		return 0, err
	}
	return n, d.enter()
}

// key reads a map's key. The bytes are valid until the next string is read.
func (d *cborDecoder) key() ([]byte, error) {
	if c, _ := d.peek(); c>>5 != cborText {
		return nil, d.bad("a key that is not text")
	}
	return d.bytes(cborText)
}

func (d *cborDecoder) structure(pl *plan, p unsafe.Pointer) error {
	n, err := d.open(pl)
	if err != nil {
		return err
	}
	next := 0
	for {
		ok, err := d.more(&n)
		if err != nil {
			return err
		}
		if !ok {
			d.leave()
			return nil
		}
		name, err := d.key()
		if err != nil {
			return err
		}
		i := pl.find(name, next)
		if i < 0 { // AWS ignores members that it does not know
			if err := d.skip(); err != nil {
				return err
			}
			continue
		}
		f := &pl.fields[i]
		next = i + 1
		if _, err := d.member(f.plan, f.ptr, unsafe.Add(p, f.offset)); err != nil {
			return inMember(err, f.name)
		}
	}
}

func (d *cborDecoder) list(pl *plan, p unsafe.Pointer) error {
	if c, _ := d.peek(); c>>5 != cborArray {
		return d.mismatch(pl)
	}
	_, _, n, err := d.head()
	if err != nil {
		return err
	}
	if err := d.length(n, 1); err != nil {
		return err
	}
	if err := d.enter(); err != nil {
		return err
	}
	l := d.listAt(pl, p)
	start := d.i
	room := 0
	if n != indefinite {
		room = int(min(n, maxReserve))
	}
	if err := l.reserve(&d.budget, room); err != nil {
		return err
	}
	for i := 0; ; i++ {
		ok, err := d.more(&n)
		if err != nil {
			return err
		}
		if !ok {
			d.leave()
			return nil
		}
		e, err := l.next(&d.budget, d.i-start, len(d.b)-d.i)
		if err != nil {
			return err
		}
		set, err := d.member(pl.elem, pl.elemPtr, e)
		if err != nil {
			return inElement(err, i)
		}
		if !set && !pl.elemPtr { // only sparse lists hold nulls
			l.drop()
		}
	}
}

func (d *cborDecoder) mapping(pl *plan, p unsafe.Pointer) error {
	n, err := d.open(pl)
	if err != nil {
		return err
	}
	m := newMapWriter(pl, p)
	for {
		ok, err := d.more(&n)
		if err != nil {
			return err
		}
		if !ok {
			d.leave()
			return nil
		}
		k, err := d.key()
		if err != nil {
			return err
		}
		if !utf8.Valid(k) {
			return malformed("String is not valid UTF-8")
		}
		key := string(k)
		v, err := m.value(&d.budget)
		if err != nil {
			return err
		}
		set, err := d.member(pl.elem, pl.elemPtr, v)
		if err != nil {
			return inMember(err, key)
		}
		m.put(key, set)
	}
}

func (d *cborDecoder) union(pl *plan, p unsafe.Pointer) error {
	n, err := d.open(pl)
	if err != nil {
		return err
	}
	u := newUnionWriter(pl, p)
	for {
		ok, err := d.more(&n)
		if err != nil {
			return err
		}
		if !ok {
			d.leave()
			return u.done()
		}
		k, err := d.key()
		if err != nil {
			return err
		}
		name := slices.Clone(k)
		if d.null() {
			continue
		}
		m := u.member(string(name))
		if m == nil {
			u.unknown(name)
			if err := d.skip(); err != nil {
				return err
			}
			continue
		}
		v, err := u.begin(m)
		if err != nil {
			return err
		}
		if _, err := d.member(m.plan, m.ptr, v); err != nil {
			return inMember(err, m.name)
		}
	}
}
