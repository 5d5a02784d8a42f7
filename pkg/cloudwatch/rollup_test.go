// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The availability of percentiles for each way of publishing.
func TestRollUp(t *testing.T) {
	set := func(n, sum, minimum, maximum float64) *StatisticSet {
		return &StatisticSet{SampleCount: n, Sum: sum, Minimum: minimum, Maximum: maximum}
	}
	for _, tt := range []struct {
		name  string
		datum Datum
		want  StatisticSet
		p50   float64 // -1: not available
	}{
		{"value", Datum{Value: 7}, *set(1, 7, 7, 7), 7},
		{"zero value", Datum{}, *set(1, 0, 0, 0), 0},
		{"values and counts", Datum{Values: []float64{1, 10}, Counts: []float64{2, 4}}, *set(6, 42, 1, 10), 10},
		{"count 0 moves the bounds", Datum{Values: []float64{5, 1, 9}, Counts: []float64{1, 0, 0}}, *set(1, 5, 1, 9), 5},
		{"set of one sample", Datum{Statistics: set(1, 3, 3, 3)}, *set(1, 3, 3, 3), 3},
		{"set of equal samples", Datum{Statistics: set(4, 12, 3, 3)}, *set(4, 12, 3, 3), 3},
		{"set of one sample between bounds", Datum{Statistics: set(1, 3, 2, 4)}, *set(1, 3, 2, 4), 3},
		{"set of different samples", Datum{Statistics: set(4, 12, 1, 9)}, *set(4, 12, 1, 9), -1},
		{"set with inconsistent sum", Datum{Statistics: set(4, 13, 3, 3)}, *set(4, 13, 3, 3), -1},
		{"negative value", Datum{Values: []float64{-1, 1}, Counts: []float64{1, 1}}, *set(2, 0, -1, 1), -1},
		{"fractional counts", Datum{Values: []float64{4}, Counts: []float64{0.5}}, *set(0.5, 2, 4, 4), -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, dist := tt.datum.RollUp()
			assert.Equal(t, tt.want, got)
			p, ok := 0.0, false
			if dist != nil {
				p, ok = dist.Percentile(50)
			}
			require.Equal(t, tt.p50 != -1, ok)
			if ok {
				assert.InEpsilon(t, tt.p50+1, p+1, 0.1)
			}
		})
	}
}

func TestAddTo(t *testing.T) {
	var s StatisticSet
	var dist Distribution
	(&Datum{Value: 1}).AddTo(&s, &dist)
	(&Datum{Values: []float64{2, 3}, Counts: []float64{1, 2}}).AddTo(&s, &dist)
	(&Datum{Value: 100}).AddTo(&s, nil)
	assert.Equal(t, StatisticSet{SampleCount: 5, Sum: 109, Minimum: 1, Maximum: 100}, s)
	assert.InDelta(t, 4, dist.Count(), 0)
	assert.True(t, dist.Complete())
	(&Datum{Statistics: &StatisticSet{SampleCount: 2, Sum: 3, Minimum: 1, Maximum: 2}}).AddTo(&s, &dist)
	assert.False(t, dist.Complete())
	assert.InDelta(t, 7, s.SampleCount, 0)
	assert.InDelta(t, 16, s.Average(), 0)
}

func TestStatisticSetDistribution(t *testing.T) {
	assert.Nil(t, (&StatisticSet{}).Distribution())
	assert.Nil(t, (&StatisticSet{SampleCount: 2, Sum: 3, Minimum: 1, Maximum: 2}).Distribution())
	d := (&StatisticSet{SampleCount: 3, Sum: 6, Minimum: 2, Maximum: 2}).Distribution()
	require.NotNil(t, d)
	assert.InDelta(t, 3, d.Count(), 0)
}

func BenchmarkRollUp(b *testing.B) {
	data := make([]Datum, 1000)
	for i := range data {
		data[i] = Datum{Value: float64(i % 7)}
	}
	b.Run("value, RollUp", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			_, _ = data[i%1000].RollUp()
			i++
		}
	})
	b.Run("value, AddTo", func(b *testing.B) {
		b.ReportAllocs()
		var s StatisticSet
		var d Distribution
		i := 0
		for b.Loop() {
			data[i%1000].AddTo(&s, &d)
			i++
		}
	})
	many := Datum{Values: oneTo(150), Counts: repeated(1, 150)}
	b.Run("150 values, RollUp", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = many.RollUp()
		}
	})
}
