// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package widgetimage

import (
	"math"
	"strconv"
	"strings"
)

// scale maps values to pixels: low is drawn at y1, high at y0.
type scale struct {
	low, high float64
	y0, y1    float64
	step      float64 // between ticks
}

func (s *scale) y(v float64) float64 {
	return s.y1 - (v-s.low)/(s.high-s.low)*(s.y1-s.y0)
}

// extent collects the values that an axis must show.
type extent struct{ low, high float64 }

func newExtent() extent { return extent{math.Inf(1), math.Inf(-1)} }

func (e *extent) add(v float64) { e.low, e.high = min(e.low, v), max(e.high, v) }

func (e *extent) addPoints(points []Point) {
	for _, p := range points {
		e.add(p.Value)
	}
}

func (e *extent) empty() bool { return e.low > e.high }

// newScale makes an axis of the values. Ends that the user fixed stay; others are moved out to a round value.
func newScale(e extent, lowest, highest *float64, y0, y1 float64) *scale {
	if e.empty() {
		e = extent{0, 1}
	}
	if e.low == e.high {
		if e.low == 0 {
			e.high = 1
		} else {
			d := math.Abs(e.low) / 2
			e.low, e.high = e.low-d, e.high+d
		}
	}
	s := &scale{low: e.low, high: e.high, y0: y0, y1: y1}
	if lowest != nil {
		s.low = *lowest
	}
	if highest != nil {
		s.high = *highest
	}
	if s.high <= s.low { // the fixed end lies beyond all data
		if highest == nil {
			s.high = s.low + max(math.Abs(s.low), 1)
		} else {
			s.low = s.high - max(math.Abs(s.high), 1)
		}
	}
	s.step = niceStep(s.high-s.low, max(int((y1-y0)/55), 2))
	if lowest == nil {
		s.low = math.Floor(s.low/s.step+1e-9) * s.step
	}
	if highest == nil {
		s.high = math.Ceil(s.high/s.step-1e-9) * s.step
	}
	if !(s.high > s.low) || math.IsInf(s.high-s.low, 0) { // values at the end of what numbers can hold
		s.low, s.high, s.step = -1, 1, 1
	}
	return s
}

// maxTicks bounds the ticks of an axis.
const maxTicks = 50

func (s *scale) ticks() []float64 {
	var list []float64
	first := math.Ceil(s.low/s.step - 1e-9)
	for i := range maxTicks {
		v := (first + float64(i)) * s.step
		if v > s.high+s.step*1e-9 {
			break
		}
		list = append(list, v)
	}
	return list
}

// niceStep is 1, 2, 2.5 or 5 times a power of ten, so that about n steps make the span.
func niceStep(span float64, n int) float64 {
	raw := span / float64(n)
	if !(raw > 0) || math.IsInf(raw, 0) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 2.5, 5} {
		if raw <= m*power*(1+1e-9) {
			return m * power
		}
	}
	return 10 * power
}

var magnitudes = []struct {
	size   float64
	suffix string
}{{1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}}

// formatTick spells a tick with as many digits as tell it from its neighbours.
func formatTick(v, step float64) string {
	if math.Abs(v) < step*1e-6 {
		v = 0
	}
	size, suffix := 1.0, ""
	for _, m := range magnitudes {
		if math.Abs(v) >= m.size {
			size, suffix = m.size, m.suffix
			break
		}
	}
	if math.Abs(v) >= 1e18 || v != 0 && step < 1e-6 {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	digits := 0
	for n := step / size; digits < 9 && math.Abs(n-math.Round(n)) > 1e-6*n; digits++ {
		n *= 10
	}
	s := strconv.FormatFloat(v/size, 'f', digits, 64)
	if digits > 0 && strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s + suffix
}

// formatValue spells a value for people: three significant digits with a suffix for its magnitude, or all digits.
func formatValue(v float64, full bool) string {
	if full {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	size, suffix := 1.0, ""
	for _, m := range magnitudes {
		if math.Abs(v) >= m.size*0.9995 {
			size, suffix = m.size, m.suffix
			break
		}
	}
	n := v / size
	switch a := math.Abs(n); {
	case a >= 1e4 || a != 0 && a < 1e-3:
		return strconv.FormatFloat(n, 'g', 3, 64) + suffix
	case a >= 99.95:
		return strconv.FormatFloat(n, 'f', 0, 64) + suffix
	case a >= 9.995:
		return trimZeros(strconv.FormatFloat(n, 'f', 1, 64)) + suffix
	case a >= 0.9995:
		return trimZeros(strconv.FormatFloat(n, 'f', 2, 64)) + suffix
	default:
		return trimZeros(strconv.FormatFloat(n, 'f', 3, 64)) + suffix
	}
}

func trimZeros(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

var unitSymbols = map[string]string{
	"Percent": "%", "Seconds": "s", "Milliseconds": "ms", "Microseconds": "µs",
	"Bytes": "B", "Kilobytes": "kB", "Megabytes": "MB", "Gigabytes": "GB", "Terabytes": "TB",
	"Bits": "b", "Kilobits": "kb", "Megabits": "Mb", "Gigabits": "Gb", "Terabits": "Tb",
}

// unitSymbol is what stands behind a value of the unit.
func unitSymbol(unit string) string {
	if base, per := strings.CutSuffix(unit, "/Second"); per {
		return unitSymbols[base] + "/s"
	}
	return unitSymbols[unit]
}
