// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//nolint:gosec // unsafe follows the layouts that reflect gave the plans
package awswire

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// jsonScanner reads JSON tokens of b, from i on. It is strict: RFC 8259, nothing else. The caller has checked that b is
// UTF-8.
type jsonScanner struct {
	b       []byte
	i       int
	depth   int
	scratch []byte // unescaped strings
}

func (s *jsonScanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// peek returns the first byte of the next token, 0 at the end.
func (s *jsonScanner) peek() byte {
	if s.i < len(s.b) && s.b[s.i] > ' ' {
		return s.b[s.i]
	}
	s.space()
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

// token names the next token as AWS's messages do.
func (s *jsonScanner) token() string {
	switch c := s.peek(); {
	case c == '"':
		return "STRING_VALUE"
	case c == '{':
		return "START_OBJECT"
	case c == '[':
		return "START_ARRAY"
	case c == 't':
		return "TRUE_VALUE"
	case c == 'f':
		return "FALSE_VALUE"
	case c == 'n':
		return "NULL_VALUE"
	case c == '-' || c >= '0' && c <= '9':
		return "NUMBER_VALUE"
	}
	return ""
}

// fail describes the byte at which the input stops being JSON.
func (s *jsonScanner) fail() error {
	if s.i >= len(s.b) {
		return malformed("Unexpected end of JSON at offset " + strconv.Itoa(len(s.b)))
	}
	r, _ := utf8.DecodeRune(s.b[s.i:])
	return malformed("Unexpected character " + strconv.QuoteRune(r) + " in JSON at offset " + strconv.Itoa(s.i))
}

func (s *jsonScanner) literal(word string) error {
	if len(s.b)-s.i < len(word) || string(s.b[s.i:s.i+len(word)]) != word {
		return s.fail()
	}
	s.i += len(word)
	return nil
}

// enter and leave count the nesting.
func (s *jsonScanner) enter() error {
	s.depth++
	if s.depth > maxDepth {
		return malformed("JSON is nested deeper than " + strconv.Itoa(maxDepth))
	}
	s.i++
	return nil
}

// more reports whether the array or object, whose opening byte has been read, has another element, and stands before
// it. After the last it has read the closing byte.
func (s *jsonScanner) more(first bool, closing byte) (bool, error) {
	c := s.peek()
	switch {
	case c == closing && c != 0:
		s.i++
		s.depth--
		return false, nil
	case first:
		return true, nil
	case c == ',':
		s.i++
		if s.peek() == closing {
			return false, s.fail()
		}
		return true, nil
	default:
		return false, s.fail()
	}
}

// key reads a member's name and its colon. The bytes are valid until the next string is read.
func (s *jsonScanner) key() ([]byte, error) {
	if s.peek() != '"' {
		return nil, s.fail()
	}
	k, err := s.string()
	if err != nil {
		return nil, err
	}
	if s.peek() != ':' {
		return nil, s.fail()
	}
	s.i++
	return k, nil
}

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// run returns the index of the first byte at or after i that cannot stand in a string for itself: a quote, a
// backslash or a control character; len(b) when there is none. It looks at eight bytes at a time.
func run(b []byte, i int) int {
	for i+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[i:])
		quote := w ^ lowBits*'"'
		slash := w ^ lowBits*'\\'
		// Each term has the high bit set in the first byte that is equal, or less than a space. Bytes after the
		// first may be flagged wrongly by a borrow, which does not matter.
		m := ((quote-lowBits)&^quote | (slash-lowBits)&^slash | (w-lowBits*' ')&^w) & highBits
		if m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
		i += 8
	}
	for i < len(b) && b[i] != '"' && b[i] != '\\' && b[i] >= ' ' {
		i++
	}
	return i
}

// string reads a string, standing at its quote. The result points into the input or, when there are escapes, into
// scratch: it is valid until the next call.
func (s *jsonScanner) string() ([]byte, error) {
	start := s.i + 1
	end := run(s.b, start)
	if end < len(s.b) && s.b[end] == '"' {
		s.i = end + 1
		return s.b[start:end], nil
	}
	out := s.scratch[:0]
	for {
		if end >= len(s.b) || s.b[end] < ' ' {
			s.i = end
			return nil, s.fail()
		}
		out = append(out, s.b[start:end]...)
		if s.b[end] == '"' {
			s.i = end + 1
			s.scratch = out
			return out, nil
		}
		// A backslash. Its escape is mostly two bytes.
		if end+1 >= len(s.b) {
			s.i = len(s.b)
			return nil, s.fail()
		}
		c := unescape[s.b[end+1]]
		if c == 0 {
			s.i = end + 1
			return nil, s.fail()
		}
		start = end + 2
		if c != 'u' {
			out = append(out, c)
		} else {
			r, n := s.unicode(end)
			if n == 0 {
				s.i = end
				return nil, s.fail()
			}
			out = utf8.AppendRune(out, r)
			start = end + n
		}
		end = run(s.b, start)
	}
}

// unescape is the meaning of the byte after a backslash; 'u' stands for itself, 0 for what is not allowed.
var unescape = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'u': 'u',
}

// unicode reads \uXXXX at i, or a pair of them, and returns how many bytes it took; 0 when it is no escape. A
// surrogate without its other half becomes the replacement character.
func (s *jsonScanner) unicode(i int) (rune, int) {
	r := s.hex4(i + 2)
	if r < 0 {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if i+8 <= len(s.b) && s.b[i+6] == '\\' && s.b[i+7] == 'u' {
		if low := s.hex4(i + 8); low >= 0 {
			if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
				return both, 12
			}
		}
	}
	return utf8.RuneError, 6
}

func (s *jsonScanner) hex4(i int) rune {
	if i+4 > len(s.b) {
		return -1
	}
	var r rune
	for _, c := range s.b[i : i+4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// number reads a number and says whether it is written as an integer.
func (s *jsonScanner) number() (text []byte, integer bool, err error) {
	start := s.i
	if s.i < len(s.b) && s.b[s.i] == '-' {
		s.i++
	}
	switch {
	case s.i >= len(s.b):
		return nil, false, s.fail()
	case s.b[s.i] == '0':
		s.i++
	case s.b[s.i] >= '1' && s.b[s.i] <= '9':
		s.digits()
	default:
		return nil, false, s.fail()
	}
	integer = true
	if s.i < len(s.b) && s.b[s.i] == '.' {
		integer = false
		s.i++
		if !s.digits() {
			return nil, false, s.fail()
		}
	}
	if s.i < len(s.b) && s.b[s.i]|0x20 == 'e' {
		integer = false
		s.i++
		if s.i < len(s.b) && (s.b[s.i] == '+' || s.b[s.i] == '-') {
			s.i++
		}
		if !s.digits() {
			return nil, false, s.fail()
		}
	}
	return s.b[start:s.i], integer, nil
}

func (s *jsonScanner) digits() bool {
	start := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > start
}

// skip reads a value and forgets it.
func (s *jsonScanner) skip() error {
	switch c := s.peek(); {
	case c == '"':
		_, err := s.string()
		return err
	case c == '{':
		if err := s.enter(); err != nil {
			return err
		}
		for first := true; ; first = false {
			ok, err := s.more(first, '}')
			if err != nil || !ok {
				return err
			}
			if _, err := s.key(); err != nil {
				return err
			}
			if err := s.skip(); err != nil {
				return err
			}
		}
	case c == '[':
		if err := s.enter(); err != nil {
			return err
		}
		for first := true; ; first = false {
			ok, err := s.more(first, ']')
			if err != nil || !ok {
				return err
			}
			if err := s.skip(); err != nil {
				return err
			}
		}
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	case c == '-' || c >= '0' && c <= '9':
		_, _, err := s.number()
		return err
	default:
		return s.fail()
	}
}

// view is b as a string, valid as long as b is not changed.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
