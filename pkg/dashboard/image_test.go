// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package dashboard

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func TestMetricWidgetDefaults(t *testing.T) {
	w, err := ParseMetricWidget(`{"metrics":[["AWS/EC2","CPUUtilization","InstanceId","i-1"]]}`)
	require.NoError(t, err)
	assert.Equal(t, 600, w.Width)
	assert.Equal(t, 400, w.Height)
	assert.Equal(t, ViewTimeSeries, w.View)
	assert.Equal(t, LegendBottom, w.Legend)
	now := time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)
	assert.Equal(t, now.Add(-3*time.Hour), w.Start.At(now))
	assert.Equal(t, now, w.End.At(now))
	assert.Equal(t, []Row{{
		Metric: cloudwatch.Metric{Namespace: "AWS/EC2", Name: "CPUUtilization", Dimensions: []cloudwatch.Dimension{{Name: "InstanceId", Value: "i-1"}}},
		Period: 300, Stat: "Average",
	}}, w.Rows)
}

func TestMetricWidget(t *testing.T) {
	w, err := ParseMetricWidget(`{"width":800,"height":300,"title":"T","view":"gauge","stacked":true,"liveData":true,"sparkline":true,
		"setPeriodToTimeRange":true,"singleValueFullPrecision":true,"labels":{"visible":true},"theme":"dark","legend":{"position":"right"},
		"yAxis":{"left":{"min":0,"max":10.5,"label":"L","showUnits":false},"right":{}},"start":"2025-01-01T00:00:00+01:00","end":"-P1D",
		"timezone":"-0130","region":"us-east-1","accountId":"123456789012","stat":"p99","period":60,
		"metrics":[["n","m",{"id":"m1","label":"","color":"#123456","period":300,"stat":"Sum","region":"eu-west-1","visible":false,"yAxis":"right"}],[{"expression":"m1*2"}]],
		"annotations":{"alarms":["arn:aws:cloudwatch:us-east-1:123456789012:alarm:a"],
			"horizontal":[{"value":1,"label":"h","color":"#ff0000","fill":"above","visible":false,"yAxis":"right"},[{"value":1},{"value":2}]],
			"vertical":[{"value":"2025-01-01T00:00:00Z","fill":"before"},[{"value":"2025-01-01T00:00:00Z"},{"value":"2025-01-02T00:00:00Z"}]]}}`)
	require.NoError(t, err)
	ten, zero, empty := 10.5, 0.0, ""
	_, offset := time.Now().In(w.Location).Zone()
	assert.Equal(t, -5400, offset)
	w.Location = nil
	assert.Equal(t, &MetricWidget{
		Width: 800, Height: 300, Title: "T", View: ViewGauge, Stacked: true, LiveData: true, Sparkline: true, SetPeriodToTimeRange: true,
		FullPrecision: true, ValueLabels: true, Dark: true, Legend: LegendRight, Left: Axis{Min: &zero, Max: &ten, Label: "L", HideUnits: true},
		Start: w.Start, End: Instant{days: 1}, Region: "us-east-1", AccountID: "123456789012", Stat: "p99", Period: 60,
		Rows: []Row{
			{
				Metric: cloudwatch.Metric{Namespace: "n", Name: "m"}, ID: "m1", Label: &empty, Color: "#123456", Period: 300, Stat: "Sum",
				Region: "eu-west-1", AccountID: "123456789012", Hidden: true, Right: true,
			},
			{Expression: "m1*2", Period: 60, Stat: "p99", Region: "us-east-1", AccountID: "123456789012"},
		},
		Alarm: "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a",
		Horizontal: []HorizontalAnnotation{
			{Value: 1, Label: "h", Color: "#ff0000", Fill: "above", Hidden: true, Right: true},
			{Value: 1, Fill: "none", To: &HorizontalAnnotation{Value: 2, Fill: "none"}},
		},
		Vertical: []VerticalAnnotation{
			{Time: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), Fill: "before"},
			{Time: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), Fill: "none", To: &VerticalAnnotation{Time: time.Date(2025, 1, 2, 0, 0, 0, 0, time.UTC), Fill: "none"}},
		},
	}, w)
	assert.False(t, w.Start.Relative())
	assert.True(t, w.End.Relative())
	assert.Equal(t, int64(1735686000), w.Start.At(time.Time{}).Unix())
}

func TestShorthand(t *testing.T) {
	tokens := func(r Row) []string {
		list := []string{r.Metric.Namespace, r.Metric.Name}
		for _, d := range r.Metric.Dimensions {
			list = append(list, d.Name, d.Value)
		}
		return list
	}
	// AWS's documented example, and its further forms.
	w, err := ParseMetricWidget(`{"metrics":[
		["AWS/EC2","CPUUtilization","InstanceId","i-1",{"stat":"p99"}],
		[".","DiskReadBytes",".","i-2"],
		["...","i-3"],
		[{"expression":"1+1"}],
		[".","Errors","..."],
		["...","X","Y",{"label":"l"}]]}`)
	require.NoError(t, err)
	assert.Equal(t, []string{"AWS/EC2", "DiskReadBytes", "InstanceId", "i-2"}, tokens(w.Rows[1]))
	assert.Equal(t, "Average", w.Rows[1].Stat, "settings are not inherited")
	assert.Equal(t, []string{"AWS/EC2", "DiskReadBytes", "InstanceId", "i-3"}, tokens(w.Rows[2]))
	assert.Equal(t, []string{"AWS/EC2", "Errors", "InstanceId", "i-3"}, tokens(w.Rows[4]))
	assert.Equal(t, []string{"AWS/EC2", "Errors", "X", "Y"}, tokens(w.Rows[5]))
}

func TestBadMetricWidget(t *testing.T) {
	row := func(s string) string { return `{"metrics":[` + s + `]}` }
	for _, tc := range []struct {
		text string
		want Issue
	}{
		{`{}`, Issue{"", required + "'metrics'"}},
		{`{"metrics":[]}`, Issue{"/metrics", "Should NOT have less than 1 items"}},
		{`{"annotations":{"alarms":[]}}`, Issue{"", required + "'metrics'"}},
		{`{"metrics":[["n","m"]],"width":2001}`, Issue{"/width", "Should be <= 2000"}},
		{`{"metrics":[["n","m"]],"height":0}`, Issue{"/height", "Should be >= 1"}},
		{`{"metrics":[["n","m"]],"theme":"blue"}`, Issue{"/theme", `The value of "theme" property is not valid. Should be equal to one of the allowed values: light,dark`}},
		{`{"metrics":[["n","m"]],"view":"table"}`, Issue{"/view", `The value of "view" property is not valid. Should be equal to one of the allowed values: timeSeries,singleValue,bar,pie,gauge`}},
		{`{"metrics":[["n","m"]],"table":{}}`, Issue{"", `The "table" property is not expected to be part of a metric widget image`}},
		{`{"metrics":[["n","m"]],"start":"-PID"}`, Issue{"/start", `Should match pattern "` + timeExpression + `"`}},
		{`{"metrics":[["n","m"]],"start":"-PT3X"}`, Issue{"/start", errInstant.Error()}},
		{`{"metrics":[["n","m"]],"timezone":"Europe/Paris"}`, Issue{"/timezone", `Should match pattern "^[+-]\d{4}$"`}},
		{`{"metrics":[["n","m"]],"yAxis":{"left":{"min":1,"max":1}}}`, Issue{"/yAxis/left", "The max should be greater than the min"}},
		{row(`[".","m"]`), Issue{"/metrics/0/0", `There is nothing that "." could stand for`}},
		{row(`["...","m"]`), Issue{"/metrics/0/0", `There is nothing that "..." could stand for`}},
		{row(`["n","m"],["...","a","b","c"]`), Issue{"/metrics/1/0", `There is nothing that "..." could stand for`}},
		{row(`["n","m","d"]`), Issue{"/metrics/0", `The dimension "d" has no value`}},
		{row(`["n","m",{"id":"a"}],["n","m",{"id":"a"}]`), Issue{"/metrics/1", `The id "a" is there twice`}},
		{row(`["n","m",{"expression":"a"}]`), Issue{"/metrics/0", "A metric should NOT have an expression"}},
	} {
		_, err := ParseMetricWidget(tc.text)
		var invalid *InvalidError
		require.ErrorAs(t, err, &invalid, tc.text)
		assert.Equal(t, tc.want, invalid.Issues[0], tc.text)
	}
	_, err := ParseMetricWidget(`[]`)
	require.ErrorIs(t, err, ErrWidgetNotObject)
}

func TestInstant(t *testing.T) {
	now := time.Date(2025, 3, 31, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"-PT3H": "2025-03-31T09:00:00Z", "PT0H": "2025-03-31T12:00:00Z", "-P1DT12H30M15S": "2025-03-29T23:29:45Z",
		"-P2W": "2025-03-17T12:00:00Z", "-P1M": "2025-03-03T12:00:00Z", "-P1Y": "2024-03-31T12:00:00Z",
		"2018-04-25T12:00:00.000Z": "2018-04-25T12:00:00Z",
	} {
		i, err := ParseInstant(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, i.At(now).Format(time.RFC3339), text)
	}
	for _, text := range []string{"", "P", "PT", "-P1", "P1DT", "now", "2025-02-30T00:00:00Z", "2018-04-25", "P9999999D"} {
		_, err := ParseInstant(text)
		require.Error(t, err, text)
	}
}

func FuzzParseMetricWidget(f *testing.F) {
	f.Add(`{"metrics":[["n","m","d","v"],["...","w"],[".","x",".","."],[{"expression":"a"}]],"annotations":{"horizontal":[[{"value":1},{"value":2}]]}}`)
	f.Add(`{"metrics":[["n","m"]],"start":"-P1Y2M3DT4H","end":"PT0H","timezone":"+0130","yAxis":{"left":{"min":1}}}`)
	f.Add(`{"annotations":{"alarms":["a"]},"width":1}`)
	f.Fuzz(func(t *testing.T, text string) {
		w, err := ParseMetricWidget(text)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		require.True(t, w.Width >= 1 && w.Width <= 2000 && w.Height >= 1 && w.Height <= 2000)
		require.LessOrEqual(t, len(w.Rows), maxImageRows)
	})
}
