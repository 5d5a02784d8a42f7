// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfexporter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap/zaptest"

	"github.com/nephoscope/nephoscope/internal/logswriter"
	"github.com/nephoscope/nephoscope/pkg/emf"
)

// fakeLogs takes events, but those of the streams that fail.
type fakeLogs struct {
	logswriter.API
	fail map[string]error
	got  []string
}

func (f *fakeLogs) PutLogEvents(_ context.Context, in *api.PutLogEventsInput, _ ...func(*api.Options)) (*api.PutLogEventsOutput, error) {
	if err := f.fail[*in.LogStreamName]; err != nil {
		return nil, err
	}
	for _, e := range in.LogEvents {
		f.got = append(f.got, fmt.Sprint(*in.LogGroupName, " ", *in.LogStreamName, " ", *e.Timestamp, " ", *e.Message))
	}
	return &api.PutLogEventsOutput{}, nil
}

func TestPush(t *testing.T) {
	t.Parallel()
	throttled := &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: http.StatusBadRequest}},
		Err:      &types.ThrottlingException{Message: aws.String("Rate exceeded")},
	}
	invalid := &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: http.StatusBadRequest}}, Err: &types.InvalidParameterException{},
	}
	fake := &fakeLogs{fail: map[string]error{"busy": throttled, "bad": invalid}}
	e := newTestExporter(t, defaultTestConfig(), &logsSink{})
	e.writer = logswriter.New(logswriter.Settings{Client: fake, Logger: zaptest.NewLogger(t)})
	ld := toLogs([]document{
		{"g", "s", 2, "b"}, {"g", "busy", 1, "c"}, {"g", "s", 1, "a"}, {"g", "bad", 1, "d"}, {"g", "busy", 2, "e"},
	}, 2, testNow())
	err := e.push(t.Context(), ld)
	assert.False(t, consumererror.IsPermanent(err))
	var partial consumererror.Logs
	require.ErrorAs(t, err, &partial)
	assert.Equal(t, []string{"g s 1 a", "g s 2 b"}, fake.got)
	assert.Equal(t, map[string]int64{"refused": 1}, e.counted(t, "otelcol_exporter_awsemf_rejected_documents"))
	assert.Equal(t, []document{{"g", "busy", 1, "c"}}, unwritten(err, nil), "of what failed, increases wait")

	clear(fake.fail)
	fake.got = nil
	require.NoError(t, e.push(t.Context(), partial.Data()))
	assert.Equal(t, []string{"g busy 1 c", "g busy 2 e"}, fake.got)
}

func TestStdout(t *testing.T) {
	t.Parallel()
	e := newTestExporter(t, defaultTestConfig(), &logsSink{})
	var out bytes.Buffer
	e.stdout = &out
	require.NoError(t, e.push(t.Context(), toLogs([]document{{"g", "s", 1, "a"}, {"h", "s", 1, "b"}}, 0, testNow())))
	assert.Equal(t, "a\nb\n", out.String())
	e.stdout = badWriter{}
	assert.True(t, consumererror.IsPermanent(e.push(t.Context(), toLogs([]document{{"g", "s", 1, "a"}}, 0, testNow()))))
}

type badWriter struct{}

func (badWriter) Write([]byte) (int, error) { return 0, errors.New("closed") }

func TestPendingIsBounded(t *testing.T) {
	t.Parallel()
	p := pendingDocuments{limit: 3}
	assert.Zero(t, p.keep(make([]document, 2)))
	assert.Equal(t, 1, p.keep(make([]document, 2)))
	assert.Len(t, p.take(), 3)
	assert.Zero(t, p.size())
}

// anyMetrics are metrics with text from outside.
func anyMetrics(rng *rand.Rand, text string) pmetric.Metrics {
	md := pmetric.NewMetrics()
	pick := func() string { return []string{text, "a", "b", "_aws", "Version", "c"}[rng.IntN(6)] }
	for range 1 + rng.IntN(3) {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("service.name", pick())
		sm := rm.ScopeMetrics().AppendEmpty()
		sm.Scope().SetName(pick())
		for range rng.IntN(8) {
			m := sm.Metrics().AppendEmpty()
			m.SetName(pick())
			m.SetUnit(pick())
			fill := func(attrs pcommon.Map) {
				for range rng.IntN(5) {
					attrs.PutStr(pick(), pick())
				}
			}
			switch rng.IntN(3) {
			case 0:
				dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
				dp.SetTimestamp(testStart * 1e9)
				dp.SetDoubleValue(rng.NormFloat64())
				fill(dp.Attributes())
			case 1:
				h := m.SetEmptyExponentialHistogram()
				h.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
				dp := h.DataPoints().AppendEmpty()
				dp.SetTimestamp(testStart * 1e9)
				for range rng.IntN(200) {
					dp.Positive().BucketCounts().Append(1)
				}
				dp.SetCount(uint64(dp.Positive().BucketCounts().Len()))
				fill(dp.Attributes())
			case 2:
				dp := m.SetEmptySummary().DataPoints().AppendEmpty()
				dp.SetTimestamp(testStart * 1e9)
				dp.SetStartTimestamp(testStart * 1e9)
				dp.SetCount(rng.Uint64N(5))
				dp.SetSum(rng.Float64())
				fill(dp.Attributes())
			}
		}
	}
	return md
}

// Whatever is in the metrics, the documents are valid, and everything in them is extracted.
func FuzzTranslate(f *testing.F) {
	f.Add(uint64(1), "m")
	f.Add(uint64(2), "a\"\x00\xff")
	f.Add(uint64(3), "CloudWatchMetrics")
	f.Add(uint64(4), "")
	f.Fuzz(func(t *testing.T, seed uint64, text string) {
		rng := rand.New(rand.NewPCG(seed, 3))
		cfg := defaultTestConfig()
		cfg.Version = []string{versionCurrent, versionLegacy}[rng.IntN(2)]
		cfg.DetailedMetrics = rng.IntN(2) == 0
		cfg.ParseJSONEncodedAttributeValues = []string{text}
		tr := newTestTranslator(t, cfg)
		md := anyMetrics(rng, text)
		tr.prepare(md)
		before := pmetric.NewMetrics()
		md.CopyTo(before)
		docs, _ := tr.translate(md)
		assert.Equal(t, before, md)
		for _, d := range docs {
			res := emf.Extract(nil, d.text, d.timestampMs, emf.Options{NowMs: testNow().UnixMilli()})
			require.NoError(t, res.Report.Err(), d.text)
		}
	})
}

func BenchmarkTranslate(b *testing.B) {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "checkout")
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName("io.example")
	for i := range 50 {
		m := sm.Metrics().AppendEmpty()
		m.SetName(fmt.Sprint("metric.", i))
		m.SetUnit("ms")
		points := m.SetEmptyGauge().DataPoints()
		for j := range 20 {
			dp := points.AppendEmpty()
			dp.SetTimestamp(testStart * 1e9)
			dp.SetDoubleValue(float64(i * j))
			dp.Attributes().PutStr("route", fmt.Sprint("/r/", j))
			dp.Attributes().PutStr("host", "i-0123456789")
		}
	}
	for _, option := range []string{rollupZeroAndSingle, rollupNone} {
		b.Run(option, func(b *testing.B) {
			cfg := defaultTestConfig()
			cfg.DimensionRollupOption = option
			tr := newTestTranslator(b, cfg)
			b.ReportAllocs()
			for b.Loop() {
				if docs, dropped := tr.translate(md); len(docs) != 20 || len(dropped) != 0 {
					b.Fatal(len(docs), dropped)
				}
			}
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "points/s")
		})
	}
}
