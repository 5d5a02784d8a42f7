// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfreceiver

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func TestConfig(t *testing.T) {
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	all := createDefaultConfig().(*Config)
	all.Endpoint = "0.0.0.0:1234"
	all.Transports = []string{"udp"}
	all.LogGroupName, all.LogStreamName = "/g", "s"
	all.AccountID, all.Region = "123456789012", "eu-central-1"
	all.ErrorMetrics = false
	all.MaxLineBytes, all.MaxConnections = 2048, 3
	all.IdleTimeout, all.LineTimeout = 5*time.Minute, time.Second
	all.UDPReadBufferBytes = 0
	all.Workers, all.MaxBatchDocuments, all.QueueBytes = 2, 10, 4096
	all.RetryConfig.Enabled = false
	for id, want := range map[string]*Config{"awsemf": createDefaultConfig().(*Config), "awsemf/all": all} {
		t.Run(id, func(t *testing.T) {
			cfg := createDefaultConfig()
			sub, err := conf.Sub(id)
			require.NoError(t, err)
			require.NoError(t, sub.Unmarshal(cfg))
			require.NoError(t, confmap.Validate(cfg))
			assert.Equal(t, want, cfg)
		})
	}
}

func TestValidateReportsAllFaults(t *testing.T) {
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "bad_everything.yaml"))
	require.NoError(t, err)
	cfg := createDefaultConfig()
	require.NoError(t, conf.Unmarshal(cfg))
	err = confmap.Validate(cfg)
	for _, want := range []string{
		`"endpoint" must be host:port`, `"transports" names "tcp" twice`, `got "sctp"`, `"log_group_name"`, `"max_line_bytes"`,
		`"queue_bytes"`, `"max_connections"`, `"workers"`, `"max_batch_documents"`, `"idle_timeout"`, `"line_timeout"`,
		`"udp_read_buffer_bytes"`,
	} {
		require.ErrorContains(t, err, want)
	}
	cfg.(*Config).Endpoint = "localhost:70000"
	cfg.(*Config).Transports = nil
	err = confmap.Validate(cfg)
	require.ErrorContains(t, err, "port from 0 to 65535")
	require.ErrorContains(t, err, `"transports" must name`)
}
