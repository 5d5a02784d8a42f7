// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricsinsights

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
)

// ranking holds the groups of the answer: the first of those that were added, in the order that the query wants.
type ranking struct {
	order  *Order
	limit  int
	list   []ranked // with an order, a heap whose root is the last one in rank
	points int64
}

type ranked struct {
	rank  float64
	group Group
}

// add takes a group in. It reports false when there are more groups now than there is room for.
func (r *ranking) add(g Group) bool {
	x := ranked{group: g}
	if r.order != nil {
		x.rank = r.order.Function.ofPoints(g.Values)
		if r.order.Descending {
			x.rank = -x.rank
		}
	}
	if len(r.list) < r.limit {
		r.points += int64(len(g.Values))
		if r.order == nil {
			r.list = append(r.list, x)
			return true
		}
		heap.Push((*worst)(r), x)
		return true
	}
	if r.order != nil && x.compare(&r.list[0]) < 0 {
		r.points += int64(len(g.Values)) - int64(len(r.list[0].group.Values))
		r.list[0] = x
		heap.Fix((*worst)(r), 0)
	}
	return false
}

// sorted are the groups in order.
func (r *ranking) sorted() []Group {
	slices.SortFunc(r.list, func(a, b ranked) int { return a.compare(&b) })
	list := make([]Group, len(r.list))
	for i := range r.list {
		list[i] = r.list[i].group
	}
	return list
}

// compare orders by rank, and groups of equal rank by label.
func (x *ranked) compare(o *ranked) int {
	if c := cmp.Compare(x.rank, o.rank); c != 0 {
		return c
	}
	return compareGroups(x.group.Label, x.group.Attributes, o.group.Label, o.group.Attributes)
}

// ofPoints is the function of a series' points, of which there is at least one.
func (f Function) ofPoints(values []float64) float64 {
	switch f {
	case Count:
		return float64(len(values))
	case Maximum:
		return slices.Max(values)
	case Minimum:
		return slices.Min(values)
	case Sum, Average:
		sum := 0.0
		for _, v := range values {
			sum += v
		}
		if f == Average {
			sum /= float64(len(values))
		}
		return sum
	}
	return math.NaN()
}

// worst is the ranking as a heap.
type worst ranking

func (w *worst) Len() int           { return len(w.list) }
func (w *worst) Less(i, j int) bool { return w.list[i].compare(&w.list[j]) > 0 }
func (w *worst) Swap(i, j int)      { w.list[i], w.list[j] = w.list[j], w.list[i] }
func (w *worst) Push(x any)         { w.list = append(w.list, x.(ranked)) }

func (w *worst) Pop() any {
	x := w.list[len(w.list)-1]
	w.list = w.list[:len(w.list)-1]
	return x
}
