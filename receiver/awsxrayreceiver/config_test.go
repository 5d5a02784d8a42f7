// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsxrayreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/nephoscope/nephoscope/receiver/awsxrayreceiver/internal/metadata"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	conf, err := confmaptest.LoadConf("testdata/config.yaml")
	require.NoError(t, err)
	all := createDefaultConfig().(*Config)
	*all = Config{
		Endpoint: "localhost:3000", Transport: "udp",
		ProxyServer: ProxyConfig{MaxRequestBodySize: 1 << 20, MaxConnections: 10},
		AccountID:   "123456789012", Region: "eu-west-1", Readers: 1, SocketBufferSize: 65536,
		QueueSize: 100, QueueBytes: 1 << 20, BatchSize: 50, FlushInterval: time.Second, Consumers: 1,
	}
	contrib := createDefaultConfig().(*Config)
	contrib.Endpoint, contrib.ProxyServer.Endpoint = "0.0.0.0:2000", "0.0.0.0:2000"
	for name, want := range map[string]component.Config{"": createDefaultConfig(), "contrib": contrib, "all": all} {
		sub, err := conf.Sub(component.NewIDWithName(metadata.Type, name).String())
		require.NoError(t, err)
		got := createDefaultConfig()
		require.NoError(t, sub.Unmarshal(got))
		require.NoError(t, confmap.Validate(got))
		require.Equal(t, want, got, name)
	}
}

func TestConfigInvalid(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want string
		conf map[string]any
	}{
		{`"proxy_server::role_arn" is not supported`, map[string]any{"proxy_server": map[string]any{"role_arn": "arn"}}},
		{`"proxy_server::region" is not supported`, map[string]any{"proxy_server": map[string]any{"region": "eu-west-1"}}},
		{`"proxy_server::local_mode" is not supported`, map[string]any{"proxy_server": map[string]any{"local_mode": false}}},
		{`"proxy_server::tls" is not supported`, map[string]any{"proxy_server": map[string]any{"tls": map[string]any{"insecure": true}}}},
		{`"proxy_server::additional_routing_rules" is not supported`, map[string]any{"proxy_server": map[string]any{"additional_routing_rules": []any{}}}},
		{`"dialer" is not supported`, map[string]any{"dialer": map[string]any{"timeout": "1s"}}},
		{`invalid keys: endpoints`, map[string]any{"endpoints": "x"}},
		{`"endpoint" must be host:port`, map[string]any{"endpoint": "2000"}},
		{`"transport" must be udp`, map[string]any{"transport": "tcp"}},
		{`"proxy_server::endpoint"`, map[string]any{"proxy_server": map[string]any{"endpoint": "x"}}},
		{`"account_id" must be 12 digits`, map[string]any{"account_id": "1"}},
		{`"region" must be`, map[string]any{"region": "EU"}},
		{`"readers" must be between`, map[string]any{"readers": 0}},
		{`"socket_buffer_size" must be between`, map[string]any{"socket_buffer_size": 1}},
		{`"queue_size" must be between`, map[string]any{"queue_size": 0}},
		{`"queue_bytes" must be between`, map[string]any{"queue_bytes": 0}},
		{`"batch_size" must be between`, map[string]any{"batch_size": 0}},
		{`"consumers" must be between`, map[string]any{"consumers": 0}},
		{`"flush_interval" must be`, map[string]any{"flush_interval": "0s"}},
		{`"proxy_server::max_request_body_size" must be`, map[string]any{"proxy_server": map[string]any{"max_request_body_size": 1}}},
		{`"proxy_server::max_connections" must be`, map[string]any{"proxy_server": map[string]any{"max_connections": 0}}},
	} {
		cfg := createDefaultConfig()
		err := confmap.NewFromStringMap(c.conf).Unmarshal(cfg)
		if err == nil {
			err = confmap.Validate(cfg)
		}
		require.ErrorContains(t, err, c.want)
	}
}
