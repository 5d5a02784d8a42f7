// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func latencyChart() Chart {
	c := Chart{
		Title: "Shop OrderLatency", Format: FormatMilliseconds,
		Start: noon, End: noon.Add(45 * time.Minute), Period: time.Minute, Width: 90, Height: 14,
		Series: []Series{
			{Name: "Average", Color: ColorBlue, Fill: true},
			{Name: "p99", Color: ColorYellow},
		},
	}
	for i := range 45 {
		at := noon.Add(time.Duration(i) * time.Minute)
		if i == 10 || i == 11 { // nothing was measured
			continue
		}
		slow := math.Exp(-math.Pow(float64(i-28)/5, 2))
		c.Series[0].Points = append(c.Series[0].Points, Point{at, 180 + 900*slow})
		c.Series[1].Points = append(c.Series[1].Points, Point{at, 420 + 20*math.Sin(float64(i)) + 2600*slow})
	}
	return c
}

func TestChart(t *testing.T) {
	t.Parallel()
	c := latencyChart()
	requireGolden(t, "chart.txt", c.Render(Style{}))
	requireGolden(t, "chart_color.txt", c.Render(Style{Colors: true}))
	c.Width, c.Height = 60, 6
	requireGolden(t, "chart_small.txt", c.Render(Style{}))
}

func TestChartWithoutPoints(t *testing.T) {
	t.Parallel()
	c := latencyChart()
	c.Series = nil
	requireGolden(t, "chart_empty.txt", c.Render(Style{}))
	c.End = c.Start
	c.Series = []Series{{Name: "one", Points: []Point{{noon, 1}}}}
	require.NotPanics(t, func() { c.Render(Style{}) })
}

func TestChartBounds(t *testing.T) {
	t.Parallel()
	c := latencyChart()
	c.Series[1].Points = append(c.Series[1].Points, Point{noon.Add(-time.Hour), 5}, Point{noon.Add(9 * time.Hour), 5})
	require.NotPanics(t, func() { c.Render(Style{}) }, "points outside the axes are left out")
}

func TestNiceScale(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ highest, top, step float64 }{
		{0, 1, 1},
		{math.NaN(), 1, 1},
		{math.Inf(1), 1, 1},
		{1, 1, 0.5},
		{3, 3, 1},
		{4, 4, 1},
		{4.1, 6, 2},
		{99, 100, 50},
		{2950, 3000, 1000},
		{0.031, 0.04, 0.01},
	} {
		top, step := niceScale(tc.highest)
		require.InDelta(t, tc.top, top, 1e-9, "%v", tc.highest)
		require.InDelta(t, tc.step, step, 1e-9, "%v", tc.highest)
	}
}

func TestFormatMilliseconds(t *testing.T) {
	t.Parallel()
	for ms, want := range map[float64]string{
		0: "0", 0.25: "250 µs", 12: "12 ms", 999: "999 ms", 1000: "1.0 s", 2500: "2.5 s", 30000: "30 s",
	} {
		require.Equal(t, want, FormatMilliseconds(ms))
	}
}
