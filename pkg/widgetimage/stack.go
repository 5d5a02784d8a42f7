// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package widgetimage

import (
	"slices"
)

// stack is a series on top of those before it on the same axis.
type stack struct {
	color        rgba
	right        bool
	times        []int64
	lower, upper []float64
}

// stackSeries piles the series of each axis up. Where a series has no point it adds nothing.
func (g *graph) stackSeries() []stack {
	var list []stack
	for _, right := range []bool{false, true} {
		times := g.stackTimes(right)
		if len(times) == 0 {
			continue
		}
		below := make([]float64, len(times))
		for i := range g.series {
			s := &g.series[i]
			if s.Right != right || s.Lower != nil {
				continue
			}
			top := slices.Clone(below)
			k := 0
			for _, q := range s.Points {
				for k < len(times) && times[k] < q.Time {
					k++
				}
				if k < len(times) && times[k] == q.Time {
					top[k] = below[k] + q.Value
				}
			}
			list = append(list, stack{s.color, right, times, below, top})
			below = top
		}
	}
	return list
}

// maxStackTimes bounds the times of a stack, as all of its series are given a value at each.
const maxStackTimes = 4000

// stackTimes are the times at which some series of the axis has a point.
func (g *graph) stackTimes(right bool) []int64 {
	seen := map[int64]bool{}
	for i := range g.series {
		if s := &g.series[i]; s.Right == right && s.Lower == nil {
			for _, q := range s.Points {
				seen[q.Time] = true
			}
		}
	}
	times := make([]int64, 0, len(seen))
	for t := range seen {
		times = append(times, t)
	}
	slices.Sort(times)
	if len(times) > maxStackTimes {
		every := len(times)/maxStackTimes + 1
		kept := times[:0]
		for i, t := range times {
			if i%every == 0 {
				kept = append(kept, t)
			}
		}
		times = kept
	}
	return times
}

func (g *graph) drawStacks() {
	for i := range g.series {
		if s := &g.series[i]; s.Lower != nil {
			g.drawBand(s)
		}
	}
	for i := range g.stacks {
		g.drawStack(&g.stacks[i])
	}
}

func (g *graph) drawStack(s *stack) {
	axis := g.axisOf(s.right)
	clip := rect{g.plot.x0, g.plot.y0, g.plot.x1, g.plot.y1 + lineWidth}
	upper := make([]point, len(s.times))
	outline := make([]point, 0, 2*len(s.times))
	for i, t := range s.times {
		upper[i] = point{g.x(t), g.y(axis, s.upper[i])}
	}
	outline = append(outline, upper...)
	for i, t := range slices.Backward(s.times) {
		outline = append(outline, point{g.x(t), g.y(axis, s.lower[i])})
	}
	if len(upper) == 1 {
		g.dot(clip, s.color, upper[0], dotRadius)
		return
	}
	g.fill(clip, withAlpha(s.color, alphaStack), outline)
	g.stroke(clip, s.color, 1, upper)
}
