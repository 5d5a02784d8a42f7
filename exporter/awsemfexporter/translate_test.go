// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfexporter

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"

	"github.com/nephoscope/nephoscope/internal/cumulative"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/emf"
)

var update = flag.Bool("update", false, "write the golden files anew")

const testStart = 1735689200 // Unix seconds

func testNow() time.Time { return time.Unix(testStart, 0) }

func loadConfig(tb testing.TB, file string) *Config {
	tb.Helper()
	conf, err := confmaptest.LoadConf(file)
	require.NoError(tb, err)
	cfg := createDefaultConfig().(*Config)
	require.NoError(tb, conf.Unmarshal(cfg))
	require.NoError(tb, confmap.Validate(cfg))
	return cfg
}

func newTestTranslator(tb testing.TB, cfg *Config) *translator {
	tb.Helper()
	t, err := newTranslator(cfg, "otel-stream-test", testNow)
	require.NoError(tb, err)
	return t
}

// Metrics to documents, for several configurations.
func TestTranslateGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/translate/*/*.yaml")
	require.NoError(t, err)
	for _, file := range files {
		if filepath.Base(file) == "metrics.yaml" {
			continue
		}
		t.Run(strings.TrimPrefix(file, "testdata/translate/"), func(t *testing.T) {
			cfg := loadConfig(t, file)
			md, err := golden.ReadMetrics(filepath.Join(filepath.Dir(file), "metrics.yaml"))
			require.NoError(t, err)
			sink := &logsSink{}
			e := newTestExporter(t, cfg, sink)
			require.NoError(t, e.ConsumeMetrics(t.Context(), md))

			var b strings.Builder
			for _, d := range sink.documents() {
				require.True(t, json.Valid([]byte(d.text)), d.text)
				fmt.Fprintf(&b, "%s %s %d\n%s\n", d.group, d.stream, d.timestampMs, d.text)
			}
			for _, reason := range slices.Sorted(maps.Keys(e.droppedPoints(t))) {
				fmt.Fprintf(&b, "dropped %s %d\n", reason, e.droppedPoints(t)[reason])
			}
			goldenFile := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				require.NoError(t, os.WriteFile(goldenFile, []byte(b.String()), 0o600))
				t.Fail() // so that the flag cannot be left on
			}
			want, err := os.ReadFile(goldenFile)
			require.NoError(t, err)
			assert.Equal(t, string(want), b.String())
		})
	}
}

func gauge(md pmetric.Metrics, name string, labels map[string]any, values ...float64) {
	rm := md.ResourceMetrics().AppendEmpty()
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(name)
	points := m.SetEmptyGauge().DataPoints()
	for _, v := range values {
		dp := points.AppendEmpty()
		dp.SetDoubleValue(v)
		dp.SetTimestamp(testStart * 1e9)
		if err := dp.Attributes().FromRaw(labels); err != nil {
			panic(err)
		}
	}
}

func defaultTestConfig() *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.AWS.Region = "eu-central-1"
	return cfg
}

// extract reads the data of documents back, and requires that there is nothing wrong with them.
func extract(tb testing.TB, docs []document) (data []cloudwatch.Datum) {
	tb.Helper()
	for _, d := range docs {
		res := emf.Extract(data, d.text, d.timestampMs, emf.Options{NowMs: testNow().UnixMilli()})
		require.NoError(tb, res.Report.Err(), d.text)
		data = res.Data
	}
	return data
}

func TestTranslateSplits(t *testing.T) {
	t.Parallel()
	many := func(n int, prefix string) map[string]any {
		labels := make(map[string]any, n)
		for i := range n {
			labels[fmt.Sprintf("%s%03d", prefix, i)] = "v"
		}
		return labels
	}
	for name, c := range map[string]struct {
		fill    func(md pmetric.Metrics)
		config  func(*Config)
		docs    int
		data    int
		dropped map[string]int64
	}{
		"metrics": {
			fill: func(md pmetric.Metrics) {
				for i := range 250 {
					gauge(md, fmt.Sprint("m", i), map[string]any{"d": "x"}, 1)
				}
			},
			docs: 3, data: 500, // with and without the label
		},
		"the same metric again": {
			fill: func(md pmetric.Metrics) { gauge(md, "m", nil, 1, 2, 3) },
			docs: 3, data: 3,
		},
		"labels beyond thirty": {
			fill: func(md pmetric.Metrics) { gauge(md, "m", many(31, "l"), 1) },
			docs: 1, data: 32,
		},
		"labels beyond thirty and no roll-up": {
			fill:   func(md pmetric.Metrics) { gauge(md, "m", many(31, "l"), 1) },
			config: func(c *Config) { c.DimensionRollupOption = rollupNone },
			docs:   1, dropped: map[string]int64{reasonNoDimensionSet: 1},
		},
		"dimension sets": {
			fill: func(md pmetric.Metrics) { gauge(md, "m", many(250, "l"), 1) },
			docs: 1, data: 251,
		},
		"metrics times dimension sets": {
			fill: func(md pmetric.Metrics) {
				for i := range 100 {
					gauge(md, fmt.Sprint("m", i), many(250, "l"), 1)
				}
			},
			docs: 3, data: 25100,
		},
		"bytes": {
			fill: func(md pmetric.Metrics) {
				for i := range 50 {
					gauge(md, fmt.Sprint(i, strings.Repeat("m", 250)), map[string]any{"text": strings.Repeat("x", 250_000)}, 1)
				}
			},
			config: func(c *Config) { c.DimensionRollupOption = rollupNone },
			docs:   2, dropped: map[string]int64{reasonNoDimensionSet: 50},
		},
		"a document beyond all limits": {
			fill: func(md pmetric.Metrics) { gauge(md, "m", map[string]any{"text": strings.Repeat("x", 300_000)}, 1) },
			docs: 0, dropped: map[string]int64{reasonTooLarge: 1},
		},
		"names of the format": {
			fill: func(md pmetric.Metrics) {
				gauge(md, "m", map[string]any{"_aws": "x"}, 1)
				gauge(md, "l", map[string]any{"l": "x"}, 1)
			},
			docs: 0, dropped: map[string]int64{reasonReservedName: 1, reasonNameCollision: 1},
		},
		"names of the older layout": {
			fill:   func(md pmetric.Metrics) { gauge(md, "Timestamp", nil, 1); gauge(md, "Version2", nil, 1) },
			config: func(c *Config) { c.Version = versionLegacy },
			docs:   1, data: 1, dropped: map[string]int64{reasonReservedName: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := defaultTestConfig()
			if c.config != nil {
				c.config(cfg)
			}
			md := pmetric.NewMetrics()
			c.fill(md)
			before := pmetric.NewMetrics()
			md.CopyTo(before)
			docs, dropped := newTestTranslator(t, cfg).translate(md)
			assert.Equal(t, c.docs, len(docs)) //nolint:testifylint // Len would print all documents
			if c.dropped == nil {
				c.dropped = map[string]int64{}
			}
			assert.Equal(t, c.dropped, dropped)
			assert.Equal(t, c.data, len(extract(t, docs))) //nolint:testifylint // as above
			assert.Equal(t, before, md, "the metrics are as before")
			for _, d := range docs {
				assert.LessOrEqual(t, len(d.text), maxDocument)
			}
		})
	}
}

// Values beyond what a member may have are in several documents, and add up.
func TestTranslateManyBuckets(t *testing.T) {
	t.Parallel()
	md := pmetric.NewMetrics()
	m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("h")
	h := m.SetEmptyExponentialHistogram()
	h.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	dp := h.DataPoints().AppendEmpty()
	dp.SetTimestamp(testStart * 1e9)
	dp.SetScale(3)
	var sum float64
	for i := range 320 {
		dp.Positive().BucketCounts().Append(uint64(i%3 + 1))
		dp.SetCount(dp.Count() + uint64(i%3+1))
	}
	sum = 1e9
	dp.SetSum(sum)
	docs, dropped := newTestTranslator(t, defaultTestConfig()).translate(md)
	assert.Empty(t, dropped)
	assert.Len(t, docs, 4)
	var got cloudwatch.StatisticSet
	for _, d := range extract(t, docs) {
		assert.LessOrEqual(t, len(d.Values), emf.MaxValuesPerMetric+2)
		d.AddTo(&got, nil)
	}
	assert.InDelta(t, float64(dp.Count()), got.SampleCount, 0)
}

// A point of a cumulative series is converted once: what was not taken waits.
func TestIncreasesWait(t *testing.T) {
	t.Parallel()
	sink := &logsSink{}
	cfg := defaultTestConfig()
	cfg.RetainInitialValueOfDeltaMetric = true
	e := newTestExporter(t, cfg, sink)
	counter := func(v, at int64) pmetric.Metrics {
		md := pmetric.NewMetrics()
		gauge(md, "level", nil, float64(v))
		m := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().AppendEmpty()
		m.SetName("counter")
		s := m.SetEmptySum()
		s.SetIsMonotonic(true)
		s.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		dp := s.DataPoints().AppendEmpty()
		dp.SetIntValue(v)
		dp.SetStartTimestamp((testStart - 100) * 1e9)
		dp.SetTimestamp(pmetricTime(at))
		return md
	}
	sink.err = errTest
	err := e.ConsumeMetrics(t.Context(), counter(5, testStart))
	require.ErrorIs(t, err, errTest)
	plain := partOf(t, err)
	require.Equal(t, 1, plain.DataPointCount())
	assert.Equal(t, "level", plain.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Name())
	_, increases := cumulative.Split(plain)
	assert.Zero(t, increases.DataPointCount())
	assert.Equal(t, 1, e.pending.size())

	sink.err = nil
	require.NoError(t, e.ConsumeMetrics(t.Context(), counter(7, testStart+10)))
	var got []string
	for _, d := range extract(t, sink.documents()) {
		got = append(got, fmt.Sprint(d.Name, " ", d.Value))
	}
	assert.ElementsMatch(t, []string{"counter 5", "counter 2", "level 7"}, got)
	assert.Zero(t, e.pending.size())
}
