// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"slices"
	"unique"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// maxFuture is how far ahead of the time data may be, in seconds: as far as it is accepted.
const maxFuture = int64(cloudwatch.MaxDatumFuture / 1e9)

// maxLag is how late an evaluation may be, in seconds, and still find its data.
const maxLag = 15 * 60

// maxUnits is how many units a track keeps apart. CloudWatch has fewer.
const maxUnits = 32

// track is the data of a metric that some alarms watch, in slots of one length, as far back as they look. Alarms that look
// at a metric in different ways have different tracks.
type track struct {
	tenant unique.Handle[cloudwatch.Tenant]
	metric cloudwatch.Metric
	next   *track // another one with the same hash: mostly of the same metric
	// grain is the length of a slot in seconds, span how many seconds back slots are kept.
	grain, span int32
	users       int32
	dist        bool // it keeps distributions

	ring    ring
	others  *[]ring    // of further units, nil when there are none
	history *trackPast // nil when nothing has to be read
}

// trackPast is what of a track's past is there: all from liveFrom on, and from filledFrom to filledTo (Unix seconds) once
// that was read.
type trackPast struct {
	liveFrom, filledFrom, filledTo int64
	filled                         bool
	asked                          bool // it is in a list of gaps
}

// length is how many slots are kept of a metric without gaps.
func (t *track) length() int64 { return int64(t.span / t.grain) }

func (t *track) of(tenant unique.Handle[cloudwatch.Tenant], m *cloudwatch.Metric) bool {
	return t.tenant == tenant && t.metric.Namespace == m.Namespace && t.metric.Name == m.Name &&
		slices.Equal(t.metric.Dimensions, m.Dimensions)
}

// rings yields what there is of each unit.
func (t *track) rings(yield func(*ring) bool) {
	if !yield(&t.ring) || t.others == nil {
		return
	}
	for i := range *t.others {
		if !yield(&(*t.others)[i]) {
			return
		}
	}
}

// in returns the ring of a unit, made when there is none. It is nil when there are too many.
func (t *track) in(unit string) *ring {
	if t.ring.unit.named(unit) { // mostly
		return &t.ring
	}
	for r := range t.rings {
		if r.unit.named(unit) {
			return r
		}
	}
	if t.ring.samples == nil && t.ring.full == nil {
		t.ring.unit = newUnit(unit)
		return &t.ring
	}
	if t.others == nil {
		t.others = new([]ring)
	}
	if len(*t.others) == maxUnits {
		return nil
	}
	*t.others = append(*t.others, ring{unit: newUnit(unit)})
	return &(*t.others)[len(*t.others)-1]
}

// add adds a datum. oldest is the first second that is kept, newest the last.
func (t *track) add(d *cloudwatch.Datum, oldest, newest int64) {
	at := cloudwatch.FloorTimestamp(d.TimestampMs, d.StorageResolution)
	at -= mod(at, int64(t.grain))
	if at < oldest || at > newest {
		return
	}
	if r := t.in(d.Unit); r != nil {
		r.add(d, t, at, oldest)
	}
}

func mod(v, m int64) int64 {
	if v %= m; v < 0 {
		v += m
	}
	return v
}

// pick returns the ring with the data of an alarm: that of its unit or, when it names none, that of the first unit by name
// with data in the window.
func (t *track) pick(unit string, w *Window) *ring {
	if unit == "" && t.others == nil {
		return &t.ring
	}
	var best *ring
	for r := range t.rings {
		switch {
		case unit != "" && r.unit.named(unit):
			return r
		case unit == "" && (best == nil || r.unit.name() < best.unit.name()) && r.any(w.Starts[0], w.End):
			best = r
		}
	}
	return best
}

// read appends the periods of a window that have a value.
func (t *track) read(points []Point, in *Input, w *Window, merged *cloudwatch.Distribution) []Point {
	if len(w.Starts) == 0 {
		return points
	}
	r := t.pick(in.Unit, w)
	if r == nil {
		return points
	}
	i := r.from(w.Starts[0])
	for j, start := range w.Starts {
		end := w.End
		if j+1 < len(w.Starts) {
			end = w.Starts[j+1]
		}
		set, dist, next := r.merge(i, end, merged)
		if next == i {
			continue
		}
		i = next
		if v, ok := in.Stat.Of(&set, dist); ok {
			points = append(points, Point{Start: start, Value: v, SampleCount: set.SampleCount})
		}
	}
	return points
}
