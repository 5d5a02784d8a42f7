// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package anomaly

import (
	"cmp"
	"math"
	"slices"
)

// Train makes a model of a history: points of one period (seconds), rising in time. What is not finite is left out.
func Train(points []Point, period int64, cfg Config) *Model {
	m := &Model{state: StateInsufficientData, period: period, zone: cfg.location()}
	t := trainer{model: m, points: make([]Point, 0, len(points))}
	for _, p := range points {
		if p.Value-p.Value == 0 && !cfg.excluded(p.At) {
			t.points = append(t.points, p)
		}
	}
	if len(t.points) < MinPoints {
		return m
	}
	m.origin, m.end = t.points[0].At, t.points[len(t.points)-1].At+day
	// A period counts as long as it is.
	t.span = m.end - day - m.origin + period
	if t.span < int64(MinSpan.Seconds()) {
		return m
	}
	m.state = StateTrained
	t.bounds(cfg.Unit)
	t.slope()
	t.season()
	t.spread()
	if cfg.PeriodicSpikes && t.spikes() {
		// The spikes were noise before.
		t.spread()
	}
	return m
}

// trainer is a model in the making.
type trainer struct {
	model  *Model
	points []Point
	span   int64
	// left is what the model as it is leaves of each point.
	left    []float64
	scratch []float64
}

func (t *trainer) bounds(unit string) {
	m := t.model
	m.least, m.most = math.Inf(-1), math.Inf(1)
	low, high := t.points[0].Value, t.points[0].Value
	for _, p := range t.points {
		low, high = min(low, p.Value), max(high, p.Value)
	}
	if low >= 0 {
		m.least = 0
	}
	if unit == "Percent" && high <= 100 {
		m.most = 100
	}
}

// slope compares points that are a whole season apart, so that the season is not taken for a trend.
func (t *trainer) slope() {
	lag := int64(day)
	switch {
	case t.span >= spanTrendWeekly:
		lag = week
	case t.span < spanTrendDaily:
		return
	}
	changes := t.scratch[:0]
	j := 0
	for _, p := range t.points {
		for j < len(t.points) && t.points[j].At < p.At+lag {
			j++
		}
		if j < len(t.points) && t.points[j].At == p.At+lag {
			changes = append(changes, t.points[j].Value-p.Value)
		}
	}
	t.scratch = changes
	if len(changes) >= MinPoints {
		t.model.slope = median(changes) / float64(lag)
	}
}

// season takes the median of each hour.
func (t *trainer) season() {
	m := t.model
	locals := make([]int64, len(t.points))
	rest := make([]float64, len(t.points))
	for i, p := range t.points {
		locals[i] = m.local(p.At)
		rest[i] = p.Value - m.trend(p.At)
	}
	if t.span < spanDaily {
		m.flat = true
		m.season[0] = median(slices.Clone(rest))
		t.residuals()
		return
	}
	var ofDay [hoursOfDay][]float64
	for i, local := range locals {
		h := local / hour % hoursOfDay
		ofDay[h] = append(ofDay[h], rest[i])
	}
	// Hours without points get what all hours have together.
	all := median(slices.Clone(rest))
	for h := range m.season {
		m.season[h] = all
		if list := ofDay[h%hoursOfDay]; len(list) > 0 {
			m.season[h] = median(list)
		}
	}
	if t.span >= spanWeekly {
		t.weekly(locals, rest)
	}
	t.residuals()
	between := t.sigmaOf(t.left)
	m.steps = true
	if t.residuals(); t.sigmaOf(t.left) >= between {
		m.steps = false
		t.residuals()
	}
}

// weekly gives the hours of the week that surely differ from the same hour of other days a mean of their own. Each was seen
// twice only, so that the others would merely follow the noise.
func (t *trainer) weekly(locals []int64, rest []float64) {
	const (
		leastDays = 2
		distance  = 3
		// medianError is by how much more a median varies than a mean.
		medianError = 1.2533
	)
	m := t.model
	var hours [hoursOfWeek][]float64
	var days [hoursOfWeek][]int64
	left := make([]float64, len(rest))
	for i, local := range locals {
		h := local / hour
		hours[h] = append(hours[h], rest[i])
		if d := t.points[i].At / day; !slices.Contains(days[h], d) {
			days[h] = append(days[h], d)
		}
		left[i] = rest[i] - m.season[h]
	}
	sigma := t.sigmaOf(left)
	for h, list := range hours {
		if len(days[h]) < leastDays {
			continue
		}
		own := median(list)
		if math.Abs(own-m.season[h]) > distance*medianError*sigma/math.Sqrt(float64(len(list))) {
			m.season[h] = own
		}
	}
}

func (t *trainer) residuals() {
	t.left = slices.Grow(t.left[:0], len(t.points))
	for _, p := range t.points {
		mean, _ := t.model.expect(p.At)
		t.left = append(t.left, p.Value-mean)
	}
}

// spread finds the sigmas of what is left.
func (t *trainer) spread() {
	m := t.model
	all := t.sigmaOf(t.left)
	var hours [hoursOfDay][]float64
	for i, p := range t.points {
		h := m.local(p.At) % day / hour
		hours[h] = append(hours[h], t.left[i])
	}
	magnitudes := t.scratch[:0]
	for _, p := range t.points {
		magnitudes = append(magnitudes, math.Abs(p.Value))
	}
	t.scratch = magnitudes
	least := leastSigma * median(magnitudes)
	for h, list := range hours {
		own := all
		if n := float64(len(list)); n > 0 {
			s := t.sigmaOf(list)
			own = math.Sqrt((n*s*s + sigmaWeight*all*all) / (n + sigmaWeight))
			// The mean is of these same points: what comes is farther from it than they are.
			own *= math.Sqrt((n + 2) / max(n-1, 1))
		}
		m.sigma[h] = max(own, least)
	}
}

// sigmaOf is the standard deviation of what surrounds 0, however far outliers are.
func (t *trainer) sigmaOf(left []float64) float64 {
	list := t.scratch[:0]
	for _, v := range left {
		list = append(list, math.Abs(v))
	}
	t.scratch = list
	if s := deviationOfNormal * median(list); s > 0 {
		return s
	}
	// More than half is exactly as expected.
	slices.Sort(list)
	list = list[:len(list)-len(list)/50]
	sum := 0.0
	for _, v := range list {
		sum += v * v
	}
	return math.Sqrt(sum / float64(len(list)))
}

// spikes finds what happens at the same time of most days. It reports whether there is something.
func (t *trainer) spikes() bool {
	const (
		leastDays = 3
		distance  = 3
	)
	m := t.model
	slots := make(map[int64][]float64)
	for i, p := range t.points {
		s := m.local(p.At) % day / m.slot()
		slots[s] = append(slots[s], t.left[i])
	}
	found := make(map[int64]float64)
	for s, list := range slots {
		if len(list) < leastDays {
			continue
		}
		sigma := m.sigma[s*m.slot()/hour]
		if v := median(list); math.Abs(v) > distance*sigma && agreeing(list, v, distance*sigma) >= leastDays {
			found[s] = v
		}
	}
	if len(found) == 0 {
		return false
	}
	m.spikes = found
	t.residuals()
	return true
}

// agreeing counts the values that are as far on the same side.
func agreeing(list []float64, v, distance float64) int {
	n := 0
	for _, x := range list {
		if x*v > 0 && math.Abs(x) > distance {
			n++
		}
	}
	return n
}

// median changes the order of the list; of an even number it is the mean of the two in the middle.
func median(list []float64) float64 {
	n := len(list)
	if n == 0 {
		return 0
	}
	upper := nth(list, n/2)
	if n%2 == 1 {
		return upper
	}
	return (upper + slices.Max(list[:n/2])) / 2
}

// nth puts the value that sorting would put at place k there, smaller ones before it.
func nth(list []float64, k int) float64 {
	for lo, hi := 0, len(list)-1; lo < hi; {
		// The median of three, so that a sorted list is not the worst case.
		mid := lo + (hi-lo)/2
		pivot := max(min(list[lo], list[mid]), min(max(list[lo], list[mid]), list[hi]))
		i, j := lo, hi
		for i <= j {
			for cmp.Less(list[i], pivot) {
				i++
			}
			for cmp.Less(pivot, list[j]) {
				j--
			}
			if i <= j {
				list[i], list[j] = list[j], list[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return list[k]
		}
	}
	return list[k]
}
