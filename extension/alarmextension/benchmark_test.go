// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmextension

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/alarm/definitions"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// onFiles is a harness whose storage is on the disk.
func onFiles(b *testing.B) *harness {
	b.Helper()
	h := newHarness(b)
	f := filestorage.NewFactory()
	cfg := f.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory, cfg.FSync = b.TempDir(), true
	set := extensiontest.NewNopSettings(f.Type())
	files, err := f.Create(b.Context(), set, cfg)
	require.NoError(b, err)
	require.NoError(b, files.Start(b.Context(), h.host))
	b.Cleanup(func() { require.NoError(b, files.Shutdown(context.Background())) })
	h.cfg.Storage = set.ID
	h.startWith(func() { h.host[set.ID] = files })
	return h
}

func many(n int) *definitions.Set {
	set := &definitions.Set{}
	for i := range n {
		set.Alarms = append(set.Alarms, definitions.Definition{Alarm: &alarm.Definition{
			Name: fmt.Sprintf("alarm-%06d", i), ActionsEnabled: true, AlarmActions: []string{topic},
			Metric: &alarm.MetricAlarm{
				Namespace: "App", MetricName: "errors", Dimensions: []cloudwatch.Dimension{{Name: "host", Value: fmt.Sprint("host-", i)}},
				Statistic: "Average", Period: 60, EvaluationPeriods: 3, Threshold: new(10.0),
				ComparisonOperator: alarm.GreaterThanThreshold, TreatMissingData: alarm.NotBreaching,
			},
		}})
	}
	return set
}

// BenchmarkTransitions has every alarm change its state once in each round: what it costs to evaluate, to keep it durably,
// and to hand the actions over.
func BenchmarkTransitions(b *testing.B) {
	const alarms = 1000
	h := onFiles(b)
	s := h.x.service.Load()
	require.NoError(b, s.Apply(b.Context(), tenant, many(alarms)))
	value := 0.0
	b.ReportAllocs()
	for b.Loop() {
		value = 50 - value
		for range 4 {
			data := make([]cloudwatch.Datum, alarms)
			for i := range data {
				data[i] = cloudwatch.Datum{
					Metric:      cloudwatch.Metric{Namespace: "App", Name: "errors", Dimensions: []cloudwatch.Dimension{{Name: "host", Value: fmt.Sprint("host-", i)}}},
					TimestampMs: h.clock.Now().UnixMilli(), Unit: "None", StorageResolution: 60, Value: value,
				}
			}
			h.x.Observe(tenant, data)
			h.advance(time.Minute, 10*time.Second)
		}
		h.deliver()
		h.dispatcher.set(func(d *testDispatcher) { d.actions = nil })
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*alarms), "µs/transition")
}

// BenchmarkRestart opens what is stored of 100,000 alarms.
func BenchmarkRestart(b *testing.B) {
	const alarms = 100_000
	h := onFiles(b)
	require.NoError(b, h.x.service.Load().Apply(b.Context(), tenant, many(alarms)))
	host := h.host
	h.stop()
	delete(host, alarmID)
	h.dispatcher.set(func(d *testDispatcher) { d.onResult = nil })
	h.server, h.api = nil, nil
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for b.Loop() {
		x, err := newExtension(settings(), h.cfg, h.clock)
		require.NoError(b, err)
		s, err := x.open(b.Context(), host)
		require.NoError(b, err)
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&after)
		require.NoError(b, s.Stop(b.Context()))
		require.NoError(b, x.client.Close(b.Context()))
		b.StartTimer()
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/alarms, "B/alarm")
}
