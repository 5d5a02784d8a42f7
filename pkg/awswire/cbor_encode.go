// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"encoding/binary"
	"math"
	"time"
	"unsafe"
)

// The bytes of CBOR (RFC 8949) that stand for themselves.
const (
	cborFalse     = 0xf4
	cborTrue      = 0xf5
	cborNull      = 0xf6
	cborUndefined = 0xf7
	cborHalf      = 0xf9
	cborFloat     = 0xfa
	cborDouble    = 0xfb
	cborBreak     = 0xff
	cborListOpen  = 0x9f // of indefinite length, as AWS answers
	cborMapOpen   = 0xbf
	cborEpoch     = 0xc1 // tag 1
)

// The major types.
const (
	cborUint = iota
	cborNegative
	cborBytes
	cborText
	cborArray
	cborMap
	cborTag
	cborSimple
)

func appendCBORHead(dst []byte, major byte, n uint64) []byte {
	major <<= 5
	switch {
	case n < 24:
		return append(dst, major|byte(n))
	case n <= math.MaxUint8:
		return append(dst, major|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, major|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, major|26), uint32(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, major|27), n)
	}
}

func appendCBORString(dst []byte, s string) []byte {
	dst = appendCBORHead(dst, cborText, uint64(len(s)))
	return append(dst, s...)
}

func appendCBORInt(dst []byte, n int64) []byte {
	if n < 0 {
		return appendCBORHead(dst, cborNegative, uint64(-(n + 1)))
	}
	return appendCBORHead(dst, cborUint, uint64(n))
}

func appendCBORDouble(dst []byte, f float64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, cborDouble), math.Float64bits(f))
}

// appendCBOR writes the value at p.
func appendCBOR(dst []byte, pl *plan, p unsafe.Pointer) ([]byte, error) {
	var err error
	switch pl.kind {
	case kindString:
		return appendCBORString(dst, *(*string)(p)), nil
	case kindBool:
		if *(*bool)(p) {
			return append(dst, cborTrue), nil
		}
		return append(dst, cborFalse), nil
	case kindInt32:
		return appendCBORInt(dst, int64(*(*int32)(p))), nil
	case kindInt64:
		return appendCBORInt(dst, *(*int64)(p)), nil
	case kindFloat32:
		return binary.BigEndian.AppendUint32(append(dst, cborFloat), math.Float32bits(*(*float32)(p))), nil
	case kindFloat64:
		return appendCBORDouble(dst, *(*float64)(p)), nil
	case kindTime:
		return appendCBORDouble(append(dst, cborEpoch), epoch(*(*time.Time)(p))), nil
	case kindBlob:
		b := *(*[]byte)(p)
		dst = appendCBORHead(dst, cborBytes, uint64(len(b)))
		return append(dst, b...), nil
	case kindStruct:
		dst = append(dst, cborMapOpen)
		for i := range pl.fields {
			f := &pl.fields[i]
			v := f.present(p)
			if v == nil {
				continue
			}
			dst = append(dst, f.cbor...)
			if dst, err = appendCBOR(dst, f.plan, v); err != nil {
				return nil, err
			}
		}
		return append(dst, cborBreak), nil
	case kindList:
		dst = append(dst, cborListOpen)
		h := (*sliceHeader)(p)
		for i := range h.len {
			e := unsafe.Add(h.data, uintptr(i)*pl.elemSize)
			if pl.elemPtr {
				if e = *(*unsafe.Pointer)(e); e == nil {
					dst = append(dst, cborNull)
					continue
				}
			}
			if dst, err = appendCBOR(dst, pl.elem, e); err != nil {
				return nil, err
			}
		}
		return append(dst, cborBreak), nil
	case kindMap:
		dst = append(dst, cborMapOpen)
		err = eachEntry(pl, p, func(k string, v unsafe.Pointer) (err error) {
			dst = appendCBORString(dst, k)
			if v == nil {
				dst = append(dst, cborNull)
				return nil
			}
			dst, err = appendCBOR(dst, pl.elem, v)
			return err
		})
		if err != nil {
			return nil, err
		}
		return append(dst, cborBreak), nil
	default:
		m, v, err := unionValue(pl, p)
		if err != nil {
			return nil, err
		}
		dst = append(dst, cborMapOpen)
		dst = append(dst, m.cbor...)
		if dst, err = appendCBOR(dst, m.plan, v); err != nil {
			return nil, err
		}
		return append(dst, cborBreak), nil
	}
}
