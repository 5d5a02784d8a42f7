// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"crypto/sha256"
	"hash/maphash"
	"math"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// seriesPoint is a point of a cumulative series, or the increase between two.
type seriesPoint struct {
	start, time pcommon.Timestamp

	sum       float64
	integer   int64 // the same exactly, when isInteger
	isInteger bool
	hasSum    bool
	count     uint64 // of samples, for all but numbers

	bounds             []float64 // of a histogram
	positive, negative []uint64  // bucket counts; of a histogram all are in positive

	exponential                    bool
	scale                          int32
	positiveOffset, negativeOffset int32
	zeroThreshold                  float64
	zeroCount                      uint64
}

const seriesShards = 16

// seriesCache remembers the last point of cumulative series.
type seriesCache struct {
	seed   maphash.Seed
	shards [seriesShards]seriesShard
}

type seriesShard struct {
	mu      sync.Mutex
	max     int
	ttl     time.Duration
	initial InitialValue
	series  map[string]*seriesState
	// newest and oldest end a list in order of last use.
	newest, oldest *seriesState
	// known is when this shard can first tell a new series from a forgotten one: a series that began later is new.
	known            pcommon.Timestamp
	evicted, expired int64
}

type seriesState struct {
	key          string
	last         seriesPoint
	used         time.Time
	newer, older *seriesState
}

func newSeriesCache(limit int, ttl time.Duration, initial InitialValue, now time.Time) *seriesCache {
	c := &seriesCache{seed: maphash.MakeSeed()}
	for i := range c.shards {
		s := &c.shards[i]
		s.max = max((limit+seriesShards-1)/seriesShards, 1)
		s.ttl = ttl
		s.initial = initial
		s.series = make(map[string]*seriesState)
		if initial == InitialValueAuto {
			s.known = pcommon.NewTimestampFromTime(now)
		}
	}
	return c
}

func (c *seriesCache) stats() (series int, evicted, expired int64) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		series += len(s.series)
		evicted += s.evicted
		expired += s.expired
		s.mu.Unlock()
	}
	return series, evicted, expired
}

// delta returns the increase of a series since its last point, or why there is none. It keeps p's slices.
func (c *seriesCache) delta(key []byte, p *seriesPoint, now time.Time) (*seriesPoint, Reason) {
	s := &c.shards[maphash.Bytes(c.seed, key)%seriesShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.oldest != nil && now.Sub(s.oldest.used) > s.ttl {
		s.forget(s.oldest)
		s.expired++
	}
	state, ok := s.series[string(key)]
	if !ok {
		if len(s.series) >= s.max {
			s.forget(s.oldest)
			s.evicted++
		}
		state = &seriesState{key: string(key), last: *p, used: now}
		s.series[state.key] = state
		s.push(state)
		if !s.keepsFirst(p) {
			return nil, ReasonFirstPoint
		}
		return p.clone(), ""
	}
	state.used = now
	s.unlink(state)
	s.push(state)
	if p.time <= state.last.time {
		return nil, ReasonOutOfOrder
	}
	delta := p.clone()
	last := state.last
	state.last = *p
	if p.start > last.time { // began anew
		return delta, ""
	}
	if p.exponential && p.zeroThreshold != last.zeroThreshold || !slices.Equal(p.bounds, last.bounds) {
		return nil, ReasonChangedHistogram
	}
	if !delta.subtract(&last) { // counts fell: began anew, unannounced
		return p.clone(), ""
	}
	return delta, ""
}

// keepsFirst reports whether the first point of a series is the increase since it began.
func (s *seriesShard) keepsFirst(p *seriesPoint) bool {
	switch s.initial {
	case InitialValueKeep:
		return s.known == 0 || p.start > s.known
	case InitialValueAuto:
		return p.start >= s.known
	}
	return false
}

func (s *seriesShard) forget(state *seriesState) {
	delete(s.series, state.key)
	s.unlink(state)
	// Should it come back, it is not new: it began before this.
	s.known = max(s.known, state.last.time)
}

func (s *seriesShard) push(state *seriesState) {
	state.older, state.newer = s.newest, nil
	if s.newest != nil {
		s.newest.newer = state
	}
	s.newest = state
	if s.oldest == nil {
		s.oldest = state
	}
}

func (s *seriesShard) unlink(state *seriesState) {
	if state.newer != nil {
		state.newer.older = state.older
	} else {
		s.newest = state.older
	}
	if state.older != nil {
		state.older.newer = state.newer
	} else {
		s.oldest = state.newer
	}
	state.newer, state.older = nil, nil
}

func (p *seriesPoint) clone() *seriesPoint {
	c := *p
	c.positive, c.negative = slices.Clone(p.positive), slices.Clone(p.negative)
	return &c
}

// subtract takes an earlier point off. It reports false, and leaves p undefined, when something fell.
func (p *seriesPoint) subtract(last *seriesPoint) bool {
	if p.count < last.count || p.zeroCount < last.zeroCount || p.exponential != last.exponential {
		return false
	}
	p.count -= last.count
	p.zeroCount -= last.zeroCount
	switch {
	case p.isInteger && last.isInteger:
		if p.integer < last.integer {
			return false
		}
		p.integer -= last.integer
		p.sum = float64(p.integer)
	case p.positive == nil && p.count == 0 && p.sum < last.sum && last.count == 0:
		return false // a counter; other sums may fall, negative measurements do that
	default:
		p.sum -= last.sum
	}
	p.hasSum = p.hasSum && last.hasSum
	if !p.exponential {
		return subtractBuckets(p.positive, 0, last.positive, 0, 0)
	}
	shift := last.scale - p.scale
	if shift < 0 {
		return false // buckets only get wider while a series lives
	}
	return subtractBuckets(p.positive, p.positiveOffset, last.positive, last.positiveOffset, shift) &&
		subtractBuckets(p.negative, p.negativeOffset, last.negative, last.negativeOffset, shift)
}

// subtractBuckets takes last's buckets, 2^shift of them to one, off p's.
func subtractBuckets(p []uint64, offset int32, last []uint64, lastOffset, shift int32) bool {
	for i, n := range last {
		if n == 0 {
			continue
		}
		at := (int64(lastOffset)+int64(i))>>shift - int64(offset)
		if at < 0 || at >= int64(len(p)) || p[at] < n {
			return false
		}
		p[at] -= n
	}
	return true
}

// seriesKey appends everything that identifies the series of a data point of the current metric.
func (r *conversion) seriesKey(attrs pcommon.Map) []byte {
	if r.resourceKey == nil {
		// Resources are long and shared by many series: 128 bits of a cryptographic hash stand for one.
		sum := sha256.Sum256(appendAttributesKey(r.keyBuf[:0], r.resource.Attributes()))
		r.resourceKey = sum[:16]
	}
	key := r.keyBuf[:0]
	key = append(key, r.resourceKey...)
	key = appendKeyString(key, r.scopeNamespace)
	key = appendKeyString(key, r.scope.Name())
	key = appendKeyString(key, r.scope.Version())
	key = appendKeyString(key, r.metric.Name())
	key = appendKeyString(key, r.metric.Unit())
	key = append(key, byte(r.metric.Type()))
	key = appendAttributesKey(key, attrs)
	r.keyBuf = key
	return key
}

// appendAttributesKey appends the attributes in the order of their names.
func appendAttributesKey(dst []byte, attrs pcommon.Map) []byte {
	type attribute struct {
		name  string
		value pcommon.Value
	}
	var buf [32]attribute
	list := buf[:0]
	for name, v := range attrs.All() {
		list = append(list, attribute{name, v})
	}
	slices.SortFunc(list, func(a, b attribute) int {
		switch {
		case a.name < b.name:
			return -1
		case a.name > b.name:
			return 1
		}
		return 0
	})
	for _, a := range list {
		dst = appendKeyString(dst, a.name)
		dst = append(dst, byte(a.value.Type()))
		switch a.value.Type() {
		case pcommon.ValueTypeStr:
			dst = appendKeyString(dst, a.value.Str())
		case pcommon.ValueTypeDouble:
			dst = appendFloat(dst, a.value.Double())
		default:
			dst = appendKeyString(dst, a.value.AsString())
		}
	}
	return append(dst, math.MaxUint8)
}
