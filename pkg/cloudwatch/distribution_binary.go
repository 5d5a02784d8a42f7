// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// The binary form is a header byte, the number of pairs and the pairs:
//
//	header   bits 0-3 version (1), bit 4 sketch, bit 5 incomplete
//	n        uvarint
//	exact    n × (value, count), values rising
//	sketch   minimum, maximum, n × (key, count); the first key zigzag, then the distance to the one before
//	value    its IEEE bits in reversed byte order as uvarint: round numbers are short
//	count    uvarint 2·count for whole numbers, else 1 and 8 bytes, little endian
const (
	binaryVersion    = 1
	binaryVersionBit = 0x0f
	binarySketch     = 0x10
	binaryIncomplete = 0x20
	maxWholeCount    = 1 << 53
)

var errBadDistribution = errors.New("not an encoded distribution")

// AppendBinary appends the encoded distribution. It never fails.
func (d *Distribution) AppendBinary(dst []byte) ([]byte, error) {
	header := byte(binaryVersion)
	if d.incomplete {
		header |= binaryIncomplete
	}
	if d.keys == nil {
		dst = append(dst, header)
		dst = binary.AppendUvarint(dst, uint64(d.Len()))
		for v, c := range d.Values {
			dst = appendFloat(dst, v)
			dst = appendCount(dst, c)
		}
		return dst, nil
	}
	dst = append(dst, header|binarySketch)
	dst = binary.AppendUvarint(dst, uint64(len(d.keys)))
	dst = appendFloat(dst, d.min)
	dst = appendFloat(dst, d.max)
	for i, k := range d.keys {
		if i == 0 {
			dst = binary.AppendVarint(dst, int64(k))
		} else {
			dst = binary.AppendUvarint(dst, uint64(int(k)-int(d.keys[i-1])))
		}
		dst = appendCount(dst, d.counts[i])
	}
	return dst, nil
}

// MarshalBinary implements [encoding.BinaryMarshaler].
func (d *Distribution) MarshalBinary() ([]byte, error) { return d.AppendBinary(nil) }

// UnmarshalBinary replaces d by what [Distribution.AppendBinary] wrote. It keeps no reference to data.
func (d *Distribution) UnmarshalBinary(data []byte) error {
	if len(data) == 0 {
		return fmt.Errorf("%w: empty", errBadDistribution)
	}
	header := data[0]
	if header&binaryVersionBit != binaryVersion || header&^(binaryVersionBit|binarySketch|binaryIncomplete) != 0 {
		return fmt.Errorf("%w: unknown header %#x", errBadDistribution, header)
	}
	r := binaryReader{data: data[1:]}
	n := r.uvarint()
	// A pair takes two bytes at least, so the length bounds what is allocated.
	if r.bad || n > uint64(len(r.data)/2) {
		return fmt.Errorf("%w: truncated", errBadDistribution)
	}
	out := Distribution{incomplete: header&binaryIncomplete != 0}
	if header&binarySketch != 0 {
		out.readSketch(&r, int(n))
	} else {
		out.readExact(&r, int(n))
	}
	switch {
	case r.bad:
		return fmt.Errorf("%w: truncated or not canonical", errBadDistribution)
	case len(r.data) > 0:
		return fmt.Errorf("%w: %d bytes too many", errBadDistribution, len(r.data))
	}
	*d = out
	return nil
}

func (d *Distribution) readExact(r *binaryReader, n int) {
	if n > MaxExactValues {
		r.bad = true
		return
	}
	if n > 1 {
		d.values, d.counts = make([]float64, n), make([]float64, n)
	}
	for i := range n {
		v, c := r.float(), r.count()
		if r.bad || (i > 0 && v <= d.max) {
			r.bad = true
			return
		}
		if i == 0 {
			d.min, d.bounded = v, true
		}
		d.max = v
		d.count += c
		if n > 1 {
			d.values[i], d.counts[i] = v, c
		}
	}
}

func (d *Distribution) readSketch(r *binaryReader, n int) {
	if n == 0 || n > 2*maxSketchKey+1 {
		r.bad = true
		return
	}
	d.min, d.max, d.bounded = r.float(), r.float(), true
	if d.min > d.max {
		r.bad = true
	}
	d.keys, d.counts = make([]int16, n), make([]float64, n)
	var key int64
	for i := range n {
		if i == 0 {
			key = r.varint()
		} else {
			step := r.uvarint()
			if step == 0 || step > 2*maxSketchKey {
				r.bad = true
			}
			key += int64(step)
		}
		c := r.count()
		if r.bad || key < -maxSketchKey || key > maxSketchKey {
			r.bad = true
			return
		}
		d.keys[i], d.counts[i] = int16(key), c
		d.count += c
	}
}

func appendFloat(dst []byte, v float64) []byte {
	return binary.AppendUvarint(dst, bits.ReverseBytes64(math.Float64bits(v)))
}

func appendCount(dst []byte, c float64) []byte {
	if c < maxWholeCount && c == math.Trunc(c) {
		return binary.AppendUvarint(dst, uint64(c)<<1)
	}
	dst = append(dst, 1)
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(c))
}

// binaryReader reads numbers until one is bad; then it stays bad.
type binaryReader struct {
	data []byte
	bad  bool
}

func (r *binaryReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 || r.bad {
		r.bad = true
		return 0
	}
	r.data = r.data[n:]
	return v
}

func (r *binaryReader) varint() int64 {
	v, n := binary.Varint(r.data)
	if n <= 0 || r.bad {
		r.bad = true
		return 0
	}
	r.data = r.data[n:]
	return v
}

func (r *binaryReader) float() float64 {
	v := math.Float64frombits(bits.ReverseBytes64(r.uvarint()))
	if math.IsNaN(v) || math.IsInf(v, 0) {
		r.bad = true
	}
	return v
}

func (r *binaryReader) count() float64 {
	u := r.uvarint()
	switch {
	case u&1 == 0:
		if u>>1 >= maxWholeCount {
			r.bad = true
		}
		return float64(u >> 1)
	case u != 1 || len(r.data) < 8:
		r.bad = true
		return 0
	}
	c := math.Float64frombits(binary.LittleEndian.Uint64(r.data))
	r.data = r.data[8:]
	if !(c >= 0) || math.IsInf(c, 1) {
		r.bad = true
	}
	return c
}
