// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import "math/bits"

const (
	// bloomChunkRows is how many rows one filter covers. A candidate chunk costs about 5 ms to search.
	bloomChunkRows = 8192
	// 16 bits a token and 6 probes find a token wrongly in about one chunk of a thousand.
	bloomBitsPerToken = 16
	bloomProbes       = 6
)

// bloomWords is how many 64-bit words the filter of n tokens has.
func bloomWords(n int) int { return max(1, (n*bloomBitsPerToken+63)/64) }

func bloomAdd(words []uint64, hash uint64) {
	m := uint64(len(words)) * 64
	step := bits.RotateLeft64(hash, 23) | 1
	for range bloomProbes {
		bit, _ := bits.Mul64(hash, m)
		words[bit>>6] |= 1 << (bit & 63)
		hash += step
	}
}

// tokenSet is a set of token hashes that is cheap to empty and fill again.
type tokenSet struct {
	slots []uint64 // open addressing; 0 is free
	n     int
	zero  bool // whether the hash 0 is in it
}

func (s *tokenSet) reset() {
	clear(s.slots)
	s.n, s.zero = 0, false
}

func (s *tokenSet) add(hash uint64) {
	if hash == 0 {
		s.zero = true
		return
	}
	if s.n*2 >= len(s.slots) {
		s.grow()
	}
	mask := uint64(len(s.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case hash:
			return
		case 0:
			s.slots[i] = hash
			s.n++
			return
		}
	}
}

func (s *tokenSet) grow() {
	old := s.slots
	s.slots = make([]uint64, max(1<<12, 2*len(old)))
	s.n = 0
	for _, h := range old {
		if h != 0 {
			s.add(h)
		}
	}
}

func (s *tokenSet) len() int {
	if s.zero {
		return s.n + 1
	}
	return s.n
}

// filter writes the bloom filter of the set.
func (s *tokenSet) filter() []uint64 {
	words := make([]uint64, bloomWords(s.len()))
	for _, h := range s.slots {
		if h != 0 {
			bloomAdd(words, h)
		}
	}
	if s.zero {
		bloomAdd(words, 0)
	}
	return words
}
