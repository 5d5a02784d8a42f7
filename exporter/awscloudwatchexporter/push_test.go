// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awscloudwatchexporter

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func failing(err error) func(*api.PutMetricDataInput) error {
	return func(*api.PutMetricDataInput) error { return err }
}

func answer(status int, code, message string) error {
	return &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
		Err:      &smithy.GenericAPIError{Code: code, Message: message},
	}
}

func testData(n int, namespace string) []cloudwatch.Datum {
	data := make([]cloudwatch.Datum, n)
	for i := range data {
		data[i] = cloudwatch.Datum{
			Metric: cloudwatch.Metric{Namespace: namespace, Name: fmt.Sprint("m", i)}, TimestampMs: testStart * 1000,
			Unit: "Count", StorageResolution: 60, Value: float64(i),
		}
	}
	return data
}

func direct(c *Config) { c.AggregationInterval, c.InMemory = 0, false }

func TestPushSplits(t *testing.T) {
	t.Parallel()
	e := newTestExporter(t, testOptions{configure: direct})
	md := toMetrics(nil, append(testData(2500, "a"), testData(3, "b")...))
	require.NoError(t, e.push(t.Context(), md))
	sizes := map[string][]int{}
	for _, c := range e.fake.calls {
		sizes[*c.Namespace] = append(sizes[*c.Namespace], len(c.MetricData))
	}
	assert.ElementsMatch(t, []int{1000, 1000, 500}, sizes["a"])
	assert.Equal(t, []int{3}, sizes["b"])
	assert.Len(t, e.fake.data(), 2503)
}

// What a refusal names is given up, and all else is sent.
func TestPushDropsWhatIsNamed(t *testing.T) {
	t.Parallel()
	for name, message := range map[string]string{
		"query":    "The value NaN for parameter MetricData.member.%d.Value is invalid.",
		"model":    "1 validation error detected: Value '' at 'metricData.%d.member.metricName' failed to satisfy constraint",
		"no match": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newTestExporter(t, testOptions{configure: direct})
			e.fake.answer = func(in *api.PutMetricDataInput) error {
				for i := range in.MetricData {
					if n := *in.MetricData[i].MetricName; n == "m3" || n == "m7" {
						if message == "" {
							return answer(400, "InvalidParameterValue", "The parameter is invalid.")
						}
						return answer(400, "InvalidParameterValue", fmt.Sprintf(message, i+1))
					}
				}
				return nil
			}
			require.NoError(t, e.push(t.Context(), toMetrics(nil, testData(10, "n"))))
			rejected := e.counted(t, "otelcol_exporter_awscloudwatch_rejected_data")
			if message == "" {
				assert.Empty(t, e.fake.data())
				assert.Equal(t, map[string]int64{reasonRefused: 10}, rejected)
				return
			}
			assert.Len(t, e.fake.data(), 8)
			assert.Equal(t, map[string]int64{reasonRefused: 2}, rejected)
		})
	}
}

func TestPushRetriesWhatFailed(t *testing.T) {
	t.Parallel()
	e := newTestExporter(t, testOptions{configure: func(c *Config) { direct(c); c.AWS.NumWorkers = 1 }})
	e.fake.answer = func(in *api.PutMetricDataInput) error {
		if *in.Namespace == "b" {
			return answer(400, "Throttling", "Rate exceeded")
		}
		return nil
	}
	md := toMetrics(testData(2, "c"), append(testData(2, "a"), testData(1, "b")...))
	err := e.push(t.Context(), md)
	var partial consumererror.Metrics
	require.ErrorAs(t, err, &partial)
	assert.False(t, consumererror.IsPermanent(err))
	assert.Len(t, e.fake.data(), 4)
	e.fake.answer = nil
	require.NoError(t, e.push(t.Context(), partial.Data()))
	assert.Len(t, e.fake.data(), 5)
}

func TestPushHalvesWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	e := newTestExporter(t, testOptions{configure: direct})
	e.fake.answer = func(in *api.PutMetricDataInput) error {
		if len(in.MetricData) > 3 || *in.MetricData[0].MetricName == "m0" {
			return fmt.Errorf("serialize: %w", errBody)
		}
		return nil
	}
	require.NoError(t, e.push(t.Context(), toMetrics(nil, testData(20, "n"))))
	assert.NotEmpty(t, e.fake.data())
	lost := e.counted(t, "otelcol_exporter_awscloudwatch_rejected_data")[reasonTooLarge]
	assert.EqualValues(t, 20, lost+int64(len(e.fake.data())))
	assert.EqualValues(t, 1, lost)
}

func TestPushDropsWhatBecameTooOld(t *testing.T) {
	t.Parallel()
	e := newTestExporter(t, testOptions{configure: direct, at: testStart + 15*24*3600})
	require.NoError(t, e.push(t.Context(), toMetrics(nil, testData(2, "n"))))
	assert.Empty(t, e.fake.calls)
	assert.Equal(t, map[string]int64{reasonTooOld: 2}, e.counted(t, "otelcol_exporter_awscloudwatch_rejected_data"))
}

// Against a real client: the protocol, compression and the limit of the body.
func TestWire(t *testing.T) {
	t.Parallel()
	bodies := make(chan *http.Request, 10)
	server := newHTTPServer(t, func(w http.ResponseWriter, r *http.Request) {
		bodies <- r
		w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
		w.Header().Set("Content-Type", "application/cbor")
		_, _ = w.Write([]byte{0xbf, 0xff})
	})
	e := newTestExporter(t, testOptions{configure: func(c *Config) { direct(c); c.AWS.Endpoint = server }})
	e.client = e.newClient()
	require.NoError(t, e.push(t.Context(), toMetrics(nil, testData(1000, "n"))))
	r := <-bodies
	assert.Equal(t, "rpc-v2-cbor", r.Header.Get("Smithy-Protocol"))
	assert.Equal(t, "application/cbor", r.Header.Get("Content-Type"))
	assert.Equal(t, "gzip", r.Header.Get("Content-Encoding"))
	assert.True(t, strings.HasSuffix(r.URL.Path, "/operation/PutMetricData"))

	// Numbers that do not compress: more than a body may have.
	data := testData(1000, "n")
	for i := range data {
		for j := range maxValuesPerDatum {
			data[i].Values = append(data[i].Values, noise(i*maxValuesPerDatum+j))
			data[i].Counts = append(data[i].Counts, noise(j))
		}
	}
	require.NoError(t, e.push(t.Context(), toMetrics(nil, data)))
	var total, n int64
	for len(bodies) > 0 {
		r := <-bodies
		assert.LessOrEqual(t, r.ContentLength, int64(maxBody))
		total += r.ContentLength
		n++
	}
	assert.Greater(t, total, int64(maxBody))
	assert.Greater(t, n, int64(1))
}

func TestRoundTripOfTheQueue(t *testing.T) {
	t.Parallel()
	e := newTestExporter(t, testOptions{configure: direct})
	md := toMetrics(testData(2, "inc"), testData(3, "n"))
	raw, err := encode(md)
	require.NoError(t, err)
	back, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(raw)
	require.NoError(t, err)
	list, err := e.outgoing(t.Context(), back)
	require.NoError(t, err)
	require.Len(t, list, 5)
	assert.True(t, list[0].increase && list[1].increase && !list[2].increase)
	for i, want := range testData(2, "inc") {
		assert.Equal(t, want, list[i].Datum)
	}
}
