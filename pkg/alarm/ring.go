// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"slices"
	"unique"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// ring is the data of a metric in one unit: the slots that have some, oldest first. Its memory is used again for new slots
// when the oldest are too old.
//
// Most metrics have one sample in a slot. While that is so of all slots, the samples are kept alone.
type ring struct {
	unit    unit
	samples []sample
	full    *fullRing // nil while samples say all
}

// unit is the name of a unit in one word; the zero unit is none.
type unit struct{ unique.Handle[string] }

func newUnit(name string) unit { return unit{unique.Make(name)} }

func (u unit) name() string {
	if u == (unit{}) {
		return ""
	}
	return u.Value()
}

// named reports whether it is the unit of a name; none is not.
func (u unit) named(name string) bool { return u != (unit{}) && u.Value() == name }

// fullRing is a ring with statistics.
type fullRing struct {
	slots []slot
	// dists go with slots in tracks that keep distributions.
	dists *[]*cloudwatch.Distribution
}

// sample is the one sample of a slot, slot what was measured in one.
type (
	sample struct {
		start int64 // Unix seconds
		value float64
	}
	slot struct {
		start int64
		cloudwatch.StatisticSet
	}
)

func (s sample) when() int64 { return s.start }
func (s slot) when() int64   { return s.start }

// ringSlack is for data ahead of the time.
const ringSlack = 1

// longRing is the length from which rings grow as they need to.
const longRing = 16

// place finds the slot that begins at a time, or makes it: i is where it is. Slots before oldest are dropped when the ring
// is full, and how many they are is dropped.
func place[S interface{ when() int64 }](s []S, zero S, at, oldest, length int64) (ring []S, i, dropped int, found bool) {
	i = len(s)
	for i > 0 && s[i-1].when() > at {
		i--
	}
	if i > 0 && s[i-1].when() == at {
		return s, i - 1, 0, true
	}
	if len(s) == cap(s) {
		for dropped < i && s[dropped].when() < oldest {
			dropped++
		}
		i -= dropped
		if dropped > 0 && dropped >= len(s)/8 {
			s = slices.Delete(s, 0, dropped)
		} else {
			s = append(make([]S, 0, roomFor(len(s)-dropped, length)), s[dropped:]...)
		}
	}
	return slices.Insert(s, i, zero), i, dropped, false
}

// roomFor is how long to make the memory of a ring with n slots that is full, where length is how many slots are kept of a
// metric without gaps.
func roomFor(n int, length int64) int {
	if room := int(min(length+ringSlack, longRing)); n < room {
		return room
	}
	return n + n/4 + ringSlack
}

// add adds a datum to the slot at a time.
func (r *ring) add(d *cloudwatch.Datum, t *track, at, oldest int64) {
	if r.full == nil {
		if !t.dist && d.Statistics == nil && d.Values == nil {
			var found bool
			var i int
			if r.samples, i, _, found = place(r.samples, sample{start: at}, at, oldest, t.length()); !found {
				r.samples[i].value = d.Value
				return
			}
		}
		r.expand(t)
	}
	set, dist := r.full.at(t, at, oldest)
	d.AddTo(set, dist)
}

// expand makes the samples statistics.
func (r *ring) expand(t *track) {
	r.full = &fullRing{}
	if len(r.samples) > 0 {
		r.full.slots = make([]slot, 0, roomFor(len(r.samples), t.length()))
	}
	for _, s := range r.samples {
		one := cloudwatch.StatisticSet{SampleCount: 1, Sum: s.value, Minimum: s.value, Maximum: s.value}
		r.full.slots = append(r.full.slots, slot{start: s.start, StatisticSet: one})
	}
	r.samples = nil
}

// at is the slot at a time, and its distribution when the track keeps them.
func (f *fullRing) at(t *track, at, oldest int64) (*cloudwatch.StatisticSet, *cloudwatch.Distribution) {
	var i, dropped int
	var found bool
	f.slots, i, dropped, found = place(f.slots, slot{start: at}, at, oldest, t.length())
	if !t.dist {
		return &f.slots[i].StatisticSet, nil
	}
	if f.dists == nil {
		f.dists = new([]*cloudwatch.Distribution)
	}
	*f.dists = slices.Delete(*f.dists, 0, dropped)
	if !found {
		*f.dists = slices.Insert(*f.dists, i, new(cloudwatch.Distribution))
	}
	return &f.slots[i].StatisticSet, (*f.dists)[i]
}

// put puts statistics into a slot in place of what is there, when they are of more samples: what was observed meanwhile is
// a part of what was read, unless the reader has not seen it yet.
func (r *ring) put(b *cloudwatch.Bucket, t *track) {
	oldest := b.Start - int64(t.span)
	if r.full == nil {
		if v, uniform := b.Uniform(); uniform && b.SampleCount == 1 && b.Minimum == b.Maximum && !t.dist {
			var i int
			var found bool
			if r.samples, i, _, found = place(r.samples, sample{start: b.Start}, b.Start, oldest, t.length()); !found {
				r.samples[i].value = v
			}
			return
		}
		r.expand(t)
	}
	set, dist := r.full.at(t, b.Start, oldest)
	if set.SampleCount >= b.SampleCount {
		return
	}
	*set = b.StatisticSet
	if dist != nil {
		*dist = cloudwatch.Distribution{}
		dist.Merge(b.Distribution)
	}
}

// from is the place of the first slot at or after a time.
func (r *ring) from(start int64) int {
	if r.full != nil {
		return firstFrom(r.full.slots, start)
	}
	return firstFrom(r.samples, start)
}

func firstFrom[S interface{ when() int64 }](s []S, start int64) int {
	low, high := 0, len(s)
	for low < high {
		if mid := (low + high) / 2; s[mid].when() < start {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// any reports whether there is data from a time and before another.
func (r *ring) any(from, to int64) bool {
	i := r.from(from)
	if r.full != nil {
		return i < len(r.full.slots) && r.full.slots[i].start < to
	}
	return i < len(r.samples) && r.samples[i].start < to
}

// merge is what was measured from slot i on and before a time, and the slot that follows.
func (r *ring) merge(i int, end int64, merged *cloudwatch.Distribution) (cloudwatch.StatisticSet, *cloudwatch.Distribution, int) {
	var set cloudwatch.StatisticSet
	if r.full == nil {
		for ; i < len(r.samples) && r.samples[i].start < end; i++ {
			set.Add(r.samples[i].value, 1)
		}
		return set, nil, i
	}
	f, first := r.full, i
	for ; i < len(f.slots) && f.slots[i].start < end; i++ {
		set.Merge(f.slots[i].StatisticSet)
	}
	switch {
	case f.dists == nil || i == first:
		return set, nil, i
	case i-first == 1:
		return set, (*f.dists)[first], i
	}
	merged.Reset()
	for _, d := range (*f.dists)[first:i] {
		merged.Merge(d)
	}
	return set, merged, i
}
