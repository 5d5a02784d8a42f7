// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// fakeData answers for metrics as GetMetricData does, and keeps what it was asked.
type fakeData struct {
	asked   []*cw.GetMetricDataInput
	regions []string
	// edit changes an answer before it is given.
	edit func(in *cw.GetMetricDataInput, out *cw.GetMetricDataOutput)
}

func (d *fakeData) get(ctx context.Context, in *cw.GetMetricDataInput) (*cw.GetMetricDataOutput, error) {
	kept := *in
	d.asked = append(d.asked, &kept)
	d.regions = append(d.regions, awswire.RequestFrom(ctx).Region)
	out := &cw.GetMetricDataOutput{}
	for i, q := range in.MetricDataQueries {
		if !*q.ReturnData {
			continue
		}
		label, period := *q.Id, int64(60)
		if q.Label != nil {
			label = *q.Label
		}
		if q.Period != nil {
			period = int64(*q.Period)
		}
		if q.MetricStat != nil {
			period = int64(*q.MetricStat.Period)
		}
		r := types.MetricDataResult{Id: q.Id, Label: &label, StatusCode: types.StatusCodeComplete}
		for t := in.StartTime.Unix(); t+period <= in.EndTime.Unix(); t += period {
			r.Timestamps = append(r.Timestamps, time.Unix(t, 0))
			r.Values = append(r.Values, 40+20*math.Sin(float64(t)/1500+float64(i)))
		}
		out.MetricDataResults = append(out.MetricDataResults, r)
	}
	if d.edit != nil {
		d.edit(in, out)
	}
	return out, nil
}

func (*fakeData) statistics(_ context.Context, in *cw.GetMetricStatisticsInput) (*cw.GetMetricStatisticsOutput, error) {
	unit := types.StandardUnitPercent
	if *in.MetricName == "bytes" {
		unit = types.StandardUnitBytes
	}
	return &cw.GetMetricStatisticsOutput{Datapoints: []types.Datapoint{{Unit: unit}}}, nil
}

// fakeAlarms are alarms by name.
type fakeAlarms map[string]alarm.View

func (a fakeAlarms) Alarm(_ cloudwatch.Tenant, name string) (alarm.View, bool) {
	v, ok := a[name]
	return v, ok
}

func newImageFixture(t *testing.T) (*fixture, *fakeData) {
	t.Helper()
	f, d := newFixture(t), &fakeData{}
	f.set.GetMetricData, f.set.GetMetricStatistics = d.get, d.statistics
	f.open()
	return f, d
}

// draw asks for an image and decodes it.
func (f *fixture) draw(name, widget string) image.Image {
	f.Helper()
	out, err := f.GetMetricWidgetImage(f.Context(), &cw.GetMetricWidgetImageInput{MetricWidget: &widget})
	require.NoError(f, err)
	return f.decode(name, out.MetricWidgetImage)
}

func (f *fixture) decode(name string, raw []byte) image.Image {
	f.Helper()
	require.NoError(f, os.WriteFile(filepath.Join(f.ArtifactDir(), name+".png"), raw, 0o600))
	img, err := png.Decode(bytes.NewReader(raw))
	require.NoError(f, err)
	return img
}

// has is whether the image has so many pixels of a color.
func has(img image.Image, rgb uint32, atLeast int) bool {
	n := 0
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := img.At(x, y).RGBA()
			if r>>8 == rgb>>16 && g>>8 == rgb>>8&0xff && bl>>8 == rgb&0xff {
				n++
			}
		}
	}
	return n >= atLeast
}

func TestImage(t *testing.T) {
	f, d := newImageFixture(t)
	img := f.draw("lines", `{"width":700,"height":350,"title":"Fleet","metrics":[
		["AWS/EC2","CPUUtilization","InstanceId","i-1",{"id":"a","label":"one"}],
		["...","i-2",{"visible":false,"id":"b"}],
		[{"expression":"a+b","label":"both","color":"#112233","id":"e"}],
		["AWS/EC2","bytes",{"region":"eu-west-1","yAxis":"right","label":"elsewhere","period":60,"stat":"p99"}]],
		"annotations":{"horizontal":[{"value":75,"label":"high"}]},"timezone":"-0130"}`)
	assert.Equal(t, image.Rect(0, 0, 700, 350), img.Bounds())
	for _, c := range []uint32{0x1f77b4, 0x112233, 0x2ca02c} {
		assert.True(t, has(img, c, 100), "%06x", c)
	}
	require.Len(t, d.asked, 2)
	assert.Equal(t, []string{"us-east-1", "eu-west-1"}, d.regions)
	first := d.asked[0]
	assert.Equal(t, "2025-11-21T07:00:00Z", first.StartTime.Format(time.RFC3339))
	assert.Equal(t, "2025-11-21T10:00:00Z", first.EndTime.Truncate(time.Second).Format(time.RFC3339))
	assert.Equal(t, "-0130", *first.LabelOptions.Timezone)
	require.Len(t, first.MetricDataQueries, 3)
	assert.Equal(t, "a", *first.MetricDataQueries[0].Id)
	assert.False(t, *first.MetricDataQueries[1].ReturnData)
	assert.Equal(t, "a+b", *first.MetricDataQueries[2].Expression)
	assert.Equal(t, int32(300), *first.MetricDataQueries[2].Period)
	assert.Equal(t, "m1", *d.asked[1].MetricDataQueries[0].Id)
	assert.Equal(t, "p99", *d.asked[1].MetricDataQueries[0].MetricStat.Stat)
}

// An unknown metric gives an image without lines, as at AWS.
func TestEmptyImage(t *testing.T) {
	f, d := newImageFixture(t)
	d.edit = func(_ *cw.GetMetricDataInput, out *cw.GetMetricDataOutput) {
		for i := range out.MetricDataResults {
			out.MetricDataResults[i].Timestamps, out.MetricDataResults[i].Values = nil, nil
		}
	}
	img := f.draw("empty", `{"metrics":[["n","m"]],"theme":"dark"}`)
	assert.Equal(t, image.Rect(0, 0, 600, 400), img.Bounds())
}

func TestImageAlarm(t *testing.T) {
	f, d := newImageFixture(t)
	const arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:"
	widget := func(name string) string {
		return `{"annotations":{"alarms":["` + arn + name + `"]},"title":"` + name + `"}`
	}
	ask := func(text string) error {
		_, err := f.GetMetricWidgetImage(t.Context(), &cw.GetMetricWidgetImageInput{MetricWidget: &text})
		return err
	}
	wantError(t, ask(widget("cpu")), "NotImplemented",
		"The alarm annotation "+arn+"cpu of a collector without alarms (configure the extension alarm) is not implemented.")
	threshold := 50.0
	alarms := fakeAlarms{
		"cpu": {
			Definition: &alarm.Definition{Name: "cpu", Metric: &alarm.MetricAlarm{
				Namespace: "AWS/EC2", MetricName: "CPUUtilization", Statistic: "Maximum", Period: 60, EvaluationPeriods: 3,
				DatapointsToAlarm: 2, Threshold: &threshold, ComparisonOperator: alarm.GreaterThanThreshold,
			}},
			Status: alarm.Status{State: alarm.StateAlarm, StateTransitioned: testNow.Add(-time.Hour)},
		},
		"math": {Definition: &alarm.Definition{Name: "math", Metric: &alarm.MetricAlarm{
			Metrics: []alarm.Query{
				{ID: "m1", Metric: &alarm.MetricStat{Namespace: "n", MetricName: "m", Period: 300, Stat: "Sum"}, ReturnData: new(bool)},
				{ID: "ad", Expression: "ANOMALY_DETECTION_BAND(m1, 2)"},
			},
			EvaluationPeriods: 1, ThresholdMetricID: "ad", ComparisonOperator: alarm.GreaterThanUpperThreshold,
		}}},
		"all": {Definition: &alarm.Definition{Name: "all", Composite: &alarm.CompositeAlarm{}}},
	}
	f.set.Alarms = func() Alarms { return alarms }
	f.open()
	img := f.draw("alarm", widget("cpu"))
	assert.True(t, has(img, 0xd62728, 300), "the threshold")
	assert.True(t, has(img, 0xd13212, 500), "the state")
	assert.Equal(t, "Maximum", *d.asked[0].MetricDataQueries[0].MetricStat.Stat)
	assert.Equal(t, "CPUUtilization > 50 for 2 datapoints within 3 minutes", alarmLabel(alarms["cpu"].Definition))
	assert.Equal(t, "math", alarmLabel(alarms["math"].Definition))

	d.edit = func(_ *cw.GetMetricDataInput, out *cw.GetMetricDataOutput) {
		band := out.MetricDataResults[0]
		band.Values = make([]float64, len(band.Timestamps))
		out.MetricDataResults = append(out.MetricDataResults, band)
	}
	f.draw("band", widget("math"))
	d.edit = nil
	wantError(t, ask(widget("all")), "ValidationError", `The parameter MetricWidget is invalid: the alarm "`+arn+`all" is a composite alarm, which has no metric.`)
	wantError(t, ask(widget("none")), "ValidationError", `The parameter MetricWidget is invalid: the alarm "`+arn+`none" does not exist.`)
	wantError(t, ask(`{"annotations":{"alarms":["x"]}}`), "ValidationError", `The parameter MetricWidget is invalid: "x" is not the ARN of an alarm of this account.`)
}

func TestImageOneValue(t *testing.T) {
	f, d := newImageFixture(t)
	f.draw("single", `{"metrics":[["n","m"]],"view":"singleValue","setPeriodToTimeRange":true,"start":"-PT90M","height":120}`)
	q := d.asked[0]
	assert.Equal(t, int32(5400), *q.MetricDataQueries[0].MetricStat.Period)
	assert.InDelta(t, 5400, q.EndTime.Sub(*q.StartTime).Seconds(), 0)
	for _, view := range []string{"bar", "pie", "gauge"} {
		f.draw(view, `{"metrics":[["n","m"],["n","bytes"]],"view":"`+view+`","yAxis":{"left":{"min":0,"max":100}}}`)
	}
}

// Periods are those in which data of that age is kept, and windows begin on them.
func TestImageWindows(t *testing.T) {
	f, d := newImageFixture(t)
	for _, tc := range []struct {
		widget   string
		period   int32
		from, to string
	}{
		{widget: `"period":10,"start":"-PT1H"`, period: 10, from: "09:00:00", to: "10:00:00"},
		{widget: `"period":10`, period: 10, from: "07:00:00", to: "10:00:00"},
		{widget: `"period":10,"start":"-PT4H"`, period: 60, from: "06:00:00", to: "10:00:00"},
		{widget: `"period":3600,"start":"-PT150M"`, period: 3600, from: "07:00:00", to: "10:00:00"},
		{widget: `"period":3600,"start":"-PT150M","liveData":true`, period: 3600, from: "07:00:00", to: "11:00:00"},
		{widget: `"period":60,"start":"-P20D"`, period: 300, from: "10:00:00", to: "10:00:00"},
		{widget: `"period":60,"start":"-P100D"`, period: 3600, from: "10:00:00", to: "10:00:00"},
		{widget: `"period":60,"start":"2025-11-21T08:00:30Z","end":"2025-11-21T09:00:00+00:30"`, period: 60, from: "08:00:00", to: "08:30:00"},
	} {
		d.asked = nil
		f.draw("window", `{"metrics":[["n","m"]],`+tc.widget+`}`)
		q := d.asked[0]
		assert.Equal(t, tc.period, *q.MetricDataQueries[0].MetricStat.Period, tc.widget)
		assert.Equal(t, tc.from, q.StartTime.UTC().Format(time.TimeOnly), tc.widget)
		assert.Equal(t, tc.to, q.EndTime.UTC().Format(time.TimeOnly), tc.widget)
	}
}

func TestImagePages(t *testing.T) {
	f, d := newImageFixture(t)
	d.edit = func(in *cw.GetMetricDataInput, out *cw.GetMetricDataOutput) {
		r := &out.MetricDataResults[0]
		if in.NextToken == nil {
			r.Timestamps, r.Values, r.StatusCode = r.Timestamps[:5], r.Values[:5], types.StatusCodePartialData
			out.NextToken = new("more")
			return
		}
		r.Timestamps, r.Values = r.Timestamps[5:], r.Values[5:]
	}
	img := f.draw("pages", `{"metrics":[["n","m"]]}`)
	require.Len(t, d.asked, 2)
	assert.False(t, has(img, 0xff9900, 20), "nothing is missing")
	d.edit = func(_ *cw.GetMetricDataInput, out *cw.GetMetricDataOutput) {
		out.MetricDataResults[0].StatusCode = types.StatusCodeForbidden
	}
	img = f.draw("forbidden", `{"metrics":[["n","m",{"accountId":"210987654321"}]]}`)
	assert.True(t, has(img, 0xff9900, 20), "the warning")
	assert.Equal(t, "210987654321", *d.asked[2].MetricDataQueries[0].AccountId)
}

func TestImageErrors(t *testing.T) {
	f, d := newImageFixture(t)
	for _, tc := range []struct{ widget, format, message string }{
		{"", "", "The parameter MetricWidget is required."},
		{"{", "", "The parameter MetricWidget must be a valid JSON object"},
		{`{"metrics":[["n","m"]]}`, "jpeg", "The parameter OutputFormat must be a value in the set [ png, image/png ]."},
		{`{"title":"` + strings.Repeat("x", 100<<10) + `"}`, "", "The parameter MetricWidget must not be longer than 102400 bytes."},
		{`{"metrics":[["n","m"]],"start":"PT0H"}`, "", "The parameter MetricWidget is invalid: its start must be before its end."},
		{`{"metrics":[["n","m"]],"start":"1066-10-14T09:00:00Z"}`, "", "The parameter MetricWidget is invalid: its time range is out of bounds."},
		{
			`{"metrics":[["n","m"]],"period":60,"start":"2025-11-14T00:00:00Z","end":"2026-11-21T00:00:00Z"}`, "",
			"The parameter MetricWidget asks for 535681 datapoints, more than 100800: use a longer period or a shorter time range.",
		},
		{`{"metrics":[["n"]]}`, "", `The parameter MetricWidget is invalid, there are 1 validation errors:
[
  {
    "dataPath": "/metrics/0",
    "message": "Should NOT have less than 2 items"
  }
]`},
	} {
		in := &cw.GetMetricWidgetImageInput{MetricWidget: &tc.widget}
		if tc.format != "" {
			in.OutputFormat = &tc.format
		}
		_, err := f.GetMetricWidgetImage(t.Context(), in)
		wantError(t, err, "ValidationError", tc.message)
	}
	d.edit = func(_ *cw.GetMetricDataInput, out *cw.GetMetricDataOutput) {
		one := out.MetricDataResults[0]
		for range 500 {
			out.MetricDataResults = append(out.MetricDataResults, one)
		}
	}
	_, err := f.GetMetricWidgetImage(t.Context(), &cw.GetMetricWidgetImageInput{MetricWidget: new(`{"metrics":[[{"expression":"SEARCH('x','Sum')"}]]}`)})
	wantError(t, err, "ValidationError", "The parameter MetricWidget asks for 501 time series, more than the 500 that an image can show.")
}

// A client that speaks HTTP itself gets the picture, or its base64 in XML.
func TestImageOverHTTP(t *testing.T) {
	f, _ := newImageFixture(t)
	post := func(format string) (contentType string, body []byte) {
		form := url.Values{
			"Action": {"GetMetricWidgetImage"}, "Version": {"2010-08-01"}, "MetricWidget": {`{"metrics":[["n","m"]],"width":50,"height":40}`},
		}
		if format != "" {
			form.Set("OutputFormat", format)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.url, strings.NewReader(form.Encode()))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := f.http.Do(req)
		require.NoError(t, err)
		defer func() { assert.NoError(t, resp.Body.Close()) }()
		body, err = io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.Header.Get("Content-Type"), body
	}
	contentType, body := post("image/png")
	assert.Equal(t, "image/png", contentType)
	assert.Equal(t, image.Rect(0, 0, 50, 40), f.decode("raw", body).Bounds())
	contentType, body = post("")
	assert.Equal(t, "text/xml", contentType)
	var answer struct {
		Image string `xml:"GetMetricWidgetImageResult>MetricWidgetImage"`
	}
	require.NoError(t, xml.Unmarshal(body, &answer))
	raw, err := base64.StdEncoding.DecodeString(answer.Image)
	require.NoError(t, err)
	assert.True(t, bytes.HasPrefix(raw, []byte("\x89PNG\r\n\x1a\n")))
}

func BenchmarkImage(b *testing.B) {
	d := &fakeData{}
	s, err := New(b.Context(), Settings{GetMetricData: d.get, Now: func() time.Time { return testNow }})
	require.NoError(b, err)
	ctx := awswire.WithRequest(b.Context(), &awswire.Request{Account: testAccount, Region: "us-east-1"})
	rows := make([]string, 10)
	for i := range rows {
		rows[i] = fmt.Sprintf(`["n","m","d","%d"]`, i)
	}
	widget := `{"period":60,"title":"T","metrics":[` + strings.Join(rows, ",") + `]}`
	b.ReportAllocs()
	for b.Loop() {
		d.asked = nil
		out, err := s.getMetricWidgetImage(ctx, &cw.GetMetricWidgetImageInput{MetricWidget: &widget})
		if err != nil || len(out.MetricWidgetImage) == 0 {
			b.Fatal(err)
		}
	}
}
