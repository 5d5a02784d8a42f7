// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awscloudwatchexporter

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/resourcetotelemetry"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	stored := createDefaultConfig().(*Config)
	fileStorage := component.MustNewID("file_storage")
	stored.Storage = &fileStorage
	direct := createDefaultConfig().(*Config)
	direct.AggregationInterval = 0
	all := createDefaultConfig().(*Config)
	all.AWS.Region, all.AWS.Endpoint, all.AWS.Profile = "eu-central-1", "https://monitoring.example.com", "p"
	all.Namespace, all.StorageResolution = "{service.name}", 1
	all.ResourceToTelemetrySettings = resourcetotelemetry.Settings{Included: []string{"host.name"}}
	all.AggregationInterval, all.AggregationDelay = 5*time.Minute, 10*time.Second
	all.AggregateAs, all.MaxSeries, all.InMemory = aggregateStatistics, 10, true
	all.RollupDimensions, all.DropOriginalMetrics = [][]string{{"host.name"}, {}}, map[string]bool{"cpu": true}
	all.MaxDatumsPerCall, all.MaxValuesPerDatum = 20, 30
	all.TimeoutConfig.Timeout = 7 * time.Second
	all.RetryConfig.Enabled = false
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.QueueSize = 3
	all.QueueConfig = configoptional.Some(queue)
	for id, want := range map[string]*Config{"awscloudwatch": stored, "awscloudwatch/all": all, "awscloudwatch/direct": direct} {
		cfg := createDefaultConfig()
		sub, err := conf.Sub(id)
		require.NoError(t, err)
		require.NoError(t, sub.Unmarshal(cfg))
		require.NoError(t, confmap.Validate(cfg))
		assert.Equal(t, want, cfg)
	}
	queued := stored.queue()
	assert.Equal(t, &fileStorage, queued.Get().StorageID, "what is aggregated is as durable as what is being aggregated")
	queued = direct.queue()
	assert.False(t, queued.HasValue())
}

func TestValidateReportsAllFaults(t *testing.T) {
	t.Parallel()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "bad_everything.yaml"))
	require.NoError(t, err)
	cfg := createDefaultConfig()
	require.NoError(t, conf.Unmarshal(cfg))
	err = confmap.Validate(cfg)
	for _, want := range []string{
		`"num_workers"`, `"namespace" is not a template`, `"storage_resolution"`, `"aggregation_interval" must divide a minute`,
		`"aggregation_delay"`, `"aggregate_as"`, `"max_series"`, `"storage" and "in_memory" exclude`, `"rollup_dimensions::0" has a name twice`,
		`"rollup_dimensions::1": ":x"`, `"max_datums_per_call"`, `"max_values_per_datum"`, `"sending_queue::wait_for_result"`,
	} {
		require.ErrorContains(t, err, want)
	}
	for want, edit := range map[string]func(*Config){
		`"storage" is required`:      func(*Config) {},
		`must not begin with AWS/`:   func(c *Config) { c.Namespace = "AWS/EC2" },
		`at most 1h0m0s`:             func(c *Config) { c.AggregationInterval = 2 * time.Hour },
		`multiple of it, got 1m30s`:  func(c *Config) { c.AggregationInterval = 90 * time.Second },
		`have no use with`:           func(c *Config) { c.AggregationInterval, c.InMemory = 0, true },
		`drop metrics altogether`:    func(c *Config) { c.DropOriginalMetrics = map[string]bool{"m": true} },
		`"namespace" is not a templ`: func(c *Config) { c.Namespace = "" },
		`goes through a queue`: func(c *Config) {
			c.InMemory = true
			require.NoError(t, confmap.NewFromStringMap(map[string]any{"sending_queue": map[string]any{"enabled": false}}).Unmarshal(c))
		},
	} {
		cfg := createDefaultConfig().(*Config)
		edit(cfg)
		require.ErrorContains(t, confmap.Validate(cfg), want)
	}
}
