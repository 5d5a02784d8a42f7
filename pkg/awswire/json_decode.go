// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"encoding/base64"
	"math"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
	"unsafe"
)

// jsonDecoder reads JSON straight into the SDK's structs.
type jsonDecoder struct {
	jsonScanner
	arena
	budget budget
	// milliseconds is what [Service.MillisecondTimestamps] says.
	milliseconds bool
}

var jsonDecoders = sync.Pool{New: func() any { return new(jsonDecoder) }}

// maxScratch is the largest buffer that a pooled coder keeps.
const maxScratch = 1 << 20

// decodeJSON reads body into the struct at p. An empty body is an empty structure.
func decodeJSON(body []byte, pl *plan, p unsafe.Pointer, milliseconds bool) error {
	if !utf8.Valid(body) {
		return malformed("Request body is not valid UTF-8")
	}
	d := jsonDecoders.Get().(*jsonDecoder)
	d.b, d.i, d.depth = body, 0, 0
	d.budget, d.milliseconds = budgetFor(len(body)), milliseconds
	defer func() {
		d.b = nil
		if cap(d.scratch) > maxScratch {
			d.scratch = nil
		}
		d.reset()
		jsonDecoders.Put(d)
	}()
	if d.peek() == 0 && d.i == len(body) {
		return nil
	}
	if err := d.value(pl, p); err != nil {
		return err
	}
	if d.space(); d.i < len(d.b) {
		return d.fail()
	}
	return nil
}

// member reads into a member or an element that may be held by pointer. A null is read and leaves it as it is: set
// is false then.
func (d *jsonDecoder) member(pl *plan, ptr bool, p unsafe.Pointer) (set bool, err error) {
	if d.peek() == 'n' {
		return false, d.literal("null")
	}
	if ptr {
		v := d.alloc(pl)
		*(*unsafe.Pointer)(p) = v
		p = v
	}
	return true, d.value(pl, p)
}

// value reads a value that is not null into p.
func (d *jsonDecoder) value(pl *plan, p unsafe.Pointer) error {
	c := d.peek()
	switch pl.kind {
	case kindString:
		if c != '"' {
			return d.mismatch(pl)
		}
		s, err := d.string()
		if err != nil {
			return err
		}
		*(*string)(p) = d.text(s)
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
	case kindBool:
		switch c {
		case 't':
			*(*bool)(p) = true
			return d.literal("true")
		case 'f':
			*(*bool)(p) = false
			return d.literal("false")
		default:
			return d.mismatch(pl)
		}
	case kindTime:
		t, err := d.time(pl)
		if err != nil {
			return err
		}
		*(*time.Time)(p) = t
	case kindBlob:
		return d.blob(pl, p)
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

// mismatch is the error for a token of the wrong type, or for what is no token.
func (d *jsonDecoder) mismatch(pl *plan) error {
	switch t := d.token(); t {
	case "":
		return d.fail()
	case "START_OBJECT":
		return malformed("Start of structure or map found where not expected")
	case "START_ARRAY":
		return malformed("Start of list found where not expected")
	default:
		return cannotConvert(t, pl.kind)
	}
}

func (d *jsonDecoder) integer(pl *plan, lowest, highest int64) (int64, error) {
	if c := d.peek(); c != '-' && (c < '0' || c > '9') {
		return 0, d.mismatch(pl)
	}
	text, integer, err := d.number()
	if err != nil {
		return 0, err
	}
	var n int64
	if integer {
		n, err = strconv.ParseInt(view(text), 10, 64)
	} else {
		n, err = wholeFloat(text)
	}
	if err != nil || n < lowest || n > highest {
		return 0, malformed("Number " + clip(text) + " is not a valid " + kindNames[pl.kind])
	}
	return n, nil
}

// wholeFloat reads a number with a fraction or exponent that stands for an integer, such as 5.0.
func wholeFloat(text []byte) (int64, error) {
	f, err := strconv.ParseFloat(view(text), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, strconv.ErrSyntax
	}
	return int64(f), nil
}

// clip shortens a piece of the input for an error's text.
func clip(b []byte) string {
	if len(b) > 64 {
		return string(b[:64]) + "…"
	}
	return string(b)
}

func (d *jsonDecoder) float(pl *plan) (float64, error) {
	switch c := d.peek(); {
	case c == '"':
		s, err := d.string()
		if err != nil {
			return 0, err
		}
		switch string(s) {
		case "NaN":
			return math.NaN(), nil
		case "Infinity":
			return math.Inf(1), nil
		case "-Infinity":
			return math.Inf(-1), nil
		}
		return 0, cannotConvert("STRING_VALUE", pl.kind)
	case c == '-' || c >= '0' && c <= '9':
		text, _, err := d.number()
		if err != nil {
			return 0, err
		}
		size := 64
		if pl.kind == kindFloat32 {
			size = 32
		}
		f, err := strconv.ParseFloat(view(text), size)
		if err != nil {
			return 0, malformed("Number " + clip(text) + " is not a valid " + kindNames[pl.kind])
		}
		return f, nil
	default:
		return 0, d.mismatch(pl)
	}
}

func (d *jsonDecoder) time(pl *plan) (time.Time, error) {
	switch c := d.peek(); {
	case c == '"': // not what SDKs send, but AWS takes it
		s, err := d.string()
		if err != nil {
			return time.Time{}, err
		}
		t, ok := parseTime(string(s))
		if !ok {
			return time.Time{}, cannotConvert("STRING_VALUE", pl.kind)
		}
		return t, nil
	case c == '-' || c >= '0' && c <= '9':
		text, integer, err := d.number()
		if err != nil {
			return time.Time{}, err
		}
		var t time.Time
		var ok bool
		if integer {
			if n, err := strconv.ParseInt(view(text), 10, 64); err == nil {
				t, ok = d.timeOfInt(n)
			}
		} else if f, err := strconv.ParseFloat(view(text), 64); err == nil {
			t, ok = d.timeOfFloat(f)
		}
		if !ok {
			return time.Time{}, malformed("Number " + clip(text) + " is not a valid Timestamp")
		}
		return t, nil
	default:
		return time.Time{}, d.mismatch(pl)
	}
}

// timeOfInt takes for milliseconds, where they may stand, what is too great for seconds: that begins in 1978.
func (d *jsonDecoder) timeOfInt(n int64) (time.Time, bool) {
	if !d.milliseconds || n <= maxEpoch {
		return timeOfInt(n)
	}
	return time.UnixMilli(n).UTC(), n <= maxEpoch*1000
}

func (d *jsonDecoder) timeOfFloat(f float64) (time.Time, bool) {
	if d.milliseconds && f > maxEpoch {
		f /= 1000
	}
	return timeOfFloat(f)
}

func (d *jsonDecoder) blob(pl *plan, p unsafe.Pointer) error {
	if d.peek() != '"' {
		return d.mismatch(pl)
	}
	s, err := d.string()
	if err != nil {
		return err
	}
	b, err := decodeBase64(s)
	if err != nil {
		return err
	}
	*(*[]byte)(p) = b
	return nil
}

// decodeBase64 reads the standard alphabet, with or without padding.
func decodeBase64(s []byte) ([]byte, error) {
	n := len(s)
	for n > 0 && s[n-1] == '=' && len(s)-n < 2 {
		n--
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(n))
	n, err := base64.RawStdEncoding.Decode(out, s[:n])
	if err != nil {
		return nil, malformed("Invalid base64")
	}
	return out[:n], nil
}

func (d *jsonDecoder) structure(pl *plan, p unsafe.Pointer) error {
	if d.peek() != '{' {
		return d.mismatch(pl)
	}
	if err := d.enter(); err != nil {
		return err
	}
	next := 0
	for first := true; ; first = false {
		ok, err := d.more(first, '}')
		if err != nil || !ok {
			return err
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

func (d *jsonDecoder) list(pl *plan, p unsafe.Pointer) error {
	if d.peek() != '[' {
		return d.mismatch(pl)
	}
	if err := d.enter(); err != nil {
		return err
	}
	l := d.listAt(pl, p)
	start := d.i
	if err := l.reserve(&d.budget, 0); err != nil { // an empty list is not an absent one
		return err
	}
	for i := 0; ; i++ {
		ok, err := d.more(i == 0, ']')
		if err != nil || !ok {
			return err
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

func (d *jsonDecoder) mapping(pl *plan, p unsafe.Pointer) error {
	if d.peek() != '{' {
		return d.mismatch(pl)
	}
	if err := d.enter(); err != nil {
		return err
	}
	m := newMapWriter(pl, p)
	for first := true; ; first = false {
		ok, err := d.more(first, '}')
		if err != nil || !ok {
			return err
		}
		k, err := d.key()
		if err != nil {
			return err
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

func (d *jsonDecoder) union(pl *plan, p unsafe.Pointer) error {
	if d.peek() != '{' {
		return d.mismatch(pl)
	}
	if err := d.enter(); err != nil {
		return err
	}
	u := newUnionWriter(pl, p)
	for first := true; ; first = false {
		ok, err := d.more(first, '}')
		if err != nil {
			return err
		}
		if !ok {
			return u.done()
		}
		name, err := d.key()
		if err != nil {
			return err
		}
		m := u.member(string(name))
		if d.peek() == 'n' {
			if err := d.literal("null"); err != nil {
				return err
			}
			continue
		}
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
