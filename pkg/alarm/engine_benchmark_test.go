// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// fleet is an alarm for each of many machines, on the metric of that machine.
type fleet struct {
	e    *Engine
	data []cloudwatch.Datum
	now  time.Time
}

func (f *fleet) definition(i int) *Definition {
	id := fmt.Sprintf("i-%017x", i)
	return &Definition{
		Name: strings.Clone("high-cpu-" + id), ActionsEnabled: true,
		AlarmActions: []string{strings.Clone(topic)}, OKActions: []string{strings.Clone(topic)},
		Metric: &MetricAlarm{
			Namespace: strings.Clone("AWS/EC2"), MetricName: strings.Clone("CPUUtilization"), Statistic: strings.Clone("Average"),
			Dimensions: []cloudwatch.Dimension{{Name: strings.Clone("InstanceId"), Value: id}},
			Period:     60, EvaluationPeriods: 5, Threshold: new(80 + float64(i%10)), ComparisonOperator: GreaterThanThreshold,
		},
	}
}

func newFleet(tb testing.TB, n int) *fleet {
	tb.Helper()
	f := &fleet{e: NewEngine(EngineSettings{}), now: noon, data: make([]cloudwatch.Datum, n)}
	for i := range n {
		d := f.definition(i)
		_, err := f.e.Put(tb.Context(), tester, d, noon)
		require.NoError(tb, err)
		f.data[i] = cloudwatch.Datum{
			Metric:            cloudwatch.Metric{Namespace: "AWS/EC2", Name: "CPUUtilization", Dimensions: d.Metric.Dimensions},
			StorageResolution: 60, Unit: "Percent",
		}
	}
	return f
}

// minute gives every machine samples of a minute, and lets it pass.
func (f *fleet) minute(tb testing.TB, samples int, value float64) int {
	tb.Helper()
	for i := range f.data {
		f.data[i].Value, f.data[i].TimestampMs = value+float64(i%7), f.now.UnixMilli()
	}
	for range samples {
		f.e.Observe(tester, f.data, f.now)
	}
	f.now = f.now.Add(time.Minute)
	return len(f.e.Advance(tb.Context(), f.now))
}

func heapInUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestMemory holds alarms in the state with the longest texts.
func TestMemory(t *testing.T) {
	const n = 10_000
	for _, c := range []struct {
		name    string
		samples int
		limit   int64
	}{
		{"one sample a minute", 1, 1500},
		{"several samples a minute", 3, 1750},
	} {
		before := heapInUse()
		f := newFleet(t, n)
		events := 0
		for range 12 {
			events += f.minute(t, c.samples, 95)
		}
		assert.Equal(t, n, events)
		f.data = nil
		each := (heapInUse() - before) / n
		t.Logf("%s: %d bytes an alarm in ALARM over 5 minutes", c.name, each)
		assert.Less(t, each, c.limit)
		assert.Equal(t, n, f.e.count)
	}
}

func BenchmarkAdvance100k(b *testing.B) {
	f := newFleet(b, 100_000)
	for range 8 {
		f.minute(b, 1, 20)
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.StopTimer()
	for range b.N {
		for i := range f.data {
			f.data[i].TimestampMs = f.now.UnixMilli()
		}
		f.e.Observe(tester, f.data, f.now)
		f.now = f.now.Add(time.Minute)
		b.StartTimer()
		events := f.e.Advance(b.Context(), f.now)
		b.StopTimer()
		if len(events) != 0 {
			b.Fatal(len(events))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(f.data)), "ns/alarm")
}

// BenchmarkTransitions100k changes the state of every alarm.
func BenchmarkTransitions100k(b *testing.B) {
	f := newFleet(b, 100_000)
	for range 8 {
		f.minute(b, 1, 20)
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.StopTimer()
	for range b.N {
		for range 5 { // all five periods over the threshold, then one below it
			f.step(95)
			b.StartTimer()
			f.e.Advance(b.Context(), f.now)
			b.StopTimer()
		}
		f.step(20)
		b.StartTimer()
		f.e.Advance(b.Context(), f.now)
		b.StopTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/6/float64(len(f.data)), "ns/alarm")
}

func (f *fleet) step(value float64) {
	for i := range f.data {
		f.data[i].Value, f.data[i].TimestampMs = value, f.now.UnixMilli()
	}
	f.e.Observe(tester, f.data, f.now)
	f.now = f.now.Add(time.Minute)
}

func BenchmarkObserve(b *testing.B) {
	const n = 1000
	f := newFleet(b, 100_000)
	unwatched := make([]cloudwatch.Datum, n)
	same := make([]cloudwatch.Datum, n)
	for i := range n {
		dims := []cloudwatch.Dimension{{Name: "InstanceId", Value: fmt.Sprintf("i-%017x", 1_000_000+i)}}
		unwatched[i] = f.data[i]
		unwatched[i].Metric = cloudwatch.Metric{Namespace: "AWS/EC2", Name: fmt.Sprint("Other", i), Dimensions: dims}
		same[i] = f.data[i]
		same[i].Metric = cloudwatch.Metric{Namespace: "AWS/EC2", Name: "CPUUtilization", Dimensions: dims}
	}
	for _, c := range []struct {
		name string
		data []cloudwatch.Datum
	}{{"unwatched", unwatched}, {"unwatched of a watched name", same}, {"watched", f.data[:n]}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for i := range c.data {
					c.data[i].TimestampMs = noon.UnixMilli()
				}
				f.e.Observe(tester, c.data, noon)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/point")
		})
	}
}

func BenchmarkWatches(b *testing.B) {
	f := newFleet(b, 1000)
	b.ReportAllocs()
	for b.Loop() {
		if f.e.Watches("AWS/EC2", "NetworkIn") {
			b.Fatal()
		}
	}
}

func BenchmarkPut(b *testing.B) {
	f := newFleet(b, 0)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := f.e.Put(b.Context(), tester, f.definition(i), noon); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMonth is a month of data for a hundred alarms, minute by minute.
func BenchmarkMonth(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		f := newFleet(b, 100)
		for i := range 30 * 24 * 60 {
			f.minute(b, 1, float64(i%120))
		}
	}
}
