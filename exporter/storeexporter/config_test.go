// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package storeexporter

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

func TestDefaults(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, confmap.New().Unmarshal(cfg))
	assert.False(t, cfg.RetryConfig.Enabled, "whoever sent the data tries again")
	assert.False(t, cfg.QueueConfig.HasValue(), "what is acknowledged is durable")
	assert.Equal(t, "/otel/{service.name}", cfg.Logs.LogGroupName)
	require.ErrorContains(t, confmap.Validate(cfg), `"store" is required`)
}

func TestLoadConfig(t *testing.T) {
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, conf.Unmarshal(cfg))
	require.NoError(t, confmap.Validate(cfg))
	assert.Equal(t, component.MustNewIDWithName("store", "main"), cfg.Store)
	assert.Equal(t, "123456789012", cfg.AccountID)
	assert.Equal(t, "eu-west-1", cfg.Region)
	assert.Equal(t, "/all", cfg.Logs.LogGroupName)
	assert.Equal(t, "{host.name}", cfg.Logs.LogStreamName)
	assert.Equal(t, "{service.name}", cfg.Metrics.Namespace)
	assert.Equal(t, 5*time.Second, cfg.TimeoutConfig.Timeout)
	assert.True(t, cfg.RetryConfig.Enabled)
	assert.True(t, cfg.QueueConfig.HasValue())
}

func TestBadConfig(t *testing.T) {
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "bad_config.yaml"))
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, conf.Unmarshal(cfg))
	err = confmap.Validate(cfg)
	for _, want := range []string{
		`"store" is required`, `"account_id" must be 12 digits, got "1"`, `"region" must be the name of a region`,
		`"log_group_name": template`, `"log_stream_name" must not be empty`, `"namespace":`,
	} {
		require.ErrorContains(t, err, want)
	}
}
