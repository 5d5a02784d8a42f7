// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricsinsights

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch/metricmemory"
)

const (
	testNow   = 1_800_000_000 // a whole minute
	testStart = testNow - 600
)

var testTenant = cloudwatch.Tenant{Account: "123456789012", Region: "eu-west-1"}

func metric(name string, pairs ...string) cloudwatch.Metric {
	m := cloudwatch.Metric{Namespace: "ns", Name: name}
	for i := 0; i < len(pairs); i += 2 {
		m.Dimensions = append(m.Dimensions, cloudwatch.Dimension{Name: pairs[i], Value: pairs[i+1]})
	}
	return m
}

func add(r *metricmemory.Memory, m cloudwatch.Metric, minute int64, values ...float64) {
	for _, v := range values {
		err := r.Add(testTenant, []cloudwatch.Datum{{
			Metric: m, TimestampMs: (testStart + 60*minute) * 1000, StorageResolution: 60, Unit: "None", Value: v,
		}})
		if err != nil {
			panic(err)
		}
	}
}

// rows are "label: minute=value …".
func rows(r *Result) (list []string) {
	for i := range r.Groups {
		g := &r.Groups[i]
		var b strings.Builder
		b.WriteString(g.Label + ":")
		for j, v := range g.Values {
			fmt.Fprintf(&b, " %d=%s", (g.Timestamps[j]-testStart)/60, strconv.FormatFloat(v, 'g', 5, 64))
		}
		list = append(list, b.String())
	}
	return list
}

func request() Request {
	return Request{Tenant: testTenant, Start: testStart, End: testNow, Period: 60, Now: testNow}
}

func answer(t *testing.T, reader cloudwatch.MetricReader, text string, change ...func(*Request)) *Result {
	t.Helper()
	q, err := Parse(text)
	require.NoError(t, err)
	req := request()
	for _, f := range change {
		f(&req)
	}
	result, err := q.Run(t.Context(), reader, req)
	require.NoError(t, err)
	return result
}

func shopReader() *metricmemory.Memory {
	r := metricmemory.New(0)
	add(r, metric("lat", "host", "a"), 0, 1, 3)
	add(r, metric("lat", "host", "a"), 1, 5)
	add(r, metric("lat", "host", "b"), 0, 8)
	add(r, metric("lat", "host", "b", "az", "x"), 0, 20)
	add(r, metric("lat", "host", "b", "az", "y"), 2, 40)
	add(r, metric("lat"), 0, 100)
	add(r, metric("other", "host", "a"), 0, 7)
	other := []cloudwatch.Datum{{Metric: metric("lat", "host", "a"), TimestampMs: testStart * 1000, StorageResolution: 60, Value: 1e6}}
	if err := r.Add(cloudwatch.Tenant{Account: "999999999999", Region: "eu-west-1"}, other); err != nil {
		panic(err)
	}
	return r
}

func TestRun(t *testing.T) {
	r := shopReader()
	f := func(text string, want ...string) {
		t.Helper()
		result := answer(t, r, text)
		assert.Equal(t, want, rows(result), text)
		assert.False(t, result.Partial())
	}
	// Samples count with their weights: (1+3+8+20+100)/5, not a mean of means.
	f(`SELECT AVG(lat) FROM ns`, ": 0=26.4 1=5 2=40")
	f(`SELECT SUM(lat) FROM ns`, ": 0=132 1=5 2=40")
	f(`SELECT COUNT(lat) FROM ns`, ": 0=5 1=1 2=1")
	f(`SELECT MIN(lat) FROM ns`, ": 0=1 1=5 2=40")
	f(`SELECT MAX(lat) FROM ns`, ": 0=100 1=5 2=40")

	f(`SELECT SUM(lat) FROM SCHEMA(ns)`, ": 0=100")
	f(`SELECT SUM(lat) FROM SCHEMA(ns, host)`, ": 0=12 1=5")
	f(`SELECT SUM(lat) FROM SCHEMA(ns, az, host)`, ": 0=20 2=40")
	f(`SELECT SUM(lat) FROM SCHEMA(ns, az)`, ":")

	f(`SELECT SUM(lat) FROM ns WHERE host = 'b'`, ": 0=28 2=40")
	f(`SELECT SUM(lat) FROM ns WHERE host = 'b' AND az = 'y'`, ": 2=40")
	// != is also true of metrics without the dimension.
	f(`SELECT SUM(lat) FROM ns WHERE host != 'b'`, ": 0=104 1=5")
	f(`SELECT SUM(lat) FROM ns WHERE az != 'x'`, ": 0=112 1=5 2=40")
	f(`SELECT SUM(lat) FROM ns WHERE host = 'B'`, ":")
	f(`SELECT SUM(lat) FROM ns WHERE AWS.AccountId = '123456789012'`, ": 0=132 1=5 2=40")
	f(`SELECT SUM(lat) FROM ns WHERE AWS.AccountId = CURRENT_ACCOUNT_ID()`, ": 0=132 1=5 2=40")
	f(`SELECT SUM(lat) FROM ns WHERE AWS.AccountId != CURRENT_ACCOUNT_ID()`, ":")
	f(`SELECT SUM(lat) FROM ns WHERE AWS.AccountId = '999999999999'`, ":")

	f(`SELECT SUM(lat) FROM ns GROUP BY host`, "Other: 0=100", "a: 0=4 1=5", "b: 0=28 2=40")
	f(`SELECT SUM(lat) FROM ns GROUP BY host, az`, "Other Other: 0=100", "a Other: 0=4 1=5", "b Other: 0=8", "b x: 0=20", "b y: 2=40")
	f(`SELECT SUM(lat) FROM ns GROUP BY AWS.AccountId`, "123456789012: 0=132 1=5 2=40")
	f(`SELECT SUM(lat) FROM ns GROUP BY host ORDER BY SUM()`, "a: 0=4 1=5", "b: 0=28 2=40", "Other: 0=100")
	f(`SELECT SUM(lat) FROM ns GROUP BY host ORDER BY MAX() DESC`, "Other: 0=100", "b: 0=28 2=40", "a: 0=4 1=5")
	f(`SELECT SUM(lat) FROM ns GROUP BY host ORDER BY MIN() ASC LIMIT 1`, "a: 0=4 1=5")
	f(`SELECT SUM(lat) FROM ns GROUP BY host ORDER BY AVG() DESC LIMIT 2`, "Other: 0=100", "b: 0=28 2=40")
	// Equal ranks are in order of their labels.
	f(`SELECT SUM(lat) FROM ns GROUP BY host ORDER BY COUNT() DESC`, "a: 0=4 1=5", "b: 0=28 2=40", "Other: 0=100")
	f(`SELECT SUM(lat) FROM ns GROUP BY host LIMIT 2`, "Other: 0=100", "a: 0=4 1=5")
	f(`SELECT SUM(nosuch) FROM ns`, ":")
	assert.Empty(t, answer(t, r, `SELECT SUM(nosuch) FROM ns GROUP BY host`).Groups)

	g := answer(t, r, `SELECT SUM(lat) FROM ns WHERE az = 'x' GROUP BY az, host`).Groups[0]
	assert.Equal(t, []cloudwatch.Dimension{{Name: "az", Value: "x"}, {Name: "host", Value: "b"}}, g.Attributes)
}

// TestStatisticSet is a case that was verified against CloudWatch: one statistic set, grouped by a dimension that the
// condition does not name.
func TestStatisticSet(t *testing.T) {
	r := metricmemory.New(0)
	require.NoError(t, r.Add(testTenant, []cloudwatch.Datum{{
		Metric:      metric("ApiResponse", "Audience", "customers", "Path", "/my/path"),
		TimestampMs: testStart * 1000, StorageResolution: 60,
		Statistics: &cloudwatch.StatisticSet{SampleCount: 10, Sum: 10, Minimum: 0, Maximum: 10},
	}}))
	assert.Equal(t, []string{"customers: 0=10"}, rows(answer(t, r, `SELECT SUM(ApiResponse) FROM "ns" WHERE Path = '/my/path' GROUP BY Audience`)))
}

func TestRunWindow(t *testing.T) {
	r := metricmemory.New(0)
	for i := range int64(10) {
		add(r, metric("m"), i, 1)
	}
	seconds := func(start, end, period int64) func(*Request) {
		return func(req *Request) { req.Start, req.End, req.Period = start, end, period }
	}
	const text = `SELECT SUM(m) FROM ns`
	assert.Equal(t, []string{": 1=1 2=1"}, rows(answer(t, r, text, seconds(testStart+119, testStart+239, 60))), "floored to minutes")
	assert.Equal(t, []string{": 0=1 1=1"}, rows(answer(t, r, text, seconds(testStart+5, testStart+120, 1))), "a minute at least")
	assert.Equal(t, []string{": 1=5 6=4"}, rows(answer(t, r, text, seconds(testStart+60, testNow, 300))), "anchored at the start")
	assert.Equal(t, []string{": 0=5 5=2"}, rows(answer(t, r, text, seconds(testStart, testStart+420, 300))), "the last one ends with the window")
	assert.Equal(t, []string{":"}, rows(answer(t, r, text, seconds(testStart+60, testStart+60, 60))))

	// However far the window reaches into the future, a run has memory for buckets that can have data only.
	far := answer(t, r, text, seconds(testStart+480, 1<<40, 60))
	assert.Equal(t, []string{": 8=1 9=1"}, rows(far))
	assert.Equal(t, int64(testNow+7260), far.End)

	const day = 86400
	older := answer(t, r, text, seconds(testNow-64*day-7, testNow, 3600))
	assert.Zero(t, older.Start%3600, "where functions of metric math have their buckets, too")
	old := answer(t, r, text, seconds(testNow-20*day-7, testNow, day))
	assert.True(t, old.Shortened)
	assert.False(t, old.Partial())
	assert.Equal(t, int64(testNow-14*day+day-300), old.Start)
	assert.Equal(t, int64(day), old.Period)
}

func TestRunLimits(t *testing.T) {
	r := metricmemory.New(0)
	for i := range 600 {
		add(r, metric("m", "i", fmt.Sprintf("%03d", i)), int64(i%10), float64(i))
	}
	const grouped = `SELECT SUM(m) FROM ns GROUP BY i`
	result := answer(t, r, grouped)
	assert.Len(t, result.Groups, MaxSeries)
	assert.True(t, result.SeriesExceeded)
	assert.Equal(t, "000", result.Groups[0].Label)
	result = answer(t, r, grouped+" ORDER BY MAX() DESC")
	assert.Len(t, result.Groups, MaxSeries)
	assert.True(t, result.SeriesExceeded)
	assert.Equal(t, "599", result.Groups[0].Label)
	assert.Equal(t, "100", result.Groups[499].Label)
	assert.False(t, answer(t, r, grouped+" LIMIT 500").Partial())
	assert.False(t, answer(t, r, grouped+" ORDER BY MAX() LIMIT 3").Partial())
	assert.False(t, answer(t, r, `SELECT SUM(m) FROM ns WHERE i != '000' GROUP BY AWS.AccountId`).Partial())

	result = answer(t, r, `SELECT COUNT(m) FROM ns`, func(req *Request) { req.Limits.Metrics, req.Period = 100, 600 })
	assert.True(t, result.MetricsExceeded)
	assert.True(t, result.Partial())
	assert.Equal(t, []string{": 0=100"}, rows(result))
	result = answer(t, r, `SELECT COUNT(m) FROM ns`, func(req *Request) { req.Limits.Metrics, req.Period = 600, 600 })
	assert.False(t, result.MetricsExceeded)

	q, err := Parse(grouped)
	require.NoError(t, err)
	req := request()
	req.Limits.Points = 100
	_, err = q.Run(t.Context(), r, req)
	require.ErrorIs(t, err, ErrTooManyPoints)
}

// TestRunListed bounds what is looked at, not only what matches.
func TestRunListed(t *testing.T) {
	r := metricmemory.New(0)
	for i := range 2 * listPage {
		add(r, metric("m", "i", strconv.Itoa(i)), 0, 1)
	}
	result := answer(t, r, `SELECT COUNT(m) FROM ns WHERE i != '0'`, func(req *Request) { req.Limits.Metrics, req.Limits.Listed = 1e9, listPage })
	assert.True(t, result.MetricsExceeded)
	assert.Equal(t, []string{": 0=9999"}, rows(result))
	result = answer(t, r, `SELECT COUNT(m) FROM ns WHERE i != '0'`)
	assert.True(t, result.MetricsExceeded)
	assert.Equal(t, []string{": 0=10000"}, rows(result))
}

// TestRunInParts compares a window of many buckets, which is read in many calls, with its parts.
func TestRunInParts(t *testing.T) {
	r := metricmemory.New(0)
	counting := &countingReader{MetricReader: r}
	for i := range 100 {
		for minute := range int64(10) {
			add(r, metric("m", "group", strconv.Itoa(i%7), "i", strconv.Itoa(i)), minute, float64(i))
		}
	}
	wide := answer(t, counting, `SELECT SUM(m) FROM ns GROUP BY "group"`, func(req *Request) { req.Start = testNow - 13*86400 })
	assert.Greater(t, counting.calls, 10)
	assert.Equal(t, rows(answer(t, r, `SELECT SUM(m) FROM ns GROUP BY "group"`)), rows(wide))
}

type countingReader struct {
	cloudwatch.MetricReader
	calls int
}

func (r *countingReader) QueryMetrics(ctx context.Context, queries []cloudwatch.MetricQuery) ([][]cloudwatch.Bucket, error) {
	r.calls++
	return r.MetricReader.QueryMetrics(ctx, queries)
}

var errBroken = errors.New("broken")

type brokenReader struct{ list, query error }

func (r brokenReader) ListMetrics(context.Context, cloudwatch.MetricFilter, *cloudwatch.Metric, int) ([]cloudwatch.Metric, error) {
	return []cloudwatch.Metric{metric("m")}, r.list
}

func (r brokenReader) QueryMetrics(context.Context, []cloudwatch.MetricQuery) ([][]cloudwatch.Bucket, error) {
	return nil, r.query
}

func TestRunErrors(t *testing.T) {
	q, err := Parse(`SELECT SUM(m) FROM ns`)
	require.NoError(t, err)
	_, err = q.Run(t.Context(), brokenReader{list: errBroken}, request())
	require.ErrorIs(t, err, errBroken)
	_, err = q.Run(t.Context(), brokenReader{query: errBroken}, request())
	require.ErrorIs(t, err, errBroken)
}

// BenchmarkRun runs over 10,000 metrics with an hour of minutes each.
func BenchmarkRun(b *testing.B) {
	r := metricmemory.New(0)
	for i := range MaxMetrics {
		m := metric("m", "host", "h"+strconv.Itoa(i), "az", "z"+strconv.Itoa(i%50))
		for minute := range int64(60) {
			require.NoError(b, r.Add(testTenant, []cloudwatch.Datum{{
				Metric: m, TimestampMs: (testNow - 3600 + 60*minute) * 1000, StorageResolution: 60, Value: float64(i),
			}}))
		}
	}
	for _, text := range []string{
		`SELECT AVG(m) FROM ns`, `SELECT AVG(m) FROM SCHEMA(ns, host, az) GROUP BY az ORDER BY MAX() DESC LIMIT 10`,
		`SELECT AVG(m) FROM ns GROUP BY host ORDER BY MAX() DESC LIMIT 10`, `SELECT AVG(m) FROM ns WHERE az != 'z7' GROUP BY host LIMIT 10`,
	} {
		b.Run(text, func(b *testing.B) {
			q, err := Parse(text)
			require.NoError(b, err)
			req := Request{Tenant: testTenant, Start: testNow - 3600, End: testNow, Period: 60, Now: testNow}
			b.ReportAllocs()
			for b.Loop() {
				result, err := q.Run(b.Context(), r, req)
				if err != nil || len(result.Groups) == 0 || result.Partial() {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(`SELECT MAX(CPUUtilization) FROM SCHEMA("AWS/EC2", InstanceId) WHERE a = 'b' GROUP BY InstanceId ORDER BY MAX() DESC LIMIT 10`); err != nil {
			b.Fatal(err)
		}
	}
}
