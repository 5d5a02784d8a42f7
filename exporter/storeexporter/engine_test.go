// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package storeexporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/xray"
)

var testTenant = store.Tenant{Account: "123456789012", Region: "eu-west-1"}

// TestThroughTheEngine writes each signal to a real store and reads it back.
func TestThroughTheEngine(t *testing.T) {
	engine := openEngine(t)
	at := time.Now().UTC().Truncate(time.Minute)

	logs := start(t, nopSettings(), engine, NewFactory().CreateLogs)
	require.NoError(t, logs.ConsumeLogs(t.Context(), testLogs(at, "one", "two")))
	var messages []string
	_, err := engine.ScanLogs(t.Context(), store.LogScan{LogSelection: store.LogSelection{
		Tenant: testTenant, Groups: []store.LogGroupRange{{Group: "/shop"}},
		Start: at.UnixMilli(), End: at.Add(time.Minute).UnixMilli(),
	}}, func(r *store.LogRecord) bool {
		messages = append(messages, r.Message)
		return true
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"one", "two"}, messages)

	metrics := start(t, nopSettings(), engine, NewFactory().CreateMetrics)
	require.NoError(t, metrics.ConsumeMetrics(t.Context(), testGauges(at, 1, 2)))
	buckets, err := engine.QueryMetrics(t.Context(), []store.MetricQuery{{
		Tenant: testTenant, Metric: cloudwatch.Metric{Namespace: "shop", Name: "latency"},
		Start: at.Unix(), End: at.Unix() + 60, Period: 60,
	}})
	require.NoError(t, err)
	require.Len(t, buckets[0], 1)
	assert.Equal(t, cloudwatch.StatisticSet{SampleCount: 2, Sum: 3, Minimum: 1, Maximum: 2}, buckets[0][0].StatisticSet)

	traces := start(t, nopSettings(), engine, NewFactory().CreateTraces)
	doc := document("1", "1")
	require.NoError(t, traces.ConsumeTraces(t.Context(), testTraces(t, doc)))
	id, err := xray.ParseTraceID("1-5759e988-bd862e3fe1be46a994272791")
	require.NoError(t, err)
	found, err := engine.Traces(t.Context(), testTenant, [][16]byte{id})
	require.NoError(t, err)
	require.Len(t, found[id].Segments, 1)
	assert.JSONEq(t, doc, found[id].Segments[0].Document)
}
