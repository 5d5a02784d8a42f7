// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

var testNow = time.Date(2026, 3, 10, 15, 30, 0, 0, time.UTC)

// testMetrics builds metrics of one resource and scope.
type testMetrics struct {
	md pmetric.Metrics
	sm pmetric.ScopeMetrics
}

func newTestMetrics(resource map[string]string) testMetrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	for k, v := range resource {
		rm.Resource().Attributes().PutStr(k, v)
	}
	return testMetrics{md, rm.ScopeMetrics().AppendEmpty()}
}

func (m testMetrics) add(name string) pmetric.Metric {
	metric := m.sm.Metrics().AppendEmpty()
	metric.SetName(name)
	return metric
}

func (m testMetrics) gauge(name string, v float64) pmetric.NumberDataPoint {
	dp := m.add(name).SetEmptyGauge().DataPoints().AppendEmpty()
	dp.SetDoubleValue(v)
	return dp
}

func at(seconds int) pcommon.Timestamp {
	return pcommon.NewTimestampFromTime(testNow.Add(time.Duration(seconds) * time.Second))
}

// convertOne converts metrics that make one datum.
func convertOne(t *testing.T, c *Converter, m testMetrics) Datum {
	t.Helper()
	batches, err := c.Convert(m.md)
	require.NoError(t, err)
	require.Len(t, batches, 1)
	require.Len(t, batches[0].Data, 1)
	return batches[0].Data[0]
}

func dropped(t *testing.T, err error) map[Reason]int64 {
	t.Helper()
	if err == nil {
		return nil
	}
	var e *ConversionError
	require.ErrorAs(t, err, &e)
	return e.Dropped
}

func testClock() time.Time { return testNow }

func TestNamespaceTemplate(t *testing.T) {
	for _, tt := range []struct {
		template string
		resource map[string]string
		want     string
	}{
		{"", map[string]string{"service.namespace": "shop", "service.name": "checkout"}, "shop/checkout"},
		{"", map[string]string{"service.name": "checkout"}, "checkout"},
		{"", map[string]string{"service.namespace": "shop"}, "shop"},
		{"", nil, "default"},
		{"Otel/{service.name}-{stage}", map[string]string{"service.name": "a", "stage": "prod"}, "Otel/a-prod"},
		{"Otel/{service.name}-{stage}", map[string]string{"service.name": "a"}, "Otel"},
		{"Fixed", nil, "Fixed"},
	} {
		c := newTestConverter(t, ConverterConfig{NamespaceTemplate: tt.template})
		m := newTestMetrics(tt.resource)
		m.gauge("m", 1)
		assert.Equal(t, tt.want, convertOne(t, c, m).Namespace, "%q %v", tt.template, tt.resource)
	}
	for _, bad := range []string{"{", "{}", "a}", "{a{b}}", "}{"} {
		_, err := NewConverter(ConverterConfig{NamespaceTemplate: bad})
		require.ErrorContains(t, err, "want {resource.attribute}", bad)
	}
}

func TestNewConverterReportsAllFaults(t *testing.T) {
	_, err := NewConverter(ConverterConfig{
		NamespaceTemplate: "{", DefaultNamespace: ":x", MaxSeries: -1, SeriesTTL: -1, InitialValue: "sometimes",
	})
	for _, want := range []string{"template", `":x"`, "series", "lifetime", `"sometimes"`} {
		require.ErrorContains(t, err, want)
	}
}

func TestConvertDimensions(t *testing.T) {
	c := newTestConverter(t, ConverterConfig{ResourceDimensions: []string{"host.name", "absent", "d"}, Now: testClock})
	m := newTestMetrics(map[string]string{"host.name": "h1", "d": "of the resource", "other": "x"})
	dp := m.gauge("m", 1)
	dp.Attributes().PutStr("z", "last")
	dp.Attributes().PutInt("status", 200)
	dp.Attributes().PutBool("ok", true)
	dp.Attributes().PutDouble("ratio", 0.5)
	dp.Attributes().PutStr("d", "of the point")
	dp.Attributes().PutStr("empty", "")
	dp.Attributes().PutEmptySlice("list").AppendEmpty().SetInt(1)
	d := convertOne(t, c, m)
	assert.Equal(t, []Dimension{
		{"d", "of the point"}, {"host.name", "h1"}, {"list", "[1]"}, {"ok", "true"}, {"ratio", "0.5"}, {"status", "200"}, {"z", "last"},
	}, d.Dimensions)
	assert.Equal(t, testNow.UnixMilli(), d.TimestampMs, "a point without a time is of now")
	assert.Equal(t, map[Reason]int64{ReasonEmptyAttribute: 1}, c.Stats().Adjusted)
}

func TestConvertDrops(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  ConverterConfig
		make func(testMetrics)
		want Reason
	}{
		{"NaN", ConverterConfig{}, func(m testMetrics) { m.gauge("m", math.NaN()) }, ReasonNotFinite},
		{"infinity", ConverterConfig{}, func(m testMetrics) { m.gauge("m", math.Inf(-1)) }, ReasonNotFinite},
		{"range", ConverterConfig{}, func(m testMetrics) { m.gauge("m", math.Ldexp(1, 361)) }, ReasonOutOfRange},
		{"no value", ConverterConfig{}, func(m testMetrics) { m.add("m").SetEmptyGauge().DataPoints().AppendEmpty() }, ReasonNoRecordedValue},
		{"flag", ConverterConfig{}, func(m testMetrics) {
			m.gauge("m", 1).SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
		}, ReasonNoRecordedValue},
		{"no name", ConverterConfig{}, func(m testMetrics) { m.gauge("", 1) }, ReasonInvalidName},
		{"long name", ConverterConfig{}, func(m testMetrics) { m.gauge(strings.Repeat("x", 256), 1) }, ReasonInvalidName},
		{"unicode name, ASCII asked", ConverterConfig{Charset: CharsetASCII}, func(m testMetrics) { m.gauge("größe", 1) }, ReasonInvalidName},
		{"long dimension value", ConverterConfig{}, func(m testMetrics) {
			m.gauge("m", 1).Attributes().PutStr("a", strings.Repeat("x", 1025))
		}, ReasonInvalidDimension},
		{"colon", ConverterConfig{}, func(m testMetrics) { m.gauge("m", 1).Attributes().PutStr(":a", "x") }, ReasonInvalidDimension},
		{"control character", ConverterConfig{}, func(m testMetrics) { m.gauge("m", 1).Attributes().PutStr("a", "x\ny") }, ReasonInvalidDimension},
		{"31 dimensions", ConverterConfig{}, func(m testMetrics) {
			dp := m.gauge("m", 1)
			for i := range 31 {
				dp.Attributes().PutStr(fmt.Sprint("d", i), "x")
			}
		}, ReasonTooManyDimensions},
		{"namespace", ConverterConfig{}, func(m testMetrics) {
			m.sm.Scope().Attributes().PutStr(AttributeNamespace, ":x")
			m.gauge("m", 1)
		}, ReasonInvalidNamespace},
		{"resolution", ConverterConfig{}, func(m testMetrics) {
			m.sm.Scope().Attributes().PutInt(AttributeStorageResolution, 5)
			m.gauge("m", 1)
		}, ReasonInvalidResolution},
		{"too old", ConverterConfig{EnforceIngestWindow: true}, func(m testMetrics) { m.gauge("m", 1).SetTimestamp(at(-15 * 86400)) }, ReasonTimestampOutOfRange},
		{"no type", ConverterConfig{}, func(m testMetrics) { m.add("m") }, ReasonNoType},
		{"sum without temporality", ConverterConfig{}, func(m testMetrics) {
			s := m.add("m").SetEmptySum()
			s.SetIsMonotonic(true)
			s.DataPoints().AppendEmpty().SetIntValue(1)
		}, ReasonNoTemporality},
		{"histogram without temporality", ConverterConfig{}, func(m testMetrics) {
			m.add("m").SetEmptyHistogram().DataPoints().AppendEmpty()
		}, ReasonNoTemporality},
		{"exponential histogram without temporality", ConverterConfig{}, func(m testMetrics) {
			m.add("m").SetEmptyExponentialHistogram().DataPoints().AppendEmpty()
		}, ReasonNoTemporality},
		{"histogram of other count", ConverterConfig{}, func(m testMetrics) {
			dp := m.deltaHistogram("m", []float64{1}, []uint64{1, 1})
			dp.SetCount(3)
		}, ReasonInvalidHistogram},
		{"histogram with falling bounds", ConverterConfig{}, func(m testMetrics) {
			m.deltaHistogram("m", []float64{2, 1}, []uint64{1, 1, 0})
		}, ReasonInvalidHistogram},
		{"histogram with too few buckets", ConverterConfig{}, func(m testMetrics) {
			m.deltaHistogram("m", []float64{1, 2}, []uint64{1, 1})
		}, ReasonInvalidHistogram},
		{"histogram of a count only", ConverterConfig{}, func(m testMetrics) {
			m.deltaHistogram("m", nil, nil).SetCount(3)
		}, ReasonNoSum},
		{"first cumulative point", ConverterConfig{}, func(m testMetrics) { m.counter("m", 5, at(-100), at(0)) }, ReasonFirstPoint},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.cfg.Now = testClock
			c := newTestConverter(t, tt.cfg)
			m := newTestMetrics(nil)
			tt.make(m)
			good := m.md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
			good.SetName("good")
			good.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(1)
			batches, err := c.Convert(m.md)
			assert.Equal(t, map[Reason]int64{tt.want: 1}, dropped(t, err))
			require.ErrorContains(t, err, string(tt.want)+"=1")
			require.Len(t, batches, 1, "the others are kept")
			assert.Equal(t, "good", batches[0].Data[0].Name)
			assert.Equal(t, map[Reason]int64{tt.want: 1}, c.Stats().Dropped)
			assert.Equal(t, int64(1), c.Stats().Converted)
		})
	}
}

func (m testMetrics) counter(name string, v int64, start, ts pcommon.Timestamp) {
	s := m.add(name).SetEmptySum()
	s.SetIsMonotonic(true)
	s.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	dp := s.DataPoints().AppendEmpty()
	dp.SetIntValue(v)
	dp.SetStartTimestamp(start)
	dp.SetTimestamp(ts)
}

func (m testMetrics) deltaHistogram(name string, bounds []float64, counts []uint64) pmetric.HistogramDataPoint {
	h := m.add(name).SetEmptyHistogram()
	h.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	dp := h.DataPoints().AppendEmpty()
	dp.SetTimestamp(at(0))
	dp.ExplicitBounds().FromRaw(bounds)
	dp.BucketCounts().FromRaw(counts)
	var n uint64
	for _, c := range counts {
		n += c
	}
	dp.SetCount(n)
	return dp
}

func TestCumulativeSum(t *testing.T) {
	type step struct {
		value     int64
		start, ts int
		want      float64 // -1: nothing
		why       Reason
	}
	for _, tt := range []struct {
		name    string
		initial InitialValue
		steps   []step
	}{
		{"began before", InitialValueAuto, []step{{5, -100, 10, -1, ReasonFirstPoint}, {7, -100, 20, 2, ""}, {7, -100, 30, 0, ""}}},
		{"began after", InitialValueAuto, []step{{5, 5, 10, 5, ""}, {7, 5, 20, 2, ""}}},
		{"keep", InitialValueKeep, []step{{5, -100, 10, 5, ""}, {7, -100, 20, 2, ""}}},
		{"drop", InitialValueDrop, []step{{5, 5, 10, -1, ReasonFirstPoint}, {7, 5, 20, 2, ""}}},
		{"announced reset", InitialValueKeep, []step{{5, 0, 10, 5, ""}, {9, 15, 20, 9, ""}}},
		{"reset", InitialValueKeep, []step{{5, 0, 10, 5, ""}, {3, 0, 20, 3, ""}, {4, 0, 30, 1, ""}}},
		{"out of order", InitialValueKeep, []step{{5, 0, 10, 5, ""}, {4, 0, 9, -1, ReasonOutOfOrder}, {5, 0, 10, -1, ReasonOutOfOrder}, {6, 0, 30, 1, ""}}},
		{"wandering start", InitialValueKeep, []step{{5, 0, 10, 5, ""}, {8, 1, 20, 3, ""}}},
		{"exact beyond 2^53", InitialValueKeep, []step{{1 << 60, 0, 10, 1 << 60, ""}, {1<<60 + 1, 0, 20, 1, ""}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestConverter(t, ConverterConfig{InitialValue: tt.initial, Now: testClock})
			for i, s := range tt.steps {
				m := newTestMetrics(nil)
				m.counter("m", s.value, at(s.start), at(s.ts))
				batches, err := c.Convert(m.md)
				if s.want == -1 {
					require.Equal(t, map[Reason]int64{s.why: 1}, dropped(t, err), "step %d", i)
					continue
				}
				require.NoError(t, err, "step %d", i)
				require.InDelta(t, s.want, batches[0].Data[0].Value, 0, "step %d", i)
			}
		})
	}
}

func TestCumulativeSeriesAreToldApart(t *testing.T) {
	c := newTestConverter(t, ConverterConfig{InitialValue: InitialValueKeep, Now: testClock})
	for i, instance := range []string{"1", "2"} {
		m := newTestMetrics(map[string]string{"service.name": "s", "service.instance.id": instance})
		m.counter("m", int64(100*(i+1)), at(0), at(10))
		assert.InDelta(t, 100*(i+1), convertOne(t, c, m).Value, 0)
	}
	assert.Equal(t, 2, c.Stats().Series)
}

func TestSeriesAreBounded(t *testing.T) {
	now := testNow
	c := newTestConverter(t, ConverterConfig{MaxSeries: 64, SeriesTTL: time.Minute, Now: func() time.Time { return now }})
	send := func(i int, v int64, ts int) (float64, map[Reason]int64) {
		m := newTestMetrics(nil)
		m.counter(fmt.Sprint("m", i), v, at(1), at(ts))
		batches, err := c.Convert(m.md)
		if len(batches) == 0 {
			return -1, dropped(t, err)
		}
		return batches[0].Data[0].Value, nil
	}
	for i := range 1000 {
		v, _ := send(i, 7, 10)
		// A series may have been forgotten before this one came; then it cannot be known to be new.
		require.Contains(t, []float64{7, -1}, v)
	}
	stats := c.Stats()
	assert.LessOrEqual(t, stats.Series, 64)
	assert.Equal(t, int64(1000-stats.Series), stats.EvictedSeries)
	v, why := send(0, 9, 20)
	assert.InDelta(t, -1, v, 0, "an evicted series must not be counted again from its start")
	assert.Equal(t, map[Reason]int64{ReasonFirstPoint: 1}, why)

	now = now.Add(2 * time.Minute)
	for i := range 64 { // touches every shard
		send(i, 20, 200)
	}
	assert.Positive(t, c.Stats().ExpiredSeries)
	v, why = send(999, 20, 300)
	assert.InDelta(t, -1, v, 0)
	assert.NotEmpty(t, why)
}

func TestOtherSums(t *testing.T) {
	c := newTestConverter(t, ConverterConfig{Now: testClock})
	level := newTestMetrics(nil)
	s := level.add("in_flight").SetEmptySum()
	s.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	s.DataPoints().AppendEmpty().SetIntValue(-3)
	assert.InDelta(t, -3, convertOne(t, c, level).Value, 0)

	delta := newTestMetrics(nil)
	s = delta.add("requests").SetEmptySum()
	s.SetIsMonotonic(true)
	s.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	s.DataPoints().AppendEmpty().SetDoubleValue(4.5)
	assert.InDelta(t, 4.5, convertOne(t, c, delta).Value, 0)
}

func TestUnknownUnitIsCounted(t *testing.T) {
	c := newTestConverter(t, ConverterConfig{})
	m := newTestMetrics(nil)
	m.gauge("m", 1)
	m.sm.Metrics().At(0).SetUnit("Cel")
	assert.Equal(t, UnitNone, convertOne(t, c, m).Unit)
	assert.Equal(t, map[Reason]int64{ReasonUnknownUnit: 1}, c.Stats().Adjusted)
}

func TestBatchesByAccountAndRegion(t *testing.T) {
	c := newTestConverter(t, ConverterConfig{Account: "1", Region: "here"})
	m := newTestMetrics(map[string]string{"cloud.account.id": "2", "cloud.region": "there"})
	m.gauge("m", 1)
	for _, account := range []string{"", "2"} {
		rm := m.md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("cloud.account.id", account)
		g := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		g.SetName("n")
		g.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(1)
	}
	batches, err := c.Convert(m.md)
	require.NoError(t, err)
	var got []string
	for _, b := range batches {
		got = append(got, fmt.Sprint(b.Account, " ", b.Region, " ", len(b.Data)))
	}
	assert.Equal(t, []string{"2 there 1", "1 here 1", "2 here 1"}, got)
}

func TestConvertConcurrently(t *testing.T) {
	c := newTestConverter(t, ConverterConfig{InitialValue: InitialValueKeep, MaxSeries: 50, Now: testClock})
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 200 {
				m := newTestMetrics(nil)
				m.counter(fmt.Sprint("m", worker, i%20), int64(i), at(0), at(i+1))
				m.gauge("g", 1)
				_, _ = c.Convert(m.md)
				_ = c.Stats()
			}
		})
	}
	wg.Wait()
	assert.GreaterOrEqual(t, c.Stats().Converted, int64(800))
}

func BenchmarkConvertCumulative(b *testing.B) {
	m := newTestMetrics(map[string]string{"service.name": "s", "service.instance.id": "1"})
	for i := range 1000 {
		m.counter(fmt.Sprint("m", i%50), 0, at(0), at(0))
		dp := m.sm.Metrics().At(i).Sum().DataPoints().At(0)
		dp.Attributes().PutStr("route", fmt.Sprint("/api/", i))
		dp.Attributes().PutStr("method", "GET")
	}
	c := newTestConverter(b, ConverterConfig{InitialValue: InitialValueKeep, Now: testClock})
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		for i := range 1000 {
			dp := m.sm.Metrics().At(i).Sum().DataPoints().At(0)
			dp.SetIntValue(int64(n))
			dp.SetTimestamp(at(n))
		}
		batches, err := c.Convert(m.md)
		if err != nil || len(batches[0].Data) != 1000 {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "points/s")
}
