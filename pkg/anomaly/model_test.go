// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package anomaly

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testEnd is a Monday's midnight.
var testEnd = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC).Unix()

// history has points of the last days, with noise of one sigma 1.
func history(days int, period int64, f func(at int64, noise float64) float64) []Point {
	rnd := rand.New(rand.NewPCG(1, 2))
	var list []Point
	for at := testEnd - int64(days)*day; at < testEnd; at += period {
		list = append(list, Point{At: at, Value: f(at, rnd.NormFloat64())})
	}
	return list
}

// inside is the part of the next days' points that is in the band.
func inside(m *Model, days int, period int64, threshold float64, f func(at int64, noise float64) float64) float64 {
	rnd := rand.New(rand.NewPCG(3, 4))
	in, all := 0, 0
	for at := testEnd; at < testEnd+int64(days)*day; at += period {
		v := f(at, rnd.NormFloat64())
		lower, upper, ok := m.Band(at, threshold)
		if ok && lower <= v && v <= upper {
			in++
		}
		all++
	}
	return float64(in) / float64(all)
}

func daily(at int64) float64 { return 20 * math.Sin(2*math.Pi*float64(at%day)/day) }

func weekend(at int64) bool { return secondOfWeek(at, time.UTC) >= 5*day }

// TestBandHoldsNormalNoise: of normal noise, about 95% is within two sigmas and 99.7% within three.
func TestBandHoldsNormalNoise(t *testing.T) {
	for name, c := range map[string]struct {
		days   int
		period int64
		f      func(at int64, noise float64) float64
	}{
		"flat":                     {14, 300, func(_ int64, noise float64) float64 { return 100 + noise }},
		"flat, three hours":        {1, 60, func(_ int64, noise float64) float64 { return 100 + noise }},
		"daily":                    {14, 300, func(at int64, noise float64) float64 { return 100 + daily(at) + noise }},
		"daily, minutes, one week": {7, 60, func(at int64, noise float64) float64 { return 100 + daily(at) + noise }},
		"daily with a trend": {14, 300, func(at int64, noise float64) float64 {
			return 100 + daily(at) + 10*float64(at-testEnd)/day + noise
		}},
		"a trend over five days": {5, 300, func(at int64, noise float64) float64 { return 100 - 5*float64(at-testEnd)/day + noise }},
		"weekends are quiet": {14, 300, func(at int64, noise float64) float64 {
			if weekend(at) {
				return 10 + noise
			}
			return 100 + daily(at) + noise
		}},
		"a job at night": {14, 300, func(at int64, noise float64) float64 {
			if at%day/hour == 2 {
				return 100 + noise
			}
			return 10 + noise
		}},
		"hours": {14, 3600, func(at int64, noise float64) float64 { return 100 + daily(at) + noise }},
		"noisier by day": {14, 60, func(at int64, noise float64) float64 {
			if at%day < day/2 {
				return 100 + 10*noise
			}
			return 100 + noise
		}},
	} {
		t.Run(name, func(t *testing.T) {
			points := history(c.days, c.period, c.f)
			if name == "flat, three hours" {
				points = points[len(points)-180:]
			}
			m := Train(points, c.period, Config{})
			require.Equal(t, StateTrained, m.State())
			// A week's seasons need a week to be seen; what has a trend is only known for the next day.
			days := 7
			if m.slope != 0 && (name == "daily with a trend" || name == "a trend over five days") {
				days = 1
			}
			assert.InDelta(t, 0.954, inside(m, days, c.period, 2, c.f), 0.035)
			assert.Greater(t, inside(m, days, c.period, 4, c.f), 0.99)
			assert.Less(t, inside(m, days, c.period, 2, func(at int64, noise float64) float64 { return c.f(at, noise) + 40 }), 0.1)
		})
	}
}

// TestIncidentsDoNotMoveTheBand puts two days of outage into two weeks.
func TestIncidentsDoNotMoveTheBand(t *testing.T) {
	f := func(at int64, noise float64) float64 { return 100 + daily(at) + noise }
	calm := Train(history(14, 300, f), 300, Config{})
	broken := history(14, 300, func(at int64, noise float64) float64 {
		if at >= testEnd-5*day && at < testEnd-3*day {
			return 1e6
		}
		return f(at, noise)
	})
	m := Train(broken, 300, Config{})
	assert.InDelta(t, inside(calm, 2, 300, 2, f), inside(m, 2, 300, 2, f), 0.1)

	// What is excluded is as if it had not been, even when it is most of the history.
	broken = history(14, 300, func(at int64, noise float64) float64 {
		if at < testEnd-4*day {
			return 1e6 + 1e5*noise
		}
		return f(at, noise)
	})
	m = Train(broken, 300, Config{Excluded: []Range{{testEnd - 20*day, testEnd - 10*day}, {testEnd - 10*day, testEnd - 4*day}}})
	assert.InDelta(t, 0.954, inside(m, 1, 300, 2, f), 0.03)
	assert.Equal(t, StateInsufficientData, Train(broken, 300, Config{Excluded: []Range{{0, testEnd}}}).State())
}

func TestTimeZone(t *testing.T) {
	zone, err := LoadLocation("America/New_York")
	require.NoError(t, err)
	// Busy from 9 to 17 where people are: the hours in UTC change with summer time, which ended on 2026-11-01.
	f := func(at int64, noise float64) float64 {
		if h := time.Unix(at, 0).In(zone).Hour(); h >= 9 && h < 17 {
			return 100 + noise
		}
		return 10 + noise
	}
	end := time.Date(2026, 11, 2, 0, 0, 0, 0, zone).Unix()
	rnd := rand.New(rand.NewPCG(1, 2))
	var points []Point
	for at := end - 14*day; at < end; at += 300 {
		points = append(points, Point{At: at, Value: f(at, rnd.NormFloat64())})
	}
	wrong := func(m *Model) (n int) {
		for at := end; at < end+day; at += 300 {
			if lower, upper, _ := m.Band(at, 5); f(at, 0) < lower || f(at, 0) > upper {
				n++
			}
		}
		return n
	}
	assert.Zero(t, wrong(Train(points, 300, Config{Location: zone})))
	assert.Greater(t, wrong(Train(points, 300, Config{})), 20)

	for _, name := range []string{"", "Local", "Mars/Olympus", "../etc/passwd"} {
		_, err := LoadLocation(name)
		require.Error(t, err, name)
	}
}

func TestPeriodicSpikes(t *testing.T) {
	spike := func(at int64, noise float64) float64 {
		if at%day/60 == 3*60+7 {
			return 500 + noise
		}
		return 100 + noise
	}
	points := history(14, 60, spike)
	at := testEnd + 3*hour + 7*60
	lower, upper, ok := Train(points, 60, Config{}).Band(at, 3)
	require.True(t, ok)
	assert.Less(t, upper, 120.)
	assert.Greater(t, lower, 80.)
	m := Train(points, 60, Config{PeriodicSpikes: true})
	lower, upper, _ = m.Band(at, 3)
	assert.Less(t, lower, 500.)
	assert.Greater(t, upper, 500.)
	assert.Greater(t, lower, 400., "the spike is expected, not merely allowed")
	_, upper, _ = m.Band(at+60, 3)
	assert.Less(t, upper, 120.)
	assert.Nil(t, Train(history(14, 60, func(_ int64, noise float64) float64 { return noise }), 60, Config{PeriodicSpikes: true}).spikes)
}

func TestBounds(t *testing.T) {
	small := history(3, 300, func(_ int64, noise float64) float64 { return math.Abs(noise) })
	lower, _, ok := Train(small, 300, Config{}).Band(testEnd, 10)
	require.True(t, ok)
	assert.Zero(t, lower)
	lower, _, _ = Train(history(3, 300, func(_ int64, noise float64) float64 { return noise }), 300, Config{}).Band(testEnd, 10)
	assert.Less(t, lower, -5.)
	percent := history(3, 300, func(_ int64, noise float64) float64 { return 100 - math.Abs(noise) })
	_, upper, _ := Train(percent, 300, Config{Unit: "Percent"}).Band(testEnd, 10)
	assert.InDelta(t, 100, upper, 0)
	_, upper, _ = Train(percent, 300, Config{}).Band(testEnd, 10)
	assert.Greater(t, upper, 105.)

	// A trend that leads out of the bounds is cut off, and the band does not turn over.
	falling := history(14, 300, func(at int64, _ float64) float64 { return float64(testEnd-at) / day * 10 })
	lower, upper, ok = Train(falling, 300, Config{}).Band(testEnd+hour*20, 2)
	require.True(t, ok)
	assert.Zero(t, lower)
	assert.GreaterOrEqual(t, upper, lower)
}

func TestInsufficientData(t *testing.T) {
	f := func(_ int64, noise float64) float64 { return noise }
	for name, points := range map[string][]Point{
		"none": nil, "few": history(1, 3600, f), "short": history(1, 60, f)[:100],
		"not finite": history(1, 60, func(int64, float64) float64 { return math.NaN() }),
	} {
		m := Train(points, 60, Config{})
		assert.Equal(t, StateInsufficientData, m.State(), name)
		_, _, ok := m.Band(testEnd, 2)
		assert.False(t, ok)
		_, _, ok = m.Expected(testEnd)
		assert.False(t, ok)
	}
	_, _, ok := (*Model)(nil).Band(testEnd, 2)
	assert.False(t, ok)
}

// TestConstant: a metric that never changes has a narrow band, not none.
func TestConstant(t *testing.T) {
	lower, upper, ok := Train(history(3, 300, func(int64, float64) float64 { return 5 }), 300, Config{}).Band(testEnd, 2)
	require.True(t, ok)
	assert.InDelta(t, 4.99, lower, 1e-9)
	assert.InDelta(t, 5.01, upper, 1e-9)
	lower, upper, ok = Train(history(3, 300, func(int64, float64) float64 { return 0 }), 300, Config{}).Band(testEnd, 2)
	require.True(t, ok)
	assert.Zero(t, lower)
	assert.Zero(t, upper)
	// Mostly the same.
	m := Train(history(3, 300, func(at int64, _ float64) float64 {
		if at/300%10 == 0 {
			return 6
		}
		return 5
	}), 300, Config{})
	mean, sigma, ok := m.Expected(testEnd)
	require.True(t, ok)
	assert.InDelta(t, 5, mean, 1e-9)
	assert.InDelta(t, 0.3, sigma, 0.1)
}

func TestMedian(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for n := range 60 {
		for range 20 {
			list := make([]float64, n)
			for i := range list {
				list[i] = float64(rnd.IntN(20))
			}
			want := 0.0
			if sorted := slices.Sorted(slices.Values(list)); n > 0 {
				want = (sorted[n/2] + sorted[(n-1)/2]) / 2
			}
			require.InDelta(t, want, median(list), 0)
		}
	}
}

func FuzzTrain(f *testing.F) {
	f.Add(uint64(1), 500, int64(60), 100., 3., false)
	f.Add(uint64(2), 5000, int64(300), 1e300, -1., true)
	f.Fuzz(func(t *testing.T, seed uint64, n int, period int64, scale, threshold float64, spikes bool) {
		if n < 0 || n > 5000 || period < 60 || period > 3600 || !(threshold >= 0 && threshold < 1e6) {
			return
		}
		rnd := rand.New(rand.NewPCG(seed, 0))
		points := make([]Point, n)
		at := testEnd - rnd.Int64N(100*day)
		for i := range points {
			at += period * (1 + rnd.Int64N(3))
			points[i] = Point{At: at, Value: rnd.NormFloat64() * scale}
		}
		m := Train(points, period, Config{PeriodicSpikes: spikes})
		for range 20 {
			lower, upper, ok := m.Band(testEnd+rnd.Int64N(200*day)-100*day, threshold)
			if ok && (lower > upper || lower-lower != 0 || upper-upper != 0) {
				t.Fatal(lower, upper)
			}
		}
	})
}

func BenchmarkTrain(b *testing.B) {
	points := history(14, 60, func(at int64, noise float64) float64 { return 100 + daily(at) + noise })
	b.ReportAllocs()
	for b.Loop() {
		if Train(points, 60, Config{}).State() != StateTrained {
			b.Fatal()
		}
	}
}

func BenchmarkBand(b *testing.B) {
	m := Train(history(14, 60, func(at int64, noise float64) float64 { return 100 + daily(at) + noise }), 60, Config{})
	b.ReportAllocs()
	at := testEnd
	for b.Loop() {
		if _, _, ok := m.Band(at, 2); !ok {
			b.Fatal()
		}
		at += 60
	}
}
