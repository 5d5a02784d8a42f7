// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"encoding/binary"
	"math"
	"strconv"
)

// cborScanner reads CBOR items (RFC 8949) of b, from i on.
type cborScanner struct {
	b       []byte
	i       int
	depth   int
	scratch []byte // strings that came in chunks
}

// indefinite is the length of an item that ends with a break.
const indefinite = math.MaxUint64

func (s *cborScanner) short() error {
	return malformed("Unexpected end of CBOR at offset " + strconv.Itoa(len(s.b)))
}

func (s *cborScanner) bad(what string) error {
	return malformed("Invalid CBOR, " + what + ", at offset " + strconv.Itoa(s.i))
}

// peek returns the next item's first byte; ok is false at the end.
func (s *cborScanner) peek() (c byte, ok bool) {
	if s.i >= len(s.b) {
		return 0, false
	}
	return s.b[s.i], true
}

// head reads an item's major type and argument. The length of an item of indefinite length is indefinite; for major
// type 7 the argument is the value of a float or simple value.
func (s *cborScanner) head() (major, info byte, arg uint64, err error) {
	if s.i >= len(s.b) {
		return 0, 0, 0, s.short()
	}
	c := s.b[s.i]
	major, info = c>>5, c&0x1f
	rest := s.b[s.i+1:]
	switch {
	case info < 24:
		s.i++
		return major, info, uint64(info), nil
	case info == 24:
		if len(rest) < 1 {
			return 0, 0, 0, s.short()
		}
		s.i += 2
		return major, info, uint64(rest[0]), nil
	case info == 25:
		if len(rest) < 2 {
			return 0, 0, 0, s.short()
		}
		s.i += 3
		return major, info, uint64(binary.BigEndian.Uint16(rest)), nil
	case info == 26:
		if len(rest) < 4 {
			return 0, 0, 0, s.short()
		}
		s.i += 5
		return major, info, uint64(binary.BigEndian.Uint32(rest)), nil
	case info == 27:
		if len(rest) < 8 {
			return 0, 0, 0, s.short()
		}
		s.i += 9
		return major, info, binary.BigEndian.Uint64(rest), nil
	case info == 31 && major >= cborBytes && major <= cborMap:
		s.i++
		return major, info, indefinite, nil
	default:
		return 0, 0, 0, s.bad("unassigned item")
	}
}

// enter counts the nesting.
func (s *cborScanner) enter() error {
	s.depth++
	if s.depth > maxDepth {
		return malformed("CBOR is nested deeper than " + strconv.Itoa(maxDepth))
	}
	return nil
}

func (s *cborScanner) leave() { s.depth-- }

// length checks a list's or a map's definite length against what is left of the input, each element being at least
// width bytes.
func (s *cborScanner) length(n uint64, width int) error {
	if n != indefinite && n > uint64(len(s.b)-s.i)/uint64(width) {
		return s.short()
	}
	return nil
}

// more reports whether a list or map, of which n elements are left, has another. It reads the break.
func (s *cborScanner) more(n *uint64) (bool, error) {
	if *n != indefinite {
		if *n == 0 {
			return false, nil
		}
		*n--
		return true, nil
	}
	c, ok := s.peek()
	if !ok {
		return false, s.short()
	}
	if c == cborBreak {
		s.i++
		return false, nil
	}
	return true, nil
}

// bytes reads a string of that major type, in one piece or in chunks. The result points into the input or into
// scratch: it is valid until the next call.
func (s *cborScanner) bytes(want byte) ([]byte, error) {
	if s.i < len(s.b) { // short strings have their length in the first byte
		if n := int(s.b[s.i]) - int(want)<<5; n >= 0 && n < 24 && n < len(s.b)-s.i {
			b := s.b[s.i+1 : s.i+1+n]
			s.i += 1 + n
			return b, nil
		}
	}
	major, _, n, err := s.head()
	if err != nil {
		return nil, err
	}
	if major != want {
		return nil, s.bad("string expected")
	}
	if n != indefinite {
		return s.take(n)
	}
	out := s.scratch[:0]
	for {
		c, ok := s.peek()
		if !ok {
			return nil, s.short()
		}
		if c == cborBreak {
			s.i++
			s.scratch = out
			return out, nil
		}
		major, _, n, err := s.head()
		if err != nil {
			return nil, err
		}
		if major != want || n == indefinite {
			return nil, s.bad("chunk of another type")
		}
		chunk, err := s.take(n)
		if err != nil {
			return nil, err
		}
		out = append(out, chunk...)
	}
}

func (s *cborScanner) take(n uint64) ([]byte, error) {
	if n > uint64(len(s.b)-s.i) {
		return nil, s.short()
	}
	b := s.b[s.i : s.i+int(n)]
	s.i += int(n)
	return b, nil
}

// null reads a null or an undefined and says whether there was one.
func (s *cborScanner) null() bool {
	if s.i < len(s.b) && (s.b[s.i] == cborNull || s.b[s.i] == cborUndefined) {
		s.i++
		return true
	}
	return false
}

// token names the next item for error messages.
func (s *cborScanner) token() string {
	c, ok := s.peek()
	if !ok {
		return ""
	}
	switch c >> 5 {
	case cborUint, cborNegative:
		return "NUMBER_VALUE"
	case cborBytes:
		return "BYTES_VALUE"
	case cborText:
		return "STRING_VALUE"
	case cborArray:
		return "START_ARRAY"
	case cborMap:
		return "START_OBJECT"
	case cborTag:
		return "TAGGED_VALUE"
	}
	switch c {
	case cborTrue:
		return "TRUE_VALUE"
	case cborFalse:
		return "FALSE_VALUE"
	case cborNull, cborUndefined:
		return "NULL_VALUE"
	case cborHalf, cborFloat, cborDouble:
		return "NUMBER_VALUE"
	default:
		return ""
	}
}

// skip reads an item and forgets it.
func (s *cborScanner) skip() error {
	c, ok := s.peek()
	if !ok {
		return s.short()
	}
	switch c >> 5 {
	case cborBytes, cborText:
		_, err := s.bytes(c >> 5)
		return err
	}
	major, info, n, err := s.head()
	if err != nil {
		return err
	}
	switch major {
	case cborSimple:
		if info == 24 && n < 32 {
			return s.bad("unassigned simple value")
		}
		return nil
	case cborUint, cborNegative:
		return nil
	}
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if major == cborTag {
		return s.skip()
	}
	width := 1
	if major == cborMap {
		width = 2
	}
	if err := s.length(n, width); err != nil {
		return err
	}
	for {
		ok, err := s.more(&n)
		if err != nil || !ok {
			return err
		}
		for range width {
			if err := s.skip(); err != nil {
				return err
			}
		}
	}
}

// halfFloat is the value of an IEEE 754 half.
func halfFloat(h uint16) float64 {
	exp, frac := int(h>>10&0x1f), float64(h&0x3ff)
	var f float64
	switch exp {
	case 0:
		f = math.Ldexp(frac, -24)
	case 31:
		f = math.Inf(1)
		if frac != 0 {
			f = math.NaN()
		}
	default:
		f = math.Ldexp(frac+1024, exp-25)
	}
	if h&0x8000 != 0 {
		f = -f
	}
	return f
}
