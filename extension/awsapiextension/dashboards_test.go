// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"bytes"
	"image/png"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDashboards(t *testing.T) {
	c := startCollector(t, options{})
	client := cloudwatch.NewFromConfig(c.aws())
	out, err := client.PutDashboard(t.Context(), &cloudwatch.PutDashboardInput{
		DashboardName: new("d"), DashboardBody: new(`{"widgets":[],"start":"soon"}`), Tags: []types.Tag{{Key: new("team"), Value: new("shop")}},
	})
	require.NoError(t, err)
	assert.Len(t, out.DashboardValidationMessages, 1)
	got, err := client.GetDashboard(t.Context(), &cloudwatch.GetDashboardInput{DashboardName: new("d")})
	require.NoError(t, err)
	tags, err := client.ListTagsForResource(t.Context(), &cloudwatch.ListTagsForResourceInput{ResourceARN: got.DashboardArn})
	require.NoError(t, err)
	assert.Len(t, tags.Tags, 1)
	_, err = client.DeleteDashboards(t.Context(), &cloudwatch.DeleteDashboardsInput{DashboardNames: []string{"d"}})
	require.NoError(t, err)
	_, err = client.GetDashboard(t.Context(), &cloudwatch.GetDashboardInput{DashboardName: new("d")})
	assert.Equal(t, "Dashboard d does not exist", requireAPIError(t, err, "ResourceNotFound", 404))
}

// An image shows what was put.
func TestMetricWidgetImage(t *testing.T) {
	c := startCollector(t, options{})
	client := cloudwatch.NewFromConfig(c.aws())
	at := minuteAgo()
	for i := range 10 {
		when := at.Add(-time.Duration(i) * time.Minute)
		put(t, client, types.MetricDatum{MetricName: new("latency"), Timestamp: &when, Unit: "Milliseconds", Value: new(float64(i * i))})
	}
	out, err := client.GetMetricWidgetImage(t.Context(), &cloudwatch.GetMetricWidgetImageInput{
		MetricWidget: new(`{"metrics":[["shop","latency",{"id":"m1"}],[{"expression":"m1*2","label":"twice"}]],"period":60,"start":"-PT30M","width":400,"height":200}`),
	})
	require.NoError(t, err)
	img, err := png.Decode(bytes.NewReader(out.MetricWidgetImage))
	require.NoError(t, err)
	assert.Equal(t, 400, img.Bounds().Dx())
	blue, orange := 0, 0
	for y := range 200 {
		for x := range 400 {
			switch r, g, b, _ := img.At(x, y).RGBA(); {
			case r>>8 == 0x1f && g>>8 == 0x77 && b>>8 == 0xb4:
				blue++
			case r>>8 == 0xff && g>>8 == 0x7f && b>>8 == 0x0e:
				orange++
			}
		}
	}
	assert.Greater(t, blue, 120, "more than the square of the legend")
	assert.Greater(t, orange, 120)

	_, err = client.GetMetricWidgetImage(t.Context(), &cloudwatch.GetMetricWidgetImageInput{
		MetricWidget: new(`{"metrics":[[{"expression":"m9"}]]}`),
	})
	assert.Contains(t, requireAPIError(t, err, "ValidationError", 400), "m9")
}

// Without storage there are no dashboards, and images still.
func TestImagesWithoutStorage(t *testing.T) {
	c := startCollector(t, options{configure: func(cfg *Config) { cfg.Storage = nil }})
	client := cloudwatch.NewFromConfig(c.aws())
	_, err := client.ListDashboards(t.Context(), &cloudwatch.ListDashboardsInput{})
	requireAPIError(t, err, "NotImplemented", 501)
	_, err = client.GetMetricWidgetImage(t.Context(), &cloudwatch.GetMetricWidgetImageInput{MetricWidget: new(`{"metrics":[["shop","x"]]}`)})
	require.NoError(t, err)
}
