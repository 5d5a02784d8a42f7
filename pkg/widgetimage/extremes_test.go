// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package widgetimage

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/dashboard"
)

func TestBounds(t *testing.T) {
	w := widget(t, `{"metrics":[["n","m"]]}`)
	_, err := Draw(w, &Data{Start: testEnd, End: testEnd})
	require.ErrorContains(t, err, "an image needs a time range")
	hour := func(list ...Series) *Data { return &Data{Start: testEnd.Add(-time.Hour), End: testEnd, Series: list} }
	_, err = Draw(w, hour(make([]Series, MaxSeries+1)...))
	require.ErrorIs(t, err, errTooMuch)
	_, err = Draw(w, hour(Series{Points: make([]Point, MaxPoints+1)}))
	require.ErrorIs(t, err, errTooMuch)
	for _, size := range []int{0, 2001} {
		w.Width = size
		_, err = Draw(w, hour())
		require.ErrorContains(t, err, "pixels cannot be drawn")
	}
	w.Width, w.View = 100, "table"
	_, err = Draw(w, hour())
	require.EqualError(t, err, `a widget with the view "table" cannot be drawn`)
}

// Whatever the size and the data, there is a picture.
func TestExtremes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	values := []float64{0, 1, -1, 1e-300, 1e300, -1e300, math.MaxFloat64, -math.MaxFloat64, math.NaN(), math.Inf(1), 80, 0.1, 1e18}
	end := testEnd.Unix()
	for _, view := range []dashboard.View{"timeSeries", "bar", "pie", "singleValue", "gauge"} {
		for range 20 {
			w := widget(t, `{`+metricsOf3+`,"title":"A title","yAxis":{"left":{"min":0,"max":100}},
				"annotations":{"horizontal":[{"value":5,"label":"l","fill":"below","visible":false},[{"value":1e300},{"value":-3,"label":"x"}],{"value":7,"yAxis":"right","label":"r"}],
				"vertical":[{"value":"2025-11-21T10:00:00Z","label":"v","fill":"before"},{"value":"2025-11-21T11:00:00Z","fill":"after"},{"value":"2001-11-21T11:00:00Z"}]}}`)
			w.View = view
			w.Width, w.Height = 1+r.IntN(300), 1+r.IntN(300)
			w.Stacked, w.Sparkline, w.ValueLabels, w.FullPrecision = r.IntN(2) == 0, r.IntN(2) == 0, r.IntN(2) == 0, r.IntN(2) == 0
			w.Legend = []dashboard.LegendPosition{"bottom", "right", "hidden"}[r.IntN(3)]
			if r.IntN(2) == 0 && view != dashboard.ViewGauge {
				w.Left = dashboard.Axis{}
			}
			d := &Data{Start: testEnd.Add(-time.Duration(1 + r.Int64N(int64(1000*24*time.Hour)))), End: testEnd}
			for i := range r.IntN(6) {
				s := Series{Label: "séries 漢字", Right: r.IntN(3) == 0, Incomplete: i == 1, Unit: "Bytes/Second"}
				for k := range r.IntN(40) {
					s.Points = append(s.Points, Point{end - 4000 + int64(k)*100, values[r.IntN(len(values))]})
				}
				d.Series = append(d.Series, s)
			}
			threshold := values[r.IntN(8)]
			d.Alarm = &Alarm{Label: "alarm", Threshold: &threshold, States: []AlarmState{{0, end, "OK"}, {5, 1, "ALARM"}, {0, end, "?"}}}
			img, err := Draw(w, d)
			require.NoError(t, err)
			assert.Equal(t, w.Width, img.Bounds().Dx())
		}
	}
}

func TestScale(t *testing.T) {
	two := func(low, high float64) extent { return extent{low, high} }
	s := newScale(two(12, 87), nil, nil, 0, 300)
	assert.Equal(t, []float64{0, 20, 40, 60, 80, 100}, s.ticks())
	assert.InDelta(t, 0, s.y(100), 1e-9)
	assert.InDelta(t, 300, s.y(0), 1e-9)
	low, high := 1.0, 2.0
	s = newScale(two(12, 87), &low, &high, 0, 300)
	assert.InDelta(t, 1, s.low, 0)
	assert.InDelta(t, 2, s.high, 0)
	s = newScale(two(12, 87), nil, &high, 0, 300)
	assert.Less(t, s.low, s.high)
	for _, e := range []extent{newExtent(), two(0, 0), two(5, 5), two(-5, -5), two(-math.MaxFloat64, math.MaxFloat64)} {
		s := newScale(e, nil, nil, 0, 300)
		assert.Less(t, s.low, s.high)
		assert.LessOrEqual(t, len(s.ticks()), maxTicks)
	}
	for _, tc := range []struct {
		v, step float64
		want    string
	}{
		{0, 1, "0"}, {0.25, 0.25, "0.25"}, {1500, 500, "1.5k"}, {2e9, 1e9, "2G"}, {-1e6, 1e6, "-1M"}, {1e-9, 1e-9, "1e-09"}, {1e21, 1e21, "1e+21"},
	} {
		assert.Equal(t, tc.want, formatTick(tc.v, tc.step))
	}
	for _, tc := range []struct {
		v    float64
		full bool
		want string
	}{
		{0, false, "0"},
		{29.12, false, "29.1"},
		{1.2345e9, false, "1.23G"},
		{999.96, false, "1k"},
		{123456, false, "123k"},
		{0.1234, false, "0.123"},
		{1e-5, false, "1e-05"},
		{12.5, true, "12.5"},
		{-4.999, false, "-5"},
	} {
		assert.Equal(t, tc.want, formatValue(tc.v, tc.full))
	}
	assert.Equal(t, "B/s", unitSymbol("Bytes/Second"))
	assert.Empty(t, unitSymbol("Count"))
}

func TestTimeTicks(t *testing.T) {
	end := testEnd.Unix()
	ticks, layout := timeTicks(end-3*3600, end, 8, time.UTC)
	assert.Equal(t, "15:04", layout)
	assert.Equal(t, end, ticks[len(ticks)-1])
	assert.Len(t, ticks, 7)
	india := time.FixedZone("", 5*3600+1800)
	ticks, _ = timeTicks(end-6*3600, end, 8, india)
	assert.Equal(t, "12:00", formatTime(ticks[0], "15:04", india))
	ticks, layout = timeTicks(end-7*86400, end, 8, time.UTC)
	assert.Equal(t, "11/15", formatTime(ticks[0], layout, time.UTC))
	ticks, _ = timeTicks(-5000*86400, 20000*86400, 3, time.UTC)
	assert.LessOrEqual(t, len(ticks), 4)
	assert.Equal(t, "11/21", formatTime(end/86400*86400, "15:04", time.UTC))
}

func TestRuns(t *testing.T) {
	var got [][]Point
	for run := range runs([]Point{{0, 1}, {60, 1}, {180, 1}, {240, 1}, {1000, 1}}, 60) {
		got = append(got, run)
	}
	assert.Equal(t, [][]Point{{{0, 1}, {60, 1}}, {{180, 1}, {240, 1}}, {{1000, 1}}}, got)
	assert.Equal(t, int64(60), closest([]Point{{0, 1}, {120, 1}, {180, 1}}))
}

func TestEllipsis(t *testing.T) {
	c := newCanvas(10, 10)
	assert.Equal(t, "short", c.ellipsis("short", fontLegend, 100))
	cut := c.ellipsis("a rather long label of a metric", fontLegend, 80)
	assert.LessOrEqual(t, c.textWidth(cut, fontLegend), 80.0)
	assert.Contains(t, cut, "…")
	assert.Empty(t, c.ellipsis("long", fontLegend, 1))
}

func BenchmarkRender(b *testing.B) {
	w, err := dashboard.ParseMetricWidget(`{` + metricsOf3 + `,"title":"CPU"}`)
	require.NoError(b, err)
	for _, bc := range []struct {
		name    string
		series  int
		period  int64
		stacked bool
		size    int
	}{
		{"3Series", 3, 60, false, 600}, {"50Series", 50, 60, false, 600}, {"50SeriesStacked", 50, 60, true, 600}, {"500SeriesLarge", 500, 10, false, 2000},
	} {
		b.Run(bc.name, func(b *testing.B) {
			d := &Data{Start: testEnd.Add(-3 * time.Hour), End: testEnd}
			for i := range bc.series {
				d.Series = append(d.Series, Series{Label: "i-0123456789 CPUUtilization", Period: bc.period, Points: wave(bc.period, float64(i), 10, float64(i))})
			}
			w := *w
			w.Stacked, w.Width, w.Height = bc.stacked, bc.size, bc.size*2/3
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Render(&w, d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
