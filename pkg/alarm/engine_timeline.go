// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"cmp"
	"strings"
)

// dueKind is what is due. Of what is due at the same time, timers come before evaluations, but for actions that run as long
// as a state stays: that is known after the evaluation.
type dueKind uint8

const (
	dueUnmute dueKind = iota
	dueSuppression
	dueEvaluation
	dueRefire
)

// entry is something that is due. It is void when the alarm has another time for it by now.
type entry struct {
	at   int64
	tie  uint32 // orders alarms at the same time, without looking at them
	kind dueKind
	a    *alarmState
}

func (n *entry) void() bool { return n.a.deleted || n.a.dueAt(n.kind) != n.at }

func (n *entry) compare(m *entry) int {
	if n.at != m.at {
		return cmp.Compare(n.at, m.at)
	}
	if n.kind != m.kind {
		return cmp.Compare(n.kind, m.kind)
	}
	if n.tie != m.tie {
		return cmp.Compare(n.tie, m.tie)
	}
	return strings.Compare(n.a.arn, m.a.arn)
}

func (a *alarmState) dueAt(k dueKind) int64 {
	switch {
	case k == dueEvaluation:
		return a.due
	case k == dueSuppression:
		return a.composite.until
	case a.extra == nil:
		return noTime
	case k == dueUnmute:
		return a.extra.unmuteAt
	}
	return a.extra.refireAt
}

// timeline is a heap of what is due, the earliest on top. Entries that became void stay until they are on top, or until
// they are the most.
type timeline struct {
	heap  []entry
	clean int // entries after the last cleaning
}

func (l *timeline) add(a *alarmState, k dueKind, at int64) {
	if len(l.heap) > 2*l.clean+1024 {
		l.sweep()
	}
	l.heap = append(l.heap, entry{at: at, tie: uint32(hashString(a.arn)), kind: k, a: a})
	i := len(l.heap) - 1
	for i > 0 {
		up := (i - 1) / 2
		if l.heap[i].compare(&l.heap[up]) >= 0 {
			break
		}
		l.heap[i], l.heap[up] = l.heap[up], l.heap[i]
		i = up
	}
}

func (l *timeline) sweep() {
	kept := l.heap[:0]
	for i := range l.heap {
		if !l.heap[i].void() {
			kept = append(kept, l.heap[i])
		}
	}
	clear(l.heap[len(kept):])
	l.heap, l.clean = kept, len(kept)
	for i := len(kept)/2 - 1; i >= 0; i-- {
		l.down(i)
	}
}

// top is what is due first, nil when nothing is.
func (l *timeline) top() *entry {
	for len(l.heap) > 0 {
		if !l.heap[0].void() {
			return &l.heap[0]
		}
		l.pop()
	}
	return nil
}

// next is when something is due, noTime when nothing is.
func (l *timeline) next() int64 {
	if n := l.top(); n != nil {
		return n.at
	}
	return noTime
}

func (l *timeline) pop() {
	last := len(l.heap) - 1
	l.heap[0] = l.heap[last]
	l.heap[last] = entry{}
	l.heap = l.heap[:last]
	l.down(0)
}

// moveTop gives what is on top another time.
func (l *timeline) moveTop(at int64) {
	l.heap[0].at = at
	l.down(0)
}

func (l *timeline) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(l.heap); child++ {
			if l.heap[child].compare(&l.heap[least]) < 0 {
				least = child
			}
		}
		if least == i {
			return
		}
		l.heap[i], l.heap[least] = l.heap[least], l.heap[i]
		i = least
	}
}
