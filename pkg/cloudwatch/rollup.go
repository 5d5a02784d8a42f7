// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

// Add adds count samples of a value. A count of 0 moves the minimum and maximum only.
func (s *StatisticSet) Add(value, count float64) {
	s.Merge(StatisticSet{SampleCount: count, Sum: value * count, Minimum: value, Maximum: value})
}

// Merge adds the samples of other. The zero StatisticSet is empty and changes nothing.
func (s *StatisticSet) Merge(other StatisticSet) {
	switch {
	case other == StatisticSet{}:
		return
	case *s == StatisticSet{}:
		*s = other
		return
	}
	s.SampleCount += other.SampleCount
	s.Sum += other.Sum
	s.Minimum = min(s.Minimum, other.Minimum)
	s.Maximum = max(s.Maximum, other.Maximum)
}

// Average is Sum / SampleCount.
func (s *StatisticSet) Average() float64 { return s.Sum / s.SampleCount }

// Uniform reports whether the set alone tells its distribution, and the one value that all samples have:
// Minimum, Maximum and average are the same, or there is one sample, of which the Sum is the value. CloudWatch
// answers percentiles for such statistic sets, and no distribution needs to be kept beside them.
func (s *StatisticSet) Uniform() (value float64, ok bool) {
	switch {
	case !(s.SampleCount > 0):
		return 0, false
	case s.Minimum == s.Maximum && s.Sum == s.Minimum*s.SampleCount:
		return s.Minimum, true
	case s.SampleCount == 1 && s.Minimum <= s.Sum && s.Sum <= s.Maximum:
		return s.Sum, true
	}
	return 0, false
}

// Distribution returns the distribution that the set alone implies, or nil when it implies none.
func (s *StatisticSet) Distribution() *Distribution {
	d := new(Distribution)
	if !s.addTo(d) {
		return nil
	}
	return d
}

func (s *StatisticSet) addTo(d *Distribution) bool {
	v, ok := s.Uniform()
	if !ok {
		return false
	}
	d.Add(v, s.SampleCount)
	// One sample between a smaller Minimum and a greater Maximum: they bound the interpolation all the same.
	if s.Minimum != s.Maximum {
		d.Add(s.Minimum, 0)
		d.Add(s.Maximum, 0)
	}
	return true
}

// RollUp returns the statistics of the datum and its distribution, which is nil when the datum is a
// [StatisticSet] that does not imply one.
func (d *Datum) RollUp() (StatisticSet, *Distribution) {
	var s StatisticSet
	dist := new(Distribution)
	d.AddTo(&s, dist)
	if dist.incomplete {
		return s, nil
	}
	return s, dist
}

// AddTo adds the datum to the statistics and the distribution of a period, without allocating when dist has seen
// its value before. A datum whose distribution is not known makes dist incomplete. dist may be nil.
func (d *Datum) AddTo(s *StatisticSet, dist *Distribution) {
	switch {
	case d.Statistics != nil:
		s.Merge(*d.Statistics)
		if dist != nil && !d.Statistics.addTo(dist) {
			dist.Merge(nil)
		}
	case d.Values != nil:
		if dist != nil {
			dist.grow(len(d.Values))
		}
		for i, v := range d.Values {
			s.Add(v, d.Counts[i])
			if dist != nil {
				dist.Add(v, d.Counts[i])
			}
		}
	default:
		s.Add(d.Value, 1)
		if dist != nil {
			dist.Add(d.Value, 1)
		}
	}
}
