// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/fnv"
)

// TraceID is a trace's id: the 16 bytes that X-Ray writes as 1-4efaaf4d-1e8720b39541901950019ee5 and W3C as
// 4efaaf4d1e8720b39541901950019ee5.
type TraceID [16]byte

// SpanID is the id of a segment, a subsegment or a span, 16 hexadecimal digits in text.
type SpanID [8]byte

// ParseTraceID reads X-Ray's form and W3C's, in either case.
func ParseTraceID(s string) (TraceID, error) {
	var id TraceID
	ok := false
	switch len(s) {
	case 35:
		ok = s[0] == '1' && s[1] == '-' && s[10] == '-' && decodeHex(id[:4], s[2:10]) && decodeHex(id[4:], s[11:])
	case 32:
		ok = decodeHex(id[:], s)
	}
	if !ok {
		return TraceID{}, fmt.Errorf("trace id %q is neither 1-<8 hex>-<24 hex> nor 32 hex digits", clip(s, 64))
	}
	return id, nil
}

// String is X-Ray's form, in lower case.
func (id TraceID) String() string {
	var b [35]byte
	return string(id.append(b[:0]))
}

func (id TraceID) append(dst []byte) []byte {
	dst = append(dst, '1', '-')
	dst = hex.AppendEncode(dst, id[:4])
	dst = append(dst, '-')
	return hex.AppendEncode(dst, id[4:])
}

// W3C is the form of the W3C trace context, 32 hexadecimal digits.
func (id TraceID) W3C() string { return hex.EncodeToString(id[:]) }

// IsZero is true for the id that stands for no trace.
func (id TraceID) IsZero() bool { return id == TraceID{} }

// Epoch is the time in the id's first four bytes, in Unix seconds. It means something only when the id was
// made by X-Ray's rule: W3C ids are random there.
func (id TraceID) Epoch() int64 { return int64(binary.BigEndian.Uint32(id[:4])) }

// ParseSpanID reads 16 hexadecimal digits, in either case.
func ParseSpanID(s string) (SpanID, error) {
	var id SpanID
	if len(s) != 16 || !decodeHex(id[:], s) {
		return SpanID{}, fmt.Errorf("id %q is not 16 hex digits", clip(s, 64))
	}
	return id, nil
}

// String is 16 hexadecimal digits in lower case.
func (id SpanID) String() string { return hex.EncodeToString(id[:]) }

// IsZero is true for the id that stands for none.
func (id SpanID) IsZero() bool { return id == SpanID{} }

// derive makes another id from id that is always the same for the same purpose.
func (id SpanID) derive(purpose string) SpanID {
	h := fnv.New64a()
	_, _ = h.Write(id[:])
	_, _ = h.Write([]byte(purpose))
	var out SpanID
	binary.BigEndian.PutUint64(out[:], h.Sum64())
	if out.IsZero() {
		out[7] = 1
	}
	return out
}

// hexDigit holds the value of each hexadecimal digit, 255 for other bytes.
var hexDigit = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i := range byte(10) {
		t['0'+i] = i
	}
	for i := range byte(6) {
		t['a'+i], t['A'+i] = 10+i, 10+i
	}
	return t
}()

// decodeHex fills dst from 2*len(dst) digits.
func decodeHex(dst []byte, s string) bool {
	if len(s) != 2*len(dst) {
		return false
	}
	for i := range dst {
		hi, lo := hexDigit[s[2*i]], hexDigit[s[2*i+1]]
		if hi|lo > 15 {
			return false
		}
		dst[i] = hi<<4 | lo
	}
	return true
}

// clip shortens s for a message.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}
