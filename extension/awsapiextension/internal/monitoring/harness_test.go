// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch/metricmemory"
)

var testTenant = store.Tenant{Account: "123456789012", Region: "eu-west-1"}

// memoryStore keeps metrics in memory.
type memoryStore struct{ *metricmemory.Memory }

func (s *memoryStore) WriteMetrics(_ context.Context, t store.Tenant, data []cloudwatch.Datum) error {
	return s.Add(t, data)
}

// put adds data of the test's tenant.
func (s *memoryStore) put(data ...cloudwatch.Datum) {
	if err := s.Add(testTenant, data); err != nil {
		panic(err)
	}
}

// add puts values of successive minutes from a time on.
func (s *memoryStore) add(namespace, name string, from time.Time, dims []string, values ...float64) {
	m := cloudwatch.Metric{Namespace: namespace, Name: name}
	for i := 0; i < len(dims); i += 2 {
		m.Dimensions = append(m.Dimensions, cloudwatch.Dimension{Name: dims[i], Value: dims[i+1]})
	}
	for i, v := range values {
		s.put(cloudwatch.Datum{
			Metric: m, TimestampMs: from.Add(time.Duration(i) * time.Minute).UnixMilli(), StorageResolution: 60, Unit: "None", Value: v,
		})
	}
}

// endpoint serves the operations over HTTP to a client of the SDK.
type endpoint struct {
	*cw.Client
	t     testing.TB
	store *memoryStore
	now   time.Time
}

func newEndpoint(tb testing.TB, state storage.Client) *endpoint {
	tb.Helper()
	e := &endpoint{t: tb, store: &memoryStore{metricmemory.New(0)}, now: testNow}
	set := Settings{
		Store: e.store, Now: func() time.Time { return e.now },
		Consume: func(context.Context, pmetric.Metrics) error { return nil },
	}
	if state != nil {
		var err error
		set.Detectors, err = OpenDetectors(tb.Context(), state)
		require.NoError(tb, err)
	}
	mux, err := awswire.NewMux(awswire.MuxSettings{Services: []*awswire.Service{New(set)}})
	require.NoError(tb, err)
	server := httptest.NewServer(mux)
	tb.Cleanup(server.Close)
	e.Client = clientOf(tb, server.URL)
	return e
}

// clientOf is a client that tries once.
func clientOf(tb testing.TB, url string) *cw.Client {
	tb.Helper()
	client := &http.Client{Transport: wholeBodies{&http.Transport{}}}
	tb.Cleanup(client.CloseIdleConnections)
	return cw.NewFromConfig(aws.Config{
		Region: testTenant.Region, BaseEndpoint: &url, HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider(testTenant.Account, "secret", ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	})
}

// wholeBodies sends a copy of each request's body. The SDK may close the body that it made as soon as the answer begins,
// and a transport that still looks for its end then drops the connection.
type wholeBodies struct{ *http.Transport }

func (w wholeBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return w.Transport.RoundTrip(r)
}

// get asks for the minutes before now, oldest first.
func (e *endpoint) get(minutes int, queries ...types.MetricDataQuery) *cw.GetMetricDataOutput {
	e.t.Helper()
	start := e.now.Add(-time.Duration(minutes) * time.Minute)
	out, err := e.GetMetricData(e.t.Context(), &cw.GetMetricDataInput{
		StartTime: &start, EndTime: &e.now, MetricDataQueries: queries, ScanBy: types.ScanByTimestampAscending,
	})
	require.NoError(e.t, err)
	return out
}

// rows are "id label: values", with the minute before now of the first value.
func (e *endpoint) rows(out *cw.GetMetricDataOutput) (list []string) {
	for _, r := range out.MetricDataResults {
		var b strings.Builder
		b.WriteString(*r.Id + " " + *r.Label + ":")
		for i, v := range r.Values {
			if i == 0 {
				fmt.Fprintf(&b, " @%d", int(r.Timestamps[i].Sub(e.now)/time.Minute))
			}
			fmt.Fprintf(&b, " %.4g", v)
		}
		list = append(list, b.String())
	}
	return list
}

func expr(id, text string, period int32, label string) types.MetricDataQuery {
	q := types.MetricDataQuery{Id: &id, Expression: &text}
	if period > 0 {
		q.Period = &period
	}
	if label != "" {
		q.Label = &label
	}
	return q
}

func statQuery(id, namespace, name, stat string, period int32, dims ...string) types.MetricDataQuery {
	m := &types.Metric{Namespace: &namespace, MetricName: &name}
	for i := 0; i < len(dims); i += 2 {
		m.Dimensions = append(m.Dimensions, types.Dimension{Name: &dims[i], Value: &dims[i+1]})
	}
	return types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{Metric: m, Period: &period, Stat: &stat}}
}

func hidden(q types.MetricDataQuery) types.MetricDataQuery {
	q.ReturnData = aws.Bool(false)
	return q
}

func labelled(q types.MetricDataQuery, label string) types.MetricDataQuery {
	q.Label = &label
	return q
}

func requireCode(t *testing.T, err error, code, message string) {
	t.Helper()
	var e smithy.APIError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, code, e.ErrorCode())
	assert.Equal(t, message, e.ErrorMessage())
}

func messageCodes(list []types.MessageData) (codes []string) {
	for _, m := range list {
		codes = append(codes, *m.Code)
	}
	return codes
}
