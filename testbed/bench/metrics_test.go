//go:build bench

// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"

	"github.com/nephoscope/nephoscope/testbed/collector"
)

var seriesPlot = flag.String("series-plot", "", "file to draw the cost by number of series into")

// seriesCost is what a number of series cost.
type seriesCost struct {
	series                       int
	write                        float64 // points/s
	peak, anonymous              int64   // resident bytes
	day500, page500, p99, search time.Duration
}

// TestMetricSeries writes one-minute data of more and more series, one point each minute, and reads them back: 500 metrics over the whole
// time, the p99 of one, and a SEARCH over all names.
func TestMetricSeries(t *testing.T) {
	var costs []seriesCost
	for _, n := range []struct{ series, minutes int }{{1_000, 1440}, {10_000, 1440}, {100_000, 144}} {
		t.Run(strconv.Itoa(n.series), func(t *testing.T) { costs = append(costs, measureSeries(t, n.series, n.minutes)) })
	}
	if *seriesPlot != "" && !t.Failed() {
		drawSeries(t, costs, *seriesPlot)
	}
}

func measureSeries(t *testing.T, series, minutes int) seriesCost {
	t.Helper()
	const perBody, workers = 1000, 4
	c := start(t)
	cost := seriesCost{series: series}
	from := time.Now().UTC().Truncate(24 * time.Hour).Add(-24 * time.Hour)
	bodies := make([][]byte, series/perBody)
	var header http.Header
	var path string
	begin := time.Now()
	for minute := range minutes {
		at := from.Add(time.Duration(minute) * time.Minute)
		for b := range bodies {
			data := make([]cwtypes.MetricDatum, perBody)
			for i := range data {
				host := b*perBody + i
				data[i] = cwtypes.MetricDatum{
					MetricName: aws.String("latency"), Unit: cwtypes.StandardUnitMilliseconds, Timestamp: aws.Time(at),
					Value:      aws.Float64(float64((host*7+minute*13)%997) + 0.25),
					Dimensions: []cwtypes.Dimension{{Name: aws.String("host"), Value: aws.String(fmt.Sprintf("h%06d", host))}},
				}
			}
			header, path, bodies[b] = captured(t, c, func(ctx context.Context, client *cloudwatch.Client) error {
				_, err := client.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String("bench"), MetricData: data})
				return err
			})
		}
		next := make(chan []byte, len(bodies))
		for _, body := range bodies {
			next <- body
		}
		run(t, workers, len(bodies), func(ctx context.Context, client *http.Client, signer *v4.Signer, _ int) error {
			return signed(ctx, client, signer, c, "monitoring", header, path, <-next)
		})
		if total, anonymous := c.ResidentBytes(t); total > cost.peak {
			cost.peak, cost.anonymous = total, anonymous
		}
	}
	cost.write = float64(series*minutes) / time.Since(begin).Seconds()
	countSeries(t, c, series, minutes, from)

	queries := make([]cwtypes.MetricDataQuery, 500)
	for i := range queries {
		queries[i] = cwtypes.MetricDataQuery{Id: aws.String(fmt.Sprintf("q%d", i)), MetricStat: &cwtypes.MetricStat{
			Stat: aws.String("Average"), Period: aws.Int32(60), Metric: &cwtypes.Metric{
				Namespace: aws.String("bench"), MetricName: aws.String("latency"),
				Dimensions: []cwtypes.Dimension{{Name: aws.String("host"), Value: aws.String(fmt.Sprintf("h%06d", i*series/500))}},
			},
		}}
	}
	end := from.Add(time.Duration(minutes) * time.Minute)
	ask := func(token *string, q ...cwtypes.MetricDataQuery) *cloudwatch.GetMetricDataInput {
		return &cloudwatch.GetMetricDataInput{MetricDataQueries: q, StartTime: aws.Time(from), EndTime: aws.Time(end), NextToken: token}
	}
	cost.page500 = timed(t, c, ask(nil, queries...))
	// All pages: AWS gives at most 100,800 values in one.
	client := cloudwatch.NewFromConfig(c.AWSConfig())
	var tokens []*string
	values := 0
	for token := (*string)(nil); ; {
		out, err := client.GetMetricData(t.Context(), ask(token, queries...))
		require.NoError(t, err)
		tokens = append(tokens, token)
		for _, r := range out.MetricDataResults {
			values += len(r.Values)
		}
		if token = out.NextToken; token == nil {
			break
		}
	}
	require.Equal(t, 500*minutes, values)
	for _, token := range tokens {
		cost.day500 += timed(t, c, ask(token, queries...))
	}
	one := queries[250]
	one.MetricStat.Stat = aws.String("p99")
	cost.p99 = timed(t, c, ask(nil, one))
	cost.search = timed(t, c, ask(nil, cwtypes.MetricDataQuery{
		Id: aws.String("e"), Expression: aws.String(`SEARCH('{bench,host} h000001', 'Average', 300)`),
	}))
	report(t, fmt.Sprintf("%d series, %d minutes", series, minutes),
		"%.0f points/s with the generator | peak %d MB resident, %d MB of them anonymous | 500 queries: %.0f ms the page of 100,800 values, %.0f ms all %d pages | p99 of one %.1f ms | SEARCH for one %.1f ms",
		cost.write, cost.peak>>20, cost.anonymous>>20, ms(cost.page500), ms(cost.day500), len(tokens), ms(cost.p99), ms(cost.search))
	c.Stop(t)
	return cost
}

// countSeries checks that all that was sent is there.
func countSeries(t *testing.T, c *collector.Collector, series, minutes int, from time.Time) {
	t.Helper()
	client := cloudwatch.NewFromConfig(c.AWSConfig())
	out, err := client.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(from), EndTime: aws.Time(from.Add(24 * time.Hour)),
		MetricDataQueries: []cwtypes.MetricDataQuery{{
			Id: aws.String("q"), Expression: aws.String(`SELECT COUNT(latency) FROM SCHEMA(bench, host)`), Period: aws.Int32(86400),
		}},
	})
	require.NoError(t, err)
	if series <= 10_000 { // what one query of Metrics Insights looks at
		require.Len(t, out.MetricDataResults, 1)
		require.InDelta(t, series*minutes, out.MetricDataResults[0].Values[0], 0)
		return
	}
	total := 0.0
	for first := 0; first < series; first += 500 {
		queries := make([]cwtypes.MetricDataQuery, 500)
		for i := range queries {
			queries[i] = cwtypes.MetricDataQuery{Id: aws.String(fmt.Sprintf("q%d", i)), MetricStat: &cwtypes.MetricStat{
				Stat: aws.String("SampleCount"), Period: aws.Int32(86400), Metric: &cwtypes.Metric{
					Namespace: aws.String("bench"), MetricName: aws.String("latency"),
					Dimensions: []cwtypes.Dimension{{Name: aws.String("host"), Value: aws.String(fmt.Sprintf("h%06d", first+i))}},
				},
			}}
		}
		out, err := client.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
			MetricDataQueries: queries, StartTime: aws.Time(from), EndTime: aws.Time(from.Add(24 * time.Hour)),
		})
		require.NoError(t, err)
		for _, r := range out.MetricDataResults {
			for _, v := range r.Values {
				total += v
			}
		}
	}
	require.InDelta(t, series*minutes, total, 0)
}

// captured is what the SDK would send: headers, path and body.
func captured(t *testing.T, c *collector.Collector, call func(context.Context, *cloudwatch.Client) error) (header http.Header, path string, body []byte) {
	t.Helper()
	capture := middleware.FinalizeMiddlewareFunc("capture", func(_ context.Context, in middleware.FinalizeInput, _ middleware.FinalizeHandler) (out middleware.FinalizeOutput, m middleware.Metadata, err error) {
		req := in.Request.(*smithyhttp.Request)
		if body, err = io.ReadAll(req.GetStream()); err != nil {
			return out, m, err
		}
		header = http.Header{}
		for _, k := range []string{"Content-Type", "Smithy-Protocol", "Accept", "X-Amzn-Query-Mode"} {
			if v := req.Header.Values(k); v != nil {
				header[k] = v
			}
		}
		path = req.URL.Path
		return out, m, errCaptured
	})
	client := cloudwatch.NewFromConfig(c.AWSConfig(), func(o *cloudwatch.Options) {
		o.DisableRequestCompression = true
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error { return s.Finalize.Add(capture, middleware.Before) })
	})
	require.ErrorIs(t, call(t.Context(), client), errCaptured)
	return header, path, body
}

var errCaptured = errors.New("captured")

// timed is the median time until the whole answer is here, not decoded.
func timed(t *testing.T, c *collector.Collector, in *cloudwatch.GetMetricDataInput) time.Duration {
	t.Helper()
	header, path, body := captured(t, c, func(ctx context.Context, client *cloudwatch.Client) error {
		_, err := client.GetMetricData(ctx, in)
		return err
	})
	signer, client := v4.NewSigner(), &http.Client{}
	defer client.CloseIdleConnections()
	var all []time.Duration
	for range 5 {
		begin := time.Now()
		require.NoError(t, signed(t.Context(), client, signer, c, "monitoring", header, path, body))
		all = append(all, time.Since(begin))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// drawSeries draws times and memory by number of series.
func drawSeries(t *testing.T, costs []seriesCost, file string) {
	t.Helper()
	p := plot.New()
	p.Title.Text = "Cost by number of series"
	p.X.Label.Text, p.Y.Label.Text = "series", "ms, MB"
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.LogTicks{Prec: -1}, plot.LogTicks{Prec: -1}
	p.Legend.Top, p.Legend.Left = true, true
	var lines []any
	for _, l := range []struct {
		name string
		of   func(seriesCost) float64
	}{
		{"500 queries, a page of 100,800 values (ms)", func(c seriesCost) float64 { return ms(c.page500) }},
		{"p99 of one series (ms)", func(c seriesCost) float64 { return ms(c.p99) }},
		{"SEARCH for one (ms)", func(c seriesCost) float64 { return ms(c.search) }},
		{"peak resident (MB)", func(c seriesCost) float64 { return float64(c.peak) / (1 << 20) }},
	} {
		var xy plotter.XYs
		for _, c := range costs {
			xy = append(xy, plotter.XY{X: float64(c.series), Y: l.of(c)})
		}
		lines = append(lines, l.name, xy)
	}
	require.NoError(t, plotutil.AddLinePoints(p, lines...))
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
	require.NoError(t, p.Save(7*vg.Inch, 4*vg.Inch, file))
}
