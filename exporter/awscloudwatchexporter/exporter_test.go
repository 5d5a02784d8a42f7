// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awscloudwatchexporter

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// describe is a datum without what all have.
func describe(data []cloudwatch.Datum) (lines []string) {
	for _, d := range data {
		s := fmt.Sprintf("%s %v @%d", d.Name, d.Dimensions, d.TimestampMs/1000-testStart)
		switch {
		case d.Statistics != nil:
			s += fmt.Sprintf(" %v", *d.Statistics)
		case d.Values != nil:
			s += fmt.Sprintf(" %v %v", d.Values, d.Counts)
		default:
			s += fmt.Sprintf(" %v", d.Value)
		}
		lines = append(lines, s)
	}
	slices.Sort(lines)
	return lines
}

func TestAggregatesPeriods(t *testing.T) {
	t.Parallel()
	e := newTestExporter(t, testOptions{})
	ctx := t.Context()
	require.NoError(t, e.ConsumeMetrics(ctx, metrics("n", point{name: "m", value: 3, at: testStart + 1}, point{name: "m", value: 1, at: testStart + 59.9})))
	e.clock.set(testStart + 60)
	require.NoError(t, e.ConsumeMetrics(ctx, metrics("n", point{name: "m", value: 3, at: testStart + 30}, point{name: "m", value: 8, at: testStart + 60})))
	e.clock.set(testStart + 64.9)
	require.NoError(t, e.flush(ctx, false))
	assert.Equal(t, 2, e.periods.size(), "a period is waited for after its end")
	e.clock.set(testStart + 65)
	require.NoError(t, e.flush(ctx, false))
	assert.Equal(t, 1, e.periods.size())
	// What is late makes a datum of its own, which CloudWatch adds.
	require.NoError(t, e.ConsumeMetrics(ctx, metrics("n", point{name: "m", value: 5, at: testStart + 3})))
	assert.Equal(t, []string{"m [] @0 5", "m [] @0 [1 3] [1 2]", "m [] @60 8"}, describe(e.finish(t)))
	assert.Equal(t, "Milliseconds", e.fake.data()[0].Unit)
}

func TestNextFlush(t *testing.T) {
	t.Parallel()
	at := func(s float64) time.Time { return time.UnixMilli(int64(s * 1000)).UTC() }
	for now, want := range map[float64]float64{
		testStart: testStart + 5, testStart + 4.9: testStart + 5, testStart + 5: testStart + 65, testStart + 64: testStart + 65,
	} {
		assert.Equal(t, at(want), nextFlush(at(now), time.Minute, 5*time.Second), now)
	}
	// It is when periods end, also when the interval does not divide the hour.
	now := at(testStart)
	assert.Zero(t, nextFlush(now, 7*time.Minute, 0).Unix()%420)
	assert.Greater(t, nextFlush(now, 7*time.Minute, 0), now)
}

func TestHighResolution(t *testing.T) {
	t.Parallel()
	e := newTestExporter(t, testOptions{configure: func(c *Config) { c.StorageResolution = 1 }})
	require.NoError(t, e.ConsumeMetrics(t.Context(), metrics("n",
		point{name: "m", value: 3, at: testStart + 1}, point{name: "m", value: 1, at: testStart + 1.5}, point{name: "m", value: 4, at: testStart + 2})))
	data := e.finish(t)
	assert.Equal(t, []string{"m [] @1 [1 3] [1 1]", "m [] @2 4"}, describe(data))
	assert.EqualValues(t, 1, data[0].StorageResolution)
}

func TestStatisticSets(t *testing.T) {
	t.Parallel()
	set := func(count uint64, sum, lo, hi float64) pmetric.Metrics {
		return cloudwatch.ToMetrics("1", "r", []cloudwatch.Datum{{
			Metric: cloudwatch.Metric{Namespace: "n", Name: "m"}, TimestampMs: testStart * 1000, Unit: "Milliseconds", StorageResolution: 60,
			Statistics: &cloudwatch.StatisticSet{SampleCount: float64(count), Sum: sum, Minimum: lo, Maximum: hi},
		}})
	}
	for mode, want := range map[string][]string{
		aggregateValues:     {"m [] @0 [2 3] [4 1]", "m [] @0 {6 25 1 9}"},
		aggregateStatistics: {"m [] @0 {11 36 1 9}"},
	} {
		e := newTestExporter(t, testOptions{configure: func(c *Config) { c.AggregateAs = mode }})
		for _, md := range []pmetric.Metrics{
			set(2, 10, 1, 9), set(4, 15, 1, 6), set(4, 8, 2, 2), metrics("n", point{name: "m", value: 3, at: testStart}),
		} {
			require.NoError(t, e.ConsumeMetrics(t.Context(), md))
		}
		assert.Equal(t, want, describe(e.finish(t)), mode)
	}
}

func TestRollups(t *testing.T) {
	t.Parallel()
	e := newTestExporter(t, testOptions{configure: func(c *Config) {
		c.RollupDimensions = [][]string{{"service"}, {"host", "service"}, {}, {"nosuch"}}
		c.DropOriginalMetrics = map[string]bool{"dropped": true, "kept": false}
	}})
	dims := func(host string) map[string]string { return map[string]string{"service": "s", "host": host} }
	require.NoError(t, e.ConsumeMetrics(t.Context(), metrics("n",
		point{name: "kept", value: 1, at: testStart, dims: dims("a")}, point{name: "kept", value: 2, at: testStart, dims: dims("b")},
		point{name: "dropped", value: 1, at: testStart, dims: map[string]string{"service": "s", "host": "a", "disk": "x"}},
		point{name: "plain", value: 7, at: testStart},
	)))
	assert.Equal(t, []string{
		"dropped [] @0 1",
		"dropped [{host a} {service s}] @0 1",
		"dropped [{service s}] @0 1",
		"kept [] @0 [1 2] [1 1]",
		"kept [{host a} {service s}] @0 1",
		"kept [{host b} {service s}] @0 2",
		"kept [{service s}] @0 [1 2] [1 1]",
		"plain [] @0 7",
	}, describe(e.finish(t)))
}

func TestDirect(t *testing.T) {
	t.Parallel()
	e := newTestExporter(t, testOptions{configure: func(c *Config) {
		c.AggregationInterval, c.InMemory, c.RetryConfig.Enabled = 0, false, false
	}})
	require.NoError(t, e.ConsumeMetrics(t.Context(), metrics("n", point{name: "m", value: 3, at: testStart + 1}, point{name: "m", value: 1, at: testStart + 1.9})))
	assert.Equal(t, []string{"m [] @1 [1 3] [1 1]"}, describe(e.fake.data()), "it is sent when the call returns")

	// A call that fails gives back what has no memory, and keeps the increases.
	e.fake.answer = failing(errTest)
	err := e.ConsumeMetrics(t.Context(), metrics("", point{name: "level", value: 4, at: testStart + 2}, point{name: "counter", value: 10, at: testStart + 2, counter: true}))
	require.ErrorIs(t, err, errTest)
	var partial consumererror.Metrics
	require.ErrorAs(t, err, &partial)
	assert.Equal(t, 1, partial.Data().DataPointCount())
	e.fake.answer = nil
	require.NoError(t, e.ConsumeMetrics(t.Context(), partial.Data()))
	require.NoError(t, e.ConsumeMetrics(t.Context(), metrics("", point{name: "counter", value: 12, at: testStart + 3, counter: true})))
	assert.Equal(t, []string{"counter [] @2 10", "counter [] @3 2", "level [] @2 4", "m [] @1 [1 3] [1 1]"}, describe(e.fake.data()))
}

// What was acknowledged survives a process that ends without a word.
func TestJournalSurvives(t *testing.T) {
	t.Parallel()
	disk := &memoryStorage{data: make(map[string][]byte)}
	e := newTestExporter(t, testOptions{storage: disk})
	for i := range 10 {
		require.NoError(t, e.ConsumeMetrics(t.Context(), metrics("", point{name: "m", value: float64(i), at: testStart + float64(i)},
			point{name: "c", value: float64(10 * i), at: testStart + float64(i), counter: true})))
	}
	// A flush writes the journal anew.
	e.clock.set(testStart + 20)
	require.NoError(t, e.flush(t.Context(), false))
	require.NoError(t, e.ConsumeMetrics(t.Context(), metrics("", point{name: "m", value: 100, at: testStart + 20})))
	crashed := snapshot(disk)

	next := newTestExporter(t, testOptions{storage: crashed, at: testStart + 21})
	assert.Equal(t, 2, next.periods.size())
	assert.Equal(t, []string{
		"c [] @0 [0 10] [1 9]", "m [] @0 [0 1 2 3 4 5 6 7 8 9 100] [1 1 1 1 1 1 1 1 1 1 1]",
	}, describe(next.finish(t)))
	assert.LessOrEqual(t, crashed.keys(), 5, "nothing is left behind but the queue's and the journal's places")

	again := newTestExporter(t, testOptions{storage: crashed, at: testStart + 22})
	assert.Zero(t, again.periods.size())
	assert.Empty(t, again.finish(t))
}

// snapshot is what a disk holds at this moment.
func snapshot(s *memoryStorage) *memoryStorage {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &memoryStorage{data: make(map[string][]byte)}
	for k, v := range s.data {
		c.data[k] = slices.Clone(v)
	}
	return c
}

func TestStorageFails(t *testing.T) {
	t.Parallel()
	disk := &memoryStorage{data: make(map[string][]byte)}
	e := newTestExporter(t, testOptions{storage: disk})
	disk.fail(errTest)
	md := func(v, at float64) pmetric.Metrics {
		return metrics("", point{name: "m", value: v, at: testStart + at}, point{name: "c", value: v, at: testStart + at, counter: true})
	}
	err := e.ConsumeMetrics(t.Context(), md(5, 1))
	require.ErrorIs(t, err, errTest)
	assert.False(t, consumererror.IsPermanent(err))
	assert.Zero(t, e.periods.size())
	disk.fail(nil)
	require.NoError(t, e.ConsumeMetrics(t.Context(), md(6, 2)))
	// What waits for a next call does not wait for ever.
	disk.fail(errTest)
	require.ErrorIs(t, e.ConsumeMetrics(t.Context(), md(9, 3)), errTest)
	disk.fail(nil)
	assert.Equal(t, []string{"c [] @0 [1 3 5] [1 1 1]", "m [] @0 6"}, describe(e.finish(t)))
}

// refusing is a queue that is full.
type refusing struct {
	component.StartFunc
	component.ShutdownFunc
	consumertest.MetricsSink
	room int
}

func (r *refusing) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	if r.room == 0 {
		return errTest
	}
	r.room--
	return r.MetricsSink.ConsumeMetrics(ctx, md)
}

func TestQueueFull(t *testing.T) {
	t.Parallel()
	disk := &memoryStorage{data: make(map[string][]byte)}
	queue := &refusing{}
	e := newTestExporter(t, testOptions{storage: disk, next: queue, configure: func(c *Config) { c.MaxSeries = 3 }})
	consume := func(name string, at float64) error {
		return e.ConsumeMetrics(t.Context(), metrics("n", point{name: name, value: 1, at: testStart + at}))
	}
	require.NoError(t, consume("a", 0))
	require.NoError(t, consume("b", 0))
	e.clock.set(testStart + 100)
	require.ErrorIs(t, e.flush(t.Context(), false), errTest)
	assert.Equal(t, 2, e.unsent.size())
	require.NoError(t, consume("c", 100))
	require.ErrorIs(t, consume("d", 100), errFull, "what waits counts")

	next := newTestExporter(t, testOptions{storage: snapshot(disk), at: testStart + 101})
	assert.Equal(t, 2, next.unsent.size(), "what is aggregated is kept, too")
	assert.Equal(t, []string{"a [] @0 1", "b [] @0 1", "c [] @60 1"}, describe(next.finish(t)))

	queue.room = 1
	require.NoError(t, e.flush(t.Context(), false))
	assert.Zero(t, e.unsent.size())
	require.NoError(t, consume("d", 100))
	queue.room = 1
}

// queued configures the queue.
func queued(edit func(*exporterhelper.QueueBatchConfig)) func(*Config) {
	return func(c *Config) {
		q := exporterhelper.NewDefaultQueueConfig()
		edit(&q)
		c.QueueConfig = configoptional.Some(q)
	}
}

// A queue that has no room for all data at once gets them in parts.
func TestSmallQueue(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*exporterhelper.QueueBatchConfig){
		"items": func(q *exporterhelper.QueueBatchConfig) {
			q.Sizer, q.QueueSize = exporterhelper.RequestSizerTypeItems, 3
		},
		"bytes": func(q *exporterhelper.QueueBatchConfig) {
			q.Sizer, q.QueueSize = exporterhelper.RequestSizerTypeBytes, 10_000
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newTestExporter(t, testOptions{configure: queued(func(q *exporterhelper.QueueBatchConfig) {
				edit(q)
				q.BlockOnOverflow = true
			})})
			for i := range 50 {
				require.NoError(t, e.ConsumeMetrics(t.Context(), metrics("n", point{name: fmt.Sprint("m", i), value: 1, at: testStart})))
			}
			assert.Len(t, e.finish(t), 50)
		})
	}
}

// A queue that blocks, full because CloudWatch cannot be reached, does not keep the collector from ending, nor lose what the
// journal has.
func TestShutdownDoesNotWaitForRoom(t *testing.T) {
	t.Parallel()
	blocked := &blocking{entered: make(chan struct{}, 10)}
	disk := &memoryStorage{data: make(map[string][]byte)}
	e := newTestExporter(t, testOptions{storage: disk, next: blocked})
	e.patience = time.Millisecond
	require.NoError(t, e.ConsumeMetrics(t.Context(), metrics("n", point{name: "m", value: 3, at: testStart})))
	e.clock.set(testStart + 65)
	e.compact <- struct{}{}
	<-blocked.entered
	require.NoError(t, e.ConsumeMetrics(t.Context(), metrics("n", point{name: "m", value: 4, at: testStart + 60})))
	require.ErrorIs(t, e.Shutdown(t.Context()), context.DeadlineExceeded)

	next := newTestExporter(t, testOptions{storage: disk, at: testStart + 66})
	assert.Equal(t, []string{"m [] @0 3", "m [] @60 4"}, describe(next.finish(t)))
}

// blocking is a queue that never has room.
type blocking struct {
	component.StartFunc
	component.ShutdownFunc
	consumertest.MetricsSink
	entered chan struct{}
}

func (b *blocking) ConsumeMetrics(ctx context.Context, _ pmetric.Metrics) error {
	b.entered <- struct{}{}
	<-ctx.Done()
	return ctx.Err()
}

// What cannot be made smaller is not written anew with every call.
func TestJournalIsCompactedWhenItHasDoubled(t *testing.T) {
	t.Parallel()
	disk := &memoryStorage{data: make(map[string][]byte)}
	client, err := disk.GetClient(t.Context(), component.KindExporter, storageID, "")
	require.NoError(t, err)
	j, err := openJournal(t.Context(), client, func([]byte) error { return nil })
	require.NoError(t, err)
	entry := make([]byte, 5<<20)
	appendAll := func(n int) {
		for range n {
			require.NoError(t, j.append(t.Context(), entry))
		}
	}
	appendAll(12)
	assert.False(t, j.overgrown())
	appendAll(1)
	assert.True(t, j.overgrown())
	require.NoError(t, j.replace(t.Context(), j.mark(), [][]byte{make([]byte, 40<<20)}))
	appendAll(8)
	assert.False(t, j.overgrown())
	appendAll(1)
	assert.True(t, j.overgrown())
	require.NoError(t, j.close(t.Context()))
}

// Whatever comes, aggregated or not, count, sum, minimum, maximum and CloudWatch's buckets are the same.
func TestAggregationKeepsStatistics(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	for round := range 200 {
		p := &period{Metric: cloudwatch.Metric{Namespace: "n", Name: "m"}, unit: "None", resolution: 60, start: testStart, length: 60}
		var want cloudwatch.StatisticSet
		var wantDist cloudwatch.Distribution
		scale := math.Pow(10, rng.Float64()*8)
		for range 1 + rng.IntN(2000) {
			v := rng.ExpFloat64() * scale
			switch rng.IntN(20) {
			case 0:
				v = 0
			case 1:
				if round%3 == 0 {
					v = -v
				}
			}
			d := cloudwatch.Datum{Metric: p.Metric, TimestampMs: testStart * 1000, Unit: "None", StorageResolution: 60, Value: v}
			p.add(&d, false)
			d.AddTo(&want, &wantDist)
		}
		var got cloudwatch.StatisticSet
		var gotDist cloudwatch.Distribution
		for _, d := range p.appendData(nil, 1+rng.IntN(maxValuesPerDatum)) {
			require.LessOrEqual(t, len(d.Values), maxValuesPerDatum)
			d.AddTo(&got, &gotDist)
		}
		require.InDelta(t, want.SampleCount, got.SampleCount, 1e-6)
		require.InEpsilon(t, want.Sum+1, got.Sum+1, 1e-6)
		require.Equal(t, []float64{want.Minimum, want.Maximum}, []float64{got.Minimum, got.Maximum})
		for _, q := range []float64{1, 10, 50, 90, 99, 99.9} {
			w, ok1 := wantDist.Percentile(q)
			g, ok2 := gotDist.Percentile(q)
			require.Equal(t, ok1, ok2)
			if ok1 && w != 0 {
				require.InEpsilon(t, w, g, 1e-6, "p%v of round %d", q, round)
			}
		}
	}
}

func TestReservedNamespace(t *testing.T) {
	t.Parallel()
	e := newTestExporter(t, testOptions{})
	require.NoError(t, e.ConsumeMetrics(t.Context(), metrics("AWS/EC2", point{name: "m", value: 1, at: testStart})))
	require.NoError(t, e.ConsumeMetrics(t.Context(), metrics("n", point{name: "größe", value: 1, at: testStart})))
	require.NoError(t, e.ConsumeMetrics(t.Context(), metrics("n", point{name: "m", value: math.NaN(), at: testStart})))
	assert.Equal(t, map[string]int64{reasonReservedNamespace: 1, "invalid_name": 1, "not_finite": 1},
		e.counted(t, "otelcol_exporter_awscloudwatch_dropped_data_points"))
	assert.Empty(t, e.finish(t))
}
