// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package storeextension

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func load(t *testing.T, file, id string) *Config {
	t.Helper()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", file))
	require.NoError(t, err)
	sub, err := conf.Sub(id)
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, sub.Unmarshal(cfg))
	return cfg
}

func TestConfig(t *testing.T) {
	cfg := load(t, "config.yaml", "store")
	assert.Equal(t, createDefaultConfig(), component.Config(cfg))
	require.NoError(t, confmap.Validate(cfg))

	cfg = load(t, "config.yaml", "store/full")
	require.NoError(t, confmap.Validate(cfg))
	assert.Equal(t, &Config{
		Directory:          "/var/lib/nephoscope",
		MemoryLimitMiB:     1024,
		Threads:            4,
		Retention:          RetentionConfig{Logs: 30 * day, Metrics: 455 * day, Traces: 7 * day},
		Queue:              QueueConfig{Rows: 100_000, SizeMiB: 64},
		MinFreeDiskMiB:     500,
		MaxOpenDays:        4,
		MaxConcurrentReads: 16,
		MaxSeriesPerDay:    50_000,
		IdleClose:          5 * time.Minute,
	}, cfg)
}

func TestBadConfig(t *testing.T) {
	err := confmap.Validate(load(t, "bad_config.yaml", "store"))
	for _, want := range []string{
		`"directory" is required`, `"memory_limit_mib" must be at least 64, got 10`, `"threads" must be at least 0, got -1`,
		`"retention::logs" must be 0 (forever) or at least 24h`, `"retention::metrics"`, `"retention::traces"`, `"queue::rows"`,
		`"queue::size_mib"`, `"min_free_disk_mib"`, `"max_open_days"`, `"max_concurrent_reads"`, `"max_series_per_day"`,
		`"idle_close" must be at least 1s, got 1ms`,
	} {
		assert.ErrorContains(t, err, want)
	}
}
