// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package storeextension

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/nephoscope/nephoscope/extension/storeextension/internal/metadata"
	"github.com/nephoscope/nephoscope/internal/store"
)

func TestStoreOnHost(t *testing.T) {
	tel := componenttest.NewTelemetry()
	defer func() { require.NoError(t, tel.Shutdown(t.Context())) }()
	cfg := createDefaultConfig().(*Config)
	cfg.Directory, cfg.MinFreeDiskMiB = t.TempDir(), 0
	id := component.NewID(metadata.Type)
	ext, err := NewFactory().Create(t.Context(), extension.Settings{ID: id, TelemetrySettings: tel.NewTelemetrySettings()}, cfg)
	require.NoError(t, err)
	require.NoError(t, ext.Start(t.Context(), componenttest.NewNopHost()))

	s, err := store.Find(host{id: ext}, id)
	require.NoError(t, err)
	require.NoError(t, s.WriteLogs(t.Context(), []store.LogRecord{{Group: "g", Stream: "s", Timestamp: 1, Ingested: 2, Message: "m"}}))
	stats, err := s.Stats(t.Context())
	require.NoError(t, err)
	require.Len(t, stats.Days, 1)
	assert.EqualValues(t, 1, stats.Days[0].Rows)

	written, err := tel.GetMetric("otelcol_extension_store_rows_written")
	require.NoError(t, err)
	assert.EqualValues(t, 1, written.Data.(metricdata.Sum[int64]).DataPoints[0].Value)
	duration, err := tel.GetMetric("otelcol_extension_store_commit_duration")
	require.NoError(t, err)
	assert.EqualValues(t, 1, duration.Data.(metricdata.Histogram[float64]).DataPoints[0].Count)
	size, err := tel.GetMetric("otelcol_extension_store_disk_size")
	require.NoError(t, err)
	assert.Positive(t, size.Data.(metricdata.Gauge[int64]).DataPoints[0].Value)
	queue, err := tel.GetMetric("otelcol_extension_store_queue_rows")
	require.NoError(t, err)
	assert.Zero(t, queue.Data.(metricdata.Gauge[int64]).DataPoints[0].Value)

	require.NoError(t, ext.Shutdown(t.Context()))
	require.NoError(t, ext.Shutdown(t.Context()))
	require.ErrorIs(t, s.WriteLogs(t.Context(), []store.LogRecord{{Timestamp: 1}}), store.ErrClosed)
}

// TestDirectoryInUse checks that a second store in the same directory is refused with a clear error.
func TestDirectoryInUse(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Directory = t.TempDir()
	set := extension.Settings{ID: component.NewID(metadata.Type), TelemetrySettings: componenttest.NewNopTelemetrySettings()}
	first, second := newStoreExtension(set, cfg), newStoreExtension(set, cfg)
	require.NoError(t, first.Start(t.Context(), componenttest.NewNopHost()))
	require.ErrorContains(t, second.Start(t.Context(), componenttest.NewNopHost()), "in use by another process")
	require.NoError(t, second.Shutdown(t.Context()))
	require.NoError(t, first.Shutdown(t.Context()))
	require.NoError(t, second.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, second.Shutdown(t.Context()))
}

type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }
