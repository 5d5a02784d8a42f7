// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"cmp"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/nephoscope/nephoscope/pkg/alarm/alarmevent"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Position is a place in the order of history.
type Position struct {
	Time int64 // Unix ns
	Seq  uint64
}

func (p Position) compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Time, q.Time), cmp.Compare(p.Seq, q.Seq))
}

// item is an entry of history in memory.
type item struct {
	Position
	name        *name
	history     alarmevent.HistoryType // shares the constant's text
	contributor uint64                 // hash of the id; 0 for the alarm itself
}

// name is an alarm, present or past, that has history.
type name struct {
	tenant    cloudwatch.Tenant
	alarm     string
	alarmType string
	items     int
}

type nameKey struct {
	tenant    cloudwatch.Tenant
	alarm     string
	alarmType string
}

// index has the items of history in order of time.
type index struct {
	items []item
	names map[nameKey]*name
	// perAlarm bounds the items of one alarm. They are removed when there are some more, all at once: finding them looks
	// at every item.
	perAlarm int
	over     map[*name]struct{}
}

func newIndex(perAlarm int) index {
	return index{names: map[nameKey]*name{}, perAlarm: perAlarm, over: map[*name]struct{}{}}
}

func hashContributor(id string) uint64 {
	if id == "" {
		return 0
	}
	return max(1, xxhash.Sum64String(id))
}

var historyTypes = []alarmevent.HistoryType{
	alarmevent.HistoryConfigurationUpdate, alarmevent.HistoryStateUpdate, alarmevent.HistoryAction,
	alarmevent.HistoryContributorState, alarmevent.HistoryContributorAction,
}

func (x *index) add(e *Entry) {
	k := nameKey{e.Tenant, e.Alarm, e.AlarmType}
	n := x.names[k]
	if n == nil {
		n = &name{tenant: e.Tenant, alarm: e.Alarm, alarmType: e.AlarmType}
		x.names[k] = n
	}
	if n.items++; n.items > x.perAlarm+x.perAlarm/8 {
		x.over[n] = struct{}{}
	}
	it := item{
		Position: Position{e.Time.UnixNano(), e.Seq}, name: n, history: e.History, contributor: hashContributor(e.Contributor),
	}
	if i := slices.Index(historyTypes, e.History); i >= 0 {
		it.history = historyTypes[i]
	}
	// Nearly always the last.
	i := len(x.items)
	for i > 0 && x.items[i-1].compare(it.Position) > 0 {
		i--
	}
	x.items = slices.Insert(x.items, i, it)
}

// outdated are the items that have to go: those from before the time, what is more than items in all, or too much of one
// alarm. Not more than limit are returned, in order.
func (x *index) outdated(before time.Time, items, limit int) []Position {
	var out []Position
	surplus := map[*name]int{}
	for n := range x.over {
		surplus[n] = n.items - x.perAlarm
	}
	for i := range x.items {
		it := &x.items[i]
		old := it.Time < before.UnixNano() || len(x.items)-len(out) > items
		if !old && len(surplus) == 0 || len(out) == limit {
			break
		}
		if !old && surplus[it.name] == 0 {
			continue
		}
		out = append(out, it.Position)
		if surplus[it.name] > 1 {
			surplus[it.name]--
		} else {
			delete(surplus, it.name)
		}
	}
	return out
}

// remove removes items, which are in order.
func (x *index) remove(positions []Position) {
	front := 0
	for front < len(positions) && x.items[front].Position == positions[front] {
		x.forget(&x.items[front])
		front++
	}
	x.items, positions = x.items[front:], positions[front:]
	if len(positions) == 0 {
		return
	}
	kept := x.items[:0]
	for _, it := range x.items {
		if len(positions) > 0 && it.Position == positions[0] {
			positions = positions[1:]
			x.forget(&it)
			continue
		}
		kept = append(kept, it)
	}
	clear(x.items[len(kept):])
	x.items = kept
}

func (x *index) forget(it *item) {
	n := it.name
	if n.items--; n.items <= x.perAlarm {
		delete(x.over, n)
	}
	if n.items == 0 {
		delete(x.names, nameKey{n.tenant, n.alarm, n.alarmType})
	}
}

// Query asks for history.
type Query struct {
	Tenant cloudwatch.Tenant
	// Alarm is a name, "" for all.
	Alarm string
	// AlarmTypes are the types wanted.
	AlarmTypes []string
	// Types are the types of items wanted.
	Types []alarmevent.HistoryType
	// Contributor is the id of a contributor, "" for any and none.
	Contributor string
	// Start and End bound the time, both included; zero is no bound.
	Start, End time.Time
	Descending bool
	// After is where the last answer ended, nil from the beginning.
	After *Position
	Limit int
}

// find returns the positions that match, at most q.Limit and one more.
func (x *index) find(q *Query) []Position {
	lo, hi := 0, len(x.items)
	byPosition := func(it item, p Position) int { return it.compare(p) }
	if !q.Start.IsZero() {
		lo, _ = slices.BinarySearchFunc(x.items, Position{Time: q.Start.UnixNano()}, byPosition)
	}
	if !q.End.IsZero() {
		hi, _ = slices.BinarySearchFunc(x.items, Position{Time: q.End.UnixNano() + 1}, byPosition)
	}
	if q.After != nil {
		i, found := slices.BinarySearchFunc(x.items, *q.After, byPosition)
		switch {
		case q.Descending:
			hi = min(hi, i)
		case found:
			lo = max(lo, i+1)
		default:
			lo = max(lo, i)
		}
	}
	want := hashContributor(q.Contributor)
	matches := func(it *item) bool {
		return it.name.tenant == q.Tenant && (q.Alarm == "" || it.name.alarm == q.Alarm) &&
			slices.Contains(q.AlarmTypes, it.name.alarmType) && slices.Contains(q.Types, it.history) &&
			(want == 0 || it.contributor == want)
	}
	var out []Position
	for n := range hi - lo {
		i := lo + n
		if q.Descending {
			i = hi - 1 - n
		}
		if matches(&x.items[i]) {
			if out = append(out, x.items[i].Position); len(out) > q.Limit {
				break
			}
		}
	}
	return out
}
