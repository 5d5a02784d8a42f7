// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go/encoding/json"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// fullStore answers every query with a bucket in every slot, made once: what is measured is what is done with them.
type fullStore struct {
	store.MetricStore
	made map[window][]store.Bucket
}

type window struct {
	start, end, period int64
	distribution       bool
}

func (s *fullStore) QueryMetrics(_ context.Context, queries []store.MetricQuery) ([][]store.Bucket, error) {
	out := make([][]store.Bucket, len(queries))
	for i := range queries {
		q := &queries[i]
		key := window{q.Start, q.End, q.Period, q.Distribution}
		if s.made[key] == nil {
			for at := q.Start; at < q.End; at += q.Period {
				v := float64(at%977) / 7
				b := store.Bucket{Start: at, Unit: "None", StatisticSet: cloudwatch.StatisticSet{SampleCount: 2, Sum: 2 * v, Minimum: v, Maximum: v}}
				if q.Distribution {
					b.Distribution = new(cloudwatch.Distribution)
					b.Distribution.Add(v, 2)
				}
				s.made[key] = append(s.made[key], b)
			}
		}
		out[i] = s.made[key]
	}
	return out, nil
}

func dayOf500() *cw.GetMetricDataInput {
	start, end := testNow.Add(-24*time.Hour), testNow
	in := &cw.GetMetricDataInput{StartTime: &start, EndTime: &end}
	for i := range 500 {
		in.MetricDataQueries = append(in.MetricDataQueries,
			statQuery("q"+strconv.Itoa(i), "AWS/EC2", "CPUUtilization", "Average", 60, "InstanceId", "i-"+strconv.Itoa(i), "Zone", "z"+strconv.Itoa(i%3)))
	}
	return in
}

// BenchmarkGetMetricData answers 500 queries for a day of minutes, which are eight pages: 720,000 data points.
func BenchmarkGetMetricData(b *testing.B) {
	s := &service{store: &fullStore{made: map[window][]store.Bucket{}}, now: func() time.Time { return testNow }}
	ctx, _ := testContext(b)
	run := func(b *testing.B, in *cw.GetMetricDataInput, want int) {
		b.Helper()
		b.ReportAllocs()
		for b.Loop() {
			points := 0
			in.NextToken = nil
			for {
				out, err := s.getMetricData(ctx, in)
				if err != nil {
					b.Fatal(err)
				}
				for i := range out.MetricDataResults {
					points += len(out.MetricDataResults[i].Values)
				}
				if in.NextToken = out.NextToken; in.NextToken == nil {
					break
				}
			}
			if points != want {
				b.Fatal(points)
			}
		}
	}
	b.Run("all pages", func(b *testing.B) { run(b, dayOf500(), 500*1440) })
	b.Run("five minutes", func(b *testing.B) {
		in := dayOf500()
		for i := range in.MetricDataQueries {
			in.MetricDataQueries[i].MetricStat.Period = aws.Int32(900)
		}
		run(b, in, 500*96)
	})
	b.Run("math", func(b *testing.B) {
		in := dayOf500()
		in.MetricDataQueries = append(in.MetricDataQueries[:69], expr("e1", "SUM(METRICS())", 0, ""))
		run(b, in, 70*1440)
	})
	b.Run("p99", func(b *testing.B) {
		in := dayOf500()
		in.MetricDataQueries = in.MetricDataQueries[:1]
		in.MetricDataQueries[0].MetricStat.Stat = aws.String("p99")
		run(b, in, 1440)
	})
}

// BenchmarkGetMetricDataWire answers all pages of the same request over the wire, in each protocol.
func BenchmarkGetMetricDataWire(b *testing.B) {
	w := New(Settings{Store: &fullStore{made: map[window][]store.Bucket{}}, Now: func() time.Time { return testNow }})
	mux, err := awswire.NewMux(awswire.MuxSettings{Services: []*awswire.Service{w}})
	require.NoError(b, err)
	for _, protocol := range []string{"json", "cbor", "query"} {
		b.Run(protocol, func(b *testing.B) {
			requests := recordPages(b, mux, protocol)
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				size = 0
				for _, request := range requests {
					r := httptest.NewRequest(http.MethodPost, request.path, bytes.NewReader(request.body))
					r.Header = request.header
					out := discard{header: http.Header{}}
					mux.ServeHTTP(&out, r)
					if size += out.size; out.status > 200 {
						b.Fatal(out.status)
					}
				}
			}
			b.ReportMetric(float64(size)/1e6, "MB")
			b.ReportMetric(float64(len(requests)), "pages")
		})
	}
}

type recorded struct {
	path   string
	header http.Header
	body   []byte
}

type discard struct {
	header       http.Header
	size, status int
}

func (d *discard) Header() http.Header  { return d.header }
func (d *discard) WriteHeader(code int) { d.status = code }
func (d *discard) Write(p []byte) (int, error) {
	d.size += len(p)
	return len(p), nil
}

// recordPages are the requests of all pages as a client of the protocol sends them.
func recordPages(b *testing.B, mux http.Handler, protocol string) (list []recorded) {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		list = append(list, recorded{path: r.URL.Path, header: r.Header.Clone(), body: body})
		r.Body = io.NopCloser(bytes.NewReader(body))
		mux.ServeHTTP(w, r)
	}))
	defer server.Close()
	if protocol == "cbor" {
		pages := cw.NewGetMetricDataPaginator(clientOf(b, server.URL), dayOf500())
		for pages.HasMorePages() {
			_, err := pages.NextPage(b.Context())
			require.NoError(b, err)
		}
		return list
	}
	in := dayOf500()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for token := ""; ; {
		body, header := requestText(in, protocol, token)
		r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.URL+"/", strings.NewReader(body))
		require.NoError(b, err)
		r.Header = header
		resp, err := client.Do(r)
		require.NoError(b, err)
		answer, err := io.ReadAll(resp.Body)
		require.NoError(b, err)
		require.NoError(b, resp.Body.Close())
		require.Equal(b, http.StatusOK, resp.StatusCode, string(answer[:min(len(answer), 500)]))
		if token = nextToken(string(answer)); token == "" {
			return list
		}
	}
}

// nextToken finds the token, whose characters need no escape in either protocol.
func nextToken(answer string) string {
	for _, around := range [][2]string{{`"NextToken":"`, `"`}, {"<NextToken>", "</NextToken>"}} {
		if _, rest, found := strings.Cut(answer, around[0]); found {
			token, _, _ := strings.Cut(rest, around[1])
			return token
		}
	}
	return ""
}

func requestText(in *cw.GetMetricDataInput, protocol, token string) (string, http.Header) {
	header := http.Header{
		"Authorization": {"AWS4-HMAC-SHA256 Credential=123456789012/20261122/eu-west-1/monitoring/aws4_request, SignedHeaders=host, Signature=x"},
	}
	if protocol == "query" {
		header.Set("Content-Type", "application/x-www-form-urlencoded")
		var b strings.Builder
		b.WriteString("Action=GetMetricData&Version=2010-08-01&StartTime=" + in.StartTime.Format(time.RFC3339) + "&EndTime=" + in.EndTime.Format(time.RFC3339))
		if token != "" {
			b.WriteString("&NextToken=" + token)
		}
		for i := range in.MetricDataQueries {
			q := &in.MetricDataQueries[i]
			p := "&MetricDataQueries.member." + strconv.Itoa(i+1) + "."
			b.WriteString(p + "Id=" + *q.Id + p + "MetricStat.Period=60" + p + "MetricStat.Stat=Average" + p + "MetricStat.Metric.Namespace=AWS/EC2" +
				p + "MetricStat.Metric.MetricName=CPUUtilization")
			for j, d := range q.MetricStat.Metric.Dimensions {
				d0 := p + "MetricStat.Metric.Dimensions.member." + strconv.Itoa(j+1) + "."
				b.WriteString(d0 + "Name=" + *d.Name + d0 + "Value=" + *d.Value)
			}
		}
		return b.String(), header
	}
	header.Set("Content-Type", "application/x-amz-json-1.0")
	header.Set("X-Amz-Target", "GraniteServiceVersion20100801.GetMetricData")
	e := json.NewEncoder()
	o := e.Object()
	o.Key("StartTime").Long(in.StartTime.Unix())
	o.Key("EndTime").Long(in.EndTime.Unix())
	if token != "" {
		o.Key("NextToken").String(token)
	}
	list := o.Key("MetricDataQueries").Array()
	for i := range in.MetricDataQueries {
		writeQuery(list.Value().Object(), &in.MetricDataQueries[i])
	}
	list.Close()
	o.Close()
	return e.String(), header
}

func writeQuery(o *json.Object, q *types.MetricDataQuery) {
	o.Key("Id").String(*q.Id)
	stat := o.Key("MetricStat").Object()
	stat.Key("Period").Integer(*q.MetricStat.Period)
	stat.Key("Stat").String(*q.MetricStat.Stat)
	m := stat.Key("Metric").Object()
	m.Key("Namespace").String(*q.MetricStat.Metric.Namespace)
	m.Key("MetricName").String(*q.MetricStat.Metric.MetricName)
	dims := m.Key("Dimensions").Array()
	for _, d := range q.MetricStat.Metric.Dimensions {
		one := dims.Value().Object()
		one.Key("Name").String(*d.Name)
		one.Key("Value").String(*d.Value)
		one.Close()
	}
	dims.Close()
	m.Close()
	stat.Close()
	o.Close()
}
