// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package plot

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/terminal"
	"github.com/nephoscope/nephoscope/pkg/alarm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var begin = time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)

func panel(n int, value func(int) float64) *Panel {
	p := &Panel{
		Title: `a <b> & "c"`, Start: begin, End: begin.Add(time.Duration(n) * time.Minute), Period: time.Minute,
		States: []Span{
			{From: begin, To: begin.Add(10 * time.Minute), State: alarm.StateInsufficientData},
			{From: begin.Add(10 * time.Minute), To: begin.Add(11 * time.Minute), State: alarm.StateAlarm},
			{From: begin.Add(11 * time.Minute), To: begin.Add(time.Duration(n) * time.Minute), State: alarm.StateOK},
		},
	}
	for i := range n {
		p.Points = append(p.Points, Point{begin.Add(time.Duration(i) * time.Minute), value(i)})
	}
	return p
}

// TestNegative is a series around zero, with its scale.
func TestNegative(t *testing.T) {
	t.Parallel()
	p := panel(120, func(i int) float64 { return 10 * math.Sin(float64(i)/10) })
	threshold := -5.0
	p.Threshold = &threshold
	text := p.Terminal(terminal.Style{}, 60, 5)
	require.Equal(t, `a <b> & "c"`, strings.Split(text, "\n")[0])
	for _, want := range []string{" 10 ┤", "-10 ┤", "┄", "····█", "12:00"} {
		require.Contains(t, text, want)
	}
	for line := range strings.SplitSeq(text, "\n") {
		require.LessOrEqual(t, terminal.Columns(line), 62)
	}
}

// TestAnyValues draws values of all sizes: nothing may fail, and the drawing is XML.
func TestAnyValues(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	var panels []*Panel
	for i := range 60 {
		scale := math.Pow(10, rng.Float64()*40-20)
		p := panel(1+rng.IntN(10_000), func(int) float64 { return rng.NormFloat64() * scale })
		switch i % 6 {
		case 0:
			p.Points = nil
		case 1:
			p.Points = p.Points[:1]
		case 2:
			p.Threshold = &scale
		case 3:
			for _, q := range p.Points {
				p.Lower, p.Upper = append(p.Lower, Point{q.Time, q.Value - scale}), append(p.Upper, Point{q.Time, math.NaN()})
			}
			p.Upper[0].Value = scale
		case 4:
			p.End = p.Start
		}
		require.NotEmpty(t, p.Terminal(terminal.Style{Colors: true}, 20+rng.IntN(120), rng.IntN(20)))
		panels = append(panels, p)
	}
	drawn := SVG(panels)
	dec := xml.NewDecoder(strings.NewReader(string(drawn)))
	for {
		_, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
	}
	require.NotContains(t, string(drawn), "NaN")
	require.Less(t, len(drawn), 60*maxSVGPoints*30)
}

func TestThin(t *testing.T) {
	t.Parallel()
	p := panel(100_000, func(i int) float64 { return map[bool]float64{true: 99, false: 1}[i == 54_321] })
	points := thin(p.Points, 1000)
	require.LessOrEqual(t, len(points), 1000)
	require.Contains(t, points, p.Points[54_321], "the extreme is kept")
}
