// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"hash/maphash"
	"iter"
	"sync/atomic"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// watchSet is a set of hashes that is read without a lock. What was put is found; what was not may be, rarely, when the
// hashes are the same, and for a while after it was removed. It is written under the engine's lock, and what it should hold
// is kept elsewhere: all yields it.
type watchSet struct {
	table atomic.Pointer[watchTable]
}

// watchTable is an open hash table whose length is a power of two. Zero is a free slot.
type watchTable struct {
	slots []atomic.Uint64
	used  int // slots that are not free, also those of hashes that were removed
}

func (s *watchSet) has(hash uint64) bool {
	t := s.table.Load()
	if t == nil {
		return false
	}
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		switch t.slots[i].Load() {
		case hash:
			return true
		case 0:
			return false
		}
	}
}

// put adds a hash, which all yields already.
func (s *watchSet) put(hash uint64, all iter.Seq[uint64]) {
	if s.has(hash) {
		return // it was removed before
	}
	t := s.table.Load()
	if t == nil || (t.used+1)*3 > 2*len(t.slots) {
		s.rebuild(all)
		return
	}
	t.put(hash)
}

// remove is told that some hash was removed, and how many are left.
func (s *watchSet) remove(left int, all iter.Seq[uint64]) {
	if t := s.table.Load(); t != nil && (left == 0 || t.used > 4*left+16) {
		s.rebuild(all)
	}
}

func (s *watchSet) rebuild(all iter.Seq[uint64]) {
	n := 0
	for range all {
		n++
	}
	size := 16
	for size < 2*n {
		size *= 2
	}
	t := &watchTable{slots: make([]atomic.Uint64, size)}
	for hash := range all {
		t.put(hash)
	}
	s.table.Store(t)
}

func (t *watchTable) put(hash uint64) {
	mask := uint64(len(t.slots) - 1)
	i := hash & mask
	for t.slots[i].Load() != 0 {
		i = (i + 1) & mask
	}
	t.slots[i].Store(hash)
	t.used++
}

var hashSeed = maphash.MakeSeed()

const hashPrime = 0x9e3779b97f4a7c15

func hashMore(h uint64, s string) uint64 {
	return (h*hashPrime ^ maphash.String(hashSeed, s))
}

// hashName is the hash of a namespace and name; never 0.
func hashName(namespace, name string) uint64 {
	return hashMore(maphash.String(hashSeed, namespace), name) | 1
}

// hashMetric is the hash of a tenant's metric; never 0.
func hashMetric(t cloudwatch.Tenant, m *cloudwatch.Metric) uint64 {
	h := hashMore(maphash.String(hashSeed, t.Account), t.Region)
	h = hashMore(hashMore(h, m.Namespace), m.Name)
	for i := range m.Dimensions {
		h = hashMore(hashMore(h, m.Dimensions[i].Name), m.Dimensions[i].Value)
	}
	return h | 1
}

// hashString is the same in every process: it spreads the alarms over time.
func hashString(s string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * prime
	}
	// The low bits of the sum alone are of the last bytes.
	h ^= h >> 32
	return h * hashPrime >> 16
}

// Watches reports whether some alarm may watch a metric of this name. It takes no lock and is the first question to ask
// of every data point.
func (e *Engine) Watches(namespace, metric string) bool {
	return e.names.has(hashName(namespace, metric))
}
