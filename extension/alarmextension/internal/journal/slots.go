// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import "strconv"

// slots are numbered keys of which some are in use.
type slots struct {
	prefix string
	// count is how many there are, free those that are not in use.
	count uint32
	free  []uint32
}

func (s *slots) key(slot uint32) string { return s.prefix + strconv.FormatUint(uint64(slot), 10) }

// take returns a slot that is not in use.
func (s *slots) take() uint32 {
	if n := len(s.free); n > 0 {
		slot := s.free[n-1]
		s.free = s.free[:n-1]
		return slot
	}
	slot := s.count
	s.count++
	return slot
}

func (s *slots) giveBack(slot uint32) { s.free = append(s.free, slot) }
