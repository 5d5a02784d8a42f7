// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package widgetimage

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/dashboard"
)

var testEnd = time.Date(2025, 11, 21, 12, 0, 0, 0, time.UTC)

// wave is three hours of points, one a period, of which those are missing.
func wave(period int64, base, height, phase float64, missing ...int) []Point {
	var list []Point
	start := testEnd.Add(-3 * time.Hour).Unix()
	for i := range int(3 * 3600 / period) {
		gone := false
		for _, m := range missing {
			gone = gone || m == i
		}
		if !gone {
			t := start + int64(i)*period
			list = append(list, Point{t, base + height*math.Sin(float64(i)/6+phase)})
		}
	}
	return list
}

func widget(tb testing.TB, text string) *dashboard.MetricWidget {
	tb.Helper()
	w, err := dashboard.ParseMetricWidget(text)
	require.NoError(tb, err)
	return w
}

// draw renders, decodes what was rendered and keeps it as an artifact of the test (go test -artifacts).
func drawn(t *testing.T, name, text string, d *Data) image.Image {
	t.Helper()
	if d.End.IsZero() {
		d.Start, d.End = testEnd.Add(-3*time.Hour), testEnd
	}
	w := widget(t, text)
	raw, err := Render(w, d)
	require.NoError(t, err)
	again, err := Render(w, d)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(raw, again), "the same input gives the same image")
	require.NoError(t, os.WriteFile(filepath.Join(t.ArtifactDir(), name+".png"), raw, 0o600))
	img, err := png.Decode(bytes.NewReader(raw))
	require.NoError(t, err)
	assert.Equal(t, image.Rect(0, 0, w.Width, w.Height), img.Bounds())
	return img
}

// count is how many pixels of a part have about the color.
func count(img image.Image, r image.Rectangle, want color.Color) int {
	n := 0
	wr, wg, wb, _ := want.RGBA()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			cr, cg, cb, _ := img.At(x, y).RGBA()
			if near(cr, wr) && near(cg, wg) && near(cb, wb) {
				n++
			}
		}
	}
	return n
}

func near(a, b uint32) bool { return max(a, b)-min(a, b) < 0x0c00 }

const metricsOf3 = `"metrics":[["A","m","d","1"],["...","2"],["...","3"]]`

func threeSeries() []Series {
	return []Series{
		{Label: "i-0a1b2c3d4e5f CPUUtilization", Unit: "Percent", Period: 300, Points: wave(300, 40, 25, 0)},
		{Label: "i-1a1b2c3d4e5f CPUUtilization", Unit: "Percent", Period: 300, Points: wave(300, 30, 10, 2, 10, 11, 12, 20, 22)},
		{Label: "i-2a1b2c3d4e5f CPUUtilization", Unit: "Percent", Period: 300, Points: wave(300, 20, 15, 4), Incomplete: true},
	}
}

func TestTimeSeries(t *testing.T) {
	img := drawn(t, "lines", `{`+metricsOf3+`,"title":"CPU of the fleet","yAxis":{"left":{"min":0,"max":100}},
		"annotations":{"horizontal":[{"value":80,"label":"Too busy","color":"#d62728","fill":"above"},[{"value":10,"color":"#2ca02c","label":"idle"},{"value":20}]],
		"vertical":[{"value":"2025-11-21T10:30:00Z","label":"deploy 42"},[{"value":"2025-11-21T11:00:00Z","color":"#9467bd","label":"maintenance"},{"value":"2025-11-21T11:20:00Z"}]]}}`,
		&Data{Series: threeSeries()})
	all := img.Bounds()
	for _, c := range palette[:3] {
		assert.Greater(t, count(img, all, c), 150)
	}
	assert.Equal(t, opaque(0xffffff), color.NRGBAModel.Convert(img.At(1, 1)))
}

func TestStacked(t *testing.T) {
	series := threeSeries()
	series[2].Right, series[2].Unit = true, "Bytes"
	for i := range series[2].Points {
		series[2].Points[i].Value *= 1e8
	}
	drawn(t, "right-axis", `{`+metricsOf3+`,"legend":{"position":"right"},"theme":"dark","title":"Two axes","timezone":"+0130"}`, &Data{Series: series})
	img := drawn(t, "stacked", `{`+metricsOf3+`,"stacked":true,"title":"Requests"}`, &Data{Series: threeSeries()})
	assert.Greater(t, count(img, img.Bounds(), opaque(0x5f8fd0))+count(img, img.Bounds(), withOver(palette[0], alphaStack)), 5000)
}

// withOver is a color over white.
func withOver(c rgba, alpha int) color.Color {
	mix := func(v uint8) uint8 { return uint8((int(v)*alpha + 255*(255-alpha)) / 255) }
	return rgba{R: mix(c.R), G: mix(c.G), B: mix(c.B), A: 255}
}

func TestAlarm(t *testing.T) {
	threshold := 50.0
	series := threeSeries()[:1]
	e := testEnd.Unix()
	img := drawn(t, "alarm", `{"annotations":{"alarms":["arn:x"]},"title":"cpu-high"}`, &Data{Series: series, Alarm: &Alarm{
		Label: "CPUUtilization > 50 for 2 datapoints within 10 minutes", Threshold: &threshold, Above: true,
		States: []AlarmState{{e - 10800, e - 7200, "OK"}, {e - 7200, e - 3600, "ALARM"}, {e - 3600, e, "INSUFFICIENT_DATA"}},
	}})
	assert.Greater(t, count(img, img.Bounds(), stateColors["ALARM"]), 500)
	assert.Greater(t, count(img, img.Bounds(), withOver(colorThreshold, alphaAnnotation)), 5000)
}

func TestValues(t *testing.T) {
	series := threeSeries()
	series[1].Unit, series[1].Points = "Bytes", []Point{{testEnd.Unix() - 300, 1.2345e9}}
	series[2].Points = nil
	drawn(t, "single", `{`+metricsOf3+`,"view":"singleValue","height":150,"title":"Now"}`, &Data{Series: series})
	drawn(t, "sparkline", `{"metrics":[["A","m"]],"view":"singleValue","sparkline":true,"width":300,"height":200}`, &Data{Series: series[:1]})
	img := drawn(t, "gauge", `{`+metricsOf3+`,"view":"gauge","yAxis":{"left":{"min":0,"max":100}},
		"annotations":{"horizontal":[{"value":80,"color":"#d62728","fill":"above"},[{"value":50,"color":"#ff7f0e"},{"value":80}]]}}`, &Data{Series: series})
	assert.Greater(t, count(img, img.Bounds(), palette[0]), 500)
	img = drawn(t, "pie", `{`+metricsOf3+`,"view":"pie","labels":{"visible":true}}`, &Data{Series: threeSeries()})
	assert.Greater(t, count(img, img.Bounds(), palette[1]), 5000)
	img = drawn(t, "bar", `{`+metricsOf3+`,"view":"bar","labels":{"visible":true},"annotations":{"horizontal":[{"value":30,"label":"limit"}]}}`, &Data{Series: threeSeries()})
	assert.Greater(t, count(img, img.Bounds(), palette[1]), 5000)
}

func TestManySeries(t *testing.T) {
	var list []Series
	for i := range 60 {
		list = append(list, Series{Label: fmt.Sprintf("series number %d of a search", i), Period: 60, Points: wave(60, float64(i), 3, float64(i))})
	}
	list = append(list, Series{Label: "band", Period: 60, Points: wave(60, 40, 20, 0), Lower: wave(60, 20, 20, 0)})
	drawn(t, "many", `{`+metricsOf3+`,"width":800}`, &Data{Series: list})
	drawn(t, "empty", `{`+metricsOf3+`}`, &Data{Series: []Series{{Label: "m"}}})
	drawn(t, "dot", `{`+metricsOf3+`}`, &Data{Series: []Series{{Label: "m", Points: []Point{{testEnd.Unix() - 3600, 5}}}}})
}
