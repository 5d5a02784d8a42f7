// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/require"
)

var errCaptured = errors.New("captured")

// capture keeps the request that an SDK would send.
type capture struct {
	request *http.Request
	body    []byte
}

func (c *capture) Do(r *http.Request) (*http.Response, error) {
	c.request = r
	c.body, _ = io.ReadAll(r.Body)
	return nil, errCaptured
}

// BenchmarkPutMetricData sends requests of 1,000 data as the SDK makes them, from the HTTP handler to the commit.
func BenchmarkPutMetricData(b *testing.B) {
	for _, clients := range []int{1, 8} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			c := startCollector(b, options{})
			cfg := c.aws()
			sent := &capture{}
			cfg.HTTPClient = sent
			at := minuteAgo()
			in := &cloudwatch.PutMetricDataInput{Namespace: aws.String("shop")}
			for i := range 1000 {
				in.MetricData = append(in.MetricData, types.MetricDatum{
					MetricName: aws.String("latency"), Timestamp: &at, Unit: types.StandardUnitMilliseconds,
					Value: aws.Float64(float64(i) / 7), Dimensions: dimensions("service", "orders", "host", fmt.Sprintf("host-%d", i%100)),
				})
			}
			_, err := cloudwatch.NewFromConfig(cfg, func(o *cloudwatch.Options) { o.DisableRequestCompression = true }).
				PutMetricData(b.Context(), in)
			require.ErrorIs(b, err, errCaptured)
			handler := c.api.server.handler
			b.SetParallelism(clients)
			b.SetBytes(int64(len(sent.body)))
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r := sent.request.Clone(b.Context())
					r.Body, r.RequestURI = io.NopCloser(bytes.NewReader(sent.body)), r.URL.RequestURI()
					w := httptest.NewRecorder()
					handler.ServeHTTP(w, r)
					if w.Code != http.StatusOK {
						b.Error(w.Code, w.Body.String())
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "data/s")
		})
	}
}
